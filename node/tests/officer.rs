//! What an officer reads before he decides: figures, what changed, who is missing, units side by
//! side; many reports accepted at once; what came after the own close.
#![allow(missing_docs, clippy::unwrap_used)]

use std::io::Read;

use kit::on_disk::*;
use kit::{month, unit};
use node::desk::close::CloseRequest;
use node::export;
use node::intake::Intake;
use node::queries::below::{self, BelowState};
use node::queries::child_report::child_report;
use node::queries::figures::{self, WhichReport};
use node::queries::units;
use node::review::{self, Ruling};
use node::web::api::figure_shapes as shapes;
use protocol::receipt::Decision;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads a value by its shape and writes it again: a field that the shape lacks gets lost, one
/// that the value lacks is missed.
#[track_caller]
fn holds<S: Serialize + DeserializeOwned>(value: &impl Serialize) {
    let json = serde_json::to_value(value).unwrap();
    let shape: S = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(shape).unwrap(), json);
}

fn of(id: &str, period: &str) -> WhichReport {
    WhichReport {
        unit: Some(unit(id)),
        month: Some(month(period)),
        revision: None,
    }
}

#[test]
fn figures_are_read_with_names_and_come_by_unit_month_and_revision() {
    let mut w = two_months();
    let books = w.desk(CITY).books();
    let own = figures::figures(books, &WhichReport::default()).unwrap();
    assert_eq!((own.unit.as_str(), own.period), (CITY, month(FEB)));
    let below = figures::figures(books, &of(A, JAN)).unwrap();
    let held = books.child(&unit(A)).unwrap().accepted(month(JAN)).unwrap();
    assert_eq!(below.digest, held.digest());
    let hired = below.figure("I1").unwrap();
    assert_eq!(
        (hired.total.value, hired.total.text.as_str()),
        (Some(2), "2 人")
    );
    let wages = below.figure("I3").unwrap();
    assert!(wages.total.text.ends_with(" 元"), "{}", wages.total.text);
    assert_eq!(
        below
            .figure("I1@plan")
            .unwrap()
            .name
            .zh
            .matches("2026-01-01")
            .count(),
        1
    );
    holds::<shapes::ReadableReport>(&below);

    for which in [of(A, MAR), of(PROVINCE, JAN), of("140399", JAN)] {
        assert_eq!(code_of(figures::figures(books, &which)), "figures.none");
    }
    let second = WhichReport {
        revision: Some(2),
        ..of(A, JAN)
    };
    assert_eq!(code_of(figures::figures(books, &second)), "figures.none");
}

#[test]
fn a_unit_is_named_by_code_or_name() {
    let mut w = two_months();
    let books = w.desk(CITY).books();
    let registry = books.registry().unwrap().registry();
    let name = registry.unit(&unit(A)).unwrap().name().to_string();
    assert_eq!(units::named(books, A).unwrap(), unit(A));
    assert_eq!(units::named(books, &format!(" {name} ")).unwrap(), unit(A));
    assert_eq!(code_of(units::named(books, "没有的县")), "unit.unknown");
    assert_eq!(code_of(units::named(books, "")), "unit.unknown");
}

#[test]
fn a_revision_is_compared_cell_by_cell_with_the_one_before() {
    let mut w = two_revisions();
    let books = w.desk(CITY).books();
    let found = figures::difference(books, &unit(A), month(JAN), None).unwrap();
    assert_eq!((found.before.revision, found.after.revision), (1, 2));
    let hired = found.changes.iter().find(|c| c.id == "I1").unwrap();
    assert_eq!(hired.total.difference, Some(1));
    assert_eq!(hired.total.text, "+1 人");
    let cells: i64 = hired.cells.iter().filter_map(|c| c.total.difference).sum();
    assert_eq!(cells, 1, "the table's cells tell the same");
    assert!(
        !found.changes.iter().any(|c| c.id == "I4"),
        "only what changed"
    );
    holds::<shapes::Difference>(&found);
    let back = figures::difference(books, &unit(A), month(JAN), Some((2, 1))).unwrap();
    let hired = back.changes.iter().find(|c| c.id == "I1").unwrap();
    assert_eq!(hired.total.difference, Some(-1));
    for revisions in [Some((1, 3)), Some((0, 1))] {
        let refused = figures::difference(books, &unit(A), month(JAN), revisions);
        assert_eq!(code_of(refused), "figures.none");
    }
    assert_eq!(
        code_of(figures::difference(books, &unit(B), month(JAN), None)),
        "figures.none"
    );
}

#[test]
fn a_report_is_shown_with_all_that_its_officer_decides_by() {
    let mut w = two_revisions();
    let books = w.desk(CITY).books();
    let shown = child_report(books, &unit(A), month(JAN), None).unwrap();
    assert_eq!(shown.report.revision, 2, "the one that is to be decided on");
    assert!(shown.open && shown.decision.is_none() && shown.arrived.is_some());
    assert_eq!(shown.checks.len(), 5);
    assert!(shown.checks.iter().all(|c| !c.outcome_name.zh.is_empty()));
    let said: Vec<_> = shown
        .thread
        .iter()
        .map(|w| (w.revision, w.decision))
        .collect();
    assert_eq!(said, [(1, Decision::Returned)]);
    assert_eq!(shown.thread[0].reasons, ["please look again"]);
    let since = shown.since_revision.as_ref().unwrap();
    assert!(since.changes.iter().any(|c| c.id == "I1"));
    assert!(shown.since_month.is_none() && shown.since_year.is_none());
    holds::<shapes::ChildReport>(&shown);
    let first = child_report(books, &unit(A), month(JAN), Some(1)).unwrap();
    assert_eq!(
        (first.decision, first.open),
        (Some(Decision::Returned), false)
    );
    for (id, period, revision) in [
        (A, FEB, None),
        (B, JAN, None),
        (A, JAN, Some(3)),
        (CITY, JAN, None),
    ] {
        let refused = child_report(books, &unit(id), month(period), revision);
        assert_eq!(code_of(refused), "figures.none", "{id} {period}");
    }
    let mut later = two_months();
    let books = later.desk(CITY).books();
    let shown = child_report(books, &unit(A), month(FEB), None).unwrap();
    let since = shown.since_month.unwrap();
    assert_eq!(since.before.period, month(JAN));
    assert!(!since.changes.is_empty());
}

#[test]
fn who_is_missing_is_told_with_the_day_that_it_was_due() {
    let mut w = two_revisions();
    let books = w.desk(CITY).books();
    let missing = below::missing(books, month(JAN), after(JAN));
    let told: Vec<_> = missing.iter().map(|m| (m.unit.as_str(), m.state)).collect();
    assert_eq!(told, [(B, BelowState::NotIn), (A, BelowState::ToDecide)]);
    assert!(missing[1].overdue.is_none() && missing[0].overdue.is_none());
    holds::<Vec<shapes::Expected>>(&missing);
    let late = below::missing(books, month(JAN), at("2026-06-01"));
    let days = late[0].overdue.unwrap();
    let due: chrono::NaiveDate = late[0].due.parse().unwrap();
    assert_eq!(
        due + chrono::Days::new(u64::try_from(days).unwrap()),
        at("2026-06-01").date_naive()
    );
    assert!(late[1].overdue.is_none(), "what came is not overdue");
    w.decide(CITY, A, JAN, Decision::Accepted, after(JAN));
    let missing = below::missing(w.desk(CITY).books(), month(JAN), after(JAN));
    assert_eq!(missing.len(), 1);
}

#[test]
fn a_figure_stands_side_by_side_and_who_is_missing_has_no_number() {
    let mut w = two_revisions();
    let now = after(JAN);
    let books = w.desk(CITY).books();
    let by = ["sex".to_string()];
    let table = below::table(books, month(JAN), "I1", &by, now).unwrap();
    assert_eq!(table.columns.len(), 2);
    let rows: Vec<_> = table
        .rows
        .iter()
        .map(|r| (r.unit.as_str(), r.total.is_some()))
        .collect();
    assert_eq!(rows, [(B, false), (A, true)]);
    let (a, b) = (&table.rows[1], &table.rows[0]);
    let cells: i64 = a
        .cells
        .iter()
        .map(|c| c.as_ref().unwrap().value.unwrap())
        .sum();
    assert_eq!((a.total.as_ref().unwrap().value, cells), (Some(2), 2));
    assert_eq!(
        (b.state, b.cells.clone()),
        (Some(BelowState::NotIn), vec![None, None])
    );
    holds::<shapes::FigureTable>(&table);
    // By its name, and one cell by its label.
    let name = &table.name.zh;
    let women = below::table(books, month(JAN), name, &["女".to_string()], now).unwrap();
    assert_eq!((women.figure.as_str(), women.columns.len()), ("I1", 1));
    for (figure, by) in [("I999", "sex"), ("I1", "none"), ("I1", "sex:9")] {
        let refused = below::table(books, month(JAN), figure, &[by.to_string()], now);
        assert_eq!(code_of(refused), "figures.unknown", "{figure} {by}");
    }
    let mut closed = two_months();
    let table = below::table(closed.desk(CITY).books(), month(JAN), "I1", &[], now).unwrap();
    let own = table.rows.last().unwrap();
    assert_eq!((own.unit.as_str(), own.state), (CITY, None));
    let parts: i64 = table.rows[..2]
        .iter()
        .map(|r| r.total.as_ref().unwrap().value.unwrap())
        .sum();
    assert_eq!(own.total.as_ref().unwrap().value, Some(parts));
}

#[test]
fn what_is_wholly_verified_is_accepted_together_and_what_has_a_remark_is_not() {
    let mut w = two_revisions();
    // B's report comes months after the day that it was due.
    w.desk(B).train(2, "2026-01-10", at("2026-01-20"));
    let late = at("2026-07-01");
    w.desk(B).finish(JAN, late);
    w.send(B, &[CITY], late);
    let books = w.desk(CITY).books();
    review::check_all(books, false, late).unwrap();
    assert_eq!(review::wholly_verified(books, month(JAN)), [unit(A)]);
    let asked = [unit(A), unit(B), unit(PROVINCE)];
    let (notes, told) = review::accept_many(books, &asked, month(JAN), "1403/tongji", late);
    holds::<Vec<shapes::Accepted>>(&told);
    let outcomes: Vec<_> = told.iter().map(|o| o.accepted).collect();
    assert_eq!((notes.len(), outcomes), (1, vec![true, false, false]));
    let code = |n: usize| told[n].faults[0].code.to_string();
    assert_eq!(
        (code(1), code(2)),
        ("review.remark".into(), "review.unit".into())
    );
    assert!(review::wholly_verified(books, month(JAN)).is_empty());
    let (notes, told) = review::accept_many(books, &[unit(A)], month(JAN), "1403/tongji", late);
    assert!(notes.is_empty() && told[0].faults[0].code == "review.state");
    // Alone, with a comment that the county gets to read.
    let ruling = Ruling::new(Decision::Accepted, "1403/tongji").because("迟报，已核对");
    let notes = review::decide(books, &unit(B), month(JAN), ruling, late).unwrap();
    let taken = node::desk::receipt::take_receipt(w.desk(B).books(), notes[0].as_bytes()).unwrap();
    assert_eq!(taken, Intake::Done);
    let shown = child_report(w.desk(CITY).books(), &unit(B), month(JAN), None).unwrap();
    assert_eq!(shown.thread.last().unwrap().reasons, ["迟报，已核对"]);
}

#[test]
fn what_came_after_the_own_close_stands_until_it_is_taken_up() {
    let mut w = two_revisions();
    let changed = |w: &mut World| below::changed(w.desk(CITY).books());
    w.decide(CITY, A, JAN, Decision::Accepted, after(JAN));
    let request = CloseRequest {
        missing: [(B.to_string(), "停电".to_string())].into(),
        ..CloseRequest::default()
    };
    w.desk(CITY).try_close(JAN, &request, after(JAN)).unwrap();
    assert!(changed(&mut w).is_empty());

    w.desk(B).train(2, "2026-01-10", at("2026-01-20"));
    w.desk(B).finish(JAN, after(JAN));
    w.send(B, &[CITY], after(JAN));
    let told = changed(&mut w);
    assert_eq!(
        (
            told.len(),
            told[0].unit.as_str(),
            told[0].used,
            told[0].accepted
        ),
        (1, B, None, false)
    );
    holds::<Vec<node::web::api::shapes::ChangedBelow>>(&told);
    w.decide(CITY, B, JAN, Decision::Accepted, after(JAN));
    assert!(changed(&mut w)[0].accepted);

    // Not submitted yet: it is closed anew, and nothing is left to be told.
    w.desk(CITY)
        .try_close(JAN, &CloseRequest::default(), after(JAN))
        .unwrap();
    assert!(changed(&mut w).is_empty());
    w.desk(CITY).sign(JAN);
    w.desk(CITY).submit(JAN, after(JAN));
    w.decide(CITY, A, JAN, Decision::Reopened, after(FEB));
    w.desk(A).train(1, "2026-01-12", after(FEB));
    w.desk(A).finish(JAN, after(FEB));
    w.send(A, &[CITY], after(FEB));
    w.decide(CITY, A, JAN, Decision::Accepted, after(FEB));
    let told = changed(&mut w);
    assert_eq!((told.len(), told[0].used, told[0].now), (1, Some(2), 3));
}

/// The cells of a line of CSV.
fn cells_of(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

#[test]
fn a_report_leaves_as_csv_and_as_a_spreadsheet() {
    let mut w = two_months();
    let books = w.desk(CITY).books();
    let mut report = figures::figures(books, &of(A, JAN)).unwrap();
    report.name = "=HYPERLINK(\"http://x\")".into();
    let file = String::from_utf8(export::csv(&report)).unwrap();
    let text = file.strip_prefix('\u{feff}').unwrap();
    let rows: Vec<Vec<String>> = text.lines().skip(1).map(cells_of).collect();
    let cells = |f: &protocol::readable::ReadableFigure| {
        f.tables.iter().map(|t| t.cells.len()).sum::<usize>()
    };
    let numbers: usize = report.figures.iter().map(|f| 1 + cells(f)).sum();
    assert_eq!(rows.len(), numbers, "one row a number");
    for row in &rows {
        assert!(
            row[1].starts_with("'="),
            "no cell is a formula: {}",
            &row[1]
        );
        assert_eq!(row[15], report.digest.to_string());
    }
    let wages = rows.iter().find(|r| r[4] == "I3").unwrap();
    let fen = report.figure("I3").unwrap().total.value.unwrap();
    assert_eq!(
        (wages[12].as_str(), wages[6].as_str()),
        (format!("{}.{:02}", fen / 100, fen % 100).as_str(), "元")
    );

    let book = export::xlsx(&report).unwrap();
    assert_eq!(
        book,
        export::xlsx(&report).unwrap(),
        "the same report is the same file"
    );
    assert!(book.starts_with(b"PK"));
    let mut sheet = Vec::new();
    book.as_slice().read_to_end(&mut sheet).unwrap();
    assert!(sheet.len() > 1000);
}
