//! Limits of notes and documents.

/// Largest note, signature lines included.
pub const MAX_NOTE_BYTES: usize = 1 << 20;
/// Most signature lines of a note. C2SP asks readers to accept at least 16.
pub const MAX_SIGNATURES: usize = 16;
/// Longest signer name.
pub const MAX_NAME_BYTES: usize = 255;

/// Longest kind.
pub const MAX_KIND_BYTES: usize = 32;
