//! A rollup of a unit below.

use chrono::{DateTime, Utc};
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::note::{LineError, Note, every_line};
use protocol::period::{Month, china_day};
use protocol::receipt::Decision;
use protocol::registry::Registry;
use protocol::rollup::HeldRollup;
use protocol::verdict::{Check, Verdict};

use crate::books::children::{ArrivalHead, Child};
use crate::books::contradictions::{Contradiction, ContradictionHead, KeptContradiction};
use crate::books::{Books, EntryKind, NewEntry};
use crate::fault::{Faults, internal};
use crate::intake::{Awaited, Intake};
use crate::review::contradict::contradict;
use crate::review::issue::{Ruling, issue_receipt};

use super::bounds::has_room_for_rollup;
use super::doubt::{Doubt, signed_by_node, unit_below};

/// More revisions of one month than any unit ever needs.
const MAX_REVISION: u32 = 100;
/// So many second rollups of a unit are kept as evidence, of all months together; one is enough.
const MAX_SECOND: usize = 64;

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
    let held = match read(books, unit, body, now) {
        Ok(held) => held,
        Err(doubt) => return Ok(doubt.into()),
    };
    let key = (held.rollup.period, held.rollup.revision);
    let before = books.child(unit).and_then(|c| c.known().get(&key));
    if let Some(before) = before {
        let first = before.digest();
        return if first == held.digest() {
            Ok(Intake::Done)
        } else {
            second_rollup(books, &held, first, body, now)
        };
    }
    let child = books.child(unit);
    let room = child.map_or(Ok(()), |child| has_room_for_rollup(books, child, &held));
    if let Err(doubt) = room {
        return Ok(doubt.into());
    }
    take_other_version(books, &held, now)?;
    let head = ArrivalHead {
        unit: unit.clone(),
        at: now,
    };
    books.commit(vec![NewEntry::headed(EntryKind::ChildRollup, &head, body)])?;
    tracing::info!(%unit, month = %key.0, revision = key.1, "a rollup came");
    Ok(Intake::Done)
}

/// Reads a rollup: whose it is, whether it can be due, and who signed it. What is wrong with it in
/// any case comes before what is missing here.
fn read(
    books: &Books,
    unit: &UnitId,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<HeldRollup, Doubt> {
    let child = unit_below(books, unit)?;
    let note = Note::parse(body).map_err(Doubt::wrong)?;
    let held = HeldRollup::new(note).map_err(Doubt::wrong)?;
    if held.rollup.unit != *unit {
        return Err(Doubt::wrong("a rollup of another unit"));
    }
    signed_by_node(child, &held.note, held.rollup.log.size, "a rollup")?;
    if !can_be_due(books, child, &held) {
        let (month, revision) = (held.rollup.period, held.rollup.revision);
        return Err(Doubt::Wrong(format!(
            "a rollup of {unit} for {month} revision {revision}, which cannot be due"
        )));
    }
    by_its_people(child, &held)?;
    of_known_documents(books, &held)?;
    has_begun(books, held.rollup.period, now)?;
    Ok(held)
}

/// Whether a unit can owe a rollup for this month and revision at any time. Without bounds a unit
/// could have its tiers above keep rollups without end.
fn can_be_due(books: &Books, child: &Child, held: &HeldRollup) -> bool {
    exists(books, child, held) && held.rollup.revision <= MAX_REVISION
}

/// Whether the month is no later than the one after this. A later one is not wrong: it may be this
/// node's clock that is behind, and what is refused never comes again. So it waits, in what its
/// sender may have waiting; the journal may know of a later time than the clock.
fn has_begun(books: &Books, period: Month, now: DateTime<Utc>) -> Result<(), Doubt> {
    let now = books.last_recorded().map_or(now, |last| last.max(now));
    let last = Month::of(china_day(now)).and_then(Month::next);
    if last.is_none_or(|last| period <= last) {
        return Ok(());
    }
    Err(Doubt::Early(Awaited::Month(period)))
}

/// Whether the unit exists in the month, by the newest registry or by the version that the rollup
/// names: where the roots ended it in a month that it had reported already, that report is honest.
fn exists(books: &Books, child: &Child, held: &HeldRollup) -> bool {
    let rollup = &held.rollup;
    let mut versions = books.registries().iter().map(|(v, _)| v.registry());
    let named = versions.find(|v| v.version == rollup.registry.version);
    let by = |v: &Registry| {
        let unit = v.unit(&rollup.unit);
        unit.is_some_and(|u| u.exists(rollup.period))
    };
    // A version that is not here yet is waited for.
    child.unit().exists(rollup.period) || named.is_none_or(by)
}

/// Whether the registry version and the catalogue that it names are here: checked without them, an
/// honest rollup would fail for good.
fn of_known_documents(books: &Books, held: &HeldRollup) -> Result<(), Doubt> {
    let version = held.rollup.registry.version;
    let newest = books.registry().map_or(0, |r| r.registry().version);
    if version > newest {
        return Err(Doubt::Early(Awaited::Version(version)));
    }
    if books.counting_by(&held.rollup.catalogue).is_some() {
        return Ok(());
    }
    Err(Doubt::Early(Awaited::Catalogue(held.rollup.catalogue)))
}

/// Of two versions of a rollup the unit goes on from the one that came second: that one takes the
/// place of the first, if nothing rests on the first. Otherwise this node would know a chain of
/// which its evidence cannot show a link.
fn take_other_version(
    books: &mut Books,
    held: &HeldRollup,
    now: DateTime<Utc>,
) -> Result<(), Faults> {
    let (unit, after) = (&held.rollup.unit, held.rollup.after.as_ref());
    let known = after.and_then(|after| {
        let known = books
            .child(unit)?
            .known()
            .get(&(after.period, after.revision))?;
        (known.digest() != after.rollup && !rests_on(books, known)).then(|| known.clone())
    });
    let (Some(after), Some(known)) = (after, known) else {
        return Ok(());
    };
    let both = |c: &&KeptContradiction| {
        c.unit == *unit && c.what.names(&after.rollup) && c.what.names(&known.digest())
    };
    let Some(kept) = books.contradictions().iter().find(both) else {
        return Ok(());
    };
    let (_, second) = books.both_sides(kept).map_err(internal)?;
    let what = Contradiction::Rollup {
        period: after.period,
        revision: after.revision,
        first: after.rollup,
        second: known.digest(),
    };
    let head = ArrivalHead {
        unit: unit.clone(),
        at: now,
    };
    let other = ContradictionHead {
        unit: unit.clone(),
        what,
        from: None,
    };
    books.commit(vec![
        NewEntry::headed(EntryKind::ChildRollup, &head, &second.note),
        NewEntry::headed(EntryKind::Contradiction, &other, known.note.as_bytes()),
    ])?;
    Ok(())
}

/// Whether something that is kept here rests on this rollup: an acceptance, or another rollup.
fn rests_on(books: &Books, known: &HeldRollup) -> bool {
    let digest = known.digest();
    let given = books
        .child(&known.rollup.unit)
        .and_then(|c| c.given().get(&digest));
    let mut given = given.into_iter().flatten();
    let mut all = books.children().values().flat_map(|c| c.known().values());
    given.any(|(receipt, _)| receipt.decision == Decision::Accepted)
        || all.any(|other| {
            let follows = other
                .rollup
                .after
                .as_ref()
                .is_some_and(|a| a.rollup == digest);
            follows
                || other
                    .rollup
                    .children
                    .iter()
                    .any(|child| child.rollup == digest)
        })
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
    let kept = books.contradictions().iter().filter(|c| c.unit == *unit);
    let both = |c: &KeptContradiction| c.what.names(&first) && c.what.names(&held.digest());
    if !kept.clone().any(both) {
        let rollups = kept.filter(|c| matches!(c.what, Contradiction::Rollup { .. }));
        if rollups.count() >= MAX_SECOND {
            return Ok(Intake::Refused(format!(
                "{what}: {MAX_SECOND} such are kept of {unit} already"
            )));
        }
        contradict(books, unit, what.clone(), body, None)?;
    }
    let unanswered = books
        .child(unit)
        .is_some_and(|c| books.answers(&held.rollup) && c.decision(&held.digest()).is_none());
    if unanswered {
        let checks = vec![Verdict::fails(Check::History, what.to_string())];
        let ruling = Ruling::new(Decision::Rejected, books.unit().as_str());
        issue_receipt(books, held, checks, now, ruling, now)?;
    }
    Ok(Intake::Done)
}

/// Whether the signature lines are its node's and its three signatories', and hold. They are no part
/// of what is signed: whoever carries it can take one away, or add one.
fn by_its_people(child: &Child, held: &HeldRollup) -> Result<(), Doubt> {
    let unit = &child.unit().id;
    let names = held.rollup.signatories.names();
    let keys = child.signers();
    let early = child.held() < held.rollup.log.size;
    let wrong = |what: String| Doubt::Wrong(format!("a rollup of {unit} {what}"));
    let later = || Doubt::Early(Awaited::Enrolments(unit.clone()));
    if names
        .iter()
        .any(|name| keys.iter().all(|key| key.name() != *name))
    {
        // Nobody's signature could be asked for: whoever has a node key alone, a revoked one even,
        // could have such reports kept in the unit's name.
        let stranger = "names a signatory whom its log does not know".to_string();
        return Err(if early { later() } else { wrong(stranger) });
    }
    let node = unit.as_str();
    let lines = held.note.signatures();
    let of = |name: &str| lines.iter().filter(|line| line.name() == name).count();
    if let Some(absent) = names.into_iter().chain([node]).find(|name| of(name) != 1) {
        return Err(wrong(format!("without one signature of {absent}")));
    }
    if let Some(strange) = lines
        .iter()
        .find(|line| line.name() != node && !names.contains(&line.name()))
    {
        return Err(wrong(format!("with a line of {}", strange.name())));
    }
    every_line(&held.note, &keys).map_err(|e| match e {
        // By another key of a known person: it may be enrolled by what is still to come.
        LineError::Unknown { name } if early && name != node => later(),
        e => wrong(format!("that {e}")),
    })
}
