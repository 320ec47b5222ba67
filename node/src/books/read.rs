//! What others read of the books. Nothing here changes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use protocol::commitment::PeriodKey;
use protocol::compiled::CompiledCatalogue;
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::note::Note;
use protocol::period::Month;
use protocol::plan::Plan;
use protocol::plan::Reporting;
use protocol::registry::{Unit, VerifiedRegistry};
use protocol::rollup::{HeldRollup, Rollup, Rollups};
use protocol::statement::Statement;
use protocol::verify::log::UnitLog;

use super::children::{Child, Children};
use super::contradictions::KeptContradiction;
use super::core::Books;
use super::error::BooksError;
use super::keys::Keys;
use super::payload::{self, Payload};
use super::rollups::{OwnRollup, OwnRollups};
use super::written::{payload_of, read_statement};
use crate::journal::Stored;
use crate::pseudonym::Pseudonym;
use crate::random::Random;

/// A clock that is behind the last statement by more than this is believed; see
/// [`Books::not_before_last`].
const BELIEVED_BEHIND: chrono::TimeDelta = chrono::TimeDelta::hours(48);

impl Books {
    /// The time to write on what is recorded now. The machine's clock may have been put back: a
    /// statement must not claim to be older than the one before it. But a clock that is far behind
    /// is believed: then it was the earlier one that was wrong, and a day in the future must not be
    /// written on everything for years.
    pub fn not_before_last(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.state
            .own
            .latest
            .filter(|last| *last > now && *last - now <= BELIEVED_BEHIND)
            .unwrap_or(now)
    }

    /// What the statement that was recorded last says of its time.
    pub fn last_recorded(&self) -> Option<DateTime<Utc>> {
        self.state.own.latest
    }

    /// The unit's own log; none before the first registry.
    pub fn log(&self) -> Option<&UnitLog> {
        self.state.own.log.as_ref()
    }

    /// The unit's own rollups by month and revision.
    pub fn rollups(&self) -> &OwnRollups {
        &self.state.rollups
    }

    /// The units below by id.
    pub fn children(&self) -> &Children {
        &self.state.children
    }

    /// A unit below.
    pub fn child(&self, unit: &UnitId) -> Option<&Child> {
        self.state.children.get(unit)
    }

    /// Whether this unit is the one that answers a rollup: its unit reports to this one in its
    /// month. Of a unit that has moved, the old parent answers for the old months, the new one for
    /// the new.
    pub fn answers(&self, rollup: &Rollup) -> bool {
        let child = self.child(&rollup.unit);
        let parent = child.and_then(|c| c.unit().parent_in(rollup.period));
        parent == Some(&self.identity.unit)
    }

    /// Contradictions that were kept as evidence, in the order in which they were seen.
    pub fn contradictions(&self) -> &[KeptContradiction] {
        &self.state.contradictions
    }

    /// The node's keys.
    pub fn keys(&self) -> &Arc<Keys> {
        &self.identity.keys
    }

    /// Where salts, ids and nonces come from.
    pub fn random(&self) -> &Arc<dyn Random> {
        &self.random
    }

    /// Takes salts, ids and nonces from somewhere else, for a simulation that can be repeated.
    pub fn set_random(&mut self, random: Arc<dyn Random>) {
        self.random = random;
    }

    /// The registry in force.
    pub fn registry(&self) -> Option<&VerifiedRegistry> {
        self.state.published.registries.last().map(|(r, _)| r)
    }

    /// Every registry version with its note.
    pub fn registries(&self) -> &[(VerifiedRegistry, Note)] {
        &self.state.published.registries
    }

    /// The unit itself.
    pub fn me(&self) -> Option<&Unit> {
        self.registry()?.registry().unit(&self.identity.unit)
    }

    /// The unit's id.
    pub fn unit(&self) -> &UnitId {
        &self.identity.unit
    }

    /// The catalogue in force.
    pub fn counting(&self) -> Option<&Arc<CompiledCatalogue>> {
        self.state.published.catalogues.last().map(|(c, _)| c)
    }

    /// The catalogue of this digest.
    pub fn counting_by(&self, digest: &Digest) -> Option<&Arc<CompiledCatalogue>> {
        self.state.published.counting_by(digest)
    }

    /// The catalogue that a statement names.
    pub fn counting_of(&self, statement: &Statement) -> Option<&Arc<CompiledCatalogue>> {
        self.state.published.counting_of(statement)
    }

    /// Every catalogue with its note.
    pub fn catalogues(&self) -> &[(Arc<CompiledCatalogue>, Note)] {
        &self.state.published.catalogues
    }

    /// Every plan pack with its note.
    pub fn plans(&self) -> &[(Plan, Note)] {
        &self.state.published.plans
    }

    /// The secret of a month.
    pub fn period_key(&self, month: Month) -> Option<&PeriodKey> {
        self.state.own.period_keys.get(&month)
    }

    /// The signed checkpoint of this size.
    pub fn checkpoint(&self, size: u64) -> Option<&Note> {
        self.state.own.checkpoints.get(&size)
    }

    /// All signed checkpoints.
    pub fn checkpoints(&self) -> &BTreeMap<u64, Note> {
        &self.state.own.checkpoints
    }

    /// Bytes of the journal, number of its entries, and whether the view was rebuilt at start.
    pub fn size(&self) -> (u64, u64, bool) {
        (
            self.store.journal.bytes(),
            self.store.journal.next_seq(),
            self.store.rebuilt,
        )
    }

    /// Submitted rollups that wait for a receipt of the parent of their month; a month in which the
    /// unit has no parent waits for nobody. Who answered before a registry came that names another
    /// parent for the month has answered for itself: the other one has not got it yet.
    pub fn outbox(&self) -> impl Iterator<Item = &OwnRollup> {
        let me = self.me();
        self.state.rollups.values().filter(move |r| {
            let parent = me.and_then(|m| m.parent_in(r.held.rollup.period));
            parent.is_some_and(|parent| r.submitted.is_some() && !r.is_answered_by(parent))
        })
    }

    /// The store of the transport that was sent everything recent; none before the first.
    pub fn store(&self) -> Option<&str> {
        self.state.resent_to.as_deref()
    }

    /// Whether this unit's rollup of a month and revision was handed to the outbox.
    pub fn is_handed_over(&self, key: (Month, u32)) -> bool {
        let own = self.rollups().get(&key);
        own.is_some_and(|own| own.submitted().is_some())
    }

    /// The unit's own rollups as the checks want them.
    pub fn own_rollups(&self) -> Rollups {
        self.state
            .rollups
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
        if let Some(written) = self.state.own.recent(index) {
            return Ok((written.statement.clone(), written.payload.clone()));
        }
        let stored = self.stored(index)?;
        let (_, written) = read_statement(&stored)?;
        let payload = payload_of(&self.identity.keys.vault, &stored, &written.statement)?;
        Ok((written.statement, payload))
    }

    pub(super) fn stored(&self, index: u64) -> Result<Stored, BooksError> {
        let missing = || BooksError::Entry {
            seq: index,
            message: "no such statement in the log".into(),
        };
        let seq = self.state.own.seq(index).ok_or_else(missing)?;
        self.at(seq)
    }

    /// A journal entry, on disk or in the group that is under way.
    pub(super) fn at(&self, seq: u64) -> Result<Stored, BooksError> {
        Ok(self.store.at(seq)?)
    }

    /// All facts and the balance of a subject, as far as they were recorded in `period` or before.
    ///
    /// # Errors
    /// A damaged disk.
    pub fn history(
        &self,
        of: Pseudonym,
        period: Month,
    ) -> Result<payload::SubjectHistory, BooksError> {
        let mut subject = payload::SubjectHistory::default();
        for (index, same) in self.store.view.of_subject(of)? {
            let voided_by = self.store.view.voided_by(index)?;
            if let Some(same) = same.filter(|_| voided_by.is_none()) {
                subject.said.insert(same, index);
            }
            let (statement, payload) = self.statement(index)?;
            // A month that was opened again is counted as it stood: what was recorded, or taken
            // back, in later months is not there yet.
            if statement.period > period {
                continue;
            }
            let voided = match voided_by {
                Some(void) => self.statement(void)?.0.period <= period,
                None => false,
            };
            let Some(payload) = payload else { continue };
            let Some(counting) = self.state.published.counting_of(&statement) else {
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

    /// When this month's rollup is due, by the plan of the unit that is at the top in it.
    pub fn reporting(&self, month: Month) -> Reporting {
        let plans = self.state.published.plans.iter().map(|(plan, _)| plan);
        self.registry().map_or_else(Reporting::default, |registry| {
            Reporting::of(plans, registry.registry(), &self.identity.unit, month)
        })
    }

    /// Finds a rollup of this unit or of one below by its digest.
    pub fn find_rollup(&self, digest: &Digest) -> Option<Arc<HeldRollup>> {
        self.state.rollup(digest).cloned()
    }
}
