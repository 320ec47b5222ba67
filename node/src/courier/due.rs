//! Which rollups are due, and on which way each goes: that of its month.
//!
//! A unit that was put under another parent sends its new months the new way. Whoever stands on it
//! has none of its log yet, and a month is checked from the log's beginning, so what was sent
//! another way goes with the first of them; and the other way round, where the old parent asks for
//! a revision of an old month, what the new one has got meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use protocol::digest::Digest;
use protocol::period::Month;
use protocol::receipt::Receipt;

use crate::books::{Books, OwnRollup};
use crate::fault::{Faults, internal};
use crate::link::UnitPath;

/// How many months of reports, answered or not, go into a store that holds nothing: units further
/// up read them from there, and may not have done so yet. A year and the month that is being
/// reported.
const RESEND_MONTHS: usize = 13;

/// A rollup that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parcel {
    /// Which rollup.
    pub(super) rollup: (Month, u32),
    /// Which way.
    pub(super) path: UnitPath,
    /// The statement to begin with.
    pub(super) first: u64,
}

/// The way of a month: this unit's path in it.
///
/// # Errors
/// A node without a registry.
pub(super) fn path_in(books: &Books, month: Month) -> Result<UnitPath, Faults> {
    let registry = books.registry().ok_or_else(|| internal("no registry"))?;
    let path = registry.registry().path(books.unit(), month);
    UnitPath::new(path.iter().map(ToString::to_string)).map_err(internal)
}

/// The rollups that are to be sent now, in order. `is_due` says of each whether it has waited long
/// enough; into a `renewed` store goes everything recent.
///
/// # Errors
/// A node without a registry.
pub(super) fn due(
    books: &Books,
    is_due: &dyn Fn(&Digest) -> bool,
    renewed: bool,
) -> Result<Vec<Parcel>, Faults> {
    let waiting: Vec<&OwnRollup> = if renewed {
        recent(books)
    } else {
        books.outbox().collect()
    };
    let mut list = Vec::new();
    let mut sent = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for own in waiting.into_iter().filter(|o| is_due(&o.held().digest())) {
        let path = path_in(books, own.held().rollup.period)?;
        // Nobody is above it in this month.
        if path.parent().is_none() {
            continue;
        }
        let first = match sent.get(&path) {
            Some(first) => *first,
            None => known(books, &path, renewed.then_some(own))?,
        };
        let size = own.held().rollup.log.size;
        let mut first = first;
        for other in other_way(books, &path, first..size)?
            .into_iter()
            .chain([own])
        {
            let rollup = key(other);
            if taken.insert((path.clone(), rollup)) {
                let path = path.clone();
                list.push(Parcel {
                    rollup,
                    path,
                    first,
                });
            }
            first = first.max(other.held().rollup.log.size);
        }
        sent.insert(path, first);
    }
    Ok(list)
}

fn key(own: &OwnRollup) -> (Month, u32) {
    (own.held().rollup.period, own.held().rollup.revision)
}

/// Everything that was submitted lately.
fn recent(books: &Books) -> Vec<&OwnRollup> {
    let months: BTreeSet<Month> = books.rollups().keys().map(|(month, _)| *month).collect();
    let oldest = months.iter().rev().take(RESEND_MONTHS).next_back().copied();
    let submitted = books.rollups().values().filter(|o| o.submitted().is_some());
    submitted
        .filter(|o| Some(o.held().rollup.period) >= oldest || o.receipts().is_empty())
        .collect()
}

/// How many statements those on this way have: as many as the largest rollup that was answered this
/// way. Into a renewed store goes what is recent: what lies before the first of it was sent this
/// way already, or is older than what is sent again.
fn known(books: &Books, path: &UnitPath, begin: Option<&OwnRollup>) -> Result<u64, Faults> {
    let mut most = 0;
    let parent = path.parent().map(|above| above.unit().to_owned());
    let of_parent = |r: &Receipt| Some(r.parent.as_str()) == parent.as_deref();
    for own in books.rollups().values() {
        let answered = own.receipts().iter().any(|(r, _)| of_parent(r));
        let before = begin.is_none_or(|first| key(own) < key(first));
        if answered && before && path_in(books, own.held().rollup.period)? == *path {
            most = most.max(own.held().rollup.log.size);
        }
    }
    Ok(most)
}

/// What was submitted another way and lies in this part of the log, in the order in which it was
/// sealed.
fn other_way<'a>(
    books: &'a Books,
    path: &UnitPath,
    part: std::ops::Range<u64>,
) -> Result<Vec<&'a OwnRollup>, Faults> {
    let mut list = Vec::new();
    for own in books.rollups().values().filter(|o| o.submitted().is_some()) {
        let size = own.held().rollup.log.size;
        let within = part.start < size && size <= part.end;
        if within && path_in(books, own.held().rollup.period)? != *path {
            list.push(own);
        }
    }
    list.sort_by_key(|own| (own.held().rollup.log.size, key(own)));
    Ok(list)
}
