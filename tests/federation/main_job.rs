//! The main job from the outside: the two scenes of the demonstration, and what its evidence file
//! says to others.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use countersign_demo::ledger::{
    CorrectionKind, DEFAULT_SEED, Ledger, LedgerOptions, LedgerUnit, Sheet, generate,
};
use countersign_demo::world::{Deploy, choose};
use countersign_demo::year::CITIES;
use federation_tests::{directory, nats_server, programs, repository};
use protocol::evidence::{Evidence, file};
use protocol::rollup::Rollup;

/// The schemes that I118 adds up.
const SUBSIDIES: [&str; 5] = ["insurance", "post", "flex", "org", "conc"];

fn demo(dir: &Path, more: &[&str]) -> std::process::Output {
    Command::new(programs().join("countersign-demo"))
        .arg("run")
        .arg("--dir")
        .arg(dir)
        .arg("--deploy")
        .arg(repository().join("deploy"))
        .arg("--nats-server")
        .arg(nats_server())
        .args(more)
        .output()
        .unwrap()
}

/// A year: every check holds, the planned accidents are noted, and the province's totals are the
/// planted contributions, so that a lost or doubled event would show.
#[test]
fn a_year_of_months() {
    let dir = directory("year");
    let output = demo(&dir, &[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let bytes = std::fs::read(dir.join("evidence.zip")).unwrap();
    let evidence = file::read(&bytes).unwrap();
    assert_eq!(
        file::write(&evidence).unwrap(),
        bytes,
        "the same content gives the same bytes"
    );
    let ledger = planted_ledger();
    assert_eq!(evidence.units.len(), ledger.units.len());
    the_totals_are_the_planted_contributions(&evidence, &ledger);
    returned_and_reopened_months_have_two_revisions(&evidence);
    no_person_is_in_what_went_up(&dir, bytes, &ledger);
}

/// What the demonstration recorded.
fn planted_ledger() -> Ledger {
    let deploy = Deploy(repository().join("deploy"));
    let units = choose(&deploy, &CITIES).unwrap().into_iter();
    generate(&LedgerOptions {
        seed: DEFAULT_SEED,
        year: 2023,
        units: units
            .map(|(id, _, tier, parent)| LedgerUnit { id, tier, parent })
            .collect(),
    })
}

/// All files of all units.
fn sheets(ledger: &Ledger) -> impl Iterator<Item = &Sheet> {
    let months = ledger.units.iter().flat_map(|u| &u.months);
    months.flat_map(|m| &m.sheets)
}

/// Counted by nothing but the ledger's rows.
fn the_totals_are_the_planted_contributions(evidence: &Evidence, ledger: &Ledger) {
    let mut planted = (0_i64, 0_i64);
    for sheet in sheets(ledger) {
        for row in 0..sheet.rows.len() {
            if sheet.cell(row, "occurred_on").unwrap() < "2023-01-01" {
                continue;
            }
            planted.0 += i64::from(sheet.event == "E16");
            if sheet.event == "E36" && SUBSIDIES.contains(&sheet.cell(row, "scheme").unwrap()) {
                let amount = sheet.cell(row, "amount_fen").unwrap();
                planted.1 += amount.parse::<i64>().unwrap();
            }
        }
    }
    let (hires, amount) = corrected(ledger);
    let province = &evidence.units[&"140000".parse().unwrap()];
    let mut totals: BTreeMap<String, i64> = BTreeMap::new();
    for note in province.rollups.values() {
        for figure in Rollup::parse(note.text()).unwrap().figures {
            *totals.entry(figure.id.clone()).or_default() += figure.scope().value.unwrap_or(0);
        }
    }
    assert_eq!(totals["I012"], planted.0 + hires, "hires");
    assert_eq!(totals["I118"], planted.1 + amount, "subsidies in fen");
}

/// What the ledger's corrections change of hires and subsidies.
fn corrected(ledger: &Ledger) -> (i64, i64) {
    let (mut hires, mut amount) = (0, 0);
    for c in &ledger.corrections {
        let (sheet, cells) = ledger.unit(&c.unit).unwrap().row(&c.target).unwrap();
        let cell = |cells: &[String], name: &str| {
            let mut columns = std::iter::once(&"occurred_on").chain(sheet.columns);
            cells[columns.position(|x| *x == name).unwrap()].clone()
        };
        match (&c.kind, sheet.event) {
            (CorrectionKind::Void, "E16") => hires -= 1,
            (CorrectionKind::Correct(new), "E36")
                if SUBSIDIES.contains(&cell(cells, "scheme").as_str()) =>
            {
                let fen = |cells: &[String]| cell(cells, "amount_fen").parse::<i64>().unwrap();
                amount += fen(new) - fen(cells);
            }
            _ => {}
        }
    }
    (hires, amount)
}

/// The accidents of the year; a month that was only late has one.
fn returned_and_reopened_months_have_two_revisions(evidence: &Evidence) {
    let revisions = |unit: &str, month: &str| {
        let unit = &evidence.units[&unit.parse().unwrap()];
        let months = unit.rollups.keys().filter(|(m, _)| m.to_string() == month);
        months.count()
    };
    assert_eq!(
        (
            revisions("140311", "2023-03"),
            revisions("140300", "2023-08"),
            revisions("140302", "2023-05")
        ),
        (2, 2, 1)
    );
}

/// No person of any record is in what went up, or in a log: no name, and no ID number of any person
/// of the ledger.
fn no_person_is_in_what_went_up(dir: &Path, evidence: Vec<u8>, ledger: &Ledger) {
    let mut persons = Vec::new();
    for sheet in sheets(ledger) {
        let numbers = (0..sheet.rows.len())
            .filter_map(|r| sheet.cell(r, "id_no").or(sheet.cell(r, "cert_no")));
        persons.extend(numbers.map(|id| &id[..17]));
    }
    assert!(
        persons.len() > 5_000,
        "the search would find nothing to search for"
    );
    let numbers: BTreeSet<&str> = persons.into_iter().collect();
    let mut places = vec![("evidence".to_string(), evidence)];
    for m in ["nats.log", "units/140302/node.log", "units/140000/node.log"] {
        places.push((m.to_string(), std::fs::read(dir.join(m)).unwrap()));
    }
    for (place, bytes) in places {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("测试"), "a name in {place}");
        let found = text.match_indices("999999");
        let ids = found.filter_map(|(at, _)| text.get(at..at + 17));
        assert_eq!(
            ids.filter(|id| numbers.contains(id)).count(),
            0,
            "an ID number in {place}"
        );
    }
}

/// Each cheat is caught by the check that must name it.
#[test]
fn cheats_are_caught() {
    let output = demo(&directory("cheat"), &["--cheat"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!text.contains("NOT caught"), "{text}");
    assert_eq!(
        text.matches("caught by").count() + text.matches("caught at").count(),
        11,
        "{text}"
    );
    assert_eq!(text.matches("told to 140322").count(), 1, "{text}");
}
