//! Authorship: people who have not signed, or not in their role.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    signatures(b, w);
    roles(b, w);
}

fn signatures(b: &mut Book, w: &World) {
    let desk = w.desk(B);
    let p = &desk.people;
    let text = w.held(B, JAN).note.text().to_string();
    for (role, who, signers) in [
        ("preparer", "li", [&p[2], &p[3]]),
        ("reviewer", "wang", [&p[1], &p[3]]),
        ("head", "zhao", [&p[1], &p[2]]),
    ] {
        let note = Note::sign(&text, &[&desk.node, signers[0], signers[1]]).unwrap();
        let said = format!("the signature of 140311/{who} ({role}");
        b.evidence(
            &format!("signatory-missing-{role}"),
            &format!("the {role} has not signed"),
            AUTHORSHIP,
            &said,
            &filed(w, note),
        );
    }
    let line = &w.held(B, FEB).note.signatures()[3].clone();
    let moved = Note::sign(&text, &[&desk.node, &p[1], &p[2]])
        .unwrap()
        .add_line(line.name(), line.key_id(), line.blob())
        .unwrap();
    b.evidence(
        "signatory-moved",
        "the head's signature is taken from another month's rollup",
        AUTHORSHIP,
        "the signature of 140311/zhao (head",
        &filed(w, moved),
    );
}

fn roles(b: &mut Book, w: &World) {
    let desk = w.desk(B);
    let p = &desk.people;
    let mut c = Case::of(w, B, JAN);
    std::mem::swap(
        &mut c.rollup.signatories.preparer,
        &mut c.rollup.signatories.head,
    );
    b.case(
        "signatory-role-swapped",
        "preparer and head stand in each other's place; all three have signed",
        AUTHORSHIP,
        "140311/zhao is not enrolled as preparer",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.signatories.reviewer = p[0].name().into();
    c.held = Some(std::sync::Arc::new(
        protocol::rollup::HeldRollup::new(
            Note::sign(
                &c.rollup.to_text().unwrap(),
                &[&desk.node, &p[1], &p[0], &p[3]],
            )
            .unwrap(),
        )
        .unwrap(),
    ));
    b.case(
        "signatory-recorder",
        "the recorder signs as reviewer",
        AUTHORSHIP,
        "140311/zhang is not enrolled as reviewer",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.signatories.head = "140321/zhao".into();
    b.case(
        "signatory-of-another-unit",
        "the head named is another unit's",
        AUTHORSHIP,
        "140321/zhao is not enrolled as head",
        &c,
    );
    let w = january(|d| {
        training(d, JAN, 1);
        revoke(d, &key("140311/zhao", Alg::Ed25519, 1), JAN);
    });
    b.evidence(
        "signatory-revoked",
        "the head's key was revoked before the month was closed",
        AUTHORSHIP,
        "140311/zhao is not enrolled as head",
        &unanswered(&w),
    );
}
