//! The guide `deploy/catalogue/README.md`: its snippets count what it says, and each mistake that
//! it lists is refused with the code that it names.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in #[test] functions; the helpers here are tests too

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use kit::{id_born, month, registry, text, unit};
use protocol::authoring::CatalogueErrors;
use protocol::catalogue::Catalogue;
use protocol::count::engine::History;
use protocol::count::{Balance, Engine, Fact, Fields, Value};
use protocol::figure::{self, Basis, ColumnSums, Figure};
use protocol::ids::{Tier, UnitId};
use protocol::period::Month;
use protocol::plan::{Judged, Judgement, Plan, Reported, Reports};
use protocol::registry::Registry;
use protocol::row::{Schema, Sums};

const COUNTY: &str = "140321";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/catalogue")
}

fn guide() -> String {
    std::fs::read_to_string(folder().join("README.md")).unwrap()
}

/// The fenced block that begins with "```toml NAME".
fn snippet(name: &str) -> String {
    let guide = guide();
    let fence = format!("```toml {name}\n");
    let (_, rest) = guide.split_once(&fence).unwrap();
    rest.split_once("```").unwrap().0.to_string()
}

fn additions() -> String {
    ["events", "indicators", "rules"].map(snippet).concat()
}

/// The shipped catalogue and one more file.
fn with(addition: &str) -> Result<Catalogue, CatalogueErrors> {
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.push(("zz-guide.toml".into(), addition.into()));
    files.sort();
    Catalogue::from_files(&files)
}

/// What a county's events of one month add up to, person by person.
struct Ledger {
    engine: Engine,
    period: Month,
    sums: Sums,
    facts: Vec<Fact>,
    balance: Balance,
}

impl Ledger {
    fn new(catalogue: Catalogue, period: &str) -> Ledger {
        Ledger {
            engine: Engine::new(catalogue).unwrap(),
            period: month(period),
            sums: Sums::new(),
            facts: Vec::new(),
            balance: Balance::default(),
        }
    }

    /// The events that follow are another person's.
    fn next_person(&mut self) {
        self.facts.clear();
        self.balance = Balance::default();
    }

    fn record(&mut self, code: &str, on: &str, fields: &[(&str, Value)]) {
        let catalogue = self.engine.catalogue();
        let event = catalogue.event_by_code(code).unwrap();
        let fields: Fields = fields
            .iter()
            .map(|(name, value)| ((*name).to_string(), value.clone()))
            .collect();
        let fact = Fact {
            index: self.facts.len() as u64,
            event: event.name.clone(),
            on: on.parse().unwrap(),
            fields,
        };
        let history = History {
            facts: &self.facts,
            voided: &BTreeSet::new(),
            balance: &self.balance,
        };
        let first_day: NaiveDate = "2023-01-01".parse().unwrap();
        let moves = self
            .engine
            .contribute(event, history, &fact, self.period, first_day)
            .unwrap();
        let schema = Schema::of(catalogue, event);
        let sums = self
            .sums
            .entry(event.name.clone())
            .or_insert_with(|| vec![0; schema.columns()]);
        for (column, weight) in schema.row(&moves, !event.is_clear()).unwrap() {
            sums[column] += weight;
        }
        self.balance.add(&moves, 1);
        self.facts.push(fact);
    }

    fn register(&mut self, serial: u32) -> String {
        self.next_person();
        let id = id_born("19830412", serial);
        let certificate = text(&format!("{id}43"));
        let fields = [
            ("cert_no", certificate),
            ("name", text("测试")),
            ("residence", text("rural")),
        ];
        self.record("E01", "2021-06-01", &fields);
        id
    }

    fn fit(&mut self, id: &str, kind: &str, cost: i64) {
        let fields = [
            ("id_no", text(id)),
            ("kind", text(kind)),
            ("cost", Value::Int(cost)),
        ];
        self.record("E80", "2023-02-10", &fields);
    }

    fn figures(&self) -> Vec<Figure> {
        let catalogue = self.engine.catalogue();
        let mut sums = Vec::new();
        for (event, columns) in &self.sums {
            let event = catalogue.event(event).unwrap();
            sums.push(ColumnSums {
                catalogue,
                event,
                columns,
            });
        }
        figure::own(catalogue, Tier::County, &sums, None).unwrap()
    }
}

/// The month of the guide's section 5.
fn february() -> (Catalogue, Vec<Figure>) {
    let catalogue = with(&additions()).unwrap_or_else(|faults| panic!("{faults}"));
    let mut ledger = Ledger::new(catalogue.clone(), "2023-02");
    let first = ledger.register(1);
    ledger.fit(&first, "hearing", 120_000);
    ledger.fit(&first, "limb", 880_000);
    let second = ledger.register(2);
    ledger.fit(&second, "hearing", 120_000);
    ledger.register(3);
    let figures = ledger.figures();
    (catalogue, figures)
}

fn find<'a>(figures: &'a [Figure], id: &str) -> &'a Figure {
    figures.iter().find(|f| f.id == id).unwrap()
}

#[test]
fn the_snippets_count_what_the_guide_says() {
    let (_, figures) = february();
    for (id, value) in [
        ("I201", 3),
        ("I202", 2),
        ("I202@plan-2022-2024", 2),
        ("I203", 2),
        ("I204", 1_120_000),
    ] {
        let figure = find(&figures, id);
        assert_eq!(figure.own.value, Some(value), "{id}");
        assert_eq!(figure.basis, Basis::Proven, "{id}");
    }
    let share = find(&figures, "I205");
    assert_eq!((share.own.num, share.own.den), (Some(2), Some(3)));
    assert_eq!(share.basis, Basis::Derived);
    let tables = &find(&figures, "I201").own.cells;
    assert_eq!(tables[0], [2, 1, 0], "hearing, limb, other");
    assert_eq!(tables[1].iter().max(), Some(&3), "all in one residence");
}

/// The figures of February; stocks stand in every later month as they were.
struct Accepted {
    february: Vec<Figure>,
    later: Vec<Figure>,
    catalogue: Catalogue,
}

impl Accepted {
    fn new(february: Vec<Figure>, catalogue: Catalogue) -> Accepted {
        let stock = |f: &&Figure| matches!(f.id.as_str(), "I203" | "I205");
        Accepted {
            later: february.iter().filter(stock).cloned().collect(),
            february,
            catalogue,
        }
    }
}

impl Reports for Accepted {
    fn reported(&self, _: &UnitId, period: Month) -> Option<Reported<'_>> {
        Some(Reported {
            figures: match period == month("2023-02") {
                true => &self.february,
                false => &self.later,
            },
            catalogue: &self.catalogue,
        })
    }
}

fn county() -> Registry {
    let mut registry = registry(month("2023-01"), &[]);
    registry.units.truncate(1);
    registry.units[0].id = unit(COUNTY);
    registry.units[0].tier = Tier::County;
    registry
}

#[test]
fn the_plan_is_judged_as_the_guide_says() {
    let (catalogue, figures) = february();
    let plan = Plan::from_toml(&snippet("plan")).unwrap();
    let (registry, accepted) = (county(), Accepted::new(figures, catalogue));
    let judge = |n: usize, period: &str| -> Judged {
        let target = &plan.target[n];
        plan.judge(target, &registry, &accepted, month(period))
            .unwrap()
    };
    let persons = judge(0, "2023-02");
    assert_eq!(persons.judgement, Judgement::Met);
    assert_eq!(persons.actual, "2 人");
    let share = judge(1, "2023-02");
    assert_eq!(share.judgement, Judgement::InProgress);
    assert_eq!(share.actual, "66.66% (2/3)");
    assert_eq!(judge(1, "2024-12").judgement, Judgement::Missed);

    let other = snippet("plan").replace("2024-12-31", "2025-12-31");
    let other = Plan::from_toml(&other).unwrap();
    let first = &other.target[0];
    let judged = other.judge(first, &registry, &accepted, month("2023-02"));
    assert!(judged.is_none(), "no window of these days");
}

#[test]
fn the_rules_notice_what_the_guide_says() {
    use protocol::count::cel::Condition;
    use protocol::count::scope::{Scope, map};
    let (catalogue, _) = february();
    let holds = |rule: &str, now: &[(&str, i64)], last: &[(&str, i64)]| {
        let rule = catalogue.rules.iter().find(|r| r.id == rule).unwrap();
        let values = |list: &[(&str, i64)]| map(list.iter().map(|(id, v)| ((*id).to_string(), *v)));
        let mut scope = Scope::default();
        scope.set("v", values(now));
        scope.set("p", values(last));
        let condition = Condition::new(&rule.id, &rule.check).unwrap().unwrap();
        condition.holds(&scope).unwrap()
    };
    assert!(holds("H20", &[("I203", 2), ("I001", 3)], &[]));
    assert!(!holds("H20", &[("I203", 4), ("I001", 3)], &[]));
    assert!(holds("S20", &[("I201", 40)], &[]), "a first month");
    assert!(holds("S20", &[("I201", 40)], &[("I201", 14)]));
    assert!(!holds("S20", &[("I201", 40)], &[("I201", 13)]));
}

#[test]
fn each_mistake_of_the_guide_is_refused_with_its_code() {
    let (guide, right) = (guide(), additions());
    let mut tried = 0;
    for line in guide.lines().filter(|l| l.starts_with("| `catalogue.")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [code, instead_of, written] = [0, 1, 2].map(|n| cells[n].trim_matches('`'));
        assert!(right.contains(instead_of), "not in the snippets: {line}");
        let wrong = right.replacen(instead_of, written, 1);
        let CatalogueErrors(errors) = with(&wrong).expect_err(line);
        let code = code.strip_prefix("catalogue.").unwrap();
        assert!(
            errors.iter().any(|f| f.code() == code),
            "{line}\n{errors:?}"
        );
        tried += 1;
    }
    assert_eq!(tried, 20);
}
