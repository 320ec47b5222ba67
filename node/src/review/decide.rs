//! A person's decision on a unit's month.

use chrono::{DateTime, Utc};
use protocol::ids::UnitId;
use protocol::note::Note;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::rollup::HeldRollup;
use protocol::verdict::{Check, Outcome, Verdict};

use crate::books::Books;
use crate::books::children::Child;
use crate::fault::{FaultCode, Faults};

use super::check::waits;
use super::issue::{Ruling, arrived, issue_receipt};

/// A person's decision on the latest revision of a direct child's month; what is opened again is
/// the accepted one.
///
/// # Errors
/// Nothing to decide on, a decision that the checks do not allow, or a missing reason.
pub fn decide(
    books: &mut Books,
    unit: &UnitId,
    period: Month,
    ruling: Ruling,
    now: DateTime<Utc>,
) -> Result<Note, Faults> {
    let decision = ruling.decision;
    let refuse = |code: FaultCode, zh: &str, en: &str| Err(Faults::one(code, zh, en));
    let reports_here = |c: &&Child| c.unit().parent_in(period) == Some(books.unit());
    let Some(child) = books.child(unit).filter(reports_here) else {
        return Err(not_ours(books, unit, period));
    };
    let held = match decision {
        Decision::Reopened => child.accepted(period).or(child.latest(period)),
        _ => child.latest(period),
    };
    let Some(held) = held else {
        return refuse(
            FaultCode::ReviewNone,
            "还没有收到该月报表",
            "no rollup of this month has come",
        );
    };
    let digest = held.digest();
    let before = child.decision(&digest);
    let waits = waits(books, held);
    let Some(verdicts) = verdicts(books, held, decision, waits.as_deref()) else {
        let why = waits.unwrap_or_else(|| "it is being checked".into());
        return refuse(
            FaultCode::ReviewUnchecked,
            "尚未校验：所依据的内容尚未收齐，详情见英文部分",
            &format!("not checked yet: {why}"),
        );
    };
    let failed = verdicts.iter().any(Verdict::failed);
    let allowed = match decision {
        Decision::Accepted => before.is_none() && !failed,
        Decision::Returned => before.is_none(),
        Decision::Rejected => before.is_none() && failed,
        Decision::Reopened => before == Some(Decision::Accepted),
    };
    if !allowed {
        return refuse(
            FaultCode::ReviewState,
            "报表当前状态不允许这个决定",
            "the rollup's checks or state do not allow this decision",
        );
    }
    if matches!(decision, Decision::Returned | Decision::Reopened)
        && ruling.reasons.iter().all(|r| r.trim().is_empty())
    {
        return refuse(FaultCode::ReviewReason, "请写明原因", "a reason is needed");
    }
    let held = held.clone();
    let received = arrived(books, &held).unwrap_or(now);
    issue_receipt(books, &held, verdicts, received, ruling, now)
}

/// A month belongs to whoever was the unit's parent in it, which is named where there is one.
fn not_ours(books: &Books, unit: &UnitId, period: Month) -> Faults {
    let known = books.registry().and_then(|r| r.registry().unit(unit));
    let (zh, en) = match known.and_then(|u| u.parent_in(period)) {
        Some(parent) => (
            format!("{unit} 在 {period} 的上级是 {parent}，该月由 {parent} 审核"),
            format!("in {period} {unit} reported to {parent}: {parent} decides on that month"),
        ),
        None => (
            format!("{unit} 在 {period} 不是本单位的直属下级"),
            format!("{unit} is not a direct child of this unit in {period}"),
        ),
    };
    Faults::one(FaultCode::ReviewUnit, zh, en)
}

/// What the checks say. A rollup that waits has none yet; it may be returned all the same, since
/// what it waits for may never come: for instance where its child has signed two rollups for one
/// month.
fn verdicts(
    books: &Books,
    held: &HeldRollup,
    decision: Decision,
    waits: Option<&str>,
) -> Option<Vec<Verdict>> {
    let checked = books.verdicts(held);
    let unchecked = (decision == Decision::Returned).then(|| {
        let waits = waits?;
        Some(vec![Verdict::new(Check::Arithmetic, Outcome::Noted, waits)])
    });
    checked.or(unchecked.flatten())
}
