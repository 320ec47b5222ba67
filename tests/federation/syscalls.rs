//! Every file-system call of a node's journal, checkpoints and recovery goes wrong, one at a time,
//! in a real process under strace.
//!
//! Three scenes: a file is imported, a month is closed, signed and submitted, and a node starts on
//! a journal that has a torn tail. Of each scene a run without faults tells which calls there are;
//! then a call of these answers EIO or ENOSPC, or the process is killed when it makes the call.
//! (Writes that were torn or lost by a power cut are the fake disk's, in `node/src/journal`.) After
//! each fault:
//!
//! - what was acknowledged is there, once;
//! - what was refused with "nothing of this was recorded" was not recorded, and is taken when it
//!   comes again; what was refused otherwise, or not answered, can be sent again: it is recorded
//!   now, or refused as a repetition, row for row;
//! - the node goes on, or tells by its health that it wants a restart; a start that is refused says
//!   what to do, and the next one, without the fault, succeeds;
//! - the month ends with the figures of a node that nothing happened to, its evidence holds, and
//!   `countersign fsck` is clean.
//!
//! By default each kind of call meets each fault once, at a position that the seed chooses
//! (`COUNTERSIGN_SEED`); with `COUNTERSIGN_ROUNDS=0` every fault comes at every position, and with
//! `COUNTERSIGN_ROUNDS=n` at n of them.

#![allow(clippy::unwrap_used)] // helpers of tests

mod single;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use admin::keyring;
use protocol::evidence::{file, report};
use single::{Place, Random, SingleNode, codes, january, rounds, seed};

/// The calls by which a file or a directory is changed, made durable, found or read.
const CALLS: &str = "openat,read,pread64,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,ftruncate,unlink,unlinkat,mkdir,\
                     mkdirat,getdents64,statx,fstat,newfstatat,flock,close";

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum InjectedFault {
    Eio,
    Enospc,
    Kill,
}

impl InjectedFault {
    const ALL: [InjectedFault; 3] = [
        InjectedFault::Eio,
        InjectedFault::Enospc,
        InjectedFault::Kill,
    ];

    /// As strace wants it.
    fn inject(self, call: &str, nth: usize) -> String {
        let what = match self {
            InjectedFault::Eio => "error=EIO",
            InjectedFault::Enospc => "error=ENOSPC",
            InjectedFault::Kill => "signal=SIGKILL",
        };
        format!("inject={call}:{what}:when={nth}")
    }
}

/// The fault, the call and its number.
type Position = (InjectedFault, String, usize);

/// strace is there and may trace; otherwise these tests would show nothing, and must not pass.
fn strace_works() {
    let output = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .output();
    let output =
        output.expect("strace is not installed: apt-get install strace (tests/run does it)");
    assert!(
        output.status.success(),
        "strace may not trace here (ptrace is forbidden: seccomp, yama or a missing \
            CAP_SYS_PTRACE), so that this test can show nothing: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What of a data directory is watched: everything but the view, which is sled's and may be lost.
fn paths(data: &Path) -> Vec<String> {
    let names = [
        "",
        "lock",
        "guard",
        "guard.tmp",
        "journal",
        "journal/000000000000.seg",
    ];
    names
        .iter()
        .flat_map(|name| {
            [
                "-P".to_string(),
                data.join(name)
                    .display()
                    .to_string()
                    .trim_end_matches('/')
                    .to_string(),
            ]
        })
        .collect()
}

fn words(data: &Path, log: &Path, inject: Option<String>) -> Vec<String> {
    let mut words: Vec<String> = ["strace", "-f", "-o"].map(String::from).to_vec();
    words.push(log.display().to_string());
    words.push("-e".into());
    words.push(format!("trace={CALLS}"));
    if let Some(inject) = inject {
        words.push("-e".into());
        words.push(inject);
    }
    words.extend(paths(data));
    words
}

/// strace on a node that runs already, so that its counts begin here. Detaches when dropped.
struct Tracer(Child);

impl Tracer {
    fn attach(node: &SingleNode, inject: Option<String>) -> Tracer {
        let mut words = words(&node.data(), &node.home.join("strace.log"), inject);
        words.extend(["-p".into(), node.pid().to_string()]);
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        while !said.contains("attached") {
            assert!(
                lines.read_line(&mut said).unwrap() > 0,
                "strace cannot attach to the node: {said}"
            );
        }
        // It says little more; what it says must not block it.
        std::thread::spawn(move || for _ in lines.lines() {});
        Tracer(child)
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // SIGTERM lets it detach in order. From a node that was killed under it it may never come
        // back, and then nothing is left to detach from.
        let _ = Command::new("kill")
            .arg(self.0.id().to_string())
            .stderr(Stdio::null())
            .status();
        for _ in 0..400 {
            if matches!(self.0.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The calls of a run without faults: how often the busiest thread made each.
fn calls(log: &Path) -> BTreeMap<String, usize> {
    let mut by_thread: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in fs::read_to_string(log).unwrap().lines() {
        let (thread, rest) = line.split_once(char::is_whitespace).unwrap();
        // `<... call resumed>` is the second half of a line.
        if let Some((call, _)) = rest
            .trim_start()
            .split_once('(')
            .filter(|(call, _)| call.chars().all(|c| c.is_ascii_alphanumeric()))
        {
            *by_thread
                .entry((thread.to_string(), call.to_string()))
                .or_default() += 1;
        }
    }
    let mut most = BTreeMap::new();
    for ((_, call), count) in by_thread {
        let entry: &mut usize = most.entry(call).or_default();
        *entry = count.max(*entry);
    }
    most
}

/// Which positions are tried.
fn choose(calls: &BTreeMap<String, usize>, random: &mut Random) -> Vec<Position> {
    let all: Vec<Position> = calls
        .iter()
        .flat_map(|(call, n)| {
            (1..=*n).flat_map(move |n| InjectedFault::ALL.map(|f| (f, call.clone(), n)))
        })
        .collect();
    match rounds() {
        Some(0) => all,
        Some(n) => (0..n)
            .map(|_| all[random.below(all.len())].clone())
            .collect(),
        None => calls
            .iter()
            .flat_map(|(call, n)| {
                InjectedFault::ALL.map(|f| (f, call.clone(), random.below(*n) + 1))
            })
            .collect(),
    }
}

/// Two at a time: a round mostly waits for a process.
fn each(positions: &[Position], round: impl Fn(usize, &Position) + Sync) {
    let next = Mutex::new(0..positions.len());
    std::thread::scope(|scope| {
        let work = || {
            while let Some(n) = { next.lock().unwrap().next() } {
                round(n, &positions[n]);
            }
        };
        let other = scope.spawn(work);
        work();
        if let Err(panic) = other.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// What all rounds of one scene have in common.
struct Scene {
    place: Place,
    /// A stopped node's data before the scene.
    base: PathBuf,
    /// The file that is imported last.
    last: (&'static str, String),
    rows: usize,
    /// Events and figures of a node that nothing happened to.
    events: Vec<String>,
    figures: String,
}

fn figures(node: &SingleNode) -> String {
    serde_json::to_string(&node.rollup().figures).unwrap()
}

impl Scene {
    /// The month is imported, but for its last file if `import` is the scene.
    fn new(name: &str, import: bool) -> Scene {
        strace_works();
        let place = Place::new(name, 7);
        let mut files = place.files();
        let last = files.pop().unwrap();
        let mut node = place.node("base", None);
        node.start();
        node.enrol();
        for (event, csv) in &files {
            assert!(node.import(event, csv).unwrap().accepted);
        }
        if !import {
            assert!(node.import(last.0, &last.1).unwrap().accepted);
        }
        node.kill();
        let mut control = place.node("control", Some(&node.data()));
        control.start();
        if import {
            assert!(control.import(last.0, &last.1).unwrap().accepted);
        }
        control.close().unwrap();
        let rows = last.1.lines().count() - 1;
        Scene {
            base: node.data(),
            last,
            rows,
            events: control.events(),
            figures: figures(&control),
            place,
        }
    }

    /// Sends the last file until it is recorded. `answer` is what an earlier attempt was answered.
    fn import_again(&self, node: &SingleNode, answer: Answer, context: &str) {
        let again = node
            .import(self.last.0, &self.last.1)
            .unwrap_or_else(|e| panic!("{context}: {e}"));
        assert!(again.faults.is_empty(), "{context}: {:?}", again.faults);
        if again.accepted {
            assert!(
                answer != Answer::Recorded,
                "{context}: what was acknowledged is lost"
            );
            assert_eq!(
                again.recorded.len(),
                self.rows,
                "{context}: a part of a file was recorded"
            );
            return;
        }
        assert!(
            answer != Answer::Nothing,
            "{context}: it was recorded, and the sender was told that it was not"
        );
        assert!(again.known, "{context}: {again:?}");
        assert_eq!(
            again.skipped.len(),
            self.rows,
            "{context}: a part of a file was recorded"
        );
    }

    /// The month as it must end, and the disk as it must be, whatever happened.
    fn ends_well(&self, node: &mut SingleNode, context: &str) {
        assert_eq!(node.events(), self.events, "{context}: events");
        let months = node.client("tianbiao").months().unwrap();
        if months.iter().all(|m| m.submitted.is_none()) {
            node.close().unwrap_or_else(|e| panic!("{context}: {e}"));
            node.sign().unwrap_or_else(|e| panic!("{context}: {e}"));
        }
        node.client("tianbiao")
            .submit(january())
            .unwrap_or_else(|e| panic!("{context}: {e}"));
        assert_eq!(figures(node), self.figures, "{context}: figures");
        let evidence = file::read(&node.client("jiancha").evidence().unwrap()).unwrap();
        let report = report::verify(&evidence, &self.place.world.root).unwrap();
        assert!(report.holds(), "{context}: {:?}", report.failures().next());
        node.kill();
        node.fsck(context);
    }
}

/// What the sender of a request may believe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Recorded,
    Nothing,
    Unknown,
}

/// A refusal by the disk, and what it says of the request. Any other refusal is a fault of the
/// node.
fn refused(error: &admin::api::ApiError, context: &str) -> Answer {
    let codes = codes(error);
    match codes.first().map(String::as_str) {
        // The process is gone.
        None if matches!(error, admin::api::ApiError::Unreachable { .. }) => Answer::Unknown,
        Some("journal.no_space" | "journal.poisoned") => Answer::Nothing,
        Some("journal.io" | "node.stopping") => Answer::Unknown,
        // Reading failed before anything was written.
        Some("node.internal") if error.to_string().contains("Check the disk") => Answer::Nothing,
        _ => panic!("{context}: not an answer about the disk: {error}"),
    }
}

/// After a fault: the node goes on as it is, or says that it has to be restarted, or is gone.
fn goes_on(node: &mut SingleNode, fault: InjectedFault, context: &str) {
    // A killed process may need a moment to be gone, and strace may have been stopped before it
    // could tell.
    if fault == InjectedFault::Kill && (was_killed(node) || !answers(node)) {
        node.wait_end();
    }
    if node.runs() && matches!(node.health("journal").as_str(), "writable" | "full") {
        return;
    }
    if node.runs() {
        assert_eq!(
            (
                node.health("journal").as_str(),
                node.metric("journal_poisoned")
            ),
            ("poisoned", Some(1.0)),
            "{context}"
        );
        // It reads on, and what it refuses now was not recorded.
        node.client("luru")
            .status()
            .unwrap_or_else(|e| panic!("{context}: {e}"));
        let key = keyring::read_key(&node.member.key("luru")).unwrap().vkey();
        let error = node.client("operator").revoke(key.as_str()).unwrap_err();
        assert_eq!(codes(&error), ["journal.poisoned"], "{context}: {error}");
    }
    node.kill();
    node.start();
}

/// Whether anybody is there, whatever he says.
fn answers(node: &SingleNode) -> bool {
    let health = admin::api::Client::new(&node.member.url(), "").health();
    !matches!(health, Err(admin::api::ApiError::Unreachable { .. }))
}

/// Whether strace killed it: its log ends with that.
fn was_killed(node: &SingleNode) -> bool {
    fs::read_to_string(node.home.join("strace.log"))
        .unwrap_or_default()
        .contains("killed by SIGKILL")
}

/// A file is imported, and a call of the journal goes wrong.
#[test]
fn every_call_while_a_file_is_imported() {
    let scene = Scene::new("syscalls-import", true);
    let mut node = scene.place.node("calls", Some(&scene.base));
    node.start();
    let tracer = Tracer::attach(&node, None);
    assert!(node.import(scene.last.0, &scene.last.1).unwrap().accepted);
    drop(tracer);
    let calls = calls(&node.home.join("strace.log"));
    assert!(
        calls.contains_key("pwrite64") && calls.contains_key("fdatasync"),
        "the trace shows no journal: {calls:?}"
    );
    node.kill();

    let seed = seed();
    let positions = choose(&calls, &mut Random(seed));
    let seen = Mutex::new(BTreeSet::new());
    each(&positions, |n, (fault, call, nth)| {
        let context = format!("import, {fault:?} at {call} {nth}, seed {seed}");
        let mut node = scene.place.node(&format!("import-{n}"), Some(&scene.base));
        node.start();
        let tracer = Tracer::attach(&node, Some(fault.inject(call, *nth)));
        let answer = match node.import(scene.last.0, &scene.last.1) {
            Ok(imported) if imported.accepted => Answer::Recorded,
            Ok(imported) => panic!("{context}: {:?}", imported.faults.first()),
            Err(error) => refused(&error, &context),
        };
        drop(tracer);
        if answer == Answer::Nothing {
            // Nor does it come back from what is on the disk at this moment.
            let mut crashed = scene
                .place
                .node(&format!("import-{n}-crashed"), Some(&node.data()));
            crashed.start();
            scene.import_again(&crashed, answer, &format!("{context}, restarted at once"));
        }
        goes_on(&mut node, *fault, &context);
        scene.import_again(&node, answer, &context);
        seen.lock().unwrap().insert((*fault, answer as u8));
        scene.ends_well(&mut node, &context);
    });
    eprintln!(
        "{} rounds, calls {calls:?}, answers {:?}",
        positions.len(),
        seen.lock().unwrap()
    );
}

/// A month is closed, signed by the three, and submitted, and a call of the journal or of the guard
/// goes wrong.
#[test]
fn every_call_while_a_month_is_sealed() {
    let scene = Scene::new("syscalls-seal", false);
    let seal = |node: &SingleNode| -> Result<(), String> {
        node.close()?;
        node.sign().map_err(|e| e.to_string())?;
        node.client("tianbiao")
            .submit(january())
            .map(drop)
            .map_err(|e| e.to_string())
    };
    let mut node = scene.place.node("calls", Some(&scene.base));
    node.start();
    let tracer = Tracer::attach(&node, None);
    seal(&node).unwrap();
    drop(tracer);
    let calls = calls(&node.home.join("strace.log"));
    assert!(
        calls.keys().any(|c| c.starts_with("rename")) && calls.contains_key("fsync"),
        "the trace shows no guard: {calls:?}"
    );
    node.kill();

    let seed = seed();
    let positions = choose(&calls, &mut Random(seed + 1));
    each(&positions, |n, (fault, call, nth)| {
        let context = format!("seal, {fault:?} at {call} {nth}, seed {seed}");
        let mut node = scene.place.node(&format!("seal-{n}"), Some(&scene.base));
        node.start();
        let tracer = Tracer::attach(&node, Some(fault.inject(call, *nth)));
        let answer = seal(&node);
        drop(tracer);
        if let Err(text) = &answer {
            let known = [
                "journal.no_space",
                "journal.io",
                "journal.poisoned",
                "api.unreachable",
                "Check the disk",
            ];
            assert!(
                known.iter().any(|code| text.contains(code)),
                "{context}: not an answer about the disk: {text}"
            );
        }
        // What the node says of the month now is what it must say after a restart, too.
        let before = node.client("tianbiao").months().ok();
        goes_on(&mut node, *fault, &context);
        if let Some(before) = before {
            let after = node.client("tianbiao").months().unwrap();
            for month in before {
                let same = after
                    .iter()
                    .find(|m| m.rollup == month.rollup && m.revision == month.revision);
                let same =
                    same.unwrap_or_else(|| panic!("{context}: an acknowledged report is lost"));
                assert!(
                    month.submitted.is_none() || same.submitted == month.submitted,
                    "{context}"
                );
                assert!(
                    same.unsigned
                        .iter()
                        .all(|name| month.unsigned.contains(name)),
                    "{context}: a signature is lost"
                );
            }
        }
        scene.ends_well(&mut node, &context);
    });
    eprintln!("{} rounds, calls {calls:?}", positions.len());
}

/// A node starts on a journal with a torn tail and without a view, and a call of its recovery goes
/// wrong.
#[test]
fn every_call_while_a_node_starts() {
    let scene = Scene::new("syscalls-start", false);
    let torn = scene.place.world.dir.join("torn");
    single::copy_dir(&scene.base, &torn);
    let segment = torn.join("journal/000000000000.seg");
    let mut bytes = fs::read(&segment).unwrap();
    let whole = bytes.len();
    bytes.extend([0xEE; 700]);
    fs::write(&segment, &bytes).unwrap();
    let _ = fs::remove_dir_all(torn.join("view"));

    let mut node = scene.place.node("calls", Some(&torn));
    node.spawn(&words(&node.data(), &node.home.join("strace.log"), None));
    assert!(node.settle(), "{}", node.log());
    let calls = calls(&node.home.join("strace.log"));
    for call in [
        "flock",
        "ftruncate",
        "pread64",
        "pwrite64",
        "fdatasync",
        "fsync",
    ] {
        assert!(
            calls.contains_key(call),
            "the trace shows no recovery: {calls:?}"
        );
    }
    assert_eq!(
        fs::metadata(node.data().join("journal/000000000000.seg"))
            .unwrap()
            .len(),
        whole as u64,
        "the torn tail is cut off"
    );
    stop_traced(&mut node);

    let seed = seed();
    let positions = choose(&calls, &mut Random(seed + 2));
    let refusals = Mutex::new(0);
    each(&positions, |n, (fault, call, nth)| {
        let context = format!("start, {fault:?} at {call} {nth}, seed {seed}");
        let mut node = scene.place.node(&format!("start-{n}"), Some(&torn));
        node.spawn(&words(
            &node.data(),
            &node.home.join("strace.log"),
            Some(fault.inject(call, *nth)),
        ));
        if node.settle() {
            assert_eq!(
                node.events(),
                scene.events,
                "{context}: it started with other events"
            );
            stop_traced(&mut node);
        } else {
            node.wait_end();
            let log = node.log();
            let says = ["journal.io", "guard.", "journal.no_space", "keys.unusable"]
                .iter()
                .any(|code| log.contains(code));
            assert!(
                *fault == InjectedFault::Kill || (says && log.contains("节点不能启动")),
                "{context}: it does not say why:\n{log}"
            );
            assert!(
                *fault == InjectedFault::Kill
                    || log.contains("start the node again")
                    || log.contains("Free space"),
                "{context}:\n{log}"
            );
            *refusals.lock().unwrap() += 1;
        }
        node.start();
        scene.ends_well(&mut node, &context);
    });
    let refusals = refusals.into_inner().unwrap();
    assert!(refusals > 0, "no fault reached the node");
    eprintln!(
        "{} rounds, {refusals} starts refused or killed, calls {calls:?}",
        positions.len()
    );
}

/// Ends a node that runs under strace: strace's own end would only detach from it.
fn stop_traced(node: &mut SingleNode) {
    let log = fs::read_to_string(node.home.join("strace.log")).unwrap();
    let first = log
        .lines()
        .next()
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .to_string();
    let status = fs::read_to_string(format!("/proc/{first}/status")).unwrap();
    let pid = status
        .lines()
        .find_map(|line| line.strip_prefix("Tgid:"))
        .unwrap()
        .trim()
        .to_string();
    assert!(
        Command::new("kill")
            .args(["-9", &pid])
            .status()
            .unwrap()
            .success()
    );
    node.wait_end();
}
