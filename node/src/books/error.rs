//! Why the books cannot be opened or written.

use super::keys;
use crate::journal::JournalError;
use crate::view::ViewError;

/// Why the books cannot be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    /// The journal or its guard.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The view, after a rebuild.
    #[error(transparent)]
    View(#[from] ViewError),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] keys::KeyError),
    /// A private part that cannot be opened.
    #[error(
        "private part of journal entry {seq}: {message}; is this the vault key that it was sealed with? [books.sealed]"
    )]
    Unsealed {
        /// Which entry.
        seq: u64,
        /// What is wrong.
        message: String,
    },
    /// A journal entry that this version cannot read.
    #[error("journal entry {seq}: {message} [books.entry]")]
    Entry {
        /// Which entry.
        seq: u64,
        /// What is wrong.
        message: String,
    },
    /// Registry, catalogue or plan.
    #[error("{what}: {message} [books.published]")]
    Published {
        /// Which document.
        what: String,
        /// What is wrong.
        message: String,
    },
}

impl BooksError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            BooksError::Journal(e) => e.code(),
            BooksError::View(_) => "view.damaged",
            BooksError::Keys(_) => "keys.unusable",
            BooksError::Unsealed { .. } => "books.sealed",
            BooksError::Entry { .. } => "books.entry",
            BooksError::Published { .. } => "books.published",
        }
    }
}
