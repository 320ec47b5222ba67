//! The project's own note text: a line that names kind and version, and one JSON object on one
//! line.
//!
//! ```text
//! countersign/<kind>/v1
//! {"…": …}
//! ```
//!
//! Kind and version are inside the signed bytes, so that no document can be taken for another kind.
//! Nothing is ever serialised again in order to verify: the line is kept as it was signed. That the
//! line is valid JSON is seen when its module parses it; here only its frame is checked.

use super::error::NoteError;
use super::limits::MAX_KIND_BYTES;

/// How much of a foreign first line an error shows.
const SHOWN: usize = 60;

fn first_line(kind: &str) -> Result<String, NoteError> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if kind.is_empty() || kind.len() > MAX_KIND_BYTES || !kind.bytes().all(fits) {
        return Err(NoteError::Kind);
    }
    Ok(format!("countersign/{kind}/v1"))
}

fn check_json(json: &str) -> Result<(), NoteError> {
    let framed = json.starts_with('{') && json.ends_with('}');
    if !framed || has_control(json) || has_other_escape(json) {
        return Err(NoteError::Json);
    }
    Ok(())
}

/// Whether a backslash stands before anything but `"`, `\\`, `n`, `r` and `t`. Those are all that a text
/// without other control characters needs; every other escape would bring one into a text that
/// people are shown, or give a text that is written another way than it was signed.
fn has_other_escape(json: &str) -> bool {
    if !json.contains('\\') {
        return false;
    }
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' && !matches!(bytes.next(), Some(b'"' | b'\\' | b'n' | b'r' | b't')) {
            return true;
        }
    }
    false
}

/// Whether there is a control character (Unicode's Cc) in it: U+0000 to U+001F, U+007F, U+0080 to
/// U+009F. Every byte of every leaf comes by here, so bytes are looked at instead of characters;
/// the last 32 of Cc are written 0xC2 0x80 to 0xC2 0x9F.
fn has_control(text: &str) -> bool {
    let (mut control, mut c2) = (false, false);
    for byte in text.bytes() {
        control |= byte < 0x20 || byte == 0x7f;
        c2 |= byte == 0xc2;
    }
    control || c2 && text.contains(char::is_control)
}

/// The text of a document, to be signed.
pub fn document(kind: &str, json: &str) -> Result<String, NoteError> {
    let first = first_line(kind)?;
    check_json(json)?;
    Ok(format!("{first}\n{json}\n"))
}

/// The JSON line of a document of this kind. Verify the note first.
pub fn read_document<'a>(note_text: &'a str, kind: &str) -> Result<&'a str, NoteError> {
    let expected = first_line(kind)?;
    let (found, rest) = note_text.split_once('\n').unwrap_or((note_text, ""));
    if found != expected {
        let start: String = found.chars().take(SHOWN).collect();
        return Err(NoteError::Document {
            expected,
            found: format!("{start:?}"),
        });
    }
    // A second line break before the end would be a control character in the JSON.
    let json = rest.strip_suffix('\n').ok_or(NoteError::Json)?;
    check_json(json)?;
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let text = document("statement", r#"{"unit":"140321","名":"县"}"#).unwrap();
        assert_eq!(
            text,
            "countersign/statement/v1\n{\"unit\":\"140321\",\"名\":\"县\"}\n"
        );
        assert_eq!(
            read_document(&text, "statement"),
            Ok(r#"{"unit":"140321","名":"县"}"#)
        );
    }

    #[test]
    fn a_text_of_several_lines_is_written_and_read() {
        let value = serde_json::json!({ "toml": "a = \"县\"\n\tb = 'c:\\d'\r\n" });
        let text = document("plan", &value.to_string()).unwrap();
        let read = read_document(&text, "plan").unwrap();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(read).unwrap(),
            value
        );
        // What would come out as a control character cannot be written either.
        for control in ["\u{1b}", "\u{8}", "\u{0}", "\u{9b}", "\u{7f}"] {
            let json = serde_json::json!({ "a": control }).to_string();
            assert_eq!(document("plan", &json), Err(NoteError::Json), "{json}");
        }
    }

    #[test]
    fn another_document_is_refused() {
        for text in [
            "countersign/rollup/v1\n{}\n",
            "countersign/statement/v2\n{}\n",
            "countersign/statement/v10\n{}\n",
            "Countersign/statement/v1\n{}\n",
            " countersign/statement/v1\n{}\n",
            "countersign/statement/v1 \n{}\n",
            "\n{}\n",
            "",
            "countersign/140321\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        ] {
            assert_eq!(
                read_document(text, "statement").unwrap_err().code(),
                "note.document",
                "{text:?}"
            );
        }
        for rest in [
            "",
            "\n",
            "{}",
            "{}\n\n",
            "{}\n{}\n",
            "{\n}\n",
            "{\"a\":\"\t\"}\n",
            "{\"a\":\"\u{85}\"}\n",
            "{\"a\":\"\\u0085\"}\n",
            "{\"a\":\"\\u001b[2J\"}\n",
            "{\"a\":\"\\b\"}\n",
            "{\"a\":\"\\f\"}\n",
            "{\"a\":\"\\/\"}\n",
            "{\"a\":\"\\u53bf\"}\n",
            "{\"a\":\"\\\\\\u0061\"}\n",
            "[]\n",
            " {}\n",
        ] {
            let text = format!("countersign/statement/v1\n{rest}");
            assert_eq!(
                read_document(&text, "statement").unwrap_err().code(),
                "note.json",
                "{text:?}"
            );
        }
        assert_eq!(
            read_document("countersign/statement/v1", "statement")
                .unwrap_err()
                .code(),
            "note.json"
        );
        for kind in ["", "Statement", "a/b", "a\n", "a b", &"k".repeat(33)] {
            assert_eq!(document(kind, "{}"), Err(NoteError::Kind), "{kind:?}");
            assert_eq!(
                read_document("countersign/statement/v1\n{}\n", kind),
                Err(NoteError::Kind)
            );
        }
        for json in [
            "",
            "{}\n",
            "{\r}",
            "null",
            "{\"a\":\"\u{0}\"}",
            "{\"a\":\"\u{7f}\"}",
        ] {
            assert_eq!(
                document("statement", json),
                Err(NoteError::Json),
                "{json:?}"
            );
        }
    }

    #[test]
    fn a_foreign_first_line_is_shown_short_and_quoted() {
        let text = format!("\u{1b}[2J{}\n", "x".repeat(5000));
        let error = read_document(&text, "plan").unwrap_err().to_string();
        assert!(error.len() < 250 && !error.contains('\u{1b}'), "{error}");
    }

    #[test]
    fn every_control_character_is_found() {
        for c in (0..=0x2100).filter_map(char::from_u32) {
            assert_eq!(has_control(&format!("残{c}联")), c.is_control(), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_accepts_only_what_writing_makes(text in "(countersign/plan/v1\n)?[{}\n\"a1:]{0,12}") {
            if let Ok(json) = read_document(&text, "plan") {
                prop_assert_eq!(document("plan", json).unwrap(), text);
            }
        }
    }
}
