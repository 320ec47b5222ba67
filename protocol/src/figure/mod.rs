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

mod counts;
mod difference;
mod exact;
mod named;

pub use counts::{Basis, Counts, Figure, FigureError};
pub use difference::{Difference, PartDifference, same};
pub use named::{ColumnSums, CountedFigures};

use std::collections::BTreeMap;

use crate::catalogue::{Catalogue, Indicator, Kind};
use crate::ids::Tier;
use crate::row::{Block, Schema};
use exact::Exact;
use named::restated;

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

/// Whether each figure has the members, tables and cells that the catalogue declares.
///
/// # Errors
/// The first figure of another shape, or that the catalogue does not have.
pub fn shaped(catalogue: &Catalogue, figures: &[Figure]) -> Result<(), FigureError> {
    for figure in figures {
        let indicator = catalogue.indicator_of_figure(&figure.id);
        let declared = indicator.map(|i| Counts::of(i, catalogue));
        let mut scopes = [Some(&figure.own), figure.sum.as_ref()]
            .into_iter()
            .flatten();
        if !declared.is_some_and(|declared| scopes.all(|counts| counts.has_shape_of(&declared))) {
            return Err(FigureError::Shape(figure.id.clone()));
        }
    }
    Ok(())
}

/// A unit's own figures for a month.
///
/// `sums` are the net column sums of the month's leaves, sealed and clear; `last` are the figures of
/// the previous month's rollup (none in the unit's first month).
///
/// # Errors
/// A sum out of range; a stock of last month that this catalogue cannot carry on.
pub fn own(
    catalogue: &Catalogue,
    tier: Tier,
    sums: &[ColumnSums<'_>],
    last: Option<CountedFigures<'_>>,
) -> Result<Vec<Figure>, FigureError> {
    let mut figures = zeros(catalogue);
    if let Some(last) = last {
        carry_stocks(catalogue, &mut figures, last)?;
    }
    let position: BTreeMap<String, usize> = figures
        .iter()
        .enumerate()
        .map(|(n, f)| (f.id.clone(), n))
        .collect();
    add_blocks(catalogue, &mut figures, &position, sums)?;
    quotients(catalogue, tier, &mut figures, &position);
    settle_basis(catalogue, &mut figures);
    Ok(figures)
}

/// A stock begins where the last month's ended, cell by cell by name (SPEC 7, step 1).
fn carry_stocks(
    catalogue: &Catalogue,
    figures: &mut [Figure],
    last: CountedFigures<'_>,
) -> Result<(), FigureError> {
    for figure in figures {
        let indicator = catalogue.indicator_of_figure(&figure.id);
        let Some(indicator) = indicator.filter(|i| i.kind.is_stock()) else {
            continue;
        };
        if let Some((before, theirs)) = last.figure(&figure.id)? {
            let from = (last.catalogue, theirs);
            figure.own = restated(&figure.id, &before.own, from, (catalogue, indicator))?;
        }
    }
    Ok(())
}

/// Adds the columns of all blocks to their figures (SPEC 7, step 2), and looks at the range of what
/// came out only then.
fn add_blocks(
    catalogue: &Catalogue,
    figures: &mut [Figure],
    position: &BTreeMap<String, usize>,
    sums: &[ColumnSums<'_>],
) -> Result<(), FigureError> {
    let mut counted: BTreeMap<usize, Exact> = BTreeMap::new();
    for sum in sums {
        let schema = Schema::of(sum.catalogue, sum.event);
        for block in schema.blocks() {
            let place = position.get(&block.figure);
            let to = catalogue.indicator_of_figure(&block.figure);
            let (Some(&place), Some(to)) = (place, to) else {
                continue;
            };
            if let Some(delta) = of_block((catalogue, to), block, sum)? {
                let zero = || Exact::zero(catalogue, to);
                counted.entry(place).or_insert_with(zero).add(&delta);
            }
        }
    }
    for (place, exact) in counted {
        let figure = &mut figures[place];
        figure.own.add(&exact.counts(&figure.id)?, &figure.id)?;
    }
    Ok(())
}

/// What one block counts, by the catalogue of the report. What an earlier schema counted is taken
/// back cell by cell by name.
fn of_block(
    to: (&Catalogue, &Indicator),
    block: &Block,
    sum: &ColumnSums<'_>,
) -> Result<Option<Exact>, FigureError> {
    let id = &block.figure;
    let Some(from) = sum.catalogue.indicator_of_figure(id) else {
        return Ok(None);
    };
    let delta = Exact::of_block(block, from, sum);
    if std::ptr::eq(to.0, sum.catalogue) {
        return Ok(Some(delta));
    }
    delta.restated(id, (sum.catalogue, from), to).map(Some)
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
/// forgetting them. A child that counted by another catalogue is added cell by cell by name; of a
/// figure that its catalogue does not have it adds nothing.
///
/// # Errors
/// A child's figure of another shape, or with a count in a cell that this catalogue lacks; a sum
/// out of range.
pub fn with_children(
    catalogue: &Catalogue,
    own: Vec<Figure>,
    children: &[CountedFigures<'_>],
    absent: &BTreeMap<Tier, i64>,
) -> Result<Vec<Figure>, FigureError> {
    let mut figures = own;
    for figure in &mut figures {
        let id = &figure.id;
        let indicator = catalogue.indicator_of_figure(id);
        let indicator = indicator.ok_or_else(|| FigureError::Shape(id.clone()))?;
        let mut sum = figure.own.clone();
        for child in children {
            if let Some((theirs, of)) = child.figure(id)? {
                let (from, to) = ((child.catalogue, of), (catalogue, indicator));
                sum.add(&restated(id, theirs.scope(), from, to)?, id)?;
            }
        }
        if let Some(per) = indicator.per
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
