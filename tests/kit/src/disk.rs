//! A disk for tests: it can fail at any one operation, and it can lose power.
//!
//! It keeps what the page cache shows and what the platter holds apart. A write changes the cache
//! and waits; `sync` carries the waiting writes over. A failed `sync` forgets that they were
//! waiting, as Linux does: the cache goes on showing what the platter never gets. `power_loss`
//! carries over an arbitrary part of what waits, torn at sectors, and shows the platter.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use node::journal::disk::{Disk, DiskFile};

const SECTOR: usize = 32; // Small, so that small batches tear too.

/// How the chosen operation goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectedFailure {
    /// It answers an error and has done nothing.
    Fails,
    /// It answers an error and has done everything.
    FailsButDone,
    /// A write answers an error after half of it.
    Half,
    /// A write or creation finds the disk full, after half of it.
    Full,
    /// It and everything after it never happens: the process is gone.
    Killed,
}

impl InjectedFailure {
    pub const ALL: [Self; 5] = [
        Self::Fails,
        Self::FailsButDone,
        Self::Half,
        Self::Full,
        Self::Killed,
    ];
}

#[derive(Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, new) => {
                let at = *at as usize;
                if bytes.len() < at + new.len() {
                    bytes.resize(at + new.len(), 0);
                }
                bytes[at..at + new.len()].copy_from_slice(new);
            }
            Self::Length(len) => bytes.resize(*len as usize, 0),
        }
    }
}

#[derive(Default)]
struct File {
    cache: Vec<u8>,
    platter: Vec<u8>,
    waiting: Vec<Change>,
}

#[derive(Default)]
struct World {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    platter_names: BTreeMap<String, usize>,
    operations: usize,
    armed: Option<(usize, InjectedFailure)>,
    /// The bytes that all files together may have.
    room: Option<usize>,
    hit: bool,
    dead: bool,
}

/// What an operation has to do.
enum Verdict {
    Do,
    DoHalf(ErrorKind),
    DoAndFail,
}

impl World {
    fn used(&self) -> usize {
        self.files.iter().map(|file| file.cache.len()).sum()
    }

    fn step(&mut self) -> Result<Verdict> {
        let now = self.operations;
        self.operations += 1;
        if self.dead {
            return Err(Error::other("the process is gone"));
        }
        let Some((at, failure)) = self.armed else {
            return Ok(Verdict::Do);
        };
        if at != now {
            return Ok(Verdict::Do);
        }
        self.hit = true;
        match failure {
            InjectedFailure::Fails => Err(Error::other("injected")),
            InjectedFailure::FailsButDone => Ok(Verdict::DoAndFail),
            InjectedFailure::Half => Ok(Verdict::DoHalf(ErrorKind::Other)),
            InjectedFailure::Full => Ok(Verdict::DoHalf(ErrorKind::StorageFull)),
            InjectedFailure::Killed => {
                self.dead = true;
                Err(Error::other("killed"))
            }
        }
    }
}

/// The disk; clones show the same one.
#[derive(Clone, Default)]
pub struct FailingDisk(Arc<Mutex<World>>);

impl FailingDisk {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn boxed(&self) -> Box<dyn Disk> {
        Box::new(self.clone())
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// Lets the n-th operation from now go wrong.
    pub fn arm(&self, at: usize, failure: InjectedFailure) {
        let mut world = self.world();
        world.operations = 0;
        world.hit = false;
        world.armed = Some((at, failure));
    }

    /// From now on all files together may have so many bytes.
    pub fn limit(&self, room: usize) {
        self.world().room = Some(room);
    }

    /// The bytes of all files, as the cache shows them.
    pub fn used(&self) -> usize {
        self.world().used()
    }

    /// No more failures; answers whether there was one.
    pub fn disarm(&self) -> bool {
        let mut world = self.world();
        world.armed = None;
        world.hit
    }

    /// The process ends, the machine goes on: the cache stays.
    pub fn restart(&self) {
        self.world().dead = false;
    }

    /// The machine loses power: some of what waited reaches the platter, and only that remains.
    pub fn power_loss(&self, seed: u64) {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut random = move |n: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as usize % n
        };
        let mut world = self.world();
        world.dead = false;
        for file in &mut world.files {
            for change in std::mem::take(&mut file.waiting) {
                match (random(4), &change) {
                    (0, _) => {}
                    (1, _) => change.apply(&mut file.platter),
                    (2, Change::Write(at, bytes)) => {
                        Change::Write(*at, bytes[..random(bytes.len() + 1)].to_vec())
                            .apply(&mut file.platter);
                    }
                    (_, Change::Write(at, bytes)) => {
                        for (n, sector) in bytes.chunks(SECTOR).enumerate() {
                            if random(2) == 0 {
                                Change::Write(at + (n * SECTOR) as u64, sector.to_vec())
                                    .apply(&mut file.platter);
                            }
                        }
                    }
                    (_, Change::Length(_)) => {}
                }
            }
            file.cache = file.platter.clone();
        }
        if random(2) == 0 {
            world.platter_names = world.names.clone();
        }
        world.names = world.platter_names.clone();
    }

    /// The content of a file, as the cache shows it.
    pub fn get(&self, name: &str) -> Vec<u8> {
        let world = self.world();
        world.files[world.names[name]].cache.clone()
    }

    /// Puts content into a file, durably, behind the program's back.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let mut world = self.world();
        let file = File {
            cache: bytes.to_vec(),
            platter: bytes.to_vec(),
            waiting: vec![],
        };
        world.files.push(file);
        let id = world.files.len() - 1;
        world.names.insert(name.to_owned(), id);
        world.platter_names.insert(name.to_owned(), id);
    }

    /// Loses a file.
    pub fn remove(&self, name: &str) {
        let mut world = self.world();
        world.names.remove(name);
        world.platter_names.remove(name);
    }
}

fn outcome(verdict: &Verdict) -> Result<()> {
    match verdict {
        Verdict::Do => Ok(()),
        Verdict::DoHalf(kind) => Err(Error::from(*kind)),
        Verdict::DoAndFail => Err(Error::other("injected, but done")),
    }
}

impl Disk for FailingDisk {
    fn list(&self) -> Result<Vec<String>> {
        Ok(self.world().names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> Result<Box<dyn DiskFile>> {
        let id = *self.world().names.get(name).ok_or(ErrorKind::NotFound)?;
        Ok(Box::new(FailingFile(self.clone(), id)))
    }

    fn create(&self, name: &str) -> Result<Box<dyn DiskFile>> {
        let mut world = self.world();
        let verdict = world.step()?;
        let id = match world.names.get(name) {
            Some(id) => *id,
            None => {
                world.files.push(File::default());
                let id = world.files.len() - 1;
                world.names.insert(name.to_owned(), id);
                id
            }
        };
        let file = &mut world.files[id];
        file.cache.clear();
        file.waiting.push(Change::Length(0));
        outcome(&verdict)?;
        drop(world);
        Ok(Box::new(FailingFile(self.clone(), id)))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let mut world = self.world();
        let verdict = world.step()?;
        if !matches!(verdict, Verdict::DoHalf(_)) {
            let id = world.names.remove(from).ok_or(ErrorKind::NotFound)?;
            world.names.insert(to.to_owned(), id);
        }
        outcome(&verdict)
    }

    fn sync_dir(&self) -> Result<()> {
        let mut world = self.world();
        let verdict = world.step()?;
        if !matches!(verdict, Verdict::DoHalf(_)) {
            world.platter_names = world.names.clone();
        }
        outcome(&verdict)
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("/fake").join(name)
    }
}

struct FailingFile(FailingDisk, usize);

impl FailingFile {
    fn change(&self, whole: Change, half: Option<Change>) -> Result<()> {
        let mut world = self.0.world();
        let verdict = world.step()?;
        let change = match verdict {
            Verdict::DoHalf(_) => half,
            _ => Some(whole),
        };
        let file = &mut world.files[self.1];
        if let Some(change) = change {
            change.apply(&mut file.cache);
            file.waiting.push(change);
        }
        outcome(&verdict)
    }
}

impl DiskFile for FailingFile {
    fn size(&self) -> Result<u64> {
        Ok(self.0.world().files[self.1].cache.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        let world = self.0.world();
        let from = offset as usize;
        let bytes = world.files[self.1]
            .cache
            .get(from..from + buffer.len())
            .ok_or(ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let fits = {
            let world = self.0.world();
            let free = world
                .room
                .map_or(usize::MAX, |room| room.saturating_sub(world.used()));
            (world.files[self.1].cache.len() + free.min(bytes.len()))
                .saturating_sub(offset as usize)
        };
        if fits < bytes.len() {
            // As much as fits is there; only then the disk says that it is full.
            self.change(Change::Write(offset, bytes[..fits].to_vec()), None)?;
            return Err(Error::from(ErrorKind::StorageFull));
        }
        let half = Change::Write(offset, bytes[..bytes.len() / 2].to_vec());
        self.change(Change::Write(offset, bytes.to_vec()), Some(half))
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.change(Change::Length(len), None)
    }

    fn sync(&self) -> Result<()> {
        let mut world = self.0.world();
        let verdict = world.step();
        if world.dead {
            // It never reached the kernel: what waits goes on waiting.
            return verdict.map(|_| ());
        }
        let file = &mut world.files[self.1];
        let waiting = std::mem::take(&mut file.waiting);
        let verdict = verdict?; // Failed: what waited is forgotten.
        let carried = match verdict {
            Verdict::DoHalf(_) => waiting.len() / 2,
            _ => waiting.len(),
        };
        for change in &waiting[..carried] {
            change.apply(&mut file.platter);
        }
        outcome(&verdict)
    }
}
