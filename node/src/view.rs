//! The view: indexes over the journal, in sled. Delete it, start the node, and everything comes back to the byte.
//!
//! It holds what would be too much for memory and too slow to look for: which statements are about a subject, which one says
//! the same, and what was taken back by what.
//!
//! sled 0.34's `flush()` does not fsync on Linux, and stores damaged by abrupt stops are still reported; so nothing here
//! is trusted. The view names the journal entry that it has applied last, with a checksum of it; a view that is missing,
//! behind, ahead, of another journal or damaged is rebuilt.
//!
//! Keys are big-endian so that ranges are in order. Personal data never gets here: subjects are pseudonyms, keyed with a
//! secret of this node.

use std::path::Path;

/// A pseudonym of a subject: kind and 16 bytes of a keyed hash.
pub type Token = [u8; 17];

/// Why the view cannot be used. The cure is always the same: it is rebuilt.
#[derive(Debug, thiserror::Error)]
#[error("view: {0} [view.damaged]")]
pub struct ViewError(String);

impl From<sled::Error> for ViewError {
    fn from(e: sled::Error) -> Self {
        ViewError(e.to_string())
    }
}

/// What one statement adds to the indexes.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// Log index.
    pub index: u64,
    /// Whom it is about.
    pub subject: Option<Token>,
    /// Keyed hash of type, day and fields: tells a repetition.
    pub same: Option<[u8; 16]>,
    /// The statement that it takes back.
    pub voids: Option<u64>,
}

/// The indexes.
#[derive(Debug)]
pub struct View {
    db: sled::Db,
    meta: sled::Tree,
    subject: sled::Tree,
    voided: sled::Tree,
    same: sled::Tree,
}

fn number(bytes: &[u8]) -> Result<u64, ViewError> {
    let bytes: [u8; 8] = bytes.try_into().map_err(|_| ViewError("an index entry has another length".into()))?;
    Ok(u64::from_be_bytes(bytes))
}

impl View {
    /// Opens or creates the store.
    ///
    /// # Errors
    /// sled's error; the caller removes the directory and opens again.
    pub fn open(dir: &Path) -> Result<View, ViewError> {
        // One process holds the journal's lock, so nobody else is here. Small cache: indexes only.
        let db = sled::Config::new().path(dir).cache_capacity(16 << 20).flush_every_ms(Some(1000)).open()?;
        Ok(View {
            meta: db.open_tree("meta")?,
            subject: db.open_tree("subject")?,
            voided: db.open_tree("voided")?,
            same: db.open_tree("same")?,
            db,
        })
    }

    /// The last journal entry applied and its checksum.
    ///
    /// # Errors
    /// A damaged store.
    pub fn applied(&self) -> Result<Option<(u64, u32)>, ViewError> {
        let Some(bytes) = self.meta.get("applied")? else { return Ok(None) };
        let (seq, crc) = bytes.split_at_checked(8).ok_or_else(|| ViewError("short watermark".into()))?;
        let crc: [u8; 4] = crc.try_into().map_err(|_| ViewError("short watermark".into()))?;
        Ok(Some((number(seq)?, u32::from_be_bytes(crc))))
    }

    /// Marks an entry as applied.
    ///
    /// # Errors
    /// A damaged store.
    pub fn mark(&self, seq: u64, crc: u32) -> Result<(), ViewError> {
        let mut value = seq.to_be_bytes().to_vec();
        value.extend(crc.to_be_bytes());
        self.meta.insert("applied", value)?;
        Ok(())
    }

    /// Takes the mark away: what is added from now on may never reach the journal. Until the next mark, whoever opens this
    /// store must rebuild it.
    ///
    /// # Errors
    /// A damaged store.
    pub fn unmark(&self) -> Result<(), ViewError> {
        self.meta.remove("applied")?;
        Ok(())
    }

    /// Adds statements. Doing it again changes nothing.
    ///
    /// # Errors
    /// A damaged store.
    pub fn add(&self, leaves: &[Leaf]) -> Result<(), ViewError> {
        for l in leaves {
            let index = l.index.to_be_bytes();
            if let Some(token) = l.subject {
                let mut key = token.to_vec();
                key.extend(index);
                self.subject.insert(key, &[])?;
            }
            if let Some(same) = l.same {
                self.same.insert(same, &index)?;
            }
            if let Some(target) = l.voids {
                self.voided.insert(target.to_be_bytes(), &index)?;
            }
        }
        Ok(())
    }

    /// The statement that takes this one back.
    ///
    /// # Errors
    /// A damaged store.
    pub fn voided_by(&self, index: u64) -> Result<Option<u64>, ViewError> {
        self.voided.get(index.to_be_bytes())?.map(|b| number(&b)).transpose()
    }

    /// The statement that says exactly the same, unless it was taken back.
    ///
    /// # Errors
    /// A damaged store.
    pub fn repeated(&self, same: &[u8; 16]) -> Result<Option<u64>, ViewError> {
        let Some(index) = self.same.get(same)?.map(|b| number(&b)).transpose()? else { return Ok(None) };
        Ok(if self.voided_by(index)?.is_some() { None } else { Some(index) })
    }

    /// Log indexes about a subject, in order.
    ///
    /// # Errors
    /// A damaged store.
    pub fn of_subject(&self, token: &Token) -> Result<Vec<u64>, ViewError> {
        self.subject.scan_prefix(token).keys().map(|k| number(k?.get(17..).unwrap_or_default())).collect()
    }

    /// Every subject, each once.
    ///
    /// # Errors
    /// A damaged store.
    pub fn subjects(&self) -> Result<Vec<Token>, ViewError> {
        let mut all: Vec<Token> = Vec::new();
        for key in self.subject.iter().keys() {
            let key = key?;
            let token: Token = key.get(..17).and_then(|t| t.try_into().ok()).ok_or_else(|| ViewError("short subject key".into()))?;
            if all.last() != Some(&token) {
                all.push(token);
            }
        }
        Ok(all)
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// A damaged store.
    pub fn clear(&self) -> Result<(), ViewError> {
        for tree in [&self.meta, &self.subject, &self.voided, &self.same] {
            tree.clear()?;
        }
        Ok(())
    }

    /// Hands what is buffered to the operating system.
    pub fn flush(&self) {
        // A failed flush costs a rebuild, nothing else.
        if let Err(e) = self.db.flush() {
            tracing::warn!(error = %e, "view could not be flushed; it will be rebuilt");
        }
    }
}
