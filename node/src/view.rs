//! The view: indexes over the journal, in sled. Delete it, start the node, and everything comes
//! back to the byte.
//!
//! It holds what would be too much for memory and too slow to look for: which statements are about
//! a subject, which one says the same, and what was taken back by what.
//!
//! sled 0.34's `flush()` does not fsync on Linux, and stores damaged by abrupt stops are still
//! reported; so nothing here is trusted. The view names the journal entry that it has applied last,
//! with a checksum of it; a view that is missing, behind, ahead, of another journal or damaged is
//! rebuilt.
//!
//! Where the disk takes no view (it is full, or fails), the same indexes are kept in memory until
//! the next start: a node that can still read its journal can still answer.
//!
//! Keys are big-endian so that ranges are in order. Personal data never gets here: subjects are
//! pseudonyms, keyed with a secret of this node.

use std::collections::BTreeMap;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use crate::fault::FaultCode;
use crate::number::{ConfirmedNumber, NUMBER_BYTES, NumberFact};
use crate::pseudonym::{PSEUDONYM_BYTES, Pseudonym};

/// Keyed hash of type, day and fields: tells a repetition.
pub type ContentHash = [u8; 16];

/// Where the mark of the last applied entry stands. The number is the layout's: a view of another
/// layout has no mark here, and whoever opens it rebuilds it.
const APPLIED: &[u8] = b"applied/3";

/// Why the view cannot be used. The cure is always the same: it is rebuilt.
#[derive(Debug, thiserror::Error)]
#[error("view: {0} [{code}]", code = FaultCode::ViewDamaged)]
pub struct ViewError(String);

impl From<sled::Error> for ViewError {
    fn from(e: sled::Error) -> Self {
        ViewError(e.to_string())
    }
}

/// What one statement adds to the indexes.
#[derive(Debug, Clone)]
pub struct IndexedStatement {
    /// Log index.
    pub index: u64,
    /// Whom it is about.
    pub subject: Option<Pseudonym>,
    /// What it says.
    pub same: Option<ContentHash>,
    /// The statement that it takes back.
    pub voids: Option<u64>,
    /// What it says about a number itself.
    pub number: Option<NumberFact>,
}

/// The indexes.
#[derive(Debug)]
pub struct View {
    db: Option<sled::Db>,
    meta: Tree,
    /// Subject and log index → what the statement says. Who asks for a repetition reads the
    /// subject's history anyway, so statements about a subject need no other index.
    subject: Tree,
    voided: Tree,
    /// What a statement about no subject says → its log index.
    same: Tree,
    /// A person's later number and log index → the file that it belongs to.
    person: Tree,
    /// A confirmed number and log index → who confirmed it.
    confirmed: Tree,
}

/// One index: an ordered map of bytes.
#[derive(Debug)]
enum Tree {
    Disk(sled::Tree),
    Memory(RwLock<BTreeMap<Vec<u8>, Vec<u8>>>),
}

impl Tree {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        match self {
            Tree::Disk(tree) => Ok(tree.get(key)?.map(|value| value.to_vec())),
            // Nothing panics while it holds the lock, so what is inside is whole.
            Tree::Memory(map) => Ok(map
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .get(key)
                .cloned()),
        }
    }

    fn insert(&self, key: &[u8], value: &[u8]) -> Result<(), ViewError> {
        match self {
            Tree::Disk(tree) => drop(tree.insert(key, value)?),
            Tree::Memory(map) => drop(
                map.write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(key.to_vec(), value.to_vec()),
            ),
        }
        Ok(())
    }

    fn remove(&self, key: &[u8]) -> Result<(), ViewError> {
        match self {
            Tree::Disk(tree) => drop(tree.remove(key)?),
            Tree::Memory(map) => drop(
                map.write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(key),
            ),
        }
        Ok(())
    }

    /// Everything whose key begins with this, in order.
    fn scan(
        &self,
        prefix: &[u8],
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), ViewError>,
    ) -> Result<(), ViewError> {
        match self {
            Tree::Disk(tree) => tree.scan_prefix(prefix).try_for_each(|found| {
                let (key, value) = found?;
                each(&key, &value)
            }),
            Tree::Memory(map) => {
                let map = map.read().unwrap_or_else(PoisonError::into_inner);
                let mut found = map
                    .range(prefix.to_vec()..)
                    .take_while(|(key, _)| key.starts_with(prefix));
                found.try_for_each(|(key, value)| each(key, value))
            }
        }
    }

    fn clear(&self) -> Result<(), ViewError> {
        match self {
            Tree::Disk(tree) => tree.clear()?,
            Tree::Memory(map) => map.write().unwrap_or_else(PoisonError::into_inner).clear(),
        }
        Ok(())
    }
}

fn number(bytes: &[u8]) -> Result<u64, ViewError> {
    let bytes: [u8; 8] = bytes
        .try_into()
        .map_err(|_| ViewError("an index entry has another length".into()))?;
    Ok(u64::from_be_bytes(bytes))
}

/// The log index that stands in a key behind so many bytes.
fn number_behind(key: &[u8], bytes: usize) -> Result<u64, ViewError> {
    number(key.get(bytes..).unwrap_or_default())
}

fn pseudonym(bytes: &[u8]) -> Result<Pseudonym, ViewError> {
    let bytes: [u8; PSEUDONYM_BYTES] = bytes
        .try_into()
        .map_err(|_| ViewError("a pseudonym of another length".into()))?;
    Pseudonym::from_bytes(bytes).map_err(|e| ViewError(e.to_string()))
}

impl View {
    /// Opens or creates the store.
    ///
    /// # Errors
    /// sled's error; the caller removes the directory and opens again.
    pub fn open(dir: &Path) -> Result<View, ViewError> {
        // One process holds the journal's lock, so nobody else is here. Small cache: indexes only.
        // sled leaves to others what the umask leaves them; behind this door nobody else comes.
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .and_then(|()| std::fs::set_permissions(dir, PermissionsExt::from_mode(0o700)))
            .map_err(|e| ViewError(e.to_string()))?;
        let db = sled::Config::new()
            .path(dir)
            .cache_capacity(16 << 20)
            .flush_every_ms(Some(1000))
            .open()?;
        let tree = |name: &str| db.open_tree(name).map(Tree::Disk);
        Ok(View {
            meta: tree("meta")?,
            subject: tree("subject")?,
            voided: tree("voided")?,
            same: tree("same")?,
            person: tree("person")?,
            confirmed: tree("confirmed")?,
            db: Some(db),
        })
    }

    /// An empty one that lives in memory and ends with the process.
    pub fn in_memory() -> View {
        let tree = || Tree::Memory(RwLock::default());
        View {
            db: None,
            meta: tree(),
            subject: tree(),
            voided: tree(),
            same: tree(),
            person: tree(),
            confirmed: tree(),
        }
    }

    /// Whether it lives in memory.
    pub fn is_in_memory(&self) -> bool {
        self.db.is_none()
    }

    /// The last journal entry applied and its checksum.
    ///
    /// # Errors
    /// A damaged store.
    pub fn applied(&self) -> Result<Option<(u64, u32)>, ViewError> {
        let Some(bytes) = self.meta.get(APPLIED)? else {
            return Ok(None);
        };
        let (seq, crc) = bytes
            .split_at_checked(8)
            .ok_or_else(|| ViewError("short watermark".into()))?;
        let crc: [u8; 4] = crc
            .try_into()
            .map_err(|_| ViewError("short watermark".into()))?;
        Ok(Some((number(seq)?, u32::from_be_bytes(crc))))
    }

    /// Marks an entry as applied.
    ///
    /// # Errors
    /// A damaged store.
    pub fn mark(&self, seq: u64, crc: u32) -> Result<(), ViewError> {
        let mut value = seq.to_be_bytes().to_vec();
        value.extend(crc.to_be_bytes());
        self.meta.insert(APPLIED, &value)
    }

    /// Takes the mark away: what is added from now on may never reach the journal. Until the next
    /// mark, whoever opens this store must rebuild it.
    ///
    /// # Errors
    /// A damaged store.
    pub fn unmark(&self) -> Result<(), ViewError> {
        self.meta.remove(APPLIED)
    }

    /// Adds statements. Doing it again changes nothing.
    ///
    /// # Errors
    /// A damaged store.
    pub fn add(&self, leaves: &[IndexedStatement]) -> Result<(), ViewError> {
        for l in leaves {
            let index = l.index.to_be_bytes();
            match (&l.subject, &l.same) {
                (Some(subject), same) => {
                    let mut key = [0; PSEUDONYM_BYTES + 8];
                    key[..PSEUDONYM_BYTES].copy_from_slice(&subject.to_bytes());
                    key[PSEUDONYM_BYTES..].copy_from_slice(&index);
                    self.subject
                        .insert(&key, same.as_ref().map_or(&[], |same| same))?;
                }
                (None, Some(same)) => self.same.insert(same, &index)?,
                (None, None) => {}
            }
            if let Some(target) = l.voids {
                self.voided.insert(&target.to_be_bytes(), &index)?;
            }
            match &l.number {
                Some(NumberFact::SamePerson { number, file }) => {
                    let key = [&number.to_bytes()[..], &index].concat();
                    self.person.insert(&key, &file.to_bytes())?;
                }
                Some(NumberFact::Confirmed { number, by }) => {
                    let key = [&number.to_bytes()[..], &index].concat();
                    self.confirmed.insert(&key, by.as_bytes())?;
                }
                None => {}
            }
        }
        Ok(())
    }

    /// The statement that takes this one back.
    ///
    /// # Errors
    /// A damaged store.
    pub fn voided_by(&self, index: u64) -> Result<Option<u64>, ViewError> {
        self.voided
            .get(&index.to_be_bytes())?
            .map(|b| number(&b))
            .transpose()
    }

    /// The statement about no subject that says exactly the same, unless it was taken back.
    ///
    /// # Errors
    /// A damaged store.
    pub fn repeated(&self, same: &ContentHash) -> Result<Option<u64>, ViewError> {
        let Some(index) = self.same.get(same)?.map(|b| number(&b)).transpose()? else {
            return Ok(None);
        };
        Ok(if self.voided_by(index)?.is_some() {
            None
        } else {
            Some(index)
        })
    }

    /// The statements about a subject, in order: their log indexes, and what they say as far as
    /// they may not be repeated.
    ///
    /// # Errors
    /// A damaged store.
    pub fn of_subject(
        &self,
        subject: Pseudonym,
    ) -> Result<Vec<(u64, Option<ContentHash>)>, ViewError> {
        let mut all = Vec::new();
        self.subject.scan(&subject.to_bytes(), |key, said| {
            let wrong = |_| ViewError("an index entry has another length".into());
            let same = if said.is_empty() {
                None
            } else {
                Some(said.try_into().map_err(wrong)?)
            };
            all.push((number_behind(key, PSEUDONYM_BYTES)?, same));
            Ok(())
        })?;
        Ok(all)
    }

    /// The files that a person's number was said to belong to, with the statements that say so, in
    /// order; statements that were taken back are among them.
    ///
    /// # Errors
    /// A damaged store.
    pub fn files_of(&self, number: Pseudonym) -> Result<Vec<(u64, Pseudonym)>, ViewError> {
        let mut all = Vec::new();
        self.person.scan(&number.to_bytes(), |key, file| {
            let index = number_behind(key, PSEUDONYM_BYTES)?;
            all.push((index, pseudonym(file)?));
            Ok(())
        })?;
        Ok(all)
    }

    /// Who confirmed a number as it stands, with the statements that say so, in order; statements
    /// that were taken back are among them.
    ///
    /// # Errors
    /// A damaged store.
    pub fn confirmed_by(&self, number: ConfirmedNumber) -> Result<Vec<(u64, String)>, ViewError> {
        let mut all = Vec::new();
        self.confirmed.scan(&number.to_bytes(), |key, by| {
            let by = std::str::from_utf8(by).map_err(|e| ViewError(e.to_string()))?;
            all.push((number_behind(key, NUMBER_BYTES)?, by.to_string()));
            Ok(())
        })?;
        Ok(all)
    }

    /// Every subject, each once.
    ///
    /// # Errors
    /// A damaged store.
    pub fn subjects(&self) -> Result<Vec<Pseudonym>, ViewError> {
        let mut all: Vec<Pseudonym> = Vec::new();
        self.subject.scan(&[], |key, _| {
            let subject = pseudonym(key.get(..PSEUDONYM_BYTES).unwrap_or_default())?;
            if all.last() != Some(&subject) {
                all.push(subject);
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// A damaged store.
    pub fn clear(&self) -> Result<(), ViewError> {
        for tree in [
            &self.meta,
            &self.subject,
            &self.voided,
            &self.same,
            &self.person,
            &self.confirmed,
        ] {
            tree.clear()?;
        }
        Ok(())
    }

    /// Hands what is buffered to the operating system.
    pub fn flush(&self) {
        // A failed flush costs a rebuild, nothing else.
        if let Some(Err(e)) = self.db.as_ref().map(|db| db.flush()) {
            tracing::warn!(error = %e, "view could not be flushed; it will be rebuilt");
        }
    }
}
