//! A revision that says what its predecessor says is not made: three people would sign it, the parent
//! would accept it, and nothing would be put right.

use protocol::digest::Digest;
use protocol::figure::Figure;
use protocol::receipt::Decision;
use protocol::rollup::{ChildRef, Explanation, Missing, Rollup, Signatories};
use protocol::row::Sums;

use super::month::{UnitMonth, no_registry};
use crate::books::Books;
use crate::fault::{FaultCode, Faults};

/// What a new revision would say.
pub(super) struct NewRevision<'a> {
    pub(super) month: &'a UnitMonth,
    pub(super) revision: u32,
    pub(super) previous: Option<Digest>,
    pub(super) figures: &'a [Figure],
    pub(super) sums: &'a Sums,
    pub(super) children: &'a [ChildRef],
    pub(super) missing: &'a [Missing],
    pub(super) explanations: &'a [Explanation],
    pub(super) signatories: &'a Signatories,
}

/// Whether the new revision of a month that a person of the parent returned or opened again says
/// anything that the one before does not. One that a check rejected is made anew in any case: it
/// may have failed by its signatures or by the registry that it names.
pub(super) fn says_something_new(books: &Books, new: &NewRevision<'_>) -> Result<(), Faults> {
    let (period, revision) = (new.month.period, new.revision);
    let Some(before) = books.rollups().get(&(period, revision - 1)) else {
        return Ok(());
    };
    let asked = matches!(
        before.decision(),
        Some(Decision::Returned | Decision::Reopened)
    );
    if !asked || !says_the_same(books, new, &before.held().rollup)? {
        return Ok(());
    }
    Err(Faults::one(
        FaultCode::CloseUnchanged,
        format!(
            "{period} 与第 {} 次修订完全相同，不再生成新的修订：请先作废、更正或补录。核对后确无更改的，\
             请告知上级，由上级按原报表审核通过（review accept --unchanged）",
            revision - 1
        ),
        format!(
            "{period} says exactly what revision {} says, so no new one is made: take back, correct or \
             record what is wrong first. If it is right as it is, tell the parent, which accepts it as it \
             stands (review accept --unchanged)",
            revision - 1
        ),
    ))
}

fn says_the_same(books: &Books, new: &NewRevision<'_>, old: &Rollup) -> Result<bool, Faults> {
    let log = books.log().ok_or_else(no_registry)?;
    let counted = log.month(new.month.period);
    Ok(old.previous == new.previous
        && old.catalogue == new.month.counting.digest
        && old.figures == new.figures
        && old.opening.sums == *new.sums
        && old.children == new.children
        && old.missing == new.missing
        && old.explanations == new.explanations
        && old.signatories == *new.signatories
        && old.late == counted.late
        && old.voided == counted.voided)
}
