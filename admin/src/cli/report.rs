//! The report of a verification, for people: the tree of checks, then the judged targets.
//!
//! A unit's months are one line as long as every check holds and the parent decided the same;
//! whatever is to be known of a single month (a late report, a failed check) has lines of its own.

use std::fmt::Write;
use std::time::Duration;

use protocol::evidence::Ended;
use protocol::evidence::report::{MonthReport, Report, Trust, UnitReport};
use protocol::ids::UnitId;
use protocol::receipt::Decision;
use protocol::verdict::{Outcome, Verdict};

use super::output::{Style, one_line, seconds, table};

/// The text of a report.
pub fn render(report: &Report, took: Duration, style: Style) -> String {
    let mut text = String::new();
    for unit in &report.units {
        unit_tree(&mut text, unit);
    }
    targets(&mut text, report, style);
    if !report.unjudged.is_empty() {
        let _ = writeln!(
            text,
            "\n{} target(s) cannot be judged from what is recorded here: {}",
            report.unjudged.len(),
            report.unjudged.join(", ")
        );
    }
    text.push('\n');
    trust(&mut text, &report.trust);
    summary(&mut text, report, took);
    text
}

// Writing to a String cannot fail: its results are dropped below.

/// What a unit that has ended leaves behind, in both languages.
fn ended_lines(unit: &UnitReport, ended: &Ended) -> [String; 2] {
    let (id, until) = (&unit.unit, ended.until);
    let by = Vec::from_iter(ended.successors.iter().map(UnitId::as_str));
    let held = ended.stocks.as_ref().map(|stocks| {
        let each = stocks
            .iter()
            .map(|(figure, value)| format!("{figure} {value}"));
        Vec::from_iter(each).join(", ")
    });
    let (zh, en) = match held.as_deref() {
        None => (
            "此处没有成立的最后月报".into(),
            "no report of it that holds is here".into(),
        ),
        Some("") => ("无".into(), "none".into()),
        Some(held) => (held.to_string(), held.to_string()),
    };
    let (by_zh, by_en) = if by.is_empty() {
        ("没有承接单位".into(), "nobody carries on".to_string())
    } else {
        let (zh, en) = (by.join("、"), by.join(", "));
        (
            format!("由 {zh} 重新登记后才重新计入"),
            format!("they count again when {en} records them anew"),
        )
    };
    [
        format!("· ended with {until}; its stocks then ({en}) are in no later sum: {by_en}"),
        format!("  {id} 至 {until} 终止；当时的存量（{zh}）不再计入以后各月的合计：{by_zh}"),
    ]
}

/// A unit and its months as a tree.
fn unit_tree(text: &mut String, unit: &UnitReport) {
    let _ = writeln!(
        text,
        "{} {} {} ({})",
        mark(worst(unit)),
        unit.unit,
        unit.name,
        unit.tier
    );
    let lines = months(unit);
    for (n, (line, below)) in lines.iter().enumerate() {
        let (branch, stem) = if n + 1 == lines.len() {
            ("└─", " ")
        } else {
            ("├─", "│")
        };
        let _ = writeln!(text, "{branch} {line}");
        for detail in below {
            let _ = writeln!(text, "{stem}    {detail}");
        }
    }
    for line in unit.ended.iter().flat_map(|e| ended_lines(unit, e)) {
        let _ = writeln!(text, "{line}");
    }
}

/// The judged targets, and what is to be remarked on them.
fn targets(text: &mut String, report: &Report, style: Style) {
    if report.targets.is_empty() {
        return;
    }
    text.push('\n');
    let mut rows = table(
        style,
        &[
            "目标 target",
            "指标 indicator",
            "名称 name",
            "要求 goal",
            "实际 actual",
            "结论 verdict",
            "依据 basis",
        ],
    );
    for t in &report.targets {
        let verdict = format!("{} {}", t.judgement.zh(), t.judgement.en());
        let basis = format!("{} {}", t.basis.zh(), t.basis.en());
        rows.add_row([
            &t.target,
            &t.indicator,
            &t.name,
            &t.goal,
            &t.actual,
            &verdict,
            &basis,
        ]);
    }
    text.push_str(&super::output::lines(&rows));
    for t in &report.targets {
        for remark in &t.remarks {
            let _ = writeln!(text, "  {}: {remark}", t.target);
        }
    }
}

/// By which registry everything was checked, and whether enough of its root keys are trusted.
fn trust(text: &mut String, t: &Trust) {
    let few = t.given < t.threshold;
    let _ = writeln!(
        text,
        "{} by registry version {}, {}: the newest in this file; compare it with the publisher's \
         / 依据登记册第 {} 版,请与发布者的最新版核对",
        if few { "!" } else { "·" },
        t.version,
        t.digest,
        t.version,
    );
    if few {
        let _ = writeln!(
            text,
            "! trusted by {} of the {} root keys that must sign: whoever holds these could show \
             another federation; give --root for each / 所给根密钥少于门限",
            t.given, t.threshold
        );
    }
}

/// The last line: how much was checked, and whether all of it holds.
fn summary(text: &mut String, report: &Report, took: Duration) {
    let rollups: usize = report.units.iter().map(|u| u.months.len()).sum();
    let until = report.until.map(|m| format!(" up to {m}"));
    let result = match report.failures().count() {
        _ if report.units.is_empty() => "nothing is there to check".to_string(),
        0 => "every check holds / 全部校验成立".to_string(),
        1 => "1 check FAILS / 有 1 项校验不成立".to_string(),
        n => format!("{n} checks FAIL / 有 {n} 项校验不成立"),
    };
    let _ = writeln!(
        text,
        "{} {} unit(s), {rollups} rollup(s){}, {} statement(s), checked in {}: {result}",
        if report.holds() { "✓" } else { "✗" },
        report.units.len(),
        until.unwrap_or_default(),
        report.leaves,
        seconds(took),
    );
}

fn worst(unit: &UnitReport) -> Outcome {
    unit.months
        .iter()
        .map(of_month)
        .max_by_key(|o| severity(*o))
        .unwrap_or(Outcome::Holds)
}

fn of_month(month: &MonthReport) -> Outcome {
    let noted = (month.unasked || month.forked).then_some(Outcome::Noted);
    month
        .verdicts
        .iter()
        .map(|v| v.outcome)
        .chain(noted)
        .max_by_key(|o| severity(*o))
        .unwrap_or(Outcome::Holds)
}

fn severity(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Holds => 0,
        Outcome::Noted => 1,
        Outcome::Fails => 2,
    }
}

/// ✓ it holds, ! it holds and there is something to know, ✗ it does not hold.
fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Holds => "✓",
        Outcome::Noted => "!",
        Outcome::Fails => "✗",
    }
}

/// One line a check, `detail` included.
pub fn verdict_line(v: &Verdict) -> String {
    let word = match v.outcome {
        Outcome::Holds => "holds",
        Outcome::Noted => "holds, but",
        Outcome::Fails => "FAILS",
    };
    format!(
        "{} {} {word}: {}",
        mark(v.outcome),
        v.check,
        one_line(&v.detail)
    )
}

fn answer(decision: Option<Decision>) -> String {
    decision.map_or_else(
        || "no receipt of the parent here".to_string(),
        |d| format!("{} by the parent", super::output::decision_words(d)),
    )
}

/// A line and the lines below it.
type Line = (String, Vec<String>);

/// Lines of a unit. Months that hold alike share one.
fn months(unit: &UnitReport) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut rest = unit.months.as_slice();
    while let Some(first) = rest.first() {
        if of_month(first) != Outcome::Holds {
            lines.push(noted_month(first, &unit.name));
            rest = &rest[1..];
            continue;
        }
        let run = rest.iter().take_while(|m| same(m, first)).count();
        lines.push((holding_months(&rest[..run], &unit.name), Vec::new()));
        rest = &rest[run..];
    }
    if lines.is_empty() {
        lines.push(("no rollup".to_string(), Vec::new()));
    }
    lines
}

/// What the unit was called in a month, where that is not its last name.
fn name_then(month: &MonthReport, last: &str) -> String {
    if month.name == last {
        return String::new();
    }
    let then = one_line(&month.name);
    let last = one_line(last);
    format!(" as {then}, now {last} / 当时名称 {then}，现名 {last}")
}

/// Whether two months that hold were checked and decided alike, under one name.
fn same(m: &MonthReport, first: &MonthReport) -> bool {
    of_month(m) == Outcome::Holds
        && m.name == first.name
        && m.decision == first.decision
        && m.verdicts.len() == first.verdicts.len()
}

/// A month of which something is to be known, with that below it.
fn noted_month(month: &MonthReport, last_name: &str) -> Line {
    let holds = |v: &&Verdict| v.outcome == Outcome::Holds;
    let (holding, others): (Vec<&Verdict>, Vec<&Verdict>) = month.verdicts.iter().partition(holds);
    let mut below: Vec<String> = others.into_iter().map(verdict_line).collect();
    if month.unasked {
        below.push(
            "! no receipt here asks for this revision; no target is judged from it \
             / 此处没有上级要求修订的回执，目标不以其为据"
                .into(),
        );
    }
    if month.forked {
        below.push(
            "! another report of this unit follows the same one: it went on twice from there, from \
             an old copy of its data or on purpose; each is judged by what it follows itself \
             / 本单位另有一份报表接在同一份报表之后：数据可能从旧副本恢复，也可能有意为之；各份按其所接续的报表分别校验"
                .into(),
        );
    }
    if !holding.is_empty() {
        below.push(format!("✓ {} hold", names(holding)));
    }
    let line = format!(
        "{} {} revision {}{}, {}",
        mark(of_month(month)),
        month.period,
        month.revision,
        name_then(month, last_name),
        answer(month.decision)
    );
    (line, below)
}

/// One line for months that hold alike; there is at least one.
fn holding_months(run: &[MonthReport], last_name: &str) -> String {
    let (first, last) = (&run[0], &run[run.len() - 1]);
    let span = match run.len() {
        1 if first.revision > 1 => format!("{} revision {}", first.period, first.revision),
        1 => first.period.to_string(),
        n => format!("{} … {}, {n} rollups", first.period, last.period),
    };
    let checks = names(&first.verdicts);
    let name = name_then(first, last_name);
    format!("✓ {span}{name}: {checks} hold; {}", answer(first.decision))
}

/// The names of checks.
fn names<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> String {
    let names: Vec<&str> = verdicts.into_iter().map(|v| v.check.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::digest::Digest;
    use protocol::ids::Tier;
    use protocol::verdict::Check;

    fn month(n: u32, outcome: Outcome) -> MonthReport {
        let verdict = Verdict::new(Check::Binding, outcome, "because");
        MonthReport {
            period: format!("2023-{n:02}").parse().unwrap(),
            name: "平定县".into(),
            revision: 1,
            rollup: Digest::of(b""),
            verdicts: vec![Verdict::holds(Check::History, "log"), verdict],
            decision: Some(Decision::Accepted),
            unasked: false,
            forked: false,
        }
    }

    #[test]
    fn a_unit_that_went_on_twice_is_told() {
        let forked = MonthReport {
            forked: true,
            ..month(5, Outcome::Holds)
        };
        let (line, below) = noted_month(&forked, "平定县");
        assert!(line.starts_with("! 2023-05"), "{line}");
        assert!(below[0].contains("went on twice"), "{below:?}");
        assert!(forked.counts(), "its chain says whether it holds");
    }

    #[test]
    fn a_revision_that_nobody_asked_for_is_told() {
        let unasked = MonthReport {
            revision: 2,
            unasked: true,
            ..month(5, Outcome::Holds)
        };
        let (line, below) = noted_month(&unasked, "平定县");
        assert!(line.starts_with("! 2023-05 revision 2"), "{line}");
        assert!(below[0].contains("no receipt here asks"), "{below:?}");
        assert!(!unasked.counts() && month(5, Outcome::Holds).counts());
    }

    #[test]
    fn what_an_ended_unit_held_is_told() {
        let mut unit = UnitReport {
            unit: "140322".parse().unwrap(),
            name: "盂县".into(),
            tier: Tier::County,
            months: vec![month(1, Outcome::Holds)],
            ended: None,
        };
        let mut end = Ended {
            until: "2023-01".parse().unwrap(),
            successors: vec!["140321".parse().unwrap()],
            stocks: Some([("I001".to_string(), 12)].into()),
        };
        unit.ended = Some(end.clone());
        let mut text = String::new();
        unit_tree(&mut text, &unit);
        for part in [
            "ended with 2023-01; its stocks then (I001 12)",
            "140321 records them anew",
            "由 140321 重新登记",
        ] {
            assert!(text.contains(part), "{text}");
        }
        (end.stocks, end.successors) = (None, Vec::new());
        let [en, zh] = ended_lines(&unit, &end);
        assert!(en.contains("no report of it that holds") && en.contains("nobody carries on"));
        assert!(zh.contains("没有承接单位"), "{zh}");
    }

    #[test]
    fn a_month_is_told_under_the_name_of_its_time() {
        let of = |n: u32, name: &str, outcome| MonthReport {
            name: name.into(),
            ..month(n, outcome)
        };
        let unit = UnitReport {
            unit: "140302".parse().unwrap(),
            name: "城区".into(),
            tier: Tier::County,
            months: vec![
                of(1, "老城区", Outcome::Holds),
                of(2, "老城区", Outcome::Holds),
                of(3, "老城区", Outcome::Noted),
                of(4, "城区", Outcome::Holds),
            ],
            ended: None,
        };
        let told: Vec<String> = months(&unit).into_iter().map(|(line, _)| line).collect();
        let then = "as 老城区, now 城区 / 当时名称 老城区，现名 城区";
        assert_eq!(told.len(), 3);
        assert!(told[0].starts_with("✓ 2023-01 … 2023-02, 2 rollups") && told[0].contains(then));
        assert!(told[1].starts_with("! 2023-03") && told[1].contains(then));
        assert!(!told[2].contains("老城区"), "{}", told[2]);
    }

    #[test]
    fn months_that_hold_are_one_line_and_the_others_are_told() {
        let mut months: Vec<MonthReport> = (1..=12).map(|n| month(n, Outcome::Holds)).collect();
        months[4] = month(5, Outcome::Noted);
        months[6] = month(7, Outcome::Fails);
        let unit = UnitReport {
            unit: "140321".parse().unwrap(),
            name: "平定县".into(),
            tier: Tier::County,
            months,
            ended: None,
        };
        let trust = protocol::evidence::report::Trust {
            version: 3,
            digest: protocol::digest::Digest::of(b""),
            given: 1,
            threshold: 2,
        };
        let report = Report {
            trust: trust.clone(),
            units: vec![unit],
            targets: Vec::new(),
            unjudged: vec!["X".into()],
            leaves: 7,
            until: None,
        };
        let text = render(&report, Duration::from_millis(1234), Style::Plain);
        assert!(
            text.starts_with(
                "✗ 140321 平定县 (county)\n├─ ✓ 2023-01 … 2023-04, 4 rollups: \
            history, binding hold; accepted"
            ),
            "{text}"
        );
        assert!(
            text.contains(
                "├─ ! 2023-05 revision 1, accepted 审核通过 by the parent\n│    ! binding holds, \
                    but: because\n│    ✓ history hold\n"
            ),
            "{text}"
        );
        assert!(text.contains("├─ ✓ 2023-06: history"), "{text}");
        assert!(text.contains("│    ✗ binding FAILS: because"), "{text}");
        assert!(text.contains("└─ ✓ 2023-08 … 2023-12, 5 rollups"), "{text}");
        assert!(
            text.contains("12 rollup(s), 7 statement(s), checked in 1.23 s: 1 check FAILS"),
            "{text}"
        );
        let empty = Report {
            trust,
            units: Vec::new(),
            targets: Vec::new(),
            unjudged: Vec::new(),
            leaves: 0,
            until: None,
        };
        assert!(render(&empty, Duration::ZERO, Style::Plain).contains("✗ 0 unit(s)"));
    }
}
