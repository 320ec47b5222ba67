//! Review: what a unit does with the units below it. Receive, check, accept, return, reopen.
//!
//! Everything is idempotent on (unit, month, revision, digest): NATS may bring a message twice,
//! late, or never. Two different rollups for one revision, or other bytes for a leaf that is known,
//! are a *contradiction*: both sides are kept as evidence and the unit is flagged.
//!
//! A subject proves nothing, neither who wrote a body nor which place it has: only signatures
//! count, and nobody is flagged for bytes that he did not sign.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::log::checkpoint::{Checkpoint, add_cosignature, origin_of};
use protocol::log::delivery::Claimed;
use protocol::note::Note;
use protocol::period::Month;
use protocol::receipt::{Decision, Receipt};
use protocol::rollup::ChildRef;
use protocol::rollup::HeldRollup;
use protocol::verdict::{Check, Verdict};
use protocol::verify::{self, Context};

use crate::books::children::{ArrivalHead, Child, DeliveryHead};
use crate::books::contradictions::{Contradiction, ContradictionHead};
use crate::books::{Books, Derived, EntryKind, NewEntry};
use crate::clock::stamp;
use crate::fault::{Faults, internal};
use crate::link::MAX_BODY_BYTES;
use protocol::period::china_day;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Took {
    /// Written to the journal, or known already.
    Done,
    /// It cannot be used; the reason is for the log. It will not come again.
    Refused(String),
    /// It cannot be used yet: something before it is missing.
    Later(String),
}

/// More revisions of one month than any unit ever needs.
const MAX_REVISION: u32 = 100;

/// Statements of a unit below: a delivery, whose first one is said to have index `first`.
///
/// It proves by a checkpoint of the unit's that they stand there, so other bytes for an index that
/// is known are the unit's own doing. Who signed each of them, and whether he might, is the check's
/// question.
///
/// # Errors
/// The node's own failures.
pub fn take_entries(
    books: &mut Books,
    unit: &UnitId,
    first: u64,
    body: &[u8],
) -> Result<Took, Faults> {
    let Some(child) = books.child(unit) else {
        return Ok(Took::Refused(format!("{unit} is not below this unit")));
    };
    // Nobody sends more. The server takes a little more, and what the journal cannot take would
    // come again for ever.
    if body.len() > MAX_BODY_BYTES {
        return Ok(Took::Refused(format!(
            "a delivery of {} bytes, at most {MAX_BODY_BYTES} are allowed",
            body.len()
        )));
    }
    let claimed = match Claimed::open(body) {
        Ok(claimed) => claimed,
        Err(e) => return Ok(Took::Refused(e.to_string())),
    };
    if let Err(why) = of_log(books, child, claimed.note(), claimed.checkpoint()) {
        return Ok(Took::Refused(why));
    }
    let held = child.held();
    if first > held {
        return Ok(Took::Later(format!(
            "statements {held} to {first} of {unit} are still to come"
        )));
    }
    let delivery = match claimed.prove(first) {
        Ok(delivery) => delivery,
        Err(e) => return Ok(Took::Refused(e.to_string())),
    };
    let fork = two_checkpoints(child, delivery.note(), delivery.checkpoint());
    let known = usize::try_from(held - first)
        .unwrap_or(usize::MAX)
        .min(delivery.entries().len());
    let other = (first..)
        .zip(&delivery.entries()[..known])
        .find(|(index, entry)| !child.holds(*index, entry));
    let other = other.map(|(index, _)| index);
    let kept = books
        .contradictions()
        .iter()
        .filter(|c| c.unit == *unit && matches!(c.what, Contradiction::Statement { .. }));
    if let Some(index) = other.filter(|_| kept.count() < MAX_OTHER) {
        let what = Contradiction::Statement { index };
        contradict(books, unit, what, body, Some(first))?;
    }
    if let Some(what) = fork {
        contradict(books, unit, what, delivery.note().as_bytes(), None)?;
    }
    // What follows another history is kept all the same: the checks then say of its rollup that the
    // log was changed.
    if known < delivery.entries().len() {
        let head = DeliveryHead {
            unit: unit.clone(),
            first: held,
            from: first,
        };
        books.commit(vec![NewEntry::headed(EntryKind::Delivery, &head, body)])?;
    }
    Ok(Took::Done)
}

/// So many of a unit's statements with two contents are kept as evidence; one is enough, and each
/// is a whole delivery.
const MAX_OTHER: usize = 16;

/// What contradicts where the unit has signed another root for a log of this size before.
fn two_checkpoints(child: &Child, note: &Note, point: &Checkpoint) -> Option<Contradiction> {
    let before = child.checkpoints.get(&point.size())?;
    (before.text() != note.text()).then(|| Contradiction::Checkpoint { size: point.size() })
}

/// Whether this is a checkpoint of the unit's log, signed by a key of its node that may, and by
/// nobody who is not known.
fn of_log(books: &Books, child: &Child, note: &Note, point: &Checkpoint) -> Result<(), String> {
    let unit = &child.unit.id;
    if point.origin() != origin_of(unit) {
        return Err("a checkpoint of another log".into());
    }
    let keys = child.unit.keys_over(point.size());
    if note.verify(&keys).is_err() {
        return Err(format!("a checkpoint that {unit} did not sign"));
    }
    let witnesses = books
        .registry()
        .map(|r| protocol::verify::answer::witnesses(unit, r.registry()))
        .unwrap_or_default();
    protocol::note::every_line(note, &[keys, witnesses].concat())
        .map_err(|e| format!("a checkpoint that {e}"))
}

/// A checkpoint of a unit below.
///
/// # Errors
/// The node's own failures.
pub fn take_checkpoint(
    books: &mut Books,
    unit: &UnitId,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Took, Faults> {
    let Some(child) = books.child(unit) else {
        return Ok(Took::Refused(format!("{unit} is not below this unit")));
    };
    let note = match Note::parse(body) {
        Ok(n) => n,
        Err(e) => return Ok(Took::Refused(e.to_string())),
    };
    let point = match Checkpoint::parse(note.text()) {
        Ok(p) => p,
        Err(e) => return Ok(Took::Refused(e.to_string())),
    };
    if let Err(why) = of_log(books, child, &note, &point) {
        return Ok(Took::Refused(why));
    }
    if let Some(what) = two_checkpoints(child, &note, &point) {
        return contradict(books, unit, what, body, None);
    }
    if child.checkpoints.contains_key(&point.size()) {
        return Ok(Took::Done);
    }
    let head = ArrivalHead {
        unit: unit.clone(),
        at: now,
    };
    books.commit(vec![NewEntry::headed(
        EntryKind::ChildCheckpoint,
        &head,
        body,
    )])?;
    Ok(Took::Done)
}

/// A rollup of a unit below.
///
/// # Errors
/// The node's own failures.
pub fn take_rollup(
    books: &mut Books,
    unit: &UnitId,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Took, Faults> {
    let Some(child) = books.child(unit) else {
        return Ok(Took::Refused(format!("{unit} is not below this unit")));
    };
    let held = match Note::parse(body)
        .map_err(|e| e.to_string())
        .and_then(|n| HeldRollup::new(n).map_err(|e| e.to_string()))
    {
        Ok(h) => h,
        Err(e) => return Ok(Took::Refused(e.to_string())),
    };
    if held.rollup.unit != *unit {
        return Ok(Took::Refused("a rollup of another unit".into()));
    }
    if held
        .note
        .verify(&child.unit.keys_over(held.rollup.log.size))
        .is_err()
    {
        return Ok(Took::Refused(format!("a rollup that {unit} did not sign")));
    }
    // Without bounds a unit could have its tiers above keep rollups without end.
    let (first, last) = (
        child.unit.since,
        Month::of(china_day(now)).and_then(Month::next),
    );
    if held.rollup.period < first
        || last.is_some_and(|last| held.rollup.period > last)
        || held.rollup.revision > MAX_REVISION
    {
        let (month, revision) = (held.rollup.period, held.rollup.revision);
        return Ok(Took::Refused(format!(
            "a rollup of {unit} for {month} revision {revision}, which cannot be due"
        )));
    }
    match lines(child, &held) {
        Lines::Right => {}
        Lines::Unknown if child.held() < held.rollup.log.size => {
            return Ok(Took::Later(format!(
                "the statements of {unit} that enrol its signatories are still to come"
            )));
        }
        // The text itself, which the node signed, names somebody whom its log does not know: its
        // own fault, for the checks to tell.
        Lines::Unknown => {}
        Lines::Other(what) => return Ok(Took::Refused(format!("a rollup of {unit} {what}"))),
    }
    let key = (held.rollup.period, held.rollup.revision);
    if let Some(before) = child.known.get(&key) {
        if before.digest() == held.digest() {
            return Ok(Took::Done);
        }
        let what = Contradiction::Rollup {
            period: key.0,
            revision: key.1,
            first: before.digest(),
            second: held.digest(),
        };
        let direct = books.is_direct(child);
        let took = contradict(books, unit, what.clone(), body, None)?;
        // The child is told as well: the second has its own receipt, whoever sent it. The first
        // keeps the answer that it had.
        if direct
            && books
                .child(unit)
                .is_some_and(|c| c.decision(&held.digest()).is_none())
        {
            let (by, checks) = (
                books.unit().to_string(),
                vec![Verdict::fails(Check::History, what.to_string())],
            );
            give(
                books,
                &held,
                checks,
                now,
                Decision::Rejected,
                Vec::new(),
                Vec::new(),
                by,
                now,
            )?;
        }
        return Ok(took);
    }
    let head = ArrivalHead {
        unit: unit.clone(),
        at: now,
    };
    books.commit(vec![NewEntry::headed(EntryKind::ChildRollup, &head, body)])?;
    tracing::info!(%unit, month = %key.0, revision = key.1, "a rollup came");
    Ok(Took::Done)
}

/// The signature lines of a rollup. They are no part of what is signed: whoever carries it can take
/// one away, or add one.
enum Lines {
    /// Its node's and its three signatories', all of which hold.
    Right,
    /// A signatory of whom no key is known.
    Unknown,
    /// Others than these, or one that does not hold: not as the unit sent it.
    Other(String),
}

fn lines(child: &Child, held: &HeldRollup) -> Lines {
    let names = held.rollup.signatories.names();
    let keys = child.signers();
    if names
        .iter()
        .any(|name| keys.iter().all(|key| key.name() != *name))
    {
        return Lines::Unknown;
    }
    let node = child.unit.id.as_str();
    let lines = held.note.signatures();
    let of = |name: &str| lines.iter().filter(|line| line.name() == name).count();
    if let Some(absent) = names.into_iter().chain([node]).find(|name| of(name) != 1) {
        return Lines::Other(format!("without one signature of {absent}"));
    }
    if let Some(strange) = lines
        .iter()
        .find(|line| line.name() != node && !names.contains(&line.name()))
    {
        return Lines::Other(format!("with a line of {}", strange.name()));
    }
    match protocol::note::every_line(&held.note, &keys) {
        Ok(()) => Lines::Right,
        Err(e) => Lines::Other(format!("that {e}")),
    }
}

/// Keeps what contradicts what is known, and flags the unit. `from`: of a statement, the index of
/// the first one in the delivery.
pub(crate) fn contradict(
    books: &mut Books,
    unit: &UnitId,
    what: Contradiction,
    body: &[u8],
    from: Option<u64>,
) -> Result<Took, Faults> {
    let mut kept = books.contradictions().iter();
    if kept.any(|c| c.unit == *unit && c.what == what) {
        return Ok(Took::Done);
    }
    tracing::error!(unit = %unit, %what, "contradiction");
    let kind = match what {
        Contradiction::Statement { .. } => EntryKind::OtherStatement,
        _ => EntryKind::Contradiction,
    };
    let unit = unit.clone();
    let head = ContradictionHead { unit, what, from };
    books.commit(vec![NewEntry::headed(kind, &head, body)])?;
    Ok(Took::Done)
}

/// What a rollup still waits for before it can be checked.
pub fn waits(books: &Books, held: &HeldRollup) -> Option<String> {
    let child = books.child(&held.rollup.unit)?;
    let size = held.rollup.log.size;
    // Shrinking logs are not waited for: the check says what is wrong with them.
    if child.held() < size {
        return Some(format!("{} of {size} statements are here", child.held()));
    }
    if !child.checkpoints.contains_key(&size) {
        return Some("its checkpoint is not here".into());
    }
    // Months and revisions are judged in their order, in whatever order they come. One that
    // contradicts what is known is never coming as such: the check says what is wrong then.
    let rollup = &held.rollup;
    let previous = rollup.previous.filter(|_| rollup.period > child.unit.since);
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
    // Where the child has sent another one for this month and revision, the named one is not coming
    // either.
    let told = |c: &ChildRef| {
        books
            .child(&c.unit)
            .is_some_and(|k| k.known.contains_key(&(rollup.period, c.revision)))
    };
    let unknown = rollup
        .children
        .iter()
        .find(|c| books.find_rollup(&c.rollup).is_none() && !told(c));
    unknown.map(|c| format!("the rollup of its child {} is not here", c.unit))
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
                .known
                .values()
                .filter(|h| !child.verdicts.contains_key(&h.digest()));
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
            books.remember(Derived::LogRead {
                unit: unit.clone(),
                size,
            });
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
    let decision = match verdicts.iter().any(Verdict::failed) {
        true => Decision::Rejected,
        false if auto => Decision::Accepted,
        false => return Ok(None),
    };
    if !books.is_direct(child) || child.decision(digest).is_some() {
        return Ok(None);
    }
    let received = arrived(books, &held).unwrap_or(now);
    let by = books.unit().to_string();
    let checks = verdicts.to_vec();
    let none = Vec::new;
    give(
        books,
        &held,
        checks,
        received,
        decision,
        none(),
        none(),
        by,
        now,
    )
    .map(Some)
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
            tracing::warn!(%unit, %month, revision, read_ms, ms, failed = v.check.as_str(), why = v.detail, "a rollup was checked")
        }
    }
}

fn check_one(books: &Books, unit: &UnitId, digest: &Digest) -> Result<Vec<Verdict>, Faults> {
    let child = books.child(unit).ok_or_else(|| internal("unknown child"))?;
    let held = child
        .known
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
    let lookup = |digest: &Digest| books.find_rollup(digest);
    let witnessed = child
        .given
        .values()
        .flatten()
        .filter(|(r, _)| r.decision == Decision::Accepted)
        .filter_map(|(r, _)| child.known.get(&(r.period, r.revision)))
        .filter_map(|h| Some((h.rollup.log.size, h.rollup.log.root_bytes()?)))
        .max();
    let context = Context {
        registry,
        log: &child.log,
        known: &child.known,
        child: &lookup,
        checkpoint: child.checkpoints.get(&held.rollup.log.size),
        // A new revision of an old month may rest on a smaller log than was witnessed since: then
        // only its prefix counts.
        witnessed: witnessed.filter(|(size, _)| *size <= held.rollup.log.size),
        received: child.arrived.get(digest).copied(),
        due: Some(books.reporting().due(held.rollup.tier, held.rollup.period)),
    };
    let mut verdicts = verify::check(held, &context);
    // What was accepted is opened again by this unit's word, or not at all.
    let before = child
        .known
        .get(&(held.rollup.period, held.rollup.revision.wrapping_sub(1)))
        .map(|h| h.digest());
    let direct = books.is_direct(child);
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
                "revision {} was made although the one before was not returned, rejected or opened again",
                held.rollup.revision
            ),
        );
    }
    let mut kept = books.contradictions().iter();
    let (month, revision) = (held.rollup.period, held.rollup.revision);
    if let Some(found) = kept.find(|c| c.unit == *unit && c.what.is_about(month, revision)) {
        fail_history(&mut verdicts, found.what.to_string());
    }
    Ok(verdicts)
}

fn fail_history(verdicts: &mut [Verdict], detail: String) {
    if let Some(v) = verdicts
        .iter_mut()
        .find(|v| v.check == Check::History && !v.failed())
    {
        *v = Verdict::fails(Check::History, detail);
    }
}

/// A person's decision on the latest revision of a direct child's month; what is opened again is
/// the accepted one.
///
/// # Errors
/// Nothing to decide on, a decision that the checks do not allow, or a missing reason.
#[allow(clippy::too_many_arguments)] // one argument a field of the receipt
pub fn decide(
    books: &mut Books,
    unit: &UnitId,
    period: Month,
    decision: Decision,
    reasons: Vec<String>,
    about: Vec<String>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Note, Faults> {
    let refuse = |code: &str, zh: &str, en: &str| Err(Faults::one(code, zh, en));
    let Some(child) = books.child(unit).filter(|c| books.is_direct(c)) else {
        return refuse("review.unit", "不是直属下级", "not a direct child");
    };
    let held = match decision {
        Decision::Reopened => child.accepted(period).or(child.latest(period)),
        _ => child.latest(period),
    };
    let Some(held) = held else {
        return refuse(
            "review.none",
            "还没有收到该月报表",
            "no rollup of this month has come",
        );
    };
    let digest = held.digest();
    let before = child.decision(&digest);
    let Some(verdicts) = child.verdicts.get(&digest) else {
        let why = waits(books, held).unwrap_or_else(|| "it is being checked".into());
        return refuse(
            "review.unchecked",
            &format!("尚未校验:{why}"),
            &format!("not checked yet: {why}"),
        );
    };
    let failed = verdicts.iter().any(Verdict::failed);
    let allowed = match decision {
        Decision::Accepted => before.is_none() && !failed,
        Decision::Returned => before.is_none(),
        Decision::Rejected => before.is_none() && failed,
        Decision::Reopened => before == Some(Decision::Accepted),
    };
    if !allowed {
        return refuse(
            "review.state",
            "报表当前状态不允许这个决定",
            "the rollup's checks or state do not allow this decision",
        );
    }
    if matches!(decision, Decision::Returned | Decision::Reopened)
        && reasons.iter().all(|r| r.trim().is_empty())
    {
        return refuse("review.reason", "请写明原因", "a reason is needed");
    }
    let (held, verdicts) = (held.clone(), verdicts.clone());
    let received = arrived(books, &held).unwrap_or(now);
    give(
        books,
        &held,
        verdicts,
        received,
        decision,
        reasons,
        about,
        by.to_string(),
        now,
    )
}

fn arrived(books: &Books, held: &HeldRollup) -> Option<DateTime<Utc>> {
    books
        .child(&held.rollup.unit)?
        .arrived
        .get(&held.digest())
        .copied()
}

/// Signs and keeps a receipt.
#[allow(clippy::too_many_arguments)] // one argument a field of the receipt
fn give(
    books: &mut Books,
    held: &HeldRollup,
    checks: Vec<Verdict>,
    received: DateTime<Utc>,
    decision: Decision,
    reasons: Vec<String>,
    about: Vec<String>,
    by: String,
    now: DateTime<Utc>,
) -> Result<Note, Faults> {
    let rollup = &held.rollup;
    let child = books
        .child(&rollup.unit)
        .ok_or_else(|| internal("unknown child"))?;
    let checkpoint = match child.checkpoints.get(&rollup.log.size) {
        // Accepting is witnessing: the cosignature says that this is the largest consistent log
        // seen.
        Some(note) if decision == Decision::Accepted => {
            let time = u64::try_from(now.timestamp()).unwrap_or(0);
            add_cosignature(note, &books.keys().witness, time)
                .map_err(internal)?
                .as_bytes()
                .to_vec()
        }
        Some(note) => note.as_bytes().to_vec(),
        None => Vec::new(),
    };
    // Receipts for one rollup are read in the order of these times, also where the clock was put
    // back in between.
    let before = child
        .given
        .get(&held.digest())
        .into_iter()
        .flatten()
        .filter_map(|(r, _)| r.decided.parse().ok())
        .max();
    let receipt = Receipt {
        parent: books.unit().clone(),
        child: rollup.unit.clone(),
        period: rollup.period,
        revision: rollup.revision,
        rollup: held.digest(),
        decision,
        received: stamp(received),
        decided: stamp(before.map_or(now, |before| now.max(before))),
        by,
        reasons,
        about,
        checks,
        checkpoint: String::from_utf8(checkpoint).map_err(internal)?,
    };
    let text = receipt
        .to_text()
        .map_err(|e| Faults::one("review.receipt", e.to_string(), e.to_string()))?;
    let note = Note::sign(&text, &[&books.keys().node]).map_err(internal)?;
    books.commit(vec![NewEntry::open(EntryKind::Given, note.as_bytes())])?;
    books.guard_all()?;
    tracing::info!(unit = %receipt.child, month = %receipt.period, revision = receipt.revision, decision = ?decision, "a receipt was given");
    Ok(note)
}

/// A receipt of the parent, for one of this unit's rollups.
///
/// # Errors
/// The node's own failures.
pub fn take_receipt(books: &mut Books, body: &[u8]) -> Result<Took, Faults> {
    let note = match Note::parse(body) {
        Ok(n) => n,
        Err(e) => return Ok(Took::Refused(e.to_string())),
    };
    let Ok(receipt) = Receipt::parse(note.text()) else {
        return Ok(Took::Refused("not a receipt".into()));
    };
    let Some(own) = books.rollups().get(&(receipt.period, receipt.revision)) else {
        return Ok(Took::Refused(
            "a receipt for a rollup that this unit does not have".into(),
        ));
    };
    if own
        .receipts
        .iter()
        .any(|(_, n)| n.digest() == note.digest())
    {
        return Ok(Took::Done);
    }
    let registry = books
        .registry()
        .ok_or_else(|| internal("no registry"))?
        .registry();
    let parent = books.me().and_then(|m| m.parent.clone());
    if let Err(e) =
        protocol::verify::answer::read_answer(&note, books.unit(), registry, parent.as_ref())
    {
        return Ok(Took::Refused(e.to_string()));
    }
    let digest = own.held.digest();
    if receipt.rollup != digest {
        // The parent has a rollup under this unit's name that this unit does not have: its people
        // must know.
        let what = Contradiction::ForeignAnswer {
            parent: receipt.parent,
            decision: receipt.decision,
            period: receipt.period,
            revision: receipt.revision,
            answered: receipt.rollup,
            own: digest,
        };
        let me = books.unit().clone();
        return contradict(books, &me, what, body, None);
    }
    if let Err(e) =
        protocol::verify::answer::read_receipt(&note, &own.held, registry, parent.as_ref())
    {
        return Ok(Took::Refused(e.to_string()));
    }
    books.commit(vec![NewEntry::open(EntryKind::Receipt, note.as_bytes())])?;
    tracing::info!(month = %receipt.period, revision = receipt.revision, decision = ?receipt.decision, "a receipt came");
    Ok(Took::Done)
}
