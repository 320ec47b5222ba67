//! `countersign import`: files of events into the open month.

use std::path::{Path, PathBuf};

use node::desk::record::Imported;
use node::fault::FaultCode;
use serde_json::json;

use super::arguments::ArgumentError;
use super::connect::Connection;
use super::output::{CommandResult, Failure, Output, fault_table, print, read, sayln, value};

/// Record files of events; every fault of a file is told
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign import 2023-03/*.csv --token-file chen.token\n\n\
    A file is recorded as a whole or not at all, unless --valid-rows is given. Files are taken in \
    the order in which they are\n\
    named; after a refused one the following are not tried, but for one without rows. One of which every row was recorded \
    before is passed over:\n\
    an import that was broken off is run again as it was. Files are UTF-8 or GB18030, CSV with a \
    heading or JSONL.\n\
    Rows are counted from 1, the heading included, as a spreadsheet shows them."
)]
pub struct Args {
    /// Files; the type is taken from a name like 14-E16.csv, the form from its ending
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Event type of all files, for example E16
    #[arg(long = "type", value_name = "TYPE", value_parser = event)]
    event: Option<String>,
    /// Form of all files
    #[arg(long, value_parser = ["csv", "jsonl"])]
    form: Option<String>,
    /// Record the good rows, and tell what is wrong with the others
    #[arg(long)]
    valid_rows: bool,
    /// Record nothing; tell what is wrong, as far as it shows before the earlier files are recorded
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    node: Connection,
}

fn event(text: &str) -> Result<String, ArgumentError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'_';
    if !text.is_empty() && text.bytes().all(allowed) {
        Ok(text.to_string())
    } else {
        Err(ArgumentError::EventType)
    }
}

/// The type in a file's name: a part of the form E and two digits.
fn type_of(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    let is_type =
        |w: &&str| w.len() == 3 && w.starts_with('E') && w[1..].bytes().all(|b| b.is_ascii_digit());
    stem.split(|c: char| !c.is_ascii_alphanumeric())
        .find(is_type)
        .map(str::to_string)
}

fn form_of(path: &Path) -> &'static str {
    let ending = path
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    if matches!(ending, "jsonl" | "ndjson") {
        "jsonl"
    } else {
        "csv"
    }
}

/// A file and what is known of it.
struct EventFile<'a> {
    path: &'a Path,
    form: &'a str,
    event: Option<String>,
    body: Vec<u8>,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let client = args.node.client()?;
    let files = read_files(args)?;
    let total = files.len();
    let mut answers = Vec::new();
    let mut good = true;
    for file in files {
        let event = file.event.as_deref();
        let imported = client
            .import(event, file.form, args.valid_rows, args.dry_run, &file.body)
            .map_err(|e| Failure::from(e).about(file.path))?;
        if !out.json {
            print_result(file.path, &imported, args.dry_run, out);
        }
        let whole = imported.faults.is_empty() || args.valid_rows;
        good &= imported.known || (imported.accepted && whole);
        answers.push(json!({
            "file": file.path,
            "accepted": imported.accepted,
            "known": imported.known,
            "recorded": value(&imported.recorded),
            "faults": value(&imported.faults),
        }));
        let passed = imported.known || is_empty(&imported);
        if !imported.accepted && !passed && !args.dry_run {
            break;
        }
    }
    let untried = total - answers.len();
    if untried > 0 {
        out.note(format!("{untried} further file(s) were not tried."));
    }
    if out.json {
        sayln!("{:#}", json!({ "files": answers, "not_tried": untried }));
    }
    Ok(good)
}

/// Whether the file has no row: the others need not wait for one that nothing is in.
fn is_empty(imported: &Imported) -> bool {
    let mut faults = imported.faults.iter();
    imported.recorded.is_empty() && faults.any(|f| f.code == FaultCode::FileEmpty)
}

/// Every file is there and has a type before the first one is recorded.
fn read_files(args: &Args) -> Result<Vec<EventFile<'_>>, Failure> {
    let mut files = Vec::new();
    for path in &args.files {
        let form = args.form.as_deref().unwrap_or_else(|| form_of(path));
        let event = args.event.clone().or_else(|| type_of(path));
        if event.is_none() && form == "csv" {
            return Err(Failure::usage(format!(
                "{}: which event type? Name the file like 14-E16.csv, or give --type",
                path.display()
            )));
        }
        let body = read(path)?;
        files.push(EventFile {
            path,
            form,
            event,
            body,
        });
    }
    Ok(files)
}

fn print_result(file: &Path, imported: &Imported, dry_run: bool, out: &Output) {
    if imported.known {
        sayln!(
            "– {}: passed over, its {} event(s) were all recorded before; what happened a second \
            time is told apart by a field / 略过：全部记录此前已经录入；确实发生两次的，请在字段中区分",
            file.display(),
            imported.faults.len()
        );
        return;
    }
    if !imported.faults.is_empty() {
        print(&fault_table(out.style, &imported.faults));
    }
    let name = file.display();
    let faults = imported.faults.len();
    match (imported.accepted, faults) {
        (true, 0) if dry_run => sayln!("✓ {name}: nothing is wrong with it / 没有发现错误"),
        (true, 0) => sayln!(
            "✓ {name}: {} event(s) recorded{} / 已记录",
            imported.recorded.len(),
            span(imported)
        ),
        (true, n) => sayln!(
            "! {name}: {} event(s) recorded{}, {n} fault(s) in the others",
            imported.recorded.len(),
            span(imported)
        ),
        (false, n) => sayln!("✗ {name}: {n} fault(s), nothing was recorded / 有错误,未记录"),
    }
    let late = imported
        .recorded
        .iter()
        .filter(|r| r.late.is_some())
        .count();
    if late > 0 {
        sayln!(
            "  {late} of them belong to a month that is closed: they count in the open one, as \
                late entries (补录)"
        );
    }
}

fn span(imported: &Imported) -> String {
    match (imported.recorded.first(), imported.recorded.last()) {
        (Some(first), Some(last)) => format!(
            " in {}, log index {} to {}",
            first.period, first.index, last.index
        ),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_forms_are_guessed_from_names() {
        for (name, found) in [
            ("03-E16.csv", Some("E16")),
            ("E05.jsonl", Some("E05")),
            ("a/2023-04 E31 培训.csv", Some("E31")),
            ("E016.csv", None),
            ("events.csv", None),
        ] {
            assert_eq!(type_of(Path::new(name)).as_deref(), found, "{name}");
        }
        assert_eq!(
            (
                form_of(Path::new("a.jsonl")),
                form_of(Path::new("a.CSV")),
                form_of(Path::new("a"))
            ),
            ("jsonl", "csv", "csv")
        );
    }
}
