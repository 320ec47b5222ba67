//! What the books stand on: the journal, its guard, and the view beside it.

use std::path::PathBuf;

use protocol::verdict::LeafFinding;

use crate::journal::{Entry, Guard, Journal, JournalError, Stored};
use crate::view::{IndexedStatement, View};

/// The journal, its guard, and the view beside it.
pub struct Store {
    pub(super) journal: Journal,
    pub(super) guard: Guard,
    pub(super) view: View,
    pub(super) view_dir: PathBuf,
    /// Whether the view was made anew at start.
    pub(super) rebuilt: bool,
    /// Entries of a group that are applied and not on disk yet; none outside a group.
    pub(super) staged: Vec<Entry>,
    pub(super) grouping: bool,
    /// What contradicts in a leaf that the group applied and does not write: memory knows it until
    /// the group ends, and nothing more is applied before.
    pub(super) refused: Option<LeafFinding>,
    /// What the view has to learn of the entries that are being applied.
    pub(super) unindexed: Vec<IndexedStatement>,
}

impl Store {
    /// How many entries there are, those of a group that is under way included.
    pub fn end(&self) -> u64 {
        self.journal.next_seq() + self.staged.len() as u64
    }

    /// A journal entry, on disk or in the group that is under way.
    ///
    /// # Errors
    /// The journal's error.
    pub fn at(&self, seq: u64) -> Result<Stored, JournalError> {
        let staged = seq
            .checked_sub(self.journal.next_seq())
            .and_then(|n| self.staged.get(usize::try_from(n).ok()?));
        match staged {
            Some(entry) => Ok(entry.clone().stored(seq)),
            None => self.journal.read(seq),
        }
    }
}
