//! A federation on disk: keys, registry, catalogue, plans, NATS and one configuration per unit.
//!
//! Everything is made as an operator would make it (see the runbook), only faster: each unit gets
//! its own directory with its own keys, tokens, NKey and configuration.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use miette::{IntoDiagnostic, Result, miette};
use protocol::ids::{Tier, UnitId};
use protocol::note::{Alg, Note, SigningKey, VerifierKey};
use protocol::period::Month;
use protocol::published;
use protocol::registry::{Placement, Registry, Unit};

use crate::ledger::{Ledger, LedgerOptions, LedgerUnit, generate};
use admin::keyring;
use admin::nats::{
    ClusterServer, NatsUnit, ServerOptions, create_user, members, server_config, write_seed,
};
use admin::toml_files::read_toml;

/// The people of every unit: name, roles in the log, roles of the token.
pub const PEOPLE: [(&str, &[&str], &str); 4] = [
    ("luru", &["recorder"], "recorder"),
    ("tianbiao", &["preparer"], "recorder"),
    ("tongji", &["reviewer"], "reviewer"),
    ("fuzeren", &["head"], "head"),
];

/// A unit of the federation.
#[derive(Clone)]
pub struct Member {
    /// Unit code.
    pub id: UnitId,
    /// Its name in Chinese.
    pub name: String,
    /// County, city or province.
    pub tier: Tier,
    /// Whom it reports to; none at the top.
    pub parent: Option<UnitId>,
    /// Its directory.
    pub dir: PathBuf,
    /// Address of its API.
    pub host: String,
    /// Port of its API.
    pub port: u16,
    /// The words before its program when it is started; none, unless it runs in a place of its own.
    pub launcher: Vec<String>,
    /// Tokens by person; `operator` is the operator's.
    pub tokens: Vec<(String, String)>,
}

// Tokens and seeds are not for a debug print.
impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Member({}, port {})", self.id, self.port)
    }
}

impl Member {
    /// The token of a person.
    pub fn token(&self, name: &str) -> &str {
        self.tokens
            .iter()
            .find(|(n, _)| n == name)
            .map_or("", |(_, t)| t)
    }
    /// The key file of a person.
    pub fn key(&self, name: &str) -> PathBuf {
        let dir = if name == "luru" { "keys" } else { "people" };
        self.dir.join(dir).join(format!("{name}.key"))
    }
    /// The address of its API.
    pub fn url(&self) -> String {
        format!("http://{}:{}", self.host, self.port)
    }
    /// Its configuration file.
    pub fn config(&self) -> PathBuf {
        self.dir.join("node.toml")
    }
}

/// Where a nats-server has what is its own.
#[derive(Debug, Clone)]
pub struct NatsPlace {
    /// Its configuration.
    pub config: PathBuf,
    /// Its log.
    pub log: PathBuf,
    /// What it stores.
    pub store: PathBuf,
    /// Its port for nodes.
    pub port: u16,
    /// Its port for monitoring.
    pub monitor_port: u16,
}

/// The whole federation.
pub struct World {
    /// Its directory.
    pub dir: PathBuf,
    /// Units, top first.
    pub members: Vec<Member>,
    /// The root key of the registry.
    pub root: VerifierKey,
    /// NATS and its monitoring: address.
    pub nats_host: String,
    /// NATS.
    pub nats_port: u16,
    /// NATS monitoring.
    pub monitor_port: u16,
    /// The servers of a NATS cluster; none where one stands alone. The first has the two ports
    /// above.
    pub cluster: Vec<ClusterServer>,
    /// The operator's NKey seed.
    pub nats_admin: String,
    /// The public half.
    pub nats_admin_public: String,
    /// Paths and NKeys of all units.
    pub nats_units: Vec<NatsUnit>,
}

/// Where the project's own files are: the catalogue, plans and units.
#[derive(Debug, Clone)]
pub struct Deploy(pub PathBuf);

/// A unit of the list: id, name, tier, parent.
pub type UnitRow = (UnitId, String, Tier, Option<UnitId>);

/// Which units take part, the top one first.
///
/// # Errors
/// A list that cannot be read.
pub fn choose(deploy: &Deploy, cities: &[&str]) -> Result<Vec<UnitRow>> {
    let path = deploy.0.join("units/units.csv");
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_path(&path)
        .map_err(|e| miette!("{}: {e}", path.display()))?;
    let mut units = Vec::new();
    for row in reader.records() {
        let row = row.into_diagnostic()?;
        let (id, name, tier, parent) = (&row[0], &row[1], &row[2], &row[3]);
        let top = tier == "province" && cities.iter().any(|c| c[..2] == id[..2]);
        if top || cities.contains(&id) || cities.contains(&parent) {
            let parent = if top {
                None
            } else {
                Some(parent.parse().into_diagnostic()?)
            };
            units.push((
                id.parse().into_diagnostic()?,
                name.to_string(),
                tier.parse().into_diagnostic()?,
                parent,
            ));
        }
    }
    units.sort_by_key(|(id, _, tier, parent): &UnitRow| {
        (std::cmp::Reverse(*tier), parent.clone(), id.clone())
    });
    Ok(units)
}

/// A port that nobody uses now, and that this process does not give away twice.
///
/// From below the range in which the system places outgoing connections: a node that is started
/// again must find its port free.
pub fn free_port() -> Result<u16> {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 22_000;
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Processes that run side by side begin at different places.
    let begin = std::process::id().wrapping_mul(397);
    for _ in 0..COUNT {
        let n = begin.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(FIRST + n).into_diagnostic()?;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(miette!("no free port"))
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "World({}, {:?})", self.dir.display(), self.members)
    }
}

impl World {
    /// Builds a federation in a new directory.
    ///
    /// # Errors
    /// What the disk or a key says.
    pub fn build(dir: &Path, deploy: &Deploy, cities: &[&str], since: Month) -> Result<World> {
        std::fs::create_dir_all(dir).into_diagnostic()?;
        let root_key =
            keyring::create_key(&dir.join("root.key"), "root", Alg::Ed25519).into_diagnostic()?;
        let mut members = Vec::new();
        let mut units = Vec::new();
        for (id, name, tier, parent) in choose(deploy, cities)? {
            let home = dir.join("units").join(id.as_str());
            let (node, witness) =
                keyring::create_unit_keys(&home.join("keys"), id.as_str()).into_diagnostic()?;
            let placement = Placement {
                name: name.clone(),
                parent: parent.clone(),
                area: Some(id.to_string()),
            };
            let (node, witness) = (node.vkey(), witness.vkey());
            units.push(Unit::new(id.clone(), tier, since, placement, node, witness));
            let host = "127.0.0.1".to_string();
            let mut member = Member {
                id,
                name,
                tier,
                parent,
                dir: home,
                host,
                port: free_port()?,
                launcher: Vec::new(),
                tokens: Vec::new(),
            };
            people(&mut member)?;
            members.push(member);
        }
        let published = dir.join("published");
        publish(&published, deploy, &root_key, units)?;
        let registry_path = |m: &Member| path_of(&members, m);
        let mut nats_units = Vec::new();
        for m in &members {
            let user = create_user().into_diagnostic()?;
            write_seed(&m.dir.join("nats.seed"), &user.seed).into_diagnostic()?;
            let has_children = members.iter().any(|c| c.parent.as_ref() == Some(&m.id));
            nats_units.push(NatsUnit {
                path: registry_path(m),
                former: Vec::new(),
                public_nkey: user.public_nkey,
                has_children,
            });
        }
        let admin = create_user().into_diagnostic()?;
        let (nats_port, monitor_port) = (free_port()?, free_port()?);
        let world = World {
            dir: dir.to_path_buf(),
            members,
            root: root_key.vkey(),
            nats_host: "127.0.0.1".to_string(),
            nats_port,
            monitor_port,
            cluster: Vec::new(),
            nats_admin: admin.seed.to_string(),
            nats_admin_public: admin.public_nkey,
            nats_units,
        };
        world.write_configs()?;
        world.set_clock("2023-01-01T00:00:00Z")?;
        Ok(world)
    }

    /// Writes nats.conf and every unit's node.toml, again where an address has changed.
    ///
    /// # Errors
    /// The disk's error.
    pub fn write_configs(&self) -> Result<()> {
        let (store, admin) = (self.dir.join("nats"), self.nats_admin_public.clone());
        let mut options = ServerOptions::local(
            self.nats_port,
            self.monitor_port,
            store,
            admin,
            self.nats_units.clone(),
        );
        options.host.clone_from(&self.nats_host);
        options.monitor_host.clone_from(&self.nats_host);
        let servers = if self.cluster.is_empty() {
            vec![options]
        } else {
            members(&options, &self.cluster, None).into_diagnostic()?
        };
        for (options, place) in servers.iter().zip(self.nats_places()) {
            let text = server_config(options).into_diagnostic()?;
            std::fs::write(place.config, text).into_diagnostic()?;
        }
        self.members
            .iter()
            .try_for_each(|m| std::fs::write(m.config(), self.node_config(m)).into_diagnostic())
    }

    /// Writes what the operator of NATS holds, the seed and the list of units, and tells where.
    ///
    /// # Errors
    /// The disk's error.
    pub fn write_operator_files(&self) -> Result<(PathBuf, PathBuf)> {
        let (seed, list) = (
            self.dir.join("nats-admin.seed"),
            self.dir.join("nats-units.toml"),
        );
        if !seed.exists() {
            write_seed(&seed, &self.nats_admin).into_diagnostic()?;
        }
        let cards = self.members.iter().zip(&self.nats_units).map(|(m, unit)| {
            let parent = m
                .parent
                .as_ref()
                .map(|p| format!("parent = \"{p}\"\n"))
                .unwrap_or_default();
            format!(
                "[[unit]]\nid = \"{}\"\n{parent}nkey = \"{}\"\n",
                m.id, unit.public_nkey
            )
        });
        std::fs::write(&list, cards.collect::<String>()).into_diagnostic()?;
        Ok((seed, list))
    }

    /// Makes the broker a cluster of three servers.
    ///
    /// # Errors
    /// No free port.
    pub fn make_cluster(&mut self) -> Result<()> {
        self.cluster = (1..=3)
            .map(|n| {
                let name = format!("n{n}");
                let (port, monitor_port) = match n {
                    1 => (self.nats_port, self.monitor_port),
                    _ => (free_port()?, free_port()?),
                };
                Ok(ClusterServer {
                    address: self.nats_host.clone(),
                    port: Some(port),
                    route_port: Some(free_port()?),
                    monitor_port: Some(monitor_port),
                    store_dir: Some(self.dir.join(format!("nats-{name}"))),
                    name,
                    ..ClusterServer::default()
                })
            })
            .collect::<Result<_>>()?;
        Ok(())
    }

    /// On how many servers each stream is.
    pub fn replicas(&self) -> usize {
        self.cluster.len().max(1)
    }

    /// Where each nats-server has what is its own.
    pub fn nats_places(&self) -> Vec<NatsPlace> {
        let place = |name: &str, port, monitor_port| NatsPlace {
            config: self.dir.join(format!("{name}.conf")),
            log: self.dir.join(format!("{name}.log")),
            store: self.dir.join(name),
            port,
            monitor_port,
        };
        if self.cluster.is_empty() {
            return vec![place("nats", self.nats_port, self.monitor_port)];
        }
        let servers = self.cluster.iter().map(|server| {
            let (port, monitor) = (server.port, server.monitor_port);
            let name = format!("nats-{}", server.name);
            place(&name, port.unwrap_or(0), monitor.unwrap_or(0))
        });
        servers.collect()
    }

    /// The addresses of all servers, with commas.
    pub fn nats_url(&self) -> String {
        let places = self.nats_places();
        let each = places
            .iter()
            .map(|place| format!("nats://{}:{}", self.nats_host, place.port));
        Vec::from_iter(each).join(",")
    }

    /// The monitoring addresses of all servers, with commas.
    fn monitor_url(&self) -> String {
        let places = self.nats_places();
        let each = places
            .iter()
            .map(|place| format!("http://{}:{}", self.nats_host, place.monitor_port));
        Vec::from_iter(each).join(",")
    }

    fn node_config(&self, m: &Member) -> String {
        // Hosts of a test's own network have no certificates.
        let loopback = m
            .host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback());
        let plain = if loopback {
            ""
        } else {
            "listen_without_tls = true\n"
        };
        format!(
            "unit = \"{}\"\ndata = \"data\"\nlisten = \"{}:{}\"\nroot = \"{}\"\npublished = \
                \"../../published\"\nkeys = \"keys\"\ntokens = \"tokens\"\n\
             clock = \"../../clock\"\n{plain}\n[signatories]\npreparer = \"tianbiao\"\nreviewer = \
             \"tongji\"\nhead = \"fuzeren\"\n\n\
             [nats]\nurl = \"{}\"\nmonitor = \"{}\"\nseed = \"nats.seed\"\n",
            m.id,
            m.host,
            m.port,
            self.root,
            self.nats_url(),
            self.monitor_url()
        )
    }

    /// Sets the time that all nodes read.
    ///
    /// # Errors
    /// The disk's error.
    pub fn set_clock(&self, time: &str) -> Result<()> {
        // Renamed into place, so that no node reads half a time.
        let temporary = self.dir.join("clock.new");
        std::fs::write(&temporary, time).into_diagnostic()?;
        std::fs::rename(&temporary, self.dir.join("clock")).into_diagnostic()
    }

    /// The unit of this id.
    ///
    /// # Errors
    /// A unit that takes no part.
    pub fn member(&self, id: &str) -> Result<&Member> {
        self.members
            .iter()
            .find(|m| m.id.as_str() == id)
            .ok_or_else(|| miette!("{id} takes no part"))
    }
    /// The unit at the top.
    ///
    /// # Errors
    /// A federation without one.
    pub fn province(&self) -> Result<&Member> {
        self.tier(Tier::Province)
            .next()
            .ok_or_else(|| miette!("no province"))
    }
    /// A made-up year of all units; see [`generate`].
    pub fn ledger(&self, seed: u64, year: i32) -> Ledger {
        let units = self.members.iter().map(|m| LedgerUnit {
            id: m.id.clone(),
            tier: m.tier,
            parent: m.parent.clone(),
        });
        generate(&LedgerOptions {
            seed,
            year,
            units: units.collect(),
        })
    }
    /// Units of a tier.
    pub fn tier(&self, tier: Tier) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |m| m.tier == tier)
    }
    /// Children of a unit.
    pub fn children<'a>(&'a self, id: &'a UnitId) -> impl Iterator<Item = &'a Member> {
        self.members
            .iter()
            .filter(move |m| m.parent.as_ref() == Some(id))
    }
}

fn path_of(members: &[Member], m: &Member) -> Vec<String> {
    let mut path = vec![m.id.to_string()];
    let mut parent = m.parent.clone();
    while let Some(p) = parent {
        path.push(p.to_string());
        parent = members
            .iter()
            .find(|m| m.id == p)
            .and_then(|m| m.parent.clone());
    }
    path.reverse();
    path
}

/// Keys and tokens of a unit's people. The recorder's key is kept by the node; the signatories' are
/// not.
fn people(member: &mut Member) -> Result<()> {
    let mut file = String::new();
    for (name, _, roles) in PEOPLE {
        let path = member.key(name);
        keyring::create_key(&path, &format!("{}/{name}", member.id), Alg::Ed25519)
            .into_diagnostic()?;
        let (token, line) = keyring::create_token(name, roles).into_diagnostic()?;
        file.push_str(&line);
        member.tokens.push((name.to_string(), token.to_string()));
    }
    for (name, roles) in [("operator", "operator"), ("jiancha", "inspector")] {
        let (token, line) = keyring::create_token(name, roles).into_diagnostic()?;
        file.push_str(&line);
        member.tokens.push((name.to_string(), token.to_string()));
    }
    keyring::write_secret(&member.dir.join("tokens"), &file).into_diagnostic()
}

fn publish(dir: &Path, deploy: &Deploy, root: &SigningKey, units: Vec<Unit>) -> Result<()> {
    std::fs::create_dir_all(dir).into_diagnostic()?;
    let registry = Registry {
        version: 1,
        previous: None,
        from: None,
        roots: vec![root.vkey()],
        threshold: 1,
        units,
    };
    let text = registry.to_text().into_diagnostic()?;
    let note = Note::sign(&text, &[root]).into_diagnostic()?;
    std::fs::write(dir.join("registry-1.note"), note.as_bytes()).into_diagnostic()?;
    let catalogue =
        keyring::sign_catalogue(&deploy.0.join("catalogue"), &[root]).into_diagnostic()?;
    std::fs::write(dir.join("catalogue-1.note"), catalogue.as_bytes()).into_diagnostic()?;
    let unread = |path: &Path, error| miette!("{}: {error}", path.display());
    for (file, toml) in read_toml(&deploy.0.join("plans"), unread)? {
        let text = published::plan_text(&toml).map_err(|e| miette!("{file}: {e}"))?;
        let note = Note::sign(&text, &[root]).into_diagnostic()?;
        let name = file.trim_end_matches(".toml");
        std::fs::write(dir.join(format!("plan-{name}.note")), note.as_bytes()).into_diagnostic()?;
    }
    Ok(())
}
