//! The units directly below in one month: who has not reported, who says what of one figure, and
//! what changed since this unit closed.

use chrono::{DateTime, Utc};
use protocol::digest::Digest;
use protocol::ids::{Tier, UnitId};
use protocol::period::{Month, china_day};
use protocol::readable::{self, Label, ReadableFigure, Reading, names};
use protocol::receipt::Decision;
use protocol::rollup::{HeldRollup, Rollup};
use serde::{Deserialize, Serialize};

use super::child_report::name_of;
use super::figures::catalogue_of;
use crate::books::Books;
use crate::books::children::Child;
use crate::fault::{Fault, FaultCode, Faults};
use crate::review;

/// How a unit's month stands with this unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BelowState {
    /// Nothing came (未报).
    NotIn,
    /// It came and cannot be checked yet (校验中).
    Checking,
    /// It waits for a person's decision (待审核).
    ToDecide,
    /// 审核通过.
    Accepted,
    /// 退回.
    Returned,
    /// 校验未通过.
    Rejected,
    /// 撤销通过.
    Reopened,
}

impl BelowState {
    /// In words.
    pub fn name(self) -> Label {
        match self {
            BelowState::NotIn => Label::new("未报", "not in"),
            BelowState::Checking => Label::new("校验中", "being checked"),
            BelowState::ToDecide => Label::new("待审核", "to decide"),
            BelowState::Accepted => Label::new("审核通过", "accepted"),
            BelowState::Returned => Label::new("退回", "returned"),
            BelowState::Rejected => Label::new("校验未通过", "rejected"),
            BelowState::Reopened => Label::new("撤销通过", "reopened"),
        }
    }
}

/// A unit directly below and its month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// Who.
    pub unit: UnitId,
    /// Name.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// How it stands.
    pub state: BelowState,
    /// The same in words.
    pub state_name: Label,
    /// The last revision that came.
    pub revision: Option<u32>,
    /// The last day to be on time.
    pub due: String,
    /// Days since then; none while it is not over, or once a report came.
    pub overdue: Option<i64>,
}

fn state(books: &Books, child: Option<&Child>, held: Option<&HeldRollup>) -> BelowState {
    let (Some(child), Some(held)) = (child, held) else {
        return BelowState::NotIn;
    };
    match child.decision(&held.digest()) {
        Some(Decision::Accepted) => BelowState::Accepted,
        Some(Decision::Returned) => BelowState::Returned,
        Some(Decision::Rejected) => BelowState::Rejected,
        Some(Decision::Reopened) => BelowState::Reopened,
        None if review::waits(books, held).is_some() => BelowState::Checking,
        None => BelowState::ToDecide,
    }
}

/// Every unit that reports here in a month, in the registry's order, whether anything came or not.
pub fn expected(books: &Books, month: Month, now: DateTime<Utc>) -> Vec<Expected> {
    let registry = books.registry().map(|registry| registry.registry());
    let units = registry.map(|registry| registry.children(books.unit(), month));
    let reporting = books.reporting(month);
    let all = units.into_iter().flatten().map(|unit| {
        let child = books.child(&unit.id);
        let held = child.and_then(|child| child.latest(month));
        let state = state(books, child, held.map(|held| &**held));
        let due = reporting.due(unit.tier, month);
        let days = (china_day(now) - due).num_days();
        Expected {
            unit: unit.id.clone(),
            name: unit.placement(month).name,
            tier: unit.tier,
            state,
            state_name: state.name(),
            revision: held.map(|held| held.rollup.revision),
            due: due.to_string(),
            overdue: (state == BelowState::NotIn && days > 0).then_some(days),
        }
    });
    all.collect()
}

/// The units of a month whose report is not accepted.
pub fn missing(books: &Books, month: Month, now: DateTime<Utc>) -> Vec<Expected> {
    let mut all = expected(books, month, now);
    all.retain(|unit| unit.state != BelowState::Accepted);
    all
}

/// What one unit says of a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitRow {
    /// Who.
    pub unit: UnitId,
    /// Name.
    pub name: String,
    /// How its month stands; none of this unit itself.
    pub state: Option<BelowState>,
    /// The same in words: 本级 of this unit itself.
    pub state_name: Label,
    /// The revision that is shown: the accepted one, else the last that came.
    pub revision: Option<u32>,
    /// The figure with everything below; none where nothing came.
    pub total: Option<Reading>,
    /// The chosen cells, in the order of `columns`; none where nothing came.
    pub cells: Vec<Option<Reading>>,
}

/// A column of chosen cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellColumn {
    /// Ids of the table's dimensions joined by `*`.
    pub table: String,
    /// Codes joined by `*`.
    pub cell: String,
    /// Their labels.
    pub labels: Vec<Label>,
}

/// One figure of every unit directly below, side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureTable {
    /// Month.
    pub period: Month,
    /// Figure id.
    pub figure: String,
    /// Its name.
    pub name: Label,
    /// The chosen cells.
    pub columns: Vec<CellColumn>,
    /// Every unit that reports here in this month, then this unit itself where it has closed.
    pub rows: Vec<UnitRow>,
}

fn unknown(what: &str) -> Faults {
    let fault = Fault::new(
        FaultCode::FiguresUnknown,
        "指标目录中没有这个指标、分组或单元格",
        "the catalogue has no figure, table or cell of this name",
    );
    Faults(vec![fault.column(what)])
}

/// One figure of every unit directly below in a month. `figure` is an id or a name; each of `by` is
/// a table (`sex`, 性别), which stands for all its cells, or a cell (`sex:2`, 女).
///
/// # Errors
/// No such figure, table or cell.
pub fn table(
    books: &Books,
    month: Month,
    figure: &str,
    by: &[String],
    now: DateTime<Utc>,
) -> Result<FigureTable, Faults> {
    let counting = crate::desk::counting(books)?;
    let catalogue = &counting.catalogue;
    let named = names(catalogue);
    let by_id = named.iter().find(|(id, _)| id == figure);
    let called = |(_, name): &&(String, Label)| name.zh == figure || name.en == figure;
    let found = by_id.or_else(|| named.iter().find(called));
    let (id, name) = found.ok_or_else(|| unknown("figure"))?;
    let columns = columns(catalogue, id, by)?;
    let mut rows = Vec::new();
    for unit in expected(books, month, now) {
        let child = books.child(&unit.unit);
        let held = child.and_then(|c| c.accepted(month).or(c.latest(month)));
        let (total, cells) = readings(books, held.map(|held| &**held), id, &columns)?;
        rows.push(UnitRow {
            unit: unit.unit,
            name: unit.name,
            state: Some(unit.state),
            state_name: unit.state_name,
            revision: held.map(|held| held.rollup.revision),
            total,
            cells,
        });
    }
    let own = books.rollups().range(month.revisions()).next_back();
    if let Some((_, own)) = own {
        let (total, cells) = readings(books, Some(own.held()), id, &columns)?;
        rows.push(UnitRow {
            unit: books.unit().clone(),
            name: name_of(books, books.unit(), month),
            state: None,
            state_name: Label::new("本级", "this unit"),
            revision: Some(own.held().rollup.revision),
            total,
            cells,
        });
    }
    Ok(FigureTable {
        period: month,
        figure: id.clone(),
        name: name.clone(),
        columns,
        rows,
    })
}

/// The chosen cells of a figure by the catalogue in force.
fn columns(
    catalogue: &protocol::catalogue::Catalogue,
    id: &str,
    by: &[String],
) -> Result<Vec<CellColumn>, Faults> {
    let empty = protocol::figure::Figure {
        id: id.to_string(),
        basis: protocol::figure::Basis::Proven,
        own: protocol::figure::Counts::default(),
        sum: None,
    };
    let read = readable::figures(&[empty], catalogue);
    let mut columns = Vec::new();
    for name in by {
        let cells = read.first().map(|f| f.cells(name)).unwrap_or_default();
        if cells.is_empty() {
            return Err(unknown("by"));
        }
        columns.extend(cells.into_iter().map(|(table, cell)| CellColumn {
            table: table.table.clone(),
            cell: cell.cell.clone(),
            labels: cell.labels.clone(),
        }));
    }
    Ok(columns)
}

/// A figure's total and chosen cells.
type Readings = (Option<Reading>, Vec<Option<Reading>>);

fn readings(
    books: &Books,
    held: Option<&HeldRollup>,
    id: &str,
    columns: &[CellColumn],
) -> Result<Readings, Faults> {
    // A report by an earlier catalogue may not have the figure: then there is nothing to show.
    let figure = match held {
        Some(held) => figure_of(books, held, id)?,
        None => None,
    };
    let figure = figure.as_ref();
    let cells = columns.iter().map(|column| {
        let table = figure?.tables.iter().find(|t| t.table == column.table)?;
        let cell = table.cells.iter().find(|c| c.cell == column.cell)?;
        Some(cell.total.clone())
    });
    Ok((figure.map(|f| f.total.clone()), cells.collect()))
}

/// One figure of a report: the others need not be read.
fn figure_of(books: &Books, held: &HeldRollup, id: &str) -> Result<Option<ReadableFigure>, Faults> {
    let catalogue = catalogue_of(books, held)?;
    let figure = held.rollup.figure(id).map(std::slice::from_ref);
    Ok(figure.and_then(|one| readable::figures(one, catalogue).pop()))
}

/// What came from below after this unit closed a month: its report of that month does not have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedBelow {
    /// Month.
    pub period: Month,
    /// Who.
    pub unit: UnitId,
    /// Name.
    pub name: String,
    /// The revision that this unit's report rests on; none where it named the unit as missing.
    pub used: Option<u32>,
    /// The revision that is here now.
    pub now: u32,
    /// Digest of that one.
    pub digest: Digest,
    /// Whether it is accepted; else it waits for that.
    pub accepted: bool,
}

/// Everything that came from below after this unit closed its month, and that no revision of its own
/// has taken up.
pub fn changed(books: &Books) -> Vec<ChangedBelow> {
    let mut months: Vec<&Rollup> = Vec::new();
    for own in books.rollups().values() {
        let rollup = &own.held().rollup;
        months.retain(|m| m.period != rollup.period);
        months.push(rollup);
    }
    let changed = months
        .into_iter()
        .flat_map(|rollup| changed_since(books, rollup));
    changed.collect()
}

fn changed_since(books: &Books, rollup: &Rollup) -> Vec<ChangedBelow> {
    let month = rollup.period;
    let children = books.children().values();
    let ours = children.filter(|c| c.unit().parent_in(month) == Some(books.unit()));
    let changed = ours.filter_map(|child| {
        let unit = &child.unit().id;
        let used = rollup.children.iter().find(|c| c.unit == *unit);
        let accepted = child.accepted(month);
        let held = match accepted {
            Some(held) => held,
            // Nothing is accepted: a report that came late, or a new revision, waits.
            None => child.latest(month).filter(|held| {
                let word = child.decision(&held.digest());
                word.is_none()
            })?,
        };
        let digest = held.digest();
        let is_new = used.is_none_or(|used| used.rollup != digest);
        is_new.then(|| ChangedBelow {
            period: month,
            name: name_of(books, unit, month),
            unit: unit.clone(),
            used: used.map(|used| used.revision),
            now: held.rollup.revision,
            digest,
            accepted: accepted.is_some(),
        })
    });
    changed.collect()
}
