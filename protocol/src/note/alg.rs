//! Algorithm tags.

/// How a key signs: the signature type of C2SP signed-note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Alg {
    /// Ed25519 over the note's text.
    Ed25519 = 0x01,
    /// Timestamped Ed25519 cosignature of a checkpoint, `cosignature/v1`.
    CosignatureV1 = 0x04,
}

impl Alg {
    /// The algorithm of this byte.
    pub(super) fn of(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Ed25519),
            0x04 => Some(Self::CosignatureV1),
            _ => None,
        }
    }
}
