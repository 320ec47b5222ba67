//! What the API refuses before it listens to anybody: too much, too often, too slowly, too many at
//! once. Each limit is hit and answered clearly; beside each stands an honest caller who is not
//! hindered.
#![allow(missing_docs, clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use kit::on_disk::*;
use node::config::{Accept, Config, Limits};
use node::fault::Faults;
use node::service::Service;
use node::web::MAX_REQUEST_BYTES;
use node::web::serve::{Listener, MAX_HEADER_BYTES, MAX_HEADERS};
use protocol::note::Note;
use protocol::published::plan_text;

const HERE: &str = "127.0.0.1";
/// The same machine under another address.
const ELSEWHERE: &str = "127.0.0.2";

/// A node's API on a port of its own.
struct Server {
    door: Door,
    _world: World,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    /// Refused with this status and code, in both languages.
    #[track_caller]
    fn refused(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}{}", self.head, self.body);
        let faults: Faults = serde_json::from_str(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {}{}", self.head, self.body));
        assert_eq!(faults.0[0].code, code);
        assert!(
            !faults.0[0].en.is_empty() && faults.0[0].zh.chars().any(|c| c >= '\u{4e00}'),
            "{faults:?}"
        );
        assert_eq!(
            self.head.contains("retry-after: "),
            matches!(status, 429 | 503),
            "{}",
            self.head
        );
    }
    #[track_caller]
    fn good(&self) {
        assert_eq!(self.status, 200, "{}{}", self.head, self.body);
    }
}

impl Server {
    fn start(change: impl FnOnce(&mut Config)) -> Server {
        Server::over(World::empty(), change)
    }
    fn over(mut w: World, change: impl FnOnce(&mut Config)) -> Server {
        w.set_clock(at("2026-01-20"));
        w.desk(A).shut();
        let mut config = w.config(A, Accept::Person);
        change(&mut config);
        let service = Service::open(config).unwrap();
        Server {
            door: Door::open(service),
            _world: w,
        }
    }
    fn limited(change: impl FnOnce(&mut Limits)) -> Server {
        Server::start(|config| change(&mut config.limits))
    }
    /// A connection from one of this machine's addresses.
    fn connect(&self, from: &str) -> TcpStream {
        let stream = self.door.runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket
                .bind(SocketAddr::new(from.parse::<IpAddr>().unwrap(), 0))
                .unwrap();
            socket.connect(self.door.at).await.unwrap()
        });
        let stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream
    }
    fn ask(&self, from: &str, request: &[u8]) -> Answer {
        let mut stream = self.connect(from);
        // Who is refused early may be so before all is written.
        let _ = stream.write_all(request);
        read(&mut stream)
    }
    fn get(&self, from: &str, path: &str, more: &str) -> Answer {
        self.ask(
            from,
            format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{more}\r\n").as_bytes(),
        )
    }
    fn status_of(&self, from: &str, person: &str) -> Answer {
        self.get(from, "/api/status", &bearer(person))
    }
}

fn bearer(person: &str) -> String {
    format!("authorization: Bearer {}\r\n", token(A, person))
}

/// One answer: headers, and as much body as they say.
fn read(stream: &mut TcpStream) -> Answer {
    let (mut bytes, mut block) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase().lines().find_map(|l| {
                l.strip_prefix("content-length: ")
                    .and_then(|n| n.parse().ok())
            });
            if body.len() >= length.unwrap_or(usize::MAX) {
                return answer(head, body);
            }
        }
        match stream.read(&mut block) {
            Ok(0) | Err(_) => {
                let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
                return answer(head, body);
            }
            Ok(n) => bytes.extend_from_slice(&block[..n]),
        }
    }
}

fn answer(head: &str, body: &str) -> Answer {
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .unwrap_or(0);
    Answer {
        status,
        head: format!("{}\r\n", head.to_lowercase()),
        body: body.to_string(),
    }
}

fn import(person: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /api/events?type=E06&dry_run=true HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{}content-type: text/csv\r\n{more}\r\n",
        bearer(person)
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn a_token_that_asks_too_often() {
    let server = Server::limited(|l| (l.requests_per_second, l.burst) = (1, 5));
    // The limit gives back one a second: on a machine that is slower than that, more than five
    // pass, but not for ever.
    let passed = (0..100)
        .take_while(|_| server.status_of(HERE, "luru").status == 200)
        .count();
    assert!((5..15).contains(&passed), "{passed}");
    server
        .status_of(HERE, "luru")
        .refused(429, "limit.requests");
    server.status_of(HERE, "tongji").good();
}

#[test]
fn an_address_that_asks_too_often() {
    let server = Server::limited(|l| (l.requests_per_second, l.burst) = (1, 5));
    let passed = (0..200)
        .take_while(|_| server.get(HERE, "/health", "").status == 200)
        .count();
    assert!((20..80).contains(&passed), "{passed}");
    server
        .get(HERE, "/health", "")
        .refused(429, "limit.address");
    server.status_of(HERE, "luru").refused(429, "limit.address");
    server.status_of(ELSEWHERE, "luru").good();
}

#[test]
fn wrong_tokens() {
    let server = Server::limited(|l| l.failures_per_minute = 3);
    let guess = |from: &str, n: usize| {
        server.get(
            from,
            "/api/status",
            &format!("authorization: Bearer guess{n}\r\n"),
        )
    };
    for n in 0..3 {
        guess(HERE, n).refused(401, "token.unknown");
    }
    let refused = (3..20)
        .map(|n| guess(HERE, n))
        .find(|a| a.status != 401)
        .unwrap();
    refused.refused(429, "limit.token");
    // Nobody locks out who has a good token, at the same address or another; what needs none is
    // open as before.
    server.status_of(HERE, "luru").good();
    server.get(HERE, "/health", "").good();
    guess(ELSEWHERE, 0).refused(401, "token.unknown");
}

#[test]
fn clients_behind_a_proxy() {
    let ask = |server: &Server, client: &str| {
        server
            .get(
                HERE,
                "/api/status",
                &format!("x-forwarded-for: {client}\r\n"),
            )
            .status
    };
    let change = |config: &mut Config, proxies: &[&str]| {
        config.limits.failures_per_minute = 1;
        config.proxies = proxies.iter().map(|p| p.parse().unwrap()).collect();
    };
    let server = Server::start(|c| change(c, &[HERE]));
    assert_eq!(
        [
            ask(&server, "10.0.0.1"),
            ask(&server, "10.0.0.1"),
            ask(&server, "10.0.0.2")
        ],
        [401, 429, 401]
    );
    // What the client writes in front of the proxy's word is not believed.
    assert_eq!(ask(&server, "10.0.0.77, 10.0.0.1"), 429);
    // Who is no proxy cannot be somebody else.
    let server = Server::start(|c| change(c, &[]));
    assert_eq!(
        [ask(&server, "10.0.0.1"), ask(&server, "10.0.0.2")],
        [401, 429]
    );
}

#[test]
fn headers_that_do_not_end_and_connections_that_do_nothing() {
    let server = Server::limited(|l| l.header_seconds = 1);
    let (mut slow, mut idle) = (server.connect(HERE), server.connect(HERE));
    slow.write_all(b"GET /api/status HTTP/1.1\r\nhost: x\r\nx-slow:")
        .unwrap();
    // A byte now and then does not help: the time is that of all headers.
    let start = Instant::now();
    while slow.write_all(b"a").is_ok() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "it is held open for ever"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(
        !matches!(read(&mut idle).status, 200..=299),
        "and is closed"
    );
    // A kept connection that does nothing after an answer ends, too.
    let mut kept = server.connect(HERE);
    kept.write_all(
        format!(
            "GET /api/status HTTP/1.1\r\nhost: x\r\n{}\r\n",
            bearer("luru")
        )
        .as_bytes(),
    )
    .unwrap();
    read(&mut kept).good();
    let mut rest = Vec::new();
    kept.read_to_end(&mut rest).unwrap();
    server.status_of(HERE, "luru").good();
}

#[test]
fn a_body_that_does_not_come() {
    let server = Server::limited(|l| l.request_seconds = 1);
    server
        .ask(
            HERE,
            &import("luru", "content-length: 100\r\n", b"attended,"),
        )
        .refused(408, "limit.time");
    server
        .ask(
            HERE,
            &import(
                "luru",
                "content-length: 34\r\n",
                b"attended,occurred_on\n1,2026-01-05\n\n",
            ),
        )
        .good();
}

/// So that what is slow ends soon in a test, and by nothing else.
fn impatient(limits: &mut Limits) {
    limits.patience_seconds = 1;
    limits.bytes_per_second = 1 << 20;
}

/// A byte now and then: the right token does not help.
#[test]
fn a_body_that_comes_byte_by_byte() {
    let server = Server::limited(impatient);
    let mut slow = server.connect(HERE);
    slow.write_all(&import("luru", "content-length: 100000\r\n", b"attended,"))
        .unwrap();
    let mut other_way = slow.try_clone().unwrap();
    let answer = std::thread::spawn(move || read(&mut other_way));
    while !answer.is_finished() {
        // Refused meanwhile: then the answer is on its way.
        let _ = slow.write_all(b"o");
        std::thread::sleep(Duration::from_millis(50));
        server.status_of(HERE, "luru").good();
    }
    answer.join().unwrap().refused(408, "limit.time");
}

/// A world whose evidence is larger than what the system holds of it on its way: plan packs with
/// long remarks.
fn with_large_evidence() -> World {
    let w = World::empty();
    for n in 0..12 {
        let remark = "x".repeat(1_000_000);
        let plan = PLAN.replacen("id = \"", &format!("id = \"x{n}-"), 1);
        let text = plan_text(&format!("{plan}\n# {remark}\n")).unwrap();
        let note = Note::sign(&text, &[&w.root]).unwrap();
        let file = w.dir.0.join(format!("published/more{n}.note"));
        std::fs::write(file, note.as_bytes()).unwrap();
    }
    w
}

fn evidence_for(person: &str) -> String {
    let token = bearer(person);
    format!("GET /api/evidence HTTP/1.1\r\nhost: x\r\n{token}")
}

/// Whoever takes nothing of an evidence file has one place, and that not for long.
#[test]
fn an_evidence_file_that_nobody_reads() {
    let w = with_large_evidence();
    let server = Server::over(w, |config| impatient(&mut config.limits));
    let ask = |person: &str| {
        let mut stream = server.connect(HERE);
        let request = format!("{}connection: close\r\n\r\n", evidence_for(person));
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        answer(head, body)
    };
    let mut idle: Vec<TcpStream> = (0..6).map(|_| server.connect(HERE)).collect();
    for stream in &mut idle {
        let request = format!("{}\r\n", evidence_for("jiancha"));
        stream.write_all(request.as_bytes()).unwrap();
    }
    let end = Instant::now() + Duration::from_secs(60);
    let mut refused = 0;
    loop {
        // Nobody else is hindered, whatever the idle ones do.
        ask("tongji").good();
        let own = ask("jiancha");
        if own.status == 200 {
            break;
        }
        own.refused(503, "limit.evidence");
        refused += 1;
        assert!(Instant::now() < end, "the place is not free again");
    }
    assert!(
        refused > 0,
        "the control: while it waits its caller has no other"
    );
    drop(idle);
}

#[test]
fn requests_that_are_too_large() {
    let server = Server::limited(|_| {});
    let big = vec![b'1'; MAX_REQUEST_BYTES + 1];
    server
        .ask(
            HERE,
            &import("luru", &format!("content-length: {}\r\n", big.len()), &big),
        )
        .refused(413, "limit.size");
    let mut chunked = b"attended,occurred_on\n".to_vec();
    chunked = [
        format!("{:x}\r\n", chunked.len()).as_bytes(),
        &chunked,
        b"\r\n",
    ]
    .concat();
    let line = [b"10000\r\n".as_slice(), &[b'1'; 0x10000], b"\r\n"].concat();
    (0..=MAX_REQUEST_BYTES / 0x10000).for_each(|_| chunked.extend_from_slice(&line));
    chunked.extend_from_slice(b"0\r\n\r\n");
    server
        .ask(
            HERE,
            &import("luru", "transfer-encoding: chunked\r\n", &chunked),
        )
        .refused(413, "limit.size");
    // JSON routes have the same limit.
    let head = format!(
        "POST /api/events/1/void HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{}content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        bearer("luru"),
        big.len()
    );
    server
        .ask(HERE, &[head.as_bytes(), &big].concat())
        .refused(413, "limit.size");
    // Without a token nobody's body is waited for, however large it is said to be.
    let anonymous = format!(
        "POST /api/events?type=E06 HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        u64::MAX / 2
    );
    server
        .ask(HERE, anonymous.as_bytes())
        .refused(401, "token.unknown");

    let long = "a".repeat(MAX_HEADER_BYTES);
    assert_eq!(
        server
            .get(HERE, "/health", &format!("x-long: {long}\r\n"))
            .status,
        431
    );
    assert!(matches!(
        server.get(HERE, &format!("/health?{long}"), "").status,
        414 | 431
    ));
    let many: String = (0..=MAX_HEADERS).map(|n| format!("x-{n}: y\r\n")).collect();
    assert_eq!(server.get(HERE, "/health", &many).status, 431);
    let some: String = (0..20)
        .map(|n| format!("x-{n}: {}\r\n", "y".repeat(500)))
        .collect();
    server.get(HERE, "/health", &some).good();
}

#[test]
fn too_many_connections() {
    let server = Server::limited(|l| (l.connections, l.connections_per_address) = (6, 4));
    let hold = |from: &str| {
        let mut stream = server.connect(from);
        stream
            .write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
            .unwrap();
        read(&mut stream).good();
        stream
    };
    let mut held: Vec<TcpStream> = (0..4).map(|_| hold(HERE)).collect();
    server
        .get(HERE, "/health", "")
        .refused(503, "limit.connections");
    // Another address has places of its own …
    server.get(ELSEWHERE, "/health", "").good();
    // … until there is none at all.
    let more: Vec<TcpStream> = (0..2).map(|_| hold("127.0.0.3")).collect();
    server
        .get(ELSEWHERE, "/health", "")
        .refused(503, "limit.connections");
    drop((held.pop(), more));
    let start = Instant::now();
    while server.get(HERE, "/health", "").status != 200 {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "a place that was given back is free"
        );
    }
}

/// The default limits against what a clerk really does: all of a month's files, one after the other
/// and as fast as it goes, one of them as large as one may be; and a page that looks now and then.
#[test]
fn a_month_of_files_is_not_hindered() {
    let server = Server::limited(|_| {});
    let rows: String = (0..5_000)
        .map(|n| format!("{},2026-01-{:02}\n", n + 1, n % 20 + 1))
        .collect();
    let large = format!("attended,occurred_on\n{rows}");
    server
        .ask(
            HERE,
            &import(
                "luru",
                &format!("content-length: {}\r\n", large.len()),
                large.as_bytes(),
            ),
        )
        .good();
    let small = b"attended,occurred_on\n1,2026-01-05\n";
    for _ in 0..150 {
        server
            .ask(
                HERE,
                &import(
                    "luru",
                    &format!("content-length: {}\r\n", small.len()),
                    small,
                ),
            )
            .good();
        server.status_of(HERE, "tianbiao").good();
    }
}

#[test]
fn other_machines_are_let_in_with_tls_only() {
    let w = World::empty();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let open = |listen: &str, anyway: bool| {
        let mut config = w.config(A, Accept::Person);
        (config.listen, config.listen_without_tls) = (listen.to_string(), anyway);
        runtime
            .block_on(Listener::open(&config))
            .map(|_| ())
            .map_err(|e| (e.code(), e.to_string()))
    };
    let (code, text) = open("0.0.0.0:0", false).unwrap_err();
    assert_eq!(code, "web.plain");
    assert!(
        text.contains("[tls]") && text.contains("listen_without_tls"),
        "{text}"
    );
    assert_eq!(open("127.0.0.1:0", false), Ok(()));
    assert_eq!(open("localhost:0", false), Ok(()));
    assert_eq!(open("0.0.0.0:0", true), Ok(()));
    assert_eq!(open("192.0.2.1:0", false).unwrap_err().0, "web.listen");
}

#[test]
fn limits_that_nobody_could_keep_to_are_refused() {
    let dir = Dir::create();
    let load = |limits: &str| {
        let file = dir.0.join("node.toml");
        let text = format!(
            "unit = \"140321\"\ndata = \"d\"\nlisten = \"127.0.0.1:0\"\nroot = \"{}\"\npublished = \"p\"\nkeys = \"k\"\ntokens = \"t\"\n\
             [signatories]\npreparer = \"a\"\nreviewer = \"b\"\nhead = \"c\"\n{limits}",
            key("root", protocol::note::Alg::Ed25519).vkey()
        );
        std::fs::write(&file, text).unwrap();
        Config::load(&file)
            .map(|c| c.limits)
            .map_err(|e| e.to_string())
    };
    assert_eq!(load(""), Ok(Limits::default()));
    assert_eq!(
        load("[limits]\nburst = 7\n"),
        Ok(Limits {
            burst: 7,
            ..Limits::default()
        })
    );
    let names = [
        "requests_per_second",
        "burst",
        "failures_per_minute",
        "connections",
        "connections_per_address",
        "header_seconds",
        "request_seconds",
    ];
    for name in names {
        assert!(
            load(&format!("[limits]\n{name} = 0\n"))
                .unwrap_err()
                .contains(name)
        );
    }
    assert!(load("[limits]\nbursts = 7\n").is_err());
}
