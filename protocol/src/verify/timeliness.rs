//! `timeliness`: the rollup arrived before the deadline. A late report is noted and travels on: it
//! is late, not wrong.

use super::context::Context;
use crate::period::china_day;
use crate::verdict::{Outcome, TimelinessFinding as Finding, Verdict};

/// Tells whether the rollup arrived in time (SPEC 8.5). It never fails.
pub fn check(context: &Context<'_>) -> Verdict {
    let finding = day_of_arrival(context);
    let outcome = match finding {
        Finding::OnTime { .. } => Outcome::Holds,
        Finding::Late { .. } | Finding::Unknown => Outcome::Noted,
    };
    Verdict::found(outcome, finding)
}

/// SPEC 8.5, step 1: the day of arrival in China is at most the last day of the deadline, which
/// belongs to it ("以前" includes the named day).
fn day_of_arrival(context: &Context<'_>) -> Finding {
    let (Some(received), Some(due)) = (context.received, context.due) else {
        return Finding::Unknown;
    };
    let day = china_day(received);
    if day <= due {
        Finding::OnTime { day, due }
    } else {
        Finding::Late { day, due }
    }
}
