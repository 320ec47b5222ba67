//! What commands print: tables, JSON, and failures with the right exit code.

use std::borrow::Cow;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use comfy_table::presets::{NOTHING, UTF8_HORIZONTAL_ONLY};
use comfy_table::{ContentArrangement, Table};
use miette::Diagnostic;
use node::fault::Fault;
use protocol::receipt::Decision;
use serde::Serialize;
use serde_json::{Value, json};

/// As `println!`, through [`say`].
macro_rules! sayln {
    () => { $crate::cli::output::say("\n") };
    ($fmt:literal $($arg:tt)*) => { $crate::cli::output::say(&(format!($fmt $($arg)*) + "\n")) };
}

pub(crate) use sayln;

/// Prints a text on the standard output, [tamed](tame). A reader who has gone away (`| head`) does
/// not end a command in the middle of its work.
pub fn say(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().lock().write_all(tame(text).as_bytes());
}

/// How tables look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Columns and nothing else: for pipes and files.
    Plain,
    /// Ruled, and fitted to the terminal's width.
    Terminal,
}

impl Style {
    /// [`Style::Terminal`] where the standard output is one.
    pub fn of_stdout() -> Style {
        if std::io::stdout().is_terminal() {
            Style::Terminal
        } else {
            Style::Plain
        }
    }
}

/// How a command is to answer.
#[derive(Debug, Clone, Copy)]
pub struct Out {
    /// One JSON value instead of text.
    pub json: bool,
    /// How tables look.
    pub style: Style,
}

impl Out {
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

/// A table with this heading.
pub fn table(style: Style, heading: &[&str]) -> Table {
    let mut table = Table::new();
    match style {
        Style::Plain => table.load_style(NOTHING),
        Style::Terminal => {
            // comfy-table asks the terminal itself only with a feature that the workspace does
            // without.
            let width = std::env::var("COLUMNS")
                .ok()
                .and_then(|c| c.parse().ok())
                .filter(|w| *w >= 40)
                .unwrap_or(110);
            table
                .load_style(UTF8_HORIZONTAL_ONLY)
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width)
        }
    };
    table.set_header(heading.iter().copied());
    table
}

/// A table's text, no line ending in spaces.
pub fn lines(table: &Table) -> String {
    table.trim_fmt() + "\n"
}

/// Prints a table.
pub fn print(table: &Table) {
    say(&lines(table));
}

/// Text from elsewhere for a terminal: what would move its cursor, clear it, or turn the direction
/// of writing is written as in JSON. A file that is to be checked must not be able to paint "every
/// check holds".
pub fn tame(text: &str) -> Cow<'_, str> {
    let wild = |c: char| {
        let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || (c.is_control() && !matches!(c, '\n' | '\t'))
    };
    if !text.contains(wild) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .map(|c| {
                if wild(c) {
                    format!("\\u{:04x}", u32::from(c))
                } else {
                    c.to_string()
                }
            })
            .collect(),
    )
}

/// The same for what stands within a line: it must not begin one of its own.
pub fn one_line(text: &str) -> String {
    tame(text).replace('\n', "\\n")
}

/// `1.23 s`
pub fn seconds(took: Duration) -> String {
    format!("{:.2} s", took.as_secs_f64())
}

/// In both languages.
pub fn decision(decision: Decision) -> String {
    let en = match decision {
        Decision::Accepted => "accepted",
        Decision::Returned => "returned",
        Decision::Rejected => "rejected",
        Decision::Reopened => "reopened",
    };
    format!("{en} {}", decision.zh())
}

/// Every fault with its place, both languages and the code.
pub fn fault_table(style: Style, faults: &[Fault]) -> Table {
    let mut rows = table(
        style,
        &["行 row", "列 column", "代码 code", "中文", "English"],
    );
    for f in faults {
        let row = f.row.map(|r| r.to_string()).unwrap_or_default();
        rows.add_row([
            &row,
            f.column.as_deref().unwrap_or_default(),
            &f.code,
            &f.zh,
            &f.en,
        ]);
    }
    rows
}

/// How a command ends: whether what it was asked for holds, or why there is no answer.
pub type Done = Result<bool, Failure>;

/// Why a command could not do what it was asked for.
#[derive(Debug, Clone, Default)]
pub struct Failure {
    /// The command line is at fault: exit code 2 instead of 1.
    pub usage: bool,
    /// Stable code, or empty.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// How to cure it, where the message does not say.
    pub help: Option<String>,
    /// What the node said, if it was the node.
    pub faults: Vec<Fault>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl Diagnostic for Failure {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        (!self.code.is_empty()).then(|| Box::new(&self.code) as Box<dyn std::fmt::Display>)
    }
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|h| Box::new(h) as Box<dyn std::fmt::Display>)
    }
}

impl Failure {
    /// From any error. A stable code in brackets at the end of its text becomes the code.
    pub fn of(e: impl std::fmt::Display) -> Failure {
        let text = e.to_string();
        let text = text.trim_end();
        let split = text
            .strip_suffix(']')
            .and_then(|t| t.rsplit_once(" ["))
            .filter(|(_, code)| is_code(code));
        let (message, code) = split.unwrap_or((text, ""));
        Failure {
            code: code.to_string(),
            message: message.to_string(),
            ..Failure::default()
        }
    }
    /// From a report, with the causes of its error.
    pub fn of_report(report: &miette::Report) -> Failure {
        let causes: Vec<String> = report.chain().map(ToString::to_string).collect();
        Failure::of(causes.join(": "))
    }
    /// With a code.
    pub fn coded(code: &str, message: impl Into<String>) -> Failure {
        Failure {
            code: code.to_string(),
            message: message.into(),
            ..Failure::default()
        }
    }
    /// The command line is at fault.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure {
            usage: true,
            ..Failure::coded("usage", message)
        }
    }
    /// With a cure.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }
    /// For `map_err` on files.
    pub fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Failure + '_ {
        move |e| Failure::coded("file", format!("{}: {e}", path.display()))
    }
    /// Prints it: one JSON value on the standard output, or a text on the standard error.
    pub fn print(mut self, out: &Out) {
        self.message = tame(&self.message).into_owned();
        if out.json {
            sayln!(
                "{:#}",
                json!({ "error": { "code": self.code, "message": self.message, "help": self.help, "faults": self.faults } })
            );
            return;
        }
        if self.faults.len() > 1 {
            let style = if std::io::stderr().is_terminal() {
                Style::Terminal
            } else {
                Style::Plain
            };
            eprint!("{}", lines(&fault_table(style, &self.faults)));
        }
        eprintln!("{:?}", miette::Report::new(self));
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
pub fn exit(done: Done, out: &Out) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            let code = if failure.usage { 2 } else { 1 };
            failure.print(out);
            ExitCode::from(code)
        }
    }
}

/// Whether this looks like `area.name` or `area`.
fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'_')
}

impl From<crate::api::ApiError> for Failure {
    fn from(e: crate::api::ApiError) -> Failure {
        match e {
            crate::api::ApiError::Refused(faults) => refused(faults.0),
            other => Failure::of(other),
        }
    }
}

fn refused(faults: Vec<Fault>) -> Failure {
    let code = faults.first().map(|f| f.code.clone()).unwrap_or_default();
    let message = match faults.as_slice() {
        [one] => {
            let place = one
                .column
                .as_ref()
                .map(|c| format!("{c}: "))
                .unwrap_or_default();
            format!("{place}{} / {}", one.zh, one.en)
        }
        many => format!("the node refuses, for {} reasons", many.len()),
    };
    let help = match code.as_str() {
        "token.unknown" => Some(
            "give --token-file FILE, or set COUNTERSIGN_TOKEN; a new token counts only after the node was restarted",
        ),
        "role.missing" => Some("use the token of a person who has this role"),
        _ => None,
    };
    Failure {
        code,
        message,
        help: help.map(str::to_string),
        faults,
        usage: false,
    }
}

impl From<node::books::BooksError> for Failure {
    fn from(e: node::books::BooksError) -> Failure {
        match e {
            node::books::BooksError::Journal(e) => e.into(),
            other => Failure::of(other),
        }
    }
}

macro_rules! failures {
    (coded: $($coded:ty),*; bare: $($bare:ty),*) => {
        $(impl From<$coded> for Failure {
            fn from(e: $coded) -> Failure {
                let code = e.code().to_string();
                Failure { code, ..Failure::of(e) }
            }
        })*
        $(impl From<$bare> for Failure {
            fn from(e: $bare) -> Failure {
                Failure::of(e)
            }
        })*
    };
}

failures! {
    coded: crate::nats::NatsError, node::journal::JournalError, protocol::note::NoteError;
    bare: crate::keyring::KeyringError, node::books::keys::KeyError, node::fault::Faults,
        protocol::registry::RegistryError, protocol::published::PublishedError, protocol::rollup::RollupError,
        protocol::evidence::file::FileError, protocol::evidence::report::EvidenceError
}

/// A value as JSON; for types whose serialisation cannot fail.
pub fn value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Reads a file.
///
/// # Errors
/// What the system says.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(Failure::file(path))
}

/// Writes a new file and never replaces one: a signed document is not lost by a mistyped name.
///
/// # Errors
/// The file exists, or what the system says.
pub fn save_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write;
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path);
    let mut file = file.map_err(Failure::file(path)).map_err(|f| {
        f.help("files are never replaced; choose another name or move the old file away")
    })?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(Failure::file(path))
}

/// Writes a file whole or not at all: beside its place first, then renamed over whatever was there.
///
/// # Errors
/// What the system says.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write;
    replace_with(path, |file| {
        file.write_all(bytes).map_err(Failure::file(path))
    })
}

/// The same for what is written bit by bit.
///
/// # Errors
/// What `write` or the system says.
pub fn replace_with(
    path: &Path,
    write: impl FnOnce(&mut std::fs::File) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let mut file = std::fs::File::create(&beside).map_err(Failure::file(path))?;
    let written = write(&mut file);
    let placed = written.and_then(|()| {
        file.sync_all()
            .and_then(|()| std::fs::rename(&beside, path))
            .map_err(Failure::file(path))
    });
    if placed.is_err() {
        // Nothing of ours is left behind; the first error is the one to tell.
        let _ = std::fs::remove_file(&beside);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_taken_from_the_end_of_a_text() {
        let failure = Failure::of("registry version 3 is skipped [registry.version]");
        assert_eq!(
            (failure.code.as_str(), failure.message.as_str()),
            ("registry.version", "registry version 3 is skipped")
        );
        assert_eq!(Failure::of("an array [1, 2]").code, "");
    }

    #[test]
    fn no_text_paints_the_terminal() {
        let wild = "\u{1b}[2J\u{1b}[H✓ every check holds\r\u{9b}1A\u{202e}x\u{7}";
        assert_eq!(
            tame(wild),
            "\\u001b[2J\\u001b[H✓ every check holds\\u000d\\u009b1A\\u202ex\\u0007"
        );
        assert_eq!(one_line("a\n✓ b"), "a\\n✓ b");
        for kept in ["校验成立 ✓\n└─ x\ty", ""] {
            assert_eq!(tame(kept), kept);
        }
    }

    #[test]
    fn wide_characters_keep_columns_straight() {
        let mut rows = table(Style::Plain, &["列", "b"]);
        rows.add_row(["平定县", "1"]).add_row(["x", "2"]);
        assert_eq!(lines(&rows), " 列      b\n 平定县  1\n x       2\n");
    }
}
