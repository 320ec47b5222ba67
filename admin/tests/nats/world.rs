//! A federation's nats-server, its users and their links.

use admin::nats::{
    NatsUnit, NatsUser, ProvisionOptions, ServerOptions, create_user, provision, server_config,
    write_seed,
};
use async_nats::{Client, ConnectOptions, Event};
use node::link::{
    DownKind, Incoming, LinkConfig, LinkTls, NatsLink, Outgoing, Subject, Transport, UnitPath,
    UpKind,
};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

pub const PROVINCE: &str = "140000";
pub const CITY: &str = "140000.140300";
pub const COUNTY_A: &str = "140000.140300.140321";
pub const COUNTY_B: &str = "140000.140300.140322";

pub fn path(text: &str) -> UnitPath {
    text.parse().unwrap()
}

pub fn nats_server() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/get-nats");
        let done = Command::new(script).output().unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        PathBuf::from(String::from_utf8(done.stdout).unwrap().trim())
    })
}

/// A federation's server: its directory, its users, its process.
pub struct World {
    pub dir: PathBuf,
    pub port: u16,
    pub monitor: u16,
    pub operator: NatsUser,
    pub users: Vec<(UnitPath, bool, NatsUser)>,
    pub config: String,
    pub child: Option<Child>,
}

impl World {
    pub fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("cs-nats-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        let (a, b) = (
            TcpListener::bind("127.0.0.1:0").unwrap(),
            TcpListener::bind("127.0.0.1:0").unwrap(),
        );
        let (port, monitor) = (
            a.local_addr().unwrap().port(),
            b.local_addr().unwrap().port(),
        );
        let users = [
            (PROVINCE, true),
            (CITY, true),
            (COUNTY_A, false),
            (COUNTY_B, false),
        ]
        .map(|(p, children)| {
            let user = create_user().unwrap();
            write_seed(&dir.join(path(p).unit()), &user.seed).unwrap();
            (path(p), children, user)
        })
        .into_iter()
        .collect();
        let mut world = Self {
            dir,
            port,
            monitor,
            operator: create_user().unwrap(),
            users,
            config: String::new(),
            child: None,
        };
        let options = ServerOptions::local(
            port,
            monitor,
            world.dir.join("js"),
            world.operator.public_nkey.clone(),
            world.units(),
        );
        world.config = server_config(&options).unwrap();
        world
    }

    /// A running and provisioned server.
    pub async fn started(name: &str) -> Self {
        let mut world = Self::new(name);
        world.start();
        world.provision().await;
        world
    }

    pub fn units(&self) -> Vec<NatsUnit> {
        self.users
            .iter()
            .map(|(p, has_children, u)| NatsUnit {
                path: p.units().to_vec(),
                former: Vec::new(),
                public_nkey: u.public_nkey.clone(),
                has_children: *has_children,
            })
            .collect()
    }

    pub fn start(&mut self) {
        let file = self.dir.join("nats.conf");
        std::fs::write(&file, &self.config).unwrap();
        let log = std::fs::File::create(self.dir.join("log")).unwrap();
        let child = Command::new(nats_server())
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let deadline = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                Instant::now() < deadline,
                "{}",
                std::fs::read_to_string(self.dir.join("log")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Has the running server read another configuration, as `systemctl reload` does: twice, since
    /// the account of a new unit is connected with the streams only then.
    pub fn reload(&mut self, config: &str) {
        self.config = config.to_owned();
        std::fs::write(self.dir.join("nats.conf"), config).unwrap();
        self.read_again();
        self.read_again();
    }

    fn read_again(&self) {
        let log = || std::fs::read_to_string(self.dir.join("log")).unwrap();
        let done = log().matches("Reloaded server configuration").count();
        let server = self.child.as_ref().unwrap().id().to_string();
        let asked = Command::new("kill").args(["-HUP", &server]).status();
        assert!(asked.unwrap().success());
        let deadline = Instant::now() + Duration::from_secs(10);
        while log().matches("Reloaded server configuration").count() <= done {
            assert!(Instant::now() < deadline, "{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills it as hard as it goes.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub async fn provision(&self) -> admin::nats::ProvisionReport {
        provision(
            &self.url(),
            &LinkTls::default(),
            &self.operator.seed,
            &self.units(),
            &ProvisionOptions::default(),
        )
        .await
        .unwrap()
    }

    pub async fn link(&self, unit: &str) -> NatsLink {
        self.link_with(unit, &[self.monitor]).await
    }

    /// A link that knows the monitoring addresses at these ports.
    pub async fn link_with(&self, unit: &str, monitors: &[u16]) -> NatsLink {
        self.link_to(unit, &[self.port], monitors).await
    }

    /// A link that knows the servers at these ports, too.
    pub async fn link_to(&self, unit: &str, servers: &[u16], monitors: &[u16]) -> NatsLink {
        let server = |port: &u16| format!("nats://127.0.0.1:{port}");
        let address = |port: &u16| format!("http://127.0.0.1:{port}");
        let (p, has_children, _) = self.users.iter().find(|(p, ..)| *p == path(unit)).unwrap();
        NatsLink::connect(LinkConfig {
            servers: servers.iter().map(server).collect(),
            monitors: monitors.iter().map(address).collect(),
            seed_file: self.dir.join(p.unit()),
            marks_file: self.dir.join(format!("{}.stored", p.unit())),
            places: p.clone().into(),
            has_children: *has_children,
            tls: LinkTls::default(),
        })
        .await
        .unwrap()
    }

    /// A client of its own with a unit's seed, as an attacker inside that unit has it.
    pub async fn raw(&self, seed: &str, inbox: &str) -> (Client, mpsc::UnboundedReceiver<String>) {
        let (tx, rx) = mpsc::unbounded_channel();
        let client = ConnectOptions::new()
            .nkey(seed.to_owned())
            .custom_inbox_prefix(inbox)
            .event_callback(move |event| {
                let tx = tx.clone();
                async move {
                    if let Event::ServerError(error) = event {
                        let _ = tx.send(error.to_string());
                    }
                }
            })
            .connect(self.url())
            .await
            .unwrap();
        (client, rx)
    }

    pub fn seed(&self, unit: &str) -> &str {
        &self
            .users
            .iter()
            .find(|(p, ..)| *p == path(unit))
            .unwrap()
            .2
            .seed
    }

    /// The operator asks JetStream's API.
    pub async fn api(&self, request: &str, body: &str) -> serde_json::Value {
        let (client, _events) = self.raw(&self.operator.seed, "_INBOX.operator").await;
        let reply = client
            .request(format!("$JS.API.{request}"), body.to_owned().into())
            .await
            .unwrap();
        serde_json::from_slice(&reply.payload).unwrap()
    }

    pub async fn stored(&self, stream: &str) -> u64 {
        self.api(&format!("STREAM.INFO.{stream}"), "").await["state"]["messages"]
            .as_u64()
            .unwrap()
    }
}

impl World {
    /// The subjects that a stream holds something of.
    pub async fn subjects(&self, stream: &str) -> BTreeSet<String> {
        let request = format!("STREAM.INFO.{stream}");
        let info = self.api(&request, r#"{"subjects_filter":">"}"#).await;
        let subjects = info["state"]["subjects"].as_object().cloned();
        subjects
            .unwrap_or_default()
            .into_iter()
            .map(|(s, _)| s)
            .collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

pub fn message(subject: Subject, id: &str) -> Outgoing {
    Outgoing {
        subject,
        msg_id: format!("sha256:{id}"),
        body: id.as_bytes().to_vec(),
    }
}

/// Sends as an outbox does: again and again, until the server has it.
pub async fn send(link: &NatsLink, message: &Outgoing) {
    let deadline = Instant::now() + Duration::from_secs(25);
    while let Err(error) = link.publish(message).await {
        assert!(error.is_retryable(), "{error}");
        assert!(Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The next message. Waits longer than the server waits for an answer before it delivers again: on
/// a busy machine a first delivery can be lost, and only a message that never comes is a fault.
pub async fn next(link: &NatsLink) -> Incoming {
    tokio::time::timeout(Duration::from_secs(90), link.next())
        .await
        .expect("a message before long")
        .unwrap()
}

/// Sends a unit's message to those above it.
pub async fn send_up(link: &NatsLink, from: &str, kind: UpKind, id: &str) {
    send(link, &message(Subject::up(path(from), kind), id)).await;
}

/// Sends a message to a unit, or to all below one.
pub async fn send_down(link: &NatsLink, to: &str, kind: DownKind, id: &str) {
    send(link, &message(Subject::down(path(to), kind), id)).await;
}

/// What the server says against the last request; panics where it says nothing.
pub async fn refusal(events: &mut mpsc::UnboundedReceiver<String>, tried: &str) -> String {
    let said = tokio::time::timeout(Duration::from_secs(3), events.recv()).await;
    said.unwrap_or_else(|_| panic!("it could {tried}")).unwrap()
}

/// Each publish is refused, and the refusal names its subject.
pub async fn cannot_publish<'a>(
    (client, events): &mut (Client, mpsc::UnboundedReceiver<String>),
    subjects: impl IntoIterator<Item = &'a str>,
) {
    for subject in subjects {
        client
            .publish(subject.to_owned(), "{}".into())
            .await
            .unwrap();
        client.flush().await.unwrap();
        let refusal = refusal(events, &format!("publish to {subject}")).await;
        assert!(
            refusal.contains("Permissions Violation for Publish")
                && refusal.contains(&format!("\"{subject}\"")),
            "{refusal}"
        );
    }
}

/// Takes one message, answers it, gives its text.
pub async fn text(link: &NatsLink) -> String {
    let incoming = next(link).await;
    incoming.ack.done().await.unwrap();
    String::from_utf8(incoming.body).unwrap()
}

pub async fn silent(link: &NatsLink) -> bool {
    tokio::time::timeout(Duration::from_millis(400), link.next())
        .await
        .is_err()
}
