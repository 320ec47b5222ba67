//! Notes of which every signature line must be known and hold.

use super::envelope::Note;
use super::error::NoteError;
use super::key::VerifierKey;

/// Why the lines of a note are refused, in words that follow the note's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// A line of an unknown key, or a second one of a known key.
    #[error("has a signature line of {name} that cannot be checked")]
    Unknown {
        /// Whose line it says it is.
        name: String,
    },
    /// A line that does not hold.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// Checks that every line of a note is of one of these keys, that no key has two, and that each
/// holds. A line that cannot be checked could be changed without notice, so it does not belong into
/// evidence.
///
/// # Errors
/// The first line that is unknown, repeated or wrong.
pub fn every_line(note: &Note, keys: &[VerifierKey]) -> Result<(), LineError> {
    let lines = note.signatures();
    for (n, line) in lines.iter().enumerate() {
        let repeated = lines[..n]
            .iter()
            .any(|other| (other.name(), other.key_id()) == (line.name(), line.key_id()));
        let known = keys
            .iter()
            .any(|key| (key.name(), key.id()) == (line.name(), line.key_id()));
        if repeated || !known {
            return Err(LineError::Unknown {
                name: line.name().to_string(),
            });
        }
    }
    note.verify(keys)?;
    Ok(())
}
