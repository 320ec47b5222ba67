//! Event identifiers: UUID version 7 (RFC 9562, section 5.7) in lowercase text form.
//!
//! The time inside orders identifiers roughly; it proves nothing. Order is the log's index.

use std::fmt;
use std::str::FromStr;

use super::error::IdError;
use crate::text::{hex, serde_text};

/// Where the hyphens stand in the text of a UUID.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The identifier of an event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId([u8; 16]);

impl EventId {
    /// An identifier from the caller's clock (milliseconds since 1970, of which 48 bits are kept:
    /// enough until the year 10889) and 10 random bytes of the caller's, of which 74 bits are kept.
    pub fn from_parts(unix_ms: u64, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&unix_ms.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        Self(bytes)
    }

    /// The milliseconds since 1970 that the identifier claims.
    pub fn unix_ms(&self) -> u64 {
        self.0[..6]
            .iter()
            .fold(0, |ms, byte| ms << 8 | u64::from(*byte))
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for EventId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() != 36 || HYPHENS.iter().any(|at| text.as_bytes()[*at] != b'-') {
            return Err(IdError::Uuid);
        }
        let mut digits = [0; 32];
        // Any further hyphen leaves a zero byte at the end, which is no digit.
        for (to, digit) in digits.iter_mut().zip(text.bytes().filter(|b| *b != b'-')) {
            *to = digit;
        }
        let bytes: [u8; 16] = std::str::from_utf8(&digits)
            .ok()
            .and_then(hex::array)
            .ok_or(IdError::Uuid)?;
        if bytes[6] >> 4 != 7 || bytes[8] >> 6 != 0b10 {
            return Err(IdError::UuidVersion);
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (part, range) in [0..4, 4..6, 6..8, 8..10, 10..16].into_iter().enumerate() {
            if part > 0 {
                f.write_str("-")?;
            }
            f.write_str(&hex::encode(&self.0[range]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

serde_text!(EventId);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 9562, appendix A.6.
    const RFC: &str = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";

    #[test]
    fn rfc_example() {
        let id: EventId = RFC.parse().unwrap();
        assert_eq!(id.unix_ms(), 1_645_557_742_000);
        assert_eq!(id.to_string(), RFC);
        let random = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
        assert_eq!(EventId::from_parts(1_645_557_742_000, random), id);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{RFC}\""));
        assert_eq!(
            serde_json::from_str::<EventId>(&format!("\"{RFC}\"")).unwrap(),
            id
        );
    }

    #[test]
    fn other_texts_are_refused() {
        let upper = RFC.to_uppercase();
        let braces = format!("{{{RFC}}}");
        for bad in [
            "",
            &upper,
            &braces,
            &RFC.replace('-', ""),
            &RFC[..35],
            "017f22e279b0-7cc3-98c4-dc0c-0c07398f-",
            "017f22e2-79b0-7cc3-98c4-dc0c0c0739-f",
            "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        ] {
            assert_eq!(bad.parse::<EventId>(), Err(IdError::Uuid), "{bad}");
        }
        for bad in [
            "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",
            "017f22e2-79b0-7cc3-18c4-dc0c0c07398f",
            "017f22e2-79b0-7cc3-d8c4-dc0c0c07398f",
        ] {
            assert_eq!(bad.parse::<EventId>(), Err(IdError::UuidVersion), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn made_ids_parse_and_order_by_time(a in 0u64..1 << 48, b in 0u64..1 << 48, r: [u8; 10], s: [u8; 10]) {
            let (x, y) = (EventId::from_parts(a, r), EventId::from_parts(b, s));
            prop_assert_eq!(x.to_string().parse(), Ok(x));
            prop_assert_eq!(x.unix_ms(), a);
            if a != b {
                prop_assert_eq!(a < b, x < y);
                prop_assert_eq!(a < b, x.to_string() < y.to_string());
            }
        }

        #[test]
        fn arbitrary_text_never_panics(text in ".{0,40}") {
            let _ = text.parse::<EventId>();
        }
    }
}
