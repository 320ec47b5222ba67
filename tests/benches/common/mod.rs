//! What the benchmarks share: a county's books on disk with the real catalogue, and made-up persons
//! to record.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use countersign_demo::world::{Deploy, Member, PEOPLE, World};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::traits::Identity as _;
use ed25519_dalek::{Signature, VerifyingKey};
use node::books::Books;
use node::books::keys::Keys;
use node::desk::{close, preview, record, sign};
use node::exchange::{self, Form};
use protocol::ids::id_check_digit;
use protocol::note::{Note, SigningKey, VerifierKey};
use protocol::period::Month;
use protocol::person::Role;
use protocol::rollup::Signatories;
use protocol::statement::Statement;

/// What the daemon runs on: see `node/src/main.rs`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The city whose five counties are used.
pub const CITY: &str = "140300";
/// Its first county.
pub const COUNTY: &str = "140302";

/// Runs short where the program is only tried (`cargo test --benches`), not measured.
pub fn trying() -> bool {
    std::env::args().any(|a| a == "--test") || !std::env::args().any(|a| a == "--bench")
}

/// A directory of this run, on the same disk as the build; removed at the end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        let base = std::env::var_os("COUNTERSIGN_BENCH_DIR")
            .map_or_else(std::env::temp_dir, PathBuf::from);
        let dir = base.join(format!("countersign-bench-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("a directory for the benchmark");
        Scratch(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The project's own catalogue, plans and units.
pub fn deploy() -> Deploy {
    Deploy(Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy"))
}

pub fn month(text: &str) -> Month {
    text.parse().expect("a month")
}

pub fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// A federation on disk, as the demonstration builds it.
pub fn world(dir: &Path, cities: &[&str]) -> World {
    World::build(&dir.join("world"), &deploy(), cities, month("2026-01")).expect("a federation")
}

/// Opens a unit's books; the first time, what was published is adopted and its people are enrolled.
pub fn open(world: &World, id: &str) -> Books {
    let m = world.member(id).expect("a unit");
    let keys = Keys::load(&m.dir.join("keys"), &m.id).expect("keys");
    let mut books =
        Books::open(&m.dir.join("data"), keys, world.root.clone(), m.id.clone()).expect("books");
    if books.registry().is_none() {
        let mut documents: Vec<Vec<u8>> = Vec::new();
        for entry in std::fs::read_dir(world.dir.join("published")).expect("published") {
            documents.push(std::fs::read(entry.expect("an entry").path()).expect("a document"));
        }
        books.install(&documents).expect("adopted");
        for (name, roles, _) in PEOPLE {
            let roles: Vec<Role> = roles.iter().filter_map(|r| Role::parse(r)).collect();
            record::enrol(
                &mut books,
                &person_key(m, name).vkey(),
                &roles,
                time("2026-01-01T01:00:00Z"),
            )
            .expect("enrolled");
        }
    }
    books
}

pub fn person_key(m: &Member, name: &str) -> SigningKey {
    let text = std::fs::read_to_string(m.key(name)).expect("a key file");
    SigningKey::decode(text.trim()).expect("a key")
}

/// An ID number that nobody has: 999999 is no area.
pub fn id_number(n: usize) -> String {
    let (day, serial) = (n / 900, n % 900 + 100);
    let birth = chrono::NaiveDate::from_ymd_opt(1960, 1, 1).expect("a day")
        + chrono::Days::new(day as u64 % 14_000);
    let first = format!("999999{}{serial:03}", birth.format("%Y%m%d"));
    format!("{first}{}", id_check_digit(&first).expect("a check digit"))
}

/// The files of `count` persons from number `first` on: registered and hired, each file of at most
/// `batch` rows.
pub fn files(first: usize, count: usize, batch: usize) -> Vec<(&'static str, String)> {
    let mut files = Vec::new();
    for start in (first..first + count).step_by(batch) {
        let persons: Vec<usize> = (start..(start + batch).min(first + count)).collect();
        let mut registered =
            String::from("occurred_on,cert_no,name,residence,education,valid_to,phone\n");
        let mut hired = String::from(
            "occurred_on,id_no,employment_ref,form,employer,nature,wage_fen,social_insurance\n",
        );
        for n in persons {
            let id = id_number(n);
            let (category, grade) = (n % 7 + 1, n % 4 + 1);
            let residence = if n % 3 == 0 { "urban" } else { "rural" };
            registered += &format!(
                "2026-01-{:02},{id}{category}{grade},测试甲{n},{residence},middle,2036-01-01,\n",
                n % 9 + 1
            );
            hired += &format!(
                "2026-01-{:02},{id},r{n},{},,,300000,true\n",
                n % 9 + 11,
                ["welfare", "self", "flex"][n % 3]
            );
        }
        files.push(("E01", registered));
        files.push(("E16", hired));
    }
    files
}

/// Imports one file as the clerk does: decode, parse, check, count, commit, sign, seal, write,
/// fsync.
pub fn import(books: &mut Books, event: &str, text: &str, now: DateTime<Utc>) -> usize {
    let counting = books.counting().expect("a catalogue").clone();
    let operator = format!("{}/luru", books.unit());
    let parsed = exchange::parse(text.as_bytes(), Form::Csv, Some(event), &counting.catalogue)
        .expect("a readable file");
    let imported = record::record(books, &operator, &parsed.drafts, parsed.faults, false, now)
        .expect("recorded");
    assert!(imported.accepted, "{:?}", imported.faults.first());
    imported.recorded.len()
}

/// Closes January, has it signed by all three, and hands it over.
pub fn finish(books: &mut Books, m: &Member) {
    let name = |n: &str| format!("{}/{n}", m.id);
    let signatories = Signatories {
        preparer: name("tianbiao"),
        reviewer: name("tongji"),
        head: name("fuzeren"),
    };
    let (period, now) = (month("2026-01"), time("2026-02-02T02:00:00Z"));
    let asked = close::CloseRequest::default();
    let seen = preview::preview(books, period, &asked, &signatories, now).expect("a preview");
    let rules = seen.rules.into_iter();
    let rules = rules.map(|r| (r.id, "a benchmark".to_string())).collect();
    let request = close::CloseRequest {
        explanations: rules,
        ..asked
    };
    close::close(books, period, &request, signatories, now).expect("closed");
    for person in ["tianbiao", "tongji", "fuzeren"] {
        let note = sign::latest(books, period)
            .expect("a rollup")
            .held()
            .note
            .clone();
        let signed = Note::sign(note.text(), &[&person_key(m, person)]).expect("signed");
        sign::add_signatures(books, period, signed.as_bytes()).expect("taken");
    }
    sign::submit(books, period, now).expect("handed over");
}

/// Signatures in a batch, as the product's own reader takes them.
const SIGNATURES: usize = 256;

/// What no verifier of these statements can do without: each signature from leaf `from` on checked,
/// in batches, each commitment decompressed and added. The leaves before tell who holds which key.
/// One core, nothing parsed within the time.
pub fn floor_of(entries: &[Vec<u8>], from: usize) -> Duration {
    let mut points: Vec<CompressedRistretto> = Vec::new();
    let (mut messages, mut signatures, mut keys): (
        Vec<Vec<u8>>,
        Vec<Signature>,
        Vec<VerifyingKey>,
    ) = (vec![], vec![], vec![]);
    let mut vkeys = std::collections::BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let note = Note::parse(entry).expect("a note");
        let s = Statement::parse(note.text()).expect("a statement");
        let text = |n: &str| {
            s.fields()
                .and_then(|c| c.get(n))
                .and_then(|v| v.as_str())
                .map(str::to_string)
        };
        if let Some(key) = text("vkey").and_then(|v| v.parse::<VerifierKey>().ok()) {
            vkeys.insert(
                key.name().to_string(),
                VerifyingKey::from_bytes(key.public()).expect("a key"),
            );
        }
        if index < from {
            continue;
        }
        if let Some(row) = s.row() {
            points.push(CompressedRistretto(*row.as_bytes()));
        }
        let line = &note.signatures()[0];
        if let Some(key) = vkeys.get(line.name()) {
            messages.push(note.text().as_bytes().to_vec());
            signatures.push(Signature::from_slice(line.blob()).expect("a signature"));
            keys.push(*key);
        }
    }
    let (sum, took) = timed(|| {
        let sum = points.iter().fold(RistrettoPoint::identity(), |sum, p| {
            sum + p.decompress().expect("a point")
        });
        let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        for ((m, s), k) in slices
            .chunks(SIGNATURES)
            .zip(signatures.chunks(SIGNATURES))
            .zip(keys.chunks(SIGNATURES))
        {
            ed25519_dalek::verify_batch(m, s, k).expect("signatures that hold");
        }
        sum
    });
    assert!(
        points.is_empty() || sum != RistrettoPoint::identity(),
        "the work was done"
    );
    took
}

/// Runs `f` and tells how long it took.
pub fn timed<T>(f: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = f();
    (done, start.elapsed())
}

/// Median of several runs of `f`, each over fresh input.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Microseconds for each of `n`.
pub fn micros(time: Duration, n: usize) -> f64 {
    time.as_secs_f64() * 1e6 / n as f64
}

/// Processor time of this process so far, all threads: steadier than the clock on a machine that is
/// shared.
pub fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("the process's own figures");
    // After the name in brackets; user and system time are the 14th and 15th field, in ticks of 10
    // ms.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11..13]
        .iter()
        .map(|t| t.parse::<u64>().expect("ticks"))
        .sum();
    Duration::from_millis(ticks * 10)
}
