//! The servers of a cluster, as the operator lists them: three that keep what the federation sends
//! when one is down, or one and another loses its disk.

use super::error::NatsError;
use super::options::{ClusterMember, RouteTls, ServerOptions};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The port by which servers speak to each other, where the list names no other.
const ROUTE_PORT: u16 = 6222;

/// A server of the cluster. What is left out is as the command line says for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterServer {
    /// Its name: letters, digits, `-` and `_`. It never changes: the others know its copies by it.
    pub name: String,
    /// The host by which nodes and the other servers reach it.
    pub address: String,
    /// Where it listens for nodes and for the other servers.
    pub host: Option<String>,
    /// The port for nodes.
    pub port: Option<u16>,
    /// The port for the other servers.
    pub route_port: Option<u16>,
    /// Where it listens for monitoring.
    pub monitor_host: Option<String>,
    /// The port for monitoring.
    pub monitor_port: Option<u16>,
    /// Where its JetStream keeps its files.
    pub store_dir: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClusterFile {
    server: Vec<ClusterServer>,
}

/// Reads a list of servers.
///
/// # Errors
/// A list that cannot be read, or that no cluster can be made of.
pub fn read_cluster(path: &Path) -> Result<Vec<ClusterServer>, NatsError> {
    let bad = |reason: String| NatsError::Option {
        field: path.display().to_string(),
        reason,
    };
    let text = node::text_file::read(path).map_err(|e| bad(e.to_string()))?;
    let file: ClusterFile = toml::from_str(&text)
        .map_err(|e| bad(protocol::authoring::TomlError::new(&e, &text).to_string()))?;
    Ok(file.server)
}

/// The options of each server: those of all, with what is its own.
///
/// # Errors
/// Servers that no cluster can be made of.
pub fn members(
    all: &ServerOptions,
    servers: &[ClusterServer],
    tls: Option<&RouteTls>,
) -> Result<Vec<ServerOptions>, NatsError> {
    check(servers)?;
    let route = |server: &ClusterServer| {
        let port = server.route_port.unwrap_or(ROUTE_PORT);
        (port, format!("{}:{port}", server.address))
    };
    let routes: Vec<String> = servers.iter().map(|server| route(server).1).collect();
    let of_one = |server: &ClusterServer| {
        let mut options = all.clone();
        options.host = server.host.clone().unwrap_or(options.host);
        options.port = server.port.unwrap_or(options.port);
        options.monitor_host = server.monitor_host.clone().unwrap_or(options.monitor_host);
        options.monitor_port = server.monitor_port.unwrap_or(options.monitor_port);
        options.store_dir = server.store_dir.clone().unwrap_or(options.store_dir);
        let (route_port, advertise) = route(server);
        options.cluster = Some(ClusterMember {
            server_name: server.name.clone(),
            client_advertise: format!("{}:{}", server.address, options.port),
            listen: format!("{}:{route_port}", options.host),
            advertise,
            routes: routes.clone(),
            tls: tls.cloned(),
        });
        options
    };
    Ok(servers.iter().map(of_one).collect())
}

fn check(servers: &[ClusterServer]) -> Result<(), NatsError> {
    let bad = |reason: String| NatsError::Option {
        field: "server".to_owned(),
        reason,
    };
    // Two outlive nothing: more than half of the servers must be up.
    if servers.len() < 3 {
        let count = servers.len();
        return Err(bad(format!("{count} listed; a cluster has at least three")));
    }
    let mut names = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for server in servers {
        let name = &server.name;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || !name.chars().all(is_plain) {
            let reason = format!("'{name}' is no name: letters, digits, - and _");
            return Err(bad(reason));
        }
        if !names.insert(name) {
            return Err(bad(format!("{name} is listed twice")));
        }
        if !addresses.insert((&server.address, server.route_port)) {
            return Err(bad(format!("{name} has the address of another one")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Vec<ClusterServer> {
        let server = |n: u8| ClusterServer {
            name: format!("n{n}"),
            address: format!("n{n}.example.gov.cn"),
            ..ClusterServer::default()
        };
        (1..=3).map(server).collect()
    }

    fn all() -> ServerOptions {
        let admin = super::super::create_user().unwrap().public_nkey;
        ServerOptions::local(4222, 8222, "/var/lib/nats".into(), admin, Vec::new())
    }

    #[test]
    fn each_server_is_told_of_all_and_has_what_is_its_own() {
        let mut servers = three();
        servers[1].monitor_host = Some("10.0.0.2".to_owned());
        servers[1].port = Some(4223);
        let options = members(&all(), &servers, None).unwrap();
        let second = options[1].cluster.as_ref().unwrap();
        assert_eq!(second.server_name, "n2");
        assert_eq!(second.client_advertise, "n2.example.gov.cn:4223");
        assert_eq!(second.listen, "127.0.0.1:6222");
        assert_eq!(second.routes.len(), 3);
        assert!(second.routes.contains(&second.advertise));
        assert_eq!(options[1].monitor_host, "10.0.0.2");
        assert_eq!(options[2].monitor_host, "127.0.0.1");
    }

    #[test]
    fn what_is_no_cluster_is_refused() {
        let spoils: [fn(&mut Vec<ClusterServer>); 5] = [
            |s| s.truncate(2),
            |s| s[1].name = s[0].name.clone(),
            |s| s[1].address = s[0].address.clone(),
            |s| s[1].name = "a\" b".to_owned(),
            |s| s[1].name.clear(),
        ];
        assert!(members(&all(), &three(), None).is_ok());
        for (i, spoil) in spoils.into_iter().enumerate() {
            let mut servers = three();
            spoil(&mut servers);
            let refused = members(&all(), &servers, None).unwrap_err();
            assert_eq!(refused.code(), "nats.option", "case {i}");
        }
    }
}
