//! The TOML files of a directory, of which a catalogue or the plans are made.

use std::path::Path;

use node::text_file::{self, TextFileError};
use protocol::text::without_bom;

/// The TOML files of a directory by name, in order. `error` makes the caller's error of a place and
/// what is wrong with it.
///
/// # Errors
/// What the disk says, or a file that is not UTF-8.
pub fn read_toml<E>(
    dir: &Path,
    error: impl Fn(&Path, TextFileError) -> E,
) -> Result<Vec<(String, String)>, E> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|e| error(dir, e.into()))? {
        let path = entry.map_err(|e| error(dir, e.into()))?.path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let text = text_file::read(&path).map_err(|e| error(&path, e))?;
        let name = path.file_name().and_then(|n| n.to_str());
        let name = name.unwrap_or_default().to_string();
        files.push((name, without_bom(&text).to_string()));
    }
    files.sort();
    Ok(files)
}
