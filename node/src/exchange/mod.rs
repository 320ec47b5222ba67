//! Files that people exchange with the node. A source (CSV, JSONL) turns its text into rows of
//! cells; one function makes a draft of a row, whichever source it came from. Every fault of every
//! row is found.
//!
//! Reading order: `encoding` (bytes to text), `lexer` (text to rows of cells that mean nothing yet),
//! `fold` (signs that look alike), `column` (names to fields), `cell` (one text to one value, with
//! `date`, `number`, `unit`, `identifier` and `code`), `rows` (cells to a draft), `table` (sources
//! with a heading), then the sources `csv`, `jsonl` and `xlsx`, and `template` (tables to fill in); `change` (an event with some fields changed). A further form of file is a further source.
//! Which drafts may be recorded is not decided here: that is the desk's.

mod cell;
mod change;
mod code;
mod column;
mod csv;
mod date;
mod encoding;
mod fold;
mod identifier;
mod jsonl;
mod lexer;
mod marked;
mod nearest;
mod number;
mod rows;
mod table;
mod template;
mod unit;
mod xlsx;

pub use cell::MAX_TEXT;
pub use change::changed;
pub use column::titles as column_titles;
pub use encoding::decode;
pub use identifier::is_rounded_id;
pub use marked::{marked_csv, marked_xlsx};
pub use number::MAX_INT;
pub use rows::{Draft, MAX_ROWS, Parsed, SkipReason, Skipped, UnfitNumber, too_many_rows};
pub use template::{template_csv, template_xlsx};

use protocol::catalogue::Catalogue;

use crate::fault::{FaultCode, Faults};

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated, with a heading.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// A workbook, whose sheet with a heading is read.
    Xlsx,
}

impl Form {
    /// All of them.
    pub const ALL: [Form; 3] = [Form::Csv, Form::Jsonl, Form::Xlsx];

    /// As the API and file names have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Form::Csv => "csv",
            Form::Jsonl => "jsonl",
            Form::Xlsx => "xlsx",
        }
    }

    /// The form of this name; without one, CSV.
    ///
    /// # Errors
    /// A name that is none.
    pub fn named(name: Option<&str>) -> Result<Form, Faults> {
        let Some(name) = name else {
            return Ok(Form::Csv);
        };
        let form = Form::ALL.into_iter().find(|form| form.as_str() == name);
        form.ok_or_else(|| {
            Faults::one(
                FaultCode::FileForm,
                "form 应为 csv、jsonl 或 xlsx。",
                "form is csv, jsonl or xlsx",
            )
        })
    }
}

/// Reads a file of events. `event` is the type of a CSV file; a JSONL row may name its own in
/// `type`.
///
/// # Errors
/// What makes the file unreadable as a whole.
pub fn parse(
    bytes: &[u8],
    form: Form,
    event: Option<&str>,
    catalogue: &Catalogue,
) -> Result<Parsed, Faults> {
    // A workbook is known by its first bytes, whatever it is called.
    let parsed = match form {
        _ if bytes.starts_with(xlsx::MARK) => xlsx::read(bytes, event, catalogue),
        Form::Csv => csv::read(&decode(bytes)?, event, catalogue),
        Form::Jsonl => jsonl::read(&decode(bytes)?, event, catalogue),
        Form::Xlsx => xlsx::read(bytes, event, catalogue),
    }?;
    if parsed.drafts.is_empty() && parsed.faults.is_empty() {
        return Err(Faults::one(
            FaultCode::FileEmpty,
            "文件中没有可录入的行。请核对是否选错了文件，或工作表是空的。",
            "there is no row in it to be recorded: is it the right file, and not an empty sheet?",
        ));
    }
    Ok(parsed)
}
