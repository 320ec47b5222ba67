//! The commands of `countersign-demo`. Exit codes are those of `countersign`: 0 done and everything
//! holds, 1 refused or something does not hold, 2 the command line is wrong.

mod ledger;
mod run;

use std::process::ExitCode;

use admin::cli::output::{self, Failure, Output, Style};
use clap::{Parser, Subcommand};

/// The demonstration of 核签 Countersign, and made-up ledgers for trials.
#[derive(Debug, Parser)]
#[command(
    name = "countersign-demo",
    version,
    after_help = "Example:\n  countersign-demo run --nats-server target/tools/nats-server\n\n\
    `deploy/demo` gets nats-server, builds all programs and runs the demonstration. Nothing of \
    this program is needed \
    where a node works."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Ledger(ledger::Args),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let command = Cli::parse().command;
    output::install_reports();
    let out = Output {
        json: matches!(&command, Command::Ledger(args) if args.json),
        style: Style::of_stdout(),
    };
    let done = match command {
        Command::Run(args) => run::run(&args).map_err(|e| failure(&e)),
        Command::Ledger(args) => ledger::run(&args, &out),
    };
    output::exit(done, &out)
}

/// A report with the causes of its error.
fn failure(report: &miette::Report) -> Failure {
    let causes: Vec<String> = report.chain().map(ToString::to_string).collect();
    Failure::of(causes.join(": "))
}
