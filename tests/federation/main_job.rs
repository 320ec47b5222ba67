//! The main job from the outside: the two scenes of the demonstration, and what its evidence file
//! says to others.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use countersign_demo::ledger::{CorrectionKind, DEFAULT_SEED, LedgerOptions, LedgerUnit, generate};
use federation_tests::{directory, nats_server, programs, repository};
use protocol::evidence::file;
use protocol::ids::Tier;
use protocol::rollup::Rollup;

fn demo(dir: &std::path::Path, more: &[&str]) -> std::process::Output {
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
    let path = dir.join("evidence.zip");
    let bytes = std::fs::read(&path).unwrap();
    let evidence = file::read(&bytes).unwrap();
    assert_eq!(
        file::write(&evidence).unwrap(),
        bytes,
        "the same content gives the same bytes"
    );

    // Planted contributions: what the ledger contains, counted by nothing but its rows.
    let units: Vec<LedgerUnit> = countersign_demo::world::choose(
        &countersign_demo::world::Deploy(repository().join("deploy")),
        &countersign_demo::year::CITIES,
    )
    .unwrap()
    .into_iter()
    .map(|(id, _, tier, parent)| LedgerUnit { id, tier, parent })
    .collect();
    let counties: Vec<_> = units
        .iter()
        .filter(|u| u.tier == Tier::County)
        .map(|u| u.id.clone())
        .collect();
    let ledger = generate(&LedgerOptions {
        seed: DEFAULT_SEED,
        year: 2023,
        units,
    });
    let mut hires = 0_i64;
    let mut amount = 0_i64;
    let rows = ledger
        .units
        .iter()
        .flat_map(|u| u.months.iter().flat_map(|m| &m.sheets));
    let subsidies = ["insurance", "post", "flex", "org", "conc"];
    for sheet in rows {
        for row in 0..sheet.rows.len() {
            let this_year = sheet.cell(row, "occurred_on").unwrap() >= "2023-01-01";
            hires += i64::from(sheet.event == "E16" && this_year);
            if sheet.event == "E36"
                && this_year
                && subsidies.contains(&sheet.cell(row, "scheme").unwrap())
            {
                amount += sheet.cell(row, "amount").unwrap().parse::<i64>().unwrap();
            }
        }
    }
    for c in &ledger.corrections {
        let (sheet, cells) = ledger.unit(&c.unit).unwrap().row(&c.target).unwrap();
        let cell = |cells: &[String], name: &str| {
            let position = std::iter::once(&"occurred_on")
                .chain(sheet.columns)
                .position(|x| *x == name)
                .unwrap();
            cells[position].clone()
        };
        match (&c.kind, sheet.event) {
            (CorrectionKind::Void, "E16") => hires -= 1,
            (CorrectionKind::Correct(new), "E36")
                if subsidies.contains(&cell(cells, "scheme").as_str()) =>
            {
                amount += cell(new, "amount").parse::<i64>().unwrap()
                    - cell(cells, "amount").parse::<i64>().unwrap();
            }
            _ => {}
        }
    }
    let province = &evidence.units[&"140000".parse().unwrap()];
    let mut totals: BTreeMap<String, i64> = BTreeMap::new();
    for note in province.rollups.values() {
        for figure in Rollup::parse(note.text()).unwrap().figures {
            *totals.entry(figure.id.clone()).or_default() += figure.scope().value.unwrap_or(0);
        }
    }
    assert_eq!(totals["I012"], hires, "hires");
    assert_eq!(totals["I118"], amount, "subsidies in fen");

    // The accidents: a returned month and a reopened one have two revisions.
    let revisions = |unit: &str, month: &str| {
        let unit = &evidence.units[&unit.parse().unwrap()];
        unit.rollups
            .keys()
            .filter(|(m, _)| m.to_string() == month)
            .count()
    };
    assert_eq!(
        (
            revisions("140311", "2023-03"),
            revisions("140300", "2023-08"),
            revisions("140302", "2023-05")
        ),
        (2, 2, 1)
    );
    assert_eq!(evidence.units.len(), 3 + counties.len());

    // No person of any record is in what went up, or in a log: no name, and no ID number of any
    // person of the ledger.
    let persons: Vec<String> = ledger
        .units
        .iter()
        .flat_map(|u| u.months.iter().flat_map(|m| &m.sheets))
        .flat_map(|s| {
            (0..s.rows.len()).filter_map(|r| {
                s.cell(r, "id_no")
                    .or(s.cell(r, "cert_no"))
                    .map(|id| id[..17].to_string())
            })
        })
        .collect();
    assert!(
        persons.len() > 5_000,
        "the search would find nothing to search for"
    );
    let mut places = vec![("evidence".to_string(), bytes)];
    for m in ["nats.log", "units/140302/node.log", "units/140000/node.log"] {
        places.push((m.to_string(), std::fs::read(dir.join(m)).unwrap()));
    }
    for (place, bytes) in places {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("测试"), "a name in {place}");
        let numbers: BTreeSet<&str> = persons.iter().map(String::as_str).collect();
        let ids = text
            .match_indices("999999")
            .filter_map(|(at, _)| text.get(at..at + 17));
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
