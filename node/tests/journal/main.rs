//! The journal and its guard over a disk that fails, loses power and rots.
#![allow(missing_docs, clippy::unwrap_used)]

mod damage;
mod failures;
mod guard;
mod layout;
