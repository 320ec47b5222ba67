//! A catalogue from where it is: the TOML files of a directory, a signed note, a node.

use std::path::{Path, PathBuf};

use node::fault::FaultCode;
use protocol::authoring::CatalogueErrors;
use protocol::catalogue::{Catalogue, KIND};
use protocol::note::{self, Note};

use crate::cli::connect::Connection;
use crate::cli::output::{Failure, no_text, read};
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

/// A signed catalogue, or the files of one.
pub fn load(path: &Path) -> Result<Catalogue, Failure> {
    if path.is_dir() {
        return examine(path)?.map_err(|CatalogueErrors(errors)| {
            let message = format!(
                "{}: the catalogue has {} fault(s)",
                path.display(),
                errors.len()
            );
            Failure::coded(FaultCode::CatalogueFaults, message)
        });
    }
    // Whose signatures it has is the node's question; here it is read only.
    signed(&read(path)?).map_err(|failure| failure.about(path))
}

fn signed(bytes: &[u8]) -> Result<Catalogue, Failure> {
    let unreadable = |e: String| Failure::coded(FaultCode::CatalogueJson, e);
    let note = Note::parse(bytes).map_err(|e| unreadable(e.to_string()))?;
    let json = note::read_document(note.text(), KIND).map_err(|e| unreadable(e.to_string()))?;
    Catalogue::from_json(json).map_err(|e| unreadable(e.to_string()))
}

/// Which catalogue: one of files, or the one that a node counts by.
#[derive(Debug, clap::Args)]
pub struct Source {
    /// Signed catalogue, or the directory of its TOML files; without it the node is asked
    #[arg(long, value_name = "NOTE")]
    catalogue: Option<PathBuf>,
    #[command(flatten)]
    node: Connection,
}

impl Source {
    /// The catalogue.
    ///
    /// # Errors
    /// What the file, the node or the connection says.
    pub fn catalogue(&self) -> Result<Catalogue, Failure> {
        match &self.catalogue {
            Some(path) => load(path),
            None => signed(&self.node.client()?.catalogue()?),
        }
    }
}
