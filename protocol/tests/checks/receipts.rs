//! What a parent answers.

use crate::common::*;

#[test]
fn a_receipt_is_the_parents_for_exactly_these_bytes() {
    let held = WORLD.held(A, JAN);
    let registry = WORLD.registry.registry();
    let parent = registry.unit(&unit(CITY)).unwrap();
    let read = |note: &Note, parent: Option<&Unit>| {
        let parents: Vec<&Unit> = parent.into_iter().collect();
        protocol::verify::answer::read_receipt(note, &held, &parents, registry)
    };
    let honest = WORLD.receipt(A, JAN);
    assert_eq!(
        read(&WORLD.sign_receipt(&honest), Some(parent)).unwrap(),
        honest
    );
    let refused = |change: &dyn Fn(&mut Receipt), part: &str| {
        let mut r = honest.clone();
        change(&mut r);
        let e = read(&WORLD.sign_receipt(&r), Some(parent)).unwrap_err();
        assert!(e.to_string().contains(part), "{e}");
    };
    refused(
        &|r| r.rollup = WORLD.held(A, FEB).digest(),
        "for other bytes",
    );
    refused(&|r| r.revision = 2, "for other bytes");
    refused(&|r| r.period = month(FEB), "for other bytes");
    let by_the_province = |r: &mut Receipt| (r.parent, r.by) = (unit(PROVINCE), PROVINCE.into());
    refused(&by_the_province, "between other units");
    refused(&|r| r.child = unit(B), "between other units");
    let plain = |n: &Note| String::from_utf8(n.as_bytes().to_vec()).unwrap();
    let desk = WORLD.desk(A);
    let size = held.rollup.log.size;
    refused(
        &|r| r.checkpoint = plain(&desk.checkpoint(size)),
        "has not cosigned",
    );
    let by_province =
        add_cosignature(&desk.checkpoint(size), &WORLD.desk(PROVINCE).witness, 5).unwrap();
    refused(&|r| r.checkpoint = plain(&by_province), "has not cosigned");
    let of_less =
        add_cosignature(&desk.checkpoint(size - 1), &WORLD.desk(CITY).witness, 5).unwrap();
    refused(
        &|r| r.checkpoint = plain(&of_less),
        "another checkpoint than the rollup's",
    );
    refused(&|r| r.checkpoint = String::new(), "not a signed note");
    let other = Note::sign(&honest.to_text().unwrap(), &[&WORLD.desk(B).node]).unwrap();
    assert!(
        read(&other, Some(parent))
            .unwrap_err()
            .to_string()
            .contains("not signed by 1403")
    );
    let more = WORLD
        .sign_receipt(&honest)
        .add_signature(&WORLD.desk(B).node)
        .unwrap();
    assert!(
        read(&more, Some(parent))
            .unwrap_err()
            .to_string()
            .contains("cannot be checked")
    );
    assert!(
        read(&WORLD.sign_receipt(&honest), None)
            .unwrap_err()
            .to_string()
            .contains("no parent")
    );
}

#[test]
fn a_receipt_decides_as_its_checks_say() {
    let mut r = WORLD.receipt(A, JAN);
    r.checks = vec![Verdict::fails(Check::Binding, "x")];
    assert!(
        r.to_text()
            .unwrap_err()
            .to_string()
            .contains("cannot be accepted")
    );
    r.checks.clear();
    r.decision = Decision::Rejected;
    assert!(
        r.to_text()
            .unwrap_err()
            .to_string()
            .contains("rejected by a failed check")
    );
    r.decision = Decision::Returned;
    assert!(
        r.to_text()
            .unwrap_err()
            .to_string()
            .contains("needs a reason")
    );
}
