//! A person's decision on a unit's month.

use std::sync::Arc;

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

use super::asked::stale;
use super::check::waits;
use super::issue::{Ruling, arrived, issue_receipt};
use super::{about, later, state};

/// A person's decision on the latest revision of a direct child's month; what is opened again is
/// the accepted one. Gives a receipt for that month, and one for each later month that is decided
/// with it.
///
/// # Errors
/// Nothing to decide on, a decision that the checks or the state do not allow, a missing reason, or
/// later months that rest on this one and are not named.
pub fn decide(
    books: &mut Books,
    unit: &UnitId,
    period: Month,
    ruling: Ruling,
    now: DateTime<Utc>,
) -> Result<Vec<Note>, Faults> {
    let first = ready(books, unit, period, &ruling)?;
    let later = later::decided_with(books, unit, (period, &ruling))?;
    let mut notes = vec![first.issue(books, ruling.clone(), now)?];
    for (month, decision) in later {
        let ruling = later::of_later(&ruling, period, decision);
        let ready = ready(books, unit, month, &ruling)?;
        notes.push(ready.issue(books, ruling, now)?);
    }
    Ok(notes)
}

/// A report on which a decision is allowed.
struct Ready {
    about: Vec<String>,
    held: Arc<HeldRollup>,
    verdicts: Vec<Verdict>,
}

impl Ready {
    fn issue(self, books: &mut Books, ruling: Ruling, now: DateTime<Utc>) -> Result<Note, Faults> {
        let received = arrived(books, &self.held).unwrap_or(now);
        let ruling = Ruling {
            about: self.about,
            ..ruling
        };
        issue_receipt(books, &self.held, self.verdicts, received, ruling, now)
    }
}

fn ready(books: &Books, unit: &UnitId, period: Month, ruling: &Ruling) -> Result<Ready, Faults> {
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
    let waits = waits(books, held);
    let Some(verdicts) = verdicts(books, held, decision, waits.as_deref()) else {
        let why = waits.unwrap_or_else(|| "it is being checked".into());
        return refuse(
            FaultCode::ReviewUnchecked,
            "尚未校验：所依据的内容尚未收齐，详情见英文部分",
            &format!("not checked yet: {why}"),
        );
    };
    state::allows(child, held, &verdicts, ruling)?;
    if decision == Decision::Accepted
        && let Some(earlier) = stale(child, held)
    {
        return Err(rests_on_open(earlier));
    }
    if matches!(decision, Decision::Returned | Decision::Reopened)
        && ruling.reasons.iter().all(|r| r.trim().is_empty())
    {
        return refuse(FaultCode::ReviewReason, "请写明原因", "a reason is needed");
    }
    Ok(Ready {
        about: about::understood(books, held, &ruling.about)?,
        held: held.clone(),
        verdicts,
    })
}

fn rests_on_open(earlier: Month) -> Faults {
    Faults::one(
        FaultCode::ReviewEarlier,
        format!(
            "该报表以 {earlier} 的原报表为基础，而 {earlier} 已退回或撤销通过：请退回，由该单位在其后重新结账"
        ),
        format!(
            "it was closed over {earlier}, which is returned or open again: return it, and the unit \
             closes it again after {earlier}"
        ),
    )
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
