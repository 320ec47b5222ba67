//! How a command answers, and with which exit code.

use std::io::IsTerminal;
use std::process::ExitCode;

use comfy_table::Table;
use serde::Serialize;
use serde_json::Value;

use super::failure::Failure;
use super::table::{Style, table};
use super::text::sayln;

/// How a command ends: whether what it was asked for holds, or why there is no answer.
pub type CommandResult = Result<bool, Failure>;

/// How a command is to answer.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// One JSON value instead of text.
    pub json: bool,
    /// How tables look.
    pub style: Style,
}

impl Output {
    /// Prints the JSON value, or what `text` prints.
    pub fn answer(&self, value: Value, text: impl FnOnce()) {
        if self.json {
            sayln!("{value:#}");
        } else {
            text();
        }
    }
    /// A table with this heading.
    pub fn table(&self, heading: &[&str]) -> Table {
        table(self.style, heading)
    }
    /// For what is only of interest to a person who looks on; on the standard error, and never with
    /// `--json`.
    pub fn note(&self, text: impl std::fmt::Display) {
        if !self.json {
            eprintln!("{text}");
        }
    }
}

/// Sets how failures look. Without a terminal nothing is wrapped, so that logs and scripts find whole
/// sentences. A hook that exists already stays.
pub fn install_reports() {
    let wrap = std::io::stderr().is_terminal();
    let _ = miette::set_hook(Box::new(move |_| {
        Box::new(
            miette::MietteHandlerOpts::new()
                .terminal_links(false)
                .break_words(false)
                .wrap_lines(wrap)
                .build(),
        )
    }));
}

/// The exit code of a command that has ended; a failure is printed.
pub fn exit(done: CommandResult, out: &Output) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            let code = if failure.usage { 2 } else { 1 };
            failure.print(out.json);
            ExitCode::from(code)
        }
    }
}

/// A value as JSON; for types whose serialisation cannot fail.
pub fn value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("what commands print has string keys and no failing part")
}
