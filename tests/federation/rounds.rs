//! Many seeded rounds of work while everything dies: a province, a city and two counties as
//! processes over a real nats-server report month after month, and at seeded steps `kill -9` hits a
//! node (a child or a parent, the one that is asked or another) or the broker, whose store is
//! sometimes deleted as well. So importing, closing, signing, sending, receiving and deciding are
//! all hit, and starting up after a former kill, too. Nobody comes to help: dead processes are
//! started again, as systemd would, and nothing else.
//!
//! Each round ends with all that [`support::People::conclude`] asks for: every report accepted
//! exactly once and in order, the province's totals equal to the planted contributions, the
//! evidence verified, `fsck` clean on every node.
//!
//! The seed decides which step is hit by what, and when; it is printed when a round fails.
//! `COUNTERSIGN_SEED=n` repeats it (the machine's own timing stays its own), `COUNTERSIGN_ROUNDS=n`
//! makes the run long.

#![allow(clippy::unwrap_used, missing_docs)] // helpers of tests

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use admin::nats::Timing;
use countersign_demo::federation::Federation;
use support::{
    COUNTIES, Disturbance, NoDisturbance, PROVINCE, People, Random, build, clock, month, start,
};

/// Rounds of a short run, and months of a round.
const ROUNDS: u64 = 3;
const MONTHS: u32 = 2;
/// Of a hundred steps, so many are hit.
const HITS: u64 = 22;
/// What was on its way to a killed node comes again after this: short, so that a round does not
/// consist of waiting.
const TIMING: Timing = Timing {
    ack_wait: Duration::from_secs(2),
    duplicate_window: Duration::from_secs(2),
};

/// What dies.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Victim {
    Node(String),
    Broker { emptied: bool },
}

/// One process is killed, and started again.
#[derive(Debug)]
struct Kill {
    victim: Victim,
    /// From the beginning of the step to the kill.
    after: Duration,
    /// How long it stays dead.
    dead: Duration,
    /// It is killed again while it starts, so long after its start.
    again: Option<Duration>,
}

/// Chooses kills by the seed, and lets a thread of its own carry them out while the work goes on.
struct RandomKills {
    random: Random,
    nodes: Vec<String>,
    kills: mpsc::Sender<Kill>,
    thread: JoinHandle<()>,
    counts: BTreeMap<&'static str, u32>,
}

impl RandomKills {
    fn new(seed: u64, f: Arc<Mutex<Federation>>, people: &People) -> RandomKills {
        let (kills, queue) = mpsc::channel::<Kill>();
        let thread = std::thread::spawn(move || queue.iter().for_each(|kill| carry_out(&f, &kill)));
        let nodes = people.members.iter().map(|m| m.id.to_string()).collect();
        RandomKills {
            random: Random::new(seed),
            nodes,
            kills,
            thread,
            counts: BTreeMap::new(),
        }
    }

    /// No more kills; everything is running again when this returns.
    fn stop(self) -> BTreeMap<&'static str, u32> {
        drop(self.kills);
        self.thread.join().unwrap();
        self.counts
    }
}

impl Disturbance for RandomKills {
    fn before_step(&mut self, unit: &str) {
        let r = &mut self.random;
        // Every step draws the same number of numbers, so that the course does not depend on what
        // was hit before.
        let (hit, kind, other) = (
            r.below(100) < HITS,
            r.below(100),
            r.below(self.nodes.len() as u64),
        );
        let (after, dead, again) = (
            r.below(60_000),
            r.below(150),
            (r.below(100) < 25).then(|| r.below(250)),
        );
        if !hit {
            return;
        }
        let (name, victim) = match kind {
            0..45 => ("the node that is asked", Victim::Node(unit.to_string())),
            45..75 => (
                "any node",
                Victim::Node(self.nodes[usize::try_from(other).unwrap()].clone()),
            ),
            75..92 => ("the broker", Victim::Broker { emptied: false }),
            _ => ("the broker and its store", Victim::Broker { emptied: true }),
        };
        *self.counts.entry(name).or_default() += 1;
        if again.is_some() && kind < 75 {
            *self.counts.entry("again while starting").or_default() += 1;
        }
        let kill = Kill {
            victim,
            after: Duration::from_micros(after),
            dead: Duration::from_millis(dead),
            again: again.map(Duration::from_millis),
        };
        self.kills.send(kill).unwrap();
    }
}

/// Kills and starts again. The pauses are the schedule of the kill; nothing waits for a state by
/// them.
fn carry_out(f: &Mutex<Federation>, kill: &Kill) {
    std::thread::sleep(kill.after);
    match &kill.victim {
        Victim::Node(id) => {
            f.lock().unwrap().kill_node(id);
            std::thread::sleep(kill.dead);
            f.lock().unwrap().start_node(id).unwrap();
            if let Some(pause) = kill.again {
                std::thread::sleep(pause);
                let mut f = f.lock().unwrap();
                f.kill_node(id);
                f.start_node(id).unwrap();
            }
        }
        Victim::Broker { emptied } => {
            f.lock().unwrap().kill_nats();
            std::thread::sleep(kill.dead);
            let mut f = f.lock().unwrap();
            if *emptied {
                f.empty_nats().unwrap();
            }
            f.start_nats().unwrap();
        }
    }
}

fn round(seed: u64) {
    let (world, mut people) = build(&format!("rounds-{seed}"), seed, |_| {});
    let mut random = Random::new(!seed);
    let months: Vec<_> = (1..=MONTHS).map(month).collect();
    for m in &months {
        // In most months one county's report is sent back and has to come again.
        let again = random.below(1 + COUNTIES.len() as u64);
        people.returned.extend(
            COUNTIES
                .get(usize::try_from(again).unwrap())
                .map(|c| (c.to_string(), *m)),
        );
    }
    let f = Arc::new(Mutex::new(start(world, TIMING)));
    let mut random_kills = RandomKills::new(seed, f.clone(), &people);
    for m in &months {
        clock(&f.lock().unwrap().world, m.month(), 3);
        people.month(*m, &mut random_kills);
    }
    let counts = random_kills.stop();
    println!("seed {seed}: {counts:?}");
    // Dead processes are back; what is still on its way arrives.
    for unit in COUNTIES.iter().chain([&support::CITY]) {
        for m in &months {
            people.receipted(unit, *m, &mut NoDisturbance);
        }
    }
    let f = Arc::into_inner(f).unwrap().into_inner().unwrap();
    f.wait_up(PROVINCE).unwrap();
    people.conclude(f, &months);
}

#[test]
fn whatever_dies_every_report_is_accepted_exactly_once() {
    let number = |name: &str| std::env::var(name).ok().map(|t| t.parse::<u64>().unwrap());
    let seeds: Vec<u64> = match number("COUNTERSIGN_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("COUNTERSIGN_ROUNDS").unwrap_or(ROUNDS)).collect(),
    };
    for seed in seeds {
        if let Err(e) = std::panic::catch_unwind(|| round(seed)) {
            eprintln!("round {seed} failed; COUNTERSIGN_SEED={seed} repeats it");
            std::panic::resume_unwind(e);
        }
    }
}
