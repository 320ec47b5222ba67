//! What must be refused, as files for every language: `tests/vectors/refuse`. Written by `cargo run
//! -p protocol --example vectors`; the test `vectors` checks that the committed files are exactly
//! these, and that verification names exactly the check that the manifest expects.
//!
//! The attacker is the unit itself: what it can sign again, it has signed again, and what it can
//! adjust, it has adjusted. A receipt for a rollup that was changed is left out, unless it is what
//! the case is about.

use std::collections::{BTreeMap, BTreeSet};

use curve25519_dalek::Scalar;
use protocol::commitment::OpenScalar;
use protocol::count::{Fields, Value};
use protocol::digest::Digest;
use protocol::evidence::disclosure::{self, Disclosure, ShownRow};
use protocol::evidence::{Arrivals, Evidence, UnitEvidence, file, report};
use protocol::figure::{self, Basis};
use protocol::log::checkpoint::{Checkpoint, add_cosignature, origin_of};
use protocol::note::{Alg, Note, SigningKey, VerifierKey};
use protocol::published;
use protocol::receipt::{Decision, Receipt};
use protocol::registry::{Registry, Revocation, UnitKey};
use protocol::rollup::{self, Missing, RegistryRef, Rollup};
use protocol::row::{self, Sums};
use protocol::statement::{self, Ref, Statement};
use protocol::text::hex;
use protocol::verify::log::UnitLog;
use serde::Serialize;

use crate::vectors::{disclosure, plain};
use crate::*;

const AUTHORSHIP: &str = "authorship";
const ARITHMETIC: &str = "arithmetic";
const HISTORY: &str = "history";
const BINDING: &str = "binding";
/// The file is refused as a whole, before any check of a rollup could be named.
const UNREADABLE: &str = "unreadable";
const TIME: u64 = 1_770_000_000;

/// One line of the manifest.
#[derive(Serialize)]
pub struct Entry {
    pub file: String,
    pub root: String,
    pub case: String,
    pub expect: &'static str,
    /// Checks that fail as well, because what was done contradicts them, too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<&'static str>,
    pub detail: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub needs_cel: bool,
}

/// An honest file of the same making: it holds.
#[derive(Serialize)]
pub struct Control {
    pub file: String,
    pub root: String,
    pub case: String,
}

pub struct Book {
    root: VerifierKey,
    pub refused: Vec<(Entry, Vec<u8>)>,
    pub controls: Vec<(Control, Vec<u8>)>,
}

impl Book {
    fn add(
        &mut self,
        file: &str,
        case: &str,
        expect: &'static str,
        detail: &str,
        bytes: Vec<u8>,
    ) -> &mut Entry {
        let root = self.root.to_string();
        let entry = Entry {
            file: file.into(),
            root,
            case: case.into(),
            expect,
            also: vec![],
            detail: detail.into(),
            needs_cel: false,
        };
        self.refused.push((entry, bytes));
        &mut self.refused.last_mut().unwrap().0
    }
    fn evidence(
        &mut self,
        name: &str,
        case: &str,
        expect: &'static str,
        detail: &str,
        e: &Evidence,
    ) -> &mut Entry {
        self.add(
            &format!("{name}.zip"),
            case,
            expect,
            detail,
            file::write(e).unwrap(),
        )
    }
    fn case(
        &mut self,
        name: &str,
        case: &str,
        expect: &'static str,
        detail: &str,
        c: &Case<'_>,
    ) -> &mut Entry {
        self.evidence(name, case, expect, detail, &evidence_of(c))
    }
    fn control(&mut self, file: &str, case: &str, bytes: Vec<u8>) {
        self.controls.push((
            Control {
                file: file.into(),
                root: self.root.to_string(),
                case: case.into(),
            },
            bytes,
        ));
    }

    /// Name and bytes of each file, the manifests among them.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        // One case a line, so that a change of one is a change of one line.
        fn lines<'a, T: Serialize + 'a>(all: impl Iterator<Item = &'a T>) -> Vec<u8> {
            let lines: Vec<String> = all.map(|e| serde_json::to_string(e).unwrap()).collect();
            format!("[\n{}\n]\n", lines.join(",\n")).into_bytes()
        }
        let mut files: Vec<(String, Vec<u8>)> = self
            .refused
            .iter()
            .map(|(e, b)| (e.file.clone(), b.clone()))
            .collect();
        files.extend(
            self.controls
                .iter()
                .map(|(c, b)| (c.file.clone(), b.clone())),
        );
        files.push((
            "manifest.json".into(),
            lines(self.refused.iter().map(|(e, _)| e)),
        ));
        files.push((
            "controls.json".into(),
            lines(self.controls.iter().map(|(c, _)| c)),
        ));
        let names: BTreeSet<&String> = files.iter().map(|(n, _)| n).collect();
        assert_eq!(names.len(), files.len(), "a name stands twice");
        files
    }
}

impl Entry {
    fn also(&mut self, checks: &[&'static str]) -> &mut Entry {
        self.also = checks.to_vec();
        self
    }
    fn cel(&mut self) {
        self.needs_cel = true;
    }
}

/// Which checks fail, and what each says. Empty where the file holds.
pub fn outcome(name: &str, bytes: &[u8], root: &VerifierKey) -> Vec<(String, String)> {
    let unreadable = |e: String| vec![(UNREADABLE.to_string(), e)];
    if name.ends_with(".json") {
        let read: Result<Disclosure, _> = serde_json::from_slice(bytes);
        return match read
            .map_err(|e| e.to_string())
            .and_then(|d| disclosure::verify(&d, root))
        {
            Ok(_) => vec![],
            Err(e) => unreadable(e),
        };
    }
    match file::read(bytes)
        .map_err(|e| e.to_string())
        .and_then(|e| report::verify(&e, root).map_err(|e| e.to_string()))
    {
        Err(e) => unreadable(e),
        Ok(r) => {
            assert!(
                r.holds() != r.failures().any(|_| true),
                "{name}: no unit at all"
            );
            r.failures()
                .map(|(_, _, v)| (v.check.to_string(), v.detail.clone()))
                .collect()
        }
    }
}

pub fn book() -> Book {
    let honest = World::honest();
    let town = town();
    let mut b = Book {
        root: honest.roots[0].vkey(),
        refused: vec![],
        controls: vec![],
    };
    controls(&mut b, &honest, &town);
    figures(&mut b, &honest);
    keys(&mut b, &honest);
    signatories(&mut b, &honest);
    leaves(&mut b, &honest);
    rewritten(&mut b, &honest);
    voids(&mut b, &honest);
    chains(&mut b, &honest);
    equivocation(&mut b, &honest, &town);
    sums(&mut b, &town);
    commitments(&mut b, &honest);
    clear_rows(&mut b, &honest);
    receipts(&mut b, &honest);
    registries(&mut b, &honest);
    documents(&mut b, &honest);
    zips(&mut b);
    disclosures(&mut b, &honest);
    b
}

// ------------------------------------------------------------------------------------------------------------- making

/// A city and its counties with one month of a few clear leaves: the smallest in which sums mean
/// something.
fn town() -> World {
    let mut w = World::empty();
    let on = ("occurred_on", text("2026-01-09"));
    let a = w.units.get_mut(&unit(A)).unwrap();
    a.clear(
        JAN,
        "training.held",
        &[("attended", Value::Int(40)), on.clone()],
    );
    a.clear(
        JAN,
        "carrier.opened",
        &[("ref", text("c1")), ("kind", text("workshop")), on.clone()],
    );
    let b = w.units.get_mut(&unit(B)).unwrap();
    b.clear(
        JAN,
        "training.held",
        &[("attended", Value::Int(2)), on.clone()],
    );
    b.clear(
        JAN,
        "stock.declared",
        &[
            ("indicator", text("I2")),
            ("value", Value::Int(5)),
            ("sex", text("2")),
            ("occurred_on", text("2025-12-31")),
        ],
    );
    w.units.get_mut(&unit(CITY)).unwrap().clear(
        JAN,
        "training.held",
        &[("attended", Value::Int(9)), on],
    );
    w.close_all(JAN);
    w
}

/// Another world of county B alone, with January closed after `change`.
fn january(change: impl FnOnce(&mut Desk)) -> World {
    let mut w = World::empty();
    let registry = w.registry.clone();
    let b = w.units.get_mut(&unit(B)).unwrap();
    change(b);
    b.close(JAN, 1, &registry, &[], vec![]);
    w
}

fn registered(desk: &mut Desk, period: &str, n: u32) -> u64 {
    let day = format!("{period}-03");
    desk.sealed(
        period,
        "person.registered",
        &[("id_no", text(&id_no(n))), ("occurred_on", text(&day))],
    )
}

fn training(desk: &mut Desk, period: &str, attended: i64) -> u64 {
    let day = format!("{period}-10");
    desk.clear(
        period,
        "training.held",
        &[
            ("attended", Value::Int(attended)),
            ("occurred_on", text(&day)),
        ],
    )
}

/// What everybody knows.
fn blank(w: &World) -> Evidence {
    let catalogue = published::catalogue_text(&w.counting.catalogue).unwrap();
    let catalogue = Note::sign(&catalogue, &[&w.roots[0], &w.roots[1]]).unwrap();
    Evidence {
        registries: w.registries.clone(),
        catalogues: vec![catalogue],
        plans: vec![],
        arrivals: None,
        units: BTreeMap::new(),
    }
}

fn cosigned(w: &World, id: &str, checkpoint: &Note) -> Note {
    match &w.desk(id).parent {
        Some(p) => add_cosignature(checkpoint, &w.units[p].witness, TIME).unwrap(),
        None => checkpoint.clone(),
    }
}

/// A unit's part up to a month, with the parent's receipts.
fn honest_part(w: &World, id: &str, until: &str) -> UnitEvidence {
    let desk = w.desk(id);
    let mut part = UnitEvidence::default();
    for (at, held) in desk.held.range(..=(month(until), u32::MAX)) {
        let size = held.rollup.log.size;
        part.entries = desk.entries[..usize::try_from(size).unwrap()].to_vec();
        part.checkpoints
            .insert(size, cosigned(w, id, &desk.checkpoints[&size]));
        part.rollups.insert(*at, held.note.clone());
        if desk.parent.is_some() {
            let receipt = w.receipt(id, &at.0.to_string());
            if receipt.rollup == held.digest() {
                part.receipts
                    .insert((at.0, at.1, 0), w.sign_receipt(&receipt));
            }
        }
    }
    part
}

fn honest_file(w: &World, ids: &[&str], until: &str) -> Evidence {
    let mut e = blank(w);
    for id in ids {
        e.units.insert(unit(id), honest_part(w, id, until));
    }
    e
}

/// The case as a file: the months before it are honest unless the case knows others, the children
/// are there.
fn evidence_of(c: &Case<'_>) -> Evidence {
    let w = c.world;
    let id = c.id.as_str();
    let mut e = blank(w);
    let mut part = UnitEvidence {
        entries: c.entries.clone(),
        ..UnitEvidence::default()
    };
    for (at, held) in &c.known {
        let size = held.rollup.log.size;
        if let Some(point) = w.desk(id).checkpoints.get(&size) {
            part.checkpoints.insert(size, cosigned(w, id, point));
        }
        part.rollups.insert(*at, held.note.clone());
        let receipt = w.receipt(id, &at.0.to_string());
        if receipt.rollup == held.digest() {
            part.receipts
                .insert((at.0, at.1, 0), w.sign_receipt(&receipt));
        }
    }
    let held = c.held.clone().unwrap_or_else(|| c.desk().sign(&c.rollup));
    part.rollups
        .insert((c.rollup.period, c.rollup.revision), held.note.clone());
    if let Some(point) = &c.checkpoint {
        part.checkpoints.insert(
            Checkpoint::parse(point.text()).unwrap().size(),
            point.clone(),
        );
    }
    for child in w.registry.registry().children(&c.id) {
        e.units.insert(
            child.id.clone(),
            honest_part(w, child.id.as_str(), &c.rollup.period.to_string()),
        );
    }
    e.units.insert(c.id.clone(), part);
    e
}

fn on<'e>(e: &'e mut Evidence, id: &str) -> &'e mut UnitEvidence {
    e.units.get_mut(&unit(id)).unwrap()
}

/// The rollup follows whatever its leaves and its opening are now.
fn recount(c: &mut Case<'_>) {
    recount_with(c, &Sums::new());
}

/// The same, where these clear sums are counted as well.
fn recount_with(c: &mut Case<'_>, claimed: &Sums) {
    let node = c.newest.registry().unit(&c.id).unwrap();
    let mut log = UnitLog::new(node, vec![c.world.counting.clone()]);
    log.read(&c.entries, node);
    let m = log.month(c.rollup.period);
    let mut sums = c.rollup.opening.sums.clone();
    sums.extend(m.clear.clone());
    for (event, more) in claimed {
        let more: Vec<(usize, i64)> = more.iter().copied().enumerate().collect();
        row::accumulate(sums.entry(event.clone()).or_default(), more.len(), &more, 1);
    }
    let last = c
        .rollup
        .previous
        .and_then(|d| c.known.values().find(|h| h.digest() == d))
        .map(|h| h.rollup.figures.clone());
    c.rollup.figures = figure::own(
        &c.world.counting.catalogue,
        c.rollup.tier,
        &sums,
        last.as_deref(),
    )
    .unwrap();
    (c.rollup.voided, c.rollup.late) = (m.voided, m.late.clone());
    c.rollup.log.first = m.first.unwrap_or(c.rollup.log.size);
}

/// What a clear statement claims to count, as far as its columns exist.
fn claim(w: &World, s: &Statement) -> Sums {
    let schema = w.counting.generators.schema(&s.event).unwrap();
    let known = s
        .counts
        .iter()
        .flatten()
        .filter(|(n, _)| schema.names().contains(n));
    let row = schema
        .from_named(&known.map(|(n, w)| (n.clone(), *w)).collect())
        .unwrap();
    let mut sum = Vec::new();
    row::accumulate(&mut sum, schema.columns(), &row, 1);
    [(s.event.clone(), sum)].into()
}

/// Statements with ids that no log has.
struct Spare(World);
impl Spare {
    fn new() -> Spare {
        let mut w = World::empty();
        for desk in w.units.values_mut() {
            for _ in 0..100 {
                desk.blank("x", JAN);
            }
        }
        Spare(w)
    }
    fn blank(&mut self, id: &str, event: &str, period: &str) -> Statement {
        self.0
            .units
            .get_mut(&unit(id))
            .unwrap()
            .blank(event, period)
    }
    fn clear(
        &mut self,
        id: &str,
        event: &str,
        period: &str,
        fields: &[(&str, Value)],
        counts: &[(&str, i64)],
    ) -> Statement {
        let mut s = self.blank(id, event, period);
        s.clear = Some(
            fields
                .iter()
                .map(|(n, v)| ((*n).to_string(), v.clone()))
                .collect(),
        );
        s.counts = Some(counts.iter().map(|(n, v)| ((*n).to_string(), *v)).collect());
        s
    }
    fn training(&mut self, id: &str, period: &str, attended: i64) -> Statement {
        let day = format!("{period}-12");
        self.clear(
            id,
            "training.held",
            period,
            &[
                ("attended", Value::Int(attended)),
                ("occurred_on", text(&day)),
            ],
            &[("I7:n:total:total", attended)],
        )
    }
    fn void(&mut self, w: &World, id: &str, period: &str, target: u64) -> Statement {
        let mut s = self.blank(id, statement::VOIDED, period);
        s.clear = Some(Fields::new());
        s.voids = Some(Ref {
            id: w.desk(id).statement(target).id,
            index: target,
        });
        s
    }
}

fn column(w: &World, event: &str, name: &str) -> usize {
    w.counting
        .generators
        .schema(event)
        .unwrap()
        .names()
        .iter()
        .position(|n| n == name)
        .unwrap()
}

/// Index of the first leaf of this type.
fn leaf(w: &World, id: &str, event: &str) -> u64 {
    let desk = w.desk(id);
    (0..desk.size())
        .find(|i| desk.statement(*i).event == event)
        .unwrap()
}

fn second_registry(w: &World, change: impl FnOnce(&mut Registry)) -> Note {
    let mut r = w.registry.registry().clone();
    (r.version, r.previous) = (2, Some(w.registry.digest()));
    change(&mut r);
    sign_registry(&r, &[&w.roots[0], &w.roots[1]])
}

/// A document that the types would not write.
fn forged(kind: &str, json: &str, signers: &[&SigningKey]) -> Note {
    Note::sign(&protocol::note::document(kind, json).unwrap(), signers).unwrap()
}

fn json_of(note_text: &str) -> String {
    note_text.lines().nth(1).unwrap().to_string()
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    let changed = text.replacen(from, to, 1);
    assert_ne!(changed, text, "{from} is not there");
    changed
}

// ------------------------------------------------------------------------------------------------------------ controls

fn controls(b: &mut Book, w: &World, town: &World) {
    let zip = |e: &Evidence| file::write(e).unwrap();
    b.control(
        "control-county-month.zip",
        "one county, one month",
        zip(&honest_file(w, &[B], JAN)),
    );
    b.control(
        "control-county-void.zip",
        "one county, one month with a void",
        zip(&honest_file(w, &[A], JAN)),
    );
    b.control(
        "control-county-months.zip",
        "one county, two months",
        zip(&honest_file(w, &[B], FEB)),
    );
    b.control(
        "control-city.zip",
        "a city and its two counties",
        zip(&honest_file(town, &[CITY, A, B], JAN)),
    );
    let mut missing = Case::of(town, CITY, JAN);
    missing.rollup =
        town.desk(CITY)
            .rollup(JAN, 1, &town.registry, &[town.held(A, JAN)], absent(&[B]));
    let mut e = evidence_of(&missing);
    e.units.remove(&unit(B));
    b.control(
        "control-city-missing.zip",
        "a city that names one of its counties as missing",
        zip(&e),
    );
    let mut two = honest_file(w, &[B], JAN);
    two.registries.push(second_registry(w, |_| {}));
    b.control(
        "control-registry.zip",
        "a chain of two registry versions",
        zip(&two),
    );
    let mut rotated = honest_file(w, &[B], JAN);
    rotated
        .registries
        .push(revocation(w, w.held(B, JAN).rollup.log.size));
    b.control(
        "control-rotated-key.zip",
        "a node key revoked right behind its last act",
        zip(&rotated),
    );
    let (_, reopened) = reopened();
    b.control(
        "control-revision.zip",
        "a month opened again, and the next month built on its second revision",
        zip(&reopened),
    );
    b.control(
        "control-disclosure.json",
        "two fields and the row of one event",
        serde_json::to_vec_pretty(&disclosure(w)).unwrap(),
    );
}

// ------------------------------------------------------------------------------------------------- binding: the figures

fn figures(b: &mut Book, w: &World) {
    let hired = "employment.started";
    let at = |name: &str| column(w, hired, name);
    let mut c = Case::of(w, B, JAN);
    let own = &mut c.figure("I2").own;
    own.value = Some(own.value.unwrap() + 1);
    own.cells[0][0] += 1;
    b.case(
        "figure-off-by-one",
        "a figure is one higher, and so is one of its cells",
        BINDING,
        "figure I2 (own): value is 2 but its parts give 1",
        &c,
    );
    let sums = c.rollup.opening.sums.get_mut(hired).unwrap();
    sums[at("I2:in:sex:1")] += 1;
    b.case(
        "figure-off-by-one-opening",
        "the same, and the opening's sum is one higher",
        BINDING,
        "the columns of figure I2 add up to 2, but there are 1 leaves",
        &c,
    );
    let sums = c.rollup.opening.sums.get_mut(hired).unwrap();
    sums[at("I2:in:sex:-")] -= 1;
    b.case(
        "figure-off-by-one-opening-balanced",
        "the same, taken from the column of what is not counted",
        BINDING,
        "not the sum of the commitments",
        &c,
    );

    let mut c = Case::of(w, B, JAN);
    c.figure("I2").own.cells[0].swap(0, 1);
    b.case(
        "count-moved",
        "a count is moved from one cell to another",
        BINDING,
        "figure I2 (own): table sex cell 1 is",
        &c,
    );
    let sums = c.rollup.opening.sums.get_mut(hired).unwrap();
    sums.swap(at("I2:in:sex:1"), at("I2:in:sex:2"));
    b.case(
        "count-moved-opening",
        "the same, in the opening as well",
        BINDING,
        "not the sum of the commitments",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    let sums = c.rollup.opening.sums.get_mut(hired).unwrap();
    sums[at("I3:bit:total:0")] -= 2;
    sums[at("I3:bit:total:1")] += 1;
    b.case(
        "amount-bits-moved",
        "an amount's bits are moved without changing the amount",
        BINDING,
        "not the sum of the commitments",
        &c,
    );

    let mut c = Case::of(w, B, JAN);
    c.rollup.opening.blinding = OpenScalar(c.rollup.opening.blinding.0 + Scalar::ONE);
    b.case(
        "blinding-changed",
        "the sum of the blindings is one higher",
        BINDING,
        "not the sum of the commitments",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.opening.sums.get_mut(hired).unwrap()[at("I1:in:sex:1")] += 1;
    b.case(
        "opening-block",
        "one block of the opening adds up to more than there are leaves",
        BINDING,
        "add up to 2, but there are 1 leaves",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.opening.sums.get_mut(hired).unwrap().pop();
    b.case(
        "opening-column-missing",
        "the opening has one column less than the schema",
        BINDING,
        "columns instead of",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.opening.sums.remove(hired);
    b.case(
        "opening-type-missing",
        "the opening says nothing of an event type that has a leaf",
        BINDING,
        "no sums for event type employment.started",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup
        .opening
        .sums
        .insert("employment.ended".into(), vec![0; 6]);
    b.case(
        "opening-type-extra",
        "the opening has (zero) sums for an event type that has no leaf",
        BINDING,
        "sums for employment.ended, of which there is no leaf",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.opening.sums.get_mut(hired).unwrap()[..3].fill(i64::MAX);
    b.case(
        "opening-overflow",
        "sums so large that they overflow 64 bits when added",
        BINDING,
        "add up to",
        &c,
    );

    let mut c = Case::of(w, A, FEB);
    let own = &mut c.figure("I2").own;
    (own.value, own.declared) = (Some(own.value.unwrap() - 5), 0);
    own.cells[0][1] -= 5;
    b.case(
        "stock-forgotten",
        "a stock does not start from the previous month",
        BINDING,
        "figure I2 (own): value is 2 but its parts give 7",
        &c,
    );
    let mut c = Case::of(w, A, JAN);
    c.figure("I2").basis = Basis::Proven;
    b.case(
        "basis-claimed",
        "a figure with a declared part is called proven",
        BINDING,
        "figure I2 is called proven but is declared",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.figures.pop();
    b.case(
        "figure-left-out",
        "the last figure of the catalogue is left out",
        BINDING,
        "figure I7 is missing",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.figures.swap(0, 1);
    b.case(
        "figure-order",
        "two figures stand in the other order",
        BINDING,
        "figure I1@plan stands where I1 belongs",
        &c,
    );
    let mut c = Case::of(w, A, JAN);
    c.rollup.voided = 0;
    b.case(
        "voided-number",
        "the number of voided statements is wrong",
        BINDING,
        "voided or late",
        &c,
    );
    let mut c = Case::of(w, B, FEB);
    c.rollup.late.insert(month(JAN), 1);
    b.case(
        "late-number",
        "a late entry is claimed that is not there",
        BINDING,
        "voided or late",
        &c,
    );
    let mut c = Case::of(w, B, FEB);
    c.rollup.log.first -= 1;
    b.case(
        "first-leaf",
        "the index of the month's first leaf is wrong",
        BINDING,
        "first leaf is wrong",
        &c,
    );
}

// ---------------------------------------------------------------------------------------------------- authorship: keys

fn keys(b: &mut Book, w: &World) {
    let desk = w.desk(B);
    let size = w.held(B, JAN).rollup.log.size;
    let text = w.held(B, JAN).note.text().to_string();
    let people = &desk.people;
    let by =
        |node: &SigningKey| Note::sign(&text, &[node, &people[1], &people[2], &people[3]]).unwrap();
    let with = |note: Note| {
        let mut e = honest_file(w, &[B], JAN);
        let part = on(&mut e, B);
        part.receipts.clear();
        part.rollups.insert((month(JAN), 1), note);
        e
    };
    let not_signed = "not signed by a node key of 140311 that is valid at log size 7";
    b.evidence(
        "node-key-wrong",
        "the rollup is signed by another key under the node's name",
        AUTHORSHIP,
        not_signed,
        &with(by(&key(B, Alg::Ed25519, 77))),
    );
    b.evidence(
        "node-key-of-another-unit",
        "the rollup is signed by another unit's node",
        AUTHORSHIP,
        not_signed,
        &with(by(&w.desk(A).node)),
    );
    b.evidence(
        "node-key-missing",
        "the rollup is signed by the three people, but not by the node",
        AUTHORSHIP,
        not_signed,
        &with(Note::sign(&text, &[&people[1], &people[2], &people[3]]).unwrap()),
    );

    let revoked = |at: u64| revocation(w, at);

    let mut e = honest_file(w, &[B], JAN);
    e.registries.push(revoked(size - 1));
    b.evidence(
        "node-key-revoked",
        "registry version 2 revokes the node key at the last leaf of the rollup; the rollup names version 1",
        AUTHORSHIP,
        not_signed,
        &e,
    );
    let mut e = honest_file(w, &[B], JAN);
    e.registries.push(revoked(2));
    b.evidence(
        "node-key-revoked-leaf",
        "registry version 2 revokes the node key at index 2: the enrolments behind it do not count",
        AUTHORSHIP,
        "leaf 2: signed by 140311, which holds no key for it",
        &e,
    );
    let new = key(B, Alg::Ed25519, 40);
    let early = second_registry(w, |r| {
        r.units
            .iter_mut()
            .find(|u| u.id == unit(B))
            .unwrap()
            .keys
            .push(UnitKey {
                vkey: new.vkey(),
                from_index: size + 1,
                revoked: None,
            })
    });
    let mut e = with(by(&new));
    e.registries.push(early.clone());
    b.evidence(
        "node-key-not-yet",
        "the rollup is signed by a node key that is valid only from the next index on",
        AUTHORSHIP,
        not_signed,
        &e,
    );
    let point = Note::sign(desk.checkpoint(size).text(), &[&new]).unwrap();
    let mut e = with(by(&desk.node));
    e.registries.push(early);
    on(&mut e, B).checkpoints.insert(size, point);
    b.evidence(
        "checkpoint-key-not-yet",
        "the checkpoint is signed by a node key that is not valid yet",
        AUTHORSHIP,
        "the checkpoint is not signed by a node key",
        &e,
    );
    let mut e = with(by(&desk.node));
    on(&mut e, B).checkpoints.insert(
        size,
        Note::sign(desk.checkpoint(size).text(), &[&key(B, Alg::Ed25519, 77)]).unwrap(),
    );
    b.evidence(
        "checkpoint-key-wrong",
        "the checkpoint is signed by another key under the node's name",
        AUTHORSHIP,
        "the checkpoint is not signed by a node key",
        &e,
    );
    let mut e = with(by(&desk.node));
    on(&mut e, B).checkpoints.insert(
        size,
        Note::sign(desk.checkpoint(size).text(), &[&people[3]]).unwrap(),
    );
    b.evidence(
        "checkpoint-by-person",
        "the checkpoint is signed by the head instead of the node",
        AUTHORSHIP,
        "the checkpoint is not signed by a node key",
        &e,
    );
    let mut e = with(
        by(&desk.node)
            .add_signature(&key("stranger", Alg::Ed25519, 1))
            .unwrap(),
    );
    b.evidence(
        "rollup-strange-line",
        "the rollup has one more signature line, of a key that nobody knows",
        AUTHORSHIP,
        "stranger that cannot be checked",
        &e,
    );
    on(&mut e, B)
        .rollups
        .insert((month(JAN), 1), by(&desk.node));
    on(&mut e, B).checkpoints.insert(
        size,
        desk.checkpoint(size)
            .add_signature(&key("stranger", Alg::Ed25519, 1))
            .unwrap(),
    );
    b.evidence(
        "checkpoint-strange-line",
        "the checkpoint has one more signature line, of a key that nobody knows",
        AUTHORSHIP,
        "stranger that cannot be checked",
        &e,
    );
    let lines = plain(&by(&desk.node));
    let head = lines.lines().last().unwrap();
    let twice = Note::parse(format!("{lines}{head}\n").as_bytes()).unwrap();
    b.evidence(
        "rollup-line-twice",
        "a signature line of the rollup stands twice",
        AUTHORSHIP,
        "that cannot be checked",
        &with(twice),
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.registry.digest = Digest::of(b"another");
    b.case(
        "registry-digest",
        "the rollup names registry version 1 with another digest",
        AUTHORSHIP,
        "registry version 1 with another digest",
        &c,
    );
}

/// Registry version 2, in which county B's node key may sign no leaf from this index on.
fn revocation(w: &World, at_index: u64) -> Note {
    second_registry(w, |r| {
        let node = r.units.iter_mut().find(|u| u.id == unit(B)).unwrap();
        node.keys[0].revoked = Some(Revocation {
            at_index,
            reason: "lost".into(),
        });
    })
}

fn signatories(b: &mut Book, w: &World) {
    let desk = w.desk(B);
    let p = &desk.people;
    let text = w.held(B, JAN).note.text().to_string();
    let with = |note: Note| {
        let mut e = honest_file(w, &[B], JAN);
        on(&mut e, B).receipts.clear();
        on(&mut e, B).rollups.insert((month(JAN), 1), note);
        e
    };
    for (role, who, signers) in [
        ("preparer", "li", [&p[2], &p[3]]),
        ("reviewer", "wang", [&p[1], &p[3]]),
        ("head", "zhao", [&p[1], &p[2]]),
    ] {
        let note = Note::sign(&text, &[&desk.node, signers[0], signers[1]]).unwrap();
        let said = format!("the signature of 140311/{who} ({role}");
        b.evidence(
            &format!("signatory-missing-{role}"),
            &format!("the {role} has not signed"),
            AUTHORSHIP,
            &said,
            &with(note),
        );
    }
    let line = &w.held(B, FEB).note.signatures()[3].clone();
    let moved = Note::sign(&text, &[&desk.node, &p[1], &p[2]])
        .unwrap()
        .add_line(line.name(), line.key_id(), line.blob())
        .unwrap();
    b.evidence(
        "signatory-moved",
        "the head's signature is taken from another month's rollup",
        AUTHORSHIP,
        "the signature of 140311/zhao (head",
        &with(moved),
    );
    let mut c = Case::of(w, B, JAN);
    std::mem::swap(
        &mut c.rollup.signatories.preparer,
        &mut c.rollup.signatories.head,
    );
    b.case(
        "signatory-role-swapped",
        "preparer and head stand in each other's place; all three have signed",
        AUTHORSHIP,
        "140311/zhao is not enrolled as preparer",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.signatories.reviewer = p[0].name().into();
    c.held = Some(std::sync::Arc::new(
        protocol::rollup::HeldRollup::new(
            Note::sign(
                &c.rollup.to_text().unwrap(),
                &[&desk.node, &p[1], &p[0], &p[3]],
            )
            .unwrap(),
        )
        .unwrap(),
    ));
    b.case(
        "signatory-recorder",
        "the recorder signs as reviewer",
        AUTHORSHIP,
        "140311/zhang is not enrolled as reviewer",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.signatories.head = "140321/zhao".into();
    b.case(
        "signatory-of-another-unit",
        "the head named is another unit's",
        AUTHORSHIP,
        "140321/zhao is not enrolled as head",
        &c,
    );
    let w = january(|d| {
        training(d, JAN, 1);
        revoke(d, &key("140311/zhao", Alg::Ed25519, 1), JAN);
    });
    b.evidence(
        "signatory-revoked",
        "the head's key was revoked before the month was closed",
        AUTHORSHIP,
        "140311/zhao is not enrolled as head",
        &unanswered(&w),
    );
}

/// County B's January without a receipt.
fn unanswered(w: &World) -> Evidence {
    let mut e = honest_file(w, &[B], JAN);
    on(&mut e, B).receipts.clear();
    e
}

// -------------------------------------------------------------------------------------------------- authorship: leaves

fn leaves(b: &mut Book, w: &World) {
    let mut spare = Spare::new();
    let desk = w.desk(B);
    let zhang = &desk.people[0];
    let s = spare.training(B, JAN, 1);
    for (name, case, signer) in [
        (
            "leaf-key-wrong",
            "a leaf signed by another key under the recorder's name",
            key("140311/zhang", Alg::Ed25519, 66),
        ),
        (
            "leaf-by-preparer",
            "a leaf signed by the preparer, who does not record",
            key("140311/li", Alg::Ed25519, 1),
        ),
        (
            "leaf-by-nobody",
            "a leaf signed by somebody who is not enrolled",
            key("140311/nobody", Alg::Ed25519, 1),
        ),
        (
            "leaf-by-other-recorder",
            "a leaf signed by another unit's recorder",
            key("140321/zhang", Alg::Ed25519, 1),
        ),
        (
            "leaf-by-other-node",
            "a leaf signed by another unit's node",
            key("140321", Alg::Ed25519, 0),
        ),
    ] {
        let mut c = Case::of(w, B, JAN);
        c.append(&s, &signer);
        b.case(name, case, AUTHORSHIP, "leaf 7: signed by", &c);
    }
    // Keys that are valid later only.
    let new = key(B, Alg::Ed25519, 40);
    let mut c = Case::of(w, B, JAN);
    c.append(&s, &new);
    let mut e = evidence_of(&c);
    e.registries.push(second_registry(w, |r| {
        let node = r.units.iter_mut().find(|u| u.id == unit(B)).unwrap();
        node.keys.push(UnitKey {
            vkey: new.vkey(),
            from_index: 8,
            revoked: None,
        });
    }));
    b.evidence(
        "leaf-node-key-not-yet",
        "a leaf signed by a node key that is valid only from the next index on",
        AUTHORSHIP,
        "leaf 7: signed by 140311, which holds no key",
        &e,
    );
    let qian = key("140311/qian", Alg::Ed25519, 1);
    let mut c = Case::of(w, B, JAN);
    c.append(&s, &qian);
    let mut enrolment = spare.blank(B, statement::OPERATOR_ENROLLED, JAN);
    enrolment.clear = Some(
        [
            ("vkey".to_string(), text(qian.vkey().as_str())),
            ("roles".to_string(), text("recorder")),
        ]
        .into(),
    );
    enrolment.counts = Some([].into());
    c.append(&enrolment, &desk.node);
    b.case(
        "leaf-before-enrolment",
        "a leaf signed by a recorder who is enrolled by the leaf after it",
        AUTHORSHIP,
        "leaf 7: signed by 140311/qian, which holds no key",
        &c,
    );
    let with = |bytes: Vec<u8>| {
        let mut c = Case::of(w, B, JAN);
        c.entries.push(bytes);
        c.reseal();
        c
    };
    let two = Note::sign(&s.to_text().unwrap(), &[zhang, &desk.node]).unwrap();
    b.case(
        "leaf-two-signatures",
        "a leaf with two signature lines",
        AUTHORSHIP,
        "exactly one signature",
        &with(two.as_bytes().to_vec()),
    );
    // It counts nothing, so that it does not matter whether a verifier counts a leaf whose
    // signature is wrong.
    let mut nothing = spare.training(B, JAN, 0);
    nothing.counts = Some(BTreeMap::new());
    let honest = Note::sign(&nothing.to_text().unwrap(), &[zhang]).unwrap();
    let changed = replaced(&plain(&honest), "08:00:00Z", "08:00:01Z");
    b.case(
        "leaf-signature-moved",
        "a leaf whose text was changed after it was signed",
        AUTHORSHIP,
        "its signature is wrong",
        &with(changed.into_bytes()),
    );
    b.case(
        "leaf-of-another-county",
        "another county's leaf is put into the log as it is",
        AUTHORSHIP,
        "a statement of unit 140321",
        &with(w.desk(A).entries[5].clone()),
    );
    let rollup = Note::sign(w.held(B, JAN).note.text(), &[zhang]).unwrap();
    b.case(
        "leaf-of-another-kind",
        "a leaf that is not a statement but a rollup",
        AUTHORSHIP,
        "countersign/statement/v1",
        &with(rollup.as_bytes().to_vec()),
    );
    b.case(
        "leaf-no-note",
        "a leaf that is no note",
        AUTHORSHIP,
        "not a signed note",
        &with(b"x".to_vec()),
    );
    b.case(
        "leaf-empty",
        "a leaf without any bytes",
        AUTHORSHIP,
        "not a signed note",
        &with(vec![]),
    );

    let json = json_of(&s.to_text().unwrap());
    for (name, case, from, to) in [
        (
            "leaf-member-twice",
            "a leaf in which a field stands twice, with two values",
            "\"attended\":1",
            "\"attended\":4,\"attended\":1",
        ),
        (
            "leaf-count-twice",
            "a leaf in which a count stands twice, with two values",
            "\"I7:n:total:total\":1",
            "\"I7:n:total:total\":4,\"I7:n:total:total\":1",
        ),
        (
            "leaf-member-unknown",
            "a leaf with a member that no statement has",
            "\"unit\":",
            "\"note\":\"x\",\"unit\":",
        ),
        (
            "leaf-fraction",
            "a leaf whose count is written as 1.0",
            "\"I7:n:total:total\":1",
            "\"I7:n:total:total\":1.0",
        ),
        (
            "leaf-null",
            "a leaf whose clear fields are null",
            "\"clear\":{",
            "\"clear\":null,\"x\":{",
        ),
        (
            "leaf-id-upper",
            "a leaf whose id is in capitals",
            s.id.to_string().as_str(),
            s.id.to_string().to_uppercase().as_str(),
        ),
    ] {
        let json = replaced(&json, from, to);
        let note = forged(statement::KIND, &json, &[zhang]);
        b.case(
            name,
            case,
            AUTHORSHIP,
            "not a statement",
            &with(note.as_bytes().to_vec()),
        );
    }

    let sealed = desk.statement(4);
    let row = hex::encode(sealed.row.unwrap().as_bytes());
    let mut odd = sealed.clone();
    odd.id = s.id;
    let json = json_of(&odd.to_text().unwrap());
    let mut high = row.clone();
    high.replace_range(62..64, "ff");
    for (name, case, bad, part) in [
        (
            "point-identity",
            "a commitment that is the identity",
            "00".repeat(32),
            "commitment.identity",
        ),
        (
            "point-not-canonical",
            "a commitment whose encoding is not below the field's prime",
            format!("ed{}7f", "ff".repeat(30)),
            "commitment.point",
        ),
        (
            "point-high-bit",
            "a commitment with its high bits set",
            high,
            "commitment.point",
        ),
        (
            "point-negative",
            "a commitment whose encoding is negative (odd)",
            format!("01{}", "00".repeat(31)),
            "commitment.point",
        ),
        (
            "point-upper",
            "a commitment in capital hex digits",
            row.to_uppercase(),
            "commitment.encoding",
        ),
        (
            "point-short",
            "a commitment one byte short",
            row[..62].to_string(),
            "commitment.encoding",
        ),
    ] {
        let note = forged(statement::KIND, &replaced(&json, &row, &bad), &[zhang]);
        b.case(
            name,
            case,
            AUTHORSHIP,
            part,
            &with(note.as_bytes().to_vec()),
        );
    }

    // People.
    let alias = |name: &str, alg: Alg| {
        let mut seed = *Digest::of(b"140311/li").as_bytes();
        seed[0] = 1; // li's own key
        SigningKey::from_seed(name, alg, seed).unwrap()
    };
    for (file, case, name, alg, part) in [
        (
            "enrol-alias",
            "one key is enrolled under a second name",
            "140311/alias",
            Alg::Ed25519,
            "already held under another name",
        ),
        (
            "enrol-cosigner",
            "a cosignature key is enrolled as a person's",
            "140311/stamp",
            Alg::CosignatureV1,
            "not for signing",
        ),
        (
            "enrol-stranger",
            "another unit's person is enrolled",
            "140321/sun",
            Alg::Ed25519,
            "not a name of this unit's people",
        ),
        (
            "enrol-witness",
            "the name of the witness is enrolled as a person",
            "140311/witness",
            Alg::Ed25519,
            "not a name of this unit's people",
        ),
    ] {
        let w = january(|d| {
            enrol(d, &alias(name, alg), "head", JAN);
        });
        b.evidence(file, case, AUTHORSHIP, part, &unanswered(&w));
    }
    let w2 = january(|d| {
        enrol(d, &key("140311/zhao", Alg::Ed25519, 50), "head", JAN);
    });
    b.evidence(
        "enrol-twice",
        "a second key is enrolled for a name whose first key still runs",
        AUTHORSHIP,
        "enrolled already",
        &unanswered(&w2),
    );
    let w2 = january(|d| {
        enrol(d, &key("140311/qian", Alg::Ed25519, 1), "emperor", JAN);
    });
    b.evidence(
        "enrol-role",
        "a person is enrolled in a role that does not exist",
        AUTHORSHIP,
        "unknown roles",
        &unanswered(&w2),
    );
    let mut c = Case::of(w, B, JAN);
    let who = key("140311/sun", Alg::Ed25519, 1);
    let mut s = spare.blank(B, statement::OPERATOR_ENROLLED, JAN);
    s.clear = Some(
        [
            ("vkey".to_string(), text(who.vkey().as_str())),
            ("roles".to_string(), text("head")),
        ]
        .into(),
    );
    s.counts = Some([].into());
    c.append(&s, zhang);
    b.case(
        "enrol-by-recorder",
        "a person is enrolled by the recorder instead of the node",
        AUTHORSHIP,
        "enrolled by the node's key",
        &c,
    );
    let w2 = january(|d| {
        revoke(d, &key("140311/zhang", Alg::Ed25519, 1), JAN);
        training(d, JAN, 1);
    });
    let mut e = unanswered(&w2);
    let mut c = Case::of(&w2, B, JAN);
    // What does not count is left out of the figures.
    recount(&mut c);
    on(&mut e, B)
        .rollups
        .insert((month(JAN), 1), w2.desk(B).sign(&c.rollup).note.clone());
    b.evidence(
        "leaf-by-revoked",
        "a leaf signed by the recorder after the revocation",
        AUTHORSHIP,
        "leaf 5: signed by 140311/zhang, which holds no key",
        &e,
    );
}

// ------------------------------------------------------------------------------------------------- history: rewritten

fn rewritten(b: &mut Book, w: &World) {
    let said = "the root over its";
    let desk = w.desk(A);
    let seven = usize::try_from(leaf(w, A, "employment.started")).unwrap();
    let mut c = Case::of(w, A, FEB);
    let mut s = desk.statement(6);
    s.recorded = "2026-01-05T08:00:01Z".into();
    c.entries[6] = Note::sign(&s.to_text().unwrap(), &[&desk.people[0]])
        .unwrap()
        .as_bytes()
        .to_vec();
    c.reseal();
    recount(&mut c);
    b.case(
        "leaf-changed",
        "a leaf of January is signed again with another time after January was witnessed; February is built on it",
        HISTORY,
        said,
        &c,
    );
    let mut c = Case::of(w, A, FEB);
    c.entries.swap(5, 6);
    c.reseal();
    recount(&mut c);
    b.case(
        "leaves-swapped",
        "two leaves of January change places after January was witnessed",
        HISTORY,
        said,
        &c,
    );
    let mut c = Case::of(w, A, FEB);
    c.entries.remove(seven);
    c.reseal();
    recount(&mut c);
    b.case(
        "leaf-dropped",
        "a counted leaf of January is dropped after January was witnessed",
        HISTORY,
        said,
        &c,
    )
    .also(&[BINDING]);
    let mut c = Case::of(w, A, FEB);
    let extra = Spare::new().training(A, JAN, 3);
    c.entries.insert(
        13,
        Note::sign(&extra.to_text().unwrap(), &[&desk.people[0]])
            .unwrap()
            .as_bytes()
            .to_vec(),
    );
    c.reseal();
    recount(&mut c);
    b.case(
        "leaf-inserted",
        "a leaf is inserted into January after January was witnessed",
        HISTORY,
        said,
        &c,
    )
    .also(&[BINDING]);

    // A revocation disappears: nothing is counted otherwise, only what was witnessed tells.
    let qian = key("140311/qian", Alg::Ed25519, 1);
    let w2 = january(|d| {
        enrol(d, &qian, "recorder", JAN);
        training(d, JAN, 2);
        revoke(d, &qian, JAN);
    });
    let mut c = Case::of(&w2, B, JAN);
    let january = w2.held(B, JAN);
    c.known.insert((month(JAN), 1), january.clone());
    c.rollup = w2.desk(B).rollup(FEB, 1, &w2.registry, &[], vec![]);
    c.entries.pop();
    let s = Spare::new().training(B, FEB, 5);
    c.entries.push(
        Note::sign(&s.to_text().unwrap(), &[&qian])
            .unwrap()
            .as_bytes()
            .to_vec(),
    );
    let s = Spare::new().training(B, FEB, 6);
    c.entries.push(
        Note::sign(&replaced_id(s, 1).to_text().unwrap(), &[&qian])
            .unwrap()
            .as_bytes()
            .to_vec(),
    );
    c.reseal();
    recount(&mut c);
    b.case(
        "revocation-dropped",
        "the revocation of a key is dropped after it was witnessed, and the key records on",
        HISTORY,
        said,
        &c,
    );

    let mut c = Case::of(w, B, JAN);
    c.rollup.log.root = "00".repeat(32);
    b.case(
        "root-wrong",
        "the rollup claims another root",
        HISTORY,
        said,
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.entries.pop();
    b.case(
        "leaf-withheld",
        "the last leaf is not in the file",
        HISTORY,
        "leaves, of which 6 were shown",
        &c,
    )
    .also(&[BINDING]);
    let mut c = Case::of(w, B, JAN);
    let size = c.rollup.log.size;
    let other = Checkpoint::new(&origin_of(&unit(B)), size, [1; 32])
        .unwrap()
        .sign(&w.desk(B).node)
        .unwrap();
    c.checkpoint = Some(other);
    b.case(
        "checkpoint-other-root",
        "the checkpoint is of another root than the rollup",
        HISTORY,
        "another unit, size or root",
        &c,
    );
    let mut e = unanswered(w);
    let point = Checkpoint::new(&origin_of(&unit(A)), size, w.desk(B).root(size))
        .unwrap()
        .sign(&w.desk(B).node)
        .unwrap();
    on(&mut e, B).checkpoints.insert(size, point);
    b.evidence(
        "checkpoint-other-unit",
        "the checkpoint names another unit's log",
        HISTORY,
        "another unit, size or root",
        &e,
    );
    let mut c = Case::of(w, B, JAN);
    c.checkpoint = None;
    b.case(
        "checkpoint-missing",
        "there is no checkpoint of the rollup's size",
        UNREADABLE,
        "entries behind its last checkpoint",
        &c,
    );
    let mut e = honest_file(w, &[B], FEB);
    on(&mut e, B).checkpoints.remove(&size);
    b.evidence(
        "checkpoint-missing-january",
        "there is no checkpoint of January's size",
        AUTHORSHIP,
        "no checkpoint of this size",
        &e,
    )
    .also(&[HISTORY]);

    // What the city witnessed in the middle of a month stands in the file as a checkpoint that no
    // rollup asks for.
    let mut c = Case::of(w, B, JAN);
    let witnessed = cosigned(w, B, &w.desk(B).checkpoint(6));
    let mut s = w.desk(B).statement(5);
    s.recorded = "2026-01-05T08:00:01Z".into();
    c.entries[5] = Note::sign(&s.to_text().unwrap(), &[&w.desk(B).people[0]])
        .unwrap()
        .as_bytes()
        .to_vec();
    c.reseal();
    let mut e = evidence_of(&c);
    on(&mut e, B).checkpoints.insert(6, witnessed);
    b.evidence(
        "leaf-changed-mid-month",
        "a leaf is changed after a checkpoint in the middle of the month was cosigned; the rollup follows the changed log",
        UNREADABLE,
        "is not the unit's checkpoint of this log",
        &e,
    );
    let mut e = honest_file(w, &[B], JAN);
    on(&mut e, B).entries.push(w.desk(B).entries[7].clone());
    b.evidence(
        "entries-behind",
        "an entry stands behind the last checkpoint",
        UNREADABLE,
        "entries behind its last checkpoint",
        &e,
    );
    let mut e = honest_file(w, &[B], JAN);
    let point = w.desk(B).checkpoint(8);
    on(&mut e, B).checkpoints.insert(8, point);
    b.evidence(
        "checkpoint-ahead",
        "a checkpoint of a larger log than the file has",
        UNREADABLE,
        "of a larger log than the one that is here",
        &e,
    );

    // A sealed month takes no more leaves.
    let mut c = Case::of(w, B, FEB);
    let s = Spare::new().training(B, JAN, 1);
    c.append(&s, &w.desk(B).people[0]);
    b.case(
        "sealed-month",
        "a leaf of January is recorded after January was sealed, and counted nowhere",
        HISTORY,
        "leaf 9 was put into 2026-01, which was already sealed",
        &c,
    );
    let figure = c.figure("I7");
    figure.own.value = Some(figure.own.value.unwrap() + 1);
    b.case(
        "sealed-month-counted",
        "the same, and February counts it",
        HISTORY,
        "leaf 9 was put into 2026-01, which was already sealed",
        &c,
    )
    .also(&[BINDING]);
    // Nor does a leaf stand in a month that nobody reports, where it would count for nothing or
    // take back unseen.
    let early = self::january(|d| {
        training(d, "2025-12", 40);
    });
    b.evidence(
        "month-before-the-first",
        "a leaf is of a month before the unit reports",
        HISTORY,
        "leaf 4 is of 2025-12, which is none of the months 2026-01 to 2026-02",
        &honest_file(&early, &[B], JAN),
    );
    let far = self::january(|d| {
        let held = training(d, JAN, 40);
        d.void("9999-12", held);
    });
    b.evidence(
        "month-far-ahead",
        "a leaf of January is taken back in a month that is never reported",
        HISTORY,
        "leaf 5 is of 9999-12, which is none of the months 2026-01 to 2026-02",
        &honest_file(&far, &[B], JAN),
    );
    let mut c = Case::of(w, B, FEB);
    let s = Spare::new().training(B, "2026-04", 1);
    c.append(&s, &w.desk(B).people[0]);
    b.case(
        "month-after-the-next",
        "a leaf of April stands below February's rollup",
        HISTORY,
        "leaf 9 is of 2026-04",
        &c,
    );
    let mut c = Case::of(w, B, FEB);
    let mut s = Spare::new().training(B, FEB, 1);
    s.late = Some(month(FEB));
    c.append(&s, &w.desk(B).people[0]);
    recount(&mut c);
    b.case(
        "late-for-itself",
        "a leaf is called late for its own month",
        HISTORY,
        "late for 2026-02, which is not before its month",
        &c,
    );
}

/// Another id than the spare one.
fn replaced_id(mut s: Statement, n: u64) -> Statement {
    s.id = protocol::ids::EventId::from_parts(1_767_225_700_000 + n, [7; 10]);
    s
}

// ----------------------------------------------------------------------------------------------------- history: voids

fn voids(b: &mut Book, w: &World) {
    let mut spare = Spare::new();
    let zhang = &w.desk(A).people[0];
    let voided = (0..w.desk(A).size())
        .find_map(|i| w.desk(A).statement(i).voids)
        .unwrap();
    let is_void = (0..w.desk(A).size())
        .find(|i| w.desk(A).statement(*i).voids.is_some())
        .unwrap();
    let mut attempt = |name: &str, case: &str, part: &str, s: &Statement| {
        let mut c = Case::of(w, A, JAN);
        c.append(s, zhang);
        b.case(name, case, HISTORY, part, &c);
    };
    attempt(
        "void-twice",
        "a statement is voided a second time",
        "a second time",
        &spare.void(w, A, JAN, voided.index),
    );
    attempt(
        "void-of-void",
        "a void is voided",
        "itself a void or an enrolment",
        &spare.void(w, A, JAN, is_void),
    );
    attempt(
        "void-of-enrolment",
        "an enrolment is voided",
        "itself a void or an enrolment",
        &spare.void(w, A, JAN, 0),
    );
    let mut s = spare.void(w, A, JAN, 4);
    s.voids = Some(Ref {
        id: w.desk(B).statement(4).id,
        index: 4,
    });
    attempt(
        "void-of-another-unit",
        "a void names another unit's statement, at an index that exists here",
        "which is not leaf 4",
        &s,
    );
    s.voids = Some(Ref {
        id: w.desk(A).statement(4).id,
        index: 5,
    });
    attempt(
        "void-wrong-index",
        "a void names a statement of this log at another's index",
        "which is not leaf 5",
        &s,
    );
    s.voids = Some(Ref {
        id: s.id,
        index: w.held(A, JAN).rollup.log.size,
    });
    attempt(
        "void-of-itself",
        "a void names itself",
        "not in the log before it",
        &s,
    );
    s.voids = Some(Ref {
        id: w.desk(A).statement(4).id,
        index: u64::MAX,
    });
    attempt(
        "void-far-index",
        "a void names an index far outside the log",
        "not in the log before it",
        &s,
    );

    let mut by = |name: &str, case: &str, part: &str, s: &Statement| {
        let mut c = Case::of(w, A, JAN);
        c.append(s, &w.desk(B).people[0]);
        b.case(name, case, AUTHORSHIP, part, &c);
    };
    by(
        "void-by-another-unit",
        "a void of a right leaf, signed by another unit's recorder",
        "signed by 140311/zhang",
        &spare.void(w, A, JAN, 4),
    );
    let mut s = spare.void(w, A, JAN, 4);
    s.unit = unit(B);
    by(
        "void-from-another-unit",
        "another unit's void of a leaf of this log",
        "a statement of unit 140311",
        &s,
    );

    let mut c = Case::of(w, A, JAN);
    c.append(&spare.void(w, A, JAN, 4), zhang);
    b.case(
        "void-not-taken-back",
        "a void that is right, but the opening still counts what it takes back",
        BINDING,
        "add up to 3, but there are 2 leaves",
        &c,
    );
    // One leaf in two months.
    let w2 = {
        let mut w = january(|d| {
            registered(d, JAN, 8);
        });
        let registry = w.registry.clone();
        let d = w.units.get_mut(&unit(B)).unwrap();
        registered(d, FEB, 9);
        d.close(FEB, 1, &registry, &[], vec![]);
        w
    };
    let mut c = Case::of(&w2, B, FEB);
    let event = "person.registered";
    let at = leaf(&w2, B, event);
    let (_, columns, blinding) = &w2.desk(B).records[&at];
    let schema = w2.counting.generators.schema(event).unwrap();
    let row = schema
        .from_named(&columns.iter().map(|n| (n.clone(), 1)).collect())
        .unwrap();
    row::accumulate(
        c.rollup.opening.sums.get_mut(event).unwrap(),
        schema.columns(),
        &row,
        1,
    );
    c.rollup.opening.blinding.0 += blinding;
    recount(&mut c);
    b.case(
        "leaf-in-two-months",
        "February counts a leaf of January once more, in its opening and its figures",
        BINDING,
        "add up to 2, but there are 1 leaves",
        &c,
    );
    let mut c = Case::of(&w2, B, FEB);
    c.entries
        .push(w2.desk(B).entries[usize::try_from(at).unwrap()].clone());
    c.reseal();
    recount(&mut c);
    b.case(
        "leaf-again-next-month",
        "a leaf of January stands a second time, among February's",
        HISTORY,
        "its id was used before",
        &c,
    );
    // Its own leaf a second time, with an opening that counts it twice: only its id tells.
    let mut c = Case::of(w, B, JAN);
    let at = leaf(w, B, "employment.started");
    let (_, columns, blinding) = &w.desk(B).records[&at];
    let schema = w.counting.generators.schema("employment.started").unwrap();
    let row = schema
        .from_named(&columns.iter().map(|n| (n.clone(), 1)).collect())
        .unwrap();
    row::accumulate(
        c.rollup.opening.sums.get_mut("employment.started").unwrap(),
        schema.columns(),
        &row,
        1,
    );
    c.rollup.opening.blinding.0 += blinding;
    let own = c.entries[usize::try_from(at).unwrap()].clone();
    c.entries.push(own);
    c.reseal();
    recount(&mut c);
    b.case(
        "leaf-twice",
        "the unit's own leaf stands a second time, and the opening counts it twice",
        HISTORY,
        "its id was used before",
        &c,
    );
}

// ---------------------------------------------------------------------------------------------------- history: chains

/// County B: January, January again with a void, February on the second revision.
fn reopened() -> (World, Evidence) {
    let mut w = january(|d| {
        registered(d, JAN, 8);
        training(d, JAN, 2);
    });
    let registry = w.registry.clone();
    let d = w.units.get_mut(&unit(B)).unwrap();
    d.void(JAN, 5);
    d.close(JAN, 2, &registry, &[], vec![]);
    training(d, FEB, 4);
    d.close(FEB, 1, &registry, &[], vec![]);
    let e = honest_file(&w, &[B], FEB);
    (w, e)
}

fn chains(b: &mut Book, w: &World) {
    let mut c = Case::of(w, B, FEB);
    let mut other = w.held(B, JAN).rollup.clone();
    other.plans.clear();
    let other = w.desk(B).sign(&other);
    c.rollup.previous = Some(other.digest());
    b.case(
        "previous-forked",
        "February builds on another January than the one that was accepted",
        HISTORY,
        "none of those known for 2026-01",
        &c,
    )
    .also(&[BINDING]);
    let mut c = Case::of(w, B, FEB);
    c.rollup.previous = None;
    recount(&mut c);
    b.case(
        "previous-absent",
        "February names no previous rollup and starts its stocks from zero",
        HISTORY,
        "names no previous rollup, but 140311 reports since 2026-01",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.known.insert((month(JAN), 1), w.held(B, JAN));
    c.rollup = w.desk(B).rollup(FEB, 1, &w.registry, &[], vec![]);
    c.rollup.period = month(MAR);
    c.rollup.log = w.held(B, JAN).rollup.log.clone();
    c.rollup.log.first = c.rollup.log.size;
    c.rollup.opening = rollup::Opening::default();
    recount(&mut c);
    b.case(
        "previous-skipped",
        "March follows January; there is no February",
        HISTORY,
        "the rollup of 2026-02 is missing",
        &c,
    );
    let mut c = Case::of(w, B, FEB);
    c.known.clear();
    b.case(
        "previous-withheld",
        "January's rollup is not in the file",
        HISTORY,
        "the rollup of 2026-01 is missing",
        &c,
    )
    .also(&[BINDING]);
    let mut c = Case::of(w, B, JAN);
    c.rollup.previous = Some(Digest::of(b"another"));
    b.case(
        "previous-in-first-month",
        "the first month names a previous rollup",
        HISTORY,
        "names a previous rollup in its first month",
        &c,
    )
    .also(&[BINDING]);

    let (w2, _) = reopened();
    let mut c = Case::of(&w2, B, FEB);
    c.rollup.previous = Some(w2.desk(B).held[&(month(JAN), 1)].digest());
    recount(&mut c);
    b.case(
        "previous-replaced",
        "February builds on January's first revision, which a second had replaced before",
        HISTORY,
        "is revision 1 of 2026-01, which revision 2 had replaced",
        &c,
    );

    let first = w.held(B, FEB);
    let mut c = Case::of(w, B, FEB);
    c.known.insert((month(FEB), 1), first.clone());
    c.rollup.revision = 2;
    let mut other = first.rollup.clone();
    other.plans.clear();
    c.rollup.supersedes = Some(w.desk(B).sign(&other).digest());
    b.case(
        "supersedes-forked",
        "revision 2 supersedes another revision 1 than the one that was accepted",
        HISTORY,
        "supersedes another revision 1",
        &c,
    );
    c.rollup.revision = 3;
    c.rollup.supersedes = Some(first.digest());
    b.case(
        "revision-skipped",
        "revision 3 follows revision 1",
        HISTORY,
        "revision 2 is missing",
        &c,
    );
    let mut c = Case::of(w, B, FEB);
    c.rollup.revision = 2;
    c.rollup.supersedes = Some(first.digest());
    b.case(
        "revision-withheld",
        "revision 1 is not in the file",
        HISTORY,
        "revision 1 is missing",
        &c,
    );

    // January names version 2 of the registry, February version 1.
    let note = second_registry(w, |_| {});
    let newer = w.registry.next(&note).unwrap();
    let mut january = w.held(B, JAN).rollup.clone();
    january.registry = RegistryRef {
        version: 2,
        digest: newer.digest(),
    };
    let january = w.desk(B).sign(&january);
    let mut c = Case::of(w, B, FEB);
    c.rollup.previous = Some(january.digest());
    c.known.insert((month(JAN), 1), january);
    let mut e = evidence_of(&c);
    e.registries.push(note);
    b.evidence(
        "registry-backwards",
        "February names an older registry version than January did",
        HISTORY,
        "names registry version 1 after version 2",
        &e,
    );
}

// ---------------------------------------------------------------------------------------------------------- two stories

/// A path holds one rollup, so two for one revision show by what was signed over the other one.
fn equivocation(b: &mut Book, w: &World, town: &World) {
    let mut other = w.held(B, JAN).rollup.clone();
    other.plans.clear();
    let other = w.desk(B).sign(&other);
    let mut e = honest_file(w, &[B], JAN);
    let honest = file::write(&e).unwrap();
    let mut parts = parts(&honest);
    let at = parts
        .iter()
        .position(|p| p.path.contains("/rollup/"))
        .unwrap();
    parts.insert(
        at + 1,
        Part::stored(&parts[at].path.clone(), other.note.as_bytes()),
    );
    b.add(
        "two-rollups-one-path.zip",
        "two different rollups for one revision, both at the same path",
        UNREADABLE,
        "evidence.",
        zip(&parts),
    );
    on(&mut e, B)
        .rollups
        .insert((month(JAN), 1), other.note.clone());
    b.evidence(
        "two-rollups-receipt",
        "the parent accepted one rollup for this revision, the file holds another",
        AUTHORSHIP,
        "receipt: is for other bytes",
        &e,
    );
    let mut e = honest_file(town, &[CITY, A, B], JAN);
    let mut other = town.held(B, JAN).rollup.clone();
    other.plans.clear();
    on(&mut e, B)
        .rollups
        .insert((month(JAN), 1), town.desk(B).sign(&other).note.clone());
    on(&mut e, B).receipts.clear();
    b.evidence(
        "two-rollups-parent",
        "the city's rollup was made from one rollup of the county, the file holds another",
        ARITHMETIC,
        "of child 140311 is not known here",
        &e,
    );
    // The same under a second number: two revisions that both claim to be the first.
    let mut e = honest_file(w, &[B], JAN);
    let first = on(&mut e, B).rollups[&(month(JAN), 1)].clone();
    on(&mut e, B).rollups.insert((month(JAN), 2), first);
    b.evidence(
        "rollup-other-path",
        "a rollup stands at the path of another revision",
        UNREADABLE,
        "of another unit, month or revision than its path says",
        &e,
    );
    let mut e = honest_file(w, &[B], JAN);
    on(&mut e, B)
        .rollups
        .insert((month(JAN), 1), w.held(A, JAN).note.clone());
    b.evidence(
        "rollup-other-unit",
        "another unit's rollup stands at this unit's path",
        UNREADABLE,
        "of another unit, month or revision than its path says",
        &e,
    );
}

// ---------------------------------------------------------------------------------------------------------- arithmetic

fn absent(ids: &[&str]) -> Vec<Missing> {
    ids.iter()
        .map(|m| Missing {
            unit: unit(m),
            reason: "未报".into(),
        })
        .collect()
}

fn sums(b: &mut Book, w: &World) {
    let mut c = Case::of(w, CITY, JAN);
    let sum = c.figure("I7").sum.as_mut().unwrap();
    sum.value = Some(sum.value.unwrap() + 1);
    b.case(
        "sum-off-by-one",
        "a city's total is one more than own and children",
        ARITHMETIC,
        "figure I7 (sum): value is 52 but its parts give 51",
        &c,
    );
    let mut c = Case::of(w, CITY, JAN);
    c.figure("I4").sum.as_mut().unwrap().cells[0] = vec![0, 1];
    b.case(
        "sum-cell-moved",
        "a count is moved between the cells of a city's total",
        ARITHMETIC,
        "figure I4 (sum): table kind cell workshop is 0 but its parts give 1",
        &c,
    );
    let mut c = Case::of(w, CITY, JAN);
    c.figure("I4").sum.as_mut().unwrap().cells[0] = vec![1, 1];
    b.case(
        "sum-cells",
        "the cells of a city's total do not add up to its value",
        ARITHMETIC,
        "figure I4: the cells of a table do not add up",
        &c,
    );
    let mut c = Case::of(w, CITY, JAN);
    c.figure("I6").sum.as_mut().unwrap().den = Some(1);
    b.case(
        "sum-denominator",
        "a coverage's denominator leaves one county out",
        ARITHMETIC,
        "den is 1 but its parts give 2",
        &c,
    );
    let mut c = Case::of(w, CITY, JAN);
    c.figure("I2").sum.as_mut().unwrap().declared = 0;
    b.case(
        "sum-declared",
        "a declared part is lost on the way up",
        ARITHMETIC,
        "declared part is 0 but its parts give 5",
        &c,
    );
    let mut c = Case::of(w, CITY, JAN);
    c.figure("I2").basis = Basis::Proven;
    b.case(
        "sum-basis",
        "a sum with a declared part is called proven",
        ARITHMETIC,
        "figure I2 is called proven but is declared",
        &c,
    );
    let mut c = Case::of(w, CITY, JAN);
    c.figure("I7").sum = None;
    b.case(
        "sum-absent",
        "one figure has no sum although the unit has children",
        ARITHMETIC,
        "`sum` is there exactly where there are children",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    let own = c.figure("I7").own.clone();
    c.figure("I7").sum = Some(own);
    b.case(
        "sum-without-children",
        "a county, which has no children, has a sum",
        ARITHMETIC,
        "sum although the unit has no children",
        &c,
    );
    let mut c = Case::of(w, A, JAN);
    c.figure("I4").own.cells[0] = vec![0, 0];
    b.case(
        "cells-do-not-add-up",
        "the cells of a county's figure do not add up to its value",
        ARITHMETIC,
        "figure I4: the cells of a table do not add up",
        &c,
    )
    .also(&[BINDING]);

    let with = |children: &[&str], missing: &[&str]| {
        let mut c = Case::of(w, CITY, JAN);
        let used: Vec<_> = children.iter().map(|id| w.held(id, JAN)).collect();
        c.rollup = w
            .desk(CITY)
            .rollup(JAN, 1, &w.registry, &used, absent(missing));
        c
    };
    b.case(
        "child-left-out",
        "a child is left out and not named as missing; the totals agree with that",
        ARITHMETIC,
        "child 140311 Unit 140311 is neither used nor named as missing",
        &with(&[A], &[]),
    );
    // The province names its city as missing, so that its own rollup does not depend on the city's.
    let province =
        w.desk(PROVINCE).sign(
            &w.desk(PROVINCE)
                .rollup(JAN, 1, &w.registry, &[], absent(&[CITY])),
        );
    let mut c = Case::of(w, CITY, JAN);
    c.rollup = w.desk(CITY).rollup(
        JAN,
        1,
        &w.registry,
        &[w.held(A, JAN), w.held(B, JAN), province.clone()],
        vec![],
    );
    let mut e = evidence_of(&c);
    e.units
        .insert(unit(PROVINCE), honest_part(w, PROVINCE, JAN));
    on(&mut e, PROVINCE)
        .rollups
        .insert((month(JAN), 1), province.note.clone());
    b.evidence(
        "child-stranger",
        "a unit that is no child is used as one, and added",
        ARITHMETIC,
        "14 is not a child of 1403",
        &e,
    );
    b.case(
        "missing-stranger",
        "a unit that is no child is named as missing",
        ARITHMETIC,
        "14 is not a child of 1403",
        &with(&[A, B], &[PROVINCE]),
    );
    let mut c = Case::of(w, PROVINCE, JAN);
    c.rollup = w
        .desk(PROVINCE)
        .rollup(JAN, 1, &w.registry, &[w.held(A, JAN)], absent(&[CITY]));
    let mut e = evidence_of(&c);
    e.units.remove(&unit(CITY));
    e.units.insert(unit(A), honest_part(w, A, JAN));
    b.evidence(
        "child-grandchild",
        "a province adds a county itself, past the city, which it names as missing",
        ARITHMETIC,
        "140321 is not a child of 14",
        &e,
    );
    // The city counts by version 1; the province by version 2, in which a county has moved, or is
    // new.
    let province_by = |change: &dyn Fn(&mut Registry), used: &[&str]| {
        let note = second_registry(w, change);
        let newer = w.registry.next(&note).unwrap();
        let used: Vec<_> = used.iter().map(|id| w.held(id, JAN)).collect();
        let province =
            w.desk(PROVINCE)
                .sign(&w.desk(PROVINCE).rollup(JAN, 1, &newer, &used, vec![]));
        let mut e = honest_file(w, &[PROVINCE, CITY, A, B], JAN);
        e.registries.push(note);
        on(&mut e, PROVINCE)
            .rollups
            .insert((month(JAN), 1), province.note.clone());
        e
    };
    let moves = |r: &mut Registry| {
        r.units
            .iter_mut()
            .find(|u| u.id.as_str() == B)
            .unwrap()
            .parent = Some(unit(PROVINCE))
    };
    let mut e = province_by(&moves, &[B, CITY]);
    // What the city said of it is no word of its parent any more.
    on(&mut e, B).receipts.clear();
    on(&mut e, B).checkpoints = w.desk(B).checkpoints.clone();
    b.evidence(
        "child-counted-twice",
        "a county that has moved from the city to the province is counted by both",
        ARITHMETIC,
        "child 1403 counted by registry version 1: 140311 stands below it there or in version 2",
        &e,
    );
    let adds = |r: &mut Registry| {
        let mut new = r.units.iter().find(|u| u.id.as_str() == B).unwrap().clone();
        new.id = unit("140322");
        new.keys[0].vkey = key("140322", Alg::Ed25519, 1).vkey();
        new.witness = key("140322/witness", Alg::CosignatureV1, 2).vkey();
        r.units.push(new);
    };
    b.evidence(
        "child-left-out-by-version",
        "a county is new in version 2; the city names version 1 and says nothing of it",
        ARITHMETIC,
        "child 1403 counted by registry version 1: 140322 stands below it there or in version 2",
        &province_by(&adds, &[CITY]),
    );
    let mut c = Case::of(w, CITY, JAN);
    c.rollup.children[0].rollup = w.held(B, JAN).digest();
    b.case(
        "child-other-rollup",
        "a child is named with another child's rollup",
        ARITHMETIC,
        "of another unit, month or revision",
        &c,
    );
    let mut c = Case::of(w, CITY, JAN);
    c.rollup.children[0].revision = 2;
    b.case(
        "child-other-revision",
        "a child is named with another revision than its rollup's",
        ARITHMETIC,
        "of another unit, month or revision",
        &c,
    );
    let mut e = honest_file(w, &[CITY, A, B], JAN);
    e.units.remove(&unit(B));
    b.evidence(
        "child-withheld",
        "a child's part is not in the file",
        ARITHMETIC,
        "of child 140311 is not known here",
        &e,
    );
}

// --------------------------------------------------------------------------------------------------- binding: commitments

fn commitments(b: &mut Book, w: &World) {
    let event = "employment.started";
    let zhang = &w.desk(B).people[0];
    let mut spare = Spare::new();
    let stolen = w.desk(A).statement(leaf(w, A, event));
    let mut s = spare.blank(B, event, JAN);
    (s.row, s.record) = (stolen.row, stolen.record);
    let mut c = Case::of(w, B, JAN);
    c.append(&s, zhang);
    b.case(
        "commitment-of-another-county",
        "another county's commitment stands in an own leaf; the opening is left as it was",
        BINDING,
        "add up to 1, but there are 2 leaves",
        &c,
    );
    // Its row can be guessed; of its blinding only the other county's sum over the whole month is
    // known.
    let (_, columns, _) = &w.desk(A).records[&leaf(w, A, event)];
    let schema = w.counting.generators.schema(event).unwrap();
    let row = schema
        .from_named(&columns.iter().map(|n| (n.clone(), 1)).collect())
        .unwrap();
    row::accumulate(
        c.rollup.opening.sums.get_mut(event).unwrap(),
        schema.columns(),
        &row,
        1,
    );
    recount(&mut c);
    b.case(
        "commitment-of-another-county-sums",
        "the same, and the opening's sums and the figures count its row",
        BINDING,
        "not the sum of the commitments",
        &c,
    );
    c.rollup.opening.blinding.0 += w.held(A, JAN).rollup.opening.blinding.0;
    b.case(
        "commitment-of-another-county-blinding",
        "the same, and the other county's published blinding sum is added",
        BINDING,
        "not the sum of the commitments",
        &c,
    );

    // A row of one event type is none of another, though it has the same shape.
    let registered = "person.registered";
    let mut c = Case::of(w, B, JAN);
    let mut s = w.desk(B).statement(leaf(w, B, registered));
    s.id = spare.blank(B, "x", JAN).id;
    s.event = "employment.ended".into();
    c.append(&s, zhang);
    c.rollup
        .opening
        .sums
        .insert("employment.ended".into(), vec![0, 0, 1, 0, 0, 1]);
    let (_, _, blinding) = &w.desk(B).records[&leaf(w, B, registered)];
    c.rollup.opening.blinding.0 += blinding;
    recount(&mut c);
    b.case(
        "commitment-of-another-type",
        "a commitment to a row of one event type stands in a leaf of another",
        BINDING,
        "not the sum of the commitments",
        &c,
    );

    // Rows that no honest event has: what the block sums see.
    let schema = w.counting.generators.schema(registered).unwrap();
    let at = |name: &str| column(w, registered, name);
    let honest = [(at("I2:in:sex:-"), 1), (at("I2:out:sex:-"), 1)];
    for (name, case, row, part) in [
        (
            "row-counts-two",
            "a commitment to a row that counts one person twice",
            vec![(at("I2:in:sex:1"), 2), honest[1]],
            "figure I2 add up to 3, but there are 2 leaves",
        ),
        (
            "row-counts-both",
            "a commitment to a row that counts and does not count",
            vec![(at("I2:in:sex:1"), 1), honest[0], honest[1]],
            "figure I2 add up to 3, but there are 2 leaves",
        ),
        (
            "row-counts-none",
            "a commitment to a row with an empty block",
            vec![honest[0]],
            "figure I2 add up to 1, but there are 2 leaves",
        ),
    ] {
        let mut c = Case::of(w, B, JAN);
        let mut s = spare.blank(B, registered, JAN);
        let r = Scalar::from(7_u64);
        s.row = Some(w.counting.generators.commit(registered, &row, &r).unwrap());
        s.record = w.desk(B).statement(4).record;
        row::accumulate(
            c.rollup.opening.sums.get_mut(registered).unwrap(),
            schema.columns(),
            &row,
            1,
        );
        c.rollup.opening.blinding.0 += r;
        c.append(&s, zhang);
        recount(&mut c);
        b.case(name, case, BINDING, part, &c);
    }
    // Extreme weights that cancel within their block.
    let row = [
        (at("I2:out:sex:1"), i64::MIN),
        (at("I2:out:sex:2"), i64::MAX),
        (at("I2:out:sex:-"), 2),
        honest[0],
    ];
    let mut c = Case::of(w, B, JAN);
    let mut s = spare.blank(B, registered, JAN);
    s.row = Some(
        w.counting
            .generators
            .commit(registered, &row, &Scalar::ONE)
            .unwrap(),
    );
    s.record = w.desk(B).statement(4).record;
    row::accumulate(
        c.rollup.opening.sums.get_mut(registered).unwrap(),
        schema.columns(),
        &row,
        1,
    );
    c.rollup.opening.blinding.0 += Scalar::ONE;
    c.append(&s, zhang);
    b.case(
        "row-extreme",
        "a commitment to weights beyond 2^53 that cancel within their block",
        BINDING,
        "out of range",
        &c,
    );
}

fn clear_rows(b: &mut Book, w: &World) {
    let mut spare = Spare::new();
    let day = ("occurred_on", text("2026-01-12"));
    let attended = |n: i64| [("attended", Value::Int(n)), day.clone()];
    let count = "I7:n:total:total";
    let c2 =
        |reference: &str, kind: &str| [("ref", text(reference)), ("kind", text(kind)), day.clone()];
    // The figures follow what the statement claims to count: only its fields contradict it.
    let mut attempt = |id: &str,
                       name: &str,
                       case: &str,
                       part: &str,
                       (claimed, cel): (bool, bool),
                       s: &Statement| {
        let mut c = Case::of(w, id, JAN);
        c.append(s, &w.desk(id).people[0]);
        if claimed {
            recount_with(&mut c, &claim(w, s));
        }
        let entry = b.case(name, case, BINDING, part, &c);
        if cel {
            entry.cel();
        }
    };
    let (counted, by_fields, not_counted) = ((true, false), (true, true), (false, false));
    let wrong = "its counts do not follow from its fields";
    let s = spare.clear(B, "training.held", JAN, &attended(3), &[(count, 4)]);
    attempt(
        B,
        "clear-row-more",
        "a clear statement counts 4 where its field says 3",
        wrong,
        by_fields,
        &s,
    );
    let s = spare.clear(B, "training.held", JAN, &attended(3), &[]);
    attempt(
        B,
        "clear-row-none",
        "a clear statement counts nothing where its field says 3",
        wrong,
        by_fields,
        &s,
    );
    let s = spare.clear(
        B,
        "carrier.opened",
        JAN,
        &c2("c1", "workshop"),
        &[("I4:in:kind:station", 1)],
    );
    attempt(
        B,
        "clear-row-cell",
        "a clear statement counts in another cell than its field names",
        wrong,
        by_fields,
        &s,
    );
    let s = spare.clear(
        A,
        "carrier.opened",
        JAN,
        &c2("c1", "workshop"),
        &[("I4:in:kind:workshop", 1)],
    );
    attempt(
        A,
        "clear-row-again",
        "a carrier that is open already is opened and counted again",
        wrong,
        by_fields,
        &s,
    );
    let s = spare.clear(
        B,
        "training.held",
        JAN,
        &attended(3),
        &[(count, 3), ("I9:n:total:total", 1)],
    );
    attempt(
        B,
        "clear-row-column",
        "a clear statement counts in a column that its schema does not have",
        wrong,
        counted,
        &s,
    );
    let s = spare.clear(B, "training.held", JAN, &attended(-3), &[(count, -3)]);
    attempt(
        B,
        "clear-row-negative",
        "a clear statement with a negative weight",
        "cannot hold -3",
        counted,
        &s,
    );
    let s = spare.clear(
        B,
        "training.held",
        JAN,
        &attended(i64::MAX),
        &[(count, i64::MAX)],
    );
    attempt(
        B,
        "clear-row-large",
        "a clear statement with a weight of 2^63 - 1",
        "cannot hold",
        not_counted,
        &s,
    );
    let s = spare.clear(B, "training.held", JAN, &attended(3)[..1], &[(count, 3)]);
    attempt(
        B,
        "clear-row-no-day",
        "a clear statement without a day of occurrence",
        "no day of occurrence",
        by_fields,
        &s,
    );
    let s = spare.clear(B, "training.held", JAN, &attended(3), &[(count, 3)]);
    attempt(
        B,
        "clear-row-not-counted",
        "a clear statement that is right, but the figures do not count it",
        "figure I7 (own): value is 2 but its parts give 5",
        not_counted,
        &s,
    );
    let mut s = w.desk(B).statement(4);
    s.id = spare.blank(B, "x", JAN).id;
    s.event = "training.held".into();
    attempt(
        B,
        "sealed-where-clear",
        "a statement is sealed although its type is published in clear",
        "published in clear although it is sealed, or the reverse",
        not_counted,
        &s,
    );
    s.event = "no.such".into();
    attempt(
        B,
        "type-unknown",
        "a statement of a type that the catalogue does not have",
        "unknown event type",
        not_counted,
        &s,
    );
    s.catalogue = Digest::of(b"other");
    attempt(
        B,
        "catalogue-unknown",
        "a statement by a catalogue that is not in the file",
        "catalogue that is not known here",
        not_counted,
        &s,
    );
}

// ------------------------------------------------------------------------------------------------------------- receipts

fn receipts(b: &mut Book, w: &World) {
    let honest = w.receipt(B, JAN);
    let desk = w.desk(B);
    let size = w.held(B, JAN).rollup.log.size;
    let with = |note: Note| {
        let mut e = honest_file(w, &[B], JAN);
        on(&mut e, B).receipts.insert((month(JAN), 1, 0), note);
        e
    };
    let changed = |change: &dyn Fn(&mut Receipt)| {
        let mut r = honest.clone();
        change(&mut r);
        with(w.sign_receipt(&r))
    };
    let e = changed(&|r| r.rollup = w.held(A, JAN).digest());
    b.evidence(
        "receipt-other-bytes",
        "a receipt for another rollup's bytes",
        AUTHORSHIP,
        "receipt: is for other bytes",
        &e,
    );
    let e = changed(&|r| r.revision = 2);
    b.evidence(
        "receipt-other-revision",
        "a receipt for another revision",
        AUTHORSHIP,
        "receipt: is for other bytes",
        &e,
    );
    let e = with(Note::sign(&honest.to_text().unwrap(), &[&w.desk(A).node]).unwrap());
    b.evidence(
        "receipt-by-another-unit",
        "a receipt that names the parent but is signed by another unit",
        AUTHORSHIP,
        "is not signed by 1403 alone",
        &e,
    );
    let e = changed(&|r| r.parent = unit(PROVINCE));
    b.evidence(
        "receipt-by-the-province",
        "a receipt by a unit that is not the parent",
        AUTHORSHIP,
        "receipt: is between other units",
        &e,
    );
    let e = changed(&|r| r.child = unit(A));
    b.evidence(
        "receipt-for-another-child",
        "a receipt for another child",
        AUTHORSHIP,
        "receipt: is between other units",
        &e,
    );
    let e = with(
        w.sign_receipt(&honest)
            .add_signature(&w.desk(A).node)
            .unwrap(),
    );
    b.evidence(
        "receipt-strange-line",
        "a receipt with another unit's signature line beside the parent's",
        AUTHORSHIP,
        "that cannot be checked",
        &e,
    );
    let e = changed(&|r| r.checkpoint = plain(&desk.checkpoint(size)));
    b.evidence(
        "receipt-not-cosigned",
        "a receipt that accepts, without the parent's cosignature",
        AUTHORSHIP,
        "has not cosigned",
        &e,
    );
    let by_province =
        add_cosignature(&desk.checkpoint(size), &w.desk(PROVINCE).witness, TIME).unwrap();
    let e = changed(&|r| r.checkpoint = plain(&by_province));
    b.evidence(
        "receipt-cosigned-by-another",
        "a receipt that accepts, cosigned by another unit's witness",
        AUTHORSHIP,
        "has not cosigned",
        &e,
    );
    let less = add_cosignature(&desk.checkpoint(size - 1), &w.desk(CITY).witness, TIME).unwrap();
    let e = changed(&|r| r.checkpoint = plain(&less));
    b.evidence(
        "receipt-other-checkpoint",
        "a receipt that cosigns a smaller log than the rollup's",
        AUTHORSHIP,
        "another checkpoint than the rollup's",
        &e,
    );
    let e = changed(&|r| r.checkpoint = String::new());
    b.evidence(
        "receipt-no-checkpoint",
        "a receipt that accepts, without a checkpoint",
        AUTHORSHIP,
        "not a signed note",
        &e,
    );
    // The time is in the signed bytes of the cosignature.
    let right = add_cosignature(&desk.checkpoint(size), &w.desk(CITY).witness, TIME).unwrap();
    let line = right.signatures().last().unwrap();
    let mut blob = line.blob().to_vec();
    blob[7] ^= 1;
    let wrong = desk
        .checkpoint(size)
        .add_line(line.name(), line.key_id(), &blob)
        .unwrap();
    let e = changed(&|r| r.checkpoint = plain(&wrong));
    b.evidence(
        "receipt-cosignature-time",
        "a receipt whose cosignature has another time than was signed",
        AUTHORSHIP,
        "receipt: checkpoint: ",
        &e,
    );

    let signed = |json: &str| with(forged(protocol::receipt::KIND, json, &[&w.desk(CITY).node]));
    let json = json_of(&honest.to_text().unwrap());
    let e = signed(&replaced(
        &json,
        "\"outcome\":\"holds\"",
        "\"outcome\":\"fails\"",
    ));
    b.evidence(
        "receipt-accepts-failed",
        "a receipt that accepts although a check failed",
        AUTHORSHIP,
        "cannot be accepted",
        &e,
    );
    let e = signed(&replaced(
        &json,
        "\"decision\":\"accepted\"",
        "\"decision\":\"rejected\"",
    ));
    b.evidence(
        "receipt-rejects-held",
        "a receipt that rejects although no check failed",
        AUTHORSHIP,
        "rejected by a failed check",
        &e,
    );
    let e = signed(&replaced(
        &json,
        "\"decision\":\"accepted\"",
        "\"decision\":\"returned\"",
    ));
    b.evidence(
        "receipt-no-reason",
        "a receipt that returns a rollup without a reason",
        AUTHORSHIP,
        "needs a reason",
        &e,
    );

    let mut e = honest_file(w, &[B], JAN);
    let mut r = honest.clone();
    (r.decision, r.reasons) = (Decision::Returned, vec!["?".into()]);
    r.decided = "2026-01-01T00:00:00Z".into();
    on(&mut e, B)
        .receipts
        .insert((month(JAN), 1, 1), w.sign_receipt(&r));
    b.evidence(
        "receipt-order",
        "a second receipt that was decided before the first",
        AUTHORSHIP,
        "order in which the parent decided",
        &e,
    );
    let mut e = honest_file(w, &[B], JAN);
    let note = w.sign_receipt(&w.receipt(B, FEB));
    on(&mut e, B).receipts.insert((month(FEB), 1, 0), note);
    b.evidence(
        "receipt-without-rollup",
        "a receipt whose rollup is not in the file",
        UNREADABLE,
        "has a receipt for 2026-02.1, but not the rollup",
        &e,
    );
    let mut e = honest_file(w, &[PROVINCE], JAN);
    // The province alone, with its city named as missing, and a receipt that nobody could give.
    let c = w
        .desk(PROVINCE)
        .rollup(JAN, 1, &w.registry, &[], absent(&[CITY]));
    let mut c = Rollup {
        log: w.held(PROVINCE, JAN).rollup.log.clone(),
        ..c
    };
    c.log.first = c.log.size;
    let held = w.desk(PROVINCE).sign(&c);
    on(&mut e, PROVINCE)
        .rollups
        .insert((month(JAN), 1), held.note.clone());
    let mut r = honest.clone();
    (r.parent, r.child, r.rollup) = (unit(CITY), unit(PROVINCE), held.digest());
    on(&mut e, PROVINCE)
        .receipts
        .insert((month(JAN), 1, 0), w.sign_receipt(&r));
    b.evidence(
        "receipt-for-the-top",
        "a receipt for the top unit, which has no parent",
        AUTHORSHIP,
        "no parent that could answer",
        &e,
    );

    let claim = |signer: &SigningKey, received: &str| {
        let a = Arrivals {
            by: unit(CITY),
            received: [(w.held(B, JAN).digest(), received.to_string())].into(),
        };
        let mut e = honest_file(w, &[B], JAN);
        e.arrivals = Some(Note::sign(&a.to_text().unwrap(), &[signer]).unwrap());
        e
    };
    b.evidence(
        "arrivals-by-another",
        "arrivals that name the city but are signed by a county",
        UNREADABLE,
        "that cannot be checked",
        &claim(&w.desk(A).node, "2026-02-01T00:00:00Z"),
    );
    b.evidence(
        "arrivals-no-time",
        "arrivals with something that is not a time",
        UNREADABLE,
        "is not a time",
        &claim(&w.desk(CITY).node, "yesterday"),
    );
}

// ------------------------------------------------------------------------------------------------------------- registry

fn registries(b: &mut Book, w: &World) {
    let roots = &w.roots;
    let both = [&roots[0], &roots[1]];
    let document = |version: u64, previous: Option<Digest>| {
        let mut r = w.registry.registry().clone();
        (r.version, r.previous) = (version, previous);
        r
    };
    let one = &w.registries[0];
    let two = second_registry(w, |_| {});
    let second = w.registry.next(&two).unwrap();
    let chain = |notes: &[&Note]| {
        let mut e = honest_file(w, &[B], JAN);
        e.registries = notes.iter().map(|n| (*n).clone()).collect();
        e
    };
    let three = sign_registry(&document(3, Some(second.digest())), &both);
    b.evidence(
        "registry-skipped",
        "registry version 3 follows version 1",
        UNREADABLE,
        "registry version 3 cannot follow version 1",
        &chain(&[one, &three]),
    );
    b.evidence(
        "registry-without-first",
        "the chain begins with version 2",
        UNREADABLE,
        "registry version 2 cannot follow version 0",
        &chain(&[&two]),
    );
    b.evidence(
        "registry-none",
        "there is no registry",
        UNREADABLE,
        "there is none",
        &chain(&[]),
    );
    let forked = sign_registry(&document(2, Some(Digest::of(b"other"))), &both);
    b.evidence(
        "registry-forked",
        "version 2 names another version 1",
        UNREADABLE,
        "the registry was forked",
        &chain(&[one, &forked]),
    );
    let few = sign_registry(&document(2, Some(w.registry.digest())), &[&roots[0]]);
    b.evidence(
        "registry-few",
        "version 2 is signed by one of the two roots that are needed",
        UNREADABLE,
        "signed by 1 of the 2 root keys of the version before",
        &chain(&[one, &few]),
    );
    let few = sign_registry(w.registry.registry(), &[&roots[0]]);
    b.evidence(
        "registry-few-first",
        "version 1 is signed by one of the two roots that are needed",
        UNREADABLE,
        "signed by 1 of the 2 root keys of its own",
        &chain(&[&few]),
    );
    b.evidence(
        "registry-replayed",
        "version 2 stands twice",
        UNREADABLE,
        "registry version 2 cannot follow version 2",
        &chain(&[one, &two, &two]),
    );
    b.evidence(
        "registry-rolled-back",
        "version 1 follows version 2",
        UNREADABLE,
        "registry version 1 cannot follow version 2",
        &chain(&[one, &two, one]),
    );
    let strangers = [
        key("root-c", Alg::Ed25519, 9),
        key("root-d", Alg::Ed25519, 9),
    ];
    let mut usurped = document(2, Some(w.registry.digest()));
    usurped.roots = strangers.iter().map(SigningKey::vkey).collect();
    let by = |keys: &[&SigningKey]| sign_registry(&usurped, keys);
    b.evidence(
        "registry-usurped",
        "version 2 has new roots and is signed by them alone",
        UNREADABLE,
        "signed by 0 of the 2 root keys of the version before",
        &chain(&[one, &by(&[&strangers[0], &strangers[1]])]),
    );
    b.evidence(
        "registry-appointed",
        "version 2 has new roots that have not signed it",
        UNREADABLE,
        "signed by 0 of the 2 root keys of its own",
        &chain(&[one, &by(&both)]),
    );
    let root = strangers[0].vkey().to_string();
    b.evidence(
        "registry-other-root",
        "the reader knows another root key than the chain's",
        UNREADABLE,
        "root keys of the reader",
        &chain(&[one]),
    )
    .root = root;
    b.evidence(
        "registry-strange-line",
        "version 1 has one more signature line, of a key that nobody knows",
        UNREADABLE,
        "stranger that cannot be checked",
        &chain(&[&one
            .add_signature(&key("stranger", Alg::Ed25519, 1))
            .unwrap()]),
    );

    let json = json_of(one.text());
    let mut forge = |name: &str, case: &str, part: &str, json: &str| {
        let note = forged(protocol::registry::KIND, json, &both);
        b.evidence(name, case, UNREADABLE, part, &chain(&[&note]));
    };
    forge(
        "registry-threshold",
        "a threshold of more than there are roots",
        "threshold",
        &replaced(&json, "\"threshold\":2", "\"threshold\":3"),
    );
    forge(
        "registry-parent",
        "a unit whose parent does not exist",
        "names a parent that does not exist",
        &replaced(&json, "\"parent\":\"1403\"", "\"parent\":\"1499\""),
    );
    forge(
        "registry-cycle",
        "two counties, one of which is the other's parent",
        "not of a higher tier",
        &replaced(&json, "\"parent\":\"1403\"", "\"parent\":\"140321\""),
    );
    let mut seed = *Digest::of(b"root-a").as_bytes();
    seed[0] = 9;
    let alias = SigningKey::from_seed("root-z", Alg::Ed25519, seed).unwrap();
    let named = replaced(&json, &roots[1].vkey().to_string(), alias.vkey().as_str());
    let note = forged(protocol::registry::KIND, &named, &[&roots[0], &alias]);
    b.evidence(
        "registry-root-alias",
        "one root key under two names, to reach the threshold alone",
        UNREADABLE,
        "distinct root keys",
        &chain(&[&note]),
    );

    let mut e = honest_file(w, &[B], JAN);
    let catalogue = published::catalogue_text(&w.counting.catalogue).unwrap();
    e.catalogues = vec![Note::sign(&catalogue, &[&roots[0]]).unwrap()];
    b.evidence(
        "catalogue-few",
        "the catalogue is signed by one of the two roots that are needed",
        UNREADABLE,
        "signed by 1 of the 2 root keys",
        &e,
    );
    e.catalogues = vec![Note::sign(&replaced(&catalogue, "{\"id\":", "{ \"id\":"), &both).unwrap()];
    b.evidence(
        "catalogue-text",
        "the catalogue is signed, but written in another way than the one",
        UNREADABLE,
        "written in one way",
        &e,
    );
    e.catalogues.clear();
    b.evidence(
        "catalogue-none",
        "the catalogue is not in the file",
        BINDING,
        "catalogue that is not known here",
        &e,
    )
    .also(&[ARITHMETIC]);
}

// ------------------------------------------------------------------------- documents that must not be read leniently

fn documents(b: &mut Book, w: &World) {
    let desk = w.desk(B);
    let signers = [
        &desk.node,
        &desk.people[1],
        &desk.people[2],
        &desk.people[3],
    ];
    let json = json_of(w.held(B, JAN).note.text());
    let mut forge = |name: &str, case: &str, json: &str, part: &str| {
        let mut e = unanswered(w);
        on(&mut e, B)
            .rollups
            .insert((month(JAN), 1), forged(rollup::KIND, json, &signers));
        b.evidence(name, case, UNREADABLE, part, &e);
    };
    forge(
        "rollup-member-twice",
        "a rollup in which a member stands twice",
        &replaced(&json, "\"voided\":0", "\"voided\":0,\"voided\":0"),
        "rollup.json",
    );
    forge(
        "rollup-map-twice",
        "a rollup whose opening has one event type twice",
        &replaced(&json, "\"sums\":{", "\"sums\":{\"person.registered\":[0],"),
        "twice",
    );
    forge(
        "rollup-member-unknown",
        "a rollup with a member that no rollup has",
        &replaced(&json, "\"voided\":0", "\"voided\":0,\"note\":\"x\""),
        "rollup.json",
    );
    forge(
        "rollup-member-missing",
        "a rollup without one of its members",
        &replaced(&json, "\"voided\":0,", ""),
        "rollup.json",
    );
    forge(
        "rollup-fraction",
        "a rollup with a number written as 0.0",
        &replaced(&json, "\"voided\":0", "\"voided\":0.0"),
        "rollup.json",
    );
    forge(
        "rollup-exponent",
        "a rollup with a number written as 0e0",
        &replaced(&json, "\"voided\":0", "\"voided\":0e0"),
        "rollup.json",
    );
    forge(
        "rollup-month",
        "a rollup of a month that is written as 2026-1",
        &replaced(&json, "\"period\":\"2026-01\"", "\"period\":\"2026-1\""),
        "rollup.json",
    );
    forge(
        "rollup-digest-upper",
        "a rollup that names its catalogue in capital hex digits",
        &json.replace(
            &w.counting.digest.to_string(),
            &format!(
                "sha256:{}",
                w.counting.digest.to_string()[7..].to_uppercase()
            ),
        ),
        "rollup.json",
    );
    let blinding = hex::encode(w.held(B, JAN).rollup.opening.blinding.0.as_bytes());
    forge(
        "rollup-blinding-order",
        "a blinding sum that is the group order instead of zero",
        &replaced(
            &json,
            &blinding,
            "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
        ),
        "commitment.scalar",
    );
    forge(
        "rollup-first",
        "a rollup whose first leaf lies behind its log",
        &replaced(&json, "\"first\":4", "\"first\":8"),
        "rollup.shape",
    );
    forge(
        "rollup-supersedes",
        "a first revision that supersedes something",
        &replaced(
            &json,
            "\"supersedes\":null",
            &format!("\"supersedes\":\"{}\"", Digest::of(b"x")),
        ),
        "rollup.shape",
    );
    forge(
        "rollup-two-signatories",
        "preparer and head are one person",
        &replaced(&json, "\"head\":\"140311/zhao\"", "\"head\":\"140311/li\""),
        "three people",
    );
    forge(
        "rollup-reason",
        "a missing child without a reason",
        &replaced(
            &json,
            "\"missing\":[]",
            "\"missing\":[{\"unit\":\"14\",\"reason\":\" \"}]",
        ),
        "rollup.shape",
    );
    forge(
        "rollup-child-twice",
        "a child named twice",
        &replaced(
            &json,
            "\"missing\":[]",
            "\"missing\":[{\"unit\":\"14\",\"reason\":\"x\"},{\"unit\":\"14\",\"reason\":\"x\"}]",
        ),
        "named twice",
    );
}

// ------------------------------------------------------------------------------------------------------ the file's bytes

/// One part of a zip, for files that the writer would not write.
#[derive(Clone)]
pub struct Part {
    pub path: String,
    pub bytes: Vec<u8>,
    pub deflate: bool,
    pub date: u16,
}

impl Part {
    fn stored(path: &str, bytes: &[u8]) -> Part {
        Part {
            path: path.into(),
            bytes: bytes.to_vec(),
            deflate: false,
            date: 0x0021,
        }
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| {
            if c & 1 == 1 {
                c >> 1 ^ 0xedb8_8320
            } else {
                c >> 1
            }
        })
    };
    !bytes.iter().fold(!0, step)
}

fn number(bytes: &[u8], at: usize, len: usize) -> usize {
    bytes[at..at + len]
        .iter()
        .rev()
        .fold(0, |n, b| n << 8 | usize::from(*b))
}

/// Splits a file that is right.
pub fn parts(bytes: &[u8]) -> Vec<Part> {
    let (mut at, mut all) = (0, vec![]);
    while bytes[at..].starts_with(b"PK\x03\x04") {
        let (size, name) = (number(bytes, at + 18, 4), number(bytes, at + 26, 2));
        let start = at + 30 + name;
        all.push(Part::stored(
            std::str::from_utf8(&bytes[at + 30..start]).unwrap(),
            &bytes[start..start + size],
        ));
        at = start + size;
    }
    all
}

/// SPEC section 11, written a second time.
pub fn zip(parts: &[Part]) -> Vec<u8> {
    let (mut body, mut central) = (Vec::new(), Vec::new());
    for p in parts {
        // A deflate stream of one stored block: no compressor needed, and every unzip reads it.
        let block = || {
            let len = u16::try_from(p.bytes.len()).unwrap();
            [
                &[1][..],
                &len.to_le_bytes(),
                &(!len).to_le_bytes(),
                &p.bytes,
            ]
            .concat()
        };
        let data = if p.deflate { &block() } else { &p.bytes };
        let mut common = Vec::new();
        for field in [
            if p.deflate { 20 } else { 10 },
            0,
            if p.deflate { 8 } else { 0 },
            0,
            p.date,
        ] {
            common.extend(field.to_le_bytes());
        }
        for field in [
            crc32(&p.bytes),
            u32::try_from(data.len()).unwrap(),
            u32::try_from(p.bytes.len()).unwrap(),
        ] {
            common.extend(field.to_le_bytes());
        }
        common.extend(u16::try_from(p.path.len()).unwrap().to_le_bytes());
        common.extend([0; 2]);
        let offset = u32::try_from(body.len()).unwrap().to_le_bytes();
        body.extend([b"PK\x03\x04", &common[..], p.path.as_bytes(), data].concat());
        central.extend(
            [
                b"PK\x01\x02",
                &0x030A_u16.to_le_bytes()[..],
                &common,
                &[0; 6],
                &0x81A4_0000_u32.to_le_bytes(),
                &offset,
                p.path.as_bytes(),
            ]
            .concat(),
        );
    }
    let count = u16::try_from(parts.len()).unwrap().to_le_bytes();
    let (size, offset) = (
        u32::try_from(central.len()).unwrap().to_le_bytes(),
        u32::try_from(body.len()).unwrap().to_le_bytes(),
    );
    [
        &body[..],
        &central,
        b"PK\x05\x06",
        &[0; 4],
        &count,
        &count,
        &size,
        &offset,
        &[0; 2],
    ]
    .concat()
}

fn zips(b: &mut Book) {
    let honest = file::write(&small_evidence()).unwrap();
    let all = parts(&honest);
    assert!(
        zip(&all) == honest,
        "SPEC section 11 gives other bytes than the writer"
    );
    let mut bad = |name: &str, case: &str, part: &str, bytes: Vec<u8>| {
        b.add(&format!("zip-{name}.zip"), case, UNREADABLE, part, bytes);
    };
    bad(
        "truncated",
        "the file ends in its middle",
        "evidence.zip",
        honest[..honest.len() / 2].to_vec(),
    );
    bad(
        "truncated-one",
        "the last byte is cut off",
        "evidence.",
        honest[..honest.len() - 1].to_vec(),
    );
    bad(
        "trailing",
        "one byte follows the file",
        "evidence.",
        [&honest[..], &[0]].concat(),
    );
    bad(
        "leading",
        "one byte precedes the file",
        "evidence.",
        [&[0], &honest[..]].concat(),
    );
    bad("empty", "a file without any bytes", "evidence.zip", vec![]);

    let find = |needle: &[u8]| {
        honest
            .windows(needle.len())
            .position(|w| w == needle)
            .unwrap()
    };
    let local = |path: &str| find(path.as_bytes()) - 30;
    let directory = find(b"PK\x01\x02");
    let end = honest.len() - 22;
    let rollup = local("unit/140311/rollup/2026-01.1.note");
    let content = rollup + 30 + "unit/140311/rollup/2026-01.1.note".len();
    for (name, case, at, part) in [
        (
            "byte-signature",
            "one bit of the first header's signature is changed",
            0,
            "evidence.",
        ),
        (
            "byte-local-date",
            "one bit of a date in a local header is changed",
            rollup + 12,
            "evidence.bytes",
        ),
        (
            "byte-local-flags",
            "one bit of the flags in a local header is changed",
            rollup + 7,
            "evidence.",
        ),
        (
            "byte-local-crc",
            "one bit of a checksum in a local header is changed",
            rollup + 14,
            "evidence.bytes",
        ),
        (
            "byte-local-name",
            "one bit of a path in a local header is changed",
            rollup + 30,
            "evidence.bytes",
        ),
        (
            "byte-rollup",
            "one bit of the rollup is changed, its checksum is not",
            content + 200,
            "evidence.part",
        ),
        (
            "byte-central-made-by",
            "one bit of the system in the central directory is changed",
            directory + 5,
            "evidence.bytes",
        ),
        (
            "byte-central-attributes",
            "one bit of the attributes in the central directory is changed",
            directory + 40,
            "evidence.bytes",
        ),
        (
            "byte-central-name",
            "one bit of a path in the central directory is changed",
            directory + 46,
            "evidence.",
        ),
        (
            "byte-end-disk",
            "one bit of a disk number in the end record is changed",
            end + 4,
            "evidence.",
        ),
        (
            "byte-end-comment",
            "one bit of the comment's length is changed",
            end + 20,
            "evidence.",
        ),
    ] {
        let mut bytes = honest.clone();
        bytes[at] ^= 1;
        bad(name, case, part, bytes);
    }

    let at = |path: &str| all.iter().position(|p| p.path.contains(path)).unwrap();
    let change = |f: &dyn Fn(&mut Vec<Part>)| {
        let mut p = all.clone();
        f(&mut p);
        zip(&p)
    };
    bad(
        "compressed",
        "one part is compressed (deflate)",
        "evidence.",
        change(&|p| p[at("/rollup/")].deflate = true),
    );
    bad(
        "compressed-all",
        "every part is compressed (deflate)",
        "evidence.",
        change(&|p| p.iter_mut().for_each(|p| p.deflate = true)),
    );
    bad(
        "extra-file",
        "a file that does not belong there",
        "evidence.path",
        change(&|p| p.push(Part::stored("zzz.txt", b"hello"))),
    );
    bad(
        "extra-folder",
        "an entry for a folder",
        "evidence.path",
        change(&|p| p.insert(at("unit/"), Part::stored("unit/", b""))),
    );
    bad(
        "extra-registry",
        "a registry under a path that is not its version's",
        "evidence.bytes",
        change(&|p| p[at("registry/")].path = "registry/000007.note".into()),
    );
    bad(
        "other-catalogue-path",
        "the catalogue under another digest's path",
        "evidence.bytes",
        change(&|p| p[at("catalogue/")].path = format!("catalogue/sha256-{}.note", "0".repeat(64))),
    );
    bad(
        "month-path",
        "a rollup whose path writes the revision as 01",
        "evidence.bytes",
        change(&|p| p[at("/rollup/")].path = "unit/140311/rollup/2026-01.01.note".into()),
    );
    bad(
        "order",
        "two parts change places",
        "evidence.bytes",
        change(&|p| p.swap(1, 2)),
    );
    bad(
        "no-mark",
        "the part that names the format is missing",
        "evidence.bytes",
        change(&|p| drop(p.remove(0))),
    );
    bad(
        "mark-content",
        "the part that names the format is not empty",
        "evidence.path",
        change(&|p| p[0].bytes = b"1".to_vec()),
    );
    bad(
        "other-mark",
        "the part that names the format names another version",
        "evidence.path",
        change(&|p| p[0].path = "countersign-evidence-v2".into()),
    );
    bad(
        "date",
        "one part has another date",
        "evidence.bytes",
        change(&|p| p[at("/rollup/")].date = 0x5c21),
    );
    bad(
        "part-twice",
        "one part stands twice",
        "evidence.",
        change(&|p| p.insert(1, p[1].clone())),
    );
    bad(
        "note-spare-bits",
        "a signature is written with its spare base64 bits set",
        "evidence.part",
        change(&|p| {
            let part = &mut p[at("/rollup/")];
            let text = String::from_utf8(part.bytes.clone()).unwrap();
            let digit = text.rfind("=\n").unwrap() - 1;
            // 64 + 4 bytes leave two spare bits in the last digit, which are zero: the next digit
            // decodes to the same bytes.
            assert!(part.bytes[digit - 1].is_ascii());
            const DIGITS: &[u8] =
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            let n = DIGITS.iter().position(|d| *d == part.bytes[digit]).unwrap();
            part.bytes[digit] = DIGITS[n + 1];
        }),
    );
    bad(
        "note-carriage-returns",
        "the rollup's lines end with carriage return and newline",
        "evidence.part",
        change(&|p| {
            let part = &mut p[at("/rollup/")];
            part.bytes = String::from_utf8(part.bytes.clone())
                .unwrap()
                .replace('\n', "\r\n")
                .into_bytes();
        }),
    );
    bad(
        "bundle-length",
        "the last entry of a bundle is one byte short",
        "evidence.part",
        change(&|p| p[at("/entries/")].bytes.truncate(100)),
    );
    bad(
        "bundle-empty",
        "a bundle without entries",
        "evidence.part",
        change(&|p| p[at("/entries/")].bytes.clear()),
    );
    // The zip is right, its content is not: then a check says so.
    let text = |from: &str, to: &str| {
        change(&|p| {
            let part = &mut p[at("/rollup/")];
            part.bytes =
                replaced(&String::from_utf8(part.bytes.clone()).unwrap(), from, to).into_bytes();
        })
    };
    let bytes = text("\"plans\":[\"test-plan\"]", "\"plans\":[\"test-plbn\"]");
    b.add(
        "zip-rollup-changed.zip",
        "one letter of the rollup is changed, its checksum as well",
        AUTHORSHIP,
        "not signed by a node key",
        bytes,
    );
    let bytes = change(&|p| {
        let part = &mut p[at("/entries/")];
        let at = part
            .bytes
            .windows(9)
            .rposition(|w| w == b"08:00:00Z")
            .unwrap()
            + 7;
        part.bytes[at] ^= 1;
    });
    b.add(
        "zip-leaf-changed.zip",
        "one letter of the last leaf is changed, its checksum as well",
        AUTHORSHIP,
        "its signature is wrong",
        bytes,
    )
    .also(&[HISTORY]);
}

// ---------------------------------------------------------------------------------------------------------- disclosures

fn disclosures(b: &mut Book, w: &World) {
    let good = disclosure(w);
    let mut refused = |name: &str, case: &str, part: &str, change: &dyn Fn(&mut Disclosure)| {
        let mut d = good.clone();
        change(&mut d);
        b.add(
            &format!("disclosure-{name}.json"),
            case,
            UNREADABLE,
            part,
            serde_json::to_vec_pretty(&d).unwrap(),
        );
    };
    let desk = w.desk(A);
    let entry = |n: usize| String::from_utf8(desk.entries[n].clone()).unwrap();
    refused(
        "value",
        "a field with another value",
        "field \"employer\" is not in the record",
        &|d| d.fields[0].field.2 = text("别的厂"),
    );
    refused(
        "name",
        "a field under another name",
        "not in the record",
        &|d| d.fields[0].field.1 = "name".into(),
    );
    refused(
        "salt",
        "a field with a salt of three bytes",
        "not in the record",
        &|d| d.fields[0].field.0 = "AAAA".into(),
    );
    refused(
        "field-proof",
        "a field whose proof has two hashes in the other order",
        "not in the record",
        &|d| d.fields[1].proof.swap(0, 1),
    );
    refused(
        "position",
        "a field at another position",
        "not in the record",
        &|d| d.fields[1].position = 0,
    );
    refused(
        "of",
        "a record of more than 64 fields",
        "not in the record",
        &|d| d.fields[1].of = 65,
    );
    refused(
        "proof",
        "another hash in the statement's proof",
        "not in the tree",
        &|d| d.proof[0] = "00".repeat(32),
    );
    refused(
        "proof-empty",
        "a statement without its proof",
        "hashes",
        &|d| d.proof.clear(),
    );
    refused("index", "another index", "not in the tree", &|d| {
        d.index = 6
    });
    refused(
        "statement",
        "another statement of the same log",
        "not in the tree",
        &|d| d.statement = entry(6),
    );
    refused("unit", "another unit's name", "another log", &|d| {
        d.unit = unit(B)
    });
    refused(
        "checkpoint",
        "another unit's checkpoint",
        "another log",
        &|d| d.checkpoint = plain(&w.desk(B).checkpoint(5)),
    );
    refused(
        "checkpoint-key",
        "a checkpoint signed by another unit's node",
        "not signed by the unit's node key",
        &|d| {
            d.checkpoint = plain(
                &Note::sign(desk.checkpoint(desk.size()).text(), &[&w.desk(B).node]).unwrap(),
            );
        },
    );
    refused("format", "another format", "not a disclosure", &|d| {
        d.format = "countersign-disclosure-v2".into()
    });
    refused("registry", "no registry", "no registry", &|d| {
        d.registries.clear()
    });
    let row = |d: &mut Disclosure, f: &dyn Fn(&mut ShownRow)| f(d.row.as_mut().unwrap());
    refused(
        "blinding",
        "a row with another blinding",
        "does not open to this row",
        &|d| row(d, &|r| r.blinding.0 += Scalar::ONE),
    );
    refused(
        "row-short",
        "a row without its last amount bit",
        "does not open to this row",
        &|d| row(d, &|r| drop(r.columns.pop())),
    );
    refused(
        "row-other",
        "a row that says that the person was not counted",
        "does not open to this row",
        &|d| row(d, &|r| r.columns[0] = "I1:in:sex:-".into()),
    );
    refused(
        "row-both",
        "a row that counts and does not count",
        "counts 2 times for figure I1",
        &|d| row(d, &|r| r.columns.push("I1:in:sex:-".into())),
    );
    refused(
        "row-twice",
        "a row with one column twice",
        "shown twice",
        &|d| row(d, &|r| r.columns.push(r.columns[0].clone())),
    );
    refused(
        "row-unknown",
        "a row with a column that does not exist",
        "unknown column",
        &|d| row(d, &|r| r.columns[0] = "nothing".into()),
    );
    let roots = [&w.roots[0], &w.roots[1]];
    let mut other = w.counting.catalogue.clone();
    other.version = 2;
    let other = Note::sign(&published::catalogue_text(&other).unwrap(), &roots).unwrap();
    refused(
        "catalogue",
        "another signed catalogue",
        "not the one that the statement names",
        &|d| d.catalogue = plain(&other),
    );
    let few = Note::sign(
        &published::catalogue_text(&w.counting.catalogue).unwrap(),
        &[roots[0]],
    )
    .unwrap();
    refused(
        "catalogue-few",
        "a catalogue signed by one of the two roots that are needed",
        "signed by 1 of the 2 root keys",
        &|d| d.catalogue = plain(&few),
    );
    let extra = replaced(
        &serde_json::to_string_pretty(&good).unwrap(),
        "\"index\":",
        "\"note\": 1,\n  \"index\":",
    );
    b.add(
        "disclosure-member-unknown.json",
        "a member that no disclosure has",
        UNREADABLE,
        "unknown field",
        extra.into_bytes(),
    );
    let twice = replaced(
        &serde_json::to_string_pretty(&good).unwrap(),
        "\"index\":",
        "\"index\": 6,\n  \"index\":",
    );
    b.add(
        "disclosure-member-twice.json",
        "a member that stands twice",
        UNREADABLE,
        "duplicate field",
        twice.into_bytes(),
    );
}
