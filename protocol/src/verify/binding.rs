//! `binding`: the own figures are exactly the sum of the rows of this month's leaves, which the
//! verifier chooses itself: those whose statement names the month, up to the rollup's log size.
//! Clear rows are recomputed from the published fields while the log is read.

use std::collections::BTreeSet;

use super::context::Context;
use super::month::MonthSums;
use crate::catalogue::{Catalogue, Kind};
use crate::compiled::CompiledCatalogue;
use crate::figure::{self, CountedFigures};
use crate::rollup::{HeldRollup, Rollup};
use crate::row::Schema;
use crate::succession;
use crate::verdict::{BindingFinding as Finding, Check};

/// Checks that the figures are the sum of the month's leaves (SPEC 8.4).
///
/// # Errors
/// The first contradiction.
pub fn check(held: &HeldRollup, context: &Context<'_>) -> Result<Finding, Finding> {
    let rollup = &held.rollup;
    let month = context.log.month(rollup.period);
    let compiled = leaves_by_catalogue(rollup, context, month)?;
    opened_sums(rollup, context, compiled, month)?;
    opening_holds(rollup, context, compiled, month)?;
    figures_follow(rollup, context, compiled, month)?;
    numbers_of_leaves(rollup, month)?;
    frozen_lists(rollup, &compiled.catalogue)?;
    Ok(Finding::Holds {
        sealed: month.sealed.values().sum::<i64>(),
        clear: month.clear_leaves,
    })
}

/// SPEC 8.4, step 1: the catalogue is known, no leaf contradicts binding, and the month's leaves
/// name this catalogue.
fn leaves_by_catalogue<'a>(
    rollup: &Rollup,
    context: &'a Context<'_>,
    month: &MonthSums,
) -> Result<&'a CompiledCatalogue, Finding> {
    let compiled = context
        .log
        .compiled(&rollup.catalogue)
        .ok_or(Finding::UnknownCatalogue)?;
    if let Some(finding) = context.log.finding(Check::Binding) {
        return Err(Finding::Leaf(finding.clone()));
    }
    if month.catalogue.is_some_and(|c| c != rollup.catalogue) {
        return Err(Finding::OtherCatalogue);
    }
    Ok(compiled)
}

/// SPEC 8.4, step 2: the opening has exactly the types of which there are leaves, and its sums keep
/// the rules of rows, each as often as there are leaves.
fn opened_sums(
    rollup: &Rollup,
    context: &Context<'_>,
    compiled: &CompiledCatalogue,
    month: &MonthSums,
) -> Result<(), Finding> {
    let sums = &rollup.opening.sums;
    for (name, leaves) in &month.sealed {
        let columns = sums
            .get(name)
            .ok_or_else(|| Finding::NoSums(name.clone()))?;
        let summed = compiled.summed(name, context.log.catalogues());
        let schema = summed
            .and_then(|(counting, event)| counting.generators.schema(event))
            .ok_or_else(|| Finding::UnknownEvent(name.clone()))?;
        rules_hold(schema, columns, *leaves)?;
    }
    match sums.keys().find(|event| !month.sealed.contains_key(*event)) {
        Some(stranger) => Err(Finding::NoLeaf(stranger.clone())),
        None => Ok(()),
    }
}

fn rules_hold(schema: &Schema, columns: &[i64], leaves: i64) -> Result<(), Finding> {
    let event = || schema.event().to_string();
    if columns.len() != schema.columns() {
        return Err(Finding::Columns {
            event: event(),
            found: columns.len(),
            expected: schema.columns(),
        });
    }
    for rule in schema.rules() {
        let total = rule.of(columns);
        let figure = || schema.blocks()[rule.block()].figure.clone();
        if rule.counts_rows() && total != i128::from(leaves) {
            return Err(Finding::Block {
                event: event(),
                figure: figure(),
                total,
                leaves,
            });
        }
        if !rule.counts_rows() && total != 0 {
            return Err(Finding::Tables {
                event: event(),
                figure: figure(),
            });
        }
    }
    Ok(())
}

/// SPEC 8.4, step 3: the opening opens the sum of the month's commitments.
fn opening_holds(
    rollup: &Rollup,
    context: &Context<'_>,
    compiled: &CompiledCatalogue,
    month: &MonthSums,
) -> Result<(), Finding> {
    let opening = &rollup.opening;
    // Step 2 found each of the names.
    let sums = opening.sums.iter().filter_map(|(name, columns)| {
        let (counting, event) = compiled.summed(name, context.log.catalogues())?;
        Some((&counting.generators, event, columns.as_slice()))
    });
    compiled
        .generators
        .check_opening(&month.commitments, sums, &opening.blinding.0)
        .map_err(|_| Finding::Opening)
}

/// SPEC 8.4, step 4: the own figures are last month's stocks plus the sums of sealed and clear
/// rows, each of them in range, in the catalogue's order.
fn figures_follow(
    rollup: &Rollup,
    context: &Context<'_>,
    compiled: &CompiledCatalogue,
    month: &MonthSums,
) -> Result<(), Finding> {
    let catalogue = &compiled.catalogue;
    let mut sums = rollup.opening.sums.clone();
    let clear = month.clear_sums();
    sums.extend(clear.map_err(|event| Finding::ClearSum(event.to_string()))?);
    let last = previous_figures(rollup, catalogue, context)?;
    let sums = compiled.column_sums(&sums, context.log.catalogues());
    let own = figure::own(catalogue, rollup.tier, &sums, last)?;
    for (published, expected) in rollup.figures.iter().zip(&own) {
        if published.id != expected.id {
            return Err(Finding::Order {
                found: published.id.clone(),
                expected: expected.id.clone(),
            });
        }
    }
    let mut published = rollup.figures.clone();
    // Sums and their basis are arithmetic's; here only what the unit's own log says.
    for (p, e) in published.iter_mut().zip(&own) {
        if p.sum.take().is_some() {
            p.basis = e.basis;
        }
    }
    figure::same(catalogue, &published, &own)?;
    recounted(rollup, context, compiled)
}

/// The figures of the rollup that this one follows, by a catalogue that this one's can follow.
fn previous_figures<'a>(
    rollup: &Rollup,
    catalogue: &Catalogue,
    context: &'a Context<'_>,
) -> Result<Option<CountedFigures<'a>>, Finding> {
    let Some(digest) = rollup.previous else {
        return Ok(None);
    };
    let mut known = context.known.values();
    let previous = known
        .find(|known| known.digest() == digest)
        .ok_or(Finding::UnknownPrevious)?;
    if context.unbound.contains(&digest) {
        return Err(Finding::PreviousUnbound);
    }
    let before = &previous.rollup;
    let theirs = context.log.catalogue(&before.catalogue);
    let theirs = theirs.ok_or(Finding::UnknownPreviousCatalogue)?;
    if before.catalogue != rollup.catalogue {
        succession::follows(theirs, catalogue).map_err(Finding::Succession)?;
    }
    Ok(Some(CountedFigures {
        figures: &before.figures,
        catalogue: theirs,
    }))
}

/// SPEC 8.4, step 5: `voided`, `late` and `log.first` are those of the month's leaves.
fn numbers_of_leaves(rollup: &Rollup, month: &MonthSums) -> Result<(), Finding> {
    if (month.voided, &month.late) != (rollup.voided, &rollup.late) {
        return Err(Finding::VoidedOrLate);
    }
    if month.first.unwrap_or(rollup.log.size) != rollup.log.first {
        return Err(Finding::FirstLeaf);
    }
    Ok(())
}

/// SPEC 8.4, step 6: each coverage with a frozen denominator has a list, and nothing else has. Who
/// stands in a list is known to the unit alone.
fn frozen_lists(rollup: &Rollup, catalogue: &Catalogue) -> Result<(), Finding> {
    let coverages = catalogue.indicators.iter();
    let listed = coverages.filter(|i| i.kind == Kind::Coverage && i.per.is_none());
    let due: BTreeSet<&String> = listed.map(|i| &i.id).collect();
    match rollup.frozen.keys().collect::<BTreeSet<_>>() == due {
        true => Ok(()),
        false => Err(Finding::Frozen),
    }
}

/// SPEC 8.4, step 4, last sentence: a recount of the subjects of clear leaves would move nothing. Otherwise one
/// subject could count twice, once for an early leaf of the next month and once for a later leaf of
/// this one.
fn recounted(
    rollup: &Rollup,
    context: &Context<'_>,
    compiled: &CompiledCatalogue,
) -> Result<(), Finding> {
    match context.log.recount_due(rollup.period, compiled) {
        Ok(None) => Ok(()),
        Ok(Some((subject, key))) => Err(Finding::NotRecounted {
            subject: subject.as_str(),
            key: key.to_string(),
        }),
        Err(e) => Err(Finding::Recount(e.to_string())),
    }
}
