//! The node's keys, read at start from files that only the node's user may read. A witness key that
//! a registry brings into force is looked for there later, too.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use protocol::ids::UnitId;
use protocol::note::{SigningKey, VerifierKey};
use protocol::text::without_bom;

use crate::fault::FaultCode;
use crate::vault::VaultKey;

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("key {path}: {message} [{}]", FaultCode::KeysUnusable)]
pub struct KeyError {
    path: String,
    message: String,
}

/// All keys of a node.
#[derive(Debug)]
pub struct Keys {
    /// Signs rollups, checkpoints, receipts and system statements.
    pub node: SigningKey,
    /// Cosign children's checkpoints: `witness.key`, and where it is being replaced the next one
    /// beside it. Which of them holds, the registry says.
    pub witnesses: Vec<SigningKey>,
    /// Seals private records.
    pub vault: VaultKey,
    /// Recorders' keys by full name (`<unit>/<name>`): statements are signed here in their name.
    pub recorders: BTreeMap<String, SigningKey>,
    /// Where they were read; none for keys that stand in no directory.
    pub directory: Option<PathBuf>,
}

/// Reads a signing key file; its mode must be 0600 or 0400.
///
/// # Errors
/// Missing, readable by others, or not a key.
pub fn read_key(path: &Path) -> Result<SigningKey, KeyError> {
    let error = |message: String| KeyError {
        path: path.display().to_string(),
        message,
    };
    let mode = std::fs::metadata(path)
        .map_err(|e| error(e.to_string()))?
        .permissions()
        .mode();
    if mode & 0o177 != 0 {
        return Err(error(format!(
            "its mode is {:o}: others can read it; run chmod 600",
            mode & 0o777
        )));
    }
    let text =
        zeroize::Zeroizing::new(crate::text_file::read(path).map_err(|e| error(e.to_string()))?);
    SigningKey::decode(without_bom(&text).trim()).map_err(|e| error(e.to_string()))
}

impl Keys {
    /// Reads `node.key`, `witness.key`, `vault.key` and every other `*.key`: of a recorder, or a
    /// witness key that is to replace the one in `witness.key`.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn load(dir: &Path, unit: &UnitId) -> Result<Keys, KeyError> {
        let error = |path: &Path, message: String| KeyError {
            path: path.display().to_string(),
            message,
        };
        let node = read_key(&dir.join("node.key"))?;
        let witness = read_key(&dir.join("witness.key"))?;
        let vault_path = dir.join("vault.key");
        let vault = VaultKey::load(&vault_path).map_err(|e| error(&vault_path, e.to_string()))?;
        if node.name() != unit.as_str() || witness.name() != format!("{unit}/witness") {
            return Err(error(
                dir,
                format!("node.key or witness.key is not of unit {unit}"),
            ));
        }
        let mut witnesses = vec![witness];
        let mut recorders = BTreeMap::new();
        for entry in std::fs::read_dir(dir).map_err(|e| error(dir, e.to_string()))? {
            let path = entry.map_err(|e| error(dir, e.to_string()))?.path();
            let name = path
                .file_name()
                .and_then(|n| n.to_str())
                .unwrap_or_default()
                .to_string();
            if name.ends_with(".key")
                && !matches!(name.as_str(), "node.key" | "witness.key" | "vault.key")
            {
                let key = read_key(&path)?;
                if key.name() == witnesses[0].name() {
                    witnesses.push(key);
                } else {
                    recorders.insert(key.name().to_string(), key);
                }
            }
        }
        Ok(Keys {
            node,
            witnesses,
            vault,
            recorders,
            directory: Some(dir.to_path_buf()),
        })
    }

    /// This witness key, from a file that came after the start.
    pub fn later_witness(&self, wanted: &VerifierKey) -> Option<SigningKey> {
        let dir = std::fs::read_dir(self.directory.as_ref()?).ok()?;
        let files = dir.filter_map(|entry| Some(entry.ok()?.path()));
        let files = files.filter(|path| path.extension().is_some_and(|e| e == "key"));
        // A file that cannot be used is not the one.
        let mut keys = files.filter_map(|path| read_key(&path).ok());
        keys.find(|key| key.vkey() == *wanted)
    }
}
