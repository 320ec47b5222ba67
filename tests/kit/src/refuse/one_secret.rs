//! One secret for the node and for a person, and a key of the node that stands in the list twice.
//! Whoever is named second ends the node's key; what was signed before stays.

use super::making::*;
use super::units::after;

pub(super) fn cases(b: &mut Book, w: &World) {
    entered_again(b, w);
    registry_names_it(b);
    unit_enrols_it(b);
}

/// A node key of county B from an index on.
fn listed(key: &SigningKey, from_index: u64) -> UnitKey {
    UnitKey {
        vkey: key.vkey(),
        from_index,
        revoked: None,
    }
}

/// The old key ends and this one begins at an index.
fn rotated(w: &World, key: &SigningKey, index: u64) -> Note {
    second_registry(w, |r| {
        let keys = &mut known(r, B).keys;
        keys[0].revoked = Some(Revocation {
            at_index: index,
            reason: "rotated".into(),
        });
        keys.push(listed(key, index));
    })
}

fn entered_again(b: &mut Book, w: &World) {
    let size = w.held(B, JAN).rollup.log.size;
    let (old, new) = (node_key(B), key(B, Alg::Ed25519, 40));
    let revoked = |r: &mut Registry| {
        let keys = &mut known(r, B).keys;
        keys[0].revoked = Some(Revocation {
            at_index: size,
            reason: "stolen".into(),
        });
        keys.push(listed(&new, size));
    };
    let more = |key: &SigningKey| {
        let key = listed(key, size + 9);
        move |r: &mut Registry| known(r, B).keys.push(key.clone())
    };
    b.evidence(
        "key-entered-again",
        "version 3 lists a node key once more that version 2 has revoked",
        UNREADABLE,
        "has one key twice",
        &after(w, &[(None, &revoked), (None, &more(&old))]),
    );
    b.evidence(
        "key-listed-twice",
        "version 2 lists the node key that holds once more",
        UNREADABLE,
        "has one key twice",
        &after(w, &[(None, &more(&old))]),
    );
    let third = key(B, Alg::Ed25519, 41);
    b.control(
        "control-key-rotated-twice.zip",
        "version 2 revokes a node key, and version 3 lists a third one",
        file::write(&after(w, &[(None, &revoked), (None, &more(&third))])).unwrap(),
    );
}

/// The same secret as a person's key and as the node's.
fn both_of(seed: u8) -> [SigningKey; 2] {
    [format!("{B}/sun"), B.to_string()]
        .map(|name| SigningKey::from_seed(&name, Alg::Ed25519, [seed; 32]).unwrap())
}

/// County B's January over the log as it is, signed by this node key and the three people.
fn sealed_by(w: &World, node: &SigningKey) -> Evidence {
    let p = &w.desk(B).people;
    let held = w.held(B, JAN);
    let note = Note::sign(held.note.text(), &[node, &p[1], &p[2], &p[3]]).unwrap();
    let mut e = filed(w, note);
    let size = held.rollup.log.size;
    let point = Note::sign(w.desk(B).checkpoint(size).text(), &[node]).unwrap();
    on(&mut e, B).checkpoints.insert(size, point);
    e
}

fn registry_names_it(b: &mut Book) {
    let [sun, node] = both_of(99);
    let w = january(|d| {
        training(d, JAN, 2);
        enrol(d, &sun, "head", JAN);
    });
    let size = w.held(B, JAN).rollup.log.size;
    for (name, case, from_index) in [
        (
            "control-node-key-of-person.zip",
            "after the report the node's key becomes one that a person was enrolled with",
            size,
        ),
        (
            "control-node-key-of-person-early.zip",
            "the same, where the registry says that the key began before all leaves",
            0,
        ),
    ] {
        let mut e = unanswered(&w);
        e.registries.push(second_registry(&w, |r| {
            known(r, B).keys.push(listed(&node, from_index));
        }));
        b.control(name, case, file::write(&e).unwrap());
    }
    let mut e = sealed_by(&w, &node);
    e.registries.push(rotated(&w, &node, size));
    b.evidence(
        "node-key-of-person",
        "the rollup is signed by a node key that a person was enrolled with",
        AUTHORSHIP,
        &format!("not signed by a node key of 140311 that is valid at log size {size}"),
        &e,
    );
    let w = january(|d| {
        training(d, JAN, 2);
        enrol(d, &sun, "head", JAN);
        let next = d.blank(statement::OPERATOR_ENROLLED, JAN);
        let next = next.with(enrolment(&key("140311/qian", Alg::Ed25519, 1), "head"));
        d.append(&next, &node);
    });
    let mut e = unanswered(&w);
    e.registries.push(second_registry(&w, |r| {
        known(r, B).keys.push(listed(&node, 0));
    }));
    b.evidence(
        "node-key-of-person-leaf",
        "a leaf is signed by a node key that the leaf before it has enrolled as a person's",
        AUTHORSHIP,
        "signed by 140311, which holds no key for it",
        &e,
    );
}

fn unit_enrols_it(b: &mut Book) {
    let mut seed = *Digest::of(B.as_bytes()).as_bytes();
    seed[0] = 0; // the node's own key
    let sun = SigningKey::from_seed("140311/sun", Alg::Ed25519, seed).unwrap();
    assert_eq!(sun.vkey().public(), node_key(B).vkey().public());
    let w = january(|d| {
        training(d, JAN, 2);
        enrol(d, &sun, "head", JAN);
    });
    let size = w.held(B, JAN).rollup.log.size;
    b.evidence(
        "enrol-node-key",
        "the node's own key is enrolled as a person's, and signs the rollup",
        AUTHORSHIP,
        &format!("not signed by a node key of 140311 that is valid at log size {size}"),
        &unanswered(&w),
    );
    let new = key(B, Alg::Ed25519, 40);
    let mut e = sealed_by(&w, &new);
    e.registries.push(rotated(&w, &new, size));
    b.control(
        "control-enrol-node-key.zip",
        "the node's own key is enrolled as a person's, and a new node key signs the rollup",
        file::write(&e).unwrap(),
    );
}
