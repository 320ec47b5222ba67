//! Entries on their way to the tiers above: a run of a log's entries that proves its own place.
//!
//! ```text
//! length of the note (2 bytes, big-endian) · the log's checkpoint, a note
//! number of hashes (1 byte) · the hashes (32 bytes each): what `root_of_range` needs
//! entry bundle (see `tile`)
//! ```
//!
//! *Reason*: a carrier can put any bytes under any index. What is read here has exactly this place
//! in the log that the checkpoint is of; so whoever signed the checkpoint answers for every byte of
//! it, and nobody is blamed for what a carrier put together.
//!
//! The index of the first entry stands outside (in the message's subject): a wrong one leads to
//! another root.

use super::checkpoint::{Checkpoint, CheckpointError};
use super::tile::{self, TileError};
use super::tree::{Hash, ProofError, Tree, leaf_hash, root_of_range};
use crate::note::{Note, NoteError};

/// Why bytes are not a delivery.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// It ends before its bundle.
    #[error("the delivery was cut off: ask for it again")]
    Truncated,
    /// The note with the checkpoint cannot be read or is too long.
    #[error("the delivery's note: {0}")]
    Note(#[from] NoteError),
    /// The note is no checkpoint.
    #[error("the delivery's checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The bundle cannot be read.
    #[error("the delivery's entries: {0}")]
    Bundle(#[from] TileError),
    /// These entries cannot have this place in a tree of this size.
    #[error("the delivery's proof: {0}")]
    Proof(#[from] ProofError),
    /// They do not stand at this place in the log that the checkpoint is of.
    #[error(
        "the entries do not stand at index {first} of the log of the checkpoint: they were changed or moved on their way"
    )]
    Place {
        /// The index that was claimed.
        first: u64,
    },
}

impl DeliveryError {
    /// The error's stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Truncated => "delivery.truncated",
            Self::Note(_) => "delivery.note",
            Self::Checkpoint(_) => "delivery.checkpoint",
            Self::Bundle(_) => "delivery.bundle",
            Self::Proof(_) => "delivery.proof",
            Self::Place { .. } => "delivery.place",
        }
    }
}

/// A delivery of which nothing is proven yet: to look cheaply whether it is worth it.
#[derive(Debug)]
pub struct Claimed<'a> {
    note: Note,
    checkpoint: Checkpoint,
    proof: &'a [Hash],
    bundle: &'a [u8],
}

impl<'a> Claimed<'a> {
    /// Reads the note alone.
    ///
    /// # Errors
    /// Bytes of another form, as far as this can be seen from the note and the lengths.
    pub fn open(bytes: &'a [u8]) -> Result<Claimed<'a>, DeliveryError> {
        let Parts {
            note,
            proof,
            bundle,
        } = parts(bytes)?;
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(Claimed {
            note,
            checkpoint,
            proof,
            bundle,
        })
    }

    /// The signed head of the log that the entries are said to stand in.
    pub fn note(&self) -> &Note {
        &self.note
    }
    /// The same, read.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Reads the entries, the first of which is said to have this index, and proves it.
    ///
    /// # Errors
    /// No entries, or others than stand there.
    pub fn prove(self, first: u64) -> Result<Delivery, DeliveryError> {
        let entries = tile::decode_bundle(self.bundle)?;
        let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        if root_of_range(first, &leaves, self.checkpoint.size(), self.proof)?
            != self.checkpoint.root()
        {
            return Err(DeliveryError::Place { first });
        }
        Ok(Delivery {
            first,
            note: self.note,
            checkpoint: self.checkpoint,
            entries,
        })
    }
}

/// Entries that stand from `first` on in the log of this checkpoint. Whether the checkpoint is
/// signed is the reader's question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    first: u64,
    note: Note,
    checkpoint: Checkpoint,
    entries: Vec<Vec<u8>>,
}

impl Delivery {
    /// The bytes for entries of the tree that stand from `first` on, under a checkpoint of the same
    /// log that is not smaller.
    ///
    /// # Errors
    /// Entries that the tree does not hold there, or another tree than the checkpoint's; too many
    /// or too long ones.
    pub fn write(
        first: u64,
        entries: &[&[u8]],
        checkpoint: &Note,
        tree: &Tree,
    ) -> Result<Vec<u8>, DeliveryError> {
        let size = Checkpoint::parse(checkpoint.text())?.size();
        let end = first.saturating_add(entries.len() as u64);
        let proof = tree
            .range_proof(first, end, size)
            .ok_or(DeliveryError::Proof(ProofError::Index { index: end, size }))?;
        let note = checkpoint.as_bytes();
        let length =
            u16::try_from(note.len()).map_err(|_| NoteError::TooLarge { found: note.len() })?;
        // At most two on each of 63 levels.
        let hashes = u8::try_from(proof.len()).unwrap_or(u8::MAX);
        let bytes = [
            &length.to_be_bytes()[..],
            note,
            &[hashes],
            proof.as_flattened(),
            &tile::encode_bundle(entries)?,
        ]
        .concat();
        Delivery::read(first, &bytes)?;
        Ok(bytes)
    }

    /// Reads a delivery whose first entry is said to have this index, and proves it.
    ///
    /// # Errors
    /// Bytes of another form, or entries that do not stand there.
    pub fn read(first: u64, bytes: &[u8]) -> Result<Delivery, DeliveryError> {
        Claimed::open(bytes)?.prove(first)
    }

    /// The entries of a delivery that was read before: what it proves is not proved again.
    ///
    /// # Errors
    /// Bytes of another form.
    pub fn reopen(bytes: &[u8]) -> Result<Vec<Vec<u8>>, DeliveryError> {
        Ok(tile::decode_bundle(parts(bytes)?.bundle)?)
    }

    /// Index of the first entry.
    pub fn first(&self) -> u64 {
        self.first
    }
    /// The signed head of the log that they stand in.
    pub fn note(&self) -> &Note {
        &self.note
    }
    /// The same, read.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
    /// The entries, in order.
    pub fn entries(&self) -> &[Vec<u8>] {
        &self.entries
    }
}

struct Parts<'a> {
    note: &'a [u8],
    proof: &'a [Hash],
    bundle: &'a [u8],
}

fn parts(bytes: &[u8]) -> Result<Parts<'_>, DeliveryError> {
    let cut = DeliveryError::Truncated;
    let (length, rest) = bytes.split_first_chunk::<2>().ok_or(cut.clone())?;
    let (note, rest) = rest
        .split_at_checked(u16::from_be_bytes(*length).into())
        .ok_or(cut.clone())?;
    let (count, rest) = rest.split_first().ok_or(cut.clone())?;
    let (proof, bundle) = rest.split_at_checked(usize::from(*count) * 32).ok_or(cut)?;
    Ok(Parts {
        note,
        proof: proof.as_chunks::<32>().0,
        bundle,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::log::checkpoint::origin_of;
    use crate::note::{Alg, SigningKey};
    use proptest::prelude::*;

    fn log(size: u8) -> (Vec<Vec<u8>>, Tree) {
        let entries: Vec<Vec<u8>> = (0..size)
            .map(|n| vec![b'a' + n % 26; usize::from(n) + 1])
            .collect();
        let tree = entries.iter().map(|e| leaf_hash(e)).collect();
        (entries, tree)
    }

    fn checkpoint(tree: &Tree, size: u64) -> Note {
        let key = SigningKey::from_seed("999999", Alg::Ed25519, [1; 32]).unwrap();
        Checkpoint::new(
            &origin_of(&"999999".parse().unwrap()),
            size,
            tree.root_at(size).unwrap(),
        )
        .unwrap()
        .sign(&key)
        .unwrap()
    }

    fn written(entries: &[Vec<u8>], tree: &Tree, first: usize, end: usize, size: u64) -> Vec<u8> {
        let slices: Vec<&[u8]> = entries[first..end].iter().map(Vec::as_slice).collect();
        Delivery::write(first as u64, &slices, &checkpoint(tree, size), tree).unwrap()
    }

    /// The bytes were put together from the table above with Python's hashlib and libsodium.
    #[test]
    fn known_answer() {
        let (entries, tree) = log(7);
        let bytes = written(&entries, &tree, 2, 5, 6);
        assert_eq!(
            Digest::of(&bytes).to_string(),
            "sha256:15040d772f5822279524cda15cd848979c322bfcbcefff35f120ef03679960fc"
        );
    }

    #[test]
    fn what_is_moved_changed_or_put_together_is_refused() {
        let (entries, tree) = log(9);
        let bytes = written(&entries, &tree, 3, 6, 9);
        let read = Delivery::read(3, &bytes).unwrap();
        assert_eq!(
            (read.first(), read.entries(), read.checkpoint().size()),
            (3, &entries[3..6], 9)
        );
        assert_eq!(read.note(), &checkpoint(&tree, 9));
        assert_eq!(Delivery::reopen(&bytes).unwrap(), entries[3..6]);
        for first in (0..12).chain([u64::MAX]).filter(|first| *first != 3) {
            assert!(Delivery::read(first, &bytes).is_err(), "{first}");
        }
        let Parts { note, proof, .. } = parts(&bytes).unwrap();
        let with = |entries: &[Vec<u8>]| {
            let bundle =
                tile::encode_bundle(&entries.iter().map(Vec::as_slice).collect::<Vec<_>>())
                    .unwrap();
            let length = u16::try_from(note.len()).unwrap().to_be_bytes();
            Delivery::read(
                3,
                &[
                    &length[..],
                    note,
                    &[u8::try_from(proof.len()).unwrap()],
                    proof.as_flattened(),
                    &bundle,
                ]
                .concat(),
            )
        };
        assert!(with(&entries[3..6]).is_ok());
        let swapped = [entries[4].clone(), entries[3].clone(), entries[5].clone()];
        assert_eq!(with(&swapped).unwrap_err().code(), "delivery.place");
        assert_eq!(with(&entries[2..5]).unwrap_err().code(), "delivery.place");
        assert_eq!(with(&entries[3..5]).unwrap_err().code(), "delivery.proof");
        assert_eq!(with(&entries[3..7]).unwrap_err().code(), "delivery.place");
        // Not of this tree, not of this size, nothing.
        let slices: Vec<&[u8]> = entries[3..6].iter().map(Vec::as_slice).collect();
        assert!(Delivery::write(2, &slices, &checkpoint(&tree, 9), &tree).is_err());
        assert!(Delivery::write(3, &slices, &checkpoint(&tree, 5), &tree).is_err());
        assert!(Delivery::write(3, &[], &checkpoint(&tree, 9), &tree).is_err());
        for end in 0..bytes.len() {
            assert!(Delivery::read(3, &bytes[..end]).is_err(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn every_run_of_a_log_is_delivered(size in 1_u8..60, first in any::<prop::sample::Index>(), end in any::<prop::sample::Index>()) {
            let (entries, tree) = log(size);
            let (a, b) = (first.index(size.into()), end.index(size.into()));
            let (first, end) = (a.min(b), a.max(b) + 1);
            let bytes = written(&entries, &tree, first, end, size.into());
            let read = Delivery::read(first as u64, &bytes).unwrap();
            prop_assert_eq!(read.entries(), &entries[first..end]);
        }

        #[test]
        fn no_changed_byte_is_read_as_the_same_entries(at in any::<prop::sample::Index>(), by in 1_u8..) {
            let (entries, tree) = log(9);
            let mut bytes = written(&entries, &tree, 3, 6, 9);
            let note = 2 + checkpoint(&tree, 9).as_bytes().len();
            let at = at.index(bytes.len());
            bytes[at] ^= by;
            if let Ok(read) = Delivery::read(3, &bytes) {
                // What is left free is the note's signature line, which the reader checks.
                prop_assert!(at < note && read.note() != &checkpoint(&tree, 9));
                prop_assert_eq!(read.entries(), &entries[3..6]);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(first in any::<u64>(), bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (Delivery::read(first, &bytes), Delivery::reopen(&bytes));
        }
    }
}
