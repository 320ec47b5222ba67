//! `countersign submit`: a signed month goes into the outbox.

use protocol::period::Month;
use serde_json::json;

use crate::cli::connect::Connection;
use crate::cli::output::{CommandResult, Output, sayln, value};
use crate::cli::report::verdict_line;

/// Hand a signed month to the outbox
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign submit 2023-03 --token-file chen.token\n\n\
    The node sends until the parent's signed receipt is there; `countersign status` tells. Doing \
    it twice changes nothing."
)]
pub struct Args {
    /// Month, written 2023-03
    month: Month,
    #[command(flatten)]
    node: Connection,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let verdicts = args.node.client()?.submit(args.month)?;
    out.answer(
        json!({ "month": args.month, "verdicts": value(&verdicts) }),
        || {
            for v in &verdicts {
                sayln!("{}", verdict_line(v));
            }
            sayln!("✓ {} is in the outbox / 已提交", args.month);
        },
    );
    Ok(true)
}
