//! The drafts of a file: recorded in the order of their days, all or nothing or the good ones, with
//! every row accounted for.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Recording;
use super::batch::Batch;
use super::draft::{Recorded, Unrecorded};
use crate::books::Books;
use crate::exchange::{Draft, Parsed, SkipReason, Skipped};
use crate::fault::{Fault, Faults};

/// The result of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Recorded rows; empty where the file was refused.
    pub recorded: Vec<Recorded>,
    /// Every fault.
    pub faults: Vec<Fault>,
    /// What is doubtful in rows that are recorded all the same.
    #[serde(default)]
    pub warnings: Vec<Fault>,
    /// Rows that were passed over: titles, totals, and what was recorded before.
    #[serde(default)]
    pub skipped: Vec<Skipped>,
    /// Columns that were read over, as the file names them.
    #[serde(default)]
    pub ignored: Vec<String>,
    /// What became of how many rows.
    #[serde(default)]
    pub counts: Counts,
    /// Whether anything was recorded, or would be in a run without recording.
    pub accepted: bool,
    /// Whether every row was recorded before, so that nothing of the file is left to be recorded:
    /// where an import was broken off, that of a file that had gone through.
    #[serde(default)]
    pub known: bool,
    /// The name by which all that was recorded together can be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
}

/// What became of the rows of a file: recorded, skipped and refused add up to all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows in which something stands, the heading not counted.
    pub rows: u64,
    /// Recorded, or fit to be in a run without recording.
    pub recorded: u64,
    /// Passed over: no events, or recorded before.
    pub skipped: u64,
    /// Not recorded: what is wrong, and what is right in a file that is refused as a whole.
    pub refused: u64,
    /// Of the refused ones, those that are wrong.
    pub faulty: u64,
}

impl Imported {
    /// Brings in what the reader found: rows that are no events, and how the file calls its
    /// columns.
    pub(in crate::desk) fn complete(&mut self, parsed: &Parsed) {
        self.skipped.extend(&parsed.skipped);
        self.skipped.sort_by_key(|skipped| skipped.row);
        self.ignored.clone_from(&parsed.ignored);
        for fault in self.faults.iter_mut().chain(&mut self.warnings) {
            let column = fault.column.as_deref();
            if let Some(heading) = column.and_then(|column| parsed.names.get(column)) {
                fault.column = Some(heading.clone());
            }
        }
        self.counts.rows = parsed.rows;
        self.counts.skipped = self.skipped.len() as u64;
        let taken = self.counts.recorded + self.counts.skipped;
        self.counts.refused = parsed.rows.saturating_sub(taken);
    }
}

/// What came of the drafts of a file.
#[derive(Default)]
struct Outcome {
    recorded: Vec<Recorded>,
    before: Vec<Skipped>,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
}

impl Outcome {
    fn of(recording: &mut Recording, drafts: &[Draft], faults: Vec<Fault>) -> Outcome {
        let mut outcome = Outcome {
            faults,
            ..Outcome::default()
        };
        // Lists are kept newest first as often as not: the day decides, and the row on one day.
        let mut by_day: Vec<&Draft> = drafts.iter().collect();
        by_day.sort_by_key(|draft| draft.on);
        for draft in by_day {
            match recording.try_add(draft, None) {
                Ok(recorded) => outcome.recorded.push(recorded),
                Err(Unrecorded::Wrong(more)) => outcome.faults.extend(more),
                Err(Unrecorded::Before(index)) => outcome.before.push(Skipped {
                    row: draft.row,
                    reason: SkipReason::Recorded,
                    index: Some(index),
                }),
            }
        }
        outcome.recorded.sort_by_key(|recorded| recorded.row);
        outcome.faults.sort_by_key(|fault| fault.row);
        outcome.warnings = std::mem::take(&mut recording.doubts);
        outcome.warnings.sort_by_key(|warning| warning.row);
        outcome
    }

    /// Whether the good ones may be recorded.
    fn may_record(&self, valid_rows: bool) -> bool {
        !self.recorded.is_empty() && (self.faults.is_empty() || valid_rows)
    }

    /// The result, with what was recorded or would be.
    fn into_imported(mut self, valid_rows: bool) -> Imported {
        let accepted = self.may_record(valid_rows);
        if !accepted {
            self.recorded.clear();
            self.warnings.clear();
        }
        let faulty: BTreeSet<u64> = self.faults.iter().filter_map(|fault| fault.row).collect();
        let counts = Counts {
            recorded: self.recorded.len() as u64,
            faulty: faulty.len() as u64,
            ..Counts::default()
        };
        Imported {
            known: self.recorded.is_empty() && self.faults.is_empty() && !self.before.is_empty(),
            recorded: self.recorded,
            faults: self.faults,
            warnings: self.warnings,
            skipped: self.before,
            ignored: Vec::new(),
            counts,
            accepted,
            batch: None,
        }
    }
}

/// Records drafts. All or nothing, unless `valid_rows` takes the good ones. What is recorded already
/// is passed over, so that a file can be imported again; what repeats itself within the file is a
/// fault.
///
/// # Errors
/// What prevents recording altogether; faults of rows are in the result.
pub fn record(
    books: &mut Books,
    operator: &str,
    drafts: &[Draft],
    faults: Vec<Fault>,
    valid_rows: bool,
    now: DateTime<Utc>,
) -> Result<Imported, Faults> {
    let mut recording = Recording::begin(books, Some(operator), now)?;
    let outcome = Outcome::of(&mut recording, drafts, faults);
    let batch = Batch::of(outcome.recorded.iter().map(|r| r.index));
    if outcome.may_record(valid_rows) {
        let entries = recording.finish()?;
        books.commit(entries)?;
    }
    let mut imported = outcome.into_imported(valid_rows);
    imported.batch = batch.filter(|_| imported.accepted).map(|b| b.to_string());
    Ok(imported)
}

/// Records the drafts of several files, in their order, all or nothing: a fault in one refuses all.
/// `dry` records nothing. Files of which everything was recorded before refuse nothing.
///
/// # Errors
/// What prevents recording altogether; faults of rows are in the results.
pub fn record_set(
    books: &mut Books,
    operator: &str,
    files: Vec<(&[Draft], Vec<Fault>)>,
    dry: bool,
    now: DateTime<Utc>,
) -> Result<Vec<Imported>, Faults> {
    let mut recording = if dry {
        Recording::dry(books, operator, now)
    } else {
        Recording::begin(books, Some(operator), now)
    }?;
    let mut outcomes: Vec<Outcome> = Vec::new();
    for (drafts, faults) in files {
        outcomes.push(Outcome::of(&mut recording, drafts, faults));
    }
    let good = outcomes.iter().all(|outcome| outcome.faults.is_empty());
    let indexes = outcomes.iter().flat_map(|outcome| &outcome.recorded);
    let batch = Batch::of(indexes.map(|recorded| recorded.index)).filter(|_| good && !dry);
    if batch.is_some() {
        let entries = recording.finish()?;
        books.commit(entries)?;
    }
    let result = |mut outcome: Outcome| {
        if !good {
            outcome.recorded.clear();
        }
        let mut imported = outcome.into_imported(false);
        imported.known &= good;
        imported.batch = batch.filter(|_| imported.accepted).map(|b| b.to_string());
        if dry {
            imported.recorded.clear();
        }
        imported
    };
    Ok(outcomes.into_iter().map(result).collect())
}

/// Finds everything that is wrong with drafts and records nothing: the result counts what would be
/// recorded.
///
/// # Errors
/// What prevents recording altogether.
pub fn dry_run(
    books: &Books,
    operator: &str,
    drafts: &[Draft],
    faults: Vec<Fault>,
    valid_rows: bool,
    now: DateTime<Utc>,
) -> Result<Imported, Faults> {
    let mut recording = Recording::dry(books, operator, now)?;
    let outcome = Outcome::of(&mut recording, drafts, faults);
    let mut imported = outcome.into_imported(valid_rows);
    imported.recorded.clear();
    Ok(imported)
}
