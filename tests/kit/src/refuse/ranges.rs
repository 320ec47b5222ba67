//! Sums of clear rows are exact, and refused where a column is out of range.

use super::making::*;

/// The largest weight of one row.
const MOST: i64 = (1 << 53) - 1;

pub(super) fn cases(b: &mut Book, w: &World) {
    let mut spare = Spare::new();
    b.case(
        "clear-sum-out-of-range",
        "two clear weights of 2^53 - 1 in one column; the figures are left as they were",
        BINDING,
        "adds up to 2^53 or more",
        &twice(w, &mut spare, MOST, 0),
    );
    let held = w.held(B, JAN);
    let mut figures = held.rollup.figures.iter();
    let counted = figures.find(|f| f.id == "I7").and_then(|f| f.own.value);
    let mut one = twice(w, &mut spare, MOST - counted.unwrap(), 1);
    recount(&mut one);
    b.control(
        "control-clear-sum-at-most.zip",
        "a column of clear rows adds up to 2^53 - 1, after more was taken back",
        file::write(&evidence_of(&one)).unwrap(),
    );
    let mut none = twice(w, &mut spare, MOST, 2);
    recount(&mut none);
    b.control(
        "control-clear-sum-taken-back.zip",
        "clear weights that add up to more than 2^53 and are taken back in the same month",
        file::write(&evidence_of(&none)).unwrap(),
    );
}

/// January of county B with two more trainings of this many people, of which so many are taken back
/// again.
fn twice<'w>(w: &'w World, spare: &mut Spare, attended: i64, taken_back: usize) -> Case<'w> {
    let zhang = &w.desk(B).people[0];
    let mut c = Case::of(w, B, JAN);
    let mut recorded = Vec::new();
    for _ in 0..2 {
        let training = spare.training(B, JAN, attended);
        c.append(&training, zhang);
        recorded.push((training.id, c.rollup.log.size - 1));
    }
    for (id, index) in recorded.into_iter().take(taken_back) {
        let mut void = spare.void(w, B, JAN, 4);
        void.body = void_of(id, index);
        c.append(&void, zhang);
    }
    c
}
