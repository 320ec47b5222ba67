//! Everything that follows from the journal, and what an entry means: the one place that reads
//! journal entries, at start as after a commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::compiled::CompiledCatalogue;
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::note::Note;
use protocol::rollup::HeldRollup;
use protocol::verdict::Verdict;

use super::children::{self, Child, Children};
use super::contradictions::{self, KeptContradiction};
use super::entry::UnreadableEntry;
use super::error::BooksError;
use super::identity::Identity;
use super::kinds::EntryKind;
use super::numbers;
use super::own::OwnLog;
use super::published::Published;
use super::rollups::{self, OwnRollups, Replacement};
use super::written::{Written, payload_of, read_statement};
use crate::journal::Stored;
use crate::number::NumberFact;
use crate::view::IndexedStatement;

/// What the state is told.
#[derive(Debug)]
pub enum Event<'a> {
    /// A journal entry.
    Journalled {
        /// The entry.
        stored: &'a Stored,
        /// Of a statement that this process has just made: what it says, so that it need not be
        /// parsed and unsealed again.
        written: Option<(Note, Written)>,
        /// Whether the view still has to learn of it.
        index: bool,
    },
    /// What was worked out from journal entries and is not written to it.
    Derived(Derived),
}

/// What was worked out from journal entries. It costs time and no truth: it is not in the journal,
/// is gone after a start or after a failed write, and is then worked out again.
#[derive(Debug)]
pub enum Derived {
    /// The next statements of the log of a unit below, which are to be read for checks.
    LogRead {
        /// Whose.
        unit: UnitId,
        /// As they stand in the journal.
        entries: Vec<Vec<u8>>,
    },
    /// What the checks said of a rollup of a unit below.
    Checked {
        /// Whose.
        unit: UnitId,
        /// Which rollup.
        rollup: Digest,
        /// What they said.
        verdicts: Vec<Verdict>,
    },
}

/// Everything that follows from the journal. `Default` is a node that has read nothing, and only
/// [`apply`](Self::apply) changes it.
#[derive(Debug, Default)]
pub struct State {
    pub(super) published: Published,
    pub(super) own: OwnLog,
    pub(super) rollups: OwnRollups,
    pub(super) children: Children,
    /// In the order in which they were seen.
    pub(super) contradictions: Vec<KeptContradiction>,
    /// The transport's store that was sent everything recent.
    pub(super) resent_to: Option<String>,
    /// The rollups of this unit and of those below, each with the signatures so far.
    rollup_by_digest: BTreeMap<Digest, Arc<HeldRollup>>,
}

impl State {
    /// The one entrance: takes an event into account, and returns what the view has to learn of it.
    ///
    /// # Errors
    /// An entry that this version cannot read, or a sealed part that the key does not open.
    pub fn apply(
        &mut self,
        me: &Identity,
        event: Event<'_>,
    ) -> Result<Option<IndexedStatement>, BooksError> {
        match event {
            Event::Journalled {
                stored,
                written,
                index,
            } => self.apply_entry(me, stored, written, index),
            Event::Derived(derived) => {
                self.apply_derived(derived);
                Ok(None)
            }
        }
    }

    fn apply_entry(
        &mut self,
        me: &Identity,
        stored: &Stored,
        written: Option<(Note, Written)>,
        index: bool,
    ) -> Result<Option<IndexedStatement>, BooksError> {
        let bad = |e: UnreadableEntry| e.at(stored.seq);
        let kind = EntryKind::try_from(stored.kind).map_err(|e| bad(UnreadableEntry::of(e)))?;
        let applied = match kind {
            EntryKind::Statement => return self.apply_statement(me, stored, written, index),
            EntryKind::PeriodKey => {
                self.own.apply_period_key(&me.keys.vault, stored)?;
                Ok(())
            }
            EntryKind::Rollup | EntryKind::Signed => self.apply_own_rollup(stored),
            EntryKind::Submitted => rollups::apply_submitted(&mut self.rollups, stored),
            EntryKind::Undone => self.apply_undone(stored),
            EntryKind::Checkpoint => self.own.apply_checkpoint(stored),
            EntryKind::Receipt => rollups::apply_receipt(&mut self.rollups, stored),
            EntryKind::Given => children::apply_given(&mut self.children, stored),
            EntryKind::ChildRollup => self.apply_child_rollup(stored),
            EntryKind::ChildCheckpoint => children::apply_checkpoint(&mut self.children, stored),
            EntryKind::Registry => self.apply_registry(me, stored),
            EntryKind::Catalogue => self.apply_catalogue(me, stored),
            EntryKind::Plan => self.published.apply_plan(stored),
            EntryKind::Contradiction | EntryKind::OtherStatement => {
                self.apply_contradiction(stored)
            }
            EntryKind::Store => self.apply_store(stored),
            EntryKind::Delivery => children::apply_delivery(&mut self.children, stored),
        };
        applied.map(|()| None).map_err(bad)
    }

    fn apply_statement(
        &mut self,
        me: &Identity,
        stored: &Stored,
        written: Option<(Note, Written)>,
        index: bool,
    ) -> Result<Option<IndexedStatement>, BooksError> {
        let fresh = written.is_some();
        let (note, mut written) = match written {
            Some(known) => known,
            None => read_statement(stored)?,
        };
        let unit = self.published.registry().and_then(|r| r.unit(&me.unit));
        let leaf = self
            .own
            .apply_statement(unit, stored, &note, &written)
            .map_err(|e| e.at(stored.seq))?;
        if !index {
            return Ok(None);
        }
        if !fresh {
            self.complete(me, stored, &mut written)?;
        }
        written.number = self.number_of(me, &note, &written);
        let indexed = written.indexed(leaf);
        if fresh {
            self.own.keep_recent(leaf, written);
        }
        Ok(Some(indexed))
    }

    /// What is sealed of a statement that was read from disk, and what the view knows it by.
    pub fn complete(
        &self,
        me: &Identity,
        stored: &Stored,
        written: &mut Written,
    ) -> Result<(), BooksError> {
        let vault = &me.keys.vault;
        written.payload = payload_of(vault, stored, &written.statement)?;
        let catalogue = self.published.counting_of(&written.statement);
        if let (Some(p), Some(c)) = (&written.payload, catalogue) {
            written.subject = p.pseudonym(&c.catalogue, vault);
            written.same = p.same(&c.catalogue, vault);
        }
        Ok(())
    }

    /// What a statement says about a number itself.
    fn number_of(&self, me: &Identity, note: &Note, written: &Written) -> Option<NumberFact> {
        let payload = written.payload.as_ref()?;
        let counting = self.published.counting_of(&written.statement)?;
        let signer = note.signatures().first().map(|signature| signature.name());
        numbers::fact(payload, &counting.catalogue, &me.keys.vault, signer)
    }

    fn apply_own_rollup(&mut self, stored: &Stored) -> Result<(), UnreadableEntry> {
        let replacement = rollups::apply_rollup(&mut self.rollups, stored)?;
        self.index_rollup(replacement);
        Ok(())
    }

    fn apply_undone(&mut self, stored: &Stored) -> Result<(), UnreadableEntry> {
        if let Some(digest) = rollups::apply_undone(&mut self.rollups, stored)? {
            self.rollup_by_digest.remove(&digest);
        }
        Ok(())
    }

    fn apply_child_rollup(&mut self, stored: &Stored) -> Result<(), UnreadableEntry> {
        let Some(replacement) = children::apply_rollup(&mut self.children, stored)? else {
            return Ok(());
        };
        if let (held, Some(before)) = &replacement {
            // The other version takes its place. The same contradiction follows with the sides
            // exchanged: each is kept with the note that is not known here.
            self.contradictions.retain(|kept| {
                let both = kept.what.names(&held.digest()) && kept.what.names(&before.digest());
                kept.unit != held.rollup.unit || !both
            });
        }
        self.index_rollup(replacement);
        Ok(())
    }

    /// A rollup whose place was taken is found no more: nothing may be accepted or summed by the
    /// digest of a report that its unit has made anew.
    fn index_rollup(&mut self, (held, before): Replacement) {
        if let Some(before) = before {
            self.rollup_by_digest.remove(&before.digest());
        }
        self.rollup_by_digest.insert(held.digest(), held);
    }

    fn apply_registry(&mut self, me: &Identity, stored: &Stored) -> Result<(), UnreadableEntry> {
        self.published.apply_registry(&me.root, stored)?;
        self.settle_units(&me.unit);
        Ok(())
    }

    fn apply_catalogue(&mut self, me: &Identity, stored: &Stored) -> Result<(), UnreadableEntry> {
        self.published.apply_catalogue(stored)?;
        self.settle_units(&me.unit);
        Ok(())
    }

    fn apply_contradiction(&mut self, stored: &Stored) -> Result<(), UnreadableEntry> {
        let found = contradictions::read(stored)?;
        if let Some(child) = self.children.get_mut(&found.unit) {
            child.flagged.get_or_insert_with(|| found.what.clone());
        }
        self.contradictions.push(found);
        Ok(())
    }

    fn apply_store(&mut self, stored: &Stored) -> Result<(), UnreadableEntry> {
        let name = String::from_utf8(stored.public.clone()).map_err(UnreadableEntry::of)?;
        self.resent_to = Some(name);
        Ok(())
    }

    fn apply_derived(&mut self, derived: Derived) {
        match derived {
            Derived::LogRead { unit, entries } => {
                if let Some(child) = self.children.get_mut(&unit) {
                    child.read(&entries);
                }
            }
            Derived::Checked {
                unit,
                rollup,
                verdicts,
            } => {
                if let Some(child) = self.children.get_mut(&unit) {
                    child.verdicts.insert(rollup, verdicts);
                }
            }
        }
    }

    /// Registry and catalogue decide which logs there are: the unit's own and one for each unit
    /// that is below it in any month. Logs that exist already keep what they have read.
    fn settle_units(&mut self, id: &UnitId) {
        let Some(registry) = self.published.registry() else {
            return;
        };
        let catalogues = &self.published.catalogues;
        let catalogues: Vec<Arc<CompiledCatalogue>> =
            catalogues.iter().map(|(c, _)| c.clone()).collect();
        let Some(me) = registry.unit(id) else {
            return;
        };
        self.own.settle(me, &catalogues);
        for unit in registry.ever_below(id) {
            if unit.id == *id {
                continue;
            }
            self.children
                .entry(unit.id.clone())
                .and_modify(|child| child.settle(unit, &catalogues))
                .or_insert_with(|| Child::new(unit, catalogues.clone()));
        }
    }

    /// Finds a rollup of this unit or of one below.
    pub fn rollup(&self, digest: &Digest) -> Option<&Arc<HeldRollup>> {
        self.rollup_by_digest.get(digest)
    }
}
