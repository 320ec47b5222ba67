//! Numbers that are large on the way to a figure, or in it: what comes out is exact.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    let at = |name: &str| column(w, "employment.started", name);
    let unseen = [
        (at("I1@plan:in:sex:-"), 1),
        (at("I2:in:sex:-"), 1),
        (at("I2:out:sex:-"), 1),
    ];
    let mut bits = unseen.to_vec();
    bits.push((at("I1:in:sex:-"), 1));
    bits.push((at("I3:bit:total:38"), -(1 << 31)));
    bits.push((at("I3:bit:total:39"), 1 << 30));
    b.control(
        "control-bits-cancel.zip",
        "bits of an amount that are more than 64 bits together, and cancel",
        file::write(&evidence_of(&odd(w, &bits))).unwrap(),
    );
    let mut large = unseen.to_vec();
    let many = 2_000_000_000_000_000;
    large.push((at("I1:in:sex:1"), many));
    large.push((at("I1:in:sex:-"), 1 - many));
    let mut c = odd(w, &large);
    recount(&mut c);
    let mut e = evidence_of(&c);
    let plan = [
        ("area_code = \"14\"", "area_code = \"140311\""),
        ("tier = \"province\"", "tier = \"county\""),
        ("indicator = \"hired\"", "indicator = \"hired-rate\""),
        ("value = 3\nunit = \"人\"", "value = 100\nunit = \"bp\""),
        ("tiers = [\"province\"]", "tiers = [\"county\"]"),
    ];
    let plan = plan
        .iter()
        .fold(crate::PLAN.to_string(), |text, (from, to)| {
            replaced(&text, from, to)
        });
    let plan = published::plan_text(&plan).unwrap();
    let roots = [&w.roots[0], &w.roots[1]];
    e.plans.push(Note::sign(&plan, &roots).unwrap());
    b.control(
        "control-quotient-large.zip",
        "a target of a percentage over a figure that is just in range",
        file::write(&e).unwrap(),
    );
}

/// County B's January with one row more, of any numbers that its commitment opens to.
fn odd<'a>(w: &'a World, row: &[(usize, i64)]) -> Case<'a> {
    let event = "employment.started";
    let mut spare = Spare::new();
    let mut c = Case::of(w, B, JAN);
    let generators = &w.counting.generators;
    let s = spare.blank(B, event, JAN).with(Body::Sealed {
        row: generators.commit(event, row, &Scalar::ONE).unwrap(),
        record: w.desk(B).statement(4).record().unwrap(),
    });
    let width = generators.schema(event).unwrap().columns();
    let sums = c.rollup.opening.sums.get_mut(event).unwrap();
    add_row(sums, width, row, 1);
    c.rollup.opening.blinding.0 += Scalar::ONE;
    c.append(&s, &w.desk(B).people[0]);
    c
}
