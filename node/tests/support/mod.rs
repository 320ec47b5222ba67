//! A province, a city and two counties on disk, each with its own keys and books; messages are
//! handed over directly.
#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use node::books::Books;
use node::books::keys::Keys;
use node::config::{Accept, Config};
use node::desk::close::{CloseRequest, Closed};
use node::desk::receipt;
use node::desk::record::{self, Imported};
use node::desk::{close, evidence, open_month, sign};
use node::exchange::{self, Draft, Form, Parsed};
use node::fault::Faults;
use node::intake::Intake;
use node::queries::events;
use node::review;
use node::service::Service;
use node::vault::VaultKey;
use protocol::catalogue::Catalogue;
use protocol::digest::Digest;
use protocol::ids::{Tier, UnitId, id_check_digit};
use protocol::log::checkpoint::{Checkpoint, origin_of};
use protocol::log::delivery::Delivery;
use protocol::log::tree::{Tree, leaf_hash};
use protocol::note::{Alg, Note, SigningKey, VerifierKey};
use protocol::period::Month;
use protocol::person::Role;
use protocol::published;
use protocol::receipt::Decision;
use protocol::registry::{Registry, Unit, UnitKey};
use protocol::rollup::Signatories;
use protocol::text::hex;
use protocol::verdict::{Check, Verdict};

const SMALL: &str = kit::CATALOGUE;
const EXTRA: &str = include_str!("../../../tests/kit/data/catalogue-extra.toml");
pub const PLAN: &str = kit::PLAN;

pub const PROVINCE: &str = "14";
pub const CITY: &str = "1403";
pub const A: &str = "140321";
pub const B: &str = "140311";
pub const JAN: &str = "2026-01";
pub const FEB: &str = "2026-02";
pub const MAR: &str = "2026-03";
/// Name and roles of a unit's people; only the recorder's key is kept by the node.
pub const PEOPLE: [(&str, Role); 4] = [
    ("luru", Role::Recorder),
    ("tianbiao", Role::Preparer),
    ("tongji", Role::Reviewer),
    ("fuzeren", Role::Head),
];
/// Token roles by person.
pub const TOKENS: [(&str, &str); 6] = [
    ("luru", "recorder"),
    ("tianbiao", "recorder"),
    ("tongji", "reviewer"),
    ("fuzeren", "head"),
    ("jiancha", "inspector"),
    ("operator", "operator"),
];

pub fn month(text: &str) -> Month {
    text.parse().unwrap()
}
pub fn unit(text: &str) -> UnitId {
    text.parse().unwrap()
}
/// Noon in China.
pub fn at(day: &str) -> DateTime<Utc> {
    format!("{day}T04:00:00Z").parse().unwrap()
}
/// When a month is usually closed: the third of the next one.
pub fn after(period: &str) -> DateTime<Utc> {
    at(&(month(period).last_day() + chrono::Days::new(3)).to_string())
}
pub fn catalogue() -> Catalogue {
    let small = SMALL.replace(
        r#"set = { sex = "e.sex" }"#,
        r#"set = { sex = "e.sex", birth = "e.birth" }"#,
    );
    Catalogue::from_files(&[
        ("small.toml".into(), small),
        ("extra.toml".into(), EXTRA.into()),
    ])
    .unwrap()
}
/// The same with another version: another digest, and a field that the first does not have.
pub fn catalogue_two() -> Catalogue {
    let small = SMALL
        .replace(
            r#"set = { sex = "e.sex" }"#,
            r#"set = { sex = "e.sex", birth = "e.birth" }"#,
        )
        .replace("version = 1", "version = 2");
    let extra = EXTRA.replace(
        r#"{ name = "hours","#,
        r#"{ name = "room", zh = "教室", en = "Room", kind = "text", optional = true },
  { name = "hours","#,
    );
    Catalogue::from_files(&[("small.toml".into(), small), ("extra.toml".into(), extra)]).unwrap()
}
pub fn key(name: &str, alg: Alg) -> SigningKey {
    SigningKey::from_seed(name, alg, *Digest::of(name.as_bytes()).as_bytes()).unwrap()
}
/// An ID number that no one has (999999 is no area), of a man for odd `n`.
pub fn id_born(birth: &str, n: u32) -> String {
    let first = format!("999999{birth}{n:03}");
    format!("{first}{}", id_check_digit(&first).unwrap())
}
pub fn id_no(n: u32) -> String {
    id_born("19900101", n)
}

/// A directory that goes away with its owner.
pub struct Dir(pub PathBuf);
impl Dir {
    pub fn new() -> Dir {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir =
            std::env::temp_dir().join(format!("countersign-node-test-{}-{n}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        Dir(dir)
    }
}
impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn secret(path: &Path, text: &str) {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// What a unit sends up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Letter {
    Entries(u64, Vec<u8>),
    Checkpoint(Vec<u8>),
    Rollup(Vec<u8>),
}

/// One unit with its directory.
pub struct Desk {
    pub id: &'static str,
    pub home: PathBuf,
    pub root: VerifierKey,
    pub people: BTreeMap<&'static str, SigningKey>,
    books: Option<Books>,
}

impl Desk {
    pub fn data(&self) -> PathBuf {
        self.home.join("data")
    }
    pub fn keys(&self) -> Keys {
        Keys::load(&self.home.join("keys"), &unit(self.id)).unwrap()
    }
    pub fn try_open(&self) -> Result<Books, node::books::BooksError> {
        Books::open(&self.data(), self.keys(), self.root.clone(), unit(self.id))
    }
    pub fn open(&mut self) {
        if self.books.is_none() {
            self.books = Some(self.try_open().unwrap());
        }
    }
    pub fn shut(&mut self) {
        self.books = None;
    }
    pub fn reopen(&mut self) {
        self.shut();
        self.open();
    }
    pub fn books(&mut self) -> &mut Books {
        self.books.as_mut().unwrap()
    }
    pub fn read(&self) -> &Books {
        self.books.as_ref().unwrap()
    }
    pub fn name(&self, person: &str) -> String {
        format!("{}/{person}", self.id)
    }
    pub fn signatories(&self) -> Signatories {
        Signatories {
            preparer: self.name("tianbiao"),
            reviewer: self.name("tongji"),
            head: self.name("fuzeren"),
        }
    }

    pub fn parse(&self, event: &str, text: &[u8], form: Form) -> Parsed {
        let counting = self.read().counting().unwrap().clone();
        exchange::parse(text, form, Some(event), &counting.catalogue).unwrap()
    }
    pub fn import(
        &mut self,
        event: &str,
        text: &str,
        valid_rows: bool,
        now: DateTime<Utc>,
    ) -> Result<Imported, Faults> {
        let parsed = self.parse(event, text.as_bytes(), Form::Csv);
        let operator = self.name("luru");
        record::record(
            self.books(),
            &operator,
            &parsed.drafts,
            parsed.faults,
            valid_rows,
            now,
        )
    }
    /// Records a file that has no fault; gives the log indexes.
    #[track_caller]
    pub fn csv(&mut self, event: &str, text: &str, now: DateTime<Utc>) -> Vec<u64> {
        let imported = self.import(event, text, false, now).unwrap();
        assert!(imported.faults.is_empty(), "{:#?}", imported.faults);
        imported.recorded.iter().map(|r| r.index).collect()
    }
    pub fn draft(&self, event: &str, line: &str) -> Draft {
        let mut parsed = self.parse(event, line.as_bytes(), Form::Jsonl);
        assert!(parsed.faults.is_empty(), "{:#?}", parsed.faults);
        parsed.drafts.remove(0)
    }
    pub fn register(&mut self, ids: &[String], day: &str, now: DateTime<Utc>) -> Vec<u64> {
        let rows: String = ids.iter().map(|i| format!("{i},{day}\n")).collect();
        self.csv("E01", &format!("id_no,occurred_on\n{rows}"), now)
    }
    pub fn hire(&mut self, id: &str, employer: &str, day: &str, now: DateTime<Utc>) -> u64 {
        self.csv(
            "E02",
            &format!("id_no,employer,wage,occurred_on\n{id},{employer},300000,{day}\n"),
            now,
        )[0]
    }
    pub fn leave(&mut self, id: &str, employer: &str, day: &str, now: DateTime<Utc>) -> u64 {
        self.csv(
            "E03",
            &format!("id_no,employer,occurred_on\n{id},{employer},{day}\n"),
            now,
        )[0]
    }
    pub fn train(&mut self, attended: u32, day: &str, now: DateTime<Utc>) -> u64 {
        self.csv(
            "E06",
            &format!("attended,occurred_on\n{attended},{day}\n"),
            now,
        )[0]
    }
    pub fn void(&mut self, index: u64, now: DateTime<Utc>) -> Result<(), Faults> {
        let operator = self.name("luru");
        record::void(self.books(), &operator, index, "wrong", now)
    }
    pub fn correct(
        &mut self,
        index: u64,
        event: &str,
        line: &str,
        now: DateTime<Utc>,
    ) -> Result<record::Recorded, Faults> {
        let (operator, draft) = (self.name("luru"), self.draft(event, line));
        record::correct(self.books(), &operator, index, &draft, "wrong", now)
    }

    pub fn try_close(
        &mut self,
        period: &str,
        request: &CloseRequest,
        now: DateTime<Utc>,
    ) -> Result<Closed, Faults> {
        let signatories = self.signatories();
        close::close(self.books(), month(period), request, signatories, now)
    }
    #[track_caller]
    pub fn close(&mut self, period: &str, now: DateTime<Utc>) -> Closed {
        let closed = self
            .try_close(period, &CloseRequest::default(), now)
            .unwrap();
        for v in closed
            .verdicts
            .iter()
            .filter(|v| v.check != Check::Authorship)
        {
            assert!(!v.failed(), "{v:?}");
        }
        closed
    }
    /// The note with one person's signature added.
    pub fn signed_by(&self, period: &str, person: &str) -> Vec<u8> {
        let note = sign::latest(self.read(), month(period))
            .unwrap()
            .held
            .note
            .clone();
        Note::sign(note.text(), &[&self.people[person]])
            .unwrap()
            .as_bytes()
            .to_vec()
    }
    #[track_caller]
    pub fn sign(&mut self, period: &str) {
        for person in ["tianbiao", "tongji", "fuzeren"] {
            let signed = self.signed_by(period, person);
            sign::add_signatures(self.books(), month(period), &signed).unwrap();
        }
    }
    #[track_caller]
    pub fn submit(&mut self, period: &str, now: DateTime<Utc>) -> Vec<Verdict> {
        let verdicts = sign::submit(self.books(), month(period), now).unwrap();
        assert!(verdicts.iter().all(|v| !v.failed()), "{verdicts:?}");
        verdicts
    }
    #[track_caller]
    pub fn finish(&mut self, period: &str, now: DateTime<Utc>) {
        self.close(period, now);
        self.sign(period);
        self.submit(period, now);
    }

    /// Value of a figure of a month's latest revision: (own, whole scope).
    #[track_caller]
    pub fn figure(&self, period: &str, id: &str) -> (i64, i64) {
        let own = sign::latest(self.read(), month(period)).unwrap();
        let f = own.held.rollup.figures.iter().find(|f| f.id == id).unwrap();
        (f.own.value.unwrap(), f.scope().value.unwrap())
    }
    pub fn open_month(&self) -> String {
        open_month(self.read()).unwrap().to_string()
    }
    pub fn leaves(&self) -> u64 {
        self.read().log().unwrap().len()
    }
    pub fn decision(&self, period: &str) -> Option<Decision> {
        sign::latest(self.read(), month(period)).unwrap().decision()
    }

    /// Everything that was submitted, as the courier would send it to somebody who has nothing yet.
    pub fn letters(&self) -> Vec<Letter> {
        let mut list = Vec::new();
        let mut first = 0;
        let books = self.read();
        for own in books.rollups().values().filter(|r| r.submitted.is_some()) {
            let size = own.held.rollup.log.size;
            if first < size {
                list.push(self.delivery(first..size, size));
                first = size;
            }
            list.push(Letter::Checkpoint(
                books.checkpoint(size).unwrap().as_bytes().to_vec(),
            ));
            list.push(Letter::Rollup(own.held.note.as_bytes().to_vec()));
        }
        list
    }

    /// Statements under the checkpoint of this size.
    pub fn delivery(&self, range: std::ops::Range<u64>, size: u64) -> Letter {
        let books = self.read();
        let entries: Vec<Vec<u8>> = range
            .clone()
            .map(|i| books.statement_bytes(i).unwrap())
            .collect();
        let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let (checkpoint, log) = (books.checkpoint(size).unwrap(), books.log().unwrap());
        Letter::Entries(
            range.start,
            Delivery::write(range.start, &slices, checkpoint, log.tree()).unwrap(),
        )
    }

    /// What this unit sends if its log up to this size had other bytes at an index: all of it,
    /// under a checkpoint that it signs.
    pub fn rewritten(&self, size: u64, index: u64, entry: &[u8]) -> Letter {
        let books = self.read();
        let mut entries: Vec<Vec<u8>> = (0..size)
            .map(|i| books.statement_bytes(i).unwrap())
            .collect();
        entries[index as usize] = entry.to_vec();
        forged(&key(self.id, Alg::Ed25519), self.id, &entries)
    }

    /// Another rollup for a month that is closed, signed by everybody who has to.
    pub fn other_rollup(
        &self,
        period: &str,
        change: impl FnOnce(&mut protocol::rollup::Rollup),
    ) -> Note {
        let mut rollup = sign::latest(self.read(), month(period))
            .unwrap()
            .held
            .rollup
            .clone();
        change(&mut rollup);
        let (node, people) = (key(self.id, Alg::Ed25519), &self.people);
        Note::sign(
            &rollup.to_text().unwrap(),
            &[
                &node,
                &people["tianbiao"],
                &people["tongji"],
                &people["fuzeren"],
            ],
        )
        .unwrap()
    }

    /// Everything that a person or a page could ask, in one text.
    pub fn answers(&self) -> String {
        let books = self.read();
        let mut text = format!("open {}\nleaves {}\n", self.open_month(), self.leaves());
        for ((m, r), own) in books.rollups() {
            text += &format!(
                "{m}.{r} {} {:?} {:?} {:?}\n",
                own.held.digest(),
                own.submitted,
                own.decision(),
                sign::unsigned(books, own)
            );
            text += &format!("{}\n", String::from_utf8_lossy(own.held.note.as_bytes()));
        }
        for m in [JAN, FEB, MAR] {
            text += &serde_json::to_string(&events::list(books, month(m), true).unwrap()).unwrap();
            text += &format!("\nwaiting {:?}\n", close::waiting_for(books, month(m)));
        }
        for (id, child) in books.children() {
            text += &format!(
                "{id} {} {:?} {:?}\n",
                child.held(),
                child.flagged,
                child.checkpoints.keys().collect::<Vec<_>>()
            );
            for held in child.known.values() {
                let d = held.digest();
                text += &format!(
                    "  {}.{} {d} {:?} {:?}\n",
                    held.rollup.period,
                    held.rollup.revision,
                    child.decision(&d),
                    child.verdicts.get(&d)
                );
            }
        }
        for size in books.checkpoints().keys() {
            text += &format!("checkpoint {size}\n");
        }
        text
    }
    /// The evidence file, without the arrivals (whose note is signed anew each time).
    pub fn evidence(&self) -> Vec<u8> {
        let mut evidence = evidence::evidence(self.read()).unwrap();
        evidence.arrivals = None;
        protocol::evidence::file::write(&evidence).unwrap()
    }
}

/// A whole log under a checkpoint by this key.
pub fn forged(by: &SigningKey, id: &str, entries: &[Vec<u8>]) -> Letter {
    let tree: Tree = entries.iter().map(|e| leaf_hash(e)).collect();
    let checkpoint = Checkpoint::new(&origin_of(&unit(id)), tree.len(), tree.root())
        .unwrap()
        .sign(by)
        .unwrap();
    let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    Letter::Entries(0, Delivery::write(0, &slices, &checkpoint, &tree).unwrap())
}

/// Hands one message over.
pub fn take(books: &mut Books, from: &str, letter: &Letter, now: DateTime<Utc>) -> Intake {
    let from = unit(from);
    match letter {
        Letter::Entries(first, body) => review::take_entries(books, &from, *first, body),
        Letter::Checkpoint(body) => review::take_checkpoint(books, &from, body, now),
        Letter::Rollup(body) => review::take_rollup(books, &from, body, now),
    }
    .unwrap()
}

/// The federation.
pub struct World {
    pub dir: Dir,
    pub root: SigningKey,
    pub desks: BTreeMap<&'static str, Desk>,
}

pub fn units(since: Month) -> Vec<Unit> {
    [
        (PROVINCE, Tier::Province, None),
        (CITY, Tier::City, Some(PROVINCE)),
        (A, Tier::County, Some(CITY)),
        (B, Tier::County, Some(CITY)),
    ]
    .into_iter()
    .map(|(id, tier, parent)| Unit {
        id: unit(id),
        name: format!("Unit {id}"),
        tier,
        parent: parent.map(unit),
        area: None,
        since,
        keys: vec![UnitKey {
            vkey: key(id, Alg::Ed25519).vkey(),
            from_index: 0,
            revoked: None,
        }],
        witness: key(&format!("{id}/witness"), Alg::CosignatureV1).vkey(),
    })
    .collect()
}

impl World {
    /// Everybody with keys, published documents and enrolled people; nothing else.
    pub fn new() -> World {
        let dir = Dir::new();
        let root = key("root", Alg::Ed25519);
        let published = dir.0.join("published");
        std::fs::create_dir_all(&published).unwrap();
        let registry = Registry {
            version: 1,
            previous: None,
            roots: vec![root.vkey()],
            threshold: 1,
            units: units(month(JAN)),
        };
        let texts = [
            ("registry", registry.to_text().unwrap()),
            (
                "catalogue",
                published::catalogue_text(&catalogue()).unwrap(),
            ),
            ("plan", published::plan_text(PLAN).unwrap()),
        ];
        let mut documents = Vec::new();
        for (name, text) in texts {
            let note = Note::sign(&text, &[&root]).unwrap();
            std::fs::write(published.join(format!("{name}.note")), note.as_bytes()).unwrap();
            documents.push(note.as_bytes().to_vec());
        }
        let mut desks = BTreeMap::new();
        for id in [PROVINCE, CITY, A, B] {
            let home = dir.0.join(id);
            let keys = home.join("keys");
            std::fs::create_dir_all(&keys).unwrap();
            std::fs::create_dir_all(home.join("data")).unwrap();
            secret(
                &keys.join("node.key"),
                key(id, Alg::Ed25519).encode().as_str(),
            );
            secret(
                &keys.join("witness.key"),
                key(&format!("{id}/witness"), Alg::CosignatureV1)
                    .encode()
                    .as_str(),
            );
            VaultKey::create(
                &keys.join("vault.key"),
                *Digest::of(format!("vault {id}").as_bytes()).as_bytes(),
            )
            .unwrap();
            let mut people = BTreeMap::new();
            let mut tokens = String::new();
            for (name, _) in PEOPLE {
                people.insert(name, key(&format!("{id}/{name}"), Alg::Ed25519));
            }
            secret(&keys.join("luru.key"), people["luru"].encode().as_str());
            for (name, roles) in TOKENS {
                tokens += &format!(
                    "{} {name} {roles}\n",
                    hex::encode(Digest::of(token(id, name).as_bytes()).as_bytes())
                );
            }
            secret(&home.join("tokens"), &tokens);
            let mut desk = Desk {
                id,
                home,
                root: root.vkey(),
                people,
                books: None,
            };
            desk.open();
            desk.books().install(&documents).unwrap();
            for (name, role) in PEOPLE {
                let vkey = desk.people[name].vkey();
                record::enrol(desk.books(), &vkey, &[role], at("2026-01-01")).unwrap();
            }
            desks.insert(id, desk);
        }
        World { dir, root, desks }
    }

    pub fn desk(&mut self, id: &str) -> &mut Desk {
        self.desks.get_mut(id).unwrap()
    }

    /// Two of each, to move messages between them.
    pub fn pair(&mut self, a: &str, b: &str) -> (&mut Desk, &mut Desk) {
        let mut found = self.desks.values_mut().filter(|d| d.id == a || d.id == b);
        let (x, y) = (found.next().unwrap(), found.next().unwrap());
        if x.id == a { (x, y) } else { (y, x) }
    }

    /// Hands everything of a unit to those above it; nothing is checked yet.
    pub fn send(&mut self, from: &str, to: &[&str], now: DateTime<Utc>) {
        let letters = self.desks[from].letters();
        for to in to {
            for letter in &letters {
                assert_eq!(take(self.desk(to).books(), from, letter, now), Intake::Done);
            }
        }
    }

    /// The parent checks, decides, and the child gets the receipts.
    #[track_caller]
    pub fn decide(
        &mut self,
        parent: &str,
        child: &str,
        period: &str,
        decision: Decision,
        now: DateTime<Utc>,
    ) {
        review::check_all(self.desk(parent).books(), false, now).unwrap();
        let reasons = if decision == Decision::Accepted {
            vec![]
        } else {
            vec!["please look again".to_string()]
        };
        let by = format!("{parent}/tongji");
        let note = review::decide(
            self.desk(parent).books(),
            &unit(child),
            month(period),
            decision,
            reasons,
            vec![],
            &by,
            now,
        )
        .unwrap();
        assert_eq!(
            receipt::take_receipt(self.desk(child).books(), note.as_bytes()).unwrap(),
            Intake::Done
        );
    }

    /// A county's or city's month, from close to the accepted receipt.
    #[track_caller]
    pub fn report(&mut self, id: &str, period: &str, now: DateTime<Utc>) {
        self.desk(id).finish(period, now);
        let above: &[&str] = if id == CITY {
            &[PROVINCE]
        } else {
            &[CITY, PROVINCE]
        };
        self.send(id, above, now);
        self.decide(above[0], id, period, Decision::Accepted, now);
    }

    /// Everybody's month.
    #[track_caller]
    pub fn report_all(&mut self, period: &str, now: DateTime<Utc>) {
        for id in [A, B, CITY] {
            self.report(id, period, now);
        }
        review::check_all(self.desk(PROVINCE).books(), false, now).unwrap();
        self.desk(PROVINCE).finish(period, now);
    }

    pub fn config(&self, id: &str, accept: Accept) -> Config {
        let home = self.dir.0.join(id);
        Config {
            unit: unit(id),
            data: home.join("data"),
            listen: "127.0.0.1:0".into(),
            root: self.root.vkey().into(),
            published: self.dir.0.join("published"),
            keys: home.join("keys"),
            tokens: home.join("tokens"),
            signatories: node::config::Signatories {
                preparer: "tianbiao".into(),
                reviewer: "tongji".into(),
                head: "fuzeren".into(),
            },
            nats: None,
            accept,
            tls: None,
            listen_without_tls: false,
            proxies: Vec::new(),
            limits: node::config::Limits::default(),
            clock: Some(self.dir.0.join("clock")),
        }
    }
    pub fn set_clock(&self, now: DateTime<Utc>) {
        let temporary = self.dir.0.join("clock.new");
        std::fs::write(&temporary, now.to_rfc3339()).unwrap();
        std::fs::rename(temporary, self.dir.0.join("clock")).unwrap();
    }
    /// The unit as a service; its books must be shut.
    pub fn service(&mut self, id: &str, accept: Accept) -> Arc<Service> {
        self.desk(id).shut();
        Service::open(self.config(id, accept)).unwrap()
    }
}

/// A person's bearer token.
pub fn token(unit: &str, name: &str) -> String {
    format!("token of {unit}/{name}")
}

#[track_caller]
pub fn code_of<T: std::fmt::Debug>(result: Result<T, Faults>) -> String {
    result.unwrap_err().0[0].code.to_string()
}

/// Two honest months of everybody.
pub fn two_months() -> World {
    let mut w = World::new();
    let now = at("2026-01-20");
    let a = w.desk(A);
    a.register(&[id_no(1), id_no(2), id_no(3)], "2026-01-03", now);
    a.hire(&id_no(1), "甲厂", "2026-01-05", now);
    let wrong = a.hire(&id_no(2), "乙厂", "2026-01-06", now);
    a.hire(&id_no(3), "甲厂", "2026-01-07", now);
    a.void(wrong, now).unwrap();
    a.csv("E04", "ref,kind,occurred_on\nc1,workshop,2026-01-09\n", now);
    a.train(40, "2026-01-10", now);
    let b = w.desk(B);
    b.register(&[id_no(8)], "2026-01-03", now);
    b.hire(&id_no(8), "丙厂", "2026-01-05", now);
    w.desk(CITY).train(9, "2026-01-11", now);
    w.report_all(JAN, after(JAN));
    let now = at("2026-02-20");
    let a = w.desk(A);
    a.leave(&id_no(1), "甲厂", "2026-02-02", now);
    a.hire(&id_no(2), "乙厂", "2026-02-06", now);
    a.csv("E05", "ref,occurred_on\nc1,2026-02-20\n", now);
    w.desk(B).train(2, "2026-02-10", now);
    w.report_all(FEB, after(FEB));
    w
}
