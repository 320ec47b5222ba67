//! The checks of a rollup: for each one, what it accepts and what it refuses.
//!
//! The attacker is the unit itself: it holds its own keys, so every forgery here is signed again
//! where its author could sign. What must then fail is the named check, for the named reason.
#![allow(clippy::unwrap_used)]

use curve25519_dalek::Scalar;
use kit::*;
use proptest::prelude::*;
use protocol::catalogue::Catalogue;
use protocol::commitment::{Commitment, Generators, OpenScalar, integer, zero};
use protocol::count::{Fields, Value};
use protocol::digest::Digest;
use protocol::evidence::disclosure::{self, Disclosure, FORMAT, ShownRow};
use protocol::evidence::{file, report};
use protocol::log::checkpoint::add_cosignature;
use protocol::note::{Alg, Note};
use protocol::receipt::{Decision, Receipt};
use protocol::registry::{Registry, RegistryError, Revocation, Unit, UnitKey, VerifiedRegistry};
use protocol::rollup::HeldRollup;
use protocol::rollup::{ChildRef, Missing, Rollup};
use protocol::row;
use protocol::statement::{Ref, Statement};
use protocol::verdict::{Check, Outcome, Verdict};
use protocol::verify::log::{MAX_HISTORY, UnitLog};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

static WORLD: LazyLock<World> = LazyLock::new(World::honest);

fn case(id: &str, period: &str) -> Case<'static> {
    Case::of(&WORLD, id, period)
}

/// A case in another world of its own, with January closed by county A alone after `change`.
fn january(change: impl FnOnce(&mut Desk)) -> World {
    let mut w = World::empty();
    let registry = w.registry.clone();
    let a = w.units.get_mut(&unit(A)).unwrap();
    change(a);
    a.close(JAN, 1, &registry, &[], vec![]);
    w
}

fn registered(desk: &mut Desk, n: u32) -> u64 {
    desk.sealed(
        JAN,
        "person.registered",
        &[
            ("id_no", text(&id_no(n))),
            ("occurred_on", text("2026-01-03")),
        ],
    )
}

fn hired(desk: &mut Desk, n: u32) -> u64 {
    let fields = [
        ("id_no", text(&id_no(n))),
        ("employer", text("厂")),
        ("wage", Value::Int(5)),
        ("occurred_on", text("2026-01-04")),
    ];
    desk.sealed(JAN, "employment.started", &fields)
}

// ---------------------------------------------------------------------------------------------------------- control

#[test]
fn honest_rollups_hold() {
    for id in [A, B, CITY, PROVINCE] {
        case(id, JAN).holds();
        let mut february = case(id, FEB);
        february.received = Some("2026-02-05T15:59:59Z"); // the last second of the fifth in China
        february.holds();
    }
    let a = case(A, FEB).rollup;
    // Person 1 left, person 2 was hired again after the void, person 3 stayed; five women were
    // declared.
    assert_eq!(a.figure("I2").unwrap().own.value, Some(7));
    assert_eq!(a.figure("I2").unwrap().own.declared, 5);
    assert_eq!(
        a.figure("I2").unwrap().basis,
        protocol::figure::Basis::Declared
    );
    assert_eq!(a.figure("I1").unwrap().own.value, Some(1));
    let p = case(PROVINCE, JAN).rollup;
    assert_eq!(p.figure("I7").unwrap().scope().value, Some(51));
    assert_eq!(p.figure("I3").unwrap().scope().value, Some(900_012));
    assert_eq!(
        (
            p.figure("I6").unwrap().scope().num,
            p.figure("I6").unwrap().scope().den
        ),
        (Some(1), Some(2))
    );
}

// ------------------------------------------------------------------------------------------------------- authorship

#[test]
fn a_rollup_needs_node_and_all_three_signatories() {
    let desk = WORLD.desk(A);
    let mut c = case(A, JAN);
    let text = c.rollup.to_text().unwrap();
    let people = &desk.people;
    for (signers, part) in [
        (
            vec![&people[1], &people[2], &people[3]],
            "not signed by a node key",
        ),
        (vec![&desk.node, &people[2], &people[3]], "zhang's"),
        (vec![&desk.node, &people[1], &people[3]], "reviewer"),
        (vec![&desk.node, &people[1], &people[2]], "head"),
    ] {
        let part = if part == "zhang's" { "preparer" } else { part };
        c.held = Some(Arc::new(
            HeldRollup::new(Note::sign(&text, &signers).unwrap()).unwrap(),
        ));
        c.fails_alone("authorship", part);
    }
    // The right name with another key, and a signature moved here from another text.
    let false_node = key(A, Alg::Ed25519, 77);
    c.held = Some(Arc::new(
        HeldRollup::new(
            Note::sign(&text, &[&false_node, &people[1], &people[2], &people[3]]).unwrap(),
        )
        .unwrap(),
    ));
    c.fails_alone("authorship", "not signed by a node key");
    let february = WORLD.held(A, FEB);
    let line = &february.note.signatures()[3];
    let moved = Note::sign(&text, &[&desk.node, &people[1], &people[2]])
        .unwrap()
        .add_line(line.name(), line.key_id(), line.blob())
        .unwrap();
    c.held = Some(Arc::new(HeldRollup::new(moved).unwrap()));
    c.fails_alone("authorship", "head");
}

#[test]
fn a_signatory_signs_in_the_role_of_the_enrolment() {
    let mut c = case(A, JAN);
    std::mem::swap(
        &mut c.rollup.signatories.preparer,
        &mut c.rollup.signatories.head,
    );
    c.fails_alone("authorship", "140321/zhao is not enrolled as preparer");
    let mut c = case(A, JAN);
    c.rollup.signatories.reviewer = WORLD.desk(A).people[0].name().into();
    c.fails_alone("authorship", "140321/zhang is not enrolled as reviewer");
    let mut c = case(A, JAN);
    c.rollup.signatories.head = "140311/zhao".into();
    c.fails_alone("authorship", "140311/zhao is not enrolled as head");
    let mut r = case(A, JAN).rollup;
    r.signatories.reviewer = r.signatories.head.clone();
    assert!(
        r.to_text()
            .unwrap_err()
            .to_string()
            .contains("three people")
    );
}

#[test]
fn one_key_is_one_person() {
    for (name, alg, part) in [
        (
            "140321/alias",
            Alg::Ed25519,
            "already held under another name",
        ),
        ("140321/stamp", Alg::CosignatureV1, "not for signing"),
        (
            "140311/sun",
            Alg::Ed25519,
            "not a name of this unit's people",
        ),
        (
            "140321/witness",
            Alg::Ed25519,
            "not a name of this unit's people",
        ),
    ] {
        let mut seed = *Digest::of(b"140321/li").as_bytes();
        seed[0] = 1; // li's own key
        let who = protocol::note::SigningKey::from_seed(name, alg, seed).unwrap();
        let w = january(|a| {
            enrol(a, &who, "head", JAN);
        });
        Case::of(&w, A, JAN).fails_alone("authorship", part);
    }
}

#[test]
fn people_are_enrolled_by_the_node_and_revoked_for_good() {
    let mut c = case(A, JAN);
    let mut desk = spare_desk();
    let who = key("140321/sun", Alg::Ed25519, 1);
    let mut s = desk.blank(protocol::statement::OPERATOR_ENROLLED, JAN);
    s.clear = Some(
        [
            ("vkey".to_string(), text(who.vkey().as_str())),
            ("roles".to_string(), text("head")),
        ]
        .into(),
    );
    s.counts = Some([].into());
    c.append(&s, &WORLD.desk(A).people[0]);
    c.fails_alone("authorship", "enrolled by the node's key");

    // A revoked recorder records no more, a revoked head signs no more.
    let w = january(|a| {
        let zhang = key("140321/zhang", Alg::Ed25519, 1);
        revoke(a, &zhang, JAN);
        registered(a, 1);
    });
    Case::of(&w, A, JAN).fails(
        "authorship",
        "leaf 5: signed by 140321/zhang, which holds no key",
    );
    let w = january(|a| {
        revoke(a, &key("140321/zhao", Alg::Ed25519, 1), JAN);
    });
    Case::of(&w, A, JAN).fails_alone("authorship", "140321/zhao is not enrolled as head");
    let w = january(|a| {
        enrol(a, &key("140321/zhao", Alg::Ed25519, 50), "head", JAN);
    });
    Case::of(&w, A, JAN).fails_alone("authorship", "enrolled already");
    let w = january(|a| {
        enrol(a, &key("140321/qian", Alg::Ed25519, 1), "emperor", JAN);
    });
    Case::of(&w, A, JAN).fails_alone("authorship", "unknown roles");
}

/// A desk whose only use is to make statements with fresh ids.
fn spare_desk() -> Desk {
    let mut w = World::empty();
    let mut d = w.units.remove(&unit(A)).unwrap();
    for _ in 0..100 {
        d.blank("x", JAN);
    }
    d
}

#[test]
fn a_leaf_is_signed_by_a_key_of_this_unit() {
    let fields: Fields = [
        ("attended".to_string(), Value::Int(1)),
        ("occurred_on".to_string(), text("2026-01-12")),
    ]
    .into();
    let mut s = spare_desk().blank("training.held", JAN);
    s.clear = Some(fields);
    s.counts = Some([("I7:n:total:total".to_string(), 1)].into());
    for (signer, part) in [
        (key("140321/zhang", Alg::Ed25519, 66), "holds no key for it"), // another key under this name
        (key("140321/li", Alg::Ed25519, 1), "holds no key for it"), // the preparer does not record
        (key("140321/nobody", Alg::Ed25519, 1), "holds no key for it"),
        (key("140311/zhang", Alg::Ed25519, 1), "holds no key for it"),
        (key("140311", Alg::Ed25519, 0), "holds no key for it"),
    ] {
        let mut c = case(A, JAN);
        c.append(&s, &signer);
        c.fails_alone("authorship", part);
    }
    // A signature of the right key on other bytes.
    let mut c = case(A, JAN);
    let last = String::from_utf8(c.entries.last().unwrap().clone()).unwrap();
    *c.entries.last_mut().unwrap() = last.replace("08:00:00Z", "08:00:01Z").into_bytes();
    c.reseal();
    c.fails_alone("authorship", "its signature is wrong");
    // Two signatures, another unit's statement, another kind of document, no note at all.
    let zhang = key("140321/zhang", Alg::Ed25519, 1);
    let two = Note::sign(&s.to_text().unwrap(), &[&zhang, &key(A, Alg::Ed25519, 0)]).unwrap();
    let foreign = WORLD.desk(B).entries[5].clone();
    let rollup = Note::sign(WORLD.held(A, JAN).note.text(), &[&zhang]).unwrap();
    for (bytes, part) in [
        (two.as_bytes().to_vec(), "exactly one signature"),
        (foreign, "a statement of unit 140311"),
        (rollup.as_bytes().to_vec(), "countersign/statement/v1"),
        (b"x".to_vec(), "not a signed note"),
        (vec![], "not a signed note"),
    ] {
        let mut c = case(A, JAN);
        c.entries.push(bytes);
        c.reseal();
        c.fails("authorship", part);
    }
}

#[test]
fn a_wrong_signature_is_named_by_its_leaf() {
    let w = january(|d| {
        for n in 0..600 {
            registered(d, n);
        }
    });
    let mut entries = w.desk(A).entries.clone();
    let node = w.registry.registry().unit(&unit(A)).unwrap();
    let fault = |entries: &[Vec<u8>]| {
        let mut log = UnitLog::new(node, vec![WORLD.counting.clone()]);
        log.read(entries, node);
        log.fault(Check::Authorship).map(ToString::to_string)
    };
    assert_eq!(fault(&entries), None);
    // Behind the first batch.
    let spoilt = String::from_utf8(entries[500].clone())
        .unwrap()
        .replace("08:00:00Z", "08:00:01Z")
        .into_bytes();
    assert_ne!(spoilt, entries[500]);
    entries[500] = spoilt;
    assert_eq!(
        fault(&entries).as_deref(),
        Some("leaf 500: its signature is wrong")
    );
}

/// Each statement about a subject counts its whole history anew: without an end to it a small log
/// keeps everybody above busy for hours.
#[test]
fn the_history_of_one_subject_has_an_end() {
    let mut w = World::empty();
    let a = w.units.get_mut(&unit(A)).unwrap();
    let zhang = key("140321/zhang", Alg::Ed25519, 1);
    let fields = [
        ("ref", text("c1")),
        ("kind", text("workshop")),
        ("occurred_on", text("2026-01-09")),
    ];
    a.clear(JAN, "carrier.opened", &fields);
    let again = |a: &mut Desk| {
        let mut s = a.blank("carrier.opened", JAN);
        s.clear = Some(
            fields
                .iter()
                .map(|(n, v)| ((*n).to_string(), v.clone()))
                .collect(),
        );
        // The carrier is counted already.
        s.counts = Some(BTreeMap::new());
        a.append(&s, &zhang);
    };
    (1..MAX_HISTORY).for_each(|_| again(a));
    a.clear(
        JAN,
        "carrier.closed",
        &[("ref", text("c2")), ("occurred_on", text("2026-01-09"))],
    );
    let control = a.entries.len();
    again(a);
    let entries = a.entries.clone();
    let node = w.registry.registry().unit(&unit(A)).unwrap();
    let mut log = UnitLog::new(node, vec![WORLD.counting.clone()]);
    log.read(&entries[..control], node);
    assert_eq!(
        [Check::Authorship, Check::History, Check::Binding].map(|check| log.fault(check)),
        [None; 3],
        "as many as there may be, and another subject"
    );
    log.read(&entries[control..], node);
    let told = log
        .fault(Check::Binding)
        .map(ToString::to_string)
        .unwrap_or_default();
    assert!(
        told.contains(&format!(
            "leaf {control}: more than {MAX_HISTORY} statements about one subject"
        )),
        "{told}"
    );
}

#[test]
fn node_keys_are_judged_by_index_and_by_the_newest_registry() {
    let second = |change: &dyn Fn(&mut Unit)| {
        let mut r = WORLD.registry.registry().clone();
        r.version = 2;
        r.previous = Some(WORLD.registry.digest());
        change(r.units.iter_mut().find(|u| u.id.as_str() == A).unwrap());
        WORLD
            .registry
            .next(&sign_registry(&r, &[&WORLD.roots[0], &WORLD.roots[1]]))
            .unwrap()
    };
    let size = WORLD.held(A, FEB).rollup.log.size;
    // Revoked from an index below the rollup's: refused, also where the rollup names the version
    // before the revocation.
    let revoked = second(&|u| {
        u.keys[0].revoked = Some(Revocation {
            at_index: size - 1,
            reason: "lost".into(),
        })
    });
    let mut c = case(A, FEB);
    c.newest = revoked;
    c.fails_alone("authorship", "not signed by a node key");
    // What it sealed as its last act stays valid: over `size` leaves, none of them at or above the
    // index.
    let later = second(&|u| {
        u.keys[0].revoked = Some(Revocation {
            at_index: size,
            reason: "rotated".into(),
        })
    });
    let mut c = case(A, FEB);
    c.newest = later;
    c.holds();
    // Not yet valid.
    let early = second(&|u| {
        let old = UnitKey {
            vkey: key(A, Alg::Ed25519, 40).vkey(),
            from_index: 0,
            revoked: None,
        };
        u.keys[0].from_index = size + 1;
        u.keys.push(old);
    });
    let mut c = case(A, FEB);
    c.newest = early;
    c.fails("authorship", "which holds no key for it"); // the enrolments, signed before its time
    // Another registry under the number that the rollup names, and another tier than it has.
    let mut c = case(A, FEB);
    c.rollup.registry.digest = Digest::of(b"another");
    c.fails_alone("authorship", "registry version 1 with another digest");
    let mut c = case(A, JAN);
    c.rollup.tier = protocol::ids::Tier::City;
    c.fails("authorship", "calls itself a City");
}

#[test]
fn a_checkpoint_is_signed_by_the_node() {
    let mut c = case(A, JAN);
    c.checkpoint = None;
    c.fails("authorship", "no checkpoint");
    let point = WORLD.desk(A).checkpoint(c.rollup.log.size);
    c.checkpoint = Some(Note::sign(point.text(), &[&WORLD.desk(B).node]).unwrap());
    c.fails_alone("authorship", "checkpoint is not signed");
    c.checkpoint = Some(WORLD.desk(A).checkpoint(c.rollup.log.size - 1));
    c.fails_alone("history", "another unit, size or root");
    c.checkpoint = Some(WORLD.desk(B).checkpoint(5));
    c.fails("history", "another unit, size or root");
}

// ------------------------------------------------------------------------------------------------------- arithmetic

#[test]
fn cells_add_up_to_values() {
    let mut c = case(A, JAN);
    c.figure("I2").own.value = Some(8);
    c.fails(
        "arithmetic",
        "figure I2: the cells of a table do not add up",
    );
    let mut c = case(A, JAN);
    c.figure("I2").own.cells[0][0] = i64::MAX;
    c.fails("arithmetic", "figure I2");
    let mut c = case(A, JAN);
    c.figure("I2").sum = Some(c.rollup.figures[2].own.clone());
    c.fails("arithmetic", "sum although the unit has no children");
}

#[test]
fn a_sum_is_own_and_all_children() {
    let mut c = case(CITY, JAN);
    let f = c.figure("I7");
    let sum = f.sum.as_mut().unwrap();
    sum.value = Some(sum.value.unwrap() + 1);
    c.fails_alone(
        "arithmetic",
        "figure I7 (sum): value is 52 but its parts give 51",
    );
    // A table whose cells and value agree with each other, but not with the children.
    let mut c = case(CITY, JAN);
    let sum = c.figure("I4").sum.as_mut().unwrap();
    sum.cells[0] = vec![0, 1];
    c.fails_alone(
        "arithmetic",
        "figure I4 (sum): table kind cell workshop is 0 but its parts give 1",
    );
    let mut c = case(CITY, JAN);
    c.figure("I6").sum.as_mut().unwrap().den = Some(1);
    c.fails_alone("arithmetic", "den is 1 but its parts give 2");
    let mut c = case(CITY, JAN);
    c.figure("I2").sum = None;
    c.fails(
        "arithmetic",
        "`sum` is there exactly where there are children",
    );
    // A declared part stays declared on the way up.
    let mut c = case(CITY, JAN);
    c.figure("I2").basis = protocol::figure::Basis::Proven;
    c.fails_alone("arithmetic", "figure I2 is called proven but is declared");
    let mut c = case(CITY, JAN);
    c.figure("I2").sum.as_mut().unwrap().declared = 0;
    c.fails_alone("arithmetic", "declared part is 0 but its parts give 5");
}

#[test]
fn every_child_is_used_or_named_as_missing() {
    let desk = WORLD.desk(CITY);
    let with = |children: &[&str], missing: &[&str]| {
        let mut c = case(CITY, JAN);
        let used: Vec<_> = children.iter().map(|id| WORLD.held(id, JAN)).collect();
        let missing = missing
            .iter()
            .map(|m| Missing {
                unit: unit(m),
                reason: "未报".into(),
            })
            .collect();
        let mut honest = desk.rollup(JAN, 1, &WORLD.registry, &used, missing);
        honest.log = c.rollup.log.clone();
        c.rollup = honest;
        c
    };
    with(&[A, B], &[]).holds();
    let absent = with(&[A], &[B]);
    absent.holds();
    // A coverage over counties counts the absent one as not covered.
    assert_eq!(absent.rollup.figure("I6").unwrap().scope().den, Some(2));
    with(&[A], &[]).fails_alone(
        "arithmetic",
        "child 140311 Unit 140311 is neither used nor named as missing",
    );
    with(&[A, B, PROVINCE], &[]).fails_alone("arithmetic", "14 is not a child of 1403");
    with(&[A, B], &[PROVINCE]).fails_alone("arithmetic", "14 is not a child of 1403");
    let mut twice = with(&[A], &[B]).rollup;
    twice.missing[0].unit = unit(A);
    assert!(
        twice
            .to_text()
            .unwrap_err()
            .to_string()
            .contains("named twice")
    );
    // The grandchild cannot be taken for a child, nor a child's other month for this one.
    let mut c = case(PROVINCE, JAN);
    let a = WORLD.held(A, JAN);
    c.rollup.children.push(ChildRef {
        unit: a.rollup.unit.clone(),
        rollup: a.digest(),
        revision: 1,
    });
    c.fails_alone("arithmetic", "140321 is not a child of 14");
    let mut c = case(CITY, JAN);
    c.rollup.children[0].rollup = WORLD.held(A, FEB).digest();
    c.fails_alone("arithmetic", "of another unit, month or revision");
    c.rollup.children[0].rollup = WORLD.held(B, JAN).digest();
    c.fails_alone("arithmetic", "of another unit, month or revision");
    c.rollup.children[0].rollup = Digest::of(b"unknown");
    c.fails_alone("arithmetic", "is not known here");
}

// ---------------------------------------------------------------------------------------------------------- binding

#[test]
fn a_figure_off_by_one_is_refused_though_its_cells_agree() {
    let mut c = case(A, JAN);
    let own = &mut c.figure("I2").own;
    own.value = Some(own.value.unwrap() + 1);
    own.cells[0][0] += 1;
    c.fails_alone(
        "binding",
        "figure I2 (own): value is 8 but its parts give 7",
    );
    // With the opening bent to fit: then the opening does not open.
    let schema = WORLD
        .counting
        .generators
        .schema("employment.started")
        .unwrap();
    let column = schema
        .names()
        .iter()
        .position(|n| n == "I2:in:sex:1")
        .unwrap();
    let other = schema
        .names()
        .iter()
        .position(|n| n == "I2:in:sex:-")
        .unwrap();
    let sums = c.rollup.opening.sums.get_mut("employment.started").unwrap();
    sums[column] += 1;
    c.fails_alone(
        "binding",
        "the columns of figure I2 add up to 3, but there are 2 leaves",
    );
    c.rollup.opening.sums.get_mut("employment.started").unwrap()[other] -= 1;
    c.fails_alone("binding", "not the sum of the commitments");
}

#[test]
fn a_count_moved_between_cells_is_refused() {
    let mut c = case(A, JAN);
    let cells = &mut c.figure("I2").own.cells[0];
    assert!(cells[0] > 0 || cells[1] > 0);
    cells.swap(0, 1);
    c.fails_alone("binding", "figure I2 (own): table sex cell 1 is");
    let sums = c.rollup.opening.sums.get_mut("employment.started").unwrap();
    let schema = WORLD
        .counting
        .generators
        .schema("employment.started")
        .unwrap();
    let at = |name: &str| schema.names().iter().position(|n| n == name).unwrap();
    sums.swap(at("I2:in:sex:1"), at("I2:in:sex:2"));
    c.fails_alone("binding", "not the sum of the commitments");
    // A fen moved between amount bits.
    let mut c = case(A, JAN);
    let bit = at("I3:bit:total:0");
    let sums = c.rollup.opening.sums.get_mut("employment.started").unwrap();
    sums[bit] -= 2;
    sums[bit + 1] += 1;
    c.fails_alone("binding", "not the sum of the commitments");
}

#[test]
fn another_opening_is_refused() {
    let mut c = case(A, JAN);
    c.rollup.opening.blinding = OpenScalar(c.rollup.opening.blinding.0 + Scalar::ONE);
    c.fails_alone("binding", "not the sum of the commitments");
    let mut c = case(A, JAN);
    c.rollup
        .opening
        .sums
        .get_mut("employment.started")
        .unwrap()
        .pop();
    c.fails_alone("binding", "columns instead of");
    let mut c = case(A, JAN);
    c.rollup.opening.sums.remove("employment.started");
    c.fails_alone("binding", "no sums for event type employment.started");
    let mut c = case(A, JAN);
    c.rollup
        .opening
        .sums
        .insert("employment.ended".into(), vec![0; 6]);
    c.fails_alone(
        "binding",
        "sums for employment.ended, of which there is no leaf",
    );
    for extreme in [i64::MAX, i64::MIN] {
        let mut c = case(A, JAN);
        c.rollup.opening.sums.get_mut("employment.started").unwrap()[..3].fill(extreme);
        c.fails_alone("binding", "add up to");
    }
}

/// The unit commits to a row that no honest event has. What the block sums cannot see, `wellformed`
/// will; what they can, they must.
#[test]
fn rows_that_count_twice_do_not_add_up() {
    let counting = &WORLD.counting;
    let event = "person.registered";
    let schema = counting.generators.schema(event).unwrap();
    let at = |name: &str| schema.names().iter().position(|n| n == name).unwrap();
    let honest = [(at("I2:in:sex:-"), 1), (at("I2:out:sex:-"), 1)];
    for (row, part) in [
        (
            vec![(at("I2:in:sex:1"), 2), honest[1]],
            "figure I2 add up to",
        ),
        (
            vec![(at("I2:in:sex:1"), 1), honest[0], honest[1]],
            "figure I2 add up to",
        ),
        (vec![honest[0]], "figure I2 add up to"),
    ] {
        let mut c = case(A, JAN);
        let mut s = spare_desk().blank(event, JAN);
        let r = Scalar::from(7_u64);
        s.row = Some(counting.generators.commit(event, &row, &r).unwrap());
        s.record = WORLD.desk(A).statement(4).record;
        row::accumulate(
            c.rollup.opening.sums.get_mut(event).unwrap(),
            schema.columns(),
            &row,
            1,
        );
        c.rollup.opening.blinding.0 += r;
        c.append(&s, &WORLD.desk(A).people[0]);
        c.fails_alone("binding", part);
    }
    // Extreme weights that cancel within their block open, and must be refused without overflowing.
    let row = [
        (at("I2:out:sex:1"), i64::MIN),
        (at("I2:out:sex:2"), i64::MAX),
        (at("I2:out:sex:-"), 2),
        honest[0],
    ];
    let mut c = case(A, JAN);
    let mut s = spare_desk().blank(event, JAN);
    s.row = Some(
        counting
            .generators
            .commit(event, &row, &Scalar::ONE)
            .unwrap(),
    );
    s.record = WORLD.desk(A).statement(4).record;
    let sums = c.rollup.opening.sums.get_mut(event).unwrap();
    sums[at("I2:out:sex:-")] += 2;
    sums[at("I2:in:sex:-")] += 1;
    sums[at("I2:out:sex:1")] += i64::MIN;
    sums[at("I2:out:sex:2")] += i64::MAX;
    c.rollup.opening.blinding.0 += Scalar::ONE;
    c.append(&s, &WORLD.desk(A).people[0]);
    c.fails_alone("binding", "out of range");
}

#[test]
fn another_countys_leaf_or_commitment_is_of_no_use() {
    let stolen = WORLD.desk(B).statement(5);
    let mut s = spare_desk().blank("employment.started", JAN);
    s.row = stolen.row.or(WORLD.desk(B).statement(5).row);
    s.record = stolen.record;
    let mut c = case(A, JAN);
    c.append(&s, &WORLD.desk(A).people[0]);
    // Counted or not, the sums do not open.
    let sums = c.rollup.opening.sums.get_mut("employment.started").unwrap();
    let theirs = WORLD.held(B, JAN).rollup.opening.sums["employment.started"].clone();
    sums.iter_mut().zip(&theirs).for_each(|(a, b)| *a += b);
    c.fails("binding", "not the sum of the commitments");
    // Its own leaf, a second time.
    let mut c = case(A, JAN);
    let own = c.entries[7].clone();
    c.entries.push(own);
    c.reseal();
    c.fails("history", "its id was used before");
    c.fails("binding", "add up to");
}

#[test]
fn a_row_of_one_event_type_is_none_of_another() {
    let mut c = case(A, JAN);
    let mut s = WORLD.desk(A).statement(4);
    assert_eq!(s.event, "person.registered");
    s.id = spare_desk().blank("x", JAN).id;
    s.event = "employment.ended".into();
    c.append(&s, &WORLD.desk(A).people[0]);
    let net = vec![0, 0, 1, 0, 0, 1];
    c.rollup.opening.sums.insert("employment.ended".into(), net);
    c.fails_alone("binding", "not the sum of the commitments");
    // Sealed where it must be clear, and the reverse.
    let mut s = WORLD.desk(A).statement(4);
    s.id = spare_desk().blank("x", JAN).id;
    s.event = "training.held".into();
    let mut c = case(A, JAN);
    c.append(&s, &WORLD.desk(A).people[0]);
    c.fails_alone(
        "binding",
        "published in clear although it is sealed, or the reverse",
    );
    let mut c = case(A, JAN);
    s.event = "no.such".into();
    c.append(&s, &WORLD.desk(A).people[0]);
    c.fails_alone("binding", "unknown event type");
    s.catalogue = Digest::of(b"other");
    let mut c = case(A, JAN);
    c.append(&s, &WORLD.desk(A).people[0]);
    c.fails_alone("binding", "catalogue that is not known here");
    let mut c = case(A, JAN);
    c.rollup.catalogue = Digest::of(b"other");
    c.fails("binding", "catalogue that is not known here");
}

#[test]
fn clear_counts_follow_from_clear_fields() {
    let attempt = |event: &str, fields: &[(&str, Value)], counts: &[(&str, i64)]| {
        let mut s = spare_desk().blank(event, JAN);
        s.clear = Some(
            fields
                .iter()
                .map(|(n, v)| ((*n).to_string(), v.clone()))
                .collect(),
        );
        s.counts = Some(counts.iter().map(|(n, w)| ((*n).to_string(), *w)).collect());
        let mut c = case(A, JAN);
        c.append(&s, &WORLD.desk(A).people[0]);
        c
    };
    let on = ("occurred_on", text("2026-01-12"));
    let wrong = "its counts do not follow from its fields";
    let attended = |n| [("attended", Value::Int(n)), on.clone()];
    attempt("training.held", &attended(3), &[("I7:n:total:total", 4)])
        .fails_alone("binding", wrong);
    attempt("training.held", &attended(3), &[]).fails_alone("binding", wrong);
    attempt(
        "training.held",
        &attended(3),
        &[("I7:n:total:total", 3), ("I9:n:total:total", 1)],
    )
    .fails_alone("binding", wrong);
    attempt("training.held", &attended(-3), &[("I7:n:total:total", -3)])
        .fails_alone("binding", "cannot hold -3");
    attempt(
        "training.held",
        &attended(i64::MAX),
        &[("I7:n:total:total", i64::MAX)],
    )
    .fails_alone("binding", "cannot hold");
    attempt(
        "training.held",
        &attended(3)[..1],
        &[("I7:n:total:total", 3)],
    )
    .fails_alone("binding", "no day of occurrence");
    // The rollup must count it, too.
    attempt("training.held", &attended(3), &[("I7:n:total:total", 3)]).fails_alone(
        "binding",
        "figure I7 (own): value is 40 but its parts give 43",
    );
    // Carrier c1 is open already: opening it again moves nothing.
    let c1 = [("ref", text("c1")), ("kind", text("workshop")), on.clone()];
    attempt("carrier.opened", &c1, &[("I4:in:kind:workshop", 1)]).fails_alone("binding", wrong);
    let odd = [("ref", text("c9")), ("kind", text("castle")), on];
    attempt("carrier.opened", &odd, &[("I4:in:kind:castle", 1)])
        .fails_alone("binding", "has no code");
}

#[test]
fn stocks_start_from_the_previous_rollup() {
    let mut c = case(A, FEB);
    let own = &mut c.figure("I2").own;
    own.value = Some(own.value.unwrap() - 5);
    own.cells[0][1] -= 5;
    own.declared = 0;
    c.fails_alone(
        "binding",
        "figure I2 (own): value is 2 but its parts give 7",
    );
    // A county's own claim of what its figures rest on is checked as well.
    let mut c = case(A, FEB);
    c.figure("I2").basis = protocol::figure::Basis::Proven;
    c.fails_alone("binding", "figure I2 is called proven but is declared");
    let mut c = case(A, FEB);
    c.rollup.figures.swap(0, 1);
    c.fails("binding", "figure I1@plan stands where I1 belongs");
    let mut c = case(A, FEB);
    c.rollup.figures.pop();
    c.fails("binding", "figure I7 is missing");
}

#[test]
fn the_numbers_beside_the_figures_are_those_of_the_leaves() {
    let mut c = case(A, JAN);
    c.rollup.voided = 0;
    c.fails_alone("binding", "voided or late");
    let mut c = case(A, FEB);
    c.rollup.late.insert(month(JAN), 1);
    c.fails_alone("binding", "voided or late");
    let mut c = case(A, FEB);
    c.rollup.log.first -= 1;
    c.fails_alone("binding", "first leaf is wrong");
}

#[test]
fn points_that_are_no_commitments_are_refused() {
    let s = WORLD.desk(A).statement(4);
    let json = s.to_text().unwrap();
    let row = serde_json::to_value(s.row.unwrap())
        .unwrap()
        .as_str()
        .unwrap()
        .to_string();
    let mut high = row.clone();
    high.replace_range(62..64, "ff");
    for (bad, part) in [
        ("00".repeat(32), "commitment.identity"),
        ("ff".repeat(32), "commitment.point"),
        (format!("01{}", "00".repeat(31)), "commitment.point"),
        (high, "commitment.point"),
        (row.to_uppercase(), "commitment.encoding"),
        (row[..62].to_string(), "commitment.encoding"),
    ] {
        let mut c = case(A, JAN);
        let text = json.replace(&row, &bad);
        assert!(
            Statement::parse(&text)
                .unwrap_err()
                .to_string()
                .contains(part)
        );
        let zhang = &WORLD.desk(A).people[0];
        c.entries
            .push(Note::sign(&text, &[zhang]).unwrap().as_bytes().to_vec());
        c.reseal();
        c.fails("authorship", part);
    }
}

// ---------------------------------------------------------------------------------------------------------- history

#[test]
fn a_witnessed_leaf_is_not_changed_dropped_or_inserted() {
    let rewritten = "the ones that were witnessed: history was rewritten";
    let desk = WORLD.desk(A);
    let replace = |c: &mut Case<'_>, at: usize| {
        let mut s = desk.statement(at as u64);
        s.recorded = "2026-01-05T08:00:01Z".into();
        c.entries[at] = Note::sign(&s.to_text().unwrap(), &[&desk.people[0]])
            .unwrap()
            .as_bytes()
            .to_vec();
    };
    let mut c = case(A, FEB);
    replace(&mut c, 6);
    c.reseal();
    c.fails("history", rewritten);
    let mut c = case(A, FEB);
    c.entries.remove(6);
    c.reseal();
    c.fails("history", rewritten);
    let mut c = case(A, FEB);
    let extra = c.entries[6].clone();
    c.entries.insert(7, extra);
    c.reseal();
    c.fails("history", rewritten);
    let mut c = case(A, FEB);
    c.entries.swap(5, 6);
    c.reseal();
    c.fails("history", rewritten);
    // Without a witness, its own earlier rollup tells.
    let mut c = case(A, FEB);
    c.witnessed = None;
    replace(&mut c, 6);
    c.reseal();
    c.fails(
        "history",
        "does not extend the one of its rollup for 2026-01",
    );
    // The root and size that the rollup claims are those of the leaves.
    let mut c = case(A, FEB);
    c.rollup.log.root = "00".repeat(32);
    c.fails_alone("history", "the root over its");
    let mut c = case(A, FEB);
    c.entries.pop();
    c.fails("history", "leaves, of which");
    let mut c = case(A, JAN);
    c.witnessed = Some((100, [1; 32]));
    c.fails_alone("history", "100 were already witnessed");
}

#[test]
fn two_rollups_for_one_revision_are_an_equivocation() {
    let mut c = case(A, FEB);
    let mut other = c.rollup.clone();
    other.plans.clear();
    c.known.insert((month(FEB), 1), WORLD.desk(A).sign(&other));
    c.fails_alone("history", "two different rollups for 2026-02 revision 1");
    // The same one again is none.
    let mut c = case(A, FEB);
    c.known.insert((month(FEB), 1), WORLD.held(A, FEB));
    c.holds();
}

#[test]
fn revisions_supersede_one_another_without_gap_or_fork() {
    let mut c = case(A, FEB);
    let first = WORLD.held(A, FEB);
    c.rollup.revision = 2;
    c.rollup.supersedes = Some(first.digest());
    c.fails_alone("history", "revision 1 is missing");
    c.known.insert((month(FEB), 1), first.clone());
    c.holds();
    c.rollup.supersedes = Some(Digest::of(b"another"));
    c.fails_alone("history", "supersedes another revision 1");
    c.rollup.revision = 3;
    c.rollup.supersedes = Some(first.digest());
    c.fails_alone("history", "revision 2 is missing");
    let mut r = c.rollup.clone();
    r.supersedes = None;
    assert!(r.to_text().is_err());
    r.revision = 0;
    assert!(r.to_text().is_err());
}

#[test]
fn months_follow_one_another_without_gap_or_fork() {
    let mut c = case(A, FEB);
    c.rollup.previous = Some(Digest::of(b"another"));
    c.fails("history", "none of those known for 2026-01");
    let mut c = case(A, FEB);
    c.rollup.previous = None;
    c.fails(
        "history",
        "names no previous rollup, but 140321 reports since 2026-01",
    );
    let mut c = case(A, FEB);
    c.known.clear();
    c.fails("history", "the rollup of 2026-01 is missing");
    let mut c = case(A, JAN);
    c.rollup.previous = Some(Digest::of(b"another"));
    c.fails("history", "names a previous rollup in its first month");
    let mut c = case(A, FEB);
    c.rollup.period = month("2026-03");
    c.fails("history", "the rollup of 2026-02 is missing");
}

#[test]
fn a_corrected_month_is_built_on() {
    // January is opened again, a void is added, January closes as revision 2, and February builds
    // on revision 1.
    let mut w = January::twice();
    let registry = w.registry.clone();
    let a = w.units.get_mut(&unit(A)).unwrap();
    let mut february = a.rollup(FEB, 1, &registry, &[], vec![]);
    assert_eq!(february.previous, Some(a.held[&(month(JAN), 2)].digest()));
    registered_in(a, FEB, 30);
    a.close(FEB, 1, &registry, &[], vec![]);
    Case::of(&w, A, FEB).holds();
    february = w.desk(A).held[&(month(FEB), 1)].rollup.clone();
    february.previous = Some(w.desk(A).held[&(month(JAN), 1)].digest());
    let mut c = Case::of(&w, A, FEB);
    c.rollup = february;
    c.fails(
        "history",
        "is revision 1 of 2026-01, which revision 2 had replaced",
    );
}

struct January;
impl January {
    fn twice() -> World {
        let mut w = january(|a| {
            registered(a, 1);
            hired(a, 1);
        });
        let registry = w.registry.clone();
        let a = w.units.get_mut(&unit(A)).unwrap();
        a.void(JAN, 5);
        a.close(JAN, 2, &registry, &[], vec![]);
        w
    }
}

fn registered_in(desk: &mut Desk, period: &str, n: u32) {
    let day = format!("{period}-03");
    desk.sealed(
        period,
        "person.registered",
        &[("id_no", text(&id_no(n))), ("occurred_on", text(&day))],
    );
}

#[test]
fn a_reopened_month_takes_leaves_again() {
    let w = January::twice();
    Case::of(&w, A, JAN).holds();
    assert_eq!(w.held(A, JAN).rollup.revision, 2);
}

#[test]
fn rollups_never_go_back_in_log_or_registry() {
    let mut c = case(A, FEB);
    c.witnessed = None;
    c.entries.truncate(8);
    c.rollup.log.first = 8;
    c.reseal();
    c.fails("history", "fewer than the");
    let mut r = WORLD.registry.registry().clone();
    r.version = 2;
    r.previous = Some(WORLD.registry.digest());
    let newer = WORLD
        .registry
        .next(&sign_registry(&r, &[&WORLD.roots[0], &WORLD.roots[1]]))
        .unwrap();
    let mut c = case(A, FEB);
    let mut january = WORLD.held(A, JAN).rollup.clone();
    january.registry = protocol::rollup::RegistryRef {
        version: 2,
        digest: newer.digest(),
    };
    let january = WORLD.desk(A).sign(&january);
    c.rollup.previous = Some(january.digest());
    c.known.insert((month(JAN), 1), january);
    c.fails_alone("history", "names registry version 1 after version 2");
}

#[test]
fn nothing_is_put_into_a_sealed_month() {
    let desk = WORLD.desk(A);
    let mut c = case(A, FEB);
    let mut s = spare_desk().blank("training.held", JAN);
    s.clear = Some(
        [
            ("attended".to_string(), Value::Int(1)),
            ("occurred_on".to_string(), text("2026-01-12")),
        ]
        .into(),
    );
    s.counts = Some([("I7:n:total:total".to_string(), 1)].into());
    c.append(&s, &desk.people[0]);
    c.fails_alone("history", "was put into 2026-01, which was already sealed");
    let mut c = case(A, FEB);
    s.period = month(FEB);
    s.late = Some(month(FEB));
    c.append(&s, &desk.people[0]);
    c.fails(
        "history",
        "is called late for 2026-02, which is not before its month",
    );
}

#[test]
fn a_void_takes_back_one_counted_statement_once() {
    let desk = WORLD.desk(A);
    let zhang = &desk.people[0];
    let void = |target: u64| {
        let mut s = spare_desk().blank("record.voided", JAN);
        s.clear = Some(Fields::new());
        s.voids = Some(Ref {
            id: desk.statement(target).id,
            index: target,
        });
        s
    };
    let voided = (0..desk.size())
        .find_map(|i| desk.statement(i).voids)
        .unwrap();
    let is_void = (0..desk.size())
        .find(|i| desk.statement(*i).voids.is_some())
        .unwrap();
    let attempt = |s: &Statement, part: &str| {
        let mut c = case(A, JAN);
        c.append(s, zhang);
        c.fails_alone("history", part);
    };
    attempt(&void(voided.index), "a second time");
    attempt(&void(is_void), "itself a void or an enrolment");
    attempt(&void(0), "itself a void or an enrolment");
    let mut s = void(4);
    s.voids.as_mut().unwrap().index = 5;
    attempt(&s, "which is not leaf 5");
    s.voids.as_mut().unwrap().index = 4000;
    attempt(&s, "not in the log before it");
    s.voids.as_mut().unwrap().index = u64::MAX;
    attempt(&s, "not in the log before it");
    let mut s = void(4);
    s.voids = Some(Ref {
        id: s.id,
        index: case(A, JAN).rollup.log.size,
    });
    attempt(&s, "not in the log before it");
    // A void that is right, but not taken out of the figures.
    let mut c = case(A, JAN);
    c.append(&void(4), zhang);
    c.fails_alone("binding", "add up to 3, but there are 2 leaves");
    // Shapes that say two things at once.
    let mut s = void(4);
    s.row = desk.statement(4).row;
    assert!(s.to_text().is_err());
    let mut s = void(4);
    s.event = "training.held".into();
    assert!(s.to_text().is_err());
    let mut s = void(4);
    s.voids = None;
    assert!(s.to_text().is_err());
}

/// A later catalogue gives the type another schema: what was recorded by the old one cannot be
/// taken back by the new one.
#[test]
fn a_void_across_a_change_of_schema_is_refused() {
    let mut second = WORLD.counting.catalogue.clone();
    second.version = 2;
    second.indicators.retain(|i| i.id != "I7");
    let second = Arc::new(protocol::compiled::CompiledCatalogue::new(second).unwrap());
    let desk = WORLD.desk(A);
    let size = WORLD.held(A, JAN).rollup.log.size;
    let training = (0..size)
        .find(|i| desk.statement(*i).event == "training.held")
        .unwrap();
    for (target, refused) in [(training, true), (4, false)] {
        let mut s = spare_desk().blank("record.voided", FEB);
        s.catalogue = second.digest;
        s.clear = Some(Fields::new());
        s.voids = Some(Ref {
            id: desk.statement(target).id,
            index: target,
        });
        let mut entries = desk.entries[..size as usize].to_vec();
        entries.push(
            Note::sign(&s.to_text().unwrap(), &[&desk.people[0]])
                .unwrap()
                .as_bytes()
                .to_vec(),
        );
        let node = WORLD.registry.registry().unit(&unit(A)).unwrap();
        let mut log = UnitLog::new(node, vec![WORLD.counting.clone(), second.clone()]);
        log.read(&entries, node);
        assert_eq!(
            log.fault(Check::History)
                .is_some_and(|f| f.to_string().contains("another schema")),
            refused,
            "{:?}",
            log.fault(Check::History)
        );
        assert_eq!(
            (log.fault(Check::Authorship), log.fault(Check::Binding)),
            (None, None)
        );
    }
}

// ------------------------------------------------------------------------------------------------------- timeliness

#[test]
fn late_is_noted_and_not_failed() {
    let mut c = case(A, JAN);
    c.received = Some("2026-02-05T16:00:00Z"); // the sixth in China
    let v = c.verdicts().pop().unwrap();
    assert_eq!(
        (v.check.as_str(), v.outcome),
        ("timeliness", Outcome::Noted)
    );
    assert_eq!(v.detail, "late: arrived 2026-02-06, due 2026-02-05");
    c.received = None;
    let v = c.verdicts().pop().unwrap();
    assert!(
        v.outcome == Outcome::Noted && v.detail.contains("not known"),
        "{v:?}"
    );
}

// --------------------------------------------------------------------------------------------------------- receipts

#[test]
fn a_receipt_is_the_parents_for_exactly_these_bytes() {
    let held = WORLD.held(A, JAN);
    let registry = WORLD.registry.registry();
    let parent = unit(CITY);
    let read =
        |note: &Note, parent| protocol::verify::answer::read_receipt(note, &held, registry, parent);
    let honest = WORLD.receipt(A, JAN);
    assert_eq!(
        read(&WORLD.sign_receipt(&honest), Some(&parent)).unwrap(),
        honest
    );
    let refused = |change: &dyn Fn(&mut Receipt), part: &str| {
        let mut r = honest.clone();
        change(&mut r);
        let e = read(&WORLD.sign_receipt(&r), Some(&parent)).unwrap_err();
        assert!(e.to_string().contains(part), "{e}");
    };
    refused(
        &|r| r.rollup = WORLD.held(A, FEB).digest(),
        "for other bytes",
    );
    refused(&|r| r.revision = 2, "for other bytes");
    refused(&|r| r.period = month(FEB), "for other bytes");
    refused(&|r| r.parent = unit(PROVINCE), "between other units");
    refused(&|r| r.child = unit(B), "between other units");
    let plain = |n: &Note| String::from_utf8(n.as_bytes().to_vec()).unwrap();
    let desk = WORLD.desk(A);
    let size = held.rollup.log.size;
    refused(
        &|r| r.checkpoint = plain(&desk.checkpoint(size)),
        "has not cosigned",
    );
    let by_province =
        add_cosignature(&desk.checkpoint(size), &WORLD.desk(PROVINCE).witness, 5).unwrap();
    refused(&|r| r.checkpoint = plain(&by_province), "has not cosigned");
    let of_less =
        add_cosignature(&desk.checkpoint(size - 1), &WORLD.desk(CITY).witness, 5).unwrap();
    refused(
        &|r| r.checkpoint = plain(&of_less),
        "another checkpoint than the rollup's",
    );
    refused(&|r| r.checkpoint = String::new(), "not a signed note");
    let other = Note::sign(&honest.to_text().unwrap(), &[&WORLD.desk(B).node]).unwrap();
    assert!(
        read(&other, Some(&parent))
            .unwrap_err()
            .to_string()
            .contains("not signed by 1403")
    );
    let more = WORLD
        .sign_receipt(&honest)
        .add_signature(&WORLD.desk(B).node)
        .unwrap();
    assert!(
        read(&more, Some(&parent))
            .unwrap_err()
            .to_string()
            .contains("cannot be checked")
    );
    assert!(
        read(&WORLD.sign_receipt(&honest), None)
            .unwrap_err()
            .to_string()
            .contains("no parent")
    );
    // What a receipt may not say.
    let mut r = honest.clone();
    r.checks = vec![Verdict::fails(Check::Binding, "x")];
    assert!(
        r.to_text()
            .unwrap_err()
            .to_string()
            .contains("cannot be accepted")
    );
    r.checks.clear();
    r.decision = Decision::Rejected;
    assert!(
        r.to_text()
            .unwrap_err()
            .to_string()
            .contains("rejected by a failed check")
    );
    r.decision = Decision::Returned;
    assert!(
        r.to_text()
            .unwrap_err()
            .to_string()
            .contains("needs a reason")
    );
}

// --------------------------------------------------------------------------------------------------------- registry

#[test]
fn registry_versions_are_walked_one_at_a_time() {
    let roots = &WORLD.roots;
    let both = [&roots[0], &roots[1]];
    let first = &WORLD.registry;
    let document = |version: u64, previous: Option<Digest>| {
        let mut r: Registry = first.registry().clone();
        (r.version, r.previous) = (version, previous);
        r
    };
    let two = sign_registry(&document(2, Some(first.digest())), &both);
    let second = first.next(&two).unwrap();
    let root = roots[0].vkey();
    let chain = |notes: &[&Note]| {
        VerifiedRegistry::chain(
            &notes.iter().map(|n| (*n).clone()).collect::<Vec<_>>(),
            &root,
        )
    };
    let one = &WORLD.registries[0];
    assert_eq!(chain(&[one, &two]).unwrap().len(), 2);
    let three = sign_registry(&document(3, Some(second.digest())), &both);
    assert_eq!(
        chain(&[one, &three]).unwrap_err(),
        RegistryError::Version { known: 1, found: 3 }
    );
    assert_eq!(
        chain(&[&two]).unwrap_err(),
        RegistryError::Version { known: 0, found: 2 }
    );
    assert_eq!(
        chain(&[one, &two, &two]).unwrap_err(),
        RegistryError::Version { known: 2, found: 2 }
    );
    assert_eq!(
        chain(&[one, &two, one]).unwrap_err(),
        RegistryError::Version { known: 2, found: 1 }
    );
    let forked = sign_registry(&document(2, Some(Digest::of(b"other"))), &both);
    assert_eq!(chain(&[one, &forked]).unwrap_err(), RegistryError::Fork(2));
    let few = sign_registry(&document(2, Some(first.digest())), &[&roots[0]]);
    assert!(matches!(
        chain(&[one, &few]).unwrap_err(),
        RegistryError::Threshold {
            found: 1,
            needed: 2,
            whose: "the version before",
            ..
        }
    ));
    // New roots cannot bring themselves in; old roots cannot appoint roots that have not signed.
    let strangers = [
        key("root-c", Alg::Ed25519, 9),
        key("root-d", Alg::Ed25519, 9),
    ];
    let mut usurped = document(2, Some(first.digest()));
    usurped.roots = strangers.iter().map(|k| k.vkey()).collect();
    let note = sign_registry(&usurped, &[&strangers[0], &strangers[1]]);
    assert!(matches!(
        chain(&[one, &note]).unwrap_err(),
        RegistryError::Threshold {
            found: 0,
            whose: "the version before",
            ..
        }
    ));
    let note = sign_registry(&usurped, &both);
    assert!(matches!(
        chain(&[one, &note]).unwrap_err(),
        RegistryError::Threshold {
            found: 0,
            whose: "its own",
            ..
        }
    ));
    let all = [&roots[0], &roots[1], &strangers[0], &strangers[1]];
    assert!(chain(&[one, &sign_registry(&usurped, &all)]).is_ok());
    // The reader's own root key has the first word.
    assert!(matches!(
        VerifiedRegistry::first(one, &strangers[0].vkey()).unwrap_err(),
        RegistryError::Threshold {
            whose: "the reader",
            ..
        }
    ));
    let wrong = Note::sign(one.text(), &[&roots[0], &strangers[0]]).unwrap();
    assert!(VerifiedRegistry::first(&wrong, &root).is_err());
}

#[test]
fn registries_that_say_nonsense_are_refused() {
    let refused = |change: &dyn Fn(&mut Registry), part: &str| {
        let mut r = WORLD.registry.registry().clone();
        change(&mut r);
        let e = r.to_text().unwrap_err().to_string();
        assert!(e.to_string().contains(part), "{e}");
    };
    refused(&|r| r.threshold = 0, "threshold");
    refused(&|r| r.threshold = 3, "threshold");
    let mut seed = *Digest::of(b"root-a").as_bytes();
    seed[0] = 9;
    let alias = protocol::note::SigningKey::from_seed("root-z", Alg::Ed25519, seed)
        .unwrap()
        .vkey();
    refused(&|r| r.roots[1] = alias.clone(), "distinct root keys");
    refused(
        &|r| r.roots[1] = key("w", Alg::CosignatureV1, 9).vkey(),
        "a root key signs",
    );
    refused(&|r| r.units[0].keys.clear(), "has no key");
    refused(
        &|r| r.units[0].keys[0].vkey = key("other", Alg::Ed25519, 9).vkey(),
        "under another name",
    );
    refused(
        &|r| r.units[0].witness = key("14/stamp", Alg::CosignatureV1, 9).vkey(),
        "<unit>/witness",
    );
    let id = WORLD.registry.registry().units[0].id.to_string();
    refused(
        &|r| r.units[0].witness = key(&format!("{id}/witness"), Alg::Ed25519, 9).vkey(),
        "cosignature key",
    );
    refused(
        &|r| r.units[0].keys[0].vkey = key(&id, Alg::CosignatureV1, 9).vkey(),
        "must be Ed25519",
    );
    refused(&|r| r.units[3].id = r.units[2].id.clone(), "is there twice");
    refused(
        &|r| {
            r.units
                .iter_mut()
                .find(|u| u.id.as_str() == A)
                .unwrap()
                .parent = Some(unit(B))
        },
        "not of a higher tier",
    );
    refused(
        &|r| {
            r.units
                .iter_mut()
                .find(|u| u.id.as_str() == A)
                .unwrap()
                .parent = Some(unit("99"))
        },
        "does not exist",
    );
}

// --------------------------------------------------------------------------------------------------------- evidence

fn verified(
    evidence: &protocol::evidence::Evidence,
) -> Result<report::Report, report::EvidenceError> {
    report::verify(evidence, &WORLD.roots[0].vkey())
}

#[test]
fn honest_evidence_holds() {
    let evidence = WORLD.evidence();
    let bytes = file::write(&evidence).unwrap();
    assert_eq!(bytes, file::write(&WORLD.evidence()).unwrap());
    let back = file::read(&bytes).unwrap();
    assert_eq!(back, evidence);
    let report = verified(&back).unwrap();
    assert!(
        report.holds(),
        "{:#?}",
        report.failures().collect::<Vec<_>>()
    );
    assert_eq!(report.units.len(), 4);
    assert_eq!(report.units[0].unit, unit(PROVINCE));
    assert!(
        report
            .units
            .iter()
            .flat_map(|u| &u.months)
            .filter(|m| m.decision == Some(Decision::Accepted))
            .count()
            == 6
    );
    assert_eq!(report.targets[0].judgement, protocol::plan::Judgement::Met);
    let strange = key("root-a", Alg::Ed25519, 3).vkey();
    assert!(
        report::verify(&evidence, &strange)
            .unwrap_err()
            .to_string()
            .contains("registry")
    );
}

fn small() -> Vec<u8> {
    file::write(&small_evidence()).unwrap()
}

#[test]
fn no_byte_of_an_evidence_file_is_free() {
    let bytes = small();
    let root = WORLD.roots[0].vkey();
    let check = |bytes: &[u8]| {
        file::read(bytes)
            .ok()
            .and_then(|e| report::verify(&e, &root).ok())
            .is_some_and(|r| r.holds())
    };
    assert!(check(&bytes));
    // The lowest bit, the one that makes a capital letter, and all of them.
    for (at, mask) in (0..bytes.len()).flat_map(|at| [(at, 1), (at, 0x20), (at, 0xff)]) {
        let mut changed = bytes.clone();
        changed[at] ^= mask;
        assert!(
            !check(&changed),
            "byte {at} of {} was changed by {mask:#x} and nobody noticed",
            bytes.len()
        );
    }
    for cut in [0, 1, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(!check(&bytes[..cut]));
    }
    assert!(!check(&[&bytes[..], &[0]].concat()));
    assert!(!check(&[&[0], &bytes[..]].concat()));
}

/// The same within the parts, in a zip that is right: here the checks must notice, not the file's
/// form.
#[test]
fn no_byte_of_a_part_is_free() {
    let evidence = small_evidence();
    let root = WORLD.roots[0].vkey();
    let flip = |bytes: &[u8], at: usize| {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        changed
    };
    let free = |e: &protocol::evidence::Evidence| report::verify(e, &root).is_ok_and(|r| r.holds());
    let id = unit(B);
    let part = &evidence.units[&id];
    let (checkpoint, rollup, receipt) = (
        part.checkpoints.first_key_value(),
        part.rollups.first_key_value(),
        part.receipts.first_key_value(),
    );
    let (checkpoint, rollup, receipt) = (checkpoint.unwrap(), rollup.unwrap(), receipt.unwrap());
    type Put<'a> = Box<dyn Fn(&mut protocol::evidence::Evidence, Note) + 'a>;
    let notes: Vec<(&str, Note, Put<'_>)> = vec![
        (
            "registry",
            evidence.registries[0].clone(),
            Box::new(|e, n| e.registries[0] = n),
        ),
        (
            "catalogue",
            evidence.catalogues[0].clone(),
            Box::new(|e, n| e.catalogues[0] = n),
        ),
        (
            "arrivals",
            evidence.arrivals.clone().unwrap(),
            Box::new(|e, n| e.arrivals = Some(n)),
        ),
        (
            "checkpoint",
            checkpoint.1.clone(),
            Box::new(|e, n| on(e, &id, |p| drop(p.checkpoints.insert(*checkpoint.0, n)))),
        ),
        (
            "rollup",
            rollup.1.clone(),
            Box::new(|e, n| on(e, &id, |p| drop(p.rollups.insert(*rollup.0, n)))),
        ),
        (
            "receipt",
            receipt.1.clone(),
            Box::new(|e, n| on(e, &id, |p| drop(p.receipts.insert(*receipt.0, n)))),
        ),
    ];
    for (what, note, put) in &notes {
        let (bytes, text) = (note.as_bytes(), note.text().len());
        let spots = (0..text).step_by(97).chain((text..bytes.len()).step_by(5));
        for at in spots {
            let Ok(changed) = Note::parse(&flip(bytes, at)) else {
                continue;
            };
            let mut e = evidence.clone();
            put(&mut e, changed);
            assert!(
                !free(&e),
                "byte {at} of the {what} was changed and nobody noticed"
            );
        }
    }
    for n in 0..part.entries.len() {
        for at in (0..part.entries[n].len()).step_by(29) {
            let mut e = evidence.clone();
            on(&mut e, &id, |p| p.entries[n] = flip(&p.entries[n], at));
            assert!(
                !free(&e),
                "byte {at} of entry {n} was changed and nobody noticed"
            );
        }
    }
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let training = (0..WORLD.desk(A).size())
        .map(|i| WORLD.desk(A).statement(i))
        .find(|s| s.event == "training.held")
        .unwrap();
    let text = training.to_text().unwrap();
    assert!(Statement::parse(&text).is_ok());
    for twice in [
        text.replace("\"attended\":40", "\"attended\":4,\"attended\":40"),
        text.replace(
            "\"I7:n:total:total\":40",
            "\"I7:n:total:total\":4,\"I7:n:total:total\":40",
        ),
        text.replace("\"unit\":", "\"unit\":\"140321\",\"unit\":"),
    ] {
        assert!(
            twice != text && Statement::parse(&twice).is_err(),
            "{twice}"
        );
    }
    let text = WORLD.held(A, JAN).note.text().to_string();
    let twice = text.replace("\"sums\":{", "\"sums\":{\"person.registered\":[0],");
    assert!(
        Rollup::parse(&text).is_ok()
            && Rollup::parse(&twice)
                .unwrap_err()
                .to_string()
                .contains("twice")
    );
}

#[test]
fn a_catalogue_has_one_text() {
    let text = protocol::published::catalogue_text(&WORLD.counting.catalogue).unwrap();
    let read = |text: &str| {
        let note = Note::sign(text, &[&WORLD.roots[0], &WORLD.roots[1]]).unwrap();
        protocol::published::read_catalogue(&note, WORLD.registry.registry())
    };
    assert_eq!(read(&text).unwrap(), WORLD.counting.catalogue);
    let spaced = text.replacen("{\"id\":", "{ \"id\":", 1);
    assert!(
        spaced != text
            && read(&spaced)
                .unwrap_err()
                .to_string()
                .contains("written in one way")
    );
}

#[test]
fn nothing_unchecked_stands_in_evidence() {
    let refused = |change: &dyn Fn(&mut protocol::evidence::Evidence), part: &str| {
        let mut e = WORLD.evidence();
        change(&mut e);
        let said = match verified(&e) {
            Err(e) => e.to_string(),
            Ok(r) => format!("{:?}", r.failures().map(|(_, _, v)| v).collect::<Vec<_>>()),
        };
        assert!(said.contains(part), "{part:?}: {said}");
    };
    let (a, b) = (unit(A), unit(B));
    let stranger = key("stranger", Alg::Ed25519, 1);
    refused(
        &|e| e.units.get_mut(&a).unwrap().entries.push(b"x".to_vec()),
        "entries behind its last checkpoint",
    );
    refused(
        &|e| e.registries[0] = e.registries[0].add_signature(&stranger).unwrap(),
        "stranger that cannot be checked",
    );
    refused(
        &|e| e.catalogues[0] = e.catalogues[0].add_signature(&stranger).unwrap(),
        "stranger that cannot be checked",
    );
    refused(
        &|e| e.plans[0] = e.plans[0].add_signature(&stranger).unwrap(),
        "stranger that cannot be checked",
    );
    refused(
        &|e| {
            e.arrivals = Some(
                e.arrivals
                    .as_ref()
                    .unwrap()
                    .add_signature(&stranger)
                    .unwrap(),
            )
        },
        "stranger that cannot be checked",
    );
    refused(
        &|e| {
            on(e, &a, |p| {
                p.rollups
                    .values_mut()
                    .for_each(|n| *n = n.add_signature(&stranger).unwrap())
            })
        },
        "stranger that cannot be checked",
    );
    refused(
        &|e| {
            on(e, &a, |p| {
                p.checkpoints
                    .values_mut()
                    .for_each(|n| *n = n.add_signature(&stranger).unwrap())
            })
        },
        "stranger that cannot be checked",
    );
    refused(
        &|e| {
            on(e, &a, |p| {
                p.receipts
                    .values_mut()
                    .for_each(|n| *n = n.add_signature(&stranger).unwrap())
            })
        },
        "stranger that cannot be checked",
    );
    refused(
        &|e| on(e, &a, |p| drop(p.rollups.pop_last())),
        "has a receipt for 2026-02.1, but not the rollup",
    );
    refused(
        &|e| {
            on(e, &a, |p| {
                drop(p.checkpoints.insert(5, WORLD.desk(B).checkpoint(5)))
            })
        },
        "checkpoint 5",
    );
    refused(
        &|e| on(e, &a, |p| drop(p.checkpoints.pop_first())),
        "no checkpoint of this size",
    );
    let mut unanswered = WORLD.evidence();
    on(&mut unanswered, &a, |p| p.receipts.clear());
    assert!(
        verified(&unanswered).unwrap().holds(),
        "no answer yet is no contradiction"
    );
    let theirs = WORLD.evidence().units[&b].clone();
    refused(
        &|e| on(e, &a, |p| p.receipts = theirs.receipts.clone()),
        "between other units",
    );
    refused(
        &|e| on(e, &a, |p| p.rollups = theirs.rollups.clone()),
        "of another unit, month or revision than its path",
    );
    refused(&|e| drop(e.units.remove(&b)), "is not known here");
    refused(
        &|e| e.catalogues.clear(),
        "catalogue that is not known here",
    );
    refused(&|e| e.registries.clear(), "there is none");
    // Two answers in the order of their numbers, against the order of their times.
    refused(
        &|e| {
            let mut r = WORLD.receipt(A, JAN);
            (r.decision, r.reasons) = (Decision::Returned, vec!["?".into()]);
            r.decided = "2026-01-01T00:00:00Z".into();
            on(e, &a, |p| {
                drop(
                    p.receipts
                        .insert((month(JAN), 1, 1), WORLD.sign_receipt(&r)),
                )
            });
        },
        "order in which the parent decided",
    );
}

fn on(
    e: &mut protocol::evidence::Evidence,
    id: &protocol::ids::UnitId,
    change: impl FnOnce(&mut protocol::evidence::UnitEvidence),
) {
    change(e.units.get_mut(id).unwrap());
}

#[test]
fn a_unit_does_not_vouch_for_its_own_punctuality() {
    let mut e = WORLD.evidence();
    let digest = WORLD.held(A, JAN).digest();
    let claim = |by: &str| {
        let a = protocol::evidence::Arrivals {
            by: unit(by),
            received: [(digest, "2026-01-31T00:00:00Z".to_string())].into(),
        };
        Some(Note::sign(&a.to_text().unwrap(), &[&WORLD.desk(by).node]).unwrap())
    };
    on(&mut e, &unit(A), |p| p.receipts.clear());
    for (by, outcome) in [
        (CITY, Outcome::Holds),
        (PROVINCE, Outcome::Holds),
        (A, Outcome::Noted),
        (B, Outcome::Noted),
    ] {
        e.arrivals = claim(by);
        let r = verified(&e).unwrap();
        let v = &r.units.iter().find(|u| u.unit == unit(A)).unwrap().months[0].verdicts[4];
        assert_eq!(v.outcome, outcome, "{by}: {v:?}");
    }
}

// ------------------------------------------------------------------------------------------------------- disclosure

fn disclosed() -> Disclosure {
    let desk = WORLD.desk(A);
    let index = 7;
    let (record, columns, blinding) = &desk.records[&index];
    let size = desk.size();
    let proof = tree_of(&desk.entries).inclusion_proof(index, size).unwrap();
    let plain = |n: &Note| String::from_utf8(n.as_bytes().to_vec()).unwrap();
    Disclosure {
        format: FORMAT.into(),
        unit: unit(A),
        index,
        statement: String::from_utf8(desk.entries[index as usize].clone()).unwrap(),
        proof: proof
            .iter()
            .map(|h| protocol::text::hex::encode(h))
            .collect(),
        checkpoint: plain(&desk.checkpoint(size)),
        registries: WORLD.registries.iter().map(plain).collect(),
        catalogue: plain(&WORLD.evidence().catalogues[0]),
        fields: record.disclose(&["employer", "wage"]).unwrap(),
        row: Some(ShownRow {
            columns: columns.clone(),
            blinding: OpenScalar(*blinding),
        }),
    }
}

#[test]
fn a_disclosure_shows_what_was_recorded() {
    let root = WORLD.roots[0].vkey();
    let good = disclosed();
    assert_eq!(
        disclosure::verify(&good, &root).unwrap().event,
        "employment.started"
    );
    assert!(!serde_json::to_string(&good).unwrap().contains(&id_no(1)));
    let refused = |change: &dyn Fn(&mut Disclosure), part: &str| {
        let mut d = good.clone();
        change(&mut d);
        let e = disclosure::verify(&d, &root).unwrap_err();
        assert!(e.to_string().contains(part), "{part:?}: {e}");
    };
    refused(
        &|d| d.fields[0].field.2 = text("别的厂"),
        "field \"employer\" is not in the record",
    );
    refused(
        &|d| d.fields[0].field.1 = "name".into(),
        "not in the record",
    );
    refused(
        &|d| d.fields[0].field.0 = "AAAA".into(),
        "not in the record",
    );
    refused(&|d| d.fields[1].proof.swap(0, 1), "not in the record");
    refused(&|d| d.fields[1].position = 0, "not in the record");
    refused(&|d| d.fields[1].of = 64, "not in the record");
    let flip = |s: &mut String| s.replace_range(0..1, if s.starts_with('0') { "1" } else { "0" });
    refused(&|d| flip(&mut d.proof[0]), "not in the tree");
    refused(&|d| d.index = 6, "not in the tree");
    refused(&|d| d.proof.clear(), "hashes");
    refused(
        &|d| d.statement = String::from_utf8(WORLD.desk(A).entries[6].clone()).unwrap(),
        "not in the tree",
    );
    refused(&|d| d.unit = unit(B), "another log");
    refused(
        &|d| {
            d.checkpoint =
                String::from_utf8(WORLD.desk(B).checkpoint(5).as_bytes().to_vec()).unwrap()
        },
        "another log",
    );
    refused(&|d| d.format = "x".into(), "not a disclosure");
    let row = |d: &mut Disclosure, f: &dyn Fn(&mut ShownRow)| f(d.row.as_mut().unwrap());
    refused(
        &|d| row(d, &|r| r.blinding.0 += Scalar::ONE),
        "does not open to this row",
    );
    refused(
        &|d| row(d, &|r| drop(r.columns.pop())),
        "does not open to this row",
    );
    refused(
        &|d| row(d, &|r| r.columns[0] = "I1:in:sex:-".into()),
        "does not open to this row",
    );
    refused(
        &|d| row(d, &|r| r.columns.push("I1:in:sex:-".into())),
        "counts 2 times for figure I1",
    );
    refused(
        &|d| row(d, &|r| r.columns.push(r.columns[0].clone())),
        "shown twice",
    );
    refused(
        &|d| row(d, &|r| r.columns[0] = "nothing".into()),
        "unknown column",
    );
    let mut unsigned = WORLD.counting.catalogue.clone();
    unsigned.version = 2;
    let roots = [&WORLD.roots[0], &WORLD.roots[1]];
    let other = Note::sign(
        &protocol::published::catalogue_text(&unsigned).unwrap(),
        &roots,
    )
    .unwrap();
    refused(
        &|d| d.catalogue = String::from_utf8(other.as_bytes().to_vec()).unwrap(),
        "not the one that the statement names",
    );
    let few = Note::sign(
        &protocol::published::catalogue_text(&WORLD.counting.catalogue).unwrap(),
        &[roots[0]],
    )
    .unwrap();
    refused(
        &|d| d.catalogue = String::from_utf8(few.as_bytes().to_vec()).unwrap(),
        "signed by 1 of the 2 root keys",
    );
}

// --------------------------------------------------------------------------------------------------------- decoders

static GENERATORS: LazyLock<(Catalogue, Generators)> = LazyLock::new(|| {
    let c = catalogue();
    let g = Generators::new(&c);
    (c, g)
});

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let honest: Vec<Vec<u8>> = vec![
        WORLD.desk(A).entries[0].clone(),
        WORLD.desk(A).entries[6].clone(),
        WORLD.held(A, JAN).note.as_bytes().to_vec(),
        WORLD.registries[0].as_bytes().to_vec(),
        WORLD
            .sign_receipt(&WORLD.receipt(A, JAN))
            .as_bytes()
            .to_vec(),
        serde_json::to_vec(&disclosed()).unwrap(),
        small(),
    ];
    let changes =
        proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..6);
    (prop::sample::select(honest), changes).prop_map(|(mut bytes, changes)| {
        for (at, byte, how) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => bytes.truncate(at.max(1)),
            }
        }
        bytes
    })
}

fn decode_everything(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = file::read(bytes);
    let _ = Commitment::from_bytes(bytes);
    let _ = protocol::log::tile::decode_bundle(bytes);
    let _ = protocol::log::Checkpoint::parse(&text);
    let note = Note::parse(bytes);
    let inner = note
        .as_ref()
        .map_or(text.to_string(), |n| n.text().to_string());
    let _ = Statement::parse(&inner);
    let _ = Rollup::parse(&inner);
    let _ = Receipt::parse(&inner);
    let _ = protocol::evidence::Arrivals::parse(&inner);
    let json = inner.lines().nth(1).unwrap_or(&inner);
    let _ = Catalogue::from_json(json);
    let _ = serde_json::from_str::<Registry>(json).map(|r| r.check());
    let _ = serde_json::from_str::<Commitment>(json);
    let _ = serde_json::from_str::<OpenScalar>(json);
    let root = WORLD.roots[0].vkey();
    if let Ok(note) = note {
        let _ = VerifiedRegistry::first(&note, &root);
        let _ = protocol::published::read_plan(&note, WORLD.registry.registry());
        let _ = note.verify(std::slice::from_ref(&root));
    }
    if let Ok(d) = serde_json::from_str::<Disclosure>(&text) {
        let _ = disclosure::verify(&d, &root);
    }
    let node = WORLD.registry.registry().unit(&unit(A)).unwrap();
    let mut log = UnitLog::new(node, vec![WORLD.counting.clone()]);
    log.read(&[bytes], node);
    assert_eq!(log.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        decode_everything(&bytes);
    }

    #[test]
    fn no_change_makes_a_decoder_panic(bytes in mutated()) {
        decode_everything(&bytes);
    }

    #[test]
    fn no_document_makes_a_decoder_panic(kind in "statement|rollup|receipt|registry|arrivals|plan|catalogue", json in r#"\{("(id|type|unit|period|row|log|figures|voids|units)":("[a-f0-9]{0,66}"|-?[0-9]{1,20}|\[\]|\{\}|null|true),?){0,5}\}"#) {
        decode_everything(format!("countersign/{kind}/v1\n{json}\n").as_bytes());
    }

    #[test]
    fn sums_of_rows_open_and_moved_counts_do_not(rows in proptest::collection::vec((0_usize..3, 0_usize..3, any::<u64>()), 1..12), shift in any::<prop::sample::Index>()) {
        let (_, g) = &*GENERATORS;
        let event = "person.registered";
        let columns = g.schema(event).unwrap().columns();
        prop_assert_eq!(columns, 6);
        let (mut sum, mut r, mut sums) = (zero(), Scalar::ZERO, Vec::new());
        for (into, out, blinding) in rows {
            let row = [(into, 1), (3 + out, 1)];
            let b = Scalar::from(blinding) + Scalar::ONE;
            let point = *g.commit(event, &row, &b).unwrap().point();
            sum += point;
            r += b;
            row::accumulate(&mut sums, columns, &row, 1);
        }
        let named = |s: &[i64]| [(event.to_string(), s.to_vec())].into();
        prop_assert!(g.check_opening(&sum, &named(&sums), &r).is_ok());
        prop_assert!(g.check_opening(&sum, &named(&sums), &(r + integer(1))).is_err());
        let from = shift.index(columns);
        let mut moved = sums.clone();
        moved[from] -= 1;
        moved[from / 3 * 3 + (from + 1) % 3] += 1;
        prop_assert!(g.check_opening(&sum, &named(&moved), &r).is_err());
        prop_assert!(g.check_opening(&sum, &named(&sums[..5]), &r).is_err());
    }
}
