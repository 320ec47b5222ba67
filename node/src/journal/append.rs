//! The open journal: appending, reading, erasing.

use std::fs::File;
use std::ops::Range;
use std::path::Path;

use super::disk::{Disk, DiskFile, RealDisk};
use super::entry::{Entry, Stored};
use super::error::{self, JournalError};
use super::limits::{MAX_BATCH_BYTES, SEGMENT_BYTES};
use super::mark::Mark;
use super::recover::{self, Recovered};
use super::segment::{self, Segment};
use super::{erase, frame, lock, read};

/// The folder of the segments inside the data directory.
pub const FOLDER: &str = "journal";

/// Whether the journal takes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JournalState {
    /// It does.
    #[default]
    Writable,
    /// The disk was full at the last write. It takes the next one as soon as there is room.
    Full,
    /// A write or sync failed: nothing before a restart.
    Poisoned,
}

impl JournalState {
    /// The word for programs.
    pub fn word(self) -> &'static str {
        match self {
            JournalState::Writable => "writable",
            JournalState::Full => "full",
            JournalState::Poisoned => "poisoned",
        }
    }
}

/// The open journal. One per data directory; it may be shared for reading.
pub struct Journal {
    disk: Box<dyn Disk>,
    /// The last segment, open for appending.
    active: Box<dyn DiskFile>,
    /// Never empty; the last one is `active`.
    pub(super) segments: Vec<Segment>,
    next: u64,
    link: u32,
    segment_bytes: u64,
    /// A new segment was begun but not finished: the old one must not grow any more, because its
    /// next sequence number is already the name of a file.
    must_rotate: bool,
    /// The last write found the disk full.
    full: bool,
    poisoned: Option<String>,
    recovered: Recovered,
    mark: Mark,
    /// Held for as long as the journal lives.
    _lock: Option<File>,
}

impl Journal {
    /// Opens the journal of a data directory, creating what is missing; reads all of it, cuts off a
    /// torn tail, refuses damage.
    ///
    /// # Errors
    /// [`JournalError::Locked`] if another process has it; [`JournalError::Damaged`],
    /// [`JournalError::EndMissing`], [`JournalError::MissingSegment`],
    /// [`JournalError::UnknownVersion`]; [`JournalError::Io`].
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        RealDisk::writable(dir).map_err(JournalError::io("create", dir))?;
        let lock = lock::exclusive(dir)?;
        let folder = dir.join(FOLDER);
        let disk = RealDisk::writable(&folder).map_err(JournalError::io("create", folder))?;
        let mut journal = Self::open_on(Box::new(disk), SEGMENT_BYTES)?;
        journal._lock = Some(lock);
        Ok(journal)
    }

    /// The same on any disk, without a lock: for tests with a disk that fails.
    ///
    /// # Errors
    /// As [`Journal::open`], except [`JournalError::Locked`].
    pub fn open_on(disk: Box<dyn Disk>, segment_bytes: u64) -> Result<Self, JournalError> {
        let mut scan = recover::scan(&*disk)?;
        scan.complete(&*disk)?;
        let full = |error| match error {
            JournalError::Io { path, source, .. } if error::is_full(&source) => {
                JournalError::NoSpace { path }
            }
            error => error,
        };
        let (active, recovered) = recover::repair(&*disk, &mut scan).map_err(full)?;
        // Only now is all that was found durable.
        let mark = Mark::begin(&*disk, scan.next).map_err(full)?;
        Ok(Self {
            disk,
            active,
            segments: scan.segments,
            next: scan.next,
            link: scan.link,
            segment_bytes,
            must_rotate: false,
            full: false,
            poisoned: None,
            recovered,
            mark,
            _lock: None,
        })
    }

    /// Appends all entries or none, and returns their sequence numbers when they are durable: one
    /// write, one fsync. Who wants to commit several requests together passes them as one batch. An
    /// empty batch does nothing.
    ///
    /// # Errors
    /// [`JournalError::TooLarge`] and [`JournalError::NoSpace`]: nothing was recorded and the
    /// journal is usable. [`JournalError::Io`]: it is unknown whether the batch was recorded, and
    /// from then on [`JournalError::Poisoned`]: restart.
    pub fn append(&mut self, batch: &[Entry]) -> Result<Range<u64>, JournalError> {
        self.refuse_poisoned()?;
        if batch.is_empty() {
            return Ok(self.next..self.next);
        }
        let mut encoded = frame::encode(self.last().salt, self.next, self.link, batch)?;
        let full = self.last().len + encoded.bytes.len() as u64 > self.segment_bytes
            && !self.last().offsets.is_empty();
        if full || self.must_rotate {
            self.must_rotate = true;
            let created = segment::create(&*self.disk, self.next, self.link);
            let (segment, file) = created.map_err(|error| self.survive(error))?;
            self.segments.push(segment);
            self.active = file;
            self.must_rotate = false;
            encoded = frame::encode(self.last().salt, self.next, self.link, batch)?;
        }

        let at = self.last().len;
        let path = self.disk.path(&self.last().name());
        if let Err(error) = self.active.write_at(&encoded.bytes, at) {
            // Whatever was written of it must not be in the way, neither of the next batch nor of
            // the next opening.
            let restored = self.active.set_len(at).and_then(|()| self.active.sync());
            let full = error::is_full(&error) && restored.is_ok();
            let error = JournalError::io("write", path)(error);
            return Err(if full {
                self.survive(error)
            } else {
                self.poison(error)
            });
        }
        if let Err(error) = self.active.sync() {
            return Err(self.poison(JournalError::io("sync", path)(error)));
        }

        // Durable: from here on nothing can fail.
        self.full = false;
        let range = self.next..self.next + batch.len() as u64;
        let last = self.segments.len() - 1; // Never empty.
        let segment = &mut self.segments[last];
        // Offsets in a segment fit u32 (see `limits`).
        segment
            .offsets
            .extend(encoded.entries.iter().map(|entry| at as u32 + entry));
        segment.len += encoded.bytes.len() as u64;
        self.next = range.end;
        self.link = encoded.crc;
        self.mark.note(self.next);
        Ok(range)
    }

    /// Refuses at once what [`append`](Self::append) would refuse only after all work for it is
    /// done: where an earlier failure forbids writing, and where the disk was full at the last
    /// write and still has no room for this many bytes.
    ///
    /// # Errors
    /// [`JournalError::Poisoned`] and [`JournalError::NoSpace`]: nothing was recorded.
    /// [`JournalError::Io`] as for `append`.
    pub fn has_room(&mut self, bytes: usize) -> Result<(), JournalError> {
        self.refuse_poisoned()?;
        if !self.full {
            return Ok(());
        }
        // The only honest question is a write. It is cut off again durably: this segment may be
        // left for a new one next, and nothing behind its last batch is allowed then.
        let (at, path) = (self.last().len, self.disk.path(&self.last().name()));
        let tried = self
            .active
            .write_at(&vec![0; bytes.min(MAX_BATCH_BYTES)], at);
        if let Err(error) = self.active.set_len(at).and_then(|()| self.active.sync()) {
            return Err(self.poison(JournalError::io("cut", path)(error)));
        }
        tried.map_err(|error| self.survive(JournalError::io("write", path)(error)))?;
        self.full = false;
        Ok(())
    }

    /// Whether it takes anything now.
    pub fn state(&self) -> JournalState {
        match (&self.poisoned, self.full) {
            (Some(_), _) => JournalState::Poisoned,
            (None, true) => JournalState::Full,
            (None, false) => JournalState::Writable,
        }
    }

    /// Streams the entries from this one on, from disk, holding about one entry in memory. Ends
    /// after an error.
    pub fn read_from(&self, seq: u64) -> impl Iterator<Item = Result<Stored, JournalError>> + '_ {
        read::Reader::stream(&*self.disk, &self.segments, seq)
    }

    /// Reads one entry.
    ///
    /// # Errors
    /// [`JournalError::NoSuchEntry`], [`JournalError::Damaged`], [`JournalError::Io`].
    pub fn read(&self, seq: u64) -> Result<Stored, JournalError> {
        read::Reader::single(&*self.disk, &self.segments).entry(seq)
    }

    /// Erases the sealed part of an entry, durably. The public part and all proofs over it stay.
    /// Repeating it does no harm.
    ///
    /// # Errors
    /// [`JournalError::NothingSealed`]; [`JournalError::Io`]: it is unknown whether it reads back
    /// as erased, restart and repeat it.
    pub fn erase_sealed(&mut self, seq: u64) -> Result<(), JournalError> {
        self.refuse_poisoned()?;
        erase::erase(&*self.disk, &self.segments, seq).map_err(|error| match error {
            JournalError::Io {
                what: "write" | "sync",
                ..
            } => self.survive(error),
            _ => error,
        })
    }

    /// The sequence number that the next entry will get: also the number of entries.
    pub fn next_seq(&self) -> u64 {
        self.next
    }

    /// The size of all segments on disk.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.len).sum()
    }

    /// What opening it had to put right; worth a line in the node's log unless clean.
    pub fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    fn last(&self) -> &Segment {
        // Opening leaves at least one segment, and nothing removes any.
        &self.segments[self.segments.len() - 1]
    }

    fn refuse_poisoned(&self) -> Result<(), JournalError> {
        match &self.poisoned {
            Some(cause) => Err(JournalError::Poisoned {
                cause: cause.clone(),
            }),
            None => Ok(()),
        }
    }

    /// A full disk (not found out by an fsync) is survived; everything else poisons.
    fn survive(&mut self, error: JournalError) -> JournalError {
        match error {
            JournalError::Io {
                what: "write" | "create",
                path,
                source,
            } if error::is_full(&source) => {
                self.full = true;
                JournalError::NoSpace { path }
            }
            error => self.poison(error),
        }
    }

    fn poison(&mut self, error: JournalError) -> JournalError {
        let cause = match &error {
            JournalError::Io { what, path, source } => {
                format!("cannot {what} {}: {source}", path.display())
            }
            other => other.to_string(),
        };
        self.poisoned = Some(cause);
        error
    }
}
