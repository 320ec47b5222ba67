//! An entry before it is written, and the two forms of its public part: a document as it is, or a
//! JSON heading, a newline and a body.

use protocol::note::Note;
use serde::{Deserialize, Serialize};

use super::error::BooksError;
use super::kinds::EntryKind;
use super::written::Written;
use crate::journal::Entry;

/// An entry to be written, and what whoever made it knows already.
#[derive(Debug)]
pub struct NewEntry {
    /// The entry.
    pub entry: Entry,
    /// The note and the content of a statement, so that it need not be parsed and unsealed again.
    pub written: Option<(Note, Written)>,
}

impl NewEntry {
    /// An entry without a sealed part.
    pub fn open(kind: EntryKind, public: impl Into<Vec<u8>>) -> NewEntry {
        NewEntry {
            entry: Entry {
                kind: kind.number(),
                public: public.into(),
                sealed: None,
            },
            written: None,
        }
    }
    /// An entry with a JSON heading and a body.
    pub fn headed(kind: EntryKind, head: &impl Serialize, body: &[u8]) -> NewEntry {
        let mut public =
            serde_json::to_vec(head).expect("our heads are structs of texts and numbers");
        public.push(b'\n');
        public.extend(body);
        NewEntry::open(kind, public)
    }
}

/// Why an entry of the journal cannot be read: it was damaged, or a newer program wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnreadableEntry(String);

impl UnreadableEntry {
    /// What could not be read.
    pub fn of(e: impl std::fmt::Display) -> UnreadableEntry {
        UnreadableEntry(e.to_string())
    }

    /// The same of the journal entry with this number.
    pub fn at(self, seq: u64) -> BooksError {
        BooksError::Entry {
            seq,
            message: self.0,
        }
    }
}

impl From<&str> for UnreadableEntry {
    fn from(what: &str) -> UnreadableEntry {
        UnreadableEntry(what.to_string())
    }
}

/// Splits an entry made by [`NewEntry::headed`].
pub fn headed<'a, T: Deserialize<'a>>(public: &'a [u8]) -> Option<(T, &'a [u8])> {
    let end = public.iter().position(|b| *b == b'\n')?;
    Some((
        serde_json::from_slice(&public[..end]).ok()?,
        &public[end + 1..],
    ))
}
