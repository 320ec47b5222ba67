//! Blanking the sealed part of one entry in place, so that a person's record is gone while the log
//! stays whole.
//!
//! Order of durable writes: mark (one byte) → fsync → zeros over the sealed part → fsync. A byte
//! cannot be torn, so at every moment the entry reads back either as it was or as erased. After the
//! mark is durable the zeros are only tidying: a crash between is finished by the next opening. All
//! steps are repeated even if the entry already reads as erased, because it may read so only from
//! the page cache after a failed fsync.
//!
//! What this cannot do: a copy-on-write filesystem or a flash disk may keep the old sectors for a
//! while, and backups keep theirs. The bytes are ciphertext (see `vault`); whoever must exclude
//! even that has to retire the vault key.

use super::{
    disk::Disk,
    error::JournalError,
    frame::{ENTRY_HEAD, ERASED, EntryHead},
    read,
    segment::Segment,
};

/// Erases the sealed part of one entry, durably.
pub fn erase(disk: &dyn Disk, segments: &[Segment], seq: u64) -> Result<(), JournalError> {
    let (segment, at) = read::locate(segments, seq)?;
    let path = disk.path(&segment.name());
    let file = disk
        .open(&segment.name())
        .map_err(JournalError::io("open", &path))?;
    let mut head = [0; ENTRY_HEAD];
    file.read_at(&mut head, at)
        .map_err(JournalError::io("read", &path))?;
    let head = EntryHead::decode(&head)
        .and_then(|head| {
            if head.seq == seq {
                Ok(head)
            } else {
                Err("another entry is here")
            }
        })
        .map_err(|flaw| JournalError::Damaged {
            path: path.clone(),
            offset: at,
            what: flaw.to_owned(),
        })?;
    if !head.has_sealed {
        return Err(JournalError::NothingSealed { seq });
    }

    let mark_at = at + head.mark_at() as u64;
    file.write_at(&[ERASED], mark_at)
        .map_err(JournalError::io("write", &path))?;
    file.sync().map_err(JournalError::io("sync", &path))?;
    file.write_at(&vec![0; head.sealed_len as usize], mark_at + 1)
        .map_err(JournalError::io("write", &path))?;
    file.sync().map_err(JournalError::io("sync", &path))
}
