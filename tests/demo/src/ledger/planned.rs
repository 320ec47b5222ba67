//! Corrections that are decided while a year is made up, before its rows have their places.

use super::model::{Correction, CorrectionKind, RowRef, UnitLedger};

/// A correction before its row has a place in a file.
pub(super) struct Planned {
    pub(super) month: u32,
    pub(super) target_month: u32,
    pub(super) event: &'static str,
    pub(super) row: Vec<String>,
    pub(super) kind: CorrectionKind,
    pub(super) reason: &'static str,
}

impl Planned {
    /// Finds the row in the sorted files.
    pub(super) fn place(self, ledger: &UnitLedger) -> Option<Correction> {
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
