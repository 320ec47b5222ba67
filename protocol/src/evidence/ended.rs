//! What a unit that has ended leaves behind: its stocks end with it. No later sum of those above has
//! them, and its successors record what they take over as their own, so nothing counts twice; a
//! reader of the sums must know what left them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalogue::Catalogue;
use crate::ids::UnitId;
use crate::period::Month;
use crate::registry::Unit;
use crate::rollup::Rollup;

/// A unit's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Its last month.
    pub until: Month,
    /// Who carries on what it did.
    pub successors: Vec<UnitId>,
    /// What its stocks were at the end, by figure, where they were not 0; none where no report of
    /// its last month is here that holds.
    pub stocks: Option<BTreeMap<String, i64>>,
}

impl Ended {
    /// The end of a unit, if it has one; its report of the last month, with the catalogue that this
    /// names.
    pub(super) fn of(unit: &Unit, last: Option<(&Rollup, &Catalogue)>) -> Option<Ended> {
        Some(Ended {
            until: unit.until()?,
            successors: unit.successors().to_vec(),
            stocks: last.map(|(rollup, catalogue)| stocks(rollup, catalogue)),
        })
    }
}

fn stocks(rollup: &Rollup, catalogue: &Catalogue) -> BTreeMap<String, i64> {
    let is_stock = |id: &str| {
        let mut all = catalogue.indicators.iter();
        all.any(|i| i.id == id && i.kind.is_stock())
    };
    let figures = rollup.figures.iter().filter(|f| is_stock(&f.id));
    let held = figures.filter_map(|f| Some((f.id.clone(), f.own.value?)));
    held.filter(|(_, value)| *value != 0).collect()
}
