//! The catalogue, plans and units that are shipped in `deploy/`: that they load, and that they
//! count what the domain says.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in #[test] functions; the helpers here are tests too

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use protocol::catalogue::{Catalogue, EventType, Kind, Subject};
use protocol::count::cel::Condition;
use protocol::count::engine::History;
use protocol::count::scope::{Scope, map};
use protocol::count::{Balance, Engine, Fact, Fields, Move, MoveKind, Moves, Value};
use protocol::ids::{Tier, UnitId, credit_check_char, id_check_digit};
use protocol::period::Month;
use protocol::plan::Plan;
use protocol::row::Schema;

fn deploy(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../deploy")
        .join(part)
}

fn toml_files(part: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = std::fs::read_dir(deploy(part))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

fn catalogue() -> Catalogue {
    Catalogue::from_files(&toml_files("catalogue")).unwrap_or_else(|faults| panic!("{faults}"))
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// An ID number of an area that does not exist.
fn id_no(birth: &str, serial: u32) -> String {
    let first = format!("999999{birth}{serial:03}");
    format!("{first}{}", id_check_digit(&first).unwrap())
}

fn credit(serial: u32) -> String {
    let first = format!("91999999{serial:09}");
    format!("{first}{}", credit_check_char(&first).unwrap())
}

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs
        .iter()
        .map(|(name, value)| {
            let value = match *value {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                text => match text.strip_prefix('#').map(str::parse) {
                    Some(Ok(number)) => Value::Int(number),
                    _ => Value::Text(text.to_string()),
                },
            };
            ((*name).to_string(), value)
        })
        .collect()
}

/// A unit's log in small: what the desk does for one subject, so that the tests see moves alone.
struct Ledger<'a> {
    engine: &'a Engine,
    subject: Subject,
    first_day: NaiveDate,
    facts: Vec<Fact>,
    moves: Vec<(Month, Moves)>,
    voided: BTreeSet<u64>,
}

impl<'a> Ledger<'a> {
    fn new(engine: &'a Engine, subject: Subject) -> Ledger<'a> {
        Ledger {
            engine,
            subject,
            first_day: day("2023-01-01"),
            facts: Vec::new(),
            moves: Vec::new(),
            voided: BTreeSet::new(),
        }
    }

    fn event(&self, code: &str) -> EventType {
        self.engine.catalogue().event_by_code(code).unwrap().clone()
    }

    fn balance(&self, now: Month) -> Balance {
        let mut balance = Balance::default();
        for (then, moves) in &self.moves {
            let binding: Moves = moves
                .iter()
                .filter(|m| self.engine.still_binds(&m.figure, *then, now))
                .cloned()
                .collect();
            balance.add(&binding, 1);
        }
        balance
    }

    fn record(&mut self, code: &str, on: &str, period: &str, pairs: &[(&str, &str)]) -> Moves {
        let event = self.event(code);
        let fact = Fact {
            index: self.facts.len() as u64,
            event: event.name.clone(),
            on: day(on),
            fields: fields(pairs),
        };
        let period = month(period);
        let balance = self.balance(period);
        let history = History {
            facts: &self.facts,
            voided: &self.voided,
            balance: &balance,
        };
        let moves = self
            .engine
            .contribute(&event, history, &fact, period, self.first_day)
            .unwrap();
        let row = Schema::of(self.engine.catalogue(), &event).row(&moves, !event.is_clear());
        assert!(row.is_ok(), "{code}: {row:?}");
        self.facts.push(fact);
        self.moves.push((period, moves.clone()));
        moves
    }

    /// Voids an event: its statement contributes exactly minus the voided one's.
    fn void(&mut self, index: usize) {
        self.voided.insert(index as u64);
        self.moves[index].1.clear();
    }

    /// What the node writes at close, until nothing is left to move.
    fn close(&mut self, period: &str) -> Moves {
        let event = self
            .engine
            .catalogue()
            .recount(self.subject)
            .unwrap()
            .clone();
        let period = month(period);
        let mut all = Moves::new();
        loop {
            let balance = self.balance(period);
            let history = History {
                facts: &self.facts,
                voided: &self.voided,
                balance: &balance,
            };
            let moves = self
                .engine
                .recount(&event, history, period, self.first_day, true)
                .unwrap();
            if moves.is_empty() {
                return all;
            }
            Schema::of(self.engine.catalogue(), &event)
                .row(&moves, !event.is_clear())
                .unwrap();
            all.extend(moves.clone());
            self.moves.push((period, moves));
            assert!(all.len() < 1000, "the recount does not end");
        }
    }

    /// The figure as the log says it.
    fn value(&self, figure: &str) -> i64 {
        self.moves
            .iter()
            .flat_map(|(_, m)| m)
            .filter(|m| m.figure == figure)
            .map(signed)
            .sum()
    }
}

fn signed(m: &Move) -> i64 {
    if m.kind == MoveKind::Out {
        -m.weight
    } else {
        m.weight
    }
}

/// The moves of one figure: direction and cell.
fn of(moves: &[Move], figure: &str) -> Vec<(MoveKind, String)> {
    moves
        .iter()
        .filter(|m| m.figure == figure)
        .map(|m| (m.kind, m.cell.clone()))
        .collect()
}

/// A man of 40, category 4, grade 3, rural, capable and willing: registered before the unit's first
/// day.
fn registered(engine: &Engine) -> (Ledger<'_>, String) {
    let id = id_no("19830412", 11);
    let mut ledger = Ledger::new(engine, Subject::Person);
    let cert = format!("{id}43");
    ledger.record(
        "E01",
        "2021-06-01",
        "2023-01",
        &[("cert_no", &cert), ("name", "测试"), ("residence", "rural")],
    );
    ledger.record(
        "E04",
        "2022-06-01",
        "2023-01",
        &[
            ("id_no", &id),
            ("labour_capable", "true"),
            ("wants_work", "true"),
            ("in_school", "false"),
            ("hardship", "false"),
            ("needs_massage_training", "false"),
        ],
    );
    (ledger, id)
}

fn hire<'b>(id: &'b str, reference: &'b str, form: &'b str) -> Vec<(&'b str, &'b str)> {
    vec![
        ("id_no", id),
        ("employment_ref", reference),
        ("form", form),
        ("nature", "private"),
        ("social_insurance", "true"),
    ]
}

fn end<'b>(id: &'b str, reference: &'b str) -> Vec<(&'b str, &'b str)> {
    vec![
        ("id_no", id),
        ("employment_ref", reference),
        ("reason", "expired"),
    ]
}

#[test]
fn the_catalogue_is_valid_and_survives_its_own_document() {
    let c = catalogue();
    assert_eq!((c.id.as_str(), c.version), ("cn-dpe", 1));
    assert_eq!(Catalogue::from_json(&c.to_json()).unwrap(), c);
    Engine::new(c).unwrap();
}

#[test]
fn the_indicators_are_the_domain_packs() {
    let c = catalogue();
    for (id, key, kind) in [
        ("I001", "cert_holders", Kind::Stock),
        ("I002", "working_age", Kind::Stock),
        ("I003", "labour_capable", Kind::Stock),
        ("I004", "unemployed_working_age", Kind::Stock),
        ("I005", "job_seekers", Kind::Stock),
        ("I008", "massage_training_need", Kind::Stock),
        ("I011", "emp_new_persons", Kind::Distinct),
        ("I012", "emp_new_times", Kind::Times),
        ("I013", "emp_stock", Kind::Stock),
        ("I014", "emp_rate", Kind::Ratio),
        ("I060", "sheltered_demo", Kind::Stock),
        ("I061", "sheltered_demo_cov", Kind::Coverage),
        ("I067", "incubators", Kind::Stock),
        ("I070", "agency_base_cov", Kind::Coverage),
        ("I079", "agency_std", Kind::Coverage),
        ("I086", "hospital", Kind::Milestone),
        ("I089", "outlet_ratio", Kind::Ratio),
        ("I092", "post_ratio", Kind::Ratio),
        ("I095", "voc_times", Kind::Times),
        ("I096", "voc_persons", Kind::Distinct),
        ("I097", "rural_times", Kind::Times),
        ("I098", "massage_trained", Kind::Distinct),
        ("I099", "massage_cov", Kind::Coverage),
        ("I112", "industry_persons", Kind::Distinct),
        ("I118", "social_subsidy", Kind::Amount),
        ("I128", "verified", Kind::Coverage),
        ("I129", "assessed", Kind::Coverage),
        ("I130", "demand_reg", Kind::Coverage),
        ("I131", "served", Kind::Coverage),
        ("I150", "inspections", Kind::Times),
        ("I151", "inspection_cov", Kind::Times),
        ("I152", "evaluations", Kind::Times),
        ("I155", "report_on_time", Kind::Times),
    ] {
        let i = c
            .indicator(key)
            .unwrap_or_else(|| panic!("no indicator {key}"));
        assert_eq!((i.id.as_str(), i.kind), (id, kind), "{key}");
    }
    assert_eq!(
        c.indicator("I011").unwrap().figure_ids(),
        ["I011", "I011@plan-2022-2024"]
    );
    for id in ["I001", "I011", "I013"] {
        let tables = &c.indicator(id).unwrap().tables;
        for wanted in [vec!["sex", "category"], vec!["category", "grade"]] {
            assert!(tables.iter().any(|t| *t == wanted), "{id} {wanted:?}");
        }
    }
}

/// Rows stay small: recording an event and making its generators is what a clerk waits for. Only
/// the recount of a person, which the node writes at close, is wider: it may move every stock and
/// distinct count, in and out.
#[test]
fn rows_stay_small() {
    let c = catalogue();
    for e in &c.events {
        let columns = Schema::of(&c, e).columns();
        let most = if e.system { 1000 } else { 600 };
        println!("{} {} {columns}", e.code, e.name);
        assert!(columns <= most, "{} has {columns} columns", e.code);
    }
}

#[test]
fn every_plan_parses_and_its_numeric_targets_are_answered() {
    let c = catalogue();
    let mut targets = 0;
    let mut answered = 0;
    let files = toml_files("plans");
    assert_eq!(files.len(), 5);
    for (name, text) in &files {
        let plan = Plan::from_toml(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(
            (
                plan.reporting.county_days,
                plan.reporting.city_days,
                plan.reporting.province_days
            ),
            (5, 10, 15)
        );
        targets += plan.target.len();
        for t in &plan.target {
            if c.indicator(&t.indicator).is_some() {
                answered += 1;
            } else {
                println!("{name} {} {}: not in the catalogue yet", t.id, t.indicator);
            }
        }
        if plan.plan.id == "yq-2023" {
            let open: Vec<&str> = plan
                .target
                .iter()
                .filter(|t| c.indicator(&t.indicator).is_none())
                .map(|t| t.id.as_str())
                .collect();
            assert_eq!(
                open,
                ["YQ-T02", "YQ-T03", "YQ-T04"],
                "only the rows about single employers"
            );
        }
    }
    assert_eq!(targets, 103);
    assert!(answered >= 70, "{answered}");
}

#[test]
fn the_units_are_a_forest_of_four_provinces() {
    let text = std::fs::read_to_string(deploy("units/units.csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("id,name,tier,parent,area"));
    let rows: Vec<Vec<&str>> = lines.map(|l| l.split(',').collect()).collect();
    let mut seen = std::collections::BTreeMap::new();
    for r in &rows {
        assert_eq!(r.len(), 5, "{r:?}");
        let id: UnitId = r[0].parse().unwrap();
        let tier: Tier = r[2].parse().unwrap();
        assert!(seen.insert(id, tier).is_none(), "{} twice", r[0]);
        assert!(!r[1].is_empty());
    }
    for r in &rows {
        let tier: Tier = r[2].parse().unwrap();
        if r[3].is_empty() {
            assert_eq!(tier, Tier::Province, "{r:?}");
        } else {
            assert!(seen[&r[3].parse::<UnitId>().unwrap()] > tier, "{r:?}");
        }
    }
    for special in [
        "长春新区",
        "长白山管委会",
        "中韩(长春)国际合作示范区",
        "甘肃矿区",
        "兰州新区",
    ] {
        assert!(
            rows.iter()
                .any(|r| r[1] == special && r[2] == "city" && r[0].contains('X')),
            "{special}"
        );
    }
    let yq: Vec<&str> = rows
        .iter()
        .filter(|r| r[3] == "140300")
        .map(|r| r[0])
        .collect();
    assert_eq!(yq, ["140302", "140303", "140311", "140321", "140322"]);
}

#[test]
fn an_opening_entry_moves_stocks_only() {
    let engine = Engine::new(catalogue()).unwrap();
    let (mut ledger, id) = registered(&engine);
    for stock in ["I001", "I002", "I003", "I004", "I005"] {
        assert_eq!(ledger.value(stock), 1, "{stock}");
    }
    let moves = ledger.record("E16", "2022-09-01", "2023-01", &hire(&id, "J1", "farm"));
    assert_eq!(of(&moves, "I013").len(), 1);
    for flow in ["I011", "I011@plan-2022-2024", "I012", "I015"] {
        assert_eq!(ledger.value(flow), 0, "{flow}");
    }
    assert_eq!(
        (
            ledger.value("I004"),
            ledger.value("I005"),
            ledger.value("I013c")
        ),
        (0, 0, 1)
    );
}

#[test]
fn a_hire_moves_the_stock_the_persons_and_the_times() {
    let engine = Engine::new(catalogue()).unwrap();
    let (mut ledger, id) = registered(&engine);
    let moves = ledger.record("E16", "2023-02-10", "2023-02", &hire(&id, "J1", "flex"));
    assert_eq!(
        of(&moves, "I011"),
        [(MoveKind::In, "1*4*3*rural*30-44*flex".to_string())]
    );
    assert_eq!(of(&moves, "I011@plan-2022-2024"), of(&moves, "I011"));
    assert_eq!(of(&moves, "I013"), of(&moves, "I011"));
    assert_eq!(
        of(&moves, "I012"),
        [(MoveKind::Count, "flex*rural*30-44".to_string())]
    );
    assert_eq!(of(&moves, "I015"), [(MoveKind::In, String::new())]);
    assert_eq!(of(&moves, "I004")[0].0, MoveKind::Out);
    assert!(
        ledger.close("2023-02").is_empty(),
        "the event moved everything itself"
    );
}

#[test]
fn a_second_employment_is_a_placement_and_no_new_person() {
    let engine = Engine::new(catalogue()).unwrap();
    let (mut ledger, id) = registered(&engine);
    ledger.record("E16", "2022-03-01", "2023-01", &hire(&id, "J1", "farm"));
    let moves = ledger.record("E16", "2023-03-01", "2023-03", &hire(&id, "J2", "quota"));
    assert!(of(&moves, "I011").is_empty(), "a change of job is not 新增");
    assert_eq!(of(&moves, "I012").len(), 1);
    assert_eq!(ledger.value("I013"), 1, "one person counts once");
    assert_eq!(of(&moves, "I013").len(), 2, "out of farm and into quota");
    let moves = ledger.record("E18", "2023-04-01", "2023-04", &end(&id, "J2"));
    assert_eq!(
        ledger.value("I013"),
        1,
        "the first one is still open: {moves:?}"
    );
}

#[test]
fn an_ended_employment_leaves_the_stock_and_a_second_hire_of_the_year_counts_as_times() {
    let engine = Engine::new(catalogue()).unwrap();
    let (mut ledger, id) = registered(&engine);
    ledger.record("E16", "2023-02-10", "2023-02", &hire(&id, "J1", "flex"));
    let moves = ledger.record("E18", "2023-05-20", "2023-05", &end(&id, "J1"));
    assert_eq!(
        of(&moves, "I013"),
        [(MoveKind::Out, "1*4*3*rural*30-44*flex".to_string())]
    );
    assert_eq!(
        (
            ledger.value("I013"),
            ledger.value("I004"),
            ledger.value("I005")
        ),
        (0, 1, 1)
    );
    let moves = ledger.record("E16", "2023-08-01", "2023-08", &hire(&id, "J2", "flex"));
    assert!(of(&moves, "I011").is_empty());
    assert_eq!(
        (
            ledger.value("I011"),
            ledger.value("I012"),
            ledger.value("I013")
        ),
        (1, 2, 1)
    );

    // In the next year the person is new for the year, and still counted once for the plan.
    ledger.record("E18", "2024-01-10", "2024-01", &end(&id, "J2"));
    let moves = ledger.record("E16", "2024-02-01", "2024-02", &hire(&id, "J3", "flex"));
    assert_eq!(of(&moves, "I011").len(), 1);
    assert!(of(&moves, "I011@plan-2022-2024").is_empty());
}

#[test]
fn nobody_over_working_age_is_newly_employed() {
    let engine = Engine::new(catalogue()).unwrap();
    let id = id_no("19650101", 22);
    let mut ledger = Ledger::new(&engine, Subject::Person);
    ledger.record(
        "E01",
        "2020-01-01",
        "2023-01",
        &[
            ("cert_no", &format!("{id}12")),
            ("name", "测试"),
            ("residence", "urban"),
        ],
    );
    let moves = ledger.record("E16", "2023-02-01", "2023-02", &hire(&id, "J1", "self"));
    assert!(
        of(&moves, "I011").is_empty(),
        "a woman of 58 (open question Q20)"
    );
    assert_eq!(
        (
            ledger.value("I012"),
            ledger.value("I013"),
            ledger.value("I013c")
        ),
        (1, 1, 0)
    );
}

#[test]
fn a_changed_certificate_moves_the_cells() {
    let engine = Engine::new(catalogue()).unwrap();
    let (mut ledger, id) = registered(&engine);
    ledger.record("E16", "2023-02-10", "2023-02", &hire(&id, "J1", "flex"));
    let moves = ledger.record(
        "E02",
        "2023-06-05",
        "2023-06",
        &[("cert_no", &format!("{id}42")), ("cancelled", "false")],
    );
    assert_eq!(
        of(&moves, "I001"),
        [
            (MoveKind::Out, "1*4*3*rural*30-44".to_string()),
            (MoveKind::In, "1*4*2*rural*30-44".to_string())
        ]
    );
    assert_eq!(of(&moves, "I013").len(), 2);
    assert!(of(&moves, "I011").is_empty());
    assert_eq!((ledger.value("I001"), ledger.value("I013")), (1, 1));
    let moves = ledger.record(
        "E02",
        "2023-07-05",
        "2023-07",
        &[("cert_no", &format!("{id}42")), ("cancelled", "true")],
    );
    assert_eq!(of(&moves, "I001").len(), 1);
    assert_eq!(
        (
            ledger.value("I001"),
            ledger.value("I013"),
            ledger.value("I003")
        ),
        (0, 0, 0)
    );
}

#[test]
fn a_birthday_is_brought_home_by_the_recount() {
    let engine = Engine::new(catalogue()).unwrap();
    let id = id_no("19630515", 11); // 60 in May 2023
    let mut ledger = Ledger::new(&engine, Subject::Person);
    ledger.record(
        "E01",
        "2020-01-01",
        "2023-01",
        &[
            ("cert_no", &format!("{id}43")),
            ("name", "测试"),
            ("residence", "rural"),
        ],
    );
    ledger.record(
        "E04",
        "2022-01-01",
        "2023-01",
        &[
            ("id_no", &id),
            ("labour_capable", "true"),
            ("wants_work", "true"),
        ],
    );
    assert!(ledger.close("2023-04").is_empty());
    assert_eq!(
        (
            ledger.value("I002"),
            ledger.value("I003"),
            ledger.value("I004"),
            ledger.value("I005")
        ),
        (1, 1, 1, 1)
    );
    let moves = ledger.close("2023-05");
    assert_eq!(
        (
            ledger.value("I002"),
            ledger.value("I003"),
            ledger.value("I004"),
            ledger.value("I005")
        ),
        (0, 0, 0, 0)
    );
    assert_eq!(ledger.value("I001"), 1);
    assert_eq!(
        of(&moves, "I001"),
        [
            (MoveKind::Out, "1*4*3*rural*55-59".to_string()),
            (MoveKind::In, "1*4*3*rural*60+".to_string())
        ]
    );
}

#[test]
fn a_certificate_that_runs_out_is_brought_home_by_the_recount() {
    let engine = Engine::new(catalogue()).unwrap();
    let id = id_no("19900515", 11);
    let mut ledger = Ledger::new(&engine, Subject::Person);
    let cert = format!("{id}43");
    ledger.record(
        "E01",
        "2020-01-01",
        "2023-01",
        &[
            ("cert_no", &cert),
            ("name", "测试"),
            ("residence", "rural"),
            ("valid_to", "2023-03-30"),
        ],
    );
    assert_eq!(ledger.value("I001"), 1);
    assert!(ledger.close("2023-02").is_empty());
    ledger.close("2023-03");
    assert_eq!(ledger.value("I001"), 0);
}

#[test]
fn a_voided_hire_is_taken_back_and_the_rest_recounted() {
    let engine = Engine::new(catalogue()).unwrap();
    let (mut ledger, id) = registered(&engine);
    let first = ledger.facts.len();
    ledger.record("E16", "2023-02-10", "2023-02", &hire(&id, "J1", "flex"));
    ledger.record("E18", "2023-03-10", "2023-03", &end(&id, "J1"));
    ledger.record("E16", "2023-04-10", "2023-04", &hire(&id, "J2", "farm"));
    assert_eq!(
        (
            ledger.value("I011"),
            ledger.value("I012"),
            ledger.value("I013")
        ),
        (1, 2, 1)
    );
    ledger.void(first);
    let moves = ledger.close("2023-05");
    assert_eq!(
        (
            ledger.value("I011"),
            ledger.value("I012"),
            ledger.value("I013")
        ),
        (1, 1, 1)
    );
    assert_eq!(
        of(&moves, "I011"),
        [(MoveKind::In, "1*4*3*rural*30-44*farm".to_string())],
        "now the hire of April is the first"
    );
    assert_eq!((ledger.value("I004"), ledger.value("I005")), (0, 0));
    assert!(ledger.close("2023-05").is_empty());

    let last = first + 2;
    ledger.void(last);
    ledger.close("2023-06");
    assert_eq!(
        (
            ledger.value("I011"),
            ledger.value("I012"),
            ledger.value("I013"),
            ledger.value("I004")
        ),
        (0, 0, 0, 1)
    );
}

#[test]
fn moving_away_and_closing_end_everything() {
    let engine = Engine::new(catalogue()).unwrap();
    for (code, extra) in [("E03", ("to_area", "140100")), ("E05", ("reason", "death"))] {
        let (mut ledger, id) = registered(&engine);
        ledger.record("E16", "2023-02-10", "2023-02", &hire(&id, "J1", "flex"));
        ledger.record(code, "2023-05-10", "2023-05", &[("id_no", &id), extra]);
        for figure in ["I001", "I002", "I003", "I004", "I005", "I013", "I013c"] {
            assert_eq!(ledger.value(figure), 0, "{code} {figure}");
        }
        assert_eq!(
            ledger.value("I011"),
            1,
            "{code}: what happened has happened"
        );
        assert!(ledger.close("2023-05").is_empty(), "{code}");
    }
}

#[test]
fn trainings_count_times_and_persons() {
    let engine = Engine::new(catalogue()).unwrap();
    let (mut ledger, id) = registered(&engine);
    let mut train = |on: &str, period: &str, kind: &str, family: &str| {
        ledger.record(
            "E32",
            on,
            period,
            &[
                ("id_no", &id),
                ("session", "#1"),
                ("kind", kind),
                ("is_family_member", family),
                ("hours", "#40"),
            ],
        );
    };
    train("2023-03-01", "2023-03", "job", "false");
    train("2023-04-01", "2023-04", "newform", "false");
    train("2023-05-01", "2023-05", "rural", "false");
    train("2023-06-01", "2023-06", "job", "true");
    let values = ["I095", "I096", "I097", "I098", "I101", "I111"].map(|f| ledger.value(f));
    assert_eq!(values, [2, 1, 1, 0, 4, 3]);
}

#[test]
fn the_blind_who_want_massage_training_are_covered_when_trained() {
    let engine = Engine::new(catalogue()).unwrap();
    let id = id_no("19900515", 22);
    let mut ledger = Ledger::new(&engine, Subject::Person);
    ledger.record(
        "E01",
        "2020-01-01",
        "2023-01",
        &[
            ("cert_no", &format!("{id}11")),
            ("name", "测试"),
            ("residence", "urban"),
        ],
    );
    ledger.record(
        "E04",
        "2022-01-01",
        "2023-01",
        &[
            ("id_no", &id),
            ("labour_capable", "true"),
            ("needs_massage_training", "true"),
        ],
    );
    assert_eq!((ledger.value("I008"), ledger.value("I099n")), (1, 0));
    let moves = ledger.record(
        "E32",
        "2023-03-01",
        "2023-03",
        &[
            ("id_no", &id),
            ("kind", "massage"),
            ("is_family_member", "true"),
        ],
    );
    assert!(of(&moves, "I099n").is_empty() && of(&moves, "I098").is_empty());
    let moves = ledger.record(
        "E32",
        "2023-04-01",
        "2023-04",
        &[
            ("id_no", &id),
            ("kind", "massage"),
            ("is_family_member", "false"),
        ],
    );
    assert_eq!(
        (
            of(&moves, "I099n").len(),
            of(&moves, "I098").len(),
            ledger.value("I095")
        ),
        (1, 1, 0)
    );
}

#[test]
fn the_four_services_are_counted_of_those_who_wait() {
    let engine = Engine::new(catalogue()).unwrap();
    let (mut ledger, id) = registered(&engine);
    ledger.record(
        "E10",
        "2023-02-01",
        "2023-02",
        &[("id_no", &id), ("method", "visit")],
    );
    ledger.record(
        "E11",
        "2023-02-02",
        "2023-02",
        &[("id_no", &id), ("tool", "scale")],
    );
    ledger.record(
        "E12",
        "2023-02-03",
        "2023-02",
        &[("id_no", &id), ("wants", "job")],
    );
    assert_eq!(
        ["I128n", "I129n", "I130n", "I131n", "I132n"].map(|f| ledger.value(f)),
        [1, 1, 1, 0, 0]
    );
    ledger.record(
        "E13",
        "2023-02-04",
        "2023-02",
        &[("id_no", &id), ("service", "placement")],
    );
    assert_eq!(
        ["I128n", "I129n", "I130n", "I131n", "I132n"].map(|f| ledger.value(f)),
        [1, 1, 1, 1, 1]
    );
    ledger.record("E16", "2023-03-10", "2023-03", &hire(&id, "J1", "flex"));
    assert_eq!(
        ["I128n", "I129n", "I130n", "I131n", "I132n", "I004", "I005"].map(|f| ledger.value(f)),
        [0; 7]
    );
    assert!(ledger.close("2023-03").is_empty());
}

#[test]
fn support_counts_persons_once_a_year_and_adds_up_money() {
    let engine = Engine::new(catalogue()).unwrap();
    let (mut ledger, id) = registered(&engine);
    let pay = |scheme: &'static str, family: &'static str| {
        [
            ("id_no", ""),
            ("scheme", scheme),
            ("amount", "#150000"),
            ("is_family_member", family),
        ]
    };
    for (on, period, scheme, family) in [
        ("2023-03-01", "2023-03", "industry", "true"),
        ("2023-04-01", "2023-04", "industry", "false"),
        ("2023-05-01", "2023-05", "industry", "false"),
        ("2023-06-01", "2023-06", "post", "false"),
    ] {
        let mut pairs = pay(scheme, family);
        pairs[0].1 = &id;
        ledger.record("E36", on, period, &pairs);
    }
    assert_eq!(
        ["I112", "I113", "I118"].map(|f| ledger.value(f)),
        [1, 3, 150_000]
    );
}

#[test]
fn carriers_become_demonstration_organisations_and_stop() {
    let engine = Engine::new(catalogue()).unwrap();
    let mut ledger = Ledger::new(&engine, Subject::Carrier);
    let reference = credit(7);
    ledger.record(
        "E40",
        "2023-02-01",
        "2023-02",
        &[("carrier_ref", &reference), ("kind", "sheltered")],
    );
    assert_eq!(["I059", "I060"].map(|f| ledger.value(f)), [1, 0]);
    let moves = ledger.record(
        "E41",
        "2023-04-01",
        "2023-04",
        &[("carrier_ref", &reference), ("level", "demo")],
    );
    assert_eq!(of(&moves, "I060"), [(MoveKind::In, String::new())]);
    assert_eq!(ledger.value("I059"), 1, "an empty status leaves it open");
    ledger.record(
        "E41",
        "2023-09-01",
        "2023-09",
        &[("carrier_ref", &reference), ("status", "paused")],
    );
    assert_eq!(["I059", "I060"].map(|f| ledger.value(f)), [0, 0]);
    ledger.record(
        "E41",
        "2023-10-01",
        "2023-10",
        &[("carrier_ref", &reference), ("status", "open")],
    );
    assert_eq!(["I059", "I060"].map(|f| ledger.value(f)), [1, 1]);
    assert!(ledger.close("2023-10").is_empty());
}

#[test]
fn an_agency_is_standardised_and_has_its_base() {
    let engine = Engine::new(catalogue()).unwrap();
    let mut ledger = Ledger::new(&engine, Subject::Carrier);
    let reference = credit(8);
    ledger.record(
        "E40",
        "2020-02-01",
        "2023-01",
        &[("carrier_ref", &reference), ("kind", "agency")],
    );
    ledger.record(
        "E41",
        "2023-04-01",
        "2023-04",
        &[
            ("carrier_ref", &reference),
            ("level", "standard"),
            ("has_base", "yes"),
        ],
    );
    ledger.record(
        "E41",
        "2023-05-01",
        "2023-05",
        &[("carrier_ref", &reference), ("spec_posted", "yes")],
    );
    assert_eq!(
        ["I079d", "I079n", "I070n", "I080n", "I067"].map(|f| ledger.value(f)),
        [1, 1, 1, 1, 0]
    );
}

#[test]
fn events_of_the_unit_itself() {
    let engine = Engine::new(catalogue()).unwrap();
    let mut ledger = Ledger::new(&engine, Subject::Unit);
    let moves = ledger.record(
        "E46",
        "2023-03-01",
        "2023-03",
        &[("kind", "stall"), ("total", "#40"), ("for_disabled", "#5")],
    );
    assert_eq!(
        moves
            .iter()
            .map(|m| (m.figure.as_str(), m.weight))
            .collect::<Vec<_>>(),
        [("I089n", 5), ("I089d", 40)]
    );
    let round = [
        ("round", "#1"),
        ("kind", "annual"),
        ("by", "self"),
        ("level", "county"),
    ];
    let mut with = round.to_vec();
    with.push(("with_inspection", "true"));
    ledger.record("E60", "2023-06-01", "2023-06", &with);
    ledger.record("E60", "2023-07-01", "2023-07", &round);
    ledger.record(
        "E59",
        "2023-06-01",
        "2023-06",
        &[("round", "#1"), ("result", "good")],
    );
    assert_eq!(["I150", "I151", "I152"].map(|f| ledger.value(f)), [1, 1, 2]);
    let moves = ledger.record(
        "E66",
        "2022-12-31",
        "2023-01",
        &[
            ("indicator", "I001"),
            ("value", "#35"),
            ("as_of", "2022-12-31"),
            ("method", "ledger"),
            ("sex", "1"),
            ("category", "4"),
            ("grade", "3"),
            ("residence", "rural"),
            ("age_band", "60+"),
        ],
    );
    assert_eq!(
        moves,
        [Move {
            figure: "I001".into(),
            kind: MoveKind::In,
            cell: "1*4*3*rural*60+".into(),
            weight: 35
        }]
    );
}

/// The rules hold for an ordinary month, in a first month (no last month), and notice what they are
/// for.
#[test]
fn rules_notice_what_they_are_for() {
    use protocol::count::scope::Bound;
    let c = catalogue();
    let ids: Vec<String> = c
        .indicators
        .iter()
        .filter(|i| i.kind.is_counted())
        .flat_map(|i| i.figure_ids())
        .collect();
    let values = |changed: &[(&str, i64)]| {
        let value = |id: &str| match id {
            "I001" => 200,
            "I002" => 150,
            "I003" => 110,
            "I004" => 80,
            "I005" => 60,
            "I013" => 70,
            "I013c" => 65,
            "I095" | "I096" | "I101" => 8,
            _ => 0,
        };
        map(ids.iter().map(|id| {
            let v = changed
                .iter()
                .find(|(f, _)| f == id)
                .map_or(value(id), |(_, v)| *v);
            (id.clone(), v)
        }))
    };
    let broken = |v: Bound, p: Bound| -> Vec<String> {
        let mut scope = Scope::default();
        scope.set("v", v);
        scope.set("p", p);
        let holds = |r: &protocol::catalogue::Rule| {
            Condition::new(&r.id, &r.check)
                .unwrap()
                .unwrap()
                .holds(&scope)
                .unwrap()
        };
        c.rules
            .iter()
            .filter(|r| !holds(r))
            .map(|r| r.id.clone())
            .collect()
    };
    let none = || map(Vec::new());
    assert!(broken(values(&[]), none()).is_empty());
    assert!(broken(values(&[]), values(&[])).is_empty());
    assert_eq!(broken(values(&[("I013", 201)]), none()), ["H05"]);
    assert_eq!(
        broken(values(&[("I013", 50), ("I013c", 45)]), values(&[])),
        ["S02"]
    );
    assert_eq!(
        broken(values(&[("I012", 40)]), values(&[("I012", 6)])),
        ["S01"]
    );
    assert_eq!(
        broken(
            values(&[("I101", 0), ("I095", 0), ("I096", 0)]),
            values(&[("I101", 0)])
        ),
        ["S08"]
    );
    assert_eq!(
        broken(
            values(&[("I118", 9_000_000)]),
            values(&[("I118", 1_000_000)])
        ),
        ["S09"]
    );
    assert_eq!(broken(values(&[("I060", 1)]), none()), ["H07"]);
}
