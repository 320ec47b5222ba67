//! A signed note: parsing, signing, verifying.

use super::alg::Alg;
use super::error::{NoteError, malformed};
use super::key::{SigningKey, VerifierKey, check_name};
use super::limits::{MAX_NOTE_BYTES, MAX_SIGNATURES};
use crate::digest::Digest;
use crate::text::{b64, hex};

const SIGNATURE_PREFIX: &str = "— ";

/// One signature line. That it parses says nothing about who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub(super) name: String,
    pub(super) key_id: [u8; 4],
    pub(super) blob: Vec<u8>,
}

impl Signature {
    /// The signer's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key id.
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// What follows the key id: for Ed25519 the 64 bytes of the signature.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    fn parse(line: &str) -> Result<Self, NoteError> {
        let rest = line
            .strip_prefix(SIGNATURE_PREFIX)
            .ok_or(malformed("a signature line must begin with `— `"))?;
        let (name, base64) = rest
            .split_once(' ')
            .ok_or(malformed("a signature line must be `— name base64`"))?;
        check_name(name)?;
        let bytes = b64::decode(base64).ok_or(malformed("a signature is not canonical base64"))?;
        match bytes.split_first_chunk::<4>() {
            Some((key_id, blob)) if !blob.is_empty() => Ok(Self {
                name: name.to_owned(),
                key_id: *key_id,
                blob: blob.to_vec(),
            }),
            _ => Err(malformed("a signature has fewer than 5 bytes")),
        }
    }

    pub(super) fn line(&self) -> String {
        let bytes = [&self.key_id[..], &self.blob].concat();
        format!("{SIGNATURE_PREFIX}{} {}\n", self.name, b64::encode(&bytes))
    }

    fn is_of(&self, name: &str, key_id: [u8; 4]) -> bool {
        self.key_id == key_id && self.name == name
    }
}

/// A signed note: its exact bytes and what they mean. It may carry signatures that are wrong: see
/// [`Note::verify`].
///
/// ```
/// use protocol::note::{Alg, Note, SigningKey};
///
/// // A test key. Real seeds come from the caller's random source.
/// let key = SigningKey::from_seed("140321", Alg::Ed25519, [7; 32])?;
/// let note = Note::sign("one line\n", &[&key])?;
///
/// let read = Note::parse(note.as_bytes())?;
/// assert_eq!(read.verify(&[key.vkey()])?, [key.vkey()]);
/// assert_eq!(read.text(), "one line\n");
///
/// let changed = String::from_utf8_lossy(note.as_bytes()).replace("one", "two");
/// assert!(Note::parse(changed.as_bytes())?.verify(&[key.vkey()]).is_err());
/// # Ok::<(), protocol::note::NoteError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The whole note. `text_end` is just behind a newline of it, so slicing there is on a
    /// character's boundary.
    raw: String,
    text_end: usize,
    signatures: Vec<Signature>,
}

impl Note {
    /// Reads a note. This checks its form and no signature.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge { found: bytes.len() });
        }
        let raw = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
        check_control(raw)?;
        let blank = raw
            .rfind("\n\n")
            .ok_or(malformed("there is no empty line before the signatures"))?;
        let lines = raw[blank + 2..]
            .strip_suffix('\n')
            .ok_or(malformed("the last line does not end with a newline"))?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
            signatures.push(Signature::parse(line)?);
        }
        Ok(Self {
            raw: raw.to_owned(),
            text_end: blank + 1,
            signatures,
        })
    }

    /// A new note over a text that ends with a newline. All signers must have Ed25519 keys, and
    /// differ.
    pub fn sign(text: &str, signers: &[&SigningKey]) -> Result<Self, NoteError> {
        let mut signatures: Vec<Signature> = Vec::with_capacity(signers.len());
        for signer in signers {
            let signature = Self::signature(text, signer)?;
            if signatures
                .iter()
                .any(|s| s.is_of(&signature.name, signature.key_id))
            {
                return Err(duplicate(&signature));
            }
            signatures.push(signature);
        }
        Self::assemble(text, signatures)
    }

    /// This note with one signature more, by an Ed25519 key. Signing again with a key that has
    /// signed changes nothing.
    pub fn add_signature(&self, signer: &SigningKey) -> Result<Self, NoteError> {
        self.with(Self::signature(self.text(), signer)?)
    }

    /// This note with one line more, made elsewhere (a cosignature, say). The same line again
    /// changes nothing; a different line of the same name and key id is refused, because readers
    /// would ignore it.
    pub fn add_line(&self, name: &str, key_id: [u8; 4], blob: &[u8]) -> Result<Self, NoteError> {
        check_name(name)?;
        if blob.is_empty() {
            return Err(malformed("a signature has fewer than 5 bytes"));
        }
        self.with(Signature {
            name: name.to_owned(),
            key_id,
            blob: blob.to_vec(),
        })
    }

    /// The signatures of both notes, which must have the same text: first this note's, then those
    /// only the other has. Where both have a line of one name and key id, this note's is kept.
    pub fn merge(&self, other: &Self) -> Result<Self, NoteError> {
        if self.text() != other.text() {
            return Err(NoteError::DifferentText {
                left: self.digest(),
                right: other.digest(),
            });
        }
        let mut signatures = self.signatures.clone();
        for theirs in &other.signatures {
            if !signatures
                .iter()
                .any(|s| s.is_of(&theirs.name, theirs.key_id))
            {
                signatures.push(theirs.clone());
            }
        }
        Self::assemble(self.text(), signatures)
    }

    /// The text, with its last newline: what is signed.
    pub fn text(&self) -> &str {
        &self.raw[..self.text_end]
    }

    /// The signature lines, in order, verified or not.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// SHA-256 over the text. Signatures do not change it.
    pub fn digest(&self) -> Digest {
        Digest::of(self.text().as_bytes())
    }

    /// The exact bytes of the whole note.
    pub fn as_bytes(&self) -> &[u8] {
        self.raw.as_bytes()
    }

    /// The keys that have signed, in the order of their lines. As Go does: lines of unknown (name,
    /// key id) are ignored; only the first line of a key is looked at; a wrong signature of a known
    /// key refuses the whole note; so does the absence of any known signature.
    ///
    /// Cosignature keys verify cosignature lines. Such a line says "this tree extends what I have
    /// seen", not "I have written this": where authorship is asked, look at [`VerifierKey::alg`] or
    /// pass Ed25519 keys only.
    pub fn verify(&self, known: &[VerifierKey]) -> Result<Vec<VerifierKey>, NoteError> {
        let mut verified: Vec<VerifierKey> = Vec::new();
        for signature in &self.signatures {
            let mut keys = known
                .iter()
                .filter(|key| signature.is_of(key.name(), key.id()));
            let Some(key) = keys.next() else { continue };
            if keys.any(|other| other != key) {
                return Err(NoteError::AmbiguousKey {
                    name: key.name().to_owned(),
                    id: hex::encode(&key.id()),
                });
            }
            if verified.contains(key) {
                continue;
            }
            if !key.verifies(self.text().as_bytes(), signature.blob()) {
                return Err(NoteError::Signature {
                    name: key.name().to_owned(),
                    id: hex::encode(&key.id()),
                });
            }
            verified.push(key.clone());
        }
        if verified.is_empty() {
            let signers: Vec<&str> = self.signatures.iter().map(Signature::name).collect();
            return Err(NoteError::Unverified {
                signers: signers.join(", "),
            });
        }
        Ok(verified)
    }

    /// The line that this key has on the note: the first with its name and key id.
    pub(crate) fn line_of(&self, key: &VerifierKey) -> Option<&Signature> {
        self.signatures
            .iter()
            .find(|signature| signature.is_of(key.name(), key.id()))
    }

    fn signature(text: &str, signer: &SigningKey) -> Result<Signature, NoteError> {
        if signer.alg() != Alg::Ed25519 {
            let name = signer.name().to_owned();
            return Err(NoteError::Algorithm {
                name,
                expected: Alg::Ed25519,
                found: signer.alg(),
            });
        }
        let blob = signer.sign_bytes(text.as_bytes()).to_vec();
        Ok(Signature {
            name: signer.name().to_owned(),
            key_id: signer.id(),
            blob,
        })
    }

    fn with(&self, signature: Signature) -> Result<Self, NoteError> {
        match self
            .signatures
            .iter()
            .find(|s| s.is_of(&signature.name, signature.key_id))
        {
            Some(present) if *present == signature => Ok(self.clone()),
            Some(_) => Err(duplicate(&signature)),
            None => Self::assemble(self.text(), [&self.signatures[..], &[signature]].concat()),
        }
    }

    /// The only way to make a note other than by parsing: what this lets pass, [`Note::parse`]
    /// reads back equal.
    fn assemble(text: &str, signatures: Vec<Signature>) -> Result<Self, NoteError> {
        if !text.ends_with('\n') {
            return Err(malformed("its text must end with a newline"));
        }
        check_control(text)?;
        match signatures.len() {
            0 => return Err(malformed("nobody has signed it")),
            1..=MAX_SIGNATURES => {}
            _ => return Err(NoteError::TooManySignatures),
        }
        let mut raw = String::with_capacity(text.len() + 1 + signatures.len() * 160);
        raw.push_str(text);
        raw.push('\n');
        for signature in &signatures {
            raw.push_str(&signature.line());
        }
        if raw.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge { found: raw.len() });
        }
        Ok(Self {
            text_end: text.len(),
            raw,
            signatures,
        })
    }
}

fn check_control(text: &str) -> Result<(), NoteError> {
    // All bytes whatever the first ones are: the compiler makes wide instructions of it.
    if text
        .bytes()
        .fold(false, |found, b| found | (b < 0x20 && b != b'\n'))
    {
        return Err(malformed("it has a control character"));
    }
    Ok(())
}

fn duplicate(signature: &Signature) -> NoteError {
    NoteError::Duplicate {
        name: signature.name.clone(),
        id: hex::encode(&signature.key_id),
    }
}
