//! From the last county's submit to the province's verdict: where the time goes.
//!
//! One province, one city (吕梁市), its 13 counties: 15 processes over a real nats-server. The 13
//! reporting units are the counties: each registers and hires 1,000 people in a month, 2,000
//! events. City and province record nothing of their own. Twelve counties have reported, are
//! accepted by the city, and their statements are checked by the province too; nothing is on its
//! way any more. Then the last county submits. The clock stops when the province has checked the
//! city's rollup: all 26,000 statements of the month are verified there then. Several months, each
//! on top of the ones before.
//!
//! The stages are read from the nodes' own logs (`COUNTERSIGN_LOG=info,node=debug`), whose times
//! are microseconds of one machine's clock. Each stage ends with what it is named after; what
//! overlaps is counted to the earlier one. What people do (a city's officer accepts, the city
//! closes, three sign) is done by API calls and counted apart.
//!
//! `floor` is what cannot be done without, measured in the same run: for both hops the cryptography
//! of the checks for the sender's leaves of the month (each signature once, in batches, and each
//! commitment decompressed and added, on one core), and the same bytes sent through the same
//! nats-server by a bare client: published without waiting in between, each synced by the server,
//! consumed as one batch, every message acknowledged.

mod common;

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use admin::api::Client;
use chrono::{DateTime, Utc};
use common::{Scratch, deploy, floor_of, id_number, micros, trying};
use countersign_demo::federation::{Federation, PATIENCE, tail, wait};
use countersign_demo::world::{Member, World};
use countersign_demo::year;
use federation_tests::{nats_server, programs};
use futures_util::StreamExt as _;
use node::desk::close::CloseRequest;
use protocol::evidence::file;
use protocol::ids::{Tier, UnitId};
use protocol::log::tile;
use protocol::period::Month;
use protocol::receipt::Decision;
use serde_json::Value;

type Time = DateTime<Utc>;

/// A city of 13 counties.
const CITY: &str = "141100";
/// Rows of one file.
const BATCH: usize = 1000;
/// Statements that travel in one message.
const BUNDLE: usize = 256;

fn main() {
    let (events, months, city) = if trying() {
        (6, 1, common::CITY)
    } else {
        (2000, 7, CITY)
    };
    let scratch = Scratch::new("verdict");
    let world = World::build(&scratch.0.join("world"), &deploy(), &[city], first_month())
        .expect("a federation");
    let mut f = start(world);
    let counties = f.world.tier(Tier::County).count();
    println!(
        "{} processes and nats-server; {counties} counties of {events} events a month:",
        f.world.members.len()
    );
    let mut runs = Vec::new();
    let mut sizes = BTreeMap::new();
    let mut period = first_month();
    for n in 0..months {
        prepare(&f, period, n, events);
        let stages = race(&mut f, period);
        let floor = floor(&f, &mut sizes);
        println!(
            "  {period}  total {}  nodes {}  {}",
            ms(total(&stages)),
            ms(by_nodes(&stages)),
            floor.said(&stages)
        );
        runs.push((stages, floor));
        period = period.next().expect("a month");
    }
    runs.sort_by_key(|(stages, _)| by_nodes(stages));
    let (stages, floor) = &runs[runs.len() / 2];
    println!("the month with the median time of the nodes:");
    for stage in stages {
        println!(
            "  {:<58} {}{}",
            stage.name,
            ms(stage.took),
            if stage.people {
                "  (a person's call)"
            } else {
                ""
            }
        );
    }
    println!("  {:<58} {}", "from submit to verdict", ms(total(stages)));
    println!(
        "  {:<58} {}",
        "without the calls in the place of people",
        ms(by_nodes(stages))
    );
    println!("  {}", floor.said(stages));
}

fn first_month() -> Month {
    common::month("2026-01")
}

/// Starts all processes, with their logs open wide enough. A benchmark measures the program as it
/// is now, so it is built first; a try takes the one that the tests use.
fn start(mut world: World) -> Federation {
    if !trying() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        // What cargo tells this program about its own package would look to build scripts like
        // another build.
        let told = std::env::vars_os()
            .map(|(name, _)| name)
            .filter(|n| n.to_str().is_some_and(|n| n.starts_with("CARGO_PKG_")));
        let mut build = Command::new(cargo);
        told.chain([
            "CARGO_MANIFEST_DIR".into(),
            "CARGO_MANIFEST_PATH".into(),
            "CARGO_CRATE_NAME".into(),
        ])
        .for_each(|name| {
            build.env_remove(name);
        });
        let built = build
            .args([
                "build",
                "--quiet",
                "--locked",
                "--profile",
                "bench",
                "-p",
                "node",
                "--bin",
                "countersign-node",
                "--manifest-path",
            ])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"))
            .status();
        assert!(
            built.is_ok_and(|s| s.success()),
            "countersign-node is built"
        );
    }
    for m in &mut world.members {
        m.launcher = [
            "env",
            "COUNTERSIGN_LOG=info,node=debug,async_nats=warn,sled=warn",
        ]
        .map(String::from)
        .to_vec();
    }
    let f = Federation::start(world, &nats_server(), &programs().join("countersign-node"))
        .expect("a federation");
    f.enrol_all().expect("enrolled");
    f
}

/// What a county records in a month, in files of at most [`BATCH`] rows.
fn files(place: usize, month: Month, n: usize, events: usize) -> Vec<(&'static str, String)> {
    let first = (place * 100 + n) * events;
    let day = |n: usize| format!("{month}-{n:02}");
    let mut files = Vec::new();
    for start in (first..first + events / 2).step_by(BATCH) {
        let mut registered =
            String::from("occurred_on,cert_no,name,residence,education,valid_to,phone\n");
        let mut hired = String::from(
            "occurred_on,id_no,employment_ref,form,employer,nature,wage_fen,social_insurance\n",
        );
        for n in start..(start + BATCH).min(first + events / 2) {
            let (id, form) = (id_number(n), ["welfare", "self", "flex"][n % 3]);
            registered += &format!(
                "{},{id}{}{},测试甲{n},rural,middle,2036-01-01,\n",
                day(n % 9 + 1),
                n % 7 + 1,
                n % 4 + 1
            );
            hired += &format!("{},{id},r{n},{form},,,300000,true\n", day(n % 9 + 11));
        }
        files.push(("E01", registered));
        files.push(("E16", hired));
    }
    files
}

/// Everything up to the last county's submit: recorded everywhere, reported and accepted everywhere
/// else, closed and signed there.
fn prepare(f: &Federation, month: Month, n: usize, events: usize) {
    let (county, city, province) = last(f);
    let noon = |day: chrono::NaiveDate| {
        f.world
            .set_clock(&format!("{day}T04:00:00Z"))
            .expect("the clock")
    };
    noon(month.last_day() - chrono::Days::new(5));
    std::thread::scope(|scope| {
        for (place, m) in f.world.tier(Tier::County).enumerate() {
            scope.spawn(move || {
                let client = Client::new(&m.url(), m.token("luru"));
                for (event, text) in files(place, month, n, events) {
                    let imported = client
                        .import(Some(event), "csv", false, false, text.as_bytes())
                        .expect("imported");
                    assert!(
                        imported.accepted,
                        "{} {event}: {:?}",
                        m.id,
                        imported.faults.first()
                    );
                }
            });
        }
    });
    noon(month.last_day() + chrono::Days::new(2));
    for m in f.world.tier(Tier::County).filter(|m| m.id != county.id) {
        year::report(f, m, month, &CloseRequest::default()).expect("reported");
        year::decide(city, m, month, 1, Decision::Accepted, &[]).expect("accepted");
    }
    let officer = Client::new(&province.url(), province.token("tongji"));
    let others = f.world.members.len() - 3;
    wait("the province has checked all others", || {
        let list = officer.children().map_err(|e| e.to_string())?;
        Ok(list
            .iter()
            .filter(|c| c.period == month && !c.verdicts.is_empty())
            .count()
            == others)
    })
    .expect("checked");
    year::close(county, month, &CloseRequest::default()).expect("closed");
    f.sign_all(county, month).expect("signed");
}

/// The last county, its city, the province.
fn last(f: &Federation) -> (&Member, &Member, &Member) {
    let county = f.world.tier(Tier::County).last().expect("a county");
    let city = county
        .parent
        .as_ref()
        .and_then(|p| f.world.member(p.as_str()).ok())
        .expect("its city");
    (
        county,
        city,
        f.world.tier(Tier::Province).next().expect("a province"),
    )
}

/// A part of the way.
struct Stage {
    name: String,
    took: Duration,
    people: bool,
}

fn total(stages: &[Stage]) -> Duration {
    stages.iter().map(|s| s.took).sum()
}

fn by_nodes(stages: &[Stage]) -> Duration {
    stages.iter().filter(|s| !s.people).map(|s| s.took).sum()
}

fn ms(time: Duration) -> String {
    format!("{:>8.1} ms", micros(time, 1000))
}

/// The way itself, stage by stage.
struct Way {
    now: Time,
    stages: Vec<Stage>,
}

impl Way {
    /// A stage that ended at this time; at once, where it had ended within the one before.
    fn to(&mut self, name: String, at: Time, people: bool) {
        let took = (at - self.now).to_std().unwrap_or_default();
        self.stages.push(Stage { name, took, people });
        self.now = self.now.max(at);
    }
    /// Something that people do.
    fn call(&mut self, name: String, act: impl FnOnce()) {
        act();
        self.to(name, now(), true);
    }
    /// A rollup goes up one tier and is checked there.
    fn hop(&mut self, logs: &mut Logs, child: &Member, parent: &Member, month: Month) {
        let start = self.now;
        let client = Client::new(&child.url(), child.token("tianbiao"));
        client.submit(month).expect("submitted");
        let (from, at) = (&child.id, &parent.id);
        self.to(
            format!("{from} checks its own month, journal: submit answers"),
            now(),
            false,
        );
        let sent = logs.when(child, start, |l| l["message"] == "a rollup was sent");
        self.to(
            format!("{from} outbox: statements and rollup stored by NATS"),
            sent,
            false,
        );
        let subject = format!(".{from}.rollup");
        let taken = |l: &Value| {
            l["message"] == "took a message"
                && l["subject"].as_str().is_some_and(|s| s.ends_with(&subject))
        };
        self.to(
            format!("{at} has all of it in its journal"),
            logs.when(parent, start, taken),
            false,
        );
        let checked =
            |l: &Value| l["message"] == "a rollup was checked" && l["unit"] == from.as_str();
        self.to(
            format!("{at} has checked it"),
            logs.when(parent, start, checked),
            false,
        );
    }
}

/// The last county submits, its city accepts, closes, signs and submits, the province checks.
fn race(f: &mut Federation, month: Month) -> Vec<Stage> {
    let (county, city, province) = last(f);
    let mut logs = Logs::default();
    // The first line of a log is far away by now.
    for m in [county, city, province] {
        logs.read(m);
    }
    let mut way = Way {
        now: now(),
        stages: Vec::new(),
    };
    way.hop(&mut logs, county, city, month);
    let officer = Client::new(&city.url(), city.token("tongji"));
    let accept = || {
        officer
            .decide(county.id.as_str(), month, Decision::Accepted, &[], &[])
            .expect("accepted")
    };
    let decided = now();
    way.call(
        format!(
            "{} accepts {}: receipt signed, in the journal",
            city.id, county.id
        ),
        accept,
    );
    way.call(format!("{} closes", city.id), || {
        year::close(city, month, &CloseRequest::default()).expect("closed")
    });
    way.call(format!("{} has three signatures", city.id), || {
        f.sign_all(city, month).expect("signed")
    });
    way.hop(&mut logs, city, province, month);
    // Beside the way: the receipt travels while the city closes.
    let receipt = logs.when(county, decided, |l| l["message"] == "a receipt came");
    println!(
        "  {month}  {} has its receipt after{}",
        county.id,
        ms((receipt - decided).to_std().unwrap_or_default())
    );
    let reviewer = Client::new(&province.url(), province.token("tongji"));
    let list = reviewer.children().expect("the province answers");
    let verdicts = list
        .iter()
        .find(|c| c.unit == city.id && c.period == month)
        .map(|c| c.verdicts.as_slice())
        .unwrap_or_default();
    assert!(
        verdicts.len() == 5 && verdicts.iter().all(|v| !v.failed()),
        "{verdicts:?}"
    );
    // For the next month.
    year::decide(province, city, month, 1, Decision::Accepted, &[]).expect("accepted");
    way.stages
}

fn now() -> Time {
    SystemTime::now().into()
}

/// What the nodes tell, read on as it is written.
#[derive(Default)]
struct Logs(BTreeMap<UnitId, (u64, Vec<(Time, Value)>)>);

impl Logs {
    /// When a node first told such a thing, not before `since`; waits for it.
    fn when(&mut self, m: &Member, since: Time, fits: impl Fn(&Value) -> bool) -> Time {
        let begin = Instant::now();
        loop {
            self.read(m);
            let told = self
                .0
                .get(&m.id)
                .map(|(_, lines)| lines.as_slice())
                .unwrap_or_default();
            if let Some((at, _)) = told
                .iter()
                .find(|(at, fields)| *at >= since && fits(fields))
            {
                return *at;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "{} does not tell:\n{}",
                m.id,
                tail(&log_of(m))
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn read(&mut self, m: &Member) {
        let (from, told) = self.0.entry(m.id.clone()).or_default();
        let mut text = String::new();
        let mut file = std::fs::File::open(log_of(m)).expect("a log");
        file.seek(SeekFrom::Start(*from))
            .and_then(|_| file.read_to_string(&mut text))
            .expect("a log that can be read");
        // The last line may be half written.
        let whole = text.rfind('\n').map_or(0, |n| n + 1);
        *from += whole as u64;
        for line in text[..whole].lines() {
            let mut line: Value = serde_json::from_str(line).expect("a line of JSON");
            let at = line["timestamp"]
                .as_str()
                .and_then(|t| t.parse().ok())
                .expect("a time");
            told.push((at, line["fields"].take()));
        }
    }
}

fn log_of(m: &Member) -> PathBuf {
    m.dir.join("node.log")
}

/// What both hops cannot do without.
struct Floor {
    leaves: usize,
    bytes: usize,
    crypto: Duration,
    nats: Duration,
}

impl Floor {
    fn said(&self, stages: &[Stage]) -> String {
        let floor = self.crypto + self.nats;
        format!(
            "floor{}: cryptography of {} leaves{}, NATS with {} KiB{}; the nodes take {:.2} of it",
            ms(floor),
            self.leaves,
            ms(self.crypto),
            self.bytes / 1024,
            ms(self.nats),
            by_nodes(stages).as_secs_f64() / floor.as_secs_f64()
        )
    }
}

/// Measures it over what the province has of the two senders since the month before.
fn floor(f: &Federation, sizes: &mut BTreeMap<UnitId, usize>) -> Floor {
    let (county, city, province) = last(f);
    let bytes = Client::new(&province.url(), province.token("jiancha"))
        .evidence()
        .expect("evidence");
    let evidence = file::read(&bytes).expect("evidence");
    let mut sum = Floor {
        leaves: 0,
        bytes: 0,
        crypto: Duration::ZERO,
        nats: Duration::ZERO,
    };
    for m in [county, city] {
        let unit = &evidence.units[&m.id];
        let before = sizes.insert(m.id.clone(), unit.entries.len()).unwrap_or(0);
        let fresh = &unit.entries[before..];
        sum.leaves += fresh.len();
        sum.crypto += floor_of(&unit.entries, before);
        let rollup = unit
            .rollups
            .values()
            .last()
            .expect("a rollup")
            .as_bytes()
            .to_vec();
        let checkpoint = unit
            .checkpoints
            .values()
            .last()
            .expect("a checkpoint")
            .as_bytes()
            .to_vec();
        let bundles = fresh.chunks(BUNDLE).map(|c| {
            tile::encode_bundle(&c.iter().map(Vec::as_slice).collect::<Vec<_>>()).expect("a bundle")
        });
        let letters: Vec<Vec<u8>> = bundles.chain([checkpoint, rollup]).collect();
        sum.bytes += letters.iter().map(Vec::len).sum::<usize>();
        sum.nats += nats(&f.world, letters);
    }
    sum
}

/// The letters through a stream of their own in the same server.
fn nats(world: &World, letters: Vec<Vec<u8>>) -> Duration {
    use async_nats::jetstream::{self, consumer, stream};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let client = async_nats::ConnectOptions::with_nkey(world.nats_admin.clone())
            .connect(world.nats_url())
            .await
            .expect("the operator connects");
        let js = jetstream::new(client);
        let config = stream::Config {
            name: "FLOOR".into(),
            subjects: vec!["floor".into()],
            ..stream::Config::default()
        };
        let stream = js.create_stream(config).await.expect("a stream");
        let durable = consumer::pull::Config {
            durable_name: Some("floor".into()),
            ..consumer::pull::Config::default()
        };
        let consumer = stream.create_consumer(durable).await.expect("a consumer");
        let count = letters.len();
        let begin = Instant::now();
        let send = async {
            let mut acks = Vec::new();
            for body in letters {
                acks.push(js.publish("floor", body.into()).await.expect("published"));
            }
            for ack in acks {
                ack.await.expect("stored");
            }
        };
        let take = async {
            let mut messages = consumer
                .batch()
                .max_messages(count)
                .expires(PATIENCE)
                .messages()
                .await
                .expect("messages");
            for _ in 0..count {
                let message = messages
                    .next()
                    .await
                    .expect("a message")
                    .expect("a message");
                message.ack().await.expect("acknowledged");
            }
        };
        tokio::join!(send, take);
        let took = begin.elapsed();
        js.delete_stream("FLOOR").await.expect("deleted");
        took
    })
}
