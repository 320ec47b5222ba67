//! Times as they stand in signed documents: UTC, `YYYY-MM-DDTHH:MM:SSZ`, and nothing else.

use chrono::{Datelike, NaiveDateTime};

const FORM: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Whether this is a time of that one form. Free text in its place would travel up to all tiers
/// under a signature.
pub fn is_time(text: &str) -> bool {
    let digits = |at: &[usize]| at.iter().all(|n| text.as_bytes()[*n].is_ascii_digit());
    if text.len() != 20 || !digits(&[0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]) {
        return false;
    }
    // No leap second: other languages' clocks do not know it.
    let time = NaiveDateTime::parse_from_str(text, FORM);
    time.is_ok_and(|t| t.year() >= 1 && &text[17..19] < "60" && t.format(FORM).to_string() == text)
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
