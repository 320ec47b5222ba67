//! The unit's own rollups, what became of them, and what the parent answered.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::note::Note;
use protocol::period::Month;
use protocol::receipt::{Decision, Receipt};
use protocol::rollup::HeldRollup;
use serde::{Deserialize, Serialize};

use super::entry::{UnreadableEntry, headed};
use crate::journal::Stored;

/// Heading of an entry that says that a rollup was handed to the outbox.
#[derive(Serialize, Deserialize)]
pub struct SubmittedHead {
    /// Month.
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// When.
    pub at: DateTime<Utc>,
}

/// Heading of an entry that says that a close was undone.
#[derive(Serialize, Deserialize)]
pub struct UndoneHead {
    /// Month.
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// Digest of the report.
    pub rollup: Digest,
    /// Who undid it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A rollup of this unit.
#[derive(Debug, Clone)]
pub struct OwnRollup {
    /// The note with the signatures so far, and what it says.
    pub(super) held: Arc<HeldRollup>,
    /// Handed to the outbox.
    pub(super) submitted: Option<DateTime<Utc>>,
    /// The parent's receipts in order.
    pub(super) receipts: Vec<(Receipt, Note)>,
}

impl OwnRollup {
    /// The note with the signatures so far, and what it says.
    pub fn held(&self) -> &Arc<HeldRollup> {
        &self.held
    }

    /// Handed to the outbox.
    pub fn submitted(&self) -> Option<DateTime<Utc>> {
        self.submitted
    }

    /// The parent's receipts in order.
    pub fn receipts(&self) -> &[(Receipt, Note)] {
        &self.receipts
    }

    /// Whether this parent has answered.
    pub fn is_answered_by(&self, parent: &UnitId) -> bool {
        self.receipts.iter().any(|(r, _)| r.parent == *parent)
    }

    /// Whether it has its place among those of the same parent: none was decided at the same time,
    /// and what is opened again was accepted before. Evidence is refused where their times run back.
    pub fn has_place_for(&self, receipt: &Receipt) -> bool {
        let of_parent = || {
            let all = self.receipts.iter().map(|(there, _)| there);
            all.filter(|there| there.parent == receipt.parent)
        };
        // Times are written in one way, in UTC: their texts compare as they do.
        let accepted = || of_parent().filter(|there| there.decision == Decision::Accepted);
        let was_accepted = || {
            let first = accepted().map(|there| &there.decided).min();
            first.is_none_or(|first| *first < receipt.decided)
        };
        of_parent().all(|there| there.decided != receipt.decided)
            && (receipt.decision != Decision::Reopened || was_accepted())
    }

    /// Those of the three signatories who have signed it.
    pub fn signed_by(&self) -> Vec<&str> {
        let lines = self.held.note.signatures();
        let signed = |name: &&str| lines.iter().any(|line| line.name() == *name);
        let names = self.held.rollup.signatories.names();
        names.into_iter().filter(signed).collect()
    }

    /// Whether all three signatories have signed it: only then is it a report that others can
    /// check.
    pub fn is_signed(&self) -> bool {
        self.signed_by().len() == self.held.rollup.signatories.names().len()
    }

    /// The parent's last word.
    pub fn decision(&self) -> Option<Decision> {
        self.receipts.last().map(|(r, _)| r.decision)
    }
}

/// The unit's own rollups by month and revision.
pub type OwnRollups = BTreeMap<(Month, u32), OwnRollup>;

/// A rollup, and the one whose place it takes.
pub type Replacement = (Arc<HeldRollup>, Option<Arc<HeldRollup>>);

/// A rollup, or the same one with more signatures, or another one that was made before anybody had
/// received the first.
pub fn apply_rollup(own: &mut OwnRollups, stored: &Stored) -> Result<Replacement, UnreadableEntry> {
    let note = Note::parse(&stored.public).map_err(UnreadableEntry::of)?;
    let held = Arc::new(HeldRollup::new(note).map_err(UnreadableEntry::of)?);
    let key = (held.rollup.period, held.rollup.revision);
    if let Some(own) = own.get_mut(&key) {
        let before = std::mem::replace(&mut own.held, held.clone());
        return Ok((held, Some(before)));
    }
    let first = OwnRollup {
        held: held.clone(),
        submitted: None,
        receipts: Vec::new(),
    };
    own.insert(key, first);
    Ok((held, None))
}

/// A rollup was handed to the outbox.
pub fn apply_submitted(own: &mut OwnRollups, stored: &Stored) -> Result<(), UnreadableEntry> {
    let (head, _): (SubmittedHead, _) = headed(&stored.public).ok_or("no heading")?;
    if let Some(own) = own.get_mut(&(head.period, head.revision)) {
        own.submitted.get_or_insert(head.at);
    }
    Ok(())
}

/// A close was undone: the report is no more. One that was handed over stays.
pub fn apply_undone(
    own: &mut OwnRollups,
    stored: &Stored,
) -> Result<Option<Digest>, UnreadableEntry> {
    let (head, _): (UndoneHead, _) = headed(&stored.public).ok_or("no heading")?;
    let key = (head.period, head.revision);
    let is_meant = |own: &OwnRollup| own.submitted.is_none() && own.held.digest() == head.rollup;
    if !own.get(&key).is_some_and(is_meant) {
        return Ok(None);
    }
    own.remove(&key);
    Ok(Some(head.rollup))
}

/// The parent answered.
pub fn apply_receipt(own: &mut OwnRollups, stored: &Stored) -> Result<(), UnreadableEntry> {
    let note = Note::parse(&stored.public).map_err(UnreadableEntry::of)?;
    let receipt = Receipt::parse(note.text()).map_err(UnreadableEntry::of)?;
    if let Some(own) = own.get_mut(&(receipt.period, receipt.revision)) {
        own.receipts.push((receipt, note));
        // They may come in any order; the last word is the one that was decided last.
        own.receipts.sort_by_key(|(r, _)| r.decided.clone());
    }
    Ok(())
}
