//! Counts of the unit for monitoring: never of persons.

use chrono::{DateTime, Utc};
use protocol::verify::log::UnitLog;

use crate::books::{Books, NodeKey};
use crate::journal::JournalState;
use crate::link::{LinkSeen, LinkStatus};
use crate::queries::below;
use crate::queries::months::{Sent, unsent};

/// What a number does over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Goes up and down.
    Gauge,
    /// Only grows until the node starts again.
    Counter,
}

impl MetricKind {
    /// As Prometheus names it.
    pub fn as_str(self) -> &'static str {
        match self {
            MetricKind::Gauge => "gauge",
            MetricKind::Counter => "counter",
        }
    }
}

/// One number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// Its name, without the product's prefix.
    pub name: String,
    /// What it counts, a sentence.
    pub help: &'static str,
    /// What it does over time.
    pub kind: MetricKind,
    /// The number.
    pub value: u64,
}

impl Metric {
    /// A number that goes up and down.
    fn gauge(name: &str, help: &'static str, value: u64) -> Metric {
        Metric {
            name: name.to_string(),
            help,
            kind: MetricKind::Gauge,
            value,
        }
    }

    /// A number that was counted since start.
    pub fn counter(name: &str, value: u64) -> Metric {
        Metric {
            name: format!("{name}_total"),
            help: "Counted since start.",
            kind: MetricKind::Counter,
            value,
        }
    }
}

/// What the running node knows of itself, beside its books.
#[derive(Debug, Clone)]
pub struct NodeState {
    /// What the link last said of itself; none without a link.
    pub link: Option<LinkSeen>,
    /// Whether the journal takes anything.
    pub journal: JournalState,
    /// The disk takes no view, so that it is kept in memory.
    pub view_in_memory: bool,
    /// When this unit's rollups went out in this run.
    pub sent: Sent,
    /// Seconds by which the clock is behind what was recorded last; 0 if it is not.
    pub clock_behind: u64,
}

/// All gauges of a node, in the order in which they are written.
pub fn gauges(books: &Books, node: &NodeState, now: DateTime<Utc>) -> Vec<Metric> {
    let mut list = of_books(books, now);
    list.extend(of_outbox(books, &node.sent, now));
    list.extend(node.link.iter().flat_map(|link| of_link(link, now)));
    list.extend(of_node(books, node));
    list
}

fn seconds(since: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
    u64::try_from((now - since).num_seconds()).unwrap_or(0)
}

fn of_books(books: &Books, now: DateTime<Utc>) -> Vec<Metric> {
    let (bytes, entries, _) = books.size();
    let leaves = books.log().map_or(0, UnitLog::len);
    let waiting = books.outbox().count() as u64;
    let oldest = books.outbox().filter_map(|own| own.submitted()).min();
    vec![
        Metric::gauge("journal_bytes", "Bytes of the journal on disk.", bytes),
        Metric::gauge("journal_entries", "Entries of the journal.", entries),
        Metric::gauge("log_leaves", "Statements in the unit's log.", leaves),
        Metric::gauge(
            "months_closed",
            "Rollups made, revisions included.",
            books.rollups().len() as u64,
        ),
        Metric::gauge(
            "outbox_waiting",
            "Submitted rollups on which the parent has not decided.",
            waiting,
        ),
        Metric::gauge(
            "outbox_oldest_seconds",
            "How long the oldest of these has waited since it was submitted.",
            oldest.map_or(0, |since| seconds(since, now)),
        ),
        Metric::gauge(
            "below_changed",
            "Reports from below that came after this unit closed their month, and that no revision \
             of its own has taken up.",
            below::changed(books).len() as u64,
        ),
    ]
}

/// Delivery and decision are two things: what did not go out is for whoever is on call, what waits
/// for a decision is not.
fn of_outbox(books: &Books, sent: &Sent, now: DateTime<Utc>) -> [Metric; 2] {
    let oldest = unsent(books, sent).filter_map(|own| own.submitted()).min();
    [
        Metric::gauge(
            "outbox_unsent",
            "Submitted rollups that did not go out since the node started.",
            unsent(books, sent).count() as u64,
        ),
        Metric::gauge(
            "outbox_unsent_oldest_seconds",
            "How long the oldest of these has waited since it was submitted.",
            oldest.map_or(0, |since| seconds(since, now)),
        ),
    ]
}

fn of_link(link: &LinkSeen, now: DateTime<Utc>) -> [Metric; 4] {
    let down = if link.is_up() {
        0
    } else {
        seconds(link.since, now)
    };
    [
        Metric::gauge(
            "link_up",
            "1 if messages go through to the NATS server.",
            u64::from(link.is_up()),
        ),
        Metric::gauge(
            "link_down_seconds",
            "How long the NATS server has not been reached, 0 if it is.",
            down,
        ),
        Metric::gauge(
            "link_no_leader",
            "1 if the NATS servers have no leader for a stream or consumer of this unit.",
            u64::from(link.status() == LinkStatus::NoLeader),
        ),
        Metric::gauge(
            "link_rejected",
            "1 if the NATS servers do not take what this unit sends: no room, or not its subject.",
            u64::from(link.status() == LinkStatus::Rejected),
        ),
    ]
}

fn of_node(books: &Books, node: &NodeState) -> Vec<Metric> {
    let (_, _, rebuilt) = books.size();
    let full = node.journal == JournalState::Full;
    let poisoned = node.journal == JournalState::Poisoned;
    vec![
        Metric::gauge(
            "contradictions",
            "Contradictions kept as evidence.",
            books.contradictions().len() as u64,
        ),
        Metric::gauge(
            "view_rebuilt",
            "1 if the view was rebuilt at start.",
            u64::from(rebuilt),
        ),
        Metric::gauge(
            "view_in_memory",
            "1 if the disk takes no view until the next start.",
            u64::from(node.view_in_memory),
        ),
        Metric::gauge(
            "journal_full",
            "1 if the last write found the disk full.",
            u64::from(full),
        ),
        Metric::gauge(
            "journal_poisoned",
            "1 if the disk failed: restart.",
            u64::from(poisoned),
        ),
        Metric::gauge(
            "node_key_unusable",
            "1 if the registry does not let the node's key sign.",
            u64::from(books.node_key() != NodeKey::Registered),
        ),
        Metric::gauge(
            "clock_behind_seconds",
            "By how much the clock is behind what was recorded last.",
            node.clock_behind,
        ),
    ]
}
