//! `countersign publish`: the documents that a unit goes by.

use std::path::PathBuf;

use serde_json::json;

use super::connect::Connection;
use super::output::{CommandResult, Failure, Output, read, sayln};

/// Hand a node the next registry version, a catalogue or a plan
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign publish registry-2.note --token-file ops.token\n\n\
    The node checks the root keys' signatures and keeps the note in its journal. Registry versions \
    come one after the other."
)]
pub struct Args {
    /// Notes, in the order in which they are to be adopted
    #[arg(required = true)]
    notes: Vec<PathBuf>,
    #[command(flatten)]
    node: Connection,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let client = args.node.client()?;
    let bodies = args
        .notes
        .iter()
        .map(|p| read(p))
        .collect::<Result<Vec<_>, _>>()?;
    for (path, body) in args.notes.iter().zip(&bodies) {
        client
            .post("/api/published", "text/plain", body, &[])
            .map_err(|e| Failure::from(e).about(path))?;
        if !out.json {
            sayln!("✓ {}", path.display());
        }
    }
    if out.json {
        sayln!("{:#}", json!({ "published": args.notes }));
    }
    Ok(true)
}
