//! One row of cells into a draft, whichever source the row came from.

use chrono::NaiveDate;
use protocol::catalogue::{Catalogue, EventType};
use protocol::count::Fields;

use super::cell;
use super::column::{Column, OCCURRED_ON, required};
use crate::fault::{Fault, FaultCode, Faults};

/// At most this many rows in one file: a file is recorded all or nothing, in one durable write.
pub const MAX_ROWS: usize = 5_000;

/// An event that is not recorded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Row of the file, counted from 1, the heading included.
    pub row: u64,
    /// Machine name of the type.
    pub event: String,
    /// Business day.
    pub on: NaiveDate,
    /// Fields.
    pub fields: Fields,
}

/// What a file gives: rows that can be read, and everything that is wrong with the others.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// Good rows.
    pub drafts: Vec<Draft>,
    /// Faults of the others.
    pub faults: Vec<Fault>,
    /// Rows and days of the others, where the day can be read: it may be wrong as well.
    pub broken: Vec<(u64, NaiveDate)>,
}

impl Parsed {
    /// Takes what a row gave. Its faults learn here which row they are of.
    pub(super) fn add(&mut self, row: u64, result: Result<Draft, BadRow>) {
        match result {
            Ok(draft) => self.drafts.push(draft),
            Err(bad) => {
                let faults = bad.faults.into_iter().map(|f| f.row(row));
                self.faults.extend(faults);
                self.broken.extend(bad.on.map(|on| (row, on)));
            }
        }
    }
}

/// A row that gives no draft.
#[derive(Debug)]
pub(super) struct BadRow {
    /// Everything that is wrong with it.
    faults: Vec<Fault>,
    /// Its day, where that can be read.
    on: Option<NaiveDate>,
}

impl From<Vec<Fault>> for BadRow {
    fn from(faults: Vec<Fault>) -> BadRow {
        BadRow { faults, on: None }
    }
}

impl From<Fault> for BadRow {
    fn from(fault: Fault) -> BadRow {
        BadRow::from(vec![fault])
    }
}

/// What stands in one column of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell<'a> {
    /// The column.
    pub(super) column: &'a Column,
    /// As the source has it; blank where nothing was filled in.
    pub(super) text: &'a str,
}

impl Cell<'_> {
    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// The type that a file or a row names.
pub(super) fn event_type<'a>(
    name: Option<&str>,
    catalogue: &'a Catalogue,
) -> Result<&'a EventType, Fault> {
    let Some(name) = name else {
        return Err(Fault::new(
            FaultCode::FileType,
            "没有说明事件类型;请给出类型,例如 E16",
            "no event type is given; name one, for example E16",
        ));
    };
    // What stands there is not repeated: in a file it may be anything.
    let unknown = || {
        Fault::new(
            FaultCode::FileType,
            "目录中没有这个可填报的事件类型",
            "the catalogue has no such event type that people record",
        )
    };
    catalogue
        .event_by_code(name)
        .filter(|e| !e.system)
        .ok_or_else(unknown)
}

/// Refuses a file of more than [`MAX_ROWS`] rows.
pub(super) fn limit(rows: usize) -> Result<(), Faults> {
    if rows > MAX_ROWS {
        return Err(Faults::one(
            FaultCode::FileRows,
            format!("一个文件最多 {MAX_ROWS} 行;请分成几个文件"),
            format!("a file has at most {MAX_ROWS} rows; split it"),
        ));
    }
    Ok(())
}

/// Makes a draft of the cells of one row, or finds everything that is wrong with them.
pub(super) fn draft(
    row: u64,
    event: &EventType,
    cells: &[Cell],
    catalogue: &Catalogue,
) -> Result<Draft, BadRow> {
    let mut fields = Fields::new();
    let mut faults = Vec::new();
    let mut on = None;
    for Cell { column, text } in cells.iter().filter(|c| !c.is_blank()) {
        let text = text.trim();
        if column.field == OCCURRED_ON {
            match cell::date(text) {
                Ok(day) => on = Some(day),
                Err(fault) => faults.push(fault.column(&column.heading)),
            }
            continue;
        }
        let Some(field) = event.field(&column.field) else {
            continue;
        };
        match cell::value(field, text, column.yuan, catalogue) {
            Ok(value) => {
                fields.insert(field.name.clone(), value);
            }
            Err(fault) => faults.push(fault.column(&column.heading)),
        }
    }
    let filled = |name| {
        let mut of_name = cells.iter().filter(|c| c.column.field == name);
        of_name.any(|c| !c.is_blank())
    };
    for name in required(event).filter(|name| !filled(*name)) {
        let fault = Fault::new(
            FaultCode::FieldMissing,
            "必填,但没有填",
            "must be filled in",
        );
        faults.push(fault.column(name));
    }
    match on {
        Some(on) if faults.is_empty() => Ok(Draft {
            row,
            event: event.name.clone(),
            on,
            fields,
        }),
        // Without a day there is a fault: the day is bad, or it is missing.
        _ => Err(BadRow { faults, on }),
    }
}
