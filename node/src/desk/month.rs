//! Which month is open, and by which catalogue it is counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::compiled::CompiledCatalogue;
use protocol::digest::Digest;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::registry::Unit;
use protocol::succession;

use crate::books::{Books, OwnRollup};
use crate::fault::{FaultCode, Faults, internal};

/// A month of this unit with what counting it needs: looked up once and handed down.
#[derive(Debug, Clone)]
pub(super) struct UnitMonth {
    /// The month.
    pub(super) period: Month,
    /// This unit.
    pub(super) unit: Unit,
    /// The catalogue that the month is counted by.
    pub(super) counting: Arc<CompiledCatalogue>,
}

impl UnitMonth {
    /// The open month.
    pub(super) fn open(books: &Books) -> Result<UnitMonth, Faults> {
        UnitMonth::of(books, open_month(books)?)
    }

    /// Any month in which this unit exists.
    pub(super) fn of(books: &Books, period: Month) -> Result<UnitMonth, Faults> {
        let unit = not_ended(books, period)?.clone();
        Ok(UnitMonth {
            period,
            counting: counting_of(books, period)?,
            unit,
        })
    }
}

/// This unit, if a month is not behind its last one. Whatever else stands against a month, waiting
/// for it or closing others first, is no help to a unit that has ended.
///
/// # Errors
/// A node without a registry, or a unit that has ended.
pub(super) fn not_ended(books: &Books, period: Month) -> Result<&Unit, Faults> {
    let unit = books.me().ok_or_else(no_registry)?;
    match unit.until().filter(|until| *until < period) {
        Some(until) => Err(ended(unit, until)),
        None => Ok(unit),
    }
}

/// The month that events are recorded in: the earliest one that the parent wants a new revision of,
/// or else the one after the last closed one. Months that were closed over an earlier one that is
/// made anew follow it in their order, so that each begins from the stocks of the one before.
///
/// # Errors
/// A node without a registry.
pub fn open_month(books: &Books) -> Result<Month, Faults> {
    let me = books.me().ok_or_else(no_registry)?;
    if let Some(asked) = asked_for(books).first() {
        return Ok(*asked);
    }
    match books.rollups().keys().next_back() {
        None => Ok(me.since),
        Some((last, _)) => last.next().ok_or_else(|| internal("the calendar ends")),
    }
}

/// The months whose last revision was returned, rejected or opened again, the earliest first: each
/// is to be closed again, in this order.
pub fn asked_for(books: &Books) -> Vec<Month> {
    let mut last: BTreeMap<Month, &OwnRollup> = BTreeMap::new();
    last.extend(
        books
            .rollups()
            .iter()
            .map(|((month, _), own)| (*month, own)),
    );
    let asked = |own: &OwnRollup| own.decision().is_some_and(Decision::asks_for_revision);
    let months = last.into_iter().filter(|(_, own)| asked(own));
    months.map(|(month, _)| month).collect()
}

/// The catalogue of the open month.
///
/// # Errors
/// A node without a registry or a catalogue.
pub fn counting(books: &Books) -> Result<Arc<CompiledCatalogue>, Faults> {
    counting_of(books, open_month(books)?)
}

/// The catalogue of any month: the one that its first statement was recorded by, or that it was
/// closed by before; else the newest one that the accepted children counted by; else the newest.
///
/// Of the last two only one that can follow the catalogue of the month before: where a catalogue was
/// signed that cannot, the unit goes on counting by the one that it has, and closes.
pub(super) fn counting_of(books: &Books, month: Month) -> Result<Arc<CompiledCatalogue>, Faults> {
    let log = books.log().ok_or_else(no_registry)?;
    let known = || books.catalogues().iter().map(|(counting, _)| counting);
    let named = |digest: Digest| books.counting_by(&digest);
    let closed_by = |month: Month| {
        let mut revisions = books.rollups().range(month.revisions());
        revisions
            .next_back()
            .map(|(_, own)| own.held().rollup.catalogue)
    };
    let fixed = log.month(month).catalogue.or_else(|| closed_by(month));
    let before = month.prev().and_then(closed_by).and_then(named);
    let may = |c: &&Arc<CompiledCatalogue>| {
        let follows = |old: &Arc<CompiledCatalogue>| {
            old.digest == c.digest || succession::follows(&old.catalogue, &c.catalogue).is_ok()
        };
        before.is_none_or(follows)
    };
    let theirs = || {
        // Who has accepted a month's rollup is the parent in it.
        let accepted = books.children().values().filter_map(|c| c.accepted(month));
        let used = accepted.filter_map(|held| named(held.rollup.catalogue));
        used.filter(may).max_by_key(|c| c.catalogue.version)
    };
    let found = match fixed {
        Some(digest) => named(digest),
        None => theirs().or_else(|| known().rev().find(may)).or(before),
    };
    found.cloned().ok_or_else(|| {
        Faults::one(
            FaultCode::NodeCatalogue,
            "节点还没有指标目录",
            "the node has no catalogue yet",
        )
    })
}

/// Nothing can be done before somebody published a registry to this node.
pub(super) fn no_registry() -> Faults {
    Faults::one(
        FaultCode::NodeRegistry,
        "节点还没有登记册;请先放入 published 目录",
        "the node has no registry yet; put it into the published directory",
    )
}

/// The unit has closed its last month: there is no other to record in.
fn ended(unit: &Unit, until: Month) -> Faults {
    let successors: Vec<&str> = unit.successors().iter().map(|u| u.as_str()).collect();
    let (zh, en) = match successors.as_slice() {
        [] => (String::new(), String::new()),
        [id] => (format!("，由 {id} 承接"), format!("; {id} carries on")),
        ids => (
            format!("，由 {} 承接", ids.join("、")),
            format!("; {} carry on", ids.join(", ")),
        ),
    };
    Faults::one(
        FaultCode::NodeEnded,
        format!("按单位名录，本单位的最后一个月是 {until}，此后不再报告{zh}"),
        format!("by the registry {until} was the last month of this unit{en}"),
    )
}
