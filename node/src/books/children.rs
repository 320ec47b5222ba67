//! What a node keeps of the units below it: their statements, checkpoints and rollups as they came,
//! and its own receipts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use protocol::compiled::CompiledCatalogue;
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::log::checkpoint::Checkpoint;
use protocol::log::delivery::Delivery;
use protocol::log::tree::{Hash, leaf_hash};
use protocol::note::{Note, VerifierKey};
use protocol::period::Month;
use protocol::receipt::{Decision, Receipt};
use protocol::registry::Unit;
use protocol::rollup::{HeldRollup, Rollups};
use protocol::statement::{OPERATOR_ENROLLED, Statement};
use protocol::verdict::Verdict;
use protocol::verify::log::UnitLog;
use serde::{Deserialize, Serialize};

use super::contradictions::Contradiction;
use super::entry::{UnreadableEntry, headed};
use super::rollups::Replacement;
use crate::journal::Stored;

/// Heading of a delivery of statements.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeliveryHead {
    /// Whose.
    pub unit: UnitId,
    /// Index of the first one that was not known before.
    pub first: u64,
    /// Index of the first one in the delivery.
    pub from: u64,
}

/// Heading of anything else that came from below.
#[derive(Debug, Serialize, Deserialize)]
pub struct ArrivalHead {
    /// Whose.
    pub unit: UnitId,
    /// When it came.
    pub at: DateTime<Utc>,
}

/// Statements that came and were not read for checks yet, in order: their hashes. The statements
/// themselves stay in the journal until a rollup asks for them, so that what nobody asks for takes
/// no memory worth naming.
#[derive(Debug, Default)]
pub struct Unread {
    leaves: Vec<Hash>,
    /// Keys that they enrol, each with its statement's log index.
    keys: Vec<(u64, VerifierKey)>,
}

impl Unread {
    fn push(&mut self, index: u64, entry: &[u8]) {
        if is_enrolment(entry) {
            let key = Note::parse(entry).ok().and_then(|n| enrolled(&n));
            self.keys.extend(key.map(|key| (index, key)));
        }
        self.leaves.push(leaf_hash(entry));
    }

    /// Forgets the first ones, so that it begins with this log index.
    fn forget(&mut self, count: usize, begin: u64) {
        self.leaves.drain(..count.min(self.leaves.len()));
        self.keys.retain(|(index, _)| *index >= begin);
    }
}

/// A journal entry that holds statements of a unit below.
#[derive(Debug, Clone, Copy)]
pub struct Chunk {
    /// Log index of the first one that was new.
    pub(super) first: u64,
    /// Number of the journal entry.
    pub(super) seq: u64,
    /// Bytes of the delivery.
    pub(super) bytes: u64,
}

/// A unit below.
#[derive(Debug)]
pub struct Child {
    /// What the registry says of it.
    pub(super) unit: Unit,
    /// Its log as far as it was read for checks.
    pub(super) log: UnitLog,
    /// What came and was not read yet, from `log.len()` on.
    pub(super) unread: Unread,
    /// Journal entries that hold its statements, in order.
    pub(super) chunks: Vec<Chunk>,
    /// Its checkpoints by size.
    pub(super) checkpoints: BTreeMap<u64, Note>,
    /// Its rollups: the first note that came for a month and revision.
    pub(super) known: Rollups,
    /// When each came.
    pub(super) arrived: BTreeMap<Digest, DateTime<Utc>>,
    /// The node's receipts by rollup.
    pub(super) given: BTreeMap<Digest, Vec<(Receipt, Note)>>,
    /// What the checks said, for rollups that were checked in this run of the node.
    pub(super) verdicts: BTreeMap<Digest, Vec<Verdict>>,
    /// Rollups that were checked, and are checked again for a new parent.
    pub(super) again: BTreeSet<Digest>,
    /// What it was caught at.
    pub(super) flagged: Option<Contradiction>,
}

impl Child {
    /// What the registry says of it.
    pub fn unit(&self) -> &Unit {
        &self.unit
    }

    /// Its log as far as it was read for checks.
    pub fn log(&self) -> &UnitLog {
        &self.log
    }

    /// Its checkpoints by size.
    pub fn checkpoints(&self) -> &BTreeMap<u64, Note> {
        &self.checkpoints
    }

    /// Its rollups: the first note that came for a month and revision.
    pub fn known(&self) -> &Rollups {
        &self.known
    }

    /// When each came.
    pub fn arrived(&self) -> &BTreeMap<Digest, DateTime<Utc>> {
        &self.arrived
    }

    /// The node's receipts by rollup.
    pub fn given(&self) -> &BTreeMap<Digest, Vec<(Receipt, Note)>> {
        &self.given
    }

    /// What the checks said, for rollups that were checked in this run of the node.
    pub fn verdicts(&self) -> &BTreeMap<Digest, Vec<Verdict>> {
        &self.verdicts
    }

    /// Whether a rollup was checked before, and is checked again for a new parent: its log was read
    /// on since.
    pub fn is_checked_again(&self, digest: &Digest) -> bool {
        self.again.contains(digest)
    }

    /// What it was caught at.
    pub fn flagged(&self) -> Option<&Contradiction> {
        self.flagged.as_ref()
    }

    /// A unit of which nothing came yet.
    pub fn new(unit: &Unit, catalogues: Vec<Arc<CompiledCatalogue>>) -> Child {
        Child {
            log: UnitLog::new(unit, catalogues),
            unit: unit.clone(),
            unread: Unread::default(),
            chunks: Vec::new(),
            checkpoints: BTreeMap::new(),
            known: Rollups::new(),
            arrived: BTreeMap::new(),
            given: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            again: BTreeSet::new(),
            flagged: None,
        }
    }

    /// A registry version or catalogue came.
    pub fn settle(&mut self, unit: &Unit, catalogues: &[Arc<CompiledCatalogue>]) {
        let before = std::mem::replace(&mut self.unit, unit.clone());
        for held in self.known.values() {
            // Who answers it is another one now: it is checked, and answered, as if it had just come.
            let month = held.rollup.period;
            if before.parent_in(month) != unit.parent_in(month) {
                self.verdicts.remove(&held.digest());
                self.again.insert(held.digest());
            }
        }
        self.log.update_registry(unit, catalogues);
    }

    /// Number of entries that came without gap.
    pub fn held(&self) -> u64 {
        self.log.len() + self.unread.leaves.len() as u64
    }

    /// Whether these are the bytes of a statement that came before.
    pub fn has_statement(&self, index: u64, entry: &[u8]) -> bool {
        match index.checked_sub(self.log.len()) {
            None => self.log.tree().leaf(index) == Some(leaf_hash(entry)),
            Some(n) => usize::try_from(n)
                .ok()
                .and_then(|n| self.unread.leaves.get(n))
                .is_some_and(|leaf| *leaf == leaf_hash(entry)),
        }
    }

    /// Every key that a statement of this unit may carry: its node's, and those of people who were
    /// ever enrolled.
    pub fn signers(&self) -> Vec<VerifierKey> {
        let mut keys: Vec<VerifierKey> = self.unit.keys.iter().map(|k| k.vkey.clone()).collect();
        keys.extend(self.log.enrolled().cloned());
        keys.extend(self.unread.keys.iter().map(|(_, key)| key.clone()));
        keys
    }

    /// Bytes that came with the statements from this log index on.
    pub fn bytes_from(&self, index: u64) -> u64 {
        let behind = self.chunks.iter().rev();
        let behind = behind.take_while(|chunk| chunk.first >= index);
        behind.map(|chunk| chunk.bytes).sum()
    }

    /// Reads the next statements of the log for checks, which the journal holds.
    pub(super) fn read(&mut self, entries: &[Vec<u8>]) {
        self.log.read(entries, &self.unit);
        self.unread.forget(entries.len(), self.log.len());
    }

    /// The node's last word on a rollup.
    pub fn decision(&self, digest: &Digest) -> Option<Decision> {
        self.given.get(digest)?.last().map(|(r, _)| r.decision)
    }

    /// The last revision of a month.
    pub fn latest(&self, month: Month) -> Option<&Arc<HeldRollup>> {
        self.known
            .range(month.revisions())
            .next_back()
            .map(|(_, h)| h)
    }

    /// The revision of a month that is accepted. A later one that nobody asked for does not push it
    /// out.
    pub fn accepted(&self, month: Month) -> Option<&Arc<HeldRollup>> {
        let mut revisions = self.known.range(month.revisions()).rev().map(|(_, h)| h);
        revisions.find(|h| self.decision(&h.digest()) == Some(Decision::Accepted))
    }
}

/// Whether it can be an enrolment at all: few are, and only these are worth parsing.
fn is_enrolment(entry: &[u8]) -> bool {
    entry
        .windows(OPERATOR_ENROLLED.len())
        .any(|w| w == OPERATOR_ENROLLED.as_bytes())
}

/// The key that a statement enrols.
fn enrolled(note: &Note) -> Option<VerifierKey> {
    if !note.text().contains(OPERATOR_ENROLLED) {
        return None;
    }
    let statement = Statement::parse(note.text())
        .ok()
        .filter(|s| s.event == OPERATOR_ENROLLED)?;
    statement.fields()?.get("vkey")?.as_str()?.parse().ok()
}

/// What a journal entry of kind `Delivery` brought.
pub(super) struct Delivered<'a> {
    unit: UnitId,
    /// Index of the first statement.
    first: u64,
    /// The statements that were new.
    pub entries: Vec<Vec<u8>>,
    /// The whole delivery, and the index of its first statement.
    pub from: u64,
    pub body: &'a [u8],
}

pub(super) fn delivered(stored: &Stored) -> Result<Delivered<'_>, UnreadableEntry> {
    let (head, body): (DeliveryHead, _) = headed(&stored.public).ok_or("no heading")?;
    let mut entries = Delivery::reopen(body).map_err(UnreadableEntry::of)?;
    let known = head
        .first
        .checked_sub(head.from)
        .and_then(|n| usize::try_from(n).ok())
        .filter(|n| *n < entries.len());
    entries.drain(..known.ok_or("nothing new in a delivery")?);
    Ok(Delivered {
        unit: head.unit,
        first: head.first,
        entries,
        from: head.from,
        body,
    })
}

/// The units below by id.
pub type Children = BTreeMap<UnitId, Child>;

/// A receipt that this node gave.
pub fn apply_given(children: &mut Children, stored: &Stored) -> Result<(), UnreadableEntry> {
    let note = Note::parse(&stored.public).map_err(UnreadableEntry::of)?;
    let receipt = Receipt::parse(note.text()).map_err(UnreadableEntry::of)?;
    if let Some(child) = children.get_mut(&receipt.child) {
        let given = child.given.entry(receipt.rollup).or_default();
        given.push((receipt, note));
    }
    Ok(())
}

/// Statements of a unit below.
pub fn apply_delivery(children: &mut Children, stored: &Stored) -> Result<(), UnreadableEntry> {
    let new = delivered(stored)?;
    if let Some(child) = children.get_mut(&new.unit) {
        for (index, entry) in (new.first..).zip(&new.entries) {
            child.unread.push(index, entry);
        }
        child.chunks.push(Chunk {
            first: new.first,
            seq: stored.seq,
            bytes: new.body.len() as u64,
        });
    }
    Ok(())
}

/// A checkpoint of a unit below.
pub fn apply_checkpoint(children: &mut Children, stored: &Stored) -> Result<(), UnreadableEntry> {
    let (head, body): (ArrivalHead, _) = headed(&stored.public).ok_or("no heading")?;
    let Some(child) = children.get_mut(&head.unit) else {
        return Ok(());
    };
    let note = Note::parse(body).map_err(UnreadableEntry::of)?;
    let point = Checkpoint::parse(note.text()).map_err(UnreadableEntry::of)?;
    child.checkpoints.insert(point.size(), note);
    Ok(())
}

/// A rollup of a unit below. Returns it, if the unit is known.
pub fn apply_rollup(
    children: &mut Children,
    stored: &Stored,
) -> Result<Option<Replacement>, UnreadableEntry> {
    let (head, body): (ArrivalHead, _) = headed(&stored.public).ok_or("no heading")?;
    let Some(child) = children.get_mut(&head.unit) else {
        return Ok(None);
    };
    let note = Note::parse(body).map_err(UnreadableEntry::of)?;
    let held = Arc::new(HeldRollup::new(note).map_err(UnreadableEntry::of)?);
    child.arrived.insert(held.digest(), head.at);
    let key = (held.rollup.period, held.rollup.revision);
    let before = child.known.insert(key, held.clone());
    Ok(Some((held, before)))
}
