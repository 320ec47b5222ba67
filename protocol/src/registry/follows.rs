//! Whether a version leaves the past of the one before as it was.
//!
//! A version says from which month on it changes something (`from`); what was before is settled: in
//! each earlier month every unit has the name, the parent and the existence that it had. The month
//! never goes back from version to version. A reader has no clock, so it is not asked whether the
//! month lies in the future; but what is settled once stays settled, while a move that is planned
//! for a later month can still be put off or given up.

use std::collections::BTreeMap;

use super::document::Registry;
use super::error::{FromMonth, RegistryError, UnitFault, UnitFaultKind as Kind};
use super::unit::{Term, Unit, UnitKey};
use crate::ids::UnitId;
use crate::period::Month;

/// What a version may not change after the one before: everything of it.
pub(super) fn faults(before: &Registry, after: &Registry) -> Vec<RegistryError> {
    let mut errors = Vec::new();
    let mut from = after.from;
    if let Some(settled) = before.from
        && from.is_none_or(|from| from < settled)
    {
        errors.push(RegistryError::Settled {
            version: after.version,
            settled,
            found: FromMonth(from),
        });
        // What else is wrong is what would be wrong with the first month that is allowed.
        from = Some(settled);
    }
    let faults = of_units(before, after, from);
    if !faults.is_empty() {
        errors.push(RegistryError::Past {
            version: after.version,
            faults,
        });
    }
    errors
}

fn of_units(before: &Registry, after: &Registry, from: Option<Month>) -> Vec<UnitFault> {
    let now: BTreeMap<&UnitId, &Unit> = after.units.iter().map(|u| (&u.id, u)).collect();
    let mut faults = Vec::new();
    let mut found = |unit: &Unit, kinds: Vec<Kind>| {
        let unit = &unit.id;
        faults.extend(kinds.into_iter().map(|kind| UnitFault {
            unit: unit.clone(),
            kind,
        }));
    };
    for unit in &before.units {
        match now.get(&unit.id) {
            None => found(unit, vec![Kind::Vanished]),
            Some(now) => found(unit, changed(unit, now, from)),
        }
    }
    let known: BTreeMap<&UnitId, &Unit> = before.units.iter().map(|u| (&u.id, u)).collect();
    for unit in after.units.iter().filter(|u| !known.contains_key(&u.id)) {
        if from.is_none_or(|from| unit.since < from) {
            let (since, from) = (unit.since, FromMonth(from));
            found(unit, vec![Kind::New { since, from }]);
        }
    }
    faults
}

fn changed(before: &Unit, now: &Unit, from: Option<Month>) -> Vec<Kind> {
    let mut kinds = Vec::new();
    if (before.tier, before.since) != (now.tier, now.since) {
        kinds.push(Kind::Identity);
    }
    let ended = before.until().and_then(Month::next);
    let end_is_settled = ended.is_some_and(|month| from.is_none_or(|from| month < from));
    if settled(before, from) != settled(now, from)
        || (end_is_settled && before.successors() != now.successors())
    {
        kinds.push(Kind::Settled(FromMonth(from)));
    }
    kinds.extend(keys(&before.keys, &now.keys));
    if !keeps_witnesses(before, now) {
        kinds.push(Kind::WitnessGone);
    }
    kinds
}

/// What held in the months before `from`, one entry for as long as it was the same.
fn settled(unit: &Unit, from: Option<Month>) -> Vec<Term> {
    let end = match from.map(Month::prev) {
        None => None,
        Some(None) => return Vec::new(),
        Some(end) => end,
    };
    let mut terms: Vec<Term> = Vec::new();
    for mut term in unit.terms() {
        if let Some(end) = end {
            if end < term.first {
                break;
            }
            term.last = Some(term.last.map_or(end, |last| last.min(end)));
        }
        match terms.last_mut() {
            Some(same) if same.placement == term.placement => same.last = term.last,
            _ => terms.push(term),
        }
    }
    terms
}

/// Keys stay, from the index that they had; a revocation may come, or come earlier.
fn keys(before: &[UnitKey], now: &[UnitKey]) -> Vec<Kind> {
    let mut kinds = Vec::new();
    let kept = now.get(..before.len()).unwrap_or(now);
    let same = |(b, n): (&UnitKey, &UnitKey)| b.vkey == n.vkey && b.from_index == n.from_index;
    if kept.len() < before.len() || !before.iter().zip(kept).all(same) {
        return vec![Kind::KeyGone];
    }
    let holds = |(b, n): (&UnitKey, &UnitKey)| match (&b.revoked, &n.revoked) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(b), Some(n)) => n.at_index <= b.at_index,
    };
    if !before.iter().zip(kept).all(holds) {
        kinds.push(Kind::Unrevoked);
    }
    let useful = kept.iter().filter(|k| k.may_sign_something());
    let latest = useful.map(|k| k.from_index).max().unwrap_or(0);
    if now[before.len()..].iter().any(|k| k.from_index < latest) {
        kinds.push(Kind::KeyBefore);
    }
    kinds
}

/// Witness keys stay; the end of one may come, or come earlier.
fn keeps_witnesses(before: &Unit, now: &Unit) -> bool {
    let mut former = before.former_witnesses().iter().zip(now.former_witnesses());
    let kept = before.former_witnesses().len() <= now.former_witnesses().len()
        && former.all(|(b, n)| b.vkey == n.vkey && n.until <= b.until);
    let next = now.former_witnesses().get(before.former_witnesses().len());
    kept && next.map_or(now.witness(), |w| &w.vkey) == before.witness()
}
