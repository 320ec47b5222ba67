//! Figures, their tables, and what changed, as commands print them.

use node::queries::figures::Difference;
use protocol::readable::{CellChange, Change, FigureChange, Label, ReadableFigure, ReadableReport};

use super::output::{Output, print, sayln};

/// Whose report it is, of which month, and its digest.
pub fn heading(report: &ReadableReport) {
    sayln!(
        "单位 unit       {} {} ({})",
        report.unit,
        report.name,
        report.tier
    );
    sayln!(
        "月份 month      {} 第 {} 版 revision {}",
        report.period,
        report.revision,
        report.revision
    );
    sayln!("摘要值 digest   {}", report.digest);
}

/// The totals of a report's figures. `all` shows those that are zero, too.
pub fn totals(figures: &[ReadableFigure], all: bool, out: &Output) {
    let summed = figures.iter().any(|f| f.summed);
    let mut rows = out.table(if summed {
        &[
            "指标 figure",
            "名称 name",
            "本级 own",
            "合计 total",
            "依据 basis",
        ]
    } else {
        &["指标 figure", "名称 name", "数值 value", "依据 basis"]
    });
    let shown = figures.iter().filter(|f| all || !f.is_zero());
    for f in shown.clone() {
        let (own, total, basis) = (&f.own.text, &f.total.text, basis(f));
        if summed {
            rows.add_row([&f.id, &f.name.zh, own, total, &basis]);
        } else {
            rows.add_row([&f.id, &f.name.zh, total, &basis]);
        }
    }
    print(&rows);
    let hidden = figures.len() - shown.count();
    if hidden > 0 {
        sayln!(
            "另有 {hidden} 项为零，--all 全部显示 / {hidden} figure(s) are zero; --all shows them"
        );
    }
}

fn basis(figure: &ReadableFigure) -> String {
    match &figure.declared {
        Some(declared) => format!("{}（其中期初数 {}）", figure.basis_name.zh, declared.text),
        None => figure.basis_name.zh.clone(),
    }
}

/// The breakdowns of the figures that are not zero, cell by cell.
pub fn breakdowns(figures: &[ReadableFigure], all: bool, out: &Output) {
    for figure in figures.iter().filter(|f| all || !f.is_zero()) {
        for table in &figure.tables {
            let names: Vec<&str> = table.dimensions.iter().map(|d| d.zh.as_str()).collect();
            sayln!("\n{} {} 按{}", figure.id, figure.name.zh, names.join(" × "));
            let words = if figure.summed {
                ["本级 own", "合计 total"].as_slice()
            } else {
                &["数值 value"]
            };
            let heading = names.iter().chain(words).copied();
            let mut rows = out.table(&Vec::from_iter(heading));
            for cell in table.cells.iter().filter(|c| all || !c.total.is_zero()) {
                let labels = cell.labels.iter().map(|l| l.zh.as_str());
                let own = figure.summed.then_some(cell.own.text.as_str());
                rows.add_row(labels.chain(own).chain([cell.total.text.as_str()]));
            }
            print(&rows);
        }
    }
}

fn shown(change: &Change) -> [String; 3] {
    let text = |reading: &Option<protocol::readable::Reading>| {
        let there = reading.as_ref().map(|r| r.text.clone());
        there.unwrap_or_else(|| "–".into())
    };
    [
        text(&change.before),
        text(&change.after),
        change.text.clone(),
    ]
}

/// What changed, figures first, then their cells.
pub fn difference(found: &Difference, out: &Output) {
    let (before, after) = (&found.before, &found.after);
    sayln!(
        "{} 第 {} 版 → {} 第 {} 版 (revision {} → {})",
        before.period,
        before.revision,
        after.period,
        after.revision,
        before.revision,
        after.revision
    );
    if found.changes.is_empty() {
        sayln!("数字没有变化 / no figure changed");
        return;
    }
    let heading = [
        "指标 figure",
        "名称 name",
        "之前 before",
        "之后 after",
        "差 difference",
    ];
    let mut rows = out.table(&heading);
    for change in &found.changes {
        let [before, after, text] = shown(&change.total);
        rows.add_row([
            change.id.clone(),
            change.name.zh.clone(),
            before,
            after,
            text,
        ]);
        for cell in &change.cells {
            let [before, after, text] = shown(&cell.total);
            rows.add_row([String::new(), place(cell), before, after, text]);
        }
    }
    print(&rows);
    let own: Vec<&FigureChange> = found.changes.iter().filter(|c| is_hidden(c)).collect();
    for change in own {
        sayln!(
            "  {}: 合计不变，本级有变化 / the own part alone changed",
            change.id
        );
    }
}

/// Whether the totals are the same and something below them is not.
fn is_hidden(change: &FigureChange) -> bool {
    !change.total.is_change() && change.own.is_change()
}

fn place(cell: &CellChange) -> String {
    let labels = |list: &[Label]| {
        let words: Vec<&str> = list.iter().map(|l| l.zh.as_str()).collect();
        words.join(" × ")
    };
    format!("  {}：{}", labels(&cell.dimensions), labels(&cell.labels))
}
