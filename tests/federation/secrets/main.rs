//! Secrets stay where they belong. A county's month is recorded, corrected, closed, signed, sent
//! and accepted by real processes that log everything (`trace`), with mistakes on the way; then
//! every key, token, salt and personal field of it is looked for in everything that anybody else
//! could come to see: logs, standard output and error of the commands, answers, metrics, the files
//! of the data directory, the traffic and the store of nats-server, the evidence file. Plain, in
//! hexadecimal, in base64 at any alignment, as JSON escapes, and as Rust would print a list of
//! bytes.

#![allow(clippy::unwrap_used)] // helpers of tests

mod mistakes;
mod needles;
mod observations;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use countersign_demo::federation::Federation;
use countersign_demo::ledger::{DEFAULT_SEED, Sheet};
use countersign_demo::world::{Deploy, Member, World};
use countersign_demo::year;
use federation_tests::{Process, directory, nats_server, programs, repository};
use mistakes::Person;
use needles::{Needles, personal_fields};
use node::books::Books;
use node::books::keys::Keys;
use observations::{Observations, listen, talkative};
use protocol::period::Month;
use protocol::receipt::Decision;

const COUNTY: &str = "140302";
const CITY: &str = "140300";
const PROVINCE: &str = "140000";
const UNITS: [&str; 3] = [COUNTY, CITY, PROVINCE];

#[test]
fn nothing_secret_is_seen() {
    let mut setup = Setup::start();
    let m = setup.county();
    let sheets = setup.sheets(&m);
    let mut needles = Needles::of_world(&setup.f.world, &UNITS);
    let personal = personal_fields(&sheets);
    personal
        .iter()
        .for_each(|p| needles.text(&format!("personal field {p}"), p));

    let mut seen = Observations::default();
    a_month_with_mistakes(&mut seen, &setup, &m, &sheets, &personal);
    closed_signed_sent_accepted(&mut seen, &setup, &m);
    let trace = setup.everything_stands_still(&mut seen);

    needles.of_the_month(&setup.books(&m), setup.month);
    needles.are_found_where_they_are(m.token("luru"), &m.dir.join("keys/vault.key"));
    enough_was_seen(&seen, &trace);
    nothing_leaks(&needles, &seen);
}

/// A federation whose logs and traffic are kept.
struct Setup {
    f: Federation,
    month: Month,
    dir: PathBuf,
    running: Vec<(Process, PathBuf)>,
    heard: Arc<Mutex<Vec<u8>>>,
    // Listens as long as it lives.
    _runtime: tokio::runtime::Runtime,
}

impl Setup {
    fn start() -> Setup {
        let month = Month::new(2023, 1).unwrap();
        let dir = directory("secrets");
        let deploy = Deploy(repository().join("deploy"));
        let world = World::build(&dir, &deploy, &[CITY], month).unwrap();
        let node = programs().join("countersign-node");
        let mut f = Federation::start(world, &nats_server(), &node).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (ready, listening) = std::sync::mpsc::channel();
        runtime.spawn(listen(
            format!("nats://127.0.0.1:{}", f.world.nats_port),
            f.world.nats_admin.clone(),
            heard.clone(),
            ready,
        ));
        listening.recv().unwrap();
        let running = UNITS.iter().map(|id| talkative(&mut f, id)).collect();
        f.enrol_all().unwrap();
        f.world.set_clock("2023-02-03T04:00:00Z").unwrap();
        Setup {
            f,
            month,
            dir,
            running,
            heard,
            _runtime: runtime,
        }
    }

    fn county(&self) -> Member {
        self.f.world.member(COUNTY).unwrap().clone()
    }

    /// The county's files of the month.
    fn sheets(&self, m: &Member) -> Vec<Sheet> {
        let ledger = self.f.world.ledger(DEFAULT_SEED, 2023);
        let county = ledger.unit(&m.id).unwrap();
        county.month(self.month).unwrap().sheets.clone()
    }

    fn books(&self, m: &Member) -> Books {
        let keys = Keys::load(&m.dir.join("keys"), &m.id).unwrap();
        let root = self.f.world.root.clone();
        Books::open(&m.dir.join("data"), keys, root, m.id.clone()).unwrap()
    }

    /// Ends every process; then logs, data, the broker's files and the traffic are looked at. Gives
    /// the county's log.
    fn everything_stands_still(&mut self, seen: &mut Observations) -> String {
        let running = std::mem::take(&mut self.running);
        let logs: Vec<PathBuf> = running.into_iter().map(|(_, log)| log).collect();
        self.f.kill_nats();
        logs.iter().for_each(|log| seen.files(log));
        for unit in UNITS {
            let home = &self.f.world.member(unit).unwrap().dir;
            for part in ["data", "tokens", "node.log"] {
                seen.files(&home.join(part));
            }
        }
        for part in ["nats", "nats.log", "nats.conf", "published"] {
            seen.files(&self.dir.join(part));
        }
        let traffic = self.heard.lock().unwrap().clone();
        seen.0.push(("the traffic".into(), traffic));
        std::fs::read_to_string(&logs[0]).unwrap()
    }
}

fn a_month_with_mistakes(
    seen: &mut Observations,
    setup: &Setup,
    m: &Member,
    sheets: &[Sheet],
    personal: &BTreeSet<String>,
) {
    let (dir, world) = (&setup.dir, &setup.f.world);
    let find = |wanted: fn(&str) -> bool| personal.iter().find(|p| wanted(p)).unwrap().clone();
    let person = Person {
        id: find(|p| p.starts_with("999999")),
        name: find(|p| !p.is_ascii()),
    };
    mistakes::importing(seen, m, dir, sheets);
    mistakes::events(seen, m, dir, &person);
    mistakes::keys(seen, m, world);
    mistakes::requests(seen, m, world, &person);
}

fn closed_signed_sent_accepted(seen: &mut Observations, setup: &Setup, m: &Member) {
    let (month, city) = (setup.month, setup.f.world.member(CITY).unwrap());
    year::close(m, month, &Default::default()).unwrap();
    for person in ["tianbiao", "tongji", "fuzeren"] {
        let key = m.key(person);
        let sign = ["sign", "2023-01", "--key", key.to_str().unwrap()];
        seen.good(m, person, &sign);
    }
    seen.good(m, "luru", &["submit", "2023-01"]);
    year::decide(city, m, month, 1, Decision::Accepted, &[]).unwrap();
    seen.good(m, "luru", &["months"]);
    seen.good(m, "luru", &["status"]);
    let evidence = setup.dir.join("evidence.zip");
    let fetch = ["evidence", "-o", evidence.to_str().unwrap()];
    seen.good(city, "jiancha", &fetch);
    seen.files(&evidence);
    for path in ["/metrics", "/health", "/api/openapi.json"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        assert_eq!(seen.ask(m, &request), 200);
    }
}

/// The control: everything that was to be looked at was there, and the log was as talkative as it
/// can be.
fn enough_was_seen(seen: &Observations, trace: &str) {
    for (part, least) in [
        ("trace.log", 100_000),
        ("journal", 50_000),
        ("the traffic", 50_000),
        ("nats/", 50_000),
        ("evidence.zip", 10_000),
    ] {
        let size = seen.size(part);
        assert!(size > least, "{part}: {size} bytes");
    }
    assert!(
        trace.contains("\"level\":\"TRACE\"") && trace.contains("async_nats"),
        "the log is as talkative as it can be"
    );
}

fn nothing_leaks(needles: &Needles, seen: &Observations) {
    let mut leaks = Vec::new();
    for (place, bytes) in &seen.0 {
        let found = needles.found(bytes);
        leaks.extend(found.into_iter().map(|what| format!("{what} in {place}")));
    }
    assert!(
        leaks.is_empty(),
        "{} leaks, the first: {:#?}",
        leaks.len(),
        &leaks[..leaks.len().min(20)]
    );
}
