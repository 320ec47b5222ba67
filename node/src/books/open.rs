//! Opening the books: the journal is recovered, the view compared with it, and everything in memory
//! follows from a replay. Taking back what did not reach the disk is the same replay.

use std::path::Path;
use std::sync::Arc;

use protocol::ids::UnitId;
use protocol::registry::Anchor;

use super::core::Books;
use super::error::BooksError;
use super::identity::Identity;
use super::index::{discard_view, open_view};
use super::keys::Keys;
use super::state::State;
use super::store::Store;
use crate::journal::{Guard, Journal, Stored, beside_guard};
use crate::random::SystemRandom;
use crate::view::View;

impl Books {
    /// Opens the books of a unit: recovers the journal, rebuilds the view where it does not fit,
    /// and refuses to go on where the data directory is older than what was signed, or where
    /// nothing tells whether it is.
    ///
    /// # Errors
    /// What is damaged or missing, and what to do.
    pub fn open(
        data: &Path,
        keys: Keys,
        root: impl Into<Anchor>,
        unit: UnitId,
    ) -> Result<Books, BooksError> {
        Self::open_unguarded(data, keys, root, unit)?.guarded()
    }

    /// The same over a journal and a guard that are open already.
    ///
    /// # Errors
    /// As [`Books::open`].
    pub fn on(
        journal: Journal,
        guard: Guard,
        view: &Path,
        keys: Keys,
        root: impl Into<Anchor>,
        unit: UnitId,
    ) -> Result<Books, BooksError> {
        Self::open_parts(journal, guard, view, keys, root, unit)?.guarded()
    }

    /// Begins a guard beside a new journal; refuses where one is missing beside an older one.
    fn guarded(mut self) -> Result<Books, BooksError> {
        let next = self.store.journal.next_seq();
        self.store.guard.begin_or_refuse(next)?;
        Ok(self)
    }

    /// The same, also where the guard is missing: to read, and to compare with the parent.
    /// Nothing may be recorded or signed then before [`renew_guard`](Self::renew_guard).
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_unguarded(
        data: &Path,
        keys: Keys,
        root: impl Into<Anchor>,
        unit: UnitId,
    ) -> Result<Books, BooksError> {
        let journal = Journal::open(data).map_err(|error| beside_guard(error, data))?;
        // Behind the journal, whose lock it needs.
        let guard = Guard::open(data)?;
        Self::open_parts(journal, guard, &data.join("view"), keys, root, unit)
    }

    fn open_parts(
        journal: Journal,
        guard: Guard,
        dir: &Path,
        keys: Keys,
        root: impl Into<Anchor>,
        unit: UnitId,
    ) -> Result<Books, BooksError> {
        guard.check_journal(journal.next_seq())?;
        let (view, fresh) = open_view(dir, &journal);
        let mut books = Books {
            identity: Identity {
                unit,
                root: root.into(),
                keys: Arc::new(keys),
            },
            store: Store {
                journal,
                guard,
                view,
                view_dir: dir.to_path_buf(),
                rebuilt: fresh,
                staged: Vec::new(),
                grouping: false,
                refused: None,
                unindexed: Vec::new(),
            },
            state: State::default(),
            random: Arc::new(SystemRandom),
            broken: false,
        };
        books.replay()?;
        if let Some(log) = books.log() {
            books
                .store
                .guard
                .check(log.len(), |size| log.root_at(size))?;
        }
        Ok(books)
    }

    fn replay(&mut self) -> Result<(), BooksError> {
        let applied = self.store.view.applied()?.map(|(seq, _)| seq);
        let mut seq = 0;
        while seq < self.store.journal.next_seq() {
            // Entries are read one at a time: what a journal holds may be far larger than memory.
            let chunk: Vec<Stored> = self
                .store
                .journal
                .read_from(seq)
                .take(512)
                .collect::<Result<_, _>>()?;
            for stored in &chunk {
                let indexed = applied.is_some_and(|a| stored.seq <= a);
                self.apply(stored, None, !indexed)?;
            }
            self.index()?;
            seq += chunk.len() as u64;
            if let Some(last) = chunk.last().filter(|l| applied.is_none_or(|a| l.seq > a)) {
                self.mark(last.seq, last.checksum())?;
            }
        }
        self.store.view.flush();
        Ok(())
    }

    /// Forgets everything that is not on disk and reads the journal again; also after a panic in
    /// the middle of a change.
    ///
    /// # Errors
    /// A damaged disk.
    pub fn take_back(&mut self) -> Result<(), BooksError> {
        self.store.grouping = false;
        self.store.staged.clear();
        self.store.unindexed.clear();
        let view = &self.store.view;
        // sled may panic, too; and this runs where nothing catches it.
        let cleared =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| view.clear().is_ok()));
        if !matches!(cleared, Ok(true)) {
            tracing::error!(
                "the view cannot be cleared; it is kept in memory until the next start"
            );
            self.store.view = View::in_memory();
            discard_view(&self.store.view_dir);
        }
        self.state = State::default();
        self.broken = true;
        self.replay()?;
        self.broken = false;
        Ok(())
    }

    /// Whether the journal could not be read again after a failure: what is in memory must not be
    /// used any more.
    pub fn is_broken(&self) -> bool {
        self.broken
    }
}
