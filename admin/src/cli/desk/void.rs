//! `countersign void`: an event is taken back.

use serde_json::json;

use crate::cli::connect::Connection;
use crate::cli::output::{CommandResult, Output, sayln};

/// Take an event back (E70, 作废)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign void 812 --reason duplicate --token-file chen.token\n\n\
    Nothing is deleted: a statement is recorded that names the event and takes its numbers off the \
    open month. An unknown\n\
    reason is refused with the list of those that the catalogue has."
)]
pub struct Args {
    /// Log index of the event, as `countersign audit events` shows it
    index: u64,
    /// Code or label of the reason
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    node: Connection,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    args.node.client()?.void(args.index, &args.reason)?;
    out.answer(json!({ "voided": args.index }), || {
        sayln!("✓ event {} is taken back / 已作废", args.index)
    });
    Ok(true)
}
