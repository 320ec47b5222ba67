//! A zip of which no byte is free: nothing compressed, no times, no extra fields, no gaps (SPEC
//! section 11).
//!
//! Every header follows from a part's path, size and checksum, so a reader makes each header anew
//! and compares. A file is written from front to back and read at any place: neither needs to hold
//! it in memory.

use std::io::{self, Write};

use super::error::FileError;

/// `PK\3\4`, `PK\1\2`, `PK\5\6`.
const SIGNATURES: [[u8; 4]; 3] = [*b"PK\x03\x04", *b"PK\x01\x02", *b"PK\x05\x06"];
/// Bytes of a local header, a central header and the end record, without the path.
const LOCAL: u64 = 30;
const CENTRAL: usize = 46;
const END: usize = 22;
/// Longest path. Those of evidence are shorter; the bound keeps a hostile directory small.
const MAX_PATH: usize = 128;
/// Most parts: 65,535 would say that the true number stands elsewhere (zip64).
const MAX_PARTS: usize = 65_534;
/// At most this many bytes in all: a size of 2³² − 1 would say that the true size stands elsewhere
/// (zip64).
pub const MAX_BYTES: u64 = u32::MAX as u64 - 1;

/// Bytes that are read where they lie: a slice, or a file on disk.
pub trait Source: Sync {
    /// How many there are.
    fn size(&self) -> u64;
    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// There are not so many, or they cannot be read.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

impl Source for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let there = self
            .get(from..)
            .and_then(|rest| rest.get(..buffer.len()))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(there);
        Ok(())
    }
}

/// A part of the file, as its headers have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub path: String,
    /// Bytes of content.
    pub size: u32,
    crc: u32,
    /// Where its local header begins.
    offset: u32,
}

impl Part {
    /// What both headers have: version 10, no flags, stored, 1980-01-01 00:00, checksum, size
    /// twice, length of the path, nothing extra.
    fn shared(&self) -> Vec<u8> {
        let mut bytes = vec![10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        for number in [self.crc, self.size, self.size] {
            bytes.extend(number.to_le_bytes());
        }
        // A path has at most MAX_PATH bytes.
        bytes.extend((self.path.len() as u16).to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }
    fn local(&self) -> Vec<u8> {
        [&SIGNATURES[0][..], &self.shared(), self.path.as_bytes()].concat()
    }
    /// Made by Unix, version 1.0; a plain file that its owner may write and all may read.
    fn central(&self) -> Vec<u8> {
        let mut bytes = [&SIGNATURES[1][..], &[10, 3], &self.shared(), &[0; 6]].concat();
        bytes.extend(0x81a4_0000u32.to_le_bytes());
        bytes.extend(self.offset.to_le_bytes());
        bytes.extend(self.path.as_bytes());
        bytes
    }
    /// Where its content begins.
    fn content(&self) -> u64 {
        u64::from(self.offset) + LOCAL + self.path.len() as u64
    }
}

fn end(parts: u16, size: u32, offset: u32) -> Vec<u8> {
    let mut bytes = [&SIGNATURES[2][..], &[0; 4]].concat();
    bytes.extend(parts.to_le_bytes());
    bytes.extend(parts.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

/// Writes a file from front to back.
pub(super) struct Writer<W> {
    out: W,
    at: u64,
    parts: Vec<Part>,
}

impl<W: Write> Writer<W> {
    pub fn new(out: W) -> Writer<W> {
        Writer {
            out,
            at: 0,
            parts: Vec::new(),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.at += bytes.len() as u64;
        if self.at > MAX_BYTES {
            return Err(FileError::Large);
        }
        self.out.write_all(bytes).map_err(FileError::write)
    }

    pub fn part(&mut self, path: String, content: &[u8]) -> Result<(), FileError> {
        let fits = path.len() <= MAX_PATH && self.parts.len() < MAX_PARTS;
        // Behind the mark, which is first, by their bytes.
        if self.parts.len() > 1 && self.parts.last().is_some_and(|p| p.path >= path) {
            return Err(FileError::part(
                &path,
                "stands twice, or before another part than it should",
            ));
        }
        let (size, offset) = (u32::try_from(content.len()), u32::try_from(self.at));
        let (Ok(size), Ok(offset), true) = (size, offset, fits) else {
            return Err(FileError::Large);
        };
        let part = Part {
            path,
            size,
            crc: crc32fast::hash(content),
            offset,
        };
        self.put(&part.local())?;
        self.put(content)?;
        self.parts.push(part);
        Ok(())
    }

    /// Writes the directory; gives back what was written to.
    pub fn finish(mut self) -> Result<W, FileError> {
        let offset = self.at;
        for part in std::mem::take(&mut self.parts) {
            self.put(&part.central())?;
            self.parts.push(part);
        }
        // Both are at most MAX_BYTES, and the parts at most MAX_PARTS.
        self.put(&end(
            self.parts.len() as u16,
            (self.at - offset) as u32,
            offset as u32,
        ))?;
        self.out.flush().map_err(FileError::write)?;
        Ok(self.out)
    }
}

/// The parts of a file in their order: their headers stand one behind the other without a gap, from
/// the first byte to the last. The local headers are compared when a part is [`content`] of
/// something.
pub(super) fn parts(source: &impl Source) -> Result<Vec<Part>, FileError> {
    let whole = source.size();
    if whole > MAX_BYTES {
        return Err(FileError::Large);
    }
    let at = whole
        .checked_sub(END as u64)
        .ok_or_else(|| FileError::zip("it is shorter than an empty zip"))?;
    let last = bytes(source, at, END)?;
    let [count, size, offset] = [u32::from(word(&last, 10)), long(&last, 12), long(&last, 16)];
    if last[..4] != SIGNATURES[2] {
        return Err(FileError::zip(
            "it does not end with the record that a zip ends with: it was cut off, or is something else",
        ));
    }
    if last != end(count as u16, size, offset)
        || u64::from(offset) + u64::from(size) != at
        || count as usize > MAX_PARTS
    {
        return Err(FileError::Bytes);
    }
    if size as usize > count as usize * (CENTRAL + MAX_PATH) {
        return Err(FileError::zip("its directory is too long"));
    }
    let directory = bytes(source, offset.into(), size as usize)?;
    let (mut rest, mut next) = (&directory[..], 0);
    let mut parts = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let header = rest.get(..CENTRAL).ok_or(FileError::Bytes)?;
        let path = rest
            .get(CENTRAL..CENTRAL + usize::from(word(header, 28)))
            .ok_or(FileError::Bytes)?;
        let path = std::str::from_utf8(path)
            .map_err(|_| FileError::zip("a path is not UTF-8"))?
            .to_string();
        let part = Part {
            path,
            crc: long(header, 16),
            size: long(header, 20),
            offset: long(header, 42),
        };
        rest = rest
            .strip_prefix(&part.central()[..])
            .ok_or_else(|| other_headers(&directory, count))?;
        if u64::from(part.offset) != next {
            return Err(FileError::Bytes);
        }
        next = part.content() + u64::from(part.size);
        parts.push(part);
    }
    if rest.is_empty() && next == u64::from(offset) {
        Ok(parts)
    } else {
        Err(FileError::Bytes)
    }
}

/// What headers in a directory mean that this program does not write: where each of them is another
/// program's, the parts were packed anew; a changed byte makes one of them another.
fn other_headers(directory: &[u8], count: u32) -> FileError {
    let mut rest = directory;
    for _ in 0..count {
        let Some(header) = rest.get(..CENTRAL).filter(|h| h[..4] == SIGNATURES[1]) else {
            return FileError::Bytes;
        };
        let lengths = [28, 30, 32].map(|at| usize::from(word(header, at)));
        let ours = Part {
            path: String::new(),
            size: 0,
            crc: 0,
            offset: 0,
        };
        // Program, version, flags, method, time and day.
        if header[4..16] == ours.central()[4..16] {
            return FileError::Bytes;
        }
        let Some(next) = rest.get(CENTRAL + lengths.iter().sum::<usize>()..) else {
            return FileError::Bytes;
        };
        rest = next;
    }
    match rest.is_empty() {
        true => FileError::Repacked,
        false => FileError::Bytes,
    }
}

/// The content of a part of at most `most` bytes: behind the one header that it can have, and with
/// its checksum.
pub(super) fn content(
    source: &impl Source,
    part: &Part,
    most: usize,
) -> Result<Vec<u8>, FileError> {
    if part.size as usize > most {
        return Err(FileError::part(
            &part.path,
            format!("has {} bytes, at most {most} are allowed", part.size),
        ));
    }
    let local = part.local();
    let mut bytes = bytes(source, part.offset.into(), local.len() + part.size as usize)?;
    if bytes[..local.len()] != local {
        return Err(FileError::Bytes);
    }
    bytes.drain(..local.len());
    if crc32fast::hash(&bytes) != part.crc {
        return Err(FileError::part(
            &part.path,
            "its checksum is wrong: some byte was changed",
        ));
    }
    Ok(bytes)
}

fn bytes(source: &impl Source, offset: u64, count: usize) -> Result<Vec<u8>, FileError> {
    let mut bytes = vec![0; count];
    source
        .read_at(offset, &mut bytes)
        .map_err(|e| FileError::zip(format!("cannot be read at byte {offset}: {e}")))?;
    Ok(bytes)
}

// Both only where that many bytes are known to be there.
fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}
fn long(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
