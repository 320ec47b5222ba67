//! TLS on both ways, with real processes: between node and nats-server, and in front of the API.
//!
//! A private authority is made in the test. Right certificates work from end to end; a wrong
//! authority, an expired certificate, a wrong name, a server without TLS where it is required, and
//! a missing client certificate are refused, and say why.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use admin::api::Client;
use admin::nats::{
    NatsError, NatsUser, ProvisionOptions, ProvisionReport, ServerOptions, ServerTls, create_user,
    provision, server_config, write_seed,
};
use countersign_demo::federation::{tail, wait};
use countersign_demo::world::{Deploy, World, free_port};
use federation_tests::{Process, directory, nats_server, programs, repository};
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
    async fn provision(&self, tls: &LinkTls) -> Result<ProvisionReport, NatsError> {
        provision(
            &self.url(HOST),
            tls,
            &self.operator.seed,
            &self.world.nats_units,
            &ProvisionOptions::default(),
        )
        .await
    }
    fn url(&self, host: &str) -> String {
        format!("nats://{host}:{}", self.world.nats_port)
    }
    async fn link(&self, host: &str, tls: LinkTls) -> NatsLink {
        let m = self.world.member("140302").unwrap();
        NatsLink::connect(LinkConfig {
            servers: vec![self.url(host)],
            monitors: vec![format!("http://{HOST}:{}", self.world.monitor_port)],
            seed_file: m.dir.join("nats.seed"),
            marks_file: m.dir.join("stored"),
            places: "140000.140300.140302"
                .parse::<node::link::UnitPath>()
                .unwrap()
                .into(),
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

/// Two authorities, a certificate of the right one for the server, and how a link trusts it.
struct Trust {
    right: Authority,
    wrong: Authority,
    server: (PathBuf, PathBuf),
    tls: LinkTls,
}

#[tokio::test(flavor = "multi_thread")]
async fn between_node_and_nats() {
    let mut place = Place::new("tls-nats");
    let dir = place.world.dir.clone();
    let right = Authority::new(&dir, "right");
    let trust = Trust {
        wrong: Authority::new(&dir, "wrong"),
        server: right.host("good", HOST, GOOD),
        tls: link_tls(&right.ca()),
        right,
    };
    a_server_that_is_trusted(&mut place, &trust).await;
    an_expired_certificate(&mut place, &trust).await;
    a_server_without_tls(&mut place, &trust).await;
    a_server_that_asks_for_a_certificate(&mut place, &trust).await;
}

/// The right authority: streams are made, and a message is stored. With another one, or by another
/// name, nobody comes in.
async fn a_server_that_is_trusted(place: &mut Place, trust: &Trust) {
    let _running = place.nats(server(&trust.server, None));
    let made = place.provision(&trust.tls).await.unwrap();
    assert!(made.created.contains(&"CS_UP".to_string()));
    let link = place.link(HOST, trust.tls.clone()).await;
    until(&link, "the right authority", connected).await;
    link.publish(&letter(1)).await.unwrap();
    drop(link);
    // It is the certificate that is refused, not the key: a connection that trusts nobody's
    // certificates does not come in either.
    let wrong = link_tls(&trust.wrong.ca());
    let why = "not of an authority that this node trusts";
    place.refused(HOST, wrong.clone(), why).await;
    let error = place.provision(&wrong).await.unwrap_err();
    assert_eq!(error.code(), "nats.connect");
    assert!(error.to_string().contains("not of an authority"), "{error}");
    // A name that the certificate does not have: the same server under another of its names.
    let why = "does not name the host";
    place.refused("localhost", trust.tls.clone(), why).await;
    // Files that cannot be used are named at once.
    let missing = place.world.dir.join("missing.pem");
    let error = place.provision(&link_tls(&missing)).await.unwrap_err();
    assert!(error.to_string().contains("missing.pem"), "{error}");
}

async fn an_expired_certificate(place: &mut Place, trust: &Trust) {
    let expired = trust.right.host("expired", HOST, PAST);
    let _running = place.nats(server(&expired, None));
    place.refused(HOST, trust.tls.clone(), "has expired").await;
}

/// Refused where the node requires TLS.
async fn a_server_without_tls(place: &mut Place, trust: &Trust) {
    let _running = place.nats(None);
    let why = "does not offer TLS";
    place.refused(HOST, trust.tls.clone(), why).await;
    let error = place.provision(&trust.tls).await.unwrap_err();
    assert!(error.to_string().contains(why), "{error}");
    // The control: the same server takes who does not require it.
    let link = place.link(HOST, LinkTls::default()).await;
    until(&link, "without TLS on both sides", connected).await;
}

async fn a_server_that_asks_for_a_certificate(place: &mut Place, trust: &Trust) {
    let _running = place.nats(server(&trust.server, Some(trust.right.ca())));
    let why = "asks for a certificate";
    place.refused(HOST, trust.tls.clone(), why).await;
    let with = |pair: (PathBuf, PathBuf)| LinkTls {
        client: Some(pair),
        ..trust.tls.clone()
    };
    let own = trust.right.host("node", "140302", GOOD);
    let link = place.link(HOST, with(own.clone())).await;
    until(&link, "with a certificate", connected).await;
    let made = place.provision(&with(own.clone())).await.unwrap();
    assert!(made.confirmed.contains(&"CS_UP".to_string()));
    link.publish(&letter(2)).await.unwrap();
    drop(link);
    // One of another authority does not pass, and a key that others can read is not used.
    let foreign = trust.wrong.host("node", "140302", GOOD);
    let link = place.link(HOST, with(foreign)).await;
    let troubled = |s: &LinkState| s.trouble.is_some();
    until(&link, "another authority's certificate", troubled).await;
    assert_eq!(link.state().connects, 0);
    std::fs::set_permissions(&own.1, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = place.provision(&with(own)).await.unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
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

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A node with TLS on both sides, and the command line in front of it.
#[test]
fn from_the_command_line_to_the_broker() {
    let mut place = Place::new("tls-node");
    let dir = place.world.dir.clone();
    let (right, wrong) = (Authority::new(&dir, "right"), Authority::new(&dir, "wrong"));
    let _running = place.nats(server(&right.host("nats", HOST, GOOD), Some(right.ca())));
    let client = right.host("node", "140302", GOOD);
    provision_by_command(&place, &right, &client);

    let api = right.host("api", HOST, GOOD);
    let nats = nats_table(&place, &right, &client);
    bad_configurations_are_refused(&place, &nats, &api, &client.1);
    let config = configure(&place, "140302", "0.0.0.0", &with_tls(&api, &nats));
    let (_node, base) = node_behind_tls(&place, &right, &config);
    the_command_line_checks_the_node(&place, &base, &right, &wrong);
    an_expired_node_is_refused(&place, &right);
}

/// Writes the file of units as the runbook has it.
fn units_file(world: &World) -> String {
    let cards = world.nats_units.iter().map(|u| {
        let parent = u.path.iter().rev().nth(1);
        let parent = parent.map(|p| format!("parent = \"{p}\"\n"));
        let tier = ["province", "city", "county"][u.path.len() - 1];
        let m = world.member(u.path.last().unwrap()).unwrap();
        format!(
            "[[unit]]\nid = \"{}\"\nname = \"{}\"\ntier = \"{tier}\"\n{}nkey = \"{}\"\n\n",
            m.id,
            m.name,
            parent.unwrap_or_default(),
            u.public_nkey
        )
    });
    let file = world.dir.join("units.toml");
    std::fs::write(&file, cards.collect::<String>()).unwrap();
    text(&file)
}

/// `countersign nats provision`, without a client's certificate and with one.
fn provision_by_command(place: &Place, right: &Authority, client: &(PathBuf, PathBuf)) {
    let (url, units) = (place.url(HOST), units_file(&place.world));
    let seed = text(&place.world.dir.join("admin.seed"));
    let (ca, cert, key) = (text(&right.ca()), text(&client.0), text(&client.1));
    let without = [
        "nats",
        "provision",
        "--url",
        &url,
        "--seed",
        &seed,
        "--units",
        &units,
        "--ca",
        &ca,
    ];
    let output = countersign(&without);
    assert!(
        !output.status.success() && told(&output).contains("nats.connect"),
        "without a client certificate: {}",
        told(&output)
    );
    let own = ["--client-cert", &cert, "--client-key", &key];
    let output = countersign(&[&without[..], &own].concat());
    assert!(output.status.success(), "{}", told(&output));
}

/// The `[nats]` of a configuration.
fn nats_table(place: &Place, right: &Authority, client: &(PathBuf, PathBuf)) -> String {
    format!(
        "[nats]\nurl = \"{}\"\nmonitor = \"http://{HOST}:{}\"\nseed = \"nats.seed\"\nca = \"{}\"\n\
         client = [\"{}\", \"{}\"]\n",
        place.url(HOST),
        place.world.monitor_port,
        text(&right.ca()),
        text(&client.0),
        text(&client.1)
    )
}

/// The `[tls]` of a configuration, and what follows it.
fn with_tls((cert, key): &(PathBuf, PathBuf), more: &str) -> String {
    format!(
        "[tls]\ncert = \"{}\"\nkey = \"{}\"\n{more}",
        text(cert),
        text(key)
    )
}

/// Open to other machines without TLS; a key that does not fit, and one that others can read. Each
/// is told with its cure.
fn bad_configurations_are_refused(
    place: &Place,
    nats: &str,
    api: &(PathBuf, PathBuf),
    other_key: &Path,
) {
    let refused = |more: &str, words: &[&str]| {
        let config = configure(place, "140302", "0.0.0.0", more);
        let output = node(&config).output().unwrap();
        let told = told(&output);
        assert!(
            !output.status.success() && words.iter().all(|w| told.contains(w)),
            "{told}"
        );
    };
    refused(nats, &["web.plain", "listen_without_tls"]);
    let misfit = (api.0.clone(), other_key.to_path_buf());
    refused(&with_tls(&misfit, nats), &["does not fit"]);
    let mode = |mode| std::fs::set_permissions(&api.1, std::fs::Permissions::from_mode(mode));
    mode(0o640).unwrap();
    refused(&with_tls(api, nats), &["chmod 600"]);
    mode(0o600).unwrap();
}

/// Starts a node and waits until it is linked; gives the address of its API.
fn node_behind_tls(place: &Place, right: &Authority, config: &Path) -> (Process, String) {
    let m = place.world.member("140302").unwrap();
    let log = m.dir.join("node.log");
    let stderr = std::fs::File::create(&log).unwrap();
    let process = Process(node(config).stderr(stderr).spawn().unwrap());
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
    (process, base)
}

/// With the authority it works; with another one, without any, by a wrong name and without TLS it
/// does not, and nothing prints the token.
fn the_command_line_checks_the_node(
    place: &Place,
    base: &str,
    right: &Authority,
    wrong: &Authority,
) {
    let m = place.world.member("140302").unwrap();
    let file = place.world.dir.join("luru.token");
    std::fs::write(&file, m.token("luru")).unwrap();
    let token = text(&file);
    let status = |node: &str, ca: Option<&str>| {
        let ca: Vec<&str> = ca.into_iter().flat_map(|ca| ["--ca", ca]).collect();
        let args = ["status", "--node", node, "--token-file", &token];
        countersign(&[&args[..], &ca].concat())
    };
    let (ca, other) = (text(&right.ca()), text(&wrong.ca()));
    let output = status(base, Some(&ca));
    assert!(
        output.status.success() && told(&output).contains("140302"),
        "{}",
        told(&output)
    );
    let (by_name, plain) = (
        base.replace(HOST, "localhost"),
        base.replace("https", "http"),
    );
    for (case, node, ca) in [
        ("another authority", base, Some(other.as_str())),
        ("no authority", base, None),
        ("a wrong name", &by_name, Some(&ca)),
        ("no TLS", &plain, None),
        ("an authority and no TLS", &plain, Some(&ca)),
        ("a file that is no certificate", base, Some(&token)),
    ] {
        let output = status(node, ca);
        assert!(!output.status.success(), "{case}: {}", told(&output));
        let leaked = told(&output).contains(m.token("luru"));
        assert!(!leaked, "{case} prints the token");
    }
}

/// TLS 1.1 and older, and plain HTTP on the same port, get nothing: rustls has none of them. An
/// expired certificate is refused.
fn an_expired_node_is_refused(place: &Place, right: &Authority) {
    let expired = right.host("expired", HOST, PAST);
    let m = place.world.member("140303").unwrap();
    let config = configure(place, "140303", HOST, &with_tls(&expired, ""));
    let _node = Process(node(&config).stderr(Stdio::null()).spawn().unwrap());
    wait("the other node", || {
        TcpStream::connect((HOST, m.port))
            .map(|_| true)
            .map_err(|e| e.to_string())
    })
    .unwrap();
    let base = format!("https://{HOST}:{}", m.port);
    let authority = std::fs::read(right.ca()).unwrap();
    let client = Client::with_authority(&base, "", &authority).unwrap();
    let error = client.health().unwrap_err().to_string();
    assert!(error.to_lowercase().contains("expired"), "{error}");
}
