//! Keeping what contradicts what is known.

use protocol::ids::UnitId;

use crate::books::contradictions::{Contradiction, ContradictionHead};
use crate::books::{Books, EntryKind, NewEntry};
use crate::fault::Faults;
use crate::intake::Intake;

/// Keeps what contradicts what is known, and flags the unit. `from`: of a statement, the index of
/// the first one in the delivery.
pub fn contradict(
    books: &mut Books,
    unit: &UnitId,
    what: Contradiction,
    body: &[u8],
    from: Option<u64>,
) -> Result<Intake, Faults> {
    let mut kept = books.contradictions().iter();
    if kept.any(|c| c.unit == *unit && c.what == what) {
        return Ok(Intake::Done);
    }
    tracing::error!(unit = %unit, %what, "contradiction");
    let kind = match what {
        Contradiction::Statement { .. } => EntryKind::OtherStatement,
        _ => EntryKind::Contradiction,
    };
    let unit = unit.clone();
    let head = ContradictionHead { unit, what, from };
    books.commit(vec![NewEntry::headed(kind, &head, body)])?;
    Ok(Intake::Done)
}
