//! The numbers of a figure, and what stops them from being added.

use serde::{Deserialize, Serialize};

use crate::catalogue::{Catalogue, Indicator};

/// What a figure rests on. The weakest part decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// Signed only: some part of it is neither committed nor recorded in clear.
    Declared,
    /// An integer function of proven figures.
    Derived,
    /// The sum of committed or clear rows.
    Proven,
}

impl Basis {
    /// For pages: 明细数 / 计算数 / 申报数.
    pub fn zh(self) -> &'static str {
        match self {
            Basis::Proven => "明细数",
            Basis::Derived => "计算数",
            Basis::Declared => "申报数",
        }
    }
    /// For tables.
    pub fn en(self) -> &'static str {
        match self {
            Basis::Proven => "proven",
            Basis::Derived => "derived",
            Basis::Declared => "declared",
        }
    }
}

/// The numbers of one figure in one scope.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// The value of a counted figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// Numerator of a ratio or coverage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num: Option<i64>,
    /// Denominator of a ratio or coverage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub den: Option<i64>,
    /// The declared tables, cell by cell in the catalogue's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<Vec<i64>>,
    /// The part of `value` that is a declared opening number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub declared: i64,
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}

/// One figure of a rollup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Figure id, for example `I011` or `I011@plan`.
    pub id: String,
    /// What it rests on.
    pub basis: Basis,
    /// The unit's own log.
    pub own: Counts,
    /// Own and all children; absent where there are no children.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<Counts>,
}

impl Figure {
    /// The numbers of the whole scope: the sum where there is one, else the own ones.
    pub fn scope(&self) -> &Counts {
        self.sum.as_ref().unwrap_or(&self.own)
    }
}

/// Why figures cannot be carried on or added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FigureError {
    /// A sum outside the range of whole numbers that documents carry.
    #[error("figure {0}: the sum is out of range [figure.range]")]
    Range(String),
    /// Other members, tables or cells than the catalogue declares.
    #[error("figure {0}: other tables or cells than the catalogue declares [figure.shape]")]
    Shape(String),
    /// A figure of the catalogue that is not there.
    #[error("figure {0} is missing [figure.absent]")]
    Absent(String),
    /// A count in a cell for which the catalogue that is added by has no code.
    #[error(
        "figure {figure}: the catalogue has no cell {cell} in table {table}, and there is a count \
         in it [figure.no_place]"
    )]
    NoPlace {
        /// Figure.
        figure: String,
        /// Table.
        table: String,
        /// Cell.
        cell: String,
    },
}

impl FigureError {
    /// The same in Chinese.
    pub fn zh(&self) -> String {
        match self {
            FigureError::Range(figure) => format!("指标 {figure}：合计超出范围"),
            FigureError::Shape(figure) => format!("指标 {figure}：分组或单元格与目录所列不同"),
            FigureError::Absent(figure) => format!("缺少指标 {figure}"),
            FigureError::NoPlace {
                figure,
                table,
                cell,
            } => format!("指标 {figure}：目录的分组 {table} 中没有单元格 {cell}，而其中有数"),
        }
    }
}

impl Counts {
    pub(super) fn of(indicator: &Indicator, catalogue: &Catalogue) -> Counts {
        if indicator.kind.is_counted() {
            let cells = indicator
                .tables
                .iter()
                .map(|t| vec![0; catalogue.cells(t).len()])
                .collect();
            Counts {
                value: Some(0),
                cells,
                ..Counts::default()
            }
        } else {
            Counts {
                num: Some(0),
                den: Some(0),
                ..Counts::default()
            }
        }
    }

    /// Whether both have a value, or both numerator and denominator.
    pub(super) fn has_members_of(&self, other: &Counts) -> bool {
        let members = |c: &Counts| (c.value.is_some(), c.num.is_some(), c.den.is_some());
        members(self) == members(other)
    }

    /// Whether both have the same members, tables and numbers of cells.
    pub(super) fn has_shape_of(&self, other: &Counts) -> bool {
        let widths = |c: &Counts| c.cells.iter().map(Vec::len).collect::<Vec<_>>();
        self.has_members_of(other) && widths(self) == widths(other)
    }

    /// Adds other numbers of the same figure.
    ///
    /// # Errors
    /// Another shape, or an overflow: hostile figures are refused, not wrapped.
    pub fn add(&mut self, other: &Counts, id: &str) -> Result<(), FigureError> {
        let wrong = || FigureError::Range(id.to_string());
        if !self.has_shape_of(other) {
            return Err(FigureError::Shape(id.to_string()));
        }
        let plus = |a: i64, b: i64| {
            a.checked_add(b)
                .filter(|n| n.unsigned_abs() < 1 << 53)
                .ok_or_else(wrong)
        };
        for (a, b) in [
            (&mut self.value, other.value),
            (&mut self.num, other.num),
            (&mut self.den, other.den),
        ] {
            if let (Some(a), Some(b)) = (a, b) {
                *a = plus(*a, b)?;
            }
        }
        self.declared = plus(self.declared, other.declared)?;
        for (table, more) in self.cells.iter_mut().zip(&other.cells) {
            for (a, b) in table.iter_mut().zip(more) {
                *a = plus(*a, *b)?;
            }
        }
        Ok(())
    }

    /// Whether the cells of every declared table add up to the value.
    pub fn is_consistent(&self) -> bool {
        self.cells
            .iter()
            .all(|t| t.iter().try_fold(0_i64, |a, b| a.checked_add(*b)) == self.value)
    }
}
