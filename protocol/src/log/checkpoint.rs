//! Checkpoints: the signed head of a log (C2SP `tlog-checkpoint` v1.0.0), and cosignatures (C2SP
//! `tlog-cosignature`, `cosignature/v1`).
//!
//! ```text
//! countersign/140321
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — 140321 …                signed by the log: this is my tree, and never another of this size
//! — 14 …                    cosigned by a witness: at this time it was the largest tree that I had seen, and it extends the last
//! ```
//!
//! A cosignature line is 8 bytes of time (seconds since 1970, big-endian) and 64 bytes of Ed25519
//! over `cosignature/v1\ntime <seconds>\n` and the checkpoint's text.
//!
//! Not accepted here, though the specification allows them: extension lines (witnesses say nothing
//! about them).

use super::tree::{Hash, empty_root};
use crate::ids::UnitId;
use crate::note::{
    Alg, MAX_TIME, Note, NoteError, SigningKey, VerifierKey, check_name, split_cosignature,
};
use crate::text::b64;

/// Largest size of a tree: 2^63 - 1.
pub const MAX_SIZE: u64 = i64::MAX as u64;

/// What every log's origin begins with.
pub const ORIGIN_PREFIX: &str = "countersign/";

/// What is wrong with a checkpoint or a cosignature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not exactly three lines.
    #[error(
        "a checkpoint has exactly three lines (origin, size, root), each ending with a newline"
    )]
    Lines,
    /// Not an origin.
    #[error(
        "the first line is not an origin: it must be a name without spaces and `+`, such as countersign/140321"
    )]
    Origin,
    /// Not a size.
    #[error("the second line is not a size: write decimal digits without leading zero, below 2^63")]
    Size,
    /// Not a root.
    #[error("the third line is not a root: write 32 bytes in canonical base64")]
    Root,
    /// Size 0 with another root than the empty tree's.
    #[error("a checkpoint of size 0 must have the root of the empty tree")]
    Empty,
    /// Not a time.
    #[error("{time} is not a time of a cosignature: seconds since 1970, below 2^63")]
    Time {
        /// The number given.
        time: u64,
    },
    /// A key of another algorithm.
    #[error("the key of {name} is not for cosignatures: use its key of type 0x04")]
    Algorithm {
        /// The key's name.
        name: String,
    },
    /// The key has no line on the note.
    #[error("{name} has not cosigned this checkpoint")]
    Missing {
        /// The key's name.
        name: String,
    },
    /// The cosignature is wrong.
    #[error(
        "the cosignature of {name} is wrong: the checkpoint was changed, or was not cosigned by this key"
    )]
    Cosignature {
        /// The key's name.
        name: String,
    },
    /// The note could not be made.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl CheckpointError {
    /// The error's stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Lines => "checkpoint.lines",
            Self::Origin => "checkpoint.origin",
            Self::Size => "checkpoint.size",
            Self::Root => "checkpoint.root",
            Self::Empty => "checkpoint.empty",
            Self::Time { .. } => "checkpoint.time",
            Self::Algorithm { .. } => "checkpoint.algorithm",
            Self::Missing { .. } => "checkpoint.missing",
            Self::Cosignature { .. } => "checkpoint.cosignature",
            Self::Note(error) => error.code(),
        }
    }
}

/// The origin of a unit's log.
pub fn origin_of(unit: &UnitId) -> String {
    format!("{ORIGIN_PREFIX}{unit}")
}

/// The head of a log: which log, how many leaves, which root.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
}

impl Checkpoint {
    /// A checkpoint. The origin follows the rules of a signer name, the size is below 2^63, a log
    /// of size 0 has the empty root.
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        check_name(origin).map_err(|_| CheckpointError::Origin)?;
        if size > MAX_SIZE {
            return Err(CheckpointError::Size);
        }
        if size == 0 && root != empty_root() {
            return Err(CheckpointError::Empty);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }

    /// Reads a checkpoint's text: the text of its note.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let lines: Vec<&str> = text
            .strip_suffix('\n')
            .ok_or(CheckpointError::Lines)?
            .splitn(4, '\n')
            .collect();
        let [origin, size, root] = lines[..] else {
            return Err(CheckpointError::Lines);
        };
        let number: u64 = size.parse().map_err(|_| CheckpointError::Size)?;
        // `parse` takes a leading `+` and leading zeros.
        if number.to_string() != size {
            return Err(CheckpointError::Size);
        }
        let root = b64::decode(root)
            .and_then(|bytes| Hash::try_from(bytes).ok())
            .ok_or(CheckpointError::Root)?;
        Self::new(origin, number, root)
    }

    /// The text that is signed.
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            b64::encode(&self.root)
        )
    }

    /// Which log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// The note, signed by the log's Ed25519 key. Never sign two roots of one size: keep the last
    /// one durably, first.
    pub fn sign(&self, key: &SigningKey) -> Result<Note, CheckpointError> {
        Ok(Note::sign(&self.text(), &[key])?)
    }
}

/// A cosignature of a checkpoint's text: key id and blob of a signature line (see
/// [`Note::add_line`]). The caller has verified the log's signature and the consistency with the
/// last tree it saw, and has stored that it did.
pub fn cosign(
    checkpoint_text: &str,
    key: &SigningKey,
    time: u64,
) -> Result<([u8; 4], Vec<u8>), CheckpointError> {
    if key.alg() != Alg::CosignatureV1 {
        return Err(CheckpointError::Algorithm {
            name: key.name().to_owned(),
        });
    }
    if time >= MAX_TIME {
        return Err(CheckpointError::Time { time });
    }
    Checkpoint::parse(checkpoint_text)?;
    Ok((key.id(), key.cosignature_blob(time, checkpoint_text)))
}

/// The checkpoint's note with a cosignature more.
pub fn add_cosignature(note: &Note, key: &SigningKey, time: u64) -> Result<Note, CheckpointError> {
    let (key_id, blob) = cosign(note.text(), key, time)?;
    Ok(note.add_line(key.name(), key_id, &blob)?)
}

/// Checks that this key cosigned the checkpoint in this note, and returns when it says that it did
/// (seconds since 1970). As in [`Note::verify`], only the key's first line is looked at. The time
/// is the witness's word: evidence of freshness only.
pub fn verify_cosignature(note: &Note, key: &VerifierKey) -> Result<u64, CheckpointError> {
    let name = || key.name().to_owned();
    if key.alg() != Alg::CosignatureV1 {
        return Err(CheckpointError::Algorithm { name: name() });
    }
    Checkpoint::parse(note.text())?;
    let line = note
        .line_of(key)
        .ok_or_else(|| CheckpointError::Missing { name: name() })?;
    match split_cosignature(line.blob()) {
        Some((time, _)) if key.verifies(note.text().as_bytes(), line.blob()) => Ok(time),
        _ => Err(CheckpointError::Cosignature { name: name() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::tree::leaf_hash;
    use proptest::prelude::*;

    /// A checkpoint of a public test log with its witnesses' lines, published 2026-05-23.
    const REAL: &str = "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n\
        — arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=\n\
        — arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n\
        — transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==\n\
        — remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n";
    const REAL_LOG: &str = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
    const REAL_WITNESS: &str =
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";

    fn key(name: &str, alg: Alg) -> SigningKey {
        SigningKey::from_seed(name, alg, [3; 32]).unwrap()
    }

    fn code<T: std::fmt::Debug>(result: Result<T, CheckpointError>) -> &'static str {
        result.unwrap_err().code()
    }

    #[test]
    fn a_real_checkpoint_and_its_witness() {
        let note = Note::parse(REAL.as_bytes()).unwrap();
        let (log, witness): (VerifierKey, VerifierKey) =
            (REAL_LOG.parse().unwrap(), REAL_WITNESS.parse().unwrap());
        let checkpoint = Checkpoint::parse(note.text()).unwrap();
        assert_eq!(
            (checkpoint.origin(), checkpoint.size()),
            ("arche2025h1.staging.ct.transparency.dev", 1_432_088_532)
        );
        assert_eq!(checkpoint.text(), note.text());
        assert_eq!(
            note.verify(&[witness.clone(), log.clone()]).unwrap(),
            [log.clone(), witness.clone()]
        );
        assert_eq!(verify_cosignature(&note, &witness), Ok(0x6a12_2120));
        let changed = Note::parse(REAL.replace("1432088532", "1432088533").as_bytes()).unwrap();
        assert_eq!(
            code(verify_cosignature(&changed, &witness)),
            "checkpoint.cosignature"
        );
        assert_eq!(
            code(verify_cosignature(&note, &log)),
            "checkpoint.algorithm"
        );
    }

    #[test]
    fn signing_and_cosigning() {
        let unit: UnitId = "140321".parse().unwrap();
        assert_eq!(origin_of(&unit), "countersign/140321");
        let checkpoint = Checkpoint::new(&origin_of(&unit), 1, leaf_hash(b"")).unwrap();
        let (log, witness) = (key("140321", Alg::Ed25519), key("14", Alg::CosignatureV1));
        let note = checkpoint.sign(&log).unwrap();
        assert_eq!(
            note.text(),
            "countersign/140321\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n"
        );
        let cosigned = add_cosignature(&note, &witness, 1_790_000_000).unwrap();
        assert_eq!(cosigned.digest(), note.digest());
        assert_eq!(cosigned.signatures()[1].blob().len(), 72);
        assert_eq!(
            verify_cosignature(&cosigned, &witness.vkey()),
            Ok(1_790_000_000)
        );
        assert_eq!(
            cosigned
                .verify(&[log.vkey(), witness.vkey()])
                .unwrap()
                .len(),
            2
        );
        assert_eq!(
            code(verify_cosignature(&note, &witness.vkey())),
            "checkpoint.missing"
        );
        // The same again changes nothing; at another time it would be a second line, which readers
        // ignore.
        assert_eq!(
            add_cosignature(&cosigned, &witness, 1_790_000_000),
            Ok(cosigned.clone())
        );
        assert_eq!(
            code(add_cosignature(&cosigned, &witness, 1_790_000_001)),
            "note.duplicate"
        );
        assert_eq!(
            code(add_cosignature(&note, &witness, 1 << 63)),
            "checkpoint.time"
        );
        assert_eq!(
            code(add_cosignature(&note, &log, 5)),
            "checkpoint.algorithm"
        );
        let other = Note::sign("countersign/rollup/v1\n{}\n", &[&log]).unwrap();
        assert_eq!(
            code(add_cosignature(&other, &witness, 5)),
            "checkpoint.lines"
        );
        assert_eq!(
            code(verify_cosignature(&other, &witness.vkey())),
            "checkpoint.lines"
        );
        assert_eq!(code(checkpoint.sign(&witness)), "note.algorithm");
    }

    #[test]
    fn altered_cosignatures_are_refused() {
        let checkpoint = Checkpoint::new("o", 1, leaf_hash(b"")).unwrap();
        let (log, witness) = (key("o", Alg::Ed25519), key("w", Alg::CosignatureV1));
        let note = checkpoint.sign(&log).unwrap();
        let (id, blob) = cosign(note.text(), &witness, 77).unwrap();
        let mut later = blob.clone();
        later[7] += 1;
        let mut future = blob.clone();
        future[0] |= 0x80;
        let plain = note.signatures()[0].blob().to_vec();
        for wrong in [
            later,
            future,
            plain,
            blob[..71].to_vec(),
            [&blob[..], &[0]].concat(),
            vec![0; 72],
        ] {
            let note = note.add_line("w", id, &wrong).unwrap();
            assert_eq!(
                code(verify_cosignature(&note, &witness.vkey())),
                "checkpoint.cosignature"
            );
            assert!(note.verify(&[log.vkey(), witness.vkey()]).is_err());
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let root = "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=";
        for text in [
            "",
            "\n",
            "o\n1\n",
            &format!("o\n1\n{root}"),
            &format!("o\n1\n{root}\n\n"),
            &format!("o\n1\n{root}\nextension\n"),
        ] {
            assert_eq!(
                Checkpoint::parse(text),
                Err(CheckpointError::Lines),
                "{text:?}"
            );
        }
        for origin in ["", " ", "a b", "a+b", &"o".repeat(256)] {
            assert_eq!(
                Checkpoint::parse(&format!("{origin}\n1\n{root}\n")),
                Err(CheckpointError::Origin),
                "{origin:?}"
            );
        }
        for size in [
            "",
            "01",
            "+1",
            "-1",
            " 1",
            "1 ",
            "1.0",
            "0x1",
            "１",
            "9223372036854775808",
            "18446744073709551616",
        ] {
            assert_eq!(
                Checkpoint::parse(&format!("o\n{size}\n{root}\n")),
                Err(CheckpointError::Size),
                "{size:?}"
            );
        }
        assert!(Checkpoint::parse(&format!("o\n9223372036854775807\n{root}\n")).is_ok());
        for wrong in [
            "",
            "AAAA",
            &root[..43],
            &root.replace("B0=", "B1="),
            &format!("{root} "),
            &root.replace('+', "-"),
        ] {
            assert_eq!(
                Checkpoint::parse(&format!("o\n1\n{wrong}\n")),
                Err(CheckpointError::Root),
                "{wrong:?}"
            );
        }
        assert_eq!(
            Checkpoint::parse(&format!("o\n0\n{root}\n")),
            Err(CheckpointError::Empty)
        );
        assert!(Checkpoint::new("o", 0, empty_root()).is_ok());
        assert_eq!(
            Checkpoint::new("o", 1 << 63, leaf_hash(b"")),
            Err(CheckpointError::Size)
        );
    }

    proptest! {
        #[test]
        fn a_checkpoint_has_one_text(origin in "[a-z/.0-9]{1,20}", size in 1u64..1 << 63, root: [u8; 32]) {
            let checkpoint = Checkpoint::new(&origin, size, root).unwrap();
            prop_assert_eq!(Checkpoint::parse(&checkpoint.text()), Ok(checkpoint));
        }

        #[test]
        fn what_parses_is_canonical(text in "[a +]{0,2}\n[0-9+ ]{0,3}\n[A-D]{42}[A-D]=\n{0,2}") {
            if let Ok(checkpoint) = Checkpoint::parse(&text) {
                prop_assert_eq!(checkpoint.text(), text);
            }
        }
    }
}
