//! Binding: figures and openings that do not follow from the leaves.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    moved_counts(b, w);
    openings(b, w);
    stocks_and_order(b, w);
}

fn moved_counts(b: &mut Book, w: &World) {
    let hired = "employment.started";
    let at = |name: &str| column(w, hired, name);
    let mut c = Case::of(w, B, JAN);
    let own = &mut c.figure("I2").own;
    own.value = Some(own.value.unwrap() + 1);
    own.cells[0][0] += 1;
    b.case(
        "figure-off-by-one",
        "a figure is one higher, and so is one of its cells",
        BINDING,
        "figure I2 (own): value is 2 but its parts give 1",
        &c,
    );
    let sums = c.rollup.opening.sums.get_mut(hired).unwrap();
    sums[at("I2:in:sex:1")] += 1;
    b.case(
        "figure-off-by-one-opening",
        "the same, and the opening's sum is one higher",
        BINDING,
        "the columns of figure I2 add up to 2, but there are 1 leaves",
        &c,
    );
    let sums = c.rollup.opening.sums.get_mut(hired).unwrap();
    sums[at("I2:in:sex:-")] -= 1;
    b.case(
        "figure-off-by-one-opening-balanced",
        "the same, taken from the column of what is not counted",
        BINDING,
        "not the sum of the commitments",
        &c,
    );

    let mut c = Case::of(w, B, JAN);
    c.figure("I2").own.cells[0].swap(0, 1);
    b.case(
        "count-moved",
        "a count is moved from one cell to another",
        BINDING,
        "figure I2 (own): table sex cell 1 is",
        &c,
    );
    let sums = c.rollup.opening.sums.get_mut(hired).unwrap();
    sums.swap(at("I2:in:sex:1"), at("I2:in:sex:2"));
    b.case(
        "count-moved-opening",
        "the same, in the opening as well",
        BINDING,
        "not the sum of the commitments",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    let sums = c.rollup.opening.sums.get_mut(hired).unwrap();
    sums[at("I3:bit:total:0")] -= 2;
    sums[at("I3:bit:total:1")] += 1;
    b.case(
        "amount-bits-moved",
        "an amount's bits are moved without changing the amount",
        BINDING,
        "not the sum of the commitments",
        &c,
    );
}

fn openings(b: &mut Book, w: &World) {
    let hired = "employment.started";
    let at = |name: &str| column(w, hired, name);
    let mut c = Case::of(w, B, JAN);
    c.rollup.opening.blinding = OpenScalar(c.rollup.opening.blinding.0 + Scalar::ONE);
    b.case(
        "blinding-changed",
        "the sum of the blindings is one higher",
        BINDING,
        "not the sum of the commitments",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.opening.sums.get_mut(hired).unwrap()[at("I1:in:sex:1")] += 1;
    b.case(
        "opening-block",
        "one block of the opening adds up to more than there are leaves",
        BINDING,
        "add up to 2, but there are 1 leaves",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.opening.sums.get_mut(hired).unwrap().pop();
    b.case(
        "opening-column-missing",
        "the opening has one column less than the schema",
        BINDING,
        "columns instead of",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.opening.sums.remove(hired);
    b.case(
        "opening-type-missing",
        "the opening says nothing of an event type that has a leaf",
        BINDING,
        "no sums for event type employment.started",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup
        .opening
        .sums
        .insert("employment.ended".into(), vec![0; 6]);
    b.case(
        "opening-type-extra",
        "the opening has (zero) sums for an event type that has no leaf",
        BINDING,
        "sums for employment.ended, of which there is no leaf",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.opening.sums.get_mut(hired).unwrap()[..3].fill(i64::MAX);
    b.case(
        "opening-overflow",
        "sums so large that they overflow 64 bits when added",
        BINDING,
        "add up to",
        &c,
    );
}

fn stocks_and_order(b: &mut Book, w: &World) {
    let mut c = Case::of(w, A, FEB);
    let own = &mut c.figure("I2").own;
    (own.value, own.declared) = (Some(own.value.unwrap() - 5), 0);
    own.cells[0][1] -= 5;
    b.case(
        "stock-forgotten",
        "a stock does not start from the previous month",
        BINDING,
        "figure I2 (own): value is 2 but its parts give 7",
        &c,
    );
    let mut c = Case::of(w, A, JAN);
    c.figure("I2").basis = Basis::Proven;
    b.case(
        "basis-claimed",
        "a figure with a declared part is called proven",
        BINDING,
        "figure I2 is called proven but is declared",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.figures.pop();
    b.case(
        "figure-left-out",
        "the last figure of the catalogue is left out",
        BINDING,
        "figure I22 is missing",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.rollup.figures.swap(0, 1);
    b.case(
        "figure-order",
        "two figures stand in the other order",
        BINDING,
        "figure I1@plan stands where I1 belongs",
        &c,
    );
    let mut c = Case::of(w, A, JAN);
    c.rollup.voided = 0;
    b.case(
        "voided-number",
        "the number of voided statements is wrong",
        BINDING,
        "voided or late",
        &c,
    );
    let mut c = Case::of(w, B, FEB);
    c.rollup.late.insert(month(JAN), 1);
    b.case(
        "late-number",
        "a late entry is claimed that is not there",
        BINDING,
        "voided or late",
        &c,
    );
    let mut c = Case::of(w, B, FEB);
    c.rollup.log.first -= 1;
    b.case(
        "first-leaf",
        "the index of the month's first leaf is wrong",
        BINDING,
        "first leaf is wrong",
        &c,
    );
}
