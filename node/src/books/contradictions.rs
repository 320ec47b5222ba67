//! Contradictions: two signed things that cannot both be true, kept as evidence.

use std::fmt;

use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::note::Note;
use protocol::period::Month;
use protocol::receipt::Decision;
use serde::{Deserialize, Serialize};

use super::entry::{UnreadableEntry, headed};
use crate::journal::Stored;

/// What contradicts. The journal keeps this; sentences are made from it and never read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Contradiction {
    /// Other bytes for a statement of a unit below that is known here.
    Statement {
        /// Its log index.
        index: u64,
    },
    /// Two checkpoints of a unit below over as many leaves, with different roots.
    Checkpoint {
        /// Number of leaves.
        size: u64,
    },
    /// Two different rollups of a unit below for one month and revision.
    Rollup {
        /// Month.
        period: Month,
        /// Revision.
        revision: u32,
        /// The one that came first.
        first: Digest,
        /// The one that came second.
        second: Digest,
    },
    /// The parent answered another rollup for a month and revision than this node has.
    ForeignAnswer {
        /// The parent.
        parent: UnitId,
        /// What it decided.
        decision: Decision,
        /// Month.
        period: Month,
        /// Revision.
        revision: u32,
        /// The rollup that it answered.
        answered: Digest,
        /// The rollup that this node has.
        own: Digest,
    },
}

impl Contradiction {
    /// Whether it is about a rollup of this month and revision.
    pub fn is_about(&self, month: Month, number: u32) -> bool {
        matches!(self, Contradiction::Rollup { period, revision, .. }
            if *period == month && *revision == number)
    }

    /// The two rollups of a unit below for one month and revision.
    pub fn versions(&self) -> Option<(Month, u32, [Digest; 2])> {
        match self {
            Contradiction::Rollup {
                period,
                revision,
                first,
                second,
            } => Some((*period, *revision, [*first, *second])),
            _ => None,
        }
    }

    /// Whether it names this rollup as one of its two sides.
    pub fn names(&self, digest: &Digest) -> bool {
        match self {
            Contradiction::Rollup { first, second, .. } => [first, second].contains(&digest),
            Contradiction::ForeignAnswer { answered, own, .. } => [answered, own].contains(&digest),
            Contradiction::Statement { .. } | Contradiction::Checkpoint { .. } => false,
        }
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Contradiction::Statement { index } => {
                write!(f, "other bytes for statement {index}, which is known here")
            }
            Contradiction::Checkpoint { size } => {
                write!(f, "two checkpoints over {size} leaves with different roots")
            }
            Contradiction::Rollup {
                period,
                revision,
                first,
                second,
            } => write!(
                f,
                "two different rollups for {period} revision {revision}: {first} and {second}"
            ),
            Contradiction::ForeignAnswer {
                parent,
                decision,
                period,
                revision,
                answered,
                own,
            } => write!(
                f,
                "{parent} answered ({}) another rollup for {period} revision {revision} than the \
                 one of this node: {answered} and {own}",
                decision.zh()
            ),
        }
    }
}

/// Heading of a contradiction in the journal.
#[derive(Debug, Serialize, Deserialize)]
pub struct ContradictionHead {
    /// Whose.
    pub unit: UnitId,
    /// What contradicts.
    pub what: Contradiction,
    /// Of a statement: index of the first one in the delivery that it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
}

/// A contradiction of which the journal holds both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptContradiction {
    /// Who contradicts itself. This unit itself, where its parent answered for another rollup than
    /// it has: then somebody else has its keys, or its data directory is not the one that it
    /// reported from.
    pub unit: UnitId,
    /// What contradicts.
    pub what: Contradiction,
    /// The journal entry that holds what came second.
    pub seq: u64,
}

/// A contradiction, read from the journal.
pub fn read(stored: &Stored) -> Result<KeptContradiction, UnreadableEntry> {
    let (head, _): (ContradictionHead, _) = headed(&stored.public).ok_or("no heading")?;
    Ok(KeptContradiction {
        unit: head.unit,
        what: head.what,
        seq: stored.seq,
    })
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
