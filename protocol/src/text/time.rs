//! Times as they stand in signed documents: UTC, `YYYY-MM-DDTHH:MM:SSZ`, and nothing else.

use chrono::NaiveDate;

/// The form: a digit where it has one, and else the same character.
const FORM: &[u8; 20] = b"0000-00-00T00:00:00Z";

/// Whether this is a time of that one form. Free text in its place would travel up to all tiers
/// under a signature. No leap second is one: other languages' clocks do not know it.
pub fn is_time(text: &str) -> bool {
    // Digit by digit, without a parser of patterns: every leaf of a log has one.
    let bytes = text.as_bytes();
    let fits = |(c, form): (&u8, &u8)| match form {
        b'0' => c.is_ascii_digit(),
        other => c == other,
    };
    if bytes.len() != FORM.len() || !bytes.iter().zip(FORM).all(fits) {
        return false;
    }
    let number = |digits: &[u8]| {
        let digits = digits.iter().map(|d| u32::from(d - b'0'));
        digits.fold(0, |number, digit| number * 10 + digit)
    };
    let year = i32::try_from(number(&bytes[..4])).unwrap_or_default();
    let day = NaiveDate::from_ymd_opt(year, number(&bytes[5..7]), number(&bytes[8..10]));
    let (hour, minute) = (number(&bytes[11..13]), number(&bytes[14..16]));
    let second = number(&bytes[17..19]);
    year >= 1 && day.is_some() && hour < 24 && minute < 60 && second < 60
}

#[cfg(test)]
mod tests {
    use super::is_time;

    #[test]
    fn a_time_has_one_form() {
        for text in [
            "2026-01-31T23:59:59Z",
            "2024-02-29T00:00:00Z",
            "0001-01-01T00:00:00Z",
        ] {
            assert!(is_time(text), "{text}");
        }
        for text in [
            "",
            "soon",
            "2026-01-31",
            "2026-01-31T23:59:59",
            "2026-01-31T23:59:59z",
            "2026-01-31 23:59:59Z",
            "2026-01-31T23:59:59+00:00",
            "2026-01-31T23:59:59.5Z",
            "2026-1-31T23:59:59Z ",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-12-31T23:59:60Z",
            "0000-01-01T00:00:00Z",
            "+026-01-01T00:00:00Z",
            "２０２６-01-01T00:00Z",
        ] {
            assert!(!is_time(text), "{text}");
        }
    }
}
