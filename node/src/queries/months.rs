//! The unit's own months.

use protocol::digest::Digest;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::verdict::Verdict;
use serde::{Deserialize, Serialize};

use crate::books::{Books, OwnRollup};
use crate::clock::stamp;
use crate::desk::sign;

/// One rollup of the unit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OwnMonth {
    /// Month.
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// Digest.
    pub rollup: Digest,
    /// Signatories who have not signed.
    pub unsigned: Vec<String>,
    /// Handed to the outbox at.
    pub submitted: Option<String>,
    /// The parent's last word.
    pub decision: Option<Decision>,
    /// Its reasons.
    pub reasons: Vec<String>,
    /// What the parent checked.
    pub checks: Vec<Verdict>,
}

/// The unit's rollups in order, every revision.
pub fn months(books: &Books) -> Vec<OwnMonth> {
    books
        .rollups()
        .values()
        .map(|own| month(books, own))
        .collect()
}

fn month(books: &Books, own: &OwnRollup) -> OwnMonth {
    let last = own.receipts().last().map(|(receipt, _)| receipt);
    OwnMonth {
        period: own.held().rollup.period,
        revision: own.held().rollup.revision,
        rollup: own.held().digest(),
        unsigned: sign::unsigned(books, own),
        submitted: own.submitted().map(stamp),
        decision: own.decision(),
        reasons: last.map(|r| r.reasons.clone()).unwrap_or_default(),
        checks: last.map(|r| r.checks.clone()).unwrap_or_default(),
    }
}
