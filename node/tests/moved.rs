//! A county is put under another parent, another is merged away: months go on on all tiers, nobody
//! waits for who is gone, and evidence from before holds under the newest registry.
#![allow(missing_docs, clippy::unwrap_used)]

use kit::on_disk::*;
use kit::{known, place};
use node::desk::close::{self, CloseRequest};
use node::{queries, review};
use protocol::evidence::{file, report};
use protocol::receipt::Decision;
use protocol::rollup::Rollup;

/// County A goes from the city to the province with February; county B ends with January, and A
/// carries on what it did.
fn reorganized() -> World {
    let mut w = World::empty();
    let now = at("2026-01-20");
    w.desk(A).register(&[id_no(1), id_no(2)], "2026-01-03", now);
    w.desk(B).register(&[id_no(8)], "2026-01-03", now);
    w.report_all(JAN, after(JAN));
    w.publish_registry(FEB, |r| {
        place(r, A, FEB, PROVINCE);
        known(r, B).end(Some(month(JAN)), vec![unit(A)]);
    });
    w
}

/// A month of county A, of the city and of the province as they stand now.
fn report_without_b(w: &mut World, period: &str) {
    let now = after(period);
    w.desk(A).finish(period, now);
    w.send(A, &[CITY, PROVINCE], now);
    w.decide(PROVINCE, A, period, Decision::Accepted, now);
    // The city has nobody below it any more: it names nobody missing, and is not asked to.
    assert!(close::waiting_for(w.desk(CITY).read(), month(period)).is_empty());
    w.desk(CITY).finish(period, now);
    w.send(CITY, &[PROVINCE], now);
    w.decide(PROVINCE, CITY, period, Decision::Accepted, now);
    w.desk(PROVINCE).finish(period, now);
}

fn last_rollup(w: &mut World, id: &str, period: &str) -> Rollup {
    let books = w.desk(id).read();
    let own = node::desk::sign::latest(books, month(period)).unwrap();
    own.held().rollup.clone()
}

#[test]
fn months_go_on_after_a_move_and_a_merger() {
    let mut w = reorganized();
    w.desk(A)
        .register(&[id_no(3)], "2026-02-03", at("2026-02-10"));
    report_without_b(&mut w, FEB);
    report_without_b(&mut w, MAR);
    let children = |r: Rollup| -> Vec<String> {
        assert!(r.missing.is_empty());
        r.children.iter().map(|c| c.unit.to_string()).collect()
    };
    assert_eq!(children(last_rollup(&mut w, CITY, JAN)), [B, A]);
    assert_eq!(children(last_rollup(&mut w, PROVINCE, JAN)), [CITY]);
    for period in [FEB, MAR] {
        assert!(children(last_rollup(&mut w, CITY, period)).is_empty());
        assert_eq!(children(last_rollup(&mut w, PROVINCE, period)), [CITY, A]);
    }
    // Evidence of before and after, from the province and from the city that the county has left.
    for id in [PROVINCE, CITY, A, B] {
        let zip = w.desk(id).evidence();
        let evidence = file::read(&zip).unwrap();
        let found = report::verify(&evidence, &w.root.vkey()).unwrap();
        let failures: Vec<_> = found.failures().collect();
        assert!(failures.is_empty(), "{id}: {failures:?}");
    }
}

#[test]
fn a_unit_that_has_ended_records_and_closes_no_more() {
    let mut w = reorganized();
    let signatories = w.desk(B).signatories();
    let now = after(FEB);
    let request = CloseRequest::default();
    let mut close = |period: &str, now| {
        let books = w.desk(B).books();
        close::close(books, month(period), &request, signatories.clone(), now)
    };
    // Neither is it told to wait for the month's end, nor to close another month first.
    for (period, now) in [(FEB, now), (FEB, at("2026-02-10")), (MAR, now)] {
        let fault = close(period, now).unwrap_err().0.remove(0);
        assert_eq!(fault.code, "node.ended");
        assert!(fault.en.ends_with("; 140321 carries on"), "{fault}");
    }
    let status = queries::status::status(w.desk(B).read(), None, vec![], now).unwrap();
    assert_eq!((status.open, status.waiting.len()), (month(JAN), 0));
    assert_eq!((status.until, status.ended), (Some(month(JAN)), true));
    // Its last month stays where it is, and can be opened again by the parent of then.
    w.decide(CITY, B, JAN, Decision::Reopened, now);
    let status = queries::status::status(w.desk(B).read(), None, vec![], now).unwrap();
    assert!(!status.ended, "its last month is open again");
    w.desk(B).train(1, "2026-01-12", now);
    w.desk(B).finish(JAN, now);
    w.send(B, &[CITY, PROVINCE], now);
    w.decide(CITY, B, JAN, Decision::Accepted, now);
}

#[test]
fn the_parent_of_the_month_decides() {
    let mut w = reorganized();
    let now = after(FEB);
    w.desk(A).finish(FEB, now);
    w.send(A, &[CITY, PROVINCE], now);
    for id in [CITY, PROVINCE] {
        review::check_all(w.desk(id).books(), false, now).unwrap();
    }
    let mut by = |parent: &str, period: &str| {
        let ruling = review::Ruling::new(Decision::Reopened, parent).because("look again");
        let books = w.desk(parent).books();
        review::decide(books, &unit(A), month(period), ruling, now)
    };
    // Who decides is named: whoever asks knows where to turn.
    for (asked, period, parent) in [(CITY, FEB, PROVINCE), (PROVINCE, JAN, CITY)] {
        let fault = by(asked, period).unwrap_err().0.remove(0);
        assert_eq!(fault.code, "review.unit");
        let zh = format!("该月由 {parent} 审核");
        assert!(fault.zh.ends_with(&zh), "{fault}");
        let en = format!("{parent} decides on that month");
        assert!(fault.en.ends_with(&en), "{fault}");
    }
    assert!(by(CITY, JAN).is_ok());
}

/// Where county A's month stands at a unit: who its parent of then is, and whether it is open work.
fn standing_at(w: &World, at: &str, period: &str) -> (String, bool) {
    let list = queries::children::children(w.desks[at].read());
    let report =
        |c: &&queries::children::ChildMonth| c.unit == unit(A) && c.period == month(period);
    let report = list.iter().find(report).unwrap();
    (report.parent.as_ref().unwrap().to_string(), report.open)
}

#[test]
fn a_month_is_open_work_only_at_the_parent_of_that_month() {
    let mut w = World::empty();
    let now = after(FEB);
    w.desk(A).finish(JAN, after(JAN));
    w.publish_registry(FEB, |r| place(r, A, FEB, PROVINCE));
    w.desk(A).finish(FEB, now);
    w.send(A, &[CITY, PROVINCE], now);
    for id in [CITY, PROVINCE] {
        review::check_all(w.desk(id).books(), false, now).unwrap();
    }
    assert_eq!(standing_at(&w, CITY, JAN), (CITY.into(), true));
    assert_eq!(standing_at(&w, CITY, FEB), (PROVINCE.into(), false));
    assert_eq!(standing_at(&w, PROVINCE, JAN), (CITY.into(), false));
    assert_eq!(standing_at(&w, PROVINCE, FEB), (PROVINCE.into(), true));
    w.decide(CITY, A, JAN, Decision::Accepted, now);
    w.decide(PROVINCE, A, FEB, Decision::Accepted, now);
    for (id, period) in [(CITY, JAN), (PROVINCE, JAN), (PROVINCE, FEB)] {
        assert!(!standing_at(&w, id, period).1, "{id} {period}");
    }
}

/// The city's witness key is replaced on February 4th: what it accepts before is cosigned by the old
/// one, what it accepts later by the new one, and both hold.
#[test]
fn a_replaced_witness_key_cosigns_from_its_moment_on() {
    let mut w = World::empty();
    let (before, after_it) = (at("2026-02-03"), at("2026-02-05"));
    let name = format!("{CITY}/witness");
    let new = kit::key(&name, protocol::note::Alg::CosignatureV1, 60);
    w.publish_registry(FEB, |r| {
        known(r, CITY).replace_witness(new.vkey(), at("2026-02-04"));
    });
    w.report(A, JAN, before);
    w.desk(B).finish(JAN, after_it);
    w.send(B, &[CITY, PROVINCE], after_it);
    review::check_all(w.desk(CITY).books(), false, after_it).unwrap();
    let accept = |w: &mut World| {
        let ruling = review::Ruling::new(Decision::Accepted, &format!("{CITY}/tongji"));
        let books = w.desk(CITY).books();
        review::decide(books, &unit(B), month(JAN), ruling, after_it)
    };
    // Nobody would take its receipt by the old key any more.
    assert_eq!(code_of(accept(&mut w)), "review.witness");
    let file = w.desk(CITY).home.join("keys/witness-next.key");
    std::fs::write(&file, new.encode().as_str()).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&file, mode).unwrap();
    // The node runs on: the file is found when it is needed.
    let receipt = accept(&mut w).unwrap();
    let books = w.desk(B).books();
    node::desk::receipt::take_receipt(books, receipt[0].as_bytes()).unwrap();
    assert_eq!(w.desk(B).decision(JAN), Some(Decision::Accepted));
    for id in [A, B] {
        let evidence = file::read(&w.desk(id).evidence()).unwrap();
        let found = report::verify(&evidence, &w.root.vkey()).unwrap();
        let failures: Vec<_> = found.failures().collect();
        assert!(failures.is_empty(), "{id}: {failures:?}");
        assert_eq!(found.units[0].months[0].decision, Some(Decision::Accepted));
    }
}

/// The city returned January, got the second revision and accepted it. Then the roots say that the
/// county was the province's in January already: the province gets both, and did not ask for the
/// second.
#[test]
fn a_revision_that_the_former_parent_asked_for_is_taken() {
    let mut w = World::empty();
    w.desk(A)
        .register(&[id_no(1)], "2026-01-03", at("2026-01-20"));
    w.desk(A).finish(JAN, after(JAN));
    w.send(A, &[CITY], after(JAN));
    w.decide(CITY, A, JAN, Decision::Returned, after(JAN));
    w.desk(A).register(&[id_no(2)], "2026-01-04", after(JAN));
    w.desk(A).finish(JAN, after(JAN));
    w.send(A, &[CITY], after(JAN));
    w.decide(CITY, A, JAN, Decision::Accepted, after(JAN));
    w.publish_registry(JAN, |r| place(r, A, JAN, PROVINCE));
    w.send(A, &[PROVINCE], after(JAN));
    review::check_all(w.desk(PROVINCE).books(), true, after(JAN)).unwrap();
    let child = &w.desks[PROVINCE].read().children()[&unit(A)];
    let accepted = child.accepted(month(JAN)).map(|held| held.rollup.revision);
    assert_eq!(accepted, Some(2));
}

/// Three months are known above when the roots say that the county was the province's from the
/// second on. The province has read its log to the end, and checks and answers them all the same.
#[test]
fn months_that_were_checked_already_are_answered_by_a_new_parent() {
    let mut w = World::empty();
    for period in [JAN, FEB, MAR] {
        let day = month(period).last_day().to_string();
        w.desk(A).train(1, &day, after(period));
        w.report_all(period, after(period));
    }
    w.publish_registry(FEB, |r| place(r, A, FEB, PROVINCE));
    review::check_all(w.desk(PROVINCE).books(), true, after(MAR)).unwrap();
    w.desk(A).train(1, "2026-04-10", at("2026-04-20"));
    w.desk(A).finish("2026-04", after("2026-04"));
    w.send(A, &[PROVINCE], after("2026-04"));
    review::check_all(w.desk(PROVINCE).books(), true, after("2026-04")).unwrap();
    let child = &w.desks[PROVINCE].read().children()[&unit(A)];
    for period in [FEB, MAR, "2026-04"] {
        assert!(child.accepted(month(period)).is_some(), "{period}");
    }
}
