//! A report's figures as CSV.

use protocol::readable::{ReadableReport, percent};

use super::rows::{Cell, HEADING, rows};

/// Excel reads a file as UTF-8 only where it begins so.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// UTF-8 with a byte order mark, commas, one heading.
pub fn csv(report: &ReadableReport) -> Vec<u8> {
    let heading = HEADING.map(|word| Cell::Text(word.to_string())).to_vec();
    let mut file = BYTE_ORDER_MARK.to_string();
    for row in std::iter::once(heading).chain(rows(report)) {
        let cells: Vec<String> = row.iter().map(written).collect();
        file.push_str(&cells.join(","));
        file.push_str("\r\n");
    }
    file.into_bytes()
}

fn written(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => csv_text(text),
        Cell::Number(number) => number.to_string(),
        Cell::Money(fen) => plain_yuan(*fen),
        Cell::Ratio(num, den) => quoted(&percent(*num, *den).unwrap_or_default()),
        Cell::Empty => String::new(),
    }
}

/// A text as it stands in a file of values: in marks where it needs them, and never a formula.
pub fn csv_text(text: &str) -> String {
    quoted(&inert(text))
}

/// 元 without thousands separators, which programs read as the next cell.
fn plain_yuan(fen: i64) -> String {
    protocol::readable::yuan(fen).replace(',', "")
}

/// Text that a spreadsheet does not run: what begins like a formula gets an apostrophe in front. A
/// name in a registry is written elsewhere, and whoever opens the file did not choose it. Numbers
/// are no text: a minus stays one.
fn inert(text: &str) -> String {
    let begins = |c: char| {
        matches!(
            c,
            '=' | '+' | '-' | '@' | '\t' | '\r' | '＝' | '＋' | '－' | '＠'
        )
    };
    if text.starts_with(begins) {
        format!("'{text}")
    } else {
        text.to_string()
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_no_formula_and_a_number_stays_one() {
        let text = |t: &str| written(&Cell::Text(t.into()));
        assert_eq!(text("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        for first in ["+", "-", "@", "\t", "＝"] {
            assert!(text(&format!("{first}1")).starts_with('\''), "{first}");
        }
        assert_eq!(text("平定县"), "平定县");
        assert_eq!(text("a,b"), "\"a,b\"");
        assert_eq!(written(&Cell::Number(-3)), "-3");
        assert_eq!(written(&Cell::Money(-350_000)), "-3500.00");
        assert_eq!(written(&Cell::Ratio(4, 8)), "50.00 %");
    }
}
