//! One writer: the lock on the data directory. It belongs to the process and vanishes with it,
//! however it ends.

use super::error::JournalError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Takes the directory for writing, and notes the process for whoever is refused.
pub fn exclusive(dir: &Path) -> Result<File, JournalError> {
    let path = dir.join("lock");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path);
    let mut file = file.map_err(JournalError::io("open", &path))?;
    taken(&path, file.try_lock())?;
    // Only a courtesy to the reader of an error message: the lock holds without it.
    let _ = file
        .set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}

/// Takes the directory for reading while no node runs. Without a lock file none ever ran here, or
/// it is a copy.
pub fn shared(dir: &Path) -> Result<Option<File>, JournalError> {
    let path = dir.join("lock");
    match File::open(&path) {
        Ok(file) => {
            taken(&path, file.try_lock_shared())?;
            Ok(Some(file))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(JournalError::io("open", &path)(error)),
    }
}

fn taken(path: &Path, locked: Result<(), TryLockError>) -> Result<(), JournalError> {
    match locked {
        Ok(()) => Ok(()),
        Err(TryLockError::Error(error)) => Err(JournalError::io("lock", path)(error)),
        Err(TryLockError::WouldBlock) => {
            let pid = std::fs::read_to_string(path)
                .ok()
                .and_then(|text| text.trim().parse::<u32>().ok());
            let holder = pid.map_or_else(String::new, |pid| format!(" by process {pid}"));
            Err(JournalError::Locked {
                path: path.to_owned(),
                holder,
            })
        }
    }
}
