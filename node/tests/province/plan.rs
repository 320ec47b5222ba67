//! What is planted, and what the totals must therefore be. Nothing here uses the product's
//! counting.
//!
//! Each contribution of a training and each wage has a weight of its own, drawn from 24 bits. So a
//! total that is off by one contribution says which one it was.

use std::collections::{BTreeMap, BTreeSet};

use protocol::figure::{Counts, Figure};
use protocol::period::Month;

/// A figure's cell; a figure without tables has one.
pub type Cell = (&'static str, usize);
/// What a scope's figures say.
pub type Totals = BTreeMap<Cell, i64>;

/// One thing that happened in one unit, in the month in which it counts.
#[derive(Debug, Clone)]
pub struct Planted {
    pub unit: String,
    pub month: Month,
    pub what: String,
    pub adds: Vec<(Cell, i64)>,
}

/// Figures of a month alone.
const FLOWS: [&str; 6] = ["I1", "I1@plan", "I3", "I7", "I8", "I10"];
/// Figures that go on from month to month.
const STOCKS: [&str; 3] = ["I2", "I4", "I9"];
/// Figures whose events the plan has none of.
const UNTOUCHED: [&str; 2] = ["I21", "I22"];
/// Figures with two cells.
const SPLIT: [&str; 6] = ["I1", "I1@plan", "I2", "I4", "I8", "I9"];

fn counts_in(cell: &Cell, planted: &Planted, month: Month) -> bool {
    planted.month == month || (STOCKS.contains(&cell.0) && planted.month < month)
}

fn cells() -> impl Iterator<Item = Cell> {
    FLOWS
        .into_iter()
        .chain(STOCKS)
        .flat_map(|f| (0..if SPLIT.contains(&f) { 2 } else { 1 }).map(move |n| (f, n)))
}

/// What the plan says of these units' figures in a month. `counties` is how many there are in the
/// scope, also those that are missing.
pub fn expected(
    planted: &[Planted],
    units: &BTreeSet<String>,
    counties: usize,
    month: Month,
) -> Totals {
    let mut totals: Totals = cells().map(|c| (c, 0)).collect();
    let mut carriers: BTreeMap<&str, i64> = BTreeMap::new();
    for p in planted.iter().filter(|p| units.contains(&p.unit)) {
        for (cell, weight) in p.adds.iter().filter(|(cell, _)| counts_in(cell, p, month)) {
            *totals.get_mut(cell).expect("a known cell") += weight;
            if cell.0 == "I4" {
                *carriers.entry(&p.unit).or_default() += weight;
            }
        }
    }
    let both = |totals: &Totals, f: &'static str| totals[&(f, 0)] + totals[&(f, 1)];
    let (hired, employed) = (both(&totals, "I1"), both(&totals, "I2"));
    totals.insert(("I5", 0), hired);
    totals.insert(("I5", 1), employed);
    totals.insert(
        ("I6", 0),
        carriers.values().filter(|n| **n > 0).count() as i64,
    );
    totals.insert(("I6", 1), counties as i64);
    totals
}

/// What a rollup says, in the same form.
pub fn reported(figures: &[Figure]) -> Totals {
    let mut totals = Totals::new();
    let ids = FLOWS.into_iter().chain(STOCKS).chain(["I5", "I6"]);
    let ids: Vec<&'static str> = ids.collect();
    let (untouched, counted): (Vec<&Figure>, Vec<&Figure>) = figures
        .iter()
        .partition(|f| UNTOUCHED.contains(&f.id.as_str()));
    let zero = |f: &&Figure| f.scope().value == Some(0);
    assert!(untouched.iter().all(zero), "nothing feeds these figures");
    assert_eq!(counted.len(), ids.len(), "the plan covers every figure");
    for id in ids {
        let counts: &Counts = figures
            .iter()
            .find(|f| f.id == id)
            .expect("every figure is there")
            .scope();
        if let (Some(num), Some(den)) = (counts.num, counts.den) {
            totals.extend([((id, 0), num), ((id, 1), den)]);
        } else if let Some(table) = counts.cells.first() {
            assert_eq!(counts.cells.len(), 1);
            assert_eq!(counts.value, Some(table.iter().sum()), "{id}");
            totals.extend(table.iter().enumerate().map(|(n, v)| ((id, n), *v)));
        } else {
            totals.insert((id, 0), counts.value.expect("a counted figure"));
        }
    }
    totals
}

/// Every cell that is not as planted, each with the contributions that would explain it.
pub fn differences(
    planted: &[Planted],
    units: &BTreeSet<String>,
    counties: usize,
    month: Month,
    reported: &Totals,
) -> Vec<String> {
    let expected = expected(planted, units, counties, month);
    let mut found = Vec::new();
    for (cell, wanted) in &expected {
        let is = reported[cell];
        if is == *wanted {
            continue;
        }
        let suspects = suspects(planted, units, month, cell, is - wanted);
        let suspects = if suspects.is_empty() {
            "no single contribution explains it".to_string()
        } else {
            suspects.join(" or ")
        };
        found.push(format!(
            "{month} {}[{}] is {is} instead of {wanted}: {suspects}",
            cell.0, cell.1
        ));
    }
    assert_eq!(reported.len(), expected.len());
    found
}

/// Which contribution, or which unit's whole month, was lost or counted twice.
fn suspects(
    planted: &[Planted],
    units: &BTreeSet<String>,
    month: Month,
    cell: &Cell,
    off: i64,
) -> Vec<String> {
    // With weights of 1 everybody is a suspect: only what tells contributions apart is asked.
    if SPLIT.contains(&cell.0) || !FLOWS.contains(&cell.0) || cell.0 == "I10" {
        return Vec::new();
    }
    let mut all = Vec::new();
    let mut whole: BTreeMap<&str, i64> = BTreeMap::new();
    for p in planted {
        let weight: i64 = p
            .adds
            .iter()
            .filter(|(c, _)| c == cell && counts_in(c, p, month))
            .map(|(_, w)| w)
            .sum();
        if weight == 0 {
            continue;
        }
        *whole.entry(&p.unit).or_default() += weight;
        all.push((
            p.unit.as_str(),
            format!("{} {} {}", p.unit, p.month, p.what),
            weight,
        ));
    }
    all.extend(
        whole
            .iter()
            .map(|(unit, weight)| (*unit, format!("all of {unit} in {month}"), *weight)),
    );
    let said = |(unit, what, weight): &(&str, String, i64)| match (units.contains(*unit), off) {
        (true, off) if off == -weight => Some(format!("{what} was lost")),
        (true, off) if off == *weight => Some(format!("{what} counts twice")),
        (false, off) if off == *weight => Some(format!("{what} counts although it is missing")),
        _ => None,
    };
    all.iter().filter_map(said).collect()
}
