//! What cases are made of: worlds, parts of an evidence file, statements to spare, forgeries. It also
//! names, for all files of cases, the types that they change.

pub(super) use std::collections::BTreeMap;

pub(super) use curve25519_dalek::Scalar;
pub(super) use protocol::commitment::OpenScalar;
pub(super) use protocol::count::Value;
pub(super) use protocol::digest::Digest;
pub(super) use protocol::evidence::disclosure::{Disclosure, ShownRow};
pub(super) use protocol::evidence::{Arrivals, Evidence, UnitEvidence, file};
pub(super) use protocol::figure::{self, Basis, CountedFigures, Counts};
pub(super) use protocol::ids::Tier;
pub(super) use protocol::log::checkpoint::{Checkpoint, add_cosignature, origin_of};
pub(super) use protocol::note::{Alg, Note, SigningKey};
pub(super) use protocol::published;
pub(super) use protocol::receipt::{self, Decision, Receipt};
pub(super) use protocol::registry::{
    Placement, Registry, Revocation, Unit, UnitKey, VerifiedRegistry,
};
pub(super) use protocol::rollup::{self, Missing, RegistryRef, Rollup, RollupRef};
pub(super) use protocol::row::Sums;
pub(super) use protocol::statement::{self, Body, Statement};
pub(super) use protocol::text::hex;
pub(super) use protocol::verify::log::UnitLog;

pub(super) use crate::vectors::{disclosure, plain};

pub(super) use super::book::{ARITHMETIC, AUTHORSHIP, BINDING, Book, HISTORY, UNREADABLE};
pub(super) use super::parts::{Part, parts, zip};
pub(super) use crate::*;

pub(super) const TIME: u64 = 1_770_000_000;

/// A city and its counties with one month of a few clear leaves: the smallest in which sums mean
/// something.
pub(super) fn town() -> World {
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
pub(super) fn january(change: impl FnOnce(&mut Desk)) -> World {
    let mut w = World::empty();
    let registry = w.registry.clone();
    let b = w.units.get_mut(&unit(B)).unwrap();
    change(b);
    b.close(JAN, 1, &registry, &[], vec![]);
    w
}

pub(super) fn registered(desk: &mut Desk, period: &str, n: u32) -> u64 {
    let day = format!("{period}-03");
    desk.sealed(
        period,
        "person.registered",
        &[("id_no", text(&id_no(n))), ("occurred_on", text(&day))],
    )
}

pub(super) fn training(desk: &mut Desk, period: &str, attended: i64) -> u64 {
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
pub(super) fn blank(w: &World) -> Evidence {
    Evidence {
        registries: w.registries.clone(),
        catalogues: w.signed_catalogues(),
        plans: vec![],
        arrivals: None,
        units: BTreeMap::new(),
    }
}

pub(super) fn cosigned(w: &World, id: &str, checkpoint: &Note) -> Note {
    match &w.desk(id).parent {
        Some(p) => add_cosignature(checkpoint, &w.units[p].witness, TIME).unwrap(),
        None => checkpoint.clone(),
    }
}

/// A unit's part up to a month, with the parent's receipts.
pub(super) fn honest_part(w: &World, id: &str, until: &str) -> UnitEvidence {
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

/// A world in which only county B has written, by the first registry.
pub(super) fn only_b(write: impl FnOnce(&mut Desk, &VerifiedRegistry)) -> World {
    let mut w = World::empty();
    let registry = w.registry.clone();
    write(w.units.get_mut(&unit(B)).unwrap(), &registry);
    w
}

pub(super) fn honest_file(w: &World, ids: &[&str], until: &str) -> Evidence {
    let mut e = blank(w);
    for id in ids {
        e.units.insert(unit(id), honest_part(w, id, until));
    }
    e
}

/// The case as a file: the months before it are honest unless the case knows others, the children
/// are there.
pub(super) fn evidence_of(c: &Case<'_>) -> Evidence {
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
        if w.desk(id).held.contains_key(at) {
            let receipt = w.receipt(id, &at.0.to_string());
            if receipt.rollup == held.digest() {
                part.receipts
                    .insert((at.0, at.1, 0), w.sign_receipt(&receipt));
            }
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
    for child in w.registry.registry().children(&c.id, c.rollup.period) {
        e.units.insert(
            child.id.clone(),
            honest_part(w, child.id.as_str(), &c.rollup.period.to_string()),
        );
    }
    e.units.insert(c.id.clone(), part);
    e
}

pub(super) fn on<'e>(e: &'e mut Evidence, id: &str) -> &'e mut UnitEvidence {
    e.units.get_mut(&unit(id)).unwrap()
}

/// The rollup follows whatever its leaves and its opening are now.
pub(super) fn recount(c: &mut Case<'_>) {
    recount_with(c, &Sums::new());
}

/// The same, where these clear sums are counted as well.
pub(super) fn recount_with(c: &mut Case<'_>, claimed: &Sums) {
    let node = c.newest.registry().unit(&c.id).unwrap();
    let mut log = UnitLog::new(node, c.world.catalogues());
    log.read(&c.entries, node);
    let m = log.month(c.rollup.period);
    let mut sums = c.rollup.opening.sums.clone();
    // What is out of range is left out here: the case is about who says so.
    sums.extend(m.clear_sums().unwrap_or_default());
    for (event, more) in claimed {
        let more: Vec<(usize, i64)> = more.iter().copied().enumerate().collect();
        add_row(sums.entry(event.clone()).or_default(), more.len(), &more, 1);
    }
    let last = c
        .rollup
        .previous
        .and_then(|d| c.known.values().find(|h| h.digest() == d))
        .cloned();
    let catalogue = |digest| &log.compiled(&digest).unwrap().catalogue;
    let last = last.as_ref().map(|h| CountedFigures {
        figures: &h.rollup.figures,
        catalogue: catalogue(h.rollup.catalogue),
    });
    let ours = log.compiled(&c.rollup.catalogue).unwrap();
    let sums = ours.column_sums(&sums, log.catalogues());
    c.rollup.figures = figure::own(&ours.catalogue, c.rollup.tier, &sums, last).unwrap();
    (c.rollup.voided, c.rollup.late) = (m.voided, m.late.clone());
    c.rollup.log.first = m.first.unwrap_or(c.rollup.log.size);
}

/// Statements with ids that no log has.
pub(super) struct Spare(World);
impl Spare {
    pub(super) fn new() -> Spare {
        let mut w = World::empty();
        for desk in w.units.values_mut() {
            for _ in 0..100 {
                desk.blank("x", JAN);
            }
        }
        Spare(w)
    }
    pub(super) fn blank(&mut self, id: &str, event: &str, period: &str) -> Statement<()> {
        self.0
            .units
            .get_mut(&unit(id))
            .unwrap()
            .blank(event, period)
    }
    pub(super) fn clear(
        &mut self,
        id: &str,
        event: &str,
        period: &str,
        fields: &[(&str, Value)],
        counts: &[(&str, i64)],
    ) -> Statement {
        self.blank(id, event, period)
            .with(clear_body(fields, counts))
    }
    pub(super) fn training(&mut self, id: &str, period: &str, attended: i64) -> Statement {
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
    /// County B's inspection of a workshop in January.
    pub(super) fn inspection(&mut self) -> Statement {
        let fields = [
            ("kind", text("workshop")),
            ("result", text("good")),
            ("occurred_on", text("2026-01-12")),
        ];
        let counts = [
            ("I22:n:seen:workshop", 1),
            ("I22:n:result:good", 1),
            ("I22:n:seen*result:workshop*good", 1),
        ];
        self.clear(B, "carrier.inspected", JAN, &fields, &counts)
    }
    pub(super) fn void(&mut self, w: &World, id: &str, period: &str, target: u64) -> Statement {
        let body = void_of(w.desk(id).statement(target).id, target);
        self.blank(id, statement::VOIDED, period).with(body)
    }
}

pub(super) fn column(w: &World, event: &str, name: &str) -> usize {
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
pub(super) fn leaf(w: &World, id: &str, event: &str) -> u64 {
    let desk = w.desk(id);
    (0..desk.size())
        .find(|i| desk.statement(*i).event == event)
        .unwrap()
}

pub(super) fn second_registry(w: &World, change: impl FnOnce(&mut Registry)) -> Note {
    let mut r = w.registry.registry().clone();
    (r.version, r.previous) = (2, Some(w.registry.digest()));
    change(&mut r);
    sign_registry(&r, &[&w.roots[0], &w.roots[1]])
}

/// A county that nobody knew, below the city.
pub(super) fn county(id: &str, since: &str) -> Unit {
    let placement = Placement {
        name: format!("Unit {id}"),
        parent: Some(unit(CITY)),
        area: None,
    };
    let (key, witness) = (node_key(id).vkey(), witness_key(id).vkey());
    Unit::new(
        unit(id),
        Tier::County,
        month(since),
        placement,
        key,
        witness,
    )
}

/// A document that the types would not write.
pub(super) fn forged(kind: &str, json: &str, signers: &[&SigningKey]) -> Note {
    // Not by `note::document`: it writes nothing that a reader would refuse.
    Note::sign(&format!("countersign/{kind}/v1\n{json}\n"), signers).unwrap()
}

pub(super) fn json_of(note_text: &str) -> String {
    note_text.lines().nth(1).unwrap().to_string()
}

pub(super) fn replaced(text: &str, from: &str, to: &str) -> String {
    let changed = text.replacen(from, to, 1);
    assert_ne!(changed, text, "{from} is not there");
    changed
}

/// Registry version 2, in which county B's node key may sign no leaf from this index on.
pub(super) fn revocation(w: &World, at_index: u64) -> Note {
    second_registry(w, |r| {
        let node = r.units.iter_mut().find(|u| u.id == unit(B)).unwrap();
        node.keys[0].revoked = Some(Revocation {
            at_index,
            reason: "lost".into(),
        });
    })
}

/// County B's January without a receipt.
pub(super) fn unanswered(w: &World) -> Evidence {
    let mut e = honest_file(w, &[B], JAN);
    on(&mut e, B).receipts.clear();
    e
}

pub(super) fn absent(ids: &[&str]) -> Vec<Missing> {
    ids.iter()
        .map(|m| Missing {
            unit: unit(m),
            reason: "未报".into(),
        })
        .collect()
}

/// County B: January, January again with a void, February on the second revision.
pub(super) fn reopened() -> (World, Evidence) {
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

/// County B's January with this rollup and without a receipt.
pub(super) fn filed(w: &World, rollup: Note) -> Evidence {
    let mut e = unanswered(w);
    on(&mut e, B).rollups.insert((month(JAN), 1), rollup);
    e
}
