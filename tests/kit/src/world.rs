//! A province, a city and two counties in memory. Everything follows from fixed seeds, so the same
//! world is the same bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::catalogue::Catalogue;
use protocol::compiled::CompiledCatalogue;
use protocol::count::Value;
use protocol::evidence::{Arrivals, Evidence, UnitEvidence};
use protocol::ids::UnitId;
use protocol::log::checkpoint::add_cosignature;
use protocol::note::{Alg, Note, SigningKey};
use protocol::receipt::{Decision, Receipt};
use protocol::registry::VerifiedRegistry;
use protocol::rollup::HeldRollup;
use protocol::verdict::{Check, Verdict};

use crate::{A, B, CITY, Desk, FEB, JAN, PLAN, PROVINCE, UNITS};
use crate::{catalogue, id_no, key, month, registry, sign_registry, text, unit};

/// Everybody.
pub struct World {
    pub roots: [SigningKey; 2],
    pub registries: Vec<Note>,
    pub registry: VerifiedRegistry,
    pub counting: Arc<CompiledCatalogue>,
    /// What was published after it.
    pub later: Vec<Arc<CompiledCatalogue>>,
    pub units: BTreeMap<UnitId, Desk>,
}
/// An employment that begins, of the n-th person.
fn hire(n: u32, employer: &str, day: &str) -> [(&'static str, Value); 4] {
    [
        ("id_no", text(&id_no(n))),
        ("employer", text(employer)),
        ("wage", Value::Int(300_000 + i64::from(n))),
        ("occurred_on", text(day)),
    ]
}

impl World {
    /// The units and their keys; nothing is recorded yet.
    pub fn empty() -> World {
        let counting = Arc::new(CompiledCatalogue::new(catalogue()).unwrap());
        let roots = [
            key("root-a", Alg::Ed25519, 9),
            key("root-b", Alg::Ed25519, 9),
        ];
        let mut units: BTreeMap<UnitId, Desk> = BTreeMap::new();
        for (id, tier, parent) in UNITS {
            let mut desk = Desk::new(id, tier, parent, &counting);
            desk.enrol_people();
            units.insert(unit(id), desk);
        }
        let both = [&roots[0], &roots[1]];
        let note = sign_registry(&registry(month(JAN), &both), &both);
        let registry = VerifiedRegistry::first(&note, &roots[0].vkey()).unwrap();
        World {
            roots,
            registries: vec![note],
            registry,
            counting,
            later: Vec::new(),
            units,
        }
    }

    /// Everybody learns of a catalogue; nobody counts by it yet.
    pub fn publish(&mut self, catalogue: Catalogue) -> Arc<CompiledCatalogue> {
        let counting = Arc::new(CompiledCatalogue::new(catalogue).unwrap());
        self.later.push(counting.clone());
        for desk in self.units.values_mut() {
            desk.learn(&counting);
        }
        counting
    }

    /// Every catalogue that was published.
    pub fn catalogues(&self) -> Vec<Arc<CompiledCatalogue>> {
        let mut all = vec![self.counting.clone()];
        all.extend(self.later.iter().cloned());
        all
    }

    /// The same, signed by the roots.
    pub fn signed_catalogues(&self) -> Vec<Note> {
        let roots = [&self.roots[0], &self.roots[1]];
        let sign = |counting: &Arc<CompiledCatalogue>| {
            let text = protocol::published::catalogue_text(&counting.catalogue).unwrap();
            Note::sign(&text, &roots).unwrap()
        };
        self.catalogues().iter().map(sign).collect()
    }

    /// Two honest months of everybody.
    pub fn honest() -> World {
        let mut w = World::empty();
        w.honest_january();
        w.close_all(JAN);
        w.honest_february();
        w.close_all(FEB);
        w
    }

    fn honest_january(&mut self) {
        let a = self.units.get_mut(&unit(A)).unwrap();
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
        let b = self.units.get_mut(&unit(B)).unwrap();
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
        self.units.get_mut(&unit(CITY)).unwrap().clear(
            JAN,
            "training.held",
            &[
                ("attended", Value::Int(9)),
                ("occurred_on", text("2026-01-11")),
            ],
        );
    }

    fn honest_february(&mut self) {
        let a = self.units.get_mut(&unit(A)).unwrap();
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
        let b = self.units.get_mut(&unit(B)).unwrap();
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
            checks: vec![Verdict::holds(Check::Binding, "")],
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
            catalogues: self.signed_catalogues(),
            plans: vec![sign(protocol::published::plan_text(PLAN).unwrap())],
            arrivals: Some(
                Note::sign(&arrivals.to_text().unwrap(), &[&self.desk(PROVINCE).node]).unwrap(),
            ),
            units,
        }
    }
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
    Evidence {
        registries: w.registries.clone(),
        catalogues: w.signed_catalogues(),
        plans: vec![],
        arrivals: Some(Note::sign(&arrivals.to_text().unwrap(), &[&w.desk(CITY).node]).unwrap()),
        units: [(unit(B), part)].into(),
    }
}
