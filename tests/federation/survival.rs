//! What must survive: SIGKILL of nodes and of nats-server at bad moments, a lost broker store, a
//! deleted view.
//!
//! Every wait is for a state, never for a time; nothing here asserts how long anything takes.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use admin::keyring;
use countersign_demo::federation::{Federation, wait};
use countersign_demo::ledger::Ledger;
use countersign_demo::world::{Deploy, World};
use countersign_demo::year;
use federation_tests::{directory, nats_server, programs, repository};
use node::desk::close::CloseRequest;
use protocol::evidence::{file, report};
use protocol::ids::Tier;
use protocol::note::{Alg, Note};
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::registry::{Registry, Revocation, UnitKey, VerifiedRegistry};
use protocol::rollup::Rollup;

/// Printed with every failure; change it to try another course.
const SEED: u64 = 7;

fn start(name: &str) -> (Federation, Ledger) {
    let month = Month::new(2023, 1).unwrap();
    let world = World::build(
        &directory(name),
        &Deploy(repository().join("deploy")),
        &["140300"],
        month,
    )
    .unwrap();
    let ledger = world.ledger(SEED, 2023);
    let federation =
        Federation::start(world, &nats_server(), &programs().join("countersign-node")).unwrap();
    federation.enrol_all().unwrap();
    federation.world.set_clock("2023-02-03T04:00:00Z").unwrap();
    (federation, ledger)
}

fn january() -> Month {
    Month::new(2023, 1).unwrap()
}

fn rollup(f: &Federation, unit: &str) -> Rollup {
    let bytes = f
        .client(unit, "tianbiao")
        .unwrap()
        .rollup(january())
        .unwrap();
    Rollup::parse(Note::parse(&bytes).unwrap().text()).unwrap()
}

/// A node that is killed again and again while a month is imported ends with the figures of one
/// that was not.
///
/// A client that got no answer does not know whether its file was recorded. It sends it again:
/// either it is recorded now, or every row is refused as a repetition; never a part of it.
#[test]
fn killed_while_importing() {
    let (mut f, ledger) = start("killed-while-importing");
    let (victim, control) = ("140302", "140303");
    let files = |unit: &str| {
        ledger
            .unit(&unit.parse().unwrap())
            .unwrap()
            .month(january())
            .unwrap()
            .sheets
            .clone()
    };
    // The control records the victim's ledger, undisturbed: two nodes, one truth.
    let client = f.client(control, "luru").unwrap();
    for sheet in files(victim) {
        let imported = client
            .import(
                Some(sheet.event),
                "csv",
                false,
                false,
                sheet.to_csv().as_bytes(),
            )
            .unwrap();
        assert!(imported.accepted, "{:?}", imported.faults.first());
    }
    let mut random = SEED;
    for sheet in files(victim) {
        let client = f.client(victim, "luru").unwrap();
        let (csv, event) = (sheet.to_csv(), sheet.event);
        let import = std::thread::spawn(move || {
            client.import(Some(event), "csv", false, false, csv.as_bytes())
        });
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_micros((random >> 33) % 60_000));
        f.kill_node(victim);
        let _ = import.join().unwrap(); // the answer may be lost
        f.start_node(victim).unwrap();
        f.wait_up(victim).unwrap();
        let again = f
            .client(victim, "luru")
            .unwrap()
            .import(Some(event), "csv", false, false, sheet.to_csv().as_bytes())
            .unwrap();
        if !again.accepted {
            assert!(
                again.known,
                "seed {SEED} {event}: a part of a file was recorded: {:?}",
                again.faults.first()
            );
        }
    }
    for unit in [victim, control] {
        year::close(
            f.world.member(unit).unwrap(),
            january(),
            &CloseRequest::default(),
        )
        .unwrap();
    }
    assert_eq!(
        rollup(&f, victim).figures,
        rollup(&f, control).figures,
        "seed {SEED}"
    );
    f.kill_node(victim);
    let data = f.world.member(victim).unwrap().dir.join("data");
    let report = node::journal::check(&data).unwrap();
    assert!(
        report.torn.is_none() || report.torn.is_some_and(|t| t.bytes > 0),
        "fsck reads it"
    );
}

/// Broker and nodes die while a month travels; every report ends accepted exactly once.
#[test]
fn everything_dies_on_the_way() {
    let (mut f, ledger) = start("everything-dies");
    let indexes: year::Indexes = Mutex::new(BTreeMap::new());
    let counties: Vec<_> = f.world.tier(Tier::County).cloned().collect();
    for m in &counties {
        year::fill(&ledger, &indexes, m, january()).unwrap();
    }
    let city = f.world.member("140300").unwrap().clone();
    // 1. The broker is dead when the counties submit; the city dies too.
    f.kill_nats();
    f.kill_node("140300");
    for m in &counties {
        year::report(&f, m, january(), &CloseRequest::default()).unwrap();
    }
    // 2. A county dies with a full outbox.
    f.kill_node("140302");
    f.start_nats().unwrap();
    f.start_node("140302").unwrap();
    f.start_node("140300").unwrap();
    f.wait_up("140302").unwrap();
    f.wait_up("140300").unwrap();
    for (n, m) in counties.iter().enumerate() {
        year::decide(&city, m, january(), 1, Decision::Accepted, &[]).unwrap();
        if n == 1 {
            // 3. The city dies between two decisions.
            f.kill_node("140300");
            f.start_node("140300").unwrap();
            f.wait_up("140300").unwrap();
        }
    }
    // 4. The view of the city is lost: what it knows is in its journal.
    let before = f.client("140300", "tongji").unwrap().children().unwrap();
    f.kill_node("140300");
    std::fs::remove_dir_all(city.dir.join("data/view")).unwrap();
    f.start_node("140300").unwrap();
    f.wait_up("140300").unwrap();
    let after = f.client("140300", "tongji").unwrap().children().unwrap();
    let decisions = |list: &[node::queries::children::ChildMonth]| {
        list.iter()
            .map(|c| (c.unit.to_string(), c.rollup, c.decision))
            .collect::<Vec<_>>()
    };
    assert_eq!(decisions(&before), decisions(&after));
    f.world.set_clock("2023-02-08T04:00:00Z").unwrap();
    year::report(&f, &city, january(), &CloseRequest::default()).unwrap();
    let province = f.world.member("140000").unwrap();
    year::decide(province, &city, january(), 1, Decision::Accepted, &[]).unwrap();
    let sums: i64 = counties
        .iter()
        .map(|m| {
            rollup(&f, m.id.as_str())
                .figure("I001")
                .unwrap()
                .own
                .value
                .unwrap()
        })
        .sum();
    assert_eq!(
        rollup(&f, "140300").figure("I001").unwrap().scope().value,
        Some(sums),
        "nothing lost, nothing doubled"
    );
}

/// A second node on the same data directory refuses, and says why.
#[test]
fn two_nodes_on_one_directory() {
    let (f, _) = start("two-nodes");
    let m = f.world.member("140302").unwrap();
    // Same directory, another port: only the lock can refuse.
    let config = std::fs::read_to_string(m.config()).unwrap().replace(
        &format!(":{}", m.port),
        &format!(":{}", countersign_demo::world::free_port().unwrap()),
    );
    let path = m.dir.join("second.toml");
    std::fs::write(&path, config).unwrap();
    let output = std::process::Command::new(programs().join("countersign-node"))
        .arg(&path)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("journal.locked"), "{text}");
    wait("the first node", || {
        f.client("140302", "luru")
            .unwrap()
            .status()
            .map(|_| true)
            .map_err(|e| e.to_string())
    })
    .unwrap();
}

/// A county's node key is rotated: version 2 of the registry reaches everybody over NATS, January
/// stays valid under the old key, February is signed with the new one, and a report signed with the
/// old one is refused.
#[test]
fn a_key_is_rotated() {
    let (mut f, ledger) = start("rotated");
    let indexes: year::Indexes = Mutex::new(BTreeMap::new());
    let m = f.world.member("140302").unwrap().clone();
    let city = f.world.member("140300").unwrap().clone();
    year::fill(&ledger, &indexes, &m, january()).unwrap();
    year::report(&f, &m, january(), &CloseRequest::default()).unwrap();
    year::decide(&city, &m, january(), 1, Decision::Accepted, &[]).unwrap();

    // The operator makes the new key and the next registry version; the province's node hands it
    // down.
    let leaves = f.client("140302", "luru").unwrap().status().unwrap().leaves;
    let root = keyring::read_key(&f.world.dir.join("root.key")).unwrap();
    let old_path = m.dir.join("keys/node.key");
    let old = keyring::read_key(&old_path).unwrap();
    let note = Note::parse(&std::fs::read(f.world.dir.join("published/registry-1.note")).unwrap())
        .unwrap();
    let first = VerifiedRegistry::first(&note, &f.world.root).unwrap();
    let new_path = m.dir.join("new.key");
    let new = keyring::create_key(&new_path, "140302", Alg::Ed25519).unwrap();
    let mut registry: Registry = first.registry().clone();
    registry.version = 2;
    registry.previous = Some(first.digest());
    let unit = registry.units.iter_mut().find(|u| u.id == m.id).unwrap();
    unit.keys[0].revoked = Some(Revocation {
        at_index: leaves,
        reason: "rotated".into(),
    });
    unit.keys.push(UnitKey {
        vkey: new.vkey(),
        from_index: leaves,
        revoked: None,
    });
    let second = Note::sign(&registry.to_text().unwrap(), &[&root]).unwrap();
    let province = f.world.member("140000").unwrap().clone();
    let operator = admin::api::Client::new(&province.url(), province.token("operator"));
    operator
        .post("/api/published", "text/plain", second.as_bytes(), &[])
        .unwrap();
    for id in ["140302", "140300", "140303"] {
        let client = f.client(id, "luru").unwrap();
        wait(&format!("registry 2 at {id}"), || {
            Ok(client.status().map_err(|e| e.to_string())?.registry == 2)
        })
        .unwrap();
    }
    f.kill_node("140302");
    std::fs::rename(&old_path, m.dir.join("old.key")).unwrap();
    std::fs::rename(&new_path, &old_path).unwrap();
    f.start_node("140302").unwrap();
    f.wait_up("140302").unwrap();

    let february = january().next().unwrap();
    f.world.set_clock("2023-03-03T04:00:00Z").unwrap();
    year::fill(&ledger, &indexes, &m, february).unwrap();
    year::report(&f, &m, february, &CloseRequest::default()).unwrap();
    year::decide(&city, &m, february, 1, Decision::Accepted, &[]).unwrap();
    let rollup = f
        .client("140302", "tianbiao")
        .unwrap()
        .rollup(february)
        .unwrap();
    let rollup = Note::parse(&rollup).unwrap();
    assert!(rollup.verify(&[new.vkey()]).is_ok() && rollup.verify(&[old.vkey()]).is_err());
    // The county's own evidence, January and February, still holds for a reader who knows nothing
    // but the root key.
    let evidence = f.client("140302", "jiancha").unwrap().evidence().unwrap();
    let report = report::verify(&file::read(&evidence).unwrap(), &f.world.root).unwrap();
    assert!(report.holds(), "{:?}", report.failures().next());
}
