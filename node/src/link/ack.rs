//! The answer to a received message: given only after its effects are durable.

use super::error::LinkError;
use super::{memory, nats};
use std::time::Duration;

/// What is owed to the transport for one message. Dropping it without an answer is safe: the
/// message comes again.
#[must_use = "a message without an answer comes again"]
#[derive(Debug)]
pub struct Ack(pub(super) Kind);

#[derive(Debug)]
pub(super) enum Kind {
    Nats(nats::NatsAck),
    Memory(memory::MemoryAck),
}

impl Ack {
    /// The effects are durable: the message need not come again. Waits for the server's
    /// confirmation; on an error, and after a restart of the server even without one, the message
    /// may come again, which an idempotent receiver does not mind.
    pub async fn done(self) -> Result<(), LinkError> {
        match self.0 {
            Kind::Nats(ack) => ack.done().await,
            Kind::Memory(ack) => {
                ack.done();
                Ok(())
            }
        }
    }

    /// Not now: let it come again after this time.
    pub async fn retry(self, after: Duration) -> Result<(), LinkError> {
        match self.0 {
            Kind::Nats(ack) => ack.retry(after).await,
            Kind::Memory(ack) => {
                drop(ack);
                Ok(())
            }
        }
    }
}
