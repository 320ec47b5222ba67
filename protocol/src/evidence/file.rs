//! The bytes of an evidence file: a zip without compression, in one order, so that the same content gives the same bytes.
//!
//! | path | content |
//! |---|---|
//! | `countersign-evidence-v1` | empty: names the format |
//! | `registry/<version, 6 digits>.note` | registry chain |
//! | `catalogue/<digest>.note`, `plan/<digest>.note` | what figures were counted and judged by |
//! | `arrivals.note` | when rollups arrived at the maker |
//! | `unit/<id>/entries/<n, 6 digits>` | C2SP entry bundles of 256 statements |
//! | `unit/<id>/checkpoint/<size>.note` | checkpoints |
//! | `unit/<id>/rollup/<month>.<revision>.note` | rollups |
//! | `unit/<id>/receipt/<month>.<revision>.<n>.note` | receipts |

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use super::{Evidence, UnitEvidence};
use crate::log::tile;
use crate::note::Note;
use crate::period::Month;

/// Names the format.
const MARK: &str = "countersign-evidence-v1";
/// Entries per bundle.
const BUNDLE: usize = 256;
/// At most this many bytes in all, so that a hostile file cannot exhaust the reader.
pub const MAX_BYTES: u64 = 4 << 30;

/// Why a file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Not a zip, or damaged.
    #[error("not an evidence file: {0} [evidence.zip]")]
    Zip(String),
    /// A path that does not belong.
    #[error("{0}: does not belong into an evidence file [evidence.path]")]
    Path(String),
    /// A part that cannot be read.
    #[error("{path}: {message} [evidence.part]")]
    Part {
        /// Where.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// Bytes that writing the content again would not give.
    #[error("the file is not written the one way in which evidence is written: some byte was changed [evidence.bytes]")]
    Bytes,
}

fn zip_error(e: impl std::fmt::Display) -> FileError {
    FileError::Zip(e.to_string())
}

/// Writes the file.
///
/// # Errors
/// An entry too large for a bundle.
pub fn write(evidence: &Evidence) -> Result<Vec<u8>, FileError> {
    let mut parts: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (n, note) in evidence.registries.iter().enumerate() {
        parts.insert(format!("registry/{:06}.note", n + 1), note.as_bytes().to_vec());
    }
    for (kind, notes) in [("catalogue", &evidence.catalogues), ("plan", &evidence.plans)] {
        for note in notes {
            parts.insert(format!("{kind}/{}.note", note.digest().to_string().replace(':', "-")), note.as_bytes().to_vec());
        }
    }
    if let Some(arrivals) = &evidence.arrivals {
        parts.insert("arrivals.note".into(), arrivals.as_bytes().to_vec());
    }
    for (id, unit) in &evidence.units {
        for (n, chunk) in unit.entries.chunks(BUNDLE).enumerate() {
            let path = format!("unit/{id}/entries/{n:06}");
            let entries: Vec<&[u8]> = chunk.iter().map(Vec::as_slice).collect();
            let bundle = tile::encode_bundle(&entries).map_err(|e| FileError::Part { path: path.clone(), message: e.to_string() })?;
            parts.insert(path, bundle);
        }
        for (size, note) in &unit.checkpoints {
            parts.insert(format!("unit/{id}/checkpoint/{size}.note"), note.as_bytes().to_vec());
        }
        for ((month, revision), note) in &unit.rollups {
            parts.insert(format!("unit/{id}/rollup/{month}.{revision}.note"), note.as_bytes().to_vec());
        }
        for ((month, revision, n), note) in &unit.receipts {
            parts.insert(format!("unit/{id}/receipt/{month}.{revision}.{n}.note"), note.as_bytes().to_vec());
        }
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // All that the zip crate would otherwise take from its features, the clock or the operating system is told.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .unix_permissions(0o644);
    zip.start_file(MARK, options).map_err(zip_error)?;
    for (path, bytes) in parts {
        zip.start_file(path, options).map_err(zip_error)?;
        zip.write_all(&bytes).map_err(zip_error)?;
    }
    Ok(zip.finish().map_err(zip_error)?.into_inner())
}

/// Reads a file and refuses any that is not exactly what [`write()`] would give.
///
/// # Errors
/// What is wrong, and where.
pub fn read(bytes: &[u8]) -> Result<Evidence, FileError> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(FileError::Zip("larger than 4 GiB".into()));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(zip_error)?;
    let mut evidence = Evidence::default();
    let mut total = 0;
    for n in 0..archive.len() {
        let mut file = archive.by_index(n).map_err(zip_error)?;
        let path = file.name().map_err(zip_error)?.into_owned();
        let mut content = Vec::new();
        // Nothing is compressed, so no part can be larger than the whole file, nor all of them (overlapping ones would be).
        (&mut file)
            .take(bytes.len() as u64)
            .read_to_end(&mut content)
            .map_err(|e| FileError::Part { path: path.clone(), message: e.to_string() })?;
        total += content.len();
        if total > bytes.len() {
            return Err(FileError::Zip("its parts overlap".into()));
        }
        take(&mut evidence, &path, &content)?;
    }
    if write(&evidence)? == bytes { Ok(evidence) } else { Err(FileError::Bytes) }
}

fn take(evidence: &mut Evidence, path: &str, content: &[u8]) -> Result<(), FileError> {
    let part = |message: String| FileError::Part { path: path.to_string(), message };
    let stranger = || FileError::Path(path.to_string());
    let note = || Note::parse(content).map_err(|e| part(e.to_string()));
    let pieces: Vec<&str> = path.split('/').collect();
    match pieces.as_slice() {
        [MARK] if content.is_empty() => {}
        ["registry", _] => evidence.registries.push(note()?),
        ["catalogue", _] => evidence.catalogues.push(note()?),
        ["plan", _] => evidence.plans.push(note()?),
        ["arrivals.note"] => evidence.arrivals = Some(note()?),
        ["unit", id, kind, name] => {
            let unit: &mut UnitEvidence = evidence.units.entry(id.parse().map_err(|_| stranger())?).or_default();
            if *kind == "entries" {
                unit.entries.extend(tile::decode_bundle(content).map_err(|e| part(e.to_string()))?);
                return Ok(());
            }
            let stem = name.strip_suffix(".note").ok_or_else(stranger)?;
            let words: Vec<&str> = stem.split('.').collect();
            let month = |w: &str| w.parse::<Month>().map_err(|_| stranger());
            let number = |w: &str| w.parse::<u32>().map_err(|_| stranger());
            match (*kind, words.as_slice()) {
                ("checkpoint", [size]) => {
                    unit.checkpoints.insert(size.parse().map_err(|_| stranger())?, note()?);
                }
                ("rollup", [m, r]) => {
                    unit.rollups.insert((month(m)?, number(r)?), note()?);
                }
                ("receipt", [m, r, k]) => {
                    unit.receipts.insert((month(m)?, number(r)?, number(k)?), note()?);
                }
                _ => return Err(stranger()),
            }
        }
        _ => return Err(stranger()),
    }
    Ok(())
}
