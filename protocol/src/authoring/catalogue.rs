//! Reading a catalogue: from its files, or from the JSON of its signed document.

use serde::Deserialize;

use super::error::{CatalogueError, CatalogueErrors};
use super::toml_error::TomlError;
use super::validate::validate;
use crate::catalogue::{Catalogue, Define, Dimension, EventType, Indicator, Rule, Window};

/// One file may hold any part of a catalogue; the parts are joined in the order of the files.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Part {
    id: Option<String>,
    version: Option<u32>,
    window: Vec<Window>,
    define: Vec<Define>,
    dimension: Vec<Dimension>,
    event: Vec<EventType>,
    indicator: Vec<Indicator>,
    rule: Vec<Rule>,
}

impl Catalogue {
    /// Joins the TOML files `(name, text)` into one validated catalogue.
    ///
    /// # Errors
    /// Every error of every file.
    pub fn from_files(files: &[(String, String)]) -> Result<Catalogue, CatalogueErrors> {
        let mut errors = Vec::new();
        let mut whole = Catalogue {
            id: String::new(),
            version: 0,
            windows: Vec::new(),
            defines: Vec::new(),
            dimensions: Vec::new(),
            events: Vec::new(),
            indicators: Vec::new(),
            rules: Vec::new(),
        };
        for (name, text) in files {
            match toml::from_str::<Part>(text) {
                Ok(part) => {
                    if let Some(id) = part.id {
                        whole.id = id;
                    }
                    if let Some(version) = part.version {
                        whole.version = version;
                    }
                    whole.windows.extend(part.window);
                    whole.defines.extend(part.define);
                    whole.dimensions.extend(part.dimension);
                    whole.events.extend(part.event);
                    whole.indicators.extend(part.indicator);
                    whole.rules.extend(part.rule);
                }
                Err(e) => errors.push(CatalogueError::new(
                    name,
                    "toml",
                    TomlError::new(&e, text).to_string(),
                )),
            }
        }
        if let Err(CatalogueErrors(more)) = validate(&whole) {
            errors.extend(more);
        }
        if errors.is_empty() {
            Ok(whole)
        } else {
            Err(CatalogueErrors(errors))
        }
    }

    /// Reads a catalogue from the JSON of its signed document and validates it.
    ///
    /// # Errors
    /// Every error found, as [`CatalogueErrors`].
    pub fn from_json(json: &str) -> Result<Catalogue, CatalogueErrors> {
        let catalogue: Catalogue = crate::text::from_json(json).map_err(|e| {
            CatalogueErrors(vec![CatalogueError::new(
                "catalogue",
                "json",
                e.to_string(),
            )])
        })?;
        validate(&catalogue)?;
        Ok(catalogue)
    }
}
