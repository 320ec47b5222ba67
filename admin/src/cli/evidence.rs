//! `countersign evidence` and `countersign verify`: fetching proof, and checking it with no
//! network.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use protocol::evidence::disclosure::{self, Disclosure};
use protocol::evidence::file::{Opened, Source as _};
use protocol::evidence::{EvidenceSource as _, report};
use protocol::note::{Note, VerifierKey};
use protocol::statement::Statement;
use serde_json::json;

use super::connect::{Connection, vkey};
use super::output::{
    Done, Failure, Out, Style, one_line, print, read, replace_with, say, sayln, seconds, value,
};
use super::report::render;
use crate::on_disk::OnDisk;

/// Most bytes of a disclosure, which is read as a whole.
const MAX_DISCLOSURE: u64 = 64 << 20;

/// Fetch everything that proves the figures of a unit and of those below it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  countersign evidence -o 140300.zip --token-file zhao.token")]
pub struct EvidenceArgs {
    /// File to write, replaced if it is there
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    node: Connection,
}

/// Check an evidence file or a disclosure, with no network and no node
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  countersign verify 140300.zip --root root.vkey\n  countersign verify 634.json --evidence 140321.zip --root root.vkey\n\n\
    The exit code is 0 only if every check holds. The root key is all that is trusted: get it from the publisher, not with the file."
)]
pub struct VerifyArgs {
    /// Evidence (zip) or disclosure (JSON)
    file: PathBuf,
    /// A root key, known from outside: a verifier key, or a file with one; repeat for as many as
    /// must sign
    #[arg(long, required = true, value_name = "VKEY", value_parser = vkey)]
    root: Vec<VerifierKey>,
    /// With a disclosure: the unit's evidence, to see that the statement is in the log that was
    /// reported, and still counts
    #[arg(long, value_name = "ZIP")]
    evidence: Option<PathBuf>,
    /// No rules and no fitting to the terminal's width
    #[arg(long)]
    plain: bool,
}

pub fn evidence(args: &EvidenceArgs, out: &Out) -> Done {
    let client = args.node.client()?;
    let mut bytes = 0;
    replace_with(&args.output, |file| {
        bytes = client.evidence_to(file)?;
        Ok(())
    })?;
    out.answer(json!({ "file": args.output, "bytes": bytes }), || {
        sayln!(
            "✓ {}: {bytes} bytes. Check it anywhere: countersign verify {} --root VKEY",
            args.output.display(),
            args.output.display()
        );
    });
    Ok(true)
}

pub fn verify(args: &VerifyArgs, out: &Out) -> Done {
    let style = if args.plain { Style::Plain } else { out.style };
    let start = Instant::now();
    let source = OnDisk::open(&args.file).map_err(Failure::file(&args.file))?;
    // A zip begins with its signature, JSON with a brace or with space before one.
    let mut first = [0];
    if source.size() > 0 {
        source
            .read_at(0, &mut first)
            .map_err(Failure::file(&args.file))?;
    }
    if matches!(first, [b'{' | b' ' | b'\t' | b'\r' | b'\n']) && source.size() <= MAX_DISCLOSURE {
        return disclosed(&read(&args.file)?, args, &Out { style, ..*out });
    }
    let report = report::verify_on(threads(), &Opened::new(source)?, &args.root)?;
    let took = start.elapsed();
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    out.answer(
        json!({ "holds": report.holds(), "took_ms": millis, "report": value(&report) }),
        || say(&render(&report, took, style)),
    );
    Ok(report.holds())
}

/// As many as the machine has cores.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

fn disclosed(bytes: &[u8], args: &VerifyArgs, out: &Out) -> Done {
    let start = Instant::now();
    let malformed = |e: serde_json::Error| {
        Failure::coded(
            "disclosure.malformed",
            format!("{}: not a disclosure: {e}", args.file.display()),
        )
    };
    let d: Disclosure = serde_json::from_slice(bytes).map_err(malformed)?;
    let statement = disclosure::verify(&d, &args.root).map_err(|e| {
        let failure = Failure::of(format!("{}: {e}", args.file.display()));
        if failure.code.is_empty() {
            Failure {
                code: "disclosure.fails".into(),
                ..failure
            }
        } else {
            failure
        }
    })?;
    let reported = args
        .evidence
        .as_deref()
        .map(|path| reported(path, &d, args))
        .transpose()?;
    let fields: Vec<_> = d
        .fields
        .iter()
        .map(|f| json!({ "name": &f.field.1, "value": value(&f.field.2) }))
        .collect();
    let row = d.row.as_ref().map(|r| &r.columns);
    out.answer(
        json!({ "holds": true, "reported": reported.is_some(), "voided_by": reported.flatten(), "unit": d.unit, "index": d.index, "statement": value(&statement), "fields": fields, "row": row }),
        || {
            let (event, recorded) = (one_line(&statement.event), one_line(&statement.recorded));
            sayln!("✓ event {} of {}: {event} in {}, recorded {recorded}", d.index, d.unit, statement.period);
            match reported {
                Some(_) => sayln!("✓ it is in the log that the unit reported from, as the evidence has it"),
                None => sayln!("✓ it is in a log whose checkpoint the unit signed"),
            }
            if let Some(clear) = &statement.clear {
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
            if let Some(columns) = row {
                // A block that the event does not count in says so in a column `-` of its own.
                let counted: Vec<&str> = columns.iter().map(String::as_str).filter(|c| !c.ends_with(":-")).collect();
                sayln!("✓ its commitment opens to a row of {} blocks; it counts in {}:", columns.len(), counted.len());
                counted.iter().for_each(|c| sayln!("    {c}"));
            }
            match reported {
                Some(Some(by)) => sayln!("! event {by} took it back: it does not count"),
                Some(None) => sayln!("✓ no later statement in the evidence takes it back"),
                None => sayln!(
                    "! Not compared with what was reported. Whether this is the log that the parent saw, and whether the event was taken \
                     back later, the unit's evidence tells: give --evidence"
                ),
            }
            sayln!("checked in {}", seconds(start.elapsed()));
        },
    );
    Ok(true)
}

/// Whether the evidence holds and has this very statement; if a later one took it back, which.
fn reported(path: &Path, d: &Disclosure, args: &VerifyArgs) -> Result<Option<u64>, Failure> {
    let other = |what: String| {
        Failure::coded(
            "disclosure.other",
            format!("{}: {what}", args.file.display()),
        )
    };
    let opened = Opened::new(OnDisk::open(path).map_err(Failure::file(path))?)?;
    let report = report::verify_on(threads(), &opened, &args.root)?;
    if !report.holds() {
        return Err(Failure::coded(
            "disclosure.evidence",
            format!(
                "{}: its checks do not hold; verify it by itself first",
                path.display()
            ),
        ));
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
            // What verified is a statement.
            let statement = Note::parse(entry)
                .ok()
                .and_then(|note| Statement::parse(note.text()).ok());
            if statement
                .and_then(|s| s.voids)
                .is_some_and(|v| v.index == d.index)
            {
                voided = Some(index);
            }
            index += 1;
        }
    }
    if !found {
        return Err(other(format!(
            "{} reported another statement {}, or none, by {}",
            d.unit,
            d.index,
            path.display()
        )));
    }
    Ok(voided)
}

fn text(value: &serde_json::Value) -> String {
    one_line(
        &value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_string),
    )
}
