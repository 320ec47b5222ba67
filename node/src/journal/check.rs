//! Reading the journal of a stopped node for damage, and going on without what is lost.

use std::path::{Path, PathBuf};

use super::append::FOLDER;
use super::disk::{Disk, RealDisk};
use super::error::JournalError;
use super::guard::Guard;
use super::mark::Mark;
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
    /// Whether a mark tells how many entries were acknowledged: not beside a journal of an older
    /// program.
    pub marked: bool,
}

/// Reads the whole journal of a stopped node, changes nothing, and answers the first damage as an
/// error.
///
/// # Errors
/// [`JournalError::Locked`] while a node runs; otherwise as [`super::Journal::open`].
pub fn check(dir: &Path) -> Result<FsckReport, JournalError> {
    let _lock = lock::shared(dir)?;
    let disk = RealDisk::read_only(&dir.join(FOLDER));
    let scan = recover::scan(&disk)?;
    if let Err(error) = scan.complete(&disk) {
        return Err(beside_guard(error, dir));
    }
    Ok(FsckReport {
        segments: scan.segments.len() as u64,
        batches: scan.batches,
        entries: scan.next,
        bytes: scan.segments.iter().map(|segment| segment.len).sum(),
        erased: scan.erased,
        unfinished_erasures: scan.unfinished.len() as u64,
        torn: scan.torn,
        marked: scan.acknowledged.is_some(),
    })
}

/// What [`give_up`] gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GivenUp {
    /// Entries that are left.
    pub entries: u64,
    /// Entries that had been acknowledged, where a mark told.
    pub acknowledged: Option<u64>,
    /// Where the bytes that cannot be read are kept, if there are any.
    pub kept: Option<PathBuf>,
}

/// Lets the journal of a stopped node go on from what can be read, on the word of its operator. The
/// bytes that cannot be read are kept beside it.
///
/// # Errors
/// [`JournalError::EndMissing`] if the guard tells that something signed rests on what is missing:
/// the node would refuse to start all the same. [`JournalError::Locked`], [`JournalError::Io`]; as
/// [`check`] for damage that is not at the end.
pub fn give_up(dir: &Path) -> Result<Option<GivenUp>, JournalError> {
    let _lock = lock::exclusive(dir)?;
    let disk = RealDisk::writable(&dir.join(FOLDER)).map_err(JournalError::io("open", dir))?;
    let guard = Guard::open(dir)?;
    let mut scan = recover::scan(&disk)?;
    let Err(error) = scan.complete(&disk) else {
        return Ok(None);
    };
    if guard.last().is_some_and(|last| last.journal > scan.next) {
        return Err(beside_guard(error, dir));
    }
    let kept = scan.torn.as_ref().map(|cut| keep(&disk, cut)).transpose()?;
    recover::repair(&disk, &mut scan)?;
    Mark::begin(&disk, scan.next)?;
    Ok(Some(GivenUp {
        entries: scan.next,
        acknowledged: scan.acknowledged,
        kept,
    }))
}

/// Adds to a missing end what the guard of this directory knows of it.
pub fn beside_guard(mut error: JournalError, dir: &Path) -> JournalError {
    if let JournalError::EndMissing { signed, .. } = &mut error
        && let Ok(guard) = Guard::open(dir)
    {
        *signed = guard.last().map(|last| last.journal);
    }
    error
}

/// Copies what will be cut off into a file of its own.
fn keep(disk: &dyn Disk, cut: &Cut) -> Result<PathBuf, JournalError> {
    let io = |what| JournalError::io(what, &cut.path);
    let segment = cut.path.file_name().and_then(|name| name.to_str());
    let segment = segment.unwrap_or_default();
    let file = disk.open(segment).map_err(io("open"))?;
    let mut bytes = vec![0; usize::try_from(cut.bytes).unwrap_or(usize::MAX)];
    file.read_at(&mut bytes, cut.offset).map_err(io("read"))?;
    let name = format!("{segment}.from-{}", cut.offset);
    let copy = disk.create(&name).map_err(io("create"))?;
    copy.write_at(&bytes, 0).map_err(io("write"))?;
    copy.sync().map_err(io("sync"))?;
    Ok(disk.path(&name))
}
