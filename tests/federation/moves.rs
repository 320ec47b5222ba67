//! A federation is reorganized while it runs, as the runbook tells it (section 6): a county is put
//! under another city, one is merged away, one is renamed, and a city's witness key is replaced.
//! Nobody is started again; what follows is reported, checked and accepted as ever.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use admin::api::{ApiError, Client};
use countersign_demo::federation::{Federation, wait};
use countersign_demo::ledger::Ledger;
use countersign_demo::world::{Deploy, Member, World};
use countersign_demo::year;
use federation_tests::{directory, nats_server, programs, repository};
use node::desk::close::CloseRequest;
use protocol::evidence::{file, report};
use protocol::note::Note;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::rollup::Rollup;

const SEED: u64 = 7;

const PROVINCE: &str = "140000";
const CITY: &str = "140300";
const OTHER_CITY: &str = "140700";
/// From the first city to the other.
const MOVED: &str = "140302";
/// Merged into the one below.
const ENDED: &str = "140322";
const SUCCESSOR: &str = "140321";
const RENAMED: &str = "140311";
const OTHER: &str = "140702";

/// Who reports to whom: each city with its counties.
type Tree = [(&'static str, &'static [&'static str]); 2];

const BEFORE: Tree = [
    (CITY, &[MOVED, ENDED, SUCCESSOR, RENAMED]),
    (OTHER_CITY, &[OTHER]),
];
const AFTER: Tree = [(CITY, &[SUCCESSOR, RENAMED]), (OTHER_CITY, &[MOVED, OTHER])];

fn month(n: u32) -> Month {
    Month::new(2023, n).unwrap()
}

/// The project's own catalogue and plans, and these units alone.
fn deploy(dir: &Path) -> Deploy {
    let ours = repository().join("deploy");
    std::fs::create_dir_all(dir.join("units")).unwrap();
    for name in ["catalogue", "plans"] {
        std::os::unix::fs::symlink(ours.join(name), dir.join(name)).unwrap();
    }
    let all = std::fs::read_to_string(ours.join("units/units.csv")).unwrap();
    let mut ids = vec![PROVINCE];
    for (city, counties) in BEFORE {
        ids.push(city);
        ids.extend(counties);
    }
    let kept = all.lines().filter(|line| {
        let id = line.split(',').next().unwrap_or_default();
        line.starts_with('#') || id == "id" || ids.contains(&id)
    });
    let kept: Vec<&str> = kept.collect();
    std::fs::write(dir.join("units/units.csv"), kept.join("\n") + "\n").unwrap();
    Deploy(dir.to_path_buf())
}

fn start() -> (Federation, Ledger) {
    let dir = directory("moves");
    let deploy = deploy(&dir.join("deploy"));
    let cities = [CITY, OTHER_CITY];
    let world = World::build(&dir.join("world"), &deploy, &cities, month(1)).unwrap();
    let ledger = world.ledger(SEED, 2023);
    let node = programs().join("countersign-node");
    let federation = Federation::start(world, &nats_server(), &node).unwrap();
    federation.enrol_all().unwrap();
    (federation, ledger)
}

/// What the command line says, which must succeed.
fn countersign(f: &Federation, args: &[&str]) -> String {
    let mut command = Command::new(programs().join("countersign"));
    let done = command.current_dir(&f.world.dir).args(args);
    let done = done.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let told = text(&done.stdout) + &text(&done.stderr);
    assert!(done.status.success(), "{args:?}: {told}");
    told
}

/// One month of everybody in this tree, accepted by the parent of the month.
fn report_month(f: &Federation, (ledger, indexes): (&Ledger, &year::Indexes), n: u32, tree: &Tree) {
    let clock = format!("2023-{:02}-03T04:00:00Z", n + 1);
    f.world.set_clock(&clock).unwrap();
    let request = CloseRequest::default();
    let member = |id: &str| f.world.member(id).unwrap();
    let accept = |parent: &str, child: &str| {
        let (parent, child) = (member(parent), member(child));
        year::decide(parent, child, month(n), 1, Decision::Accepted, &[]).unwrap();
    };
    for (city, counties) in tree {
        for county in *counties {
            year::fill(ledger, indexes, member(county), month(n)).unwrap();
            year::report(f, member(county), month(n), &request).unwrap();
            accept(city, county);
        }
        let waits = f.client(city, "tongji").unwrap().status().unwrap();
        assert!(waits.children_missing.is_empty(), "{city} {n}: {waits:?}");
        year::report(f, member(city), month(n), &request).unwrap();
        accept(PROVINCE, city);
    }
    year::report(f, member(PROVINCE), month(n), &request).unwrap();
}

/// The runbook's section 6 in its order: a new witness key, the registry, nats.conf and the streams,
/// and then the registry is put out.
fn reorganize(f: &Federation) {
    let world = &f.world;
    let witness = format!("units/{CITY}/keys/witness-next.key");
    let name = format!("{CITY}/witness");
    let vkey = countersign(f, &["key", "new", &witness, "--name", &name, "--witness"]);
    let vkey = vkey.lines().find(|l| l.starts_with(&name)).unwrap();
    std::fs::write(world.dir.join("witness.vkey"), vkey).unwrap();
    let words = format!(
        "registry next published/registry-1.note --root root.key --from 2023-02 \
         --move {MOVED} {OTHER_CITY} --rename {RENAMED} 新郊区 --end {ENDED} \
         --successor {ENDED} {SUCCESSOR} --rotate-witness {CITY} witness.vkey \
         --from-time 2023-02-20T00:00:00Z -o registry-2.note"
    );
    let told = countersign(f, &words.split_whitespace().collect::<Vec<_>>());
    assert!(told.contains("it reports to 140700, not 140300"), "{told}");

    let (seed, units) = world.write_operator_files().unwrap();
    let (seed, units) = (seed.to_str().unwrap(), units.to_str().unwrap());
    let (port, monitor) = (world.nats_port.to_string(), world.monitor_port.to_string());
    let store = world.dir.join("nats");
    let admin = world.nats_admin_public.as_str();
    let config = [
        "nats",
        "config",
        "--units",
        units,
        "--registry",
        "registry-2.note",
    ];
    let place = ["--admin", admin, "--store-dir", store.to_str().unwrap()];
    let ports = [
        "--port",
        &port,
        "--monitor-port",
        &monitor,
        "-o",
        "nats.conf",
    ];
    countersign(f, &[&config[..], &place, &ports].concat());
    f.reload_nats().unwrap();
    let url = world.nats_url();
    let provision = ["nats", "provision", "--url", &url, "--seed", seed];
    let whose = ["--units", units, "--registry", "registry-2.note"];
    countersign(f, &[&provision[..], &whose].concat());

    let province = world.member(PROVINCE).unwrap();
    let (token, node) = (province.token("operator"), province.url());
    let publish = [
        "publish",
        "registry-2.note",
        "--node",
        &node,
        "--token",
        token,
    ];
    countersign(f, &publish);
    for m in &world.members {
        let client = Client::new(&m.url(), m.token("luru"));
        let known = || Ok(client.status().map_err(|e| e.to_string())?.registry == 2);
        wait(&format!("registry 2 at {}", m.id), known).unwrap();
        f.wait_up(m.id.as_str()).unwrap();
    }
}

fn rollup(f: &Federation, unit: &str, n: u32) -> Rollup {
    let client = f.client(unit, "tianbiao").unwrap();
    let note = Note::parse(&client.rollup(month(n)).unwrap()).unwrap();
    Rollup::parse(note.text()).unwrap()
}

/// Everybody's months, each accepted once, in the tree of its time.
fn everything_was_accepted_once(f: &Federation) {
    for (n, tree) in [(1, BEFORE), (2, AFTER), (3, AFTER)] {
        for (city, counties) in tree {
            let made = rollup(f, city, n);
            let mut named: Vec<String> = made.children.iter().map(|c| c.unit.to_string()).collect();
            named.sort();
            let mut expected = counties.to_vec();
            expected.sort_unstable();
            assert_eq!(
                (named, made.missing.len()),
                (expected.iter().map(ToString::to_string).collect(), 0)
            );
        }
    }
    for m in f.world.members.iter().filter(|m| m.parent.is_some()) {
        let months = f
            .client(m.id.as_str(), "tianbiao")
            .unwrap()
            .months()
            .unwrap();
        let wanted = if m.id.as_str() == ENDED { 1 } else { 3 };
        let accepted = months
            .iter()
            .filter(|o| o.decision == Some(Decision::Accepted));
        assert_eq!(
            (months.len(), accepted.count()),
            (wanted, wanted),
            "{}",
            m.id
        );
    }
}

/// What a unit hands to an inspector holds, and tells the names of each month's time.
fn evidence_holds(f: &Federation, unit: &str) -> report::Report {
    let evidence = f.client(unit, "jiancha").unwrap().evidence().unwrap();
    let found = report::verify(&file::read(&evidence).unwrap(), &f.world.root).unwrap();
    assert!(found.holds(), "{unit}: {:?}", found.failures().next());
    assert_eq!(found.trust.version, 2, "{unit}");
    found
}

#[test]
fn a_federation_is_reorganized_while_it_runs() {
    let (f, ledger) = start();
    let indexes: year::Indexes = Mutex::new(BTreeMap::new());
    let pids = |m: &Member| f.pid(m.id.as_str());
    let before: Vec<_> = f.world.members.iter().map(pids).collect();
    report_month(&f, (&ledger, &indexes), 1, &BEFORE);
    let old = f.client(PROVINCE, "jiancha").unwrap().evidence().unwrap();

    reorganize(&f);
    let status = f.client(ENDED, "luru").unwrap().status().unwrap();
    assert_eq!(status.until, Some(month(1)));
    for n in [2, 3] {
        report_month(&f, (&ledger, &indexes), n, &AFTER);
    }
    let closed = f.client(ENDED, "tianbiao").unwrap();
    match closed.close(month(2), &CloseRequest::default()) {
        Err(ApiError::Refused(faults)) => assert_eq!(faults.0[0].code, "node.ended"),
        other => panic!("{other:?}"),
    }
    everything_was_accepted_once(&f);
    let after: Vec<_> = f.world.members.iter().map(pids).collect();
    assert_eq!(before, after, "nobody was started again");

    // What was taken out before holds as ever, and all of it stands in what is taken out now.
    let old = report::verify(&file::read(&old).unwrap(), &f.world.root).unwrap();
    assert!(old.holds(), "{:?}", old.failures().next());
    for unit in [CITY, OTHER_CITY, MOVED, ENDED, RENAMED] {
        evidence_holds(&f, unit);
    }
    let whole = evidence_holds(&f, PROVINCE);
    let ended = whole
        .units
        .iter()
        .find(|u| u.unit.as_str() == ENDED)
        .unwrap();
    let ended = ended.ended.as_ref().unwrap();
    assert_eq!(
        (ended.until, ended.successors[0].as_str()),
        (month(1), SUCCESSOR)
    );
    assert!(ended.stocks.as_ref().unwrap()["I001"] > 0, "{ended:?}");
    let renamed = whole
        .units
        .iter()
        .find(|u| u.unit.as_str() == RENAMED)
        .unwrap();
    let names: Vec<&str> = renamed.months.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["郊区", "新郊区", "新郊区"]);
}
