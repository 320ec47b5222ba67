//! The unified social credit code of organisations (GB 32100-2015): 18 characters of
//! `0-9A-HJ-NPQRTUWXY` (no I, O, S, V, Z): registration authority, kind of organisation, six digits
//! of area, nine of GB 11714, and a check character.
//!
//! The inner check character of GB 11714 is not verified: GB 32100's own covers it.

use std::fmt;
use std::str::FromStr;

use super::error::{IdError, normalise};
use super::person::CheckCharacter;
use crate::text::serde_text;

const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const LENGTH: usize = 18;

/// A unified social credit code, uppercase, its check character verified unless it was read by
/// [`CreditCode::as_it_stands`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditCode(String);

impl CreditCode {
    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The six digits of the area of registration.
    pub fn area(&self) -> &str {
        &self.0[2..8]
    }

    /// Reads a code whose check character need not fit: there are licences that were issued with a
    /// wrong one. Whoever records such a code has it confirmed by a second person first.
    ///
    /// # Errors
    /// Everything else that is wrong with it.
    pub fn as_it_stands(text: &str) -> Result<Self, IdError> {
        Self::read(text, CheckCharacter::AsItStands)
    }

    fn read(text: &str, check: CheckCharacter) -> Result<Self, IdError> {
        const WHAT: &str = "credit code";
        let found = text.chars().count();
        if found != LENGTH {
            return Err(IdError::Length {
                what: WHAT,
                expected: "18",
                found,
            });
        }
        let text: String = text.chars().map(normalise).collect();
        for (at, c) in text.chars().enumerate() {
            let (fits, allowed) = match at {
                2..8 => (c.is_ascii_digit(), "0-9"),
                _ => (
                    ALPHABET.iter().any(|a| char::from(*a) == c),
                    "0-9 and A-Y without I, O, S, V",
                ),
            };
            if !fits {
                return Err(IdError::Character {
                    what: WHAT,
                    position: at + 1,
                    allowed,
                });
            }
        }
        match (credit_check_char(&text[..LENGTH - 1]), text.chars().last()) {
            (Some(expected), Some(found))
                if expected == found || check == CheckCharacter::AsItStands =>
            {
                Ok(Self(text))
            }
            (Some(expected), Some(found)) => Err(IdError::CreditCheck { expected, found }),
            // All characters were seen to be of the alphabet.
            _ => Err(IdError::Length {
                what: WHAT,
                expected: "18",
                found,
            }),
        }
    }
}

/// The check character that belongs to the first 17; `None` if they are not 17 characters of the
/// code's alphabet.
///
/// Weights are the powers of 3 modulo 31. A remainder of 0 gives the character `0`: `31 - 0` would
/// lie outside the alphabet.
pub fn credit_check_char(first17: &str) -> Option<char> {
    let chars = first17.as_bytes();
    if chars.len() != LENGTH - 1 {
        return None;
    }
    let (mut sum, mut weight) = (0, 1);
    for c in chars {
        // The value is the place in the alphabet, not a distance from 'A': five letters are left
        // out.
        sum += ALPHABET.iter().position(|a| a == c)? * weight;
        weight = weight * 3 % 31;
    }
    Some(char::from(ALPHABET[(31 - sum % 31) % 31]))
}

impl FromStr for CreditCode {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::read(text, CheckCharacter::Fits)
    }
}

impl fmt::Display for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CreditCode({})", self.0)
    }
}

serde_text!(CreditCode);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_codes() {
        for good in ["91350100M000100Y43", "11320000MB151840XJ"] {
            let code: CreditCode = good.parse().unwrap();
            assert_eq!(code.as_str(), good);
            assert_eq!(
                serde_json::from_str::<CreditCode>(&serde_json::to_string(&code).unwrap()).unwrap(),
                code
            );
        }
        assert_eq!(
            "91350100m000100y43".parse::<CreditCode>().unwrap().area(),
            "350100"
        );
        let wrong = "91350100M000100Y4Z".parse::<CreditCode>().unwrap_err();
        assert_eq!(wrong.code(), "id.character");
        let wrong = "91350100M000100Y44".parse::<CreditCode>().unwrap_err();
        assert_eq!(
            wrong,
            IdError::CreditCheck {
                expected: '3',
                found: '4'
            }
        );
    }

    #[test]
    fn as_it_stands_only_the_check_character_may_be_wrong() {
        let code = CreditCode::as_it_stands("91350100m000100y44").unwrap();
        assert_eq!(code.as_str(), "91350100M000100Y44");
        for (text, wrong) in [
            ("91350100M000100Y4", "id.length"),
            ("9135010AM000100Y44", "id.character"),
            ("91350100M000100Y4Z", "id.character"),
        ] {
            assert_eq!(CreditCode::as_it_stands(text).unwrap_err().code(), wrong);
        }
    }

    #[test]
    fn remainder_zero_gives_character_zero() {
        assert_eq!(credit_check_char("00000000000000000"), Some('0'));
        // 1·1 + 10·3 = 31.
        assert_eq!(credit_check_char("1A000000000000000"), Some('0'));
        assert!("1A0000000000000000".parse::<CreditCode>().is_ok());
        assert_eq!(credit_check_char("Y0000000000000000"), Some('1'));
    }

    #[test]
    fn wrong_codes_are_refused() {
        let code = |text: &str| text.parse::<CreditCode>().unwrap_err().code();
        assert_eq!(code(""), "id.length");
        assert_eq!(code("91350100M000100Y4"), "id.length");
        for letter in ['I', 'O', 'S', 'V', 'Z', '-', '县'] {
            assert_eq!(
                code(&format!("91350100{letter}000100Y43")),
                "id.character",
                "{letter}"
            );
        }
        assert_eq!(code("9135010AM000100Y43"), "id.character");
        assert_eq!(credit_check_char("9135010"), None);
        assert_eq!(credit_check_char("I1350100M000100Y4"), None);
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_always_found(
            start in "[0-9A-HJ-NPQRTUWXY]{2}", area in "[0-9]{6}", rest in "[0-9A-HJ-NPQRTUWXY]{9}",
            at in 0usize..17, add in 1usize..31,
        ) {
            let first17 = format!("{start}{area}{rest}");
            let good = format!("{first17}{}", credit_check_char(&first17).unwrap());
            prop_assert!(good.parse::<CreditCode>().is_ok());
            let mut bytes = good.into_bytes();
            let place = ALPHABET.iter().position(|a| *a == bytes[at]).unwrap();
            bytes[at] = ALPHABET[(place + add) % 31];
            prop_assert!(String::from_utf8(bytes).unwrap().parse::<CreditCode>().is_err());
        }

        #[test]
        fn arbitrary_text_never_panics(text in ".{17,19}") {
            let _ = text.parse::<CreditCode>();
            let _ = credit_check_char(&text);
        }
    }
}
