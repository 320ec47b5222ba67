//! Digests: SHA-256 (FIPS 180-4), written `sha256:<64 lowercase hex>`. A digest has exactly one
//! text: two different texts never mean the same bytes.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::text::{hex, serde_text};

/// What a digest's text begins with.
pub const DIGEST_PREFIX: &str = "sha256:";

/// Length of a digest's text: `sha256:` and 64 hex digits.
pub const DIGEST_TEXT_BYTES: usize = DIGEST_PREFIX.len() + 64;

/// A SHA-256 digest of some exact bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// Not `sha256:` and 64 lowercase hex digits.
    #[error("not a digest: write `sha256:` followed by 64 lowercase hexadecimal digits")]
    Malformed,
}

impl DigestError {
    /// The error's stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "digest.malformed",
        }
    }
}

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// A digest that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{DIGEST_PREFIX}{}", hex::encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        if text.len() != DIGEST_TEXT_BYTES {
            return Err(DigestError::Malformed);
        }
        text.strip_prefix(DIGEST_PREFIX)
            .and_then(hex::array)
            .map(Self)
            .ok_or(DigestError::Malformed)
    }
}

serde_text!(Digest);

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn known_answers() {
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
        assert_eq!(EMPTY.parse(), Ok(Digest::of(b"")));
        assert_eq!(
            serde_json::to_string(&Digest::of(b"")).unwrap(),
            format!("\"{EMPTY}\"")
        );
        assert_eq!(
            serde_json::from_str::<Digest>(&format!("\"{EMPTY}\"")).unwrap(),
            Digest::of(b"")
        );
        assert_eq!(format!("{:?}", Digest::of(b"")), format!("Digest({EMPTY})"));
    }

    #[test]
    fn other_texts_of_a_digest_are_refused() {
        let upper = EMPTY.replace("e3b0", "E3B0");
        let bare = &EMPTY[7..];
        for text in [
            "",
            "sha256:",
            bare,
            &upper,
            &EMPTY[..70],
            &format!("{EMPTY}0"),
            &format!(" {}", &EMPTY[..70]),
        ] {
            assert_eq!(
                text.parse::<Digest>(),
                Err(DigestError::Malformed),
                "{text}"
            );
        }
        // 71 bytes, but a multi-byte character inside.
        assert!(
            format!("sha256:{}é", "0".repeat(62))
                .parse::<Digest>()
                .is_err()
        );
    }
}
