//! A copy of a file with what is wrong beside each row, to be worked through and imported again.

use std::collections::BTreeMap;

use rust_xlsxwriter::{Color, Format, Workbook, XlsxError};

use super::column::FAULTS;
use super::csv::SEPARATORS;
use super::encoding::decode;
use super::lexer::{Lexer, RawRow};
use super::table::HEADING_ROWS;
use super::xlsx;
use crate::export::{BYTE_ORDER_MARK, csv_text};
use crate::fault::{Fault, Faults, internal};

/// A copy of a file as comma-separated values, row by row at the same numbers, with a first column of
/// what is wrong.
///
/// # Errors
/// A file that cannot be read at all.
pub fn marked_csv(bytes: &[u8], faults: &[Fault]) -> Result<Vec<u8>, Faults> {
    Ok(text(&rows(bytes)?, &notes(faults)).into_bytes())
}

/// The same as a workbook.
///
/// # Errors
/// A file that cannot be read at all, or a failure of the program that writes workbooks.
pub fn marked_xlsx(bytes: &[u8], faults: &[Fault]) -> Result<Vec<u8>, Faults> {
    workbook(&rows(bytes)?, &notes(faults)).map_err(internal)
}

fn rows(bytes: &[u8]) -> Result<Vec<RawRow>, Faults> {
    if bytes.starts_with(xlsx::MARK) {
        return xlsx::first_sheet(bytes);
    }
    let text = decode(bytes)?;
    let cells = |separator: &char| {
        let rows = Lexer::new(&text, *separator).take(HEADING_ROWS);
        rows.map(|row| row.cells.len()).sum::<usize>()
    };
    let separators = SEPARATORS.iter().rev();
    let separator = separators.max_by_key(|s| cells(s)).copied().unwrap_or(',');
    Ok(Lexer::new(&text, separator).collect())
}

/// What is wrong with each row; what is wrong with the file stands at its first one.
fn notes(faults: &[Fault]) -> BTreeMap<u64, String> {
    let mut notes: BTreeMap<u64, String> = BTreeMap::new();
    for fault in faults {
        let note = notes.entry(fault.row.unwrap_or(1)).or_default();
        if !note.is_empty() {
            note.push('；');
        }
        if let Some(column) = &fault.column {
            note.push_str(column);
            note.push('：');
        }
        note.push_str(fault.zh.trim_end_matches('。'));
    }
    notes
}

/// The note of a row; the heading's is the name of the column where nothing is wrong with it.
fn note(row: u64, notes: &BTreeMap<u64, String>, heading: u64) -> &str {
    match notes.get(&row) {
        Some(note) => note,
        None if row == heading => FAULTS,
        None => "",
    }
}

/// The row that is the heading, as far as can be told without a catalogue: the first with most
/// cells.
fn heading(rows: &[RawRow]) -> u64 {
    let filled = |row: &&RawRow| row.cells.iter().filter(|c| !c.trim().is_empty()).count();
    let first = rows.iter().take(HEADING_ROWS).rev().max_by_key(filled);
    first.map_or(1, |row| row.number)
}

fn text(rows: &[RawRow], notes: &BTreeMap<u64, String>) -> String {
    let mut text = BYTE_ORDER_MARK.to_string();
    let mut next = 1;
    let heading = heading(rows);
    for row in rows {
        // A workbook has no rows where nothing stands.
        while next < row.number {
            text.push_str("\r\n");
            next += 1;
        }
        next += 1;
        let cells = row.cells.iter().map(String::as_str);
        let cells = std::iter::once(note(row.number, notes, heading)).chain(cells);
        let cells: Vec<String> = cells.map(csv_text).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn workbook(rows: &[RawRow], notes: &BTreeMap<u64, String>) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let plain = Format::new().set_num_format("@");
    let red = Format::new().set_font_color(Color::Red).set_text_wrap();
    sheet.set_column_width(0, 40)?;
    let heading = heading(rows);
    for row in rows {
        let at = u32::try_from(row.number.saturating_sub(1)).unwrap_or(u32::MAX);
        sheet.write_string_with_format(at, 0, note(row.number, notes, heading), &red)?;
        for (column, text) in (1_u16..).zip(&row.cells) {
            sheet.write_string_with_format(at, column, text, &plain)?;
        }
    }
    book.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use super::super::{Form, parse};
    use super::*;

    #[test]
    fn a_marked_copy_says_what_is_wrong_and_is_read_again() {
        let catalogue = kit::catalogue();
        let file = "attended;occurred_on\nx;2026-01-05\n3;2026-01-06\n";
        let read = |bytes: &[u8]| parse(bytes, Form::Csv, Some("E06"), &catalogue).unwrap();
        let parsed = read(file.as_bytes());
        for write in [marked_csv, marked_xlsx] {
            let copy = write(file.as_bytes(), &parsed.faults).unwrap();
            let again = read(&copy);
            assert_eq!(again.ignored, [FAULTS]);
            assert_eq!(again.drafts, parsed.drafts);
            assert_eq!(again.faults, parsed.faults);
            let twice = marked_csv(&copy, &[]).unwrap();
            let text = String::from_utf8(twice).unwrap();
            assert!(text.contains("attended：请填 0 或正整数"), "{text}");
        }
        assert_eq!(csv_text("=1+1"), "'=1+1");
        assert_eq!(csv_text("a,\"b"), "\"a,\"\"b\"");
    }
}
