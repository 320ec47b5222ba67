//! The unit's own months.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use protocol::digest::Digest;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::verdict::Verdict;
use serde::{Deserialize, Serialize};

use crate::books::{Books, OwnRollup};
use crate::clock::stamp;
use crate::desk::sign;
use crate::queries::words::{Word, words};

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
    /// Everything that the parent said of this revision, in order.
    #[serde(default)]
    pub words: Vec<Word>,
    /// When it went out in this run of the node: the NATS server keeps it, durably, until the parent
    /// takes it. Whether the parent has decided is another question.
    #[serde(default)]
    pub sent: Option<String>,
}

/// When rollups went out in this run of the node.
pub type Sent = BTreeMap<Digest, DateTime<Utc>>;

/// The submitted rollups that are still to go out in this run of the node, and were not decided on.
pub fn unsent<'a>(books: &'a Books, sent: &'a Sent) -> impl Iterator<Item = &'a OwnRollup> {
    books
        .outbox()
        .filter(|own| !sent.contains_key(&own.held().digest()))
}

/// The unit's rollups in order, every revision.
pub fn months(books: &Books, sent: &Sent) -> Vec<OwnMonth> {
    books
        .rollups()
        .values()
        .map(|own| month(books, own, sent))
        .collect()
}

fn month(books: &Books, own: &OwnRollup, sent: &Sent) -> OwnMonth {
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
        words: words(own.receipts().iter().map(|(receipt, _)| receipt)),
        sent: sent.get(&own.held().digest()).copied().map(stamp),
    }
}
