//! Who a node is: what does not follow from its journal.

use std::sync::Arc;

use protocol::ids::UnitId;
use protocol::registry::Anchor;

use super::keys::Keys;

/// Who a node is.
#[derive(Debug)]
pub struct Identity {
    /// Its unit.
    pub unit: UnitId,
    /// The root keys by which the first registry is believed.
    pub root: Anchor,
    /// Its keys.
    pub keys: Arc<Keys>,
}
