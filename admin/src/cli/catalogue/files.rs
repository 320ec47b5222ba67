//! The TOML files of a directory as one catalogue.

use std::path::Path;

use node::fault::FaultCode;
use protocol::authoring::CatalogueErrors;
use protocol::catalogue::Catalogue;

use crate::cli::output::{Failure, no_text};
use crate::toml_files::read_toml;

/// The catalogue of a directory, or all that is wrong with it.
pub fn examine(dir: &Path) -> Result<Result<Catalogue, CatalogueErrors>, Failure> {
    let files = read_toml(dir, no_text)?;
    if files.is_empty() {
        return Err(Failure::coded(
            FaultCode::CatalogueEmpty,
            format!("{}: there is no TOML file", dir.display()),
        ));
    }
    Ok(Catalogue::from_files(&files))
}
