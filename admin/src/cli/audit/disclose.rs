//! `countersign audit disclose`: chosen fields of one event, with their proof.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::connect::Connection;
use crate::cli::output::{CommandResult, Failure, Output, replace, sayln};

/// Show chosen fields of one event, with the proof that they are what was recorded
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign audit disclose 812 --field employer --field occurred_on \
        -o 812.json --token-file zhao.token\n\n\
    The other fields stay unreadable. Check the file anywhere with `countersign verify 812.json \
    --root VKEY`. The month must be\n\
    closed. The node logs who asked."
)]
pub struct Args {
    /// Log index
    index: u64,
    /// Field to show; repeat for several. A clear event needs none
    #[arg(long, value_name = "NAME")]
    field: Vec<String>,
    /// Show what the event counts as, too
    #[arg(long)]
    row: bool,
    /// File to write, replaced if it is there
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    node: Connection,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let client = args.node.client()?;
    let disclosure = client.disclose(args.index, &args.field, args.row)?;
    let mut text = serde_json::to_string_pretty(&disclosure).map_err(Failure::of)?;
    text.push('\n');
    replace(&args.output, text.as_bytes())?;
    let answer = json!({
        "file": args.output,
        "unit": disclosure.unit,
        "index": args.index,
        "fields": args.field,
    });
    out.answer(answer, || {
        let file = args.output.display();
        sayln!(
            "✓ {file}: event {} of {}. Check it anywhere: countersign verify {file} --root VKEY",
            args.index,
            disclosure.unit
        );
    });
    Ok(true)
}
