//! The books: the journal, the view, and everything that follows from them in memory.
//!
//! There is one way in: [`Books::commit`] appends entries to the journal, waits for the disk, and then applies them. At
//! start the same `apply` runs over the journal. So what a node knows after a crash is what it knew before, and recovery is
//! not a second program. Nothing else writes truth; desk and review compute entries and commit them.
//!
//! Several requests may share one fsync ([`Books::group`]): each applies its entries at once, so that the next one sees them,
//! and none is answered before all are on disk. If that fails, memory is taken back to what the journal holds.

pub mod children;
pub mod keys;
pub mod kinds;
pub mod payload;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use protocol::commitment::PeriodKey;
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::log::checkpoint::{Checkpoint, origin_of};
use protocol::note::{Note, VerifierKey};
use protocol::period::Month;
use protocol::plan::Plan;
use protocol::published;
use protocol::receipt::{Decision, Receipt};
use protocol::registry::{Unit, VerifiedRegistry};
use protocol::statement::Statement;
use protocol::verify::log::{Counting, UnitLog};
use protocol::verify::{HeldRollup, Rollups};
use serde::{Deserialize, Serialize};

use crate::journal::{self, Entry, Guard, Journal, JournalError, Sealed, Signed, Stored};
use crate::random::{Random, SystemRandom};
use crate::view::{Leaf, Same, Token, View, ViewError};
use children::{Child, Contradiction};
use keys::Keys;
use payload::Payload;

/// Why the books cannot be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    /// The journal or its guard.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The view, after a rebuild.
    #[error(transparent)]
    View(#[from] ViewError),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] keys::KeyError),
    /// A private part that cannot be opened.
    #[error("private part of journal entry {seq}: {message}; is this the vault key that it was sealed with? [books.sealed]")]
    Unsealed {
        /// Which entry.
        seq: u64,
        /// What is wrong.
        message: String,
    },
    /// A journal entry that this version cannot read.
    #[error("journal entry {seq}: {message} [books.entry]")]
    Entry {
        /// Which entry.
        seq: u64,
        /// What is wrong.
        message: String,
    },
    /// Registry, catalogue or plan.
    #[error("{what}: {message} [books.published]")]
    Published {
        /// Which document.
        what: String,
        /// What is wrong.
        message: String,
    },
}

impl BooksError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            BooksError::Journal(e) => e.code(),
            BooksError::View(_) => "view.damaged",
            BooksError::Keys(_) => "keys.unusable",
            BooksError::Unsealed { .. } => "books.sealed",
            BooksError::Entry { .. } => "books.entry",
            BooksError::Published { .. } => "books.published",
        }
    }
}

/// A rollup of this unit.
#[derive(Debug, Clone)]
pub struct OwnRollup {
    /// The note with the signatures so far, and what it says.
    pub held: Arc<HeldRollup>,
    /// Handed to the outbox.
    pub submitted: Option<DateTime<Utc>>,
    /// The parent's receipts in order.
    pub receipts: Vec<(Receipt, Note)>,
}

impl OwnRollup {
    /// The parent's last word.
    pub fn decision(&self) -> Option<Decision> {
        self.receipts.last().map(|(r, _)| r.decision)
    }
}

/// A statement as its author knows it.
#[derive(Debug, Clone)]
pub struct Written {
    /// What is public.
    pub statement: Arc<Statement>,
    /// What is sealed, if anything is.
    pub payload: Option<Arc<Payload>>,
    /// Whom it is about.
    pub subject: Option<Token>,
    /// Keyed hash of what it says.
    pub same: Option<Same>,
}

/// An entry to be written, and what whoever made it knows already.
#[derive(Debug)]
pub struct NewEntry {
    /// The entry.
    pub entry: Entry,
    /// The note and the content of a statement, so that it need not be parsed and unsealed again.
    pub written: Option<(Note, Written)>,
}

impl NewEntry {
    /// An entry without a sealed part.
    pub fn open(kind: u8, public: impl Into<Vec<u8>>) -> NewEntry {
        NewEntry { entry: Entry { kind, public: public.into(), sealed: None }, written: None }
    }
    /// An entry with a JSON heading and a body.
    pub fn headed(kind: u8, head: &impl Serialize, body: &[u8]) -> NewEntry {
        // Our own heads are structs of strings and numbers and always serialise.
        let mut public = serde_json::to_vec(head).unwrap_or_default();
        public.push(b'\n');
        public.extend(body);
        NewEntry::open(kind, public)
    }
}

/// Splits an entry made by [`NewEntry::headed`].
pub fn headed<'a, T: Deserialize<'a>>(public: &'a [u8]) -> Option<(T, &'a [u8])> {
    let end = public.iter().position(|b| *b == b'\n')?;
    Some((serde_json::from_slice(&public[..end]).ok()?, &public[end + 1..]))
}

#[derive(Serialize, Deserialize)]
pub(crate) struct SubmittedHead {
    pub period: Month,
    pub revision: u32,
    pub at: DateTime<Utc>,
}

/// Everything that a node knows.
pub struct Books {
    journal: Journal,
    guard: Guard,
    view: View,
    view_dir: PathBuf,
    /// Keys.
    pub keys: Arc<Keys>,
    root: VerifierKey,
    unit: UnitId,
    registries: Vec<(VerifiedRegistry, Note)>,
    catalogues: Vec<(Arc<Counting>, Note)>,
    plans: Vec<(Plan, Note)>,
    /// Plans that a later one of the same name has replaced: they never come back.
    replaced: BTreeSet<Digest>,
    /// The unit's own log.
    pub log: Option<UnitLog>,
    period_keys: BTreeMap<Month, PeriodKey>,
    /// The unit's own rollups.
    pub rollups: BTreeMap<(Month, u32), OwnRollup>,
    checkpoints: BTreeMap<u64, Note>,
    /// Units below.
    pub children: BTreeMap<UnitId, Child>,
    /// Contradictions that were kept as evidence, in the order in which they were seen.
    pub contradictions: Vec<Contradiction>,
    /// The transport's store that was sent everything recent.
    store: Option<String>,
    rebuilt: bool,
    /// Where salts, ids and nonces come from.
    pub random: Arc<dyn Random>,
    /// What the statement that was recorded last says of its time.
    latest: Option<DateTime<Utc>>,
    /// Entries of a group that are applied and not on disk yet; none outside a group.
    staged: Vec<Entry>,
    grouping: bool,
    /// Memory is not what the journal says, and could not be made so.
    broken: bool,
    /// What the view has to learn of the entries that are being applied.
    unindexed: Vec<Leaf>,
    /// The journal entries of the own log's leaves.
    seqs: Vec<u64>,
    /// The statements written last, by log index: what is recorded next is often about the same subjects.
    recent: BTreeMap<u64, Written>,
}

/// How many statements are kept at hand: some 3 KB each.
const RECENT: usize = 4096;

/// A clock that is behind the last statement by more than this is believed; see [`Books::not_before_last`].
const BELIEVED_BEHIND: chrono::TimeDelta = chrono::TimeDelta::hours(48);

/// A group is written when it would become larger than this: below what the journal takes in one batch.
const GROUP_BYTES: usize = 8 << 20;

impl std::fmt::Debug for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Books({})", self.unit)
    }
}

fn crc(public: &[u8]) -> u32 {
    crc32fast::hash(public)
}

impl Books {
    /// Opens the books of a unit: recovers the journal, rebuilds the view where it does not fit, and refuses to go on where
    /// the data directory is older than what was signed, or where nothing tells whether it is.
    ///
    /// # Errors
    /// What is damaged or missing, and what to do.
    pub fn open(data: &Path, keys: Keys, root: VerifierKey, unit: UnitId) -> Result<Books, BooksError> {
        Self::on(Journal::open(data)?, Guard::open(data)?, &data.join("view"), keys, root, unit)
    }

    /// The same over a journal and a guard that are open already.
    ///
    /// # Errors
    /// As [`Books::open`].
    pub fn on(journal: Journal, guard: Guard, view: &Path, keys: Keys, root: VerifierKey, unit: UnitId) -> Result<Books, BooksError> {
        let mut books = Self::look(journal, guard, view, keys, root, unit)?;
        books.guard.begin_or_refuse(books.journal.next_seq())?;
        Ok(books)
    }

    /// The same, also where the guard is missing: to look at, and to compare with the parent. Nothing may be recorded or signed then
    /// before [`renew_guard`](Self::renew_guard).
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_to_look(data: &Path, keys: Keys, root: VerifierKey, unit: UnitId) -> Result<Books, BooksError> {
        Self::look(Journal::open(data)?, Guard::open(data)?, &data.join("view"), keys, root, unit)
    }

    fn look(journal: Journal, guard: Guard, dir: &Path, keys: Keys, root: VerifierKey, unit: UnitId) -> Result<Books, BooksError> {
        guard.check_journal(journal.next_seq())?;
        let (view, fresh) = open_view(dir, &journal);
        let mut books = Books {
            journal,
            guard,
            view,
            view_dir: dir.to_path_buf(),
            keys: Arc::new(keys),
            root,
            unit,
            registries: Vec::new(),
            catalogues: Vec::new(),
            plans: Vec::new(),
            replaced: BTreeSet::new(),
            log: None,
            period_keys: BTreeMap::new(),
            rollups: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            children: BTreeMap::new(),
            contradictions: Vec::new(),
            store: None,
            rebuilt: fresh,
            random: Arc::new(SystemRandom),
            latest: None,
            staged: Vec::new(),
            grouping: false,
            broken: false,
            unindexed: Vec::new(),
            seqs: Vec::new(),
            recent: BTreeMap::new(),
        };
        books.replay()?;
        if let Some(log) = &books.log {
            books.guard.check(log.len(), |size| log.root_at(size))?;
        }
        Ok(books)
    }

    /// Whether the guard is missing although the journal is not new.
    pub fn is_unguarded(&self) -> bool {
        self.guard.is_missing() && self.journal.next_seq() > 0
    }

    /// Makes a guard from the last checkpoint of the journal, on the word of an operator who has compared it with the parent.
    ///
    /// # Errors
    /// The disk's error.
    pub fn renew_guard(&mut self) -> Result<Signed, BooksError> {
        let size = self.checkpoints.keys().last().copied().unwrap_or(0);
        let root = self.log.as_ref().and_then(|l| l.root_at(size)).unwrap_or_else(protocol::log::tree::empty_root);
        let signed = Signed { size, root, journal: self.journal.next_seq() };
        self.guard.advance(signed)?;
        Ok(signed)
    }

    fn replay(&mut self) -> Result<(), BooksError> {
        let applied = self.view.applied()?.map(|(seq, _)| seq);
        let mut seq = 0;
        while seq < self.journal.next_seq() {
            // Entries are read one at a time: what a journal holds may be far larger than memory.
            let chunk: Vec<Stored> = self.journal.read_from(seq).take(512).collect::<Result<_, _>>()?;
            for stored in &chunk {
                let indexed = applied.is_some_and(|a| stored.seq <= a);
                self.apply(stored, None, !indexed)?;
            }
            self.index()?;
            seq += chunk.len() as u64;
            if let Some(last) = chunk.last().filter(|l| applied.is_none_or(|a| l.seq > a)) {
                self.mark(last.seq, crc(&last.public))?;
            }
        }
        self.view.flush();
        Ok(())
    }

    /// Writes entries durably, then applies them. The one way in.
    ///
    /// # Errors
    /// The journal's error; nothing was acknowledged then.
    pub fn commit(&mut self, entries: Vec<NewEntry>) -> Result<(), BooksError> {
        if entries.is_empty() {
            return Ok(());
        }
        let (raw, written): (Vec<Entry>, Vec<_>) = entries.into_iter().map(|e| (e.entry, e.written)).unzip();
        let count = raw.len() as u64;
        let size = |list: &[Entry]| list.iter().map(|e| e.public.len() + e.sealed.as_ref().map_or(0, Vec::len) + 64).sum::<usize>();
        if self.grouping && size(&self.staged) + size(&raw) > GROUP_BYTES {
            self.flush_group()?;
        }
        // What the disk is known not to take is refused before anything is applied, so that nothing has to be taken back.
        self.journal.has_room(size(&self.staged) + size(&raw))?;
        let first = self.journal.next_seq() + self.staged.len() as u64;
        if !self.grouping {
            self.journal.append(&raw)?;
        } else if self.staged.is_empty() {
            // The view runs ahead of the journal until the group is written. A process that dies before must not find it so.
            self.view.unmark().or_else(|e| self.keep_view_in_memory(&e))?;
        }
        let mark = raw.last().map(|last| crc(&last.public));
        for ((seq, entry), written) in (first..).zip(raw).zip(written) {
            let stored = stored_of(seq, entry);
            let applied = self.apply(&stored, written, true);
            // In a group, history may ask for this entry before it is on disk.
            if self.grouping {
                self.staged.push(entry_of(stored));
            }
            applied?;
        }
        self.index()?;
        if let Some(crc) = mark.filter(|_| !self.grouping) {
            self.mark(first + count - 1, crc)?;
        }
        Ok(())
    }

    /// Runs several pieces of work whose entries share one fsync. What they return may be told to anybody only if this
    /// succeeds.
    ///
    /// # Errors
    /// The journal's error. What of the group is not on disk was not kept then: memory and view are taken back to what the journal
    /// holds ([`durable`](Self::durable) tells how much that is).
    pub fn group<T>(&mut self, work: impl FnOnce(&mut Books) -> T) -> Result<T, BooksError> {
        self.grouping = true;
        let done = work(self);
        let flushed = self.flush_group();
        self.grouping = false;
        match flushed {
            Ok(()) => Ok(done),
            Err(e) => {
                self.take_back()?;
                Err(e)
            }
        }
    }

    fn flush_group(&mut self) -> Result<(), BooksError> {
        let Some(last) = self.staged.last() else { return Ok(()) };
        let crc = crc(&last.public);
        let range = self.journal.append(&self.staged)?;
        self.staged.clear();
        self.mark(range.end - 1, crc)
    }

    /// How many entries there are, those of a group that is under way included.
    pub fn end(&self) -> u64 {
        self.journal.next_seq() + self.staged.len() as u64
    }

    /// How many entries are on disk.
    pub fn durable(&self) -> u64 {
        self.journal.next_seq()
    }

    /// Whether the journal takes anything.
    pub fn state(&self) -> journal::State {
        self.journal.state()
    }

    /// The time to write on what is recorded now. The machine's clock may have been put back: a statement must not claim to be older
    /// than the one before it. But a clock that is far behind is believed: then it was the earlier one that was wrong, and a day in
    /// the future must not be written on everything for years.
    pub fn not_before_last(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.latest.filter(|last| *last > now && *last - now <= BELIEVED_BEHIND).unwrap_or(now)
    }

    /// What the statement that was recorded last says of its time.
    pub fn last_recorded(&self) -> Option<DateTime<Utc>> {
        self.latest
    }

    /// Tells the view of the statements that were applied; a view that cannot be written is not worth an error.
    fn index(&mut self) -> Result<(), BooksError> {
        let leaves = std::mem::take(&mut self.unindexed);
        self.view.add(&leaves).or_else(|e| self.keep_view_in_memory(&e))
    }

    fn mark(&mut self, seq: u64, crc: u32) -> Result<(), BooksError> {
        if let Err(e) = self.view.mark(seq, crc) {
            self.keep_view_in_memory(&e)?;
            self.view.mark(seq, crc)?;
        }
        Ok(())
    }

    /// Gives the view on disk up, which makes room for the journal, and reads the journal into one in memory; the next start makes
    /// a new one on disk.
    fn keep_view_in_memory(&mut self, why: &ViewError) -> Result<(), BooksError> {
        tracing::error!(error = %why, "the view cannot be written; it is kept in memory until the next start");
        self.view = View::in_memory();
        discard_view(&self.view_dir);
        let mut index = 0;
        let stored = self.journal.read_from(0).map(|s| s.map_err(BooksError::from));
        let staged = (self.journal.next_seq()..).zip(&self.staged).map(|(seq, entry)| Ok(stored_of(seq, entry.clone())));
        for stored in stored.chain(staged) {
            let stored = stored?;
            if stored.kind == kinds::STATEMENT {
                let (_, mut written) = read_statement(&stored)?;
                self.complete(&stored, &mut written)?;
                self.view.add(&[leaf(index, &written)])?;
                index += 1;
            }
        }
        Ok(())
    }

    /// Forgets everything that is not on disk and reads the journal again; also after a panic in the middle of a change.
    ///
    /// # Errors
    /// A damaged disk.
    pub fn take_back(&mut self) -> Result<(), BooksError> {
        self.grouping = false;
        self.staged.clear();
        self.unindexed.clear();
        self.seqs.clear();
        self.recent.clear();
        let view = &self.view;
        // sled may panic, too; and this runs where nothing catches it.
        let cleared = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| view.clear().is_ok()));
        if !matches!(cleared, Ok(true)) {
            tracing::error!("the view cannot be cleared; it is kept in memory until the next start");
            self.view = View::in_memory();
            discard_view(&self.view_dir);
        }
        self.latest = None;
        self.registries.clear();
        self.catalogues.clear();
        self.plans.clear();
        self.replaced.clear();
        self.log = None;
        self.period_keys.clear();
        self.rollups.clear();
        self.checkpoints.clear();
        self.children.clear();
        self.contradictions.clear();
        self.store = None;
        self.broken = true;
        self.replay()?;
        self.broken = false;
        Ok(())
    }

    /// Whether the journal could not be read again after a failure: what is in memory must not be used any more.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Takes one journal entry into account. `index` tells whether the view still has to learn of it.
    fn apply(&mut self, stored: &Stored, written: Option<(Note, Written)>, index: bool) -> Result<(), BooksError> {
        let bad = |message: &str| BooksError::Entry { seq: stored.seq, message: message.to_string() };
        let note = || Note::parse(&stored.public).map_err(|e| bad(&e.to_string()));
        match stored.kind {
            kinds::STATEMENT => self.apply_statement(stored, written, index)?,
            kinds::PERIOD_KEY => {
                let month: Month = std::str::from_utf8(&stored.public).ok().and_then(|t| t.parse().ok()).ok_or_else(|| bad("no month"))?;
                let plain = self.unseal(stored)?.ok_or_else(|| bad("a month's secret without its sealed part"))?;
                let key: [u8; 32] = plain.as_slice().try_into().map_err(|_| bad("a month's secret has 32 bytes"))?;
                self.period_keys.insert(month, PeriodKey::new(key));
            }
            kinds::ROLLUP | kinds::SIGNED => {
                let held = Arc::new(HeldRollup::new(note()?).map_err(|e| bad(&e.to_string()))?);
                let key = (held.rollup.period, held.rollup.revision);
                match self.rollups.get_mut(&key) {
                    Some(own) => own.held = held,
                    None => {
                        self.rollups.insert(key, OwnRollup { held, submitted: None, receipts: Vec::new() });
                    }
                }
            }
            kinds::SUBMITTED => {
                let (head, _): (SubmittedHead, _) = headed(&stored.public).ok_or_else(|| bad("no heading"))?;
                if let Some(own) = self.rollups.get_mut(&(head.period, head.revision)) {
                    own.submitted.get_or_insert(head.at);
                }
            }
            kinds::CHECKPOINT => {
                let note = note()?;
                let point = Checkpoint::parse(note.text()).map_err(|e| bad(&e.to_string()))?;
                self.checkpoints.insert(point.size(), note);
            }
            kinds::RECEIPT => {
                let note = note()?;
                let receipt = Receipt::parse(note.text()).map_err(|e| bad(&e.to_string()))?;
                if let Some(own) = self.rollups.get_mut(&(receipt.period, receipt.revision)) {
                    own.receipts.push((receipt, note));
                    // They may come in any order; a reopening is always the later word.
                    own.receipts.sort_by_key(|(r, _)| r.decision == Decision::Reopened);
                }
            }
            kinds::REGISTRY => {
                let note = note()?;
                let next = match self.registries.last() {
                    None => VerifiedRegistry::first(&note, &self.root),
                    Some((last, _)) => last.next(&note),
                };
                let next = next.map_err(|e| bad(&e.to_string()))?;
                self.registries.push((next, note));
                self.settle_units();
            }
            kinds::CATALOGUE => {
                let note = note()?;
                let registry = self.registry().ok_or_else(|| bad("a catalogue before any registry"))?;
                let catalogue = published::read_catalogue(&note, registry.registry()).map_err(|e| bad(&e.to_string()))?;
                let counting = Counting::new(catalogue).map_err(|e| bad(&e.to_string()))?;
                // In the order of versions: an older one that comes late is known, and not in force again.
                let version = counting.catalogue.version;
                let at = self.catalogues.partition_point(|(c, _)| c.catalogue.version <= version);
                self.catalogues.insert(at, (Arc::new(counting), note));
                self.settle_units();
            }
            kinds::PLAN => {
                let note = note()?;
                let registry = self.registry().ok_or_else(|| bad("a plan before any registry"))?;
                let plan = published::read_plan(&note, registry.registry()).map_err(|e| bad(&e.to_string()))?;
                let (old, kept) = std::mem::take(&mut self.plans).into_iter().partition(|(p, _)| p.plan.id == plan.plan.id);
                self.plans = kept;
                let old: Vec<(Plan, Note)> = old;
                self.replaced.extend(old.iter().map(|(_, n)| n.digest()));
                self.plans.push((plan, note));
            }
            kinds::CONTRADICTION => {
                let (head, _): (children::ContradictionHead, _) = headed(&stored.public).ok_or_else(|| bad("no heading"))?;
                if let Some(child) = self.children.get_mut(&head.unit) {
                    child.flagged.get_or_insert_with(|| head.what.clone());
                }
                self.contradictions.push(Contradiction { unit: head.unit, what: head.what, index: head.index, seq: stored.seq });
            }
            kinds::STORE => {
                self.store = Some(String::from_utf8(stored.public.clone()).map_err(|e| bad(&e.to_string()))?);
            }
            kinds::GIVEN | kinds::ENTRIES | kinds::CHILD_ROLLUP | kinds::CHILD_CHECKPOINT => {
                children::apply(&mut self.children, stored).map_err(|m| bad(&m))?;
            }
            other => return Err(bad(&format!("unknown kind {other}: written by a newer version?"))),
        }
        Ok(())
    }

    fn apply_statement(&mut self, stored: &Stored, written: Option<(Note, Written)>, index: bool) -> Result<(), BooksError> {
        let bad = |message: String| BooksError::Entry { seq: stored.seq, message };
        let fresh = written.is_some();
        let (note, mut written) = match written {
            Some(known) => known,
            None => read_statement(stored)?,
        };
        self.latest = written.statement.recorded.parse().ok();
        let unit = self.registries.last().and_then(|(r, _)| r.registry().unit(&self.unit));
        let (log, unit) = self.log.as_mut().zip(unit).ok_or_else(|| bad("a statement before any registry".into()))?;
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
    fn complete(&self, stored: &Stored, written: &mut Written) -> Result<(), BooksError> {
        written.payload = self.payload_of(stored, &written.statement)?;
        if let (Some(p), Some(c)) = (&written.payload, self.counting_of(&written.statement)) {
            written.subject = p.token(&c.catalogue, &self.keys.vault);
            written.same = p.same(&self.keys.vault);
        }
        Ok(())
    }

    /// Registry and catalogue decide which logs there are: the unit's own and one for each unit below it. Logs that exist
    /// already keep what they have read.
    fn settle_units(&mut self) {
        let Some(registry) = self.registries.last().map(|(r, _)| r.registry().clone()) else { return };
        let countings: Vec<Arc<Counting>> = self.catalogues.iter().map(|(c, _)| c.clone()).collect();
        let Some(me) = registry.unit(&self.unit) else { return };
        if let Some(log) = &mut self.log {
            log.know(me, &countings);
        } else {
            self.log = Some(UnitLog::new(me, countings.clone()));
        }
        for unit in registry.subtree(&self.unit).into_iter().filter(|u| u.id != self.unit) {
            match self.children.get_mut(&unit.id) {
                Some(child) => child.know(unit, &countings),
                None => {
                    self.children.insert(unit.id.clone(), Child::new(unit, countings.clone()));
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
                    self.keys.vault.open(&aad, bytes).map_err(|e| BooksError::Unsealed { seq: stored.seq, message: e.to_string() })?;
                Ok(Some(plain))
            }
        }
    }

    fn payload_of(&self, stored: &Stored, statement: &Statement) -> Result<Option<Arc<Payload>>, BooksError> {
        let Some(plain) = self.unseal(stored)? else { return Ok(None) };
        let mut payload: Payload =
            serde_json::from_slice(&plain).map_err(|e| BooksError::Entry { seq: stored.seq, message: e.to_string() })?;
        if let Some(clear) = &statement.clear {
            payload.fields.clone_from(clear);
        }
        Ok(Some(Arc::new(payload)))
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
    pub fn counting(&self) -> Option<&Arc<Counting>> {
        self.catalogues.last().map(|(c, _)| c)
    }
    fn counting_of(&self, s: &Statement) -> Option<&Arc<Counting>> {
        self.catalogues.iter().map(|(c, _)| c).find(|c| c.digest == s.catalogue)
    }
    /// Every catalogue with its note.
    pub fn catalogues(&self) -> &[(Arc<Counting>, Note)] {
        &self.catalogues
    }
    /// Every plan pack with its note.
    pub fn plans(&self) -> &[(Plan, Note)] {
        &self.plans
    }
    /// The view.
    pub fn view(&self) -> &View {
        &self.view
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
    /// Whether the disk takes no view, so that it is kept in memory.
    pub fn is_view_in_memory(&self) -> bool {
        self.view.is_in_memory()
    }
    /// Bytes of the journal, number of its entries, and whether the view was rebuilt at start.
    pub fn size(&self) -> (u64, u64, bool) {
        (self.journal.bytes(), self.journal.next_seq(), self.rebuilt)
    }

    /// Submitted rollups that wait for a receipt; a unit without a parent waits for nobody.
    pub fn outbox(&self) -> impl Iterator<Item = &OwnRollup> {
        let answered_by = self.me().and_then(|m| m.parent.as_ref());
        self.rollups.values().filter(move |r| answered_by.is_some() && r.submitted.is_some() && r.receipts.is_empty())
    }

    /// The store of the transport that was sent everything recent; none before the first.
    pub fn store(&self) -> Option<&str> {
        self.store.as_deref()
    }

    /// Keeps the name of the store that everything recent was sent to.
    ///
    /// # Errors
    /// The journal's error.
    pub fn supplied(&mut self, store: &str) -> Result<(), BooksError> {
        self.commit(vec![NewEntry::open(kinds::STORE, store.as_bytes())])
    }

    /// The unit's own rollups as the checks want them.
    pub fn own_rollups(&self) -> Rollups {
        self.rollups.iter().map(|(k, r)| (*k, r.held.clone())).collect()
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
    pub fn statement(&self, index: u64) -> Result<(Arc<Statement>, Option<Arc<Payload>>), BooksError> {
        if let Some(written) = self.recent.get(&index) {
            return Ok((written.statement.clone(), written.payload.clone()));
        }
        let stored = self.stored(index)?;
        let (_, written) = read_statement(&stored)?;
        let payload = self.payload_of(&stored, &written.statement)?;
        Ok((written.statement, payload))
    }

    fn stored(&self, index: u64) -> Result<Stored, BooksError> {
        let missing = || BooksError::Entry { seq: index, message: "no such statement in the log".into() };
        let seq = usize::try_from(index).ok().and_then(|n| self.seqs.get(n).copied()).ok_or_else(missing)?;
        self.at(seq)
    }

    /// A journal entry, on disk or in the group that is under way.
    fn at(&self, seq: u64) -> Result<Stored, BooksError> {
        if let Some(entry) = seq.checked_sub(self.journal.next_seq()).and_then(|n| self.staged.get(usize::try_from(n).ok()?)) {
            return Ok(stored_of(seq, entry.clone()));
        }
        Ok(self.journal.read(seq)?)
    }

    /// Entries of a unit below from the journal, in order.
    ///
    /// # Errors
    /// A damaged disk.
    pub fn child_entries(&self, unit: &UnitId) -> Result<Vec<Vec<u8>>, BooksError> {
        let Some(child) = self.children.get(unit) else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        for (_, seq) in &child.chunks {
            let stored = self.at(*seq)?;
            all.extend(children::entries_of(&stored).map_err(|message| BooksError::Entry { seq: *seq, message })?);
        }
        Ok(all)
    }

    /// One statement of a unit below.
    fn child_entry(&self, unit: &UnitId, index: u64) -> Result<Option<Vec<u8>>, BooksError> {
        let chunks = self.children.get(unit).map(|c| c.chunks.as_slice()).unwrap_or_default();
        let behind = chunks.partition_point(|(first, _)| *first <= index);
        let Some((first, seq)) = behind.checked_sub(1).map(|n| chunks[n]) else { return Ok(None) };
        let entries = children::entries_of(&self.at(seq)?).map_err(|message| BooksError::Entry { seq, message })?;
        Ok(usize::try_from(index - first).ok().and_then(|n| entries.into_iter().nth(n)))
    }

    /// The two sides of a contradiction: what was known, as far as it still stands for itself, and what came second.
    ///
    /// # Errors
    /// A damaged disk.
    pub fn both_sides(&self, found: &Contradiction) -> Result<(Option<Vec<u8>>, Vec<u8>), BooksError> {
        let bad = |message: &str| BooksError::Entry { seq: found.seq, message: message.to_string() };
        let stored = self.at(found.seq)?;
        let (_, second): (children::ContradictionHead, _) = headed(&stored.public).ok_or_else(|| bad("no heading"))?;
        let note = Note::parse(second).map_err(|e| bad(&e.to_string()))?;
        let child = self.children.get(&found.unit);
        let first = if let Some(index) = found.index {
            self.child_entry(&found.unit, index)?
        } else if let Ok(held) = HeldRollup::new(note.clone()) {
            let key = (held.rollup.period, held.rollup.revision);
            child.and_then(|c| c.known.get(&key)).map(|h| h.note.as_bytes().to_vec())
        } else if let Ok(point) = Checkpoint::parse(note.text()) {
            child.and_then(|c| c.checkpoints.get(&point.size())).map(|n| n.as_bytes().to_vec())
        } else if let Ok(receipt) = Receipt::parse(note.text()) {
            self.rollups.get(&(receipt.period, receipt.revision)).map(|r| r.held.note.as_bytes().to_vec())
        } else {
            None
        };
        Ok((first, second.to_vec()))
    }

    /// Signs a checkpoint over everything that is on disk. The guard moves first: if the process dies in between, the node
    /// knows that it may have signed.
    ///
    /// # Errors
    /// The guard's or the journal's error.
    pub fn sign_checkpoint(&mut self) -> Result<Note, BooksError> {
        let log = self.log.as_ref().ok_or_else(|| BooksError::Published { what: "registry".into(), message: "not there yet".into() })?;
        let size = log.len();
        if let Some(note) = self.checkpoints.get(&size) {
            return Ok(note.clone());
        }
        // Signed is only what is on disk, also in a group.
        self.flush_group()?;
        let root = self.rehash(size)?;
        self.guard.advance(Signed { size, root, journal: self.journal.next_seq() })?;
        let error = |e: String| BooksError::Published { what: "checkpoint".into(), message: e };
        let point = Checkpoint::new(&origin_of(&self.unit), size, root).map_err(|e| error(e.to_string()))?;
        let note = point.sign(&self.keys.node).map_err(|e| error(e.to_string()))?;
        self.commit(vec![NewEntry::open(kinds::CHECKPOINT, note.as_bytes())])?;
        Ok(note)
    }

    /// Hashes the new leaves again from the stored bytes: one flipped bit in a signed tree can never be repaired.
    fn rehash(&self, size: u64) -> Result<[u8; 32], BooksError> {
        let log = self.log.as_ref().ok_or_else(|| BooksError::Published { what: "log".into(), message: "not there yet".into() })?;
        let from = self.checkpoints.keys().last().copied().unwrap_or(0);
        for index in from..size {
            let stored = self.stored(index)?;
            if log.tree().leaf(index) != Some(protocol::log::tree::leaf_hash(&stored.public)) {
                let message = format!("leaf {index} on disk is not the one in the tree: stop, check the disk and memory, restore");
                return Err(BooksError::Entry { seq: stored.seq, message });
            }
        }
        log.root_at(size).ok_or_else(|| BooksError::Published { what: "log".into(), message: "no root of this size".into() })
    }

    /// Adopts what was published: registry versions, catalogues and plans that are not known yet. Files are given as bytes.
    ///
    /// # Errors
    /// A document that does not follow from what is known.
    pub fn adopt(&mut self, documents: &[Vec<u8>]) -> Result<usize, BooksError> {
        let error = |what: &str, e: &dyn std::fmt::Display| BooksError::Published { what: what.to_string(), message: e.to_string() };
        let mut notes = documents.iter().map(|b| Note::parse(b).map_err(|e| error("document", &e))).collect::<Result<Vec<_>, _>>()?;
        // Registry first, in order of versions; the others are checked against it.
        notes.sort_by_key(|n| (!n.text().starts_with("countersign/registry/"), registry_version(n)));
        let mut adopted = 0;
        for note in notes {
            let known = self
                .registries
                .iter()
                .map(|(_, n)| n)
                .chain(self.catalogues.iter().map(|(_, n)| n))
                .chain(self.plans.iter().map(|(_, n)| n));
            // An older plan may lie beside the newer one, or come again: it is not taken for a third.
            if known.into_iter().any(|n| n.digest() == note.digest()) || self.replaced.contains(&note.digest()) {
                continue;
            }
            let registry = self.registry().map(|r| r.registry().clone());
            let kind = if note.text().starts_with("countersign/registry/") {
                match self.registries.last() {
                    None => VerifiedRegistry::first(&note, &self.root).map_err(|e| error("registry", &e))?,
                    Some((last, _)) => last.next(&note).map_err(|e| error("registry", &e))?,
                };
                kinds::REGISTRY
            } else {
                let registry = registry.ok_or_else(|| error("registry", &"none is known yet"))?;
                if note.text().starts_with("countersign/catalogue/") {
                    published::read_catalogue(&note, &registry).map_err(|e| error("catalogue", &e))?;
                    kinds::CATALOGUE
                } else {
                    published::read_plan(&note, &registry).map_err(|e| error("plan", &e))?;
                    kinds::PLAN
                }
            };
            self.commit(vec![NewEntry::open(kind, note.as_bytes())])?;
            adopted += 1;
        }
        Ok(adopted)
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
            // A month that was opened again is counted as it stood: what was recorded in later months is not there yet.
            if statement.period > period {
                continue;
            }
            let Some(payload) = payload else { continue };
            let Some(counting) = self.counting_of(&statement) else { continue };
            subject.add(index, &statement, &payload, &counting.engine, period, voided);
        }
        Ok(subject)
    }

    /// When a month's rollup of this tier is due, by the plan of the top unit.
    pub fn reporting(&self) -> protocol::plan::Reporting {
        let top = self.registry().and_then(|r| r.registry().path(&self.unit).first().cloned());
        let plan = self.plans.iter().find(|(p, _)| top.as_ref().is_some_and(|t| t.as_str() == p.plan.area_code));
        plan.map(|(p, _)| p.reporting.clone()).unwrap_or_default()
    }

    /// Finds a rollup of this unit or of one below by its digest.
    pub fn find_rollup(&self, digest: &Digest) -> Option<Arc<HeldRollup>> {
        let own = self.rollups.values().map(|r| &r.held);
        own.chain(self.children.values().flat_map(|c| c.known.values())).find(|h| h.digest() == *digest).cloned()
    }

    /// Notes in the guard that the journal was this long when something signed left the node: a report or a receipt. A copy from before
    /// would let the node sign another one in its place.
    ///
    /// # Errors
    /// The journal's or the guard's error: then it must not leave.
    pub fn guard_all(&mut self) -> Result<(), BooksError> {
        self.flush_group()?;
        if let Some(last) = self.guard.last() {
            self.guard.advance(Signed { journal: self.journal.next_seq(), ..last })?;
        }
        Ok(())
    }

    /// Marks a rollup as handed to the outbox.
    ///
    /// # Errors
    /// The journal's or the guard's error.
    pub fn submit(&mut self, period: Month, revision: u32, at: DateTime<Utc>) -> Result<(), BooksError> {
        self.guard_all()?;
        self.commit(vec![NewEntry::headed(kinds::SUBMITTED, &SubmittedHead { period, revision, at }, &[])])
    }
}

fn stored_of(seq: u64, entry: Entry) -> Stored {
    Stored { seq, kind: entry.kind, public: entry.public, sealed: entry.sealed.map_or(Sealed::None, Sealed::Present) }
}

fn entry_of(stored: Stored) -> Entry {
    let sealed = if let Sealed::Present(sealed) = stored.sealed { Some(sealed) } else { None };
    Entry { kind: stored.kind, public: stored.public, sealed }
}

/// The public part of a statement.
fn read_statement(stored: &Stored) -> Result<(Note, Written), BooksError> {
    let bad = |message: String| BooksError::Entry { seq: stored.seq, message };
    let note = Note::parse(&stored.public).map_err(|e| bad(e.to_string()))?;
    let statement = Statement::parse(note.text()).map_err(|e| bad(e.to_string()))?;
    Ok((note, Written { statement: Arc::new(statement), payload: None, subject: None, same: None }))
}

/// What the view learns of a statement.
fn leaf(index: u64, written: &Written) -> Leaf {
    let voids = written.statement.voids.as_ref().map(|v| v.index);
    Leaf { index, subject: written.subject, same: written.same, voids }
}

fn registry_version(note: &Note) -> u64 {
    #[derive(Deserialize)]
    struct Version {
        version: u64,
    }
    note.text().lines().nth(1).and_then(|j| serde_json::from_str::<Version>(j).ok()).map_or(0, |v| v.version)
}

/// Removes the view's directory, as far as that can be done.
fn discard_view(dir: &Path) {
    let removed = if dir.is_dir() { std::fs::remove_dir_all(dir) } else { std::fs::remove_file(dir) };
    if let Err(e) = removed.or_else(|e| if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(e) }) {
        tracing::warn!(error = %e, dir = %dir.display(), "the view cannot be removed");
    }
}

/// Opens the view if it fits the journal; otherwise removes it and begins anew, in memory where the disk takes none. The second
/// value tells whether it has to be built.
fn open_view(dir: &Path, journal: &Journal) -> (View, bool) {
    let fits = |view: &View| -> Result<bool, ViewError> {
        match view.applied()? {
            None => Ok(journal.next_seq() == 0),
            Some((seq, crc_known)) => Ok(journal.read(seq).is_ok_and(|stored| crc(&stored.public) == crc_known)),
        }
    };
    let existed = dir.exists();
    if existed {
        // sled may panic on a store that it cannot read; the panic is turned into "damaged".
        let opened = std::panic::catch_unwind(|| View::open(dir));
        match opened {
            Ok(Ok(view)) => match fits(&view) {
                Ok(true) => return (view, false),
                Ok(false) => tracing::warn!("the view does not fit the journal; rebuilding it"),
                Err(e) => tracing::warn!(error = %e, "the view is damaged; rebuilding it"),
            },
            Ok(Err(e)) => tracing::warn!(error = %e, "the view cannot be opened; rebuilding it"),
            Err(_) => tracing::warn!("the view cannot be opened; rebuilding it"),
        }
        discard_view(dir);
    }
    let rebuilt = existed || journal.next_seq() > 0;
    let fresh = std::panic::catch_unwind(|| View::open(dir));
    let fresh = fresh.map_err(|_| "it panics".to_string()).and_then(|view| view.map_err(|e| e.to_string()));
    // What could not be removed is not fresh.
    match fresh.and_then(|view| if matches!(view.applied(), Ok(None)) { Ok(view) } else { Err("what is there stays".to_string()) }) {
        Ok(view) => (view, rebuilt),
        Err(error) => {
            tracing::error!(error, "the view cannot be made on disk; it is kept in memory until the next start");
            (View::in_memory(), rebuilt)
        }
    }
}
