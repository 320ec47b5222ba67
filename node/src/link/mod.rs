//! The link: carries notes between this node and the units above and below it. The only module that
//! names async-nats.
//!
//! It holds no rule of the domain: it takes bytes for a subject and hands over bytes from a
//! subject. NATS may lose, repeat and reorder; what makes that harmless lies outside: the outbox
//! keeps a rollup until the parent's *signed receipt* is in the journal, and receivers are
//! idempotent. Read in this order: [`subject`] (names), [`access`] (who may say and hear what), the
//! [`Transport`] trait, [`NatsLink`]. Tests have another transport, which misbehaves (`tests/kit`).
//!
//! ```text
//! outbox → publish → (sync_always shown?) → JetStream → ack      a sent message, not yet a received one
//! JetStream → next → journal (fsync) → ack.done                  effects first, answer second
//! ```

pub mod access;
mod ack;
mod durability;
mod error;
mod nats;
mod places;
mod seed;
mod state;
pub mod subject;
mod transport;

pub use ack::{Ack, Answer, Answered};
pub use error::{LinkError, explain};
pub use nats::{LinkConfig, LinkTls, NatsLink};
pub use places::Places;
pub use seed::read_seed;
pub use state::{Connection, Durability, LinkSeen, LinkState, LinkStatus};
pub use subject::{Down, DownKind, Subject, UnitPath, Up, UpKind};
pub use transport::{Incoming, MAX_BODY_BYTES, Outgoing, Transport, check_outgoing};
