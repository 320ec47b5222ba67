//! `countersign fsck`: whether a stopped node's journal and guard are whole. Reads, and changes
//! nothing unless it is told to give up what is lost.

use std::path::PathBuf;

use node::fault::FaultCode;
use node::journal::{self, Guard};
use serde_json::json;

use super::output::{CommandResult, Failure, Output, sayln};

/// Check the bytes of a stopped node's data directory, or of a backup
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign fsck /var/lib/countersign/140321\n\n\
    Reads the whole journal and the guard file and changes nothing. It needs no keys and says \
    nothing about signatures or figures:\n\
    for these there is `countersign audit recheck`.\n\n\
    Where the end of the journal is missing or damaged, acknowledged entries are lost, and no node \
    starts. If no copy of the journal has more, --give-up\n\
    lets it go on from what can be read; the bytes that cannot are kept beside it. What is missing \
    must be recorded again. Nothing is given up on which\n\
    something rests that was signed."
)]
pub struct Args {
    /// Data directory
    data: PathBuf,
    /// Go on without the end of the journal, which is missing or damaged, and of which there is no
    /// copy
    #[arg(long)]
    give_up: bool,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    if !args.data.join("journal").is_dir() {
        let message = format!("{}: there is no journal in it", args.data.display());
        return Err(Failure::coded(FaultCode::FsckData, message)
            .help("give the directory that the node's configuration names as `data`"));
    }
    if args.give_up {
        return give_up(args, out);
    }
    let report = journal::check(&args.data)?;
    let guard = Guard::open(&args.data)?;
    guard.check_journal(report.entries)?;
    let last = guard.last();
    let torn = report
        .torn
        .as_ref()
        .map(|t| json!({ "file": t.path, "offset": t.offset, "bytes": t.bytes }));
    let answer = json!({
        "holds": true, "segments": report.segments, "batches": report.batches, "entries": report.entries, "bytes": report.bytes,
        "erased": report.erased, "unfinished_erasures": report.unfinished_erasures, "torn": torn,
        "marked": report.marked,
        "guard": last.map(|g| json!({ "size": g.size, "journal": g.journal })),
    });
    out.answer(answer, || {
        sayln!(
            "✓ journal: {} segment(s), {} batch(es), {} entries, {} bytes",
            report.segments,
            report.batches,
            report.entries,
            report.bytes
        );
        if report.erased > 0 {
            sayln!(
                "  {} private record(s) are erased, {} of these erasures will be finished at the \
                    next start",
                report.erased,
                report.unfinished_erasures
            );
        }
        if let Some(t) = &report.torn {
            sayln!(
                "! {}: {} bytes of an unfinished write from byte {} on, behind all that was \
                    acknowledged; the next start cuts them off",
                t.path.display(),
                t.bytes,
                t.offset
            );
        }
        if !report.marked {
            sayln!(
                "! no mark tells how many entries were acknowledged: the journal is of an older \
                    program, and could have been longer; the next start makes one"
            );
        }
        match last {
            Some(g) => sayln!(
                "✓ guard: a log of {} statements was signed last, and the journal is \
                not older than that",
                g.size
            ),
            None => sayln!(
                "! guard: there is none, and no node starts on this directory before \
                `countersign guard` made one"
            ),
        }
    });
    Ok(true)
}

/// Goes on from what can be read.
fn give_up(args: &Args, out: &Output) -> CommandResult {
    let given_up = journal::give_up(&args.data)?;
    let answer = json!({
        "given_up": given_up.as_ref().map(|g| json!({
            "entries": g.entries, "acknowledged": g.acknowledged, "kept": g.kept,
        })),
    });
    out.answer(answer, || match &given_up {
        None => sayln!("✓ journal: its end is whole, there is nothing to give up"),
        Some(g) => {
            let lost = match g.acknowledged {
                Some(n) => format!("{} that were acknowledged", n.saturating_sub(g.entries)),
                None => "those behind them".into(),
            };
            sayln!(
                "! journal: goes on from {} entries, without {lost}",
                g.entries
            );
            if let Some(kept) = &g.kept {
                sayln!(
                    "  the bytes that cannot be read are kept in {}",
                    kept.display()
                );
            }
        }
    });
    Ok(true)
}
