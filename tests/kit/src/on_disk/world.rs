//! The federation, each unit with its own keys and books.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use node::config::{Accept, Config};
use node::desk::{receipt, record};
use node::fault::Faults;
use node::intake::Intake;
use node::review::{self, Ruling};
use node::service::Service;
use node::vault::VaultKey;
use protocol::digest::Digest;
use protocol::note::{Alg, Note, SigningKey};
use protocol::published;
use protocol::receipt::Decision;
use protocol::registry::Registry;
use protocol::text::hex;

use super::basics::{PEOPLE, TOKENS, after, at, catalogue, key, token};
use super::desk::Desk;
use super::dir::{Dir, secret};
use super::letter::take;
use crate::{A, B, CITY, FEB, JAN, PLAN, PROVINCE, UNITS};
use crate::{id_no, month, node_key, registry, sign_registry, unit, witness_key};

/// The federation.
pub struct World {
    pub dir: Dir,
    pub root: SigningKey,
    pub desks: BTreeMap<&'static str, Desk>,
}

impl World {
    /// Everybody with keys, published documents and enrolled people; nothing else.
    pub fn empty() -> World {
        let dir = Dir::create();
        let root = key("root", Alg::Ed25519);
        let documents = publish(&dir.0.join("published"), &root);
        let mut desks = BTreeMap::new();
        for (id, _, _) in UNITS {
            let home = dir.0.join(id);
            let people = PEOPLE
                .into_iter()
                .map(|(name, _)| (name, key(&format!("{id}/{name}"), Alg::Ed25519)))
                .collect();
            write_home(id, &home, &people);
            let mut desk = Desk::new(id, home, root.vkey(), people);
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
        let mut ruling = Ruling::new(decision, &format!("{parent}/tongji"));
        if decision != Decision::Accepted {
            ruling = ruling.because("please look again").with_later();
        }
        self.rule(parent, child, period, ruling, now).unwrap();
    }

    /// The parent's word on what it has checked; the child gets the receipts of all months that it
    /// is about.
    ///
    /// # Errors
    /// Why the parent may not decide so.
    pub fn rule(
        &mut self,
        parent: &str,
        child: &str,
        period: &str,
        ruling: Ruling,
        now: DateTime<Utc>,
    ) -> Result<(), Faults> {
        let books = self.desk(parent).books();
        let notes = review::decide(books, &unit(child), month(period), ruling, now)?;
        for note in notes {
            let took = receipt::take_receipt(self.desk(child).books(), note.as_bytes());
            assert_eq!(took.unwrap(), Intake::Done);
        }
        Ok(())
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

    /// The next version of the registry, changed in the months from this one on, at every unit.
    pub fn publish_registry(&mut self, from: &str, change: impl FnOnce(&mut Registry)) {
        let note = self.next_registry(from, change);
        for desk in self.desks.values_mut() {
            let documents = [note.as_bytes().to_vec()];
            assert_eq!(desk.books().install(&documents).unwrap(), 1);
        }
    }

    /// The same version, which no unit has yet.
    pub fn next_registry(&self, from: &str, change: impl FnOnce(&mut Registry)) -> Note {
        let known = self.desks[PROVINCE].read().registry().unwrap();
        let mut next = known.registry().clone();
        (next.version, next.previous) = (next.version + 1, Some(known.digest()));
        next.from = Some(month(from));
        change(&mut next);
        sign_registry(&next, &[&self.root])
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

/// Registry, catalogue and plan, signed by the root, as files and as bytes.
fn publish(folder: &Path, root: &SigningKey) -> Vec<Vec<u8>> {
    std::fs::create_dir_all(folder).unwrap();
    let registry = registry(month(JAN), &[root]);
    let catalogue = published::catalogue_text(&catalogue()).unwrap();
    let texts = [
        ("registry", registry.to_text().unwrap()),
        ("catalogue", catalogue),
        ("plan", published::plan_text(PLAN).unwrap()),
    ];
    texts
        .into_iter()
        .map(|(name, text)| {
            let note = Note::sign(&text, &[root]).unwrap().as_bytes().to_vec();
            std::fs::write(folder.join(format!("{name}.note")), &note).unwrap();
            note
        })
        .collect()
}

/// A unit's keys and tokens; of its people, the node keeps the recorder's key alone.
fn write_home(id: &str, home: &Path, people: &BTreeMap<&str, SigningKey>) {
    let keys = home.join("keys");
    std::fs::create_dir_all(&keys).unwrap();
    std::fs::create_dir_all(home.join("data")).unwrap();
    secret(&keys.join("node.key"), node_key(id).encode().as_str());
    secret(&keys.join("witness.key"), witness_key(id).encode().as_str());
    let vault = Digest::of(format!("vault {id}").as_bytes());
    VaultKey::create(&keys.join("vault.key"), *vault.as_bytes()).unwrap();
    secret(&keys.join("luru.key"), people["luru"].encode().as_str());
    let tokens: String = TOKENS
        .into_iter()
        .map(|(name, roles)| {
            let digest = Digest::of(token(id, name).as_bytes());
            format!("{} {name} {roles}\n", hex::encode(digest.as_bytes()))
        })
        .collect();
    secret(&home.join("tokens"), &tokens);
}

/// County A's January was returned once; its second revision has one hire more and waits at the city.
/// B has not reported.
pub fn two_revisions() -> World {
    let mut w = World::empty();
    let now = at("2026-01-20");
    let a = w.desk(A);
    a.register(&[id_no(1), id_no(2)], "2026-01-03", now);
    a.hire(&id_no(1), "甲厂", "2026-01-05", now);
    a.finish(JAN, after(JAN));
    w.send(A, &[CITY], after(JAN));
    w.decide(CITY, A, JAN, Decision::Returned, after(JAN));
    w.desk(A).hire(&id_no(2), "乙厂", "2026-01-06", after(JAN));
    w.desk(A).finish(JAN, after(JAN));
    w.send(A, &[CITY], after(JAN));
    review::check_all(w.desk(CITY).books(), false, after(JAN)).unwrap();
    w
}

/// Two honest months of everybody.
pub fn two_months() -> World {
    let mut w = World::empty();
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
