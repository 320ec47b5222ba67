//! A small world for the tests: a province, a city, two counties, and a desk for each that records,
//! closes and signs as a node does. Everything follows from fixed seeds, so the same world is the
//! same bytes.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use curve25519_dalek::Scalar;
use protocol::catalogue::{Catalogue, Subject, load};
use protocol::commitment::{OpenScalar, PeriodKey};
use protocol::count::engine::History;
use protocol::count::{Balance, Fact, Fields, Moves, Value, state};
use protocol::digest::{Digest, hex};
use protocol::evidence::{Arrivals, Evidence, UnitEvidence};
use protocol::figure;
use protocol::ids::{EventId, Tier, UnitId, id_check_digit};
use protocol::log::checkpoint::{Checkpoint, add_cosignature, origin_of};
use protocol::log::tree::{Tree, leaf_hash};
use protocol::note::{Alg, Note, SigningKey};
use protocol::period::Month;
use protocol::receipt::{Decision, Receipt};
use protocol::record::Record;
use protocol::registry::{Registry, Unit, UnitKey, VerifiedRegistry};
use protocol::rollup::{ChildRef, LogRef, Missing, Opening, RegistryRef, Rollup, Signatories};
use protocol::row::{self, Sums};
use protocol::statement::{CORRECTED, OPERATOR_ENROLLED, OPERATOR_REVOKED, Ref, Statement, VOIDED};
use protocol::verify::log::{Counting, UnitLog};
use protocol::verify::{self, Context, HeldRollup, Outcome, Rollups, Verdict};

pub const CATALOGUE: &str = include_str!("catalogue.toml");
pub const PLAN: &str = include_str!("plan.toml");
pub const JAN: &str = "2026-01";
pub const FEB: &str = "2026-02";

pub fn month(text: &str) -> Month {
    text.parse().unwrap()
}
pub fn unit(text: &str) -> UnitId {
    text.parse().unwrap()
}
pub fn text(value: &str) -> Value {
    Value::Text(value.to_string())
}
pub fn catalogue() -> Catalogue {
    load::from_files(&[("catalogue.toml".into(), CATALOGUE.into())]).unwrap()
}
pub fn key(name: &str, alg: Alg, seed: u8) -> SigningKey {
    // One seed byte tells the key, the name the rest: no two names share a key.
    let mut bytes = *Digest::of(name.as_bytes()).as_bytes();
    bytes[0] = seed;
    SigningKey::from_seed(name, alg, bytes).unwrap()
}
/// An ID number that no one has: 999999 is no area.
pub fn id_no(n: u32) -> String {
    let first = format!("99999919900101{n:03}");
    format!("{first}{}", id_check_digit(&first).unwrap())
}

struct Written {
    event: String,
    subject: Option<(Subject, String)>,
    moves: Moves,
    row: Vec<(usize, i64)>,
    blinding: Option<Scalar>,
}

#[derive(Default)]
struct Past {
    facts: Vec<Fact>,
    voided: BTreeSet<u64>,
    moves: BTreeMap<u64, (Month, Moves)>,
}

#[derive(Default, Clone)]
struct Sum {
    sealed: Sums,
    clear: Sums,
    blinding: Scalar,
    voided: u64,
    late: BTreeMap<Month, u64>,
    first: Option<u64>,
}

/// One unit at work.
pub struct Desk {
    pub id: UnitId,
    pub tier: Tier,
    pub parent: Option<UnitId>,
    pub node: SigningKey,
    pub witness: SigningKey,
    /// Recorder, preparer, reviewer, head.
    pub people: Vec<SigningKey>,
    pub entries: Vec<Vec<u8>>,
    pub records: BTreeMap<u64, (Record, Vec<String>, Scalar)>,
    pub held: Rollups,
    pub checkpoints: BTreeMap<u64, Note>,
    written: BTreeMap<u64, Written>,
    past: BTreeMap<(Subject, String), Past>,
    months: BTreeMap<Month, Sum>,
    counting: Arc<Counting>,
    number: u64,
}

impl Desk {
    fn new(id: &str, tier: Tier, parent: Option<&str>, counting: &Arc<Counting>) -> Desk {
        let people = ["zhang", "li", "wang", "zhao"]
            .iter()
            .map(|p| key(&format!("{id}/{p}"), Alg::Ed25519, 1))
            .collect();
        Desk {
            id: unit(id),
            tier,
            parent: parent.map(unit),
            node: key(id, Alg::Ed25519, 0),
            witness: key(&format!("{id}/witness"), Alg::CosignatureV1, 2),
            people,
            entries: Vec::new(),
            records: BTreeMap::new(),
            held: Rollups::new(),
            checkpoints: BTreeMap::new(),
            written: BTreeMap::new(),
            past: BTreeMap::new(),
            months: BTreeMap::new(),
            counting: counting.clone(),
            number: 0,
        }
    }

    pub fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// A statement with nothing in it yet.
    pub fn blank(&mut self, event: &str, period: &str) -> Statement {
        self.number += 1;
        let seed = *Digest::of(format!("{} {}", self.id, self.number).as_bytes()).as_bytes();
        let random: [u8; 10] = seed[..10].try_into().unwrap();
        Statement {
            id: EventId::from_parts(1_767_225_600_000 + self.number, random),
            event: event.into(),
            unit: self.id.clone(),
            period: month(period),
            recorded: "2026-01-05T08:00:00Z".into(),
            catalogue: self.counting.digest,
            clear: None,
            counts: None,
            row: None,
            record: None,
            voids: None,
            replaces: None,
            late: None,
        }
    }

    /// Appends a signed statement as it is.
    pub fn append(&mut self, statement: &Statement, signer: &SigningKey) -> u64 {
        let note = Note::sign(&statement.to_text().unwrap(), &[signer]).unwrap();
        self.entries.push(note.as_bytes().to_vec());
        self.size() - 1
    }

    pub fn operator(&mut self, event: &str, who: &SigningKey, roles: &str, period: &str) -> u64 {
        let node = key(self.id.as_str(), Alg::Ed25519, 0);
        let mut s = self.blank(event, period);
        s.clear = Some(
            [
                ("vkey".to_string(), text(who.vkey().as_str())),
                ("roles".to_string(), text(roles)),
            ]
            .into(),
        );
        s.counts = Some(BTreeMap::new());
        self.append(&s, &node)
    }

    fn enrol_people(&mut self) {
        let people = std::mem::take(&mut self.people);
        for (who, role) in people
            .iter()
            .zip(["recorder", "preparer", "reviewer", "head"])
        {
            self.operator(OPERATOR_ENROLLED, who, role, JAN);
        }
        self.people = people;
    }

    fn sum(&mut self, period: Month) -> &mut Sum {
        let size = self.size();
        let sum = self.months.entry(period).or_default();
        sum.first.get_or_insert(size);
        sum
    }

    fn moves(
        &self,
        event: &str,
        fields: &Fields,
        period: Month,
        index: u64,
    ) -> (Option<(Subject, String)>, Moves) {
        let event = self.counting.catalogue.event(event).unwrap();
        let mut subject = None;
        if event.subject != Subject::Unit && !event.effect.baseline {
            let named = if event.subject == Subject::Person && event.system {
                fields.get("id_no").unwrap().as_str().unwrap().to_string()
            } else {
                state::subject_key(event, fields).unwrap()
            };
            subject = Some((event.subject, named));
        }
        let empty = Past::default();
        let past = subject
            .as_ref()
            .and_then(|s| self.past.get(s))
            .unwrap_or(&empty);
        let mut balance = Balance::default();
        for (then, moves) in past.moves.values() {
            let bound: Moves = moves
                .iter()
                .filter(|m| self.counting.engine.still_binds(&m.figure, *then, period))
                .cloned()
                .collect();
            balance.add(&bound, 1);
        }
        let history = History {
            facts: &past.facts,
            voided: &past.voided,
            balance: &balance,
        };
        let first = month(JAN).first_day();
        let moves = if event.system {
            self.counting
                .engine
                .recount(event, history, period, first, true)
                .unwrap()
        } else {
            let on = fields["occurred_on"].as_str().unwrap().parse().unwrap();
            let fact = Fact {
                index,
                event: event.name.clone(),
                on,
                fields: fields.clone(),
            };
            self.counting
                .engine
                .contribute(event, history, &fact, period, first)
                .unwrap()
        };
        (subject, moves)
    }

    fn keep(&mut self, index: u64, event: &str, fields: &Fields, period: Month, written: Written) {
        if let Some(subject) = &written.subject {
            let past = self.past.entry(subject.clone()).or_default();
            if !self.counting.catalogue.event(event).unwrap().system {
                let on = fields["occurred_on"].as_str().unwrap().parse().unwrap();
                past.facts.push(Fact {
                    index,
                    event: event.into(),
                    on,
                    fields: fields.clone(),
                });
            }
            past.moves.insert(index, (period, written.moves.clone()));
        }
        self.written.insert(index, written);
    }

    /// Records an event with personal data.
    pub fn sealed(&mut self, period: &str, event: &str, fields: &[(&str, Value)]) -> u64 {
        let fields: Fields = fields
            .iter()
            .map(|(n, v)| ((*n).to_string(), v.clone()))
            .collect();
        let (p, index) = (month(period), self.size());
        let (subject, moves) = self.moves(event, &fields, p, index);
        let counting = self.counting.clone();
        let schema = counting.generators.schema(event).unwrap();
        let row = schema.row(&moves, true).unwrap();
        let mut s = self.blank(event, period);
        let blinding = self.period_key(p).blinding(&s.id.to_string());
        let commitment = counting.generators.commit(event, &row, &blinding).unwrap();
        let salts: Vec<[u8; 16]> = fields
            .keys()
            .map(|n| {
                Digest::of(format!("{} {n}", s.id).as_bytes()).as_bytes()[..16]
                    .try_into()
                    .unwrap()
            })
            .collect();
        let record = Record::new(fields.clone(), &salts).unwrap();
        s.row = Some(commitment);
        s.record = Some(record.root());
        let sum = self.sum(p);
        row::accumulate(
            sum.sealed.entry(event.into()).or_default(),
            schema.columns(),
            &row,
            1,
        );
        sum.blinding += blinding;
        let names = row
            .iter()
            .map(|(c, _)| schema.names()[*c].clone())
            .collect();
        self.records.insert(index, (record, names, blinding));
        self.keep(
            index,
            event,
            &fields,
            p,
            Written {
                event: event.into(),
                subject,
                moves,
                row,
                blinding: Some(blinding),
            },
        );
        let recorder = key(self.people[0].name(), Alg::Ed25519, 1);
        self.append(&s, &recorder)
    }

    /// Records an event that is published.
    pub fn clear(&mut self, period: &str, event: &str, fields: &[(&str, Value)]) -> u64 {
        let s = self.clear_statement(period, event, fields);
        let recorder = key(self.people[0].name(), Alg::Ed25519, 1);
        self.append(&s, &recorder)
    }

    fn clear_statement(
        &mut self,
        period: &str,
        event: &str,
        fields: &[(&str, Value)],
    ) -> Statement {
        let fields: Fields = fields
            .iter()
            .map(|(n, v)| ((*n).to_string(), v.clone()))
            .collect();
        let (p, index) = (month(period), self.size());
        let (subject, moves) = self.moves(event, &fields, p, index);
        let counting = self.counting.clone();
        let schema = counting.generators.schema(event).unwrap();
        let row = schema.row(&moves, false).unwrap();
        let mut s = self.blank(event, period);
        s.clear = Some(fields.clone());
        s.counts = Some(schema.named(&row));
        row::accumulate(
            self.sum(p).clear.entry(event.into()).or_default(),
            schema.columns(),
            &row,
            1,
        );
        self.keep(
            index,
            event,
            &fields,
            p,
            Written {
                event: event.into(),
                subject,
                moves,
                row,
                blinding: None,
            },
        );
        s
    }

    /// Takes a statement back.
    pub fn void(&mut self, period: &str, target: u64) -> u64 {
        let (p, size) = (month(period), self.size());
        let w = &self.written[&target];
        let (event, row, blinding, subject) = (
            w.event.clone(),
            w.row.clone(),
            w.blinding,
            w.subject.clone(),
        );
        let columns = self.counting.generators.schema(&event).unwrap().columns();
        if let Some(past) = subject.and_then(|s| self.past.get_mut(&s)) {
            past.voided.insert(target);
            past.moves.remove(&target);
        }
        let sum = self.months.entry(p).or_default();
        sum.first.get_or_insert(size);
        sum.voided += 1;
        let sums = if blinding.is_some() {
            &mut sum.sealed
        } else {
            &mut sum.clear
        };
        row::accumulate(sums.entry(event).or_default(), columns, &row, -1);
        sum.blinding -= blinding.unwrap_or(Scalar::ZERO);
        let s = self.void_statement(period, target);
        let recorder = key(self.people[0].name(), Alg::Ed25519, 1);
        self.append(&s, &recorder)
    }

    pub fn void_statement(&mut self, period: &str, target: u64) -> Statement {
        let mut s = self.blank(if period == JAN { VOIDED } else { CORRECTED }, period);
        s.clear = Some(Fields::new());
        s.voids = Some(Ref {
            id: self.statement(target).id,
            index: target,
        });
        s
    }

    pub fn statement(&self, index: u64) -> Statement {
        let note = Note::parse(&self.entries[index as usize]).unwrap();
        Statement::parse(note.text()).unwrap()
    }

    pub fn period_key(&self, period: Month) -> PeriodKey {
        PeriodKey::new(*Digest::of(format!("period {} {period}", self.id).as_bytes()).as_bytes())
    }

    pub fn root(&self, size: u64) -> [u8; 32] {
        tree_of(&self.entries).root_at(size).unwrap()
    }

    pub fn checkpoint(&self, size: u64) -> Note {
        Checkpoint::new(&origin_of(&self.id), size, self.root(size))
            .unwrap()
            .sign(&self.node)
            .unwrap()
    }

    pub fn sign(&self, rollup: &Rollup) -> Arc<HeldRollup> {
        let note = Note::sign(
            &rollup.to_text().unwrap(),
            &[
                &self.node,
                &self.people[1],
                &self.people[2],
                &self.people[3],
            ],
        )
        .unwrap();
        Arc::new(HeldRollup::new(note).unwrap())
    }

    /// The month's rollup, as an honest node closes it.
    pub fn rollup(
        &self,
        period: &str,
        revision: u32,
        registry: &VerifiedRegistry,
        children: &[Arc<HeldRollup>],
        missing: Vec<Missing>,
    ) -> Rollup {
        let p = month(period);
        let latest = |m: Month| {
            self.held
                .range((m, 0)..=(m, u32::MAX))
                .map(|(_, h)| h)
                .next_back()
        };
        let previous = if p == month(JAN) {
            None
        } else {
            latest(p.prev().unwrap())
        };
        let sum = self.months.get(&p).cloned().unwrap_or_default();
        let mut sums = sum.sealed.clone();
        sums.extend(sum.clear.clone());
        let catalogue = &self.counting.catalogue;
        let mut figures = figure::own(
            catalogue,
            self.tier,
            &sums,
            previous.map(|h| h.rollup.figures.as_slice()),
        )
        .unwrap();
        if !registry.registry().children(&self.id).is_empty() {
            let mut absent = BTreeMap::new();
            for m in &missing {
                for u in registry.registry().subtree(&m.unit) {
                    *absent.entry(u.tier).or_default() += 1;
                }
            }
            let parts: Vec<_> = children
                .iter()
                .map(|c| c.rollup.figures.as_slice())
                .collect();
            figures = figure::with_children(catalogue, figures, &parts, &absent).unwrap();
        }
        let size = self.size();
        Rollup {
            unit: self.id.clone(),
            tier: self.tier,
            period: p,
            revision,
            supersedes: (revision > 1).then(|| self.held[&(p, revision - 1)].digest()),
            previous: previous.map(|h| h.digest()),
            catalogue: self.counting.digest,
            plans: vec!["test-plan".into()],
            registry: RegistryRef {
                version: registry.registry().version,
                digest: registry.digest(),
            },
            log: LogRef {
                size,
                root: hex::encode(&self.root(size)),
                first: sum.first.unwrap_or(size),
            },
            children: children
                .iter()
                .map(|c| ChildRef {
                    unit: c.rollup.unit.clone(),
                    rollup: c.digest(),
                    revision: c.rollup.revision,
                })
                .collect(),
            missing,
            figures,
            opening: Opening {
                sums: sum.sealed,
                blinding: OpenScalar(sum.blinding),
            },
            frozen: BTreeMap::new(),
            late: sum.late,
            voided: sum.voided,
            explanations: Vec::new(),
            signatories: Signatories {
                preparer: self.people[1].name().into(),
                reviewer: self.people[2].name().into(),
                head: self.people[3].name().into(),
            },
        }
    }

    pub fn close(
        &mut self,
        period: &str,
        revision: u32,
        registry: &VerifiedRegistry,
        children: &[Arc<HeldRollup>],
        missing: Vec<Missing>,
    ) -> Arc<HeldRollup> {
        let held = self.sign(&self.rollup(period, revision, registry, children, missing));
        self.held.insert((month(period), revision), held.clone());
        self.checkpoints
            .insert(self.size(), self.checkpoint(self.size()));
        held
    }
}

pub fn tree_of(entries: &[Vec<u8>]) -> Tree {
    entries.iter().map(|e| leaf_hash(e)).collect()
}

/// Everybody.
pub struct World {
    pub roots: [SigningKey; 2],
    pub registries: Vec<Note>,
    pub registry: VerifiedRegistry,
    pub counting: Arc<Counting>,
    pub units: BTreeMap<UnitId, Desk>,
}

pub const PROVINCE: &str = "14";
pub const CITY: &str = "1403";
pub const A: &str = "140321";
pub const B: &str = "140311";

pub fn registry_document(units: &[&Desk], roots: &[SigningKey; 2]) -> Registry {
    let units = units
        .iter()
        .map(|d| Unit {
            id: d.id.clone(),
            name: format!("Unit {}", d.id),
            tier: d.tier,
            parent: d.parent.clone(),
            area: None,
            since: month(JAN),
            keys: vec![UnitKey {
                vkey: d.node.vkey(),
                from_index: 0,
                revoked: None,
            }],
            witness: d.witness.vkey(),
        })
        .collect();
    Registry {
        version: 1,
        previous: None,
        roots: roots.iter().map(SigningKey::vkey).collect(),
        threshold: 2,
        units,
    }
}

pub fn sign_registry(registry: &Registry, roots: &[&SigningKey]) -> Note {
    Note::sign(&registry.to_text().unwrap(), roots).unwrap()
}

impl World {
    /// The units and their keys; nothing is recorded yet.
    pub fn empty() -> World {
        let counting = Arc::new(Counting::new(catalogue()).unwrap());
        let roots = [
            key("root-a", Alg::Ed25519, 9),
            key("root-b", Alg::Ed25519, 9),
        ];
        let mut units: BTreeMap<UnitId, Desk> = BTreeMap::new();
        for (id, tier, parent) in [
            (PROVINCE, Tier::Province, None),
            (CITY, Tier::City, Some(PROVINCE)),
            (A, Tier::County, Some(CITY)),
            (B, Tier::County, Some(CITY)),
        ] {
            let mut desk = Desk::new(id, tier, parent, &counting);
            desk.enrol_people();
            units.insert(unit(id), desk);
        }
        let document = registry_document(&units.values().collect::<Vec<_>>(), &roots);
        let note = sign_registry(&document, &[&roots[0], &roots[1]]);
        let registry = VerifiedRegistry::first(&note, &roots[0].vkey()).unwrap();
        World {
            roots,
            registries: vec![note],
            registry,
            counting,
            units,
        }
    }

    /// Two honest months of everybody.
    pub fn honest() -> World {
        let mut w = World::empty();
        let hire = |n, employer: &str, day: &str| {
            [
                ("id_no", text(&id_no(n))),
                ("employer", text(employer)),
                ("wage", Value::Int(300_000 + i64::from(n))),
                ("occurred_on", text(day)),
            ]
        };
        let a = w.units.get_mut(&unit(A)).unwrap();
        for n in [1, 2, 3] {
            a.sealed(
                JAN,
                "person.registered",
                &[
                    ("id_no", text(&id_no(n))),
                    ("occurred_on", text("2026-01-03")),
                ],
            );
        }
        a.sealed(JAN, "employment.started", &hire(1, "甲厂", "2026-01-05"));
        let wrong = a.sealed(JAN, "employment.started", &hire(2, "乙厂", "2026-01-06"));
        a.sealed(JAN, "employment.started", &hire(3, "甲厂", "2026-01-07"));
        a.void(JAN, wrong);
        a.clear(
            JAN,
            "carrier.opened",
            &[
                ("ref", text("c1")),
                ("kind", text("workshop")),
                ("occurred_on", text("2026-01-09")),
            ],
        );
        a.clear(
            JAN,
            "training.held",
            &[
                ("attended", Value::Int(40)),
                ("occurred_on", text("2026-01-10")),
            ],
        );
        a.clear(
            JAN,
            "stock.declared",
            &[
                ("indicator", text("I2")),
                ("value", Value::Int(5)),
                ("sex", text("2")),
                ("occurred_on", text("2025-12-31")),
            ],
        );
        let b = w.units.get_mut(&unit(B)).unwrap();
        b.sealed(
            JAN,
            "person.registered",
            &[
                ("id_no", text(&id_no(8))),
                ("occurred_on", text("2026-01-03")),
            ],
        );
        b.sealed(JAN, "employment.started", &hire(8, "丙厂", "2026-01-05"));
        b.clear(
            JAN,
            "training.held",
            &[
                ("attended", Value::Int(2)),
                ("occurred_on", text("2026-01-10")),
            ],
        );
        w.units.get_mut(&unit(CITY)).unwrap().clear(
            JAN,
            "training.held",
            &[
                ("attended", Value::Int(9)),
                ("occurred_on", text("2026-01-11")),
            ],
        );
        w.close_all(JAN);

        let a = w.units.get_mut(&unit(A)).unwrap();
        let ended = [
            ("id_no", text(&id_no(1))),
            ("employer", text("甲厂")),
            ("occurred_on", text("2026-02-02")),
        ];
        a.sealed(FEB, "employment.ended", &ended);
        a.sealed(FEB, "employment.started", &hire(2, "乙厂", "2026-02-06"));
        let opened = a
            .entries
            .iter()
            .position(|e| String::from_utf8_lossy(e).contains("carrier.opened"))
            .unwrap() as u64;
        a.void(FEB, opened);
        a.clear(
            FEB,
            "carrier.opened",
            &[
                ("ref", text("c1")),
                ("kind", text("station")),
                ("occurred_on", text("2026-02-01")),
            ],
        );
        a.sealed(
            FEB,
            "person.recounted",
            &[
                ("id_no", text(&id_no(3))),
                ("occurred_on", text("2026-02-28")),
            ],
        );
        a.clear(
            FEB,
            "carrier.recounted",
            &[("ref", text("c1")), ("occurred_on", text("2026-02-28"))],
        );
        let b = w.units.get_mut(&unit(B)).unwrap();
        b.clear(
            FEB,
            "carrier.opened",
            &[
                ("ref", text("c2")),
                ("kind", text("station")),
                ("occurred_on", text("2026-02-01")),
            ],
        );
        b.clear(
            FEB,
            "carrier.closed",
            &[("ref", text("c2")), ("occurred_on", text("2026-02-20"))],
        );
        w.close_all(FEB);
        w
    }

    pub fn close_all(&mut self, period: &str) {
        for (id, children) in [
            (A, vec![]),
            (B, vec![]),
            (CITY, vec![A, B]),
            (PROVINCE, vec![CITY]),
        ] {
            let used: Vec<_> = children.iter().map(|c| self.held(c, period)).collect();
            let registry = self.registry.clone();
            self.units
                .get_mut(&unit(id))
                .unwrap()
                .close(period, 1, &registry, &used, vec![]);
        }
    }

    pub fn desk(&self, id: &str) -> &Desk {
        &self.units[&unit(id)]
    }

    /// The last revision.
    pub fn held(&self, id: &str, period: &str) -> Arc<HeldRollup> {
        let m = month(period);
        self.desk(id)
            .held
            .range((m, 0)..=(m, u32::MAX))
            .next_back()
            .unwrap()
            .1
            .clone()
    }

    pub fn receipt(&self, id: &str, period: &str) -> Receipt {
        let (desk, held) = (self.desk(id), self.held(id, period));
        let parent = self.desk(desk.parent.as_ref().unwrap().as_str());
        let checkpoint = add_cosignature(
            &desk.checkpoints[&held.rollup.log.size],
            &parent.witness,
            1_770_000_000,
        )
        .unwrap();
        let day = held.rollup.period.last_day() + chrono::Days::new(3);
        Receipt {
            parent: parent.id.clone(),
            child: desk.id.clone(),
            period: held.rollup.period,
            revision: held.rollup.revision,
            rollup: held.digest(),
            decision: Decision::Accepted,
            received: format!("{day}T01:00:00Z"),
            decided: format!("{day}T02:00:00Z"),
            by: parent.people[2].name().into(),
            reasons: vec![],
            about: vec![],
            checks: vec![Verdict::holds("binding", "")],
            checkpoint: String::from_utf8(checkpoint.as_bytes().to_vec()).unwrap(),
        }
    }

    pub fn sign_receipt(&self, receipt: &Receipt) -> Note {
        Note::sign(
            &receipt.to_text().unwrap(),
            &[&self.desk(receipt.parent.as_str()).node],
        )
        .unwrap()
    }

    /// Everything that is there, in one file's content.
    pub fn evidence(&self) -> Evidence {
        let sign = |text: String| Note::sign(&text, &[&self.roots[0], &self.roots[1]]).unwrap();
        let mut units = BTreeMap::new();
        let mut received = BTreeMap::new();
        for (id, desk) in &self.units {
            let mut part = UnitEvidence {
                entries: desk.entries.clone(),
                ..UnitEvidence::default()
            };
            for (size, note) in &desk.checkpoints {
                let cosigned = desk
                    .parent
                    .as_ref()
                    .map(|p| add_cosignature(note, &self.units[p].witness, 1_770_000_000).unwrap());
                part.checkpoints
                    .insert(*size, cosigned.unwrap_or_else(|| note.clone()));
            }
            for ((m, revision), held) in &desk.held {
                part.rollups.insert((*m, *revision), held.note.clone());
                if desk.parent.is_some() {
                    let receipt = self.receipt(id.as_str(), &m.to_string());
                    part.receipts
                        .insert((*m, *revision, 0), self.sign_receipt(&receipt));
                    received.insert(held.digest(), receipt.received);
                }
            }
            units.insert(id.clone(), part);
        }
        let arrivals = Arrivals {
            by: unit(PROVINCE),
            received,
        };
        Evidence {
            registries: self.registries.clone(),
            catalogues: vec![sign(
                protocol::published::catalogue_text(&self.counting.catalogue).unwrap(),
            )],
            plans: vec![sign(protocol::published::plan_text(PLAN).unwrap())],
            arrivals: Some(
                Note::sign(&arrivals.to_text().unwrap(), &[&self.desk(PROVINCE).node]).unwrap(),
            ),
            units,
        }
    }
}

/// One rollup before a verifier, with everything around it. Tests change one thing and look at the
/// verdict.
pub struct Case<'w> {
    pub world: &'w World,
    pub id: UnitId,
    pub rollup: Rollup,
    pub held: Option<Arc<HeldRollup>>,
    pub entries: Vec<Vec<u8>>,
    pub known: Rollups,
    pub children: BTreeMap<Digest, Arc<HeldRollup>>,
    pub checkpoint: Option<Note>,
    pub witnessed: Option<(u64, [u8; 32])>,
    pub received: Option<&'static str>,
    /// What the rollup names.
    pub registry: VerifiedRegistry,
    /// What the reader knows as newest.
    pub newest: VerifiedRegistry,
}

impl<'w> Case<'w> {
    pub fn of(world: &'w World, id: &str, period: &str) -> Case<'w> {
        let desk = world.desk(id);
        let held = world.held(id, period);
        let children = world
            .units
            .values()
            .flat_map(|d| d.held.values())
            .map(|h| (h.digest(), h.clone()))
            .collect();
        let size = held.rollup.log.size;
        let known: Rollups = desk
            .held
            .iter()
            .filter(|(at, _)| **at < (held.rollup.period, held.rollup.revision))
            .map(|(k, h)| (*k, h.clone()))
            .collect();
        Case {
            world,
            id: unit(id),
            rollup: held.rollup.clone(),
            held: None,
            entries: desk.entries[..size as usize].to_vec(),
            witnessed: known
                .values()
                .next_back()
                .map(|h| (h.rollup.log.size, h.rollup.log.root_bytes().unwrap())),
            known,
            children,
            checkpoint: Some(desk.checkpoints[&size].clone()),
            received: Some("2026-02-01T00:00:00Z"),
            registry: world.registry.clone(),
            newest: world.registry.clone(),
        }
    }

    pub fn desk(&self) -> &'w Desk {
        self.world.desk(self.id.as_str())
    }

    pub fn figure(&mut self, id: &str) -> &mut protocol::figure::Figure {
        self.rollup.figures.iter_mut().find(|f| f.id == id).unwrap()
    }

    /// The unit signs whatever its log is now: the root, the size and the checkpoint follow the
    /// entries.
    pub fn reseal(&mut self) {
        let tree = tree_of(&self.entries);
        self.rollup.log.size = tree.len();
        self.rollup.log.root = hex::encode(&tree.root());
        self.checkpoint = Some(
            Checkpoint::new(&origin_of(&self.id), tree.len(), tree.root())
                .unwrap()
                .sign(&self.desk().node)
                .unwrap(),
        );
    }

    /// Appends a statement and reseals.
    pub fn append(&mut self, statement: &Statement, signer: &SigningKey) {
        self.entries.push(
            Note::sign(&statement.to_text().unwrap(), &[signer])
                .unwrap()
                .as_bytes()
                .to_vec(),
        );
        self.reseal();
    }

    pub fn verdicts(&self) -> Vec<Verdict> {
        let held = self
            .held
            .clone()
            .unwrap_or_else(|| self.desk().sign(&self.rollup));
        let unit = self.newest.registry().unit(&self.id).unwrap();
        let mut log = UnitLog::new(unit, vec![self.world.counting.clone()]);
        log.read(&self.entries, unit);
        let child = |d: &Digest| self.children.get(d).cloned();
        verify::check(
            &held,
            &Context {
                registry: &self.registry,
                log: &log,
                known: &self.known,
                child: &child,
                checkpoint: self.checkpoint.as_ref(),
                witnessed: self.witnessed,
                received: self.received.map(|t| t.parse().unwrap()),
                due: Some("2026-02-05".parse().unwrap()),
            },
        )
    }

    #[track_caller]
    pub fn holds(&self) {
        for v in self.verdicts() {
            assert_eq!(v.outcome, Outcome::Holds, "{v:?}");
        }
    }

    /// This check fails, and says this.
    #[track_caller]
    pub fn fails(&self, check: &str, part: &str) {
        let verdicts = self.verdicts();
        let v = verdicts.iter().find(|v| v.check == check).unwrap();
        assert!(
            v.failed() && v.detail.contains(part),
            "{check} should fail with {part:?}; got {verdicts:#?}"
        );
    }

    /// This check fails and says this, and every other one holds.
    #[track_caller]
    pub fn fails_alone(&self, check: &str, part: &str) {
        self.fails(check, part);
        let others: Vec<_> = self
            .verdicts()
            .into_iter()
            .filter(|v| v.check != check && v.failed())
            .collect();
        assert!(
            others.is_empty(),
            "only {check} should fail; got {others:#?}"
        );
    }
}

pub fn revoke(desk: &mut Desk, who: &SigningKey, period: &str) -> u64 {
    desk.operator(OPERATOR_REVOKED, who, "", period)
}
pub fn enrol(desk: &mut Desk, who: &SigningKey, roles: &str, period: &str) -> u64 {
    desk.operator(OPERATOR_ENROLLED, who, roles, period)
}

/// The smallest evidence that has every kind of part: one county, one month, a receipt, an arrival.
pub fn small_evidence() -> Evidence {
    let mut w = World::empty();
    let registry = w.registry.clone();
    let b = w.units.get_mut(&unit(B)).unwrap();
    b.sealed(
        JAN,
        "person.registered",
        &[
            ("id_no", text(&id_no(8))),
            ("occurred_on", text("2026-01-03")),
        ],
    );
    b.close(JAN, 1, &registry, &[], vec![]);
    let b = &w.units[&unit(B)];
    let (at, held) = b.held.iter().next().unwrap();
    let receipt = w.receipt(B, JAN);
    let mut part = UnitEvidence {
        entries: b.entries.clone(),
        ..Default::default()
    };
    part.checkpoints.insert(
        b.size(),
        add_cosignature(&b.checkpoint(b.size()), &w.desk(CITY).witness, 7).unwrap(),
    );
    part.rollups.insert(*at, held.note.clone());
    part.receipts
        .insert((at.0, at.1, 0), w.sign_receipt(&receipt));
    let arrivals = Arrivals {
        by: unit(CITY),
        received: [(held.digest(), receipt.received)].into(),
    };
    let sign = |text: String| Note::sign(&text, &[&w.roots[0], &w.roots[1]]).unwrap();
    Evidence {
        registries: w.registries.clone(),
        catalogues: vec![sign(
            protocol::published::catalogue_text(&w.counting.catalogue).unwrap(),
        )],
        plans: vec![],
        arrivals: Some(Note::sign(&arrivals.to_text().unwrap(), &[&w.desk(CITY).node]).unwrap()),
        units: [(unit(B), part)].into(),
    }
}
