//! A close is looked at before it is made, and undone while nobody else has the report.
#![allow(missing_docs, clippy::unwrap_used)]

use kit::on_disk::*;
use node::desk::close::CloseRequest;
use node::desk::preview::{Amount, Preview, preview};
use node::desk::sign;
use node::desk::undo::{Undone, undo};
use node::fault::Faults;

fn looked_at(desk: &Desk, period: &str, now: &str) -> Result<Preview, Faults> {
    asked(desk, period, &CloseRequest::default(), now)
}

fn asked(desk: &Desk, period: &str, request: &CloseRequest, now: &str) -> Result<Preview, Faults> {
    let signatories = desk.signatories();
    preview(desk.read(), month(period), request, &signatories, at(now))
}

fn undone(desk: &mut Desk, period: &str, discard: bool) -> Result<Undone, Faults> {
    let by = desk.name("tongji");
    undo(desk.books(), month(period), &by, discard, after(FEB))
}

fn value(preview: &Preview, id: &str) -> [Option<i64>; 3] {
    let figure = preview.figures.iter().find(|f| f.id == id).unwrap();
    let value = |a: Option<Amount>| a.and_then(|a| a.value);
    [
        value(Some(figure.now)),
        value(figure.last_month),
        value(figure.last_year),
    ]
}

fn codes(preview: &Preview) -> Vec<String> {
    let faults = preview.faults.iter();
    faults.map(|f| f.code.to_string()).collect()
}

/// January with three persons, of whom one turns sixty in February, and a training.
fn january() -> World {
    let mut w = World::empty();
    let a = w.desk(A);
    let ids = [id_born("19660215", 1), id_no(2), id_no(3)];
    a.register(&ids, "2026-01-03", at("2026-01-20"));
    a.train(4, "2026-01-10", at("2026-01-20"));
    w.report(A, JAN, after(JAN));
    w
}

#[test]
fn a_preview_says_what_the_close_makes_and_writes_nothing() {
    let mut w = january();
    let a = w.desk(A);
    a.hire(&id_no(2), "甲", "2026-02-05", at("2026-02-20"));
    let late = a.hire(&id_no(3), "甲", "2026-01-30", at("2026-02-20"));
    a.void(late, at("2026-02-20")).unwrap();
    let before = a.read().size();
    let seen = looked_at(a, FEB, "2026-03-03").unwrap();
    assert_eq!(a.read().size(), before, "nothing was written");
    assert_eq!(codes(&seen), [""; 0]);
    assert_eq!((seen.revision, seen.recounted), (1, 1));
    let kinds = seen
        .kinds
        .iter()
        .map(|k| (k.code.as_str(), k.recorded, k.late, k.voided, k.last_month));
    let kinds: Vec<_> = kinds.collect();
    assert_eq!(
        kinds,
        [
            ("E01", 0, 0, 0, 3),
            ("E02", 2, 1, 1, 0),
            ("E06", 0, 0, 0, 1)
        ]
    );
    assert_eq!(value(&seen, "I9"), [Some(2), Some(3), None]);
    a.close(FEB, after(FEB));
    for id in ["I1", "I2", "I3", "I7", "I9", "I10"] {
        assert_eq!(value(&seen, id)[0], Some(a.figure(FEB, id).0), "{id}");
    }
}

#[test]
fn what_is_in_the_way_is_told_and_a_refused_close_writes_nothing() {
    let mut w = january();
    let a = w.desk(A);
    // The month is not over.
    assert_eq!(
        codes(&looked_at(a, FEB, "2026-02-20").unwrap()),
        ["close.early"]
    );
    // A month that nobody can close has no preview.
    assert_eq!(code_of(looked_at(a, JAN, "2026-02-20")), "close.sealed");
    assert_eq!(code_of(looked_at(a, MAR, "2026-02-20")), "close.order");
    let wrong = CloseRequest {
        explanations: [("S9".to_string(), "why".to_string())].into(),
        ..CloseRequest::default()
    };
    let seen = asked(a, FEB, &wrong, "2026-03-03").unwrap();
    assert_eq!(
        (codes(&seen), seen.recounted),
        (vec!["close.rule".to_string()], 1)
    );
    let before = a.read().size();
    assert_eq!(code_of(a.try_close(FEB, &wrong, after(FEB))), "close.rule");
    assert_eq!(a.read().size(), before);
    a.close(FEB, after(FEB));
}

#[test]
fn units_that_are_missing_go_by_their_names() {
    let mut w = january();
    let name = {
        let registry = w.desks[CITY].read().registry().unwrap().registry();
        registry.unit(&unit(B)).unwrap().placement(month(JAN)).name
    };
    let missing = |name: &str| CloseRequest {
        missing: [(name.to_string(), "停电".to_string())].into(),
        ..CloseRequest::default()
    };
    let city = w.desk(CITY);
    let seen = looked_at(city, JAN, "2026-02-03").unwrap();
    assert_eq!(
        (codes(&seen), seen.missing.len()),
        (vec!["close.child".to_string()], 1)
    );
    let stranger = asked(city, JAN, &missing("某县"), "2026-02-03").unwrap();
    assert_eq!(codes(&stranger), ["close.unit", "close.child"]);
    let refused = city.try_close(JAN, &missing("某县"), after(JAN));
    assert_eq!(code_of(refused), "close.unit");
    let named = asked(city, JAN, &missing(&name), "2026-02-03").unwrap();
    assert_eq!(codes(&named), [""; 0]);
    assert_eq!(named.missing[0].reason.as_deref(), Some("停电"));
    city.try_close(JAN, &missing(&name), after(JAN)).unwrap();
}

#[test]
fn a_close_is_undone_and_made_again_until_it_is_submitted() {
    let mut w = january();
    let a = w.desk(A);
    let wrong = a.train(50, "2026-02-10", at("2026-02-20"));
    a.close(FEB, after(FEB));
    let digest = sign::latest(a.read(), month(FEB)).unwrap().held().digest();
    assert_eq!(code_of(undone(a, JAN, false)), "undo.submitted");
    // Events of March come in between.
    a.train(7, "2026-03-02", after(FEB));
    assert_eq!(undone(a, FEB, false).unwrap().digest, digest);
    assert!(a.read().find_rollup(&digest).is_none());
    assert_eq!(a.open_month(), FEB);
    a.reopen();
    assert_eq!(a.open_month(), FEB);
    a.void(wrong, after(FEB)).unwrap();
    let closed = a.close(FEB, after(FEB));
    assert_eq!((closed.revision, a.figure(FEB, "I7").0), (1, 0));
    // Signatures are told away.
    a.sign(FEB);
    let seen = asked(a, FEB, &CloseRequest::default(), "2026-03-03").unwrap();
    assert_eq!(
        (codes(&seen), seen.signed.len()),
        (vec!["close.signed".to_string()], 3)
    );
    assert_eq!(code_of(undone(a, FEB, false)), "undo.signed");
    assert_eq!(undone(a, FEB, true).unwrap().signed.len(), 3);
    // What rests on it is undone first.
    a.close(FEB, after(FEB));
    a.close(MAR, after(MAR));
    assert_eq!(code_of(undone(a, FEB, false)), "undo.rests");
    undone(a, MAR, false).unwrap();
    undone(a, FEB, false).unwrap();
    a.finish(FEB, after(FEB));
    assert_eq!(code_of(undone(a, FEB, true)), "undo.submitted");
    a.finish(MAR, after(MAR));
    assert_eq!(a.figure(MAR, "I7").0, 7);
    w.send(A, &[CITY], after(MAR));
    for period in [FEB, MAR] {
        w.decide(
            CITY,
            A,
            period,
            protocol::receipt::Decision::Accepted,
            after(MAR),
        );
    }
}
