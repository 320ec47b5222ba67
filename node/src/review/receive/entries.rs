//! Statements of a unit below.

use protocol::ids::UnitId;
use protocol::log::delivery::{Claimed, Delivery};
use protocol::note::Note;
use protocol::person::is_operator_of;
use protocol::statement::Statement;

use crate::books::children::{Child, DeliveryHead};
use crate::books::contradictions::Contradiction;
use crate::books::{Books, EntryKind, NewEntry};
use crate::fault::Faults;
use crate::intake::{Awaited, Intake};
use crate::link::MAX_BODY_BYTES;
use crate::review::contradict::contradict;

use super::bounds::{has_room, in_range};
use super::doubt::{Doubt, of_log, two_checkpoints, unit_below};

/// So many of a unit's statements with two contents are kept as evidence; one is enough, and each
/// is a whole delivery.
const MAX_OTHER: usize = 4;

/// Statements of a unit below: a delivery, whose first one is said to have index `first`.
///
/// It proves by a checkpoint of the unit's that they stand there, so other bytes for an index that
/// is known are the unit's own doing. Who signed each of them, and whether he might, is the check's
/// question; here they must be statements of this unit at all.
///
/// # Errors
/// The node's own failures.
pub fn take_entries(
    books: &mut Books,
    unit: &UnitId,
    first: u64,
    body: &[u8],
) -> Result<Intake, Faults> {
    let delivery = match read(books, unit, first, body) {
        Ok(delivery) => delivery,
        Err(doubt) => return Ok(doubt.into()),
    };
    let Some(child) = books.child(unit) else {
        return Ok(Intake::Done);
    };
    let (held, known) = (child.held(), known(child, &delivery));
    let fork = two_checkpoints(child, delivery.note(), delivery.checkpoint());
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

/// How many of a delivery's statements, from its first on, are here already.
fn known(child: &Child, delivery: &Delivery) -> usize {
    let before = child.held().saturating_sub(delivery.first());
    usize::try_from(before)
        .unwrap_or(usize::MAX)
        .min(delivery.entries().len())
}

/// Reads a delivery: what it proves, whether its statements are such, and whether they can be kept
/// now. What is wrong with it in any case comes before what is missing here.
fn read(books: &Books, unit: &UnitId, first: u64, body: &[u8]) -> Result<Delivery, Doubt> {
    let child = unit_below(books, unit)?;
    // Nobody sends more. The server takes a little more, and what the journal cannot take would
    // come again for ever.
    if body.len() > MAX_BODY_BYTES {
        return Err(Doubt::Wrong(format!(
            "a delivery of {} bytes, at most {MAX_BODY_BYTES} are allowed",
            body.len()
        )));
    }
    let claimed = Claimed::open(body).map_err(Doubt::wrong)?;
    let held = child.held();
    in_range(first, held, claimed.checkpoint().size())?;
    of_log(books, child, claimed.note(), claimed.checkpoint())?;
    let delivery = claimed.prove(first).map_err(Doubt::wrong)?;
    let known = known(child, &delivery);
    let mut early = None;
    for (index, entry) in (first..).zip(delivery.entries()).skip(known) {
        match of_unit(books, unit, entry) {
            Err(Doubt::Wrong(why)) => {
                return Err(Doubt::Wrong(format!("statement {index}: {why}")));
            }
            Err(doubt) => early = early.or(Some(doubt)),
            Ok(()) => {}
        }
    }
    if let Some(doubt) = early {
        return Err(doubt);
    }
    if first > held {
        return Err(Doubt::Early(Awaited::Statements {
            unit: unit.clone(),
            from: held,
            to: first,
        }));
    }
    let new = delivery.entries().len() - known;
    if new > 0 {
        has_room(child, new as u64, body.len())?;
    }
    Ok(delivery)
}

/// Whether these are the bytes of a statement of this unit, under one line of its own, that can be
/// counted by a catalogue which is here. A log that was read without the catalogue fails for good.
fn of_unit(books: &Books, unit: &UnitId, entry: &[u8]) -> Result<(), Doubt> {
    let note = Note::parse(entry).map_err(Doubt::wrong)?;
    let statement = Statement::parse(note.text()).map_err(Doubt::wrong)?;
    if statement.unit != *unit {
        return Err(Doubt::wrong("a statement of another unit"));
    }
    let own = |name: &str| name == unit.as_str() || is_operator_of(name, unit);
    if !matches!(note.signatures(), [line] if own(line.name())) {
        return Err(Doubt::wrong("not under one line of the unit"));
    }
    if statement.is_operator() || books.counting_of(&statement).is_some() {
        return Ok(());
    }
    Err(Doubt::Early(Awaited::Catalogue(statement.catalogue)))
}
