//! `countersign catalogue`: what is counted.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use node::fault::FaultCode;
use protocol::authoring::{CatalogueError, CatalogueErrors};
use protocol::catalogue::Catalogue;
use protocol::compiled::CompiledCatalogue;
use protocol::text::without_bom;
use serde_json::json;

use super::output::{CommandResult, Failure, Output, print, read, save_new, sayln};
use super::signing::{print_signed, read_keys};
use crate::keyring;

/// Check and sign the catalogue of events, indicators and rules
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  countersign catalogue check deploy/catalogue")]
pub enum Command {
    /// Check the TOML files of a directory as one catalogue; every fault is listed
    #[command(after_help = "Example:\n  countersign catalogue check deploy/catalogue")]
    Check {
        /// Directory
        dir: PathBuf,
    },
    /// Check and sign a catalogue
    #[command(
        after_help = "Example:\n  countersign catalogue sign deploy/catalogue --root root.key -o \
            catalogue-1.note"
    )]
    Sign {
        /// Directory
        dir: PathBuf,
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
        Command::Check { dir } => check(&dir, out),
        Command::Sign { dir, root, output } => sign(&dir, &root, &output, out),
    }
}

fn sign(dir: &Path, root: &[PathBuf], output: &Path, out: &Output) -> CommandResult {
    if let Err(CatalogueErrors(errors)) = examine(dir)? {
        let message = format!(
            "{}: the catalogue has {} fault(s) and was not signed",
            dir.display(),
            errors.len()
        );
        return Err(Failure::coded(FaultCode::CatalogueFaults, message)
            .help("`countersign catalogue check` lists them all"));
    }
    let keys = read_keys(root)?;
    let note = keyring::sign_catalogue(dir, &keys.iter().collect::<Vec<_>>())?;
    save_new(output, note.as_bytes())?;
    print_signed(&note, output, out);
    Ok(true)
}

/// The catalogue of a directory, or all that is wrong with it.
fn examine(dir: &Path) -> Result<Result<Catalogue, CatalogueErrors>, Failure> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(Failure::file(dir))? {
        let path = entry.map_err(Failure::file(dir))?.path();
        if path.extension().is_some_and(|e| e == "toml") {
            let text = String::from_utf8(read(&path)?).map_err(|_| {
                Failure::coded(
                    FaultCode::CatalogueToml,
                    format!("{}: not UTF-8", path.display()),
                )
            })?;
            files.push((
                path.file_name()
                    .and_then(|n| n.to_str())
                    .unwrap_or_default()
                    .to_string(),
                without_bom(&text).to_string(),
            ));
        }
    }
    if files.is_empty() {
        return Err(Failure::coded(
            FaultCode::CatalogueEmpty,
            format!("{}: there is no TOML file", dir.display()),
        ));
    }
    files.sort();
    Ok(Catalogue::from_files(&files))
}

fn check(dir: &Path, out: &Output) -> CommandResult {
    match examine(dir)? {
        Err(CatalogueErrors(errors)) => {
            list_errors(dir, &errors, out);
            Ok(false)
        }
        Ok(catalogue) => {
            // Compiling it finds what validation cannot: conditions that do not compile.
            let counting = CompiledCatalogue::new(catalogue)
                .map_err(|e| Failure::coded(FaultCode::CatalogueCel, e.to_string()))?;
            summarise(&counting, out);
            Ok(true)
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

fn summarise(counting: &CompiledCatalogue, out: &Output) {
    let c = &counting.catalogue;
    let (events, indicators) = (c.events.len(), c.indicators.len());
    let (dimensions, rules) = (c.dimensions.len(), c.rules.len());
    let answer = json!({
        "holds": true,
        "id": c.id,
        "version": c.version,
        "digest": counting.digest,
        "events": events,
        "indicators": indicators,
        "dimensions": dimensions,
        "rules": rules,
        "faults": [],
    });
    out.answer(answer, || {
        sayln!(
            "✓ {} version {}: {events} event types, {indicators} indicators, \
             {dimensions} dimensions, {rules} rules; {}",
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
