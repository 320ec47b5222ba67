//! How bytes and values are written as text.
//!
//! Every decoder here accepts exactly one text for a value: two different texts never mean the same
//! bytes.
//!
//! | file | holds |
//! |---|---|
//! | `hex` | base 16 |
//! | `b64` | base 64 |
//! | `one` | serde for values that have one text |
//! | `strict` | JSON of a signed document into its form |
//! | `time` | times in signed documents |
//! | `unique` | serde for maps whose keys differ |

/// Text of a file that a person saved, without the byte order mark that some editors put before
/// it. It is invisible, and would become part of the first name.
pub fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

pub mod b64;
pub mod hex;
mod one;
mod strict;
pub mod time;
pub(crate) mod unique;

pub(crate) use one::{read_text, serde_text};
pub(crate) use strict::from_json;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
