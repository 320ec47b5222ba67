//! A month that its parent opens again, after later months have been closed over it: what is put right
//! counts in it, and the later months follow.
#![allow(missing_docs, clippy::unwrap_used)]

use kit::on_disk::*;
use node::desk::close::CloseRequest;
use node::desk::record::Taking;
use node::desk::{asked_for, sign};
use node::review::Ruling;
use protocol::evidence::{file, report};
use protocol::receipt::Decision;

fn assert_holds(w: &mut World, id: &str) {
    let zip = w.desk(id).evidence();
    let found = report::verify(&file::read(&zip).unwrap(), &[w.root.vkey()]).unwrap();
    let failures: Vec<_> = found.failures().collect();
    assert!(failures.is_empty(), "{id}: {failures:?}");
}

/// Why the county may not close a month.
#[track_caller]
fn refused(w: &mut World, period: &str) -> String {
    let now = after(MAR);
    let none = CloseRequest::default();
    code_of(w.desk(B).try_close(period, &none, now))
}

/// The city's word with nothing added.
fn word(w: &mut World, period: &str, ruling: Ruling) -> Result<(), String> {
    let ruled = w.rule(CITY, B, period, ruling, after(MAR));
    ruled.map_err(|faults| faults.0[0].code.to_string())
}

fn reopening() -> Ruling {
    Ruling::new(Decision::Reopened, "1403/tongji").because("two are missing")
}

/// The city takes and accepts the county's last revision of a month.
#[track_caller]
fn accept(w: &mut World, period: &str) {
    w.send(B, &[CITY], after(MAR));
    w.decide(CITY, B, period, Decision::Accepted, after(MAR));
}

/// January and February are accepted. Of the two who were hired in January one leaves in February.
fn two_accepted() -> (World, [u64; 2]) {
    let mut w = World::empty();
    let county = w.desk(B);
    let now = at("2026-01-20");
    county.register(&[id_no(1), id_no(2), id_no(3)], "2026-01-03", now);
    let hired = [1, 2].map(|n| county.hire(&id_no(n), "甲", "2026-01-05", now));
    w.report(B, JAN, after(JAN));
    w.desk(B)
        .leave(&id_no(2), "甲", "2026-02-06", at("2026-02-10"));
    w.report(B, FEB, after(FEB));
    assert_eq!(stocks(&w), [2, 1]);
    (w, hired)
}

/// How many are employed at the end of January and February.
fn stocks(w: &World) -> [i64; 2] {
    [JAN, FEB].map(|period| w.desks[B].figure(period, "I2").0)
}

#[test]
fn what_is_put_right_in_an_older_month_counts_there_and_the_later_ones_follow() {
    let (mut w, [first, second]) = two_accepted();
    // Events of March are there already.
    w.desk(B).train(4, "2026-03-02", at("2026-03-03"));
    assert_eq!(word(&mut w, JAN, reopening()), Err("review.later".into()));
    word(&mut w, JAN, reopening().with_later()).unwrap();
    let county = w.desk(B);
    assert_eq!(county.open_month(), JAN);
    assert_eq!(asked_for(county.read()), [month(JAN), month(FEB)]);
    // One was never hired; of the other the wage was wrong; and one was forgotten.
    let now = at("2026-03-03");
    county.void(first, now).unwrap();
    let line = format!(
        r#"{{"id_no":"{}","employer":"甲","wage":400000,"occurred_on":"2026-01-05"}}"#,
        id_no(2)
    );
    county.correct(second, "E02", &line, now).unwrap();
    county.hire(&id_no(3), "乙", "2026-01-08", now);
    county.train(9, "2026-01-09", now);
    assert_eq!(refused(&mut w, FEB), "close.order");
    let county = w.desk(B);
    county.finish(JAN, after(MAR));
    assert_eq!(county.figure(JAN, "I7").0, 9);
    assert_eq!(county.figure(JAN, "I3").0, 700_000);
    assert_eq!(county.figure(JAN, "I10").0, 2);
    assert_eq!(
        stocks(&w),
        [2, 1],
        "one out, one in; February still follows the first"
    );
    accept(&mut w, JAN);
    assert_eq!(w.desks[B].open_month(), FEB);
    w.desk(B).finish(FEB, after(MAR));
    assert_eq!(stocks(&w), [2, 1], "the second has left, the third stays");
    accept(&mut w, FEB);
    let county = w.desk(B);
    assert_eq!(county.open_month(), MAR);
    county.finish(MAR, after(MAR));
    assert_eq!(
        (county.figure(MAR, "I2").0, county.figure(MAR, "I7").0),
        (1, 4)
    );
    accept(&mut w, MAR);
    assert_holds(&mut w, B);
    let revisions: Vec<_> = w.desks[B].read().rollups().keys().copied().collect();
    let expected = [(JAN, 1), (JAN, 2), (FEB, 1), (FEB, 2), (MAR, 1)];
    assert_eq!(revisions, expected.map(|(m, n)| (month(m), n)));
}

/// The hire is taken back under the leaving that a later month counts: February is recounted.
#[test]
fn a_later_month_is_recounted_when_it_is_closed_again() {
    let (mut w, [_, second]) = two_accepted();
    word(&mut w, JAN, reopening().with_later()).unwrap();
    w.desk(B).void(second, at("2026-03-03")).unwrap();
    for period in [JAN, FEB] {
        w.desk(B).finish(period, after(MAR));
        accept(&mut w, period);
    }
    assert_eq!(stocks(&w), [1, 1], "who was never hired does not leave");
    w.desk(B).finish(MAR, after(MAR));
    assert_eq!(w.desks[B].figure(MAR, "I2").0, 1);
    assert_holds(&mut w, B);
}

#[test]
fn a_revision_that_says_the_same_is_not_made_and_the_parent_takes_its_word_back() {
    let (mut w, _) = two_accepted();
    word(&mut w, JAN, reopening().with_later()).unwrap();
    let leaves = w.desks[B].leaves();
    assert_eq!(refused(&mut w, JAN), "close.unchanged");
    let county = &w.desks[B];
    assert_eq!(
        (county.leaves(), county.read().rollups().len()),
        (leaves, 2)
    );
    // The parent has to say that it means it.
    let accepted = || Ruling::new(Decision::Accepted, "1403/tongji");
    assert_eq!(word(&mut w, JAN, accepted()), Err("review.state".into()));
    let unchanged = Ruling {
        unchanged: true,
        ..accepted()
    };
    word(&mut w, JAN, unchanged.clone().with_later()).unwrap();
    assert_eq!(w.desks[B].decision(JAN), Some(Decision::Accepted));
    assert_eq!(w.desks[B].decision(FEB), Some(Decision::Accepted));
    assert_eq!(w.desks[B].open_month(), MAR);
    w.desk(B).reopen();
    assert_eq!(w.desks[B].open_month(), MAR);
    assert_eq!(word(&mut w, JAN, unchanged), Err("review.state".into()));
    w.desk(B).finish(MAR, after(MAR));
    accept(&mut w, MAR);
    assert_holds(&mut w, B);
    // The control: it can be opened once more, and be put right.
    word(&mut w, MAR, reopening()).unwrap();
    w.desk(B).train(1, "2026-03-09", after(MAR));
    w.desk(B).finish(MAR, after(MAR));
    accept(&mut w, MAR);
    assert_holds(&mut w, B);
}

#[test]
fn who_decides_twice_is_told_the_state_since_when_and_by_whom() {
    let mut w = World::empty();
    w.desk(B).train(2, "2026-01-10", at("2026-01-20"));
    w.desk(B).finish(JAN, after(JAN));
    w.send(B, &[CITY], after(JAN));
    w.decide(CITY, B, JAN, Decision::Returned, after(JAN));
    let accepted = Ruling::new(Decision::Accepted, "1403/tongji");
    let fault = w
        .rule(CITY, B, JAN, accepted, after(JAN))
        .unwrap_err()
        .0
        .remove(0);
    for word in [
        "2026-01",
        "1403/tongji",
        "please look again",
        "2026-02-03 12:00",
    ] {
        assert!(
            fault.zh.contains(word) && fault.en.contains(word),
            "{fault}"
        );
    }
    assert!(
        fault.zh.contains("退回") && fault.en.contains("returned"),
        "{fault}"
    );
}

/// A report that was on its way when the month before it was opened again.
#[test]
fn what_was_closed_over_an_open_month_is_not_accepted() {
    let mut w = World::empty();
    w.desk(B).train(2, "2026-01-10", at("2026-01-20"));
    w.report(B, JAN, after(JAN));
    w.desk(B).finish(FEB, after(FEB));
    w.decide(CITY, B, JAN, Decision::Reopened, after(FEB));
    w.send(B, &[CITY], after(FEB));
    node::review::check_all(w.desk(CITY).books(), true, after(FEB)).unwrap();
    let accepted = || Ruling::new(Decision::Accepted, "1403/tongji");
    assert_eq!(word(&mut w, FEB, accepted()), Err("review.earlier".into()));
    w.desk(B).train(1, "2026-01-11", after(FEB));
    w.desk(B).finish(JAN, after(FEB));
    accept(&mut w, JAN);
    assert_eq!(word(&mut w, FEB, accepted()), Err("review.earlier".into()));
    w.decide(CITY, B, FEB, Decision::Returned, after(FEB));
    w.desk(B).finish(FEB, after(FEB));
    accept(&mut w, FEB);
    assert_holds(&mut w, B);
}

/// A parent whose program opens a month alone: what was closed over the old stocks is named.
#[test]
fn no_month_is_closed_over_stocks_that_were_put_right() {
    let (mut w, [first, _]) = two_accepted();
    let receipt = {
        let january = sign::latest(w.desks[B].read(), month(JAN)).unwrap();
        let mut receipt = january.receipts().last().unwrap().0.clone();
        receipt.decision = Decision::Reopened;
        receipt.reasons = vec!["one is wrong".into()];
        receipt.decided = "2026-03-02T01:00:00Z".into();
        let text = receipt.to_text().unwrap();
        protocol::note::Note::sign(&text, &[&kit::node_key(CITY)]).unwrap()
    };
    let books = w.desk(B).books();
    node::desk::receipt::take_receipt(books, receipt.as_bytes()).unwrap();
    w.desk(B).void(first, at("2026-03-03")).unwrap();
    w.desk(B).finish(JAN, after(MAR));
    let none = CloseRequest::default();
    let refused = w.desk(B).try_close(MAR, &none, after(MAR)).unwrap_err();
    assert_eq!(refused.0[0].code, "close.behind");
    assert!(
        refused.0[0].zh.contains(FEB) && refused.0[0].en.contains(FEB),
        "{refused}"
    );
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
    let all = Taking {
        with_resting: true,
        ..Taking::default()
    };
    let county = w.desk(B);
    let voided = county.take_back(opened, all, at("2026-02-20")).unwrap();
    assert_eq!(voided.resting, [opened + 1], "its closing rests on it");
    w.report(B, FEB, after(FEB));
    let before = w.desk(B).figure(JAN, "I4");

    w.decide(CITY, B, JAN, Decision::Reopened, after(FEB));
    w.desk(B).train(3, "2026-01-11", after(FEB));
    w.desk(B).finish(JAN, after(FEB));
    assert_eq!(w.desk(B).figure(JAN, "I4"), before);
    assert_holds(&mut w, B);
    accept(&mut w, JAN);
    w.desk(B).finish(FEB, after(FEB));
    accept(&mut w, FEB);

    w.desk(B).train(2, "2026-03-10", at("2026-03-20"));
    w.report(B, MAR, after(MAR));
    assert_eq!(w.desk(B).figure(MAR, "I4").0, 0);
    assert_holds(&mut w, B);
}
