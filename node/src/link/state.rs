//! What the link knows about itself, for the status page and the metrics.

use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

use crate::fault::FaultCode;

/// The connection to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Connection {
    /// Never connected yet.
    #[default]
    Connecting,
    /// Connected.
    Connected,
    /// Lost; the node keeps trying.
    Disconnected,
}

/// Whether the connected server syncs before it acknowledges.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// Not asked since the last connect.
    #[default]
    Unknown,
    /// The server shows `sync_always`.
    Always,
    /// It does not, or could not be asked: nothing is sent. The text says why.
    Refused(String),
}

/// A snapshot of the link.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LinkState {
    /// The connection.
    pub connection: Connection,
    /// The server's promise.
    pub durability: Durability,
    /// The name of the store, while connected: see [`super::Transport::store`].
    pub store: Option<String>,
    /// Streams and consumers of this unit that the connected server does not have, by name.
    pub missing: BTreeSet<String>,
    /// Code and text of the last trouble; none when the last operation went well.
    pub trouble: Option<(FaultCode, String)>,
    /// How often the link has connected.
    pub connects: u64,
    /// Messages acknowledged by the server.
    pub published: u64,
    /// Of these, how many it already had.
    pub duplicates: u64,
    /// Messages handed to the node.
    pub received: u64,
}

impl LinkState {
    /// Whether the last trouble was one of connecting.
    pub(super) fn connect_fails(&self) -> bool {
        self.trouble
            .as_ref()
            .is_some_and(|(code, _)| *code == FaultCode::LinkConnect)
    }
}

/// The link as the node last saw it.
#[derive(Debug, Clone)]
pub struct LinkSeen {
    /// What it says of itself.
    pub state: LinkState,
    /// Since when it has been up, or has not.
    pub since: DateTime<Utc>,
}

impl LinkSeen {
    /// Whether messages go through.
    pub fn is_up(&self) -> bool {
        self.state.connection == Connection::Connected
            && !matches!(self.state.durability, Durability::Refused(_))
            && self.state.missing.is_empty()
    }

    /// What is wrong with it, for people; none while it is up.
    pub fn trouble(&self) -> Option<String> {
        match &self.state.durability {
            Durability::Refused(why) => Some(why.clone()),
            _ if !self.state.missing.is_empty() => Some(format!(
                "nats-server does not have {}; the operator's `countersign nats provision --keep` \
                 makes it anew within seconds where it runs",
                Vec::from_iter(self.state.missing.iter().map(String::as_str)).join(", ")
            )),
            _ if self.is_up() => None,
            _ => self.state.trouble.as_ref().map(|(_, text)| text.clone()),
        }
    }
}
