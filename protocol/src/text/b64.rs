//! Base 64 (RFC 4648, section 4): standard alphabet, with padding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The one canonical text of these bytes.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes; `None` for missing padding, trailing bits that are not zero, or any other
/// character.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
