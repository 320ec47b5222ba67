//! `countersign plan`: what figures are held against.

use std::path::PathBuf;

use clap::Subcommand;
use node::fault::FaultCode;
use protocol::note::Note;
use protocol::plan::Plan;
use protocol::published;
use protocol::text::without_bom;

use super::output::{CommandResult, Failure, Output, read, save_new};
use super::signing::{print_signed, read_keys};

/// Sign a plan pack
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example:\n  countersign plan sign deploy/plans/sx-2022.toml --root root.key -o \
        sx-2022.note"
)]
pub enum Command {
    /// Sign a plan pack, its TOML unchanged
    #[command(
        after_help = "Example:\n  countersign plan sign deploy/plans/sx-2022.toml --root root.key \
            -o sx-2022.note"
    )]
    Sign {
        /// TOML file
        file: PathBuf,
        /// Root key file; repeat for several
        #[arg(long, value_name = "KEYFILE", required = true)]
        root: Vec<PathBuf>,
        /// New file for the note
        #[arg(short, long, value_name = "NOTE")]
        output: PathBuf,
    },
}

pub fn run(command: Command, out: &Output) -> CommandResult {
    let Command::Sign { file, root, output } = command;
    let wrong = |e: &dyn std::fmt::Display| {
        Failure::coded(FaultCode::PlanMalformed, format!("{}: {e}", file.display()))
    };
    let text = String::from_utf8(read(&file)?).map_err(|_| wrong(&"not UTF-8"))?;
    let text = without_bom(&text);
    Plan::from_toml(text).map_err(|e| wrong(&e))?;
    let keys = read_keys(&root)?;
    let note = Note::sign(
        &published::plan_text(text)?,
        &keys.iter().collect::<Vec<_>>(),
    )?;
    save_new(&output, note.as_bytes())?;
    print_signed(&note, &output, out);
    Ok(true)
}
