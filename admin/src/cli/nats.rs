//! `countersign nats`: users, the server's configuration, streams and consumers. See
//! [`crate::nats`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use node::link::LinkTls;
use serde_json::json;

use super::output::{CommandResult, Failure, Output, replace, say, sayln};
use super::registry::chain::{parse, read_note};
use super::units;
use crate::nats::{
    self, Loss, NatsUnit, ProvisionOptions, Replicas, RouteTls, Seen, ServerOptions, ServerTls,
    Timing,
};

/// How often `provision --keep` reads the files of units again and goes through all consumers.
const FULL_PASS_INTERVAL: Duration = Duration::from_secs(60);
/// How long it waits after trouble.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Make users, nats.conf, streams and consumers
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  countersign nats user nats.seed")]
pub enum Command {
    /// Make an NKey: the seed goes to a file, the public half is printed
    #[command(after_help = "Example:\n  countersign nats user keys/nats.seed\n\n\
        Each unit makes its own and puts the public half into its card as `nkey`; the operator of \
        the server makes one, too.")]
    User {
        /// New file for the seed, mode 0600
        file: PathBuf,
    },
    Config(Config),
    Provision(Provision),
    Renew(Renew),
}

/// Write nats.conf from files of units
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  countersign nats config --units units.csv --units 140321.toml \
        --skip-keyless --admin U… \
    --store-dir /var/lib/nats -o nats.conf\n  \
    countersign nats config --cluster cluster.toml --units units.csv --skip-keyless --admin U… \
    --store-dir /var/lib/nats \\\n    --host 0.0.0.0 -o conf\n\n\
    cluster.toml, once for each of three servers; host, port, route_port, monitor_host, \
    monitor_port and store_dir may be\ngiven for one server as well:\n  \
    [[server]]\n  name = \"n1\"\n  address = \"n1.example.gov.cn\"\n\n\
    The server syncs every message before it acknowledges (sync_interval: always); nodes check \
    this and send nothing otherwise.\n\
    With nodes on other machines give --host 0.0.0.0 and TLS. The monitoring address has no login: \
    keep it inside."
)]
pub struct Config {
    /// File of units with their nkey; repeat for several
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    units: Vec<PathBuf>,
    /// Note of the newest registry: units stand where it says, and keep the ways of the months
    /// before they moved
    #[arg(long, value_name = "NOTE")]
    registry: Option<PathBuf>,
    /// Leave out units without an NKey
    #[arg(long)]
    skip_keyless: bool,
    /// Public NKey of the server's operator
    #[arg(long, value_name = "U…")]
    admin: String,
    /// Where JetStream keeps its files
    #[arg(long, value_name = "DIR")]
    store_dir: PathBuf,
    /// Address for nodes
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Port for nodes
    #[arg(long, default_value_t = 4222)]
    port: u16,
    /// Address for monitoring
    #[arg(long, default_value = "127.0.0.1")]
    monitor_host: String,
    /// Port for monitoring
    #[arg(long, default_value_t = 8222)]
    monitor_port: u16,
    /// How many bytes JetStream may keep
    #[arg(long, default_value_t = 8 << 30)]
    max_file_bytes: u64,
    /// The server's certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Ask clients for a certificate of this authority, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
    /// List of the servers of a cluster, TOML; without it one server that stands alone
    #[arg(long, value_name = "FILE", requires = "output")]
    cluster: Option<PathBuf>,
    /// A server's certificate towards the others of the cluster, PEM
    #[arg(long, value_name = "FILE", requires_all = ["cluster", "route_key", "route_ca"])]
    route_cert: Option<PathBuf>,
    /// The key of that certificate, PEM
    #[arg(long, value_name = "FILE", requires = "route_cert")]
    route_key: Option<PathBuf>,
    /// The authority of these certificates and of no others, PEM
    #[arg(long, value_name = "FILE", requires = "route_cert")]
    route_ca: Option<PathBuf>,
    /// File for the configuration, replaced if it is there; without it the text is printed. Of a
    /// cluster a directory, with one file for each server
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How to reach the servers as their operator
#[derive(Debug, Args)]
pub struct Operator {
    /// Address of the server; of a cluster several, with commas
    #[arg(long)]
    url: String,
    /// Seed file of the server's operator
    #[arg(long, value_name = "FILE")]
    seed: PathBuf,
    /// Trust the server's certificate by this authority alone, PEM; a connection without TLS is
    /// then refused
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Certificate to show, PEM, where the server asks for one
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// The key of that certificate, PEM, mode 0600
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
}

impl Operator {
    fn tls(&self) -> LinkTls {
        LinkTls {
            required: self.ca.is_some(),
            first: false,
            ca_file: self.ca.clone(),
            client: self.client_cert.clone().zip(self.client_key.clone()),
        }
    }

    fn seed(&self) -> Result<impl std::ops::Deref<Target = String> + use<>, Failure> {
        node::link::read_seed(&self.seed).map_err(|e| Failure::coded(e.code(), e.to_string()))
    }
}

/// Make or bring up to date the streams and consumers of a running nats-server
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  countersign nats provision --url nats://127.0.0.1:4222 --seed \
        admin.seed --units units.csv --units 140321.toml \
    --skip-keyless\n  countersign nats provision --url tls://nats.example.gov.cn:4222 --ca \
    nats-ca.pem --seed admin.seed --units units.csv --skip-keyless\n\n\
    It may be repeated at any time; run it after each change of the units. It writes only what \
    differs. With --keep it stays and does so by itself: after changes of\n\
    the files, and when the server lost its store or a consumer. Let it run as a service beside nats-server."
)]
pub struct Provision {
    #[command(flatten)]
    operator: Operator,
    /// On how many servers of a cluster each stream is to be: 3 on three servers. Without it new
    /// streams are on one, and others stay as they are
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=5))]
    replicas: Option<u8>,
    /// Let --replicas also take away copies that are there
    #[arg(long, requires = "replicas")]
    lower_replicas: bool,
    /// File of units with their nkey; repeat for several
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    units: Vec<PathBuf>,
    /// Note of the newest registry: units stand where it says, and keep the ways of the months
    /// before they moved
    #[arg(long, value_name = "NOTE")]
    registry: Option<PathBuf>,
    /// Leave out units without an NKey
    #[arg(long)]
    skip_keyless: bool,
    /// Stay, and make anew what is missing, until stopped
    #[arg(long)]
    keep: bool,
    /// Seconds after which a message without answer comes again
    #[arg(long, value_name = "SECONDS", default_value_t = Timing::default().ack_wait.as_secs(), value_parser = clap::value_parser!(u64).range(1..=3600))]
    ack_wait: u64,
    /// Seconds for which a stream knows a repeated message again
    #[arg(long, value_name = "SECONDS", default_value_t = Timing::default().duplicate_window.as_secs(), value_parser = clap::value_parser!(u64).range(1..=3600))]
    duplicate_window: u64,
}

/// Delete a stream that nobody can lead any more, so that it is made anew
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  countersign nats renew --url nats://n1:4222,nats://n2:4222,nats://n3:4222 \
    --seed admin.seed CS_UP\n\n\
    For a cluster of which all servers run while a stream stays without a leader: the disks of most \
    of them were lost before the others had fetched\neverything. A stream that has a leader is not \
    deleted. Nodes have what they sent, and send it again into the stream that `provision` makes."
)]
pub struct Renew {
    #[command(flatten)]
    operator: Operator,
    /// Which stream
    #[arg(value_parser = [node::link::access::STREAM_UP, node::link::access::STREAM_DOWN])]
    stream: String,
    /// Seconds to wait for a leader before
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    patience: u64,
}

pub fn run(command: Command, out: &Output) -> CommandResult {
    match command {
        Command::User { file } => {
            let user = nats::create_user()?;
            nats::write_seed(&file, &user.seed)?;
            out.answer(json!({ "nkey": user.public_nkey, "file": file }), || {
                sayln!("{}", user.public_nkey)
            });
            out.note(format!(
                "The seed is in {}, and nowhere else.",
                file.display()
            ));
            Ok(true)
        }
        Command::Config(a) => config(a, out),
        Command::Provision(a) => provision(&a, out),
        Command::Renew(a) => renew(&a, out),
    }
}

fn nats_units(
    files: &[PathBuf],
    registry: Option<&Path>,
    skip_keyless: bool,
) -> Result<Vec<NatsUnit>, Failure> {
    // Who may use which subject of the transport proves nothing, so the note is taken as it is.
    let registry = registry.map(|note| parse(&read_note(note)?)).transpose()?;
    units::nats_units(&units::load(files)?, registry.as_ref(), skip_keyless)
}

fn config(a: Config, out: &Output) -> CommandResult {
    let units = nats_units(&a.units, a.registry.as_deref(), a.skip_keyless)?;
    let tls = match (a.tls_cert, a.tls_key) {
        (Some(cert_file), Some(key_file)) => Some(ServerTls {
            cert_file,
            key_file,
            client_ca_file: a.tls_client_ca,
        }),
        _ => None,
    };
    let count = units.len();
    let options = ServerOptions {
        host: a.host,
        port: a.port,
        monitor_host: a.monitor_host,
        monitor_port: a.monitor_port,
        store_dir: a.store_dir,
        max_file_bytes: a.max_file_bytes,
        admin_public_nkey: a.admin,
        units,
        tls,
        cluster: None,
    };
    if let (Some(list), Some(dir)) = (&a.cluster, &a.output) {
        let route_tls = match (a.route_cert, a.route_key, a.route_ca) {
            (Some(cert_file), Some(key_file), Some(ca_file)) => Some(RouteTls {
                cert_file,
                key_file,
                ca_file,
            }),
            _ => None,
        };
        let servers = nats::read_cluster(list)?;
        return cluster_config(
            &nats::members(&options, &servers, route_tls.as_ref())?,
            dir,
            out,
        );
    }
    warn_of_open_doors(&options, out);
    let text = nats::server_config(&options)?;
    if let Some(path) = &a.output {
        replace(path, text.as_bytes())?;
    }
    out.answer(
        json!({ "units": count, "file": a.output, "config": a.output.is_none().then_some(&text) }),
        || match &a.output {
            Some(path) => sayln!("{}: {count} unit(s)", path.display()),
            None => say(&text),
        },
    );
    Ok(true)
}

/// Writes one file for each server of a cluster.
fn cluster_config(members: &[ServerOptions], dir: &Path, out: &Output) -> CommandResult {
    std::fs::create_dir_all(dir).map_err(Failure::of)?;
    let mut files = Vec::new();
    for options in members {
        warn_of_open_doors(options, out);
        let name = options.cluster.as_ref().map_or("", |c| &c.server_name);
        let path = dir.join(format!("nats-{name}.conf"));
        replace(&path, nats::server_config(options)?.as_bytes())?;
        files.push(path);
    }
    let count = members.first().map_or(0, |options| options.units.len());
    out.answer(json!({ "units": count, "files": files }), || {
        for file in &files {
            sayln!("{}: {count} unit(s)", file.display());
        }
    });
    Ok(true)
}

/// Says what is open to other machines without a login.
fn warn_of_open_doors(options: &ServerOptions, out: &Output) {
    let local = |host: &str| {
        host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    };
    let (host, monitor) = (&options.host, &options.monitor_host);
    if options.tls.is_none() && !local(host) {
        out.note(format!(
            "warning: {host} is open to other machines without TLS; give --tls-cert and --tls-key"
        ));
    }
    if !local(monitor) {
        out.note(format!(
            "warning: monitoring on {monitor} has no login; let a firewall admit only the nodes"
        ));
    }
    if let Some(member) = &options.cluster
        && member.tls.is_none()
        && !local(host)
    {
        out.note(format!(
            "warning: whoever reaches {} joins the cluster; give --route-cert, --route-key and \
             --route-ca, or let a firewall admit only the servers",
            member.listen
        ));
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::of)
}

fn renew(a: &Renew, out: &Output) -> CommandResult {
    let (seed, tls) = (a.operator.seed()?, a.operator.tls());
    let patience = Duration::from_secs(a.patience);
    let deleted = nats::renew(&a.operator.url, &tls, &seed, &a.stream, patience);
    runtime()?.block_on(deleted)?;
    out.answer(json!({ "deleted": a.stream }), || {
        sayln!(
            "{} is deleted; `countersign nats provision` makes it anew",
            a.stream
        )
    });
    Ok(true)
}

fn provision(a: &Provision, out: &Output) -> CommandResult {
    let units = || nats_units(&a.units, a.registry.as_deref(), a.skip_keyless);
    let timing = Timing {
        ack_wait: Duration::from_secs(a.ack_wait),
        duplicate_window: Duration::from_secs(a.duplicate_window),
    };
    let replicas = match (a.replicas, a.lower_replicas) {
        (None, _) => Replicas::AsTheyAre,
        (Some(wanted), false) => Replicas::AtLeast(wanted.into()),
        (Some(wanted), true) => Replicas::Exactly(wanted.into()),
    };
    let options = ProvisionOptions { timing, replicas };
    let (seed, tls) = (a.operator.seed()?, a.operator.tls());
    let runtime = runtime()?;
    if a.keep {
        runtime.block_on(keep(a, out, &tls, &seed, &options, units));
    }
    let done = runtime.block_on(nats::provision(
        &a.operator.url,
        &tls,
        &seed,
        &units()?,
        &options,
    ))?;
    out.answer(
        json!({
            "created": done.created,
            "changed": done.changed,
            "confirmed": done.confirmed,
        }),
        || {
            let mut rows = out.table(&["stream or consumer", "was"]);
            for (names, word) in [
                (&done.created, "created"),
                (&done.changed, "there, and brought up to date"),
                (&done.confirmed, "there already"),
            ] {
                for name in names {
                    rows.add_row([name.as_str(), word]);
                }
            }
            super::output::print(&rows);
        },
    );
    Ok(true)
}

/// Provisions for ever. Trouble is told once, and waited out: the server may be away, or the files
/// half written.
async fn keep(
    a: &Provision,
    out: &Output,
    tls: &LinkTls,
    seed: &str,
    options: &ProvisionOptions,
    units: impl Fn() -> Result<Vec<NatsUnit>, Failure>,
) -> ! {
    let mut told = String::new();
    let mut seen = Seen::default();
    loop {
        let tried: Result<(), Failure> = async {
            let units = units()?;
            let done = nats::provision(&a.operator.url, tls, seed, &units, options).await?;
            for (word, names) in [("created", &done.created), ("changed", &done.changed)] {
                if !names.is_empty() {
                    out.note(format!("{word}: {}", names.join(", ")));
                }
            }
            told.clear();
            let (url, at_most) = (&a.operator.url, FULL_PASS_INTERVAL);
            let loss = nats::wait_for_loss(url, tls, seed, &units, &mut seen, at_most).await?;
            if let Loss::WentBack { stream, seq } = loss {
                out.note(format!(
                    "{stream} went back: its message {seq} is gone; its consumers are made anew"
                ));
            }
            Ok(())
        }
        .await;
        if let Err(failure) = tried {
            let text = failure.to_string();
            if text != told {
                out.note(format!("waiting: {text}"));
                told = text;
            }
            tokio::time::sleep(RETRY_DELAY).await;
        }
    }
}
