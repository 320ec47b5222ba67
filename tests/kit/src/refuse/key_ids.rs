//! Two different keys of one name and key id: nobody can tell whose a line is.

use super::making::*;
use super::units::after;

const TWO: &str = "two different keys have one name and key id";

pub(super) fn cases(b: &mut Book, w: &World) {
    listed(b, w);
    roots(b, w);
    people(b);
}

fn node_key_of(pair: &SigningKey) -> UnitKey {
    UnitKey {
        vkey: pair.vkey(),
        from_index: 9,
        revoked: None,
    }
}

fn listed(b: &mut Book, w: &World) {
    let [one, other] = one_key_id(B);
    let first = |r: &mut Registry| known(r, B).keys.push(node_key_of(&one));
    let second = |r: &mut Registry| known(r, B).keys.push(node_key_of(&other));
    let both = |r: &mut Registry| {
        first(r);
        second(r);
    };
    b.evidence(
        "key-id-twice",
        "version 2 lists two node keys of one name and key id",
        UNREADABLE,
        TWO,
        &after(w, &[(None, &both)]),
    );
    b.evidence(
        "key-id-later",
        "version 3 lists a node key with the name and key id of one that version 2 brought",
        UNREADABLE,
        TWO,
        &after(w, &[(None, &first), (None, &second)]),
    );
    let pair = one_key_id(&format!("{B}/witness"));
    let [one, other] = pair.each_ref().map(SigningKey::vkey);
    let replaced_at = |key: &protocol::note::VerifierKey, time: &str| {
        let (key, time) = (key.clone(), time.parse().unwrap());
        move |r: &mut Registry| known(r, B).replace_witness(key.clone(), time)
    };
    let first = replaced_at(&one, "2026-02-01T00:00:00Z");
    let second = replaced_at(&other, "2026-03-01T00:00:00Z");
    b.evidence(
        "key-id-witness",
        "version 3 replaces a witness key by another one of its key id",
        UNREADABLE,
        TWO,
        &after(w, &[(None, &first), (None, &second)]),
    );
    let honest = after(w, &[(None, &first), (None, &|_| {})]);
    b.control(
        "control-key-id-witness.zip",
        "version 2 replaces a witness key, and version 3 lists the same keys",
        file::write(&honest).unwrap(),
    );
}

/// A root that is no root any longer is not listed by the version before.
fn roots(b: &mut Book, w: &World) {
    let [one, other] = one_key_id("root-c");
    let comes = |key: &SigningKey| {
        let key = key.vkey();
        move |r: &mut Registry| r.roots.push(key.clone())
    };
    let goes = |r: &mut Registry| {
        r.roots.pop();
    };
    let back = |key: &SigningKey| {
        after(
            w,
            &[(None, &comes(&one)), (None, &goes), (None, &comes(key))],
        )
    };
    b.evidence(
        "key-id-former-root",
        "version 4 has a root with the name and key id of one that version 2 had and version 3 has not",
        UNREADABLE,
        TWO,
        &back(&other),
    );
    b.control(
        "control-key-id-root.zip",
        "a root goes with version 3 and comes back with version 4",
        file::write(&back(&one)).unwrap(),
    );
}

fn people(b: &mut Book) {
    let pair = one_key_id("140311/sun");
    let enrolled_again = |n: usize| {
        let w = january(|d| {
            enrol(d, &pair[0], "head", JAN);
            revoke(d, &pair[0], JAN);
            enrol(d, &pair[n], "head", JAN);
        });
        unanswered(&w)
    };
    b.evidence(
        "enrol-key-id",
        "a person is enrolled with the key id of a key that it had before",
        AUTHORSHIP,
        "140311/sun had another key with the same key id",
        &enrolled_again(1),
    );
    b.control(
        "control-enrol-again.zip",
        "a person is enrolled again with the key that it had before",
        file::write(&enrolled_again(0)).unwrap(),
    );
}
