//! A file of events from its bytes to what was recorded, and the correction of one event: the steps
//! in their order, for whoever asks.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::month::counting;
use super::record::{self, Imported, Recorded};
use crate::books::Books;
use crate::exchange::{self, Draft, Form};
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
    record::settle_numbers(books, &request.operator, &mut parsed)?;
    let days = record::day_faults(books, &parsed.broken, now)?;
    parsed.faults.extend(days);
    let (operator, valid_rows) = (&request.operator, request.valid_rows);
    let (drafts, faults) = (&parsed.drafts, std::mem::take(&mut parsed.faults));
    let mut imported = if request.dry_run {
        record::dry_run(books, operator, drafts, faults, valid_rows, now)
    } else {
        record::record(books, operator, drafts, faults, valid_rows, now)
    }?;
    imported.complete(&parsed);
    Ok(imported)
}

/// Imports several files, in their order, all or nothing: a fault in one refuses all. `valid_rows` of
/// the requests is not asked; `dry_run` and the operator are those of the first.
///
/// # Errors
/// What makes one of the files unreadable as a whole, or prevents recording altogether; faults of
/// rows are in the results.
pub fn import_set(
    books: &mut Books,
    files: &[(ImportRequest, Vec<u8>)],
    now: DateTime<Utc>,
) -> Result<Vec<Imported>, Faults> {
    let counting = counting(books)?;
    let Some((first, _)) = files.first() else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for (request, bytes) in files {
        let event = request.event.as_deref();
        let mut parsed = exchange::parse(bytes, request.form, event, &counting.catalogue)?;
        record::settle_numbers(books, &request.operator, &mut parsed)?;
        let days = record::day_faults(books, &parsed.broken, now)?;
        parsed.faults.extend(days);
        all.push(parsed);
    }
    if all.iter().map(|parsed| parsed.rows).sum::<u64>() > exchange::MAX_ROWS {
        return Err(exchange::too_many_rows());
    }
    let mut drafts = Vec::new();
    for parsed in &mut all {
        let faults = std::mem::take(&mut parsed.faults);
        drafts.push((parsed.drafts.as_slice(), faults));
    }
    let (operator, dry) = (&first.operator, first.dry_run);
    let mut results = record::record_set(books, operator, drafts, dry, now)?;
    for (imported, parsed) in results.iter_mut().zip(&all) {
        imported.complete(parsed);
    }
    Ok(results)
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
    /// What it is replaced by.
    pub change: Change,
    /// In the open month, although the event's own month is closed and could still be opened again.
    pub in_open_month: bool,
}

/// What an event is replaced by.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The whole new event: `occurred_on` and all fields, as in an import.
    Whole(Map<String, Value>),
    /// The old one with these fields changed, each named as a column of a file is; an empty value
    /// empties the field.
    Fields(Map<String, Value>),
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
    let index = correction.index;
    if !correction.in_open_month {
        record::not_in_unsent_report(books, index)?;
    }
    let draft = match &correction.change {
        Change::Whole(event) => whole(books, &correction.operator, index, event)?,
        Change::Fields(changes) => changed(books, index, changes)?,
    };
    let (operator, reason) = (&correction.operator, &correction.reason);
    record::correct(books, operator, index, &draft, reason, now)
}

/// The draft of a whole new event.
fn whole(
    books: &Books,
    operator: &str,
    index: u64,
    event: &Map<String, Value>,
) -> Result<Draft, Faults> {
    let counting = counting(books)?;
    let (target, _) = books.statement(index).map_err(|_| record::no_event())?;
    let line = serde_json::to_vec(event).map_err(internal)?;
    let event = Some(target.event.as_str());
    let mut parsed = exchange::parse(&line, Form::Jsonl, event, &counting.catalogue)?;
    record::settle_numbers(books, operator, &mut parsed)?;
    if !parsed.faults.is_empty() {
        return Err(Faults(parsed.faults));
    }
    let nothing = || {
        Faults::one(
            FaultCode::FileEmpty,
            "没有可更正的内容。",
            "nothing to record",
        )
    };
    parsed.drafts.pop().ok_or_else(nothing)
}

/// The draft of the old event with some of its fields changed. It is put together here, so that
/// whoever corrects one field needs not be sent the others.
fn changed(books: &Books, index: u64, changes: &Map<String, Value>) -> Result<Draft, Faults> {
    let counting = counting(books)?;
    let (target, payload) = books.statement(index).map_err(|_| record::no_event())?;
    let known = counting.catalogue.event(&target.event);
    let event = known.filter(|event| !event.system && target.voids().is_none());
    let Some(event) = event else {
        return Err(record::no_event());
    };
    let Some(payload) = payload else {
        return Err(Faults::one(
            FaultCode::CorrectFields,
            format!("无法读取第 {index} 号事件的字段：其私有记录可能已擦除；请给出完整的记录"),
            format!(
                "the fields of event {index} cannot be read: its record may be erased; give the \
                 whole event"
            ),
        ));
    };
    let old = (payload.on, &payload.fields());
    exchange::changed(event, old, changes, &counting.catalogue)
}
