//! What the benchmarks share: a county's books on disk with the real catalogue, and made-up persons to record.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use admin::demo::world::{Deploy, Member, PEOPLE, World};
use chrono::{DateTime, Utc};
use node::books::Books;
use node::books::keys::Keys;
use node::desk::input::{self, Form};
use node::desk::record;
use protocol::ids::id_check_digit;
use protocol::note::SigningKey;
use protocol::period::Month;
use protocol::verify::log::Role;

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
        let base = std::env::var_os("COUNTERSIGN_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
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
    let mut books = Books::open(&m.dir.join("data"), keys, world.root.clone(), m.id.clone()).expect("books");
    if books.registry().is_none() {
        let mut documents: Vec<Vec<u8>> = Vec::new();
        for entry in std::fs::read_dir(world.dir.join("published")).expect("published") {
            documents.push(std::fs::read(entry.expect("an entry").path()).expect("a document"));
        }
        books.adopt(&documents).expect("adopted");
        for (name, roles, _) in PEOPLE {
            let roles: Vec<Role> = roles.iter().filter_map(|r| Role::parse(r)).collect();
            record::enrol(&mut books, &person_key(m, name).vkey(), &roles, time("2026-01-01T01:00:00Z")).expect("enrolled");
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
    let birth = chrono::NaiveDate::from_ymd_opt(1960, 1, 1).expect("a day") + chrono::Days::new(day as u64 % 14_000);
    let first = format!("999999{}{serial:03}", birth.format("%Y%m%d"));
    format!("{first}{}", id_check_digit(&first).expect("a check digit"))
}

/// The files of `count` persons from number `first` on: registered and hired, each file of at most `batch` rows.
pub fn files(first: usize, count: usize, batch: usize) -> Vec<(&'static str, String)> {
    let mut files = Vec::new();
    for start in (first..first + count).step_by(batch) {
        let persons: Vec<usize> = (start..(start + batch).min(first + count)).collect();
        let mut registered = String::from("occurred_on,cert_no,name,residence,education,valid_to,phone\n");
        let mut hired = String::from("occurred_on,id_no,employment_ref,form,employer,nature,wage,social_insurance\n");
        for n in persons {
            let id = id_number(n);
            let (category, grade) = (n % 7 + 1, n % 4 + 1);
            let residence = if n % 3 == 0 { "urban" } else { "rural" };
            registered += &format!("2026-01-{:02},{id}{category}{grade},测试甲{n},{residence},middle,2036-01-01,\n", n % 9 + 1);
            hired += &format!("2026-01-{:02},{id},r{n},{},,,300000,true\n", n % 9 + 11, ["welfare", "self", "flex"][n % 3]);
        }
        files.push(("E01", registered));
        files.push(("E16", hired));
    }
    files
}

/// Imports one file as the clerk does: decode, parse, check, count, commit, sign, seal, write, fsync.
pub fn import(books: &mut Books, event: &str, text: &str, now: DateTime<Utc>) -> usize {
    let counting = books.counting().expect("a catalogue").clone();
    let operator = format!("{}/luru", books.unit());
    let parsed = input::parse(text.as_bytes(), Form::Csv, Some(event), &counting.catalogue).expect("a readable file");
    let imported = record::record(books, &operator, &parsed.drafts, parsed.faults, false, now).expect("recorded");
    assert!(imported.accepted, "{:?}", imported.faults.first());
    imported.recorded.len()
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

/// Processor time of this process so far, all threads: steadier than the clock on a machine that is shared.
pub fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("the process's own figures");
    // After the name in brackets; user and system time are the 14th and 15th field, in ticks of 10 ms.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|t| t.parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(ticks * 10)
}
