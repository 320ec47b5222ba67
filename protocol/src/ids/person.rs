//! Numbers of persons: the citizen's ID number (GB 11643-1999), the second-generation disability
//! certificate's number (第二代残疾人证: ID number, category, grade) and sex (GB/T 2261.1).
//!
//! These are personal data. There is no `Display`, `Debug` is redacted, and no error repeats what
//! was entered. The only ways to the text are `as_str` and serde: use them for the private record
//! and nothing else. What a checksum cannot show stays unchecked: whether the area code existed and
//! whether the number was ever issued. Whether the birth lies in the future needs a clock and is
//! the caller's question.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::error::{IdError, normalise};

const ID: &str = "ID number";
const CERTIFICATE: &str = "disability certificate number";
const ID_LENGTH: usize = 18;
const CERTIFICATE_LENGTH: usize = 20;

/// Sex as ID numbers and forms know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sex {
    /// 男, code 1.
    #[serde(rename = "1")]
    Male,
    /// 女, code 2.
    #[serde(rename = "2")]
    Female,
}

impl Sex {
    /// The code of GB/T 2261.1.
    pub fn code(self) -> &'static str {
        match self {
            Self::Male => "1",
            Self::Female => "2",
        }
    }

    /// The word used in Chinese pages.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Male => "男",
            Self::Female => "女",
        }
    }
}

impl FromStr for Sex {
    type Err = IdError;

    fn from_str(code: &str) -> Result<Self, IdError> {
        match code {
            "1" => Ok(Self::Male),
            "2" => Ok(Self::Female),
            _ => Err(IdError::Sex),
        }
    }
}

/// The check digit that belongs to the first 17 digits of an ID number; `None` if they are not 17
/// ASCII digits.
pub fn id_check_digit(first17: &str) -> Option<char> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECK: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
    let digits = first17.as_bytes();
    if digits.len() != WEIGHTS.len() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let sum: u32 = digits
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    Some(CHECK[sum as usize % CHECK.len()])
}

/// Refuses what is not a digit (or, at position 18, a digit or X).
fn check_characters(what: &'static str, text: &str) -> Result<(), IdError> {
    for (at, c) in text.chars().enumerate() {
        if !(c.is_ascii_digit() || at + 1 == ID_LENGTH && c == 'X') {
            let allowed = if at + 1 == ID_LENGTH {
                "0-9 and X"
            } else {
                "0-9"
            };
            return Err(IdError::Character {
                what,
                position: at + 1,
                allowed,
            });
        }
    }
    Ok(())
}

/// Whether the last character must be the one that the others give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckCharacter {
    /// It must.
    Fits,
    /// The number is taken as it stands on the card.
    AsItStands,
}

/// Checks 18 ASCII characters that [`check_characters`] has passed.
fn check_id(what: &'static str, id: &str, check: CheckCharacter) -> Result<NaiveDate, IdError> {
    let number = |range: std::ops::Range<usize>| id[range].parse::<u32>().unwrap_or(0);
    let birth = i32::try_from(number(6..10))
        .ok()
        .and_then(|year| NaiveDate::from_ymd_opt(year, number(10..12), number(12..14)))
        .filter(|date| date.year() > 0)
        .ok_or(IdError::BirthDate { what })?;
    if check == CheckCharacter::Fits && id_check_digit(&id[..17]) != id.chars().last() {
        return Err(IdError::CheckDigit { what });
    }
    Ok(birth)
}

/// The citizen's ID number: 18 characters, normalised (ASCII digits, uppercase X), date verified, and
/// its check digit too unless it was read by [`IdNumber::as_it_stands`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdNumber {
    text: String,
    birth: NaiveDate,
}

impl IdNumber {
    /// The date of birth, digits 7 to 14.
    pub fn birth(&self) -> NaiveDate {
        self.birth
    }

    /// The sex, digit 17: odd is male.
    pub fn sex(&self) -> Sex {
        if self.text.as_bytes()[16] % 2 == 1 {
            Sex::Male
        } else {
            Sex::Female
        }
    }

    /// The six digits of the area where the number was first issued. Not where the person lives
    /// now.
    pub fn area(&self) -> &str {
        &self.text[..6]
    }

    /// The number itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Reads a number whose check digit need not fit: there are cards that were issued with a wrong
    /// one. Whoever records such a number has it confirmed by a second person first; whoever counts
    /// what is recorded takes it as it stands.
    ///
    /// # Errors
    /// Everything else that is wrong with it.
    pub fn as_it_stands(text: &str) -> Result<Self, IdError> {
        Self::read(text, CheckCharacter::AsItStands)
    }

    fn read(text: &str, check: CheckCharacter) -> Result<Self, IdError> {
        let found = text.chars().count();
        if found != ID_LENGTH {
            return Err(IdError::Length {
                what: ID,
                expected: "18",
                found,
            });
        }
        let text: String = text.chars().map(normalise).collect();
        check_characters(ID, &text)?;
        let birth = check_id(ID, &text, check)?;
        Ok(Self { text, birth })
    }
}

impl FromStr for IdNumber {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::read(text, CheckCharacter::Fits)
    }
}

impl fmt::Debug for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdNumber(redacted)")
    }
}

/// A disability certificate's number: ID number, category 1 to 7, grade 1 to 4, and perhaps the
/// mark of a re-issue (`B1` … `B99`), which some offices append and which is kept.
///
/// Category and grade change with a re-assessment, and so does this number: a person is known by
/// [`Self::id`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateNumber {
    text: String,
    id: IdNumber,
}

impl CertificateNumber {
    /// The holder's ID number.
    pub fn id(&self) -> &IdNumber {
        &self.id
    }

    /// 1 视力, 2 听力, 3 言语, 4 肢体, 5 智力, 6 精神, 7 多重.
    pub fn category(&self) -> u8 {
        self.text.as_bytes()[18] - b'0'
    }

    /// 1 (most severe) to 4.
    pub fn grade(&self) -> u8 {
        self.text.as_bytes()[19] - b'0'
    }

    /// The mark of a re-issue.
    pub fn reissue(&self) -> Option<&str> {
        Some(&self.text[CERTIFICATE_LENGTH..]).filter(|mark| !mark.is_empty())
    }

    /// The whole number, with the mark of a re-issue.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Reads a number with an ID number as [`IdNumber::as_it_stands`] reads it.
    ///
    /// # Errors
    /// Everything else that is wrong with it.
    pub fn as_it_stands(text: &str) -> Result<Self, IdError> {
        Self::read(text, CheckCharacter::AsItStands)
    }

    fn read(text: &str, check: CheckCharacter) -> Result<Self, IdError> {
        const LENGTHS: &str = "20 (and 2 or 3 more for a re-issue)";
        let found = text.chars().count();
        if !matches!(found, CERTIFICATE_LENGTH | 22 | 23) {
            return Err(IdError::Length {
                what: CERTIFICATE,
                expected: LENGTHS,
                found,
            });
        }
        let chars: Vec<char> = text.chars().map(normalise).collect();
        let (first, mark) = chars.split_at(CERTIFICATE_LENGTH);
        let first: String = first.iter().collect();
        check_characters(CERTIFICATE, &first)?;
        for (position, allowed, range) in [(19, "1-7", '1'..='7'), (20, "1-4", '1'..='4')] {
            if !range.contains(&chars[position - 1]) {
                return Err(IdError::Character {
                    what: CERTIFICATE,
                    position,
                    allowed,
                });
            }
        }
        for (at, c) in mark.iter().enumerate() {
            let (fits, allowed) = match at {
                0 => (*c == 'B', "B"),
                1 => (('1'..='9').contains(c), "1-9"),
                _ => (c.is_ascii_digit(), "0-9"),
            };
            if !fits {
                return Err(IdError::Character {
                    what: CERTIFICATE,
                    position: CERTIFICATE_LENGTH + at + 1,
                    allowed,
                });
            }
        }
        let birth = check_id(CERTIFICATE, &first[..ID_LENGTH], check)?;
        let id = IdNumber {
            text: first[..ID_LENGTH].to_owned(),
            birth,
        };
        Ok(Self {
            text: chars.into_iter().collect(),
            id,
        })
    }
}

impl FromStr for CertificateNumber {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::read(text, CheckCharacter::Fits)
    }
}

impl fmt::Debug for CertificateNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificateNumber(redacted)")
    }
}

/// Reads a string and lets no error repeat the value: serde's own "invalid type: integer `…`"
/// would.
struct Redacted(&'static str);

impl de::Visitor<'_> for Redacted {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} as a string", self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<String, E> {
        Err(E::custom(format_args!(
            "expected the {} as a string, found a number",
            self.0
        )))
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<String, E> {
        self.visit_i64(0)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<String, E> {
        self.visit_i64(0)
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<String, E> {
        self.visit_i64(0)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<String, E> {
        self.visit_i64(0)
    }
}

macro_rules! serde_redacted {
    ($type:ty, $what:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.text)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer
                    .deserialize_any(Redacted($what))?
                    .parse()
                    .map_err(de::Error::custom)
            }
        }
    };
}
serde_redacted!(IdNumber, ID);
serde_redacted!(CertificateNumber, CERTIFICATE);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A number that can belong to nobody: area 999999, and born before 1900.
    fn fixture(birth: &str, sequence: &str) -> String {
        let first17 = format!("999999{birth}{sequence}");
        format!("{first17}{}", id_check_digit(&first17).unwrap())
    }

    #[test]
    fn as_it_stands_only_the_check_digit_may_be_wrong() {
        let id = IdNumber::as_it_stands("999999197504120198").unwrap();
        assert_eq!(id.birth(), NaiveDate::from_ymd_opt(1975, 4, 12).unwrap());
        let card = CertificateNumber::as_it_stands("99999919750412019843").unwrap();
        assert_eq!((card.id(), card.category(), card.grade()), (&id, 4, 3));
        for (text, wrong) in [
            ("99999919750412019", "id.length"),
            ("9999991975041201a8", "id.character"),
            ("999999197513320198", "id.birth_date"),
        ] {
            assert_eq!(IdNumber::as_it_stands(text).unwrap_err().code(), wrong);
        }
        for (text, wrong) in [
            ("99999919750412019893", "id.character"),
            ("99999919751332019843", "id.birth_date"),
        ] {
            assert_eq!(
                CertificateNumber::as_it_stands(text).unwrap_err().code(),
                wrong
            );
        }
    }

    #[test]
    fn check_digits_of_the_standard() {
        // The examples printed in GB 11643-1999 and its explanations.
        assert_eq!(id_check_digit("11010519491231002"), Some('X'));
        assert_eq!(id_check_digit("44052418800101001"), Some('4'));
        assert_eq!(id_check_digit("34052419800101001"), Some('X'));
        assert_eq!(id_check_digit("1101051949123100"), None);
        assert_eq!(id_check_digit("1101051949123100X"), None);
        assert_eq!(id_check_digit("110105194912310é"), None);
    }

    #[test]
    fn parts_of_an_id_number() {
        let id: IdNumber = "440524188001010014".parse().unwrap();
        assert_eq!((id.area(), id.sex()), ("440524", Sex::Male));
        assert_eq!(id.birth(), NaiveDate::from_ymd_opt(1880, 1, 1).unwrap());
        assert_eq!(
            fixture("18960229", "002")
                .parse::<IdNumber>()
                .unwrap()
                .sex(),
            Sex::Female
        );
    }

    #[test]
    fn full_width_and_lower_case_are_normalised() {
        let plain: IdNumber = "11010519491231002X".parse().unwrap();
        for text in [
            "11010519491231002x",
            "１１０１０５１９４９１２３１００２Ｘ",
            "1101051949123100２ｘ",
        ] {
            assert_eq!(text.parse::<IdNumber>().unwrap(), plain);
        }
        assert_eq!(plain.as_str(), "11010519491231002X");
    }

    #[test]
    fn wrong_id_numbers_are_refused() {
        let good = fixture("18900101", "003");
        let code = |text: &str| text.parse::<IdNumber>().unwrap_err().code();
        assert_eq!(code(""), "id.length");
        assert_eq!(code(&good[..17]), "id.length");
        assert_eq!(code(&format!("{good}0")), "id.length");
        assert_eq!(code(&format!(" {}", &good[..17])), "id.character");
        assert_eq!(code(&format!("X{}", &good[1..])), "id.character");
        assert_eq!(code(&format!("{}Y", &good[..17])), "id.character");
        assert_eq!(code(&format!("{}县", &good[..17])), "id.character");
        // Arabic-Indic digits are digits to Unicode, not to us.
        assert_eq!(code(&format!("{}٣", &good[..17])), "id.character");
        for birth in [
            "18900230", "18970229", "18901301", "18900001", "18900100", "00000101",
        ] {
            assert_eq!(code(&fixture(birth, "003")), "id.birth_date", "{birth}");
        }
        let swapped = format!("{}{}{}", &good[..15], "30", &good[17..]);
        assert_eq!(code(&swapped), "id.check_digit");
    }

    #[test]
    fn certificates() {
        let id = fixture("18880808", "008");
        let certificate: CertificateNumber = format!("{id}43").parse().unwrap();
        assert_eq!(
            (
                certificate.category(),
                certificate.grade(),
                certificate.reissue()
            ),
            (4, 3, None)
        );
        assert_eq!(certificate.id().as_str(), id);
        for (suffix, kept) in [("B1", "B1"), ("b2", "B2"), ("Ｂ１２", "B12")] {
            let again: CertificateNumber = format!("{id}43{suffix}").parse().unwrap();
            assert_eq!(again.reissue(), Some(kept));
            assert_eq!(again.as_str(), format!("{id}43{kept}"));
            assert_eq!(again.id(), certificate.id());
        }
        let code = |text: String| text.parse::<CertificateNumber>().unwrap_err().code();
        assert_eq!(code(id.clone()), "id.length");
        assert_eq!(code(format!("{id}43B")), "id.length");
        assert_eq!(code(format!("{id}43B100")), "id.length");
        for end in [
            "03", "83", "40", "45", "X3", "43B0", "43C1", "4311", "43B1B",
        ] {
            assert_eq!(code(format!("{id}{end}")), "id.character", "{end}");
        }
        let wrong = if id.ends_with('0') { '1' } else { '0' };
        assert_eq!(code(format!("{}{wrong}43", &id[..17])), "id.check_digit");
        assert_eq!(
            code(format!("{}43", fixture("18880231", "008"))),
            "id.birth_date"
        );
    }

    #[test]
    fn nothing_repeats_the_number() {
        let text = fixture("18900101", "003");
        let id: IdNumber = text.parse().unwrap();
        let certificate: CertificateNumber = format!("{text}11").parse().unwrap();
        let wrong = format!(
            "{}{}",
            &text[..17],
            if text.ends_with('1') { '2' } else { '1' }
        );
        let mut shown = vec![
            format!("{id:?}{certificate:?}"),
            format!("{:?}", Some(&certificate)),
        ];
        for bad in [wrong.as_str(), &text[..17], &format!("{}县", &text[..17])] {
            let error = bad.parse::<IdNumber>().unwrap_err();
            shown.push(format!("{error} {error:?}"));
            shown.push(
                serde_json::from_str::<IdNumber>(&format!("\"{bad}\""))
                    .unwrap_err()
                    .to_string(),
            );
        }
        for json in [
            "999999189001010030",
            "-99999918900101003",
            "9.99999189001e17",
            "null",
            "{}",
        ] {
            shown.push(
                serde_json::from_str::<IdNumber>(json)
                    .unwrap_err()
                    .to_string(),
            );
            shown.push(
                serde_json::from_str::<CertificateNumber>(json)
                    .unwrap_err()
                    .to_string(),
            );
        }
        for line in shown {
            assert!(!line.contains("99999") && !line.contains("1890"), "{line}");
        }
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{text}\""));
        assert_eq!(
            serde_json::from_str::<IdNumber>(&format!("\"{text}\"")).unwrap(),
            id
        );
    }

    #[test]
    fn sex_codes() {
        for sex in [Sex::Male, Sex::Female] {
            assert_eq!(sex.code().parse(), Ok(sex));
            assert_eq!(
                serde_json::to_string(&sex).unwrap(),
                format!("\"{}\"", sex.code())
            );
        }
        assert_eq!("0".parse::<Sex>(), Err(IdError::Sex));
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_always_found(day in 0u64..30_000, seq in 0u32..1000, at in 0usize..17, add in 1u8..10) {
            let birth = NaiveDate::from_ymd_opt(1810, 1, 1).unwrap() + chrono::Days::new(day);
            let text = fixture(&birth.format("%Y%m%d").to_string(), &format!("{seq:03}"));
            prop_assert_eq!(text.parse::<IdNumber>().unwrap().birth(), birth);
            let mut bytes = text.into_bytes();
            bytes[at] = b'0' + (bytes[at] - b'0' + add) % 10;
            prop_assert!(String::from_utf8(bytes).unwrap().parse::<IdNumber>().is_err());
        }

        #[test]
        fn arbitrary_text_never_panics(text in ".{16,24}") {
            let _ = text.parse::<IdNumber>();
            let _ = text.parse::<CertificateNumber>();
        }
    }
}
