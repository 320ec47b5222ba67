//! Check 2, arithmetic: parts add up to what is claimed.

use crate::common::*;

#[test]
fn cells_add_up_to_values() {
    let mut c = case(A, JAN);
    c.figure("I2").own.value = Some(8);
    c.fails(
        "arithmetic",
        "figure I2: the cells of a table do not add up",
    );
    let mut c = case(A, JAN);
    c.figure("I2").own.cells[0][0] = i64::MAX;
    c.fails("arithmetic", "figure I2");
    let mut c = case(A, JAN);
    c.figure("I2").sum = Some(c.rollup.figures[2].own.clone());
    c.fails("arithmetic", "sum although the unit has no children");
}

#[test]
fn a_sum_is_own_and_all_children() {
    let mut c = case(CITY, JAN);
    let f = c.figure("I7");
    let sum = f.sum.as_mut().unwrap();
    sum.value = Some(sum.value.unwrap() + 1);
    c.fails_alone(
        "arithmetic",
        "figure I7 (sum): value is 52 but its parts give 51",
    );
    // A table whose cells and value agree with each other, but not with the children.
    let mut c = case(CITY, JAN);
    let sum = c.figure("I4").sum.as_mut().unwrap();
    sum.cells[0] = vec![0, 1];
    c.fails_alone(
        "arithmetic",
        "figure I4 (sum): table kind cell workshop is 0 but its parts give 1",
    );
    let mut c = case(CITY, JAN);
    c.figure("I6").sum.as_mut().unwrap().den = Some(1);
    c.fails_alone("arithmetic", "den is 1 but its parts give 2");
    let mut c = case(CITY, JAN);
    c.figure("I2").sum = None;
    c.fails(
        "arithmetic",
        "`sum` is there exactly where there are children",
    );
    // A declared part stays declared on the way up.
    let mut c = case(CITY, JAN);
    c.figure("I2").basis = protocol::figure::Basis::Proven;
    c.fails_alone("arithmetic", "figure I2 is called proven but is declared");
    let mut c = case(CITY, JAN);
    c.figure("I2").sum.as_mut().unwrap().declared = 0;
    c.fails_alone("arithmetic", "declared part is 0 but its parts give 5");
}

#[test]
fn every_child_is_used_or_named_as_missing() {
    let desk = WORLD.desk(CITY);
    let with = |children: &[&str], missing: &[&str]| {
        let mut c = case(CITY, JAN);
        let used: Vec<_> = children.iter().map(|id| WORLD.held(id, JAN)).collect();
        let missing = missing
            .iter()
            .map(|m| Missing {
                unit: unit(m),
                reason: "未报".into(),
            })
            .collect();
        let mut honest = desk.rollup(JAN, 1, &WORLD.registry, &used, missing);
        honest.log = c.rollup.log.clone();
        c.rollup = honest;
        c
    };
    with(&[A, B], &[]).holds();
    let absent = with(&[A], &[B]);
    absent.holds();
    // A coverage over counties counts the absent one as not covered.
    assert_eq!(absent.rollup.figure("I6").unwrap().scope().den, Some(2));
    with(&[A], &[]).fails_alone(
        "arithmetic",
        "child 140311 Unit 140311 is neither used nor named as missing",
    );
    with(&[A, B, PROVINCE], &[]).fails_alone("arithmetic", "14 is not a child of 1403");
    with(&[A, B], &[PROVINCE]).fails_alone("arithmetic", "14 is not a child of 1403");
    let mut twice = with(&[A], &[B]).rollup;
    twice.missing[0].unit = unit(A);
    assert!(
        twice
            .to_text()
            .unwrap_err()
            .to_string()
            .contains("named twice")
    );
    // The grandchild cannot be taken for a child, nor a child's other month for this one.
    let mut c = case(PROVINCE, JAN);
    let a = WORLD.held(A, JAN);
    c.rollup.children.push(ChildRef {
        unit: a.rollup.unit.clone(),
        rollup: a.digest(),
        revision: 1,
    });
    c.fails_alone("arithmetic", "140321 is not a child of 14");
    let mut c = case(CITY, JAN);
    c.rollup.children[0].rollup = WORLD.held(A, FEB).digest();
    c.fails_alone("arithmetic", "of another unit, month or revision");
    c.rollup.children[0].rollup = WORLD.held(B, JAN).digest();
    c.fails_alone("arithmetic", "of another unit, month or revision");
    c.rollup.children[0].rollup = Digest::of(b"unknown");
    c.fails_alone("arithmetic", "is not known here");
}
