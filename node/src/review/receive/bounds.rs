//! How much of a unit below is kept before a rollup of it asks for it, and how much a rollup may ask
//! for. A unit signs what it likes; without bounds it fills the disks of all above it.

use std::collections::{BTreeMap, BTreeSet};

use protocol::ids::UnitId;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::rollup::HeldRollup;

use crate::books::Books;
use crate::books::children::Child;
use crate::intake::Awaited;

use super::doubt::Doubt;

/// Statements that no rollup asks for: more than any county records in a month.
const MAX_UNASKED_STATEMENTS: u64 = 1 << 17;
/// Bytes of them.
const MAX_UNASKED_BYTES: u64 = 64 << 20;
/// Statements that were not checked yet, whatever rollups ask for: a rollup may claim a log of any
/// length.
const MAX_UNREAD_STATEMENTS: u64 = 1 << 20;
/// Bytes of them.
const MAX_UNREAD_BYTES: u64 = 1 << 30;
/// Checkpoints of sizes that no rollup names.
const MAX_UNASKED_CHECKPOINTS: usize = 64;
/// Bytes of later revisions that nobody has accepted, returned or built upon. They lie in memory,
/// and each could have the size of a whole note.
const MAX_UNASKED_ROLLUP_BYTES: usize = 16 << 20;
/// How far ahead of what is here a delivery may begin. What waits for a gap of this length to be
/// closed is more than the courier lets one unit have waiting.
const MAX_AHEAD: u64 = 1 << 17;

/// Whether a delivery can begin there: within the log that its checkpoint is of, and not so far
/// ahead that nobody would wait for what lies before it.
pub(super) fn in_range(first: u64, held: u64, size: u64) -> Result<(), Doubt> {
    if first >= size {
        return Err(Doubt::Wrong(format!(
            "statements from {first} on under a checkpoint of {size}"
        )));
    }
    if first.saturating_sub(held) > MAX_AHEAD {
        return Err(Doubt::Wrong(format!(
            "statements from {first} on, while {held} are here: at most {MAX_AHEAD} may be between"
        )));
    }
    Ok(())
}

/// Whether so many more statements, of so many bytes, are kept now.
pub(super) fn has_room(child: &Child, statements: u64, bytes: usize) -> Result<(), Doubt> {
    let sizes = child.known().values().map(|held| held.rollup.log.size);
    let (read, end) = (child.log().len(), child.held() + statements);
    let asked = sizes.max().unwrap_or(0).max(read);
    let fits = |from: u64, most: u64, most_bytes: u64| {
        end.saturating_sub(from) <= most && child.bytes_from(from) + bytes as u64 <= most_bytes
    };
    let unasked = end <= asked || fits(asked, MAX_UNASKED_STATEMENTS, MAX_UNASKED_BYTES);
    if unasked && fits(read, MAX_UNREAD_STATEMENTS, MAX_UNREAD_BYTES) {
        return Ok(());
    }
    Err(Doubt::Early(Awaited::Rollup(child.unit().id.clone())))
}

/// Whether a checkpoint of this size is kept now: one that a rollup names, and some others.
pub(super) fn has_room_for_checkpoint(child: &Child, size: u64) -> Result<(), Doubt> {
    let rollups = child.known().values();
    let named: BTreeSet<u64> = rollups.map(|held| held.rollup.log.size).collect();
    let unasked = child.checkpoints().keys().filter(|s| !named.contains(s));
    if named.contains(&size) || unasked.count() < MAX_UNASKED_CHECKPOINTS {
        return Ok(());
    }
    Err(Doubt::Early(Awaited::Rollup(child.unit().id.clone())))
}

/// Whether this rollup is kept now. The first of a month always is: there are only so many months.
pub(super) fn has_room_for_rollup(
    books: &Books,
    child: &Child,
    held: &HeldRollup,
) -> Result<(), Doubt> {
    if held.rollup.revision == 1 {
        return Ok(());
    }
    let named = named_by_those_above(books, &child.unit().id);
    let unasked = child.known().values().filter(|known| {
        let last = named.get(&known.rollup.period);
        known.rollup.revision > 1
            && last.is_none_or(|last| known.rollup.revision > *last)
            && child
                .decision(&known.digest())
                .is_none_or(|word| word == Decision::Rejected)
    });
    let bytes: usize = unasked.map(|known| known.note.as_bytes().len()).sum();
    if bytes + held.note.as_bytes().len() <= MAX_UNASKED_ROLLUP_BYTES {
        return Ok(());
    }
    Err(Doubt::Early(Awaited::Answers(child.unit().id.clone())))
}

/// Of each month the last revision of a unit that a rollup above it names: whoever took it has asked
/// for those before.
fn named_by_those_above(books: &Books, unit: &UnitId) -> BTreeMap<Month, u32> {
    let mut last = BTreeMap::new();
    let above = books.children().values().flat_map(|c| c.known().values());
    for held in above {
        let named = held.rollup.children.iter().filter(|c| c.unit == *unit);
        for named in named {
            let last = last.entry(held.rollup.period).or_insert(named.revision);
            *last = named.revision.max(*last);
        }
    }
    last
}
