//! One round: a province with its cities and counties through two months of bad luck.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{Duration, NaiveDate, TimeZone, Utc};
use kit::network::{InjectedRates, MisbehavingNetwork};
use node::clock::Clock;
use node::desk::record;
use node::link::UnitPath;
use protocol::ids::Tier;
use protocol::note::{Alg, Note, SigningKey};
use protocol::period::Month;
use protocol::published;
use protocol::registry::{self, Placement, Registry};

use crate::chance::{Chance, Seeded};
use crate::fuse::{Died, When};
use crate::net::{Point, Post, SimClock};
use crate::plan::Planted;
use crate::script::{Did, Task, holds, open_tasks, work};
use crate::unit::{Place, Shared, Unit};
use kit::on_disk::{Dir, PEOPLE, catalogue, key};

const UNITS: &str = include_str!("../../../deploy/units/units.csv");
const PLAN: &str = kit::PLAN;
const TOP: &str = "140000";

/// Which part of the province takes part, and how bad its luck is.
pub struct Shape {
    pub cities: Option<&'static [&'static str]>,
    pub net: InjectedRates,
    /// In a thousand messages: held back for minutes to days.
    pub late: u64,
    /// In a thousand turns of a unit: the process dies in it.
    pub crash: u64,
    /// In a thousand turns of a unit: its line is cut for a while.
    pub cut: u64,
}

impl Shape {
    pub fn whole() -> Shape {
        let net = InjectedRates {
            refuse: 40,
            silence: 40,
            lose: 50,
            duplicate: 100,
            delay: 200,
        };
        Shape {
            cities: None,
            net,
            late: 30,
            crash: 6,
            cut: 4,
        }
    }
    pub fn harsh() -> Shape {
        Shape {
            net: InjectedRates::harsh(),
            late: 100,
            crash: 60,
            cut: 15,
            ..Shape::small()
        }
    }
    pub fn small() -> Shape {
        let net = InjectedRates {
            refuse: 80,
            silence: 80,
            lose: 100,
            duplicate: 200,
            delay: 200,
        };
        Shape {
            cities: Some(&["140300", "140600"]),
            net,
            late: 60,
            crash: 15,
            cut: 8,
        }
    }
}

/// Who has which bad luck in the first month.
pub struct Roles {
    pub returned: usize,
    pub reopened: usize,
    /// Does not report in time; its city is opened again for it.
    pub absent: usize,
    /// Cut off during the whole of the closing: stays missing.
    pub cut_off: usize,
    pub late: usize,
    pub returned_later: usize,
}

#[derive(Default, Debug)]
pub struct Tally {
    /// Processes that died: idle, within a disk operation, or between disk and network.
    pub died_idle: u64,
    pub died_at_disk: u64,
    pub died_on_the_way: u64,
    pub power_cuts: u64,
    pub views_lost: u64,
    pub line_cuts: u64,
    pub held_back: u64,
    pub sweeps: u64,
    pub statements: u64,
    pub rollups: u64,
}

pub struct Round {
    pub seed: u64,
    pub units: Vec<Unit>,
    pub planted: Vec<Planted>,
    /// Counties that are not part of the totals of a month.
    pub missing: BTreeMap<Month, BTreeSet<String>>,
    pub months: [Month; 2],
    pub root: SigningKey,
    pub tally: Tally,
    pub roles: Roles,
    pub chance: Chance,
    clock: SimClock,
    post: Arc<Post>,
    pub runtime: tokio::runtime::Runtime,
    shape: Shape,
    _dir: Dir,
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// A round's directory is only for views: in memory where the machine has such a place.
fn directory() -> Dir {
    let memory = PathBuf::from("/dev/shm");
    if !memory.is_dir() {
        return Dir::create();
    }
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let n = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let dir = memory.join(format!("countersign-province-{}-{n}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    Dir(dir)
}

/// A unit that takes part: id, name, tier, parent.
type Row = (String, String, Tier, Option<String>);

/// The rows of the units that take part, parents first.
fn rows(cities: Option<&[&str]>) -> Vec<Row> {
    let mut all = Vec::new();
    for line in UNITS.lines().skip(1).filter(|l| l.starts_with("14")) {
        let f: Vec<&str> = line.split(',').collect();
        let tier = match f[2] {
            "province" => Tier::Province,
            "city" => Tier::City,
            _ => Tier::County,
        };
        let city = if tier == Tier::City { f[0] } else { f[3] };
        if tier != Tier::Province && cities.is_some_and(|c| !c.contains(&city)) {
            continue;
        }
        all.push((
            f[0].to_string(),
            f[1].to_string(),
            tier,
            Some(f[3].to_string()).filter(|p| !p.is_empty()),
        ));
    }
    all.sort_by_key(|(id, _, tier, _)| (*tier != Tier::Province, *tier != Tier::City, id.clone()));
    all
}

/// The registry in which each of these units has its keys from the first month on.
fn registry_of(rows: &[Row], since: Month, root: &SigningKey) -> Registry {
    let units = rows
        .iter()
        .map(|(id, name, tier, parent)| {
            let placement = Placement {
                name: name.clone(),
                parent: parent.as_ref().map(|p| p.parse().unwrap()),
                area: None,
            };
            let node = key(id, Alg::Ed25519).vkey();
            let witness = key(&format!("{id}/witness"), Alg::CosignatureV1).vkey();
            registry::Unit::new(id.parse().unwrap(), *tier, since, placement, node, witness)
        })
        .collect();
    Registry {
        version: 1,
        previous: None,
        from: None,
        roots: vec![root.vkey()],
        threshold: 1,
        units,
    }
}

/// What the root publishes before the round: registry, catalogue and plan, signed.
fn documents(registry: &Registry, root: &SigningKey) -> Vec<Vec<u8>> {
    let plan = PLAN.replace("area_code = \"14\"", &format!("area_code = \"{TOP}\""));
    let texts = [
        registry.to_text().unwrap(),
        published::catalogue_text(&catalogue()).unwrap(),
        published::plan_text(&plan).unwrap(),
    ];
    texts
        .iter()
        .map(|t| Note::sign(t, &[root]).unwrap().as_bytes().to_vec())
        .collect()
}

impl Round {
    pub fn new(seed: u64, shape: Shape) -> Round {
        let dir = directory();
        let mut chance = Chance::new(seed);
        let months = [month("2026-01"), month("2026-02")];
        let root = key("root", Alg::Ed25519);
        let rows = rows(shape.cities);
        let registry = registry_of(&rows, months[0], &root);
        let documents = Arc::new(documents(&registry, &root));

        let clock = SimClock::at(Utc.with_ymd_and_hms(2026, 1, 2, 1, 0, 0).unwrap());
        let hub = MisbehavingNetwork::new(chance.next(), InjectedRates::default());
        let post = Arc::new(Post::new(
            hub,
            clock.clone(),
            Chance::new(chance.next()),
            shape.late,
        ));
        let shared = Shared {
            root: root.vkey(),
            clock: clock.clone(),
            post: post.clone(),
            documents: documents.clone(),
        };
        let mut units: Vec<Unit> = Vec::new();
        for unit in &registry.units {
            let parent = unit
                .parent()
                .and_then(|p| units.iter().position(|u| u.id == *p));
            let path = UnitPath::new(registry.last_path(&unit.id).iter().map(ToString::to_string))
                .unwrap();
            let place = Place {
                parent,
                path,
                has_children: unit.tier != Tier::County,
            };
            let (random, home) = (Seeded::new(chance.next()), dir.0.join(unit.id.as_str()));
            units.push(Unit::new(unit, place, random, home, &shared));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let missing = months.iter().map(|m| (*m, BTreeSet::new())).collect();
        let nobody = Roles {
            returned: 0,
            reopened: 0,
            absent: 0,
            cut_off: 0,
            late: 0,
            returned_later: 0,
        };
        let mut round = Round {
            seed,
            units,
            planted: Vec::new(),
            missing,
            months,
            root,
            tally: Tally::default(),
            roles: nobody,
            chance,
            clock,
            post,
            runtime,
            shape,
            _dir: dir,
        };
        round.cast();
        round.plant();
        round.direct();
        round
    }

    pub fn children(&self, of: usize) -> Vec<usize> {
        (0..self.units.len())
            .filter(|u| self.units[*u].parent == Some(of))
            .collect()
    }
    pub fn of_tier(&self, tier: Tier) -> Vec<usize> {
        (0..self.units.len())
            .filter(|u| self.units[*u].tier == tier)
            .collect()
    }

    /// Everybody starts and enrols its people, in good weather.
    fn begin(&mut self) {
        for unit in &mut self.units {
            assert!(unit.start().is_ok());
            let keys: Vec<_> = PEOPLE
                .iter()
                .map(|(name, role)| (unit.person(name).vkey(), *role))
                .collect();
            let enrolled = unit.call(move |books, now| {
                for (vkey, role) in &keys {
                    record::enrol(books, vkey, &[*role], now)?;
                }
                Ok(())
            });
            assert!(enrolled.is_ok_and(|e| e.is_ok()));
        }
    }

    /// Runs the round to its end: nothing to do, nothing on the way, nothing in an outbox.
    pub fn run(&mut self) {
        let handle = self.runtime.handle().clone();
        let _context = handle.enter();
        self.begin();
        self.post.hub.inject(self.shape.net);
        let days = ["2026-01-25", "2026-02-03", "2026-02-25", "2026-03-03"];
        for (phase, day) in days.into_iter().enumerate() {
            let day: NaiveDate = day.parse().unwrap();
            let morning = Utc.from_utc_datetime(&day.and_hms_opt(1, 0, 0).unwrap());
            self.clock.set(morning.max(self.clock.now()));
            let cut_off = self.roles.cut_off;
            self.units[cut_off].gate.cut(phase == 1);
            while self
                .units
                .iter()
                .any(|u| u.script.tasks.front().is_some_and(|(p, _)| *p <= phase))
            {
                if !self.sweep(phase) {
                    // Sometimes less, sometimes more than an outbox waits before it repeats.
                    let seconds = 20 + self.chance.below(180);
                    self.pass(seconds);
                    self.skip(phase);
                }
                assert!(
                    self.tally.sweeps < 3000,
                    "seed {}: the round is stuck in phase {phase}: {:#?}",
                    self.seed,
                    open_tasks(&self.units)
                );
            }
        }
        self.settle();
    }

    /// Every unit gets its turn, in any order. Answers whether anything moved.
    fn sweep(&mut self, phase: usize) -> bool {
        self.tally.sweeps += 1;
        let mut order: Vec<usize> = (0..self.units.len()).collect();
        self.chance.shuffle(&mut order);
        let waiting = self.post.hub.waiting();
        let mut moved = false;
        for at in order {
            if self.chance.below(4) == 0 {
                continue;
            }
            moved |= self.turn(at, phase);
        }
        self.clock.set(self.clock.now() + Duration::seconds(1));
        moved || waiting != self.post.hub.waiting()
    }

    /// One unit's turn: perhaps bad luck, then its people's next task, then the network.
    fn turn(&mut self, at: usize, phase: usize) -> bool {
        let (crash, cut) = (
            self.chance.per_mille(self.shape.crash),
            self.chance.per_mille(self.shape.cut),
        );
        let (draw, n) = (self.chance.below(8), self.chance.below(6));
        let now = self.clock.now();
        let in_quarantine = at == self.roles.cut_off && phase == 1;
        let unit = &mut self.units[at];
        if unit.cut_until.is_some_and(|until| until <= now) {
            unit.cut_until = None;
            unit.gate.cut(in_quarantine);
        }
        if cut && unit.cut_until.is_none() {
            let hours = 1 + self.chance.below(4 * 60);
            unit.cut_until = Some(now + Duration::minutes(hours as i64));
            unit.gate.cut(true);
            self.tally.line_cuts += 1;
        }
        if crash {
            match draw {
                0 => unit.fuse.light(n, When::Before),
                1 | 2 => unit.fuse.light(n, When::Half),
                3 => unit.fuse.light(n, When::After),
                4 => unit.gate.light(n, Point::BeforeSending),
                5 => unit.gate.light(n, Point::AfterSending),
                6 => unit.gate.light(n % 2, Point::AfterReceiving),
                _ => self.die(at),
            }
        }
        self.act(at, phase).unwrap_or_else(|Died| {
            self.die(at);
            true
        })
    }

    fn act(&mut self, at: usize, phase: usize) -> Result<bool, Died> {
        if !self.units[at].is_up() {
            self.units[at].start()?;
        }
        let mut moved = false;
        let task = self.units[at]
            .script
            .tasks
            .front()
            .filter(|(p, _)| *p <= phase)
            .map(|(_, t)| t.clone());
        if let Some(task) = task {
            let did = match &task {
                Task::Elsewhere {
                    at,
                    child,
                    month,
                    revision,
                } => self.elsewhere(at, child, *month, *revision),
                Task::Since(day) => {
                    if *day <= self.clock.now() {
                        Did::Done
                    } else {
                        Did::NotYet
                    }
                }
                task => {
                    let unit = &mut self.units[at];
                    let did = work(unit, task).inspect_err(|Died| unit.script.unsure = true)?;
                    unit.script.unsure = unit.script.unsure && did == Did::NotYet;
                    did
                }
            };
            if did == Did::Done {
                self.units[at].script.tasks.pop_front();
                moved = true;
            }
        }
        // Who hears many gets many.
        let most = match self.units[at].tier {
            Tier::County => 4,
            Tier::City => 20,
            _ => 120,
        };
        let messages = 1 + self.chance.below(most) as u32;
        self.units[at].step(messages)?;
        Ok(moved)
    }

    fn elsewhere(&mut self, at: &str, child: &str, month: Month, revision: u32) -> Did {
        let unit = self
            .units
            .iter_mut()
            .find(|u| u.id.as_str() == at)
            .expect("a unit");
        let child = child.to_string();
        if unit.is_up() && unit.look(move |books| holds(books, &child, month, revision)) {
            Did::Done
        } else {
            Did::NotYet
        }
    }

    /// The process is gone; perhaps the power too; perhaps the view is lost or damaged.
    fn die(&mut self, at: usize) {
        let unit = &self.units[at];
        match (unit.fuse.has_burnt(), unit.gate.is_dead()) {
            (true, _) => self.tally.died_at_disk += 1,
            (_, true) => self.tally.died_on_the_way += 1,
            _ => self.tally.died_idle += 1,
        }
        let power = (self.chance.below(2) == 0).then(|| self.chance.next());
        self.tally.power_cuts += u64::from(power.is_some());
        let unit = &mut self.units[at];
        unit.kill(power);
        let view = unit.home.join("view");
        match self.chance.below(6) {
            // It died while it started, and has none yet.
            _ if !view.is_dir() => return,
            0 => std::fs::remove_dir_all(&view).unwrap(),
            1 => {
                let file = view.join("db");
                let bytes = std::fs::read(&file).unwrap_or_default();
                std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
            }
            _ => return,
        }
        self.tally.views_lost += 1;
    }

    /// Time goes on, for the units and for their timers; what the network held back may come now.
    fn pass(&mut self, seconds: u64) {
        self.clock
            .set(self.clock.now() + Duration::seconds(seconds as i64));
        let post = self.post.clone();
        let released = self.runtime.block_on(async {
            tokio::time::advance(std::time::Duration::from_secs(seconds)).await;
            post.release(false).await
        });
        self.tally.held_back += released as u64;
    }

    /// Where everybody else is done, nobody waits for a day sentence by sentence.
    fn skip(&mut self, phase: usize) {
        let mut days = Vec::new();
        for unit in &self.units {
            if let Some((p, Task::Since(day))) = unit.script.tasks.front()
                && *p <= phase
            {
                days.push(*day);
            }
        }
        if let Some(day) = days.into_iter().min() {
            self.clock.set(day.max(self.clock.now()));
        }
    }

    /// The weather is good again: what was held back comes, and everything is delivered.
    fn settle(&mut self) {
        self.post.hub.inject(InjectedRates::default());
        let post = self.post.clone();
        self.tally.held_back +=
            self.runtime
                .block_on(async move { post.release(true).await }) as u64;
        self.shape.crash = 0;
        self.shape.cut = 0;
        for unit in &mut self.units {
            unit.cut_until = None;
            unit.gate.cut(false);
        }
        for n in 0.. {
            let moved = self.sweep(9);
            let quiet = self.post.hub.waiting() == 0;
            if quiet
                && !moved
                && self
                    .units
                    .iter_mut()
                    .all(|u| u.is_up() && u.look(|books| books.outbox().next().is_none()))
            {
                break;
            }
            self.pass(200);
            assert!(n < 400, "seed {}: outboxes do not become empty", self.seed);
        }
        // Once more by themselves: nothing is left to be said.
        self.pass(200);
        while self.sweep(9) {}
    }
}
