//! The unit's own log: its statements, the months' secrets and the checkpoints that it signed.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use protocol::commitment::PeriodKey;
use protocol::compiled::CompiledCatalogue;
use protocol::log::checkpoint::Checkpoint;
use protocol::note::Note;
use protocol::period::Month;
use protocol::registry::Unit;
use protocol::verdict::LeafFinding;
use protocol::verify::log::UnitLog;

use super::entry::UnreadableEntry;
use super::error::BooksError;
use super::written::{Written, unseal};
use crate::journal::Stored;
use crate::vault::VaultKey;

/// How many statements are kept at hand: some 3 KB each.
const RECENT_STATEMENTS: usize = 4096;

/// The unit's own log.
#[derive(Debug, Default)]
pub struct OwnLog {
    /// None before the first registry.
    pub(super) log: Option<UnitLog>,
    pub(super) period_keys: BTreeMap<Month, PeriodKey>,
    /// The checkpoints that this node signed, by size.
    pub(super) checkpoints: BTreeMap<u64, Note>,
    /// What the statement that was recorded last says of its time.
    pub(super) latest: Option<DateTime<Utc>>,
    /// The journal entries of the leaves.
    seqs: Vec<u64>,
    /// The statements written last, by log index: what is recorded next is often about the same
    /// subjects.
    recent: BTreeMap<u64, Written>,
}

impl OwnLog {
    /// How many leaves the log has.
    pub fn leaves(&self) -> u64 {
        self.log.as_ref().map_or(0, UnitLog::len)
    }

    /// What contradicts first in the leaves from this index on.
    pub fn finding_from(&self, index: u64) -> Option<&LeafFinding> {
        self.log.as_ref()?.finding_from(index)
    }

    /// The journal entry that holds a statement.
    pub fn seq(&self, index: u64) -> Option<u64> {
        self.seqs.get(usize::try_from(index).ok()?).copied()
    }

    /// A statement that was written not long ago.
    pub fn recent(&self, index: u64) -> Option<&Written> {
        self.recent.get(&index)
    }

    /// Keeps a statement at hand.
    pub fn keep_recent(&mut self, index: u64, written: Written) {
        self.recent.insert(index, written);
        if self.recent.len() > RECENT_STATEMENTS {
            self.recent.pop_first();
        }
    }

    /// Registry or catalogue changed: the log keeps what it has read.
    pub fn settle(&mut self, me: &Unit, catalogues: &[Arc<CompiledCatalogue>]) {
        match &mut self.log {
            Some(log) => log.update_registry(me, catalogues),
            None => self.log = Some(UnitLog::new(me, catalogues.to_vec())),
        }
    }

    /// A statement; returns its log index.
    pub fn apply_statement(
        &mut self,
        me: Option<&Unit>,
        stored: &Stored,
        note: &Note,
        written: &Written,
    ) -> Result<u64, UnreadableEntry> {
        self.latest = written.statement.recorded.parse().ok();
        let (log, me) = self
            .log
            .as_mut()
            .zip(me)
            .ok_or("a statement before any registry")?;
        let index = log.len();
        log.read_own(note, &written.statement, me);
        self.seqs.push(stored.seq);
        Ok(index)
    }

    /// The secret of a month.
    pub fn apply_period_key(
        &mut self,
        vault: &VaultKey,
        stored: &Stored,
    ) -> Result<(), BooksError> {
        let bad = |message: &str| BooksError::Entry {
            seq: stored.seq,
            message: message.into(),
        };
        let month: Month = std::str::from_utf8(&stored.public)
            .ok()
            .and_then(|t| t.parse().ok())
            .ok_or_else(|| bad("no month"))?;
        let plain = unseal(vault, stored)?
            .ok_or_else(|| bad("a month's secret without its sealed part"))?;
        let key: [u8; 32] = plain
            .as_slice()
            .try_into()
            .map_err(|_| bad("a month's secret has 32 bytes"))?;
        self.period_keys.insert(month, PeriodKey::new(key));
        Ok(())
    }

    /// How many leaves the last signed checkpoint covers; 0 before the first.
    pub fn signed_size(&self) -> u64 {
        self.checkpoints.keys().last().copied().unwrap_or(0)
    }

    /// A checkpoint that this node signed.
    pub fn apply_checkpoint(&mut self, stored: &Stored) -> Result<(), UnreadableEntry> {
        let note = Note::parse(&stored.public).map_err(UnreadableEntry::of)?;
        let point = Checkpoint::parse(note.text()).map_err(UnreadableEntry::of)?;
        self.checkpoints.insert(point.size(), note);
        Ok(())
    }
}
