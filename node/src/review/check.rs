//! Checking what came, in its order.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::note::Note;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::rollup::{ChildRef, HeldRollup, Rollup};
use protocol::verdict::{Check, Verdict};
use protocol::verify::log::UnitLog;
use protocol::verify::{self, Context};

use crate::books::children::Child;
use crate::books::{Books, Derived};
use crate::fault::{Faults, internal};

use super::asked::{stale, unasked};
use super::issue::{Ruling, arrived, issue_receipt};

/// What a rollup still waits for before it can be checked.
pub fn waits(books: &Books, held: &HeldRollup) -> Option<String> {
    let child = books.child(&held.rollup.unit)?;
    let size = held.rollup.log.size;
    // Shrinking logs are not waited for: the check says what is wrong with them.
    if child.held() < size {
        return Some(format!("{} of {size} statements are here", child.held()));
    }
    if !child.checkpoints().contains_key(&size) {
        return Some("its checkpoint is not here".into());
    }
    let may_read_again = || child.is_checked_again(&held.digest()) || is_named(books, held);
    if size < child.log().len() && !may_read_again() {
        // To judge it, its log is read again from the beginning: only where something rests on it.
        return Some("a longer log of its unit was judged before it came".into());
    }
    let rollup = &held.rollup;
    if let Some(why) = waits_for_chain(books, child, rollup) {
        return Some(why);
    }
    rollup.children.iter().find_map(|c| waits_for(books, c))
}

/// What has to happen first on the rollup's own chain: rollups are judged by their chains, in
/// whatever order they come. What contradicts the one that is known is never coming as such: the
/// check says what is wrong then. One that was answered unchecked, as it never could be, is out of
/// the way, but nothing builds on it.
fn waits_for_chain(books: &Books, child: &Child, rollup: &Rollup) -> Option<String> {
    let after = rollup.after.as_ref()?;
    let (month, revision) = (after.period, after.revision);
    let known = child.known().get(&(month, revision));
    if known.is_none_or(|held| held.digest() != after.rollup) {
        let coming = !books.contradicted(&after.rollup);
        return coming
            .then(|| format!("{month} revision {revision}, which it follows, is not here"));
    }
    let checked = |digest: &Digest| child.verdicts().contains_key(digest);
    if let Some((month, revision)) = unread_on_chain(child, rollup) {
        return Some(format!(
            "{month} revision {revision}, which it follows, is not here whole"
        ));
    }
    if !checked(&after.rollup) && child.decision(&after.rollup).is_none() {
        return Some(format!(
            "{month} revision {revision}, which it follows, is not checked yet"
        ));
    }
    let previous = rollup
        .previous
        .and_then(|digest| books.find_rollup(&digest));
    let unchecked = previous.filter(|held| !checked(&held.digest()))?;
    let month = unchecked.rollup.period;
    Some(format!("{month}, on which it builds, is not checked yet"))
}

/// The first on its chain, from its end, of which statements or the checkpoint are missing, behind
/// those that were checked. Evidence has a rollup only with its whole chain: what is accepted
/// without could not be shown.
fn unread_on_chain(child: &Child, rollup: &Rollup) -> Option<(Month, u32)> {
    let mut after = rollup.after.as_ref();
    while let Some(named) = after {
        let key = (named.period, named.revision);
        let held = child.known().get(&key)?;
        if held.digest() != named.rollup {
            return None;
        }
        let size = held.rollup.log.size;
        if child.verdicts().contains_key(&held.digest()) {
            return None;
        }
        if size > child.held() || !child.checkpoints().contains_key(&size) {
            return Some(key);
        }
        after = held.rollup.after.as_ref();
    }
    None
}

/// Whether a rollup of another unit names it.
fn is_named(books: &Books, held: &HeldRollup) -> bool {
    let digest = held.digest();
    let mut all = books.children().values().flat_map(|c| c.known().values());
    all.any(|above| {
        above
            .rollup
            .children
            .iter()
            .any(|child| child.rollup == digest)
    })
}

/// What has to happen before a rollup can be judged that names this one. A child that signed two
/// rollups for one month is not its parent's fault: the parent's waits until a person returns it,
/// or a new revision comes.
fn waits_for(books: &Books, named: &ChildRef) -> Option<String> {
    let unit = &named.unit;
    if books.contradicted(&named.rollup) {
        return Some(format!(
            "its child {unit} has signed two rollups for this month and revision; it takes a new \
             revision without them"
        ));
    }
    let Some(child) = books.find_rollup(&named.rollup) else {
        return Some(format!("the rollup of its child {unit} is not here"));
    };
    match books.standing(&named.rollup) {
        Some(_) => None,
        None => Some(match waits(books, &child) {
            Some(why) => format!("the rollup of its child {unit} is not checked: {why}"),
            None => format!("the rollup of its child {unit} is not checked yet"),
        }),
    }
}

/// Checks every rollup that came and was not checked yet, each after those on its chain. Failed ones
/// of direct children are rejected at once; with `auto`, ones that hold are accepted. Returns the
/// receipts that were given.
///
/// # Errors
/// The node's own failures.
pub fn check_all(books: &mut Books, auto: bool, now: DateTime<Utc>) -> Result<Vec<Note>, Faults> {
    let mut given = Vec::new();
    loop {
        let mut next: Vec<(UnitId, Digest, u64)> = Vec::new();
        for (id, child) in books.children() {
            let open = child.known().values().filter(|h| {
                !child.verdicts().contains_key(&h.digest()) && waits(books, h).is_none()
            });
            if let Some(h) =
                open.min_by_key(|h| (h.rollup.log.size, h.rollup.period, h.rollup.revision))
            {
                next.push((id.clone(), h.digest(), h.rollup.log.size));
            }
        }
        if next.is_empty() {
            return Ok(given);
        }
        for (unit, digest, size) in next {
            let begin = Instant::now();
            books.read_child_log(&unit, size)?;
            let read = begin.elapsed();
            let shorter = books.shorter_log(&unit, size)?;
            let verdicts = check_one(books, &unit, &digest, shorter.as_ref())?;
            log_result(books, &digest, &verdicts, read, begin.elapsed());
            given.extend(answer(books, &digest, &verdicts, auto, now)?);
            // Only after the receipt: what has a verdict is not looked at again, and a receipt that
            // failed would never be given.
            books.remember(Derived::Checked {
                unit,
                rollup: digest,
                verdicts,
            });
        }
    }
}

/// Answers a rollup of a direct child that has no answer yet: one that failed is rejected, one that
/// holds is accepted where this is `auto`matic.
fn answer(
    books: &mut Books,
    digest: &Digest,
    verdicts: &[Verdict],
    auto: bool,
    now: DateTime<Utc>,
) -> Result<Option<Note>, Faults> {
    let Some(held) = books.find_rollup(digest) else {
        return Ok(None);
    };
    let Some(child) = books.child(&held.rollup.unit) else {
        return Ok(None);
    };
    let verdicts = books.with_contradictions(&held, verdicts.to_vec());
    let decision = match verdicts.iter().any(Verdict::failed) {
        true => Decision::Rejected,
        // What rests on a month that is open again is for a person.
        false if auto && stale(child, &held).is_none() => Decision::Accepted,
        false => return Ok(None),
    };
    if !books.answers(&held.rollup) || child.decision(digest).is_some() {
        return Ok(None);
    }
    // Nobody would take the answer. It is given when the node starts with its key again.
    if books.listed_key().fault().is_some() {
        return Ok(None);
    }
    let received = arrived(books, &held).unwrap_or(now);
    let ruling = Ruling::new(decision, books.unit().as_str());
    issue_receipt(books, &held, verdicts, received, ruling, now).map(Some)
}

/// Tells the log what was checked and how long it took. Every start checks everything again: what
/// holds is for who looks closely.
fn log_result(books: &Books, digest: &Digest, verdicts: &[Verdict], read: Duration, all: Duration) {
    let Some(held) = books.find_rollup(digest) else {
        return;
    };
    let unit = &held.rollup.unit;
    let (month, revision) = (held.rollup.period, held.rollup.revision);
    let (read_ms, ms) = (read.as_millis(), all.as_millis());
    match verdicts.iter().find(|v| v.failed()) {
        None => tracing::debug!(%unit, %month, revision, read_ms, ms, "a rollup was checked"),
        Some(v) => {
            tracing::warn!(
                %unit,
                %month,
                revision,
                read_ms,
                ms,
                failed = v.check.as_str(),
                why = v.detail,
                "a rollup was checked"
            )
        }
    }
}

/// Checks a rollup over its unit's log as far as it was read, or over this `shorter` one.
fn check_one(
    books: &Books,
    unit: &UnitId,
    digest: &Digest,
    shorter: Option<&UnitLog>,
) -> Result<Vec<Verdict>, Faults> {
    let child = books.child(unit).ok_or_else(|| internal("unknown child"))?;
    let held = child
        .known()
        .values()
        .find(|h| h.digest() == *digest)
        .ok_or_else(|| internal("unknown rollup"))?;
    let registry = books
        .registries()
        .iter()
        .map(|(r, _)| r)
        .find(|r| r.registry().version == held.rollup.registry.version)
        .or(books.registry())
        .ok_or_else(|| internal("no registry"))?;
    let lookup = |digest: &Digest| books.named(digest);
    let witnessed = child
        .given()
        .values()
        .flatten()
        .filter(|(r, _)| r.decision == Decision::Accepted)
        .filter_map(|(r, _)| child.known().get(&(r.period, r.revision)))
        .filter_map(|h| Some((h.rollup.log.size, h.rollup.log.root_bytes()?)))
        .max();
    let context = Context {
        registry,
        log: shorter.unwrap_or(child.log()),
        known: child.known(),
        unbound: &unbound(child),
        child: &lookup,
        checkpoint: child.checkpoints().get(&held.rollup.log.size),
        // A new revision of an old month may rest on a smaller log than was witnessed since: then
        // only its prefix counts.
        witnessed: witnessed.filter(|(size, _)| *size <= held.rollup.log.size),
        received: child.arrived().get(digest).copied(),
        due: Some(
            books
                .reporting(held.rollup.period)
                .due(held.rollup.tier, held.rollup.period),
        ),
    };
    let mut verdicts = verify::check(held, &context);
    if let Some(detail) = unasked(books, child, held) {
        fail_history(&mut verdicts, detail);
    }
    Ok(verdicts)
}

/// Rollups of a unit whose binding failed here.
fn unbound(child: &Child) -> BTreeSet<Digest> {
    let failed = |v: &Verdict| v.check == Check::Binding && v.failed();
    let checked = child.verdicts().iter();
    checked
        .filter(|(_, verdicts)| verdicts.iter().any(failed))
        .map(|(digest, _)| *digest)
        .collect()
}

fn fail_history(verdicts: &mut [Verdict], detail: String) {
    if let Some(v) = verdicts
        .iter_mut()
        .find(|v| v.check == Check::History && !v.failed())
    {
        *v = Verdict::fails(Check::History, detail);
    }
}
