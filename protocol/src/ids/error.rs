//! Why a text is not an identifier; how texts are normalised before they are read.

/// Why a text is not the identifier that it should be. Positions count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Too short or too long.
    #[error(
        "{what} must have {expected} characters, this one has {found}: check that it was copied completely"
    )]
    Length {
        /// Which identifier.
        what: &'static str,
        /// How many characters it must have.
        expected: &'static str,
        /// How many it has.
        found: usize,
    },
    /// A character that may not stand where it stands.
    #[error("{what}: character {position} may not stand there, allowed: {allowed}")]
    Character {
        /// Which identifier.
        what: &'static str,
        /// Where, from 1.
        position: usize,
        /// What may stand there.
        allowed: &'static str,
    },
    /// Digits 7 to 14 are not a date.
    #[error("{what}: digits 7 to 14 are not a date of the calendar: compare them with the card")]
    BirthDate {
        /// Which identifier.
        what: &'static str,
    },
    /// The check digit of an ID number does not fit. What it should be is not told: it would be
    /// part of the number.
    #[error(
        "{what}: the check digit does not fit the other 17: one of the digits is wrong, compare them with the card"
    )]
    CheckDigit {
        /// Which identifier.
        what: &'static str,
    },
    /// The check character of a credit code does not fit.
    #[error(
        "credit code: the last character is {found} but the other 17 give {expected}: one of them is wrong"
    )]
    CreditCheck {
        /// What the other 17 give.
        expected: char,
        /// What stands there.
        found: char,
    },
    /// Not one of the tiers.
    #[error("not a tier: write county, city or province")]
    Tier,
    /// Not a code of GB/T 2261.1 that is used here.
    #[error("not a code of sex: write 1 (male) or 2 (female)")]
    Sex,
    /// Not a UUID in lowercase text form with its hyphens.
    #[error(
        "not an event id: write a UUID in lowercase with hyphens, 8-4-4-4-12 hexadecimal digits"
    )]
    Uuid,
    /// A UUID of another version or variant.
    #[error("not an event id: the UUID must be of version 7 and of the RFC 9562 variant")]
    UuidVersion,
}

impl IdError {
    /// The error's stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "id.length",
            Self::Character { .. } => "id.character",
            Self::BirthDate { .. } => "id.birth_date",
            Self::CheckDigit { .. } => "id.check_digit",
            Self::CreditCheck { .. } => "id.credit_check",
            Self::Tier => "id.tier",
            Self::Sex => "id.sex",
            Self::Uuid => "id.uuid",
            Self::UuidVersion => "id.uuid_version",
        }
    }
}

/// Full-width forms of ASCII (U+FF01 to U+FF5E, as Chinese input methods write them) become ASCII,
/// letters uppercase.
pub(super) fn normalise(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0)
            .unwrap_or(c)
            .to_ascii_uppercase(),
        _ => c.to_ascii_uppercase(),
    }
}
