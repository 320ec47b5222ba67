//! The books: the journal, the view, and everything that follows from them in memory.
//!
//! There is one way in: [`Books::commit`] appends entries to the journal, waits for the disk, and
//! then applies them. At start the same `State::apply` runs over the journal. So what a node knows
//! after a crash is what it knew before, and recovery is not a second program. Nothing else writes
//! truth; desk and review compute entries and commit them. What they only work out and keep at
//! hand, such as the verdicts of checks, goes in by [`Books::remember`], through the same `apply`.
//!
//! Reading order: `core` (identity, store, state), `kinds` and `entry` (what is written), `state`
//! (what an entry means) over `own`, `rollups`, `published`, `children` and `contradictions` (one
//! function a kind), `append` (writing), `open` (recovery), `index` (the view beside the journal),
//! `signed` (checkpoints and what leaves the node) and `node_key` (by which key), `install` (what is
//! published), `read` and `evidence` (what others ask).

mod append;
pub mod children;
pub mod contradictions;
mod core;
mod entry;
mod error;
mod evidence;
mod identity;
mod index;
mod install;
pub mod keys;
mod kinds;
mod node_key;
mod numbers;
mod open;
mod own;
pub mod payload;
mod published;
mod read;
mod rollups;
mod signed;
mod standing;
mod state;
mod store;
mod written;

pub use self::core::Books;
pub use entry::{NewEntry, headed};
pub use error::BooksError;
pub use kinds::{EntryKind, EntryKindError};
pub use node_key::NodeKey;
pub use rollups::{OwnRollup, UndoneHead};
pub use state::Derived;
pub use written::Written;
