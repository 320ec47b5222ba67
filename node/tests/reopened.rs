//! A month that its parent opens again, after later months have taken something of it back.
#![allow(missing_docs, clippy::unwrap_used)]

use kit::on_disk::*;
use protocol::evidence::{file, report};
use protocol::receipt::Decision;

fn assert_holds(w: &mut World, id: &str) {
    let zip = w.desk(id).evidence();
    let found = report::verify(&file::read(&zip).unwrap(), &[w.root.vkey()]).unwrap();
    let failures: Vec<_> = found.failures().collect();
    assert!(failures.is_empty(), "{id}: {failures:?}");
}

/// The void is of February: January is counted as it stood, by the county and by whoever checks it.
#[test]
fn a_void_of_a_later_month_does_not_change_it() {
    let mut w = World::empty();
    let now = at("2026-01-20");
    let county = w.desk(B);
    let opened = county.csv("E04", "ref,kind,occurred_on\nc1,workshop,2026-01-09\n", now)[0];
    county.csv("E05", "ref,occurred_on\nc1,2026-01-20\n", now);
    w.report(B, JAN, after(JAN));
    w.desk(B).void(opened, at("2026-02-20")).unwrap();
    w.report(B, FEB, after(FEB));
    let before = w.desk(B).figure(JAN, "I4");

    w.decide(CITY, B, JAN, Decision::Reopened, after(FEB));
    w.desk(B).finish(JAN, after(FEB));
    assert_eq!(w.desk(B).figure(JAN, "I4"), before);
    assert_holds(&mut w, B);
    w.send(B, &[CITY], after(FEB));
    w.decide(CITY, B, JAN, Decision::Accepted, after(FEB));

    w.desk(B).train(2, "2026-03-10", at("2026-03-20"));
    w.report(B, MAR, after(MAR));
    assert_eq!(w.desk(B).figure(MAR, "I4").0, 0);
    assert_holds(&mut w, B);
}
