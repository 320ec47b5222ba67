//! `countersign import`: files of events into the open month.

mod faults;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use node::desk::record::Imported;
use node::exchange::SkipReason;
use serde_json::json;

use super::arguments::ArgumentError;
use super::connect::Connection;
use crate::api::Client;

use super::output::{CommandResult, Failure, Output, read, sayln, value};

/// Record files of events; every fault of a file is told
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  countersign import 2023-03/*.csv --token-file chen.token\n  \
    countersign import E16.xlsx --faults E16-faults.xlsx\n  \
    countersign import --take-back 812-830 --reason duplicate\n\n\
    A file is recorded as a whole or not at all, unless --valid-rows is given. Files are taken in \
    the order in which they are\n\
    named; after a refused one the others are tried all the same. Rows that were recorded before \
    are passed over: an import\n\
    that was broken off, or of which one file was refused, is run again as it was. Files are UTF-8, \
    UTF-16 or GB18030, CSV\n\
    with a heading or JSONL, or workbooks (XLSX; `countersign template` writes empty ones). Rows are counted from 1, the heading included, as a spreadsheet shows \
    them."
)]
pub struct Args {
    /// Files; the type is taken from a name like 14-E16.csv, the form from its ending
    #[arg(required_unless_present = "take_back")]
    files: Vec<PathBuf>,
    /// Event type of all files, for example E16
    #[arg(long = "type", value_name = "TYPE", value_parser = event)]
    event: Option<String>,
    /// Form of all files
    #[arg(long, value_parser = ["csv", "jsonl", "xlsx"])]
    form: Option<String>,
    /// Record the good rows, and tell what is wrong with the others
    #[arg(long)]
    valid_rows: bool,
    /// Record all files or none: a fault in one refuses all
    #[arg(long, conflicts_with = "valid_rows")]
    all_or_nothing: bool,
    /// Write a copy of the one file with its faults beside the rows (.csv or .xlsx)
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Take back all that an import recorded, by the batch that it told at its end
    #[arg(long, value_name = "BATCH", requires = "reason", conflicts_with_all = ["files", "dry_run"])]
    take_back: Option<String>,
    /// Why it is taken back: code or label
    #[arg(long, requires = "take_back")]
    reason: Option<String>,
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
    match ending.to_ascii_lowercase().as_str() {
        "jsonl" | "ndjson" => "jsonl",
        "xlsx" | "xlsm" | "xls" => "xlsx",
        _ => "csv",
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
    if let (Some(batch), Some(reason)) = (&args.take_back, &args.reason) {
        return take_back(&client, batch, reason, out);
    }
    if args.faults.is_some() && args.files.len() != 1 {
        return Err(Failure::usage("--faults is for one file at a time"));
    }
    let files = read_files(args)?;
    let results = if args.all_or_nothing {
        import_set(&client, &files, args.dry_run)?
    } else {
        import_each(&client, &files, args, out)?
    };
    let mut good = true;
    let mut answers = Vec::new();
    for (file, imported) in files.iter().zip(&results) {
        if !out.json && args.all_or_nothing {
            print_result(file.path, imported, args.dry_run, out);
        }
        if let Some(path) = &args.faults
            && !imported.faults.is_empty()
        {
            faults::save(path, &file.body, &imported.faults)?;
            out.note(format!("错误写在 / the faults stand in {}", path.display()));
        }
        let whole = imported.faults.is_empty() || args.valid_rows;
        good &= imported.known || (imported.accepted && whole);
        answers.push(json!({ "file": file.path, "result": value(imported) }));
    }
    if out.json {
        sayln!("{:#}", json!({ "files": answers }));
    }
    Ok(good)
}

/// One file after the other, whatever becomes of those before.
fn import_each(
    client: &Client,
    files: &[EventFile],
    args: &Args,
    out: &Output,
) -> Result<Vec<Imported>, Failure> {
    let mut results = Vec::new();
    for (at, file) in (1..).zip(files) {
        if files.len() > 1 && std::io::stderr().is_terminal() {
            out.note(format!("{at}/{} {}", files.len(), file.path.display()));
        }
        let event = file.event.as_deref();
        let imported = client
            .import(event, file.form, args.valid_rows, args.dry_run, &file.body)
            .map_err(|e| Failure::from(e).about(file.path))?;
        if !out.json {
            print_result(file.path, &imported, args.dry_run, out);
        }
        results.push(imported);
    }
    Ok(results)
}

/// All files or none, in one request.
fn import_set(
    client: &Client,
    files: &[EventFile],
    dry_run: bool,
) -> Result<Vec<Imported>, Failure> {
    let each = files.iter().map(|file| {
        json!({ "type": file.event, "form": file.form, "content": STANDARD.encode(&file.body) })
    });
    let request = json!({ "files": each.collect::<Vec<_>>(), "dry_run": dry_run });
    let results = client.import_set(&request)?;
    if results.len() != files.len() {
        // What is wrong with one file as a whole is told without the others.
        let faults = results.into_iter().flat_map(|r| r.faults).collect();
        return Err(Failure::of_faults(
            faults,
            "整批没有录入 / nothing was recorded",
        ));
    }
    Ok(results)
}

fn take_back(client: &Client, batch: &str, reason: &str, out: &Output) -> CommandResult {
    let voided = client.void_batch(batch, reason)?;
    out.answer(json!({ "batch": batch, "voided": voided }), || {
        let count = voided.len();
        sayln!("✓ {batch}: 整批 {count} 条已作废 / {count} event(s) are taken back");
    });
    Ok(true)
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
    faults::tell(&imported.faults, out);
    faults::tell(&imported.warnings, out);
    let name = file.display();
    let (mark, zh, en) = match (imported.known, imported.accepted, imported.faults.len()) {
        (true, ..) => ("–", "此前都已录入，略过", "recorded before, passed over"),
        (_, true, 0) if dry_run => ("✓", "没有发现错误，尚未录入", "nothing is wrong with it"),
        (_, true, 0) => ("✓", "已录入", "recorded"),
        (_, true, _) if dry_run => ("!", "部分各行有误，尚未录入", "some rows are wrong"),
        (_, true, _) => ("!", "只录入了无误的各行", "the good rows were recorded"),
        (_, false, 0) => (
            "✗",
            "同批其他文件有误，没有录入",
            "not recorded, another file is wrong",
        ),
        (_, false, _) => ("✗", "有误，没有录入", "refused, nothing was recorded"),
    };
    sayln!("{mark} {name}: {zh} / {en}{}", span(imported));
    sayln!("  {}", accounted(imported));
    if let Some(batch) = &imported.batch {
        sayln!(
            "  批号 {batch}；整批作废 / to take all of it back: countersign import --take-back {batch} --reason …"
        );
    }
    let late = imported
        .recorded
        .iter()
        .filter(|r| r.late.is_some())
        .count();
    if late > 0 {
        sayln!(
            "  其中 {late} 条属于已结账的月份，作为补录计入本月 / {late} of them belong to a month that \
             is closed: they count in the open one, as late entries"
        );
    }
    if !imported.ignored.is_empty() {
        let names = imported.ignored.join("、");
        sayln!("  没有读取的列：{names} / columns that were not read: {names}");
    }
}

/// What became of every row: the parts add up to the whole.
fn accounted(imported: &Imported) -> String {
    let counts = &imported.counts;
    let skipped = skipped(imported);
    let (zh, en) = match skipped.len() {
        0 => (String::new(), String::new()),
        _ => {
            let list = |words: Vec<String>, mark| format!(" ({})", words.join(mark));
            let (zh, en) = skipped.into_iter().unzip();
            (list(zh, "、"), list(en, ", "))
        }
    };
    format!(
        "共 {} 行：录入 {}，略过 {}{zh}，未录入 {}（有误 {}） / {} row(s): {} recorded, {} \
         skipped{en}, {} refused ({} of them wrong)",
        counts.rows,
        counts.recorded,
        counts.skipped,
        counts.refused,
        counts.faulty,
        counts.rows,
        counts.recorded,
        counts.skipped,
        counts.refused,
        counts.faulty,
    )
}

/// How many rows were skipped for which reason, in both languages.
fn skipped(imported: &Imported) -> Vec<(String, String)> {
    let reasons = [
        (SkipReason::Recorded, "此前已录入", "recorded before"),
        (SkipReason::Title, "标题", "titles"),
        (SkipReason::Total, "合计", "totals"),
        (SkipReason::Footer, "表尾", "lines below"),
    ];
    let count = |reason| {
        imported
            .skipped
            .iter()
            .filter(move |s| s.reason == reason)
            .count()
    };
    reasons
        .into_iter()
        .map(|(reason, zh, en)| (count(reason), zh, en))
        .filter(|(n, ..)| *n > 0)
        .map(|(n, zh, en)| (format!("{zh} {n}"), format!("{n} {en}")))
        .collect()
}

fn span(imported: &Imported) -> String {
    let indexes = || imported.recorded.iter().map(|r| r.index);
    match (imported.recorded.first(), indexes().min(), indexes().max()) {
        (Some(any), Some(first), Some(last)) => {
            format!(" in {}, log index {first} to {last}", any.period)
        }
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
