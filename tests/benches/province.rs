//! A province's month: 117 counties with 1,000,000 leaves, all 11 cities and the province, verified
//! from one evidence file by a process that knows nothing but the file and the root key.
//!
//! The months are recorded, closed, sent up and accepted by the nodes' own code, in one process and
//! without a network; the file is what the province's node gives. A process of its own then
//! verifies it where it lies, on one core and on all, and tells its time, the processor time that
//! it used and the most memory that it ever held. The same is done with a tenth of the leaves in
//! the same units: memory that grew with the number of leaves would show. `floor` is the
//! cryptography of the same leaves on one core, measured on one county of them.
//!
//! `COUNTERSIGN_EVENTS=n` sets the number of leaves (default 1,000,000: about six minutes and 6 GB
//! on disk).

mod common;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use admin::on_disk::OnDisk;
use common::{Scratch, files, finish, floor_of, import, micros, open, time, trying, world};
use countersign_demo::world::{Member, World};
use node::books::Books;
use node::desk::evidence::{self, LocalEvidence};
use node::intake::Intake;
use node::review;
use protocol::evidence::EvidenceSource;
use protocol::evidence::file::{self, Opened};
use protocol::evidence::report;
use protocol::ids::Tier;
use protocol::log::delivery::Delivery;
use protocol::note::VerifierKey;

/// All cities of Shanxi (`deploy/units`).
const CITIES: [&str; 11] = [
    "140100", "140200", "140300", "140400", "140500", "140600", "140700", "140800", "140900",
    "141000", "141100",
];

fn main() {
    let mut args = std::env::args().skip_while(|a| a != "--verify").skip(1);
    if let (Some(path), Some(root), Some(threads)) = (args.next(), args.next(), args.next()) {
        return verify(Path::new(&path), &root, threads.parse().expect("a number"));
    }
    let wanted = std::env::var("COUNTERSIGN_EVENTS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000_000);
    // All counties are 117; a trial has 阳泉's 5.
    let (sizes, cities) = if trying() {
        (vec![40], &CITIES[2..3])
    } else {
        (vec![wanted / 1170, wanted / 117], &CITIES[..])
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("a province's month, verified from its evidence file:");
    for each in sizes {
        let scratch = Scratch::new("province");
        let start = Instant::now();
        let world = world(&scratch.0, cities);
        let path = scratch.0.join("evidence.zip");
        let (floor, sample) = made(&world, each, &path);
        let size = path.metadata().expect("the file").len();
        println!(
            "  {} units, file of {} MiB, made in {:.0} s",
            world.members.len(),
            size >> 20,
            start.elapsed().as_secs_f64()
        );
        println!(
            "    floor, one core   {:>7.1} µs/leaf, of a county's {sample}",
            micros(floor, sample)
        );
        for threads in [1, cores] {
            let me = std::env::current_exe().expect("this program");
            let out = Command::new(me)
                .arg("--verify")
                .arg(&path)
                .arg(world.root.to_string())
                .arg(threads.to_string())
                .output();
            let out = out.expect("a process");
            assert!(
                out.status.success(),
                "{}",
                String::from_utf8_lossy(&out.stderr)
            );
            let text = String::from_utf8_lossy(&out.stdout).into_owned();
            let told: Vec<f64> = text
                .split_whitespace()
                .map(|n| n.parse().expect("a number"))
                .collect();
            let [leaves, wall, busy, mib] = told[..] else {
                panic!("{text}")
            };
            println!(
                "    {threads} thread(s)       {:>7.1} µs/leaf, {leaves} leaves in {wall:.1} s, \
                    {:.2} cores busy, at most {mib:.0} MiB; {:.2} of the floor's time",
                wall * 1e6 / leaves,
                busy / wall,
                wall * 1e6 / leaves / micros(floor, sample),
            );
        }
    }
}

/// Verifies, and tells leaves, seconds, processor seconds and the most MiB that were ever held.
fn verify(path: &Path, root: &str, threads: usize) {
    let start = Instant::now();
    let opened = Opened::new(OnDisk::open(path).expect("the file")).expect("an evidence file");
    let report = report::verify_on(
        threads,
        &opened,
        &root.parse::<VerifierKey>().expect("a key"),
    )
    .expect("evidence that can be verified");
    let wall = start.elapsed();
    assert!(report.holds(), "{:?}", report.failures().next());
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15, counted behind the name in parentheses: hundredths of a second on every
    // Linux that Rust runs on.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks: u64 = [11, 12]
        .iter()
        .filter_map(|n| fields.get(*n)?.parse::<u64>().ok())
        .sum();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
    println!(
        "{} {} {} {}",
        report.leaves,
        wall.as_secs_f64(),
        ticks as f64 / 100.0,
        most.unwrap_or(0) / 1024
    );
}

/// Makes the province's evidence file of counties with so many leaves each, and tells the floor of
/// one of them.
fn made(world: &World, each: usize, path: &Path) -> (Duration, usize) {
    // Each person is two leaves; five more are enrolled people and recounts.
    let persons = each.saturating_sub(5) / 2;
    let top = world.tier(Tier::Province).next().expect("a province");
    let mut province = open(world, top.id.as_str());
    let mut floor = None;
    for city in world.tier(Tier::City) {
        let mut books = open(world, city.id.as_str());
        for county in world.children(&city.id) {
            let mut own = open(world, county.id.as_str());
            for (event, text) in files(0, persons, 1000) {
                import(&mut own, event, &text, time("2026-01-25T02:00:00Z"));
            }
            finish(&mut own, county);
            hand_over(&own, county, &mut [&mut books, &mut province]);
            floor.get_or_insert_with(|| {
                let part = evidence::evidence(&own).expect("evidence");
                let entries = &part.units[&county.id].entries;
                (floor_of(entries, 0), entries.len())
            });
            let _ = std::fs::remove_dir_all(&county.dir);
        }
        review::check_all(&mut books, true, time("2026-02-03T02:00:00Z")).expect("checked");
        finish(&mut books, city);
        hand_over(&books, city, &mut [&mut province]);
    }
    review::check_all(&mut province, true, time("2026-02-04T02:00:00Z")).expect("checked");
    finish(&mut province, top);
    let evidence = LocalEvidence::new(&province).expect("evidence");
    assert_eq!(evidence.notes().units.len(), world.members.len());
    file::write_to(
        &evidence,
        BufWriter::new(File::create(path).expect("a file")),
    )
    .expect("written");
    floor.expect("a county")
}

/// Statements, checkpoint and rollup, to each of the tiers above.
fn hand_over(books: &Books, from: &Member, to: &mut [&mut Books]) {
    let own = books.rollups().values().next().expect("a rollup");
    let size = own.held().rollup.log.size;
    let checkpoint = books.checkpoint(size).expect("a checkpoint");
    let log = books.log().expect("a log");
    for above in to {
        let done = above.group(|above| {
            for first in (0..size).step_by(256) {
                let entries: Vec<Vec<u8>> = (first..size.min(first + 256))
                    .map(|i| books.statement_bytes(i).expect("a statement"))
                    .collect();
                let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
                let body =
                    Delivery::write(first, &slices, checkpoint, log.tree()).expect("a delivery");
                assert_eq!(
                    review::take_entries(above, &from.id, first, &body).expect("kept"),
                    Intake::Done
                );
            }
            let now = time("2026-02-02T03:00:00Z");
            assert_eq!(
                review::take_checkpoint(above, &from.id, checkpoint.as_bytes(), now).expect("kept"),
                Intake::Done
            );
            assert_eq!(
                review::take_rollup(above, &from.id, own.held().note.as_bytes(), now)
                    .expect("kept"),
                Intake::Done
            );
        });
        done.expect("written");
    }
}
