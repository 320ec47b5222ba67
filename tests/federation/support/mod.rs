//! A small federation (甘肃, 金昌 and its two counties) whose people never give up: each step is
//! tried until it is done, whatever dies meanwhile, and may therefore be tried twice. At the end
//! [`People::conclude`] asks for everything that must be true however rough the way was.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use admin::api::Client;
use admin::nats::Timing;
use countersign_demo::federation::{Federation, sign_all, wait};
use countersign_demo::ledger::{Ledger, Sheet};
use countersign_demo::world::{Deploy, Member, World};
use countersign_demo::year;
use federation_tests::{directory, nats_server, programs, repository};
use node::books::EntryKind;
use node::desk::close::CloseRequest;
use node::journal::{Journal, JournalError};
use protocol::evidence::file;
use protocol::ids::Tier;
use protocol::note::Note;
use protocol::period::Month;
use protocol::receipt::{Decision, Receipt};
use protocol::rollup::Rollup;

/// The province.
pub const PROVINCE: &str = "620000";
/// The city.
pub const CITY: &str = "620300";
/// Its counties.
pub const COUNTIES: [&str; 2] = ["620302", "620321"];
/// The schemes that I118 adds up.
const SUBSIDIES: [&str; 5] = ["insurance", "post", "flex", "org", "conc"];

/// A month of the year.
pub fn month(number: u32) -> Month {
    Month::new(2023, number).unwrap()
}

/// What happens around a step of the work: a test may let something die meanwhile.
pub trait Disturbance {
    /// A step begins; `unit` is the one whose node is asked.
    fn before_step(&mut self, unit: &str);
}

/// Nothing happens.
pub struct NoDisturbance;
impl Disturbance for NoDisturbance {
    fn before_step(&mut self, _unit: &str) {}
}

/// Numbers that follow from a seed.
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1))
    }
    /// Below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// The units, their processes are elsewhere: so that a step can be under way while a process is
/// killed.
#[derive(Clone)]
pub struct People {
    /// All units, the top first.
    pub members: Vec<Member>,
    /// What they record.
    pub ledger: std::sync::Arc<Ledger>,
    /// Whose first report of a month is sent back, and comes again as revision 2.
    pub returned: BTreeSet<(String, Month)>,
}

/// Builds the federation's files; `change` may move a unit before anything is started.
pub fn build(name: &str, seed: u64, change: impl FnOnce(&mut World)) -> (World, People) {
    let mut world = World::build(
        &directory(name),
        &Deploy(repository().join("deploy")),
        &[CITY],
        month(1),
    )
    .unwrap();
    change(&mut world);
    world.write_configs().unwrap();
    let ledger = world.ledger(seed, 2023);
    let people = People {
        members: world.members.clone(),
        ledger: std::sync::Arc::new(ledger),
        returned: BTreeSet::new(),
    };
    let counties: Vec<_> = people
        .members
        .iter()
        .filter(|m| m.tier == Tier::County)
        .map(|m| m.id.as_str())
        .collect();
    assert_eq!(counties, COUNTIES, "the list of units is another one");
    (world, people)
}

/// Starts everything, with a keeper of the streams beside the broker, and enrols the people.
pub fn start(world: World, timing: Timing) -> Federation {
    let mut f =
        Federation::start(world, &nats_server(), &programs().join("countersign-node")).unwrap();
    f.start_keeper(timing).unwrap();
    f.enrol_all().unwrap();
    f
}

/// Sets the clock of all nodes to a day of the month that follows this one.
pub fn clock(world: &World, after: u32, day: u32) {
    world
        .set_clock(&format!(
            "{}-{day:02}T04:00:00Z",
            month(after).next().unwrap()
        ))
        .unwrap();
}

/// Tries until it is so. `act` may fail and may be repeated; what it said last is told when
/// patience ends.
fn until(
    what: &str,
    mut is_so: impl FnMut() -> Result<bool, String>,
    mut act: impl FnMut() -> Result<(), String>,
) {
    let mut last = String::new();
    wait(what, || {
        match is_so() {
            Ok(true) => return Ok(true),
            Ok(false) => {
                if let Err(e) = act() {
                    last = e;
                }
            }
            Err(e) => last = e,
        }
        Err(last.clone())
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

fn text_of(e: impl std::fmt::Display) -> String {
    e.to_string()
}

impl People {
    /// A unit.
    pub fn member(&self, id: &str) -> &Member {
        self.members.iter().find(|m| m.id.as_str() == id).unwrap()
    }
    /// A person's client.
    pub fn client(&self, id: &str, person: &str) -> Client {
        let m = self.member(id);
        Client::new(&m.url(), m.token(person))
    }
    /// The units of the federation, counties first: the order in which a month is reported.
    pub fn upwards(&self) -> Vec<&Member> {
        self.members.iter().rev().collect()
    }

    /// Records one file. A client that got no answer sends it again: then all of it is new, or all
    /// of it was recorded.
    fn record(&self, id: &str, sheet: &Sheet) {
        let client = self.client(id, "luru");
        let mut last = String::new();
        wait(&format!("{id}: {} is recorded", sheet.file_name()), || {
            match client.import(
                Some(sheet.event),
                "csv",
                false,
                false,
                sheet.to_csv().as_bytes(),
            ) {
                Ok(done) if done.accepted => return Ok(true),
                Ok(done) => {
                    assert!(
                        done.known,
                        "{id} {}: a part of a file was recorded: {:?}",
                        sheet.file_name(),
                        done.faults.first()
                    );
                    return Ok(true);
                }
                Err(e) => last = text_of(e),
            }
            Err(last.clone())
        })
        .unwrap_or_else(|e| panic!("{e}"));
    }

    /// Records a unit's files of a month.
    pub fn fill(&self, id: &str, m: Month, disturbance: &mut impl Disturbance) {
        let unit = self.member(id);
        for sheet in self
            .ledger
            .unit(&unit.id)
            .and_then(|u| u.month(m))
            .map(|f| f.sheets.as_slice())
            .unwrap_or_default()
        {
            disturbance.before_step(id);
            self.record(id, sheet);
        }
    }

    /// What becomes of a unit's report of a month, revision by revision.
    fn course(&self, id: &str, m: Month) -> Vec<(Month, u32, Decision)> {
        if self.returned.contains(&(id.to_string(), m)) {
            return vec![(m, 1, Decision::Returned), (m, 2, Decision::Accepted)];
        }
        vec![(m, 1, Decision::Accepted)]
    }

    /// Closes a month, has it signed and hands it in.
    pub fn report(&self, id: &str, m: Month, disturbance: &mut impl Disturbance) {
        self.revise(id, m, 1, disturbance);
    }

    fn revise(&self, id: &str, m: Month, revision: u32, disturbance: &mut impl Disturbance) {
        let (unit, client) = (self.member(id), self.client(id, "tianbiao"));
        let own = || {
            Ok::<_, String>(
                client
                    .months()
                    .map_err(text_of)?
                    .into_iter()
                    .find(|o| (o.period, o.revision) == (m, revision)),
            )
        };
        disturbance.before_step(id);
        let close = || year::close(unit, m, &CloseRequest::default()).map_err(text_of);
        until(
            &format!("{id} closes {m}.{revision}"),
            || Ok(own()?.is_some()),
            close,
        );
        disturbance.before_step(id);
        let sign = || sign_all(unit, m).map_err(text_of);
        until(
            &format!("{id} signs {m}.{revision}"),
            || Ok(own()?.is_some_and(|o| o.unsigned.is_empty())),
            sign,
        );
        disturbance.before_step(id);
        let submit = || client.submit(m).map(drop).map_err(text_of);
        until(
            &format!("{id} hands in {m}.{revision}"),
            || Ok(own()?.is_some_and(|o| o.submitted.is_some())),
            submit,
        );
    }

    /// The parent's officer waits for the checks and accepts, at once or after having sent the
    /// report back; nothing of an honest unit may fail.
    pub fn accept(&self, id: &str, m: Month, disturbance: &mut impl Disturbance) {
        for (_, revision, decision) in self.course(id, m) {
            if revision > 1 {
                self.receipted_so(id, m, revision - 1, Decision::Returned, disturbance);
                year::put_right(self.member(id), m).unwrap_or_else(|e| panic!("{e}"));
                self.revise(id, m, revision, disturbance);
            }
            self.decide(id, m, revision, decision, disturbance);
        }
    }

    fn decide(
        &self,
        id: &str,
        m: Month,
        revision: u32,
        decision: Decision,
        disturbance: &mut impl Disturbance,
    ) {
        let parent = self.member(id).parent.clone().unwrap();
        let officer = self.client(parent.as_str(), "tongji");
        let reasons: &[String] = match decision {
            Decision::Accepted => &[],
            _ => &["please look again".to_string()],
        };
        let found = || {
            let list = officer.children().map_err(text_of)?;
            Ok::<_, String>(
                list.into_iter()
                    .find(|c| c.unit.as_str() == id && (c.period, c.revision) == (m, revision)),
            )
        };
        disturbance.before_step(parent.as_str());
        until(
            &format!("{parent} decides on {id} {m}.{revision}"),
            || Ok(found()?.is_some_and(|c| c.decision == Some(decision))),
            || {
                let Some(child) = found()?.filter(|c| !c.verdicts.is_empty()) else {
                    return Err("not checked yet".into());
                };
                let failed = child.verdicts.iter().find(|v| v.failed());
                assert!(failed.is_none(), "{id} {m}: {failed:?}");
                officer
                    .decide(id, m, decision, reasons, &[])
                    .map_err(text_of)
            },
        );
    }

    /// Waits for the receipt that ends a month.
    pub fn receipted(&self, id: &str, m: Month, disturbance: &mut impl Disturbance) {
        let course = self.course(id, m);
        let (_, revision, decision) = course[course.len() - 1];
        self.receipted_so(id, m, revision, decision, disturbance);
    }

    fn receipted_so(
        &self,
        id: &str,
        m: Month,
        revision: u32,
        decision: Decision,
        disturbance: &mut impl Disturbance,
    ) {
        let client = self.client(id, "tianbiao");
        disturbance.before_step(id);
        let decided = || {
            let own = client
                .months()
                .map_err(text_of)?
                .into_iter()
                .find(|o| (o.period, o.revision) == (m, revision));
            Ok(own.is_some_and(|o| o.decision == Some(decision)))
        };
        until(
            &format!("{id} has its receipt for {m}.{revision}"),
            decided,
            || Ok(()),
        );
    }

    /// A whole month, from the counties' files to the province's report; whoever has closed it
    /// already has recorded it.
    pub fn month(&self, m: Month, disturbance: &mut impl Disturbance) {
        for unit in self.upwards() {
            let id = unit.id.as_str();
            for child in self
                .members
                .iter()
                .filter(|c| c.parent.as_ref() == Some(&unit.id))
            {
                self.accept(child.id.as_str(), m, disturbance);
            }
            let closed = self
                .client(id, "tianbiao")
                .months()
                .is_ok_and(|list| list.iter().any(|o| o.period == m));
            if !closed {
                self.fill(id, m, disturbance);
            }
            self.report(id, m, disturbance);
        }
        for unit in self.members.iter().filter(|u| u.parent.is_some()) {
            self.receipted(unit.id.as_str(), m, disturbance);
        }
    }

    /// What the ledger's rows of these months add up to, counted by nothing but the rows: hires,
    /// and subsidies in fen.
    fn planted(&self, months: &[Month]) -> (i64, i64) {
        let (mut hires, mut fen) = (0, 0);
        let all = self
            .ledger
            .units
            .iter()
            .flat_map(|u| u.months.iter().filter(|m| months.contains(&m.month)));
        for sheet in all.flat_map(|m| &m.sheets) {
            for row in (0..sheet.rows.len())
                .filter(|r| sheet.cell(*r, "occurred_on").unwrap() >= "2023-01-01")
            {
                hires += i64::from(sheet.event == "E16");
                if sheet.event == "E36" && SUBSIDIES.contains(&sheet.cell(row, "scheme").unwrap()) {
                    fen += sheet
                        .cell(row, "amount_fen")
                        .unwrap()
                        .parse::<i64>()
                        .unwrap();
                }
            }
        }
        (hires, fen)
    }

    /// Ends the federation and asks for what must be true: every report accepted exactly once and
    /// in order, by both sides' journals; no contradiction; the province's totals are the planted
    /// contributions; the evidence verifies; `fsck` is clean everywhere.
    pub fn conclude(&self, mut f: Federation, months: &[Month]) {
        for unit in &self.members {
            self.nothing_is_open(unit, months);
        }
        self.evidence_holds(&f, months);
        for unit in &self.members {
            f.kill_node(unit.id.as_str());
        }
        for unit in &self.members {
            self.journal_is_whole(unit, months);
        }
    }

    /// What becomes of a unit's reports of these months.
    fn courses(&self, id: &str, months: &[Month]) -> Vec<(Month, u32, Decision)> {
        months.iter().flat_map(|m| self.course(id, *m)).collect()
    }

    /// No contradiction, nothing without a receipt, and exactly the revisions that were wanted.
    fn nothing_is_open(&self, unit: &Member, months: &[Month]) {
        let (id, client) = (&unit.id, self.client(unit.id.as_str(), "tianbiao"));
        let status = client.status().unwrap();
        let contradictions = &status.contradictions;
        assert!(contradictions.is_empty(), "{id}: {contradictions:?}");
        let waiting = &status.waiting;
        assert!(waiting.is_empty(), "{id} still waits for {waiting:?}");
        let reported = client.months().unwrap();
        let own: Vec<_> = reported.iter().map(|o| (o.period, o.revision)).collect();
        let wanted = self.courses(id.as_str(), months).into_iter();
        let wanted: Vec<_> = wanted.map(|(m, r, _)| (m, r)).collect();
        assert_eq!(own, wanted, "{id}");
    }

    /// The province's evidence verifies, and its totals are the planted contributions.
    fn evidence_holds(&self, f: &Federation, months: &[Month]) {
        let bytes = self.client(PROVINCE, "jiancha").evidence().unwrap();
        let path = f.world.dir.join("evidence.zip");
        std::fs::write(&path, &bytes).unwrap();
        let (path, root) = (path.to_str().unwrap(), f.world.root.as_str());
        let (verified, said) = countersign(&["verify", path, "--root", root]);
        assert!(verified, "{said}");
        let evidence = file::read(&bytes).unwrap();
        let mut totals: BTreeMap<String, i64> = BTreeMap::new();
        for note in evidence.units[&PROVINCE.parse().unwrap()].rollups.values() {
            for figure in Rollup::parse(note.text()).unwrap().figures {
                *totals.entry(figure.id.clone()).or_default() += figure.scope().value.unwrap_or(0);
            }
        }
        assert_eq!(
            (totals["I012"], totals["I118"]),
            self.planted(months),
            "hires and subsidies against the planted ones"
        );
    }

    /// `fsck` of a stopped node, and the receipts in its journal: those that it had and those that
    /// it gave.
    fn journal_is_whole(&self, unit: &Member, months: &[Month]) {
        let (id, data) = (&unit.id, unit.dir.join("data"));
        let (clean, said) = countersign(&["fsck", data.to_str().unwrap()]);
        assert!(clean, "{id}: {said}");
        if unit.parent.is_some() {
            let had = receipts(&data, EntryKind::Receipt, id.as_str());
            let wanted = self.courses(id.as_str(), months);
            assert_eq!(had, wanted, "receipts in the journal of {id}");
        }
        for child in self
            .members
            .iter()
            .filter(|c| c.parent.as_ref() == Some(id))
        {
            let given = receipts(&data, EntryKind::Given, child.id.as_str());
            let wanted = self.courses(child.id.as_str(), months);
            assert_eq!(
                given, wanted,
                "given to {} by the journal of {id}",
                child.id
            );
        }
    }
}

/// The journal of a stopped node. Another test of this process may be starting a program just now:
/// until it runs, that program holds every lock that this process held when it was forked, this
/// journal's from the last time it was read as well.
fn stopped(data: &Path) -> Journal {
    let begin = Instant::now();
    loop {
        match Journal::open(data) {
            Err(JournalError::Locked { .. }) if begin.elapsed() < Duration::from_secs(10) => {
                sleep(Duration::from_millis(50))
            }
            opened => return opened.unwrap(),
        }
    }
}

/// The receipts of a kind for a unit, in the order of a stopped node's journal.
fn receipts(data: &Path, kind: EntryKind, child: &str) -> Vec<(Month, u32, Decision)> {
    let journal = stopped(data);
    let all = journal
        .read_from(0)
        .map(Result::unwrap)
        .filter(|e| e.kind == kind.number());
    let read = all.map(|e| Receipt::parse(Note::parse(&e.public).unwrap().text()).unwrap());
    let mut list: Vec<_> = read
        .filter(|r| r.child.as_str() == child)
        .map(|r| (r.period, r.revision, r.decision))
        .collect();
    if kind == EntryKind::Receipt {
        // The network may bring them in any order; the parent's decisions are in order, and each
        // came once.
        list.sort_by_key(|(m, r, _)| (*m, *r));
    }
    list
}

/// Runs the command line; whether it succeeded, and what it said.
pub fn countersign(args: &[&str]) -> (bool, String) {
    let output = Command::new(programs().join("countersign"))
        .args(args)
        .output()
        .unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.success(), text)
}
