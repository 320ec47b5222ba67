//! Check 4, binding: figures follow from leaves.

use crate::common::*;

#[test]
fn a_figure_off_by_one_is_refused_though_its_cells_agree() {
    let mut c = case(A, JAN);
    let own = &mut c.figure("I2").own;
    own.value = Some(own.value.unwrap() + 1);
    own.cells[0][0] += 1;
    c.fails_alone(
        "binding",
        "figure I2 (own): value is 8 but its parts give 7",
    );
    // With the opening bent to fit: then the opening does not open.
    let schema = WORLD
        .counting
        .generators
        .schema("employment.started")
        .unwrap();
    let column = schema
        .names()
        .iter()
        .position(|n| n == "I2:in:sex:1")
        .unwrap();
    let other = schema
        .names()
        .iter()
        .position(|n| n == "I2:in:sex:-")
        .unwrap();
    let sums = c.rollup.opening.sums.get_mut("employment.started").unwrap();
    sums[column] += 1;
    c.fails_alone(
        "binding",
        "the columns of figure I2 add up to 3, but there are 2 leaves",
    );
    c.rollup.opening.sums.get_mut("employment.started").unwrap()[other] -= 1;
    c.fails_alone("binding", "not the sum of the commitments");
}

#[test]
fn a_count_moved_between_cells_is_refused() {
    let mut c = case(A, JAN);
    let cells = &mut c.figure("I2").own.cells[0];
    assert!(cells[0] > 0 || cells[1] > 0);
    cells.swap(0, 1);
    c.fails_alone("binding", "figure I2 (own): table sex cell 1 is");
    let sums = c.rollup.opening.sums.get_mut("employment.started").unwrap();
    let schema = WORLD
        .counting
        .generators
        .schema("employment.started")
        .unwrap();
    let at = |name: &str| schema.names().iter().position(|n| n == name).unwrap();
    sums.swap(at("I2:in:sex:1"), at("I2:in:sex:2"));
    c.fails_alone("binding", "not the sum of the commitments");
    // A fen moved between amount bits.
    let mut c = case(A, JAN);
    let bit = at("I3:bit:total:0");
    let sums = c.rollup.opening.sums.get_mut("employment.started").unwrap();
    sums[bit] -= 2;
    sums[bit + 1] += 1;
    c.fails_alone("binding", "not the sum of the commitments");
}

#[test]
fn another_opening_is_refused() {
    let mut c = case(A, JAN);
    c.rollup.opening.blinding = OpenScalar(c.rollup.opening.blinding.0 + Scalar::ONE);
    c.fails_alone("binding", "not the sum of the commitments");
    let mut c = case(A, JAN);
    c.rollup
        .opening
        .sums
        .get_mut("employment.started")
        .unwrap()
        .pop();
    c.fails_alone("binding", "columns instead of");
    let mut c = case(A, JAN);
    c.rollup.opening.sums.remove("employment.started");
    c.fails_alone("binding", "no sums for event type employment.started");
    let mut c = case(A, JAN);
    c.rollup
        .opening
        .sums
        .insert("employment.ended".into(), vec![0; 6]);
    c.fails_alone(
        "binding",
        "sums for employment.ended, of which there is no leaf",
    );
    for extreme in [i64::MAX, i64::MIN] {
        let mut c = case(A, JAN);
        c.rollup.opening.sums.get_mut("employment.started").unwrap()[..3].fill(extreme);
        c.fails_alone("binding", "add up to");
    }
}

/// The unit commits to a row that no honest event has. What the block sums cannot see, `wellformed`
/// will; what they can, they must.
#[test]
fn rows_that_count_twice_do_not_add_up() {
    let counting = &WORLD.counting;
    let event = "person.registered";
    let schema = counting.generators.schema(event).unwrap();
    let at = |name: &str| schema.names().iter().position(|n| n == name).unwrap();
    let honest = [(at("I2:in:sex:-"), 1), (at("I2:out:sex:-"), 1)];
    for (row, part) in [
        (
            vec![(at("I2:in:sex:1"), 2), honest[1]],
            "figure I2 add up to",
        ),
        (
            vec![(at("I2:in:sex:1"), 1), honest[0], honest[1]],
            "figure I2 add up to",
        ),
        (vec![honest[0]], "figure I2 add up to"),
    ] {
        let mut c = case(A, JAN);
        let r = Scalar::from(7_u64);
        let s = spare_desk().blank(event, JAN).with(Body::Sealed {
            row: counting.generators.commit(event, &row, &r).unwrap(),
            record: WORLD.desk(A).statement(4).record().unwrap(),
        });
        add_row(
            c.rollup.opening.sums.get_mut(event).unwrap(),
            schema.columns(),
            &row,
            1,
        );
        c.rollup.opening.blinding.0 += r;
        c.append(&s, &WORLD.desk(A).people[0]);
        c.fails_alone("binding", part);
    }
    // Extreme weights that cancel within their block open, and must be refused without overflowing.
    let row = [
        (at("I2:out:sex:1"), i64::MIN),
        (at("I2:out:sex:2"), i64::MAX),
        (at("I2:out:sex:-"), 2),
        honest[0],
    ];
    let mut c = case(A, JAN);
    let generators = &counting.generators;
    let s = spare_desk().blank(event, JAN).with(Body::Sealed {
        row: generators.commit(event, &row, &Scalar::ONE).unwrap(),
        record: WORLD.desk(A).statement(4).record().unwrap(),
    });
    let sums = c.rollup.opening.sums.get_mut(event).unwrap();
    sums[at("I2:out:sex:-")] += 2;
    sums[at("I2:in:sex:-")] += 1;
    sums[at("I2:out:sex:1")] += i64::MIN;
    sums[at("I2:out:sex:2")] += i64::MAX;
    c.rollup.opening.blinding.0 += Scalar::ONE;
    c.append(&s, &WORLD.desk(A).people[0]);
    c.fails_alone("binding", "out of range");
}

#[test]
fn another_countys_leaf_or_commitment_is_of_no_use() {
    let stolen = WORLD.desk(B).statement(5);
    let s = spare_desk()
        .blank("employment.started", JAN)
        .with(stolen.body);
    let mut c = case(A, JAN);
    c.append(&s, &WORLD.desk(A).people[0]);
    // Counted or not, the sums do not open.
    let sums = c.rollup.opening.sums.get_mut("employment.started").unwrap();
    let theirs = WORLD.held(B, JAN).rollup.opening.sums["employment.started"].clone();
    sums.iter_mut().zip(&theirs).for_each(|(a, b)| *a += b);
    c.fails("binding", "not the sum of the commitments");
    // Its own leaf, a second time.
    let mut c = case(A, JAN);
    let own = c.entries[7].clone();
    c.entries.push(own);
    c.reseal();
    c.fails("history", "its id was used before");
    c.fails("binding", "add up to");
}

#[test]
fn a_row_of_one_event_type_is_none_of_another() {
    let mut c = case(A, JAN);
    let mut s = WORLD.desk(A).statement(4);
    assert_eq!(s.event, "person.registered");
    s.id = spare_desk().blank("x", JAN).id;
    s.event = "employment.ended".into();
    c.append(&s, &WORLD.desk(A).people[0]);
    let net = vec![0, 0, 1, 0, 0, 1];
    c.rollup.opening.sums.insert("employment.ended".into(), net);
    c.fails_alone("binding", "not the sum of the commitments");
    // Sealed where it must be clear, and the reverse.
    let mut s = WORLD.desk(A).statement(4);
    s.id = spare_desk().blank("x", JAN).id;
    s.event = "training.held".into();
    let mut c = case(A, JAN);
    c.append(&s, &WORLD.desk(A).people[0]);
    c.fails_alone(
        "binding",
        "published in clear although it is sealed, or the reverse",
    );
    let mut c = case(A, JAN);
    s.event = "no.such".into();
    c.append(&s, &WORLD.desk(A).people[0]);
    c.fails_alone("binding", "unknown event type");
    s.catalogue = Digest::of(b"other");
    let mut c = case(A, JAN);
    c.append(&s, &WORLD.desk(A).people[0]);
    c.fails_alone("binding", "catalogue that is not known here");
    let mut c = case(A, JAN);
    c.rollup.catalogue = Digest::of(b"other");
    c.fails("binding", "catalogue that is not known here");
}

#[test]
fn clear_counts_follow_from_clear_fields() {
    let attempt = |event: &str, fields: &[(&str, Value)], counts: &[(&str, i64)]| {
        let s = spare_desk()
            .blank(event, JAN)
            .with(clear_body(fields, counts));
        let mut c = case(A, JAN);
        c.append(&s, &WORLD.desk(A).people[0]);
        c
    };
    let on = ("occurred_on", text("2026-01-12"));
    let wrong = "its counts do not follow from its fields";
    let attended = |n| [("attended", Value::Int(n)), on.clone()];
    attempt("training.held", &attended(3), &[("I7:n:total:total", 4)])
        .fails_alone("binding", wrong);
    attempt("training.held", &attended(3), &[]).fails_alone("binding", wrong);
    attempt(
        "training.held",
        &attended(3),
        &[("I7:n:total:total", 3), ("I9:n:total:total", 1)],
    )
    .fails_alone("binding", wrong);
    attempt("training.held", &attended(-3), &[("I7:n:total:total", -3)])
        .fails_alone("binding", "cannot hold -3");
    attempt(
        "training.held",
        &attended(i64::MAX),
        &[("I7:n:total:total", i64::MAX)],
    )
    .fails_alone("binding", "above the catalogue's maximum");
    attempt(
        "training.held",
        &attended(3)[..1],
        &[("I7:n:total:total", 3)],
    )
    .fails_alone("binding", "no day of occurrence");
    // The rollup must count it, too.
    attempt("training.held", &attended(3), &[("I7:n:total:total", 3)]).fails_alone(
        "binding",
        "figure I7 (own): value is 40 but its parts give 43",
    );
    // Carrier c1 is open already: opening it again moves nothing.
    let c1 = [("ref", text("c1")), ("kind", text("workshop")), on.clone()];
    attempt("carrier.opened", &c1, &[("I4:in:kind:workshop", 1)]).fails_alone("binding", wrong);
    let odd = [("ref", text("c9")), ("kind", text("castle")), on];
    attempt("carrier.opened", &odd, &[("I4:in:kind:castle", 1)])
        .fails_alone("binding", "has no code");
}

#[test]
fn stocks_start_from_the_previous_rollup() {
    let mut c = case(A, FEB);
    let own = &mut c.figure("I2").own;
    own.value = Some(own.value.unwrap() - 5);
    own.cells[0][1] -= 5;
    own.declared = 0;
    c.fails_alone(
        "binding",
        "figure I2 (own): value is 2 but its parts give 7",
    );
    // A county's own claim of what its figures rest on is checked as well.
    let mut c = case(A, FEB);
    c.figure("I2").basis = protocol::figure::Basis::Proven;
    c.fails_alone("binding", "figure I2 is called proven but is declared");
    let mut c = case(A, FEB);
    c.rollup.figures.swap(0, 1);
    c.fails("binding", "figure I1@plan stands where I1 belongs");
    let mut c = case(A, FEB);
    c.rollup.figures.pop();
    c.fails("binding", "figure I22 is missing");
}

#[test]
fn the_numbers_beside_the_figures_are_those_of_the_leaves() {
    let mut c = case(A, JAN);
    c.rollup.voided = 0;
    c.fails_alone("binding", "voided or late");
    let mut c = case(A, FEB);
    c.rollup.late.insert(month(JAN), 1);
    c.fails_alone("binding", "voided or late");
    let mut c = case(A, FEB);
    c.rollup.log.first -= 1;
    c.fails_alone("binding", "first leaf is wrong");
}

#[test]
fn points_that_are_no_commitments_are_refused() {
    let s = WORLD.desk(A).statement(4);
    let json = s.to_text().unwrap();
    let row = serde_json::to_value(s.row().unwrap())
        .unwrap()
        .as_str()
        .unwrap()
        .to_string();
    let mut high = row.clone();
    high.replace_range(62..64, "ff");
    for (bad, part) in [
        ("00".repeat(32), "commitment.identity"),
        ("ff".repeat(32), "commitment.point"),
        (format!("01{}", "00".repeat(31)), "commitment.point"),
        (high, "commitment.point"),
        (row.to_uppercase(), "commitment.encoding"),
        (row[..62].to_string(), "commitment.encoding"),
    ] {
        let mut c = case(A, JAN);
        let text = json.replace(&row, &bad);
        assert!(
            Statement::parse(&text)
                .unwrap_err()
                .to_string()
                .contains(part)
        );
        let zhang = &WORLD.desk(A).people[0];
        c.entries
            .push(Note::sign(&text, &[zhang]).unwrap().as_bytes().to_vec());
        c.reseal();
        c.fails("authorship", part);
    }
}
