//! What an operator writes for one node: a TOML file. Paths are relative to the file.

use std::path::{Path, PathBuf};

use protocol::ids::UnitId;
use protocol::note::VerifierKey;
use serde::Deserialize;

/// The configuration file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whose node this is.
    pub unit: UnitId,
    /// Where the journal and the view are.
    pub data: PathBuf,
    /// Address of the API, for example `127.0.0.1:8321`.
    pub listen: String,
    /// The root key of the registry, known from outside.
    pub root: VerifierKey,
    /// Directory with the registry chain, catalogue and plan notes.
    pub published: PathBuf,
    /// Directory with `node.key`, `witness.key`, `vault.key` and the recorders' `<name>.key`, all of mode 0600.
    pub keys: PathBuf,
    /// File of bearer tokens, each as a SHA-256 digest: see [`crate::web::tokens`].
    pub tokens: PathBuf,
    /// The three who sign rollups, by their names without the unit.
    pub signatories: Signatories,
    /// NATS.
    pub nats: Option<Nats>,
    /// TLS of the API is the reverse proxy's; see the runbook.
    #[serde(default)]
    pub accept: Accept,
    /// For demonstrations and drills only: a file that holds the time.
    #[serde(default)]
    pub clock: Option<PathBuf>,
}

/// Who signs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signatories {
    /// 填表人
    pub preparer: String,
    /// 统计负责人
    pub reviewer: String,
    /// 单位负责人
    pub head: String,
}

/// How rollups of children are accepted once every check holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accept {
    /// A person decides (the default).
    #[default]
    Person,
    /// The node accepts by itself; a failed check is rejected either way.
    Auto,
}

/// The way to NATS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nats {
    /// `nats://…` or `tls://…`
    pub url: String,
    /// Address of the server's monitoring, where `sync_always` is shown.
    pub monitor: String,
    /// File with the unit's NKey seed, mode 0600.
    pub seed: PathBuf,
    /// Certificate authority for TLS.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Client certificate and key for TLS.
    #[serde(default)]
    pub client: Option<(PathBuf, PathBuf)>,
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
#[error("configuration {path}: {message} [config.malformed]")]
pub struct ConfigError {
    path: String,
    message: String,
}

impl Config {
    /// Reads a file and makes its paths absolute.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let error = |message: String| ConfigError { path: path.display().to_string(), message };
        let text = std::fs::read_to_string(path).map_err(|e| error(e.to_string()))?;
        let mut config: Config = toml::from_str(&text).map_err(|e| error(e.to_string()))?;
        let base = path.parent().unwrap_or(Path::new("."));
        for p in [&mut config.data, &mut config.published, &mut config.keys, &mut config.tokens] {
            *p = base.join(&*p);
        }
        if let Some(clock) = &mut config.clock {
            *clock = base.join(&*clock);
        }
        if let Some(nats) = &mut config.nats {
            nats.seed = base.join(&nats.seed);
            if let Some(ca) = &mut nats.ca {
                *ca = base.join(&*ca);
            }
            if let Some((cert, key)) = &mut nats.client {
                *cert = base.join(&*cert);
                *key = base.join(&*key);
            }
        }
        Ok(config)
    }
}
