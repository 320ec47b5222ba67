//! `countersign evidence`: fetching everything that proves figures.

use std::path::PathBuf;

use serde_json::json;

use super::connect::Connection;
use super::output::{CommandResult, Output, replace_with, sayln};

/// Fetch everything that proves the figures of a unit and of those below it
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  countersign evidence -o 140300.zip --token-file zhao.token")]
pub struct Args {
    /// File to write, replaced if it is there
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    node: Connection,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
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
