//! Writes nats.conf: the server's durability, its limits, and for each unit a user that may do what
//! its place allows.

use super::error::NatsError;
use super::options::{ClusterMember, RouteTls, ServerOptions, ServerTls};
use super::unit::{NatsUnit, checked};
use super::user;
use node::link::access::Import;
use node::link::subject::{DOWN_PREFIX, UP_PREFIX};
use node::link::{UnitPath, access};
use std::path::Path;

/// The account that the streams stand in.
const STREAMS: &str = "COUNTERSIGN";

/// The text of nats.conf. The same options give the same text.
///
/// # Errors
/// A unit, key or option that cannot be written.
pub fn server_config(options: &ServerOptions) -> Result<String, NatsError> {
    user::check_public(&options.admin_public_nkey, "operator")?;
    let units = checked(&options.units)?;
    let taken = |(_, u): &&(UnitPath, &NatsUnit)| u.public_nkey == options.admin_public_nkey;
    if let Some((path, _)) = units.iter().find(taken) {
        return Err(NatsError::Unit {
            unit: path.to_string(),
            reason: "it has the operator's NKey".to_owned(),
        });
    }
    let mut text = listeners(options)?;
    if let Some(member) = &options.cluster {
        text += &cluster(member)?;
    }
    text += &jetstream(options)?;
    if let Some(tls) = &options.tls {
        text += &tls_block(tls)?;
    }
    text += &accounts(&options.admin_public_nkey, &units);
    Ok(text)
}

fn listeners(options: &ServerOptions) -> Result<String, NatsError> {
    let listen = quoted("host", &format!("{}:{}", options.host, options.port))?;
    let monitor = format!("{}:{}", options.monitor_host, options.monitor_port);
    let http = quoted("monitor_host", &monitor)?;
    Ok(format!(
        "# nats.conf, written by `countersign nats config` from the registry. \
         Do not edit: write it anew.
listen: {listen}
http: {http}
max_payload: 8MB
# A node that is cut off without a word is given up after a minute and a half, not after six.
ping_interval: \"30s\"
ping_max: 2
"
    ))
}

/// Who the server is, and who the others are.
fn cluster(member: &ClusterMember) -> Result<String, NatsError> {
    let name = quoted("server_name", &member.server_name)?;
    let for_nodes = quoted("address", &member.client_advertise)?;
    let listen = quoted("host", &member.listen)?;
    let advertise = quoted("address", &member.advertise)?;
    let route = |address: &String| quoted("address", &format!("nats-route://{address}"));
    let routes: Vec<String> = member.routes.iter().map(route).collect::<Result<_, _>>()?;
    let tls = member.tls.as_ref().map_or(Ok(String::new()), route_tls)?;
    Ok(format!(
        "server_name: {name}
client_advertise: {for_nodes}
cluster {{
  name: countersign
  listen: {listen}
  advertise: {advertise}
  routes: [{}]
{tls}}}
",
        routes.join(", ")
    ))
}

fn route_tls(tls: &RouteTls) -> Result<String, NatsError> {
    let cert = path_of("route_cert", &tls.cert_file)?;
    let key = path_of("route_key", &tls.key_file)?;
    let ca = path_of("route_ca", &tls.ca_file)?;
    Ok(format!(
        "  tls {{\n    cert_file: {cert}\n    key_file: {key}\n    ca_file: {ca}\n    verify: true\n  }}\n"
    ))
}

fn jetstream(options: &ServerOptions) -> Result<String, NatsError> {
    let (store, bytes) = (
        path_of("store_dir", &options.store_dir)?,
        options.max_file_bytes,
    );
    Ok(format!(
        "jetstream {{
  store_dir: {store}
  # An acknowledged message is on disk. Nodes check this and refuse to send without it.
  sync_interval: always
  max_file_store: {bytes}
  max_memory_store: 16MB
}}
"
    ))
}

fn tls_block(tls: &ServerTls) -> Result<String, NatsError> {
    let cert = path_of("cert_file", &tls.cert_file)?;
    let key = path_of("key_file", &tls.key_file)?;
    let clients = match &tls.client_ca_file {
        Some(ca) => {
            let ca = path_of("client_ca_file", ca)?;
            format!("  ca_file: {ca}\n  verify: true\n")
        }
        None => String::new(),
    };
    Ok(format!(
        "tls {{\n  cert_file: {cert}\n  key_file: {key}\n{clients}}}\n"
    ))
}

/// The account with the streams, which the operator alone can enter, and one for each unit. Why
/// apart: see [`access`].
fn accounts(operator: &str, units: &[(UnitPath, &NatsUnit)]) -> String {
    let of_units: String = units
        .iter()
        .map(|(path, unit)| account_of(path, unit))
        .collect();
    format!(
        "accounts {{
  {STREAMS} {{
    jetstream: enabled
    # The operator: everything in this account.
    users: [ {{ nkey: {operator} }} ]
    # Nobody else can write an import: only the units below have some.
    exports: [
      {{ service: \"{UP_PREFIX}.>\" }}
      {{ service: \"{DOWN_PREFIX}.>\" }}
      {{ service: \"$JS.API.CONSUMER.MSG.NEXT.*.*\", response: stream }}
      {{ service: \"$JS.API.CONSUMER.INFO.*.*\" }}
      {{ service: \"$JS.ACK.>\" }}
    ]
  }}
{of_units}}}
"
    )
}

/// Connections of one unit at a time: its node's, those that are being replaced, and some for people
/// who look into it. Without a bound one seed could take all that the server has.
const MAX_CONNECTIONS: u32 = 16;
/// Subscriptions of one unit at a time: a node has an inbox and one for each request.
const MAX_SUBSCRIPTIONS: u32 = 512;

/// The account of a unit: no JetStream, one user, and nothing of other accounts but its imports.
fn account_of(path: &UnitPath, unit: &NatsUnit) -> String {
    let imports: String = unit
        .places(path)
        .imports(unit.has_children)
        .iter()
        .map(import)
        .collect();
    let publish = list(&unit.places(path).publish_permissions(unit.has_children));
    let subscribe = list(&access::subscribe_permissions(path));
    format!(
        "  # {path}
  UNIT_{} {{
    limits: {{ max_connections: {MAX_CONNECTIONS}, max_subscriptions: {MAX_SUBSCRIPTIONS} }}
    users: [ {{ nkey: {}, permissions: {{
      publish: {{ allow: [{publish}] }},
      subscribe: {{ allow: [{subscribe}] }} }} }} ]
    imports: [
{imports}    ]
  }}
",
        path.unit(),
        unit.public_nkey
    )
}

fn import(import: &access::Import) -> String {
    let Import { subject, local, .. } = import;
    let to = if subject == local {
        String::new()
    } else {
        format!(", to: \"{local}\"")
    };
    format!("      {{ service: {{ account: {STREAMS}, subject: \"{subject}\" }}{to} }}\n")
}

fn list(subjects: &[String]) -> String {
    // Subjects hold letters, digits and `. _ $ * >` only: they need no escape.
    subjects
        .iter()
        .map(|s| format!("\"{s}\""))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A string that cannot break out of its quotes.
fn quoted(field: &str, value: &str) -> Result<String, NatsError> {
    if value.is_empty()
        || value
            .chars()
            .any(|c| c.is_control() || matches!(c, '"' | '\\' | '\''))
    {
        return Err(NatsError::Option {
            field: field.to_owned(),
            reason: "must not be empty or hold quotes, backslashes or control characters"
                .to_owned(),
        });
    }
    Ok(format!("\"{value}\""))
}

fn path_of(field: &str, path: &Path) -> Result<String, NatsError> {
    let text = path.to_str().ok_or_else(|| NatsError::Option {
        field: field.to_owned(),
        reason: "the path is not UTF-8".to_owned(),
    })?;
    quoted(field, text)
}

#[cfg(test)]
mod tests {
    use super::super::create_user;
    use super::*;

    fn unit(path: &str, has_children: bool) -> NatsUnit {
        let path = path.split('.').map(str::to_owned).collect();
        NatsUnit {
            path,
            former: Vec::new(),
            public_nkey: create_user().unwrap().public_nkey,
            has_children,
        }
    }

    fn options() -> ServerOptions {
        let units = vec![unit("1", true), unit("1.13", true), unit("1.13.5", false)];
        ServerOptions::local(
            4222,
            8222,
            "/var/lib/cs".into(),
            create_user().unwrap().public_nkey,
            units,
        )
    }

    #[test]
    fn the_text_promises_durability_and_names_each_unit_once() {
        let options = options();
        let text = server_config(&options).unwrap();
        assert_eq!(text, server_config(&options).unwrap());
        for line in [
            "listen: \"127.0.0.1:4222\"",
            "http: \"127.0.0.1:8222\"",
            "  sync_interval: always",
            "  store_dir: \"/var/lib/cs\"",
            "max_payload: 8MB",
            "  # 1.13.5",
            "  UNIT_5 {",
            "    jetstream: enabled",
        ] {
            assert_eq!(
                text.lines().filter(|l| *l == line).count(),
                1,
                "{line}\n{text}"
            );
        }
        assert!(text.contains("\"cs.v1.down.1.13.*.receipt\""));
        assert!(!text.contains("cs.v1.down.1.13.5.*.receipt"));
        assert!(
            !text.contains("CONSUMER.CREATE")
                && !text.contains("STREAM.")
                && !text.contains("_INBOX.>")
                && !text.contains("$JS.API.>")
        );
        assert_eq!(text.matches("nkey:").count(), 4);
        assert!(!text.contains("tls {"));
    }

    #[test]
    fn a_server_of_a_cluster_says_who_it_is_and_who_the_others_are() {
        let mut options = options();
        assert!(!server_config(&options).unwrap().contains("cluster {"));
        let listen = "0.0.0.0:6222".to_owned();
        options.cluster = Some(ClusterMember {
            server_name: "n1".to_owned(),
            client_advertise: "a:4222".to_owned(),
            listen,
            advertise: "a:6222".to_owned(),
            routes: vec!["a:6222".to_owned(), "b:6222".to_owned()],
            tls: Some(RouteTls {
                cert_file: "/c".into(),
                key_file: "/k".into(),
                ca_file: "/a".into(),
            }),
        });
        let text = server_config(&options).unwrap();
        for line in [
            "server_name: \"n1\"",
            "client_advertise: \"a:4222\"",
            "  listen: \"0.0.0.0:6222\"",
            "  routes: [\"nats-route://a:6222\", \"nats-route://b:6222\"]",
            "    ca_file: \"/a\"",
            "    verify: true",
        ] {
            assert_eq!(
                text.lines().filter(|l| *l == line).count(),
                1,
                "{line}\n{text}"
            );
        }
    }

    #[test]
    fn tls_is_written_when_asked_for() {
        let mut options = options();
        options.tls = Some(ServerTls {
            cert_file: "/c".into(),
            key_file: "/k".into(),
            client_ca_file: Some("/a".into()),
        });
        let text = server_config(&options).unwrap();
        assert!(
            text.contains(
                "tls {\n  cert_file: \"/c\"\n  key_file: \"/k\"\n  ca_file: \
            \"/a\"\n  verify: true\n}"
            ),
            "{text}"
        );
    }

    #[test]
    fn bad_lists_and_options_are_refused() {
        type Case = (&'static str, fn(&mut ServerOptions));
        let cases: [Case; 8] = [
            ("nats.unit", |o| o.units[2].path = o.units[1].path.clone()),
            ("nats.unit", |o| {
                o.units[2].public_nkey = o.units[1].public_nkey.clone()
            }),
            ("nats.unit", |o| {
                o.units[0].public_nkey = o.admin_public_nkey.clone()
            }),
            ("nats.unit", |o| o.units[1].has_children = false),
            ("nats.unit", |o| o.units[2].path[2] = "5\"x".to_owned()),
            ("nats.key", |o| o.units[2].public_nkey = "UABC".to_owned()),
            ("nats.key", |o| {
                o.admin_public_nkey = create_user().unwrap().seed.to_string()
            }),
            ("nats.option", |o| o.store_dir = "/a\" }".into()),
        ];
        for (i, (code, spoil)) in cases.into_iter().enumerate() {
            let mut options = options();
            spoil(&mut options);
            assert_eq!(
                server_config(&options).unwrap_err().code(),
                code,
                "case {i}"
            );
        }
    }
}
