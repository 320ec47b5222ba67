//! A file of events from its bytes to what was recorded, and the correction of one event: the steps
//! in their order, for whoever asks.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::month::counting;
use super::record::{self, Imported, Recorded};
use crate::books::Books;
use crate::exchange::{self, Form};
use crate::fault::{FaultCode, Faults, internal};

/// How a file is to be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRequest {
    /// Full name of the recorder, `<unit>/<name>`.
    pub operator: String,
    /// The form of the file.
    pub form: Form,
    /// Event type of the file; a JSONL row may name its own.
    pub event: Option<String>,
    /// Record the good rows and report the others.
    pub valid_rows: bool,
    /// Only find what is wrong; record nothing.
    pub dry_run: bool,
}

/// Imports a file of events: all or nothing, or the good rows.
///
/// # Errors
/// What makes the file unreadable as a whole, or prevents recording altogether; faults of rows are
/// in the result.
pub fn import(
    books: &mut Books,
    request: &ImportRequest,
    file: &[u8],
    now: DateTime<Utc>,
) -> Result<Imported, Faults> {
    let counting = counting(books)?;
    let event = request.event.as_deref();
    let mut parsed = exchange::parse(file, request.form, event, &counting.catalogue)?;
    let days = record::day_faults(books, &parsed.broken, now)?;
    parsed.faults.extend(days);
    let (operator, drafts, faults) = (&request.operator, &parsed.drafts, parsed.faults);
    if request.dry_run {
        return record::dry_run(books, operator, drafts, faults, now);
    }
    record::record(books, operator, drafts, faults, request.valid_rows, now)
}

/// What replaces an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// Full name of the recorder, `<unit>/<name>`.
    pub operator: String,
    /// Log index of the event that is taken back.
    pub index: u64,
    /// A code of the catalogue.
    pub reason: String,
    /// The whole new event: `occurred_on` and all fields, as in an import.
    pub event: Map<String, Value>,
}

/// Replaces an event by another of the same type (E69): one taken back, one recorded, both or
/// neither.
///
/// # Errors
/// What is wrong with the new event, or why the old one cannot be taken back.
pub fn correct(
    books: &mut Books,
    correction: &Correction,
    now: DateTime<Utc>,
) -> Result<Recorded, Faults> {
    let counting = counting(books)?;
    let index = correction.index;
    let (target, _) = books.statement(index).map_err(|_| record::no_event())?;
    let line = serde_json::to_vec(&correction.event).map_err(internal)?;
    let event = Some(target.event.as_str());
    let mut parsed = exchange::parse(&line, Form::Jsonl, event, &counting.catalogue)?;
    if !parsed.faults.is_empty() {
        return Err(Faults(parsed.faults));
    }
    let draft = parsed
        .drafts
        .pop()
        .ok_or_else(|| Faults::one(FaultCode::FileEmpty, "没有内容", "nothing to record"))?;
    let (operator, reason) = (&correction.operator, &correction.reason);
    record::correct(books, operator, index, &draft, reason, now)
}
