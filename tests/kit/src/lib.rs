//! What the tests of the protocol, the node and the federation share; no program links it.
//!
//! [`World`] is a small federation in memory, of which everything follows from fixed seeds; a
//! [`Desk`] is one unit of it at work, a [`Case`] one rollup before a verifier. [`vectors`] and
//! [`refuse`] make the files of `tests/vectors` from it. [`rounds`] runs a property over random
//! values that can be repeated. With the feature `node` there are also a federation of
//! nodes (`on_disk`), a `disk` that fails and a `network` that misbehaves.
#![allow(missing_docs)] // helpers of tests: their names and their users say what they are for
#![allow(clippy::unwrap_used)] // as in every test: what cannot go on shall stop and say where

mod basics;
mod case;
mod desk;
#[cfg(feature = "node")]
pub mod disk;
#[cfg(feature = "node")]
pub mod network;
#[cfg(feature = "node")]
pub mod on_disk;
pub mod refuse;
mod rounds;
mod small_part;
pub mod vectors;
mod world;

pub use basics::*;
pub use case::Case;
pub use desk::{Desk, clear_body, enrol, enrolment, named_fields, revoke, tree_of, void_of};
pub use rounds::rounds;
pub use small_part::signed_with_small_part;
pub use world::{World, small_evidence};
