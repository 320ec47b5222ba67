//! What a parent said of a report, receipt by receipt: both sides read the same.

use protocol::receipt::{Decision, Receipt};
use serde::{Deserialize, Serialize};

/// One word of the parent on one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// The decision.
    pub decision: Decision,
    /// Since when, UTC.
    pub decided: String,
    /// Who decided: `<unit>/<name>`, or the unit where its node did so by itself.
    pub by: String,
    /// Why.
    pub reasons: Vec<String>,
    /// The figures and cells that the reasons are about.
    pub about: Vec<String>,
}

/// The words of these receipts, in their order.
pub fn words<'a>(receipts: impl IntoIterator<Item = &'a Receipt>) -> Vec<Word> {
    let word = |r: &Receipt| Word {
        decision: r.decision,
        decided: r.decided.clone(),
        by: r.by.clone(),
        reasons: r.reasons.clone(),
        about: r.about.clone(),
    };
    receipts.into_iter().map(word).collect()
}
