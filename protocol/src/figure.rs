//! Figures: tables of integers, and the algebra that adds them.
//!
//! One set of functions computes a month's figures from column sums, last month's figures and the
//! children's figures; the desk closes with it and every verifier checks with it, so there is one
//! arithmetic.
//!
//! * A flow (人次, 人, 分) of a month is the month's net sum. A stock is last month's stock plus
//!   what came in minus what went out. A ratio or coverage travels as numerator and denominator,
//!   never as a percentage.
//! * `own` is what this unit's own log says; `sum` is own plus all children, and is there only
//!   where there are children.
//! * `declared` is the part of a stock that rests on a declared opening number (E66) and on nothing
//!   else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalogue::{AMOUNT_BITS, Catalogue, EventType, Indicator, Kind, table_name};
use crate::count::MoveKind;
use crate::ids::Tier;
use crate::row::{Block, Schema, Sums};

/// What a figure rests on. The weakest part decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// Signed only: some part of it is neither committed nor recorded in clear.
    Declared,
    /// An integer function of proven figures.
    Derived,
    /// The sum of committed or clear rows.
    Proven,
}

impl Basis {
    /// For pages: 已证 / 推算 / 申报.
    pub fn zh(self) -> &'static str {
        match self {
            Basis::Proven => "已证",
            Basis::Derived => "推算",
            Basis::Declared => "申报",
        }
    }
    /// For tables.
    pub fn en(self) -> &'static str {
        match self {
            Basis::Proven => "proven",
            Basis::Derived => "derived",
            Basis::Declared => "declared",
        }
    }
}

/// The numbers of one figure in one scope.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// The value of a counted figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// Numerator of a ratio or coverage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num: Option<i64>,
    /// Denominator of a ratio or coverage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub den: Option<i64>,
    /// The declared tables, cell by cell in the catalogue's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<Vec<i64>>,
    /// The part of `value` that is a declared opening number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub declared: i64,
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}

/// One figure of a rollup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Figure id, for example `I011` or `I011@plan`.
    pub id: String,
    /// What it rests on.
    pub basis: Basis,
    /// The unit's own log.
    pub own: Counts,
    /// Own and all children; absent where there are no children.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<Counts>,
}

impl Figure {
    /// The numbers of the whole scope: the sum where there is one, else the own ones.
    pub fn scope(&self) -> &Counts {
        self.sum.as_ref().unwrap_or(&self.own)
    }
}

/// A sum outside the range of whole numbers that documents carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("figure {0}: the sum is out of range [figure.range]")]
pub struct RangeError(pub String);

impl Counts {
    fn of(indicator: &Indicator, catalogue: &Catalogue) -> Counts {
        if indicator.kind.is_counted() {
            let cells = indicator
                .tables
                .iter()
                .map(|t| vec![0; catalogue.cells(t).len()])
                .collect();
            Counts {
                value: Some(0),
                cells,
                ..Counts::default()
            }
        } else {
            Counts {
                num: Some(0),
                den: Some(0),
                ..Counts::default()
            }
        }
    }

    /// Adds other numbers of the same figure.
    ///
    /// # Errors
    /// Another shape, or an overflow: hostile figures are refused, not wrapped.
    pub fn add(&mut self, other: &Counts, id: &str) -> Result<(), RangeError> {
        let wrong = || RangeError(id.to_string());
        let plus = |a: i64, b: i64| {
            a.checked_add(b)
                .filter(|n| n.unsigned_abs() < 1 << 53)
                .ok_or_else(wrong)
        };
        for (a, b) in [
            (&mut self.value, other.value),
            (&mut self.num, other.num),
            (&mut self.den, other.den),
        ] {
            *a = match (*a, b) {
                (Some(a), Some(b)) => Some(plus(a, b)?),
                (None, None) => None,
                _ => return Err(wrong()),
            };
        }
        self.declared = plus(self.declared, other.declared)?;
        if self.cells.len() != other.cells.len() {
            return Err(wrong());
        }
        for (table, more) in self.cells.iter_mut().zip(&other.cells) {
            if table.len() != more.len() {
                return Err(wrong());
            }
            for (a, b) in table.iter_mut().zip(more) {
                *a = plus(*a, *b)?;
            }
        }
        Ok(())
    }

    /// Whether the cells of every declared table add up to the value.
    pub fn is_consistent(&self) -> bool {
        self.cells
            .iter()
            .all(|t| t.iter().try_fold(0_i64, |a, b| a.checked_add(*b)) == self.value)
    }
}

/// All figures of a catalogue, zero, in the catalogue's order.
pub fn zeros(catalogue: &Catalogue) -> Vec<Figure> {
    catalogue
        .indicators
        .iter()
        .flat_map(|i| {
            i.figure_ids().into_iter().map(move |id| Figure {
                id,
                basis: if i.kind.is_counted() {
                    Basis::Proven
                } else {
                    Basis::Derived
                },
                own: Counts::of(i, catalogue),
                sum: None,
            })
        })
        .collect()
}

/// A unit's own figures for a month.
///
/// `sums` are the net column sums of the month's leaves, sealed and clear together; `last` are the
/// figures of the previous month's rollup (none in the unit's first month).
///
/// # Errors
/// A sum out of range.
pub fn own(
    catalogue: &Catalogue,
    tier: Tier,
    sums: &Sums,
    last: Option<&[Figure]>,
) -> Result<Vec<Figure>, RangeError> {
    let mut figures = zeros(catalogue);
    if let Some(last) = last {
        carry_stocks(catalogue, &mut figures, last);
    }
    let position: BTreeMap<String, usize> = figures
        .iter()
        .enumerate()
        .map(|(n, f)| (f.id.clone(), n))
        .collect();
    for (event, columns) in sums {
        let Some(event) = catalogue.event(event) else {
            continue;
        };
        let schema = Schema::of(catalogue, event);
        for block in schema.blocks() {
            let figure = position.get(&block.figure);
            if let Some(figure) = figure.and_then(|&n| figures.get_mut(n)) {
                add_block(catalogue, figure, event, block, columns)?;
            }
        }
    }
    quotients(catalogue, tier, &mut figures, &position);
    settle_basis(catalogue, &mut figures);
    Ok(figures)
}

/// A stock begins where the last month's ended (SPEC 7, step 1).
fn carry_stocks(catalogue: &Catalogue, figures: &mut [Figure], last: &[Figure]) {
    for figure in figures {
        let indicator = catalogue.indicator(&figure.id);
        if indicator.is_some_and(|i| i.kind.is_stock())
            && let Some(before) = last.iter().find(|f| f.id == figure.id)
        {
            figure.own = before.own.clone();
        }
    }
}

/// Adds the columns of one block to its figure (SPEC 7, step 2).
fn add_block(
    catalogue: &Catalogue,
    figure: &mut Figure,
    event: &EventType,
    block: &Block,
    columns: &[i64],
) -> Result<(), RangeError> {
    let Some(indicator) = catalogue.indicator(&figure.id) else {
        return Ok(());
    };
    let range = || RangeError(block.figure.clone());
    let sum = columns
        .get(block.start..block.start + block.width)
        .unwrap_or_default();
    let sign = if block.kind == MoveKind::Out { -1 } else { 1 };
    let mut delta = Counts::of(indicator, catalogue);
    let mut total = 0_i64;
    if block.kind == MoveKind::Amount {
        for (bit, x) in sum.iter().enumerate().take(AMOUNT_BITS) {
            let amount = x.checked_mul(1 << bit).ok_or_else(range)?;
            total = total.checked_add(amount).ok_or_else(range)?;
        }
    } else {
        let mut cells = delta.cells.get_mut(block.table);
        let counting = sum.len().saturating_sub(1);
        for (cell, x) in sum.iter().take(counting).enumerate() {
            total = total.checked_add(*x).ok_or_else(range)?;
            if let Some(slot) = cells.as_mut().and_then(|cells| cells.get_mut(cell)) {
                *slot = x.checked_mul(sign).ok_or_else(range)?;
            }
        }
    }
    if block.table == 0 {
        let signed = total.checked_mul(sign).ok_or_else(range)?;
        delta.value = Some(signed);
        if event.effect.baseline {
            delta.declared = signed;
        }
    }
    figure.own.add(&delta, &block.figure)
}

/// Quotients follow from the own values of their parts (SPEC 7, step 3).
fn quotients(
    catalogue: &Catalogue,
    tier: Tier,
    figures: &mut [Figure],
    position: &BTreeMap<String, usize>,
) {
    let value = |figures: &[Figure], id: &str| {
        let figure = position.get(id).and_then(|&n| figures.get(n));
        figure.and_then(|f| f.own.value).unwrap_or(0)
    };
    for n in 0..figures.len() {
        let Some(i) = catalogue.indicator(&figures[n].id) else {
            continue;
        };
        if !matches!(i.kind, Kind::Ratio | Kind::Coverage) {
            continue;
        }
        let (num, den) = match i.per {
            Some(per) if per == tier => (i64::from(value(figures, &i.met) >= 1), 1),
            Some(_) => (0, 0),
            None => (value(figures, &i.num), value(figures, &i.den)),
        };
        figures[n].own.num = Some(num);
        figures[n].own.den = Some(den);
    }
}

/// Adds the children's scopes to the own figures. `absent` gives, for each tier, how many units are
/// below the children that are missing: a coverage over units counts them as not covered instead of
/// forgetting them.
///
/// # Errors
/// A child's figure of another shape, or a sum out of range.
pub fn with_children(
    catalogue: &Catalogue,
    own: Vec<Figure>,
    children: &[&[Figure]],
    absent: &BTreeMap<Tier, i64>,
) -> Result<Vec<Figure>, RangeError> {
    let mut figures = own;
    for figure in &mut figures {
        let mut sum = figure.own.clone();
        for child in children {
            let theirs = child
                .iter()
                .find(|f| f.id == figure.id)
                .ok_or_else(|| RangeError(figure.id.clone()))?;
            sum.add(theirs.scope(), &figure.id)?;
        }
        if let Some(per) = catalogue.indicator(&figure.id).and_then(|i| i.per)
            && let Some(den) = &mut sum.den
        {
            *den += absent.get(&per).copied().unwrap_or(0);
        }
        figure.sum = Some(sum);
    }
    settle_basis(catalogue, &mut figures);
    Ok(figures)
}

/// A figure is declared where a declared number is part of it, or of what it is derived from.
fn settle_basis(catalogue: &Catalogue, figures: &mut [Figure]) {
    let declared: Vec<String> = figures
        .iter()
        .filter(|f| f.own.declared != 0 || f.scope().declared != 0)
        .map(|f| f.id.clone())
        .collect();
    for figure in figures {
        let Some(i) = catalogue.indicator(&figure.id) else {
            continue;
        };
        let parts = [&figure.id, &i.num, &i.den, &i.met];
        figure.basis = if parts.iter().any(|p| declared.contains(p)) {
            Basis::Declared
        } else if i.kind.is_counted() {
            Basis::Proven
        } else {
            Basis::Derived
        };
    }
}

/// The first difference between two lists of figures: where, what is there, what follows from the
/// parts.
///
/// # Errors
/// The difference.
pub fn same(
    catalogue: &Catalogue,
    published: &[Figure],
    expected: &[Figure],
) -> Result<(), Difference> {
    for e in expected {
        let id = || e.id.clone();
        let p = published
            .iter()
            .find(|p| p.id == e.id)
            .ok_or_else(|| Difference::Missing(id()))?;
        for (scope, p, e) in [
            ("own", Some(&p.own), Some(&e.own)),
            ("sum", p.sum.as_ref(), e.sum.as_ref()),
        ] {
            match (p, e) {
                (None, None) => {}
                (Some(p), Some(e)) => {
                    same_counts(catalogue, &id(), p, e).map_err(|part| Difference::Counts {
                        figure: id(),
                        scope,
                        part,
                    })?;
                }
                _ => return Err(Difference::SumPresence(id())),
            }
        }
        if p.basis != e.basis {
            return Err(Difference::Basis {
                figure: id(),
                published: p.basis,
                expected: e.basis,
            });
        }
    }
    if let Some(extra) = published
        .iter()
        .find(|p| !expected.iter().any(|e| e.id == p.id))
    {
        return Err(Difference::Extra(extra.id.clone()));
    }
    if published.len() != expected.len() {
        return Err(Difference::Twice);
    }
    Ok(())
}

fn same_counts(
    catalogue: &Catalogue,
    id: &str,
    published: &Counts,
    expected: &Counts,
) -> Result<(), PartDifference> {
    for (name, p, e) in [
        ("value", published.value, expected.value),
        ("num", published.num, expected.num),
        ("den", published.den, expected.den),
    ] {
        if p != e {
            return Err(PartDifference::Number {
                name,
                published: p,
                expected: e,
            });
        }
    }
    if published.declared != expected.declared {
        return Err(PartDifference::Declared {
            published: published.declared,
            expected: expected.declared,
        });
    }
    let indicator = catalogue.indicator(id);
    for (n, (p, e)) in published.cells.iter().zip(&expected.cells).enumerate() {
        if let Some(cell) = (0..p.len().max(e.len())).find(|&c| p.get(c) != e.get(c)) {
            let table = indicator.and_then(|i| i.tables.get(n));
            let table = table.map_or(&[][..], Vec::as_slice);
            let names = catalogue.cells(table);
            return Err(PartDifference::Cell {
                table: table_name(table),
                cell: names.get(cell).cloned().unwrap_or_default(),
                published: p.get(cell).copied(),
                expected: e.get(cell).copied(),
            });
        }
    }
    if published.cells.len() != expected.cells.len() {
        return Err(PartDifference::Tables);
    }
    Ok(())
}

/// Where two lists of figures differ.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// A figure that is not there.
    #[error("figure {0} is missing")]
    Missing(String),
    /// A figure with other numbers.
    #[error("figure {figure} ({scope}): {part}")]
    Counts {
        /// Figure.
        figure: String,
        /// `own` or `sum`.
        scope: &'static str,
        /// Which number.
        part: PartDifference,
    },
    /// A sum without children, or none with children.
    #[error("figure {0}: `sum` is there exactly where there are children")]
    SumPresence(String),
    /// Another basis.
    #[error("figure {figure} is called {} but is {}", published.en(), expected.en())]
    Basis {
        /// Figure.
        figure: String,
        /// What is published.
        published: Basis,
        /// What follows.
        expected: Basis,
    },
    /// A figure that the catalogue does not have.
    #[error("figure {0} is not in the catalogue")]
    Extra(String),
    /// One figure twice.
    #[error("a figure is there twice")]
    Twice,
}

impl Difference {
    /// The same in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Difference::Missing(figure) => format!("缺少指标 {figure}"),
            Difference::Counts {
                figure,
                scope,
                part,
            } => {
                let scope = if *scope == "own" { "本级" } else { "合计" };
                format!("指标 {figure}({scope}):{}", part.zh())
            }
            Difference::SumPresence(figure) => {
                format!("指标 {figure}:有下级时才有、也必有合计")
            }
            Difference::Basis {
                figure,
                published,
                expected,
            } => format!("指标 {figure} 标为{},应为{}", published.zh(), expected.zh()),
            Difference::Extra(figure) => format!("目录中没有指标 {figure}"),
            Difference::Twice => "有指标重复".into(),
        }
    }
}

/// Which number of a figure differs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartDifference {
    /// The value, the numerator or the denominator.
    #[error("{name} is {} but its parts give {}", show(*published), show(*expected))]
    Number {
        /// Which one.
        name: &'static str,
        /// What is published.
        published: Option<i64>,
        /// What follows.
        expected: Option<i64>,
    },
    /// The declared part.
    #[error("declared part is {published} but its parts give {expected}")]
    Declared {
        /// What is published.
        published: i64,
        /// What follows.
        expected: i64,
    },
    /// A cell.
    #[error(
        "table {table} cell {cell} is {} but its parts give {}",
        show(*published),
        show(*expected)
    )]
    Cell {
        /// The table's name.
        table: String,
        /// The cell's name.
        cell: String,
        /// What is published.
        published: Option<i64>,
        /// What follows.
        expected: Option<i64>,
    },
    /// Other tables.
    #[error("other tables than the catalogue declares")]
    Tables,
}

impl PartDifference {
    /// The same in Chinese.
    pub fn zh(&self) -> String {
        let show = |n: &Option<i64>| n.map_or_else(|| "无".to_string(), |n| n.to_string());
        match self {
            PartDifference::Number {
                name,
                published,
                expected,
            } => format!(
                "{name} 为 {},按其组成应为 {}",
                show(published),
                show(expected)
            ),
            PartDifference::Declared {
                published,
                expected,
            } => format!("申报部分为 {published},按其组成应为 {expected}"),
            PartDifference::Cell {
                table,
                cell,
                published,
                expected,
            } => format!(
                "分组 {table} 的 {cell} 为 {},按其组成应为 {}",
                show(published),
                show(expected)
            ),
            PartDifference::Tables => "分组与目录所列不同".into(),
        }
    }
}

fn show(n: Option<i64>) -> String {
    n.map_or_else(|| "absent".to_string(), |n| n.to_string())
}
