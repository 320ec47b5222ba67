//! Check 5, timeliness: late is noted.

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
