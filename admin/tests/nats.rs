//! The transport against a real nats-server: what each unit may do, what is refused, what survives
//! a restart.
//!
//! The server comes from `deploy/get-nats` (pinned). Each test starts its own, on free ports, in
//! its own directory.

// Clippy's exception for tests does not reach their helper functions.
#![allow(clippy::unwrap_used)]

use admin::nats::{
    NatsUnit, NatsUser, ServerOptions, Timing, create_user, provision, server_config, write_seed,
};
use async_nats::{Client, ConnectOptions, Event};
use node::link::{
    Connection, DownKind, Durability, Incoming, LinkConfig, LinkTls, NatsLink, Outgoing, Subject,
    Transport, UnitPath, UpKind,
};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const PROVINCE: &str = "140000";
const CITY: &str = "140000.140300";
const COUNTY_A: &str = "140000.140300.140321";
const COUNTY_B: &str = "140000.140300.140322";

fn path(text: &str) -> UnitPath {
    text.parse().unwrap()
}

fn nats_server() -> &'static Path {
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
struct World {
    dir: PathBuf,
    port: u16,
    monitor: u16,
    operator: NatsUser,
    users: Vec<(UnitPath, bool, NatsUser)>,
    config: String,
    child: Option<Child>,
}

impl World {
    fn new(name: &str) -> Self {
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
    async fn started(name: &str) -> Self {
        let mut world = Self::new(name);
        world.start();
        world.provision().await;
        world
    }

    fn units(&self) -> Vec<NatsUnit> {
        self.users
            .iter()
            .map(|(p, has_children, u)| NatsUnit {
                path: p.units().to_vec(),
                public_nkey: u.public_nkey.clone(),
                has_children: *has_children,
            })
            .collect()
    }

    fn start(&mut self) {
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

    /// Kills it as hard as it goes.
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    async fn provision(&self) -> admin::nats::Provisioned {
        provision(
            &self.url(),
            &LinkTls::default(),
            &self.operator.seed,
            &self.units(),
            Timing::default(),
        )
        .await
        .unwrap()
    }

    async fn link(&self, unit: &str) -> NatsLink {
        let (p, has_children, _) = self.users.iter().find(|(p, ..)| *p == path(unit)).unwrap();
        NatsLink::connect(LinkConfig {
            url: self.url(),
            monitor_url: format!("http://127.0.0.1:{}", self.monitor),
            seed_file: self.dir.join(p.unit()),
            path: p.clone(),
            has_children: *has_children,
            tls: LinkTls::default(),
        })
        .await
        .unwrap()
    }

    /// A client of its own with a unit's seed, as an attacker inside that unit has it.
    async fn raw(&self, seed: &str, inbox: &str) -> (Client, mpsc::UnboundedReceiver<String>) {
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

    fn seed(&self, unit: &str) -> &str {
        &self
            .users
            .iter()
            .find(|(p, ..)| *p == path(unit))
            .unwrap()
            .2
            .seed
    }

    /// The operator asks JetStream's API.
    async fn api(&self, request: &str, body: &str) -> serde_json::Value {
        let (client, _events) = self.raw(&self.operator.seed, "_INBOX.operator").await;
        let reply = client
            .request(format!("$JS.API.{request}"), body.to_owned().into())
            .await
            .unwrap();
        serde_json::from_slice(&reply.payload).unwrap()
    }

    async fn stored(&self, stream: &str) -> u64 {
        self.api(&format!("STREAM.INFO.{stream}"), "").await["state"]["messages"]
            .as_u64()
            .unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn message(subject: Subject, id: &str) -> Outgoing {
    Outgoing {
        subject,
        msg_id: format!("sha256:{id}"),
        body: id.as_bytes().to_vec(),
    }
}

/// Sends as an outbox does: again and again, until the server has it.
async fn send(link: &NatsLink, message: &Outgoing) {
    let deadline = Instant::now() + Duration::from_secs(25);
    while let Err(error) = link.publish(message).await {
        assert!(error.is_retryable(), "{error}");
        assert!(Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn next(link: &NatsLink) -> Incoming {
    tokio::time::timeout(Duration::from_secs(15), link.next())
        .await
        .expect("a message within 15 s")
        .unwrap()
}

/// Takes one message, answers it, gives its text.
async fn text(link: &NatsLink) -> String {
    let incoming = next(link).await;
    incoming.ack.done().await.unwrap();
    String::from_utf8(incoming.body).unwrap()
}

async fn silent(link: &NatsLink) -> bool {
    tokio::time::timeout(Duration::from_millis(400), link.next())
        .await
        .is_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_reaches_those_it_is_meant_for_and_nobody_else() {
    let world = World::started("reach").await;
    assert_eq!(
        world.provision().await.created,
        Vec::<String>::new(),
        "the second time nothing is new"
    );
    let (province, city) = (world.link(PROVINCE).await, world.link(CITY).await);
    let (a, b) = (world.link(COUNTY_A).await, world.link(COUNTY_B).await);

    send(
        &a,
        &message(Subject::up(path(COUNTY_A), UpKind::Rollup), "a-rollup"),
    )
    .await;
    assert_eq!(text(&city).await, "a-rollup");
    assert_eq!(text(&province).await, "a-rollup");
    send(
        &b,
        &message(
            Subject::up(path(COUNTY_B), UpKind::Entries(256)),
            "b-entries",
        ),
    )
    .await;
    send(
        &b,
        &message(
            Subject::up(path(COUNTY_B), UpKind::Checkpoint),
            "b-checkpoint",
        ),
    )
    .await;
    for above in [&city, &province] {
        assert_eq!(text(above).await, "b-entries");
        assert_eq!(text(above).await, "b-checkpoint");
    }
    // The city's own messages go to the province and do not come back to the city, not even its
    // entries.
    send(
        &city,
        &message(Subject::up(path(CITY), UpKind::Entries(0)), "city-entries"),
    )
    .await;
    send(
        &city,
        &message(Subject::up(path(CITY), UpKind::Rollup), "city-rollup"),
    )
    .await;
    assert_eq!(text(&province).await, "city-entries");
    assert_eq!(text(&province).await, "city-rollup");

    send(
        &city,
        &message(
            Subject::down(path(COUNTY_A), DownKind::Receipt),
            "receipt-a",
        ),
    )
    .await;
    assert_eq!(text(&a).await, "receipt-a");
    send(
        &province,
        &message(Subject::down(path(CITY), DownKind::Receipt), "receipt-city"),
    )
    .await;
    assert_eq!(text(&city).await, "receipt-city");
    for kind in DownKind::BROADCAST {
        send(
            &province,
            &message(Subject::down(path(PROVINCE), kind), kind.word()),
        )
        .await;
        for below in [&city, &a, &b] {
            assert_eq!(text(below).await, kind.word());
        }
    }
    send(
        &city,
        &message(Subject::down(path(CITY), DownKind::Plan), "city-plan"),
    )
    .await;
    assert_eq!(text(&a).await, "city-plan");
    assert_eq!(text(&b).await, "city-plan");

    // Put off, then taken, then gone.
    send(
        &city,
        &message(
            Subject::down(path(COUNTY_B), DownKind::Receipt),
            "receipt-b",
        ),
    )
    .await;
    next(&b)
        .await
        .ack
        .retry(Duration::from_millis(200))
        .await
        .unwrap();
    assert_eq!(text(&b).await, "receipt-b");
    for link in [&province, &city, &a, &b] {
        assert!(silent(link).await);
        let state = link.state();
        assert_eq!(
            (state.connection, state.durability, state.trouble),
            (Connection::Connected, Durability::Always, None)
        );
    }
    for (stream, consumer) in [
        ("CS_UP", "up_140000"),
        ("CS_UP", "up_140300"),
        ("CS_DOWN", "down_140321"),
    ] {
        let info = world
            .api(&format!("CONSUMER.INFO.{stream}.{consumer}"), "")
            .await;
        assert_eq!(
            (
                info["num_ack_pending"].as_u64(),
                info["num_pending"].as_u64()
            ),
            (Some(0), Some(0)),
            "{consumer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_message_id_is_stored_once() {
    let world = World::started("twice").await;
    let (city, a) = (world.link(CITY).await, world.link(COUNTY_A).await);
    let rollup = message(Subject::up(path(COUNTY_A), UpKind::Rollup), "once");
    send(&a, &rollup).await;
    send(&a, &rollup).await;
    assert_eq!((a.state().published, a.state().duplicates), (2, 1));
    assert_eq!(text(&city).await, "once");
    assert!(silent(&city).await);
    assert_eq!(world.stored("CS_UP").await, 1);
}

/// A stream knows one list of ids, whoever publishes. A county that knows what another one, or its
/// city, is going to send must not be able to use up its id: the server would acknowledge the true
/// message and drop it.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_uses_up_the_id_of_another_ones_message() {
    let world = World::started("ids").await;
    let (city, a) = (world.link(CITY).await, world.link(COUNTY_A).await);
    let (b, _events) = world.raw(world.seed(COUNTY_B), "_INBOX.140322").await;
    let steal = async |id: &str| {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Nats-Msg-Id", id);
        let request = async_nats::client::Request::new()
            .headers(headers)
            .payload("stolen".into());
        let ack = b
            .send_request(format!("cs.v1.up.{COUNTY_B}.rollup"), request)
            .await
            .unwrap();
        let ack: serde_json::Value = serde_json::from_slice(&ack.payload).unwrap();
        assert_eq!(ack["stream"], "CS_UP", "{ack}");
        ack["duplicate"] == true
    };
    let truth = message(Subject::up(path(COUNTY_A), UpKind::Rollup), "truth");
    assert!(!steal(&truth.msg_id).await);
    assert!(
        steal(&truth.msg_id).await,
        "a second message with that id is dropped: the server does remember it"
    );
    send(&a, &truth).await;
    assert_eq!(a.state().duplicates, 0);
    assert_eq!(text(&city).await, "stolen");
    assert_eq!(text(&city).await, "truth");

    // An id holds for one process: what the next one sends again is stored once more.
    let again = world.link(COUNTY_A).await;
    send(&again, &truth).await;
    assert_eq!(again.state().duplicates, 0);
    assert_eq!(text(&city).await, "truth");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_cannot_leave_its_place() {
    let world = World::started("place").await;
    let up = |p: &str, kind: &str| format!("cs.v1.up.{p}.{kind}");
    let down = |p: &str, kind: &str| format!("cs.v1.down.{p}.{kind}");
    let own = |unit: &str| -> Vec<String> {
        ["rollup", "checkpoint", "entries.0", "entries.256"]
            .iter()
            .map(|k| up(unit, k))
            .collect()
    };
    let everyone: Vec<String> = [
        "$JS.API.INFO",
        "$JS.API.STREAM.CREATE.MINE",
        "$JS.API.STREAM.UPDATE.CS_UP",
        "$JS.API.STREAM.DELETE.CS_UP",
        "$JS.API.STREAM.PURGE.CS_DOWN",
        "$JS.API.STREAM.INFO.CS_UP",
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.MSG.GET.CS_UP",
        "$JS.API.STREAM.MSG.DELETE.CS_UP",
        "$JS.API.DIRECT.GET.CS_UP",
        "$JS.API.STREAM.SNAPSHOT.CS_UP",
        "$JS.API.CONSUMER.CREATE.CS_UP",
        "$JS.API.CONSUMER.CREATE.CS_UP.mine",
        "$JS.API.CONSUMER.CREATE.CS_DOWN.down_140321",
        "$JS.API.CONSUMER.DURABLE.CREATE.CS_UP.mine",
        "$JS.API.CONSUMER.DELETE.CS_DOWN.down_140321",
        "$JS.API.CONSUMER.INFO.CS_UP",
        "$JS.API.CONSUMER.INFO.CS_DOWN.down_140322",
        "$JS.API.CONSUMER.LIST.CS_UP",
        "$JS.API.CONSUMER.NAMES.CS_UP",
        "$JS.API.CONSUMER.PAUSE.CS_DOWN.down_140321",
        "$JS.API.CONSUMER.MSG.NEXT.CS_DOWN.down_140322",
        "$JS.ACK.CS_DOWN.down_140322.1.1.1.1.0",
        "$JS.ACK.CS_UP.up_999.1.1.1.1.0",
        "$SYS.REQ.SERVER.PING",
        "_INBOX.140322.x.y",
        "anything",
    ]
    .map(str::to_owned)
    .to_vec();
    let county: Vec<String> = own(COUNTY_B)
        .into_iter()
        .chain(own(CITY))
        .chain(own(PROVINCE))
        .chain([
            up(COUNTY_A, "receipt"),
            up(COUNTY_A, "entries"),
            up(COUNTY_A, "x.rollup"),
            up("140321", "rollup"),
            down(COUNTY_A, "receipt"),
            down(COUNTY_A, "plan"),
            down(COUNTY_A, "x.receipt"),
            down(COUNTY_B, "receipt"),
            down(CITY, "registry"),
            down(PROVINCE, "catalogue"),
            "$JS.API.CONSUMER.MSG.NEXT.CS_UP.up_140300".to_owned(),
            "$JS.API.CONSUMER.MSG.NEXT.CS_UP.up_140321".to_owned(),
            "$JS.API.CONSUMER.INFO.CS_UP.up_140300".to_owned(),
            "$JS.API.CONSUMER.INFO.CS_UP.down_140321".to_owned(),
            "$JS.ACK.CS_UP.up_140300.1.1.1.1.0".to_owned(),
        ])
        .collect();
    let city: Vec<String> = own(COUNTY_A)
        .into_iter()
        .chain(own(PROVINCE))
        .chain([
            down(CITY, "receipt"),
            down(COUNTY_A, "plan"),
            down(COUNTY_A, "x.receipt"),
            down(PROVINCE, "plan"),
            down("140000.140400.140401", "receipt"),
            "$JS.API.CONSUMER.MSG.NEXT.CS_UP.up_140000".to_owned(),
            "$JS.API.CONSUMER.MSG.NEXT.CS_DOWN.down_140321".to_owned(),
            "$JS.API.CONSUMER.INFO.CS_UP.up_140000".to_owned(),
            "$JS.API.CONSUMER.INFO.CS_DOWN.down_140321".to_owned(),
        ])
        .collect();
    let province: Vec<String> = own(COUNTY_A)
        .into_iter()
        .chain(own(CITY))
        .chain([
            down(COUNTY_A, "receipt"),
            down(CITY, "plan"),
            "$JS.API.CONSUMER.INFO.CS_UP.up_140300".to_owned(),
        ])
        .collect();

    for (unit, foreign) in [(COUNTY_A, county), (CITY, city), (PROVINCE, province)] {
        let inbox = format!("_INBOX.{}", path(unit).unit());
        let (client, mut events) = world.raw(world.seed(unit), &inbox).await;
        for subject in foreign.iter().chain(&everyone) {
            client.publish(subject.clone(), "x".into()).await.unwrap();
            client.flush().await.unwrap();
            let refusal = tokio::time::timeout(Duration::from_secs(3), events.recv()).await;
            let refusal = refusal
                .unwrap_or_else(|_| panic!("{unit} could publish to {subject}"))
                .unwrap();
            assert!(
                refusal.contains("Permissions Violation for Publish")
                    && refusal.contains(&format!("\"{subject}\"")),
                "{refusal}"
            );
        }
        for subject in [
            "_INBOX.140322.>",
            "_INBOX.>",
            ">",
            "cs.v1.up.>",
            "cs.v1.down.>",
            "$JS.>",
            "$SYS.>",
            "_INBOX.140321x.>",
        ] {
            let _subscription = client.subscribe(subject).await.unwrap();
            client.flush().await.unwrap();
            let refusal = tokio::time::timeout(Duration::from_secs(3), events.recv()).await;
            let refusal = refusal
                .unwrap_or_else(|_| panic!("{unit} could subscribe to {subject}"))
                .unwrap();
            assert!(
                refusal.contains("Permissions Violation for Subscription"),
                "{refusal}"
            );
        }
        // What is its own is stored, each of it.
        let before = world.stored("CS_UP").await;
        for subject in own(unit) {
            let ack = client.request(subject, "x".into()).await.unwrap();
            assert!(String::from_utf8_lossy(&ack.payload).contains("\"stream\":\"CS_UP\""));
        }
        assert_eq!(world.stored("CS_UP").await, before + 4);
        assert!(events.try_recv().is_err(), "no refusal for its own");
    }
    assert_eq!(world.stored("CS_DOWN").await, 0);

    // Not even the operator can thin out what is stored.
    let refused = world.api("STREAM.MSG.DELETE.CS_UP", r#"{"seq":1}"#).await;
    assert!(refused["error"].is_object(), "{refused}");
    let refused = world.api("STREAM.PURGE.CS_UP", "").await;
    assert!(refused["error"].is_object(), "{refused}");

    // A key that is not in the configuration does not come in at all.
    let stranger = ConnectOptions::new()
        .nkey(create_user().unwrap().seed.to_string())
        .connect(world.url())
        .await;
    assert!(stranger.is_err());

    // The link itself stops a foreign subject before it reaches the server.
    let link = world.link(COUNTY_A).await;
    let foreign = link
        .publish(&message(Subject::up(path(COUNTY_B), UpKind::Rollup), "x"))
        .await
        .unwrap_err();
    assert_eq!(
        (foreign.code(), foreign.is_retryable()),
        ("link.foreign", false)
    );
}

/// A known limit of NATS, pinned here so that nobody builds on the opposite: the server does not
/// check the *reply* subject of a publish, so a unit can make the server itself put its own answers
/// under another unit's subject. It does not reach the API that way. Hence: subjects prove nothing,
/// signatures do; and an outbox ends with a signed receipt, not with an ack.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_reply_subject_can_and_cannot_do() {
    let world = World::started("reply").await;
    let (client, mut events) = world.raw(world.seed(COUNTY_A), "_INBOX.140321").await;
    let own = format!("cs.v1.up.{COUNTY_A}.rollup");
    let victim = format!("cs.v1.up.{COUNTY_B}.rollup");
    for reply in [
        victim.as_str(),
        "$JS.API.STREAM.DELETE.CS_DOWN",
        "$JS.API.CONSUMER.DELETE.CS_UP.up_140300",
    ] {
        client
            .publish_with_reply(own.clone(), reply.to_owned(), "mine".into())
            .await
            .unwrap();
        client.flush().await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(events.try_recv().is_err());
    assert_eq!(
        world.stored("CS_UP").await,
        4,
        "three of its own and one answer of the server"
    );
    let planted = world
        .api(
            "STREAM.MSG.GET.CS_UP",
            &format!(r#"{{"last_by_subj":"{victim}"}}"#),
        )
        .await;
    // base64 of {"stream":"CS_UP","seq":1}: the server's words, not the county's.
    assert_eq!(
        planted["message"]["data"], "eyJzdHJlYW0iOiJDU19VUCIsInNlcSI6MX0=",
        "{planted}"
    );
    // The streams and the city's consumer are still there.
    assert_eq!(world.stored("CS_DOWN").await, 0);
    assert!(world.api("CONSUMER.INFO.CS_UP.up_140300", "").await["error"].is_null());
    // Nor did the server's "no messages" answer pass for the city's answer to a delivery.
    let (city, _city_events) = world.raw(world.seed(CITY), "_INBOX.140300").await;
    let one = r#"{"batch":1,"no_wait":true}"#;
    let request = async_nats::client::Request::new()
        .payload(one.into())
        .inbox(city.new_inbox());
    let delivery = city
        .send_request("$JS.API.CONSUMER.MSG.NEXT.CS_UP.up_140300", request)
        .await
        .unwrap();
    let ack = delivery.reply.unwrap();
    client
        .publish_with_reply(
            "$JS.API.CONSUMER.MSG.NEXT.CS_DOWN.down_140321",
            ack,
            one.into(),
        )
        .await
        .unwrap();
    client.flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let info = world.api("CONSUMER.INFO.CS_UP.up_140300", "").await;
    assert_eq!(info["num_ack_pending"], 1, "{info}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_sync_gets_nothing_until_it_does() {
    let mut world = World::new("sync");
    let good = world.config.clone();
    world.config = good.replace("  sync_interval: always\n", "");
    assert_ne!(world.config, good);
    world.start();
    world.provision().await;
    let a = world.link(COUNTY_A).await;
    let rollup = message(Subject::up(path(COUNTY_A), UpKind::Rollup), "durable");
    let mut state = a.watch();
    state
        .wait_for(|s| matches!(s.durability, Durability::Refused(_)))
        .await
        .unwrap();
    let error = a.publish(&rollup).await.unwrap_err();
    assert_eq!(
        (error.code(), error.is_retryable()),
        ("link.not_durable", true)
    );
    assert!(
        error.to_string().contains("sync_interval: always"),
        "{error}"
    );
    assert_eq!(world.stored("CS_UP").await, 0);

    world.kill();
    world.config = good;
    world.start();
    send(&a, &rollup).await;
    assert_eq!(a.state().durability, Durability::Always);
    assert_eq!(world.stored("CS_UP").await, 1);

    // Back to the bad configuration under the feet of a node that had been convinced: it asks
    // again.
    world.kill();
    world.config = world.config.replace("  sync_interval: always\n", "");
    world.start();
    state
        .wait_for(|s| matches!(s.durability, Durability::Refused(_)))
        .await
        .unwrap();
    let again = message(Subject::up(path(COUNTY_A), UpKind::Rollup), "again");
    assert_eq!(
        a.publish(&again).await.unwrap_err().code(),
        "link.not_durable"
    );
    assert_eq!(world.stored("CS_UP").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_the_server_delivery_resumes() {
    let mut world = World::started("restart").await;
    let (city, a) = (world.link(CITY).await, world.link(COUNTY_A).await);
    let entries = |n: u64| {
        message(
            Subject::up(path(COUNTY_A), UpKind::Entries(n)),
            &format!("e{n}"),
        )
    };
    for n in 0..3 {
        send(&a, &entries(n)).await;
    }
    assert_eq!(text(&city).await, "e0");
    world.kill();
    let mut state = a.watch();
    state
        .wait_for(|s| s.connection == Connection::Disconnected)
        .await
        .unwrap();
    let error = a.publish(&entries(3)).await.unwrap_err();
    assert_eq!(
        (error.code(), error.is_retryable()),
        ("link.disconnected", true)
    );
    world.start();
    send(&a, &entries(3)).await;
    // A killed server may have forgotten answers and deliveries: some come twice, none is missing.
    let mut missing: BTreeSet<String> = (1..4).map(|n| format!("e{n}")).collect();
    while !missing.is_empty() {
        let incoming = next(&city).await;
        missing.remove(&String::from_utf8(incoming.body).unwrap());
        incoming.ack.done().await.unwrap();
    }
    assert!(city.state().connects >= 2);
    assert_eq!(world.stored("CS_UP").await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_may_start_before_its_server() {
    let mut world = World::new("early");
    let (city, a) = (world.link(CITY).await, world.link(COUNTY_A).await);
    let rollup = message(Subject::up(path(COUNTY_A), UpKind::Rollup), "early");
    assert_eq!(
        a.publish(&rollup).await.unwrap_err().code(),
        "link.disconnected"
    );
    world.start();
    let mut state = a.watch();
    state
        .wait_for(|s| s.connection == Connection::Connected)
        .await
        .unwrap();
    let error = a.publish(&rollup).await.unwrap_err();
    assert_eq!(error.code(), "link.not_provisioned", "{error}");
    world.provision().await;
    send(&a, &rollup).await;
    assert_eq!(text(&city).await, "early");
}

/// A node learns that the store is another one, and from a plain restart it does not; without the
/// right to ask it works on.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_store_is_noticed() {
    let mut world = World::started("store").await;
    let links = [
        world.link(PROVINCE).await,
        world.link(CITY).await,
        world.link(COUNTY_A).await,
    ];
    async fn stores(links: &[NatsLink], not: &[String]) -> Vec<String> {
        let mut all = Vec::new();
        for (i, link) in links.iter().enumerate() {
            let state = link
                .watch()
                .wait_for(|s| s.store.is_some() && s.store.as_ref() != not.get(i))
                .await
                .unwrap()
                .clone();
            assert_eq!(link.store(), state.store);
            all.extend(state.store);
        }
        all
    }
    let first = stores(&links, &[]).await;
    world.kill();
    for link in &links {
        link.watch().wait_for(|s| s.store.is_none()).await.unwrap();
    }
    world.start();
    assert_eq!(stores(&links, &[]).await, first, "a restart loses nothing");
    world.kill();
    std::fs::remove_dir_all(world.dir.join("js")).unwrap();
    world.start();
    world.provision().await;
    let second = stores(&links, &first).await;
    // Deleted under a running server.
    for stream in ["CS_UP", "CS_DOWN"] {
        assert_eq!(
            world.api(&format!("STREAM.DELETE.{stream}"), "").await["success"],
            true
        );
    }
    world.provision().await;
    stores(&links, &second).await;

    // The configuration of an earlier version: no right to ask.
    let asking = without_asking(&world.config);
    world.kill();
    world.config = asking;
    world.start();
    let a = world.link(COUNTY_A).await;
    let rollup = message(Subject::up(path(COUNTY_A), UpKind::Rollup), "r");
    send(&a, &rollup).await;
    let city = world.link(CITY).await;
    assert_eq!(text(&city).await, "r");
    assert_eq!((a.store(), city.store()), (None, None));
}

/// The configuration without the permissions to ask for one's own consumer.
fn without_asking(config: &str) -> String {
    let mut text = String::new();
    for part in config.split(", ") {
        if !part.starts_with("\"$JS.API.CONSUMER.INFO.") {
            text.push_str(if text.is_empty() { "" } else { ", " });
            text.push_str(part);
        }
    }
    assert_ne!(text, config);
    text
}

/// More than subjects: what an insider of a unit can try with wildcards, other people's inboxes and
/// requests, headers, JetStream's API and its answers. Each is refused, or shown to touch nobody
/// else.
#[tokio::test(flavor = "multi_thread")]
async fn an_insider_tries_the_doors() {
    let world = World::started("doors").await;
    let (city, a) = (world.link(CITY).await, world.link(COUNTY_A).await);
    send(
        &world.link(COUNTY_B).await,
        &message(Subject::up(path(COUNTY_B), UpKind::Rollup), "b-rollup"),
    )
    .await;
    send(
        &city,
        &message(
            Subject::down(path(COUNTY_B), DownKind::Receipt),
            "receipt-b",
        ),
    )
    .await;
    assert_eq!(text(&city).await, "b-rollup");
    let (client, mut events) = world.raw(world.seed(COUNTY_A), "_INBOX.140321").await;
    let streams = (world.stored("CS_UP").await, world.stored("CS_DOWN").await);

    // No subscription at all but to its own inbox: no wildcard, no queue group, no other spelling
    // reaches further.
    let subjects = [
        ">",
        "*",
        "*.>",
        "cs.>",
        "cs.*.up.>",
        "*.v1.up.140000.140300.140322.rollup",
        "cs.v1.*.140000.140300.*.*",
        "cs.v1.up.*.*.*.rollup",
        "cs.v1.down.140000.140300.140321.receipt",
        "cs.v1.down.140000.140300.140322.receipt",
        "_INBOX.*",
        "_INBOX.*.>",
        "_INBOX.140321",
        "_INBOX.140300.>",
        "_INBOX.operator.>",
        "_INBOX.14032*.>",
        "_inbox.140321.>",
        "_INBOX.>.140321",
        "$JS.API.>",
        "$JS.ACK.>",
        "$JS.EVENT.ADVISORY.>",
        "$JS.EVENT.>",
        "$JS.FC.>",
        "$SYS.>",
        "$SYS.ACCOUNT.*.>",
        "$SYS.REQ.USER.INFO",
        "$SRV.>",
        "$KV.>",
        "$O.>",
        "$MQTT.>",
        "_R_.>",
        "_GR_.>",
        "$JSC.>",
        "$NRG.>",
    ];
    for subject in subjects {
        for queue in [None, Some("workers")] {
            let line = match queue {
                None => client.subscribe(subject).await,
                Some(q) => client.queue_subscribe(subject, q.to_owned()).await,
            };
            // What the client itself refuses does not reach the server.
            let Ok(_subscription) = line else { continue };
            client.flush().await.unwrap();
            let refusal = tokio::time::timeout(Duration::from_secs(3), events.recv()).await;
            let refusal = refusal
                .unwrap_or_else(|_| panic!("it could subscribe to {subject} {queue:?}"))
                .unwrap();
            assert!(
                refusal.contains("Permissions Violation for Subscription"),
                "{refusal}"
            );
        }
    }
    // Nor may it publish anywhere near what is not its own.
    let subjects = [
        "cs.v1.up.140000.140300.140321",
        "cs.v1.up.140000.140300.140321.entries.0.0",
        "cs.v1.up.140000.140300.140321.rollup.x",
        "cs.v1.up.140000.140300.140321.ROLLUP",
        "CS.v1.up.140000.140300.140321.rollup",
        "cs.v2.up.140000.140300.140321.rollup",
        "cs.v1.up.140000.140300.140322.entries.0",
        "cs.v1.down.140000.140300.140321.receipt",
        "cs.v1.down.140000.140300.140322.receipt",
        "$JS.API.CONSUMER.MSG.NEXT.CS_DOWN.down_140300",
        "$JS.API.CONSUMER.MSG.NEXT.CS_UP.up_140300",
        "$JS.API.CONSUMER.UNPIN.CS_DOWN.down_140321",
        "$JS.API.CONSUMER.NAMES.CS_DOWN",
        "$JS.API.CONSUMER.LIST.CS_DOWN",
        "$JS.API.CONSUMER.INFO.CS_DOWN.down_140322",
        "$JS.API.CONSUMER.CREATE.CS_UP.down_140321.>",
        "$JS.API.CONSUMER.CREATE.CS_DOWN.mine.cs.v1.down.140000.140300.140322.receipt",
        "$JS.API.CONSUMER.DURABLE.CREATE.CS_DOWN.down_140321",
        "$JS.API.CONSUMER.DELETE.CS_UP.up_140300",
        "$JS.API.CONSUMER.RESET.CS_UP.up_140300",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.TEMPLATE.NAMES",
        "$JS.API.STREAM.RESTORE.CS_UP",
        "$JS.API.STREAM.PEER.REMOVE.CS_UP",
        "$JS.API.STREAM.LEADER.STEPDOWN.CS_UP",
        "$JS.API.STREAM.CREATE.CS_UP",
        "$JS.API.STREAM.DELETE.CS_DOWN",
        "$JS.API.STREAM.PURGE.CS_UP",
        "$JS.API.DIRECT.GET.CS_DOWN",
        "$JS.API.DIRECT.GET.CS_DOWN.cs.v1.down.140000.140300.140322.receipt",
        "$JS.API.STREAM.MSG.GET.CS_DOWN",
        "$JS.API.META.LEADER.STEPDOWN",
        "$JS.API.SERVER.REMOVE",
        "$JS.API.ACCOUNT.PURGE.COUNTERSIGN",
        "$JS.API.ACCOUNT.STREAM.MOVE.COUNTERSIGN.CS_UP",
        "$JS.API.INFO",
        "$JS.ACK.CS_UP.up_140300.1.1.1.1.0",
        "$JS.ACK.CS_DOWN.down_140322.1.1.1.1.0",
        "$JS.ACK.CS_DOWN.down_140321",
        "$JS.ACK._.h.CS_DOWN.down_140322.1.1.1.1.0.x",
        "$JS.FC.CS_DOWN.down_140321.x",
        "$SYS.REQ.USER.INFO",
        "$SYS.REQ.ACCOUNT.PING.CONNZ",
        "$SYS.REQ.SERVER.PING.VARZ",
        "$SYS.REQ.CLAIMS.DELETE",
        "$SYS.DEBUG.SUBSCRIBERS",
        "_INBOX.140300.x",
        "_INBOX.operator.x",
        "_INBOX.140321.x",
    ];
    for subject in subjects {
        client.publish(subject, "{}".into()).await.unwrap();
        client.flush().await.unwrap();
        let refusal = tokio::time::timeout(Duration::from_secs(3), events.recv()).await;
        let refusal = refusal
            .unwrap_or_else(|_| panic!("it could publish to {subject}"))
            .unwrap();
        assert!(
            refusal.contains("Permissions Violation for Publish"),
            "{refusal}"
        );
    }

    // Headers that ask the stream for more than storing: replacing what is there, a time to live, a
    // schedule, a batch.
    let own = format!("cs.v1.up.{COUNTY_A}.rollup");
    send(
        &a,
        &message(Subject::up(path(COUNTY_A), UpKind::Rollup), "first"),
    )
    .await;
    for headers in [
        &[("Nats-Rollup", "all")][..],
        &[("Nats-Rollup", "sub")],
        &[("Nats-TTL", "1s")],
        &[
            ("Nats-Schedule", "@at 2030-01-01T00:00:00Z"),
            (
                "Nats-Schedule-Target",
                "cs.v1.up.140000.140300.140322.rollup",
            ),
        ],
        &[("Nats-Incr", "+1")],
        &[
            ("Nats-Batch-Id", "x"),
            ("Nats-Batch-Sequence", "1"),
            ("Nats-Batch-Commit", "1"),
        ],
    ] {
        let mut map = async_nats::HeaderMap::new();
        headers.iter().for_each(|(k, v)| map.insert(*k, *v));
        let answer = client
            .request_with_headers(own.clone(), map, "{}".into())
            .await
            .unwrap();
        assert!(
            String::from_utf8_lossy(&answer.payload).contains("\"error\""),
            "{headers:?}: {answer:?}"
        );
    }
    // Its own consumer gives it nothing of others: the receipt of the other county is not among
    // what it can pull.
    let request = async_nats::client::Request::new()
        .payload(r#"{"batch":10,"no_wait":true}"#.into())
        .inbox(client.new_inbox());
    let answer = client
        .send_request("$JS.API.CONSUMER.MSG.NEXT.CS_DOWN.down_140321", request)
        .await
        .unwrap();
    assert_eq!(answer.status.map(|s| s.as_u16()), Some(404), "{answer:?}");

    assert!(events.try_recv().is_err());
    assert_eq!(
        (world.stored("CS_UP").await, world.stored("CS_DOWN").await),
        (streams.0 + 1, streams.1)
    );
    // The others never noticed anything: the city gets what was sent, once.
    assert_eq!(text(&city).await, "first");
    assert!(silent(&city).await);
    assert_eq!(text(&world.link(COUNTY_B).await).await, "receipt-b");
}

/// As the test of reply subjects above, by pulling: JetStream's delivery goes where the request
/// says, and an insider of the city can choose its bytes, because its own entries come back to it.
/// So it can plant bytes of its choice under any unit's subject: a limit of NATS that is pinned
/// here, and why nodes believe signatures and never subjects. It reaches no API, acknowledges for
/// nobody else, and takes nothing away from anybody.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_pull_with_a_foreign_reply_can_and_cannot_do() {
    let world = World::started("pull-reply").await;
    let a = world.link(COUNTY_A).await;
    let (client, mut events) = world.raw(world.seed(CITY), "_INBOX.140300").await;
    let api = "$JS.API.CONSUMER.MSG.NEXT.CS_UP.up_140300";
    let own = format!("cs.v1.up.{CITY}.entries.0");
    let targets = [
        "$JS.API.STREAM.DELETE.CS_DOWN",
        "$JS.API.STREAM.PURGE.CS_DOWN",
        "$JS.API.CONSUMER.DELETE.CS_DOWN.down_140321",
        "$JS.API.CONSUMER.CREATE.CS_DOWN.down_140321",
        "$JS.ACK.CS_DOWN.down_140321.1.1.1.1.0",
        "cs.v1.down.140000.registry",
        "cs.v1.up.140000.140300.140322.rollup",
    ];
    for target in targets {
        client
            .request(own.clone(), r#"{"chosen":"bytes"}"#.into())
            .await
            .unwrap();
        client
            .publish_with_reply(api, target, r#"{"batch":1,"no_wait":true}"#.into())
            .await
            .unwrap();
        client.flush().await.unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(15);
    let info = || async { world.api("CONSUMER.INFO.CS_UP.up_140300", "").await };
    while info().await["delivered"]["consumer_seq"].as_u64() < Some(5) {
        assert!(
            Instant::now() < deadline,
            "the server did not even deliver: {}",
            info().await
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Of the reply subjects the server refuses those that would acknowledge for another, and looks
    // at no other.
    let refusal = events.recv().await.unwrap();
    assert!(
        refusal.contains("with Reply of \"$JS.ACK.CS_DOWN.down_140321"),
        "{refusal}"
    );
    assert!(events.try_recv().is_err());
    // Planted: one under the other county's subject, one under the province's. The API took none of
    // it for a request.
    assert_eq!(
        (world.stored("CS_UP").await, world.stored("CS_DOWN").await),
        (targets.len() as u64 + 1, 1)
    );
    let down = world.api("CONSUMER.INFO.CS_DOWN.down_140321", "").await;
    assert_eq!(
        down["config"]["filter_subjects"].as_array().map(Vec::len),
        Some(7),
        "{down}"
    );
    // The county behind that consumer gets its receipt as ever.
    let city = world.link(CITY).await;
    send(
        &city,
        &message(Subject::down(path(COUNTY_A), DownKind::Receipt), "receipt"),
    )
    .await;
    let mut got = BTreeSet::new();
    while !got.contains("receipt") {
        got.insert(text(&a).await);
    }
}
