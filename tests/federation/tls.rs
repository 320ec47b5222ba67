//! TLS on both ways, with real processes: between node and nats-server, and in front of the API.
//!
//! A private authority is made in the test. Right certificates work from end to end; a wrong
//! authority, an expired certificate, a wrong name, a server without TLS where it is required, and
//! a missing client certificate are refused, and say why.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use admin::api::Client;
use admin::nats::{
    NatsUser, ServerOptions, ServerTls, Timing, create_user, provision, server_config, write_seed,
};
use countersign_demo::federation::{tail, wait};
use countersign_demo::world::{Deploy, World, free_port};
use federation_tests::{directory, nats_server, programs, repository};
use node::link::{
    Connection, LinkConfig, LinkState, LinkTls, NatsLink, Outgoing, Subject, Transport, UpKind,
};
use protocol::period::Month;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};

/// An authority that makes certificates into a directory.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    dir: PathBuf,
}

impl Authority {
    fn new(dir: &Path, name: &str) -> Authority {
        let dir = dir.join(name);
        std::fs::create_dir_all(&dir).unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(dir.join("ca.pem"), issuer.pem()).unwrap();
        Authority { issuer, dir }
    }
    fn ca(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }
    /// Certificate and key of a host, valid through that year.
    fn host(&self, file: &str, host: &str, until: i32) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new(vec![host.to_string()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        let paths = (
            self.dir.join(format!("{file}.pem")),
            self.dir.join(format!("{file}-key.pem")),
        );
        std::fs::write(&paths.0, cert.pem()).unwrap();
        std::fs::write(&paths.1, key.serialize_pem()).unwrap();
        std::fs::set_permissions(&paths.1, std::fs::Permissions::from_mode(0o600)).unwrap();
        paths
    }
}

const HOST: &str = "127.0.0.1";
const GOOD: i32 = 2090;
const PAST: i32 = 2021;
/// How long anything may take that should take a moment.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ended with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A world whose nats-server has the TLS that it is given.
struct Place {
    world: World,
    operator: NatsUser,
}

impl Place {
    fn new(name: &str) -> Place {
        let dir = directory(name);
        let world = World::build(
            &dir,
            &Deploy(repository().join("deploy")),
            &["140300"],
            Month::new(2023, 1).unwrap(),
        )
        .unwrap();
        let operator = create_user().unwrap();
        write_seed(&dir.join("admin.seed"), &operator.seed).unwrap();
        Place { world, operator }
    }
    fn nats(&mut self, tls: Option<ServerTls>) -> Process {
        let w = &mut self.world;
        (w.nats_port, w.monitor_port) = (free_port().unwrap(), free_port().unwrap());
        let local = ServerOptions::local(
            w.nats_port,
            w.monitor_port,
            w.dir.join("nats"),
            self.operator.public_nkey.clone(),
            w.nats_units.clone(),
        );
        std::fs::write(
            w.dir.join("nats.conf"),
            server_config(&ServerOptions { tls, ..local }).unwrap(),
        )
        .unwrap();
        let log = std::fs::File::create(w.dir.join("nats.log")).unwrap();
        let child = Command::new(nats_server())
            .arg("-c")
            .arg(w.dir.join("nats.conf"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let port = w.nats_port;
        wait("nats-server", || {
            TcpStream::connect((HOST, port))
                .map(|_| true)
                .map_err(|e| e.to_string())
        })
        .unwrap();
        Process(child)
    }
    fn url(&self, host: &str) -> String {
        format!("nats://{host}:{}", self.world.nats_port)
    }
    async fn link(&self, host: &str, tls: LinkTls) -> NatsLink {
        let m = self.world.member("140302").unwrap();
        NatsLink::connect(LinkConfig {
            url: self.url(host),
            monitor_url: format!("http://{HOST}:{}", self.world.monitor_port),
            seed_file: m.dir.join("nats.seed"),
            path: "140000.140300.140302".parse().unwrap(),
            has_children: false,
            tls,
        })
        .await
        .unwrap()
    }
    /// The link never connects, and says why, to whoever asks for the status and to whoever wants
    /// to send.
    async fn refused(&self, host: &str, tls: LinkTls, why: &str) {
        let link = self.link(host, tls).await;
        until(&link, why, |s| {
            s.trouble
                .as_ref()
                .is_some_and(|(_, text)| text.contains(why))
                || s.connects > 0
        })
        .await;
        let seen = link.state();
        assert_eq!(seen.connects, 0, "{why}: {seen:?}");
        assert_eq!(
            link.publish(&letter(1)).await.unwrap_err().code(),
            "link.disconnected"
        );
    }
}

/// Waits for a state of the link.
async fn until(link: &NatsLink, what: &str, ready: impl FnMut(&LinkState) -> bool) {
    let mut state = link.watch();
    let seen = tokio::time::timeout(PATIENCE, state.wait_for(ready))
        .await
        .is_ok();
    assert!(seen, "{what}: {:?}", link.state());
}

fn connected(s: &LinkState) -> bool {
    s.connection == Connection::Connected
}

fn letter(n: u64) -> Outgoing {
    Outgoing {
        subject: Subject::up("140000.140300.140302".parse().unwrap(), UpKind::Entries(n)),
        msg_id: n.to_string(),
        body: vec![1],
    }
}

fn link_tls(ca: &Path) -> LinkTls {
    LinkTls {
        required: true,
        ca_file: Some(ca.to_path_buf()),
        ..LinkTls::default()
    }
}

fn server(pair: &(PathBuf, PathBuf), client_ca: Option<PathBuf>) -> Option<ServerTls> {
    Some(ServerTls {
        cert_file: pair.0.clone(),
        key_file: pair.1.clone(),
        client_ca_file: client_ca,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn between_node_and_nats() {
    let mut place = Place::new("tls-nats");
    let dir = place.world.dir.clone();
    let (right, wrong) = (Authority::new(&dir, "right"), Authority::new(&dir, "wrong"));
    let good = right.host("good", HOST, GOOD);

    // The right authority: streams are made, and a message is stored.
    let running = place.nats(server(&good, None));
    let tls = link_tls(&right.ca());
    let made = provision(
        &place.url(HOST),
        &tls,
        &place.operator.seed,
        &place.world.nats_units,
        Timing::default(),
    )
    .await
    .unwrap();
    assert!(made.created.contains(&"CS_UP".to_string()));
    let link = place.link(HOST, tls.clone()).await;
    until(&link, "the right authority", connected).await;
    link.publish(&letter(1)).await.unwrap();
    drop(link);
    // It is the certificate that is refused, not the key: a connection that trusts nobody's
    // certificates does not come in either.
    place
        .refused(
            HOST,
            link_tls(&wrong.ca()),
            "not of an authority that this node trusts",
        )
        .await;
    let error = provision(
        &place.url(HOST),
        &link_tls(&wrong.ca()),
        &place.operator.seed,
        &place.world.nats_units,
        Timing::default(),
    )
    .await
    .unwrap_err();
    assert_eq!(error.code(), "nats.connect");
    assert!(error.to_string().contains("not of an authority"), "{error}");
    // A name that the certificate does not have: the same server under another of its names.
    place
        .refused("localhost", tls.clone(), "does not name the host")
        .await;
    // Files that cannot be used are named at once.
    let missing = place.world.dir.join("missing.pem");
    let error = provision(
        &place.url(HOST),
        &link_tls(&missing),
        &place.operator.seed,
        &place.world.nats_units,
        Timing::default(),
    )
    .await
    .unwrap_err();
    assert!(error.to_string().contains("missing.pem"), "{error}");
    drop(running);

    // Expired.
    let running = place.nats(server(&right.host("expired", HOST, PAST), None));
    place.refused(HOST, tls.clone(), "has expired").await;
    drop(running);

    // A server without TLS, where the node requires it.
    let running = place.nats(None);
    place.refused(HOST, tls.clone(), "does not offer TLS").await;
    let error = provision(
        &place.url(HOST),
        &tls,
        &place.operator.seed,
        &place.world.nats_units,
        Timing::default(),
    )
    .await
    .unwrap_err();
    assert!(error.to_string().contains("does not offer TLS"), "{error}");
    // The control: the same server takes who does not require it.
    let link = place.link(HOST, LinkTls::default()).await;
    until(&link, "without TLS on both sides", connected).await;
    drop((link, running));

    // A server that asks for a certificate.
    let running = place.nats(server(&good, Some(right.ca())));
    place
        .refused(HOST, tls.clone(), "asks for a certificate")
        .await;
    let with = |pair: (PathBuf, PathBuf)| LinkTls {
        client: Some(pair),
        ..tls.clone()
    };
    let own = right.host("node", "140302", GOOD);
    let link = place.link(HOST, with(own.clone())).await;
    until(&link, "with a certificate", connected).await;
    let made = provision(
        &place.url(HOST),
        &with(own.clone()),
        &place.operator.seed,
        &place.world.nats_units,
        Timing::default(),
    )
    .await
    .unwrap();
    assert!(made.confirmed.contains(&"CS_UP".to_string()));
    link.publish(&letter(2)).await.unwrap();
    drop(link);
    // One of another authority does not pass, and a key that others can read is not used.
    let link = place
        .link(HOST, with(wrong.host("node", "140302", GOOD)))
        .await;
    until(&link, "another authority's certificate", |s| {
        s.trouble.is_some()
    })
    .await;
    assert_eq!(link.state().connects, 0);
    std::fs::set_permissions(&own.1, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = provision(
        &place.url(HOST),
        &with(own),
        &place.operator.seed,
        &place.world.nats_units,
        Timing::default(),
    )
    .await
    .unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
    drop(running);
}

/// Replaces the address and adds tables to a unit's configuration.
fn configure(place: &Place, unit: &str, listen: &str, more: &str) -> PathBuf {
    let m = place.world.member(unit).unwrap();
    let text = std::fs::read_to_string(m.config()).unwrap();
    let (head, _) = text.split_once("[nats]").unwrap();
    let head = head.replace(
        &format!("listen = \"127.0.0.1:{}\"", m.port),
        &format!("listen = \"{listen}:{}\"", m.port),
    );
    let path = m.dir.join("tls.toml");
    std::fs::write(&path, format!("{head}\n{more}")).unwrap();
    path
}

fn node(config: &Path) -> Command {
    let mut command = Command::new(programs().join("countersign-node"));
    command.arg(config).stdin(Stdio::null());
    command
}

fn countersign(args: &[&str]) -> Output {
    Command::new(programs().join("countersign"))
        .args(args)
        .env_remove("COUNTERSIGN_CA")
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A node with TLS on both sides, and the command line in front of it.
#[test]
fn from_the_command_line_to_the_broker() {
    let mut place = Place::new("tls-node");
    let dir = place.world.dir.clone();
    let (right, wrong) = (Authority::new(&dir, "right"), Authority::new(&dir, "wrong"));
    let _running = place.nats(server(&right.host("nats", HOST, GOOD), Some(right.ca())));
    let (cert, key) = right.host("api", HOST, GOOD);
    let (client_cert, client_key) = right.host("node", "140302", GOOD);

    // As the runbook writes it.
    let units = dir.join("units.toml");
    let cards = place.world.nats_units.iter().map(|u| {
        let parent = u
            .path
            .iter()
            .rev()
            .nth(1)
            .map(|p| format!("parent = \"{p}\"\n"))
            .unwrap_or_default();
        let tier = ["province", "city", "county"][u.path.len() - 1];
        let m = place.world.member(u.path.last().unwrap()).unwrap();
        format!(
            "[[unit]]\nid = \"{}\"\nname = \"{}\"\ntier = \"{tier}\"\n{parent}nkey = \"{}\"\n\n",
            m.id, m.name, u.public_nkey
        )
    });
    std::fs::write(&units, cards.collect::<String>()).unwrap();
    let (url, seed, units) = (
        place.url(HOST),
        dir.join("admin.seed").display().to_string(),
        units.display().to_string(),
    );
    let file = |p: &Path| p.display().to_string();
    let provision = [
        "nats",
        "provision",
        "--url",
        &url,
        "--seed",
        &seed,
        "--units",
        &units,
    ];
    let output = countersign(&[&provision[..], &["--ca", &file(&right.ca())]].concat());
    assert!(
        !output.status.success() && told(&output).contains("nats.connect"),
        "without a client certificate: {}",
        told(&output)
    );
    let all = [
        "--ca",
        &file(&right.ca()),
        "--client-cert",
        &file(&client_cert),
        "--client-key",
        &file(&client_key),
    ];
    let output = countersign(&[&provision[..], &all].concat());
    assert!(output.status.success(), "{}", told(&output));

    let m = place.world.member("140302").unwrap().clone();
    let nats = format!(
        "[nats]\nurl = \"{url}\"\nmonitor = \"http://{HOST}:{}\"\nseed = \"nats.seed\"\nca = \"{}\"\nclient = [\"{}\", \"{}\"]\n",
        place.world.monitor_port,
        file(&right.ca()),
        file(&client_cert),
        file(&client_key)
    );
    // Open to other machines without TLS: refused, with the cure.
    let output = node(&configure(&place, "140302", "0.0.0.0", &nats))
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(
        told(&output).contains("web.plain") && told(&output).contains("listen_without_tls"),
        "{}",
        told(&output)
    );
    // A key that others can read, and one that does not fit.
    let tls = |cert: &Path, key: &Path| {
        format!(
            "[tls]\ncert = \"{}\"\nkey = \"{}\"\n{nats}",
            file(cert),
            file(key)
        )
    };
    let output = node(&configure(
        &place,
        "140302",
        "0.0.0.0",
        &tls(&cert, &client_key),
    ))
    .output()
    .unwrap();
    assert!(
        !output.status.success() && told(&output).contains("does not fit"),
        "{}",
        told(&output)
    );
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let output = node(&configure(&place, "140302", "0.0.0.0", &tls(&cert, &key)))
        .output()
        .unwrap();
    assert!(
        !output.status.success() && told(&output).contains("chmod 600"),
        "{}",
        told(&output)
    );
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();

    let log = m.dir.join("node.log");
    let config = configure(&place, "140302", "0.0.0.0", &tls(&cert, &key));
    let _node = Process(
        node(&config)
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap(),
    );
    let base = format!("https://{HOST}:{}", m.port);
    let authority = std::fs::read(right.ca()).unwrap();
    let client = Client::with_authority(&base, m.token("luru"), &authority).unwrap();
    wait("the node", || match client.health() {
        Ok(h) if h["link"] == "connected" => Ok(true),
        Ok(h) => Err(h.to_string()),
        Err(e) => Err(e.to_string()),
    })
    .unwrap_or_else(|e| panic!("{e}\n{}", tail(&log)));
    assert_eq!(client.status().unwrap().unit, "140302");

    // The command line: with the authority it works; with another one, without any, by a wrong name
    // and without TLS it does not.
    let token = dir.join("luru.token");
    std::fs::write(&token, m.token("luru")).unwrap();
    let token = file(&token);
    let status = |node: &str, more: &[&str]| {
        countersign(&[&["status", "--node", node, "--token-file", &token], more].concat())
    };
    let ca = file(&right.ca());
    let output = status(&base, &["--ca", &ca]);
    assert!(
        output.status.success() && told(&output).contains("140302"),
        "{}",
        told(&output)
    );
    for (case, node, more) in [
        (
            "another authority",
            base.clone(),
            vec!["--ca".to_string(), file(&wrong.ca())],
        ),
        ("no authority", base.clone(), vec![]),
        (
            "a wrong name",
            base.replace(HOST, "localhost"),
            vec!["--ca".to_string(), ca.clone()],
        ),
        ("no TLS", base.replace("https", "http"), vec![]),
        (
            "an authority and no TLS",
            base.replace("https", "http"),
            vec!["--ca".to_string(), ca.clone()],
        ),
        (
            "a file that is no certificate",
            base.clone(),
            vec!["--ca".to_string(), token.clone()],
        ),
    ] {
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let output = status(&node, &more);
        assert!(!output.status.success(), "{case}: {}", told(&output));
        assert!(
            !told(&output).contains(m.token("luru")),
            "{case} prints the token"
        );
    }
    // TLS 1.1 and older, and plain HTTP on the same port, get nothing: rustls has none of them. An
    // expired certificate is refused.
    let (cert, key) = right.host("expired", HOST, PAST);
    let m = place.world.member("140303").unwrap().clone();
    let config = configure(
        &place,
        "140303",
        HOST,
        &format!(
            "[tls]\ncert = \"{}\"\nkey = \"{}\"\n",
            file(&cert),
            file(&key)
        ),
    );
    let _other = Process(node(&config).stderr(Stdio::null()).spawn().unwrap());
    wait("the other node", || {
        TcpStream::connect((HOST, m.port))
            .map(|_| true)
            .map_err(|e| e.to_string())
    })
    .unwrap();
    let client =
        Client::with_authority(&format!("https://{HOST}:{}", m.port), "", &authority).unwrap();
    let error = client.health().unwrap_err().to_string();
    assert!(error.to_lowercase().contains("expired"), "{error}");
}
