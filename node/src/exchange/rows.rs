//! One row of cells into a draft, whichever source the row came from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::NaiveDate;
use protocol::catalogue::{Catalogue, EventType};
use protocol::count::{Fields, Value};
use serde::{Deserialize, Serialize};

use super::column::{Column, OCCURRED_ON, name_of, required};
use super::unit::MoneyUnit;
use super::{cell, date, fold, identifier};
use crate::fault::{Fault, FaultCode, Faults};

/// At most this many rows in one file: a file is recorded all or nothing, in one durable write.
pub const MAX_ROWS: u64 = 5_000;

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

/// Why a row of a file is no event, though something stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// A line above the heading.
    Title,
    /// A row of totals.
    Total,
    /// A line below the table: who filled it in, notes.
    Footer,
    /// The very same was recorded before.
    Recorded,
}

/// A row that was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Row of the file.
    pub row: u64,
    /// Why.
    pub reason: SkipReason,
    /// Log index of what was recorded before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
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
    /// Rows in which something stands, the heading not counted.
    pub rows: u64,
    /// Rows that are no events.
    pub skipped: Vec<Skipped>,
    /// Columns that were read over, such as 序号 and 备注, as the file names them.
    pub ignored: Vec<String>,
    /// How the file calls its fields: machine name → heading.
    pub names: BTreeMap<String, String>,
    /// Numbers of the others whose check character does not fit.
    pub unfit: Vec<UnfitNumber>,
    /// Rows with which nothing else is wrong than such numbers.
    pub(super) doubtful: Vec<Draft>,
}

/// A number whose check character does not fit. Its fault is among those of its row.
#[derive(Clone, PartialEq, Eq)]
pub struct UnfitNumber {
    /// Row of the file.
    pub row: u64,
    /// The column's heading.
    pub column: String,
    /// As the file has it.
    pub number: String,
}

impl UnfitNumber {
    /// Whether this is the fault of this number.
    pub fn is_told_by(&self, fault: &Fault) -> bool {
        fault.row == Some(self.row)
            && fault.column.as_deref() == Some(self.column.as_str())
            && is_unfit(fault)
    }
}

impl fmt::Debug for UnfitNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnfitNumber(row {}, redacted)", self.row)
    }
}

/// Whether a fault says that the check character alone is wrong.
fn is_unfit(fault: &Fault) -> bool {
    fault.code == FaultCode::IdCheckDigit || fault.code == FaultCode::IdCreditCheck
}

impl Parsed {
    /// Takes what a row gave. Its faults learn here which row they are of.
    pub(super) fn add(&mut self, row: u64, result: Result<Draft, BadRow>) {
        match result {
            Ok(draft) => self.drafts.push(draft),
            Err(bad) => {
                let faults = bad.faults.into_iter().map(|f| f.row(row));
                self.faults.extend(faults);
                self.unfit.extend(bad.unfit);
                match bad.doubtful {
                    Some(draft) => self.doubtful.push(draft),
                    None => self.broken.extend(bad.on.map(|on| (row, on))),
                }
            }
        }
    }

    /// Takes the faults of these numbers, by row and heading, away: the numbers may be recorded as
    /// they stand. A row with which nothing else is wrong becomes a good one.
    pub(crate) fn settle(&mut self, settled: &BTreeSet<(u64, String)>) {
        let is_settled = |fault: &Fault| {
            let place = fault.row.zip(fault.column.clone());
            is_unfit(fault) && place.is_some_and(|place| settled.contains(&place))
        };
        self.faults.retain(|fault| !is_settled(fault));
        let wrong: BTreeSet<u64> = self.faults.iter().filter_map(|fault| fault.row).collect();
        for draft in std::mem::take(&mut self.doubtful) {
            if wrong.contains(&draft.row) {
                self.broken.push((draft.row, draft.on));
            } else {
                self.drafts.push(draft);
            }
        }
    }

    /// Passes a row over.
    pub(super) fn skip(&mut self, row: u64, reason: SkipReason) {
        self.skipped.push(Skipped {
            row,
            reason,
            index: None,
        });
    }
}

/// A row that gives no draft.
#[derive(Debug)]
pub(super) struct BadRow {
    /// Everything that is wrong with it.
    faults: Vec<Fault>,
    /// Its day, where that can be read.
    on: Option<NaiveDate>,
    /// Its numbers whose check character does not fit.
    unfit: Vec<UnfitNumber>,
    /// The draft that it would be if nothing but these were wrong.
    doubtful: Option<Draft>,
}

impl From<Vec<Fault>> for BadRow {
    fn from(faults: Vec<Fault>) -> BadRow {
        BadRow {
            faults,
            on: None,
            unfit: Vec::new(),
            doubtful: None,
        }
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
        fold::visible(self.text).is_empty()
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
            "未指明业务类型。请注明类型代码，如 E16（实现就业）。",
            "no event type is given; name one, for example E16",
        ));
    };
    // What stands there is not repeated: in a file it may be anything.
    let unknown = || {
        Fault::new(
            FaultCode::FileType,
            "指标目录中没有这一业务类型，或该类型由系统自动生成、不能填报。请核对类型代码。",
            "the catalogue has no such event type that people record",
        )
    };
    catalogue
        .event_by_code(name)
        .filter(|e| !e.system)
        .ok_or_else(unknown)
}

/// Refuses a file of more than [`MAX_ROWS`] rows.
pub(super) fn limit(rows: u64) -> Result<(), Faults> {
    if rows > MAX_ROWS {
        return Err(too_many_rows());
    }
    Ok(())
}

/// More rows than are recorded at once.
pub fn too_many_rows() -> Faults {
    Faults::one(
        FaultCode::FileRows,
        format!("一次最多 {MAX_ROWS} 行。请拆分成几个文件，分别导入。"),
        format!("at most {MAX_ROWS} rows are taken at once: split the file, or import in parts"),
    )
}

/// Makes a draft of the cells of one row, or finds everything that is wrong with them. `machine`
/// says whether the source calls fields by their machine names: faults call those that it lacks
/// alike.
pub(super) fn draft(
    row: u64,
    event: &EventType,
    cells: &[Cell],
    machine: bool,
    catalogue: &Catalogue,
) -> Result<Draft, BadRow> {
    let mut fields = Fields::new();
    let mut faults = Vec::new();
    let mut unfit = Vec::new();
    let mut on = None;
    for Cell { column, text } in cells.iter().filter(|c| !c.is_blank()) {
        if column.field == OCCURRED_ON {
            match date::date(text) {
                Ok(day) => on = Some(day),
                Err(fault) => {
                    let fault = cell::with_found(fault, text);
                    faults.push(fault.column(&column.heading));
                }
            }
            continue;
        }
        let Some(field) = event.field(&column.field) else {
            continue;
        };
        let unit = column.unit.unwrap_or(MoneyUnit::Fen);
        match cell::value(field, text, unit, catalogue) {
            Ok(value) => {
                fields.insert(field.name.clone(), value);
            }
            Err(fault) => {
                if let (true, Some(number)) =
                    (is_unfit(&fault), identifier::as_it_stands(field.kind, text))
                {
                    unfit.push(UnfitNumber {
                        row,
                        column: column.heading.clone(),
                        number: number.clone(),
                    });
                    fields.insert(field.name.clone(), Value::Text(number));
                }
                faults.push(fault.column(&column.heading));
            }
        }
    }
    faults.extend(missing(event, cells, machine));
    match on {
        Some(on) if faults.is_empty() => Ok(Draft {
            row,
            event: event.name.clone(),
            on,
            fields,
        }),
        // Without a day there is a fault: the day is bad, or it is missing.
        _ => {
            let doubtful = on.filter(|_| faults.len() == unfit.len()).map(|on| Draft {
                row,
                event: event.name.clone(),
                on,
                fields,
            });
            Err(BadRow {
                faults,
                on,
                unfit,
                doubtful,
            })
        }
    }
}

/// A fault for each field that must be filled in and is not.
fn missing(event: &EventType, cells: &[Cell], machine: bool) -> Vec<Fault> {
    let of = |name: &str| cells.iter().find(|c| c.column.field == name);
    required(event)
        .filter(|name| of(name).is_none_or(Cell::is_blank))
        .map(|name| {
            let fault = Fault::new(
                FaultCode::FieldMissing,
                "必填项，请补填。",
                "must be filled in",
            );
            match of(name) {
                Some(cell) => fault.column(&cell.column.heading),
                None => fault.column(&name_of(name, event, machine)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use protocol::count::Value;

    use super::*;

    /// The draft of a row of trainings (E06): a whole number and a day.
    fn row_of(attended: &str, day: &str) -> Result<Draft, BadRow> {
        let catalogue = kit::catalogue();
        let event = event_type(Some("E06"), &catalogue).unwrap();
        let column = |name| match super::super::column::Heading::read(name, event) {
            super::super::column::Heading::Column(column) => column,
            other => panic!("{other:?}"),
        };
        let (number, date) = (column("人次"), column("occurred_on"));
        let cells = [(&number, attended), (&date, day)];
        let cells = cells.map(|(column, text)| Cell { column, text });
        draft(7, event, &cells, true, &catalogue)
    }

    fn faults(bad: &BadRow) -> Vec<(String, &str)> {
        let faults = bad.faults.iter();
        faults
            .map(|f| (f.code.to_string(), f.column.as_deref().unwrap_or_default()))
            .collect()
    }

    #[test]
    fn a_good_row_gives_a_draft() {
        let draft = row_of(" 5 ", "2026/1/7").unwrap();
        assert_eq!((draft.row, draft.on.to_string()), (7, "2026-01-07".into()));
        assert_eq!(draft.fields.get("attended"), Some(&Value::Int(5)));
    }

    #[test]
    fn everything_that_is_wrong_with_a_row_is_told_at_once() {
        let bad = row_of("five", "2026-02-30").unwrap_err();
        let number = ("number.form".to_string(), "人次");
        let day = ("date.impossible".to_string(), "occurred_on");
        assert_eq!((faults(&bad), bad.on), (vec![number.clone(), day], None));
        // The day of a bad row is kept: it may be wrong for another reason, which the desk finds.
        let bad = row_of("five", "2026-01-07").unwrap_err();
        assert_eq!(faults(&bad), [number]);
        assert_eq!(bad.on.map(|on| on.to_string()), Some("2026-01-07".into()));
        let bad = row_of(" ", "").unwrap_err();
        let missing = |name| ("field.missing".to_string(), name);
        assert_eq!(faults(&bad), [missing("occurred_on"), missing("人次")]);
    }

    #[test]
    fn faults_learn_their_row_where_it_is_added() {
        let mut parsed = Parsed::default();
        parsed.add(7, row_of("5", "2026-01-07"));
        parsed.add(8, row_of("five", "2026-01-07"));
        assert_eq!((parsed.drafts.len(), parsed.faults.len()), (1, 1));
        assert_eq!(parsed.faults[0].row, Some(8));
        assert_eq!(parsed.broken.len(), 1);
    }
}
