//! The guard against rolled-back data: what this node has signed last, kept apart from the journal.
//!
//! If yesterday's copy of the journal is put back and the node goes on, it will sign a second,
//! different history for the sizes that it already signed. To the parent that is a forgery, and the
//! unit cannot prove that it was an accident. So the last signed checkpoint is noted in
//! `<dir>/guard`, and a node whose log does not contain it refuses to start. So is the length of
//! the journal whenever a signed report or receipt leaves: the log may be the same, and yet another
//! report be made over it.
//!
//! Order of durable writes, *before* a signature over a checkpoint leaves the process: `guard.tmp`
//! → fsync → rename to `guard` → fsync directory → only then sign and publish. A checkpoint is
//! signed only over what is already durable in the journal, so after any crash the log is at least
//! as long as the guard says.
//!
//! It is born with the journal, before the first entry, so that a journal without it was never just
//! begun: it came from elsewhere (backups hold no guard), or somebody removed the guard. Such a
//! directory is refused until a person has compared it with the parent.
//!
//! The guard helps only if it is *not* restored together with the journal: keep it out of the
//! backups (the runbook says so), or open it in a directory on another disk. Open it while holding
//! the journal's lock: it has none of its own.
//!
//! The file is text, one value per line: `countersign/guard/v1`, `size <n>`, `root <64 hex>`,
//! `journal <n>`, `crc <8 hex>`; the CRC-32 covers all lines before it. It finds accidents; who can
//! write this directory can also write the guard.

use super::{
    disk::{Disk, RealDisk},
    error::{JournalError, is_full},
};
use std::{io::ErrorKind, path::Path};

/// The name of the file in its directory.
pub const GUARD_FILE: &str = "guard";

const TEMPORARY: &str = "guard.tmp";
const FIRST_LINE: &str = "countersign/guard/v1";
/// No guard that this program writes is longer.
const MAX_GUARD_BYTES: u64 = 512;

/// A checkpoint that was, or is about to be, signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// Size of the log.
    pub size: u64,
    /// Root of the log at this size.
    pub root: [u8; 32],
    /// [`super::Journal::next_seq`] when a checkpoint was signed, or when a signed report or
    /// receipt left the node since.
    pub journal: u64,
}

/// The open guard.
pub struct Guard {
    disk: Box<dyn Disk>,
    last: Option<Signed>,
}

impl Guard {
    /// Reads the guard of this directory, which is created if it is missing.
    ///
    /// # Errors
    /// [`JournalError::GuardDamaged`], [`JournalError::Io`]. A missing guard is no error: see
    /// [`Guard::is_missing`].
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let disk = RealDisk::writable(dir).map_err(JournalError::io("create", dir))?;
        Self::open_on(Box::new(disk))
    }

    /// The same on any disk, for tests with a disk that fails.
    ///
    /// # Errors
    /// As [`Guard::open`].
    pub fn open_on(disk: Box<dyn Disk>) -> Result<Self, JournalError> {
        let path = disk.path(GUARD_FILE);
        let file = match disk.open(GUARD_FILE) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self { disk, last: None });
            }
            Err(error) => return Err(JournalError::io("open", path)(error)),
        };
        let size = file.size().map_err(JournalError::io("measure", &path))?;
        if size > MAX_GUARD_BYTES {
            return Err(JournalError::GuardDamaged {
                path,
                what: "it is too long",
            });
        }
        let mut bytes = vec![0; size as usize];
        file.read_at(&mut bytes, 0)
            .map_err(JournalError::io("read", &path))?;
        let last = decode(&bytes).map_err(|what| JournalError::GuardDamaged { path, what })?;
        Ok(Self {
            disk,
            last: Some(last),
        })
    }

    /// What was signed last.
    pub fn last(&self) -> Option<Signed> {
        self.last
    }

    /// Whether there is no guard file.
    pub fn is_missing(&self) -> bool {
        self.last.is_none()
    }

    /// Begins a new guard where the journal is as new; otherwise refuses if there is none.
    ///
    /// # Errors
    /// [`JournalError::GuardMissing`]; [`JournalError::Io`], [`JournalError::NoSpace`].
    pub fn begin_or_refuse(&mut self, next_seq: u64) -> Result<(), JournalError> {
        match (self.last, next_seq) {
            (Some(_), _) => Ok(()),
            (None, 0) => self.advance(Signed {
                size: 0,
                root: protocol::log::tree::empty_root(),
                journal: 0,
            }),
            (None, entries) => Err(JournalError::GuardMissing {
                path: self.disk.path(GUARD_FILE),
                entries,
            }),
        }
    }

    /// Notes a checkpoint, durably. Only after `Ok` may its signature leave the process.
    ///
    /// # Errors
    /// [`JournalError::GuardBackwards`] if it is smaller than the last, or as large with another
    /// root; [`JournalError::Io`] and [`JournalError::NoSpace`]: do not sign. Both may be tried
    /// again, also after a failed fsync: everything is written anew.
    pub fn advance(&mut self, signed: Signed) -> Result<(), JournalError> {
        if let Some(last) = self.last {
            let forked = last.size == signed.size && last.root != signed.root;
            if signed.size < last.size || forked {
                let root = if forked { " with another root" } else { "" };
                return Err(JournalError::GuardBackwards {
                    size: signed.size,
                    signed: last.size,
                    root,
                });
            }
        }
        // Written even if nothing changes: after a failed fsync of the directory the file that we
        // read may not be durable.
        self.write(&encode(&signed)).map_err(|error| match error {
            JournalError::Io { path, source, .. } if is_full(&source) => {
                JournalError::NoSpace { path }
            }
            error => error,
        })?;
        self.last = Some(signed);
        Ok(())
    }

    fn write(&self, text: &str) -> Result<(), JournalError> {
        let path = self.disk.path(TEMPORARY);
        let file = self
            .disk
            .create(TEMPORARY)
            .map_err(JournalError::io("create", &path))?;
        file.write_at(text.as_bytes(), 0)
            .map_err(JournalError::io("write", &path))?;
        file.sync().map_err(JournalError::io("sync", &path))?;
        self.disk
            .rename(TEMPORARY, GUARD_FILE)
            .map_err(JournalError::io("rename", &path))?;
        self.disk
            .sync_dir()
            .map_err(JournalError::io("sync the directory of", &path))
    }

    /// Whether the log is the one that was signed, and at least as long. `root_at` gives the root
    /// of the log at a size.
    ///
    /// # Errors
    /// [`JournalError::RolledBack`] if it is shorter; [`JournalError::Forked`] if its root at the
    /// signed size is another one.
    pub fn check(
        &self,
        log_size: u64,
        root_at: impl Fn(u64) -> Option<[u8; 32]>,
    ) -> Result<(), JournalError> {
        let Some(last) = self.last else { return Ok(()) };
        if log_size < last.size {
            return Err(JournalError::RolledBack {
                what: "the log",
                found: log_size,
                signed: last.size,
            });
        }
        let found = root_at(last.size);
        if found != Some(last.root) {
            let found = found.map_or_else(|| "none".to_owned(), |root| hex(&root));
            return Err(JournalError::Forked {
                size: last.size,
                signed: hex(&last.root),
                found,
            });
        }
        Ok(())
    }

    /// The same by the journal alone, right after opening it and before the log is built.
    ///
    /// # Errors
    /// [`JournalError::RolledBack`] if the journal has fewer entries than when the last checkpoint
    /// was signed.
    pub fn check_journal(&self, next_seq: u64) -> Result<(), JournalError> {
        match self.last {
            Some(last) if next_seq < last.journal => Err(JournalError::RolledBack {
                what: "the journal",
                found: next_seq,
                signed: last.journal,
            }),
            _ => Ok(()),
        }
    }
}

fn encode(signed: &Signed) -> String {
    let text = format!(
        "{FIRST_LINE}\nsize {}\nroot {}\njournal {}\n",
        signed.size,
        hex(&signed.root),
        signed.journal
    );
    let crc = crc32fast::hash(text.as_bytes());
    format!("{text}crc {crc:08x}\n")
}

fn decode(bytes: &[u8]) -> Result<Signed, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text")?;
    let mut lines = text.lines();
    let mut value = |name: &str| lines.next()?.strip_prefix(name);
    value(FIRST_LINE).ok_or("it does not begin like a guard")?;
    let size = value("size ")
        .and_then(|n| n.parse().ok())
        .ok_or("its size is unreadable")?;
    let root = value("root ")
        .and_then(unhex)
        .ok_or("its root is unreadable")?;
    let journal = value("journal ")
        .and_then(|n| n.parse().ok())
        .ok_or("its journal line is unreadable")?;
    let signed = Signed {
        size,
        root,
        journal,
    };
    // One text per value: whatever is not exactly what we would write is damaged, the CRC line
    // included.
    if encode(&signed) == text {
        Ok(signed)
    } else {
        Err("its CRC does not hold")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = (high * 16 + low) as u8; // Two hex digits: at most 255.
    }
    Some(bytes)
}
