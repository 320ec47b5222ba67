//! What came from the units below.

use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::note::Note;
use protocol::period::Month;
use protocol::receipt::{Decision, Receipt};
use protocol::registry::Unit;
use protocol::rollup::HeldRollup;
use protocol::verdict::Verdict;
use serde::{Deserialize, Serialize};

use crate::books::Books;
use crate::books::children::Child;
use crate::clock::stamp;
use crate::fault::{FaultCode, Faults, internal};
use crate::queries::words::{Word, words};
use crate::review;

/// A rollup of a unit below.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChildMonth {
    /// Whose.
    pub unit: UnitId,
    /// Name.
    pub name: String,
    /// Month.
    pub period: Month,
    /// Whom the unit reported to in this month: that unit decides on it, whoever is the parent of
    /// today. None of a month in which the unit does not exist.
    pub parent: Option<UnitId>,
    /// Revision.
    pub revision: u32,
    /// Digest.
    pub rollup: Digest,
    /// When it came, UTC.
    pub arrived: Option<String>,
    /// The checks; empty while it waits for something.
    pub verdicts: Vec<Verdict>,
    /// What it waits for.
    pub waits: Option<String>,
    /// This unit's last word.
    pub decision: Option<Decision>,
    /// Whether it waits for a decision of this unit's people.
    pub open: bool,
    /// What the unit was caught at.
    pub flagged: Option<String>,
    /// Everything that this unit said of this revision, in order.
    #[serde(default)]
    pub words: Vec<Word>,
}

/// The unit that a text names: its id, or the name that a unit directly below has in this month.
///
/// # Errors
/// Neither.
pub fn named(books: &Books, text: &str, month: Month) -> Result<UnitId, Faults> {
    let text = text.trim();
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let registry = books.registry().ok_or_else(|| internal("no registry"))?;
    let children = registry.registry().children(books.unit(), month);
    let name = |child: &&Unit| child.placement(month).name;
    if let Some(found) = children.iter().find(|child| name(child) == text) {
        return Ok(found.id.clone());
    }
    let names = children
        .iter()
        .map(|child| format!("{} {}", child.id, name(child)));
    let names: Vec<String> = names.collect();
    Err(Faults::one(
        FaultCode::ReviewUnit,
        format!("直属下级中没有这个单位；有：{}", names.join("，")),
        format!("no unit below has this code or name: {}", names.join(", ")),
    ))
}

/// What was decided on a month.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Decided {
    /// Month.
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// The decision.
    pub decision: Decision,
}

/// What these receipts decided.
pub fn decided(receipts: &[Note]) -> Vec<Decided> {
    let receipts = receipts
        .iter()
        .filter_map(|n| Receipt::parse(n.text()).ok());
    let each = receipts.map(|r| Decided {
        period: r.period,
        revision: r.revision,
        decision: r.decision,
    });
    each.collect()
}

/// Every rollup of the units below, with its checks.
pub fn children(books: &Books) -> Vec<ChildMonth> {
    let rollups = books
        .children()
        .values()
        .flat_map(|child| child.known().values().map(move |held| (child, held)));
    rollups
        .map(|(child, held)| month(books, child, held))
        .collect()
}

fn month(books: &Books, child: &Child, held: &HeldRollup) -> ChildMonth {
    let digest = held.digest();
    let verdicts = books.verdicts(held);
    let decision = child.decision(&digest);
    let parent = child.unit().parent_in(held.rollup.period);
    let given = child.given().get(&digest).into_iter().flatten();
    ChildMonth {
        words: words(given.map(|(receipt, _)| receipt)),
        unit: child.unit().id.clone(),
        name: child.unit().placement(held.rollup.period).name,
        period: held.rollup.period,
        parent: parent.cloned(),
        revision: held.rollup.revision,
        rollup: digest,
        arrived: child.arrived().get(&digest).map(|at| stamp(*at)),
        waits: review::waits(books, held).filter(|_| verdicts.is_none()),
        verdicts: verdicts.unwrap_or_default(),
        open: decision.is_none() && books.answers(&held.rollup),
        decision,
        flagged: child.flagged().map(ToString::to_string),
    }
}
