//! Reading a plan pack.

use super::toml_error::TomlError;
use crate::plan::Plan;

impl Plan {
    /// Reads a pack.
    ///
    /// # Errors
    /// What is wrong with the text, and in which line.
    pub fn from_toml(text: &str) -> Result<Plan, TomlError> {
        toml::from_str(text).map_err(|e| TomlError::new(&e, text))
    }
}
