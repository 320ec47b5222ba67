//! Arithmetic: totals that are not the sum of own and children, children left out or counted twice.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    totals(b, w);
    presence(b, w);
    children(b, w);
    registry_versions(b, w);
    other_rollups(b, w);
}

/// The city's January made from these children.
fn city_of<'w>(w: &'w World, children: &[&str], missing: &[&str]) -> Case<'w> {
    let mut c = Case::of(w, CITY, JAN);
    let used: Vec<_> = children.iter().map(|id| w.held(id, JAN)).collect();
    let city = w.desk(CITY);
    c.rollup = city.rollup(JAN, 1, &w.registry, &used, absent(missing));
    c
}

fn totals(b: &mut Book, w: &World) {
    let mut c = Case::of(w, CITY, JAN);
    let sum = c.figure("I7").sum.as_mut().unwrap();
    sum.value = Some(sum.value.unwrap() + 1);
    b.case(
        "sum-off-by-one",
        "a city's total is one more than own and children",
        ARITHMETIC,
        "figure I7 (sum): value is 52 but its parts give 51",
        &c,
    );
    let mut c = Case::of(w, CITY, JAN);
    c.figure("I4").sum.as_mut().unwrap().cells[0] = vec![0, 1];
    b.case(
        "sum-cell-moved",
        "a count is moved between the cells of a city's total",
        ARITHMETIC,
        "figure I4 (sum): table kind cell workshop is 0 but its parts give 1",
        &c,
    );
    let mut c = Case::of(w, CITY, JAN);
    c.figure("I4").sum.as_mut().unwrap().cells[0] = vec![1, 1];
    b.case(
        "sum-cells",
        "the cells of a city's total do not add up to its value",
        ARITHMETIC,
        "figure I4: the cells of a table do not add up",
        &c,
    );
    let mut c = Case::of(w, CITY, JAN);
    c.figure("I6").sum.as_mut().unwrap().den = Some(1);
    b.case(
        "sum-denominator",
        "a coverage's denominator leaves one county out",
        ARITHMETIC,
        "den is 1 but its parts give 2",
        &c,
    );
    let mut c = Case::of(w, CITY, JAN);
    c.figure("I2").sum.as_mut().unwrap().declared = 0;
    b.case(
        "sum-declared",
        "a declared part is lost on the way up",
        ARITHMETIC,
        "declared part is 0 but its parts give 5",
        &c,
    );
    let mut c = Case::of(w, CITY, JAN);
    c.figure("I2").basis = Basis::Proven;
    b.case(
        "sum-basis",
        "a sum with a declared part is called proven",
        ARITHMETIC,
        "figure I2 is called proven but is declared",
        &c,
    );
}

fn presence(b: &mut Book, w: &World) {
    let mut c = Case::of(w, CITY, JAN);
    c.figure("I7").sum = None;
    b.case(
        "sum-absent",
        "one figure has no sum although the unit has children",
        ARITHMETIC,
        "`sum` is there exactly where there are children",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    let own = c.figure("I7").own.clone();
    c.figure("I7").sum = Some(own);
    b.case(
        "sum-without-children",
        "a county, which has no children, has a sum",
        ARITHMETIC,
        "sum although the unit has no children",
        &c,
    );
    let mut c = Case::of(w, A, JAN);
    c.figure("I4").own.cells[0] = vec![0, 0];
    b.case(
        "cells-do-not-add-up",
        "the cells of a county's figure do not add up to its value",
        ARITHMETIC,
        "figure I4: the cells of a table do not add up",
        &c,
    )
    .also(&[BINDING]);
}

fn children(b: &mut Book, w: &World) {
    b.case(
        "child-left-out",
        "a child is left out and not named as missing; the totals agree with that",
        ARITHMETIC,
        "child 140311 Unit 140311 is neither used nor named as missing",
        &city_of(w, &[A], &[]),
    );
    // The province names its city as missing, so that its own rollup does not depend on the city's.
    let province =
        w.desk(PROVINCE).sign(
            &w.desk(PROVINCE)
                .rollup(JAN, 1, &w.registry, &[], absent(&[CITY])),
        );
    let mut c = Case::of(w, CITY, JAN);
    c.rollup = w.desk(CITY).rollup(
        JAN,
        1,
        &w.registry,
        &[w.held(A, JAN), w.held(B, JAN), province.clone()],
        vec![],
    );
    let mut e = evidence_of(&c);
    e.units
        .insert(unit(PROVINCE), honest_part(w, PROVINCE, JAN));
    on(&mut e, PROVINCE)
        .rollups
        .insert((month(JAN), 1), province.note.clone());
    b.evidence(
        "child-stranger",
        "a unit that is no child is used as one, and added",
        ARITHMETIC,
        "14 is not a child of 1403",
        &e,
    );
    b.case(
        "missing-stranger",
        "a unit that is no child is named as missing",
        ARITHMETIC,
        "14 is not a child of 1403",
        &city_of(w, &[A, B], &[PROVINCE]),
    );
    let mut c = Case::of(w, PROVINCE, JAN);
    c.rollup = w
        .desk(PROVINCE)
        .rollup(JAN, 1, &w.registry, &[w.held(A, JAN)], absent(&[CITY]));
    let mut e = evidence_of(&c);
    e.units.remove(&unit(CITY));
    e.units.insert(unit(A), honest_part(w, A, JAN));
    b.evidence(
        "child-grandchild",
        "a province adds a county itself, past the city, which it names as missing",
        ARITHMETIC,
        "140321 is not a child of 14",
        &e,
    );
}

fn registry_versions(b: &mut Book, w: &World) {
    // The city counts by version 1; the province by version 2, in which a county has moved, or is
    // new.
    let province_by = |change: &dyn Fn(&mut Registry), used: &[&str]| {
        let note = second_registry(w, change);
        let newer = w.registry.next(&note).unwrap();
        let used: Vec<_> = used.iter().map(|id| w.held(id, JAN)).collect();
        let province =
            w.desk(PROVINCE)
                .sign(&w.desk(PROVINCE).rollup(JAN, 1, &newer, &used, vec![]));
        let mut e = honest_file(w, &[PROVINCE, CITY, A, B], JAN);
        e.registries.push(note);
        on(&mut e, PROVINCE)
            .rollups
            .insert((month(JAN), 1), province.note.clone());
        e
    };
    let moves = |r: &mut Registry| {
        r.from = Some(month(JAN));
        place(r, B, JAN, PROVINCE);
    };
    let mut e = province_by(&moves, &[B, CITY]);
    // What the city said of it is no word of its parent any more.
    on(&mut e, B).receipts.clear();
    on(&mut e, B).checkpoints = w.desk(B).checkpoints.clone();
    b.evidence(
        "child-counted-twice",
        "a county that has moved from the city to the province is counted by both",
        ARITHMETIC,
        "child 1403 counted by registry version 1: 140311 stands below it there or in version 2",
        &e,
    );
    let adds = |r: &mut Registry| {
        r.from = Some(month(JAN));
        r.units.push(county("140322", JAN));
    };
    b.evidence(
        "child-left-out-by-version",
        "a county is new in version 2; the city names version 1 and says nothing of it",
        ARITHMETIC,
        "child 1403 counted by registry version 1: 140322 stands below it there or in version 2",
        &province_by(&adds, &[CITY]),
    );
}

fn other_rollups(b: &mut Book, w: &World) {
    let mut c = Case::of(w, CITY, JAN);
    c.rollup.children[0].rollup = w.held(B, JAN).digest();
    b.case(
        "child-other-rollup",
        "a child is named with another child's rollup",
        ARITHMETIC,
        "of another unit, month or revision",
        &c,
    );
    let mut c = Case::of(w, CITY, JAN);
    c.rollup.children[0].revision = 2;
    b.case(
        "child-other-revision",
        "a child is named with another revision than its rollup's",
        ARITHMETIC,
        "of another unit, month or revision",
        &c,
    );
    let mut e = honest_file(w, &[CITY, A, B], JAN);
    e.units.remove(&unit(B));
    b.evidence(
        "child-withheld",
        "a child's part is not in the file",
        ARITHMETIC,
        "of child 140311 is not known here",
        &e,
    );
}
