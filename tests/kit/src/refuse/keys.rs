//! Authorship: node keys that are wrong, foreign, revoked or not valid yet.

use super::making::*;

const NOT_SIGNED: &str = "not signed by a node key of 140311 that is valid at log size 7";

pub(super) fn cases(b: &mut Book, w: &World) {
    node_keys(b, w);
    node_keys_out_of_time(b, w);
    checkpoint_keys(b, w);
    strange_lines(b, w);
}

/// January's rollup of county B, signed by this node key and by the three people.
fn closed_by(w: &World, node: &SigningKey) -> Note {
    let people = &w.desk(B).people;
    let signers = [node, &people[1], &people[2], &people[3]];
    Note::sign(w.held(B, JAN).note.text(), &signers).unwrap()
}

fn node_keys(b: &mut Book, w: &World) {
    let people = &w.desk(B).people;
    b.evidence(
        "node-key-wrong",
        "the rollup is signed by another key under the node's name",
        AUTHORSHIP,
        NOT_SIGNED,
        &filed(w, closed_by(w, &key(B, Alg::Ed25519, 77))),
    );
    b.evidence(
        "node-key-of-another-unit",
        "the rollup is signed by another unit's node",
        AUTHORSHIP,
        NOT_SIGNED,
        &filed(w, closed_by(w, &w.desk(A).node)),
    );
    b.evidence(
        "node-key-missing",
        "the rollup is signed by the three people, but not by the node",
        AUTHORSHIP,
        NOT_SIGNED,
        &filed(
            w,
            Note::sign(
                w.held(B, JAN).note.text(),
                &[&people[1], &people[2], &people[3]],
            )
            .unwrap(),
        ),
    );
}

fn node_keys_out_of_time(b: &mut Book, w: &World) {
    let desk = w.desk(B);
    let size = w.held(B, JAN).rollup.log.size;
    let mut e = honest_file(w, &[B], JAN);
    e.registries.push(revocation(w, size - 1));
    b.evidence(
        "node-key-revoked",
        "registry version 2 revokes the node key at the last leaf of the rollup; the rollup names version 1",
        AUTHORSHIP,
        NOT_SIGNED,
        &e,
    );
    let mut e = honest_file(w, &[B], JAN);
    e.registries.push(revocation(w, 2));
    b.evidence(
        "node-key-revoked-leaf",
        "registry version 2 revokes the node key at index 2: the enrolments behind it do not count",
        AUTHORSHIP,
        "leaf 2: signed by 140311, which holds no key for it",
        &e,
    );
    let new = key(B, Alg::Ed25519, 40);
    let early = second_registry(w, |r| {
        r.units
            .iter_mut()
            .find(|u| u.id == unit(B))
            .unwrap()
            .keys
            .push(UnitKey {
                vkey: new.vkey(),
                from_index: size + 1,
                revoked: None,
            })
    });
    let mut e = filed(w, closed_by(w, &new));
    e.registries.push(early.clone());
    b.evidence(
        "node-key-not-yet",
        "the rollup is signed by a node key that is valid only from the next index on",
        AUTHORSHIP,
        NOT_SIGNED,
        &e,
    );
    let point = Note::sign(desk.checkpoint(size).text(), &[&new]).unwrap();
    let mut e = filed(w, closed_by(w, &desk.node));
    e.registries.push(early);
    on(&mut e, B).checkpoints.insert(size, point);
    b.evidence(
        "checkpoint-key-not-yet",
        "the checkpoint is signed by a node key that is not valid yet",
        AUTHORSHIP,
        "the checkpoint is not signed by a node key",
        &e,
    );
}

fn checkpoint_keys(b: &mut Book, w: &World) {
    let desk = w.desk(B);
    let size = w.held(B, JAN).rollup.log.size;
    let people = &desk.people;
    let mut e = filed(w, closed_by(w, &desk.node));
    on(&mut e, B).checkpoints.insert(
        size,
        Note::sign(desk.checkpoint(size).text(), &[&key(B, Alg::Ed25519, 77)]).unwrap(),
    );
    b.evidence(
        "checkpoint-key-wrong",
        "the checkpoint is signed by another key under the node's name",
        AUTHORSHIP,
        "the checkpoint is not signed by a node key",
        &e,
    );
    let mut e = filed(w, closed_by(w, &desk.node));
    on(&mut e, B).checkpoints.insert(
        size,
        Note::sign(desk.checkpoint(size).text(), &[&people[3]]).unwrap(),
    );
    b.evidence(
        "checkpoint-by-person",
        "the checkpoint is signed by the head instead of the node",
        AUTHORSHIP,
        "the checkpoint is not signed by a node key",
        &e,
    );
}

fn strange_lines(b: &mut Book, w: &World) {
    let desk = w.desk(B);
    let size = w.held(B, JAN).rollup.log.size;
    let mut e = filed(
        w,
        closed_by(w, &desk.node)
            .add_signature(&key("stranger", Alg::Ed25519, 1))
            .unwrap(),
    );
    b.evidence(
        "rollup-strange-line",
        "the rollup has one more signature line, of a key that nobody knows",
        AUTHORSHIP,
        "stranger that cannot be checked",
        &e,
    );
    on(&mut e, B)
        .rollups
        .insert((month(JAN), 1), closed_by(w, &desk.node));
    on(&mut e, B).checkpoints.insert(
        size,
        desk.checkpoint(size)
            .add_signature(&key("stranger", Alg::Ed25519, 1))
            .unwrap(),
    );
    b.evidence(
        "checkpoint-strange-line",
        "the checkpoint has one more signature line, of a key that nobody knows",
        AUTHORSHIP,
        "stranger that cannot be checked",
        &e,
    );
    let lines = plain(&closed_by(w, &desk.node));
    let head = lines.lines().last().unwrap();
    let twice = Note::parse(format!("{lines}{head}\n").as_bytes()).unwrap();
    b.evidence(
        "rollup-line-twice",
        "a signature line of the rollup stands twice",
        AUTHORSHIP,
        "that cannot be checked",
        &filed(w, twice),
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.registry.digest = Digest::of(b"another");
    b.case(
        "registry-digest",
        "the rollup names registry version 1 with another digest",
        AUTHORSHIP,
        "registry version 1 with another digest",
        &c,
    );
}
