//! What a node keeps of the units below it: their statements, checkpoints and rollups as they came,
//! and its own receipts.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use protocol::compiled::CompiledCatalogue;
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::log::checkpoint::Checkpoint;
use protocol::log::delivery::Delivery;
use protocol::log::tree::leaf_hash;
use protocol::note::{Note, VerifierKey};
use protocol::period::Month;
use protocol::receipt::{Decision, Receipt};
use protocol::registry::Unit;
use protocol::rollup::{HeldRollup, Rollups};
use protocol::statement::{OPERATOR_ENROLLED, Statement};
use protocol::verdict::Verdict;
use protocol::verify::log::UnitLog;
use serde::{Deserialize, Serialize};

use super::kinds::EntryKind;
use super::{Books, BooksError, headed};
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

/// Heading of a contradiction.
#[derive(Debug, Serialize, Deserialize)]
pub struct ContradictionHead {
    /// Whose.
    pub unit: UnitId,
    /// What contradicts, in words.
    pub what: String,
    /// The log index, where it is a statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// Index of the first statement in the delivery that it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
}

/// Two signed things that cannot both be true. Both are in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// Who contradicts itself. This unit itself, where its parent answered for another rollup than
    /// it has: then somebody else has its keys, or its data directory is not the one that it
    /// reported from.
    pub unit: UnitId,
    /// What contradicts, in words.
    pub what: String,
    /// The journal entry that holds what came second.
    pub seq: u64,
}

/// One side of a contradiction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The bytes of the signed note. Of a statement, whatever stands in the log.
    pub note: Vec<u8>,
    /// Of a statement: the index of the first one in the delivery that it came in, and that
    /// delivery. It proves by a signed checkpoint which index the statement has.
    pub delivery: Option<(u64, Vec<u8>)>,
}

impl Side {
    /// A note that stands for itself.
    pub fn note(note: &Note) -> Side {
        Side {
            note: note.as_bytes().to_vec(),
            delivery: None,
        }
    }
    /// A statement in a delivery that begins at index `from`.
    pub fn statement(entry: Vec<u8>, from: u64, delivery: Vec<u8>) -> Side {
        Side {
            note: entry,
            delivery: Some((from, delivery)),
        }
    }
}

/// Statements that came and were not read for checks yet, in order.
#[derive(Debug, Default)]
pub struct Waiting {
    entries: Vec<Vec<u8>>,
    /// Keys that they enrol.
    keys: Vec<VerifierKey>,
}

impl Waiting {
    fn push(&mut self, entry: Vec<u8>) {
        if is_enrolment(&entry) {
            self.keys
                .extend(Note::parse(&entry).ok().and_then(|n| enrolled(&n)));
        }
        self.entries.push(entry);
    }

    fn take(&mut self, count: usize) -> Vec<Vec<u8>> {
        let mut taken = std::mem::take(self);
        taken
            .entries
            .drain(count..)
            .for_each(|entry| self.push(entry));
        taken.entries
    }
}

/// A unit below.
#[derive(Debug)]
pub struct Child {
    /// What the registry says of it.
    pub unit: Unit,
    /// Its log as far as it was read for checks.
    pub log: UnitLog,
    /// Entries that came and were not read yet, from `log.len()` on.
    pub pending: Waiting,
    /// Journal entries that hold its statements: index of the first one, and the entry's number.
    pub chunks: Vec<(u64, u64)>,
    /// Its checkpoints by size.
    pub checkpoints: BTreeMap<u64, Note>,
    /// Its rollups: the first note that came for a month and revision.
    pub known: Rollups,
    /// When each came.
    pub arrived: BTreeMap<Digest, DateTime<Utc>>,
    /// The node's receipts by rollup.
    pub given: BTreeMap<Digest, Vec<(Receipt, Note)>>,
    /// What the checks said, for rollups that were checked in this run of the node.
    pub verdicts: BTreeMap<Digest, Vec<Verdict>>,
    /// What it was caught at.
    pub flagged: Option<String>,
}

impl Child {
    /// A unit of which nothing came yet.
    pub fn new(unit: &Unit, catalogues: Vec<Arc<CompiledCatalogue>>) -> Child {
        Child {
            log: UnitLog::new(unit, catalogues),
            unit: unit.clone(),
            pending: Waiting::default(),
            chunks: Vec::new(),
            checkpoints: BTreeMap::new(),
            known: Rollups::new(),
            arrived: BTreeMap::new(),
            given: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            flagged: None,
        }
    }

    /// Learns of a new registry version or catalogue.
    pub fn know(&mut self, unit: &Unit, catalogues: &[Arc<CompiledCatalogue>]) {
        self.unit = unit.clone();
        self.log.update_registry(unit, catalogues);
    }

    /// Number of entries that came without gap.
    pub fn held(&self) -> u64 {
        self.log.len() + self.pending.entries.len() as u64
    }

    /// Whether these are the bytes of a statement that came before.
    pub fn holds(&self, index: u64, entry: &[u8]) -> bool {
        match index.checked_sub(self.log.len()) {
            None => self.log.tree().leaf(index) == Some(leaf_hash(entry)),
            Some(n) => usize::try_from(n)
                .ok()
                .and_then(|n| self.pending.entries.get(n))
                .is_some_and(|e| e == entry),
        }
    }

    /// Every key that a statement of this unit may carry: its node's, and those of people who were
    /// ever enrolled.
    pub fn signers(&self) -> Vec<VerifierKey> {
        let mut keys: Vec<VerifierKey> = self.unit.keys.iter().map(|k| k.vkey.clone()).collect();
        keys.extend(self.log.enrolled().cloned());
        keys.extend(self.pending.keys.iter().cloned());
        keys
    }

    /// Reads the log up to `size`, if as much has come.
    pub fn read_to(&mut self, size: u64) {
        let more = size.saturating_sub(self.log.len());
        let more = usize::try_from(more)
            .unwrap_or(usize::MAX)
            .min(self.pending.entries.len());
        let entries = self.pending.take(more);
        self.log.read(&entries, &self.unit);
    }

    /// The node's last word on a rollup.
    pub fn decision(&self, digest: &Digest) -> Option<Decision> {
        self.given.get(digest)?.last().map(|(r, _)| r.decision)
    }

    /// The last revision of a month.
    pub fn latest(&self, month: Month) -> Option<&Arc<HeldRollup>> {
        self.known
            .range((month, 0)..=(month, u32::MAX))
            .next_back()
            .map(|(_, h)| h)
    }

    /// The revision of a month that is accepted. A later one that nobody asked for does not push it
    /// out.
    pub fn accepted(&self, month: Month) -> Option<&Arc<HeldRollup>> {
        let mut revisions = self
            .known
            .range((month, 0)..=(month, u32::MAX))
            .rev()
            .map(|(_, h)| h);
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
    statement.clear?.get("vkey")?.as_str()?.parse().ok()
}

/// What a journal entry of kind [`EntryKind::Delivery`] brought.
struct Delivered<'a> {
    unit: UnitId,
    /// Index of the first statement.
    first: u64,
    /// The statements that were new.
    entries: Vec<Vec<u8>>,
    /// The whole delivery, and the index of its first statement.
    from: u64,
    body: &'a [u8],
}

fn delivered(stored: &Stored) -> Result<Delivered<'_>, String> {
    let (head, body): (DeliveryHead, _) = headed(&stored.public).ok_or("no heading")?;
    let mut entries = Delivery::reopen(body).map_err(|e| e.to_string())?;
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

impl Books {
    /// Statements of a unit below from the journal: those of these log indexes that came.
    ///
    /// # Errors
    /// A damaged disk.
    pub fn child_entries(
        &self,
        unit: &UnitId,
        indexes: Range<u64>,
    ) -> Result<Vec<Vec<u8>>, BooksError> {
        let chunks = self
            .children
            .get(unit)
            .map(|c| c.chunks.as_slice())
            .unwrap_or_default();
        let from = chunks
            .partition_point(|(first, _)| *first <= indexes.start)
            .saturating_sub(1);
        let mut found = Vec::new();
        for (first, seq) in chunks[from..]
            .iter()
            .take_while(|(first, _)| *first < indexes.end)
        {
            let stored = self.at(*seq)?;
            let Delivered { entries, .. } =
                delivered(&stored).map_err(|message| BooksError::Entry { seq: *seq, message })?;
            found.extend(
                (*first..)
                    .zip(entries)
                    .filter(|(index, _)| indexes.contains(index))
                    .map(|(_, entry)| entry),
            );
        }
        Ok(found)
    }

    /// One statement of a unit below, with the delivery that it came in.
    pub(super) fn child_entry(
        &self,
        unit: &UnitId,
        index: u64,
    ) -> Result<Option<Side>, BooksError> {
        let chunks = self
            .children
            .get(unit)
            .map(|c| c.chunks.as_slice())
            .unwrap_or_default();
        let behind = chunks.partition_point(|(first, _)| *first <= index);
        let Some((first, seq)) = behind.checked_sub(1).map(|n| chunks[n]) else {
            return Ok(None);
        };
        let stored = self.at(seq)?;
        let Delivered {
            entries,
            from,
            body,
            ..
        } = delivered(&stored).map_err(|message| BooksError::Entry { seq, message })?;
        Ok(usize::try_from(index - first)
            .ok()
            .and_then(|n| entries.into_iter().nth(n))
            .map(|entry| Side::statement(entry, from, body.to_vec())))
    }
}

/// Takes a journal entry about a unit below into account.
///
/// # Errors
/// An entry that this version cannot read.
pub fn apply(
    children: &mut BTreeMap<UnitId, Child>,
    kind: EntryKind,
    stored: &Stored,
) -> Result<(), String> {
    if kind == EntryKind::Given {
        let note = Note::parse(&stored.public).map_err(|e| e.to_string())?;
        let receipt = Receipt::parse(note.text()).map_err(|e| e.to_string())?;
        if let Some(child) = children.get_mut(&receipt.child) {
            child
                .given
                .entry(receipt.rollup)
                .or_default()
                .push((receipt, note));
        }
        return Ok(());
    }
    if kind == EntryKind::Delivery {
        let Delivered {
            unit,
            first,
            entries,
            ..
        } = delivered(stored)?;
        if let Some(child) = children.get_mut(&unit) {
            entries
                .into_iter()
                .for_each(|entry| child.pending.push(entry));
            child.chunks.push((first, stored.seq));
        }
        return Ok(());
    }
    let (head, body): (ArrivalHead, _) = headed(&stored.public).ok_or("no heading")?;
    let Some(child) = children.get_mut(&head.unit) else {
        return Ok(());
    };
    let note = Note::parse(body).map_err(|e| e.to_string())?;
    if kind == EntryKind::ChildCheckpoint {
        let point = Checkpoint::parse(note.text()).map_err(|e| e.to_string())?;
        child.checkpoints.insert(point.size(), note);
    } else {
        let held = HeldRollup::new(note).map_err(|e| e.to_string())?;
        child.arrived.insert(held.digest(), head.at);
        child
            .known
            .insert((held.rollup.period, held.rollup.revision), Arc::new(held));
    }
    Ok(())
}
