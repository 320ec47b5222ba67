//! Writing: entries become durable, and then known. Several requests may share one fsync; in such a
//! group an entry is known at once and told to nobody before the group is on disk.

use super::core::Books;
use super::entry::NewEntry;
use super::error::BooksError;
use super::kinds::EntryKind;
use super::state::{Derived, Event};
use super::written::Written;
use crate::journal::{Entry, JournalState, Stored};
use protocol::note::Note;

/// A group is written when it would become larger than this: below what the journal takes in one
/// batch.
const GROUP_BYTES: usize = 8 << 20;

impl Books {
    /// Writes entries durably, then applies them. The one way in.
    ///
    /// # Errors
    /// The journal's error, or a statement of this unit that every reader of its log would
    /// contradict: no leaf can be taken out again. Nothing was acknowledged then.
    pub fn commit(&mut self, entries: Vec<NewEntry>) -> Result<(), BooksError> {
        if entries.is_empty() {
            return Ok(());
        }
        if let Some(finding) = &self.store.refused {
            return Err(BooksError::Leaf(finding.clone()));
        }
        let statement = EntryKind::Statement.number();
        if !self.store.grouping && entries.iter().any(|new| new.entry.kind == statement) {
            // A statement is read by being applied, which a group does before it writes.
            return self.group(|books| books.commit(entries))?;
        }
        let count = entries.len();
        let (mut raw, mut written) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for new in entries {
            raw.push(new.entry);
            written.push(new.written);
        }
        let size = |list: &[Entry]| list.iter().map(Entry::size).sum::<usize>();
        if self.store.grouping && size(&self.store.staged) + size(&raw) > GROUP_BYTES {
            self.flush_group()?;
        }
        // What the disk is known not to take is refused before anything is applied, so that nothing
        // has to be taken back.
        self.store
            .journal
            .has_room(size(&self.store.staged) + size(&raw))?;
        let (first, leaves) = (self.store.end(), self.state.own.leaves());
        if !self.store.grouping {
            self.store.journal.append(&raw)?;
        } else if self.store.staged.is_empty() {
            // The view runs ahead of the journal until the group is written. A process that dies
            // before must not find it so.
            self.store
                .view
                .unmark()
                .or_else(|e| self.keep_view_in_memory(&e))?;
        }
        let mark = raw.last().map(Entry::checksum);
        for ((seq, entry), written) in (first..).zip(raw).zip(written) {
            let stored = entry.stored(seq);
            let applied = self.apply(&stored, written, true);
            // In a group, history may ask for this entry before it is on disk.
            if self.store.grouping {
                self.store.staged.push(stored.into_entry());
            }
            applied?;
        }
        self.refuse_contradicted(first, leaves)?;
        self.index()?;
        if let Some(crc) = mark.filter(|_| !self.store.grouping) {
            self.mark(first + count as u64 - 1, crc)?;
        }
        Ok(())
    }

    /// Does not write the entries from `first` on where the log contradicts one of its leaves from
    /// `leaves` on.
    fn refuse_contradicted(&mut self, first: u64, leaves: u64) -> Result<(), BooksError> {
        let Some(finding) = self.state.own.finding_from(leaves).cloned() else {
            return Ok(());
        };
        self.unstage_from(first);
        self.store.refused = Some(finding.clone());
        Err(BooksError::Leaf(finding))
    }

    /// Whether a statement of the group that is under way was refused, so that nothing more can be
    /// done in this group.
    pub fn refuses(&self) -> bool {
        self.store.refused.is_some()
    }

    /// Runs several pieces of work whose entries share one fsync. What they return may be told to
    /// anybody only if this succeeds.
    ///
    /// # Errors
    /// The journal's error. What of the group is not on disk was not kept then: memory and view are
    /// taken back to what the journal holds ([`durable`](Self::durable) tells how much that is).
    pub fn group<T>(&mut self, work: impl FnOnce(&mut Books) -> T) -> Result<T, BooksError> {
        self.store.grouping = true;
        let done = work(self);
        let flushed = self.flush_group();
        self.store.grouping = false;
        if flushed.is_err() || self.store.refused.take().is_some() {
            self.take_back()?;
        }
        flushed.map(|()| done)
    }

    /// Takes one journal entry into account. `index` tells whether the view still has to learn of
    /// it.
    pub(super) fn apply(
        &mut self,
        stored: &Stored,
        written: Option<(Note, Written)>,
        index: bool,
    ) -> Result<(), BooksError> {
        let event = Event::Journalled {
            stored,
            written,
            index,
        };
        let indexed = self.state.apply(&self.identity, event)?;
        self.store.unindexed.extend(indexed);
        Ok(())
    }

    /// Keeps at hand what was worked out from the journal, so that it is not worked out again in
    /// this run of the node. Nothing is written: it is forgotten with a failed write or at the next
    /// start, and follows again from what is in the journal.
    pub fn remember(&mut self, derived: Derived) {
        // Only journal entries can fail to be read.
        let _: Result<_, BooksError> = self.state.apply(&self.identity, Event::Derived(derived));
    }

    /// Does not write what was staged from the entry of this number on: the work that staged it
    /// died. Memory still knows it: call [`Books::take_back`] after the group.
    pub fn unstage_from(&mut self, end: u64) {
        let kept = end.saturating_sub(self.durable());
        let kept = usize::try_from(kept).unwrap_or(usize::MAX);
        self.store.staged.truncate(kept);
    }

    pub(super) fn flush_group(&mut self) -> Result<(), BooksError> {
        let Some(last) = self.store.staged.last() else {
            return Ok(());
        };
        let crc = last.checksum();
        let range = self.store.journal.append(&self.store.staged)?;
        self.store.staged.clear();
        self.mark(range.end - 1, crc)
    }

    /// How many entries there are, those of a group that is under way included.
    pub fn end(&self) -> u64 {
        self.store.end()
    }

    /// How many entries are on disk.
    pub fn durable(&self) -> u64 {
        self.store.journal.next_seq()
    }

    /// Whether the journal takes anything.
    pub fn state(&self) -> JournalState {
        self.store.journal.state()
    }

    /// Keeps the name of the store that everything recent was sent to.
    ///
    /// # Errors
    /// The journal's error.
    pub fn supplied(&mut self, store: &str) -> Result<(), BooksError> {
        self.commit(vec![NewEntry::open(EntryKind::Store, store.as_bytes())])
    }
}
