//! Why a message is not taken, and who may have signed one.

use protocol::ids::UnitId;
use protocol::log::checkpoint::{Checkpoint, origin_of};
use protocol::note::{self, Note};

use crate::books::Books;
use crate::books::children::Child;
use crate::books::contradictions::Contradiction;
use crate::intake::{Awaited, Intake};

/// Why a message is not taken.
#[derive(Debug)]
pub(super) enum Doubt {
    /// It is wrong, whatever else comes.
    Wrong(String),
    /// It cannot be judged before this is here.
    Early(Awaited),
}

impl Doubt {
    pub(super) fn wrong(why: impl ToString) -> Doubt {
        Doubt::Wrong(why.to_string())
    }
}

impl From<Doubt> for Intake {
    fn from(doubt: Doubt) -> Intake {
        match doubt {
            Doubt::Wrong(why) => Intake::Refused(why),
            Doubt::Early(awaited) => Intake::Later(awaited),
        }
    }
}

/// The unit below of this id. One that no known registry has may stand in the next.
pub(super) fn unit_below<'a>(books: &'a Books, unit: &UnitId) -> Result<&'a Child, Doubt> {
    books
        .child(unit)
        .ok_or_else(|| Doubt::Early(Awaited::Registry(format!("{unit} below this unit"))))
}

/// Whether the unit's node signed `what` over a log of this size. A line under its name by a key
/// that no known registry has may be of the next one.
pub(super) fn signed_by_node(
    child: &Child,
    note: &Note,
    size: u64,
    what: &str,
) -> Result<(), Doubt> {
    let unit = child.unit();
    if note.verify(&unit.keys_over(size)).is_ok() {
        return Ok(());
    }
    let by_unknown = note.signatures().iter().any(|line| {
        let known = |key: [u8; 4]| unit.keys.iter().any(|k| k.vkey.id() == key);
        line.name() == unit.id.as_str() && !known(line.key_id())
    });
    Err(if by_unknown {
        Doubt::Early(Awaited::Registry(format!("the key of {}", unit.id)))
    } else {
        Doubt::Wrong(format!("{what} that {} did not sign", unit.id))
    })
}

/// Whether this is a checkpoint of the unit's log, signed by a key of its node that may, and by
/// nobody who is not known.
pub(super) fn of_log(
    books: &Books,
    child: &Child,
    note: &Note,
    point: &Checkpoint,
) -> Result<(), Doubt> {
    let unit = &child.unit().id;
    if point.origin() != origin_of(unit) {
        return Err(Doubt::wrong("a checkpoint of another log"));
    }
    signed_by_node(child, note, point.size(), "a checkpoint")?;
    let keys = child.unit().keys_over(point.size());
    let witnesses = books
        .registry()
        .map(|r| protocol::verify::answer::witnesses(unit, r.registry()))
        .unwrap_or_default();
    note::every_line(note, &[keys, witnesses].concat())
        .map_err(|e| Doubt::Wrong(format!("a checkpoint that {e}")))
}

/// What contradicts where the unit has signed another root for a log of this size before.
pub(super) fn two_checkpoints(
    child: &Child,
    note: &Note,
    point: &Checkpoint,
) -> Option<Contradiction> {
    let before = child.checkpoints().get(&point.size())?;
    (before.text() != note.text()).then(|| Contradiction::Checkpoint { size: point.size() })
}
