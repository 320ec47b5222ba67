//! A month's report as its signatories read it.

use protocol::catalogue::Catalogue;
use protocol::figure::Figure;
use protocol::rollup::HeldRollup;
use protocol::rollup::Rollup;

use crate::cli::output::{Output, amount, print, sayln};

/// Prints a report: what it is of, who has signed, its figures. `all` shows those that are zero, too.
/// Without the catalogue it was counted by, figures have no names.
pub fn report(held: &HeldRollup, catalogue: Option<&Catalogue>, all: bool, out: &Output) {
    heading(held);
    below(&held.rollup);
    for e in &held.rollup.explanations {
        sayln!("说明 explained  {} {}: {}", e.rule, e.figure, e.text);
    }
    signatures(held);
    sayln!();
    figures(&held.rollup, catalogue, all, out);
    if catalogue.is_none() {
        sayln!("The node's catalogue is not the one of this report: names are not shown.");
    }
}

fn heading(held: &HeldRollup) {
    let r = &held.rollup;
    let replaces = match r.revision {
        1 => "",
        _ => " (replaces the one before / 更正版)",
    };
    sayln!("单位 unit       {} ({})", r.unit, r.tier);
    sayln!(
        "月份 month      {} revision {}{replaces}",
        r.period,
        r.revision
    );
    sayln!("摘要 digest     {}", held.digest());
    sayln!(
        "日志 log        {} statements, {} taken back this month",
        r.log.size,
        r.voided
    );
    if !r.late.is_empty() {
        let late: Vec<String> = r.late.iter().map(|(m, n)| format!("{n} of {m}")).collect();
        sayln!("补报 late       {}", late.join(", "));
    }
}

fn below(r: &Rollup) {
    if r.children.is_empty() && r.missing.is_empty() {
        return;
    }
    sayln!(
        "下级 units      {} included, {} missing",
        r.children.len(),
        r.missing.len()
    );
    for m in &r.missing {
        sayln!("  缺报 missing  {}: {}", m.unit, m.reason);
    }
}

fn signatures(held: &HeldRollup) {
    let roles = ["填表人", "统计负责人", "单位负责人"];
    let lines = held.note.signatures();
    for (zh, name) in roles.into_iter().zip(held.rollup.signatories.names()) {
        let state = if lines.iter().any(|s| s.name() == name) {
            "has signed / 已签"
        } else {
            "has not signed / 未签"
        };
        sayln!("{zh}  {name}: {state}");
    }
}

fn figures(r: &Rollup, catalogue: Option<&Catalogue>, all: bool, out: &Output) {
    let summed = r.figures.iter().any(|f| f.sum.is_some());
    let mut rows = out.table(if summed {
        &["指标 figure", "名称", "本级 own", "合计 total", "依据"]
    } else {
        &["指标 figure", "名称", "数值 value", "依据"]
    });
    let mut hidden = 0;
    for f in &r.figures {
        if !all && is_zero(f) {
            hidden += 1;
            continue;
        }
        let (name, measure) = name_of(f, catalogue);
        let own = amount(&f.own, &measure);
        let basis = f.basis.zh().to_string();
        match &f.sum {
            Some(sum) => rows.add_row([&f.id, &name, &own, &amount(sum, &measure), &basis]),
            None if summed => rows.add_row([&f.id, &name, &own, &own, &basis]),
            None => rows.add_row([&f.id, &name, &own, &basis]),
        };
    }
    print(&rows);
    if hidden > 0 {
        sayln!("{hidden} figure(s) are zero; --all shows them");
    }
}

fn is_zero(figure: &Figure) -> bool {
    let scope = figure.scope();
    scope.value.or(scope.num).unwrap_or(0) == 0 && scope.den.unwrap_or(0) == 0
}

/// Name and measure of a figure's indicator.
fn name_of(figure: &Figure, catalogue: Option<&Catalogue>) -> (String, String) {
    let id = figure.id.split('@').next().unwrap_or_default();
    let indicator = catalogue.and_then(|c| c.indicator(id));
    indicator
        .map(|i| (i.zh.clone(), i.unit.clone()))
        .unwrap_or_default()
}
