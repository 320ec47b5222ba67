//! `countersign close`: the month's report is shown before it is made, made, and undone.

use std::io::{BufRead, IsTerminal, Write};

use node::desk::close::CloseRequest;
use protocol::period::Month;
use protocol::verdict::Check;

use super::preview;
use crate::api::Client;
use crate::cli::arguments::pair;
use crate::cli::connect::Connection;
use crate::cli::output::{CommandResult, Output, sayln, value};
use crate::cli::report::verdict_line;

/// Show what closing the open month would make, and close it with --yes
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example, first look, then close:\n  countersign close 2023-03 --token-file chen.token\n  \
    countersign close 2023-03 --explain S01=春节后集中招聘 --missing 盂县=停电,下月补报 --yes \
        --token-file chen.token\n\n\
    Without --yes nothing is written: events by kind, figures beside those of last month and last \
    year, rules, and what is\n\
    missing are shown; on a terminal it is asked whether to close. Hard rules must hold; a soft rule that \
    does not hold takes an\n\
    explanation. Every unit below has an accepted report, or a reason why it is missing. Until the \
    month is submitted, --undo\n\
    opens it again."
)]
pub struct Args {
    /// Month, written 2023-03
    month: Month,
    /// Why a soft rule does not hold; repeat for several
    #[arg(long, value_name = "RULE=TEXT", value_parser = pair)]
    explain: Vec<(String, String)>,
    /// Why a unit below is missing, by its code or name; repeat for several
    #[arg(long, value_name = "UNIT=REASON", value_parser = pair)]
    missing: Vec<(String, String)>,
    /// Make or undo a month that somebody has signed and nobody has submitted: what was signed is lost
    #[arg(long)]
    discard_signatures: bool,
    /// Close it
    #[arg(long, conflicts_with = "undo")]
    yes: bool,
    /// Undo the close of a month that was not submitted: it is the open month again
    #[arg(long, conflicts_with_all = ["explain", "missing"])]
    undo: bool,
    /// Show every figure, also those that are zero
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    node: Connection,
}

pub fn run(args: Args, out: &Output) -> CommandResult {
    let client = args.node.client()?;
    let month = args.month;
    if args.undo {
        return undo(&client, month, args.discard_signatures, out);
    }
    let request = CloseRequest {
        explanations: args.explain.into_iter().collect(),
        missing: args.missing.into_iter().collect(),
        discard_signatures: args.discard_signatures,
    };
    if args.yes {
        return close(&client, month, &request, out);
    }
    let shown = client.preview(month, &request)?;
    let possible = shown.faults.is_empty();
    let mut asked = false;
    out.answer(value(&shown), || {
        preview::print_preview(&shown, args.all, out);
        asked = possible && ask(month);
        if possible && !asked {
            sayln!(
                "没有写入任何内容 nothing was written. To close: countersign close {month} --yes"
            );
        }
    });
    match asked {
        true => close(&client, month, &request, out),
        false => Ok(possible),
    }
}

/// Whether the person at the terminal says yes.
fn ask(month: Month) -> bool {
    let (mut stdin, stdout) = (std::io::stdin().lock(), std::io::stdout());
    if !stdin.is_terminal() || !stdout.is_terminal() {
        return false;
    }
    print_question(month);
    let mut line = String::new();
    let read = stdin.read_line(&mut line).is_ok();
    read && matches!(line.trim(), "y" | "Y" | "yes" | "是")
}

fn print_question(month: Month) {
    let mut stdout = std::io::stdout();
    // A question that cannot be shown is not answered.
    let _: std::io::Result<()> = write!(stdout, "结账 close {month}? [y/N] ");
    let _: std::io::Result<()> = stdout.flush();
}

fn close(client: &Client, month: Month, request: &CloseRequest, out: &Output) -> CommandResult {
    let closed = client.close(month, request)?;
    out.answer(value(&closed), || {
        sayln!(
            "✓ {} revision {} is closed / 已结账: {}",
            closed.period,
            closed.revision,
            closed.digest
        );
        let others = closed.verdicts.iter();
        for v in others.filter(|v| v.check != Check::Authorship) {
            sayln!("  {}", verdict_line(v));
        }
        sayln!(
            "  authorship waits for the three signatures: `countersign sign {month} --key FILE`"
        );
        sayln!("  until it is submitted: `countersign close {month} --undo`");
    });
    Ok(true)
}

fn undo(client: &Client, month: Month, discard: bool, out: &Output) -> CommandResult {
    let undone = client.undo(month, discard)?;
    out.answer(value(&undone), || {
        sayln!(
            "✓ {month} revision {} is open again / 已撤销结账: {}",
            undone.revision,
            undone.digest
        );
        if !undone.signed.is_empty() {
            sayln!("  签字作废 signatures lost: {}", undone.signed.join(", "));
        }
    });
    Ok(true)
}
