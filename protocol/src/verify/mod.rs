//! The checks: pure functions, each with a name, each in a file of its own.
//!
//! | check | it holds when |
//! |---|---|
//! | [`authorship`] | every note is signed by keys held valid at its index; all three signatories signed |
//! | [`arithmetic`] | cells add up to totals; own + Σ children = sum; every child is named by digest, or as missing |
//! | [`history`] | the log extends what was last witnessed; `previous` and `supersedes` chain without gap or fork |
//! | [`binding`] | the opened figures are exactly the sum of the committed and clear rows of this month's leaves |
//! | [`timeliness`] | the rollup arrived before the deadline of the plan (late is noted, not failed) |
//!
//! The verifier reads a unit's leaves itself, in order, with [`log::UnitLog`], and chooses the
//! month's leaves from their public fields. [`check`] runs all checks on a rollup; a verdict names
//! the first thing that contradicts.

pub mod arithmetic;
pub mod authorship;
pub mod binding;
pub mod history;
pub mod log;
pub mod timeliness;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::note::Note;
use crate::period::Month;
use crate::registry::VerifiedRegistry;
use crate::rollup::Rollup;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It holds, with something to know (a late report).
    Noted,
    /// Something contradicts.
    Fails,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Which check.
    pub check: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found; for a failure, the first thing that contradicts.
    pub detail: String,
}

impl Verdict {
    /// It holds.
    pub fn holds(check: &str, detail: impl Into<String>) -> Verdict {
        Verdict {
            check: check.to_string(),
            outcome: Outcome::Holds,
            detail: detail.into(),
        }
    }
    /// It holds, with something to know.
    pub fn noted(check: &str, detail: impl Into<String>) -> Verdict {
        Verdict {
            check: check.to_string(),
            outcome: Outcome::Noted,
            detail: detail.into(),
        }
    }
    /// Something contradicts.
    pub fn fails(check: &str, detail: impl Into<String>) -> Verdict {
        Verdict {
            check: check.to_string(),
            outcome: Outcome::Fails,
            detail: detail.into(),
        }
    }
    /// From a check that returns what it found, or what contradicts.
    fn of(check: &str, result: Result<String, String>) -> Verdict {
        match result {
            Ok(detail) => Verdict::holds(check, detail),
            Err(detail) => Verdict::fails(check, detail),
        }
    }
    /// Whether it failed.
    pub fn failed(&self) -> bool {
        self.outcome == Outcome::Fails
    }
}

/// A rollup with the note that carries it.
#[derive(Debug, Clone)]
pub struct HeldRollup {
    /// The signed note.
    pub note: Note,
    /// What it says.
    pub rollup: Rollup,
    digest: Digest,
}

impl HeldRollup {
    /// Reads a note.
    ///
    /// # Errors
    /// What [`Rollup::parse`] finds.
    pub fn new(note: Note) -> Result<HeldRollup, crate::rollup::RollupError> {
        let rollup = Rollup::parse(note.text())?;
        Ok(HeldRollup::of(note, rollup))
    }
    /// A note whose content is known already.
    pub fn of(note: Note, rollup: Rollup) -> HeldRollup {
        HeldRollup {
            digest: note.digest(),
            note,
            rollup,
        }
    }
    /// Digest of the note's text.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// The rollups of one unit by month and revision.
pub type Rollups = BTreeMap<(Month, u32), Arc<HeldRollup>>;

/// What the checks of one rollup may look at.
pub struct Context<'a> {
    /// The registry version that the rollup names.
    pub registry: &'a VerifiedRegistry,
    /// The unit's log, read exactly up to the rollup's size.
    pub log: &'a log::UnitLog,
    /// The unit's other rollups that are known.
    pub known: &'a Rollups,
    /// Finds a child's rollup by digest.
    pub child: &'a dyn Fn(&Digest) -> Option<Arc<HeldRollup>>,
    /// The checkpoint that came with it.
    pub checkpoint: Option<&'a Note>,
    /// Size and root that the reader last cosigned, if any.
    pub witnessed: Option<(u64, [u8; 32])>,
    /// When it arrived, by the reader's clock or the parent's receipt.
    pub received: Option<DateTime<Utc>>,
    /// The last day on which it is on time.
    pub due: Option<NaiveDate>,
}

/// Runs all checks on a rollup.
pub fn check(held: &HeldRollup, context: &Context<'_>) -> Vec<Verdict> {
    vec![
        Verdict::of("authorship", authorship::check(held, context)),
        Verdict::of("arithmetic", arithmetic::check(held, context)),
        Verdict::of("history", history::check(held, context)),
        Verdict::of("binding", binding::check(held, context)),
        timeliness::check(context),
    ]
}
