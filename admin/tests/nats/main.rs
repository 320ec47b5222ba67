//! The transport against a real nats-server: what each unit may do, what is refused, what survives
//! a restart.
//!
//! The server comes from `deploy/get-nats` (pinned). Each test starts its own, on free ports, in
//! its own directory.

// Clippy's exception for tests does not reach their helper functions.
#![allow(clippy::unwrap_used)]

mod insider;
mod place;
mod reach;
mod replies;
mod survival;
mod world;
