//! One unit at work: it records, closes and signs as a node does, and keeps what a verifier is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use curve25519_dalek::Scalar;
use protocol::catalogue::Subject;
use protocol::chain;
use protocol::commitment::{OpenScalar, PeriodKey};
use protocol::compiled::CompiledCatalogue;
use protocol::count::engine::History;
use protocol::count::{Balance, Fact, Fields, Moves, Value, state};
use protocol::digest::Digest;
use protocol::figure::{self, CountedFigures};
use protocol::ids::{EventId, Tier, UnitId};
use protocol::log::checkpoint::{Checkpoint, origin_of};
use protocol::log::tree::{Tree, leaf_hash};
use protocol::note::{Note, SigningKey};
use protocol::period::Month;
use protocol::record::Record;
use protocol::registry::VerifiedRegistry;
use protocol::rollup::{ChildRef, LogRef, Missing, Opening, RegistryRef, Rollup, Signatories};
use protocol::rollup::{HeldRollup, RollupRef, Rollups};
use protocol::row::Sums;
use protocol::statement::{Body, CORRECTED, OPERATOR_ENROLLED, OPERATOR_REVOKED};
use protocol::statement::{Ref, Statement, VOIDED};
use protocol::text::hex;

use crate::{JAN, add_row, month, node_key, person_key, text, unit, witness_key};

struct Written {
    counting: Arc<CompiledCatalogue>,
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

/// Fields by their names.
pub fn named_fields(fields: &[(&str, Value)]) -> Fields {
    fields
        .iter()
        .map(|(n, v)| ((*n).to_string(), v.clone()))
        .collect()
}

/// The body of a clear statement.
pub fn clear_body(fields: &[(&str, Value)], counts: &[(&str, i64)]) -> Body {
    Body::Clear {
        fields: named_fields(fields),
        counts: counts.iter().map(|(n, w)| ((*n).to_string(), *w)).collect(),
    }
}

/// The body of a statement that enrols or revokes a key.
pub fn enrolment(who: &SigningKey, roles: &str) -> Body {
    let fields = [("vkey", text(who.vkey().as_str())), ("roles", text(roles))];
    clear_body(&fields, &[])
}

/// The body of a revocation.
pub fn revocation_of(who: &SigningKey) -> Body {
    clear_body(&[("vkey", text(who.vkey().as_str()))], &[])
}

/// The body of a void without a reason.
pub fn void_of(id: EventId, index: u64) -> Body {
    Body::Void {
        target: Ref { id, index },
        fields: Fields::new(),
    }
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
    counting: Arc<CompiledCatalogue>,
    /// Every catalogue that was published.
    catalogues: Vec<Arc<CompiledCatalogue>>,
    number: u64,
}

impl Desk {
    pub(crate) fn new(
        id: &str,
        tier: Tier,
        parent: Option<&str>,
        counting: &Arc<CompiledCatalogue>,
    ) -> Desk {
        let people = ["zhang", "li", "wang", "zhao"]
            .iter()
            .map(|person| person_key(id, person))
            .collect();
        Desk {
            id: unit(id),
            tier,
            parent: parent.map(unit),
            node: node_key(id),
            witness: witness_key(id),
            people,
            entries: Vec::new(),
            records: BTreeMap::new(),
            held: Rollups::new(),
            checkpoints: BTreeMap::new(),
            written: BTreeMap::new(),
            past: BTreeMap::new(),
            months: BTreeMap::new(),
            counting: counting.clone(),
            catalogues: vec![counting.clone()],
            number: 0,
        }
    }

    /// Learns of a catalogue; counts by the one that it had.
    pub(crate) fn learn(&mut self, counting: &Arc<CompiledCatalogue>) {
        self.catalogues.push(counting.clone());
    }

    /// Counts by this catalogue from now on.
    pub fn adopt(&mut self, counting: &Arc<CompiledCatalogue>) {
        self.counting = counting.clone();
    }

    /// A rollup's figures with its catalogue.
    fn counted<'h>(&'h self, held: &'h HeldRollup) -> CountedFigures<'h> {
        let named = |c: &&Arc<CompiledCatalogue>| c.digest == held.rollup.catalogue;
        CountedFigures {
            figures: &held.rollup.figures,
            catalogue: &self.catalogues.iter().find(named).unwrap().catalogue,
        }
    }

    pub fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// A statement whose body is still to come.
    pub fn blank(&mut self, event: &str, period: &str) -> Statement<()> {
        self.number += 1;
        let seed = *Digest::of(format!("{} {}", self.id, self.number).as_bytes()).as_bytes();
        let random: [u8; 10] = seed[..10].try_into().unwrap();
        Statement::new(
            EventId::from_parts(1_767_225_600_000 + self.number, random),
            event,
            self.id.clone(),
            month(period),
            "2026-01-05T08:00:00Z".into(),
            self.counting.digest,
        )
    }

    /// Appends a signed statement as it is.
    pub fn append(&mut self, statement: &Statement, signer: &SigningKey) -> u64 {
        let note = Note::sign(&statement.to_text().unwrap(), &[signer]).unwrap();
        self.entries.push(note.as_bytes().to_vec());
        self.size() - 1
    }

    pub fn operator(&mut self, event: &str, who: &SigningKey, roles: &str, period: &str) -> u64 {
        let node = node_key(self.id.as_str());
        let body = match event {
            OPERATOR_REVOKED => revocation_of(who),
            _ => enrolment(who, roles),
        };
        let s = self.blank(event, period).with(body);
        self.append(&s, &node)
    }

    fn recorder(&self) -> SigningKey {
        person_key(self.id.as_str(), "zhang")
    }

    pub(crate) fn enrol_people(&mut self) {
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
        // A leaf sees what was recorded for its month or an earlier one.
        let seen = |index: &u64| {
            past.moves
                .get(index)
                .is_some_and(|(then, _)| *then <= period)
        };
        for (then, moves) in past.moves.values().filter(|(then, _)| *then <= period) {
            let bound: Moves = moves
                .iter()
                .filter(|m| self.counting.engine.still_binds(&m.figure, *then, period))
                .cloned()
                .collect();
            balance.add(&bound, 1);
        }
        let facts: Vec<Fact> = past
            .facts
            .iter()
            .filter(|fact| seen(&fact.index))
            .cloned()
            .collect();
        let history = History {
            facts: &facts,
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

    /// What an event adds as the next leaf: its fields, and its row without a blinding.
    fn count(
        &self,
        period: Month,
        event: &str,
        fields: &[(&str, Value)],
        sealed: bool,
    ) -> (Fields, Written) {
        let fields = named_fields(fields);
        let (subject, moves) = self.moves(event, &fields, period, self.size());
        let schema = self.counting.generators.schema(event).unwrap();
        let row = schema.row(&moves, sealed).unwrap();
        let written = Written {
            counting: self.counting.clone(),
            event: event.into(),
            subject,
            moves,
            row,
            blinding: None,
        };
        (fields, written)
    }

    /// Records an event with personal data.
    pub fn sealed(&mut self, period: &str, event: &str, fields: &[(&str, Value)]) -> u64 {
        let (p, index) = (month(period), self.size());
        let (fields, mut written) = self.count(p, event, fields, true);
        let counting = self.counting.clone();
        let schema = counting.generators.schema(event).unwrap();
        let row = written.row.clone();
        let s = self.blank(event, period);
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
        let s = s.with(Body::Sealed {
            row: commitment,
            record: record.root(),
        });
        let sum = self.sum(p);
        add_row(
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
        written.blinding = Some(blinding);
        self.keep(index, event, &fields, p, written);
        let recorder = self.recorder();
        self.append(&s, &recorder)
    }

    /// Records an event that is published.
    pub fn clear(&mut self, period: &str, event: &str, fields: &[(&str, Value)]) -> u64 {
        let s = self.clear_statement(period, event, fields);
        let recorder = self.recorder();
        self.append(&s, &recorder)
    }

    fn clear_statement(
        &mut self,
        period: &str,
        event: &str,
        fields: &[(&str, Value)],
    ) -> Statement {
        let (p, index) = (month(period), self.size());
        let (fields, written) = self.count(p, event, fields, false);
        let counting = self.counting.clone();
        let schema = counting.generators.schema(event).unwrap();
        let row = written.row.clone();
        let s = self.blank(event, period).with(Body::Clear {
            fields: fields.clone(),
            counts: schema.named(&row),
        });
        add_row(
            self.sum(p).clear.entry(event.into()).or_default(),
            schema.columns(),
            &row,
            1,
        );
        self.keep(index, event, &fields, p, written);
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
        let schema = w.counting.generators.schema(&event).unwrap();
        let (name, columns) = (self.counting.sum_name(schema), schema.columns());
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
        add_row(sums.entry(name).or_default(), columns, &row, -1);
        sum.blinding -= blinding.unwrap_or(Scalar::ZERO);
        let s = self.void_statement(period, target);
        let recorder = self.recorder();
        self.append(&s, &recorder)
    }

    pub fn void_statement(&mut self, period: &str, target: u64) -> Statement {
        let body = void_of(self.statement(target).id, target);
        self.blank(if period == JAN { VOIDED } else { CORRECTED }, period)
            .with(body)
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

    /// What a rollup of this month and revision follows. What stood there already is made anew, and
    /// so is what follows it.
    fn follows(&self, key: (Month, u32)) -> Option<RollupRef> {
        let mut held = self.held.clone();
        held.remove(&key);
        chain::newest(&held, |_| true).map(|held| held.named())
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
        let sums = self.counting.column_sums(&sums, &self.catalogues);
        let mut figures = figure::own(
            catalogue,
            self.tier,
            &sums,
            previous.map(|h| self.counted(h)),
        )
        .unwrap();
        if !registry.registry().children(&self.id, p).is_empty() {
            let mut absent = BTreeMap::new();
            for m in &missing {
                for u in registry.registry().subtree(&m.unit, p) {
                    *absent.entry(u.tier).or_default() += 1;
                }
            }
            let parts: Vec<_> = children.iter().map(|c| self.counted(c)).collect();
            figures = figure::with_children(catalogue, figures, &parts, &absent).unwrap();
        }
        let size = self.size();
        Rollup {
            unit: self.id.clone(),
            tier: self.tier,
            period: p,
            revision,
            after: self.follows((p, revision)),
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

pub fn revoke(desk: &mut Desk, who: &SigningKey, period: &str) -> u64 {
    desk.operator(OPERATOR_REVOKED, who, "", period)
}
pub fn enrol(desk: &mut Desk, who: &SigningKey, roles: &str, period: &str) -> u64 {
    desk.operator(OPERATOR_ENROLLED, who, roles, period)
}
