//! The TOML files of a directory as one catalogue.

use std::path::Path;

use node::fault::FaultCode;
use protocol::authoring::CatalogueErrors;
use protocol::catalogue::Catalogue;
use protocol::text::without_bom;

use crate::cli::output::{Failure, read};

/// The catalogue of a directory, or all that is wrong with it.
pub fn examine(dir: &Path) -> Result<Result<Catalogue, CatalogueErrors>, Failure> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(Failure::file(dir))? {
        let path = entry.map_err(Failure::file(dir))?.path();
        if path.extension().is_some_and(|e| e == "toml") {
            let text = String::from_utf8(read(&path)?).map_err(|_| {
                Failure::coded(
                    FaultCode::CatalogueToml,
                    format!("{}: not UTF-8", path.display()),
                )
            })?;
            files.push((
                path.file_name()
                    .and_then(|n| n.to_str())
                    .unwrap_or_default()
                    .to_string(),
                without_bom(&text).to_string(),
            ));
        }
    }
    if files.is_empty() {
        return Err(Failure::coded(
            FaultCode::CatalogueEmpty,
            format!("{}: there is no TOML file", dir.display()),
        ));
    }
    files.sort();
    Ok(Catalogue::from_files(&files))
}
