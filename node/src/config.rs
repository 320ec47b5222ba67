//! What an operator writes for one node: a TOML file. Paths are relative to the file.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::ids::UnitId;
use protocol::registry::Anchor;
use protocol::text::without_bom;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::fault::FaultCode;

/// The configuration file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whose node this is.
    pub unit: UnitId,
    /// Where the journal and the view are.
    pub data: PathBuf,
    /// Address of the API, for example `127.0.0.1:8321`. Other machines are let in with TLS only:
    /// see [`Config::tls`].
    pub listen: String,
    /// The root keys of the registry, known from outside: as many as must sign it. One key or a
    /// list.
    pub root: Anchor,
    /// Directory with the registry chain, catalogue and plan notes.
    pub published: PathBuf,
    /// Directory with `node.key`, `witness.key`, `vault.key` and the recorders' `<name>.key`, all
    /// of mode 0600.
    pub keys: PathBuf,
    /// File of bearer tokens, each as a SHA-256 digest: see the module `web::tokens`.
    pub tokens: PathBuf,
    /// The three who sign rollups, by their names without the unit.
    pub signatories: Signatories,
    /// NATS.
    pub nats: Option<Nats>,
    /// Whether a person accepts the children's rollups.
    #[serde(default)]
    pub accept: Accept,
    /// TLS of the API. Without it the node listens on this machine only.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// Says that something else encrypts the way to an API without TLS that other machines can
    /// reach.
    #[serde(default)]
    pub listen_without_tls: bool,
    /// Reverse proxies whose `X-Forwarded-For` is believed, so that limits hold for the clients
    /// behind them.
    #[serde(default)]
    pub proxies: Vec<IpAddr>,
    /// How much anybody may ask.
    #[serde(default)]
    pub limits: Limits,
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

/// The API's certificate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate and those between it and the authority, PEM.
    pub cert: PathBuf,
    /// Its key, PEM, mode 0600.
    pub key: PathBuf,
}

/// Limits of the API. The defaults fit a county with a dozen clerks; a request larger than
/// 16 MiB is refused in any case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests a second for one token, in the long run; an address may do four times as much.
    pub requests_per_second: u32,
    /// How many may come at once.
    pub burst: u32,
    /// Requests without a good token, for one address.
    pub failures_per_minute: u32,
    /// Connections at the same time.
    pub connections: usize,
    /// Of these, from one address.
    pub connections_per_address: usize,
    /// How long the headers of a request may take, and a connection may do nothing.
    pub header_seconds: u64,
    /// How long a request may take.
    pub request_seconds: u64,
    /// How slowly a body may come and an answer be taken, in the long run.
    pub bytes_per_second: u32,
    /// How long less than that is borne with.
    pub patience_seconds: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            requests_per_second: 100,
            burst: 400,
            failures_per_minute: 20,
            connections: 512,
            connections_per_address: 128,
            header_seconds: 15,
            request_seconds: 120,
            bytes_per_second: 4_096,
            patience_seconds: 30,
        }
    }
}

impl Limits {
    /// How long headers may take.
    pub fn header_time(&self) -> Duration {
        Duration::from_secs(self.header_seconds)
    }
    /// How long a request may take.
    pub fn request_time(&self) -> Duration {
        Duration::from_secs(self.request_seconds)
    }
    /// The first limit that nobody could keep to.
    fn zero(&self) -> Option<&'static str> {
        let numbers = [
            ("requests_per_second", u64::from(self.requests_per_second)),
            ("burst", u64::from(self.burst)),
            ("failures_per_minute", u64::from(self.failures_per_minute)),
            ("connections", self.connections as u64),
            (
                "connections_per_address",
                self.connections_per_address as u64,
            ),
            ("header_seconds", self.header_seconds),
            ("request_seconds", self.request_seconds),
            ("bytes_per_second", u64::from(self.bytes_per_second)),
            ("patience_seconds", self.patience_seconds),
        ];
        numbers
            .into_iter()
            .find(|(_, n)| *n == 0)
            .map(|(name, _)| name)
    }
}

/// The way to NATS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nats {
    /// `nats://…` or `tls://…`, several of a cluster with commas or as a list.
    #[serde(deserialize_with = "some_addresses")]
    pub url: Vec<String>,
    /// Addresses of the servers' monitoring, where `sync_always` is shown: one, or a list with that
    /// of each server of a cluster.
    #[serde(deserialize_with = "some_addresses")]
    pub monitor: Vec<String>,
    /// File with the unit's NKey seed, mode 0600.
    pub seed: PathBuf,
    /// Certificate authority for TLS.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Client certificate and key for TLS.
    #[serde(default)]
    pub client: Option<(PathBuf, PathBuf)>,
}

/// One address, several with commas, or a list.
fn some_addresses<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Addresses {
        One(String),
        Several(Vec<String>),
    }
    let list = match Addresses::deserialize(reader)? {
        Addresses::One(text) => text.split(',').map(str::to_owned).collect(),
        Addresses::Several(list) => list,
    };
    let list: Vec<String> = list.iter().map(|a| a.trim().to_owned()).collect();
    if list.is_empty() || list.iter().any(String::is_empty) {
        return Err(D::Error::custom("an address is empty"));
    }
    Ok(list)
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
#[error("configuration {path}: {message} [{}]", FaultCode::ConfigMalformed)]
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
        let error = |message: String| ConfigError {
            path: path.display().to_string(),
            message,
        };
        let text = crate::text_file::read(path).map_err(|e| error(e.to_string()))?;
        let mut config: Config = toml::from_str(without_bom(&text))
            .map_err(|e| error(protocol::authoring::TomlError::new(&e, &text).to_string()))?;
        let base = path.parent().unwrap_or(Path::new("."));
        for p in [
            &mut config.data,
            &mut config.published,
            &mut config.keys,
            &mut config.tokens,
        ] {
            *p = base.join(&*p);
        }
        if let Some(limit) = config.limits.zero() {
            return Err(error(format!(
                "limits.{limit} is 0: nobody could ask anything"
            )));
        }
        if let Some(tls) = &mut config.tls {
            tls.cert = base.join(&tls.cert);
            tls.key = base.join(&tls.key);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_one_several_or_a_list() {
        let read = |value: &str| {
            let text = format!("url = {value}\nmonitor = {value}\nseed = \"s\"");
            toml::from_str::<Nats>(&text).map(|nats| (nats.url, nats.monitor))
        };
        let both = vec!["a".to_owned(), "b".to_owned()];
        for written in ["\"a, b\"", "[\"a\", \"b\"]"] {
            assert_eq!(read(written).unwrap(), (both.clone(), both.clone()));
        }
        assert_eq!(read("\"a\"").unwrap().0, ["a"]);
        for written in ["\"\"", "[]", "\"a,\"", "[\"\"]", "1"] {
            assert!(read(written).is_err(), "{written}");
        }
    }
}
