//! What an entry means: the one place that reads journal entries, at start as after a commit.

use std::sync::Arc;

use protocol::commitment::PeriodKey;
use protocol::compiled::CompiledCatalogue;
use protocol::log::checkpoint::Checkpoint;
use protocol::note::Note;
use protocol::period::Month;
use protocol::plan::Plan;
use protocol::published;
use protocol::receipt::{Decision, Receipt};
use protocol::registry::VerifiedRegistry;
use protocol::rollup::HeldRollup;
use protocol::statement::Statement;
use protocol::verify::log::UnitLog;

use super::children::{self, Child, Contradiction};
use super::index::leaf;
use super::kinds::EntryKind;
use super::payload::{self, Payload, read_statement};
use super::{Books, BooksError, OwnRollup, SubmittedHead, Written, headed};
use crate::journal::{Sealed, Stored};

/// How many statements are kept at hand: some 3 KB each.
const RECENT: usize = 4096;

impl Books {
    /// Takes one journal entry into account. `index` tells whether the view still has to learn of
    /// it.
    pub(super) fn apply(
        &mut self,
        stored: &Stored,
        written: Option<(Note, Written)>,
        index: bool,
    ) -> Result<(), BooksError> {
        let bad = |message: &str| BooksError::Entry {
            seq: stored.seq,
            message: message.to_string(),
        };
        let note = || Note::parse(&stored.public).map_err(|e| bad(&e.to_string()));
        let kind = EntryKind::try_from(stored.kind).map_err(|e| bad(&e.to_string()))?;
        match kind {
            EntryKind::Statement => self.apply_statement(stored, written, index)?,
            EntryKind::PeriodKey => {
                let month: Month = std::str::from_utf8(&stored.public)
                    .ok()
                    .and_then(|t| t.parse().ok())
                    .ok_or_else(|| bad("no month"))?;
                let plain = self
                    .unseal(stored)?
                    .ok_or_else(|| bad("a month's secret without its sealed part"))?;
                let key: [u8; 32] = plain
                    .as_slice()
                    .try_into()
                    .map_err(|_| bad("a month's secret has 32 bytes"))?;
                self.period_keys.insert(month, PeriodKey::new(key));
            }
            EntryKind::Rollup | EntryKind::Signed => {
                let held = Arc::new(HeldRollup::new(note()?).map_err(|e| bad(&e.to_string()))?);
                let key = (held.rollup.period, held.rollup.revision);
                match self.rollups.get_mut(&key) {
                    Some(own) => own.held = held,
                    None => {
                        self.rollups.insert(
                            key,
                            OwnRollup {
                                held,
                                submitted: None,
                                receipts: Vec::new(),
                            },
                        );
                    }
                }
            }
            EntryKind::Submitted => {
                let (head, _): (SubmittedHead, _) =
                    headed(&stored.public).ok_or_else(|| bad("no heading"))?;
                if let Some(own) = self.rollups.get_mut(&(head.period, head.revision)) {
                    own.submitted.get_or_insert(head.at);
                }
            }
            EntryKind::Checkpoint => {
                let note = note()?;
                let point = Checkpoint::parse(note.text()).map_err(|e| bad(&e.to_string()))?;
                self.checkpoints.insert(point.size(), note);
            }
            EntryKind::Receipt => {
                let note = note()?;
                let receipt = Receipt::parse(note.text()).map_err(|e| bad(&e.to_string()))?;
                if let Some(own) = self.rollups.get_mut(&(receipt.period, receipt.revision)) {
                    own.receipts.push((receipt, note));
                    // They may come in any order; a reopening is always the later word.
                    own.receipts
                        .sort_by_key(|(r, _)| r.decision == Decision::Reopened);
                }
            }
            EntryKind::Registry => {
                let note = note()?;
                let next = match self.registries.last() {
                    None => VerifiedRegistry::first(&note, &self.root),
                    Some((last, _)) => last.next(&note),
                };
                let next = next.map_err(|e| bad(&e.to_string()))?;
                self.registries.push((next, note));
                self.settle_units();
            }
            EntryKind::Catalogue => {
                let note = note()?;
                let registry = self
                    .registry()
                    .ok_or_else(|| bad("a catalogue before any registry"))?;
                let catalogue = published::read_catalogue(&note, registry.registry())
                    .map_err(|e| bad(&e.to_string()))?;
                let counting =
                    CompiledCatalogue::new(catalogue).map_err(|e| bad(&e.to_string()))?;
                // In the order of versions: an older one that comes late is known, and not in force
                // again.
                let version = counting.catalogue.version;
                let at = self
                    .catalogues
                    .partition_point(|(c, _)| c.catalogue.version <= version);
                self.catalogues.insert(at, (Arc::new(counting), note));
                self.settle_units();
            }
            EntryKind::Plan => {
                let note = note()?;
                let registry = self
                    .registry()
                    .ok_or_else(|| bad("a plan before any registry"))?;
                let plan = published::read_plan(&note, registry.registry())
                    .map_err(|e| bad(&e.to_string()))?;
                let (old, kept) = std::mem::take(&mut self.plans)
                    .into_iter()
                    .partition(|(p, _)| p.plan.id == plan.plan.id);
                self.plans = kept;
                let old: Vec<(Plan, Note)> = old;
                self.replaced.extend(old.iter().map(|(_, n)| n.digest()));
                self.plans.push((plan, note));
            }
            EntryKind::Contradiction | EntryKind::OtherStatement => {
                let (head, _): (children::ContradictionHead, _) =
                    headed(&stored.public).ok_or_else(|| bad("no heading"))?;
                if let Some(child) = self.children.get_mut(&head.unit) {
                    child.flagged.get_or_insert_with(|| head.what.clone());
                }
                self.contradictions.push(Contradiction {
                    unit: head.unit,
                    what: head.what,
                    seq: stored.seq,
                });
            }
            EntryKind::Store => {
                self.store = Some(
                    String::from_utf8(stored.public.clone()).map_err(|e| bad(&e.to_string()))?,
                );
            }
            EntryKind::Given
            | EntryKind::Delivery
            | EntryKind::ChildRollup
            | EntryKind::ChildCheckpoint => {
                children::apply(&mut self.children, kind, stored).map_err(|m| bad(&m))?;
            }
        }
        Ok(())
    }

    fn apply_statement(
        &mut self,
        stored: &Stored,
        written: Option<(Note, Written)>,
        index: bool,
    ) -> Result<(), BooksError> {
        let bad = |message: String| BooksError::Entry {
            seq: stored.seq,
            message,
        };
        let fresh = written.is_some();
        let (note, mut written) = match written {
            Some(known) => known,
            None => read_statement(stored)?,
        };
        self.latest = written.statement.recorded.parse().ok();
        let unit = self
            .registries
            .last()
            .and_then(|(r, _)| r.registry().unit(&self.unit));
        let (log, unit) = self
            .log
            .as_mut()
            .zip(unit)
            .ok_or_else(|| bad("a statement before any registry".into()))?;
        let leaf_index = log.len();
        log.read_own(&note, &written.statement, unit);
        self.seqs.push(stored.seq);
        if !index {
            return Ok(());
        }
        if !fresh {
            self.complete(stored, &mut written)?;
        }
        self.unindexed.push(leaf(leaf_index, &written));
        if fresh {
            self.recent.insert(leaf_index, written);
            if self.recent.len() > RECENT {
                self.recent.pop_first();
            }
        }
        Ok(())
    }

    /// What is sealed of a statement that was read from disk, and what the view knows it by.
    pub(super) fn complete(
        &self,
        stored: &Stored,
        written: &mut Written,
    ) -> Result<(), BooksError> {
        written.payload = self.payload_of(stored, &written.statement)?;
        if let (Some(p), Some(c)) = (&written.payload, self.counting_of(&written.statement)) {
            written.subject = p.token(&c.catalogue, &self.keys.vault);
            written.same = p.same(&self.keys.vault);
        }
        Ok(())
    }

    /// Registry and catalogue decide which logs there are: the unit's own and one for each unit
    /// below it. Logs that exist already keep what they have read.
    fn settle_units(&mut self) {
        let Some(registry) = self.registries.last().map(|(r, _)| r.registry().clone()) else {
            return;
        };
        let countings: Vec<Arc<CompiledCatalogue>> =
            self.catalogues.iter().map(|(c, _)| c.clone()).collect();
        let Some(me) = registry.unit(&self.unit) else {
            return;
        };
        if let Some(log) = &mut self.log {
            log.update_registry(me, &countings);
        } else {
            self.log = Some(UnitLog::new(me, countings.clone()));
        }
        for unit in registry
            .subtree(&self.unit)
            .into_iter()
            .filter(|u| u.id != self.unit)
        {
            match self.children.get_mut(&unit.id) {
                Some(child) => child.know(unit, &countings),
                None => {
                    self.children
                        .insert(unit.id.clone(), Child::new(unit, countings.clone()));
                }
            }
        }
    }

    fn unseal(&self, stored: &Stored) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, BooksError> {
        match &stored.sealed {
            Sealed::None | Sealed::Erased => Ok(None),
            Sealed::Present(bytes) => {
                let aad = payload::aad(stored.kind, &stored.public);
                let plain =
                    self.keys
                        .vault
                        .open(&aad, bytes)
                        .map_err(|e| BooksError::Unsealed {
                            seq: stored.seq,
                            message: e.to_string(),
                        })?;
                Ok(Some(plain))
            }
        }
    }

    pub(super) fn payload_of(
        &self,
        stored: &Stored,
        statement: &Statement,
    ) -> Result<Option<Arc<Payload>>, BooksError> {
        let Some(plain) = self.unseal(stored)? else {
            return Ok(None);
        };
        let mut payload: Payload =
            serde_json::from_slice(&plain).map_err(|e| BooksError::Entry {
                seq: stored.seq,
                message: e.to_string(),
            })?;
        if let Some(clear) = &statement.clear {
            payload.fields.clone_from(clear);
        }
        Ok(Some(Arc::new(payload)))
    }
}
