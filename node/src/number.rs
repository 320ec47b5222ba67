//! Numbers whose check character does not fit, and what an event may say about a number itself: that
//! a person's file goes on under a new one, or that somebody has compared one with the card or
//! licence.

use protocol::ids::{CertificateNumber, CreditCode, IdError, IdNumber};

use crate::pseudonym::Pseudonym;
use crate::vault::VaultKey;

/// Bytes of the keyed hash by which a confirmed number is known.
pub const NUMBER_BYTES: usize = 16;

/// A number that was confirmed as it stands, as a keyed hash: nobody without the node's vault key can
/// guess it from the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmedNumber([u8; NUMBER_BYTES]);

impl ConfirmedNumber {
    /// Its bytes, as the view keeps them.
    pub fn to_bytes(self) -> [u8; NUMBER_BYTES] {
        self.0
    }

    /// Of a number that is written in any of its forms. A certificate's is that of its ID number: the
    /// check digit is there.
    pub fn new(vault: &VaultKey, number: &str) -> ConfirmedNumber {
        let text =
            NumberAsItStands::read(number).map_or_else(|_| number.to_string(), |read| read.text);
        ConfirmedNumber(vault.pseudonym("confirmed", &[text.as_bytes()]))
    }
}

/// A number of a person or an organisation whose check character may be wrong.
pub struct NumberAsItStands {
    /// Eighteen characters, normalised.
    text: String,
    /// Whether the check character fits.
    pub fits: bool,
}

impl NumberAsItStands {
    /// Reads an ID number, a certificate number or a credit code.
    ///
    /// # Errors
    /// What is wrong with it apart from its check character, as an ID number.
    pub fn read(text: &str) -> Result<NumberAsItStands, IdError> {
        let text = text.trim();
        if let Ok(certificate) = CertificateNumber::as_it_stands(text) {
            return Ok(NumberAsItStands {
                fits: text.parse::<CertificateNumber>().is_ok(),
                text: certificate.id().as_str().to_string(),
            });
        }
        // Eighteen characters may be both: an ID number that fits is no credit code, and the other
        // way round.
        let fits = text.parse::<IdNumber>().is_ok() || text.parse::<CreditCode>().is_ok();
        match (IdNumber::as_it_stands(text), CreditCode::as_it_stands(text)) {
            (Ok(id), _) => Ok(NumberAsItStands {
                text: id.as_str().to_string(),
                fits,
            }),
            (_, Ok(code)) => Ok(NumberAsItStands {
                text: code.as_str().to_string(),
                fits,
            }),
            (Err(wrong), Err(_)) => Err(wrong),
        }
    }
}

/// What a statement says about a number itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberFact {
    /// A person's file goes on under a new number.
    SamePerson {
        /// The new number.
        number: Pseudonym,
        /// The file, by the number under which it was opened.
        file: Pseudonym,
    },
    /// A number whose check character does not fit was compared with the card or licence.
    Confirmed {
        /// The number.
        number: ConfirmedNumber,
        /// Who did, `<unit>/<name>`.
        by: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_stands_and_its_check_is_told() {
        for (text, fits) in [
            ("999999197504120197", true),
            ("999999197504120198", false),
            ("99999919750412019743", true),
            ("99999919750412019843", false),
            ("91350100M000100Y43", true),
            ("91350100m000100y44", false),
        ] {
            assert_eq!(NumberAsItStands::read(text).unwrap().fits, fits, "{text}");
        }
        for text in ["", "12", "9135010AM000100Y43", "99999919751332019743"] {
            assert!(NumberAsItStands::read(text).is_err(), "{text}");
        }
    }
}
