//! Recording: events are counted one after the other, committed to, signed and sealed, and all are
//! written at once.
//!
//! This file holds a [`Recording`] in progress. Reading order: `write` (its statements), `draft`
//! (one row of a file), `history` (what a subject's events say against a new one), `plausible` (what can
//! hardly be meant), `file` (all rows of a file), `void` (events taken back or corrected), `recount` (what the node itself adds at close), `people` (keys of
//! operators).

mod batch;
mod draft;
mod file;
mod history;
mod numbers;
mod people;
mod plausible;
mod recount;
mod void;
mod write;

pub use batch::{Batch, void_batch};
pub use draft::{Recorded, day_faults};
pub use file::{Counts, Imported, dry_run, record, record_set};
pub use numbers::settle_numbers;
pub use people::{enrol, revoke};
pub(super) use recount::{recount, recount_dry};
pub use void::{StillReported, Taking, Voided, correct, no_event, not_in_unsent_report, void};

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use protocol::commitment::PeriodKey;
use protocol::count::Moves;
use protocol::person::Role;

use super::month::{UnitMonth, no_registry};
use super::random_pool::{RandomPool, random};
use super::sealing::SignerPool;
use crate::books::payload::{self, SubjectHistory};
use crate::books::{Books, EntryKind, NewEntry};
use crate::clock::stamp;
use crate::fault::{Fault, FaultCode, Faults, internal};
use crate::journal::Entry;
use crate::pseudonym::Pseudonym;
use crate::view::ContentHash;

/// A system event that a recount found: its type, and what it adds to the figures.
#[derive(Debug, Clone)]
pub(super) struct Recounted {
    pub(super) event: String,
    pub(super) moves: Moves,
}

/// A recording in progress: events are counted one after the other, as each depends on those
/// before; a [`SignerPool`] commits to them, signs and seals on the other cores meanwhile; then all
/// are written at once.
pub(super) struct Recording<'a> {
    books: &'a Books,
    month: UnitMonth,
    /// Which days are past and which are still to come.
    now: DateTime<Utc>,
    /// The time that is written on the statements: milliseconds for their ids, and as text.
    recorded: (u64, String),
    /// Log index of the next statement.
    next: u64,
    random: RandomPool,
    /// Subjects that this recording has looked up, with what it recorded of them.
    subjects: BTreeMap<Pseudonym, SubjectHistory>,
    /// What its own drafts say, and their rows.
    same: BTreeMap<ContentHash, u64>,
    /// What is doubtful in the drafts that it took.
    doubts: Vec<Fault>,
    /// Later numbers of persons that this recording has brought, and the files that they belong to.
    same_person: BTreeMap<Pseudonym, Pseudonym>,
    /// What it has taken back.
    voided: BTreeSet<u64>,
    /// The system events that a recount has added.
    recounted: Vec<Recounted>,
    /// The entry of the month's secret, if this recording makes it.
    new_secret: Option<NewEntry>,
    /// Nothing where nothing will be written.
    signers: Option<SignerPool>,
}

impl<'a> Recording<'a> {
    /// Begins a recording in the open month by an operator (`<unit>/<name>`), or by the node itself.
    pub(super) fn begin(
        books: &'a Books,
        operator: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Recording<'a>, Faults> {
        Recording::in_month(books, UnitMonth::open(books)?, operator, now)
    }

    /// The same in the open month, where that is known already.
    fn in_month(
        books: &'a Books,
        month: UnitMonth,
        operator: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Recording<'a>, Faults> {
        let mut recording = Recording::unwritten(books, month, operator, now)?;
        let secret = recording.secret()?;
        let (keys, counting) = (books.keys().clone(), recording.month.counting.clone());
        recording.signers = Some(SignerPool::new(keys, operator, counting, secret));
        Ok(recording)
    }

    /// One that finds faults and writes nothing: no secret is drawn for it, and nobody signs.
    fn dry(books: &'a Books, operator: &str, now: DateTime<Utc>) -> Result<Recording<'a>, Faults> {
        Recording::unwritten(books, UnitMonth::open(books)?, Some(operator), now)
    }

    fn unwritten(
        books: &'a Books,
        month: UnitMonth,
        operator: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Recording<'a>, Faults> {
        if let Some(name) = operator {
            may_record(books, name)?;
        }
        let log = books.log().ok_or_else(no_registry)?;
        let recorded = books.not_before_last(now);
        Ok(Recording {
            books,
            month,
            now,
            recorded: (
                u64::try_from(recorded.timestamp_millis()).unwrap_or(0),
                stamp(recorded),
            ),
            next: log.len(),
            random: RandomPool::new(books.random().clone()),
            subjects: BTreeMap::new(),
            same: BTreeMap::new(),
            doubts: Vec::new(),
            same_person: BTreeMap::new(),
            voided: BTreeSet::new(),
            recounted: Vec::new(),
            new_secret: None,
            signers: None,
        })
    }

    /// The month's secret; one is drawn and sealed where the month has none yet.
    fn secret(&mut self) -> Result<PeriodKey, Faults> {
        let (books, period) = (self.books, self.month.period);
        if let Some(key) = books.period_key(period) {
            return Ok(key.clone());
        }
        let public = period.to_string().into_bytes();
        let secret = PeriodKey::new(random(books)?);
        let sealed = books.keys().vault.seal(
            random(books)?,
            &payload::aad(EntryKind::PeriodKey.number(), &public),
            secret.as_bytes(),
        );
        let entry = Entry {
            kind: EntryKind::PeriodKey.number(),
            public,
            sealed: Some(sealed),
        };
        self.new_secret = Some(NewEntry {
            entry,
            written: None,
        });
        Ok(secret)
    }

    /// Everything that is to be written.
    pub(super) fn finish(mut self) -> Result<Vec<NewEntry>, Faults> {
        // Dropping thousands of histories takes a while; the signers work meanwhile.
        self.subjects.clear();
        let mut entries: Vec<NewEntry> = self.new_secret.into_iter().collect();
        if let Some(signers) = self.signers {
            entries.extend(signers.results()?);
        }
        Ok(entries)
    }

    /// What is recorded of a subject, by this recording too.
    fn subject(&mut self, of: Pseudonym) -> Result<&mut SubjectHistory, Faults> {
        if !self.subjects.contains_key(&of) {
            let history = self.books.history(of, self.month.period);
            self.subjects.insert(of, history.map_err(internal)?);
        }
        self.subjects
            .get_mut(&of)
            .ok_or_else(|| internal("history"))
    }
}

/// Whether this is the name of an enrolled recorder whose key the node holds.
fn may_record(books: &Books, name: &str) -> Result<(), Faults> {
    let log = books.log().ok_or_else(no_registry)?;
    let enrolled = log.operator(name, Role::Recorder, log.len());
    let key = books.keys().recorders.get(name);
    if key.is_some_and(|key| enrolled.as_ref() == Some(&key.vkey())) {
        return Ok(());
    }
    Err(Faults::one(
        FaultCode::OperatorUnknown,
        format!("{name} 没有登记为录入人,或节点没有其密钥"),
        format!("{name} is not enrolled as recorder, or the node does not hold its key"),
    ))
}
