//! The journal: the only truth on disk.
//!
//! An append-only sequence of entries in segment files `<dir>/journal/<12-digit first
//! sequence>.seg`. All else that a node shows is a view of it and can be deleted. Read in this
//! order: [`limits`], `entry`, `frame` (the bytes of a batch), `segment` (a file), `mark` (how many
//! entries were acknowledged), `recover` (what a crash leaves), `append`, `erase`, `read`, `check`, [`guard`] (rolled-back data).
//!
//! # Order of durable writes
//! `append`: one write of the whole batch → fdatasync → the mark, without an fsync → only then the
//! answer. A batch has a length and CRCs, so after a crash it is whole or it is not there. A new segment: header → fsync → fsync
//! directory → only then its first batch.
//!
//! # When the disk fails
//! - A write says that the disk is full: the file is cut back to the last batch and synced. If that
//!   works, nothing of the batch was kept, the caller is told, and the journal stays usable.
//! - Any other failed write, and every failed fsync: the journal is *poisoned*, and every later
//!   append answers "restart". An fsync is never tried again: after it failed, Linux may have
//!   dropped the pages, and the second one would lie. What was written but not acknowledged may or
//!   may not be there after the restart, as a whole.
//!
//! # What it trusts
//! That fdatasync makes written bytes durable (a disk that lies about it loses the last batches:
//! the guard notices), and that a power cut while a sector is written harms no bytes but those
//! being written. The lock and the durability are those of a local Unix filesystem, not of NFS.

mod append;
mod check;
mod chinese;
pub mod disk;
mod entry;
mod erase;
mod error;
mod frame;
pub mod guard;
pub mod limits;
mod lock;
mod mark;
mod read;
mod recover;
mod segment;

pub use append::{Journal, JournalState};
pub use check::{FsckReport, GivenUp, beside_guard, check, give_up};
pub use entry::{Entry, Sealed, Stored};
pub use error::JournalError;
pub use guard::{Guard, Signed};
pub use limits::{MAX_BATCH_BYTES, MAX_PART_BYTES, SEGMENT_BYTES};
pub use recover::{Cut, Recovered};
