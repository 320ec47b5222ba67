//! Whether a rollup may be built upon: what its checks said, and what became known since.
//!
//! Checks run once, when a rollup is complete. A unit below can be caught later at having signed
//! another rollup for the same month and revision; that is laid over the verdicts whenever they are
//! read, so that the answer does not depend on the order in which things came.

use std::sync::Arc;

use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::period::Month;
use protocol::rollup::{ChildRef, HeldRollup};
use protocol::verdict::{ArithmeticFinding, Check, Outcome, Standing, Verdict};
use protocol::verify::NamedRollup;

use super::Books;

impl Books {
    /// What this node knows now of a rollup of a unit below; none where it was not checked yet.
    pub fn standing(&self, digest: &Digest) -> Option<Standing> {
        if self.contradicted(digest) {
            return Some(Standing::Contradicted);
        }
        let held = self.find_rollup(digest)?;
        // What stands against a child is known before anything was checked in this run of the node.
        let mut children = held.rollup.children.iter();
        if children.any(|c| self.against_child(c).is_some()) {
            return Some(Standing::Fails(Check::Arithmetic));
        }
        let verdicts = self.verdicts(&held)?;
        Some(Standing::of(&verdicts))
    }

    /// A rollup of a unit below that another one names, for the checks; none where it is not here or
    /// was not checked yet.
    pub fn named(&self, digest: &Digest) -> Option<NamedRollup> {
        Some(NamedRollup {
            held: self.find_rollup(digest)?,
            standing: self.standing(digest)?,
        })
    }

    /// The accepted rollup of a direct child for a month, if nothing that became known since stands
    /// against it.
    pub fn usable(&self, unit: &UnitId, month: Month) -> Option<&Arc<HeldRollup>> {
        let accepted = self.child(unit)?.accepted(month)?;
        // It was checked before it was accepted; after a start it is checked again in due time.
        let standing = self.standing(&accepted.digest());
        (standing.unwrap_or(Standing::Holds) == Standing::Holds).then_some(accepted)
    }

    /// What the checks of a rollup of a unit below say now; none where it was not checked yet.
    pub fn verdicts(&self, held: &HeldRollup) -> Option<Vec<Verdict>> {
        let child = self.child(&held.rollup.unit)?;
        let checked = child.verdicts().get(&held.digest())?;
        Some(self.with_contradictions(held, checked.clone()))
    }

    /// These verdicts, and what contradictions say against them.
    pub fn with_contradictions(
        &self,
        held: &HeldRollup,
        mut checked: Vec<Verdict>,
    ) -> Vec<Verdict> {
        let r = &held.rollup;
        let mut kept = self.contradictions().iter();
        if let Some(found) =
            kept.find(|c| c.unit == r.unit && c.what.is_about(r.period, r.revision))
        {
            let detail = found.what.to_string();
            replace(&mut checked, Verdict::fails(Check::History, detail));
        }
        if let Some(finding) = r.children.iter().find_map(|c| self.against_child(c)) {
            replace(&mut checked, Verdict::found(Outcome::Fails, finding));
        }
        checked
    }

    /// Why nothing may be built upon a rollup that is named as a child's.
    fn against_child(&self, child: &ChildRef) -> Option<ArithmeticFinding> {
        let unit = child.unit.clone();
        match self.standing(&child.rollup)? {
            Standing::Holds => None,
            Standing::Fails(check) => Some(ArithmeticFinding::ChildFails { unit, check }),
            Standing::Contradicted => Some(ArithmeticFinding::ChildContradicted(unit)),
        }
    }

    /// Whether a unit signed this rollup and another one for the same month and revision.
    pub fn contradicted(&self, digest: &Digest) -> bool {
        let mut kept = self.contradictions().iter();
        kept.any(|c| c.unit != *self.unit() && c.what.names(digest))
    }
}

/// The verdict of a check that held so far.
fn replace(verdicts: &mut [Verdict], failed: Verdict) {
    let holds = |v: &&mut Verdict| v.check == failed.check && !v.failed();
    if let Some(verdict) = verdicts.iter_mut().find(holds) {
        *verdict = failed;
    }
}
