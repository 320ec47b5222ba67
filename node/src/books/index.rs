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
        tracing::error!(
            error = %why,
            "the view cannot be written; it is kept in memory until the next start"
        );
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
    let existed = dir.exists();
    if existed {
        match open_fitting(dir, journal) {
            Ok(view) => return (view, false),
            Err(why) => tracing::warn!(why, "the view is made anew"),
        }
        discard_view(dir);
    }
    let rebuilt = existed || journal.next_seq() > 0;
    let fresh = open_caught(dir).and_then(|view| match view.applied() {
        Ok(None) => Ok(view),
        // What could not be removed is not fresh.
        _ => Err("what is there stays".to_string()),
    });
    let view = fresh.unwrap_or_else(|error| {
        tracing::error!(
            error,
            "the view cannot be made on disk; it is kept in memory until the next start"
        );
        View::in_memory()
    });
    (view, rebuilt)
}

/// The view on disk, if its mark names an entry of this journal.
fn open_fitting(dir: &Path, journal: &Journal) -> Result<View, String> {
    let view = open_caught(dir)?;
    let mark = view.applied().map_err(|e| e.to_string())?;
    let fits = match mark {
        None => journal.next_seq() == 0,
        Some((seq, checksum)) => journal
            .read(seq)
            .is_ok_and(|stored| stored.checksum() == checksum),
    };
    if fits {
        Ok(view)
    } else {
        Err("it does not fit the journal".into())
    }
}

/// sled may panic on a store that it cannot read; that is an error like any other.
fn open_caught(dir: &Path) -> Result<View, String> {
    match std::panic::catch_unwind(|| View::open(dir)) {
        Ok(opened) => opened.map_err(|e| e.to_string()),
        Err(_) => Err("it panics".into()),
    }
}
