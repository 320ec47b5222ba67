//! The later months of a unit, which rest on one that is decided on: their stocks begin from its
//! figures, so that they follow it only where they are closed again, too.

use protocol::ids::UnitId;
use protocol::period::Month;
use protocol::receipt::Decision;

use super::issue::Ruling;
use crate::books::Books;
use crate::books::children::Child;
use crate::fault::{FaultCode, Faults};

/// Which later months are decided with this one, and how. A new revision that is asked for takes
/// them along, or is refused where whoever decides has not said so.
pub(super) fn decided_with(
    books: &Books,
    unit: &UnitId,
    (period, ruling): (Month, &Ruling),
) -> Result<Vec<(Month, Decision)>, Faults> {
    let Some(child) = books.child(unit) else {
        return Ok(Vec::new());
    };
    match ruling.decision {
        Decision::Returned | Decision::Reopened => {
            let resting = of(books, child, period, |word| match word {
                None => Some(Decision::Returned),
                Some(Decision::Accepted) => Some(Decision::Reopened),
                Some(_) => None,
            });
            if resting.is_empty() || ruling.later {
                return Ok(resting);
            }
            Err(not_named(unit, period, &resting))
        }
        Decision::Accepted if ruling.unchanged && ruling.later => {
            Ok(of(books, child, period, |word| match word {
                Some(Decision::Returned | Decision::Reopened) => Some(Decision::Accepted),
                _ => None,
            }))
        }
        _ => Ok(Vec::new()),
    }
}

/// The months behind this one that the unit reported here, and what is to be decided on each after
/// the last word on its newest revision.
fn of(
    books: &Books,
    child: &Child,
    period: Month,
    decision: impl Fn(Option<Decision>) -> Option<Decision>,
) -> Vec<(Month, Decision)> {
    let mut months: Vec<Month> = child.known().keys().map(|(month, _)| *month).collect();
    months.dedup();
    months.retain(|month| *month > period && child.unit().parent_in(*month) == Some(books.unit()));
    let decided = months.into_iter().filter_map(|month| {
        let word = child.decision(&child.latest(month)?.digest());
        Some((month, decision(word)?))
    });
    decided.collect()
}

/// What is decided on a later month.
pub(super) fn of_later(ruling: &Ruling, period: Month, decision: Decision) -> Ruling {
    let mut reasons = vec![match decision {
        Decision::Accepted => format!("{period} 按原报表审核通过，本月随之"),
        _ => format!("{period} 须重新结账，本月随其后重新结账"),
    }];
    reasons.extend(ruling.reasons.iter().cloned());
    Ruling {
        decision,
        reasons,
        about: Vec::new(),
        by: ruling.by.clone(),
        later: false,
        unchanged: ruling.unchanged,
    }
}

fn not_named(unit: &UnitId, period: Month, resting: &[(Month, Decision)]) -> Faults {
    let months: Vec<String> = resting.iter().map(|(m, _)| m.to_string()).collect();
    Faults::one(
        FaultCode::ReviewLater,
        format!(
            "{unit} 的 {} 以 {period} 为基础，须随之重新结账：请用 --later 一并退回或撤销通过；\
             或者由该单位在当前填报月份更正",
            months.join("、")
        ),
        format!(
            "{} of {unit} rest on {period} and have to be closed again after it: say --later to return or \
             open them as well, or let the unit correct the events in its open month",
            months.join(", ")
        ),
    )
}
