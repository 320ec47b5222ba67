//! History: a log that was changed after it was witnessed, and leaves in months that are sealed.

use super::making::*;

const ROOT_DIFFERS: &str = "the root over its";

pub(super) fn cases(b: &mut Book, w: &World) {
    leaves(b, w);
    dropped_revocation(b);
    roots_and_checkpoints(b, w);
    behind_and_ahead(b, w);
    months(b, w);
}

fn leaves(b: &mut Book, w: &World) {
    let desk = w.desk(A);
    let seven = usize::try_from(leaf(w, A, "employment.started")).unwrap();
    let mut c = Case::of(w, A, FEB);
    let mut s = desk.statement(6);
    s.recorded = "2026-01-05T08:00:01Z".into();
    c.entries[6] = Note::sign(&s.to_text().unwrap(), &[&desk.people[0]])
        .unwrap()
        .as_bytes()
        .to_vec();
    c.reseal();
    recount(&mut c);
    b.case(
        "leaf-changed",
        "a leaf of January is signed again with another time after January was witnessed; February is built on it",
        HISTORY,
        ROOT_DIFFERS,
        &c,
    );
    let mut c = Case::of(w, A, FEB);
    c.entries.swap(5, 6);
    c.reseal();
    recount(&mut c);
    b.case(
        "leaves-swapped",
        "two leaves of January change places after January was witnessed",
        HISTORY,
        ROOT_DIFFERS,
        &c,
    );
    let mut c = Case::of(w, A, FEB);
    c.entries.remove(seven);
    c.reseal();
    recount(&mut c);
    b.case(
        "leaf-dropped",
        "a counted leaf of January is dropped after January was witnessed",
        HISTORY,
        ROOT_DIFFERS,
        &c,
    )
    .also(&[BINDING]);
    let mut c = Case::of(w, A, FEB);
    let extra = Spare::new().training(A, JAN, 3);
    c.entries.insert(
        13,
        Note::sign(&extra.to_text().unwrap(), &[&desk.people[0]])
            .unwrap()
            .as_bytes()
            .to_vec(),
    );
    c.reseal();
    recount(&mut c);
    b.case(
        "leaf-inserted",
        "a leaf is inserted into January after January was witnessed",
        HISTORY,
        ROOT_DIFFERS,
        &c,
    )
    .also(&[BINDING]);
}

fn dropped_revocation(b: &mut Book) {
    // A revocation disappears: nothing is counted otherwise, only what was witnessed tells.
    let qian = key("140311/qian", Alg::Ed25519, 1);
    let w2 = january(|d| {
        enrol(d, &qian, "recorder", JAN);
        training(d, JAN, 2);
        revoke(d, &qian, JAN);
    });
    let mut c = Case::of(&w2, B, JAN);
    let first = w2.held(B, JAN);
    c.known.insert(first.key(), first);
    c.rollup = w2.desk(B).rollup(FEB, 1, &w2.registry, &[], vec![]);
    c.entries.pop();
    let s = Spare::new().training(B, FEB, 5);
    c.entries.push(
        Note::sign(&s.to_text().unwrap(), &[&qian])
            .unwrap()
            .as_bytes()
            .to_vec(),
    );
    let s = Spare::new().training(B, FEB, 6);
    c.entries.push(
        Note::sign(&replaced_id(s, 1).to_text().unwrap(), &[&qian])
            .unwrap()
            .as_bytes()
            .to_vec(),
    );
    c.reseal();
    recount(&mut c);
    b.case(
        "revocation-dropped",
        "the revocation of a key is dropped after it was witnessed, and the key records on",
        HISTORY,
        ROOT_DIFFERS,
        &c,
    );
}

fn roots_and_checkpoints(b: &mut Book, w: &World) {
    let mut c = Case::of(w, B, JAN);
    c.rollup.log.root = "00".repeat(32);
    b.case(
        "root-wrong",
        "the rollup claims another root",
        HISTORY,
        ROOT_DIFFERS,
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.entries.pop();
    b.case(
        "leaf-withheld",
        "the last leaf is not in the file",
        HISTORY,
        "leaves, of which 6 were shown",
        &c,
    )
    .also(&[BINDING]);
    let mut c = Case::of(w, B, JAN);
    let size = c.rollup.log.size;
    let other = Checkpoint::new(&origin_of(&unit(B)), size, [1; 32])
        .unwrap()
        .sign(&w.desk(B).node)
        .unwrap();
    c.checkpoint = Some(other);
    b.case(
        "checkpoint-other-root",
        "the checkpoint is of another root than the rollup",
        HISTORY,
        "another unit, size or root",
        &c,
    );
    let mut e = unanswered(w);
    let point = Checkpoint::new(&origin_of(&unit(A)), size, w.desk(B).root(size))
        .unwrap()
        .sign(&w.desk(B).node)
        .unwrap();
    on(&mut e, B).checkpoints.insert(size, point);
    b.evidence(
        "checkpoint-other-unit",
        "the checkpoint names another unit's log",
        HISTORY,
        "another unit, size or root",
        &e,
    );
    let mut c = Case::of(w, B, JAN);
    c.checkpoint = None;
    b.case(
        "checkpoint-missing",
        "there is no checkpoint of the rollup's size",
        UNREADABLE,
        "entries behind its last checkpoint",
        &c,
    );
    let mut e = honest_file(w, &[B], FEB);
    on(&mut e, B).checkpoints.remove(&size);
    b.evidence(
        "checkpoint-missing-january",
        "there is no checkpoint of January's size",
        AUTHORSHIP,
        "no checkpoint of this size",
        &e,
    )
    .also(&[HISTORY]);
}

fn behind_and_ahead(b: &mut Book, w: &World) {
    // What the city witnessed in the middle of a month stands in the file as a checkpoint that no
    // rollup asks for.
    let mut c = Case::of(w, B, JAN);
    let witnessed = cosigned(w, B, &w.desk(B).checkpoint(6));
    let mut s = w.desk(B).statement(5);
    s.recorded = "2026-01-05T08:00:01Z".into();
    c.entries[5] = Note::sign(&s.to_text().unwrap(), &[&w.desk(B).people[0]])
        .unwrap()
        .as_bytes()
        .to_vec();
    c.reseal();
    let mut e = evidence_of(&c);
    on(&mut e, B).checkpoints.insert(6, witnessed);
    b.evidence(
        "leaf-changed-mid-month",
        "a leaf is changed after a checkpoint in the middle of the month was cosigned; the rollup follows the changed log",
        UNREADABLE,
        "is not the unit's checkpoint of this log",
        &e,
    );
    let mut e = honest_file(w, &[B], JAN);
    on(&mut e, B).entries.push(w.desk(B).entries[7].clone());
    b.evidence(
        "entries-behind",
        "an entry stands behind the last checkpoint",
        UNREADABLE,
        "entries behind its last checkpoint",
        &e,
    );
    let mut e = honest_file(w, &[B], JAN);
    let point = w.desk(B).checkpoint(8);
    on(&mut e, B).checkpoints.insert(8, point);
    b.evidence(
        "checkpoint-ahead",
        "a checkpoint of a larger log than the file has",
        UNREADABLE,
        "of a larger log than the one that is here",
        &e,
    );
}

fn months(b: &mut Book, w: &World) {
    // A sealed month takes no more leaves.
    let mut c = Case::of(w, B, FEB);
    let s = Spare::new().training(B, JAN, 1);
    c.append(&s, &w.desk(B).people[0]);
    b.case(
        "sealed-month",
        "a leaf of January is recorded after January was sealed, and counted nowhere",
        HISTORY,
        "leaf 9 was put into 2026-01, which was already sealed",
        &c,
    );
    let figure = c.figure("I7");
    figure.own.value = Some(figure.own.value.unwrap() + 1);
    b.case(
        "sealed-month-counted",
        "the same, and February counts it",
        HISTORY,
        "leaf 9 was put into 2026-01, which was already sealed",
        &c,
    )
    .also(&[BINDING]);
    // Nor does a leaf stand in a month that nobody reports, where it would count for nothing or
    // take back unseen.
    let early = january(|d| {
        training(d, "2025-12", 40);
    });
    b.evidence(
        "month-before-the-first",
        "a leaf is of a month before the unit reports",
        HISTORY,
        "leaf 4 is of 2025-12, which is none of the months 2026-01 to 2026-04",
        &honest_file(&early, &[B], JAN),
    );
    let far = january(|d| {
        let held = training(d, JAN, 40);
        d.void("9999-12", held);
    });
    b.evidence(
        "month-far-ahead",
        "a leaf of January is taken back in a month that is never reported",
        HISTORY,
        "leaf 5 is of 9999-12, which is none of the months 2026-01 to 2026-04",
        &honest_file(&far, &[B], JAN),
    );
    let with = |month: &str| {
        let mut c = Case::of(w, B, FEB);
        let s = Spare::new().training(B, month, 1);
        c.append(&s, &w.desk(B).people[0]);
        evidence_of(&c)
    };
    b.evidence(
        "month-after-the-next",
        "February's log has a leaf of June, which has not begun",
        HISTORY,
        "is of 2026-06, which is none of the months 2026-01 to 2026-05",
        &with("2026-06"),
    );
    b.control(
        "control-months-begun.zip",
        "February's log has a leaf of May: what was closed before may still wait for signatures",
        file::write(&with("2026-05")).unwrap(),
    );
    let mut c = Case::of(w, B, FEB);
    let mut s = Spare::new().training(B, FEB, 1);
    s.late = Some(month(FEB));
    c.append(&s, &w.desk(B).people[0]);
    recount(&mut c);
    b.case(
        "late-for-itself",
        "a leaf is called late for its own month",
        HISTORY,
        "late for 2026-02, which is not before its month",
        &c,
    );
}

/// Another id than the spare one.
fn replaced_id(mut s: Statement, n: u64) -> Statement {
    s.id = protocol::ids::EventId::from_parts(1_767_225_700_000 + n, [7; 10]);
    s
}
