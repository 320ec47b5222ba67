//! Kinds of arguments that several commands share.

use std::path::Path;

use node::text_file::{self, TextFileError};
use protocol::note::{NoteError, VerifierKey};
use protocol::text::without_bom;

/// Why an argument cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArgumentError {
    /// A private key where a public one belongs.
    #[error(
        "{where_it_is} a private key; give the public one, as `countersign key show FILE` prints it"
    )]
    PrivateKey {
        /// `this is` or `this file holds`.
        where_it_is: &'static str,
    },
    /// Neither a verifier key nor a file that can be read.
    #[error("neither a verifier key nor a file that can be read: {0}")]
    NoFile(std::io::Error),
    /// A file that is no text.
    #[error("{0}")]
    NoText(TextFileError),
    /// Not a verifier key.
    #[error("{0}")]
    Key(NoteError),
    /// A file without a verifier key.
    #[error("the file holds no verifier key: {0}")]
    KeyFile(NoteError),
    /// No `NAME=VALUE`.
    #[error("write NAME=VALUE")]
    Pair,
    /// Not one of a few words.
    #[error("{what} are {}", .words.join(", "))]
    Word {
        /// What the words are, in the plural.
        what: &'static str,
        /// The words.
        words: Vec<&'static str>,
    },
    /// Not the code of an event type.
    #[error("a type is written E16")]
    EventType,
}

/// A verifier key, or a file that holds one (as `countersign key show FILE` prints it).
///
/// # Errors
/// Neither, or a private key.
pub fn vkey(text: &str) -> Result<VerifierKey, ArgumentError> {
    if text.starts_with("PRIVATE+KEY+") {
        return Err(ArgumentError::PrivateKey {
            where_it_is: "this is",
        });
    }
    if text.contains('+') && !Path::new(text).exists() {
        return text.parse().map_err(ArgumentError::Key);
    }
    let file = text_file::read(Path::new(text)).map_err(|error| match error {
        TextFileError::Io(error) => ArgumentError::NoFile(error),
        other => ArgumentError::NoText(other),
    })?;
    let file = without_bom(&file);
    if file.starts_with("PRIVATE+KEY+") {
        return Err(ArgumentError::PrivateKey {
            where_it_is: "this file holds",
        });
    }
    file.trim().parse().map_err(ArgumentError::KeyFile)
}

/// `NAME=VALUE`, the name not empty.
///
/// # Errors
/// No `=`.
pub fn pair(text: &str) -> Result<(String, String), ArgumentError> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_string(), value.to_string()))
        }
        _ => Err(ArgumentError::Pair),
    }
}

#[cfg(test)]
mod tests {
    use super::vkey;
    use protocol::note::{Alg, SigningKey};

    /// Windows Notepad puts an invisible mark before the text that it saves.
    #[test]
    fn a_key_file_may_begin_with_a_byte_order_mark() {
        let root = SigningKey::from_seed("root", Alg::Ed25519, [7; 32]);
        let root = root.unwrap().vkey();
        let name = format!("countersign-arguments-{}.vkey", std::process::id());
        let file = std::env::temp_dir().join(name);
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            vkey(file.to_str().unwrap())
        };
        assert_eq!(read(&root.to_string()).unwrap(), root);
        assert_eq!(read(&format!("\u{feff}{root}\r\n")).unwrap(), root);
        assert!(read(&format!("\u{feff}\u{feff}{root}")).is_err());
        let utf16: Vec<u8> = root
            .to_string()
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        std::fs::write(&file, [&[0xff, 0xfe], &utf16[..]].concat()).unwrap();
        let told = vkey(file.to_str().unwrap()).unwrap_err().to_string();
        assert!(
            told.contains("UTF-16") && told.ends_with("[file.text]"),
            "{told}"
        );
        std::fs::remove_file(&file).unwrap();
    }
}
