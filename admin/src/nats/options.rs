//! What the operator decides about a server.

use super::unit::NatsUnit;
use std::path::PathBuf;

/// TLS of the server.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// Its certificate, PEM.
    pub cert_file: PathBuf,
    /// Its key, PEM.
    pub key_file: PathBuf,
    /// When given, clients must show a certificate of this authority.
    pub client_ca_file: Option<PathBuf>,
}

/// By which the servers of a cluster show each other who they are.
#[derive(Clone, Debug)]
pub struct RouteTls {
    /// A server's certificate towards the others, PEM. It serves for both sides of a connection.
    pub cert_file: PathBuf,
    /// Its key, PEM.
    pub key_file: PathBuf,
    /// The authority of these certificates, PEM, and of no others: whoever has one of it may join
    /// and say anything in anybody's name.
    pub ca_file: PathBuf,
}

/// What one server of a cluster knows of the cluster.
#[derive(Clone, Debug)]
pub struct ClusterMember {
    /// Its own name.
    pub server_name: String,
    /// The address and port that it tells nodes.
    pub client_advertise: String,
    /// The address and port where it listens for the others.
    pub listen: String,
    /// The address and port that it tells the others.
    pub advertise: String,
    /// The addresses and ports of all, its own too.
    pub routes: Vec<String>,
    /// How they show each other who they are.
    pub tls: Option<RouteTls>,
}

/// What the operator decides.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The address for nodes; `127.0.0.1` unless nodes are on other machines, and then with TLS.
    pub host: String,
    /// The port for nodes.
    pub port: u16,
    /// The address for monitoring, which each node asks for `sync_always`. It has no login: keep it
    /// inside.
    pub monitor_host: String,
    /// The port for monitoring.
    pub monitor_port: u16,
    /// Where JetStream keeps its files.
    pub store_dir: PathBuf,
    /// How much it may keep.
    pub max_file_bytes: u64,
    /// The operator's own user.
    pub admin_public_nkey: String,
    /// The units.
    pub units: Vec<NatsUnit>,
    /// TLS.
    pub tls: Option<ServerTls>,
    /// The cluster that it is a server of; none where it stands alone.
    pub cluster: Option<ClusterMember>,
}

impl ServerOptions {
    /// A server for this machine alone.
    #[must_use]
    pub fn local(
        port: u16,
        monitor_port: u16,
        store_dir: PathBuf,
        admin_public_nkey: String,
        units: Vec<NatsUnit>,
    ) -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port,
            monitor_host: "127.0.0.1".to_owned(),
            monitor_port,
            store_dir,
            max_file_bytes: 8 * 1024 * 1024 * 1024,
            admin_public_nkey,
            units,
            tls: None,
            cluster: None,
        }
    }
}
