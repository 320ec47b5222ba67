//! Digests and the two text codings of bytes: SHA-256 (FIPS 180-4) written `sha256:<64 lowercase
//! hex>`, lowercase base 16 and padded base 64 (RFC 4648, sections 8 and 4).
//!
//! Every decoder here accepts exactly one text for a value: two different texts never mean the same
//! bytes.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// What a digest's text begins with.
pub const DIGEST_PREFIX: &str = "sha256:";

/// Length of a digest's text: `sha256:` and 64 hex digits.
pub const DIGEST_TEXT_BYTES: usize = DIGEST_PREFIX.len() + 64;

/// Serde for a type that has one text: `Display` writes it, `FromStr` reads it.
macro_rules! serde_text {
    ($($type:ty),+ $(,)?) => { $(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::digest::read_text(deserializer, str::parse)
            }
        }
    )+ };
}
pub(crate) use serde_text;

/// Reads a text where it stands. A statement has half a dozen of them, and `String` would allocate
/// for each.
pub(crate) fn read_text<'de, D, T, E>(
    deserializer: D,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    E: fmt::Display,
{
    struct Text<F>(F);

    impl<T, E: fmt::Display, F: FnOnce(&str) -> Result<T, E>> serde::de::Visitor<'_> for Text<F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<X: serde::de::Error>(self, text: &str) -> Result<T, X> {
            (self.0)(text).map_err(X::custom)
        }
    }

    deserializer.deserialize_str(Text(read))
}

/// Serde for a map in a signed document: a key that stands there twice is refused. Languages differ
/// in which of the two they take, so two readers would verify one signature and read two documents.
pub(crate) mod unique {
    use std::collections::BTreeMap;
    use std::fmt;
    use std::marker::PhantomData;

    use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

    struct Map<K, V>(PhantomData<(K, V)>);

    impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Visitor<'de> for Map<K, V> {
        type Value = BTreeMap<K, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((key, value)) = access.next_entry()? {
                if map.insert(key, value).is_some() {
                    return Err(A::Error::custom("a key stands there twice"));
                }
            }
            Ok(map)
        }
    }

    pub fn map<'de, D, K, V>(d: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        D: Deserializer<'de>,
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
    {
        d.deserialize_map(Map(PhantomData))
    }

    /// For an optional field: present means a map, never `null`.
    pub fn some<'de, D, K, V>(d: D) -> Result<Option<BTreeMap<K, V>>, D::Error>
    where
        D: Deserializer<'de>,
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
    {
        map(d).map(Some)
    }
}

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

/// Base 16, lowercase only.
pub mod hex {
    /// Two lowercase digits for each byte.
    pub fn encode(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        text
    }

    /// What a digit means; [`WRONG`] for anything that is none.
    const VALUES: [u8; 256] = {
        let mut values = [WRONG; 256];
        let mut value = 0;
        while value < 16 {
            values[b"0123456789abcdef"[value as usize] as usize] = value;
            value += 1;
        }
        values
    };

    const WRONG: u8 = 0xff;

    fn byte([high, low]: [u8; 2]) -> Option<u8> {
        let (high, low) = (VALUES[usize::from(high)], VALUES[usize::from(low)]);
        (high != WRONG && low != WRONG).then_some(high << 4 | low)
    }

    /// The bytes; `None` for an odd length, an uppercase digit or any other character.
    pub fn decode(text: &str) -> Option<Vec<u8>> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        pairs.iter().map(|pair| byte(*pair)).collect()
    }

    /// Exactly `N` bytes; `None` for any other length as well.
    pub fn array<const N: usize>(text: &str) -> Option<[u8; N]> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != N || !rest.is_empty() {
            return None;
        }
        let mut bytes = [0; N];
        for (to, pair) in bytes.iter_mut().zip(pairs) {
            *to = byte(*pair)?;
        }
        Some(bytes)
    }
}

/// Base 64, standard alphabet, with padding.
pub mod b64 {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    #[test]
    fn codings_refuse_what_is_not_canonical() {
        for text in ["0", "0G", "AB", "é", " 00", "0x00"] {
            assert_eq!(hex::decode(text), None, "{text}");
            assert_eq!(hex::array::<1>(text), None, "{text}");
        }
        // Missing padding, spare bits, spaces, the URL alphabet, padding in the middle, a lone
        // character.
        for text in [
            "Zg", "Zh==", "Zg==\n", " Zg==", "_-8=", "Zg==Zg==", "Z", "Zm9=", "====",
        ] {
            assert_eq!(b64::decode(text), None, "{text}");
        }
        assert_eq!(b64::decode("Zg==").as_deref(), Some(&b"f"[..]));
    }

    proptest! {
        #[test]
        fn codings_return_what_went_in(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(hex::decode(&hex::encode(&bytes)), Some(bytes.clone()));
            prop_assert_eq!(hex::array::<16>(&hex::encode(&bytes)), bytes.clone().try_into().ok());
            prop_assert_eq!(b64::decode(&b64::encode(&bytes)), Some(bytes));
        }

        #[test]
        fn hex_has_one_text(text in "[0-9a-fA-F/:`g@]{0,6}") {
            if let Some(bytes) = hex::decode(&text) {
                prop_assert_eq!(hex::encode(&bytes), text);
            }
        }

        #[test]
        fn what_decodes_is_canonical(text in "[A-Za-z0-9+/=]{0,12}") {
            if let Some(bytes) = b64::decode(&text) {
                prop_assert_eq!(b64::encode(&bytes), text);
            }
        }
    }
}
