//! The link over NATS JetStream: one connection, two durable pull consumers that the operator
//! provisioned, no right to create anything.
//!
//! Messages are pulled one request at a time and only while there is room for them, so that memory
//! is bounded (a handful of bodies) and the server's wait for an answer does not run for messages
//! that nobody looks at yet. Reading order: `config`, `marks` (what a stream must still hold), `wire`
//! (requests and answers), `info` and `holders` (which servers store), `address` (which one is taken
//! next), `publish`, `ack`, `pull`, `probe`, `link`.

mod ack;
mod address;
mod config;
mod holders;
mod info;
mod link;
mod marks;
mod probe;
mod publish;
mod pull;
mod verified;
mod wire;

pub use config::{LinkConfig, LinkTls};
pub use link::NatsLink;
