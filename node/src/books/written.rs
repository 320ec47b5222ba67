//! A statement read back from the journal: the note, what it says, and what is sealed of it.

use std::sync::Arc;

use protocol::note::Note;
use protocol::statement::Statement;
use zeroize::Zeroizing;

use super::error::BooksError;
use super::payload::{self, Payload};
use crate::journal::{Sealed, Stored};
use crate::number::NumberFact;
use crate::pseudonym::Pseudonym;
use crate::vault::VaultKey;
use crate::view::{ContentHash, IndexedStatement};

/// A statement as its author knows it.
#[derive(Debug, Clone)]
pub struct Written {
    /// What is public.
    pub statement: Arc<Statement>,
    /// What is sealed, if anything is.
    pub payload: Option<Arc<Payload>>,
    /// Whom it is about.
    pub subject: Option<Pseudonym>,
    /// Keyed hash of what it says.
    pub same: Option<ContentHash>,
    /// What it says about a number itself.
    pub number: Option<NumberFact>,
}

impl Written {
    /// What the view learns of it.
    pub fn indexed(&self, index: u64) -> IndexedStatement {
        IndexedStatement {
            index,
            subject: self.subject,
            same: self.same,
            voids: self.statement.voids().map(|v| v.index),
            number: self.number.clone(),
        }
    }
}

/// The public part of a statement.
pub fn read_statement(stored: &Stored) -> Result<(Note, Written), BooksError> {
    let bad = |message: String| BooksError::Entry {
        seq: stored.seq,
        message,
    };
    let note = Note::parse(&stored.public).map_err(|e| bad(e.to_string()))?;
    let statement = Statement::parse(note.text()).map_err(|e| bad(e.to_string()))?;
    Ok((
        note,
        Written {
            statement: Arc::new(statement),
            payload: None,
            subject: None,
            same: None,
            number: None,
        },
    ))
}

/// The private part of an entry; none if it never had one or it was erased.
pub fn unseal(vault: &VaultKey, stored: &Stored) -> Result<Option<Zeroizing<Vec<u8>>>, BooksError> {
    let Sealed::Present(bytes) = &stored.sealed else {
        return Ok(None);
    };
    let aad = payload::aad(stored.kind, &stored.public);
    let plain = vault.open(&aad, bytes).map_err(|e| BooksError::Unsealed {
        seq: stored.seq,
        message: e.to_string(),
    })?;
    Ok(Some(plain))
}

/// What a statement keeps to itself, if there is anything and it was not erased.
pub fn payload_of(
    vault: &VaultKey,
    stored: &Stored,
    statement: &Statement,
) -> Result<Option<Arc<Payload>>, BooksError> {
    let Some(plain) = unseal(vault, stored)? else {
        return Ok(None);
    };
    let mut payload: Payload = serde_json::from_slice(&plain).map_err(|e| BooksError::Entry {
        seq: stored.seq,
        message: e.to_string(),
    })?;
    if let Some(clear) = statement.fields() {
        payload.fields.clone_from(clear);
    }
    Ok(Some(Arc::new(payload)))
}
