//! Reading the whole journal back: what is whole, what is torn, what is damaged.
//!
//! Batches are written one at a time and each is synced before the next, so a crash can tear only
//! the last one. Hence the rule:
//!
//! - a bad batch at the end of the last segment, with no valid batch anywhere behind it and behind
//!   all that the mark counts, is *torn*: it was never acknowledged and is cut off;
//! - anything else that is bad is *damage*: refused, because cutting it off would lose what was
//!   acknowledged. So is a journal that holds less than the mark counts, however whole it looks, and
//!   a bad end where no mark tells what it was.
//!
//! What this cannot see: rot in a batch that was acknowledged seconds before a loss of power, whose
//! mark did not reach the disk. For that there is the guard, and behind it the parent's witnessed
//! checkpoint.

use super::{
    disk::{Disk, DiskFile},
    erase,
    error::JournalError,
    frame::{BATCH_HEAD, BatchHead, Flaw, Placed, decode_body},
    limits::{MAX_BATCH_BYTES, VERSION},
    mark,
    segment::{self, HEADER, Header, Segment},
};
use std::path::PathBuf;

/// A torn tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The last segment.
    pub path: PathBuf,
    /// Where the torn batch begins: what is before it is whole.
    pub offset: u64,
    /// How many bytes of it there are.
    pub bytes: u64,
}

/// What opening the journal had to put right. Neither is a loss: both were never acknowledged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// The torn tail that was cut off.
    pub cut: Option<Cut>,
    /// Erasures that a crash had interrupted and that are now complete.
    pub finished_erasures: u64,
}

impl Recovered {
    /// Whether there was nothing to put right.
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

/// What is on the disk.
#[derive(Debug, Default)]
pub struct Scan {
    /// The segments, each with at least a valid header.
    pub segments: Vec<Segment>,
    /// The first sequence number that does not exist.
    pub next: u64,
    /// The CRC of the last batch.
    pub link: u32,
    /// Number of batches.
    pub batches: u64,
    /// Number of entries whose sealed part is erased.
    pub erased: u64,
    /// Entries whose erasure is not complete.
    pub unfinished: Vec<u64>,
    /// The bad end of the last segment. Whether it is torn, [`Scan::acknowledged`] tells.
    pub torn: Option<Cut>,
    /// How many entries were acknowledged, where a mark tells.
    pub acknowledged: Option<u64>,
    /// Offset and length of the last batch, if it is in the last segment.
    last_batch: Option<(u64, usize)>,
    /// The last file is a segment that was never used: its header is not complete.
    unborn: bool,
}

/// Reads everything and changes nothing. Holds one batch in memory, and 4 bytes per entry.
pub fn scan(disk: &dyn Disk) -> Result<Scan, JournalError> {
    let names = disk
        .list()
        .map_err(JournalError::io("list", disk.path("")))?;
    let mut firsts = Vec::new();
    for name in names.iter().filter(|name| name.ends_with(".seg")) {
        firsts.push(
            segment::parse_name(name).ok_or_else(|| JournalError::Damaged {
                path: disk.path(name),
                offset: 0,
                what: "this file is named like a segment, but not by this program".to_owned(),
            })?,
        );
    }
    firsts.sort_unstable();

    let mut scan = Scan::default();
    for (n, first) in firsts.iter().enumerate() {
        let is_last = n + 1 == firsts.len();
        if *first != scan.next {
            return Err(JournalError::MissingSegment {
                expected: disk.path(&segment::name(scan.next)),
                found: segment::name(*first),
            });
        }
        scan_segment(disk, *first, is_last, &mut scan)?;
    }
    scan.acknowledged = mark::read(disk)?;
    Ok(scan)
}

/// One segment's file while it is read.
struct Reading {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    size: u64,
    /// Only the last segment may be torn: nothing was acknowledged behind it.
    is_last: bool,
}

impl Reading {
    fn open(disk: &dyn Disk, name: &str, is_last: bool) -> Result<Reading, JournalError> {
        let path = disk.path(name);
        let file = disk.open(name).map_err(JournalError::io("open", &path))?;
        let size = file.size().map_err(JournalError::io("measure", &path))?;
        Ok(Reading {
            file,
            path,
            size,
            is_last,
        })
    }

    fn damaged(&self, offset: u64, what: impl Into<String>) -> JournalError {
        JournalError::Damaged {
            path: self.path.clone(),
            offset,
            what: what.into(),
        }
    }

    fn cut_from(&self, offset: u64) -> Cut {
        Cut {
            path: self.path.clone(),
            offset,
            bytes: self.size - offset,
        }
    }
}

fn scan_segment(
    disk: &dyn Disk,
    first: u64,
    is_last: bool,
    scan: &mut Scan,
) -> Result<(), JournalError> {
    let reading = Reading::open(disk, &segment::name(first), is_last)?;
    let Some(mut segment) = begin_segment(&reading, first, scan)? else {
        return Ok(());
    };
    scan.last_batch = None;
    let mut buffer = Vec::new();
    while segment.len < reading.size {
        match next_batch(&reading, &segment, scan, &mut buffer)? {
            Ok((head, placed)) => scan.take_batch(&mut segment, &head, &placed),
            Err(flaw) => {
                scan.torn = Some(torn_tail(&reading, &segment, scan.next, flaw)?);
                break;
            }
        }
    }
    scan.segments.push(segment);
    Ok(())
}

/// The segment that a header begins; none where the last file was created and never used.
fn begin_segment(
    reading: &Reading,
    first: u64,
    scan: &mut Scan,
) -> Result<Option<Segment>, JournalError> {
    let header = read_header(&*reading.file, reading.size)
        .map_err(JournalError::io("read", &reading.path))?;
    let Some(header) = header else {
        if reading.is_last && reading.size <= HEADER as u64 {
            scan.unborn = true;
            scan.torn = (reading.size > 0).then(|| reading.cut_from(0));
            return Ok(None);
        }
        return Err(reading.damaged(0, "the header of the segment is damaged"));
    };
    if header.version != VERSION {
        return Err(JournalError::UnknownVersion {
            path: reading.path.clone(),
            version: header.version,
        });
    }
    if header.first != first || header.link != scan.link {
        return Err(reading.damaged(
            0,
            "the segment does not continue the one before it: it belongs to another journal",
        ));
    }
    if reading.size > u64::from(u32::MAX) {
        return Err(reading.damaged(
            u64::from(u32::MAX),
            "the segment is longer than any that this program writes",
        ));
    }
    Ok(Some(Segment {
        first,
        salt: header.salt,
        len: HEADER as u64,
        offsets: Vec::new(),
    }))
}

/// The batch at the end of what was read of a segment, if it continues the one before it.
fn next_batch(
    reading: &Reading,
    segment: &Segment,
    scan: &Scan,
    buffer: &mut Vec<u8>,
) -> Result<Found, JournalError> {
    let found = read_batch(&*reading.file, segment.len, reading.size, segment, buffer)
        .map_err(JournalError::io("read", &reading.path))?;
    Ok(found.and_then(
        |(head, placed)| match head.first == scan.next && head.link == scan.link {
            true => Ok((head, placed)),
            false => Err("the batch does not continue the one before it"),
        },
    ))
}

/// What may be cut off where a batch is bad: the end of the last segment, and only if nothing valid
/// follows, because cutting would lose what was acknowledged.
fn torn_tail(
    reading: &Reading,
    segment: &Segment,
    next: u64,
    flaw: Flaw,
) -> Result<Cut, JournalError> {
    if !reading.is_last {
        return Err(reading.damaged(segment.len, flaw));
    }
    let behind = valid_behind(&*reading.file, reading.size, segment, next)
        .map_err(JournalError::io("read", &reading.path))?;
    match behind {
        None => Ok(reading.cut_from(segment.len)),
        Some(behind) => Err(reading.damaged(
            segment.len,
            format!("{flaw}, yet a valid batch follows at byte {behind}"),
        )),
    }
}

impl Scan {
    /// Refuses a journal whose end is not all that was acknowledged, or of which nothing tells.
    ///
    /// # Errors
    /// [`JournalError::EndMissing`].
    pub fn complete(&self, disk: &dyn Disk) -> Result<(), JournalError> {
        let complete = match self.acknowledged {
            Some(acknowledged) => acknowledged <= self.next,
            // A segment that was begun and never used held nothing.
            None => self.torn.is_none() || self.unborn,
        };
        if complete {
            return Ok(());
        }
        let last = self.segments.last();
        Err(JournalError::EndMissing {
            path: disk.path(&last.map_or_else(|| segment::name(0), Segment::name)),
            offset: last.map_or(0, |segment| segment.len),
            found: self.next,
            acknowledged: self.acknowledged,
            signed: None,
        })
    }

    /// Counts a good batch, and notes where its entries lie.
    fn take_batch(&mut self, segment: &mut Segment, head: &BatchHead, placed: &[Placed]) {
        let body = segment.len + BATCH_HEAD as u64;
        for (seq, entry) in (head.first..).zip(placed) {
            // Below u32::MAX, as the file's size is.
            let offset = (body + u64::from(entry.at)) as u32;
            segment.offsets.push(offset);
            self.erased += u64::from(entry.erased);
            if entry.unfinished {
                self.unfinished.push(seq);
            }
        }
        let len = BATCH_HEAD + head.body_len as usize;
        self.last_batch = Some((segment.len, len));
        segment.len += len as u64;
        self.next += u64::from(head.count);
        self.link = head.crc;
        self.batches += 1;
    }
}

fn read_header(file: &dyn DiskFile, size: u64) -> std::io::Result<Option<Header>> {
    if size < HEADER as u64 {
        return Ok(None);
    }
    let mut bytes = [0; HEADER];
    file.read_at(&mut bytes, 0)?;
    Ok(Header::decode(&bytes))
}

type Found = Result<(BatchHead, Vec<Placed>), Flaw>;

fn read_batch(
    file: &dyn DiskFile,
    at: u64,
    size: u64,
    segment: &Segment,
    buffer: &mut Vec<u8>,
) -> std::io::Result<Found> {
    let mut head = [0; BATCH_HEAD];
    let body_at = at + BATCH_HEAD as u64;
    if body_at > size {
        return Ok(Err("the file ends inside the head of a batch"));
    }
    file.read_at(&mut head, at)?;
    let head = match BatchHead::decode(&head, segment.salt) {
        Ok(head) => head,
        Err(flaw) => return Ok(Err(flaw)),
    };
    if body_at + u64::from(head.body_len) > size {
        return Ok(Err("the file ends inside a batch"));
    }
    buffer.resize(head.body_len as usize, 0);
    file.read_at(buffer, body_at)?;
    Ok(decode_body(&head, buffer).map(|placed| (head, placed)))
}

/// Looks for a valid batch behind a bad one, at any byte: the bad one's length cannot be believed.
/// Batches open with the salt of the segment, which no document can contain.
fn valid_behind(
    file: &dyn DiskFile,
    size: u64,
    segment: &Segment,
    next: u64,
) -> std::io::Result<Option<u64>> {
    const WINDOW: u64 = 1 << 20;
    let mut window = Vec::new();
    let mut body = Vec::new();
    let mut at = segment.len + 1;
    while at + BATCH_HEAD as u64 <= size {
        let len = WINDOW.min(size - at);
        window.resize(len as usize, 0);
        file.read_at(&mut window, at)?;
        for (n, bytes) in window.windows(segment.salt.len()).enumerate() {
            let here = at + n as u64;
            if bytes == segment.salt
                && let Ok((head, _)) = read_batch(file, here, size, segment, &mut body)?
                && head.first >= next
            {
                return Ok(Some(here));
            }
        }
        if len < WINDOW {
            break;
        }
        // The next window begins where this one could not see a whole salt any more.
        at += WINDOW - (segment.salt.len() as u64 - 1);
    }
    Ok(None)
}

/// Puts right what [`scan`] found, and returns the file to append to.
///
/// Order of durable writes: cut the torn tail → write the last batch (or the header) again → fsync
/// the file → fsync the directory → finish erasures. The rewriting is for this case: an fsync
/// failed, the node restarted, and the page cache shows a batch that the disk does not hold. The
/// kernel takes those pages for clean and would never write them; the same bytes, written again,
/// are dirty again. On a disk that does hold them it changes nothing.
pub fn repair(
    disk: &dyn Disk,
    scan: &mut Scan,
) -> Result<(Box<dyn DiskFile>, Recovered), JournalError> {
    let file = match scan.segments.last() {
        Some(segment) if !scan.unborn => {
            let path = disk.path(&segment.name());
            let file = disk
                .open(&segment.name())
                .map_err(JournalError::io("open", &path))?;
            // Also where nothing is torn: an earlier opening may have cut it and failed to sync.
            file.set_len(segment.len)
                .map_err(JournalError::io("cut", &path))?;
            let (at, len) = scan.last_batch.unwrap_or((0, HEADER));
            debug_assert!(len <= MAX_BATCH_BYTES + BATCH_HEAD);
            let mut bytes = vec![0; len];
            file.read_at(&mut bytes, at)
                .map_err(JournalError::io("read", &path))?;
            file.write_at(&bytes, at)
                .map_err(JournalError::io("write", &path))?;
            file.sync().map_err(JournalError::io("sync", &path))?;
            disk.sync_dir()
                .map_err(JournalError::io("sync the directory of", &path))?;
            file
        }
        _ => {
            let (segment, file) = segment::create(disk, scan.next, scan.link)?;
            scan.segments.push(segment);
            file
        }
    };
    for seq in &scan.unfinished {
        erase::erase(disk, &scan.segments, *seq)?;
    }
    let recovered = Recovered {
        cut: scan.torn.clone(),
        finished_erasures: scan.unfinished.len() as u64,
    };
    Ok((file, recovered))
}
