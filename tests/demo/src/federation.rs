//! The federation as processes: one nats-server or a cluster of them, one node per unit.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use miette::{IntoDiagnostic, Result, miette};
use node::link::LinkTls;

use crate::world::{Member, PEOPLE, World};
use admin::api::Client;
use admin::keyring;
use admin::nats::{ProvisionOptions, Replicas, Timing, provision};

/// How long anything may take that should take a moment.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Running processes. Dropping it ends them, unless they are to be kept.
#[derive(Debug)]
pub struct Federation {
    /// What is on disk.
    pub world: World,
    /// By the place of each in the list of servers.
    nats: BTreeMap<usize, Child>,
    keeper: Option<Child>,
    nodes: BTreeMap<String, Child>,
    nats_server: PathBuf,
    node_program: PathBuf,
    keep: bool,
}

/// Waits until `ready` says yes.
///
/// # Errors
/// When patience ends, with what was waited for and the last thing that was said.
pub fn wait(what: &str, mut ready: impl FnMut() -> Result<bool, String>) -> Result<()> {
    let start = Instant::now();
    let mut last = String::new();
    while start.elapsed() < PATIENCE {
        match ready() {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(e) => last = e,
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(miette!("waited {PATIENCE:?} for {what}: {last}"))
}

impl Federation {
    /// Starts everything.
    ///
    /// # Errors
    /// A program that does not start.
    pub fn start(world: World, nats_server: &Path, node_program: &Path) -> Result<Federation> {
        let mut federation = Federation {
            world,
            nats: BTreeMap::new(),
            keeper: None,
            nodes: BTreeMap::new(),
            nats_server: nats_server.to_path_buf(),
            node_program: node_program.to_path_buf(),
            keep: false,
        };
        federation.start_nats()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .into_diagnostic()?;
        let world = &federation.world;
        runtime
            .block_on(provision(
                &world.nats_url(),
                &LinkTls::default(),
                &world.nats_admin,
                &world.nats_units,
                &ProvisionOptions {
                    replicas: Replicas::AtLeast(world.replicas()),
                    ..ProvisionOptions::default()
                },
            ))
            .into_diagnostic()?;
        let ids: Vec<String> = federation
            .world
            .members
            .iter()
            .map(|m| m.id.to_string())
            .collect();
        for id in &ids {
            federation.start_node(id)?;
        }
        for id in &ids {
            federation.wait_up(id)?;
        }
        Ok(federation)
    }

    /// Starts nats-server, or all servers of the cluster.
    ///
    /// # Errors
    /// A program that does not start.
    pub fn start_nats(&mut self) -> Result<()> {
        for server in 0..self.world.nats_places().len() {
            self.start_server(server)?;
        }
        Ok(())
    }

    /// Starts one server of the cluster; the first is 0.
    ///
    /// # Errors
    /// A program that does not start.
    pub fn start_server(&mut self, server: usize) -> Result<()> {
        let place = &self.world.nats_places()[server];
        let log = File::options()
            .create(true)
            .append(true)
            .open(&place.log)
            .into_diagnostic()?;
        let child = Command::new(&self.nats_server)
            .arg("-c")
            .arg(&place.config)
            .stdin(Stdio::null())
            .stdout(log.try_clone().into_diagnostic()?)
            .stderr(log)
            .spawn()
            .map_err(|e| {
                miette!(
                    "{}: {e}; get it with deploy/get-nats",
                    self.nats_server.display()
                )
            })?;
        self.nats.insert(server, child);
        let at = (self.world.nats_host.as_str(), place.port);
        wait("nats-server", || {
            std::net::TcpStream::connect(at)
                .map(|_| true)
                .map_err(|e| e.to_string())
        })
    }

    /// Waits until every server that runs has all that it is to hold, by its own word: whoever stops
    /// the next one earlier may stop the only one that has everything.
    ///
    /// # Errors
    /// One that does not say so in time.
    pub fn wait_servers_whole(&self) -> Result<()> {
        let places = self.world.nats_places();
        for server in self.nats.keys() {
            let at = (self.world.nats_host.as_str(), places[*server].monitor_port);
            wait("nats-server to have everything", || {
                let said = healthz(at).map_err(|e| e.to_string())?;
                match said.starts_with("HTTP/1.0 200") {
                    true => Ok(true),
                    false => Err(said),
                }
            })?;
        }
        Ok(())
    }

    /// Has each nats-server read its configuration again, as `systemctl reload nats-server` does:
    /// twice, since it connects a new import with the streams only when it knows the account.
    ///
    /// # Errors
    /// A server that cannot be told.
    pub fn reload_nats(&self) -> Result<()> {
        for again in [false, true] {
            if again {
                std::thread::sleep(Duration::from_secs(1));
            }
            for server in self.nats.values() {
                let mut kill = Command::new("kill");
                let told = kill.args(["-HUP", &server.id().to_string()]).status();
                if !told.into_diagnostic()?.success() {
                    return Err(miette!("nats-server cannot be told"));
                }
            }
        }
        Ok(())
    }

    /// The number of a node's process.
    pub fn pid(&self, id: &str) -> Option<u32> {
        self.nodes.get(id).map(Child::id)
    }

    /// Stops nats-server, or all servers of the cluster, by SIGKILL: nothing may depend on a clean
    /// stop.
    pub fn kill_nats(&mut self) {
        for server in 0..self.world.nats_places().len() {
            self.kill_server(server);
        }
    }

    /// Stops one server of the cluster, by SIGKILL.
    pub fn kill_server(&mut self, server: usize) {
        if let Some(mut child) = self.nats.remove(&server) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts the program that keeps the streams and consumers, as a service beside nats-server
    /// would.
    ///
    /// # Errors
    /// A program that does not start.
    pub fn start_keeper(&mut self, timing: Timing) -> Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.world.dir.join("keeper.log"))
            .into_diagnostic()?;
        let (seed, units) = self.world.write_operator_files()?;
        let program = self.node_program.with_file_name("countersign");
        let child = Command::new(&program)
            .args([
                "nats",
                "provision",
                "--keep",
                "--url",
                &self.world.nats_url(),
                "--seed",
            ])
            .arg(seed)
            .arg("--units")
            .arg(units)
            .args(["--replicas", &self.world.replicas().to_string()])
            .args(["--ack-wait", &timing.ack_wait.as_secs().to_string()])
            .args([
                "--duplicate-window",
                &timing.duplicate_window.as_secs().to_string(),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|e| miette!("{}: {e}", program.display()))?;
        self.keeper = Some(child);
        Ok(())
    }

    /// Stops the program that keeps the streams.
    pub fn kill_keeper(&mut self) {
        if let Some(mut child) = self.keeper.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Deletes everything that nats-server has stored; only while it is stopped.
    ///
    /// # Errors
    /// The disk's error.
    pub fn empty_nats(&self) -> Result<()> {
        (0..self.world.nats_places().len()).try_for_each(|server| self.empty_server(server))
    }

    /// Deletes everything that one server of the cluster has stored; only while it is stopped.
    ///
    /// # Errors
    /// The disk's error.
    pub fn empty_server(&self, server: usize) -> Result<()> {
        let place = &self.world.nats_places()[server];
        std::fs::remove_dir_all(&place.store).into_diagnostic()
    }

    /// Starts a unit's node.
    ///
    /// # Errors
    /// A program that does not start.
    pub fn start_node(&mut self, id: &str) -> Result<()> {
        let member = self.world.member(id)?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(member.dir.join("node.log"))
            .into_diagnostic()?;
        let config = member.config();
        let words: Vec<&OsStr> = member
            .launcher
            .iter()
            .map(OsStr::new)
            .chain([self.node_program.as_os_str(), config.as_os_str()])
            .collect();
        let child = Command::new(words[0])
            .args(&words[1..])
            .env(
                "COUNTERSIGN_LOG",
                std::env::var("COUNTERSIGN_LOG")
                    .unwrap_or_else(|_| "info,async_nats=warn,sled=warn".into()),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|e| miette!("{}: {e}", self.node_program.display()))?;
        self.nodes.insert(id.to_string(), child);
        Ok(())
    }

    /// Waits until a node answers and its link is up.
    ///
    /// # Errors
    /// When patience ends, with the end of the node's log.
    pub fn wait_up(&self, id: &str) -> Result<()> {
        let member = self.world.member(id)?;
        let client = Client::new(&member.url(), "");
        wait(&format!("the node of {id}"), || match client.health() {
            Ok(h) if h["link"] == "connected" => Ok(true),
            Ok(h) => Err(h.to_string()),
            Err(e) => Err(e.to_string()),
        })
        .map_err(|e| miette!("{e}\n{}", tail(&member.dir.join("node.log"))))
    }

    /// Ends a node, by SIGKILL.
    pub fn kill_node(&mut self, id: &str) {
        if let Some(mut child) = self.nodes.remove(id) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// A client for a person of a unit.
    ///
    /// # Errors
    /// A unit that takes no part.
    pub fn client(&self, id: &str, person: &str) -> Result<Client> {
        let m = self.world.member(id)?;
        Ok(Client::new(&m.url(), m.token(person)))
    }

    /// Enrols the people of every unit in its log.
    ///
    /// # Errors
    /// What a node says.
    pub fn enrol_all(&self) -> Result<()> {
        for m in &self.world.members {
            let operator = Client::new(&m.url(), m.token("operator"));
            for (name, roles, _) in PEOPLE {
                let key = keyring::read_key(&m.key(name)).into_diagnostic()?;
                operator
                    .enrol(key.vkey().as_str(), roles)
                    .into_diagnostic()?;
            }
        }
        Ok(())
    }

    /// The three signatories sign the current rollup of a month, each with an own key that no node
    /// holds.
    ///
    /// # Errors
    /// What a node or a key says.
    pub fn sign_all(&self, m: &Member, month: protocol::period::Month) -> Result<()> {
        sign_all(m, month)
    }

    /// Leaves the processes running at the end; their process numbers are in the file that is
    /// returned.
    ///
    /// # Errors
    /// The disk's error.
    pub fn keep(&mut self) -> Result<PathBuf> {
        self.keep = true;
        let pids: Vec<String> = self
            .nodes
            .values()
            .chain(self.nats.values())
            .chain(&self.keeper)
            .map(|c| c.id().to_string())
            .collect();
        let path = self.world.dir.join("pids");
        std::fs::write(&path, pids.join(" ")).into_diagnostic()?;
        Ok(path)
    }
}

/// What a server says of its own health.
fn healthz(at: (&str, u16)) -> std::io::Result<String> {
    let mut stream = std::net::TcpStream::connect(at)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n")?;
    let mut said = String::new();
    stream.read_to_string(&mut said)?;
    Ok(said)
}

impl Drop for Federation {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        for child in self.nodes.values_mut().chain(&mut self.keeper) {
            let _ = child.kill();
            let _ = child.wait();
        }
        self.kill_nats();
    }
}

/// See [`Federation::sign_all`]; needs none of its processes but the unit's node.
///
/// # Errors
/// What a node or a key says.
pub fn sign_all(m: &Member, month: protocol::period::Month) -> Result<()> {
    let client = Client::new(&m.url(), m.token("tianbiao"));
    let mut note =
        protocol::note::Note::parse(&client.rollup(month).into_diagnostic()?).into_diagnostic()?;
    for name in ["tianbiao", "tongji", "fuzeren"] {
        let key = keyring::read_key(&m.key(name)).into_diagnostic()?;
        note = note.add_signature(&key).into_diagnostic()?;
    }
    let unsigned = client.sign(month, note.as_bytes()).into_diagnostic()?;
    if unsigned.is_empty() {
        Ok(())
    } else {
        Err(miette!("{} {month}: not signed by {unsigned:?}", m.id))
    }
}

/// The last lines of a log.
pub fn tail(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
