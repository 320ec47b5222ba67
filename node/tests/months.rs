//! Recording, correcting, closing, signing: what the desk promises, and an independent count of
//! plain facts.
#![allow(missing_docs, clippy::unwrap_used)]

use kit::on_disk::*;
use node::desk::close::CloseRequest;
use node::desk::{record, sign};
use node::queries::events;
use protocol::chain;
use protocol::digest::Digest;
use protocol::evidence::{file, report};
use protocol::note::{Alg, SigningKey, VerifierKey};
use protocol::person::Role;
use protocol::receipt::Decision;

#[test]
fn figures_follow_two_honest_months() {
    let w = two_months();
    let a = &w.desks[A];
    assert_eq!(a.figure(JAN, "I2"), (2, 2));
    assert_eq!(a.figure(JAN, "I1").0, 2);
    assert_eq!(a.figure(JAN, "I10").0, 2);
    assert_eq!(a.figure(JAN, "I4").0, 1);
    assert_eq!(a.figure(FEB, "I2").0, 2);
    assert_eq!(a.figure(FEB, "I4").0, 0);
    assert_eq!(w.desks[CITY].figure(JAN, "I2"), (0, 3));
    assert_eq!(w.desks[CITY].figure(JAN, "I7"), (9, 49));
    assert_eq!(w.desks[PROVINCE].figure(FEB, "I2"), (0, 3));
    assert_eq!(a.decision(FEB), Some(Decision::Accepted));
}

#[test]
fn a_void_twice_is_refused_and_a_void_of_a_sealed_month_counts_in_the_open_one() {
    let mut w = World::empty();
    let a = w.desk(A);
    let now = at("2026-01-20");
    let registered = a.register(&[id_no(1), id_no(2)], "2026-01-03", now);
    let hired = a.hire(&id_no(1), "甲", "2026-01-05", now);
    w.report(A, JAN, after(JAN));
    let a = w.desk(A);
    assert_eq!(a.figure(JAN, "I2").0, 1);
    let now = at("2026-02-10");
    a.void(hired, now).unwrap();
    assert_eq!(code_of(a.void(hired, now)), "void.twice");
    assert_eq!(code_of(a.void(9999, now)), "void.unknown");
    let void = a.leaves() - 1;
    assert_eq!(code_of(a.void(void, now)), "void.kind");
    assert_eq!(code_of(a.void(0, now)), "void.kind", "an enrolment");
    a.close(FEB, after(FEB));
    assert_eq!(a.figure(FEB, "I2").0, 0, "the stock is back");
    assert_eq!(
        a.figure(FEB, "I10").0,
        -1,
        "the placement is taken back in the open month"
    );
    assert_eq!(
        a.figure(FEB, "I1").0,
        -1,
        "and so is the person hired this year"
    );
    assert_eq!(a.read().rollups()[&(month(FEB), 1)].held().rollup.voided, 1);
    let listed = events::list(a.read(), month(JAN), false).unwrap();
    assert_eq!(
        listed.iter().find(|l| l.index == hired).unwrap().voided_by,
        Some(void)
    );
    assert!(registered.iter().all(|i| {
        listed
            .iter()
            .find(|l| l.index == *i)
            .unwrap()
            .voided_by
            .is_none()
    }));
}

#[test]
fn a_correction_replaces_both_or_neither() {
    let mut w = World::empty();
    let a = w.desk(A);
    let now = at("2026-01-20");
    a.register(&[id_no(1), id_no(2)], "2026-01-03", now);
    let hired = a.hire(&id_no(1), "甲", "2026-01-05", now);
    let line = |id: &str, day: &str| {
        format!(r#"{{"id_no":"{id}","employer":"甲","wage":500000,"occurred_on":"{day}"}}"#)
    };
    let leaves = a.leaves();
    // A replacement that is wrong leaves the old one in force.
    assert_eq!(
        code_of(a.correct(hired, "E02", &line(&id_no(7), "2026-01-06"), now)),
        "subject.unknown"
    );
    assert_eq!(a.leaves(), leaves);
    let other = a.draft(
        "E03",
        &format!(
            r#"{{"id_no":"{}","employer":"甲","occurred_on":"2026-01-06"}}"#,
            id_no(1)
        ),
    );
    assert_eq!(
        code_of(record::correct(
            a.books(),
            &format!("{A}/luru"),
            hired,
            &other,
            "wrong",
            now
        )),
        "correct.type"
    );
    // Of the same person, and on to another one.
    let second = a
        .correct(hired, "E02", &line(&id_no(1), "2026-01-06"), now)
        .unwrap();
    assert_eq!(a.leaves(), leaves + 2);
    a.correct(second.index, "E02", &line(&id_no(2), "2026-01-06"), now)
        .unwrap();
    // The very same text as an event that was taken back is no repetition.
    let third = a.leaves() - 1;
    a.correct(third, "E02", &line(&id_no(1), "2026-01-06"), now)
        .unwrap();
    a.close(JAN, after(JAN));
    assert_eq!(
        (
            a.figure(JAN, "I2").0,
            a.figure(JAN, "I1").0,
            a.figure(JAN, "I10").0,
            a.figure(JAN, "I3").0
        ),
        (1, 1, 1, 500_000)
    );
}

#[test]
fn late_and_opening_entries_are_named_and_move_what_they_should() {
    let mut w = World::empty();
    let a = w.desk(A);
    let now = at("2026-01-20");
    // Before the first month: stocks, never flows.
    a.register(&[id_no(1), id_no(2)], "2025-06-03", now);
    a.hire(&id_no(1), "甲", "2025-07-05", now);
    a.csv(
        "E66",
        "indicator,value,sex,occurred_on\nI2,5,2,2025-12-31\n",
        now,
    );
    w.report(A, JAN, after(JAN));
    let a = w.desk(A);
    assert_eq!(
        (
            a.figure(JAN, "I2").0,
            a.figure(JAN, "I1").0,
            a.figure(JAN, "I10").0,
            a.figure(JAN, "I3").0
        ),
        (6, 0, 0, 0)
    );
    assert!(
        a.read().rollups()[&(month(JAN), 1)]
            .held()
            .rollup
            .late
            .is_empty()
    );
    // A day of a sealed month.
    let now = at("2026-02-10");
    let imported = a
        .import(
            "E02",
            &format!(
                "id_no,employer,wage_fen,occurred_on\n{},乙,1,2026-01-15\n",
                id_no(2)
            ),
            false,
            now,
        )
        .unwrap();
    assert_eq!(imported.recorded[0].late, Some(month(JAN)));
    a.close(FEB, after(FEB));
    assert_eq!(
        (
            a.figure(FEB, "I2").0,
            a.figure(FEB, "I1").0,
            a.figure(FEB, "I10").0
        ),
        (7, 1, 1)
    );
    assert_eq!(
        a.read().rollups()[&(month(FEB), 1)].held().rollup.late,
        [(month(JAN), 1)].into()
    );
}

#[test]
fn time_alone_changes_a_stock_at_close() {
    let mut w = World::empty();
    let a = w.desk(A);
    let ids = [
        id_born("19660215", 1),
        id_born("19660301", 3),
        id_born("19900101", 5),
    ];
    a.register(&ids, "2026-01-03", at("2026-01-20"));
    a.close(JAN, after(JAN));
    assert_eq!(a.figure(JAN, "I9").0, 3);
    a.close(FEB, after(FEB));
    assert_eq!(a.figure(FEB, "I9").0, 2, "one turned sixty on 15 February");
    let leaves = a.leaves();
    a.close(MAR, after(MAR));
    assert_eq!(a.figure(MAR, "I9").0, 1, "one on 1 March");
    assert_eq!(a.leaves(), leaves + 1, "one recount, nobody else's");
}

#[test]
fn months_are_closed_in_order_and_not_before_their_end() {
    let mut w = World::empty();
    let a = w.desk(A);
    let none = CloseRequest::default();
    assert_eq!(code_of(a.try_close(FEB, &none, after(FEB))), "close.order");
    assert_eq!(
        code_of(a.try_close("2025-12", &none, after(FEB))),
        "close.order"
    );
    assert_eq!(
        code_of(a.try_close(JAN, &none, at("2026-01-31"))),
        "close.early"
    );
    // 23:30 in China on the last day is still the last day; 00:30 is not.
    assert_eq!(
        code_of(a.try_close(JAN, &none, "2026-01-31T15:30:00Z".parse().unwrap())),
        "close.early"
    );
    assert_eq!(a.leaves(), 4, "nothing was written");
    a.try_close(JAN, &none, "2026-01-31T16:30:00Z".parse().unwrap())
        .unwrap();
    assert_eq!(a.open_month(), FEB);
}

#[test]
fn three_months_may_wait_for_their_submission_and_can_all_be_made_anew() {
    let mut w = World::empty();
    let day = after("2026-04");
    let none = CloseRequest::default();
    for month in [JAN, FEB, MAR] {
        w.desk(A).try_close(month, &none, day).unwrap();
    }
    let fourth = w.desk(A).try_close("2026-04", &none, day);
    assert_eq!(code_of(fourth), "close.unsubmitted");
    // The fourth has begun, and a new registry makes the first one anew: it still holds.
    w.desk(A).train(5, "2026-04-02", day);
    w.publish_registry("2026-05", |_| ());
    for month in [JAN, FEB, MAR] {
        let a = w.desk(A);
        a.try_close(month, &anew(), day).unwrap();
        a.sign(month);
        a.submit(month, day);
    }
    w.desk(A).try_close("2026-04", &none, day).unwrap();
}

#[test]
fn what_nobody_received_may_be_made_anew_and_nothing_else() {
    let mut w = World::empty();
    let none = CloseRequest::default();
    let a = w.desk(A);
    a.train(4, "2026-01-10", at("2026-01-20"));
    let first = a.close(JAN, after(JAN));
    a.sign(JAN);
    let replaced = a.read().rollups()[&(month(JAN), 1)].held().digest();
    assert!(a.read().find_rollup(&replaced).is_some());
    a.train(5, "2026-02-02", at("2026-02-03"));
    // Anew: the same revision and figures, and it is to be signed again, which somebody must say.
    let refused = a.try_close(JAN, &none, at("2026-02-04")).unwrap_err();
    assert_eq!(code_of::<()>(Err(refused.clone())), "close.signed");
    assert!(refused.0[0].en.contains(&a.name("tongji")), "{refused}");
    assert!(
        a.read().find_rollup(&replaced).is_some(),
        "nothing was lost"
    );
    let again = a.try_close(JAN, &anew(), at("2026-02-04")).unwrap();
    assert_eq!((first.revision, again.revision), (1, 1));
    assert!(a.read().find_rollup(&replaced).is_none(), "it is no more");
    assert_eq!(a.figure(JAN, "I7").0, 4, "nothing of February");
    assert_eq!(
        sign::unsigned(a.read(), sign::latest(a.read(), month(JAN)).unwrap()).len(),
        3
    );
    // The next month rests on it; made anew below it, the next one must be made anew too, and can
    // be.
    a.close(FEB, after(FEB));
    a.close(JAN, after(FEB));
    a.close(FEB, after(FEB));
    let (jan, feb) = (
        a.read().rollups()[&(month(JAN), 1)].held().clone(),
        a.read().rollups()[&(month(FEB), 1)].held().clone(),
    );
    assert_eq!(feb.rollup.previous, Some(jan.digest()));
    // What it rests on is handed over first. Then neither is made anew.
    a.sign(FEB);
    let early = sign::submit(a.books(), month(FEB), after(FEB));
    assert_eq!(code_of(early), "submit.first");
    a.sign(JAN);
    for period in [JAN, FEB] {
        a.submit(period, after(FEB));
        assert_eq!(
            code_of(a.try_close(period, &none, after(FEB))),
            "close.sealed"
        );
    }
    w.send(A, &[CITY], after(FEB));
    w.decide(CITY, A, JAN, Decision::Accepted, after(FEB));
    w.decide(CITY, A, FEB, Decision::Accepted, after(FEB));
}

/// A close that makes a signed month anew.
fn anew() -> CloseRequest {
    CloseRequest {
        discard_signatures: true,
        ..CloseRequest::default()
    }
}

/// January is made anew under a February that is closed and signed: February builds on what is no
/// more. It is made again, and so is what comes after it.
#[test]
fn what_was_closed_over_a_month_that_is_made_anew_is_closed_again() {
    let mut w = World::empty();
    let a = w.desk(A);
    a.train(4, "2026-01-10", at("2026-01-20"));
    a.close(JAN, after(JAN));
    a.close(FEB, after(FEB));
    a.sign(FEB);
    a.train(5, "2026-03-01", after(FEB));
    a.close(JAN, after(FEB));
    let submitted = sign::submit(a.books(), month(FEB), after(FEB));
    assert_eq!(code_of(submitted), "submit.behind");
    let none = CloseRequest::default();
    assert_eq!(code_of(a.try_close(MAR, &none, after(MAR))), "close.order");
    a.try_close(FEB, &anew(), after(MAR)).unwrap();
    for period in [JAN, FEB] {
        a.sign(period);
        a.submit(period, after(MAR));
    }
    a.finish(MAR, after(MAR));
    w.send(A, &[CITY], after(MAR));
    for period in [JAN, FEB, MAR] {
        w.decide(CITY, A, period, Decision::Accepted, after(MAR));
    }
}

/// January is opened again when February is closed, but not handed over: February is closed again
/// on top of January's second revision, also where a new registry makes both to be closed again.
#[test]
fn what_waited_for_signatures_is_closed_again_over_a_reopened_month() {
    for submitted in [false, true] {
        let mut w = World::empty();
        w.desk(A).train(4, "2026-01-10", at("2026-01-20"));
        w.report(A, JAN, after(JAN));
        let a = w.desk(A);
        a.close(FEB, after(FEB));
        a.sign(FEB);
        w.decide(CITY, A, JAN, Decision::Reopened, after(FEB));
        let a = w.desk(A);
        a.train(1, "2026-01-11", after(FEB));
        a.close(JAN, after(FEB));
        if submitted {
            a.sign(JAN);
            a.submit(JAN, after(FEB));
            let behind = sign::submit(a.books(), month(FEB), after(FEB));
            assert_eq!(code_of(behind), "submit.behind");
            let none = CloseRequest::default();
            assert_eq!(code_of(a.try_close(MAR, &none, after(MAR))), "close.order");
        }
        w.publish_registry(MAR, |_| {});
        let a = w.desk(A);
        if !submitted {
            a.finish(JAN, after(MAR));
        }
        a.try_close(FEB, &anew(), after(MAR)).unwrap();
        a.sign(FEB);
        a.submit(FEB, after(MAR));
        a.finish(MAR, after(MAR));
        w.send(A, &[CITY], after(MAR));
        for period in [JAN, FEB, MAR] {
            w.decide(CITY, A, period, Decision::Accepted, after(MAR));
        }
        let own = w.desks[A].read().own_rollups();
        let newest = chain::newest(&own, |_| true).unwrap();
        let chain = chain::before(&newest.rollup, &own);
        assert_eq!(chain.len(), 3, "it went on once from everywhere");
    }
}

/// Evidence that is taken between close and signature: what is not signed is no report yet.
#[test]
fn evidence_has_the_reports_that_are_signed() {
    let mut w = World::empty();
    let root = w.root.vkey();
    let a = w.desk(A);
    a.train(4, "2026-01-10", at("2026-01-20"));
    let reported = |a: &Desk| {
        let evidence = file::read(&a.evidence()).unwrap();
        let report = report::verify(&evidence, &root).unwrap();
        assert!(report.failures().next().is_none());
        let months = report.units.iter().flat_map(|u| &u.months);
        months.map(|m| m.period.to_string()).collect::<Vec<_>>()
    };
    a.close(JAN, after(JAN));
    assert_eq!(reported(a), [""; 0]);
    a.train(5, "2026-02-10", at("2026-02-11"));
    a.close(FEB, after(FEB));
    a.sign(FEB);
    assert_eq!(reported(a), [""; 0], "February follows what is not signed");
    a.sign(JAN);
    assert_eq!(reported(a), [JAN, FEB]);
}

#[test]
fn rules_stop_or_ask() {
    let mut w = World::empty();
    let a = w.desk(A);
    let now = at("2026-01-20");
    a.csv(
        "E66",
        "indicator,value,sex,occurred_on\nI2,1001,2,2025-12-31\n",
        now,
    );
    let big = a.leaves() - 1;
    a.train(501, "2026-01-10", now);
    let faults = a
        .try_close(JAN, &CloseRequest::default(), after(JAN))
        .unwrap_err();
    assert_eq!(
        faults.0.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(),
        ["rule.hard", "rule.soft"]
    );
    // No explanation helps against a hard rule.
    let request = CloseRequest {
        explanations: [
            ("H1".into(), "yes".into()),
            ("S1".into(), "a big fair".into()),
        ]
        .into(),
        ..Default::default()
    };
    assert_eq!(code_of(a.try_close(JAN, &request, after(JAN))), "rule.hard");
    a.void(big, after(JAN)).unwrap();
    assert_eq!(
        code_of(a.try_close(JAN, &CloseRequest::default(), after(JAN))),
        "rule.soft"
    );
    let blank = CloseRequest {
        explanations: [("S1".into(), "  ".into())].into(),
        ..Default::default()
    };
    assert_eq!(code_of(a.try_close(JAN, &blank, after(JAN))), "rule.soft");
    let long = CloseRequest {
        explanations: [("S1".into(), "长".repeat(501))].into(),
        ..Default::default()
    };
    assert_eq!(code_of(a.try_close(JAN, &long, after(JAN))), "rule.soft");
    // What nobody asks for is not passed over.
    assert_eq!(
        code_of(a.try_close(JAN, &request, after(JAN))),
        "close.rule"
    );
    let request = CloseRequest {
        explanations: [("S1".into(), "a big fair".into())].into(),
        ..Default::default()
    };
    a.try_close(JAN, &request, after(JAN)).unwrap();
    let rollup = &a.read().rollups()[&(month(JAN), 1)].held().rollup;
    assert_eq!(rollup.explanations.len(), 1);
    assert_eq!(
        (
            rollup.explanations[0].rule.as_str(),
            rollup.explanations[0].text.as_str()
        ),
        ("S1", "a big fair")
    );
    // It travels.
    a.sign(JAN);
    a.submit(JAN, after(JAN));
    w.send(A, &[CITY], after(JAN));
    let held = w.desks[CITY].read().children()[&unit(A)].known()[&(month(JAN), 1)].clone();
    assert_eq!(held.rollup.explanations[0].text, "a big fair");
}

#[test]
fn a_missing_child_needs_a_reason() {
    let mut w = World::empty();
    w.report(A, JAN, after(JAN));
    let city = w.desk(CITY);
    let faults = city
        .try_close(JAN, &CloseRequest::default(), after(JAN))
        .unwrap_err();
    assert_eq!(
        (
            faults.0.len(),
            faults.0[0].code.as_str(),
            faults.0[0].column.as_deref()
        ),
        (1, "close.child", Some(B))
    );
    let blank = CloseRequest {
        missing: [(B.to_string(), " ".to_string())].into(),
        ..Default::default()
    };
    assert_eq!(
        code_of(city.try_close(JAN, &blank, after(JAN))),
        "close.child"
    );
    let request = CloseRequest {
        missing: [
            (B.to_string(), "network down".to_string()),
            (A.to_string(), "unused".to_string()),
        ]
        .into(),
        ..Default::default()
    };
    city.try_close(JAN, &request, after(JAN)).unwrap();
    let rollup = &city.read().rollups()[&(month(JAN), 1)].held().rollup;
    assert_eq!(
        (rollup.children.len(), rollup.missing.len()),
        (1, 1),
        "a reason for one that is there changes nothing"
    );
    assert_eq!(rollup.missing[0].reason, "network down");
}

#[test]
fn three_signatures_are_needed_and_only_theirs_count() {
    let mut w = World::empty();
    w.desk(B).close(JAN, after(JAN));
    let foreign = w.desks[B].signed_by(JAN, "tianbiao");
    let a = w.desk(A);
    a.train(1, "2026-01-10", at("2026-01-20"));
    a.close(JAN, after(JAN));
    assert_eq!(
        code_of(sign::submit(a.books(), month(JAN), after(JAN))),
        "submit.unsigned"
    );
    let wrong = a.signed_by(JAN, "luru");
    assert_eq!(
        code_of(sign::add_signatures(a.books(), month(JAN), &wrong)),
        "sign.signature"
    );
    assert_eq!(
        code_of(sign::add_signatures(a.books(), month(JAN), &foreign)),
        "sign.text"
    );
    assert_eq!(
        code_of(sign::add_signatures(a.books(), month(FEB), &foreign)),
        "rollup.none"
    );
    assert!(sign::add_signatures(a.books(), month(JAN), b"nonsense").is_err());
    // A signature line with the right name and a broken signature.
    let good = String::from_utf8(a.signed_by(JAN, "tianbiao")).unwrap();
    let other = String::from_utf8(a.signed_by(JAN, "tongji")).unwrap();
    let line = |t: &str| t.lines().last().unwrap().to_string();
    let (g, o) = (line(&good), line(&other));
    let (gs, os) = (g.split(' ').nth(2).unwrap(), o.split(' ').nth(2).unwrap());
    // Key id of the one, signature bytes of the other.
    use protocol::text::b64;
    let mut mixed = b64::decode(gs).unwrap();
    let bytes = b64::decode(os).unwrap();
    mixed.splice(4.., bytes[4..].iter().copied());
    let broken = good.replace(gs, &b64::encode(&mixed));
    assert_ne!(broken, good);
    assert!(sign::add_signatures(a.books(), month(JAN), broken.as_bytes()).is_err());
    let one = a.signed_by(JAN, "tianbiao");
    assert_eq!(
        sign::add_signatures(a.books(), month(JAN), &one).unwrap(),
        [a.name("tongji"), a.name("fuzeren")]
    );
    assert_eq!(
        sign::add_signatures(a.books(), month(JAN), &one)
            .unwrap()
            .len(),
        2,
        "twice is once"
    );
    assert_eq!(
        code_of(sign::submit(a.books(), month(JAN), after(JAN))),
        "submit.unsigned"
    );
    a.sign(JAN);
    a.submit(JAN, after(JAN));
    let when = a.read().rollups()[&(month(JAN), 1)].submitted();
    a.submit(JAN, at("2026-02-20"));
    assert_eq!(
        a.read().rollups()[&(month(JAN), 1)].submitted(),
        when,
        "submitting again changes nothing"
    );
}

#[test]
fn signatories_must_be_enrolled_before_a_month_is_closed() {
    // Otherwise the rollup could never be signed, nor the month be closed again: the unit would be
    // stuck for ever.
    let mut w = World::empty();
    let a = w.desk(A);
    let head = a.people["fuzeren"].vkey();
    record::revoke(a.books(), &head, at("2026-01-20")).unwrap();
    assert_eq!(
        code_of(a.try_close(JAN, &CloseRequest::default(), after(JAN))),
        "close.signatory"
    );
    assert!(a.read().rollups().is_empty());
    record::enrol(
        a.books(),
        &head,
        &[protocol::person::Role::Head],
        after(JAN),
    )
    .unwrap();
    a.finish(JAN, after(JAN));
}

/// No leaf can be taken out of a log again: a key that every reader refuses would stop its unit for
/// ever.
#[test]
fn nobody_is_enrolled_whom_a_reader_of_the_log_refuses() {
    let mut w = World::empty();
    let now = at("2026-01-20");
    let own = |name: &str, seed: &[u8; 32], alg: Alg| {
        let name = format!("{B}/{name}");
        SigningKey::from_seed(&name, alg, seed).unwrap().vkey()
    };
    let mut node = *Digest::of(B.as_bytes()).as_bytes();
    node[0] = 0;
    let node_key = SigningKey::from_seed(B, Alg::Ed25519, node).unwrap();
    assert_eq!(node_key.vkey(), key(B, Alg::Ed25519).vkey());
    let b = w.desk(B).books();
    let mut enrol = |vkey: &VerifierKey| record::enrol(b, vkey, &[Role::Recorder], now);
    let before = enrol(&own("y", &[51; 32], Alg::Ed25519)).unwrap();
    for (what, vkey) in [
        (
            "a second name for the same key",
            own("x", &[51; 32], Alg::Ed25519),
        ),
        (
            "no key for signing",
            own("x", &[50; 32], Alg::CosignatureV1),
        ),
        ("the node's own key", own("x", &node, Alg::Ed25519)),
    ] {
        assert_eq!(code_of(enrol(&vkey)), "operator.enrol", "{what}");
    }
    // The control: a key of its own.
    assert_eq!(
        enrol(&own("x", &[52; 32], Alg::Ed25519)).unwrap(),
        before + 1
    );
    // A name that changes is a new key as well: what was revoked stays with its name.
    record::revoke(b, &own("y", &[51; 32], Alg::Ed25519), now).unwrap();
    let renamed = record::enrol(
        b,
        &own("y2", &[51; 32], Alg::Ed25519),
        &[Role::Recorder],
        now,
    );
    assert_eq!(code_of(renamed), "operator.enrol");
    record::enrol(
        b,
        &own("y", &[51; 32], Alg::Ed25519),
        &[Role::Recorder],
        now,
    )
    .unwrap();
    let never = record::revoke(b, &own("z", &[51; 32], Alg::Ed25519), now);
    assert_eq!(code_of(never), "operator.revoke");
    let b = w.desk(B);
    b.train(2, "2026-01-10", now);
    b.close(JAN, after(JAN));
    b.sign(JAN);
    let verdicts = b.submit(JAN, after(JAN));
    assert!(verdicts.iter().all(|v| !v.failed()), "{verdicts:?}");
}

#[test]
fn only_the_parents_word_opens_a_month_again() {
    let mut w = World::empty();
    let none = CloseRequest::default();
    let now = after(JAN);
    w.desk(A).train(5, "2026-01-10", at("2026-01-20"));
    w.desk(A).finish(JAN, now);
    assert_eq!(
        code_of(w.desk(A).try_close(JAN, &none, now)),
        "close.sealed"
    );
    w.send(A, &[CITY, PROVINCE], now);
    w.decide(CITY, A, JAN, Decision::Returned, now);
    let a = w.desk(A);
    assert_eq!(a.open_month(), JAN, "returned: the month is open again");
    a.train(7, "2026-01-12", now);
    a.finish(JAN, now);
    let first = a.read().rollups()[&(month(JAN), 1)].held().digest();
    assert_eq!(
        a.read().rollups()[&(month(JAN), 2)]
            .held()
            .rollup
            .supersedes,
        Some(first)
    );
    assert_eq!(a.figure(JAN, "I7").0, 12);
    w.send(A, &[CITY, PROVINCE], now);
    w.decide(CITY, A, JAN, Decision::Accepted, now);
    assert_eq!(
        code_of(w.desk(A).try_close(JAN, &none, now)),
        "close.sealed"
    );
    w.decide(CITY, A, JAN, Decision::Reopened, now);
    let a = w.desk(A);
    a.train(1, "2026-01-13", now);
    a.finish(JAN, now);
    w.send(A, &[CITY, PROVINCE], now);
    w.decide(CITY, A, JAN, Decision::Accepted, now);
    let a = w.desk(A);
    assert_eq!((a.figure(JAN, "I7").0, a.open_month().as_str()), (13, FEB));
    let chain: Vec<_> = a
        .read()
        .rollups()
        .values()
        .map(|r| (r.held().rollup.revision, r.held().rollup.supersedes))
        .collect();
    assert_eq!(chain.len(), 3);
    assert!(chain[1].1.is_some() && chain[2].1.is_some() && chain[0].1.is_none());
}

#[test]
fn a_month_that_is_opened_again_counts_nothing_of_the_next_one() {
    // January comes back after events of February were recorded: its stocks are those at the end of
    // January.
    let mut w = World::empty();
    let now = at("2026-01-20");
    let a = w.desk(A);
    a.register(&[id_no(1), id_no(2), id_no(3)], "2026-01-03", now);
    a.hire(&id_no(1), "甲", "2026-01-05", now);
    a.csv("E04", "ref,kind,occurred_on\nc1,workshop,2026-01-09\n", now);
    a.finish(JAN, after(JAN));
    w.send(A, &[CITY], after(JAN));
    let now = at("2026-02-10");
    let a = w.desk(A);
    a.hire(&id_no(2), "甲", "2026-02-05", now);
    a.leave(&id_no(1), "甲", "2026-02-06", now);
    let late = a.hire(&id_no(3), "乙", "2026-01-07", now);
    a.csv("E05", "ref,occurred_on\nc1,2026-02-05\n", now);
    w.decide(CITY, A, JAN, Decision::Returned, now);
    let a = w.desk(A);
    assert_eq!(a.open_month(), JAN);
    // What belongs to February cannot be taken back in January.
    assert_eq!(code_of(a.void(late, now)), "void.later");
    a.train(3, "2026-01-11", now);
    a.csv("E04", "ref,kind,occurred_on\nc2,workshop,2026-01-09\n", now);
    a.finish(JAN, now);
    assert_eq!(
        (
            a.figure(JAN, "I2").0,
            a.figure(JAN, "I1").0,
            a.figure(JAN, "I4").0
        ),
        (1, 1, 2),
        "January again"
    );
    w.send(A, &[CITY], now);
    w.decide(CITY, A, JAN, Decision::Accepted, now);
    let a = w.desk(A);
    a.finish(FEB, after(FEB));
    assert_eq!(
        (a.figure(FEB, "I2").0, a.figure(FEB, "I4").0),
        (2, 1),
        "number 2 and the late number 3; c2"
    );
    assert_eq!(
        a.figure(JAN, "I1").0 + a.figure(FEB, "I1").0,
        3,
        "three persons were hired this year"
    );
    w.send(A, &[CITY], after(FEB));
    w.decide(CITY, A, FEB, Decision::Accepted, after(FEB));
}

mod naive {
    //! Counts plain facts, knowing nothing of catalogues, logs or moves.
    use std::collections::BTreeSet;

    #[derive(Debug, Clone)]
    pub enum Fact {
        Hire(u32, u8),
        Leave(u32, u8),
    }

    /// (employed at the end of month `m`, hirings of month `m`, persons hired this year until month
    /// `m`).
    pub fn count(facts: &[(u32, Fact)], m: u32) -> (i64, i64, i64) {
        let (mut jobs, mut times, mut persons) = (BTreeSet::new(), 0, BTreeSet::new());
        for (month, fact) in facts.iter().filter(|(month, _)| *month <= m) {
            match fact {
                Fact::Hire(p, e) => {
                    jobs.insert((*p, *e));
                    persons.insert(*p);
                    times += i64::from(*month == m);
                }
                Fact::Leave(p, e) => {
                    jobs.remove(&(*p, *e));
                }
            }
        }
        let employed: BTreeSet<u32> = jobs.iter().map(|(p, _)| *p).collect();
        (employed.len() as i64, times, persons.len() as i64)
    }
}

#[test]
fn figures_equal_an_independent_recount_of_plain_facts() {
    use naive::Fact;
    let mut w = World::empty();
    let a = w.desk(A);
    let mut random = 7_u64;
    let mut roll = move |bound: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % bound
    };
    let mut facts: Vec<(u32, Fact)> = Vec::new();
    let mut open: std::collections::BTreeSet<(u32, u8)> = Default::default();
    let mut indexes = Vec::new();
    for (n, period) in [(1, JAN), (2, FEB), (3, MAR)] {
        let day = |d: u32| format!("{period}-{d:02}");
        if n == 1 {
            a.register(
                &(1..=12).map(id_no).collect::<Vec<_>>(),
                &day(1),
                at("2026-01-30"),
            );
        }
        let now = at(&day(28));
        for d in 2..28 {
            let (p, e) = (1 + roll(12) as u32, roll(3) as u8);
            if open.insert((p, e)) {
                indexes.push((n, p, e, a.hire(&id_no(p), &format!("厂{e}"), &day(d), now)));
                facts.push((n, Fact::Hire(p, e)));
            } else {
                open.remove(&(p, e));
                a.leave(&id_no(p), &format!("厂{e}"), &day(d), now);
                facts.push((n, Fact::Leave(p, e)));
            }
            // Now and then the last hiring of this month was a mistake; it is noticed while its job
            // is still open.
            if roll(5) == 0
                && let Some((m, p, e, index)) = indexes.pop()
            {
                let last = facts.iter().rposition(|(_, f)| matches!(f, Fact::Hire(p2, e2) | Fact::Leave(p2, e2) if (*p2, *e2) == (p, e)));
                let hire = facts
                    .iter()
                    .rposition(|(_, f)| matches!(f, Fact::Hire(p2, e2) if (*p2, *e2) == (p, e)));
                if m == n && last == hire {
                    a.void(index, now).unwrap();
                    facts.remove(hire.unwrap());
                    open.remove(&(p, e));
                }
            }
        }
        a.close(period, after(period));
        let counted = (
            a.figure(period, "I2").0,
            a.figure(period, "I10").0,
            year_to_date(a, n),
        );
        assert_eq!(counted, naive::count(&facts, n), "{period}");
    }
}

fn year_to_date(a: &Desk, months: u32) -> i64 {
    // A distinct count's figure of a month: what the year has so far, or only what is new? The
    // catalogue's reader adds the months, so this does too.
    [JAN, FEB, MAR]
        .iter()
        .take(months as usize)
        .map(|m| a.figure(m, "I1").0)
        .sum()
}
