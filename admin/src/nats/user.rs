//! NKey users: one key pair per unit. The seed stays with the unit, the server's configuration
//! holds the public half only.

use super::error::NatsError;
use std::fmt;
use std::io::Write;
use std::path::Path;
use zeroize::Zeroizing;

/// A new user.
pub struct NatsUser {
    /// The public half, for nats.conf.
    pub public_nkey: String,
    /// The secret half, for the node's seed file.
    pub seed: Zeroizing<String>,
}

impl fmt::Debug for NatsUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsUser")
            .field("public_nkey", &self.public_nkey)
            .finish_non_exhaustive()
    }
}

/// Makes a user from the system's random source.
pub fn create_user() -> Result<NatsUser, NatsError> {
    let bad = |reason: String| NatsError::Seed {
        file: String::new(),
        reason,
    };
    let mut random = Zeroizing::new([0_u8; 32]);
    getrandom::fill(random.as_mut()).map_err(|e| bad(e.to_string()))?;
    let pair = nkeys::KeyPair::new_from_raw(nkeys::KeyPairType::User, *random)
        .map_err(|e| bad(e.to_string()))?;
    let seed = pair.seed().map_err(|e| bad(e.to_string()))?;
    Ok(NatsUser {
        public_nkey: pair.public_key(),
        seed: Zeroizing::new(seed),
    })
}

/// Writes a seed to a new file that only its owner can read; refuses to replace one.
pub fn write_seed(file: &Path, seed: &str) -> Result<(), NatsError> {
    let bad = |e: std::io::Error| NatsError::Seed {
        file: format!(" {}", file.display()),
        reason: format!("{e}; an existing seed is never replaced, move it away first"),
    };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options.open(file).map_err(bad)?;
    open.write_all(Zeroizing::new(format!("{seed}\n")).as_bytes())
        .map_err(bad)?;
    open.sync_all().map_err(bad)
}

/// Whether this is the public NKey of a user.
pub fn check_public(key: &str, owner: &str) -> Result<(), NatsError> {
    if key.starts_with('U') && nkeys::KeyPair::from_public_key(key).is_ok() {
        Ok(())
    } else {
        // A seed pasted here by mistake must not be printed in full.
        Err(NatsError::Key {
            owner: owner.to_owned(),
            key: key.chars().take(4).chain("…".chars()).collect(),
        })
    }
}
