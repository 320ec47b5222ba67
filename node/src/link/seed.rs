//! Reads the NATS seed: the secret by which the transport knows this node. It is not a signing key:
//! who steals it can fill the unit's subjects with rubbish, but sign nothing.

use super::error::LinkError;
use crate::text_file::TextFileError;
use std::fs;
use std::io::Read;
use std::path::Path;
use zeroize::Zeroizing;

/// Length of an NKey user seed in its base32 text.
const SEED_CHARS: usize = 58;

/// Refuses a secret that others can read.
pub(super) fn only_for_its_owner(file: &fs::File) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file
        .metadata()
        .map_err(|e| e.to_string())?
        .permissions()
        .mode()
        & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "others can read it (mode {mode:03o}); run `chmod 600` on it, and replace it if it \
             was exposed"
        ));
    }
    Ok(())
}

/// Reads a user seed (`SU…`) from a file that only its owner can read.
pub fn read_seed(file: &Path) -> Result<Zeroizing<String>, LinkError> {
    let bad = |reason: String| LinkError::Seed {
        file: file.display().to_string(),
        reason,
    };
    let mut open = fs::File::open(file)
        .map_err(|e| bad(format!("{e}; create it with `countersign nats user`")))?;
    only_for_its_owner(&open).map_err(bad)?;
    let mut text = Zeroizing::new(String::with_capacity(128));
    open.by_ref()
        .take(128)
        .read_to_string(&mut text)
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::InvalidData => bad(TextFileError::Encoding.to_string()),
            _ => bad(e.to_string()),
        })?;
    let seed = Zeroizing::new(text.trim().to_owned());
    let base32 = seed
        .bytes()
        .all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b));
    if seed.len() != SEED_CHARS || !seed.starts_with("SU") || !base32 {
        return Err(bad(
            "it holds no NKey user seed (58 characters that begin with SU)".to_owned(),
        ));
    }
    Ok(seed)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_a_private_file_with_a_seed_is_read() {
        let file = std::env::temp_dir().join(format!("cs-seed-{}", std::process::id()));
        let seed = format!("SU{}", "A".repeat(56));
        fs::write(&file, format!("{seed}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = read_seed(&file).unwrap_err().to_string();
        assert!(
            refused.contains("chmod 600") && !refused.contains(&seed),
            "{refused}"
        );
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read_seed(&file).unwrap().as_str(), seed);
        fs::write(&file, "SUshort").unwrap();
        assert_eq!(read_seed(&file).unwrap_err().code(), "link.seed");
        fs::remove_file(&file).unwrap();
        assert_eq!(read_seed(&file).unwrap_err().code(), "link.seed");
    }
}
