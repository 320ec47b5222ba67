//! Honest rollups hold: the control of all that is refused here.

use crate::common::*;

#[test]
fn honest_rollups_hold() {
    for id in [A, B, CITY, PROVINCE] {
        case(id, JAN).holds();
        let mut february = case(id, FEB);
        february.received = Some("2026-02-05T15:59:59Z"); // the last second of the fifth in China
        february.holds();
    }
    let a = case(A, FEB).rollup;
    // Person 1 left, person 2 was hired again after the void, person 3 stayed; five women were
    // declared.
    assert_eq!(a.figure("I2").unwrap().own.value, Some(7));
    assert_eq!(a.figure("I2").unwrap().own.declared, 5);
    assert_eq!(
        a.figure("I2").unwrap().basis,
        protocol::figure::Basis::Declared
    );
    assert_eq!(a.figure("I1").unwrap().own.value, Some(1));
    let p = case(PROVINCE, JAN).rollup;
    assert_eq!(p.figure("I7").unwrap().scope().value, Some(51));
    assert_eq!(p.figure("I3").unwrap().scope().value, Some(900_012));
    assert_eq!(
        (
            p.figure("I6").unwrap().scope().num,
            p.figure("I6").unwrap().scope().den
        ),
        (Some(1), Some(2))
    );
}
