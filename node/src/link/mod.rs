//! The link: carries notes between this node and the units above and below it. The only module that
//! names async-nats.
//!
//! It holds no rule of the domain: it takes bytes for a subject and hands over bytes from a
//! subject. NATS may lose, repeat and reorder; what makes that harmless lies outside: the outbox
//! keeps a rollup until the parent's *signed receipt* is in the journal, and receivers are
//! idempotent. Read in this order: [`subject`] (names), [`access`] (who may say and hear what), the
//! [`Transport`] trait below, [`NatsLink`], and [`MemoryHub`], the misbehaving network for tests.
//!
//! ```text
//! outbox → publish → (sync_always shown?) → JetStream → ack      a sent message, not yet a received one
//! JetStream → next → journal (fsync) → ack.done                  effects first, answer second
//! ```

pub mod access;
mod ack;
mod durability;
mod error;
mod memory;
mod nats;
mod seed;
mod state;
pub mod subject;

pub use ack::Ack;
pub use error::{LinkError, explain};
pub use memory::{Faults, MemoryHub, MemoryLink};
pub use nats::{LinkConfig, LinkTls, NatsLink};
pub use seed::read_seed;
pub use state::{Connection, Durability, LinkState};
pub use subject::{Down, DownKind, Subject, UnitPath, Up, UpKind};

use std::future::Future;

/// The largest body that can travel: the server's 8 MiB less room for headers.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024 - 4096;

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub subject: Subject,
    /// What it holds, in a word: a repetition within two minutes carries the same, and the server
    /// drops it. Over NATS others see neither this nor anything that they could work out from the
    /// body.
    pub msg_id: String,
    /// The bytes.
    pub body: Vec<u8>,
}

/// A received message.
#[derive(Debug)]
pub struct Incoming {
    /// Where from. It routes; only signatures in the body prove who wrote it.
    pub subject: Subject,
    /// The bytes: hostile until verified.
    pub body: Vec<u8>,
    /// To be answered after the effects are durable.
    pub ack: Ack,
}

/// A way to the other units.
pub trait Transport: Send + Sync + 'static {
    /// Sends one message and waits until the server has stored it. That is not yet a receipt.
    fn publish(&self, message: &Outgoing) -> impl Future<Output = Result<(), LinkError>> + Send;
    /// Sends several in this order, and waits until all are stored. Where one fails, those behind
    /// it may be stored all the same.
    fn publish_all(
        &self,
        messages: &[Outgoing],
    ) -> impl Future<Output = Result<(), LinkError>> + Send {
        async move {
            for message in messages {
                self.publish(message).await?;
            }
            Ok(())
        }
    }
    /// Waits for the next message. Fails only when the link is closed; trouble on the way is waited
    /// out and shown in the state.
    fn next(&self) -> impl Future<Output = Result<Incoming, LinkError>> + Send;
    /// Names the store that messages are kept in, as long as it is known: another name means that
    /// what was sent before may be gone. None where nobody can tell.
    fn store(&self) -> Option<String> {
        None
    }
}

/// The checks that every transport makes before it sends.
fn check_outgoing(
    path: &UnitPath,
    has_children: bool,
    message: &Outgoing,
) -> Result<(), LinkError> {
    if !access::may_publish(path, has_children, &message.subject) {
        return Err(LinkError::Foreign {
            unit: path.unit().to_owned(),
            subject: message.subject.to_string(),
        });
    }
    if message.body.len() > MAX_BODY_BYTES {
        return Err(LinkError::TooLarge {
            subject: message.subject.to_string(),
            bytes: message.body.len(),
            limit: MAX_BODY_BYTES,
        });
    }
    Ok(())
}
