//! Values with separators and a heading. All rows of a file are of one event type.

use protocol::catalogue::{Catalogue, EventType};

use super::lexer::{Lexer, RawRow};
use super::rows::{Parsed, event_type};
use super::table::{HEADING_ROWS, heading_of, read_under, without_heading};
use crate::fault::{Fault, FaultCode, Faults};

/// What spreadsheets and people put between cells; the first that fits.
pub(super) const SEPARATORS: [char; 5] = [',', '\t', ';', '，', '|'];
/// DOS marks the end of a text by it.
const END_MARK: char = '\u{1a}';

/// Reads a file.
pub(super) fn read(
    text: &str,
    event: Option<&str>,
    catalogue: &Catalogue,
) -> Result<Parsed, Faults> {
    let event = event_type(event, catalogue)?;
    let text = before_end_mark(text)?;
    match heading(text, event) {
        Some((heading, separator)) => {
            read_under(&heading, Lexer::new(text, separator), event, catalogue)
        }
        None if text.trim().is_empty() => Ok(Parsed::default()),
        None => Ok(without_heading(event)),
    }
}

/// The heading and what separates its cells: the reading that knows most fields.
fn heading(text: &str, event: &EventType) -> Option<(RawRow, char)> {
    let mut best: Option<(RawRow, char)> = None;
    let mut most = 0;
    for separator in SEPARATORS {
        let rows: Vec<RawRow> = Lexer::new(text, separator).take(HEADING_ROWS).collect();
        if let Some((row, fields)) = heading_of(rows.iter(), event)
            && fields > most
        {
            most = fields;
            best = Some((row.clone(), separator));
        }
    }
    best
}

/// The text before the mark of its end. Nothing may stand behind it but blanks.
fn before_end_mark(text: &str) -> Result<&str, Faults> {
    let Some((before, behind)) = text.split_once(END_MARK) else {
        return Ok(text);
    };
    let is_blank = |c: char| c.is_whitespace() || c == END_MARK;
    if behind.chars().all(is_blank) {
        return Ok(before);
    }
    let row = before.lines().count().max(1) as u64;
    let fault = Fault::new(
        FaultCode::FileUnreadable,
        format!(
            "第 {row} 行有文件结束符（Ctrl-Z），其后还有内容，可能是几个文件首尾相接而成。请分成几个文件导入，\
             或删去该符号。"
        ),
        format!(
            "in row {row} stands the mark of a file's end (Ctrl-Z) and something behind it: files \
             may have been joined; import them one by one, or remove the mark"
        ),
    );
    Err(fault.row(row).into())
}
