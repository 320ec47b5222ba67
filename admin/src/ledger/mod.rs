//! A synthetic ledger: what the counties, cities and provinces of a demonstration would have
//! recorded in a year.
//!
//! Nobody in it exists. Every ID number begins with 999999, an area that GB/T 2260 does not have,
//! with a valid check digit; every credit code carries the area 999999; names are 测试甲001 and so
//! on. The same options give the same bytes.
//!
//! A unit's year is written as one CSV file per month and event type, numbered so that recording
//! them in order is valid (registrations before hires, closures last). The opening population is
//! dated before the year and stands in January. The numbers are made so that, for a city of five
//! counties such as 阳泉 140300, some targets of its plan are met and some are missed, on purpose
//! and for every seed; which county falls short of what is told in [`Traits`].
//!
//! Reading order: this file, [`sheet`] (the files), [`person`] (numbers of persons), [`county`] (a
//! county's year), [`offices`] (carriers, posts, inspections; cities and provinces).

mod county;
mod offices;
mod person;
mod random;
mod sheet;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use protocol::ids::{Tier, UnitId};
use protocol::period::Month;

use random::Random;
use sheet::Pages;
pub use sheet::{COLUMNS, MonthLedger, Sheet};

/// The seed of the demonstration.
pub const DEFAULT_SEED: u64 = 2023;

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

/// What is peculiar to a county, by its place among its siblings: so that a city of five shows
/// every case once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Traits {
    place: usize,
}

impl Traits {
    /// All four services done for everybody by the end of the year.
    fn all_served(self) -> bool {
        matches!(self.place, 0 | 2 | 3)
    }
    /// Has a demonstration sheltered organisation, from this month on (0: since before the year).
    fn demonstration(self) -> Option<u32> {
        [Some(0), Some(4), Some(6), Some(9), None][self.place]
    }
    /// Its agency is standardised from this month on.
    fn standardised(self) -> u32 {
        [0, 0, 5, 8, 11][self.place]
    }
    /// Rounds of inspection and evaluation in the year; the plan asks for two.
    fn rounds(self) -> u32 {
        if self.place == 2 { 1 } else { 2 }
    }
    /// Reserves fewer than 10 % of the new outlets.
    fn few_outlets(self) -> bool {
        self.place == 1
    }
    /// Gives fewer than 5 % of the new welfare posts to disabled persons.
    fn few_posts(self) -> bool {
        self.place == 3
    }
    /// Leaves one blind person who wants massage training without it.
    fn massage_gap(self) -> bool {
        self.place == 1
    }
    /// Declares a part of its opening stock as numbers (E66).
    fn baseline(self) -> bool {
        self.place == 3
    }
    /// Vocational trainings of the year, 人次: five counties together 412.
    fn vocational(self) -> usize {
        [100, 89, 79, 71, 73][self.place]
    }
    /// Rural practical trainings, 人次: together 74.
    fn rural(self) -> usize {
        [17, 15, 14, 12, 16][self.place]
    }
    /// Persons with industry support: together 126.
    fn industry(self) -> usize {
        [28, 23, 29, 22, 24][self.place]
    }
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

/// A correction before its row has a place in a file.
pub(crate) struct Planned {
    month: u32,
    target_month: u32,
    event: &'static str,
    row: Vec<String>,
    kind: CorrectionKind,
    reason: &'static str,
}

/// Generates the ledgers of all units.
pub fn generate(options: &LedgerOptions) -> Ledger {
    let mut units: Vec<&LedgerUnit> = options.units.iter().collect();
    units.sort_by(|a, b| a.id.cmp(&b.id));
    units.dedup_by(|a, b| a.id == b.id);
    let mut siblings: BTreeMap<Option<&UnitId>, usize> = BTreeMap::new();
    let mut numbers = BTreeSet::new();
    let mut ledger = Ledger {
        units: Vec::new(),
        corrections: Vec::new(),
    };
    for unit in units {
        let mut random = Random::new(options.seed, unit.id.as_str());
        let mut pages = Pages::new(options.year);
        let mut planned = Vec::new();
        match unit.tier {
            Tier::County => {
                let place = siblings.entry(unit.parent.as_ref()).or_default();
                let traits = Traits { place: *place % 5 };
                *place += 1;
                offices::county(&unit.id, traits, &mut random, &mut pages);
                planned = county::year(
                    &unit.id,
                    traits,
                    options.year,
                    &mut random,
                    &mut numbers,
                    &mut pages,
                );
            }
            Tier::City => offices::city(&unit.id, &mut random, &mut pages),
            Tier::Province => offices::province(&unit.id, &mut random, &mut pages),
        }
        let written = UnitLedger {
            unit: unit.id.clone(),
            months: pages.finish(),
        };
        ledger
            .corrections
            .extend(planned.into_iter().filter_map(|p| p.place(&written)));
        ledger.units.push(written);
    }
    ledger
        .corrections
        .sort_by(|a, b| (a.month, &a.unit, &a.target).cmp(&(b.month, &b.unit, &b.target)));
    ledger
}

impl Planned {
    /// Finds the row in the sorted files.
    fn place(self, ledger: &UnitLedger) -> Option<Correction> {
        let at = |number: u32| ledger.months.get(number as usize - 1);
        let file = at(self.target_month)?;
        let sheet = file.sheets.iter().find(|s| s.event == self.event)?;
        let row = sheet.rows.iter().position(|r| *r == self.row)?;
        Some(Correction {
            unit: ledger.unit.clone(),
            month: at(self.month)?.month,
            target: RowRef {
                month: file.month,
                event: self.event,
                row,
            },
            kind: self.kind,
            reason: self.reason,
        })
    }
}
