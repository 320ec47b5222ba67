//! What is wrong with a catalogue: each error with its place, its code and its cure.

/// One thing wrong with a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message} [catalogue.{code}]")]
pub struct CatalogueError {
    place: String,
    code: &'static str,
    message: String,
}

impl CatalogueError {
    pub(crate) fn new(
        place: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        CatalogueError {
            place: place.into(),
            code,
            message: message.into(),
        }
    }
    /// The stable code of the error, without the prefix `catalogue.`.
    pub fn code(&self) -> &'static str {
        self.code
    }
    /// File, or kind and id, of what is wrong.
    pub fn place(&self) -> &str {
        &self.place
    }
}

/// Everything wrong with a catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueErrors(pub Vec<CatalogueError>);

impl std::fmt::Display for CatalogueErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "the catalogue has {} fault(s):", self.0.len())?;
        for error in &self.0 {
            writeln!(f, "  {error}")?;
        }
        Ok(())
    }
}
impl std::error::Error for CatalogueErrors {}
