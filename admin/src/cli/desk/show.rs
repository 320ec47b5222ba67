//! A month's report as its signatories read it.

use protocol::catalogue::Catalogue;
use protocol::readable;
use protocol::rollup::HeldRollup;
use protocol::rollup::Rollup;

use crate::cli::figure_tables;
use crate::cli::output::{Output, sayln};

/// Prints a report: what it is of, who has signed, its figures. `all` shows those that are zero, too, `tables` the breakdowns.
/// Without the catalogue it was counted by, figures have no names.
pub fn report(
    held: &HeldRollup,
    catalogue: Option<&Catalogue>,
    (all, tables): (bool, bool),
    out: &Output,
) {
    heading(held);
    below(&held.rollup);
    for e in &held.rollup.explanations {
        sayln!("说明 explained  {} {}: {}", e.rule, e.figure, e.text);
    }
    signatures(held);
    sayln!();
    figures(&held.rollup, catalogue, all, tables, out);
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
        sayln!("补录 late       {}", late.join(", "));
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

/// The figures; without the catalogue that they were counted by they have no names.
fn figures(r: &Rollup, catalogue: Option<&Catalogue>, all: bool, tables: bool, out: &Output) {
    let read = match catalogue {
        Some(catalogue) => readable::figures(&r.figures, catalogue),
        None => readable::unnamed(&r.figures),
    };
    figure_tables::totals(&read, all, out);
    if tables {
        figure_tables::breakdowns(&read, all, out);
    }
}
