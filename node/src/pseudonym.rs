//! The pseudonym of whom an event is about: by it this node finds a subject's history without
//! writing an ID number into an index. It never leaves the node, except as a digest.

use protocol::catalogue::Subject;

use crate::vault::VaultKey;

/// Bytes of a pseudonym: the kind of subject and a keyed hash.
pub const PSEUDONYM_BYTES: usize = 17;

/// A pseudonym of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pseudonym {
    kind: Subject,
    hash: [u8; 16],
}

/// Bytes that are no pseudonym: their first one names no kind of subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pseudonym of the unknown kind {0}")]
pub struct UnknownKind(pub u8);

/// The byte of a kind. It stands in the view and is hashed: it keeps its meaning for ever.
fn byte_of(kind: Subject) -> u8 {
    match kind {
        Subject::Person => b'p',
        Subject::Carrier => b'c',
        Subject::Employer => b'e',
        Subject::Unit => b'u',
    }
}

impl Pseudonym {
    /// The pseudonym of the subject with this key (the ID number of a person): without the node's
    /// vault key nobody can make or guess it.
    pub fn new(vault: &VaultKey, kind: Subject, key: &str) -> Pseudonym {
        let hash = vault.pseudonym("subject", &[&[byte_of(kind)], key.as_bytes()]);
        Pseudonym { kind, hash }
    }

    /// Reads what [`Pseudonym::to_bytes`] gave.
    ///
    /// # Errors
    /// A kind that this version does not know: to take it for another would count its events with
    /// the wrong subjects.
    pub fn from_bytes(bytes: [u8; PSEUDONYM_BYTES]) -> Result<Pseudonym, UnknownKind> {
        let [first, hash @ ..] = bytes;
        let kind = match first {
            b'p' => Subject::Person,
            b'c' => Subject::Carrier,
            b'e' => Subject::Employer,
            b'u' => Subject::Unit,
            other => return Err(UnknownKind(other)),
        };
        Ok(Pseudonym { kind, hash })
    }

    /// Its bytes, as the view keeps them.
    pub fn to_bytes(self) -> [u8; PSEUDONYM_BYTES] {
        let mut bytes = [byte_of(self.kind); PSEUDONYM_BYTES];
        bytes[1..].copy_from_slice(&self.hash);
        bytes
    }

    /// What kind of subject it is.
    pub fn kind(&self) -> Subject {
        self.kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_give_the_same_pseudonym_again() {
        for (kind, byte) in [
            (Subject::Person, b'p'),
            (Subject::Carrier, b'c'),
            (Subject::Employer, b'e'),
            (Subject::Unit, b'u'),
        ] {
            let hash = [7; 16];
            let bytes = Pseudonym { kind, hash }.to_bytes();
            assert_eq!((bytes[0], &bytes[1..]), (byte, hash.as_slice()));
            let again = Pseudonym::from_bytes(bytes).unwrap();
            assert_eq!((again.kind(), again.hash), (kind, hash));
        }
    }

    #[test]
    fn an_unknown_kind_is_refused_and_not_taken_for_an_employer() {
        for byte in [0, b'P', b'x', 0xff] {
            let mut bytes = [7; PSEUDONYM_BYTES];
            bytes[0] = byte;
            assert_eq!(Pseudonym::from_bytes(bytes), Err(UnknownKind(byte)));
        }
    }
}
