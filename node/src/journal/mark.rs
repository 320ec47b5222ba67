//! How many entries were acknowledged: what tells a damaged end from a torn write.
//!
//! After the fsync of each batch, and before anybody is answered, the number of entries is written
//! into the second place of `<dir>/journal/acknowledged`, without an fsync of its own; the first has it from the start.
//! The page cache keeps it when the process dies, and the kernel writes it within seconds. So what
//! lies behind it is unacknowledged, or was acknowledged a moment before a loss of power; and what
//! it counts was durable before it was written: a mark is never ahead of what the disk held then.
//!
//! It stands with the segments, so that a copy of the folder agrees with itself.

use super::disk::{Disk, DiskFile};
use super::error::JournalError;
use std::io::ErrorKind;

/// The name of the file in the folder of the segments.
pub const MARK_FILE: &str = "acknowledged";

/// A write of one place harms no byte of the other.
const PLACES: [usize; 2] = [0, 512];
const OPENING: [u8; 8] = *b"csack/v1";
const LENGTH: usize = 20;
const SIZE: usize = PLACES[1] + LENGTH;

/// The open mark.
pub struct Mark {
    file: Box<dyn DiskFile>,
}

impl Mark {
    /// Writes a mark durably, and leaves it open.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn begin(disk: &dyn Disk, entries: u64) -> Result<Mark, JournalError> {
        let path = disk.path(MARK_FILE);
        let file = match disk.open(MARK_FILE) {
            Err(error) if error.kind() == ErrorKind::NotFound => disk
                .create(MARK_FILE)
                .map_err(JournalError::io("create", &path))?,
            opened => opened.map_err(JournalError::io("open", &path))?,
        };
        let mark = encode(entries);
        let size = file.size().map_err(JournalError::io("measure", &path))?;
        let writes = if size < SIZE as u64 {
            let mut whole = [0; SIZE];
            for place in PLACES {
                whole[place..place + LENGTH].copy_from_slice(&mark);
            }
            vec![(0, whole.to_vec())]
        } else {
            // The other place counts no more, unless something is given up. One after the other, so
            // that a loss of power leaves one of them.
            let given_up = read(disk)? > Some(entries);
            let places = &PLACES[..1 + usize::from(given_up)];
            places.iter().map(|place| (*place, mark.to_vec())).collect()
        };
        for (place, bytes) in writes {
            file.write_at(&bytes, place as u64)
                .map_err(JournalError::io("write", &path))?;
            file.sync().map_err(JournalError::io("sync", &path))?;
        }
        disk.sync_dir()
            .map_err(JournalError::io("sync the directory of", &path))?;
        Ok(Mark { file })
    }

    /// So many entries are durable and are acknowledged next. A failed write is not worth an error:
    /// the mark before stays, which counts fewer.
    ///
    /// Always into the second place: a loss of power can tear every write that was not synced, and
    /// the first one, which was, must be left.
    pub fn note(&mut self, entries: u64) {
        let _ = self.file.write_at(&encode(entries), PLACES[1] as u64);
    }
}

/// How many entries were acknowledged; none where no mark can be read, as beside a journal that an
/// older program wrote.
///
/// # Errors
/// [`JournalError::Io`].
pub fn read(disk: &dyn Disk) -> Result<Option<u64>, JournalError> {
    let path = disk.path(MARK_FILE);
    let file = match disk.open(MARK_FILE) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(JournalError::io("open", path)(error)),
    };
    let size = file.size().map_err(JournalError::io("measure", &path))?;
    let mut best = None;
    for place in PLACES {
        if (place + LENGTH) as u64 > size {
            continue;
        }
        let mut bytes = [0; LENGTH];
        file.read_at(&mut bytes, place as u64)
            .map_err(JournalError::io("read", &path))?;
        best = best.max(decode(&bytes));
    }
    Ok(best)
}

fn encode(entries: u64) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    bytes[..8].copy_from_slice(&OPENING);
    bytes[8..16].copy_from_slice(&entries.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..16]);
    bytes[16..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8; LENGTH]) -> Option<u64> {
    let entries = bytes[8..16].try_into().map(u64::from_le_bytes).ok()?;
    (encode(entries) == *bytes).then_some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = encode(43_565);
        assert_eq!(decode(&bytes), Some(43_565));
        for bit in 0..LENGTH * 8 {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&bytes), None, "bit {bit}");
        }
    }
}
