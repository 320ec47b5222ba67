//! What a node needs: memory when idle and with many events, time to start with the view there and
//! with the view rebuilt, bytes on disk for each event.
//!
//! Each figure of memory is the resident size of a process of its own that has opened the books and
//! nothing else. `COUNTERSIGN_EVENTS=n` sets the number of events (default 100,000).

mod common;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use common::{COUNTY, Scratch, files, import, open, time, trying, world};
use node::books::Books;
use node::books::keys::Keys;
use protocol::note::VerifierKey;

fn main() {
    let mut args = std::env::args().skip_while(|a| a != "--open").skip(1);
    let (dir, root) = (args.next(), args.next());
    if let (Some(dir), Some(root)) = (dir, root) {
        return opened(Path::new(&dir), &root);
    }
    let wanted = std::env::var("COUNTERSIGN_EVENTS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(100_000);
    let events: usize = if trying() { 40 } else { wanted };
    let scratch = Scratch::new("node");
    let world = world(&scratch.0, &[common::CITY]);
    drop(open(&world, COUNTY));
    let home = world.member(COUNTY).expect("a unit").dir.clone();
    let ask = |what: &str| {
        let me = std::env::current_exe().expect("this program");
        let out = Command::new(me)
            .arg("--open")
            .arg(&home)
            .arg(world.root.to_string())
            .output()
            .expect("a process");
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
        println!(
            "  {what:<34} {}",
            String::from_utf8_lossy(&out.stdout).trim()
        );
    };
    println!("a county's node:");
    ask("no events");
    let before = size_of(&home.join("data/journal"));
    let mut books = open(&world, COUNTY);
    let mut first = 0;
    let start = Instant::now();
    while first < events / 2 {
        for (event, text) in files(first, 500.min(events / 2 - first), 500) {
            import(&mut books, event, &text, time("2026-01-25T02:00:00Z"));
        }
        first += 500;
    }
    let recorded = books.log().map_or(0, |l| l.len());
    println!(
        "  recorded {recorded} statements in {:.1} s",
        start.elapsed().as_secs_f64()
    );
    books.view().flush();
    drop(books);
    let journal = size_of(&home.join("data")) - size_of(&home.join("data/view"));
    println!(
        "  journal {:.0} bytes/event, view {:.0} bytes/event",
        (journal - before) as f64 / events as f64,
        size_of(&home.join("data/view")) as f64 / events as f64
    );
    ask(&format!("{events} events, view there"));
    std::fs::remove_dir_all(home.join("data/view")).expect("the view");
    ask(&format!("{events} events, view rebuilt"));
}

/// Opens the books and tells what that took.
fn opened(home: &Path, root: &str) {
    let unit: protocol::ids::UnitId = COUNTY.parse().expect("a unit");
    let keys = Keys::load(&home.join("keys"), &unit).expect("keys");
    let start = Instant::now();
    let books = Books::open(
        &home.join("data"),
        keys,
        root.parse::<VerifierKey>().expect("a key"),
        unit,
    )
    .expect("books");
    let took = start.elapsed();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = |name: &str| {
        status
            .lines()
            .find_map(|l| l.strip_prefix(name))
            .and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok())
    };
    let mib = |name: &str| kib(name).map_or("?".to_string(), |k| format!("{} MiB", k / 1024));
    println!(
        "start {:>7.2} s, memory {}, at most {}",
        took.as_secs_f64(),
        mib("VmRSS:"),
        mib("VmHWM:")
    );
    drop(books);
}

fn size_of(path: &Path) -> u64 {
    let Ok(meta) = std::fs::metadata(path) else {
        return 0;
    };
    if meta.is_file() {
        return meta.len();
    }
    std::fs::read_dir(path).map_or(0, |entries| {
        entries.flatten().map(|e| size_of(&e.path())).sum()
    })
}
