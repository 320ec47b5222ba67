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

/// Whether the servers that hold the streams sync before they acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// Not asked since the last connect.
    #[default]
    Unknown,
    /// Each of them shows `sync_always`.
    Always,
    /// One does not, or could not be asked: nothing is sent. The text says which and why.
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
    /// Streams and consumers of this unit that the connected server does not have, by name; where a
    /// consumer is there and lacks a filter, both.
    pub missing: BTreeSet<String>,
    /// Those that nobody can store into or deliver from at the moment: the servers that hold them
    /// elect a leader, or too few of them are up.
    pub leaderless: BTreeSet<String>,
    /// Code and text of what nats-server, or the rights of this unit, made of the last message that
    /// was to be sent, where it was not taken and will not be by itself; none once one was.
    pub rejected: Option<(FaultCode, String)>,
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

/// How the link is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkStatus {
    /// Messages go through.
    Connected,
    /// A server that holds the streams does not show that it syncs: nothing is sent.
    Refused,
    /// A stream or consumer of this unit is not there.
    NotProvisioned,
    /// What this unit sends is not taken: no room, or not its subject.
    Rejected,
    /// A stream or consumer of this unit has no leader, so nobody stores or delivers.
    NoLeader,
    /// No connection yet since the start.
    Connecting,
    /// No connection any more.
    Disconnected,
}

impl LinkStatus {
    /// As people and monitoring read it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Refused => "refused",
            Self::NotProvisioned => "not_provisioned",
            Self::Rejected => "rejected",
            Self::NoLeader => "no_leader",
            Self::Connecting => "connecting",
            Self::Disconnected => "disconnected",
        }
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
    /// How it is, in one word.
    #[must_use]
    pub fn status(&self) -> LinkStatus {
        let state = &self.state;
        match state.connection {
            Connection::Connecting => LinkStatus::Connecting,
            Connection::Disconnected => LinkStatus::Disconnected,
            // Without a leader nobody can be asked who holds what.
            Connection::Connected if !state.leaderless.is_empty() => LinkStatus::NoLeader,
            Connection::Connected if matches!(state.durability, Durability::Refused(_)) => {
                LinkStatus::Refused
            }
            Connection::Connected if !state.missing.is_empty() => LinkStatus::NotProvisioned,
            Connection::Connected if state.rejected.is_some() => LinkStatus::Rejected,
            Connection::Connected => LinkStatus::Connected,
        }
    }

    /// Whether messages go through.
    pub fn is_up(&self) -> bool {
        self.status() == LinkStatus::Connected
    }

    /// What is wrong with it, for people; none while it is up.
    pub fn trouble(&self) -> Option<String> {
        let names =
            |set: &BTreeSet<String>| Vec::from_iter(set.iter().map(String::as_str)).join(", ");
        match (self.status(), &self.state.durability) {
            (LinkStatus::Connected, _) => None,
            (LinkStatus::Rejected, _) => self.state.rejected.as_ref().map(|(_, text)| text.clone()),
            (LinkStatus::Refused, Durability::Refused(why)) => Some(why.clone()),
            (LinkStatus::NotProvisioned, _) => Some(format!(
                "nats-server does not have {}; the operator's `countersign nats provision --keep` \
                 makes it anew within seconds where it runs; for a unit that has moved it must be \
                 given the newest registry (--registry)",
                names(&self.state.missing)
            )),
            (LinkStatus::NoLeader, _) => Some(format!(
                "no nats-server leads {}: one is elected within seconds where more than half of the \
                 servers that hold it are up; the operator starts those that are down",
                names(&self.state.leaderless)
            )),
            _ => self.state.trouble.as_ref().map(|(_, text)| text.clone()),
        }
    }
}
