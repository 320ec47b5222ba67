//! A new catalogue in the middle of the year: everybody goes on closing, and stocks stay right.
#![allow(missing_docs, clippy::unwrap_used)]

use kit::code;
use kit::on_disk::*;
use node::desk::close::CloseRequest;
use node::review;
use protocol::catalogue::{Catalogue, Indicator};
use protocol::evidence::{file, report};
use protocol::figure::Counts;
use protocol::note::Note;
use protocol::published;

fn indicator<'c>(c: &'c mut Catalogue, id: &str) -> &'c mut Indicator {
    c.indicators.iter_mut().find(|i| i.id == id).unwrap()
}

fn version(number: u32, change: impl FnOnce(&mut Catalogue)) -> Catalogue {
    let mut next = catalogue();
    next.version = number;
    change(&mut next);
    next
}

/// Codes before those that stocks stand in, a stock and a type more; a type that nobody records any
/// longer, an indicator less, another condition.
fn second() -> Catalogue {
    version(2, |c| {
        for (dimension, name) in [("sex", "9"), ("kind", "centre")] {
            let found = c.dimensions.iter_mut().find(|d| d.id == dimension).unwrap();
            found.codes.insert(0, code(name));
        }
        let mut registered = indicator(c, "I9").clone();
        (registered.id, registered.key) = ("I91".into(), "registered".into());
        registered.condition = "s.active".into();
        c.indicators.insert(0, registered);
        indicator(c, "I9").condition = "s.active && s.age < 20".into();
        c.indicators.retain(|i| i.id != "I22");
        c.rules.retain(|r| r.figure != "I22");
        let inspected = c.events.iter_mut().find(|e| e.code == "E42").unwrap();
        inspected.levels.clear();
        let mut visited = inspected.clone();
        (visited.code, visited.name) = ("E43".into(), "carrier.visited".into());
        visited.levels = vec![protocol::ids::Tier::County];
        c.events.push(visited);
    })
}

fn install(w: &mut World, catalogue: &Catalogue, units: &[&str]) {
    let text = published::catalogue_text(catalogue).unwrap();
    let note = Note::sign(&text, &[&w.root]).unwrap();
    for id in units {
        let documents = [note.as_bytes().to_vec()];
        assert_eq!(w.desk(id).books().install(&documents).unwrap(), 1);
    }
}

const ALL: [&str; 4] = [PROVINCE, CITY, B, A];

/// Everybody's January, with stocks that stay open.
fn january() -> (World, u64) {
    let mut w = World::empty();
    let now = at("2026-01-20");
    let a = w.desk(A);
    a.register(&[id_no(1), id_no(2), id_no(3)], "2026-01-03", now);
    let hired = a.hire(&id_no(1), "甲厂", "2026-01-05", now);
    a.hire(&id_no(2), "乙厂", "2026-01-06", now);
    a.csv("E04", "ref,kind,occurred_on\nc1,workshop,2026-01-09\n", now);
    a.csv(
        "E42",
        "kind,result,occurred_on\nworkshop,good,2026-01-12\n",
        now,
    );
    a.train(40, "2026-01-10", now);
    let b = w.desk(B);
    b.register(&[id_no(8)], "2026-01-03", now);
    b.hire(&id_no(8), "丙厂", "2026-01-05", now);
    w.report_all(JAN, after(JAN));
    (w, hired)
}

/// The scope's value of a figure, and its cells of the first table.
fn scope(w: &World, id: &str, period: &str, figure: &str) -> Counts {
    let held = node::desk::sign::latest(w.desks[id].read(), month(period))
        .unwrap()
        .held();
    let found = held.rollup.figures.iter().find(|f| f.id == figure).unwrap();
    found.scope().clone()
}

fn version_of(w: &World, id: &str, period: &str) -> u32 {
    let books = w.desks[id].read();
    let held = node::desk::sign::latest(books, month(period))
        .unwrap()
        .held();
    let mut known = books.catalogues().iter().map(|(c, _)| c);
    let named = known.find(|c| c.digest == held.rollup.catalogue).unwrap();
    named.catalogue.version
}

/// What the province knows holds for a reader who has nothing else.
fn evidence_holds(w: &mut World) {
    let root = w.root.vkey();
    let evidence = node::desk::evidence::evidence(w.desk(PROVINCE).read()).unwrap();
    let bytes = file::write(&evidence).unwrap();
    let report = report::verify(&file::read(&bytes).unwrap(), &root).unwrap();
    assert!(
        report.holds(),
        "{:#?}",
        report.failures().collect::<Vec<_>>()
    );
}

#[test]
fn everybody_closes_over_a_new_catalogue_and_stocks_stay_right() {
    let (mut w, hired) = january();
    let before = scope(&w, A, JAN, "I2");
    assert_eq!((before.value, before.cells.len()), (Some(2), 1));
    install(&mut w, &second(), &ALL);
    let now = at("2026-02-20");
    let a = w.desk(A);
    a.csv("E04", "ref,kind,occurred_on\nc2,centre,2026-02-09\n", now);
    a.csv(
        "E43",
        "kind,result,occurred_on\nworkshop,good,2026-02-12\n",
        now,
    );
    // January's events, taken back, corrected, and one that comes late.
    a.void(hired, now).unwrap();
    a.hire(&id_no(3), "丁厂", "2026-01-25", now);
    w.report_all(FEB, after(FEB));
    assert_eq!(version_of(&w, A, JAN), 1);
    for id in ALL {
        assert_eq!(version_of(&w, id, FEB), 2, "{id}");
    }
    let employed = scope(&w, A, FEB, "I2");
    assert_eq!(employed.value, Some(2), "one taken back, one late");
    assert_eq!(
        employed.cells[0][0], 0,
        "nobody stands in the new code's cell"
    );
    assert_eq!(scope(&w, A, FEB, "I4").cells, [vec![1, 1, 0]]);
    assert_eq!(
        scope(&w, A, FEB, "I10").value,
        Some(0),
        "hirings: one more, one less"
    );
    assert_eq!(
        scope(&w, A, FEB, "I91").value,
        Some(3),
        "whom January registered"
    );
    assert_eq!(
        scope(&w, A, FEB, "I9").value,
        Some(0),
        "recounted by the new condition"
    );
    assert_eq!(scope(&w, PROVINCE, FEB, "I91").value, Some(4));
    assert_eq!(scope(&w, PROVINCE, FEB, "I2").value, Some(3));
    // A month more, and what January recorded by a type that is retired can be taken back.
    let now = at("2026-03-20");
    let a = w.desk(A);
    a.leave(&id_no(2), "乙厂", "2026-03-02", now);
    w.report_all(MAR, after(MAR));
    assert_eq!(scope(&w, PROVINCE, MAR, "I2").value, Some(2));
    evidence_holds(&mut w);
    w.desk(A).reopen();
    assert_eq!(scope(&w, A, MAR, "I2").value, Some(1));
}

#[test]
fn a_county_with_the_new_catalogue_a_month_late_stops_nobody() {
    let (mut w, _) = january();
    install(&mut w, &second(), &[PROVINCE, CITY, B]);
    let now = at("2026-02-20");
    w.desk(B)
        .csv("E04", "ref,kind,occurred_on\nc2,centre,2026-02-09\n", now);
    w.report_all(FEB, after(FEB));
    let versions = ALL.map(|id| version_of(&w, id, FEB));
    assert_eq!(versions, [2, 2, 2, 1]);
    assert_eq!(scope(&w, CITY, FEB, "I4").cells, [vec![1, 1, 0]]);
    assert_eq!(scope(&w, PROVINCE, FEB, "I2").value, Some(3));
    assert_eq!(
        scope(&w, PROVINCE, FEB, "I91").value,
        Some(1),
        "of the county that counts it"
    );
    install(&mut w, &second(), &[A]);
    w.report_all(MAR, after(MAR));
    assert_eq!(scope(&w, PROVINCE, MAR, "I91").value, Some(4));
    evidence_holds(&mut w);
}

#[test]
fn a_city_that_began_the_month_by_the_old_catalogue_names_what_it_cannot_add() {
    let (mut w, _) = january();
    let now = at("2026-02-20");
    w.desk(CITY).train(9, "2026-02-11", now);
    install(&mut w, &second(), &ALL);
    w.desk(B)
        .csv("E04", "ref,kind,occurred_on\nc2,centre,2026-02-09\n", now);
    w.report(A, FEB, after(FEB));
    w.report(B, FEB, after(FEB));
    let request = CloseRequest::default();
    let refused = w.desk(CITY).try_close(FEB, &request, after(FEB));
    assert_eq!(code_of(refused), "close.catalogue");
    let request = CloseRequest {
        missing: [(B.to_string(), "按新目录计数".to_string())].into(),
        ..CloseRequest::default()
    };
    let closed = w.desk(CITY).try_close(FEB, &request, after(FEB)).unwrap();
    assert!(
        closed
            .verdicts
            .iter()
            .all(|v| !v.failed() || v.check.as_str() == "authorship")
    );
    assert_eq!(scope(&w, CITY, FEB, "I2").value, Some(2));
}

#[test]
fn a_catalogue_that_cannot_follow_stops_nobody_and_nobody_counts_by_it() {
    let (mut w, _) = january();
    let bad = version(2, |c| {
        let sex = c.dimensions.iter_mut().find(|d| d.id == "sex").unwrap();
        sex.codes.remove(0);
    });
    install(&mut w, &bad, &ALL);
    w.desk(A).train(7, "2026-02-11", at("2026-02-20"));
    w.report_all(FEB, after(FEB));
    assert_eq!(ALL.map(|id| version_of(&w, id, FEB)), [1; 4]);
    let mut third = second();
    third.version = 3;
    install(&mut w, &third, &ALL);
    w.report_all(MAR, after(MAR));
    assert_eq!(ALL.map(|id| version_of(&w, id, MAR)), [3; 4]);
    assert_eq!(scope(&w, PROVINCE, MAR, "I2").value, Some(3));
    evidence_holds(&mut w);
}

#[test]
fn a_month_that_is_closed_anew_keeps_its_catalogue() {
    let (mut w, _) = january();
    install(&mut w, &second(), &ALL);
    // The province has no leaf in January: only what it closed tells.
    assert_eq!(version_of(&w, PROVINCE, JAN), 1);
    review::check_all(w.desk(PROVINCE).books(), false, after(JAN)).unwrap();
    use protocol::receipt::Decision;
    w.decide(PROVINCE, CITY, JAN, Decision::Reopened, after(JAN));
    w.desk(CITY).train(1, "2026-01-12", after(JAN));
    w.report(CITY, JAN, after(JAN));
    assert_eq!(version_of(&w, CITY, JAN), 1);
}

/// Version 2 lacks a stock, version 3 has it again under a new id, but under the key that plans know.
#[test]
fn a_stock_that_comes_back_under_its_old_key_counts_everybody() {
    let (mut w, _) = january();
    assert_eq!(scope(&w, PROVINCE, JAN, "I9").value, Some(4));
    let without = version(2, |c| c.indicators.retain(|i| i.id != "I9"));
    install(&mut w, &without, &ALL);
    let now = at("2026-02-20");
    w.desk(A).register(&[id_no(4)], "2026-02-03", now);
    w.report_all(FEB, after(FEB));
    assert_eq!(ALL.map(|id| version_of(&w, id, FEB)), [2; 4]);
    let back = version(3, |c| indicator(c, "I9").id = "I92".into());
    install(&mut w, &back, &ALL);
    w.report_all(MAR, after(MAR));
    assert_eq!(ALL.map(|id| version_of(&w, id, MAR)), [3; 4]);
    // Those of January, who had counted in it before, and the one who came when it was not there.
    assert_eq!(scope(&w, A, MAR, "I92").value, Some(4));
    assert_eq!(scope(&w, PROVINCE, MAR, "I92").value, Some(5));
    evidence_holds(&mut w);
    w.desk(A).reopen();
    assert_eq!(scope(&w, A, MAR, "I92").value, Some(4));
}

/// The void takes back by January's catalogue what the new leaf counts by February's.
#[test]
fn an_event_of_the_old_catalogue_is_corrected_by_the_new_one() {
    let (mut w, hired) = january();
    install(&mut w, &second(), &ALL);
    let now = at("2026-02-20");
    let line = |id: &str| {
        format!(r#"{{"id_no":"{id}","employer":"甲厂","wage":300000,"occurred_on":"2026-01-06"}}"#)
    };
    let a = w.desk(A);
    let first = a.correct(hired, "E02", &line(&id_no(3)), now).unwrap();
    // What was corrected is corrected again, now within one catalogue.
    a.correct(first.index, "E02", &line(&id_no(1)), now)
        .unwrap();
    w.report_all(FEB, after(FEB));
    assert_eq!(version_of(&w, A, FEB), 2);
    assert_eq!(scope(&w, A, FEB, "I2").value, Some(2));
    assert_eq!(scope(&w, A, FEB, "I10").value, Some(0));
    assert_eq!(scope(&w, PROVINCE, FEB, "I2").value, Some(3));
    // The next month can take the corrected one back.
    let now = at("2026-03-20");
    w.desk(A).leave(&id_no(1), "甲厂", "2026-03-02", now);
    w.report_all(MAR, after(MAR));
    assert_eq!(scope(&w, A, MAR, "I2").value, Some(1));
    evidence_holds(&mut w);
    w.desk(A).reopen();
    assert_eq!(scope(&w, A, MAR, "I2").value, Some(1));
}
