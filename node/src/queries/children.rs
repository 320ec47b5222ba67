//! What came from the units below.

use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::rollup::HeldRollup;
use protocol::verdict::Verdict;
use serde::{Deserialize, Serialize};

use crate::books::Books;
use crate::books::children::Child;
use crate::clock::stamp;
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
    /// What the unit was caught at.
    pub flagged: Option<String>,
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
    ChildMonth {
        unit: child.unit().id.clone(),
        name: child.unit().placement(held.rollup.period).name,
        period: held.rollup.period,
        revision: held.rollup.revision,
        rollup: digest,
        arrived: child.arrived().get(&digest).map(|at| stamp(*at)),
        waits: review::waits(books, held).filter(|_| verdicts.is_none()),
        verdicts: verdicts.unwrap_or_default(),
        decision: child.decision(&digest),
        flagged: child.flagged().map(ToString::to_string),
    }
}
