//! Files that people exchange with the node. A source (CSV, JSONL) turns its text into rows of
//! cells; one function makes a draft of a row, whichever source it came from. Every fault of every
//! row is found.
//!
//! Reading order: `cell` (one text to one value), `column` (names to fields), `rows` (cells to a
//! draft), `table` (sources with a heading), then the sources `csv` and `jsonl`. A further form of
//! file is a further source. Which drafts may be recorded is not decided here: that is the desk's.

mod cell;
mod change;
mod column;
mod csv;
mod jsonl;
mod rows;
mod table;

pub use cell::{MAX_INT, MAX_TEXT};
pub use change::changed;
pub use rows::{Draft, MAX_ROWS, Parsed};

use protocol::catalogue::Catalogue;

use crate::fault::{FaultCode, Faults};

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated, with a heading.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// Decodes text: UTF-8 if it is, with or without BOM, else GB18030 if that fits.
///
/// # Errors
/// Bytes that are neither.
pub fn decode(bytes: &[u8]) -> Result<String, Faults> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_string());
    }
    let (text, wrong) = encoding_rs::GB18030.decode_without_bom_handling(bytes);
    if wrong {
        return Err(Faults::one(
            FaultCode::FileEncoding,
            "文件既不是 UTF-8 也不是 GB18030 编码;请另存为“CSV UTF-8”",
            "the file is neither UTF-8 nor GB18030; save it as “CSV UTF-8”",
        ));
    }
    Ok(text.into_owned())
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
    let text = decode(bytes)?;
    let parsed = match form {
        Form::Csv => csv::read(&text, event, catalogue),
        Form::Jsonl => jsonl::read(&text, event, catalogue),
    }?;
    if parsed.drafts.is_empty() && parsed.faults.is_empty() {
        return Err(Faults::one(
            FaultCode::FileEmpty,
            "文件中没有可录入的行",
            "there is no row in it to be recorded",
        ));
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_encodings_give_the_same_text() {
        let utf8 = "姓名,测试".as_bytes().to_vec();
        let bom = [b"\xef\xbb\xbf".to_vec(), utf8.clone()].concat();
        let gb = encoding_rs::GB18030.encode("姓名,测试").0.into_owned();
        assert_eq!(decode(&utf8).unwrap(), decode(&bom).unwrap());
        assert_eq!(decode(&utf8).unwrap(), decode(&gb).unwrap());
        assert_eq!(
            decode(&[0xff, 0xff, 0x00]).unwrap_err().0[0].code,
            "file.encoding"
        );
    }
}
