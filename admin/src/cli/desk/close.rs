//! `countersign close`: the month's report is made.

use node::desk::close::CloseRequest;
use protocol::period::Month;
use protocol::verdict::Check;

use crate::cli::arguments::pair;
use crate::cli::connect::Connection;
use crate::cli::output::{CommandResult, Output, sayln, value};
use crate::cli::report::verdict_line;

/// Close the open month, or make a new revision of one that the parent opened again
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign close 2023-03 --explain S01=春节后集中招聘 --missing \
        140322=停电,下月补报 --token-file chen.token\n\n\
    Hard rules must hold; a soft rule that does not hold takes an explanation. Every unit below \
    has an accepted report, or a\n\
    reason why it is missing. What is needed is told when it is missing."
)]
pub struct Args {
    /// Month, written 2023-03
    month: Month,
    /// Why a soft rule does not hold; repeat for several
    #[arg(long, value_name = "RULE=TEXT", value_parser = pair)]
    explain: Vec<(String, String)>,
    /// Why a unit below is missing; repeat for several
    #[arg(long, value_name = "UNIT=REASON", value_parser = pair)]
    missing: Vec<(String, String)>,
    /// Make a month anew that somebody has signed and nobody has submitted: what was signed is lost
    #[arg(long)]
    discard_signatures: bool,
    #[command(flatten)]
    node: Connection,
}

pub fn run(args: Args, out: &Output) -> CommandResult {
    let request = CloseRequest {
        explanations: args.explain.into_iter().collect(),
        missing: args.missing.into_iter().collect(),
        discard_signatures: args.discard_signatures,
    };
    let closed = args.node.client()?.close(args.month, &request)?;
    out.answer(value(&closed), || {
        sayln!(
            "✓ {} revision {} is closed / 已结账: {}",
            closed.period,
            closed.revision,
            closed.digest
        );
        for v in closed
            .verdicts
            .iter()
            .filter(|v| v.check != Check::Authorship)
        {
            sayln!("  {}", verdict_line(v));
        }
        sayln!(
            "  authorship waits for the three signatures: `countersign sign {} --key FILE`",
            closed.period
        );
    });
    Ok(true)
}
