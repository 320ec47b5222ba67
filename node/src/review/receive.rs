//! What comes from below: statements, checkpoints and rollups.

use chrono::{DateTime, Utc};
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::log::checkpoint::{Checkpoint, origin_of};
use protocol::log::delivery::Claimed;
use protocol::note::Note;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::rollup::HeldRollup;
use protocol::verdict::{Check, Verdict};

use crate::books::children::{ArrivalHead, Child, DeliveryHead};
use crate::books::contradictions::Contradiction;
use crate::books::{Books, EntryKind, NewEntry};
use crate::fault::Faults;
use crate::intake::Intake;
use crate::link::MAX_BODY_BYTES;
use protocol::period::china_day;

use super::contradict::contradict;
use super::issue::{Ruling, issue_receipt};

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
) -> Result<Intake, Faults> {
    let Some(child) = books.child(unit) else {
        return Ok(Intake::Refused(format!("{unit} is not below this unit")));
    };
    // Nobody sends more. The server takes a little more, and what the journal cannot take would
    // come again for ever.
    if body.len() > MAX_BODY_BYTES {
        return Ok(Intake::Refused(format!(
            "a delivery of {} bytes, at most {MAX_BODY_BYTES} are allowed",
            body.len()
        )));
    }
    let claimed = match Claimed::open(body) {
        Ok(claimed) => claimed,
        Err(e) => return Ok(Intake::Refused(e.to_string())),
    };
    if let Err(why) = of_log(books, child, claimed.note(), claimed.checkpoint()) {
        return Ok(Intake::Refused(why));
    }
    let held = child.held();
    if first > held {
        return Ok(Intake::Later(format!(
            "statements {held} to {first} of {unit} are still to come"
        )));
    }
    let delivery = match claimed.prove(first) {
        Ok(delivery) => delivery,
        Err(e) => return Ok(Intake::Refused(e.to_string())),
    };
    let fork = two_checkpoints(child, delivery.note(), delivery.checkpoint());
    let known = usize::try_from(held - first)
        .unwrap_or(usize::MAX)
        .min(delivery.entries().len());
    let other = (first..)
        .zip(&delivery.entries()[..known])
        .find(|(index, entry)| !child.has_statement(*index, entry));
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
    Ok(Intake::Done)
}

/// So many of a unit's statements with two contents are kept as evidence; one is enough, and each
/// is a whole delivery.
const MAX_OTHER: usize = 16;

/// What contradicts where the unit has signed another root for a log of this size before.
fn two_checkpoints(child: &Child, note: &Note, point: &Checkpoint) -> Option<Contradiction> {
    let before = child.checkpoints().get(&point.size())?;
    (before.text() != note.text()).then(|| Contradiction::Checkpoint { size: point.size() })
}

/// Whether this is a checkpoint of the unit's log, signed by a key of its node that may, and by
/// nobody who is not known.
fn of_log(books: &Books, child: &Child, note: &Note, point: &Checkpoint) -> Result<(), String> {
    let unit = &child.unit().id;
    if point.origin() != origin_of(unit) {
        return Err("a checkpoint of another log".into());
    }
    let keys = child.unit().keys_over(point.size());
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
) -> Result<Intake, Faults> {
    let Some(child) = books.child(unit) else {
        return Ok(Intake::Refused(format!("{unit} is not below this unit")));
    };
    let note = match Note::parse(body) {
        Ok(n) => n,
        Err(e) => return Ok(Intake::Refused(e.to_string())),
    };
    let point = match Checkpoint::parse(note.text()) {
        Ok(p) => p,
        Err(e) => return Ok(Intake::Refused(e.to_string())),
    };
    if let Err(why) = of_log(books, child, &note, &point) {
        return Ok(Intake::Refused(why));
    }
    if let Some(what) = two_checkpoints(child, &note, &point) {
        return contradict(books, unit, what, body, None);
    }
    if child.checkpoints().contains_key(&point.size()) {
        return Ok(Intake::Done);
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
    Ok(Intake::Done)
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
) -> Result<Intake, Faults> {
    let Some(child) = books.child(unit) else {
        return Ok(Intake::Refused(format!("{unit} is not below this unit")));
    };
    let held = match Note::parse(body)
        .map_err(|e| e.to_string())
        .and_then(|n| HeldRollup::new(n).map_err(|e| e.to_string()))
    {
        Ok(h) => h,
        Err(e) => return Ok(Intake::Refused(e.to_string())),
    };
    if held.rollup.unit != *unit {
        return Ok(Intake::Refused("a rollup of another unit".into()));
    }
    if held
        .note
        .verify(&child.unit().keys_over(held.rollup.log.size))
        .is_err()
    {
        return Ok(Intake::Refused(format!(
            "a rollup that {unit} did not sign"
        )));
    }
    if !can_be_due(child, &held, now) {
        let (month, revision) = (held.rollup.period, held.rollup.revision);
        return Ok(Intake::Refused(format!(
            "a rollup of {unit} for {month} revision {revision}, which cannot be due"
        )));
    }
    match lines(child, &held) {
        Lines::Right => {}
        Lines::Unknown if child.held() < held.rollup.log.size => {
            return Ok(Intake::Later(format!(
                "the statements of {unit} that enrol its signatories are still to come"
            )));
        }
        // The text itself, which the node signed, names somebody whom its log does not know: its
        // own fault, for the checks to tell.
        Lines::Unknown => {}
        Lines::Other(what) => return Ok(Intake::Refused(format!("a rollup of {unit} {what}"))),
    }
    let key = (held.rollup.period, held.rollup.revision);
    if let Some(before) = child.known().get(&key) {
        let first = before.digest();
        return if first == held.digest() {
            Ok(Intake::Done)
        } else {
            second_rollup(books, &held, first, body, now)
        };
    }
    let head = ArrivalHead {
        unit: unit.clone(),
        at: now,
    };
    books.commit(vec![NewEntry::headed(EntryKind::ChildRollup, &head, body)])?;
    tracing::info!(%unit, month = %key.0, revision = key.1, "a rollup came");
    Ok(Intake::Done)
}

/// Whether a unit can owe a rollup for this month and revision. Without bounds a unit could have
/// its tiers above keep rollups without end.
fn can_be_due(child: &Child, held: &HeldRollup, now: DateTime<Utc>) -> bool {
    let last = Month::of(china_day(now)).and_then(Month::next);
    held.rollup.period >= child.unit().since
        && last.is_none_or(|last| held.rollup.period <= last)
        && held.rollup.revision <= MAX_REVISION
}

/// Keeps a second rollup for a month and revision as a contradiction. A direct child is told as
/// well: the second has its own receipt, whoever sent it. The first keeps the answer that it had.
fn second_rollup(
    books: &mut Books,
    held: &HeldRollup,
    first: Digest,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Intake, Faults> {
    let unit = &held.rollup.unit;
    let what = Contradiction::Rollup {
        period: held.rollup.period,
        revision: held.rollup.revision,
        first,
        second: held.digest(),
    };
    let intake = contradict(books, unit, what.clone(), body, None)?;
    let unanswered = books
        .child(unit)
        .is_some_and(|c| books.is_direct(c) && c.decision(&held.digest()).is_none());
    if unanswered {
        let checks = vec![Verdict::fails(Check::History, what.to_string())];
        let ruling = Ruling::new(Decision::Rejected, books.unit().as_str());
        issue_receipt(books, held, checks, now, ruling, now)?;
    }
    Ok(intake)
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
    let node = child.unit().id.as_str();
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
