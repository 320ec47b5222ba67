//! Many reports accepted at once: those of which nothing is to be known.

use chrono::{DateTime, Utc};
use protocol::ids::UnitId;
use protocol::note::Note;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::verdict::{Outcome, Verdict};
use serde::{Deserialize, Serialize};

use super::decide::decide;
use super::issue::Ruling;
use crate::books::Books;
use crate::fault::{Fault, FaultCode, Faults};

/// What became of one unit's report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Whose.
    pub unit: UnitId,
    /// Whether it is accepted now.
    pub accepted: bool,
    /// Why not.
    pub faults: Vec<Fault>,
}

/// The units of a month whose report waits for a decision and is wholly verified: every check holds,
/// and none has a remark.
pub fn wholly_verified(books: &Books, month: Month) -> Vec<UnitId> {
    let children = books.children().iter();
    let verified = children.filter(|(_, child)| {
        let held = child.latest(month);
        held.is_some_and(|held| {
            let decided = child.decision(&held.digest()).is_some();
            let verdicts = books.verdicts(held);
            books.answers(&held.rollup) && !decided && verdicts.is_some_and(|v| holds(&v))
        })
    });
    verified.map(|(unit, _)| unit.clone()).collect()
}

fn holds(verdicts: &[Verdict]) -> bool {
    verdicts.iter().all(|v| v.outcome == Outcome::Holds)
}

/// Accepts the reports of these units, each by itself: what is not wholly verified is refused and
/// the others are accepted all the same. Gives the receipts, and one outcome a unit.
pub fn accept_many(
    books: &mut Books,
    units: &[UnitId],
    month: Month,
    by: &str,
    now: DateTime<Utc>,
) -> (Vec<Note>, Vec<Accepted>) {
    let (mut notes, mut outcomes) = (Vec::new(), Vec::new());
    for unit in units {
        let outcome = accept(books, unit, month, by, now);
        outcomes.push(Accepted {
            unit: unit.clone(),
            accepted: outcome.is_ok(),
            faults: outcome
                .as_ref()
                .err()
                .map(|f| f.0.clone())
                .unwrap_or_default(),
        });
        notes.extend(outcome.into_iter().flatten());
    }
    (notes, outcomes)
}

fn accept(
    books: &mut Books,
    unit: &UnitId,
    month: Month,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Note>, Faults> {
    let held = books.child(unit).and_then(|child| child.latest(month));
    let verdicts = held.and_then(|held| books.verdicts(held));
    let remark = verdicts
        .iter()
        .flatten()
        .find(|v| v.outcome == Outcome::Noted);
    if let Some(remark) = remark {
        let (check, detail) = (remark.check, &remark.detail);
        return Err(Faults::one(
            FaultCode::ReviewRemark,
            format!("校验“{}”通过但有提示，请查看后单独审核", check.zh()),
            format!("{check} holds with a remark: {detail}; look at it and accept it alone"),
        ));
    }
    decide(books, unit, month, Ruling::new(Decision::Accepted, by), now)
}
