//! `countersign registry sign`: one more root's signature.

use std::path::PathBuf;

use serde_json::json;

use super::chain::{parse, read_note};
use crate::cli::output::{CommandResult, Output, replace, save_new, sayln};
use crate::cli::signing::{read_keys, signers};

/// Add a root's signature to a version
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign registry sign registry-2.note --key second-root.key"
)]
pub struct Args {
    /// Note; it is replaced by the one with more signatures
    note: PathBuf,
    /// Root key file; repeat for several
    #[arg(long, value_name = "KEYFILE", required = true)]
    key: Vec<PathBuf>,
    /// New file, instead of replacing the note
    #[arg(short, long, value_name = "NOTE")]
    output: Option<PathBuf>,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let mut note = read_note(&args.note)?;
    let registry = parse(&note)?;
    for key in read_keys(&args.key)? {
        note = note.add_signature(&key)?;
        // Roots of the version before may have to sign, too; whether they are some cannot be seen
        // from this version alone.
        if !registry.roots.contains(&key.vkey()) {
            out.note(format!(
                "{} is no root of this version; it counts only if it was one of the version \
                    before.",
                key.name()
            ));
        }
    }
    match &args.output {
        Some(path) => save_new(path, note.as_bytes())?,
        None => replace(&args.note, note.as_bytes())?,
    }
    let names = signers(&note);
    let answer = json!({
        "version": registry.version,
        "digest": note.digest(),
        "signed_by": names,
        "needed": registry.threshold,
    });
    out.answer(answer, || {
        sayln!(
            "Registry version {} has signatures of {}; {} are needed.",
            registry.version,
            names.join(", "),
            registry.threshold
        );
    });
    Ok(true)
}
