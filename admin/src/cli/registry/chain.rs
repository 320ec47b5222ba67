//! The notes of a registry's versions, read and walked.

use std::path::{Path, PathBuf};

use node::fault::FaultCode;
use protocol::note::{self, Note, VerifierKey};
use protocol::registry::{self, Registry, VerifiedRegistry};

use crate::cli::output::{Failure, read};

pub fn read_note(path: &Path) -> Result<Note, Failure> {
    let bytes = read(path)?;
    Note::parse(&bytes).map_err(|e| Failure {
        message: format!("{}: {e}", path.display()),
        ..Failure::from(e)
    })
}

/// A version as its author wrote it: nothing is verified.
pub fn parse(note: &Note) -> Result<Registry, Failure> {
    let wrong = |e: &dyn std::fmt::Display| {
        Failure::coded(FaultCode::RegistryMalformed, format!("not a registry: {e}"))
    };
    let json = note::read_document(note.text(), registry::KIND).map_err(|e| wrong(&e))?;
    serde_json::from_str(json).map_err(|e| wrong(&e))
}

/// The notes in the order of their versions, walked.
pub fn walk(paths: &[PathBuf], root: &[VerifierKey]) -> Result<Vec<VerifiedRegistry>, Failure> {
    let mut notes = Vec::new();
    for path in paths {
        let note = read_note(path)?;
        notes.push((parse(&note)?.version, note));
    }
    notes.sort_by_key(|(version, _)| *version);
    let notes: Vec<Note> = notes.into_iter().map(|(_, note)| note).collect();
    Ok(VerifiedRegistry::chain(&notes, root)?)
}
