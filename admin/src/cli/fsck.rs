//! `countersign fsck`: whether a stopped node's journal and guard are whole. Reads, and changes
//! nothing.

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
    for these there is `countersign audit recheck`."
)]
pub struct Args {
    /// Data directory
    data: PathBuf,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    if !args.data.join("journal").is_dir() {
        let message = format!("{}: there is no journal in it", args.data.display());
        return Err(Failure::coded(FaultCode::FsckData, message)
            .help("give the directory that the node's configuration names as `data`"));
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
                "! {}: {} bytes of an unfinished write from byte {} on; the next start cuts them \
                    off, nothing acknowledged is in them",
                t.path.display(),
                t.bytes,
                t.offset
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
