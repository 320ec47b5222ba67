//! A segment file: its name, its header, its birth.
//!
//! The name is the 12-digit sequence number of its first entry and `.seg`, so that `ls` shows the
//! order and a missing file is noticed. The header of 40 bytes keeps its layout in every version of
//! the format (little-endian):
//!
//! | bytes | |
//! |---|---|
//! | 0..8 | `CSJRNL\r\n` |
//! | 8..12 | version, 1 |
//! | 12..16 | 0 |
//! | 16..24 | sequence number of the first entry |
//! | 24..32 | salt: 8 random bytes that open every batch of this segment (see `frame`) |
//! | 32..36 | link: the CRC of the last batch of the segment before (0 in the first) |
//! | 36..40 | CRC-32 over 0..36 |
//!
//! Order of durable writes at birth: header → fsync file → fsync directory → only then the first
//! batch. Hence a file that is no longer than a header and has no valid one was never used, and a
//! longer one without a valid header is damage.

use crate::random::{Random, SystemRandom};

use super::{
    disk::{Disk, DiskFile},
    error::JournalError,
    frame::{u32_at, u64_at},
    limits::VERSION,
};

/// Length of the header.
pub const HEADER: usize = 40;

const MAGIC: [u8; 8] = *b"CSJRNL\r\n";

/// What is known in memory of a segment: 4 bytes per entry, so that any entry is found at once.
#[derive(Debug)]
pub struct Segment {
    /// Sequence number of its first entry.
    pub first: u64,
    /// What opens its batches.
    pub salt: [u8; 8],
    /// Its length up to the end of the last whole batch.
    pub len: u64,
    /// Where each entry begins.
    pub offsets: Vec<u32>,
}

impl Segment {
    /// Its file name.
    pub fn name(&self) -> String {
        name(self.first)
    }
}

/// The file name of the segment that begins with this sequence number.
pub fn name(first: u64) -> String {
    format!("{first:012}.seg")
}

/// The sequence number in a file name, if it is exactly a segment's name.
pub fn parse_name(file: &str) -> Option<u64> {
    let digits = file.strip_suffix(".seg")?;
    let first = digits.parse().ok()?;
    (name(first) == file).then_some(first)
}

/// A header whose CRC holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Version of the format.
    pub version: u32,
    /// Sequence number of the first entry.
    pub first: u64,
    /// What opens the batches.
    pub salt: [u8; 8],
    /// The CRC of the batch before the first.
    pub link: u32,
}

impl Header {
    /// Lays it out.
    pub fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[0..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.salt);
        bytes[32..36].copy_from_slice(&self.link.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..36]);
        bytes[36..40].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads it back; `None` if it is damaged.
    pub fn decode(bytes: &[u8; HEADER]) -> Option<Self> {
        if bytes[..8] != MAGIC || crc32fast::hash(&bytes[..36]) != u32_at(bytes, 36) {
            return None;
        }
        let mut salt = [0; 8];
        salt.copy_from_slice(&bytes[24..32]);
        Some(Self {
            version: u32_at(bytes, 8),
            first: u64_at(bytes, 16),
            salt,
            link: u32_at(bytes, 32),
        })
    }
}

/// Creates an empty segment, durably. A file of this name can only be one that was never used (see
/// above), and is emptied.
pub fn create(
    disk: &dyn Disk,
    first: u64,
    link: u32,
) -> Result<(Segment, Box<dyn DiskFile>), JournalError> {
    let name = name(first);
    let mut salt = [0; 8];
    // The only randomness in the journal; it decides nothing but which bytes open a batch.
    SystemRandom
        .fill(&mut salt)
        .map_err(|error| JournalError::Io {
            what: "get random bytes for",
            path: disk.path(&name),
            source: std::io::Error::other(error.to_string()),
        })?;
    let header = Header {
        version: VERSION,
        first,
        salt,
        link,
    };
    let file = disk
        .create(&name)
        .map_err(JournalError::io("create", disk.path(&name)))?;
    file.write_at(&header.encode(), 0)
        .map_err(JournalError::io("write", disk.path(&name)))?;
    file.sync()
        .map_err(JournalError::io("sync", disk.path(&name)))?;
    disk.sync_dir()
        .map_err(JournalError::io("sync the directory of", disk.path(&name)))?;
    Ok((
        Segment {
            first,
            salt,
            len: HEADER as u64,
            offsets: Vec::new(),
        },
        file,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_names_are_segments() {
        assert_eq!(parse_name("000000000042.seg"), Some(42));
        assert_eq!(parse_name(&name(u64::MAX)), Some(u64::MAX));
        for bad in [
            "42.seg",
            "000000000042",
            "+00000000042.seg",
            "0000000000042.seg",
            "x.seg",
            "00000000004２.seg",
        ] {
            assert_eq!(parse_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_noticed() {
        let header = Header {
            version: VERSION,
            first: 7,
            salt: *b"saltsalt",
            link: 9,
        };
        let bytes = header.encode();
        assert_eq!(Header::decode(&bytes), Some(header));
        for bit in 0..HEADER * 8 {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&bytes), None, "bit {bit}");
        }
    }
}
