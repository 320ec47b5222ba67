//! Binding: commitments of others, and to rows that no honest event has.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    let mut spare = Spare::new();
    of_another_county(b, w, &mut spare);
    of_another_type(b, w, &mut spare);
    rows(b, w, &mut spare);
    extreme_weights(b, w, &mut spare);
}

fn of_another_county(b: &mut Book, w: &World, spare: &mut Spare) {
    let event = "employment.started";
    let zhang = &w.desk(B).people[0];
    let stolen = w.desk(A).statement(leaf(w, A, event));
    let s = spare.blank(B, event, JAN).with(stolen.body);
    let mut c = Case::of(w, B, JAN);
    c.append(&s, zhang);
    b.case(
        "commitment-of-another-county",
        "another county's commitment stands in an own leaf; the opening is left as it was",
        BINDING,
        "add up to 1, but there are 2 leaves",
        &c,
    );
    // Its row can be guessed; of its blinding only the other county's sum over the whole month is
    // known.
    let (_, columns, _) = &w.desk(A).records[&leaf(w, A, event)];
    let schema = w.counting.generators.schema(event).unwrap();
    let row = schema
        .from_named(&columns.iter().map(|n| (n.clone(), 1)).collect())
        .unwrap();
    add_row(
        c.rollup.opening.sums.get_mut(event).unwrap(),
        schema.columns(),
        &row,
        1,
    );
    recount(&mut c);
    b.case(
        "commitment-of-another-county-sums",
        "the same, and the opening's sums and the figures count its row",
        BINDING,
        "not the sum of the commitments",
        &c,
    );
    c.rollup.opening.blinding.0 += w.held(A, JAN).rollup.opening.blinding.0;
    b.case(
        "commitment-of-another-county-blinding",
        "the same, and the other county's published blinding sum is added",
        BINDING,
        "not the sum of the commitments",
        &c,
    );
}

fn of_another_type(b: &mut Book, w: &World, spare: &mut Spare) {
    let zhang = &w.desk(B).people[0];
    // A row of one event type is none of another, though it has the same shape.
    let registered = "person.registered";
    let mut c = Case::of(w, B, JAN);
    let mut s = w.desk(B).statement(leaf(w, B, registered));
    s.id = spare.blank(B, "x", JAN).id;
    s.event = "employment.ended".into();
    c.append(&s, zhang);
    c.rollup
        .opening
        .sums
        .insert("employment.ended".into(), vec![0, 0, 1, 0, 0, 1]);
    let (_, _, blinding) = &w.desk(B).records[&leaf(w, B, registered)];
    c.rollup.opening.blinding.0 += blinding;
    recount(&mut c);
    b.case(
        "commitment-of-another-type",
        "a commitment to a row of one event type stands in a leaf of another",
        BINDING,
        "not the sum of the commitments",
        &c,
    );
}

fn rows(b: &mut Book, w: &World, spare: &mut Spare) {
    let zhang = &w.desk(B).people[0];
    let registered = "person.registered";
    // Rows that no honest event has: what the block sums see.
    let schema = w.counting.generators.schema(registered).unwrap();
    let at = |name: &str| column(w, registered, name);
    let honest = [(at("I2:in:sex:-"), 1), (at("I2:out:sex:-"), 1)];
    for (name, case, row, part) in [
        (
            "row-counts-two",
            "a commitment to a row that counts one person twice",
            vec![(at("I2:in:sex:1"), 2), honest[1]],
            "figure I2 add up to 3, but there are 2 leaves",
        ),
        (
            "row-counts-both",
            "a commitment to a row that counts and does not count",
            vec![(at("I2:in:sex:1"), 1), honest[0], honest[1]],
            "figure I2 add up to 3, but there are 2 leaves",
        ),
        (
            "row-counts-none",
            "a commitment to a row with an empty block",
            vec![honest[0]],
            "figure I2 add up to 1, but there are 2 leaves",
        ),
    ] {
        let mut c = Case::of(w, B, JAN);
        let r = Scalar::from(7_u64);
        let s = spare.blank(B, registered, JAN).with(Body::Sealed {
            row: w.counting.generators.commit(registered, &row, &r).unwrap(),
            record: w.desk(B).statement(4).record().unwrap(),
        });
        add_row(
            c.rollup.opening.sums.get_mut(registered).unwrap(),
            schema.columns(),
            &row,
            1,
        );
        c.rollup.opening.blinding.0 += r;
        c.append(&s, zhang);
        recount(&mut c);
        b.case(name, case, BINDING, part, &c);
    }
}

fn extreme_weights(b: &mut Book, w: &World, spare: &mut Spare) {
    let zhang = &w.desk(B).people[0];
    let registered = "person.registered";
    let schema = w.counting.generators.schema(registered).unwrap();
    let at = |name: &str| column(w, registered, name);
    let honest = [(at("I2:in:sex:-"), 1)];
    // Extreme weights that cancel within their block.
    let row = [
        (at("I2:out:sex:1"), i64::MIN),
        (at("I2:out:sex:2"), i64::MAX),
        (at("I2:out:sex:-"), 2),
        honest[0],
    ];
    let mut c = Case::of(w, B, JAN);
    let generators = &w.counting.generators;
    let s = spare.blank(B, registered, JAN).with(Body::Sealed {
        row: generators.commit(registered, &row, &Scalar::ONE).unwrap(),
        record: w.desk(B).statement(4).record().unwrap(),
    });
    add_row(
        c.rollup.opening.sums.get_mut(registered).unwrap(),
        schema.columns(),
        &row,
        1,
    );
    c.rollup.opening.blinding.0 += Scalar::ONE;
    c.append(&s, zhang);
    b.case(
        "row-extreme",
        "a commitment to weights beyond 2^53 that cancel within their block",
        BINDING,
        "out of range",
        &c,
    );
}
