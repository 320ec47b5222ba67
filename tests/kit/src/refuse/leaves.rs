//! Authorship: leaves that nobody may have signed, or that are no statements.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    let mut spare = Spare::new();
    let s = spare.training(B, JAN, 1);
    signers(b, w, &s);
    keys_of_later(b, w, &mut spare, &s);
    contents(b, w, &mut spare, &s);
    json_forms(b, w, &s);
    enrolment_that_counts(b, w, &mut spare);
    points(b, w, &s);
    enrolments(b);
    enrolments_by_others(b, w, &mut spare);
}

/// County B's January with one more entry, whatever its bytes.
pub(super) fn with_entry(w: &World, bytes: Vec<u8>) -> Case<'_> {
    let mut c = Case::of(w, B, JAN);
    c.entries.push(bytes);
    c.reseal();
    c
}

fn signers(b: &mut Book, w: &World, s: &Statement) {
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
        c.append(s, &signer);
        b.case(name, case, AUTHORSHIP, "leaf 7: signed by", &c);
    }
}

fn keys_of_later(b: &mut Book, w: &World, spare: &mut Spare, s: &Statement) {
    let desk = w.desk(B);
    // Keys that are valid later only.
    let new = key(B, Alg::Ed25519, 40);
    let mut c = Case::of(w, B, JAN);
    c.append(s, &new);
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
    c.append(s, &qian);
    let enrolled = spare.blank(B, statement::OPERATOR_ENROLLED, JAN);
    c.append(&enrolled.with(enrolment(&qian, "recorder")), &desk.node);
    b.case(
        "leaf-before-enrolment",
        "a leaf signed by a recorder who is enrolled by the leaf after it",
        AUTHORSHIP,
        "leaf 7: signed by 140311/qian, which holds no key",
        &c,
    );
}

fn contents(b: &mut Book, w: &World, spare: &mut Spare, s: &Statement) {
    let desk = w.desk(B);
    let zhang = &w.desk(B).people[0];
    let two = Note::sign(&s.to_text().unwrap(), &[zhang, &desk.node]).unwrap();
    b.case(
        "leaf-two-signatures",
        "a leaf with two signature lines",
        AUTHORSHIP,
        "exactly one signature",
        &with_entry(w, two.as_bytes().to_vec()),
    );
    // It counts nothing, so that it does not matter whether a verifier counts a leaf whose
    // signature is wrong.
    let mut nothing = spare.training(B, JAN, 0);
    if let Body::Clear { counts, .. } = &mut nothing.body {
        counts.clear();
    }
    let honest = Note::sign(&nothing.to_text().unwrap(), &[zhang]).unwrap();
    let changed = replaced(&plain(&honest), "08:00:00Z", "08:00:01Z");
    b.case(
        "leaf-signature-moved",
        "a leaf whose text was changed after it was signed",
        AUTHORSHIP,
        "its signature is wrong",
        &with_entry(w, changed.into_bytes()),
    );
    b.case(
        "leaf-of-another-county",
        "another county's leaf is put into the log as it is",
        AUTHORSHIP,
        "a statement of unit 140321",
        &with_entry(w, w.desk(A).entries[5].clone()),
    );
    let rollup = Note::sign(w.held(B, JAN).note.text(), &[zhang]).unwrap();
    b.case(
        "leaf-of-another-kind",
        "a leaf that is not a statement but a rollup",
        AUTHORSHIP,
        "countersign/statement/v1",
        &with_entry(w, rollup.as_bytes().to_vec()),
    );
    b.case(
        "leaf-no-note",
        "a leaf that is no note",
        AUTHORSHIP,
        "not a signed note",
        &with_entry(w, b"x".to_vec()),
    );
    b.case(
        "leaf-empty",
        "a leaf without any bytes",
        AUTHORSHIP,
        "not a signed note",
        &with_entry(w, vec![]),
    );
}

/// An enrolment that counts something, signed by the node as it must be.
fn enrolment_that_counts(b: &mut Book, w: &World, spare: &mut Spare) {
    let somebody = key("140311/sun", Alg::Ed25519, 9);
    let s = spare.blank(B, statement::OPERATOR_ENROLLED, JAN);
    let json = json_of(&s.with(enrolment(&somebody, "recorder")).to_text().unwrap());
    let json = replaced(
        &json,
        "\"counts\":{}",
        "\"counts\":{\"I7:n:total:total\":1}",
    );
    let note = forged(statement::KIND, &json, &[&w.desk(B).node]);
    b.case(
        "enrolment-that-counts",
        "an enrolment with a count",
        AUTHORSHIP,
        "an enrolment or revocation that is not clear, or counts something",
        &with_entry(w, note.as_bytes().to_vec()),
    );
}

fn json_forms(b: &mut Book, w: &World, s: &Statement) {
    let zhang = &w.desk(B).people[0];
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
            "leaf-recorded-text",
            "a leaf with free text where its time belongs",
            s.recorded.as_str(),
            "<b>call 555</b>",
        ),
        (
            "leaf-recorded-day",
            "a leaf that was recorded on a day that does not exist",
            s.recorded.as_str(),
            "2026-02-30T08:00:00Z",
        ),
        (
            "leaf-recorded-zone",
            "a leaf whose time is written with another zone",
            s.recorded.as_str(),
            "2026-01-12T16:00:00+08:00",
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
            &with_entry(w, note.as_bytes().to_vec()),
        );
    }
}

fn points(b: &mut Book, w: &World, s: &Statement) {
    let desk = w.desk(B);
    let zhang = &w.desk(B).people[0];
    let sealed = desk.statement(4);
    let row = hex::encode(sealed.row().unwrap().as_bytes());
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
            &with_entry(w, note.as_bytes().to_vec()),
        );
    }
}

fn enrolments(b: &mut Book) {
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
}

fn enrolments_by_others(b: &mut Book, w: &World, spare: &mut Spare) {
    let zhang = &w.desk(B).people[0];
    let mut c = Case::of(w, B, JAN);
    let who = key("140311/sun", Alg::Ed25519, 1);
    let s = spare
        .blank(B, statement::OPERATOR_ENROLLED, JAN)
        .with(enrolment(&who, "head"));
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
