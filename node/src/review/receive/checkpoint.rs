//! A checkpoint of a unit below.

use chrono::{DateTime, Utc};
use protocol::ids::UnitId;
use protocol::log::checkpoint::Checkpoint;
use protocol::note::Note;

use crate::books::children::ArrivalHead;
use crate::books::{Books, EntryKind, NewEntry};
use crate::fault::Faults;
use crate::intake::Intake;
use crate::review::contradict::contradict;

use super::bounds::has_room_for_checkpoint;
use super::doubt::{Doubt, of_log, two_checkpoints, unit_below};

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
    let (note, point) = match read(books, unit, body) {
        Ok(read) => read,
        Err(doubt) => return Ok(doubt.into()),
    };
    let Some(child) = books.child(unit) else {
        return Ok(Intake::Done);
    };
    if let Some(what) = two_checkpoints(child, &note, &point) {
        return contradict(books, unit, what, body, None);
    }
    if child.checkpoints().contains_key(&point.size()) {
        return Ok(Intake::Done);
    }
    if let Err(doubt) = has_room_for_checkpoint(child, point.size()) {
        return Ok(doubt.into());
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

fn read(books: &Books, unit: &UnitId, body: &[u8]) -> Result<(Note, Checkpoint), Doubt> {
    let child = unit_below(books, unit)?;
    let note = Note::parse(body).map_err(Doubt::wrong)?;
    let point = Checkpoint::parse(note.text()).map_err(Doubt::wrong)?;
    of_log(books, child, &note, &point)?;
    Ok((note, point))
}
