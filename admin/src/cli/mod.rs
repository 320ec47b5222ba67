//! The commands, one file a group. Each talks to a running node through its API, or works on files;
//! none opens the database of a running node.
//!
//! Exit codes: 0 done and everything holds, 1 refused or something does not hold, 2 the command
//! line is wrong. With `--json` the standard output is one JSON value, also for a refusal:
//! `{"error": {"code", "message", "help", "faults"}}`.
//!
//! Reading order: this file, [`output`] (tables, JSON, failures), [`connect`] (node and token),
//! [`units`] (files of units), then any group.

pub mod output;
pub mod report;
pub mod units;

mod arguments;
mod audit;
mod catalogue;
mod connect;
mod data_directory;
mod desk;
mod evidence;
mod explain;
mod figure_tables;
mod figures;
mod fsck;
mod guard;
mod import;
mod key;
mod months;
mod nats;
mod operator;
mod plan;
mod publish;
mod registry;
mod review;
mod signing;
mod status;
mod template;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::{CommandResult, Output, Style};

/// 核签: signed events where they happen, signed totals with their proof upwards.
#[derive(Debug, Parser)]
#[command(
    name = "countersign",
    version,
    after_help = "Example:\n  countersign status --node http://127.0.0.1:8321 --token-file \
        chen.token\n\n\
    Commands that talk to a node take its address and a token from --node and --token-file, or \
    from COUNTERSIGN_NODE and\n\
    COUNTERSIGN_TOKEN. `countersign help COMMAND` shows an example of each. Exit code: 0 done, 1 \
    refused, 2 wrong usage."
)]
struct Cli {
    /// Answer with one JSON value
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(subcommand)]
    Key(key::Command),
    #[command(subcommand)]
    Registry(registry::Command),
    #[command(subcommand)]
    Catalogue(catalogue::Command),
    #[command(subcommand)]
    Plan(plan::Command),
    #[command(subcommand)]
    Nats(nats::Command),
    Import(import::Args),
    Template(template::Args),
    Void(desk::void::Args),
    Correct(desk::correct::Args),
    Close(desk::close::Args),
    Sign(desk::sign::Args),
    Submit(desk::submit::Args),
    Status(status::Args),
    Months(months::Args),
    Figures(figures::Args),
    #[command(subcommand)]
    Review(review::Command),
    #[command(subcommand)]
    Operator(operator::Command),
    Publish(publish::Args),
    Evidence(evidence::Args),
    Verify(verify::Args),
    #[command(subcommand)]
    Audit(audit::Command),
    Explain(explain::Args),
    Fsck(fsck::Args),
    Guard(guard::Args),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    output::install_reports();
    let out = Output {
        json: cli.json,
        style: Style::of_stdout(),
    };
    output::exit(run(cli.command, &out), &out)
}

fn run(command: Command, out: &Output) -> CommandResult {
    match command {
        Command::Key(c) => key::run(c, out),
        Command::Registry(c) => registry::run(c, out),
        Command::Catalogue(c) => catalogue::run(c, out),
        Command::Plan(c) => plan::run(c, out),
        Command::Nats(c) => nats::run(c, out),
        Command::Import(a) => import::run(&a, out),
        Command::Template(a) => template::run(&a, out),
        Command::Void(a) => desk::void::run(&a, out),
        Command::Correct(a) => desk::correct::run(&a, out),
        Command::Close(a) => desk::close::run(a, out),
        Command::Sign(a) => desk::sign::run(&a, out),
        Command::Submit(a) => desk::submit::run(&a, out),
        Command::Status(a) => status::run(&a, out),
        Command::Months(a) => months::run(&a, out),
        Command::Figures(a) => figures::run(&a, out),
        Command::Review(c) => review::run(c, out),
        Command::Operator(c) => operator::run(c, out),
        Command::Publish(a) => publish::run(&a, out),
        Command::Evidence(a) => evidence::run(&a, out),
        Command::Verify(a) => verify::run(&a, out),
        Command::Audit(c) => audit::run(c, out),
        Command::Explain(a) => explain::run(&a, out),
        Command::Fsck(a) => fsck::run(&a, out),
        Command::Guard(a) => guard::run(&a, out),
    }
}
