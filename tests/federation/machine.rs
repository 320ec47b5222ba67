//! What a machine does to one node, as a process: a disk that fills, a clock that jumps, a view
//! that is lost, an old backup.
//!
//! The disk is a tmpfs of a few hundred KiB in a mount namespace of its own, which ends with the
//! test. Where mounting is not permitted the test fails and says so.

#![allow(clippy::unwrap_used)] // helpers of tests

mod single;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use admin::api::ApiError;
use protocol::evidence::{file, report};
use single::{Place, Random, SingleNode, codes, copy_dir, january, rounds, seed};

/// A small disk that only its own mount namespace sees.
struct SmallDisk {
    holder: Child,
    at: PathBuf,
}

impl SmallDisk {
    fn new(at: &Path, size: &str) -> SmallDisk {
        fs::create_dir_all(at).unwrap();
        let script = "mount -t tmpfs -o \"size=$1,mode=700\" countersign-test \"$2\" && touch \
            \"$2/mounted\" && exec sleep infinity";
        let mut holder = Command::new("unshare")
            .args([
                "-m",
                "--propagation",
                "private",
                "sh",
                "-c",
                script,
                "sh",
                size,
            ])
            .arg(at)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("unshare (util-linux) is needed");
        let inside = PathBuf::from(format!("/proc/{}/root{}", holder.id(), at.display()));
        while !inside.join("mounted").exists() {
            let ended = holder.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "no tmpfs can be mounted here (it takes CAP_SYS_ADMIN), so that this test can show \
                    nothing: {ended:?}"
            );
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        fs::remove_file(inside.join("mounted")).unwrap();
        SmallDisk {
            holder,
            at: at.to_path_buf(),
        }
    }

    /// What comes before a program that is to see it.
    fn inside(&self) -> Vec<String> {
        ["nsenter", "-m", "-t"]
            .map(String::from)
            .into_iter()
            .chain([self.holder.id().to_string(), "--".into()])
            .collect()
    }

    /// Where it is seen from here.
    fn seen_from_here(&self) -> PathBuf {
        PathBuf::from(format!(
            "/proc/{}/root{}",
            self.holder.id(),
            self.at.display()
        ))
    }

    fn resize(&self, size: &str) {
        let words = self.inside();
        let option = format!("remount,size={size}");
        let status = Command::new(&words[0])
            .args(&words[1..])
            .args(["mount", "-o", &option])
            .arg(&self.at)
            .status()
            .unwrap();
        assert!(status.success(), "remount");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// An event type and its rows, as CSV.
type MonthFile = (&'static str, String);

/// Records the month; what is sent is taken, row for row.
fn fill(node: &SingleNode, files: &[MonthFile]) {
    for (event, csv) in files {
        let imported = node.import(event, csv).unwrap();
        assert!(imported.accepted, "{event}: {:?}", imported.faults.first());
    }
}

fn figures(node: &SingleNode) -> String {
    serde_json::to_string(&node.rollup().figures).unwrap()
}

fn holds(place: &Place, node: &SingleNode) {
    let evidence = file::read(&node.client("jiancha").evidence().unwrap()).unwrap();
    let report = report::verify(&evidence, &place.world.root).unwrap();
    assert!(report.holds(), "{:?}", report.failures().next());
}

/// The disk fills in the middle of a month: a clear refusal, reading goes on, and so does all work
/// when there is room, in the same process. Then it fills again, at the close.
#[test]
fn a_disk_that_fills() {
    let place = Place::new("disk-full", 7);
    let files = place.files();
    let mut control = place.node("control", None);
    control.start();
    control.enrol();
    fill(&control, &files);

    let mut node = place.node("small", None);
    let disk = SmallDisk::new(&node.data(), "700k");
    node.spawn(&disk.inside());
    assert!(node.settle(), "{}", node.log());
    node.enrol();
    let refused = fill_until_full(&node, &files);
    no_byte_of_a_refusal_stays(&node, &disk, &refused);

    let pid = node.pid();
    disk.resize("8m");
    the_same_process_takes_what_it_refused(&node, &files, &control, pid);
    not_a_byte_is_left_at_the_close(&node, &disk, &control);
    control.close().unwrap();
    assert_eq!(figures(&node), figures(&control));
    holds(&place, &node);

    // A new process on the same disk says the same.
    let (figures_before, events) = (figures(&node), node.events());
    assert!(node.runs() && node.pid() == pid);
    node.kill();
    node.spawn(&disk.inside());
    assert!(node.settle(), "{}", node.log());
    assert_eq!((figures(&node), node.events()), (figures_before, events));
    assert_eq!(node.health("view"), "disk");
}

/// Imports everything; gives the files that the full disk refused.
fn fill_until_full<'a>(node: &SingleNode, files: &'a [MonthFile]) -> Vec<&'a MonthFile> {
    let mut refused = Vec::new();
    for file in files {
        let (event, csv) = file;
        match node.import(event, csv) {
            Ok(imported) => assert!(
                imported.accepted || !refused.is_empty(),
                "{event}: {:?}",
                imported.faults.first()
            ),
            Err(error @ ApiError::Refused(_)) => {
                is_the_refusal_of_a_full_disk(&error);
                refused.push(file);
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(!refused.is_empty(), "the disk was large enough");
    refused
}

fn is_the_refusal_of_a_full_disk(error: &ApiError) {
    assert_eq!(codes(error), ["journal.no_space"], "{error}");
    let text = error.to_string();
    for part in [
        "磁盘已满",
        "没有记录",
        "不需要重启",
        "the disk is full",
        "nothing of this was recorded",
        "no restart",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

/// Again and again: no request is worse off than the one before.
fn no_byte_of_a_refusal_stays(node: &SingleNode, disk: &SmallDisk, refused: &[&MonthFile]) {
    let segment = disk.seen_from_here().join("journal/000000000000.seg");
    let used = || fs::metadata(&segment).unwrap().len();
    let leaves = || node.client("luru").status().unwrap().leaves;
    let before = (leaves(), node.events(), used());
    let (event, csv) = refused.iter().max_by_key(|(_, csv)| csv.len()).unwrap();
    let path = format!("/api/events?type={event}");
    for _ in 0..3 {
        let client = node.client("luru");
        let answer = client.post(&path, "text/csv", csv.as_bytes(), &[507]);
        let answer = String::from_utf8(answer.unwrap()).unwrap();
        assert!(answer.contains("journal.no_space"), "507 is its status");
    }
    assert_eq!((leaves(), node.events(), used()), before);
    assert_eq!(node.health("journal"), "full");
    assert_eq!(node.metric("journal_full"), Some(1.0));
    node.client("jiancha").evidence().unwrap();
}

/// There is room again: every event is recorded, once.
fn the_same_process_takes_what_it_refused(
    node: &SingleNode,
    files: &[MonthFile],
    control: &SingleNode,
    pid: u32,
) {
    for (event, csv) in files {
        let imported = node.import(event, csv).unwrap();
        let repeated = imported.faults.iter().all(|f| f.code == "event.repeated");
        assert!(
            imported.accepted || repeated,
            "{event}: {:?}",
            imported.faults.first()
        );
    }
    assert_eq!(node.events(), control.events(), "every event, once");
    assert_eq!(
        (node.health("journal").as_str(), node.pid()),
        ("writable", pid)
    );
}

/// The guard and the journal refuse the close, and nothing is signed. With room it goes on.
fn not_a_byte_is_left_at_the_close(node: &SingleNode, disk: &SmallDisk, control: &SingleNode) {
    let ballast = disk.seen_from_here().join("ballast");
    assert!(
        fs::write(&ballast, vec![1; 16 << 20]).is_err(),
        "the disk is full now"
    );
    let refusal = node.close().unwrap_err();
    assert!(refusal.contains("journal.no_space"), "{refusal}");
    assert!(node.client("luru").months().unwrap().is_empty());
    assert_eq!(node.events().len(), control.events().len());
    fs::remove_file(&ballast).unwrap();
    node.close().unwrap();
    node.sign().unwrap();
    node.client("tianbiao").submit(january()).unwrap();
}

/// The clock goes back a day while a month is recorded, closed and signed: nothing is refused for
/// good, no statement is older than the one before it, and the operator is told. A clock that was a
/// year ahead for a moment leaves no trace on what follows.
#[test]
fn a_clock_that_jumps() {
    let place = Place::new("clock", 7);
    let files = place.files();
    let mut control = place.node("control", None);
    control.start();
    control.enrol();
    fill(&control, &files);
    control.close().unwrap();

    let mut node = place.node("jumping", None);
    node.start();
    node.enrol();
    let (first, rest) = files.split_at(files.len() / 2);
    fill(&node, first);
    assert_eq!(
        (
            node.health("clock").as_str(),
            node.metric("clock_behind_seconds")
        ),
        ("ok", Some(0.0))
    );
    node.set_clock("2023-02-02T03:59:00Z");
    fill(&node, rest);
    assert_eq!(node.health("clock"), "behind");
    assert_eq!(node.metric("clock_behind_seconds"), Some(86_460.0));
    assert!(
        node.log()
            .contains("the clock was put ahead (or back, if negative)"),
        "{}",
        node.log()
    );
    let recorded = |node: &SingleNode| -> Vec<String> {
        let mut list = node.client("luru").events(january(), false).unwrap();
        list.sort_by_key(|e| e.index);
        list.into_iter().map(|e| e.recorded).collect()
    };
    let times = recorded(&node);
    assert!(
        times.is_sorted() && times.iter().all(|t| t == "2023-02-03T04:00:00Z"),
        "{times:?}"
    );
    // Also a process that starts with the clock behind knows how late it was.
    node.kill();
    node.start();
    assert_eq!(node.health("clock"), "behind");
    node.close().unwrap();
    node.sign().unwrap();
    node.client("tianbiao").submit(january()).unwrap();
    assert!(recorded(&node).is_sorted());
    assert_eq!(
        (figures(&node), node.events()),
        (figures(&control), control.events())
    );
    holds(&place, &node);

    // A year ahead, for one event; then right again.
    node.set_clock("2024-02-03T04:00:00Z");
    let operator = admin::keyring::read_key(&node.member.key("tianbiao"))
        .unwrap()
        .vkey();
    node.client("operator").revoke(operator.as_str()).unwrap();
    node.set_clock("2023-02-04T04:00:00Z");
    assert_eq!(
        node.health("clock"),
        "ok",
        "health is that of the last request"
    );
    node.client("operator")
        .enrol(operator.as_str(), &["preparer"])
        .unwrap();
    let february = january().next().unwrap();
    let list = node.client("luru").events(february, false).unwrap();
    let times: Vec<&str> = list.iter().map(|e| e.recorded.as_str()).collect();
    assert_eq!(
        times,
        ["2024-02-03T04:00:00Z", "2023-02-04T04:00:00Z"],
        "the wrong year is not written on for a year"
    );
    node.kill();
    node.fsck("clock");
}

/// sled's directory is deleted, or damaged at places that the seed chooses: every figure is the
/// same to the byte.
#[test]
fn a_view_that_is_lost_or_damaged() {
    let place = Place::new("view", 7);
    let mut node = place.node("whole", None);
    node.start();
    node.enrol();
    fill(&node, &place.files());
    node.close().unwrap();
    node.sign().unwrap();
    node.client("tianbiao").submit(january()).unwrap();
    // Everything that the API says of the figures, byte for byte; evidence holds all of what is
    // public.
    let answers = |node: &SingleNode| -> Vec<Vec<u8>> {
        let client = node.client("tianbiao");
        let paths = [
            "/api/months/2023-01/rollup",
            "/api/months",
            "/api/events?month=2023-01&private=true",
            "/api/evidence",
        ];
        paths.iter().map(|path| client.get(path).unwrap()).collect()
    };
    let before = answers(&node);
    // In order, so that sled has written what it holds.
    assert!(
        Command::new("kill")
            .arg(node.pid().to_string())
            .status()
            .unwrap()
            .success()
    );
    node.wait_end();
    let whole = node.data();

    let seed = seed();
    let mut random = Random(seed);
    let mut rebuilt = 0;
    for round in 0..rounds().unwrap_or(6) {
        let context = format!("round {round}, seed {seed}");
        let mut node = place.node(&format!("view-{round}"), Some(&whole));
        let view = node.data().join("view");
        if round == 0 {
            fs::remove_dir_all(&view).unwrap();
        } else {
            let mut files: Vec<PathBuf> = fs::read_dir(&view)
                .unwrap()
                .map(|e| e.unwrap().path())
                .filter(|p| p.is_file())
                .collect();
            files.sort();
            assert!(!files.is_empty());
            let victim = &files[random.below(files.len())];
            let mut bytes = fs::read(victim).unwrap();
            for _ in 0..=random.below(8) {
                let at = random.below(bytes.len().max(1));
                let end = (at + 1 + random.below(512)).min(bytes.len());
                bytes
                    .get_mut(at..end)
                    .unwrap_or_default()
                    .iter_mut()
                    .for_each(|b| *b ^= 0x5A);
            }
            if random.below(3) == 0 {
                bytes.truncate(random.below(bytes.len().max(1)));
            }
            fs::write(victim, bytes).unwrap();
        }
        node.start();
        assert_eq!(answers(&node), before, "{context}");
        rebuilt += u32::from(node.metric("view_rebuilt") == Some(1.0));
        node.kill();
        node.fsck(&context);
    }
    assert!(rebuilt > 0);
}

/// A backup from before the close comes back: with the guard that stayed, and without one. The node
/// refuses, says what to do, and goes on only on the word of an operator who names the newest
/// report that the parent has.
#[test]
fn an_old_backup_comes_back() {
    let place = Place::new("backup", 7);
    let mut node = place.node("node", None);
    node.start();
    node.enrol();
    fill(&node, &place.files());
    node.kill();
    let backup = node.home.join("backup");
    copy_dir(&node.data().join("journal"), &backup);
    node.start();
    node.close().unwrap();
    node.sign().unwrap();
    node.client("tianbiao").submit(january()).unwrap();
    let months = node.client("tianbiao").months().unwrap();
    let digest = months[0].rollup.to_string();
    let figures_before = figures(&node);
    node.kill();
    let newest = node.home.join("newest");
    copy_dir(&node.data(), &newest);

    fs::remove_dir_all(node.data().join("journal")).unwrap();
    copy_dir(&backup, &node.data().join("journal"));
    with_the_guard_that_stayed(&place, &mut node);
    fs::remove_file(node.data().join("guard")).unwrap();
    without_the_guard(&place, &mut node, &digest);

    // The newest copy, on a new machine.
    fs::remove_dir_all(node.data()).unwrap();
    copy_dir(&newest, &node.data());
    fs::remove_file(node.data().join("guard")).unwrap();
    does_not_start(&mut node, &["guard.missing"]);
    let (code, text) = guard(&place, &node, &["--last-report", &digest]);
    assert_eq!(code, 0, "{text}");
    node.start();
    assert_eq!(figures(&node), figures_before);
    node.kill();
    node.fsck("backup");
    assert_eq!(
        guard(&place, &node, &["--last-report", &digest]).0,
        1,
        "there is a guard: nothing to do"
    );
}

/// The guard stayed on the machine: it knows more than the backup.
fn with_the_guard_that_stayed(place: &Place, node: &mut SingleNode) {
    let words = [
        "guard.rolled_back",
        "old backup",
        "Do not remove the guard",
        "节点不能启动",
    ];
    does_not_start(node, &words);
    let (code, text) = guard(place, node, &["--no-report"]);
    assert!(
        code == 1 && text.contains("guard.rolled_back"),
        "{code} {text}"
    );
}

/// Somebody has removed it, as a new machine would not have it.
fn without_the_guard(place: &Place, node: &mut SingleNode, digest: &str) {
    let words = ["guard.missing", "old backup", "countersign guard"];
    does_not_start(node, &words);
    does_not_start(node, &["guard.missing"]);
    assert_eq!(
        guard(place, node, &[]).0,
        2,
        "the operator must say what the parent has"
    );
    let (code, text) = guard(place, node, &["--last-report", digest]);
    assert!(
        code == 1 && text.contains("guard.rolled_back"),
        "the parent has a report that this copy does not: {code} {text}"
    );
    does_not_start(node, &["guard.missing"]);
}

/// The node ends by itself, and its log has these words.
fn does_not_start(node: &mut SingleNode, words: &[&str]) {
    let _ = fs::remove_file(node.home.join("node.log"));
    node.spawn(&[]);
    assert!(!node.settle(), "it starts");
    node.wait_end();
    let log = node.log();
    assert!(words.iter().all(|word| log.contains(word)), "{log}");
}

/// `countersign guard` on the node's data: its exit code and what it says.
fn guard(place: &Place, node: &SingleNode, more: &[&str]) -> (i32, String) {
    let output = Command::new(federation_tests::programs().join("countersign"))
        .arg("guard")
        .arg("--data")
        .arg(node.data())
        .arg("--keys")
        .arg(node.member.dir.join("keys"))
        .arg("--root")
        .arg(place.world.root.to_string())
        .args(more)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), text)
}
