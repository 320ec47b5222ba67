//! The parent's answer to a rollup: `countersign/receipt/v1`.
//!
//! A receipt says what was verified, by whom, with which result; it is part of both journals. Only
//! a receipt for exactly these bytes ends a delivery.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::UnitId;
use crate::log::checkpoint::{Checkpoint, origin_of};
use crate::note;
use crate::period::Month;
use crate::person::is_operator_of;
use crate::text::{self, time::is_time};
use crate::verdict::{Check, Verdict};

/// The kind of the signed document.
pub const KIND: &str = "receipt";

/// What the parent says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// It holds and is part of the parent's figures (审核通过).
    Accepted,
    /// A person sends it back with reasons (退回).
    Returned,
    /// A check failed (校验未通过).
    Rejected,
    /// An accepted month is opened again, so that a new revision may follow (重新打开).
    Reopened,
}

impl Decision {
    /// For pages.
    pub fn zh(self) -> &'static str {
        match self {
            Decision::Accepted => "审核通过",
            Decision::Returned => "退回",
            Decision::Rejected => "校验未通过",
            Decision::Reopened => "重新打开",
        }
    }
    /// Whether the child may publish a new revision after it.
    pub fn asks_for_revision(self) -> bool {
        self != Decision::Accepted
    }
}

/// A parent's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Who answers.
    pub parent: UnitId,
    /// Whom.
    pub child: UnitId,
    /// Which month.
    pub period: Month,
    /// Which revision.
    pub revision: u32,
    /// Digest of exactly the rollup that was looked at.
    pub rollup: Digest,
    /// The answer.
    pub decision: Decision,
    /// When the rollup arrived, UTC, by the parent's clock: what `timeliness` is judged by.
    pub received: String,
    /// When the answer was given, UTC.
    pub decided: String,
    /// The person who decided (`<unit>/<operator>`), or the unit itself for a failed check.
    pub by: String,
    /// Reasons in words; required to return or reopen.
    pub reasons: Vec<String>,
    /// Figures or cells that the reasons are about.
    pub about: Vec<String>,
    /// What was checked.
    pub checks: Vec<Verdict>,
    /// The child's checkpoint with the parent's cosignature, a note of its own.
    pub checkpoint: String,
}

/// Why a receipt is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a receipt: {0} [receipt.malformed]")]
pub struct ReceiptError(pub String);

impl Receipt {
    /// The note text to be signed.
    ///
    /// # Errors
    /// A broken rule of the format.
    pub fn to_text(&self) -> Result<String, ReceiptError> {
        self.check()?;
        let json = serde_json::to_string(self).map_err(|e| ReceiptError(e.to_string()))?;
        note::document(KIND, &json).map_err(|e| ReceiptError(e.to_string()))
    }

    /// Reads a note's text.
    ///
    /// # Errors
    /// Another kind, unknown fields, a broken rule of the format.
    pub fn parse(text: &str) -> Result<Receipt, ReceiptError> {
        let json = note::read_document(text, KIND).map_err(|e| ReceiptError(e.to_string()))?;
        let receipt: Receipt = text::from_json(json).map_err(|e| ReceiptError(e.to_string()))?;
        receipt.check()?;
        Ok(receipt)
    }

    fn check(&self) -> Result<(), ReceiptError> {
        let needs_reason = matches!(self.decision, Decision::Returned | Decision::Reopened);
        if needs_reason && self.reasons.iter().all(|r| r.trim().is_empty()) {
            return Err(ReceiptError("returning or reopening needs a reason".into()));
        }
        if !is_time(&self.received) || !is_time(&self.decided) {
            let message = "`received` and `decided` are times, written YYYY-MM-DDTHH:MM:SSZ";
            return Err(ReceiptError(message.into()));
        }
        if self.by != self.parent.as_str() && !is_operator_of(&self.by, &self.parent) {
            return Err(ReceiptError(
                "`by` is the parent or a person of it, `<parent>/<person>`".into(),
            ));
        }
        let checks: BTreeSet<Check> = self.checks.iter().map(|verdict| verdict.check).collect();
        if checks.len() < self.checks.len() {
            return Err(ReceiptError("names a check twice".into()));
        }
        self.checkpoint_of_child()?;
        let holds = !self.checks.iter().any(Verdict::failed);
        if self.decision == Decision::Accepted && !holds {
            return Err(ReceiptError(
                "a rollup with a failed check cannot be accepted".into(),
            ));
        }
        if self.decision == Decision::Rejected && holds {
            return Err(ReceiptError(
                "a rollup is rejected by a failed check; a person returns".into(),
            ));
        }
        Ok(())
    }

    /// Where nothing was accepted there may be none; but nothing else stands in its place.
    fn checkpoint_of_child(&self) -> Result<(), ReceiptError> {
        if self.decision == Decision::Accepted || self.checkpoint.is_empty() {
            return Ok(());
        }
        let note = note::Note::parse(self.checkpoint.as_bytes());
        let checkpoint = note.ok().and_then(|n| Checkpoint::parse(n.text()).ok());
        let origin = origin_of(&self.child);
        match checkpoint {
            Some(checkpoint) if checkpoint.origin() == origin => Ok(()),
            _ => Err(ReceiptError("`checkpoint` is none of the child's".into())),
        }
    }
}
