//! `countersign catalogue`: what is counted.

mod files;
mod show;
mod succession;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use node::fault::FaultCode;
use protocol::authoring::{CatalogueError, CatalogueErrors};
use protocol::compiled::CompiledCatalogue;
use protocol::succession::Change;
use serde_json::json;

pub use files::Source;
use files::examine;

use super::output::{CommandResult, Failure, Output, print, save_new, sayln};
use super::signing::{print_signed, read_keys};
use crate::keyring;

/// Show, check and sign the catalogue of events, indicators and rules
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  countersign catalogue check deploy/catalogue")]
pub enum Command {
    /// Check the TOML files of a directory as one catalogue; every fault is listed
    #[command(
        after_help = "Examples:\n  countersign catalogue check deploy/catalogue\n  \
            countersign catalogue check deploy/catalogue --against catalogue-1.note"
    )]
    Check {
        /// Directory
        dir: PathBuf,
        /// An earlier catalogue, a signed note or a directory; repeat for all earlier ones. Tells
        /// what each change means for running stocks and recorded months
        #[arg(long, value_name = "OLD")]
        against: Vec<PathBuf>,
    },
    /// What can be recorded and what is counted: all types, or one with its columns and codes
    Show(show::Args),
    /// Check and sign a catalogue
    #[command(
        after_help = "Examples:\n  countersign catalogue sign deploy/catalogue --first --root root.key \
            -o catalogue-1.note\n  countersign catalogue sign deploy/catalogue --against \
            catalogue-1.note --root root.key -o catalogue-2.note"
    )]
    Sign {
        /// Directory
        dir: PathBuf,
        /// An earlier catalogue, a signed note or a directory; repeat for all earlier ones. What
        /// cannot follow it is not signed
        #[arg(long, value_name = "OLD", required_unless_present = "first")]
        against: Vec<PathBuf>,
        /// There is no earlier catalogue that anybody counts by
        #[arg(long, conflicts_with = "against")]
        first: bool,
        /// Root key file; repeat for several
        #[arg(long, value_name = "KEYFILE", required = true)]
        root: Vec<PathBuf>,
        /// New file for the note
        #[arg(short, long, value_name = "NOTE")]
        output: PathBuf,
    },
}

pub fn run(command: Command, out: &Output) -> CommandResult {
    match command {
        Command::Check { dir, against } => check(&dir, &against, out),
        Command::Show(args) => show::run(&args, out),
        Command::Sign {
            dir,
            against,
            first: _,
            root,
            output,
        } => sign(&dir, &against, (&root, &output), out),
    }
}

fn sign(
    dir: &Path,
    against: &[PathBuf],
    (root, output): (&[PathBuf], &Path),
    out: &Output,
) -> CommandResult {
    let catalogue = match examine(dir)? {
        Ok(catalogue) => catalogue,
        Err(CatalogueErrors(errors)) => {
            let message = format!(
                "{}: the catalogue has {} fault(s) and was not signed",
                dir.display(),
                errors.len()
            );
            return Err(Failure::coded(FaultCode::CatalogueFaults, message)
                .help("`countersign catalogue check` lists them all"));
        }
    };
    let changes = succession::compare(&catalogue, against)?;
    let refused = succession::refused(&changes).count();
    if refused > 0 {
        let message = format!(
            "{}: the catalogue cannot follow the earlier one for {refused} reason(s), and was not signed",
            dir.display()
        );
        return Err(Failure::coded(FaultCode::CatalogueFaults, message)
            .help("`countersign catalogue check --against OLD` lists them all"));
    }
    succession::tell(&changes, out);
    let keys = read_keys(root)?;
    let note = keyring::sign_catalogue(dir, &keys.iter().collect::<Vec<_>>())?;
    save_new(output, note.as_bytes())?;
    print_signed(&note, output, out);
    Ok(true)
}

fn check(dir: &Path, against: &[PathBuf], out: &Output) -> CommandResult {
    match examine(dir)? {
        Err(CatalogueErrors(errors)) => {
            list_errors(dir, &errors, out);
            Ok(false)
        }
        Ok(catalogue) => {
            // Compiling it finds what validation cannot: conditions that do not compile.
            let counting = CompiledCatalogue::new(catalogue)
                .map_err(|e| Failure::coded(FaultCode::CatalogueCel, e.to_string()))?;
            let changes = succession::compare(&counting.catalogue, against)?;
            let follows = succession::refused(&changes).next().is_none();
            summarise(&counting, &changes, follows, out);
            Ok(follows)
        }
    }
}

fn list_errors(dir: &Path, errors: &[CatalogueError], out: &Output) {
    let code = |f: &CatalogueError| format!("catalogue.{}", f.code());
    let list: Vec<_> = errors
        .iter()
        .map(|f| json!({ "place": f.place(), "code": code(f), "message": message(f) }))
        .collect();
    out.answer(json!({ "holds": false, "faults": list }), || {
        let mut rows = out.table(&["place", "code", "fault"]);
        for f in errors {
            rows.add_row([f.place(), &code(f), &message(f)]);
        }
        print(&rows);
        sayln!("✗ {}: {} fault(s)", dir.display(), errors.len());
    });
}

fn summarise(counting: &CompiledCatalogue, changes: &[Change], follows: bool, out: &Output) {
    let c = &counting.catalogue;
    let (events, indicators) = (c.events.len(), c.indicators.len());
    let (dimensions, rules) = (c.dimensions.len(), c.rules.len());
    let answer = json!({
        "holds": follows,
        "id": c.id,
        "version": c.version,
        "digest": counting.digest,
        "events": events,
        "indicators": indicators,
        "dimensions": dimensions,
        "rules": rules,
        "faults": [],
        "changes": succession::as_json(changes),
    });
    out.answer(answer, || {
        succession::table(changes, out);
        sayln!(
            "{} {} version {}: {events} event types, {indicators} indicators, \
             {dimensions} dimensions, {rules} rules; {}",
            if follows { "✓" } else { "✗" },
            c.id,
            c.version,
            counting.digest
        );
    });
}

/// The text without its place and code, which have columns of their own.
fn message(error: &CatalogueError) -> String {
    let text = error.to_string();
    let text = text
        .strip_prefix(&format!("{}: ", error.place()))
        .unwrap_or(&text);
    text.strip_suffix(&format!(" [catalogue.{}]", error.code()))
        .unwrap_or(text)
        .to_string()
}
