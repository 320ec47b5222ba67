//! The month's report of a unit: `countersign/rollup/v1`.
//!
//! A rollup is a full statement of its scope: every figure of the catalogue is there, a figure that
//! is zero is there with 0, and every child is either named with the digest of the rollup that was
//! used or named as missing with a reason. It carries the opening of the month's commitments, so
//! that it arrives with its proof. Signed by the unit's node and by the three signatories (填表人
//! preparer, 统计负责人 reviewer, 单位负责人 head).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::commitment::OpenScalar;
use crate::digest::Digest;
use crate::figure::Figure;
use crate::ids::{Tier, UnitId};
use crate::note::{self, Note};
use crate::period::Month;
use crate::person::Role;
use crate::row::Sums;
use crate::text::{self, hex, unique};

/// The kind of the signed document.
pub const KIND: &str = "rollup";
/// At most this many characters in an explanation or reason.
pub const MAX_TEXT: usize = 500;

/// A unit's report of one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollup {
    /// Who reports.
    pub unit: UnitId,
    /// Its tier.
    pub tier: Tier,
    /// Which month.
    pub period: Month,
    /// 1, 2, 3 …: a closed month changes only by a new revision.
    pub revision: u32,
    /// The rollup that the unit signed before this one, of whatever month; none in its first. So a
    /// unit's rollups are a chain, and each is judged by those on its own ([`crate::chain`]).
    pub after: Option<RollupRef>,
    /// Digest of the revision before.
    pub supersedes: Option<Digest>,
    /// Digest of the rollup of the month before; none in the unit's first month.
    pub previous: Option<Digest>,
    /// By which catalogue.
    pub catalogue: Digest,
    /// Plans that the unit knows, by id: for information, no check asks for them.
    pub plans: Vec<String>,
    /// Registry version and digest.
    pub registry: RegistryRef,
    /// The unit's log at close.
    pub log: LogRef,
    /// Children whose figures are part of the sums.
    pub children: Vec<ChildRef>,
    /// Children whose figures are not.
    pub missing: Vec<Missing>,
    /// All figures, in the catalogue's order.
    pub figures: Vec<Figure>,
    /// Opening of the month's commitments.
    pub opening: Opening,
    /// For each coverage with a frozen denominator: digest over its members' pseudonyms, so that an
    /// inspector can recompute the list at the county.
    #[serde(deserialize_with = "unique::map")]
    pub frozen: BTreeMap<String, Digest>,
    /// Late entries (补报) in this month: the month that they belong to, and how many.
    #[serde(deserialize_with = "unique::map")]
    pub late: BTreeMap<Month, u64>,
    /// Statements taken back in this month.
    pub voided: u64,
    /// Written explanations of soft rules that do not hold.
    pub explanations: Vec<Explanation>,
    /// Who signs.
    pub signatories: Signatories,
}

/// Names a rollup of the same unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollupRef {
    /// Its month.
    pub period: Month,
    /// Its revision.
    pub revision: u32,
    /// Its digest.
    pub rollup: Digest,
}

/// Names a registry version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryRef {
    /// Version.
    pub version: u64,
    /// Digest of its text.
    pub digest: Digest,
}

/// A unit's log at close.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogRef {
    /// Number of leaves.
    pub size: u64,
    /// RFC 6962 root, 64 hex digits.
    pub root: String,
    /// Index of the first leaf of this month (the size, where there is none).
    pub first: u64,
}

impl LogRef {
    /// The root as bytes.
    pub fn root_bytes(&self) -> Option<[u8; 32]> {
        hex::array(&self.root)
    }
}

/// A child that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChildRef {
    /// Who.
    pub unit: UnitId,
    /// Digest of the rollup that was used.
    pub rollup: Digest,
    /// Its revision.
    pub revision: u32,
}

/// A child that was not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// Who.
    pub unit: UnitId,
    /// Why, in words.
    pub reason: String,
}

/// Opening of the month's commitments: net column sums per sealed event type, and the sum of the
/// blindings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Column sums X.
    #[serde(deserialize_with = "unique::map")]
    pub sums: Sums,
    /// R.
    pub blinding: OpenScalar,
}

/// Why a soft rule does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// Rule of the catalogue.
    pub rule: String,
    /// Figure that it is about.
    pub figure: String,
    /// In words.
    pub text: String,
}

/// The three who sign, by the names of their keys (`<unit>/<operator>`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signatories {
    /// 填表人
    pub preparer: String,
    /// 统计负责人
    pub reviewer: String,
    /// 单位负责人
    pub head: String,
}

impl Signatories {
    /// The three names, each with the role in which it signs.
    pub fn by_role(&self) -> [(Role, &str); 3] {
        [
            (Role::Preparer, self.preparer.as_str()),
            (Role::Reviewer, self.reviewer.as_str()),
            (Role::Head, self.head.as_str()),
        ]
    }
    /// The three names.
    pub fn names(&self) -> [&str; 3] {
        [&self.preparer, &self.reviewer, &self.head]
    }
}

/// Why a rollup is refused before any check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RollupError {
    /// The envelope is wrong.
    #[error("not a rollup note: {0} [rollup.note]")]
    Note(String),
    /// The JSON is wrong.
    #[error("not a rollup: {0} [rollup.json]")]
    Json(String),
    /// A rule of the format is broken.
    #[error("rollup: {0} [rollup.shape]")]
    Shape(&'static str),
}

impl Rollup {
    /// The note text to be signed.
    ///
    /// # Errors
    /// A broken rule of the format.
    pub fn to_text(&self) -> Result<String, RollupError> {
        self.check()?;
        let json = serde_json::to_string(self).map_err(|e| RollupError::Json(e.to_string()))?;
        note::document(KIND, &json).map_err(|e| RollupError::Note(e.to_string()))
    }

    /// Reads a note's text.
    ///
    /// # Errors
    /// Another kind, unknown fields, a broken rule of the format.
    pub fn parse(text: &str) -> Result<Rollup, RollupError> {
        let json = note::read_document(text, KIND).map_err(|e| RollupError::Note(e.to_string()))?;
        let rollup: Rollup = text::from_json(json).map_err(|e| RollupError::Json(e.to_string()))?;
        rollup.check()?;
        Ok(rollup)
    }

    /// The figure of this id.
    pub fn figure(&self, id: &str) -> Option<&Figure> {
        self.figures.iter().find(|f| f.id == id)
    }

    fn check(&self) -> Result<(), RollupError> {
        let shape = |m| Err(RollupError::Shape(m));
        if self.revision == 0 || (self.revision == 1) != self.supersedes.is_none() {
            return shape(
                "revision 1 supersedes nothing and every later one names what it supersedes",
            );
        }
        if self.after.is_none() && (self.supersedes.is_some() || self.previous.is_some()) {
            return shape("what follows no rollup names no revision and no month before");
        }
        if self.log.first > self.log.size || self.log.root_bytes().is_none() {
            return shape("log: first is at most size, root is 64 hex digits");
        }
        let plans: BTreeSet<&String> = self.plans.iter().collect();
        if plans.len() < self.plans.len() {
            return shape("a plan is named twice");
        }
        let texts = self
            .explanations
            .iter()
            .map(|e| &e.text)
            .chain(self.missing.iter().map(|m| &m.reason));
        for text in texts {
            if text.trim().is_empty() || text.chars().count() > MAX_TEXT {
                return shape("an explanation or reason has 1 to 500 characters");
            }
        }
        let mut named: Vec<&UnitId> = self
            .children
            .iter()
            .map(|c| &c.unit)
            .chain(self.missing.iter().map(|m| &m.unit))
            .collect();
        named.sort();
        if named.windows(2).any(|w| w[0] == w[1]) {
            return shape("a child is named twice");
        }
        let names = self.signatories.names();
        if names[0] == names[2] || names[1] == names[2] || names[0] == names[1] {
            return shape("the three signatories are three people");
        }
        Ok(())
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
    pub fn new(note: Note) -> Result<HeldRollup, RollupError> {
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
    /// Its month and revision.
    pub fn key(&self) -> (Month, u32) {
        (self.rollup.period, self.rollup.revision)
    }
    /// How another rollup of the unit names it.
    pub fn named(&self) -> RollupRef {
        RollupRef {
            period: self.rollup.period,
            revision: self.rollup.revision,
            rollup: self.digest,
        }
    }
}

/// The rollups of one unit by month and revision.
pub type Rollups = BTreeMap<(Month, u32), Arc<HeldRollup>>;
