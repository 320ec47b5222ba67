//! What a link knows of the promises of the servers that store.

use crate::link::durability::{Holder, Promises};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// The servers of each stream that this unit writes into.
pub(super) type Holders = BTreeMap<&'static str, Vec<Holder>>;

/// What the servers that hold the streams have shown.
#[derive(Default)]
pub(super) struct Verified {
    /// The server that the node was connected to when it was shown; none: it is to be shown anew.
    pub(super) server: Option<String>,
    /// Whose promise that covers.
    pub(super) holders: Holders,
    /// When the monitoring addresses are to be asked again.
    pub(super) until: Option<Instant>,
    /// Outlives the connection: a server that is down cannot show it again.
    pub(super) promises: Promises,
}

impl Verified {
    /// Has it shown anew before anything is sent.
    pub(super) fn forget(&mut self) {
        self.server = None;
    }
}
