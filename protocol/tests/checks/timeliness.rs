//! Check 5, timeliness: late is noted.

use protocol::evidence::{file, report};

use crate::common::*;

#[test]
fn late_is_noted_and_not_failed() {
    let mut c = case(A, JAN);
    c.received = Some("2026-02-05T16:00:00Z"); // the sixth in China
    let v = c.verdicts().pop().unwrap();
    assert_eq!(
        (v.check.as_str(), v.outcome),
        ("timeliness", Outcome::Noted)
    );
    assert_eq!(v.detail, "late: arrived 2026-02-06, due 2026-02-05");
    c.received = None;
    let v = c.verdicts().pop().unwrap();
    assert!(
        v.outcome == Outcome::Noted && v.detail.contains("not known"),
        "{v:?}"
    );
}

/// What a control of `tests/vectors/refuse` says of when its month came.
fn of_control(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/refuse/");
    let bytes = std::fs::read(format!("{folder}{name}.zip")).unwrap();
    let evidence = file::read(&bytes).unwrap();
    let report = report::verify(&evidence, &WORLD.roots[0].vkey()).unwrap();
    let verdicts = report.units.iter().flat_map(|u| &u.months);
    let mut verdicts = verdicts.flat_map(|m| &m.verdicts);
    let found = verdicts.find(|v| v.check.as_str() == "timeliness");
    found.unwrap().detail.clone()
}

#[test]
fn a_plan_is_its_unit_s_by_id_and_never_by_area_code() {
    let (late, in_time) = ("late: arrived ", "arrived ");
    for name in ["control-plan-not-named", "control-plan-by-id"] {
        let said = of_control(name);
        assert!(
            said.starts_with(late) && said.ends_with("due 2026-02-01"),
            "{said}"
        );
    }
    let said = of_control("control-plan-by-area");
    assert!(
        said.starts_with(in_time) && said.ends_with("due 2026-02-05"),
        "{said}"
    );
}
