//! Values with separators and a heading. All rows of a file are of one event type.

use protocol::catalogue::{Catalogue, EventType};

use super::lexer::{Lexer, RawRow};
use super::rows::{BadRow, Parsed, event_type};
use super::table::{HEADING_ROWS, Table, heading_of, no_heading};
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
    let Some((heading, separator)) = heading(text, event) else {
        let mut parsed = Parsed::default();
        if !text.trim().is_empty() {
            parsed.rows = 1;
            parsed.add(1, Err(BadRow::from(no_heading(event))));
        }
        return Ok(parsed);
    };
    match Table::new(&heading, event) {
        Ok(table) => table.read(Lexer::new(text, separator), catalogue),
        Err(faults) => {
            let mut parsed = Parsed::default();
            let rows = Lexer::new(text, separator);
            let filled = |row: &RawRow| row.cells.iter().any(|cell| !cell.trim().is_empty());
            parsed.rows = rows
                .filter(|row| row.number > heading.number && filled(row))
                .count() as u64;
            parsed.add(heading.number, Err(BadRow::from(faults)));
            Ok(parsed)
        }
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
