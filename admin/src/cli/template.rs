//! `countersign template`: empty files of events for people to fill in.

use std::path::{Path, PathBuf};

use node::exchange::{template_csv, template_xlsx};
use node::fault::FaultCode;
use protocol::catalogue::{Catalogue, EventType};
use serde_json::json;

use super::catalogue::Source;
use super::output::{CommandResult, Failure, Output, save_new, sayln};

/// Write an empty file of events to be filled in (模板)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  countersign template E16 -o E16.xlsx --token-file chen.token\n  \
    countersign template --all -o templates --catalogue catalogue-1.note\n\n\
    A workbook has drop-downs of the codes, a note on each heading, and columns of text where a \
    spreadsheet would ruin\n\
    a number; a name that ends with .csv gives the heading alone. `countersign import` reads both."
)]
pub struct Args {
    /// The event type, for example E16
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    event: Option<String>,
    /// One workbook for each type, into a directory
    #[arg(long)]
    all: bool,
    /// New file (.xlsx or .csv); with --all a directory
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    source: Source,
}

pub fn run(args: &Args, out: &Output) -> CommandResult {
    let catalogue = args.source.catalogue()?;
    let files = match &args.event {
        Some(code) => {
            let event = catalogue.event_by_code(code).filter(|event| !event.system);
            let event = event.ok_or_else(|| unknown(code))?;
            vec![(event, args.output.clone())]
        }
        None => {
            std::fs::create_dir_all(&args.output).map_err(Failure::file(&args.output))?;
            let events = catalogue.events.iter().filter(|event| !event.system);
            events
                .map(|event| (event, args.output.join(file_name(event))))
                .collect()
        }
    };
    for (event, path) in &files {
        save_new(path, &content(event, path, &catalogue)?)?;
    }
    let paths: Vec<&Path> = files.iter().map(|(_, path)| path.as_path()).collect();
    out.answer(json!({ "files": paths }), || {
        for (event, path) in &files {
            sayln!(
                "✓ {}: {} {} / {}",
                path.display(),
                event.code,
                event.zh,
                event.en
            );
        }
    });
    Ok(true)
}

fn unknown(code: &str) -> Failure {
    let message = format!("目录中没有可填报的业务类型“{code}” / there is no event type {code}");
    Failure::coded(FaultCode::FileType, message)
        .help("countersign catalogue show lists all of them")
}

/// By its code `import` knows the type; the name is for people.
fn file_name(event: &EventType) -> String {
    let zh: String = event
        .zh
        .chars()
        .filter(|c| !"/\\:*?\"<>|".contains(*c))
        .collect();
    format!("{} {zh}.xlsx", event.code)
}

fn content(event: &EventType, path: &Path, catalogue: &Catalogue) -> Result<Vec<u8>, Failure> {
    let ending = path
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "csv" => Ok(template_csv(event).into_bytes()),
        "xlsx" => template_xlsx(event, catalogue).map_err(Failure::of),
        _ => Err(Failure::usage(format!(
            "{}: the name ends with .xlsx or .csv",
            path.display()
        ))),
    }
}
