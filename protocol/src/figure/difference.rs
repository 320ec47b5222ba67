//! Where figures that are published differ from those that follow from their parts.

use super::counts::{Basis, Counts, Figure};
use crate::catalogue::{Catalogue, table_name};

/// The first difference between two lists of figures: where, what is there, what follows from the
/// parts.
///
/// # Errors
/// The difference.
pub fn same(
    catalogue: &Catalogue,
    published: &[Figure],
    expected: &[Figure],
) -> Result<(), Difference> {
    for e in expected {
        let id = || e.id.clone();
        let p = published
            .iter()
            .find(|p| p.id == e.id)
            .ok_or_else(|| Difference::Missing(id()))?;
        for (scope, p, e) in [
            ("own", Some(&p.own), Some(&e.own)),
            ("sum", p.sum.as_ref(), e.sum.as_ref()),
        ] {
            match (p, e) {
                (None, None) => {}
                (Some(p), Some(e)) => {
                    same_counts(catalogue, &id(), p, e).map_err(|part| Difference::Counts {
                        figure: id(),
                        scope,
                        part,
                    })?;
                }
                _ => return Err(Difference::SumPresence(id())),
            }
        }
        if p.basis != e.basis {
            return Err(Difference::Basis {
                figure: id(),
                published: p.basis,
                expected: e.basis,
            });
        }
    }
    if let Some(extra) = published
        .iter()
        .find(|p| !expected.iter().any(|e| e.id == p.id))
    {
        return Err(Difference::Extra(extra.id.clone()));
    }
    if published.len() != expected.len() {
        return Err(Difference::Twice);
    }
    Ok(())
}

fn same_counts(
    catalogue: &Catalogue,
    id: &str,
    published: &Counts,
    expected: &Counts,
) -> Result<(), PartDifference> {
    for (name, p, e) in [
        ("value", published.value, expected.value),
        ("num", published.num, expected.num),
        ("den", published.den, expected.den),
    ] {
        if p != e {
            return Err(PartDifference::Number {
                name,
                published: p,
                expected: e,
            });
        }
    }
    if published.declared != expected.declared {
        return Err(PartDifference::Declared {
            published: published.declared,
            expected: expected.declared,
        });
    }
    let indicator = catalogue.indicator(id);
    for (n, (p, e)) in published.cells.iter().zip(&expected.cells).enumerate() {
        if let Some(cell) = (0..p.len().max(e.len())).find(|&c| p.get(c) != e.get(c)) {
            let table = indicator.and_then(|i| i.tables.get(n));
            let table = table.map_or(&[][..], Vec::as_slice);
            let names = catalogue.cells(table);
            return Err(PartDifference::Cell {
                table: table_name(table),
                cell: names.get(cell).cloned().unwrap_or_default(),
                published: p.get(cell).copied(),
                expected: e.get(cell).copied(),
            });
        }
    }
    if published.cells.len() != expected.cells.len() {
        return Err(PartDifference::Tables);
    }
    Ok(())
}

/// Where two lists of figures differ.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// A figure that is not there.
    #[error("figure {0} is missing")]
    Missing(String),
    /// A figure with other numbers.
    #[error("figure {figure} ({scope}): {part}")]
    Counts {
        /// Figure.
        figure: String,
        /// `own` or `sum`.
        scope: &'static str,
        /// Which number.
        part: PartDifference,
    },
    /// A sum without children, or none with children.
    #[error("figure {0}: `sum` is there exactly where there are children")]
    SumPresence(String),
    /// Another basis.
    #[error("figure {figure} is called {} but is {}", published.en(), expected.en())]
    Basis {
        /// Figure.
        figure: String,
        /// What is published.
        published: Basis,
        /// What follows.
        expected: Basis,
    },
    /// A figure that the catalogue does not have.
    #[error("figure {0} is not in the catalogue")]
    Extra(String),
    /// One figure twice.
    #[error("a figure is there twice")]
    Twice,
}

impl Difference {
    /// The same in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Difference::Missing(figure) => format!("缺少指标 {figure}"),
            Difference::Counts {
                figure,
                scope,
                part,
            } => {
                let scope = if *scope == "own" { "本级" } else { "合计" };
                format!("指标 {figure}({scope}):{}", part.zh())
            }
            Difference::SumPresence(figure) => {
                format!("指标 {figure}:有下级时才有、也必有合计")
            }
            Difference::Basis {
                figure,
                published,
                expected,
            } => format!("指标 {figure} 标为{},应为{}", published.zh(), expected.zh()),
            Difference::Extra(figure) => format!("目录中没有指标 {figure}"),
            Difference::Twice => "有指标重复".into(),
        }
    }
}

/// Which number of a figure differs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartDifference {
    /// The value, the numerator or the denominator.
    #[error("{name} is {} but its parts give {}", show(*published), show(*expected))]
    Number {
        /// Which one.
        name: &'static str,
        /// What is published.
        published: Option<i64>,
        /// What follows.
        expected: Option<i64>,
    },
    /// The declared part.
    #[error("declared part is {published} but its parts give {expected}")]
    Declared {
        /// What is published.
        published: i64,
        /// What follows.
        expected: i64,
    },
    /// A cell.
    #[error(
        "table {table} cell {cell} is {} but its parts give {}",
        show(*published),
        show(*expected)
    )]
    Cell {
        /// The table's name.
        table: String,
        /// The cell's name.
        cell: String,
        /// What is published.
        published: Option<i64>,
        /// What follows.
        expected: Option<i64>,
    },
    /// Other tables.
    #[error("other tables than the catalogue declares")]
    Tables,
}

impl PartDifference {
    /// The same in Chinese.
    pub fn zh(&self) -> String {
        let show = |n: &Option<i64>| n.map_or_else(|| "无".to_string(), |n| n.to_string());
        match self {
            PartDifference::Number {
                name,
                published,
                expected,
            } => format!(
                "{name} 为 {},按其组成应为 {}",
                show(published),
                show(expected)
            ),
            PartDifference::Declared {
                published,
                expected,
            } => format!("申报部分为 {published},按其组成应为 {expected}"),
            PartDifference::Cell {
                table,
                cell,
                published,
                expected,
            } => format!(
                "分组 {table} 的 {cell} 为 {},按其组成应为 {}",
                show(published),
                show(expected)
            ),
            PartDifference::Tables => "分组与目录所列不同".into(),
        }
    }
}

fn show(n: Option<i64>) -> String {
    n.map_or_else(|| "absent".to_string(), |n| n.to_string())
}
