//! `countersign sign`: a report is shown, and signed with keys that stay here.

use std::path::PathBuf;

use node::fault::FaultCode;
use protocol::catalogue::{self, Catalogue};
use protocol::note::{self, Note};
use protocol::period::Month;
use protocol::rollup::HeldRollup;
use protocol::rollup::Rollup;
use serde_json::json;

use super::show;
use crate::api::Client;
use crate::cli::connect::Connection;
use crate::cli::output::{CommandResult, Failure, Output, sayln, value};
use crate::keyring;

/// Show what a month's report says, and sign it with keys that stay here
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example, first read, then sign:\n  countersign sign 2023-03 --token-file \
        li.token\n  \
    countersign sign 2023-03 --key li.key --token-file li.token\n\n\
    The text is fetched from the node, signed on this machine, and the signature is brought back. \
    The key never leaves its file."
)]
pub struct Args {
    /// Month, written 2023-03
    month: Month,
    /// Key file of a signatory; repeat for several. Without one the report is only shown
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Show every figure, also those that are zero
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    node: Connection,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let client = args.node.client()?;
    let held = fetch(&client, args.month)?;
    if !out.json {
        let catalogue = catalogue_of(&client, &held.rollup);
        show::report(&held, catalogue.as_ref(), args.all, out);
    }
    if args.key.is_empty() {
        let answer = json!({
            "rollup": value(&held.rollup),
            "digest": held.digest(),
            "signed": [],
        });
        out.answer(answer, || {
            sayln!(
                "\nNothing was signed. To sign: countersign sign {} --key FILE",
                args.month
            );
        });
        return Ok(true);
    }
    let (signed, by) = add_signatures(&held, &args.key)?;
    let unsigned = client.sign(args.month, signed.as_bytes())?;
    let answer = json!({
        "digest": held.digest(),
        "revision": held.rollup.revision,
        "signed": by,
        "unsigned": unsigned,
    });
    out.answer(answer, || {
        sayln!("\n✓ signed by {}", by.join(", "));
        match unsigned.as_slice() {
            [] => sayln!(
                "All three have signed. Next: countersign submit {}",
                args.month
            ),
            rest => sayln!("Still to sign: {}", rest.join(", ")),
        }
    });
    Ok(true)
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

/// The catalogue that the report was counted by, for the figures' names. Its digest is in what is
/// signed.
fn catalogue_of(client: &Client, rollup: &Rollup) -> Option<Catalogue> {
    let note = Note::parse(&client.get("/api/catalogue").ok()?).ok()?;
    let json = note::read_document(note.text(), catalogue::KIND).ok()?;
    Catalogue::from_json(json)
        .ok()
        .filter(|c| c.digest() == rollup.catalogue)
}
