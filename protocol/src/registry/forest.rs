//! Whether the units of one version fit each other: in every month they form a forest.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{UnitFault, UnitFaultKind as Kind};
use super::unit::{Term, Unit};
use crate::ids::UnitId;
use crate::note::Alg;
use crate::period::Month;

/// Every fault of the units of one version.
pub(super) fn faults(units: &[Unit]) -> Vec<UnitFault> {
    let by_id: BTreeMap<&UnitId, &Unit> = units.iter().map(|u| (&u.id, u)).collect();
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for unit in units {
        let mut kinds = Vec::new();
        if !seen.insert(&unit.id) {
            kinds.push(Kind::Twice);
        }
        kinds.extend(keys(unit));
        kinds.extend(months(unit));
        kinds.extend(successors(unit, &by_id));
        kinds.extend(unit.terms().iter().filter_map(|t| parent(unit, t, &by_id)));
        faults.extend(kinds.into_iter().map(|kind| UnitFault {
            unit: unit.id.clone(),
            kind,
        }));
    }
    faults
}

fn keys(unit: &Unit) -> Vec<Kind> {
    let mut kinds = Vec::new();
    if unit.keys.is_empty() || unit.keys.iter().any(|k| k.vkey.name() != unit.id.as_str()) {
        kinds.push(Kind::Keys);
    }
    let witness = format!("{}/witness", unit.id);
    if unit.witnesses().any(|w| w.name() != witness) {
        kinds.push(Kind::WitnessName);
    }
    if unit.keys.iter().any(|k| k.vkey.alg() != Alg::Ed25519)
        || unit.witnesses().any(|w| w.alg() != Alg::CosignatureV1)
    {
        kinds.push(Kind::Algorithm);
    }
    let listed: BTreeSet<_> = unit.keys.iter().map(|k| k.vkey.public()).collect();
    if listed.len() != unit.keys.len() {
        kinds.push(Kind::KeyTwice);
    }
    let distinct: BTreeSet<_> = unit.witnesses().map(|w| w.public()).collect();
    let rising = unit.former_witnesses().windows(2);
    if distinct.len() != unit.witnesses().count()
        || rising
            .into_iter()
            .any(|pair| pair[0].until >= pair[1].until)
    {
        kinds.push(Kind::WitnessOrder);
    }
    kinds
}

/// Its own months: it ends after it began, and what held before holds in months of its own.
fn months(unit: &Unit) -> Vec<Kind> {
    let mut kinds = Vec::new();
    if unit.until().is_some_and(|until| until < unit.since) {
        kinds.push(Kind::Ends);
    }
    let changes: Vec<_> = unit.changes().collect();
    let ends_after =
        |change: Month| unit.until().is_none_or(|until| change < until) && change.next().is_some();
    if changes.windows(2).any(|pair| pair[0] >= pair[1])
        || changes.first().is_some_and(|first| *first < unit.since)
        || changes.last().is_some_and(|last| !ends_after(*last))
    {
        kinds.push(Kind::FormerOrder);
    }
    kinds
}

/// Who carries on exists when it does. So nobody can be its own successor in a circle.
fn successors(unit: &Unit, by_id: &BTreeMap<&UnitId, &Unit>) -> Vec<Kind> {
    let Some(until) = unit.until() else {
        let none = unit.successors().is_empty();
        return (!none)
            .then_some(Kind::SuccessorsOfNobody)
            .into_iter()
            .collect();
    };
    let mut named = BTreeSet::new();
    let mut carries_on = |id: &UnitId| {
        let known = by_id
            .get(id)
            .filter(|_| *id != unit.id && named.insert(id.clone()));
        let month = until.next();
        known.is_some_and(|u| month.is_some_and(|m| u.exists(m)))
    };
    let wrong = unit.successors().iter().filter(|id| !carries_on(id));
    wrong.cloned().map(Kind::Successor).collect()
}

/// The parent exists in all months of the term and is of a higher tier. Tiers rise strictly, so
/// there can be no circle in any month.
fn parent(unit: &Unit, term: &Term, by_id: &BTreeMap<&UnitId, &Unit>) -> Option<Kind> {
    let id = term.placement.parent.as_ref()?;
    let Some(parent) = by_id.get(id) else {
        return Some(Kind::UnknownParent(id.clone()));
    };
    if parent.tier <= unit.tier {
        return Some(Kind::Tier(id.clone()));
    }
    let lasts = match (term.last, parent.until()) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(last), Some(until)) => last <= until,
    };
    let whole = parent.since <= term.first && lasts;
    (!whole).then(|| Kind::ParentMonths {
        parent: id.clone(),
        first: term.first,
        last: term.last,
    })
}
