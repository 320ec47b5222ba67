//! Reading entries back, one or a stream, from disk and with bounded memory. Every CRC is checked
//! on every read: disks rot after the journal was opened, too.

use super::{
    disk::{Disk, DiskFile},
    entry::{Sealed, Stored},
    error::JournalError,
    frame::{ENTRY_HEAD, ERASED, EntryHead},
    segment::Segment,
};

/// How much a stream reads at once.
const READ_AHEAD: usize = 256 << 10;

/// The segment that holds an entry, and where the entry begins in it.
pub fn locate(segments: &[Segment], seq: u64) -> Result<(&Segment, u64), JournalError> {
    let next = segments
        .last()
        .map_or(0, |segment| segment.first + segment.offsets.len() as u64);
    let after = segments.partition_point(|segment| segment.first <= seq);
    let segment = after.checked_sub(1).map(|n| &segments[n]);
    segment
        .and_then(|segment| {
            let n = usize::try_from(seq - segment.first).ok()?;
            Some((segment, u64::from(*segment.offsets.get(n)?)))
        })
        .ok_or(JournalError::NoSuchEntry { seq, next })
}

/// A stream of entries. After an error it ends.
pub struct Reader<'a> {
    disk: &'a dyn Disk,
    segments: &'a [Segment],
    next: u64,
    /// The open segment, by its first sequence number.
    file: Option<(u64, Box<dyn DiskFile>)>,
    /// Bytes of that file from `window_at` on.
    window: Vec<u8>,
    window_at: u64,
    read_ahead: usize,
    failed: bool,
}

impl<'a> Reader<'a> {
    /// Begins at an entry; if it does not exist, the stream is empty.
    pub fn stream(disk: &'a dyn Disk, segments: &'a [Segment], seq: u64) -> Self {
        Self {
            disk,
            segments,
            next: seq,
            file: None,
            window: Vec::new(),
            window_at: 0,
            read_ahead: READ_AHEAD,
            failed: false,
        }
    }

    /// For one entry: reads no further than it must.
    pub fn single(disk: &'a dyn Disk, segments: &'a [Segment]) -> Self {
        Self {
            read_ahead: 4096,
            ..Self::stream(disk, segments, 0)
        }
    }

    /// Reads one entry.
    pub fn entry(&mut self, seq: u64) -> Result<Stored, JournalError> {
        let (segment, at) = locate(self.segments, seq)?;
        let damaged = |what: &str| JournalError::Damaged {
            path: self.disk.path(&segment.name()),
            offset: at,
            what: what.to_owned(),
        };

        let mut bytes = [0; ENTRY_HEAD];
        bytes.copy_from_slice(self.bytes(segment, at, ENTRY_HEAD)?);
        let head = EntryHead::decode(&bytes).map_err(damaged)?;
        if head.seq != seq {
            return Err(damaged("another entry is here"));
        }
        let parts = self.bytes(segment, at + ENTRY_HEAD as u64, head.len() - ENTRY_HEAD)?;
        let (public, sealed) = head.parts(parts).map_err(damaged)?;
        let sealed = match sealed {
            None => Sealed::None,
            Some((ERASED, _)) => Sealed::Erased,
            Some((_, bytes)) => Sealed::Present(bytes.to_vec()),
        };
        Ok(Stored {
            seq,
            kind: head.kind,
            public: public.to_vec(),
            sealed,
        })
    }

    fn bytes(&mut self, segment: &Segment, at: u64, len: usize) -> Result<&[u8], JournalError> {
        let path = || self.disk.path(&segment.name());
        if self
            .file
            .as_ref()
            .is_none_or(|(first, _)| *first != segment.first)
        {
            let file = self
                .disk
                .open(&segment.name())
                .map_err(JournalError::io("open", path()))?;
            self.file = Some((segment.first, file));
            self.window.clear();
        }
        let end = at + len as u64;
        if at < self.window_at || end > self.window_at + self.window.len() as u64 {
            if end > segment.len {
                let what = "an entry reaches beyond the end of the segment".to_owned();
                return Err(JournalError::Damaged {
                    path: path(),
                    offset: at,
                    what,
                });
            }
            let ahead = (self.read_ahead.max(len) as u64).min(segment.len - at) as usize;
            self.window.clear();
            self.window.resize(ahead, 0);
            self.window_at = at;
            if let Some((_, file)) = &self.file {
                file.read_at(&mut self.window, at)
                    .map_err(JournalError::io("read", path()))?;
            }
        }
        // Inside the window: either it was, or the window was just filled from `at` with at least
        // `len` bytes.
        let from = (at - self.window_at) as usize;
        Ok(&self.window[from..from + len])
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Stored, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        match self.entry(self.next) {
            Err(JournalError::NoSuchEntry { .. }) => None,
            Ok(stored) => {
                self.next += 1;
                Some(Ok(stored))
            }
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}
