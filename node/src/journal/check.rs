//! Reading the journal of a stopped node for damage.

use std::path::Path;

use super::append::FOLDER;
use super::disk::RealDisk;
use super::error::JournalError;
use super::recover::Cut;
use super::{lock, recover};

/// What [`check`] found, when it found no damage.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FsckReport {
    /// Number of segment files.
    pub segments: u64,
    /// Number of batches.
    pub batches: u64,
    /// Number of entries.
    pub entries: u64,
    /// Bytes of whole batches and headers.
    pub bytes: u64,
    /// Entries whose sealed part is erased.
    pub erased: u64,
    /// Of these, how many erasures a crash interrupted; the next start finishes them.
    pub unfinished_erasures: u64,
    /// A torn tail, which the next start will cut off.
    pub torn: Option<Cut>,
}

/// Reads the whole journal of a stopped node, changes nothing, and answers the first damage as an
/// error.
///
/// # Errors
/// [`JournalError::Locked`] while a node runs; otherwise as [`super::Journal::open`].
pub fn check(dir: &Path) -> Result<FsckReport, JournalError> {
    let _lock = lock::shared(dir)?;
    let scan = recover::scan(&RealDisk::read_only(&dir.join(FOLDER)))?;
    Ok(FsckReport {
        segments: scan.segments.len() as u64,
        batches: scan.batches,
        entries: scan.next,
        bytes: scan.segments.iter().map(|segment| segment.len).sum(),
        erased: scan.erased,
        unfinished_erasures: scan.unfinished.len() as u64,
        torn: scan.torn,
    })
}
