//! Figures with names, units of measure, and tables whose cells are named by their labels.

use serde::{Deserialize, Serialize};

use super::amount::{Measure, Reading};
use crate::catalogue::{Catalogue, Dimension, Indicator, Subject, table_name};
use crate::figure::{Basis, Counts, Figure};

/// A word in both languages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Label {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Label {
    /// Both words.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Label {
        Label {
            zh: zh.into(),
            en: en.into(),
        }
    }
}

/// A figure as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadableFigure {
    /// Figure id: `I011`, `I011@plan-2022-2024`.
    pub id: String,
    /// Its name. Where an indicator has several figures, with what tells them apart.
    pub name: Label,
    /// Unit of measure of the texts: 人, 人次, 元, %.
    pub unit: String,
    /// What it is measured in.
    pub measure: Measure,
    /// What it rests on.
    pub basis: Basis,
    /// The same in words: 明细数, 计算数, 申报数.
    pub basis_name: Label,
    /// What the unit itself recorded.
    pub own: Reading,
    /// With all units below; where there are none, the same.
    pub total: Reading,
    /// Whether there are units below in it: then `own` and `total` are two things.
    pub summed: bool,
    /// The part of the total that is a declared opening number (期初数), where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Reading>,
    /// Its breakdowns.
    pub tables: Vec<ReadableTable>,
}

/// A breakdown of a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadableTable {
    /// Ids of its dimensions joined by `*`: `sex`, `category*grade`.
    pub table: String,
    /// Their names.
    pub dimensions: Vec<Label>,
    /// Its cells, in the catalogue's order.
    pub cells: Vec<ReadableCell>,
}

/// A cell of a breakdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadableCell {
    /// Codes joined by `*`: `f`, `3*1`.
    pub cell: String,
    /// Their labels, one for each dimension.
    pub labels: Vec<Label>,
    /// What the unit itself recorded.
    pub own: Reading,
    /// With all units below; where there are none, the same.
    pub total: Reading,
}

impl ReadableFigure {
    /// A figure without a definition in the catalogue: the numbers that it has, without a name. A
    /// report that was counted by the catalogue has none of these.
    fn unnamed(figure: &Figure) -> ReadableFigure {
        let measure = if figure.scope().value.is_some() {
            Measure::Count(String::new())
        } else {
            Measure::Percent
        };
        ReadableFigure {
            name: Label::new(&figure.id, &figure.id),
            ..frame(figure, measure)
        }
    }

    /// Whether nothing is in it.
    pub fn is_zero(&self) -> bool {
        self.own.is_zero() && self.total.is_zero()
    }

    /// The cells that a name means: every cell of a table (`sex`, 性别), or one cell (`sex:f`, 女).
    pub fn cells(&self, name: &str) -> Vec<(&ReadableTable, &ReadableCell)> {
        let is_table = |t: &&ReadableTable| t.table == name || t.is_called(name);
        if let Some(table) = self.tables.iter().find(is_table) {
            return table.cells.iter().map(|cell| (table, cell)).collect();
        }
        let Some(cell) = self.cell(name) else {
            return Vec::new();
        };
        let has = |t: &&ReadableTable| t.cells.iter().any(|c| std::ptr::eq(c, cell));
        let table = self.tables.iter().find(has);
        table.map(|table| (table, cell)).into_iter().collect()
    }

    /// The cell of a table, as `--about` and reasons name it: `sex:f`, or `f` alone where one table
    /// only has such a cell.
    pub fn cell(&self, name: &str) -> Option<&ReadableCell> {
        let (table, cell) = match name.split_once(':') {
            Some((table, cell)) => (Some(table), cell),
            None => (None, name),
        };
        let tables = self
            .tables
            .iter()
            .filter(|t| table.is_none_or(|id| t.table == id));
        let mut found = tables
            .flat_map(|t| &t.cells)
            .filter(|c| c.cell == cell || c.is_called(cell));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }
}

impl ReadableTable {
    /// Whether these are the names of its dimensions, joined by `*`.
    fn is_called(&self, name: &str) -> bool {
        let names = self.dimensions.iter().map(|label| label.zh.as_str());
        Vec::from_iter(names).join("*") == name
    }
}

impl ReadableCell {
    /// Its labels in one line: `女 × 肢体`.
    pub fn label(&self) -> String {
        let labels = self.labels.iter().map(|label| label.zh.as_str());
        Vec::from_iter(labels).join(" × ")
    }
    /// Whether these are its labels, joined by `*`.
    fn is_called(&self, name: &str) -> bool {
        let labels = self.labels.iter().map(|label| label.zh.as_str());
        Vec::from_iter(labels).join("*") == name
    }
}

/// Every figure of a catalogue with its name, in the catalogue's order.
pub fn names(catalogue: &Catalogue) -> Vec<(String, Label)> {
    let indicators = catalogue.indicators.iter();
    let named = indicators.flat_map(|indicator| {
        let ids = indicator.figure_ids().into_iter();
        ids.map(move |id| {
            let label = name(&id, indicator, catalogue);
            (id, label)
        })
    });
    named.collect()
}

/// Figures with the names, measures and cells that their catalogue gives them, in their order.
pub fn figures(figures: &[Figure], catalogue: &Catalogue) -> Vec<ReadableFigure> {
    let read = figures
        .iter()
        .map(|f| match catalogue.indicator_of_figure(&f.id) {
            Some(indicator) => figure(f, indicator, catalogue),
            None => ReadableFigure::unnamed(f),
        });
    read.collect()
}

/// Figures without their catalogue: what can be read without names.
pub fn unnamed(figures: &[Figure]) -> Vec<ReadableFigure> {
    figures.iter().map(ReadableFigure::unnamed).collect()
}

fn figure(figure: &Figure, indicator: &Indicator, catalogue: &Catalogue) -> ReadableFigure {
    let measure = Measure::of(indicator);
    ReadableFigure {
        name: name(&figure.id, indicator, catalogue),
        tables: tables(figure, indicator, catalogue, &measure),
        ..frame(figure, measure)
    }
}

/// What every figure has, named or not.
fn frame(figure: &Figure, measure: Measure) -> ReadableFigure {
    let declared = figure.scope().declared;
    ReadableFigure {
        id: figure.id.clone(),
        name: Label::new("", ""),
        unit: measure.unit().to_string(),
        basis: figure.basis,
        basis_name: Label::new(figure.basis.zh(), figure.basis.en()),
        own: Reading::of(&figure.own, &measure),
        total: Reading::of(figure.scope(), &measure),
        summed: figure.sum.is_some(),
        declared: (declared != 0).then(|| Reading::number(declared, &measure)),
        tables: Vec::new(),
        measure,
    }
}

/// The name of a figure; with its window where its indicator has several.
fn name(id: &str, indicator: &Indicator, catalogue: &Catalogue) -> Label {
    if indicator.windows.len() < 2 {
        return Label::new(&indicator.zh, &indicator.en);
    }
    let further = id.split_once('@').map(|(_, window)| window);
    let window = further.or(indicator.windows.first().map(String::as_str));
    let span = window_words(window.unwrap_or_default(), indicator.subject, catalogue);
    Label::new(
        format!("{}（{}）", indicator.zh, span.zh),
        format!("{} ({})", indicator.en, span.en),
    )
}

/// How often somebody counts: once a year, or once within the days of a plan.
fn window_words(window: &str, subject: Option<Subject>, catalogue: &Catalogue) -> Label {
    let (each_zh, each_en) = match subject {
        Some(Subject::Person) | None => ("每人", "each person"),
        Some(Subject::Employer | Subject::Carrier) => ("每家", "each organisation"),
        Some(Subject::Unit) => ("每个填报单位", "each unit"),
    };
    match catalogue.windows.iter().find(|w| w.id == window) {
        Some(w) => Label::new(
            format!("{} 至 {} {each_zh}只计一次", w.from, w.to),
            format!("{} to {}, {each_en} once", w.from, w.to),
        ),
        None => Label::new(
            format!("本年内{each_zh}只计一次"),
            format!("{each_en} once a year"),
        ),
    }
}

fn tables(
    figure: &Figure,
    indicator: &Indicator,
    catalogue: &Catalogue,
    measure: &Measure,
) -> Vec<ReadableTable> {
    let tables = indicator.tables.iter().enumerate();
    let read = tables.map(|(place, dimensions)| {
        let of = dimensions.iter().filter_map(|id| catalogue.dimension(id));
        let of: Vec<&Dimension> = of.collect();
        let codes = catalogue.cells(dimensions).into_iter().enumerate();
        let count = |counts: &Counts, n: usize| {
            let cells = counts.cells.get(place);
            cells.and_then(|cells| cells.get(n)).copied().unwrap_or(0)
        };
        let cells = codes.map(|(n, cell)| ReadableCell {
            labels: labels(&cell, &of),
            own: Reading::number(count(&figure.own, n), measure),
            total: Reading::number(count(figure.scope(), n), measure),
            cell,
        });
        ReadableTable {
            table: table_name(dimensions),
            cells: cells.collect(),
            dimensions: of.iter().map(|d| Label::new(&d.zh, &d.en)).collect(),
        }
    });
    read.collect()
}

/// The labels of a cell's codes. A code without a label is shown as it is.
fn labels(cell: &str, dimensions: &[&Dimension]) -> Vec<Label> {
    let codes = cell.split('*').zip(dimensions);
    let read = codes.map(|(code, dimension)| {
        let item = dimension.codes.iter().find(|item| item.code == code);
        item.map_or_else(
            || Label::new(code, code),
            |item| Label::new(&item.zh, &item.en),
        )
    });
    read.collect()
}
