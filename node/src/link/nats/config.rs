//! What a link needs to know: the server, its TLS, who connects.

use crate::link::access;
use crate::link::error::LinkError;
use crate::link::places::Places;
use crate::link::seed;
use async_nats::ConnectOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a silent connection is tried. The client gives it up when a third ping in a row finds
/// the first still without an answer: a network that swallows packets without a word is noticed
/// within 15 s, not after the quarter of an hour that TCP alone may take. On an idle link this
/// costs a few bytes each time.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// TLS towards the server.
#[derive(Clone, Debug, Default)]
pub struct LinkTls {
    /// Refuse a connection without TLS.
    pub required: bool,
    /// TLS before the server's greeting (nats.conf: `handshake_first`).
    pub first: bool,
    /// Certificates of the authorities to trust instead of the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// The node's own certificate and key, PEM.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl LinkTls {
    /// Options of a connection with this TLS. The operator's commands use it too.
    ///
    /// # Errors
    /// [`LinkError::Setup`]: a file that cannot be used, named before the first attempt and not in
    /// the middle of one.
    pub fn apply(
        &self,
        url: &str,
        mut options: ConnectOptions,
    ) -> Result<ConnectOptions, LinkError> {
        let bad = |file: &Path, reason: String| LinkError::Setup {
            url: url.to_owned(),
            reason: format!("{}: {reason}", file.display()),
        };
        let open = |file: &Path| std::fs::File::open(file).map_err(|e| bad(file, e.to_string()));
        if self.required {
            options = options.require_tls(true);
        }
        if self.first {
            options = options.tls_first();
        }
        if let Some(ca) = &self.ca_file {
            drop(open(ca)?);
            options = options.add_root_certificates(ca.clone());
        }
        if let Some((cert, key)) = &self.client {
            drop(open(cert)?);
            seed::only_for_its_owner(&open(key)?).map_err(|reason| bad(key, reason))?;
            options = options.add_client_certificate(cert.clone(), key.clone());
        }
        Ok(options)
    }
}

/// What the link needs to know.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Each `nats://host:port` or `tls://host:port`; the servers of one cluster.
    pub servers: Vec<String>,
    /// The servers' monitoring addresses, `http://host:port`, in any order.
    pub monitors: Vec<String>,
    /// The file with this node's NKey seed, mode 0600.
    pub seed_file: PathBuf,
    /// The file that keeps for the next process what the streams must hold.
    pub marks_file: PathBuf,
    /// Where this unit stands and stood.
    pub places: Places,
    /// Whether it has units below it.
    pub has_children: bool,
    /// TLS.
    pub tls: LinkTls,
}

impl LinkConfig {
    /// The servers as messages name them.
    pub(super) fn url(&self) -> String {
        self.servers.join(",")
    }

    /// Who connects, and by which TLS.
    pub(super) fn options(&self, seed: &str) -> Result<ConnectOptions, LinkError> {
        let unit = self.places.unit();
        let options = ConnectOptions::new()
            .nkey(seed.to_owned())
            .name(format!("countersign-node {unit}"))
            .custom_inbox_prefix(access::inbox_prefix(unit))
            .ping_interval(PING_INTERVAL);
        self.tls.apply(&self.url(), options)
    }
}
