//! Private records at rest: sealed with a key that is not in the journal.
//!
//! A record is sealed before it becomes the sealed part of a journal entry, so that a stolen disk
//! or backup shows no person. The format is one version byte (1), the 24-byte nonce, and
//! XChaCha20-Poly1305's ciphertext with its 16-byte tag. The associated data is
//! `countersign/vault/v1\n` and what the caller passes, which must be the entry's kind and the
//! digest of its public part: so no sealed record can be put in the place of another. Nonces are
//! random: with 192 bits, one key never meets the same one twice.
//!
//! The key file is one line, `countersign/vault-key/v1 <64 hex>`, readable by its owner only.
//! Losing it loses every private record and every month's opening: it belongs in a safe, apart from
//! the backups of the journal. Retiring it erases every copy of them.

use chacha20poly1305::{KeyInit, XChaCha20Poly1305, aead::AeadInOut};
use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::fault::FaultCode;

/// The first byte of everything sealed.
pub const SEALED_VERSION: u8 = 1;
/// What sealing adds: version, nonce, tag.
pub const SEALED_OVERHEAD: usize = 1 + NONCE + TAG;

const NONCE: usize = 24;
const TAG: usize = 16;
const AAD: &[u8] = b"countersign/vault/v1\n";
const KEY_PREFIX: &[u8] = b"countersign/vault-key/v1 ";
/// Prefix, 64 hex digits, newline.
const KEY_FILE: usize = KEY_PREFIX.len() + 65;

/// An error of the vault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The operating system refused an operation on the key file.
    #[error(
        "cannot {what} the vault key {path}: {source}. Check the path and its permissions; an \
         existing key is never overwritten"
    )]
    Io {
        /// The operation, as a verb.
        what: &'static str,
        /// The key file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// Others than the owner may read the key file.
    #[error(
        "the vault key {path} has mode {mode:04o}: others may read it. Run `chmod 600 {path}`; if \
         others had access, make a new key"
    )]
    Mode {
        /// The key file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },

    /// The file is not a key file.
    #[error(
        "{path} is no vault key (one line, `countersign/vault-key/v1` and 64 hex digits). Check \
         the path; restore the key from its safe copy"
    )]
    NotAKey {
        /// The file.
        path: PathBuf,
    },

    /// Sealed by a newer program, or not sealed at all.
    #[error(
        "the sealed record has version {version:?}, this program knows {SEALED_VERSION}. Use the \
         program that wrote it, or restore it from a backup"
    )]
    UnknownVersion {
        /// The first byte, if there is one.
        version: Option<u8>,
    },

    /// The key, the statement or the bytes do not belong together.
    #[error(
        "the sealed record cannot be opened: it was sealed with another key, or for another \
         statement, or it is damaged. Check that the vault key belongs to this data directory; \
         otherwise restore the record from a backup"
    )]
    Refused,
}

impl VaultError {
    /// A stable name of this error.
    pub fn code(&self) -> FaultCode {
        match self {
            Self::Io { .. } => FaultCode::VaultIo,
            Self::Mode { .. } => FaultCode::VaultMode,
            Self::NotAKey { .. } => FaultCode::VaultNotAKey,
            Self::UnknownVersion { .. } => FaultCode::VaultUnknownVersion,
            Self::Refused => FaultCode::VaultRefused,
        }
    }

    fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            what,
            path: path.to_owned(),
            source,
        }
    }
}

/// The key of one unit's private records. Wiped when dropped, never printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct VaultKey([u8; 32]);

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKey(redacted)")
    }
}

impl VaultKey {
    /// Reads a key file. Its mode must be 0600 (or 0400, as service managers pass credentials).
    ///
    /// # Errors
    /// [`VaultError::Io`], [`VaultError::Mode`], [`VaultError::NotAKey`].
    pub fn load(path: &Path) -> Result<Self, VaultError> {
        let file = File::open(path).map_err(VaultError::io("open", path))?;
        // Of the open file, not of the path: it cannot be exchanged in between.
        let metadata = file.metadata().map_err(VaultError::io("inspect", path))?;
        let mode = metadata.mode() & 0o7777;
        if !metadata.is_file() {
            return Err(VaultError::NotAKey {
                path: path.to_owned(),
            });
        }
        if mode & !0o600 != 0 {
            return Err(VaultError::Mode {
                path: path.to_owned(),
                mode,
            });
        }
        // One byte more than a key file, so that a longer file is noticed; never reallocated, so
        // that no copy stays behind.
        let mut text = Zeroizing::new(Vec::with_capacity(KEY_FILE + 1));
        file.take(KEY_FILE as u64 + 1)
            .read_to_end(&mut text)
            .map_err(VaultError::io("read", path))?;
        parse(&text).ok_or_else(|| VaultError::NotAKey {
            path: path.to_owned(),
        })
    }

    /// Writes a new key file, durably, and returns the key. The 32 bytes must come from the
    /// operating system's random source.
    ///
    /// # Errors
    /// [`VaultError::Io`], also if the file exists: a key is never overwritten.
    pub fn create(path: &Path, random: [u8; 32]) -> Result<Self, VaultError> {
        let key = Self(random);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        let mut file = file.map_err(VaultError::io("create", path))?;
        let mut text = Zeroizing::new(Vec::with_capacity(KEY_FILE));
        text.extend_from_slice(KEY_PREFIX);
        for byte in key.0 {
            text.extend(
                [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]),
            );
        }
        text.push(b'\n');
        file.write_all(&text)
            .map_err(VaultError::io("write", path))?;
        file.sync_all().map_err(VaultError::io("sync", path))?;
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        File::open(parent)
            .and_then(|dir| dir.sync_all())
            .map_err(VaultError::io("sync the directory of", path))?;
        Ok(key)
    }

    /// A keyed hash of parts under a label, for pseudonyms in indexes: without this key nobody can
    /// tell or guess whom an index entry is about. HMAC-SHA-256, 16 bytes of it.
    pub fn pseudonym(&self, label: &str, parts: &[&[u8]]) -> [u8; 16] {
        use hmac::Mac;
        // HMAC takes a key of any length.
        let mut mac = <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new_from_slice(&self.0)
            .expect("any length is a key");
        mac.update(b"countersign/pseudonym/v1\n");
        mac.update(label.as_bytes());
        for part in parts {
            mac.update(b"\n");
            mac.update(part);
        }
        let whole: [u8; 32] = mac.finalize().into_bytes().into();
        let mut short = [0; 16];
        short.copy_from_slice(&whole[..16]);
        short
    }

    /// Seals a record for one statement. The nonce must be random and never used twice with this
    /// key.
    pub fn seal(&self, nonce: [u8; 24], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        // Encrypted in place and with room for the tag: no copy of the plaintext stays behind.
        let mut sealed = Vec::with_capacity(SEALED_OVERHEAD + plaintext.len());
        sealed.push(SEALED_VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let tag = self
            .cipher()
            .encrypt_inout_detached(&nonce.into(), &bind(aad), (&mut sealed[1 + NONCE..]).into())
            // The cipher fails only beyond 256 GiB, and the plaintext is in memory, in parts of at
            // most 8 MiB (journal limits).
            .expect("shorter than 256 GiB");
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// Opens a record that was sealed for this statement.
    ///
    /// # Errors
    /// [`VaultError::UnknownVersion`], [`VaultError::Refused`].
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let rest = match sealed.split_first() {
            Some((&SEALED_VERSION, rest)) => rest,
            other => {
                return Err(VaultError::UnknownVersion {
                    version: other.map(|(version, _)| *version),
                });
            }
        };
        let (nonce, rest) = rest
            .split_first_chunk::<NONCE>()
            .ok_or(VaultError::Refused)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG>().ok_or(VaultError::Refused)?;
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        self.cipher()
            .decrypt_inout_detached(
                nonce.into(),
                &bind(aad),
                plaintext.as_mut_slice().into(),
                tag.into(),
            )
            .map_err(|_| VaultError::Refused)?;
        Ok(plaintext)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&self.0).into())
    }
}

fn bind(aad: &[u8]) -> Vec<u8> {
    [AAD, aad].concat()
}

fn parse(text: &[u8]) -> Option<VaultKey> {
    let digits = text.strip_prefix(KEY_PREFIX)?.strip_suffix(b"\n")?;
    if digits.len() != 64 {
        return None;
    }
    let mut key = VaultKey([0; 32]);
    for (byte, pair) in key.0.iter_mut().zip(digits.chunks(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = (high * 16 + low) as u8; // Two hex digits: at most 255.
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs,
        os::unix::fs::PermissionsExt,
        sync::atomic::{AtomicU32, Ordering},
    };

    struct Place(PathBuf);

    impl Place {
        fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let n = COUNT.fetch_add(1, Ordering::Relaxed);
            let dir =
                std::env::temp_dir().join(format!("countersign-vault-{}-{n}", std::process::id()));
            let _ = fs::remove_dir_all(&dir);
            fs::create_dir(&dir).unwrap();
            Self(dir)
        }

        fn key(&self) -> PathBuf {
            self.0.join("vault.key")
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn seals_and_opens_for_one_statement_only() {
        let key = VaultKey([7; 32]);
        for plaintext in [&b""[..], b"x", &[9; 5000]] {
            let sealed = key.seal([1; 24], b"statement-1", plaintext);
            assert_eq!(sealed.len(), plaintext.len() + SEALED_OVERHEAD);
            assert_eq!(
                key.open(b"statement-1", &sealed).unwrap().as_slice(),
                plaintext
            );
            assert_eq!(
                key.open(b"statement-2", &sealed).unwrap_err().code(),
                "vault.refused"
            );
            assert_eq!(
                VaultKey([8; 32])
                    .open(b"statement-1", &sealed)
                    .unwrap_err()
                    .code(),
                "vault.refused"
            );
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let key = VaultKey([7; 32]);
        let sealed = key.seal([1; 24], b"id", b"a private record");
        for at in 0..sealed.len() {
            assert!(key.open(b"id", &sealed[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut sealed = sealed.clone();
                sealed[at] ^= 1 << bit;
                assert!(key.open(b"id", &sealed).is_err(), "bit {bit} of byte {at}");
            }
        }
        let mut longer = sealed;
        longer.push(0);
        assert!(key.open(b"id", &longer).is_err());
        assert_eq!(
            key.open(b"id", &[0; 28]).unwrap_err().code(),
            "vault.unknown_version"
        );
    }

    #[test]
    fn the_key_file_comes_back_and_is_never_overwritten() {
        let place = Place::new();
        let created = VaultKey::create(&place.key(), [0xA7; 32]).unwrap();
        assert_eq!(
            fs::metadata(place.key()).unwrap().permissions().mode() & 0o7777,
            0o600
        );
        assert_eq!(VaultKey::load(&place.key()).unwrap().0, created.0);
        assert_eq!(
            VaultKey::create(&place.key(), [1; 32]).unwrap_err().code(),
            "vault.io"
        );
        assert_eq!(VaultKey::load(&place.key()).unwrap().0, [0xA7; 32]);
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let place = Place::new();
        VaultKey::create(&place.key(), [1; 32]).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o700, 0o620] {
            fs::set_permissions(place.key(), fs::Permissions::from_mode(mode)).unwrap();
            let error = VaultKey::load(&place.key()).unwrap_err();
            assert_eq!(error.code(), "vault.mode", "{mode:o}");
            assert!(error.to_string().contains("chmod 600"));
        }
        fs::set_permissions(place.key(), fs::Permissions::from_mode(0o400)).unwrap();
        VaultKey::load(&place.key()).unwrap();
    }

    #[test]
    fn other_files_are_no_keys() {
        let place = Place::new();
        VaultKey::create(&place.key(), [1; 32]).unwrap();
        let good = fs::read(place.key()).unwrap();
        let mut long = good.clone();
        long.push(b'\n');
        for bad in [
            &b""[..],
            &[1; 32],
            &good[..good.len() - 1],
            &good[1..],
            &long,
        ] {
            fs::write(place.key(), bad).unwrap();
            assert_eq!(
                VaultKey::load(&place.key()).unwrap_err().code(),
                "vault.not_a_key"
            );
        }
        assert_eq!(
            VaultKey::load(&place.0.join("absent")).unwrap_err().code(),
            "vault.io"
        );
        assert_eq!(
            VaultKey::load(&place.0).unwrap_err().code(),
            "vault.not_a_key"
        );
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", VaultKey([0x41; 32])), "VaultKey(redacted)");
    }
}
