//! Keys of signed notes: who signs, and with which algorithm.
//!
//! Key id = first 4 bytes of SHA-256 over name, newline, algorithm byte, public key. It is a hint
//! that finds a key, not proof. A verifier key is written `name+<key id, 8 hex digits>+<base64 of
//! algorithm byte and public key>`, a signing key as Go does: `PRIVATE+KEY+name+<key id>+<base64 of
//! algorithm byte and seed>`.
//!
//! The algorithm byte is part of the key and of the id, so one key cannot be used in two roles
//! unnoticed. Use a key of its own for each role all the same: the message of a cosignature does
//! not name the cosigner.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use ed25519_dalek::Signer as _;
use zeroize::Zeroizing;

use super::alg::Alg;
use super::error::NoteError;
use super::limits::MAX_NAME_BYTES;
use crate::digest::Digest;
use crate::text::{b64, hex, serde_text};

const PRIVATE_PREFIX: &str = "PRIVATE+KEY+";

/// Cosignature times are below this (2^63).
pub(crate) const MAX_TIME: u64 = 1 << 63;

/// Checks a signer name: 1 to 255 bytes, no Unicode space, no control character below U+0020, no
/// `+`.
pub fn check_name(name: &str) -> Result<(), NoteError> {
    let wrong = |c: char| c.is_whitespace() || c < ' ' || c == '+';
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.contains(wrong) {
        return Err(NoteError::Name);
    }
    Ok(())
}

/// The part of a key's text in front of the base64, and the base64.
fn split_key(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('+')?;
    // The base64 may contain `+`, name and id may not.
    let (id, data) = rest.split_once('+')?;
    Some((name, id, data))
}

fn key_id(name: &str, alg: Alg, public: &[u8; 32]) -> [u8; 4] {
    let digest = Digest::of(&[name.as_bytes(), b"\n", &[alg as u8], public].concat());
    let [a, b, c, d, ..] = *digest.as_bytes();
    [a, b, c, d]
}

fn check_id(name: &str, expected: [u8; 4], found: &str) -> Result<(), NoteError> {
    let expected = hex::encode(&expected);
    if expected == found {
        return Ok(());
    }
    // What stands in the text is shown only where it can be an id: a secret pasted there stays
    // unseen.
    let looks = found.len() == 8 && found.bytes().all(|b| b.is_ascii_hexdigit());
    let found = if looks { found } else { "something else" };
    Err(NoteError::KeyId {
        name: name.to_owned(),
        expected,
        found: found.to_owned(),
    })
}

/// The message that a cosignature signs.
fn cosignature_message(time: u64, text: &[u8]) -> Vec<u8> {
    [format!("cosignature/v1\ntime {time}\n").as_bytes(), text].concat()
}

/// The time and the signature in the blob of a cosignature line: 8 bytes big-endian, then 64.
pub(crate) fn split_cosignature(blob: &[u8]) -> Option<(u64, &[u8])> {
    let (time, signature) = blob.split_first_chunk::<8>()?;
    let time = u64::from_be_bytes(*time);
    (time < MAX_TIME && signature.len() == 64).then_some((time, signature))
}

/// A secret key with its signer's name. The seed is wiped from memory on drop; `Debug` does not
/// show it.
pub struct SigningKey {
    name: String,
    alg: Alg,
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// A key from 32 bytes of the caller's randomness. Whoever holds them wipes them: they are only
    /// looked at here. Wiped here, where they had come by value, they were wiped in the caller's
    /// memory, too: optimised code gives two equal arrays one place, and the second key was that of
    /// 32 zero bytes.
    pub fn from_seed(name: &str, alg: Alg, seed: impl Borrow<[u8; 32]>) -> Result<Self, NoteError> {
        let key = ed25519_dalek::SigningKey::from_bytes(seed.borrow());
        check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            alg,
            key,
        })
    }

    /// The signer's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it signs.
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// The key id.
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, self.alg, self.key.verifying_key().as_bytes())
    }

    /// The public half.
    pub fn vkey(&self) -> VerifierKey {
        VerifierKey::assemble(&self.name, self.alg, self.key.verifying_key())
    }

    /// The key's text in Go's form. Whoever has it can sign: it belongs in a file that only the
    /// signer reads.
    pub fn encode(&self) -> Zeroizing<String> {
        let mut data = Zeroizing::new([0; 33]);
        data[0] = self.alg as u8;
        data[1..].copy_from_slice(self.key.as_bytes());
        let data = Zeroizing::new(b64::encode(&data[..]));
        Zeroizing::new(format!(
            "{PRIVATE_PREFIX}{}+{}+{}",
            self.name,
            hex::encode(&self.id()),
            *data
        ))
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(text: &str) -> Result<Self, NoteError> {
        let wrong = |what| NoteError::SigningKey { what };
        let rest = text
            .strip_prefix(PRIVATE_PREFIX)
            .ok_or(wrong("it does not begin with PRIVATE+KEY+"))?;
        let (name, id, data) = split_key(rest).ok_or(wrong("a part is missing"))?;
        let data = Zeroizing::new(
            b64::decode(data).ok_or(wrong("its last part is not canonical base64"))?,
        );
        let (alg, seed) = data.split_first().ok_or(wrong("its last part is empty"))?;
        let alg = Alg::of(*alg).ok_or(wrong("its algorithm is unknown here"))?;
        let seed = Zeroizing::new(
            <[u8; 32]>::try_from(seed).map_err(|_| wrong("its seed must have 32 bytes"))?,
        );
        let seed: &[u8; 32] = &seed;
        let key = Self::from_seed(name, alg, seed)?;
        check_id(name, key.id(), id)?;
        Ok(key)
    }

    /// Signs bytes as they are. The caller has seen to the message's form.
    pub(super) fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// The blob of a cosignature line over a checkpoint's text. The caller has checked text,
    /// algorithm and time.
    pub(crate) fn cosignature_blob(&self, time: u64, text: &str) -> Vec<u8> {
        let signature = self.sign_bytes(&cosignature_message(time, text.as_bytes()));
        [&time.to_be_bytes()[..], &signature].concat()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SigningKey({}+{}, redacted)",
            self.name,
            hex::encode(&self.id())
        )
    }
}

/// A public key with its signer's name. Never weak: its constructors refuse small-order and
/// non-canonical points.
#[derive(Clone)]
pub struct VerifierKey {
    /// The key's one text. Equality, order and hash are its. Shared, as the decompressed point is:
    /// a key is copied for each statement that it signed.
    text: Arc<str>,
    name_len: usize,
    id: [u8; 4],
    alg: Alg,
    key: Arc<ed25519_dalek::VerifyingKey>,
}

impl VerifierKey {
    /// A key whose parts have been checked.
    fn assemble(name: &str, alg: Alg, key: ed25519_dalek::VerifyingKey) -> Self {
        let id = key_id(name, alg, key.as_bytes());
        let data = [&[alg as u8][..], key.as_bytes()].concat();
        let text = format!("{name}+{}+{}", hex::encode(&id), b64::encode(&data));
        Self {
            text: text.into(),
            name_len: name.len(),
            id,
            alg,
            key: Arc::new(key),
        }
    }

    /// A key from its parts.
    pub fn from_public(name: &str, alg: Alg, public: &[u8; 32]) -> Result<Self, NoteError> {
        check_name(name)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(public).map_err(|_| {
            NoteError::VerifierKey {
                what: "it is not a point of the curve",
            }
        })?;
        // `to_bytes` returns what was given; the compressed point is the canonical form.
        if key.is_weak() || key.to_edwards().compress().as_bytes() != public {
            return Err(NoteError::WeakKey {
                name: name.to_owned(),
            });
        }
        Ok(Self::assemble(name, alg, key))
    }

    /// The signer's name.
    pub fn name(&self) -> &str {
        &self.text[..self.name_len]
    }

    /// The key id.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// How it signs.
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// The 32 bytes of the public key. Two verifier keys with the same bytes are one key under two
    /// names or roles.
    pub fn public(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn dalek(&self) -> &ed25519_dalek::VerifyingKey {
        &self.key
    }

    /// The message and the signature to be checked for a line over a note's text; `None` if the
    /// blob cannot be one.
    pub(super) fn prepare<'a>(
        &self,
        text: &'a [u8],
        blob: &[u8],
    ) -> Option<(Cow<'a, [u8]>, ed25519_dalek::Signature)> {
        let (message, signature) = match self.alg {
            Alg::Ed25519 => (Cow::Borrowed(text), blob),
            Alg::CosignatureV1 => {
                let (time, signature) = split_cosignature(blob)?;
                (Cow::Owned(cosignature_message(time, text)), signature)
            }
        };
        Some((
            message,
            ed25519_dalek::Signature::from_slice(signature).ok()?,
        ))
    }

    /// Whether the blob of a line is this key's signature on a note's text.
    pub(crate) fn verifies(&self, text: &[u8], blob: &[u8]) -> bool {
        self.prepare(text, blob)
            .is_some_and(|(message, signature)| {
                self.key.verify_strict(&message, &signature).is_ok()
            })
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let wrong = |what| NoteError::VerifierKey { what };
        if text.starts_with(PRIVATE_PREFIX) {
            return Err(wrong("this is a secret key: do not show it to anyone"));
        }
        let (name, id, data) = split_key(text).ok_or(wrong("a part is missing"))?;
        check_name(name)?;
        let data = b64::decode(data).ok_or(wrong("its last part is not canonical base64"))?;
        let (alg, public) = data.split_first().ok_or(wrong("its last part is empty"))?;
        let alg = Alg::of(*alg).ok_or(wrong("its algorithm is unknown here"))?;
        let public: &[u8; 32] = public
            .try_into()
            .map_err(|_| wrong("its public key must have 32 bytes"))?;
        check_id(name, key_id(name, alg, public), id)?;
        Self::from_public(name, alg, public)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({})", self.text)
    }
}

impl PartialEq for VerifierKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for VerifierKey {}

impl PartialOrd for VerifierKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for VerifierKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for VerifierKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

serde_text!(VerifierKey);
