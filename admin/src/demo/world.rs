//! A federation on disk: keys, registry, catalogue, plans, NATS and one configuration per unit.
//!
//! Everything is made as an operator would make it (see the runbook), only faster: each unit gets its own directory with
//! its own keys, tokens, NKey and configuration.

use std::path::{Path, PathBuf};

use miette::{IntoDiagnostic, Result, miette};
use protocol::ids::{Tier, UnitId};
use protocol::note::{Alg, Note, SigningKey, VerifierKey};
use protocol::period::Month;
use protocol::registry::{Registry, Unit, UnitKey};

use crate::keyring;
use crate::nats::{NatsUnit, ServerOptions, create_user, server_config, write_seed};

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
    /// Id.
    pub id: UnitId,
    /// Name.
    pub name: String,
    /// Tier.
    pub tier: Tier,
    /// Parent.
    pub parent: Option<UnitId>,
    /// Its directory.
    pub dir: PathBuf,
    /// Port of its API.
    pub port: u16,
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
        self.tokens.iter().find(|(n, _)| n == name).map_or("", |(_, t)| t)
    }
    /// The key file of a person.
    pub fn key(&self, name: &str) -> PathBuf {
        let dir = if name == "luru" { "keys" } else { "people" };
        self.dir.join(dir).join(format!("{name}.key"))
    }
    /// The address of its API.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
    /// Its configuration file.
    pub fn config(&self) -> PathBuf {
        self.dir.join("node.toml")
    }
}

/// The whole federation.
pub struct World {
    /// Its directory.
    pub dir: PathBuf,
    /// Units, top first.
    pub members: Vec<Member>,
    /// The root key of the registry.
    pub root: VerifierKey,
    /// NATS.
    pub nats_port: u16,
    /// NATS monitoring.
    pub monitor_port: u16,
    /// The operator's NKey seed.
    pub nats_admin: String,
    /// Paths and NKeys of all units.
    pub nats_units: Vec<NatsUnit>,
}

/// Where the project's own files are: the catalogue, plans and units.
#[derive(Debug, Clone)]
pub struct Deploy(pub PathBuf);

/// A unit of the list: id, name, tier, parent.
pub type Listed = (UnitId, String, Tier, Option<UnitId>);

/// Which units take part, the top one first.
///
/// # Errors
/// A list that cannot be read.
pub fn choose(deploy: &Deploy, cities: &[&str]) -> Result<Vec<Listed>> {
    let path = deploy.0.join("units/units.csv");
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_path(&path).map_err(|e| miette!("{}: {e}", path.display()))?;
    let mut units = Vec::new();
    for row in reader.records() {
        let row = row.into_diagnostic()?;
        let (id, name, tier, parent) = (&row[0], &row[1], &row[2], &row[3]);
        let top = tier == "province" && cities.iter().any(|c| c[..2] == id[..2]);
        if top || cities.contains(&id) || cities.contains(&parent) {
            let parent = if top { None } else { Some(parent.parse().into_diagnostic()?) };
            units.push((id.parse().into_diagnostic()?, name.to_string(), tier.parse().into_diagnostic()?, parent));
        }
    }
    units.sort_by_key(|(id, _, tier, parent): &Listed| (std::cmp::Reverse(*tier), parent.clone(), id.clone()));
    Ok(units)
}

/// A port that nobody uses now.
pub fn free_port() -> Result<u16> {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").into_diagnostic()?;
    Ok(socket.local_addr().into_diagnostic()?.port())
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
        let root_key = keyring::create_key(&dir.join("root.key"), "root", Alg::Ed25519).into_diagnostic()?;
        let mut members = Vec::new();
        let mut units = Vec::new();
        for (id, name, tier, parent) in choose(deploy, cities)? {
            let home = dir.join("units").join(id.as_str());
            let (node, witness) = keyring::create_unit_keys(&home.join("keys"), id.as_str()).into_diagnostic()?;
            units.push(Unit {
                id: id.clone(),
                name: name.clone(),
                tier,
                parent: parent.clone(),
                area: Some(id.to_string()),
                since,
                keys: vec![UnitKey { vkey: node.vkey(), from_index: 0, revoked: None }],
                witness: witness.vkey(),
            });
            let mut member = Member { id, name, tier, parent, dir: home, port: free_port()?, tokens: Vec::new() };
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
            nats_units.push(NatsUnit { path: registry_path(m), public_nkey: user.public_nkey, has_children });
        }
        let admin = create_user().into_diagnostic()?;
        let (nats_port, monitor_port) = (free_port()?, free_port()?);
        let options = ServerOptions::local(nats_port, monitor_port, dir.join("nats"), admin.public_nkey, nats_units.clone());
        std::fs::write(dir.join("nats.conf"), server_config(&options).into_diagnostic()?).into_diagnostic()?;
        let world = World {
            dir: dir.to_path_buf(),
            members,
            root: root_key.vkey(),
            nats_port,
            monitor_port,
            nats_admin: admin.seed.to_string(),
            nats_units,
        };
        for m in &world.members {
            std::fs::write(m.config(), world.node_config(m)).into_diagnostic()?;
        }
        world.set_clock("2023-01-01T00:00:00Z")?;
        Ok(world)
    }

    fn node_config(&self, m: &Member) -> String {
        format!(
            "unit = \"{}\"\ndata = \"data\"\nlisten = \"127.0.0.1:{}\"\nroot = \"{}\"\npublished = \"../../published\"\nkeys = \"keys\"\ntokens = \"tokens\"\n\
             clock = \"../../clock\"\n\n[signatories]\npreparer = \"tianbiao\"\nreviewer = \"tongji\"\nhead = \"fuzeren\"\n\n\
             [nats]\nurl = \"nats://127.0.0.1:{}\"\nmonitor = \"http://127.0.0.1:{}\"\nseed = \"nats.seed\"\n",
            m.id, m.port, self.root, self.nats_port, self.monitor_port
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
        self.members.iter().find(|m| m.id.as_str() == id).ok_or_else(|| miette!("{id} takes no part"))
    }
    /// Units of a tier.
    pub fn tier(&self, tier: Tier) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |m| m.tier == tier)
    }
    /// Children of a unit.
    pub fn children<'a>(&'a self, id: &'a UnitId) -> impl Iterator<Item = &'a Member> {
        self.members.iter().filter(move |m| m.parent.as_ref() == Some(id))
    }
}

fn path_of(members: &[Member], m: &Member) -> Vec<String> {
    let mut path = vec![m.id.to_string()];
    let mut parent = m.parent.clone();
    while let Some(p) = parent {
        path.push(p.to_string());
        parent = members.iter().find(|m| m.id == p).and_then(|m| m.parent.clone());
    }
    path.reverse();
    path
}

/// Keys and tokens of a unit's people. The recorder's key is kept by the node; the signatories' are not.
fn people(member: &mut Member) -> Result<()> {
    let mut file = String::new();
    for (name, _, roles) in PEOPLE {
        let path = member.key(name);
        keyring::create_key(&path, &format!("{}/{name}", member.id), Alg::Ed25519).into_diagnostic()?;
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
    let registry = Registry { version: 1, previous: None, roots: vec![root.vkey()], threshold: 1, units };
    let text = registry.to_text().into_diagnostic()?;
    let note = Note::sign(&text, &[root]).into_diagnostic()?;
    std::fs::write(dir.join("registry-1.note"), note.as_bytes()).into_diagnostic()?;
    let catalogue = keyring::sign_catalogue(&deploy.0.join("catalogue"), &[root]).into_diagnostic()?;
    std::fs::write(dir.join("catalogue-1.note"), catalogue.as_bytes()).into_diagnostic()?;
    for (name, note) in keyring::sign_plans(&deploy.0.join("plans"), &[root]).into_diagnostic()? {
        std::fs::write(dir.join(format!("plan-{name}.note")), note.as_bytes()).into_diagnostic()?;
    }
    Ok(())
}
