//! Check 1, authorship: who signed, and who could.

use crate::common::*;

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
    let s = desk
        .blank(protocol::statement::OPERATOR_ENROLLED, JAN)
        .with(enrolment(&who, "head"));
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

#[test]
fn a_leaf_is_signed_by_a_key_of_this_unit() {
    let fields = [
        ("attended", Value::Int(1)),
        ("occurred_on", text("2026-01-12")),
    ];
    let s = spare_desk()
        .blank("training.held", JAN)
        .with(clear_body(&fields, &[("I7:n:total:total", 1)]));
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
    let finding = |entries: &[Vec<u8>]| {
        let mut log = UnitLog::new(node, vec![WORLD.counting.clone()]);
        log.read(entries, node);
        log.finding(Check::Authorship).map(ToString::to_string)
    };
    assert_eq!(finding(&entries), None);
    // Behind the first batch.
    let spoilt = String::from_utf8(entries[500].clone())
        .unwrap()
        .replace("08:00:00Z", "08:00:01Z")
        .into_bytes();
    assert_ne!(spoilt, entries[500]);
    entries[500] = spoilt;
    assert_eq!(
        finding(&entries).as_deref(),
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
        // The carrier is counted already.
        let body = clear_body(&fields, &[]);
        let s = a.blank("carrier.opened", JAN).with(body);
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
        [Check::Authorship, Check::History, Check::Binding].map(|check| log.finding(check)),
        [None; 3],
        "as many as there may be, and another subject"
    );
    log.read(&entries[control..], node);
    let told = log
        .finding(Check::Binding)
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
    let early = {
        let mut r = WORLD.registry.registry().clone();
        known(&mut r, A).keys[0].from_index = size + 1;
        let roots = &WORLD.roots;
        let note = sign_registry(&r, &[&roots[0], &roots[1]]);
        VerifiedRegistry::first(&note, &roots[0].vkey()).unwrap()
    };
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
