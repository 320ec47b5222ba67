//! `countersign guard`: a new guard for a data directory that has none, on the word of whoever
//! compared it with the parent.

use node::fault::FaultCode;
use protocol::digest::Digest;
use serde_json::json;

use super::data_directory::DataDirectory;
use super::output::{CommandResult, Failure, Output, sayln};

/// Make a new guard for a stopped node's data directory, after comparing it with the parent
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example, at the parent, then here:\n  countersign --json review list --unit \
        140321 --token-file wang.token\n  \
    countersign guard --data /var/lib/countersign/140321 --keys /etc/countersign/140321/keys \
    --root root.vkey --last-report sha256:…\n\n\
    A node whose guard is missing refuses to start: it may have been restored from an old backup, \
    and going on from one would sign a\n\
    second history. The newest report that the parent has must be in this journal: give its \
    digest. If the parent has none, and for a\n\
    unit without a parent, say --no-report: it is refused where the journal has a receipt of the \
    parent. A unit without a parent\ncompares with whoever holds its evidence.\n\
    Run it as the node's user, while the node is stopped."
)]
pub struct Args {
    #[command(flatten)]
    at: DataDirectory,
    /// Digest of the newest report of this unit that the parent has
    #[arg(
        long,
        value_name = "DIGEST",
        required_unless_present = "no_report",
        conflicts_with = "no_report"
    )]
    last_report: Option<Digest>,
    /// The parent has no report of this unit, or there is no parent
    #[arg(long)]
    no_report: bool,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let mut books = args.at.open(FaultCode::GuardData)?;
    if !books.is_unguarded() {
        return Err(Failure::coded(
            FaultCode::GuardPresent,
            "this directory needs no new guard".to_string(),
        )
        .help(
            "a guard that refuses is right until the newest copy of the journal is found; \
                see the runbook",
        ));
    }
    let known = |digest: &Digest| {
        books
            .rollups()
            .values()
            .any(|own| own.held().digest() == *digest)
    };
    if let Some(digest) = args.last_report.filter(|d| !known(d)) {
        let message = format!(
            "the parent has {digest}, and this journal does not: it is older than what this node \
                has signed"
        );
        return Err(Failure::coded(FaultCode::GuardRolledBack, message)
            .help("find a newer copy of the journal; do not go on from this one"));
    }
    // A receipt in this journal is a report that the parent has.
    let mut own = books.rollups().values().rev();
    if let Some(answered) = own.find(|own| !own.receipts().is_empty())
        && args.no_report
    {
        let digest = answered.held().digest();
        return Err(Failure::usage(format!(
            "上级对月报 {digest} 的回执就在本底账中，上级有本单位的月报：请用 --last-report 写明上级所持最新月报的摘要值 / \
             the parent's receipt for the report {digest} is in this journal, so the parent has a \
             report: give the digest of the newest one that it has with --last-report"
        )));
    }
    let signed = books.renew_guard()?;
    out.answer(
        json!({ "size": signed.size, "journal": signed.journal }),
        || {
            sayln!(
                "✓ guard: a log of {} statements was signed last, in a journal of {} entries",
                signed.size,
                signed.journal
            );
        },
    );
    Ok(true)
}
