//! Why a command could not do what it was asked for, and how that is shown.

use std::io::IsTerminal;
use std::path::Path;

use miette::Diagnostic;
use node::fault::{Fault, FaultCode, Faults};
use serde_json::json;

use super::table::{Style, fault_table, lines};
use super::text::{escape_controls, sayln};

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
    /// With a code.
    pub fn coded(code: FaultCode, message: impl Into<String>) -> Failure {
        Failure {
            code: code.to_string(),
            message: message.into(),
            ..Failure::default()
        }
    }
    /// From faults, of which a single one is told as it is; `refusal` says who refuses many.
    pub fn of_faults(faults: Vec<Fault>, refusal: &str) -> Failure {
        let first = faults.first().map(|f| f.code.to_string());
        let message = match faults.as_slice() {
            [one] => {
                let unit = one.unit.as_ref().map(|unit| format!("{unit} "));
                let place = one.column.as_ref().map(|c| format!("{c}: "));
                let (unit, place) = (unit.unwrap_or_default(), place.unwrap_or_default());
                format!("{unit}{place}{} / {}", one.zh, one.en)
            }
            many => format!("{refusal}, for {} reasons", many.len()),
        };
        Failure {
            code: first.unwrap_or_default(),
            message,
            faults,
            ..Failure::default()
        }
    }
    /// The command line is at fault.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure {
            usage: true,
            ..Failure::coded(FaultCode::Usage, message)
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
        move |e| Failure::coded(FaultCode::File, format!("{}: {e}", path.display()))
    }
    /// How to cure it: what was said where it failed, else what the table of codes says. Of several
    /// faults each has its own words, and a single cure would be the wrong one for most.
    fn cure(&self) -> Option<String> {
        if self.help.is_some() || self.faults.len() > 1 {
            return self.help.clone();
        }
        let cure = self.code.parse::<FaultCode>().ok()?.cure();
        Some(format!("{}\n{}", cure.zh, cure.en))
    }
    /// With the same in Chinese before it.
    #[must_use]
    fn in_chinese(mut self, zh: &str) -> Failure {
        self.message = format!("{zh} / {}", self.message);
        self
    }
    /// What it says of a file that it concerns.
    #[must_use]
    pub fn about(mut self, file: &Path) -> Failure {
        self.message = format!("{}: {}", file.display(), self.message);
        self
    }
    /// Prints it: one JSON value on the standard output, or a text on the standard error.
    pub fn print(mut self, json: bool) {
        self.message = escape_controls(&self.message).into_owned();
        self.help = self.cure();
        if json {
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
            crate::api::ApiError::Refused(faults) => {
                Failure::of_faults(faults.0, "the node refuses")
            }
            other => Failure::of(other),
        }
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Failure {
        Failure::of_faults(faults.0, "refused")
    }
}

impl From<node::books::BooksError> for Failure {
    fn from(e: node::books::BooksError) -> Failure {
        match e {
            node::books::BooksError::Journal(e) => e.into(),
            other => Failure::of(&other).in_chinese(&other.zh()),
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

impl From<node::journal::JournalError> for Failure {
    fn from(e: node::journal::JournalError) -> Failure {
        Failure::coded(e.code(), e.to_string()).in_chinese(&e.zh())
    }
}

failures! {
    coded: crate::nats::NatsError, protocol::note::NoteError;
    bare: crate::keyring::KeyringError, node::books::keys::KeyError,
        protocol::registry::RegistryError, protocol::published::PublishedError, protocol::rollup::RollupError,
        protocol::evidence::file::FileError, protocol::evidence::report::EvidenceError
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
    fn the_table_helps_where_nothing_else_does() {
        let failure = Failure::coded(FaultCode::CloseEarly, "2023-04 is not over yet");
        assert_eq!(failure.cure().as_deref(), Some("请等待\nwait"));
        assert_eq!(failure.help("x").cure().as_deref(), Some("x"));
        assert_eq!(Failure::of("of no code").cure(), None);
        let faults = [FaultCode::DateForm, FaultCode::MoneyForm].map(|c| Fault::new(c, "", ""));
        assert_eq!(Failure::of_faults(faults.to_vec(), "").cure(), None);
    }
}
