//! What is appended and what is read back.

/// What is appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is; the journal does not care.
    pub kind: u8,
    /// The part that may travel up and that stays for ever.
    pub public: Vec<u8>,
    /// The private part, already encrypted (see `vault`); it can be erased.
    pub sealed: Option<Vec<u8>>,
}

impl Entry {
    /// How it reads back under this sequence number.
    pub fn stored(self, seq: u64) -> Stored {
        Stored {
            seq,
            kind: self.kind,
            public: self.public,
            sealed: self.sealed.map_or(Sealed::None, Sealed::Present),
        }
    }

    /// The bytes that it takes in a batch, at most.
    pub fn size(&self) -> usize {
        self.public.len() + self.sealed.as_ref().map_or(0, Vec::len) + 64
    }

    /// Tells one entry from another where both stand under one sequence number.
    pub fn checksum(&self) -> u32 {
        crc32fast::hash(&self.public)
    }
}

/// The private part of a stored entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealed {
    /// It never had one.
    None,
    /// As it was appended.
    Present(Vec<u8>),
    /// It had one, which was erased.
    Erased,
}

/// What is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its sequence number, from 0.
    pub seq: u64,
    /// As appended.
    pub kind: u8,
    /// As appended.
    pub public: Vec<u8>,
    /// As appended, or erased.
    pub sealed: Sealed,
}

impl Stored {
    /// The same as [`Entry::checksum`].
    pub fn checksum(&self) -> u32 {
        crc32fast::hash(&self.public)
    }

    /// The entry as it was appended; what was erased is not there any more.
    pub fn into_entry(self) -> Entry {
        let sealed = if let Sealed::Present(sealed) = self.sealed {
            Some(sealed)
        } else {
            None
        };
        Entry {
            kind: self.kind,
            public: self.public,
            sealed,
        }
    }
}
