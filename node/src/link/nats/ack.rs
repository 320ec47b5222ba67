//! The answer to a message from JetStream.

use super::wire::{ACK_TIMEOUT, Wire};
use crate::link::ack::{Answer, Answered};
use crate::link::error::LinkError;
use async_nats::client::Request;
use std::time::Duration;

/// The answer to a message from JetStream.
pub(super) struct NatsAck {
    wire: Wire,
    reply: String,
    /// The connection that it came by.
    connects: u64,
}

impl std::fmt::Debug for NatsAck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsAck")
            .field("reply", &self.reply)
            .finish()
    }
}

impl Answer for NatsAck {
    fn done(self: Box<Self>) -> Answered {
        Box::pin(self.confirm())
    }
    fn retry(self: Box<Self>, after: Duration) -> Answered {
        Box::pin(self.put_off(after))
    }
}

impl NatsAck {
    /// The answer to the message with this reply subject, which came by the connection of now.
    pub(super) fn new(wire: Wire, reply: String) -> NatsAck {
        let connects = wire.shared.state.borrow().connects;
        NatsAck {
            wire,
            reply,
            connects,
        }
    }

    /// A double ack: waits for the server's word that it has taken the answer. Not so when the
    /// connection has changed since: a server that was killed forgets which messages it had handed
    /// out, and never confirms an answer to those.
    pub(super) async fn confirm(self) -> Result<(), LinkError> {
        self.wire.connected()?;
        if self.wire.shared.state.borrow().connects != self.connects {
            return self.send("+ACK".to_owned()).await;
        }
        let request = Request::new().payload("+ACK".into());
        self.wire
            .ask(&self.reply, request, ACK_TIMEOUT)
            .await
            .map(|_| ())
    }

    async fn put_off(self, after: Duration) -> Result<(), LinkError> {
        self.wire.connected()?;
        let body = format!(r#"-NAK {{"delay":{}}}"#, after.as_nanos());
        self.send(body).await
    }

    /// Sends an answer that nobody confirms.
    async fn send(&self, body: String) -> Result<(), LinkError> {
        let failed = |reason: String| LinkError::Answer {
            subject: self.reply.clone(),
            reason,
        };
        self.wire
            .client
            .publish(self.reply.clone(), body.into())
            .await
            .map_err(|e| failed(e.to_string()))?;
        self.wire
            .client
            .flush()
            .await
            .map_err(|e| failed(e.to_string()))
    }
}

/// How often a message was delivered, and its number in the stream, as its reply subject says:
/// `$JS.ACK.<stream>.<consumer>.<delivered>.<number>.…`, with two more tokens in front (domain and
/// account) where the server has domains. None where it says something else.
pub(super) fn delivered(reply: &str) -> Option<(u32, u64)> {
    let tokens: Vec<&str> = reply.split('.').collect();
    let at = if tokens.len() >= 11 { 6 } else { 4 };
    let times = tokens.get(at)?.parse().ok()?;
    Some((times, tokens.get(at + 1)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_tells_how_often_and_which() {
        assert_eq!(
            delivered("$JS.ACK.CS_UP.up_140300.7.12.9.1700000000000000000.0"),
            Some((7, 12))
        );
        assert_eq!(
            delivered("$JS.ACK.hub.ACCHASH.CS_UP.up_140300.3.12.9.1700000000000000000.0.token"),
            Some((3, 12))
        );
        assert_eq!(delivered("somewhere.else"), None);
    }
}
