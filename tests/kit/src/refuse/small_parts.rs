//! Signatures with a part of small order: a statement's has the cofactor and holds, every other
//! note's is strict and does not.

use super::leaves::with_entry;
use super::making::*;

/// The seed byte of a node's key, and of a person's.
const NODE_SEED: u8 = 0;
const PERSON_SEED: u8 = 1;

pub(super) fn cases(b: &mut Book, w: &World) {
    let mut spare = Spare::new();
    let mut nothing = spare.training(B, JAN, 0);
    if let Body::Clear { counts, .. } = &mut nothing.body {
        counts.clear();
    }
    let text = nothing.to_text().unwrap();
    let zhang = &w.desk(B).people[0];
    let leaf = |shift| {
        signed_with_small_part(&text, zhang, PERSON_SEED, shift)
            .as_bytes()
            .to_vec()
    };
    b.control(
        "control-leaf-small-part.zip",
        "a leaf whose signature has a part of small order, which the cofactor takes away",
        file::write(&evidence_of(&with_entry(w, leaf(0)))).unwrap(),
    );
    b.with_cofactor();
    b.case(
        "leaf-small-part-wrong",
        "the same, and a signature that is wrong otherwise",
        AUTHORSHIP,
        "its signature is wrong",
        &with_entry(w, leaf(1)),
    );
    node_line(b, w);
    persons_line(b, w);
    checkpoint(b, w);
}

/// January's rollup of county B, where one line has a part of small order.
fn rollup_signed(w: &World, strange: usize) -> Note {
    let desk = w.desk(B);
    let held = w.held(B, JAN);
    let text = held.note.text();
    let signers = [
        &desk.node,
        &desk.people[1],
        &desk.people[2],
        &desk.people[3],
    ];
    let others: Vec<&SigningKey> = (0..4)
        .filter(|n| *n != strange)
        .map(|n| signers[n])
        .collect();
    let seed = if strange == 0 { NODE_SEED } else { PERSON_SEED };
    let signed = signed_with_small_part(text, signers[strange], seed, 0);
    let line = &signed.signatures()[0];
    let key = signers[strange].vkey();
    let note = Note::sign(text, &others).unwrap();
    note.add_line(key.name(), key.id(), line.blob()).unwrap()
}

fn node_line(b: &mut Book, w: &World) {
    b.evidence(
        "rollup-small-part-node",
        "the node's line under the rollup has a part of small order",
        AUTHORSHIP,
        "not signed by a node key of 140311",
        &filed(w, rollup_signed(w, 0)),
    );
}

fn persons_line(b: &mut Book, w: &World) {
    b.evidence(
        "rollup-small-part-head",
        "the head's line under the rollup has a part of small order",
        AUTHORSHIP,
        "signature",
        &filed(w, rollup_signed(w, 3)),
    );
}

fn checkpoint(b: &mut Book, w: &World) {
    let desk = w.desk(B);
    let mut c = Case::of(w, B, JAN);
    let honest = c.checkpoint.take().unwrap();
    c.checkpoint = Some(signed_with_small_part(
        honest.text(),
        &desk.node,
        NODE_SEED,
        0,
    ));
    b.case(
        "checkpoint-small-part",
        "the node's line under the checkpoint has a part of small order",
        AUTHORSHIP,
        "the checkpoint is not signed by a node key",
        &c,
    );
}
