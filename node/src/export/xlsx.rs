//! A report's figures as a spreadsheet.

use protocol::readable::ReadableReport;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::rows::{Cell, HEADING, rows};
use crate::fault::{Faults, internal};

/// A workbook of two sheets: the figures, and which report they are of.
///
/// # Errors
/// A report that is larger than a sheet.
pub fn xlsx(report: &ReadableReport) -> Result<Vec<u8>, Faults> {
    workbook(report).map_err(internal)
}

/// How numbers are shown.
struct Formats {
    heading: Format,
    money: Format,
    ratio: Format,
}

fn workbook(report: &ReadableReport) -> Result<Vec<u8>, XlsxError> {
    let formats = Formats {
        heading: Format::new().set_bold(),
        money: Format::new().set_num_format("#,##0.00"),
        ratio: Format::new().set_num_format("0.00%"),
    };
    let mut book = Workbook::new();
    // The same report is the same file: the day is the month's first, not that of the machine.
    let (year, month) = (report.period.year(), report.period.month());
    let year = u16::try_from(year).unwrap_or(1900);
    let day = ExcelDateTime::from_ymd(year, u8::try_from(month).unwrap_or(1), 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&day));
    figures(book.add_worksheet(), report, &formats)?;
    about(book.add_worksheet(), report, &formats)?;
    book.save_to_buffer()
}

fn figures(
    sheet: &mut Worksheet,
    report: &ReadableReport,
    formats: &Formats,
) -> Result<(), XlsxError> {
    sheet.set_name("指标")?;
    for (column, word) in (0..).zip(HEADING) {
        sheet.write_string_with_format(0, column, word, &formats.heading)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    for (row, cells) in (1..).zip(rows(report)) {
        for (column, cell) in (0..).zip(cells) {
            write(sheet, (row, column), &cell, formats)?;
        }
    }
    for (column, width) in [(1, 14.0), (5, 40.0), (10, 24.0)] {
        sheet.set_column_width(column, width)?;
    }
    Ok(())
}

/// A spreadsheet holds numbers as doubles: whole ones up to 2^53 exactly, which is the largest that
/// documents carry.
#[expect(clippy::cast_precision_loss, reason = "documents carry at most 2^53")]
fn number(value: i64) -> f64 {
    value as f64
}

fn write(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    cell: &Cell,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match cell {
        // As a string and never as a formula, whatever it begins with.
        Cell::Text(text) => sheet.write_string(row, column, text)?,
        Cell::Number(value) => sheet.write_number(row, column, number(*value))?,
        Cell::Money(fen) => {
            let yuan = number(*fen) / 100.0;
            sheet.write_number_with_format(row, column, yuan, &formats.money)?
        }
        Cell::Ratio(num, den) => {
            let ratio = number(*num) / number(*den);
            sheet.write_number_with_format(row, column, ratio, &formats.ratio)?
        }
        Cell::Empty => sheet,
    };
    Ok(())
}

/// Which report it is: what a reader compares with the signed one.
fn about(
    sheet: &mut Worksheet,
    report: &ReadableReport,
    formats: &Formats,
) -> Result<(), XlsxError> {
    sheet.set_name("月报")?;
    let lines = [
        ("填报单位 unit", format!("{} {}", report.unit, report.name)),
        ("月份 month", report.period.to_string()),
        ("版次 revision", report.revision.to_string()),
        ("摘要值 digest", report.digest.to_string()),
        ("指标目录 catalogue", report.catalogue.to_string()),
    ];
    for (row, (word, value)) in (0..).zip(lines) {
        sheet.write_string_with_format(row, 0, word, &formats.heading)?;
        sheet.write_string(row, 1, value)?;
    }
    sheet.set_column_width(0, 24.0)?;
    sheet.set_column_width(1, 76.0)?;
    Ok(())
}
