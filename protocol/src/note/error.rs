//! What is wrong with a note, a key or a document.

use super::alg::Alg;
use super::limits::{MAX_KIND_BYTES, MAX_NAME_BYTES, MAX_NOTE_BYTES, MAX_SIGNATURES};
use crate::digest::Digest;

/// What is wrong with a note, a key or a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Larger than [`MAX_NOTE_BYTES`].
    #[error("the note has {found} bytes, at most {MAX_NOTE_BYTES} are allowed: split its content")]
    TooLarge {
        /// How many bytes it has.
        found: usize,
    },
    /// Not in the form of a signed note.
    #[error("not a signed note: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// More than [`MAX_SIGNATURES`] signature lines.
    #[error("the note has more than {MAX_SIGNATURES} signature lines")]
    TooManySignatures,
    /// Not a signer name.
    #[error(
        "not a signer name: 1 to {MAX_NAME_BYTES} bytes without spaces, control characters and `+`"
    )]
    Name,
    /// Not a verifier key.
    #[error("not a verifier key: {what}; its form is name+<8 hex digits>+<base64>")]
    VerifierKey {
        /// What is wrong.
        what: &'static str,
    },
    /// Not a signing key. The text is never repeated.
    #[error("not a signing key: {what}; its form is PRIVATE+KEY+name+<8 hex digits>+<base64>")]
    SigningKey {
        /// What is wrong.
        what: &'static str,
    },
    /// The key id in a key's text is not the one that the key has.
    #[error(
        "the key of {name} has the key id {expected}, its text says {found}: it was damaged or renamed, get it anew"
    )]
    KeyId {
        /// The name in the key.
        name: String,
        /// The id that follows from name and key.
        expected: String,
        /// The id in the text.
        found: String,
    },
    /// A public key of small order, or not in its one canonical form: it could verify what nobody
    /// signed.
    #[error("the public key of {name} is weak: make a new key")]
    WeakKey {
        /// The name in the key.
        name: String,
    },
    /// A key of an algorithm that cannot be used for this.
    #[error(
        "the key of {name} is for {found:?}, this needs {expected:?}: use the key of the other role"
    )]
    Algorithm {
        /// The key's name.
        name: String,
        /// What is needed.
        expected: Alg,
        /// What the key is for.
        found: Alg,
    },
    /// A signature of a known key is wrong. The whole note is refused.
    #[error(
        "the signature of {name} ({id}) is wrong: the note was changed, or was not signed by this key"
    )]
    Signature {
        /// The signer's name.
        name: String,
        /// The key id, hexadecimal.
        id: String,
    },
    /// No known key has signed.
    #[error("no known key has signed this note (it is signed by: {signers})")]
    Unverified {
        /// Who has signed.
        signers: String,
    },
    /// Two different known keys share name and key id.
    #[error("two different known keys are called {name} ({id}): remove one from the registry")]
    AmbiguousKey {
        /// The name of both.
        name: String,
        /// The key id of both, hexadecimal.
        id: String,
    },
    /// This key has a signature line on the note already, and a different one.
    #[error(
        "{name} ({id}) has a different signature on this note already: a key signs a note once"
    )]
    Duplicate {
        /// The signer's name.
        name: String,
        /// The key id, hexadecimal.
        id: String,
    },
    /// Two notes to be merged have different texts.
    #[error(
        "the notes have different texts ({left} and {right}): only signatures on the same text can be joined"
    )]
    DifferentText {
        /// Digest of the one text.
        left: Digest,
        /// Digest of the other.
        right: Digest,
    },
    /// Not a kind of document.
    #[error("not a kind of document: 1 to {MAX_KIND_BYTES} of a-z, 0-9 and `-`")]
    Kind,
    /// Not JSON on one line.
    #[error(
        "the content of a document must be one JSON object on one line, without control characters and without escapes but those of quotes, backslashes, line breaks and tabs"
    )]
    Json,
    /// A document of another kind or version.
    #[error(
        "the note's first line is {found}, expected {expected:?}: this is another document, or another version"
    )]
    Document {
        /// The first line that was expected.
        expected: String,
        /// The first line that it has, quoted and shortened.
        found: String,
    },
}

impl NoteError {
    /// The error's stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "note.too_large",
            Self::Malformed { .. } => "note.malformed",
            Self::TooManySignatures => "note.too_many_signatures",
            Self::Name => "note.name",
            Self::VerifierKey { .. } => "note.verifier_key",
            Self::SigningKey { .. } => "note.signing_key",
            Self::KeyId { .. } => "note.key_id",
            Self::WeakKey { .. } => "note.weak_key",
            Self::Algorithm { .. } => "note.algorithm",
            Self::Signature { .. } => "note.signature",
            Self::Unverified { .. } => "note.unverified",
            Self::AmbiguousKey { .. } => "note.ambiguous_key",
            Self::Duplicate { .. } => "note.duplicate",
            Self::DifferentText { .. } => "note.different_text",
            Self::Kind => "note.kind",
            Self::Json => "note.json",
            Self::Document { .. } => "note.document",
        }
    }
}

/// Not in the form of a signed note.
pub(super) fn malformed(what: &'static str) -> NoteError {
    NoteError::Malformed { what }
}
