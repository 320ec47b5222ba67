//! `countersign verify`: checking evidence and disclosures, with no network and no node.

mod disclosure;
mod threads;

use std::path::PathBuf;
use std::time::Instant;

use protocol::evidence::file::{Opened, Source as _};
use protocol::evidence::report;
use protocol::note::VerifierKey;
use serde_json::json;

use super::arguments::vkey;
use super::output::{CommandResult, Failure, Output, Style, say, value};
use super::report::render;
use crate::on_disk::OnDisk;

pub use threads::threads;

/// Most bytes of a disclosure, which is read as a whole.
const MAX_DISCLOSURE: u64 = 64 << 20;

/// Check an evidence file or a disclosure, with no network and no node
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign verify 140300.zip --root root.vkey\n  countersign verify \
        634.json --evidence 140321.zip --root root.vkey\n\n\
    The exit code is 0 only if every check holds. The root key is all that is trusted: get it from \
    the publisher, not with the file."
)]
pub struct Args {
    /// Evidence (zip) or disclosure (JSON)
    file: PathBuf,
    /// A root key, known from outside: a verifier key, or a file with one; repeat for as many as
    /// must sign
    #[arg(long, required = true, value_name = "VKEY", value_parser = vkey)]
    root: Vec<VerifierKey>,
    /// With a disclosure: the unit's evidence, to see that the statement is in the log that was
    /// reported, and still counts
    #[arg(long, value_name = "ZIP")]
    evidence: Option<PathBuf>,
    /// No rules and no fitting to the terminal's width
    #[arg(long)]
    plain: bool,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let style = if args.plain { Style::Plain } else { out.style };
    let start = Instant::now();
    let source = OnDisk::open(&args.file).map_err(Failure::file(&args.file))?;
    if is_disclosure(&source).map_err(Failure::file(&args.file))? {
        let out = Output { style, ..*out };
        return disclosure::check(&args.file, args.evidence.as_deref(), &args.root, &out);
    }
    let report = report::verify_on(threads(), &Opened::new(source)?, &args.root)?;
    let took = start.elapsed();
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    out.answer(
        json!({ "holds": report.holds(), "took_ms": millis, "report": value(&report) }),
        || say(&render(&report, took, style)),
    );
    Ok(report.holds())
}

/// A zip begins with its signature, JSON with a brace or with space before one.
fn is_disclosure(source: &OnDisk) -> std::io::Result<bool> {
    let mut first = [0];
    if source.size() > 0 {
        source.read_at(0, &mut first)?;
    }
    let json = matches!(first, [b'{' | b' ' | b'\t' | b'\r' | b'\n']);
    Ok(json && source.size() <= MAX_DISCLOSURE)
}
