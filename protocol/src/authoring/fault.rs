//! What is wrong with a catalogue: each fault with its place, its code and its cure.

/// One thing wrong with a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message} [catalogue.{code}]")]
pub struct CatalogueFault {
    place: String,
    code: &'static str,
    message: String,
}

impl CatalogueFault {
    pub(crate) fn new(
        place: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        CatalogueFault {
            place: place.into(),
            code,
            message: message.into(),
        }
    }
    /// The stable code of the fault, without the prefix `catalogue.`.
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
pub struct CatalogueFaults(pub Vec<CatalogueFault>);

impl std::fmt::Display for CatalogueFaults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "the catalogue has {} fault(s):", self.0.len())?;
        for fault in &self.0 {
            writeln!(f, "  {fault}")?;
        }
        Ok(())
    }
}
impl std::error::Error for CatalogueFaults {}
