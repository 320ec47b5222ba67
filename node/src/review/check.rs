//! Checking what came, in its order.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::note::Note;
use protocol::receipt::Decision;
use protocol::rollup::{ChildRef, HeldRollup, Rollups};
use protocol::verdict::{Check, Verdict};
use protocol::verify::{self, Context};

use crate::books::children::Child;
use crate::books::{Books, Derived};
use crate::fault::{Faults, internal};

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
    // Months and revisions are judged in their order, in whatever order they come. One that
    // contradicts what is known is never coming as such: the check says what is wrong then.
    let rollup = &held.rollup;
    let previous = rollup
        .previous
        .filter(|_| rollup.period > child.unit().since);
    let supersedes = rollup.supersedes.filter(|_| rollup.revision > 1);
    let coming = |digest: &Digest| {
        let mut kept = books.contradictions().iter();
        books
            .find_rollup(digest)
            .is_none_or(|h| h.rollup.unit != rollup.unit)
            && !kept.any(|c| c.unit == rollup.unit && c.what.names(digest))
    };
    if previous.into_iter().chain(supersedes).any(|d| coming(&d)) {
        return Some("the rollup that it follows is not here".into());
    }
    rollup.children.iter().find_map(|c| waits_for(books, c))
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

/// Checks every rollup that came and was not checked yet, in the order of log sizes. Failed ones of
/// direct children are rejected at once; with `auto`, ones that hold are accepted. Returns the
/// receipts that were given.
///
/// # Errors
/// The node's own failures.
pub fn check_all(books: &mut Books, auto: bool, now: DateTime<Utc>) -> Result<Vec<Note>, Faults> {
    let mut given = Vec::new();
    loop {
        let mut next: Vec<(UnitId, Digest, u64)> = Vec::new();
        for (id, child) in books.children() {
            let open = child
                .known()
                .values()
                .filter(|h| !child.verdicts().contains_key(&h.digest()));
            // In order: an earlier rollup that waits holds back the later ones of its unit.
            if let Some(h) =
                open.min_by_key(|h| (h.rollup.log.size, h.rollup.period, h.rollup.revision))
                && waits(books, h).is_none()
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
            let verdicts = check_one(books, &unit, &digest)?;
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
        false if auto => Decision::Accepted,
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

/// The rollups of the same unit that come before this one, in the order in which whoever verifies a
/// file reads them. What came over the transport already and comes later in that order, or was not
/// checked itself, says nothing of this one: it could hide what this one leaves out.
fn before(known: &Rollups, held: &HeldRollup) -> Rollups {
    let order = |h: &HeldRollup| (h.rollup.log.size, h.rollup.period, h.rollup.revision);
    let earlier = known.iter().filter(|(_, k)| order(k) < order(held));
    earlier.map(|(key, k)| (*key, k.clone())).collect()
}

fn check_one(books: &Books, unit: &UnitId, digest: &Digest) -> Result<Vec<Verdict>, Faults> {
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
    let before = before(child.known(), held);
    let context = Context {
        registry,
        log: child.log(),
        known: &before,
        other_versions: &books.other_versions(unit),
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
    // What was accepted is opened again by this unit's word, or not at all.
    let before = child
        .known()
        .get(&(held.rollup.period, held.rollup.revision.wrapping_sub(1)))
        .map(|h| h.digest());
    let direct = books.answers(&held.rollup);
    let standing = child
        .accepted(held.rollup.period)
        .filter(|h| h.rollup.revision < held.rollup.revision);
    if let Some(standing) = standing.filter(|_| direct) {
        fail_history(
            &mut verdicts,
            format!(
                "revision {} was made although revision {} is accepted and was not opened again",
                held.rollup.revision, standing.rollup.revision
            ),
        );
    }
    if direct
        && before.is_some_and(|d| !child.decision(&d).is_some_and(Decision::asks_for_revision))
    {
        fail_history(
            &mut verdicts,
            format!(
                "revision {} was made although the one before was not returned, rejected or \
                 opened again",
                held.rollup.revision
            ),
        );
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
