//! The books: the journal, the view, and everything that follows from them in memory.
//!
//! There is one way in: [`Books::commit`] appends entries to the journal, waits for the disk, and
//! then applies them. At start the same `apply` runs over the journal. So what a node knows after a
//! crash is what it knew before, and recovery is not a second program. Nothing else writes truth;
//! desk and review compute entries and commit them.
//!
//! Reading order: this file (what the books hold and what is written), `append` (writing), `apply`
//! (what an entry means), `open` (recovery), `index` (the view beside the journal), `signed`
//! (checkpoints and what leaves the node), `adopt` (what is published), `read` (what others ask).

mod adopt;
mod append;
mod apply;
pub mod children;
mod index;
pub mod keys;
mod kinds;
mod open;
pub mod payload;
mod read;
mod signed;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use protocol::commitment::PeriodKey;
use protocol::compiled::CompiledCatalogue;
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::note::Note;
use protocol::period::Month;
use protocol::plan::Plan;
use protocol::receipt::{Decision, Receipt};
use protocol::registry::{Anchor, VerifiedRegistry};
use protocol::rollup::HeldRollup;
use protocol::statement::Statement;
use protocol::verify::log::UnitLog;
use serde::{Deserialize, Serialize};

pub use kinds::{EntryKind, EntryKindError};

use crate::journal::{Entry, Guard, Journal, JournalError};
use crate::random::Random;
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
    #[error(
        "private part of journal entry {seq}: {message}; is this the vault key that it was sealed with? [books.sealed]"
    )]
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
    pub fn open(kind: EntryKind, public: impl Into<Vec<u8>>) -> NewEntry {
        NewEntry {
            entry: Entry {
                kind: kind.number(),
                public: public.into(),
                sealed: None,
            },
            written: None,
        }
    }
    /// An entry with a JSON heading and a body.
    pub fn headed(kind: EntryKind, head: &impl Serialize, body: &[u8]) -> NewEntry {
        let mut public =
            serde_json::to_vec(head).expect("our heads are structs of texts and numbers");
        public.push(b'\n');
        public.extend(body);
        NewEntry::open(kind, public)
    }
}

/// Splits an entry made by [`NewEntry::headed`].
pub fn headed<'a, T: Deserialize<'a>>(public: &'a [u8]) -> Option<(T, &'a [u8])> {
    let end = public.iter().position(|b| *b == b'\n')?;
    Some((
        serde_json::from_slice(&public[..end]).ok()?,
        &public[end + 1..],
    ))
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
    root: Anchor,
    unit: UnitId,
    registries: Vec<(VerifiedRegistry, Note)>,
    catalogues: Vec<(Arc<CompiledCatalogue>, Note)>,
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
    /// The statements written last, by log index: what is recorded next is often about the same
    /// subjects.
    recent: BTreeMap<u64, Written>,
}

impl std::fmt::Debug for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Books({})", self.unit)
    }
}
