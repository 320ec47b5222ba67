//! `arithmetic`: cells add up to totals; own + Σ children = sum; every child that reports is named
//! by the digest of the rollup that was used, or named as missing.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use crate::figure;
use crate::ids::{Tier, UnitId};
use crate::rollup::HeldRollup;

/// See the module.
///
/// # Errors
/// The first figure or child that contradicts.
pub fn check(held: &HeldRollup, context: &Context<'_>) -> Result<String, String> {
    let rollup = &held.rollup;
    let registry = context.registry.registry();
    let catalogue = context
        .log
        .catalogue(&rollup.catalogue)
        .ok_or("names a catalogue that is not known here")?;
    for f in &rollup.figures {
        for counts in [Some(&f.own), f.sum.as_ref()].into_iter().flatten() {
            if !counts.is_consistent() {
                return Err(format!(
                    "figure {}: the cells of a table do not add up to its value",
                    f.id
                ));
            }
        }
    }
    let expected: Vec<_> = registry
        .children(&rollup.unit)
        .into_iter()
        .filter(|c| c.since <= rollup.period)
        .collect();
    for child in &expected {
        let named = rollup.children.iter().any(|c| c.unit == child.id)
            || rollup.missing.iter().any(|m| m.unit == child.id);
        if !named {
            return Err(format!(
                "child {} {} is neither used nor named as missing",
                child.id, child.name
            ));
        }
    }
    if let Some(stranger) = rollup
        .children
        .iter()
        .map(|c| &c.unit)
        .chain(rollup.missing.iter().map(|m| &m.unit))
        .find(|u| !expected.iter().any(|c| &c.id == *u))
    {
        return Err(format!(
            "{stranger} is not a child of {} in this month",
            rollup.unit
        ));
    }
    let mut used = Vec::new();
    for c in &rollup.children {
        let child = (context.child)(&c.rollup).ok_or_else(|| {
            format!(
                "the rollup {} of child {} is not known here",
                c.rollup, c.unit
            )
        })?;
        if child.rollup.unit != c.unit
            || child.rollup.period != rollup.period
            || child.rollup.revision != c.revision
        {
            return Err(format!(
                "the rollup named for child {} is of another unit, month or revision",
                c.unit
            ));
        }
        if child.rollup.catalogue != rollup.catalogue {
            return Err(format!("child {} counted by another catalogue", c.unit));
        }
        // Otherwise a city that names an old registry could leave out a county that was added
        // since, or count one that has moved.
        let summed: BTreeSet<&UnitId> = child
            .rollup
            .children
            .iter()
            .map(|c| &c.unit)
            .chain(child.rollup.missing.iter().map(|m| &m.unit))
            .collect();
        let below: BTreeSet<&UnitId> = registry
            .children(&c.unit)
            .into_iter()
            .filter(|u| u.since <= rollup.period)
            .map(|u| &u.id)
            .collect();
        if let Some(other) = summed.symmetric_difference(&below).next() {
            return Err(format!(
                "child {} counted by registry version {}: {other} stands below it there or in version {}, but not in both",
                c.unit, child.rollup.registry.version, rollup.registry.version
            ));
        }
        used.push(child);
    }
    if !expected.is_empty() {
        let mut absent: BTreeMap<Tier, i64> = BTreeMap::new();
        for m in &rollup.missing {
            for u in registry
                .subtree(&m.unit)
                .into_iter()
                .filter(|u| u.since <= rollup.period)
            {
                *absent.entry(u.tier).or_default() += 1;
            }
        }
        let mut own = rollup.figures.clone();
        own.iter_mut().for_each(|f| f.sum = None);
        let expected = figure::with_children(
            catalogue,
            own,
            &used
                .iter()
                .map(|c| c.rollup.figures.as_slice())
                .collect::<Vec<_>>(),
            &absent,
        )
        .map_err(|e| e.to_string())?;
        if let Some(difference) = figure::first_difference(catalogue, &rollup.figures, &expected) {
            return Err(difference);
        }
    } else if let Some(f) = rollup.figures.iter().find(|f| f.sum.is_some()) {
        return Err(format!(
            "figure {} has a sum although the unit has no children",
            f.id
        ));
    }
    Ok(match (rollup.children.len(), rollup.missing.len()) {
        (0, 0) => format!("{} figures", rollup.figures.len()),
        (n, 0) => format!("{} figures, {n} children", rollup.figures.len()),
        (n, m) => format!(
            "{} figures, {n} children, {m} named as missing",
            rollup.figures.len()
        ),
    })
}
