//! `countersign import`: files of events into the open month.

use std::path::{Path, PathBuf};

use node::desk::record::Imported;
use node::exchange::SkipReason;
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
    named; after a refused one the others are tried all the same. Rows that were recorded before \
    are passed over: an import\n\
    that was broken off, or of which one file was refused, is run again as it was. Files are UTF-8, \
    UTF-16 or GB18030, CSV\n\
    with a heading or JSONL, or workbooks (XLSX; `countersign template` writes empty ones). Rows are counted from 1, the heading included, as a spreadsheet shows \
    them."
)]
pub struct Args {
    /// Files; the type is taken from a name like 14-E16.csv, the form from its ending
    #[arg(required = true)]
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
    let files = read_files(args)?;
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
        answers.push(json!({ "file": file.path, "result": value(&imported) }));
    }
    if out.json {
        sayln!("{:#}", json!({ "files": answers }));
    }
    Ok(good)
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
    for faults in [&imported.faults, &imported.warnings] {
        if !faults.is_empty() {
            print(&fault_table(out.style, faults));
        }
    }
    let name = file.display();
    let (mark, zh, en) = match (imported.known, imported.accepted, imported.faults.len()) {
        (true, ..) => ("–", "此前都已录入，略过", "recorded before, passed over"),
        (_, true, 0) if dry_run => ("✓", "没有发现错误，尚未录入", "nothing is wrong with it"),
        (_, true, 0) => ("✓", "已录入", "recorded"),
        (_, true, _) if dry_run => ("!", "部分各行有误，尚未录入", "some rows are wrong"),
        (_, true, _) => ("!", "只录入了无误的各行", "the good rows were recorded"),
        (_, false, _) => ("✗", "有误，没有录入", "refused, nothing was recorded"),
    };
    sayln!("{mark} {name}: {zh} / {en}{}", span(imported));
    sayln!("  {}", accounted(imported));
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
