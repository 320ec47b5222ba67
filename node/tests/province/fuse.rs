//! How a process dies: at a chosen operation of its disk, by unwinding out of whatever it was
//! doing, so that nothing of it runs on. What it had not synced is then the platter's matter (see
//! `kit::disk`).

use std::io::Result;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::disk::{Disk, DiskFile};
use kit::disk::FailingDisk;

/// What unwinds.
pub struct Died;

/// When, relative to the operation.
#[derive(Clone, Copy, Debug)]
pub enum When {
    Before,
    Half,
    After,
}

#[derive(Default)]
struct State {
    lit: Option<(u64, When)>,
    dead: bool,
}

/// Counts the disk operations of one process.
#[derive(Default)]
pub struct Fuse(Mutex<State>);

impl Fuse {
    /// The process dies at the n-th changing operation from now.
    pub fn light(&self, n: u64, when: When) {
        self.state().lit = Some((n, when));
    }
    pub fn has_burnt(&self) -> bool {
        self.state().dead
    }
    /// A new process.
    pub fn reset(&self) {
        *self.state() = State::default();
    }
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn alive(&self) {
        if self.state().dead {
            std::panic::resume_unwind(Box::new(Died));
        }
    }
    /// One changing operation.
    fn burn<T>(&self, whole: impl FnOnce() -> Result<T>, half: impl FnOnce()) -> Result<T> {
        self.alive();
        let mut state = self.state();
        let Some((left, when)) = state.lit else {
            drop(state);
            return whole();
        };
        if left > 0 {
            state.lit = Some((left - 1, when));
            drop(state);
            return whole();
        }
        state.dead = true;
        drop(state);
        match when {
            When::Before => {}
            When::Half => half(),
            When::After => drop(whole()),
        }
        std::panic::resume_unwind(Box::new(Died));
    }
}

/// The fake disk behind a fuse.
pub struct FusedDisk(pub FailingDisk, pub Arc<Fuse>);

impl Disk for FusedDisk {
    fn list(&self) -> Result<Vec<String>> {
        self.1.alive();
        self.0.list()
    }
    fn open(&self, name: &str) -> Result<Box<dyn DiskFile>> {
        self.1.alive();
        Ok(Box::new(FusedFile(self.0.open(name)?, self.1.clone())))
    }
    fn create(&self, name: &str) -> Result<Box<dyn DiskFile>> {
        let file = self.1.burn(|| self.0.create(name), || {})?;
        Ok(Box::new(FusedFile(file, self.1.clone())))
    }
    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.1.burn(|| self.0.rename(from, to), || {})
    }
    fn sync_dir(&self) -> Result<()> {
        self.1.burn(|| self.0.sync_dir(), || {})
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }
}

struct FusedFile(Box<dyn DiskFile>, Arc<Fuse>);

impl DiskFile for FusedFile {
    fn size(&self) -> Result<u64> {
        self.1.alive();
        self.0.size()
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        self.1.alive();
        self.0.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let half = || drop(self.0.write_at(&bytes[..bytes.len() / 2], offset));
        self.1.burn(|| self.0.write_at(bytes, offset), half)
    }
    fn set_len(&self, len: u64) -> Result<()> {
        self.1.burn(|| self.0.set_len(len), || {})
    }
    fn sync(&self) -> Result<()> {
        self.1.burn(|| self.0.sync(), || {})
    }
}
