//! Whether a catalogue can follow another one, and what each change means (SPEC 5, Succession).
//!
//! A unit carries its stocks from month to month, takes events of earlier months back, and folds
//! what was recorded years ago into what is true of a person today. So a new catalogue must give
//! everything that an old one counted or recorded a place. What it may not do stops it before it
//! is signed; what it may do and people should know is told.

mod change;
mod figures;
mod records;

pub use change::{CODES, Change, ChangeKind, Weight};

use crate::catalogue::Catalogue;

/// All changes from `old` to `new`: those that may not be first, each list in the order of the
/// catalogue.
pub fn changes(old: &Catalogue, new: &Catalogue) -> Vec<Change> {
    let mut all = Vec::new();
    let mut add = |place: &str, kind: ChangeKind| all.push(Change::new(place, kind));
    if new.version <= old.version {
        let (old, new) = (old.version, new.version);
        add("catalogue", ChangeKind::Version { old, new });
    }
    if new.id != old.id {
        add("catalogue", ChangeKind::Name);
    }
    records::compare(old, new, &mut add);
    figures::compare(old, new, &mut add);
    all.sort_by_key(|change| change.kind().weight());
    all
}

/// All changes to `new`, where nodes have counted by all of these: from the newest one everything,
/// from older ones what may not be, and stocks that were left out and come back.
pub fn changes_from_all(earlier: &[Catalogue], new: &Catalogue) -> Vec<Change> {
    let Some(last) = earlier.iter().max_by_key(|c| c.version) else {
        return Vec::new();
    };
    let mut all = changes(last, new);
    for old in earlier {
        let these = changes(old, new);
        let stops = these
            .into_iter()
            .filter(|c| c.kind().weight() == Weight::Refused);
        all.extend(stops);
        let stocks = old.indicators.iter().filter(|i| i.kind.is_stock());
        let has = |c: &Catalogue, id: &str| c.indicators.iter().any(|i| i.id == id);
        let back = stocks.filter(|i| !has(last, &i.id) && has(new, &i.id));
        let place = |id: &str| format!("indicator {id}");
        all.extend(back.map(|i| Change::new(&place(&i.id), ChangeKind::StockReturns)));
    }
    let mut told = Vec::new();
    all.retain(|change| {
        let new = !told.contains(change);
        told.push(change.clone());
        new
    });
    all.sort_by_key(|change| change.kind().weight());
    all
}

/// Whether `new` can follow `old`: each stock is carried on, and whatever was recorded by `old` can
/// be counted and taken back by `new`.
///
/// # Errors
/// The first change that may not be.
pub fn follows(old: &Catalogue, new: &Catalogue) -> Result<(), Change> {
    let first = changes(old, new).into_iter().next();
    match first.filter(|change| change.kind().weight() == Weight::Refused) {
        Some(change) => Err(change),
        None => Ok(()),
    }
}

/// Whether reports by these two can be added: one is the other, or follows it.
pub fn comparable(a: &Catalogue, b: &Catalogue) -> bool {
    let (older, newer) = if a.version <= b.version {
        (a, b)
    } else {
        (b, a)
    };
    older == newer || follows(older, newer).is_ok()
}
