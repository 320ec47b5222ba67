//! `arithmetic`: cells add up to totals; own + Σ children = sum; every child that reports is named
//! by the digest of the rollup that was used, or named as missing; and what is named holds.

use std::collections::{BTreeMap, BTreeSet};

use super::context::{Context, NamedRollup};
use crate::catalogue::{Catalogue, Severity};
use crate::compiled::CompiledCatalogue;
use crate::figure::{self, CountedFigures, Figure};
use crate::ids::{Tier, UnitId};
use crate::registry::Registry;
use crate::rollup::{ChildRef, HeldRollup, Rollup};
use crate::succession;
use crate::verdict::{ArithmeticFinding as Finding, Standing};

/// Checks that the figures add up, and over whom (SPEC 8.2).
///
/// # Errors
/// The first figure or child that contradicts.
pub fn check(held: &HeldRollup, context: &Context<'_>) -> Result<Finding, Finding> {
    let rollup = &held.rollup;
    let registry = context.registry.registry();
    let compiled = context
        .log
        .compiled(&rollup.catalogue)
        .ok_or(Finding::UnknownCatalogue)?;
    let catalogue = &compiled.catalogue;
    cells_add_up(catalogue, &rollup.figures)?;
    let has_children = every_child_named(rollup, registry)?;
    let children = child_rollups(rollup, context)?;
    figures_add_up(rollup, context, &children, has_children)?;
    children_hold(&children)?;
    rules_explained(rollup, context, compiled)?;
    let other = |child: &&NamedRollup| child.held.rollup.catalogue != rollup.catalogue;
    Ok(Finding::Holds {
        figures: rollup.figures.len(),
        children: rollup.children.len(),
        missing: rollup.missing.len(),
        other: children.iter().filter(other).count(),
    })
}

/// SPEC 8.2, step 1: the tables are those of the catalogue that is named, and the cells of each add
/// up to the value.
fn cells_add_up(catalogue: &Catalogue, figures: &[Figure]) -> Result<(), Finding> {
    figure::shaped(catalogue, figures).map_err(Finding::Shape)?;
    for f in figures {
        for counts in [Some(&f.own), f.sum.as_ref()].into_iter().flatten() {
            if !counts.is_consistent() {
                return Err(Finding::Cells(f.id.clone()));
            }
        }
    }
    Ok(())
}

/// SPEC 8.2, step 2: every unit below this one that reports in the month is used or named as
/// missing, and no other is. Tells whether there are any.
fn every_child_named(rollup: &Rollup, registry: &Registry) -> Result<bool, Finding> {
    let reporting = below(registry, &rollup.unit, rollup);
    let named = named_children(rollup);
    for child in registry.children(&rollup.unit, rollup.period) {
        if !named.contains(&&child.id) {
            return Err(Finding::ChildNotNamed {
                unit: child.id.clone(),
                name: child.placement(rollup.period).name,
            });
        }
    }
    match named.iter().find(|unit| !reporting.contains(**unit)) {
        Some(stranger) => Err(Finding::NotAChild {
            unit: (*stranger).clone(),
            parent: rollup.unit.clone(),
        }),
        None => Ok(!reporting.is_empty()),
    }
}

/// The units directly below `unit` that report in the month of this rollup.
fn below<'a>(registry: &'a Registry, unit: &UnitId, rollup: &Rollup) -> BTreeSet<&'a UnitId> {
    let children = registry.children(unit, rollup.period).into_iter();
    children.map(|child| &child.id).collect()
}

/// The units that a rollup used or named as missing.
fn named_children(rollup: &Rollup) -> Vec<&UnitId> {
    let used = rollup.children.iter().map(|c| &c.unit);
    used.chain(rollup.missing.iter().map(|m| &m.unit)).collect()
}

/// SPEC 8.2, step 3: each named rollup is there, of that child, month and revision, by this
/// catalogue or one whose figures can be added to its own, and summed over the units that stand
/// below the child in the registry named here.
fn child_rollups(rollup: &Rollup, context: &Context<'_>) -> Result<Vec<NamedRollup>, Finding> {
    let of = |child| child_rollup(rollup, context, child);
    rollup.children.iter().map(of).collect()
}

fn child_rollup(
    rollup: &Rollup,
    context: &Context<'_>,
    named: &ChildRef,
) -> Result<NamedRollup, Finding> {
    let unit = &named.unit;
    let found = (context.child)(&named.rollup).ok_or_else(|| Finding::ChildRollup {
        rollup: named.rollup,
        unit: unit.clone(),
    })?;
    let child = &found.held.rollup;
    if child.unit != *unit || child.period != rollup.period || child.revision != named.revision {
        return Err(Finding::OtherRollup(unit.clone()));
    }
    let catalogue = |digest| context.log.catalogue(digest);
    let ours = catalogue(&rollup.catalogue).ok_or(Finding::UnknownCatalogue)?;
    let theirs = catalogue(&child.catalogue);
    if !theirs.is_some_and(|theirs| succession::comparable(theirs, ours)) {
        return Err(Finding::ChildCatalogue(unit.clone()));
    }
    // Otherwise a city that names an old registry could leave out a county that was added since, or
    // count one that has moved.
    let summed: BTreeSet<&UnitId> = named_children(child).into_iter().collect();
    let below = below(context.registry.registry(), unit, rollup);
    if let Some(other) = summed.symmetric_difference(&below).next() {
        return Err(Finding::ChildRegistry {
            child: unit.clone(),
            counted_by: child.registry.version,
            unit: (*other).clone(),
            named: rollup.registry.version,
        });
    }
    Ok(found)
}

/// SPEC 8.2, step 4: the sums are the own counts plus the children's; without children there are
/// none.
fn figures_add_up(
    rollup: &Rollup,
    context: &Context<'_>,
    children: &[NamedRollup],
    has_children: bool,
) -> Result<(), Finding> {
    if !has_children {
        return match rollup.figures.iter().find(|f| f.sum.is_some()) {
            Some(figure) => Err(Finding::SumWithoutChildren(figure.id.clone())),
            None => Ok(()),
        };
    }
    let mut own = rollup.figures.clone();
    own.iter_mut().for_each(|f| f.sum = None);
    let mut theirs = Vec::new();
    for child in children {
        let child = &child.held.rollup;
        let catalogue = context.log.catalogue(&child.catalogue);
        theirs.push(CountedFigures {
            figures: &child.figures,
            catalogue: catalogue.ok_or_else(|| Finding::ChildCatalogue(child.unit.clone()))?,
        });
    }
    let catalogue = context
        .log
        .catalogue(&rollup.catalogue)
        .ok_or(Finding::UnknownCatalogue)?;
    let absent = absent(rollup, context.registry.registry());
    let expected = figure::with_children(catalogue, own, &theirs, &absent)?;
    figure::same(catalogue, &rollup.figures, &expected)?;
    Ok(())
}

/// SPEC 8.2, step 5: each named rollup holds for the reader. Otherwise a figure that is false and
/// known to be false would be hidden in the sum of an honest-looking parent, tier by tier.
fn children_hold(children: &[NamedRollup]) -> Result<(), Finding> {
    for child in children {
        let unit = || child.held.rollup.unit.clone();
        match child.standing {
            Standing::Holds => {}
            Standing::Fails(check) => {
                return Err(Finding::ChildFails {
                    unit: unit(),
                    check,
                });
            }
            Standing::Contradicted => return Err(Finding::ChildContradicted(unit())),
        }
    }
    Ok(())
}

/// SPEC 8.2, step 6: the hard rules hold, and exactly the soft ones that do not are explained.
fn rules_explained(
    rollup: &Rollup,
    context: &Context<'_>,
    compiled: &CompiledCatalogue,
) -> Result<(), Finding> {
    let mut before = context.known.values();
    let previous = rollup
        .previous
        .and_then(|digest| before.find(|known| known.digest() == digest));
    if rollup.previous.is_some() && previous.is_none() {
        // History says that it is missing; without it a rule over two months says nothing.
        return Ok(());
    }
    let mut due = compiled
        .catalogue
        .indicators
        .iter()
        .flat_map(|i| i.figure_ids());
    if !due.all(|id| rollup.figures.iter().any(|f| f.id == id)) {
        // Binding says which figure is missing.
        return Ok(());
    }
    let last = previous.map(|held| held.rollup.figures.as_slice());
    let broken = compiled.rules.broken(&rollup.figures, last);
    let broken = broken.map_err(|e| Finding::Rules(e.to_string()))?;
    if let Some(hard) = broken.iter().find(|r| r.severity == Severity::Hard) {
        return Err(Finding::HardRule(hard.id.clone()));
    }
    let due: Vec<(&str, &str)> = broken.iter().map(|r| (&*r.id, &*r.figure)).collect();
    let given = rollup.explanations.iter();
    let given: Vec<(&str, &str)> = given.map(|e| (&*e.rule, &*e.figure)).collect();
    if let Some((rule, _)) = due.iter().find(|rule| !given.contains(rule)) {
        return Err(Finding::Unexplained((*rule).to_string()));
    }
    match given.iter().find(|rule| !due.contains(rule)) {
        Some((rule, _)) => Err(Finding::ExplainsNothing((*rule).to_string())),
        None if given.len() > due.len() => Err(Finding::ExplainsTwice),
        None => Ok(()),
    }
}

/// How many units of each tier stand below the missing children and report in the month: a coverage
/// over units counts them as not covered.
fn absent(rollup: &Rollup, registry: &Registry) -> BTreeMap<Tier, i64> {
    let mut absent = BTreeMap::new();
    for missing in &rollup.missing {
        for unit in registry.subtree(&missing.unit, rollup.period) {
            *absent.entry(unit.tier).or_default() += 1;
        }
    }
    absent
}
