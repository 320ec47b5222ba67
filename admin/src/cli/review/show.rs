//! `countersign review show`, `diff`, `table` and `missing`: what an officer reads.

use node::queries::below::{Expected, FigureTable};
use node::queries::child_report::{ChildReport, Word};
use protocol::readable::Reading;

use crate::cli::figure_tables;
use crate::cli::output::{Output, beijing, decision_words, one_line, print, sayln};

/// Who has not reported, or whose report is not accepted.
pub fn missing(list: &[Expected], out: &Output) {
    if list.is_empty() {
        sayln!("✓ 全部审核通过 / every unit is accepted");
        return;
    }
    let mut rows = out.table(&[
        "单位 unit",
        "名称 name",
        "状态 state",
        "版次 rev.",
        "截止 due",
        "超期 overdue",
    ]);
    for unit in list {
        let state = format!("{} {}", unit.state_name.zh, unit.state_name.en);
        let overdue = unit.overdue.map(|days| format!("{days} 天 day(s)"));
        rows.add_row([
            unit.unit.to_string(),
            unit.name.clone(),
            state,
            unit.revision.map(|r| r.to_string()).unwrap_or_default(),
            unit.due.clone(),
            overdue.unwrap_or_default(),
        ]);
    }
    print(&rows);
}

/// One figure of every unit side by side.
pub fn table(found: &FigureTable, out: &Output) {
    sayln!("{} {} {}", found.period, found.figure, found.name.zh);
    let columns: Vec<String> = found
        .columns
        .iter()
        .map(|column| {
            let labels = column.labels.iter().map(|l| l.zh.as_str());
            Vec::from_iter(labels).join(" × ")
        })
        .collect();
    let fixed = [
        "单位 unit",
        "名称 name",
        "状态 state",
        "版次 rev.",
        "合计 total",
    ];
    let heading = fixed.into_iter().chain(columns.iter().map(String::as_str));
    let mut rows = out.table(&Vec::from_iter(heading));
    let text = |reading: Option<&Reading>| reading.map_or_else(|| "–".into(), |r| r.text.clone());
    for row in &found.rows {
        let mut cells = vec![
            row.unit.to_string(),
            row.name.clone(),
            format!("{} {}", row.state_name.zh, row.state_name.en),
            row.revision.map(|r| r.to_string()).unwrap_or_default(),
            text(row.total.as_ref()),
        ];
        cells.extend(row.cells.iter().map(|cell| text(cell.as_ref())));
        rows.add_row(cells);
    }
    print(&rows);
}

/// A report with everything that is decided by.
pub fn report(shown: &ChildReport, tables: bool, all: bool, out: &Output) {
    figure_tables::heading(&shown.report);
    if let Some(arrived) = &shown.arrived {
        sayln!("收到 arrived    {}", beijing(arrived));
    }
    sayln!("状态 state      {}", state(shown));
    checks(shown);
    remarks(shown);
    sayln!();
    figure_tables::totals(&shown.report.figures, all, out);
    if tables {
        figure_tables::breakdowns(&shown.report.figures, all, out);
    }
    let sides = [
        (
            "与上一版相比 since the revision before",
            &shown.since_revision,
        ),
        ("与上月相比 since the month before", &shown.since_month),
        (
            "与上年同月相比 since the same month of last year",
            &shown.since_year,
        ),
    ];
    for (words, side) in sides {
        let Some(side) = side else { continue };
        sayln!("\n{words}");
        figure_tables::difference(side, out);
    }
    if !shown.thread.is_empty() {
        sayln!("\n往来 decisions");
        shown.thread.iter().for_each(word);
    }
}

fn state(shown: &ChildReport) -> String {
    match (shown.decision, shown.open, &shown.parent) {
        (Some(decision), ..) => decision_words(decision),
        (None, true, _) => "待审核 to decide".into(),
        (None, false, Some(parent)) => format!("由 {parent} 审核 by {parent}"),
        (None, false, None) => "–".into(),
    }
}

fn checks(shown: &ChildReport) {
    if let Some(waits) = &shown.waits {
        sayln!("校验 checks     … 校验中 waits: {}", one_line(waits));
    }
    for check in &shown.checks {
        let mark = match check.outcome {
            protocol::verdict::Outcome::Holds => "✓",
            protocol::verdict::Outcome::Noted => "!",
            protocol::verdict::Outcome::Fails => "✗",
        };
        let (name, outcome) = (&check.name, &check.outcome_name);
        sayln!(
            "{mark} {} {}：{} {}",
            name.zh,
            name.en,
            outcome.zh,
            outcome.en
        );
        if check.outcome != protocol::verdict::Outcome::Holds {
            sayln!("    {}", one_line(&check.detail.zh));
        }
    }
}

fn remarks(shown: &ChildReport) {
    for e in &shown.explanations {
        let text = one_line(&e.text);
        sayln!(
            "情况说明 explained  {} {} {}: {text}",
            e.rule,
            e.figure,
            e.says.zh
        );
    }
    for (month, count) in &shown.late {
        sayln!("补录 late       {month}: {count} 条");
    }
    if shown.voided > 0 {
        sayln!("作废 voided     {} 条", shown.voided);
    }
    for left in &shown.left_out {
        let reason = one_line(&left.reason);
        sayln!("缺报 left out   {} {}: {reason}", left.unit, left.name);
    }
}

fn word(word: &Word) {
    let (at, by) = (beijing(&word.at), &word.by);
    sayln!(
        "  {at} 第 {} 版 {} {by}",
        word.revision,
        decision_words(word.decision)
    );
    for reason in &word.reasons {
        sayln!("    {}", one_line(reason));
    }
    if !word.about.is_empty() {
        sayln!("    涉及 about: {}", one_line(&word.about.join(", ")));
    }
}
