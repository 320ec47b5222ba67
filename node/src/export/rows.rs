//! What stands in a file of figures, row by row.

use protocol::readable::{Measure, ReadableFigure, ReadableReport, Reading};

/// The heading. Its words are in both languages, as every table of the command line.
pub const HEADING: [&str; 16] = [
    "填报单位代码 unit",
    "填报单位 name",
    "月份 month",
    "版次 revision",
    "指标代码 figure",
    "指标名称 figure name",
    "计量单位 measure",
    "依据 basis",
    "分组 table",
    "单元格代码 cell",
    "单元格 label",
    "本级 own",
    "合计 total",
    "分子 numerator",
    "分母 denominator",
    "摘要值 digest",
];

/// One cell of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text, never a formula.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Money in 分; written in 元 with two decimals.
    Money(i64),
    /// A ratio; written in percent. Nothing of nothing is empty.
    Ratio(i64, i64),
    /// Nothing.
    Empty,
}

/// Every number of a report: each figure's total, then its cells.
pub fn rows(report: &ReadableReport) -> Vec<Vec<Cell>> {
    let figures = report.figures.iter();
    figures
        .flat_map(|figure| of_figure(report, figure))
        .collect()
}

fn text(value: impl ToString) -> Cell {
    Cell::Text(value.to_string())
}

fn of_figure(report: &ReadableReport, figure: &ReadableFigure) -> Vec<Vec<Cell>> {
    let row = |place: [Cell; 3], own: &Reading, total: &Reading| {
        let mut row = vec![
            text(&report.unit),
            text(&report.name),
            text(report.period),
            Cell::Number(i64::from(report.revision)),
            text(&figure.id),
            text(&figure.name.zh),
            text(&figure.unit),
            text(&figure.basis_name.zh),
        ];
        row.extend(place);
        row.extend([number(own, &figure.measure), number(total, &figure.measure)]);
        row.extend([part(total.numerator), part(total.denominator)]);
        row.push(text(report.digest));
        row
    };
    let whole = [text("total"), text("total"), text("合计")];
    let mut rows = vec![row(whole, &figure.own, &figure.total)];
    for table in &figure.tables {
        let cells = table.cells.iter();
        rows.extend(cells.map(|cell| {
            let place = [text(&table.table), text(&cell.cell), text(cell.label())];
            row(place, &cell.own, &cell.total)
        }));
    }
    rows
}

fn part(number: Option<i64>) -> Cell {
    number.map_or(Cell::Empty, Cell::Number)
}

fn number(reading: &Reading, measure: &Measure) -> Cell {
    match (reading.value, measure) {
        (Some(fen), Measure::Money) => Cell::Money(fen),
        (Some(value), _) => Cell::Number(value),
        (None, _) => match (reading.numerator, reading.denominator) {
            (Some(num), Some(den)) if den > 0 => Cell::Ratio(num, den),
            _ => Cell::Empty,
        },
    }
}
