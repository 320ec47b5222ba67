//! Files that commands read and write.

use std::path::Path;

use node::text_file::{self, TextFileError};

use super::failure::Failure;

/// Reads a file.
///
/// # Errors
/// What the system says.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(Failure::file(path))
}

/// Reads a file of text.
///
/// # Errors
/// What the system says, or another encoding than UTF-8.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    text_file::read(path).map_err(|error| no_text(path, error))
}

/// Why a file of text cannot be read, with its place.
pub fn no_text(path: &Path, error: TextFileError) -> Failure {
    match error {
        TextFileError::Io(error) => Failure::file(path)(error),
        other => Failure::of(other).about(path),
    }
}

/// Writes a new file and never replaces one: a signed document is not lost by a mistyped name.
///
/// # Errors
/// The file exists, or what the system says.
pub fn save_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write;
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path);
    let mut file = file.map_err(Failure::file(path)).map_err(|f| {
        f.help("files are never replaced; choose another name or move the old file away")
    })?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(Failure::file(path))
}

/// Writes a file whole or not at all: beside its place first, then renamed over whatever was there.
///
/// # Errors
/// What the system says.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write;
    replace_with(path, |file| {
        file.write_all(bytes).map_err(Failure::file(path))
    })
}

/// The same for what is written bit by bit.
///
/// # Errors
/// What `write` or the system says.
pub fn replace_with(
    path: &Path,
    write: impl FnOnce(&mut std::fs::File) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let mut file = std::fs::File::create(&beside).map_err(Failure::file(path))?;
    let written = write(&mut file);
    let placed = written.and_then(|()| {
        file.sync_all()
            .and_then(|()| std::fs::rename(&beside, path))
            .map_err(Failure::file(path))
    });
    if placed.is_err() {
        // Nothing of ours is left behind; the first error is the one to tell.
        let _ = std::fs::remove_file(&beside);
    }
    placed
}
