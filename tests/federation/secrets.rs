//! Secrets stay where they belong. A county's month is recorded, corrected, closed, signed, sent
//! and accepted by real processes that log everything (`trace`), with mistakes on the way; then
//! every key, token, salt and personal field of it is looked for in everything that anybody else
//! could come to see: logs, standard output and error of the commands, answers, metrics, the files
//! of the data directory, the traffic and the store of nats-server, the evidence file. Plain, in
//! hexadecimal, in base64 at any alignment, as JSON escapes, and as Rust would print a list of
//! bytes.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use async_nats::ConnectOptions;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use countersign_demo::federation::Federation;
use countersign_demo::ledger::{DEFAULT_SEED, LedgerOptions, LedgerUnit, generate};
use countersign_demo::world::{Deploy, Member, World};
use countersign_demo::year;
use federation_tests::{directory, nats_server, programs, repository};
use futures_util::StreamExt as _;
use node::books::Books;
use node::books::keys::Keys;
use protocol::period::Month;

const COUNTY: &str = "140302";
const CITY: &str = "140300";
const PROVINCE: &str = "140000";

/// What must not be found, in every form that it could have.
#[derive(Default)]
struct Needles {
    /// What it is, and the bytes.
    list: Vec<(String, Vec<u8>)>,
    /// By their first bytes, so that a haystack is walked once.
    by_start: HashMap<[u8; 8], Vec<usize>>,
}

impl Needles {
    fn add(&mut self, what: String, bytes: Vec<u8>) {
        let start = *bytes
            .first_chunk::<8>()
            .unwrap_or_else(|| panic!("{what} is too short to look for"));
        self.by_start
            .entry(start)
            .or_default()
            .push(self.list.len());
        self.list.push((what, bytes));
    }
    /// A secret of any kind.
    fn secret(&mut self, what: &str, bytes: &[u8]) {
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
        for (form, text) in [
            ("hex", hex.clone()),
            ("HEX", hex.to_uppercase()),
            ("a list", numbers.join(", ")),
            ("a short list", numbers.join(",")),
        ] {
            self.add(format!("{what} as {form}"), text.into_bytes());
        }
        for offset in 0..3 {
            // Characters that depend on neighbours are left away at both ends.
            let padded = [&[0; 2][..offset], bytes].concat();
            let (from, to) = ([0, 2, 3][offset], padded.len() * 8 / 6);
            for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                self.add(
                    format!("{what} as base64 at {offset}"),
                    engine.encode(&padded).as_bytes()[from..to].to_vec(),
                );
            }
        }
        self.add(what.to_string(), bytes.to_vec());
    }
    fn text(&mut self, what: &str, text: &str) {
        self.secret(what, text.as_bytes());
        if !text.is_ascii() {
            let escaped: String = text.encode_utf16().map(|u| format!("\\u{u:04x}")).collect();
            self.add(format!("{what} as JSON escapes"), escaped.into_bytes());
        }
    }
    fn found(&self, hay: &[u8]) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for (at, start) in hay.windows(8).enumerate() {
            let Some(candidates) = self.by_start.get(start) else {
                continue;
            };
            found.extend(
                candidates
                    .iter()
                    .filter(|n| hay[at..].starts_with(&self.list[**n].1))
                    .map(|n| self.list[*n].0.as_str()),
            );
        }
        found
    }
}

/// Ended with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Everything that could have been seen, by name.
#[derive(Default)]
struct Seen(Vec<(String, Vec<u8>)>);

impl Seen {
    /// Runs a command; what it prints is seen. Gives whether it succeeded.
    fn command(&mut self, m: &Member, person: &str, args: &[&str]) -> bool {
        let output = Command::new(programs().join("countersign"))
            .args(args)
            .env("COUNTERSIGN_NODE", m.url())
            .env("COUNTERSIGN_TOKEN", m.token(person))
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "1")
            .output()
            .unwrap();
        self.0.push((
            format!("countersign {args:?}"),
            [output.stdout, b"\n".to_vec(), output.stderr].concat(),
        ));
        output.status.success()
    }
    #[track_caller]
    fn good(&mut self, m: &Member, person: &str, args: &[&str]) {
        let done = self.command(m, person, args);
        assert!(
            done,
            "{args:?}: {}",
            String::from_utf8_lossy(&self.0.last().unwrap().1)
        );
    }
    #[track_caller]
    fn refused(&mut self, m: &Member, person: &str, args: &[&str]) {
        assert!(!self.command(m, person, args), "{args:?}");
    }
    /// A request byte for byte; the answer is seen.
    fn ask(&mut self, m: &Member, request: &str) -> u16 {
        let mut stream = TcpStream::connect(("127.0.0.1", m.port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let status = String::from_utf8_lossy(&answer)
            .split(' ')
            .nth(1)
            .and_then(|s| s.parse().ok())
            .unwrap_or(0);
        self.0.push((
            format!(
                "the answer to {}",
                request.lines().next().unwrap_or_default()
            ),
            answer,
        ));
        status
    }
    fn files(&mut self, path: &Path) {
        if path.is_dir() {
            for entry in std::fs::read_dir(path).unwrap() {
                self.files(&entry.unwrap().path());
            }
        } else {
            self.0
                .push((path.display().to_string(), std::fs::read(path).unwrap()));
        }
    }
}

/// Writes down all that passes by nats-server, as its operator can.
async fn listen(
    url: String,
    seed: String,
    heard: Arc<Mutex<Vec<u8>>>,
    ready: std::sync::mpsc::Sender<()>,
) {
    let client = ConnectOptions::new().nkey(seed).connect(url).await.unwrap();
    // Not `>`: interest in the inbox of a node that was killed would make JetStream deliver to
    // nobody and wait for an answer.
    let (notes, answers) = (
        client.subscribe("cs.>").await.unwrap(),
        client.subscribe("$JS.ACK.>").await.unwrap(),
    );
    let mut everything = futures_util::stream::select(notes, answers);
    client.flush().await.unwrap();
    ready.send(()).unwrap();
    while let Some(message) = everything.next().await {
        let mut heard = heard.lock().unwrap();
        heard.extend_from_slice(
            format!(
                "\n{} {:?} {:?}\n",
                message.subject, message.reply, message.headers
            )
            .as_bytes(),
        );
        heard.extend_from_slice(&message.payload);
    }
}

/// The 32 secret bytes of a signing key's file.
fn seed_of(file: &Path) -> Vec<u8> {
    let text = std::fs::read_to_string(file).unwrap();
    let data = text.trim().splitn(5, '+').last().unwrap();
    let data = base64::engine::general_purpose::STANDARD
        .decode(data)
        .unwrap();
    assert_eq!(data.len(), 33, "algorithm and seed");
    data[1..].to_vec()
}

/// Starts a unit's node again, with the most talkative log that there is.
fn talkative(f: &mut Federation, id: &str) -> (Process, PathBuf) {
    f.kill_node(id);
    let m = f.world.member(id).unwrap();
    let log = m.dir.join("trace.log");
    let mut command = Command::new(programs().join("countersign-node"));
    command
        .arg(m.config())
        .env("COUNTERSIGN_LOG", "trace")
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "1");
    let file = File::create(&log).unwrap();
    let child = command
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
    f.wait_up(id).unwrap();
    (Process(child), log)
}

#[test]
fn nothing_secret_is_seen() {
    let january = Month::new(2023, 1).unwrap();
    let dir = directory("secrets");
    let world = World::build(&dir, &Deploy(repository().join("deploy")), &[CITY], january).unwrap();
    let units = world
        .members
        .iter()
        .map(|m| LedgerUnit {
            id: m.id.clone(),
            tier: m.tier,
            parent: m.parent.clone(),
        })
        .collect();
    let ledger = generate(&LedgerOptions {
        seed: DEFAULT_SEED,
        year: 2023,
        units,
    });
    let mut f =
        Federation::start(world, &nats_server(), &programs().join("countersign-node")).unwrap();
    let (heard, runtime) = (
        Arc::new(Mutex::new(Vec::new())),
        tokio::runtime::Runtime::new().unwrap(),
    );
    let (ready, listening) = std::sync::mpsc::channel();
    runtime.spawn(listen(
        format!("nats://127.0.0.1:{}", f.world.nats_port),
        f.world.nats_admin.clone(),
        heard.clone(),
        ready,
    ));
    listening.recv().unwrap();
    let running: Vec<(Process, PathBuf)> = [COUNTY, CITY, PROVINCE]
        .iter()
        .map(|id| talkative(&mut f, id))
        .collect();
    f.enrol_all().unwrap();
    f.world.set_clock("2023-02-03T04:00:00Z").unwrap();
    let m = f.world.member(COUNTY).unwrap().clone();
    let mut seen = Seen::default();

    // What is secret.
    let mut needles = Needles::default();
    for member in &f.world.members {
        for (name, token) in &member.tokens {
            needles.text(&format!("the token of {}/{name}", member.id), token);
        }
    }
    for unit in [COUNTY, CITY, PROVINCE] {
        let keys = f.world.member(unit).unwrap().dir.join("keys");
        for name in ["node", "witness", "luru"] {
            needles.secret(
                &format!("{name}.key of {unit}"),
                &seed_of(&keys.join(format!("{name}.key"))),
            );
        }
        let vault = std::fs::read_to_string(keys.join("vault.key")).unwrap();
        let vault = vault.trim().rsplit(' ').next().unwrap();
        let bytes: Vec<u8> = (0..32)
            .map(|n| u8::from_str_radix(&vault[2 * n..2 * n + 2], 16).unwrap())
            .collect();
        needles.secret(&format!("vault.key of {unit}"), &bytes);
        let nats =
            std::fs::read_to_string(f.world.member(unit).unwrap().dir.join("nats.seed")).unwrap();
        needles.text(&format!("nats.seed of {unit}"), nats.trim());
    }
    for name in ["tianbiao", "tongji", "fuzeren"] {
        needles.secret(&format!("{name}'s key"), &seed_of(&m.key(name)));
    }
    needles.secret("root.key", &seed_of(&dir.join("root.key")));
    needles.text("the operator's seed", &f.world.nats_admin);
    let sheets = ledger
        .unit(&m.id)
        .unwrap()
        .month(january)
        .unwrap()
        .sheets
        .clone();
    let mut personal = BTreeSet::new();
    for sheet in &sheets {
        for row in 0..sheet.rows.len() {
            for column in ["id_no", "cert_no", "phone"] {
                personal.extend(
                    sheet
                        .cell(row, column)
                        .filter(|v| v.len() >= 8)
                        .map(|v| v[..v.len().min(18)].to_string()),
                );
            }
            if sheet.event == "E01" {
                personal.extend(sheet.cell(row, "name").map(str::to_string));
            }
        }
    }
    assert!(
        personal.iter().any(|p| p.starts_with("999999"))
            && personal.iter().any(|p| !p.is_ascii())
            && personal.len() > 50
    );
    personal
        .iter()
        .for_each(|p| needles.text(&format!("personal field {p}"), p));

    // A month, with mistakes.
    let someone = personal
        .iter()
        .find(|p| p.starts_with("999999"))
        .unwrap()
        .clone();
    let name = personal.iter().find(|p| !p.is_ascii()).unwrap().clone();
    for sheet in &sheets {
        let file = dir.join(sheet.file_name());
        std::fs::write(&file, sheet.to_csv()).unwrap();
        seen.good(&m, "luru", &["import", file.to_str().unwrap()]);
        // The same again, and in a form that is broken in every row.
        seen.refused(&m, "luru", &["import", file.to_str().unwrap()]);
        std::fs::write(
            &file,
            sheet
                .to_csv()
                .replace("999999", "99999X")
                .replace("2023-", "2O23-"),
        )
        .unwrap();
        seen.refused(&m, "luru", &["import", file.to_str().unwrap()]);
    }
    let broken = dir.join("x.jsonl");
    std::fs::write(
        &broken,
        format!("{{\"id_no\":\"{someone}\",\"name\":\"{name}\",\"occurred_on\":\"2023-01-05\""),
    )
    .unwrap();
    seen.refused(
        &m,
        "luru",
        &["import", "--type", "E01", broken.to_str().unwrap()],
    );
    std::fs::write(
        &broken,
        format!("{{\"{someone}\":\"{name}\",\"occurred_on\":[\"{someone}\"]}}"),
    )
    .unwrap();
    seen.refused(
        &m,
        "luru",
        &["import", "--type", "E01", broken.to_str().unwrap()],
    );
    seen.good(&m, "luru", &["audit", "events", "2023-01"]);
    seen.refused(&m, "luru", &["void", "99999", "--reason", "duplicate"]);
    seen.refused(
        &m,
        "luru",
        &[
            "correct",
            "30",
            "--reason",
            "typing",
            "--event",
            &format!("{{\"cert_no\":\"{someone}9\",\"name\":\"{name}\"}}"),
        ],
    );
    let (key, root) = (
        m.key("tianbiao").display().to_string(),
        dir.join("root.key").display().to_string(),
    );
    let vault = m.dir.join("keys/vault.key").display().to_string();
    for mistake in [
        vec!["key", "show", &vault],
        vec!["operator", "enrol", &key, "--roles", "recorder"],
        vec!["sign", "2023-01", "--key", &vault],
        vec!["verify", &key, "--root", &root],
        vec!["registry", "show", &root, "--root", &root],
        vec![
            "nats",
            "config",
            "--units",
            &vault,
            "--admin",
            &f.world.nats_admin,
            "--store-dir",
            "/x",
        ],
        vec!["publish", &key],
        vec!["plan", "sign", &key, "--root", &root, "-o", "/x/y"],
        vec!["plan", "sign", &vault, "--root", &root, "-o", "/x/y"],
        vec!["import", "--type", "E01", &key],
        vec!["fsck", m.dir.join("keys").to_str().unwrap()],
    ] {
        seen.refused(&m, "operator", &mistake);
        seen.refused(&m, "operator", &[&["--json"], &mistake[..]].concat());
    }
    // A node that is given a key for its configuration.
    for file in [&vault, &key] {
        let output = Command::new(programs().join("countersign-node"))
            .arg(file)
            .output()
            .unwrap();
        assert!(!output.status.success());
        seen.0.push((
            format!("countersign-node {file}"),
            [output.stdout, output.stderr].concat(),
        ));
    }
    let wrong = |token: &str| format!("authorization: Bearer {token}\r\n");
    let tokens = [m.token("luru").to_string(), m.token("tongji").to_string()];
    for (request, headers, body) in [
        (
            "GET /api/status",
            wrong(&format!("{}x", tokens[0])),
            String::new(),
        ),
        (
            "GET /api/status",
            format!("authorization: Basic {}\r\n", tokens[0]),
            String::new(),
        ),
        (
            "GET /api/status",
            format!("cookie: {}\r\nx-token: {}\r\n", tokens[0], tokens[1]),
            String::new(),
        ),
        (
            "POST /api/events/1/void",
            wrong(&tokens[0]),
            format!("{{\"reason\":{someone},\"x\":\"{name}\"}}"),
        ),
        (
            "POST /api/events/1/correct",
            wrong(&tokens[0]),
            format!("{{\"reason\":\"x\",\"event\":\"{someone} {name}\"}}"),
        ),
        (
            "POST /api/events?type=E01",
            wrong(&tokens[0]),
            format!("cert_no,name,occurred_on,{someone}\n{someone},{name},x,y\n"),
        ),
        (
            "POST /api/disclosures",
            wrong(&tokens[1]),
            format!("{{\"index\":1,\"fields\":[\"{someone}\"]}}"),
        ),
        (
            "POST /api/operators",
            wrong(m.token("operator")),
            format!(
                "{{\"vkey\":\"{}\",\"roles\":[]}}",
                std::fs::read_to_string(&key).unwrap().trim()
            ),
        ),
        (
            "POST /api/published",
            wrong(m.token("operator")),
            std::fs::read_to_string(&root).unwrap(),
        ),
    ] {
        let kind = if body.starts_with('{') {
            "application/json"
        } else {
            "text/csv"
        };
        let head = format!(
            "{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-type: {kind}\r\n"
        );
        let status = seen.ask(
            &m,
            &format!("{head}content-length: {}\r\n\r\n{body}", body.len()),
        );
        assert!((400..500).contains(&status), "{request}: {status}");
    }
    // Closed, signed, sent, accepted.
    year::close(&m, january, &Default::default()).unwrap();
    for (person, at) in [("tianbiao", 0), ("tongji", 1), ("fuzeren", 2)] {
        assert!(at < 3);
        seen.good(
            &m,
            person,
            &["sign", "2023-01", "--key", m.key(person).to_str().unwrap()],
        );
    }
    seen.good(&m, "luru", &["submit", "2023-01"]);
    year::decide(
        f.world.member(CITY).unwrap(),
        &m,
        january,
        1,
        "accepted",
        &[],
    )
    .unwrap();
    seen.good(&m, "luru", &["months"]);
    seen.good(&m, "luru", &["status"]);
    let evidence = dir.join("evidence.zip");
    seen.good(
        f.world.member(CITY).unwrap(),
        "jiancha",
        &["evidence", "-o", evidence.to_str().unwrap()],
    );
    seen.files(&evidence);
    for path in ["/metrics", "/health", "/api/openapi.json"] {
        assert_eq!(
            seen.ask(
                &m,
                &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            ),
            200
        );
    }
    // Everything stands still; then it is looked at.
    let logs: Vec<PathBuf> = running
        .into_iter()
        .map(|(process, log)| (drop(process), log).1)
        .collect();
    f.kill_nats();
    logs.iter().for_each(|log| seen.files(log));
    for unit in [COUNTY, CITY, PROVINCE] {
        seen.files(&f.world.member(unit).unwrap().dir.join("data"));
        seen.files(&f.world.member(unit).unwrap().dir.join("tokens"));
        seen.files(&f.world.member(unit).unwrap().dir.join("node.log"));
    }
    seen.files(&dir.join("nats"));
    seen.files(&dir.join("nats.log"));
    seen.files(&dir.join("nats.conf"));
    seen.files(&dir.join("published"));
    seen.0
        .push(("the traffic".into(), heard.lock().unwrap().clone()));
    // Salts and the month's secret are known only now.
    let keys = Keys::load(&m.dir.join("keys"), &m.id).unwrap();
    let books = Books::open(
        &m.dir.join("data"),
        keys,
        f.world.root.clone(),
        m.id.clone(),
    )
    .unwrap();
    let mut salts = 0;
    for index in 0..books.log.as_ref().unwrap().len() {
        let (statement, payload) = books.statement(index).unwrap();
        if let Some(record) = payload.and_then(|p| p.record.clone()) {
            for field in serde_json::to_value(&record).unwrap()["fields"]
                .as_array()
                .unwrap()
            {
                let salt = base64::engine::general_purpose::STANDARD
                    .decode(field[0].as_str().unwrap())
                    .unwrap();
                needles.secret("a salt", &salt);
                salts += 1;
            }
            let blinding = books
                .period_key(january)
                .unwrap()
                .blinding(&statement.id.to_string());
            needles.secret("a blinding", blinding.as_bytes());
        }
    }
    needles.secret(
        "the month's secret",
        books.period_key(january).unwrap().as_bytes(),
    );
    assert!(salts > 500, "{salts}");

    // The control: what is planted is found, in every form and in the middle of anything.
    for (what, bytes) in needles.list.iter().step_by(97) {
        let hay = [b"something before ", &bytes[..], b" and after"].concat();
        assert!(needles.found(&hay).contains(what.as_str()), "{what}");
    }
    let planted = base64::engine::general_purpose::STANDARD
        .encode(format!("{{\"token\":\"{}\"}}", tokens[0]));
    assert!(
        !needles.found(planted.as_bytes()).is_empty(),
        "inside base64 of something larger"
    );
    assert!(
        !needles
            .found(&std::fs::read(m.dir.join("keys/vault.key")).unwrap())
            .is_empty(),
        "and where it belongs"
    );
    let size = |part: &str| {
        seen.0
            .iter()
            .filter(|(n, _)| n.contains(part))
            .map(|(_, b)| b.len())
            .sum::<usize>()
    };
    for (part, least) in [
        ("trace.log", 100_000),
        ("journal", 50_000),
        ("the traffic", 50_000),
        ("nats/", 50_000),
        ("evidence.zip", 10_000),
    ] {
        assert!(size(part) > least, "{part}: {} bytes", size(part));
    }
    let trace = std::fs::read_to_string(&logs[0]).unwrap();
    assert!(
        trace.contains("\"level\":\"TRACE\"") && trace.contains("async_nats"),
        "the log is as talkative as it can be"
    );

    let mut leaks = Vec::new();
    for (place, bytes) in &seen.0 {
        leaks.extend(
            needles
                .found(bytes)
                .into_iter()
                .map(|what| format!("{what} in {place}")),
        );
    }
    assert!(
        leaks.is_empty(),
        "{} leaks, the first: {:#?}",
        leaks.len(),
        &leaks[..leaks.len().min(20)]
    );
}
