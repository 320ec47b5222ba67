//! Comma-separated values with a heading. All rows of a file are of one event type.

use protocol::catalogue::Catalogue;

use super::rows::{BadRow, Parsed, event_type, limit};
use super::table::Table;
use crate::fault::{Fault, FaultCode, Faults};

/// Reads a file.
pub(super) fn read(
    text: &str,
    event: Option<&str>,
    catalogue: &Catalogue,
) -> Result<Parsed, Faults> {
    let event = event_type(event, catalogue)?;
    let text = with_empty_lines(text);
    let mut reader = ::csv::ReaderBuilder::new()
        .flexible(true)
        .trim(::csv::Trim::All)
        .from_reader(text.as_bytes());
    let heading = reader.headers().map_err(|e| unreadable(&e))?.clone();
    let heading: Vec<&str> = heading.iter().collect();
    let mut parsed = Parsed::default();
    let table = match Table::new(&heading, event) {
        Ok(table) => table,
        Err(faults) => {
            parsed.add(1, Err(BadRow::from(faults)));
            return Ok(parsed);
        }
    };
    let mut rows = 0;
    for (row, record) in (2..).zip(reader.records()) {
        let record = match record {
            Ok(record) => record,
            Err(e) => {
                parsed.add(row, Err(BadRow::from(unreadable(&e))));
                continue;
            }
        };
        let texts: Vec<&str> = record.iter().collect();
        if texts.iter().all(|text| text.is_empty()) {
            continue;
        }
        rows += 1;
        limit(rows)?;
        parsed.add(row, table.draft(row, &texts, catalogue));
    }
    Ok(parsed)
}

/// An empty line is a row, as in a spreadsheet: otherwise every fault after it would be told of
/// another row.
fn with_empty_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(|line| if line.trim().is_empty() { "\"\"" } else { line })
        .collect();
    lines.join("\n")
}

fn unreadable(error: &::csv::Error) -> Fault {
    Fault::new(
        FaultCode::FileUnreadable,
        "文件无法读取，请检查引号和分隔符",
        format!("the file cannot be read: {error}"),
    )
}
