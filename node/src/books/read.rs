//! What others read of the books. Nothing here changes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use protocol::commitment::PeriodKey;
use protocol::compiled::CompiledCatalogue;
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::log::checkpoint::Checkpoint;
use protocol::log::delivery::Delivery;
use protocol::note::Note;
use protocol::period::Month;
use protocol::plan::Plan;
use protocol::receipt::Receipt;
use protocol::registry::{Unit, VerifiedRegistry};
use protocol::rollup::{HeldRollup, Rollups};
use protocol::statement::Statement;

use super::children::{self, Contradiction, Side};
use super::payload::{self, Payload, read_statement};
use super::{Books, BooksError, OwnRollup, headed};
use crate::journal::Stored;
use crate::view::Token;

/// A clock that is behind the last statement by more than this is believed; see
/// [`Books::not_before_last`].
const BELIEVED_BEHIND: chrono::TimeDelta = chrono::TimeDelta::hours(48);

impl Books {
    /// The time to write on what is recorded now. The machine's clock may have been put back: a
    /// statement must not claim to be older than the one before it. But a clock that is far behind
    /// is believed: then it was the earlier one that was wrong, and a day in the future must not be
    /// written on everything for years.
    pub fn not_before_last(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.latest
            .filter(|last| *last > now && *last - now <= BELIEVED_BEHIND)
            .unwrap_or(now)
    }

    /// What the statement that was recorded last says of its time.
    pub fn last_recorded(&self) -> Option<DateTime<Utc>> {
        self.latest
    }

    /// The registry in force.
    pub fn registry(&self) -> Option<&VerifiedRegistry> {
        self.registries.last().map(|(r, _)| r)
    }

    /// Every registry version with its note.
    pub fn registries(&self) -> &[(VerifiedRegistry, Note)] {
        &self.registries
    }

    /// The unit itself.
    pub fn me(&self) -> Option<&Unit> {
        self.registry()?.registry().unit(&self.unit)
    }

    /// The unit's id.
    pub fn unit(&self) -> &UnitId {
        &self.unit
    }

    /// The catalogue in force.
    pub fn counting(&self) -> Option<&Arc<CompiledCatalogue>> {
        self.catalogues.last().map(|(c, _)| c)
    }

    pub(super) fn counting_of(&self, s: &Statement) -> Option<&Arc<CompiledCatalogue>> {
        self.catalogues
            .iter()
            .map(|(c, _)| c)
            .find(|c| c.digest == s.catalogue)
    }

    /// Every catalogue with its note.
    pub fn catalogues(&self) -> &[(Arc<CompiledCatalogue>, Note)] {
        &self.catalogues
    }

    /// Every plan pack with its note.
    pub fn plans(&self) -> &[(Plan, Note)] {
        &self.plans
    }

    /// The secret of a month.
    pub fn period_key(&self, month: Month) -> Option<&PeriodKey> {
        self.period_keys.get(&month)
    }

    /// The signed checkpoint of this size.
    pub fn checkpoint(&self, size: u64) -> Option<&Note> {
        self.checkpoints.get(&size)
    }

    /// All signed checkpoints.
    pub fn checkpoints(&self) -> &BTreeMap<u64, Note> {
        &self.checkpoints
    }

    /// Bytes of the journal, number of its entries, and whether the view was rebuilt at start.
    pub fn size(&self) -> (u64, u64, bool) {
        (self.journal.bytes(), self.journal.next_seq(), self.rebuilt)
    }

    /// Submitted rollups that wait for a receipt; a unit without a parent waits for nobody.
    pub fn outbox(&self) -> impl Iterator<Item = &OwnRollup> {
        let answered_by = self.me().and_then(|m| m.parent.as_ref());
        self.rollups.values().filter(move |r| {
            answered_by.is_some() && r.submitted.is_some() && r.receipts.is_empty()
        })
    }

    /// The store of the transport that was sent everything recent; none before the first.
    pub fn store(&self) -> Option<&str> {
        self.store.as_deref()
    }

    /// The unit's own rollups as the checks want them.
    pub fn own_rollups(&self) -> Rollups {
        self.rollups
            .iter()
            .map(|(k, r)| (*k, r.held.clone()))
            .collect()
    }

    /// The bytes of a statement.
    ///
    /// # Errors
    /// An index that does not exist, or a damaged disk.
    pub fn statement_bytes(&self, index: u64) -> Result<Vec<u8>, BooksError> {
        Ok(self.stored(index)?.public)
    }

    /// A statement with its private payload, if there is one and it was not erased.
    ///
    /// # Errors
    /// An index that does not exist, or a damaged disk.
    pub fn statement(
        &self,
        index: u64,
    ) -> Result<(Arc<Statement>, Option<Arc<Payload>>), BooksError> {
        if let Some(written) = self.recent.get(&index) {
            return Ok((written.statement.clone(), written.payload.clone()));
        }
        let stored = self.stored(index)?;
        let (_, written) = read_statement(&stored)?;
        let payload = self.payload_of(&stored, &written.statement)?;
        Ok((written.statement, payload))
    }

    pub(super) fn stored(&self, index: u64) -> Result<Stored, BooksError> {
        let missing = || BooksError::Entry {
            seq: index,
            message: "no such statement in the log".into(),
        };
        let seq = usize::try_from(index)
            .ok()
            .and_then(|n| self.seqs.get(n).copied())
            .ok_or_else(missing)?;
        self.at(seq)
    }

    /// A journal entry, on disk or in the group that is under way.
    pub(super) fn at(&self, seq: u64) -> Result<Stored, BooksError> {
        if let Some(entry) = seq
            .checked_sub(self.journal.next_seq())
            .and_then(|n| self.staged.get(usize::try_from(n).ok()?))
        {
            return Ok(entry.clone().stored(seq));
        }
        Ok(self.journal.read(seq)?)
    }

    /// The two sides of a contradiction: what was known, as far as it still stands for itself, and
    /// what came second. Of two statements for one index each comes with its delivery.
    ///
    /// # Errors
    /// A damaged disk.
    pub fn both_sides(&self, found: &Contradiction) -> Result<(Option<Side>, Side), BooksError> {
        let bad = |message: &str| BooksError::Entry {
            seq: found.seq,
            message: message.to_string(),
        };
        let stored = self.at(found.seq)?;
        let (head, body): (children::ContradictionHead, _) =
            headed(&stored.public).ok_or_else(|| bad("no heading"))?;
        if let (Some(index), Some(from)) = (head.index, head.from) {
            let entries = Delivery::reopen(body).map_err(|e| bad(&e.to_string()))?;
            let at = index
                .checked_sub(from)
                .and_then(|n| usize::try_from(n).ok());
            let second = at
                .and_then(|n| entries.into_iter().nth(n))
                .ok_or_else(|| bad("no such statement in the delivery"))?;
            return Ok((
                self.child_entry(&found.unit, index)?,
                Side::statement(second, from, body.to_vec()),
            ));
        }
        let note = Note::parse(body).map_err(|e| bad(&e.to_string()))?;
        let child = self.children.get(&found.unit);
        let first = if let Ok(held) = HeldRollup::new(note.clone()) {
            let key = (held.rollup.period, held.rollup.revision);
            child
                .and_then(|c| c.known.get(&key))
                .map(|h| h.note.clone())
        } else if let Ok(point) = Checkpoint::parse(note.text()) {
            child
                .and_then(|c| c.checkpoints.get(&point.size()))
                .cloned()
        } else if let Ok(receipt) = Receipt::parse(note.text()) {
            self.rollups
                .get(&(receipt.period, receipt.revision))
                .map(|r| r.held.note.clone())
        } else {
            None
        };
        Ok((first.map(|note| Side::note(&note)), Side::note(&note)))
    }

    /// All facts and the balance of a subject, as far as they were recorded in `period` or before.
    ///
    /// # Errors
    /// A damaged disk.
    pub fn history(&self, token: &Token, period: Month) -> Result<payload::Subject, BooksError> {
        let mut subject = payload::Subject::default();
        for (index, same) in self.view.of_subject(token)? {
            let voided = self.view.voided_by(index)?.is_some();
            if let Some(same) = same.filter(|_| !voided) {
                subject.said.insert(same, index);
            }
            let (statement, payload) = self.statement(index)?;
            // A month that was opened again is counted as it stood: what was recorded in later
            // months is not there yet.
            if statement.period > period {
                continue;
            }
            let Some(payload) = payload else { continue };
            let Some(counting) = self.counting_of(&statement) else {
                continue;
            };
            subject.add(
                index,
                &statement,
                &payload,
                &counting.engine,
                period,
                voided,
            );
        }
        Ok(subject)
    }

    /// When a month's rollup of this tier is due, by the plan of the top unit.
    pub fn reporting(&self) -> protocol::plan::Reporting {
        let top = self
            .registry()
            .and_then(|r| r.registry().path(&self.unit).first().cloned());
        let plan = self
            .plans
            .iter()
            .find(|(p, _)| top.as_ref().is_some_and(|t| t.as_str() == p.plan.area_code));
        plan.map(|(p, _)| p.reporting.clone()).unwrap_or_default()
    }

    /// Finds a rollup of this unit or of one below by its digest.
    pub fn find_rollup(&self, digest: &Digest) -> Option<Arc<HeldRollup>> {
        let own = self.rollups.values().map(|r| &r.held);
        own.chain(self.children.values().flat_map(|c| c.known.values()))
            .find(|h| h.digest() == *digest)
            .cloned()
    }
}
