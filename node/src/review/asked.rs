//! Whether a revision was asked for. A month that was reported is opened again by its parent's word,
//! or not at all; and nothing may rest on a revision that nobody asked for: what that one counts
//! would be in the stocks of every later month, and in no accepted report.

use std::collections::BTreeMap;

use protocol::chain;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::rollup::{HeldRollup, Rollup};

use crate::books::Books;
use crate::books::children::Child;

/// Which revision nobody asked for, of this rollup and those on its chain. Only months that this
/// unit answers: of others it has no receipts.
pub(super) fn unasked(books: &Books, child: &Child, held: &HeldRollup) -> Option<String> {
    if let Some(why) = made_unasked(books, child, &held.rollup) {
        return Some(why);
    }
    let chain = chain::before(&held.rollup, child.known());
    let mut before = chain.values().map(|before| &before.rollup);
    before.find_map(|before| {
        let why = made_unasked(books, child, before)?;
        Some(format!("it rests on {}: {why}", before.period))
    })
}

/// Why nobody asked for this revision, if nobody did.
fn made_unasked(books: &Books, child: &Child, rollup: &Rollup) -> Option<String> {
    let (month, revision) = (rollup.period, rollup.revision);
    if revision == 1 || !is_asked_of_us(books, rollup) {
        return None;
    }
    let accepted = child.accepted(month).map(|held| held.rollup.revision);
    if let Some(standing) = accepted.filter(|standing| *standing < revision) {
        return Some(format!(
            "revision {revision} was made although revision {standing} is accepted and was not \
             opened again"
        ));
    }
    let before = child.known().get(&(month, revision - 1))?;
    let answer = child.decision(&before.digest());
    (!answer.is_some_and(Decision::asks_for_revision)).then(|| {
        format!(
            "revision {revision} was made although the one before was not returned, rejected or \
             opened again"
        )
    })
}

/// Whether it was for this unit to ask: it answers the month, by the registry of today and by the
/// one that the rollup names. Of a unit that was moved since, the former parent has asked.
fn is_asked_of_us(books: &Books, rollup: &Rollup) -> bool {
    let mut versions = books.registries().iter().map(|(v, _)| v.registry());
    let named = versions.find(|v| v.version == rollup.registry.version);
    let then = named.and_then(|v| v.unit(&rollup.unit)?.parent_in(rollup.period));
    books.answers(rollup) && then.is_none_or(|parent| parent == books.unit())
}

/// The earlier month that a report was closed over and of which a new revision was asked for since:
/// accepted, the report would carry stocks that are about to change.
pub(super) fn stale(child: &Child, held: &HeldRollup) -> Option<Month> {
    let chain = chain::before(&held.rollup, child.known());
    let earlier = chain.range(..(held.rollup.period, 0));
    // The last revision of each month.
    let last: BTreeMap<Month, _> = earlier.map(|((month, _), held)| (*month, held)).collect();
    let mut months = last.into_iter();
    months.find_map(|(month, held)| {
        let word = child.decision(&held.digest());
        let asked = matches!(word, Some(Decision::Returned | Decision::Reopened));
        asked.then_some(month)
    })
}
