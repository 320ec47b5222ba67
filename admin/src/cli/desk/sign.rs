//! `countersign sign`: a report is shown, and signed with keys that stay here.

use std::path::{Path, PathBuf};

use node::fault::FaultCode;
use protocol::digest::Digest;
use protocol::note::Note;
use protocol::period::Month;
use protocol::rollup::HeldRollup;
use serde_json::json;

use super::show;
use super::to_sign::ToSign;
use crate::api::Client;
use crate::cli::connect::Connection;
use crate::cli::figure_tables;
use crate::cli::output::{CommandResult, Failure, Output, read, replace, sayln, value};
use crate::cli::signing::{print_signed, signers};
use crate::keyring;

/// Show what a month's report says, and sign it with keys that stay here
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example, first read, then sign what was read:\n  countersign sign 2023-03 --tables \
        --token-file li.token\n  \
    countersign sign 2023-03 --digest sha256:… --key li.key --token-file li.token\n\n\
    Without a node, on a machine of one's own:\n  countersign sign 2023-03 --save 2023-03.json \
        --token-file li.token\n  \
    countersign sign --file 2023-03.json --key li.key -o 2023-03.signed\n  \
    countersign sign 2023-03 --bring 2023-03.signed --token-file li.token\n\n\
    The key never leaves its file."
)]
pub struct Args {
    /// Month, written 2023-03
    #[arg(required_unless_present = "file")]
    month: Option<Month>,
    /// Key file of a signatory; repeat for several. Without one the report is only shown
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Sign only what has this digest: the report that was read
    #[arg(long, value_name = "SHA256")]
    digest: Option<Digest>,
    /// Show every figure, also those that are zero
    #[arg(long)]
    all: bool,
    /// Show the breakdowns, too
    #[arg(long)]
    tables: bool,
    /// Write the report into a file, to be signed elsewhere
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "file", "bring"])]
    save: Option<PathBuf>,
    /// Read the report from such a file instead of a node
    #[arg(long, value_name = "FILE", conflicts_with_all = ["month", "bring"])]
    file: Option<PathBuf>,
    /// With --file: where the signed report is written
    #[arg(short, long, value_name = "FILE", requires = "file")]
    output: Option<PathBuf>,
    /// Bring to the node what was signed elsewhere
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    bring: Option<PathBuf>,
    #[command(flatten)]
    node: Connection,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let Some(month) = args.month else {
        return without_node(args, out);
    };
    let client = args.node.client()?;
    if let Some(file) = &args.bring {
        return bring(&client, month, file, args.digest, out);
    }
    let report = ToSign::fetch(&client, fetch(&client, month)?)?;
    is_read(&report.held, args.digest)?;
    if let Some(file) = &args.save {
        report.save(&client, file)?;
        let answer = json!({ "file": file, "digest": report.held.digest() });
        out.answer(answer, || {
            sayln!("✓ {}: {}", file.display(), report.held.digest());
        });
        return Ok(true);
    }
    show_unless_json(&report, args, out);
    if args.key.is_empty() {
        shown_only(&report.held, &format!("countersign sign {month}"), out);
        return Ok(true);
    }
    let (signed, by) = add_signatures(&report.held, &args.key)?;
    let unsigned = client.sign(month, signed.as_bytes())?;
    brought(&report.held, &by, &unsigned, out);
    Ok(true)
}

/// Whether this is the report that was read, where it was said which one that is.
fn is_read(held: &HeldRollup, read: Option<Digest>) -> Result<(), Failure> {
    let there = held.digest();
    if read.is_none_or(|read| read == there) {
        return Ok(());
    }
    let message = format!(
        "与所读的月报不同，现为 {there}，没有签字 / this is not the report that was read: it is \
         {there} now; nothing was signed"
    );
    Err(Failure::coded(FaultCode::SignDigest, message))
}

fn show_unless_json(report: &ToSign, args: &Args, out: &Output) {
    if out.json {
        return;
    }
    let wanted = (args.all, args.tables);
    show::report(&report.held, report.catalogue.as_ref(), wanted, out);
    if let Some(found) = report.difference() {
        sayln!("\n与上次所签相比 since what was signed before");
        figure_tables::difference(&found, out);
    }
}

fn shown_only(held: &HeldRollup, command: &str, out: &Output) {
    let answer = json!({
        "rollup": value(&held.rollup),
        "digest": held.digest(),
        "signed": [],
    });
    out.answer(answer, || {
        sayln!(
            "\n没有签字。签字用 / Nothing was signed. To sign:\n  {command} --digest {} --key FILE",
            held.digest()
        );
    });
}

/// Reads and signs a report that came as a file.
fn without_node(args: &Args, out: &Output) -> CommandResult {
    let file = args.file.as_deref().unwrap_or(Path::new(""));
    let report = ToSign::load(file)?;
    is_read(&report.held, args.digest)?;
    show_unless_json(&report, args, out);
    let command = format!("countersign sign --file {} -o SIGNED", file.display());
    if args.key.is_empty() {
        shown_only(&report.held, &command, out);
        return Ok(true);
    }
    let Some(output) = &args.output else {
        return Err(Failure::usage(
            "where to? Give -o FILE for the signed report",
        ));
    };
    let (signed, _) = add_signatures(&report.held, &args.key)?;
    replace(output, signed.as_bytes())?;
    print_signed(&signed, output, out);
    Ok(true)
}

/// Brings what was signed elsewhere.
fn bring(
    client: &Client,
    month: Month,
    file: &Path,
    digest: Option<Digest>,
    out: &Output,
) -> CommandResult {
    let bytes = read(file)?;
    let held = HeldRollup::new(Note::parse(&bytes)?)?;
    is_read(&held, digest)?;
    let unsigned = client.sign(month, &bytes)?;
    let by: Vec<String> = signers(&held.note)
        .into_iter()
        .map(str::to_string)
        .collect();
    brought(&held, &by, &unsigned, out);
    Ok(true)
}

/// Tells who has signed, and who has not.
fn brought(held: &HeldRollup, by: &[String], unsigned: &[String], out: &Output) {
    let month = held.rollup.period;
    let answer = json!({
        "digest": held.digest(),
        "revision": held.rollup.revision,
        "signed": by,
        "unsigned": unsigned,
    });
    out.answer(answer, || {
        sayln!("\n✓ signed by {}", by.join(", "));
        match unsigned {
            [] => sayln!("All three have signed. Next: countersign submit {month}"),
            rest => sayln!("Still to sign: {}", rest.join(", ")),
        }
    });
}

/// The month's report as the node has it.
fn fetch(client: &Client, month: Month) -> Result<HeldRollup, Failure> {
    let held = HeldRollup::new(Note::parse(&client.rollup(month)?)?)?;
    let answered = held.rollup.period;
    if answered != month {
        let message = format!("the node answered with {answered}, not with {month}");
        return Err(Failure::coded(FaultCode::SignMonth, message));
    }
    Ok(held)
}

/// Signs with each key; gives the note and the signers' names.
fn add_signatures(held: &HeldRollup, keys: &[PathBuf]) -> Result<(Note, Vec<String>), Failure> {
    let names = held.rollup.signatories.names();
    let mut signed = held.note.clone();
    let mut by = Vec::new();
    for path in keys {
        let key = keyring::read_key(path)?;
        if !names.contains(&key.name()) {
            let message = format!(
                "{} is not one of the three signatories of this report",
                key.name()
            );
            let help = format!("they are {}", names.join(", "));
            return Err(Failure::coded(FaultCode::SignSignature, message).help(help));
        }
        signed = signed.add_signature(&key)?;
        by.push(key.name().to_string());
    }
    Ok((signed, by))
}
