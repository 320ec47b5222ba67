//! Making keys, tokens and published documents: what every enrolment needs, for the commands and
//! for the demonstration.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use node::vault::VaultKey;

use protocol::catalogue::Catalogue;
use protocol::note::{Alg, Note, SigningKey};
use protocol::published;
use protocol::text::hex;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::toml_files::read_toml;

/// Why a key or document cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {message} [keyring]")]
pub struct KeyringError {
    what: String,
    message: String,
}

/// An error with its place.
pub fn error(what: impl std::fmt::Display, message: impl std::fmt::Display) -> KeyringError {
    KeyringError {
        what: what.to_string(),
        message: message.to_string(),
    }
}

/// Random bytes from the operating system.
///
/// # Errors
/// The system has none.
pub fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, KeyringError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut()).map_err(|e| error("random source", e))?;
    Ok(bytes)
}

/// Writes a file that only its owner may read. Never overwrites.
///
/// # Errors
/// The file exists, or the disk's error.
pub fn write_secret(path: &Path, text: &str) -> Result<(), KeyringError> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(|e| error(dir.display(), e))?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|e| error(path.display(), e))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|e| error(path.display(), e))
}

/// Makes a signing key and writes it to a file of mode 0600.
///
/// # Errors
/// A name that is not allowed, a file that exists.
pub fn create_key(path: &Path, name: &str, alg: Alg) -> Result<SigningKey, KeyringError> {
    let seed = random()?;
    let seed: &[u8; 32] = &seed;
    let key = SigningKey::from_seed(name, alg, seed).map_err(|e| error(name, e))?;
    write_secret(
        path,
        &Zeroizing::new(format!("{}\n", key.encode().as_str())),
    )?;
    Ok(key)
}

/// Reads a signing key file.
///
/// # Errors
/// Missing, readable by others, or not a key.
pub fn read_key(path: &Path) -> Result<SigningKey, KeyringError> {
    node::books::keys::read_key(path).map_err(|e| error(path.display(), e))
}

/// The three keys that every node has: `node.key`, `witness.key`, `vault.key`.
///
/// # Errors
/// Files that exist.
pub fn create_unit_keys(dir: &Path, unit: &str) -> Result<(SigningKey, SigningKey), KeyringError> {
    let node = create_key(&dir.join("node.key"), unit, Alg::Ed25519)?;
    let witness = create_key(
        &dir.join("witness.key"),
        &format!("{unit}/witness"),
        Alg::CosignatureV1,
    )?;
    VaultKey::create(&dir.join("vault.key"), *random()?).map_err(|e| error(dir.display(), e))?;
    Ok((node, witness))
}

/// A new bearer token and its line for the token file.
///
/// # Errors
/// No random source.
pub fn create_token(name: &str, roles: &str) -> Result<(Zeroizing<String>, String), KeyringError> {
    let token = Zeroizing::new(hex::encode(random::<32>()?.as_slice()));
    let line = format!(
        "{} {name} {roles}\n",
        hex::encode(&Sha256::digest(token.as_bytes()))
    );
    Ok((token, line))
}

/// Reads the TOML files of a catalogue directory, joins and validates them, and signs the document.
///
/// # Errors
/// Every fault of the catalogue.
pub fn sign_catalogue(dir: &Path, roots: &[&SigningKey]) -> Result<Note, KeyringError> {
    let files = read_toml(dir, |path, fault| error(path.display(), fault))?;
    let catalogue = Catalogue::from_files(&files).map_err(|e| error(dir.display(), e))?;
    let text = published::catalogue_text(&catalogue).map_err(|e| error(dir.display(), e))?;
    Note::sign(&text, roots).map_err(|e| error(dir.display(), e))
}
