//! Everything that can go wrong between the node and its disk, with what the operator should do
//! about it.
//!
//! Each message says what happened, where (file and byte offset) and how to cure it;
//! [`JournalError::code`] is stable, so that the runbook and the console can refer to it.

use std::{io, path::PathBuf};

use crate::fault::FaultCode;

/// The first cure for damaged data: nothing in this program may guess what the lost bytes were.
macro_rules! restore {
    () => {
        "Do not delete or edit the file. Stop the node, keep a copy of the whole data directory, \
         restore the directory from the newest backup, and let the parent's copies (witnessed \
         checkpoint, entry bundles, receipts) confirm that nothing signed is missing"
    };
}

/// An error of the journal or of its guard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Another process holds the data directory.
    #[error(
        "the data directory is in use: {path} is locked{holder}. Only one node may write it. Stop \
         the other node (or point this one to another data directory) and start again; the lock \
         vanishes with its process, so never delete the file"
    )]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// ` by process 1234`, where it is known.
        holder: String,
    },

    /// The operating system refused an operation.
    #[error(
        "cannot {what} {path}: {source}. Check the disk, its permissions and the system log, then \
         start the node again"
    )]
    Io {
        /// The operation, as a verb: `open`, `read`, `sync` …
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// The disk is full. Nothing of the batch was kept, or nothing was signed, and the node is
    /// still usable.
    #[error(
        "no space left to write {path}: nothing of this was recorded. Free space on this disk and \
         try again; a running node needs no restart"
    )]
    NoSpace {
        /// The segment that was to grow, or the guard.
        path: PathBuf,
    },

    /// An earlier write or sync failed, so that it is unknown what the disk holds.
    #[error(
        "the journal refuses to write since an earlier failure ({cause}). Check the disk, then \
         restart the node: it reads back what the disk really holds. Nothing that was \
         acknowledged is affected"
    )]
    Poisoned {
        /// The first failure.
        cause: String,
    },

    /// Bytes in the middle of the journal are not what was written.
    #[error("the journal is damaged: {path} at byte {offset}: {what}. {cure}", cure = restore!())]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where the damaged batch, entry or header begins.
        offset: u64,
        /// What contradicts.
        what: String,
    },

    /// The end of the journal is not what was acknowledged, or nothing tells whether it is.
    #[error(
        "the end of the journal is missing or damaged: {found} entries can be read, up to byte \
         {offset} of {path}, and {}. {} Keep a copy of the whole data directory and restore a copy \
         that has more. {}",
        told(*acknowledged, *found),
        rests(*signed, *found),
        without_copy(*signed, *found)
    )]
    EndMissing {
        /// The last segment.
        path: PathBuf,
        /// Up to where it can be read.
        offset: u64,
        /// Entries that can be read.
        found: u64,
        /// Entries that were acknowledged, where a mark tells.
        acknowledged: Option<u64>,
        /// Entries that what was signed last rests on, where the guard tells.
        signed: Option<u64>,
    },

    /// A segment file is not there.
    #[error("a part of the journal is missing: expected {expected}, found {found}. {cure}", cure = restore!())]
    MissingSegment {
        /// The file that should exist.
        expected: PathBuf,
        /// The name that was found instead.
        found: String,
    },

    /// Written by a newer program.
    #[error(
        "{path} has journal format {version}, this program knows {known}. Start the newer \
         program that wrote it",
        known = super::limits::VERSION
    )]
    UnknownVersion {
        /// The segment.
        path: PathBuf,
        /// Its version.
        version: u32,
    },

    /// A batch or a part of an entry exceeds its limit. Nothing was written.
    #[error(
        "{what} has {bytes} bytes, the limit is {limit}: nothing was recorded. Split the batch or \
         the document"
    )]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },

    /// Asked for an entry that is not there (yet).
    #[error(
        "there is no entry {seq}: the journal ends before {next}. Ask for a smaller sequence number"
    )]
    NoSuchEntry {
        /// The sequence number asked for.
        seq: u64,
        /// The first that does not exist.
        next: u64,
    },

    /// Asked to erase the sealed part of an entry that never had one.
    #[error("entry {seq} has no sealed part, there is nothing to erase. Check the sequence number")]
    NothingSealed {
        /// The entry.
        seq: u64,
    },

    /// The guard file cannot be read as what this program wrote.
    #[error(
        "the guard {path} is damaged ({what}), so it is unknown what this node signed last. Keep \
         a copy, ask the parent for the last checkpoint that it witnessed, compare it with this \
         log, and only if the log contains it remove the guard file"
    )]
    GuardDamaged {
        /// The guard file.
        path: PathBuf,
        /// What contradicts.
        what: &'static str,
    },

    /// There is a journal and no guard.
    #[error(
        "the guard {path} is missing, and the journal has {entries} entries, so it is unknown \
         what this node signed last: it may have been restored from an old backup. Going on from \
         one would sign a second history. If the guard still exists on another disk, put it back. \
         Otherwise compare with the parent, and when nothing that it has is missing here, make a \
         new guard with `countersign guard`"
    )]
    GuardMissing {
        /// Where it should be.
        path: PathBuf,
        /// Entries of the journal.
        entries: u64,
    },

    /// A checkpoint older than, or contradicting, the last signed one was about to be signed.
    #[error(
        "refused to sign a checkpoint of size {size}: this node already signed size \
         {signed}{root}. Two such signatures would prove a forged history. Do not sign again; \
         compare the data directory with its backups and with the parent's witnessed checkpoint"
    )]
    GuardBackwards {
        /// The size that was about to be signed.
        size: u64,
        /// The size signed last.
        signed: u64,
        /// ` with another root`, if only the root differs.
        root: &'static str,
    },

    /// The data is older than what this node has already signed.
    #[error(
        "the data directory is older than what this node has signed: {what} has {found}, but \
         {signed} was signed. It was probably restored from an old backup. Do not remove the \
         guard: restore the newest copy of the journal, or fetch the missing entries back from \
         the parent; if they are truly lost, the parent must be told and the unit continues with \
         a new log"
    )]
    RolledBack {
        /// `the log` or `the journal`.
        what: &'static str,
        /// Entries found.
        found: u64,
        /// Entries at the time of signing.
        signed: u64,
    },

    /// The log has the size that was signed, but not its content.
    #[error(
        "the log contradicts what this node has signed: at size {size} the signed root is \
         {signed}, the log on disk gives {found}. The data directory was changed or mixed from \
         two copies. Restore the copy that gives the signed root; never sign from this one"
    )]
    Forked {
        /// The size signed last.
        size: u64,
        /// The signed root, hex.
        signed: String,
        /// The root that the log on disk gives, hex, or `none`.
        found: String,
    },
}

/// How many entries are missing, by the mark.
fn told(acknowledged: Option<u64>, found: u64) -> String {
    match acknowledged {
        Some(acknowledged) => format!(
            "{acknowledged} were acknowledged: {} are missing",
            acknowledged.saturating_sub(found)
        ),
        None => "no mark tells how many were acknowledged".to_owned(),
    }
}

/// Whether what was signed last rests on what is missing, by the guard.
fn rests(signed: Option<u64>, found: u64) -> String {
    match signed {
        None => String::new(),
        Some(signed) if signed <= found => format!(
            "What this node signed last, and what its parent may have, rests on the first {signed}: \
             all of these are there."
        ),
        Some(signed) => format!(
            "What this node signed last, and what its parent may have, rests on the first {signed}: \
             {} of the missing ones are among these.",
            signed - found
        ),
    }
}

/// What is left to do where no copy has more.
fn without_copy(signed: Option<u64>, found: u64) -> &'static str {
    if signed.is_some_and(|signed| signed > found) {
        "`fsck --give-up` is not possible here: going on without what was signed would sign a second \
         history. If there is no such copy, tell the parent and the publisher of the registry: the \
         unit cannot go on with this log, and this version has no way to take entries back from the \
         parent or to begin a new log (runbook, sections 7 and 11)"
    } else {
        "If there is none, `countersign fsck --give-up` goes on from what can be read, and what is \
         missing must be recorded again (runbook, section 7)"
    }
}

impl JournalError {
    /// Whether entries are missing on which something signed rests: nothing goes on without them.
    pub fn signed_missing(&self) -> bool {
        match self {
            Self::EndMissing { found, signed, .. } => signed.is_some_and(|signed| signed > *found),
            _ => false,
        }
    }

    /// A stable name of this error.
    pub fn code(&self) -> FaultCode {
        match self {
            Self::Locked { .. } => FaultCode::JournalLocked,
            Self::Io { .. } => FaultCode::JournalIo,
            Self::NoSpace { .. } => FaultCode::JournalNoSpace,
            Self::Poisoned { .. } => FaultCode::JournalPoisoned,
            Self::Damaged { .. } => FaultCode::JournalDamaged,
            Self::EndMissing { .. } => FaultCode::JournalEndMissing,
            Self::MissingSegment { .. } => FaultCode::JournalMissingSegment,
            Self::UnknownVersion { .. } => FaultCode::JournalUnknownVersion,
            Self::TooLarge { .. } => FaultCode::JournalTooLarge,
            Self::NoSuchEntry { .. } => FaultCode::JournalNoSuchEntry,
            Self::NothingSealed { .. } => FaultCode::JournalNothingSealed,
            Self::GuardDamaged { .. } => FaultCode::GuardDamaged,
            Self::GuardMissing { .. } => FaultCode::GuardMissing,
            Self::GuardBackwards { .. } => FaultCode::GuardBackwards,
            Self::RolledBack { .. } => FaultCode::GuardRolledBack,
            Self::Forked { .. } => FaultCode::GuardForked,
        }
    }

    /// Whether it is unknown what the disk holds of what was to be written.
    pub fn leaves_open(&self) -> bool {
        matches!(
            self,
            Self::Io {
                what: "create" | "write" | "cut" | "sync" | "rename" | "sync the directory of",
                ..
            }
        )
    }

    /// For `map_err`: an operation on a path that the operating system refused.
    pub(super) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}

/// Whether the disk (or a quota) is full, which is the one failure that a running node may survive.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
