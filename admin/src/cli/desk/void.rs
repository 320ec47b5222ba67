//! `countersign void`: an event is taken back.

use node::desk::record::Taking;
use protocol::period::Month;
use serde_json::json;

use crate::cli::connect::Connection;
use crate::cli::output::{CommandResult, Output, sayln, value};

/// Take an event back (E70, 作废)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign void 812 --reason duplicate --token-file chen.token\n\n\
    Nothing is deleted: a statement is recorded that names the event and takes its numbers off the \
    open month. What rests on it, as \
    hires rest on a registration, is named. An unknown\n\
    reason is refused with the list of those that the catalogue has."
)]
pub struct Args {
    /// Log index of the event, as `countersign audit events` shows it
    index: u64,
    /// Code or label of the reason
    #[arg(long)]
    reason: String,
    /// With the events that rest on it, as hires rest on a registration
    #[arg(long)]
    with_resting: bool,
    /// Take its numbers off the open month, although its own month is closed and not submitted
    #[arg(long)]
    in_open_month: bool,
    #[command(flatten)]
    node: Connection,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let taking = Taking {
        reason: args.reason.clone(),
        in_open_month: args.in_open_month,
        with_resting: args.with_resting,
    };
    let voided = args.node.client()?.take_back(args.index, &taking)?;
    out.answer(
        json!({ "voided": args.index, "taken": value(&voided) }),
        || {
            let (index, period) = (voided.index, voided.period);
            sayln!(
                "✓ event {index} is taken back and comes off {period} / 已作废，从 {period} 扣减"
            );
            for resting in &voided.resting {
                sayln!("  ✓ with it event {resting} / 一并作废第 {resting} 号");
            }
            if let Some(report) = &voided.reported {
                still_in(report.period, report.revision, report.submitted);
            }
        },
    );
    Ok(true)
}

/// Says that a report still contains what was taken back, and what to do about it.
pub fn still_in(month: Month, revision: u32, submitted: bool) {
    let (zh, en) = match submitted {
        true => (
            format!("需要改正 {month} 的，请上级退回或撤销通过"),
            "ask the parent to return it or to open it again".to_string(),
        ),
        false => (
            format!("需要改正 {month} 的，请先撤销结账"),
            format!("undo the close: countersign close {month} --undo"),
        ),
    };
    sayln!("  ! {month} 第 {revision} 次修订仍包含该记录；{zh}");
    sayln!(
        "    the report of {month}, revision {revision}, still contains it; to put that right, {en}"
    );
}
