//! The figures of a report, of this unit or of one below, as people read them.

use std::sync::Arc;

use protocol::catalogue::Catalogue;
use protocol::ids::UnitId;
use protocol::period::Month;
use protocol::readable::{FigureChange, ReadableReport, compare};
use protocol::rollup::HeldRollup;
use serde::{Deserialize, Serialize};

use crate::books::Books;
use crate::fault::{FaultCode, Faults, internal};

/// Which report. What is left out is the newest: of the own months the last revision of the last
/// month, of a unit below the accepted one, and where none is accepted the last that came.
#[derive(Debug, Clone, Default)]
pub struct WhichReport {
    /// Whose; this unit's own where it is left out.
    pub unit: Option<UnitId>,
    /// Month.
    pub month: Option<Month>,
    /// Revision.
    pub revision: Option<u32>,
}

/// Names a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedReport {
    /// Month.
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// Digest.
    pub digest: protocol::digest::Digest,
}

impl NamedReport {
    fn of(report: &ReadableReport) -> NamedReport {
        NamedReport {
            period: report.period,
            revision: report.revision,
            digest: report.digest,
        }
    }
}

/// Two reports of a unit, and what changed from one to the other: only figures that did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Whose.
    pub unit: UnitId,
    /// Name.
    pub name: String,
    /// What is compared with.
    pub before: NamedReport,
    /// What is looked at.
    pub after: NamedReport,
    /// The figures that changed, with the cells that changed.
    pub changes: Vec<FigureChange>,
}

/// The figures of a report.
///
/// # Errors
/// No such report here, or a catalogue that is not here.
pub fn figures(books: &Books, which: &WhichReport) -> Result<ReadableReport, Faults> {
    read(books, &*find(books, which)?)
}

/// A report as people read it.
///
/// # Errors
/// A catalogue that is not here: no report is taken without its own.
pub fn read(books: &Books, held: &HeldRollup) -> Result<ReadableReport, Faults> {
    let registry = books.registry().map(|registry| registry.registry());
    Ok(ReadableReport::of(
        held,
        catalogue_of(books, held)?,
        registry,
    ))
}

/// The catalogue that a report was counted by.
///
/// # Errors
/// As [`read`].
pub(super) fn catalogue_of<'b>(
    books: &'b Books,
    held: &HeldRollup,
) -> Result<&'b Catalogue, Faults> {
    let found = books.counting_by(&held.rollup.catalogue);
    let compiled = found.ok_or_else(|| internal("the catalogue of a report is not here"))?;
    Ok(&compiled.catalogue)
}

/// The report that was asked for.
///
/// # Errors
/// No such report here.
pub fn find(books: &Books, which: &WhichReport) -> Result<Arc<HeldRollup>, Faults> {
    let other = which.unit.as_ref().filter(|unit| *unit != books.unit());
    let found = match other {
        None => own(books, which),
        Some(unit) => below(books, unit, which),
    };
    found.ok_or_else(none)
}

/// There is no such report here.
pub(super) fn none() -> Faults {
    Faults::one(
        FaultCode::FiguresNone,
        "此处没有该单位、该月、该版次的月报",
        "there is no report of this unit, month and revision here",
    )
}

fn own(books: &Books, which: &WhichReport) -> Option<Arc<HeldRollup>> {
    let fits = |key: &(Month, u32)| {
        which.month.is_none_or(|month| key.0 == month)
            && which.revision.is_none_or(|revision| key.1 == revision)
    };
    let mut newest = books.rollups().iter().rev();
    let found = newest.find(|(key, _)| fits(key));
    found.map(|(_, own)| own.held().clone())
}

fn below(books: &Books, unit: &UnitId, which: &WhichReport) -> Option<Arc<HeldRollup>> {
    let child = books.child(unit)?;
    let newest = child.known().keys().next_back().map(|(month, _)| *month);
    let month = which.month.or(newest)?;
    match which.revision {
        Some(revision) => child.known().get(&(month, revision)).cloned(),
        None => child.accepted(month).or(child.latest(month)).cloned(),
    }
}

/// What changed between two revisions of a month; without revisions, between the last two.
///
/// # Errors
/// No such report here; a month of one revision only.
pub fn difference(
    books: &Books,
    unit: &UnitId,
    month: Month,
    revisions: Option<(u32, u32)>,
) -> Result<Difference, Faults> {
    let which = |revision| WhichReport {
        unit: Some(unit.clone()),
        month: Some(month),
        revision: Some(revision),
    };
    let (before, after) = match revisions {
        Some(two) => two,
        None => last_two(books, unit, month)?,
    };
    let before = figures(books, &which(before))?;
    Ok(between(&before, &figures(books, &which(after))?))
}

fn last_two(books: &Books, unit: &UnitId, month: Month) -> Result<(u32, u32), Faults> {
    let mut known: Vec<u32> = match books.child(unit) {
        Some(child) => {
            let of_month = child.known().range(month.revisions());
            of_month.map(|((_, revision), _)| *revision).collect()
        }
        None if unit == books.unit() => {
            let of_month = books.rollups().range(month.revisions());
            of_month.map(|((_, revision), _)| *revision).collect()
        }
        None => Vec::new(),
    };
    let (after, before) = (known.pop(), known.pop());
    before.zip(after).ok_or_else(|| {
        Faults::one(
            FaultCode::FiguresNone,
            "该月在此处不足两版，没有可比较的版次",
            "this month has fewer than two revisions here: there is nothing to compare",
        )
    })
}

/// What changed from one report to another.
pub fn between(before: &ReadableReport, after: &ReadableReport) -> Difference {
    let mut changes = compare(&before.figures, &after.figures);
    changes.retain(FigureChange::is_change);
    Difference {
        unit: after.unit.clone(),
        name: after.name.clone(),
        before: NamedReport::of(before),
        after: NamedReport::of(after),
        changes,
    }
}
