//! Honest files of the same making as what is refused: they hold.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World, town: &World) {
    let zip = |e: &Evidence| file::write(e).unwrap();
    b.control(
        "control-county-month.zip",
        "one county, one month",
        zip(&honest_file(w, &[B], JAN)),
    );
    b.control(
        "control-county-void.zip",
        "one county, one month with a void",
        zip(&honest_file(w, &[A], JAN)),
    );
    b.control(
        "control-county-months.zip",
        "one county, two months",
        zip(&honest_file(w, &[B], FEB)),
    );
    b.control(
        "control-city.zip",
        "a city and its two counties",
        zip(&honest_file(town, &[CITY, A, B], JAN)),
    );
    let mut missing = Case::of(town, CITY, JAN);
    missing.rollup =
        town.desk(CITY)
            .rollup(JAN, 1, &town.registry, &[town.held(A, JAN)], absent(&[B]));
    let mut e = evidence_of(&missing);
    e.units.remove(&unit(B));
    b.control(
        "control-city-missing.zip",
        "a city that names one of its counties as missing",
        zip(&e),
    );
    let mut two = honest_file(w, &[B], JAN);
    two.registries.push(second_registry(w, |_| {}));
    b.control(
        "control-registry.zip",
        "a chain of two registry versions",
        zip(&two),
    );
    let mut rotated = honest_file(w, &[B], JAN);
    rotated
        .registries
        .push(revocation(w, w.held(B, JAN).rollup.log.size));
    b.control(
        "control-rotated-key.zip",
        "a node key revoked right behind its last act",
        zip(&rotated),
    );
    let (_, reopened) = reopened();
    b.control(
        "control-revision.zip",
        "a month opened again, and the next month built on its second revision",
        zip(&reopened),
    );
    b.control(
        "control-disclosure.json",
        "two fields and the row of one event",
        serde_json::to_vec_pretty(&disclosure(w)).unwrap(),
    );
}
