//! What a node is made of.

use std::sync::Arc;

use super::identity::Identity;
use super::state::State;
use super::store::Store;
use crate::random::Random;

/// Everything that a node knows.
pub struct Books {
    pub(super) identity: Identity,
    pub(super) store: Store,
    pub(super) state: State,
    /// Where salts, ids and nonces come from.
    pub(super) random: Arc<dyn Random>,
    /// Memory is not what the journal says, and could not be made so.
    pub(super) broken: bool,
}

impl std::fmt::Debug for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Books({})", self.identity.unit)
    }
}
