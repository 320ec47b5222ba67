//! Workbooks. A workbook is a zip of XML that anybody may have made: how much it unpacks to is
//! counted before it is read, and cells are taken one after the other, so that neither a bomb nor a
//! cell in the last corner of a sheet takes the memory.

use std::io::{Cursor, Read};

use calamine::{Data, DataRef, ExcelDateTime, Reader, Xlsx};
use protocol::catalogue::{Catalogue, EventType};
use zip::ZipArchive;

use super::lexer::RawRow;
use super::rows::{MAX_ROWS, Parsed, event_type, too_many_rows};
use super::table::{HEADING_ROWS, heading_of, read_under, without_heading};
use super::template::TYPE_SHEET;
use crate::fault::{FaultCode, Faults};

/// At most this much unpacked, in bytes: a sheet of as many rows as a file may have takes a tenth.
const MAX_UNPACKED: u64 = 256 << 20;
/// At most this many parts in a workbook.
const MAX_PARTS: usize = 1000;
/// Cells further right are none of a list of events.
const MAX_COLUMNS: usize = 200;

/// How every workbook begins, as every zip does.
pub(super) const MARK: &[u8] = b"PK\x03\x04";

type Book<'b> = Xlsx<Cursor<&'b [u8]>>;

/// Reads the sheet of a workbook that has the heading of the type; a template says its type itself.
pub(super) fn read(
    bytes: &[u8],
    event: Option<&str>,
    catalogue: &Catalogue,
) -> Result<Parsed, Faults> {
    bounded(bytes)?;
    let mut book: Book = Xlsx::new(Cursor::new(bytes)).map_err(|_| unreadable())?;
    let own = type_of(&mut book);
    let event = event_type(event.or(own.as_deref()), catalogue)?;
    match sheet(&mut book, event)? {
        Some((heading, rows)) => read_under(&heading, rows.into_iter(), event, catalogue),
        None => Ok(without_heading(event)),
    }
}

/// The rows of the first sheet in which something stands.
pub(super) fn first_sheet(bytes: &[u8]) -> Result<Vec<RawRow>, Faults> {
    bounded(bytes)?;
    let mut book: Book = Xlsx::new(Cursor::new(bytes)).map_err(|_| unreadable())?;
    for name in book.sheet_names() {
        let rows = rows(&mut book, &name, usize::MAX)?;
        if !rows.is_empty() {
            return Ok(rows);
        }
    }
    Ok(Vec::new())
}

/// Refuses what unpacks to more than it may. What an entry says of its own size may be a lie, so it
/// is unpacked and counted.
fn bounded(bytes: &[u8]) -> Result<(), Faults> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| unreadable())?;
    if archive.len() > MAX_PARTS {
        return Err(too_large());
    }
    let mut left = MAX_UNPACKED;
    for at in 0..archive.len() {
        let entry = archive.by_index(at).map_err(|_| unreadable())?;
        let name = entry.name().map_err(|_| unreadable())?;
        if name.ends_with("vbaProject.bin") {
            return Err(macros());
        }
        let size = std::io::copy(&mut entry.take(left + 1), &mut std::io::sink());
        left = left
            .checked_sub(size.map_err(|_| unreadable())?)
            .ok_or_else(too_large)?;
    }
    Ok(())
}

/// The type that a template carries.
fn type_of(book: &mut Book) -> Option<String> {
    let mut cells = book.worksheet_cells_reader(TYPE_SHEET).ok()?;
    let cell = cells.next_cell().ok()??;
    match cell.get_value() {
        DataRef::SharedString(text) => Some((*text).to_string()),
        DataRef::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// The sheet whose first rows name most fields: its heading and its rows.
fn sheet(book: &mut Book, event: &EventType) -> Result<Option<(RawRow, Vec<RawRow>)>, Faults> {
    let mut best: Option<(usize, RawRow, String)> = None;
    for name in book.sheet_names() {
        let first = rows(book, &name, HEADING_ROWS)?;
        if let Some((heading, fields)) = heading_of(first.iter(), event)
            && best.as_ref().is_none_or(|(most, ..)| fields > *most)
        {
            best = Some((fields, heading.clone(), name));
        }
    }
    let Some((_, heading, name)) = best else {
        return Ok(None);
    };
    let all = rows(book, &name, usize::MAX)?;
    Ok(Some((heading, all)))
}

/// The rows of a sheet in which something stands, as far as this row.
fn rows(book: &mut Book, name: &str, to: usize) -> Result<Vec<RawRow>, Faults> {
    // A sheet of charts has no cells.
    let Ok(mut cells) = book.worksheet_cells_reader(name) else {
        return Ok(Vec::new());
    };
    let mut rows: Vec<RawRow> = Vec::new();
    while let Some(cell) = cells.next_cell().map_err(|_| unreadable())? {
        let (row, column) = cell.get_position();
        if row as usize >= to {
            break;
        }
        let text = text(cell.get_value());
        if text.trim().is_empty() {
            continue;
        }
        let number = u64::from(row) + 1;
        let column = column as usize;
        if column >= MAX_COLUMNS || rows.last().is_some_and(|last| last.number > number) {
            return Err(too_large());
        }
        if rows.last().is_none_or(|last| last.number != number) {
            if rows.len() as u64 > MAX_ROWS + HEADING_ROWS as u64 {
                return Err(too_many_rows());
            }
            rows.push(RawRow {
                number,
                ..RawRow::default()
            });
        }
        if let Some(last) = rows.last_mut() {
            let width = last.cells.len().max(column + 1);
            last.cells.resize(width, String::new());
            last.cells[column] = text;
        }
    }
    Ok(rows)
}

/// What a cell shows. Of a formula its last result is read.
fn text(value: &DataRef) -> String {
    match value {
        DataRef::Int(n) => n.to_string(),
        DataRef::Float(n) => number(*n),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_string(),
        DataRef::Bool(true) => "是".into(),
        DataRef::Bool(false) => "否".into(),
        DataRef::DateTime(day) => date(day),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        // As a formula: a text such as #N/A is nobody's name.
        DataRef::Error(_) => format!("={}", Data::from(value.clone())),
        DataRef::Empty => String::new(),
    }
}

/// A number as a spreadsheet shows it, of 15 digits. One with more has lost those behind, and is
/// written as what it is: shortened.
fn number(n: f64) -> String {
    const EXACT: f64 = 1e15;
    if n.abs() >= EXACT || !n.is_finite() {
        return format!("{n:E}");
    }
    let rounded = format!("{n:.14e}").parse::<f64>().unwrap_or(n);
    rounded.to_string()
}

fn date(day: &ExcelDateTime) -> String {
    if !day.is_datetime() {
        return number(day.as_f64());
    }
    let (year, month, day, hour, minute, second, _) = day.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    match (hour, minute, second) {
        (0, 0, 0) => date,
        _ => format!("{date} {hour:02}:{minute:02}:{second:02}"),
    }
}

fn unreadable() -> Faults {
    Faults::one(
        FaultCode::FileUnreadable,
        "不是可以读取的 XLSX 工作簿（可能是旧的 .xls 格式、已加密或已损坏）。请另存为“Excel 工作簿 (*.xlsx)”后重新导入。",
        "not a workbook that can be read (an old .xls, encrypted, or damaged): save it as “Excel \
         workbook (*.xlsx)” and import it again",
    )
}

fn macros() -> Faults {
    Faults::one(
        FaultCode::FileUnreadable,
        "工作簿中有宏。请另存为不带宏的“Excel 工作簿 (*.xlsx)”后重新导入。",
        "the workbook has macros: save it as “Excel workbook (*.xlsx)” without them",
    )
}

fn too_large() -> Faults {
    Faults::one(
        FaultCode::FileUnreadable,
        "工作簿展开后过大，或有内容在很远的列。请只保留要录入的表，另存后重新导入。",
        "the workbook is too large when unpacked, or something stands in a column far away: keep \
         only the table, save it anew, and import again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_a_sheet_shows_them() {
        for (n, shown) in [
            (3500.0, "3500"),
            (0.1 + 0.2, "0.3"),
            (999_999_197_504_120_031.0, "9.9999919750412E17"),
            (20_230_405.0, "20230405"),
        ] {
            assert_eq!(number(n), shown);
        }
    }
}
