//! Whether the state of a report allows a decision; where it does not, in which state it is, since
//! when, by whom, and which decision it does allow.

use chrono::{DateTime, Utc};
use protocol::period::china_time;
use protocol::receipt::{Decision, Receipt};
use protocol::rollup::HeldRollup;
use protocol::verdict::Verdict;

use super::issue::Ruling;
use crate::books::children::Child;
use crate::fault::{FaultCode, Faults};

/// Whether a report may be decided on in this way.
pub(super) fn allows(
    child: &Child,
    held: &HeldRollup,
    verdicts: &[Verdict],
    ruling: &Ruling,
) -> Result<(), Faults> {
    let given = child.given().get(&held.digest());
    let last = given.and_then(|given| given.last()).map(|(r, _)| r);
    let before = last.map(|r| r.decision);
    let failed = verdicts.iter().find(|v| v.failed());
    let asked = matches!(before, Some(Decision::Returned | Decision::Reopened));
    let allowed = match ruling.decision {
        Decision::Accepted if ruling.unchanged => asked && failed.is_none(),
        Decision::Accepted => before.is_none() && failed.is_none(),
        Decision::Returned => before.is_none(),
        Decision::Rejected => before.is_none() && failed.is_some(),
        Decision::Reopened => before == Some(Decision::Accepted),
    };
    if allowed {
        return Ok(());
    }
    let (zh, en) = match (last, failed) {
        (Some(receipt), _) => decided(receipt),
        (None, Some(v)) if ruling.decision == Decision::Accepted => (
            format!("校验未通过（{}），不能审核通过", v.check.zh()),
            format!("its check {} fails, so it cannot be accepted", v.check),
        ),
        (None, _) => (
            "该报表尚未审核：请审核通过或退回".to_string(),
            "it is not decided on yet: accept or return it".to_string(),
        ),
    };
    Err(Faults::one(FaultCode::ReviewState, zh, en))
}

/// What was decided, and what may follow it.
fn decided(receipt: &Receipt) -> (String, String) {
    let (month, revision) = (receipt.period, receipt.revision);
    let (zh_next, en_next) = match receipt.decision {
        Decision::Accepted => (
            "需要更改的，请撤销通过",
            "open it again if something is to change",
        ),
        Decision::Rejected => ("请等待新的修订", "wait for the new revision"),
        Decision::Returned | Decision::Reopened => (
            "请等待新的修订；确无错误的，用 --unchanged 按原报表审核通过",
            "wait for the new revision; if it is right as it stands, accept it with --unchanged",
        ),
    };
    let why = |open: &str, close: &str| match receipt.reasons.as_slice() {
        [] => String::new(),
        reasons => format!("{open}{}{close}", reasons.join("; ")),
    };
    let (since, by) = (beijing(&receipt.decided), &receipt.by);
    let zh = format!(
        "{month} 第 {revision} 次修订已由 {by} 于 {since} {}{}；{zh_next}",
        receipt.decision.zh(),
        why("（", "）")
    );
    let en = format!(
        "{month} revision {revision} was {} by {by} on {since} (Beijing time){}: {en_next}",
        word(receipt.decision),
        why(" (", ")")
    );
    (zh, en)
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Accepted => "accepted",
        Decision::Returned => "returned",
        Decision::Rejected => "rejected",
        Decision::Reopened => "opened again",
    }
}

/// A time as people read it.
fn beijing(time: &str) -> String {
    let Ok(time) = time.parse::<DateTime<Utc>>() else {
        return time.to_string();
    };
    china_time(time).format("%Y-%m-%d %H:%M").to_string()
}
