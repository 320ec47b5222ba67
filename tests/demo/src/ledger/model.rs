//! What a ledger is: units, months, and what is to be put right later.

use std::io;
use std::path::Path;

use protocol::ids::{Tier, UnitId};
use protocol::period::Month;

use super::sheet::{MonthLedger, Sheet};

/// A unit to write a ledger for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerUnit {
    /// Its id.
    pub id: UnitId,
    /// Its tier.
    pub tier: Tier,
    /// To whom it reports; the counties of one parent share out the city's numbers.
    pub parent: Option<UnitId>,
}

/// What to generate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerOptions {
    /// Everything random follows from it.
    pub seed: u64,
    /// The calendar year.
    pub year: i32,
    /// The units, in any order.
    pub units: Vec<LedgerUnit>,
}

/// The ledgers of all units, and what is to be corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// One for each unit, by id.
    pub units: Vec<UnitLedger>,
    /// By the month in which they are made.
    pub corrections: Vec<Correction>,
}

/// A unit's year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitLedger {
    /// The unit.
    pub unit: UnitId,
    /// January to December.
    pub months: Vec<MonthLedger>,
}

/// Names one row of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowRef {
    /// Month of the file.
    pub month: Month,
    /// Code of the event type, for example `E16`.
    pub event: &'static str,
    /// Row, counted from 0, without the heading.
    pub row: usize,
}

/// How a row is corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorrectionKind {
    /// E70: it should not be there.
    Void,
    /// E69: this row replaces it, same columns.
    Correct(Vec<String>),
}

/// Something that was recorded wrongly and is put right in a later month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The unit.
    pub unit: UnitId,
    /// The month in which it is noticed, after that month's files are recorded.
    pub month: Month,
    /// The row that is wrong.
    pub target: RowRef,
    /// What is done.
    pub kind: CorrectionKind,
    /// Code of the reason, as E69 or E70 have it.
    pub reason: &'static str,
}

impl Ledger {
    /// The ledger of a unit.
    pub fn unit(&self, id: &UnitId) -> Option<&UnitLedger> {
        self.units.iter().find(|u| &u.unit == id)
    }

    /// Writes `<dir>/<unit>/<YYYY-MM>/<NN>-<event code>.csv` and gives the number of files.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write_to(&self, dir: &Path) -> io::Result<usize> {
        let mut files = 0;
        for unit in &self.units {
            for month in &unit.months {
                let folder = dir.join(unit.unit.as_str()).join(month.month.to_string());
                std::fs::create_dir_all(&folder)?;
                for sheet in &month.sheets {
                    std::fs::write(folder.join(sheet.file_name()), sheet.to_csv())?;
                    files += 1;
                }
            }
        }
        Ok(files)
    }
}

impl UnitLedger {
    /// The month's files.
    pub fn month(&self, month: Month) -> Option<&MonthLedger> {
        self.months.iter().find(|m| m.month == month)
    }
    /// The file and the cells of a row, the day first.
    pub fn row(&self, at: &RowRef) -> Option<(&Sheet, &[String])> {
        let sheet = self
            .month(at.month)?
            .sheets
            .iter()
            .find(|s| s.event == at.event)?;
        Some((sheet, sheet.rows.get(at.row)?))
    }
    /// Number of events of the year.
    pub fn events(&self) -> usize {
        self.months
            .iter()
            .flat_map(|m| &m.sheets)
            .map(|s| s.rows.len())
            .sum()
    }
}
