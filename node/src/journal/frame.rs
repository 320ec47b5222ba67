//! The bytes of a batch: the unit that survives a crash whole or not at all.
//!
//! All integers are little-endian. A batch is a head of 36 bytes and a body:
//!
//! | bytes | batch head |
//! |---|---|
//! | 0..8 | the segment's salt |
//! | 8..16 | sequence number of the first entry |
//! | 16..20 | number of entries, at least 1 |
//! | 20..24 | length of the body |
//! | 24..28 | link: the CRC at 32..36 of the batch before this one (0 before the first) |
//! | 28..32 | CRC-32 over all entry heads of the body, one after the other |
//! | 32..36 | CRC-32 over 0..32 |
//!
//! The body is the entries, each a head of 32 bytes, the public part, and, if flagged, one mark
//! byte and the sealed part:
//!
//! | bytes | entry head |
//! |---|---|
//! | 0..8 | sequence number |
//! | 8 | kind |
//! | 9 | 1 if a mark and a sealed part follow, else 0 |
//! | 10..12 | 0 |
//! | 12..16, 16..20 | lengths of the public and the sealed part |
//! | 20..24, 24..28 | CRC-32 of the public and the sealed part |
//! | 28..32 | CRC-32 over 0..28 |
//!
//! Two things about it are unusual, and on purpose. The *salt* (random, per segment, never leaves
//! the disk) opens every batch, so that no document which somebody sent us can contain bytes that
//! look like a batch of ours: otherwise a torn batch that carries such a document would be taken
//! for damage in the middle. And the *mark* with the sealed part behind it is covered by no CRC but
//! the sealed part's own, which counts only while the mark says [`LIVE`]: so it can be blanked in
//! place, years later.
//!
//! The CRCs find accidents. Tampering is found by the Merkle log over the public parts and by the
//! AEAD of the sealed ones.

use super::{
    entry::Entry,
    error::JournalError,
    limits::{MAX_BATCH_BYTES, MAX_PART_BYTES},
};

/// Length of a batch head.
pub const BATCH_HEAD: usize = 36;
/// Length of an entry head.
pub const ENTRY_HEAD: usize = 32;
/// The sealed part is there. All eight bits differ from [`ERASED`]: rot of a few bits gives
/// neither.
pub const LIVE: u8 = 0xA5;
/// The sealed part is erased, or is being erased: its bytes mean nothing.
pub const ERASED: u8 = 0x5A;

/// Why bytes are not a batch or an entry.
pub type Flaw = &'static str;

/// A batch ready to be written.
pub struct Batch {
    /// Head and body.
    pub bytes: Vec<u8>,
    /// Where each entry begins, from the start of the batch.
    pub entries: Vec<u32>,
    /// What the next batch links to.
    pub crc: u32,
}

/// Lays out a batch, or says what is too large.
pub fn encode(
    salt: [u8; 8],
    first: u64,
    link: u32,
    batch: &[Entry],
) -> Result<Batch, JournalError> {
    let mut body_len = 0u64;
    for entry in batch {
        let sealed = entry.sealed.as_ref().map_or(0, Vec::len);
        for (what, len) in [
            ("the public part of an entry", entry.public.len()),
            ("the sealed part of an entry", sealed),
        ] {
            if len > MAX_PART_BYTES {
                return Err(JournalError::TooLarge {
                    what,
                    bytes: len as u64,
                    limit: MAX_PART_BYTES as u64,
                });
            }
        }
        body_len +=
            (ENTRY_HEAD + entry.public.len() + sealed) as u64 + u64::from(entry.sealed.is_some());
    }
    if body_len > MAX_BATCH_BYTES as u64 {
        return Err(JournalError::TooLarge {
            what: "a batch",
            bytes: body_len,
            limit: MAX_BATCH_BYTES as u64,
        });
    }

    // From here on no length exceeds MAX_BATCH_BYTES, which fits u32 (see `limits`): the casts lose
    // nothing.
    let mut bytes = Vec::with_capacity(BATCH_HEAD + body_len as usize);
    bytes.resize(BATCH_HEAD, 0);
    let mut entries = Vec::with_capacity(batch.len());
    let mut heads = crc32fast::Hasher::new();
    for (seq, entry) in (first..).zip(batch) {
        entries.push(bytes.len() as u32);
        let sealed = entry.sealed.as_deref();
        let mut head = [0; ENTRY_HEAD];
        head[0..8].copy_from_slice(&seq.to_le_bytes());
        head[8] = entry.kind;
        head[9] = u8::from(sealed.is_some());
        head[12..16].copy_from_slice(&(entry.public.len() as u32).to_le_bytes());
        head[16..20].copy_from_slice(&(sealed.map_or(0, <[u8]>::len) as u32).to_le_bytes());
        head[20..24].copy_from_slice(&crc32fast::hash(&entry.public).to_le_bytes());
        head[24..28].copy_from_slice(&sealed.map_or(0, crc32fast::hash).to_le_bytes());
        let crc = crc32fast::hash(&head[..28]);
        head[28..32].copy_from_slice(&crc.to_le_bytes());
        heads.update(&head);
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(&entry.public);
        if let Some(sealed) = sealed {
            bytes.push(LIVE);
            bytes.extend_from_slice(sealed);
        }
    }

    bytes[0..8].copy_from_slice(&salt);
    bytes[8..16].copy_from_slice(&first.to_le_bytes());
    bytes[16..20].copy_from_slice(&(batch.len() as u32).to_le_bytes());
    bytes[20..24].copy_from_slice(&(body_len as u32).to_le_bytes());
    bytes[24..28].copy_from_slice(&link.to_le_bytes());
    bytes[28..32].copy_from_slice(&heads.finalize().to_le_bytes());
    let crc = crc32fast::hash(&bytes[..32]);
    bytes[32..36].copy_from_slice(&crc.to_le_bytes());
    Ok(Batch {
        bytes,
        entries,
        crc,
    })
}

/// A batch head whose own CRC holds.
#[derive(Debug, Clone, Copy)]
pub struct BatchHead {
    /// Sequence number of its first entry.
    pub first: u64,
    /// Number of entries.
    pub count: u32,
    /// Length of the body; at most [`MAX_BATCH_BYTES`].
    pub body_len: u32,
    /// The CRC of the batch before.
    pub link: u32,
    /// Its own CRC, which the next batch links to.
    pub crc: u32,
    heads_crc: u32,
}

impl BatchHead {
    /// Reads a batch head.
    pub fn decode(bytes: &[u8; BATCH_HEAD], salt: [u8; 8]) -> Result<Self, Flaw> {
        if bytes[..8] != salt {
            return Err("no batch begins here");
        }
        let crc = u32_at(bytes, 32);
        if crc32fast::hash(&bytes[..32]) != crc {
            return Err("the head of the batch fails its CRC");
        }
        let head = Self {
            first: u64_at(bytes, 8),
            count: u32_at(bytes, 16),
            body_len: u32_at(bytes, 20),
            link: u32_at(bytes, 24),
            heads_crc: u32_at(bytes, 28),
            crc,
        };
        if head.count == 0 || head.body_len as usize > MAX_BATCH_BYTES {
            return Err("the head of the batch breaks the limits");
        }
        Ok(head)
    }
}

/// An entry found in the body of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Placed {
    /// Where its head begins, from the start of the body.
    pub at: u32,
    /// Its sealed part is marked as erased.
    pub erased: bool,
    /// It is marked as erased, but its bytes are not blank yet: a crash came between.
    pub unfinished: bool,
}

/// Checks everything in the body of a batch, sealed parts included.
pub fn decode_body(head: &BatchHead, body: &[u8]) -> Result<Vec<Placed>, Flaw> {
    let mut placed = Vec::new();
    let mut heads = crc32fast::Hasher::new();
    let mut at = 0usize;
    for n in 0..u64::from(head.count) {
        let rest = &body[at..];
        let bytes = rest
            .first_chunk::<ENTRY_HEAD>()
            .ok_or("the batch ends inside the head of an entry")?;
        let entry = EntryHead::decode(bytes)?;
        if Some(entry.seq) != head.first.checked_add(n) {
            return Err("an entry has the wrong sequence number");
        }
        heads.update(bytes);
        let len = entry.len();
        let parts = rest
            .get(ENTRY_HEAD..len)
            .ok_or("the batch ends inside an entry")?;
        let (_, sealed) = entry.parts(parts)?;
        let erased = matches!(sealed, Some((ERASED, _)));
        let unfinished =
            erased && sealed.is_some_and(|(_, bytes)| bytes.iter().any(|byte| *byte != 0));
        // The body is at most MAX_BATCH_BYTES long, which fits u32.
        placed.push(Placed {
            at: at as u32,
            erased,
            unfinished,
        });
        at += len;
    }
    if at != body.len() {
        return Err("the batch is longer than its entries");
    }
    if heads.finalize() != head.heads_crc {
        return Err("the entry heads fail the CRC of the batch");
    }
    Ok(placed)
}

/// An entry head whose own CRC holds.
#[derive(Debug, Clone, Copy)]
pub struct EntryHead {
    /// Sequence number.
    pub seq: u64,
    /// Kind.
    pub kind: u8,
    /// Whether a mark and a sealed part follow the public part.
    pub has_sealed: bool,
    /// Length of the public part.
    pub public_len: u32,
    /// Length of the sealed part, without its mark.
    pub sealed_len: u32,
    public_crc: u32,
    sealed_crc: u32,
}

impl EntryHead {
    /// Reads an entry head.
    pub fn decode(bytes: &[u8; ENTRY_HEAD]) -> Result<Self, Flaw> {
        if crc32fast::hash(&bytes[..28]) != u32_at(bytes, 28) {
            return Err("the head of the entry fails its CRC");
        }
        let head = Self {
            seq: u64_at(bytes, 0),
            kind: bytes[8],
            has_sealed: bytes[9] == 1,
            public_len: u32_at(bytes, 12),
            sealed_len: u32_at(bytes, 16),
            public_crc: u32_at(bytes, 20),
            sealed_crc: u32_at(bytes, 24),
        };
        let longest = head.public_len.max(head.sealed_len) as usize;
        if bytes[9] > 1
            || bytes[10..12] != [0, 0]
            || longest > MAX_PART_BYTES
            || (!head.has_sealed && head.sealed_len > 0)
        {
            return Err("the head of the entry breaks the limits");
        }
        Ok(head)
    }

    /// Length of the whole entry, its head included. Two parts of at most MAX_PART_BYTES: no
    /// overflow.
    pub fn len(&self) -> usize {
        self.mark_at() + usize::from(self.has_sealed) + self.sealed_len as usize
    }

    /// Where the mark is, from the start of the entry (if it has a sealed part).
    pub fn mark_at(&self) -> usize {
        ENTRY_HEAD + self.public_len as usize
    }

    /// Splits what follows the head into the public part and mark + sealed part, and checks their
    /// CRCs.
    #[expect(clippy::type_complexity)]
    pub fn parts<'a>(&self, bytes: &'a [u8]) -> Result<(&'a [u8], Option<(u8, &'a [u8])>), Flaw> {
        let (public, rest) = bytes
            .split_at_checked(self.public_len as usize)
            .ok_or("the entry is cut short")?;
        if crc32fast::hash(public) != self.public_crc {
            return Err("the public part fails its CRC");
        }
        if !self.has_sealed {
            return Ok((public, None));
        }
        let (mark, sealed) = rest.split_first().ok_or("the entry is cut short")?;
        match *mark {
            ERASED => {}
            LIVE if crc32fast::hash(sealed) == self.sealed_crc => {}
            LIVE => return Err("the sealed part fails its CRC"),
            _ => return Err("the mark of the sealed part says neither live nor erased"),
        }
        Ok((public, Some((*mark, sealed))))
    }
}

/// The little-endian u32 at a position that the caller knows to be inside the array.
pub fn u32_at<const N: usize>(bytes: &[u8; N], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The little-endian u64 at a position that the caller knows to be inside the array.
pub fn u64_at<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | (u64::from(u32_at(bytes, at + 4)) << 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SALT: [u8; 8] = *b"saltsalt";

    fn decode(bytes: &[u8]) -> Result<Vec<Placed>, Flaw> {
        let head = BatchHead::decode(bytes.first_chunk().ok_or("short")?, SALT)?;
        let body = bytes
            .get(BATCH_HEAD..BATCH_HEAD + head.body_len as usize)
            .ok_or("short")?;
        decode_body(&head, body)
    }

    fn batch() -> Vec<Entry> {
        vec![
            Entry {
                kind: 1,
                public: b"public".to_vec(),
                sealed: Some(b"sealed".to_vec()),
            },
            Entry {
                kind: 255,
                public: vec![],
                sealed: None,
            },
            Entry {
                kind: 0,
                public: vec![7; 300],
                sealed: Some(vec![]),
            },
        ]
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let encoded = encode(SALT, 9, 3, &batch()).unwrap();
        assert_eq!(decode(&encoded.bytes).unwrap().len(), 3);
        for at in 0..encoded.bytes.len() {
            assert!(decode(&encoded.bytes[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut bytes = encoded.bytes.clone();
                bytes[at] ^= 1 << bit;
                assert!(decode(&bytes).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn an_erased_sealed_part_is_no_flaw_whatever_its_bytes_are() {
        let encoded = encode(SALT, 0, 0, &batch()).unwrap();
        let mark = BATCH_HEAD + ENTRY_HEAD + 6;
        let mut bytes = encoded.bytes;
        assert_eq!(bytes[mark], LIVE);
        bytes[mark] = ERASED;
        let placed = decode(&bytes).unwrap();
        assert!(placed[0].erased && placed[0].unfinished);
        bytes[mark + 1..mark + 7].fill(0);
        let placed = decode(&bytes).unwrap();
        assert!(placed[0].erased && !placed[0].unfinished);
    }

    #[test]
    fn too_large_is_refused() {
        let part = |len| Entry {
            kind: 0,
            public: vec![0; len],
            sealed: None,
        };
        assert!(matches!(
            encode(SALT, 0, 0, &[part(MAX_PART_BYTES + 1)]),
            Err(JournalError::TooLarge { .. })
        ));
        let many = vec![part(MAX_PART_BYTES), part(MAX_PART_BYTES), part(1)];
        assert!(matches!(
            encode(SALT, 0, 0, &many),
            Err(JournalError::TooLarge {
                what: "a batch",
                ..
            })
        ));
    }

    /// The format may not change by accident: journals outlive programs. The bytes were made by
    /// another program (Python, zlib.crc32).
    #[test]
    fn known_bytes() {
        let encoded = encode(
            SALT,
            258,
            0x01020304,
            &[Entry {
                kind: 7,
                public: b"ab".to_vec(),
                sealed: Some(b"c".to_vec()),
            }],
        )
        .unwrap();
        let hex: String = encoded
            .bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            hex,
            "73616c7473616c7402010000000000000100000024000000040302011cdf44211683141d\
             02010000000000000701000002000000010000006d48839e6fdfb906ba8dd834\
             6162a563"
        );
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(head in any::<[u8; BATCH_HEAD - 8]>(), body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = SALT.to_vec();
            bytes.extend(head);
            // A correct CRC on a hostile head, so that the decoder looks further.
            let crc = crc32fast::hash(&bytes[..32]);
            bytes[32..36].copy_from_slice(&crc.to_le_bytes());
            bytes.extend(body);
            let _ = decode(&bytes);
        }
    }
}
