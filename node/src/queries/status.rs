//! How a unit stands.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::period::Month;
use protocol::verify::log::UnitLog;
use serde::{Deserialize, Serialize};

use crate::books::{Books, OwnRollup};
use crate::clock::stamp;
use crate::desk::{close, open_month};
use crate::fault::{Fault, Faults, internal};
use crate::link::LinkSeen;
use crate::queries::below::{self, ChangedBelow};
use crate::queries::children::children;
use crate::queries::months::{Sent, unsent};

/// How a unit stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// Unit.
    pub unit: String,
    /// Name.
    pub name: String,
    /// Tier.
    pub tier: String,
    /// The month that events are recorded in; of a unit that has ended its last one.
    pub open: Month,
    /// The last month of the unit, where the registry says that it ends.
    #[serde(default)]
    pub until: Option<Month>,
    /// Whether the unit has ended and its last month is closed: no month is open any more, unless
    /// the parent opens one again.
    #[serde(default)]
    pub ended: bool,
    /// Its last day to be on time.
    pub due: String,
    /// Statements in the log.
    pub leaves: u64,
    /// Rollups that wait for a receipt.
    pub waiting: Vec<String>,
    /// When the oldest of these was submitted.
    pub waiting_since: Option<String>,
    /// Those of them that did not go out yet in this run of the node; the others are with the NATS
    /// server or with the parent, which decides on them.
    #[serde(default)]
    pub unsent: Vec<String>,
    /// Children whose rollup of the open month is not accepted yet.
    pub children_missing: Vec<String>,
    /// What came from below after this unit closed its month, and is in no revision of its own.
    #[serde(default)]
    pub below_changed: Vec<ChangedBelow>,
    /// How the link stands.
    pub link: String,
    /// Since when no unit above or below has been reached; none while the link is up.
    pub unreached_since: Option<String>,
    /// What is wrong with it.
    pub trouble: Option<String>,
    /// Whether the journal takes anything: `writable`, `full` while the disk is, `poisoned` after a
    /// failure of the disk, until a restart.
    #[serde(default)]
    pub journal: String,
    /// Why the node signs nothing with its key: the registry does not let it. None if it does.
    #[serde(default)]
    pub key: Option<Fault>,
    /// Contradictions kept as evidence.
    pub contradictions: Vec<String>,
    /// The units that they are about: who signed two things that cannot both be true.
    #[serde(default)]
    pub contradictory: BTreeSet<UnitId>,
    /// Under whose name something was refused at the door in this run of the node, when, and why.
    /// It was not kept.
    #[serde(default)]
    pub refused: Vec<String>,
    /// Reports from below that cannot be checked yet, and what each waits for.
    #[serde(default)]
    pub unchecked: Vec<String>,
    /// Registry version.
    pub registry: u64,
    /// Catalogue digest.
    pub catalogue: Option<Digest>,
    /// The node's clock.
    pub now: String,
}

/// How the unit stands now. `link` is what the link last said of itself, `refused` what was not
/// let in during this run.
///
/// # Errors
/// A node without a registry.
pub fn status(
    books: &Books,
    link: Option<&LinkSeen>,
    refused: Vec<String>,
    now: DateTime<Utc>,
) -> Result<Status, Faults> {
    let me = books.me().cloned().ok_or_else(|| internal("no registry"))?;
    let next = open_month(books)?;
    let open = me.until().map_or(next, |until| until.min(next));
    let oldest = books.outbox().filter_map(|own| own.submitted()).min();
    let down = link.filter(|seen| !seen.is_up());
    Ok(Status {
        unit: me.id.to_string(),
        name: me.placement(open).name,
        tier: me.tier.to_string(),
        open,
        until: me.until(),
        ended: next > open,
        due: books.reporting(open).due(me.tier, open).to_string(),
        leaves: books.log().map_or(0, UnitLog::len),
        waiting: waiting(books),
        waiting_since: oldest.map(stamp),
        unsent: Vec::new(),
        children_missing: close::waiting_for(books, next)
            .iter()
            .map(ToString::to_string)
            .collect(),
        below_changed: below::changed(books),
        link: link.map_or("none", |seen| seen.status().word()).into(),
        unreached_since: down.map(|seen| stamp(seen.since)),
        trouble: link.and_then(LinkSeen::trouble),
        journal: books.state().word().into(),
        key: books.node_key().fault(),
        contradictions: books
            .contradictions()
            .iter()
            .map(|c| format!("{}: {}", c.unit, c.what))
            .collect(),
        contradictory: books
            .contradictions()
            .iter()
            .map(|c| c.unit.clone())
            .collect(),
        refused,
        unchecked: unchecked(books),
        registry: books.registry().map_or(0, |r| r.registry().version),
        catalogue: books.counting().map(|c| c.digest),
        now: stamp(now),
    })
}

/// So many reports that cannot be checked are named, the first of each unit first.
const MAX_UNCHECKED: usize = 100;

/// What the reports from below that cannot be checked wait for. Only the tier above knows this: who
/// sent them has a receipt, and a message that was lost on its way up is missed here alone.
fn unchecked(books: &Books) -> Vec<String> {
    let waiting = children(books).into_iter().filter_map(|report| {
        let (unit, month, revision) = (report.unit, report.period, report.revision);
        Some(format!("{unit} {month}.{revision}: {}", report.waits?))
    });
    waiting.take(MAX_UNCHECKED).collect()
}

/// The rollups that wait for a receipt, as `month.revision`.
fn waiting(books: &Books) -> Vec<String> {
    books.outbox().map(named).collect()
}

impl Status {
    /// With what is known of rollups that went out in this run of the node.
    #[must_use]
    pub fn knowing(mut self, books: &Books, sent: &Sent) -> Status {
        self.unsent = unsent(books, sent).map(named).collect();
        self
    }
}

fn named(own: &OwnRollup) -> String {
    let rollup = &own.held().rollup;
    format!("{}.{}", rollup.period, rollup.revision)
}
