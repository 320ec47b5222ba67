//! History: voids that take back what they must not, and leaves that stand twice.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    let mut spare = Spare::new();
    targets(b, w, &mut spare);
    by_others(b, w, &mut spare);
    before_its_target(b);
    one_leaf_in_two_months(b);
    one_leaf_twice(b, w);
}

fn targets(b: &mut Book, w: &World, spare: &mut Spare) {
    let zhang = &w.desk(A).people[0];
    let voided = (0..w.desk(A).size())
        .find_map(|i| w.desk(A).statement(i).voids().cloned())
        .unwrap();
    let is_void = (0..w.desk(A).size())
        .find(|i| w.desk(A).statement(*i).voids().is_some())
        .unwrap();
    let mut attempt = |name: &str, case: &str, part: &str, s: &Statement| {
        let mut c = Case::of(w, A, JAN);
        c.append(s, zhang);
        b.case(name, case, HISTORY, part, &c);
    };
    attempt(
        "void-twice",
        "a statement is voided a second time",
        "a second time",
        &spare.void(w, A, JAN, voided.index),
    );
    attempt(
        "void-of-void",
        "a void is voided",
        "itself a void or an enrolment",
        &spare.void(w, A, JAN, is_void),
    );
    attempt(
        "void-of-enrolment",
        "an enrolment is voided",
        "itself a void or an enrolment",
        &spare.void(w, A, JAN, 0),
    );
    let mut s = spare.void(w, A, JAN, 4);
    s.body = void_of(w.desk(B).statement(4).id, 4);
    attempt(
        "void-of-another-unit",
        "a void names another unit's statement, at an index that exists here",
        "which is not leaf 4",
        &s,
    );
    s.body = void_of(w.desk(A).statement(4).id, 5);
    attempt(
        "void-wrong-index",
        "a void names a statement of this log at another's index",
        "which is not leaf 5",
        &s,
    );
    s.body = void_of(s.id, w.held(A, JAN).rollup.log.size);
    attempt(
        "void-of-itself",
        "a void names itself",
        "not in the log before it",
        &s,
    );
    s.body = void_of(w.desk(A).statement(4).id, u64::MAX);
    attempt(
        "void-far-index",
        "a void names an index far outside the log",
        "not in the log before it",
        &s,
    );
}

/// An early leaf of February, taken back in January or in February: in January it would make up for
/// what January itself has counted.
fn before_its_target(b: &mut Book) {
    let voided_in = |period: &str| {
        let mut w = World::empty();
        let registry = w.registry.clone();
        let desk = w.units.get_mut(&unit(B)).unwrap();
        training(desk, JAN, 700);
        let early = training(desk, FEB, 500);
        desk.void(period, early);
        desk.close(JAN, 1, &registry, &[], vec![]);
        desk.close(FEB, 1, &registry, &[], vec![]);
        honest_file(&w, &[B], FEB)
    };
    b.evidence(
        "void-before-target",
        "January takes back what counts in February",
        HISTORY,
        "in 2026-01, but that one counts later, in 2026-02",
        &voided_in(JAN),
    )
    .also(&[BINDING]);
    b.control(
        "control-void-in-its-month.zip",
        "an early leaf of February is taken back in February, before January is closed",
        file::write(&voided_in(FEB)).unwrap(),
    );
}

fn by_others(b: &mut Book, w: &World, spare: &mut Spare) {
    let zhang = &w.desk(A).people[0];
    let mut by = |name: &str, case: &str, part: &str, s: &Statement| {
        let mut c = Case::of(w, A, JAN);
        c.append(s, &w.desk(B).people[0]);
        b.case(name, case, AUTHORSHIP, part, &c);
    };
    by(
        "void-by-another-unit",
        "a void of a right leaf, signed by another unit's recorder",
        "signed by 140311/zhang",
        &spare.void(w, A, JAN, 4),
    );
    let mut s = spare.void(w, A, JAN, 4);
    s.unit = unit(B);
    by(
        "void-from-another-unit",
        "another unit's void of a leaf of this log",
        "a statement of unit 140311",
        &s,
    );

    let mut c = Case::of(w, A, JAN);
    c.append(&spare.void(w, A, JAN, 4), zhang);
    b.case(
        "void-not-taken-back",
        "a void that is right, but the opening still counts what it takes back",
        BINDING,
        "add up to 3, but there are 2 leaves",
        &c,
    );
}

fn one_leaf_in_two_months(b: &mut Book) {
    let w2 = {
        let mut w = january(|d| {
            registered(d, JAN, 8);
        });
        let registry = w.registry.clone();
        let d = w.units.get_mut(&unit(B)).unwrap();
        registered(d, FEB, 9);
        d.close(FEB, 1, &registry, &[], vec![]);
        w
    };
    let mut c = Case::of(&w2, B, FEB);
    let event = "person.registered";
    let at = leaf(&w2, B, event);
    let (_, columns, blinding) = &w2.desk(B).records[&at];
    let schema = w2.counting.generators.schema(event).unwrap();
    let row = schema
        .from_named(&columns.iter().map(|n| (n.clone(), 1)).collect())
        .unwrap();
    add_row(
        c.rollup.opening.sums.get_mut(event).unwrap(),
        schema.columns(),
        &row,
        1,
    );
    c.rollup.opening.blinding.0 += blinding;
    recount(&mut c);
    b.case(
        "leaf-in-two-months",
        "February counts a leaf of January once more, in its opening and its figures",
        BINDING,
        "add up to 2, but there are 1 leaves",
        &c,
    );
    let mut c = Case::of(&w2, B, FEB);
    c.entries
        .push(w2.desk(B).entries[usize::try_from(at).unwrap()].clone());
    c.reseal();
    recount(&mut c);
    b.case(
        "leaf-again-next-month",
        "a leaf of January stands a second time, among February's",
        HISTORY,
        "its id was used before",
        &c,
    );
}

fn one_leaf_twice(b: &mut Book, w: &World) {
    // Its own leaf a second time, with an opening that counts it twice: only its id tells.
    let mut c = Case::of(w, B, JAN);
    let at = leaf(w, B, "employment.started");
    let (_, columns, blinding) = &w.desk(B).records[&at];
    let schema = w.counting.generators.schema("employment.started").unwrap();
    let row = schema
        .from_named(&columns.iter().map(|n| (n.clone(), 1)).collect())
        .unwrap();
    add_row(
        c.rollup.opening.sums.get_mut("employment.started").unwrap(),
        schema.columns(),
        &row,
        1,
    );
    c.rollup.opening.blinding.0 += blinding;
    let own = c.entries[usize::try_from(at).unwrap()].clone();
    c.entries.push(own);
    c.reseal();
    recount(&mut c);
    b.case(
        "leaf-twice",
        "the unit's own leaf stands a second time, and the opening counts it twice",
        HISTORY,
        "its id was used before",
        &c,
    );
}
