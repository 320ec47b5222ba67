//! `countersign registry`: who exists. Versions are signed offline, one after the other.

pub mod chain;
mod change;
mod difference;
mod new;
mod next;
mod next_args;
mod refused;
mod show;
mod sign;
mod version;

use clap::Subcommand;

use super::output::{CommandResult, Output};

/// Make, sign and show the registry of units
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example:\n  countersign registry show published/registry-*.note --root root.vkey"
)]
pub enum Command {
    New(new::Args),
    Next(Box<next_args::Args>),
    Sign(sign::Args),
    Show(show::Args),
}

pub fn run(command: Command, out: &Output) -> CommandResult {
    match command {
        Command::New(args) => new::run(args, out),
        Command::Next(args) => next::run(&args, out),
        Command::Sign(args) => sign::run(&args, out),
        Command::Show(args) => show::run(&args, out),
    }
}
