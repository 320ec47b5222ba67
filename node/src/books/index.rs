//! The view beside the journal: opened if it fits, told of what is applied, and given up for one in
//! memory where the disk takes none. It is marked with the last entry that it knows; nobody
//! believes it further than its mark.

use std::path::Path;

use super::core::Books;
use super::error::BooksError;
use super::kinds::EntryKind;
use super::written::read_statement;
use crate::journal::Journal;
use crate::view::{View, ViewError};

impl Books {
    /// Tells the view of the statements that were applied; a view that cannot be written is not
    /// worth an error.
    pub(super) fn index(&mut self) -> Result<(), BooksError> {
        let leaves = std::mem::take(&mut self.store.unindexed);
        self.store
            .view
            .add(&leaves)
            .or_else(|e| self.keep_view_in_memory(&e))
    }

    pub(super) fn mark(&mut self, seq: u64, crc: u32) -> Result<(), BooksError> {
        if let Err(e) = self.store.view.mark(seq, crc) {
            self.keep_view_in_memory(&e)?;
            self.store.view.mark(seq, crc)?;
        }
        Ok(())
    }

    /// Gives the view on disk up, which makes room for the journal, and reads the journal into one
    /// in memory; the next start makes a new one on disk.
    pub(super) fn keep_view_in_memory(&mut self, why: &ViewError) -> Result<(), BooksError> {
        tracing::error!(error = %why, "the view cannot be written; it is kept in memory until the next start");
        self.store.view = View::in_memory();
        discard_view(&self.store.view_dir);
        let mut index = 0;
        let stored = self
            .store
            .journal
            .read_from(0)
            .map(|s| s.map_err(BooksError::from));
        let staged = (self.store.journal.next_seq()..)
            .zip(&self.store.staged)
            .map(|(seq, entry)| Ok(entry.clone().stored(seq)));
        for stored in stored.chain(staged) {
            let stored = stored?;
            if stored.kind == EntryKind::Statement.number() {
                let (_, mut written) = read_statement(&stored)?;
                self.state.complete(&self.identity, &stored, &mut written)?;
                self.store.view.add(&[written.indexed(index)])?;
                index += 1;
            }
        }
        Ok(())
    }

    /// The view.
    pub fn view(&self) -> &View {
        &self.store.view
    }

    /// Whether the disk takes no view, so that it is kept in memory.
    pub fn is_view_in_memory(&self) -> bool {
        self.store.view.is_in_memory()
    }
}

/// Removes the view's directory, as far as that can be done.
pub(super) fn discard_view(dir: &Path) {
    let removed = if dir.is_dir() {
        std::fs::remove_dir_all(dir)
    } else {
        std::fs::remove_file(dir)
    };
    if let Err(e) = removed.or_else(|e| {
        if e.kind() == std::io::ErrorKind::NotFound {
            Ok(())
        } else {
            Err(e)
        }
    }) {
        tracing::warn!(error = %e, dir = %dir.display(), "the view cannot be removed");
    }
}

/// Opens the view if it fits the journal; otherwise removes it and begins anew, in memory where the
/// disk takes none. The second value tells whether it has to be built.
pub(super) fn open_view(dir: &Path, journal: &Journal) -> (View, bool) {
    let fits = |view: &View| -> Result<bool, ViewError> {
        match view.applied()? {
            None => Ok(journal.next_seq() == 0),
            Some((seq, checksum)) => Ok(journal
                .read(seq)
                .is_ok_and(|stored| stored.checksum() == checksum)),
        }
    };
    let existed = dir.exists();
    if existed {
        // sled may panic on a store that it cannot read; the panic is turned into "damaged".
        let opened = std::panic::catch_unwind(|| View::open(dir));
        match opened {
            Ok(Ok(view)) => match fits(&view) {
                Ok(true) => return (view, false),
                Ok(false) => tracing::warn!("the view does not fit the journal; rebuilding it"),
                Err(e) => tracing::warn!(error = %e, "the view is damaged; rebuilding it"),
            },
            Ok(Err(e)) => tracing::warn!(error = %e, "the view cannot be opened; rebuilding it"),
            Err(_) => tracing::warn!("the view cannot be opened; rebuilding it"),
        }
        discard_view(dir);
    }
    let rebuilt = existed || journal.next_seq() > 0;
    let fresh = std::panic::catch_unwind(|| View::open(dir));
    let fresh = fresh
        .map_err(|_| "it panics".to_string())
        .and_then(|view| view.map_err(|e| e.to_string()));
    // What could not be removed is not fresh.
    match fresh.and_then(|view| {
        if matches!(view.applied(), Ok(None)) {
            Ok(view)
        } else {
            Err("what is there stays".to_string())
        }
    }) {
        Ok(view) => (view, rebuilt),
        Err(error) => {
            tracing::error!(
                error,
                "the view cannot be made on disk; it is kept in memory until the next start"
            );
            (View::in_memory(), rebuilt)
        }
    }
}
