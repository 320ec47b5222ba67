//! `countersign audit`: looking back. Lists and disclosures of a running node, and the re-check of
//! a stopped one's whole history.

mod disclose;
mod events;
mod recheck;

use clap::Subcommand;

use super::output::{CommandResult, Output};

/// Look at events, show chosen fields, re-check a whole history
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  countersign audit events 2023-03 --token-file zhao.token")]
pub enum Command {
    Events(events::Args),
    Disclose(disclose::Args),
    Recheck(recheck::Args),
}

pub fn run(command: Command, out: &Output) -> CommandResult {
    match command {
        Command::Events(args) => events::run(&args, out),
        Command::Disclose(args) => disclose::run(&args, out),
        Command::Recheck(args) => recheck::run(&args, out),
    }
}
