//! Review: what a unit does with the units below it. Receive, check, accept, return, reopen.
//!
//! Everything is idempotent on (unit, month, revision, digest): NATS may bring a message twice,
//! late, or never. Two different rollups for one revision, or other bytes for a leaf that is known,
//! are a *contradiction*: both sides are kept as evidence and the unit is flagged.
//!
//! A subject proves nothing, neither who wrote a body nor which place it has: only signatures
//! count, and a unit is only flagged for bytes that carry its own signature.
//!
//! Reading order: `receive` (what comes), `contradict` (what cannot both be true), `check` (what
//! holds), `asked` (whether a revision was asked for), `decide` (a person's word, with `state` and `later`: what it may be, and
//! which months it takes along), `many` (several at once), `issue` (the
//! receipt).

mod about;
mod asked;
mod check;
mod contradict;
mod decide;
mod issue;
mod later;
mod many;
mod receive;
mod state;

pub use check::{check_all, waits};
pub use contradict::contradict;
pub use decide::decide;
pub use issue::Ruling;
pub use many::{Accepted, accept_many, wholly_verified};
pub use receive::{take_checkpoint, take_entries, take_rollup};
