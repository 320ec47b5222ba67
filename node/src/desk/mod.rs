//! The desk: what a unit's people do. Record and import, correct and void, close, sign, submit.
//!
//! Each function computes journal entries from the books and commits them; no function here keeps a
//! state of its own. Reading order: [`record`] (drafts to statements), `sealing`
//! (statements to signed entries), `import` (a file from its bytes on), [`close`] (a month to a
//! rollup), [`preview`] (what that would make), [`undo`], [`sign`] (signatures and the outbox), [`disclose`] and [`evidence`] (what others get to
//! see). Files become drafts in [`crate::exchange`].

pub mod close;
pub mod disclose;
pub mod evidence;
mod import;
mod month;
pub mod preview;
mod random_pool;
pub mod receipt;
pub mod record;
mod sealing;
pub mod sign;
mod unchanged;
pub mod undo;

pub use import::{Change, Correction, ImportRequest, correct, import, import_set};
pub use month::{asked_for, counting, open_month};
