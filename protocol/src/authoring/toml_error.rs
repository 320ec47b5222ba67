//! What is wrong with a TOML text, and in which line.

/// Why a TOML text is refused. The text itself is not repeated: a key file that is given by mistake
/// must not be printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct TomlError {
    line: usize,
    message: String,
}

impl TomlError {
    /// What the parser says of this text.
    pub fn new(error: &toml::de::Error, text: &str) -> TomlError {
        let before = error.span().and_then(|span| text.get(..span.start));
        TomlError {
            line: before.map_or(1, |before| before.matches('\n').count() + 1),
            message: error.message().to_string(),
        }
    }

    /// Where it is, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }
}
