//! Two readings of the same figures: cell by cell before, after, and the difference.

use serde::{Deserialize, Serialize};

use super::amount::{Measure, Reading};
use super::figures::{Label, ReadableCell, ReadableFigure, ReadableTable};

/// A number before and after. Where one of them is missing, its catalogue had no such figure or
/// cell; then there is no difference to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Before.
    pub before: Option<Reading>,
    /// After.
    pub after: Option<Reading>,
    /// After less before, of what is counted; money in 分. Ratios have none.
    pub difference: Option<i64>,
    /// The same as people read it, with its sign: `+3 人`, `-1.00 元`; empty where there is none.
    pub text: String,
}

impl Change {
    fn between(before: Option<&Reading>, after: Option<&Reading>, measure: &Measure) -> Change {
        let value = |reading: Option<&Reading>| reading.and_then(|r| r.value);
        let both = value(before).zip(value(after));
        // Documents carry whole numbers of 54 bits: a difference of two never leaves an i64.
        let difference = both.map(|(before, after)| after.saturating_sub(before));
        Change {
            before: before.cloned(),
            after: after.cloned(),
            difference,
            text: difference.map_or_else(String::new, |n| measure.difference(n)),
        }
    }

    /// Whether before and after are two.
    pub fn is_change(&self) -> bool {
        self.before != self.after
    }
}

/// How one figure changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureChange {
    /// Figure id.
    pub id: String,
    /// Its name after; where it is gone, before.
    pub name: Label,
    /// Unit of measure of the texts.
    pub unit: String,
    /// What the unit itself recorded.
    pub own: Change,
    /// With all units below.
    pub total: Change,
    /// Whether there are units below in it: then `own` and `total` are two things.
    pub summed: bool,
    /// The cells of its breakdowns that changed.
    pub cells: Vec<CellChange>,
}

impl FigureChange {
    /// Whether anything of it changed, a cell included.
    pub fn is_change(&self) -> bool {
        self.own.is_change() || self.total.is_change() || !self.cells.is_empty()
    }
}

/// How one cell changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellChange {
    /// Ids of the table's dimensions joined by `*`.
    pub table: String,
    /// Their names.
    pub dimensions: Vec<Label>,
    /// Codes joined by `*`.
    pub cell: String,
    /// Their labels.
    pub labels: Vec<Label>,
    /// What the unit itself recorded.
    pub own: Change,
    /// With all units below.
    pub total: Change,
}

/// Every figure that is in either, in the order of those after, then those that are gone. Figures
/// are matched by id, cells by table and code, so that two catalogues can be compared.
pub fn compare(before: &[ReadableFigure], after: &[ReadableFigure]) -> Vec<FigureChange> {
    let find = |list: &'_ [ReadableFigure], id: &str| list.iter().position(|f| f.id == id);
    let stayed = after.iter().map(|now| {
        let then = find(before, &now.id).map(|place| &before[place]);
        of_figure(then, Some(now), now)
    });
    let gone = before
        .iter()
        .filter(|then| find(after, &then.id).is_none())
        .map(|then| of_figure(Some(then), None, then));
    stayed.chain(gone).collect()
}

fn of_figure(
    before: Option<&ReadableFigure>,
    after: Option<&ReadableFigure>,
    named: &ReadableFigure,
) -> FigureChange {
    let reading = |pick: fn(&ReadableFigure) -> &Reading| {
        Change::between(before.map(pick), after.map(pick), &named.measure)
    };
    FigureChange {
        id: named.id.clone(),
        name: named.name.clone(),
        unit: named.unit.clone(),
        own: reading(|f| &f.own),
        total: reading(|f| &f.total),
        summed: before.is_some_and(|f| f.summed) || after.is_some_and(|f| f.summed),
        cells: cells(before, after, &named.measure),
    }
}

/// A cell with its table.
type Placed<'a> = (&'a ReadableTable, &'a ReadableCell);

fn placed(figure: Option<&ReadableFigure>) -> Vec<Placed<'_>> {
    let tables = figure.into_iter().flat_map(|f| &f.tables);
    tables
        .flat_map(|t| t.cells.iter().map(move |c| (t, c)))
        .collect()
}

fn is_same((table, cell): &Placed<'_>, other: &Placed<'_>) -> bool {
    table.table == other.0.table && cell.cell == other.1.cell
}

fn cells(
    before: Option<&ReadableFigure>,
    after: Option<&ReadableFigure>,
    measure: &Measure,
) -> Vec<CellChange> {
    let (then, now) = (placed(before), placed(after));
    let stayed = now.iter().enumerate().map(|(place, cell)| {
        // Most often nothing moved: the same place is looked at first.
        let same = then.get(place).filter(|c| is_same(c, cell));
        (
            same.or_else(|| then.iter().find(|c| is_same(c, cell))),
            Some(cell),
        )
    });
    let gone = then
        .iter()
        .filter(|cell| !now.iter().any(|c| is_same(c, cell)))
        .map(|cell| (Some(cell), None));
    let changes = stayed
        .chain(gone)
        .filter_map(|(then, now)| of_cell(then, now, measure));
    changes.collect()
}

fn of_cell(
    before: Option<&Placed<'_>>,
    after: Option<&Placed<'_>>,
    measure: &Measure,
) -> Option<CellChange> {
    let (table, cell) = after.or(before)?;
    let reading = |pick: fn(&ReadableCell) -> &Reading| {
        let of = |placed: Option<&Placed<'_>>| placed.map(|(_, cell)| pick(cell).clone());
        Change::between(of(before).as_ref(), of(after).as_ref(), measure)
    };
    let (own, total) = (reading(|c| &c.own), reading(|c| &c.total));
    (own.is_change() || total.is_change()).then(|| CellChange {
        table: table.table.clone(),
        dimensions: table.dimensions.clone(),
        cell: cell.cell.clone(),
        labels: cell.labels.clone(),
        own,
        total,
    })
}
