//! Reports as people read them: the numbers of the report and nothing else, with names.
#![allow(missing_docs, clippy::unwrap_used)]

use kit::{A, CITY, FEB, JAN, World, catalogue, code};
use protocol::readable::{Measure, ReadableFigure, ReadableReport, compare, figures};

fn report(w: &World, id: &str, period: &str) -> ReadableReport {
    ReadableReport::of(
        &w.held(id, period),
        &catalogue(),
        Some(w.registry.registry()),
    )
}

/// Every number of a report, by figure, scope, table and cell.
fn numbers(read: &[ReadableFigure]) -> Vec<(String, i64, i64)> {
    let cells = read.iter().flat_map(|f| {
        let tables = f.tables.iter();
        tables.flat_map(move |t| {
            let named = move |c: &protocol::readable::ReadableCell| {
                let place = format!("{}:{}:{}", f.id, t.table, c.cell);
                (place, c.own.value.unwrap(), c.total.value.unwrap())
            };
            t.cells.iter().map(named)
        })
    });
    cells.collect()
}

#[test]
fn every_number_of_a_report_is_there_under_its_label() {
    let w = World::honest();
    let catalogue = catalogue();
    let held = w.held(CITY, JAN);
    let read = report(&w, CITY, JAN);
    assert_eq!((read.digest, read.revision), (held.digest(), 1));
    assert_ne!(read.name, CITY, "the unit has a name");
    assert_eq!(read.figures.len(), held.rollup.figures.len());
    for (figure, shown) in held.rollup.figures.iter().zip(&read.figures) {
        let indicator = catalogue.indicator_of_figure(&figure.id).unwrap();
        assert!(shown.name.zh.starts_with(&indicator.zh), "{}", shown.id);
        assert_eq!(shown.own.value, figure.own.value);
        assert_eq!(shown.total.value, figure.scope().value);
        assert_eq!(shown.total.denominator, figure.scope().den);
        assert!(shown.summed);
        let cells: Vec<i64> = shown
            .tables
            .iter()
            .flat_map(|t| t.cells.iter().map(|c| c.total.value.unwrap()))
            .collect();
        assert_eq!(cells, figure.scope().cells.concat(), "{}", shown.id);
        for cell in shown.tables.iter().flat_map(|t| &t.cells) {
            assert!(cell.labels.iter().all(|l| !l.zh.is_empty()));
        }
    }
    assert!(
        numbers(&read.figures)
            .iter()
            .any(|(_, own, total)| own != total)
    );
}

#[test]
fn two_figures_of_one_indicator_are_told_apart_in_words() {
    let w = World::honest();
    let read = report(&w, A, JAN).figures;
    let name = |id: &str| read.iter().find(|f| f.id == id).unwrap().name.clone();
    assert_ne!(name("I1"), name("I1@plan"));
    assert!(name("I1").zh.contains("本年内"), "{:?}", name("I1"));
    assert!(name("I1@plan").zh.contains("2026-01-01 至 2027-12-31"));
    assert!(name("I1@plan").en.contains("2026-01-01 to 2027-12-31"));
}

#[test]
fn two_months_are_compared_cell_by_cell() {
    let w = World::honest();
    let (before, after) = (report(&w, CITY, JAN), report(&w, CITY, FEB));
    let changes = compare(&before.figures, &after.figures);
    assert_eq!(changes.len(), after.figures.len());
    let (then, now) = (numbers(&before.figures), numbers(&after.figures));
    let mut changed = 0;
    for ((place, own, total), (_, new_own, new_total)) in then.iter().zip(&now) {
        let mut parts = place.split(':');
        let (id, table, cell) = (
            parts.next().unwrap(),
            parts.next().unwrap(),
            parts.next().unwrap(),
        );
        let figure = changes.iter().find(|c| c.id == id).unwrap();
        let told = figure
            .cells
            .iter()
            .find(|c| c.table == table && c.cell == cell);
        let differs = own != new_own || total != new_total;
        assert_eq!(told.is_some(), differs, "{place}");
        if let Some(told) = told {
            changed += 1;
            assert_eq!(told.own.difference, Some(new_own - own), "{place}");
            assert_eq!(told.total.difference, Some(new_total - total), "{place}");
        }
    }
    assert!(changed > 0, "February is not January");
    let same = compare(&before.figures, &before.figures);
    assert!(same.iter().all(|c| !c.is_change()));
}

#[test]
fn cells_of_two_catalogues_are_matched_by_code() {
    let w = World::honest();
    let held = w.held(A, JAN);
    let old = catalogue();
    let mut new = catalogue();
    let sex = new.dimensions.iter_mut().find(|d| d.id == "sex").unwrap();
    sex.codes.insert(0, code("9"));
    let before = figures(&held.rollup.figures, &old);
    // The same numbers by a catalogue with a further code in front: its cell begins at 0.
    let mut counted = held.rollup.figures.clone();
    for figure in &mut counted {
        let indicator = new.indicator_of_figure(&figure.id).unwrap();
        for (table, cells) in indicator.tables.iter().zip(&mut figure.own.cells) {
            let missing = new.cells(table).len() - cells.len();
            cells.splice(0..0, vec![0; missing]);
        }
    }
    let after = figures(&counted, &new);
    for change in compare(&before, &after) {
        for cell in &change.cells {
            assert!(cell.cell.starts_with('9'), "{} {}", change.id, cell.cell);
            assert!(cell.own.before.is_none() && cell.own.difference.is_none());
        }
    }
    let gone = compare(&after, &before);
    assert!(
        gone.iter()
            .flat_map(|c| &c.cells)
            .all(|c| c.cell.starts_with('9') && c.own.after.is_none())
    );
    assert!(gone.iter().any(|c| !c.cells.is_empty()));
}

#[test]
fn a_cell_is_found_by_code_by_label_and_with_its_table() {
    let w = World::honest();
    let read = report(&w, A, JAN);
    let figure = read
        .figures
        .iter()
        .find(|f| f.tables.iter().any(|t| t.table == "sex"))
        .unwrap();
    let cell = &figure
        .tables
        .iter()
        .find(|t| t.table == "sex")
        .unwrap()
        .cells[0];
    assert_eq!(figure.cell(&format!("sex:{}", cell.cell)), Some(cell));
    assert_eq!(
        figure.cell(&format!("sex:{}", cell.labels[0].zh)),
        Some(cell)
    );
    assert_eq!(figure.cell("sex:none"), None);
    assert_eq!(read.figure(&figure.name.zh).unwrap().id, figure.id);
    assert!(matches!(figure.measure, Measure::Count(_)));
}
