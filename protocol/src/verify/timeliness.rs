//! `timeliness`: the rollup arrived before the deadline. A late report is noted and travels on: it
//! is late, not wrong.

use chrono::{FixedOffset, Offset, Utc};

use super::context::Context;
use crate::verdict::Verdict;

/// See the module.
pub fn check(context: &Context<'_>) -> Verdict {
    let (Some(received), Some(due)) = (context.received, context.due) else {
        return Verdict::noted(
            "timeliness",
            "not known: no receipt tells when it arrived, or no plan sets a deadline",
        );
    };
    // Deadlines are days in China (UTC+8, no summer time); "以前" includes the named day.
    let zone = FixedOffset::east_opt(8 * 3600).unwrap_or_else(|| Utc.fix());
    let day = received.with_timezone(&zone).date_naive();
    if day <= due {
        Verdict::holds("timeliness", format!("arrived {day}, due {due}"))
    } else {
        Verdict::noted("timeliness", format!("late: arrived {day}, due {due}"))
    }
}
