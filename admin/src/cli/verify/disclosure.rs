//! A disclosure: chosen fields of one event, with the proof that they are what was recorded.

use std::path::Path;
use std::time::Instant;

use node::fault::FaultCode;
use protocol::evidence::disclosure::{self, Disclosure};
use protocol::evidence::file::Opened;
use protocol::evidence::{EvidenceSource as _, report};
use protocol::note::{Note, VerifierKey};
use protocol::statement::Statement;
use serde_json::{Value, json};

use super::threads::threads;
use crate::cli::output::{
    CommandResult, Failure, Output, one_line, print, read, sayln, seconds, value,
};
use crate::on_disk::OnDisk;

/// Checks a disclosure by itself, and against the unit's evidence where it is given.
///
/// # Errors
/// A file that is no disclosure, or one that does not hold.
pub fn check(
    file: &Path,
    evidence: Option<&Path>,
    root: &[VerifierKey],
    out: &Output,
) -> CommandResult {
    let start = Instant::now();
    let d = read_disclosure(file)?;
    let statement = disclosure::verify(&d, root).map_err(|e| {
        let mut failure = Failure::of(format!("{}: {e}", file.display()));
        if failure.code.is_empty() {
            failure.code = FaultCode::DisclosureFails.to_string();
        }
        failure
    })?;
    let reported = evidence
        .map(|path| reported(&d, file, path, root))
        .transpose()?;
    out.answer(answer(&d, &statement, reported), || {
        print_event(&d, &statement, reported.is_some());
        print_fields(&d, &statement, out);
        print_row(&d);
        print_whether_it_counts(reported);
        sayln!("checked in {}", seconds(start.elapsed()));
    });
    Ok(true)
}

fn read_disclosure(file: &Path) -> Result<Disclosure, Failure> {
    serde_json::from_slice(&read(file)?).map_err(|e| {
        let message = format!("{}: not a disclosure: {e}", file.display());
        Failure::coded(FaultCode::DisclosureMalformed, message)
    })
}

fn answer(d: &Disclosure, statement: &Statement, reported: Option<Option<u64>>) -> Value {
    let fields: Vec<Value> = d
        .fields
        .iter()
        .map(|f| json!({ "name": &f.field.1, "value": value(&f.field.2) }))
        .collect();
    json!({
        "holds": true,
        "reported": reported.is_some(),
        "voided_by": reported.flatten(),
        "unit": d.unit,
        "index": d.index,
        "statement": value(statement),
        "fields": fields,
        "row": d.row.as_ref().map(|r| &r.columns),
    })
}

fn print_event(d: &Disclosure, statement: &Statement, reported: bool) {
    let (event, recorded) = (one_line(&statement.event), one_line(&statement.recorded));
    sayln!(
        "✓ event {} of {}: {event} in {}, recorded {recorded}",
        d.index,
        d.unit,
        statement.period
    );
    if reported {
        sayln!("✓ it is in the log that the unit reported from, as the evidence has it");
    } else {
        sayln!("✓ it is in a log whose checkpoint the unit signed");
    }
}

fn print_fields(d: &Disclosure, statement: &Statement, out: &Output) {
    if let Some(clear) = statement.fields() {
        let mut rows = out.table(&["public field", "value"]);
        for (name, v) in clear {
            rows.add_row([one_line(name), text(&value(v))]);
        }
        print(&rows);
    }
    if !d.fields.is_empty() {
        sayln!("✓ {} field(s) are what was recorded:", d.fields.len());
        let mut rows = out.table(&["field", "value"]);
        for f in &d.fields {
            rows.add_row([one_line(&f.field.1), text(&value(&f.field.2))]);
        }
        print(&rows);
    }
}

fn print_row(d: &Disclosure) {
    let Some(row) = &d.row else { return };
    // A block that the event does not count in says so in a column `-` of its own.
    let columns = row.columns.iter().map(String::as_str);
    let counted: Vec<&str> = columns.filter(|c| !c.ends_with(":-")).collect();
    sayln!(
        "✓ its commitment opens to a row of {} blocks; it counts in {}:",
        row.columns.len(),
        counted.len()
    );
    counted.iter().for_each(|c| sayln!("    {c}"));
}

fn print_whether_it_counts(reported: Option<Option<u64>>) {
    match reported {
        Some(Some(by)) => sayln!("! event {by} took it back: it does not count"),
        Some(None) => sayln!("✓ no later statement in the evidence takes it back"),
        None => sayln!(
            "! Not compared with what was reported. Whether this is the log that the parent saw, \
             and whether the event was taken back later, the unit's evidence tells: give --evidence"
        ),
    }
}

/// Whether the evidence holds and has this very statement; if a later one took it back, which.
fn reported(
    d: &Disclosure,
    file: &Path,
    evidence: &Path,
    root: &[VerifierKey],
) -> Result<Option<u64>, Failure> {
    let opened = Opened::new(OnDisk::open(evidence).map_err(Failure::file(evidence))?)?;
    if !report::verify_on(threads(), &opened, root)?.holds() {
        let message = format!(
            "{}: its checks do not hold; verify it by itself first",
            evidence.display()
        );
        return Err(Failure::coded(FaultCode::DisclosureEvidence, message));
    }
    let mut found = false;
    let mut voided = None;
    let mut index = 0;
    for n in 0.. {
        let Some(entries) = opened.bundle(&d.unit, n)? else {
            break;
        };
        for entry in entries.iter() {
            if index == d.index {
                found = entry == d.statement.as_bytes();
            }
            if voids(entry) == Some(d.index) {
                voided = Some(index);
            }
            index += 1;
        }
    }
    if !found {
        let message = format!(
            "{}: {} reported another statement {}, or none, by {}",
            file.display(),
            d.unit,
            d.index,
            evidence.display()
        );
        return Err(Failure::coded(FaultCode::DisclosureOther, message));
    }
    Ok(voided)
}

/// Which event a statement takes back.
fn voids(entry: &[u8]) -> Option<u64> {
    // What verified is a statement.
    let note = Note::parse(entry).ok()?;
    let statement = Statement::parse(note.text()).ok()?;
    statement.voids().map(|v| v.index)
}

fn text(value: &serde_json::Value) -> String {
    one_line(
        &value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_string),
    )
}
