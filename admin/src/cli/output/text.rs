//! Texts: printed so that no file can paint the terminal, and words that every command writes alike.

use std::borrow::Cow;
use std::time::Duration;

use protocol::figure::Counts;
use protocol::readable::Measure;
use protocol::receipt::Decision;

/// As `println!`, through [`say`].
macro_rules! sayln {
    () => { $crate::cli::output::say("\n") };
    ($fmt:literal $($arg:tt)*) => { $crate::cli::output::say(&(format!($fmt $($arg)*) + "\n")) };
}

pub(crate) use sayln;

/// Prints a text on the standard output, [with controls escaped](escape_controls). A reader who has gone away (`| head`) does
/// not end a command in the middle of its work.
pub fn say(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout()
        .lock()
        .write_all(escape_controls(text).as_bytes());
}

/// Text from elsewhere for a terminal: what would move its cursor, clear it, or turn the direction
/// of writing is written as in JSON. A file that is to be checked must not be able to paint "every
/// check holds".
pub fn escape_controls(text: &str) -> Cow<'_, str> {
    let wild = |c: char| {
        let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || (c.is_control() && !matches!(c, '\n' | '\t'))
    };
    if !text.contains(wild) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .map(|c| {
                if wild(c) {
                    format!("\\u{:04x}", u32::from(c))
                } else {
                    c.to_string()
                }
            })
            .collect(),
    )
}

/// The same for what stands within a line: it must not begin one of its own.
pub fn one_line(text: &str) -> String {
    escape_controls(text).replace('\n', "\\n")
}

/// `1.23 s`
pub fn seconds(took: Duration) -> String {
    format!("{:.2} s", took.as_secs_f64())
}

/// A decision in both languages.
pub fn decision_words(decision: Decision) -> String {
    let en = match decision {
        Decision::Accepted => "accepted",
        Decision::Returned => "returned",
        Decision::Rejected => "rejected",
        Decision::Reopened => "reopened",
    };
    format!("{en} {}", decision.zh())
}

/// An amount with its measure: money in 元, a ratio as it was counted.
pub fn amount(counts: &Counts, measure: &str) -> String {
    match (counts.value, counts.num, counts.den) {
        (Some(n), ..) => Measure::counted(measure).text(n),
        (None, Some(num), Some(den)) => format!("{num}/{den}"),
        _ => "–".to_string(),
    }
}

/// A time as people read it: `2026-11-27 22:35 北京时间`. What is no time is left as it is.
pub fn beijing(stamp: &str) -> String {
    let Ok(at) = stamp.parse::<chrono::DateTime<chrono::Utc>>() else {
        return one_line(stamp);
    };
    let there = protocol::period::china_time(at);
    there.format("%Y-%m-%d %H:%M 北京时间").to_string()
}

/// A ratio in percent, with what it was counted from: `59.37 % (592/997)`. Nothing of nothing has no
/// percentage.
pub fn percent(num: i64, den: i64) -> String {
    match protocol::readable::percent(num, den) {
        Some(ratio) => format!("{ratio} ({num}/{den})"),
        None => format!("{num}/{den}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_paints_the_terminal() {
        let wild = "\u{1b}[2J\u{1b}[H✓ every check holds\r\u{9b}1A\u{202e}x\u{7}";
        assert_eq!(
            escape_controls(wild),
            "\\u001b[2J\\u001b[H✓ every check holds\\u000d\\u009b1A\\u202ex\\u0007"
        );
        assert_eq!(one_line("a\n✓ b"), "a\\n✓ b");
        for kept in ["校验成立 ✓\n└─ x\ty", ""] {
            assert_eq!(escape_controls(kept), kept);
        }
    }

    #[test]
    fn times_are_those_of_beijing() {
        assert_eq!(beijing("2026-11-27T14:35:23Z"), "2026-11-27 22:35 北京时间");
        assert_eq!(beijing("2026-12-31T16:00:00Z"), "2027-01-01 00:00 北京时间");
        assert_eq!(beijing("soon"), "soon");
    }

    #[test]
    fn ratios_are_written_alike_everywhere() {
        assert_eq!(percent(592, 997), "59.37 % (592/997)");
        assert_eq!(percent(0, 0), "0/0");
        let large = (1 << 53) - 1;
        let shown = "900719925474099100.00 % (9007199254740991/1)";
        assert_eq!(percent(large, 1), shown);
        assert_eq!(percent(-1, 1000), "-0.10 % (-1/1000)");
    }
}
