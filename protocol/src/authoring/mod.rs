//! What people write as files: a catalogue and plan packs, read and validated.
//!
//! A catalogue is joined from TOML files ([`Catalogue::from_files`](crate::catalogue::Catalogue)) or
//! read from the JSON of its signed document; either way [`validate`] names every error at once,
//! each with its place, code and cure.
//!
//! ```
//! use protocol::catalogue::Catalogue;
//! use protocol::compiled::CompiledCatalogue;
//!
//! let file = |name: &str| -> std::io::Result<(String, String)> {
//!     Ok((name.into(), std::fs::read_to_string(format!("../deploy/catalogue/{name}"))?))
//! };
//! let names = ["dimensions.toml", "events.toml", "indicators.toml", "rules.toml"];
//! let files = names.map(file).into_iter().collect::<Result<Vec<_>, _>>()?;
//! let catalogue = Catalogue::from_files(&files)?;
//! // What is signed is one JSON text; its digest is what statements and rollups name.
//! assert_eq!(Catalogue::from_json(&catalogue.to_json())?.digest(), catalogue.digest());
//! let compiled = CompiledCatalogue::new(catalogue)?;
//! assert!(compiled.catalogue.event("record.voided").is_some());
//!
//! // Without the events, every indicator that they feed is named.
//! let errors = Catalogue::from_files(&[files[0].clone(), files[2].clone()]).unwrap_err();
//! assert!(errors.0.iter().any(|error| error.code() == "event"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod catalogue;
mod error;
mod plan;
mod toml_error;
mod validate;

pub use error::{CatalogueError, CatalogueErrors};
pub use toml_error::TomlError;
pub use validate::validate;
