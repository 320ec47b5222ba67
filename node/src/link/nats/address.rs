//! Which address is taken next when a server is left. By itself the client takes the one that failed
//! least: a server by which nothing goes through never fails to connect, so it would be taken again
//! and again, and one that was down for a moment never.

use async_nats::{ReconnectToServer, Server};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct NextAddress {
    turn: AtomicUsize,
    is_asked_for: AtomicBool,
}

impl NextAddress {
    /// The next connection is to be one to the next address.
    pub(super) fn ask_for_next(&self) {
        self.is_asked_for.store(true, Ordering::SeqCst);
    }

    /// The address to take, where it was asked for: once, so that one which is down stops nobody.
    pub(super) fn choose(&self, servers: &[Server]) -> Option<ReconnectToServer> {
        if !self.is_asked_for.swap(false, Ordering::SeqCst) {
            return None;
        }
        let turn = self.turn.fetch_add(1, Ordering::SeqCst);
        let server = servers.get(turn.checked_rem(servers.len())?)?;
        Some(ReconnectToServer {
            addr: server.addr.clone(),
            delay: Some(Duration::ZERO),
        })
    }
}
