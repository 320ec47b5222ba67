//! What leaves the node with its signature on it. The guard moves first: a copy of the data from
//! before must not sign something else in its place.

use chrono::{DateTime, Utc};
use protocol::log::checkpoint::{Checkpoint, origin_of};
use protocol::note::Note;
use protocol::period::Month;

use super::core::Books;
use super::entry::NewEntry;
use super::error::BooksError;
use super::kinds::EntryKind;
use super::rollups::SubmittedHead;
use crate::journal::Signed;

impl Books {
    /// Signs a checkpoint over everything that is on disk. The guard moves first: if the process
    /// dies in between, the node knows that it may have signed.
    ///
    /// # Errors
    /// The guard's or the journal's error.
    pub fn sign_checkpoint(&mut self) -> Result<Note, BooksError> {
        let log = self.log().ok_or_else(|| BooksError::Published {
            what: "registry".into(),
            message: "not there yet".into(),
        })?;
        let size = log.len();
        if let Some(note) = self.state.own.checkpoints.get(&size) {
            return Ok(note.clone());
        }
        // Signed is only what is on disk, also in a group.
        self.flush_group()?;
        let root = self.rehash(size)?;
        self.store.guard.advance(Signed {
            size,
            root,
            journal: self.store.journal.next_seq(),
        })?;
        let error = |e: String| BooksError::Published {
            what: "checkpoint".into(),
            message: e,
        };
        let point = Checkpoint::new(&origin_of(&self.identity.unit), size, root)
            .map_err(|e| error(e.to_string()))?;
        let note = point
            .sign(&self.identity.keys.node)
            .map_err(|e| error(e.to_string()))?;
        self.commit(vec![NewEntry::open(EntryKind::Checkpoint, note.as_bytes())])?;
        Ok(note)
    }

    /// Hashes the new leaves again from the stored bytes: one flipped bit in a signed tree can
    /// never be repaired.
    fn rehash(&self, size: u64) -> Result<[u8; 32], BooksError> {
        let log = self.log().ok_or_else(|| BooksError::Published {
            what: "log".into(),
            message: "not there yet".into(),
        })?;
        let from = self.state.own.signed_size();
        for index in from..size {
            let stored = self.stored(index)?;
            if log.tree().leaf(index) != Some(protocol::log::tree::leaf_hash(&stored.public)) {
                let message = format!(
                    "leaf {index} on disk is not the one in the tree: stop, check the disk and \
                     memory, restore"
                );
                return Err(BooksError::Entry {
                    seq: stored.seq,
                    message,
                });
            }
        }
        log.root_at(size).ok_or_else(|| BooksError::Published {
            what: "log".into(),
            message: "no root of this size".into(),
        })
    }

    /// Notes in the guard that the journal was this long when something signed left the node: a
    /// report or a receipt. A copy from before would let the node sign another one in its place.
    ///
    /// # Errors
    /// The journal's or the guard's error: then it must not leave.
    pub fn guard_all(&mut self) -> Result<(), BooksError> {
        self.flush_group()?;
        if let Some(last) = self.store.guard.last() {
            self.store.guard.advance(Signed {
                journal: self.store.journal.next_seq(),
                ..last
            })?;
        }
        Ok(())
    }

    /// Marks a rollup as handed to the outbox.
    ///
    /// # Errors
    /// The journal's or the guard's error.
    pub fn submit(
        &mut self,
        period: Month,
        revision: u32,
        at: DateTime<Utc>,
    ) -> Result<(), BooksError> {
        self.guard_all()?;
        self.commit(vec![NewEntry::headed(
            EntryKind::Submitted,
            &SubmittedHead {
                period,
                revision,
                at,
            },
            &[],
        )])
    }

    /// Whether the guard is missing although the journal is not new.
    pub fn is_unguarded(&self) -> bool {
        self.store.guard.is_missing() && self.store.journal.next_seq() > 0
    }

    /// Makes a guard from the last checkpoint of the journal, on the word of an operator who has
    /// compared it with the parent.
    ///
    /// # Errors
    /// The disk's error.
    pub fn renew_guard(&mut self) -> Result<Signed, BooksError> {
        let size = self.state.own.signed_size();
        let root = self
            .log()
            .and_then(|l| l.root_at(size))
            .unwrap_or_else(protocol::log::tree::empty_root);
        let signed = Signed {
            size,
            root,
            journal: self.store.journal.next_seq(),
        };
        self.store.guard.advance(signed)?;
        Ok(signed)
    }
}
