//! Rows: the vector that an event contributes, laid out in blocks and columns.
//!
//! For each event type the catalogue fixes one *block* per (figure, direction, declared table) that
//! the type feeds. A block's columns are the table's cells and the column `-` ("does not count").
//! An event with personal data puts exactly one 1 into each block, so that the sum of a block over
//! a month *is* the table. An amount is a block of [`AMOUNT_BITS`] bit columns without the
//! exactly-one rule.
//!
//! A column's name is `<figure>:<direction>:<table>:<cell>`. The schema digest covers the event
//! type and all columns in order, and goes into every generator: a row of one schema can never be
//! added as another.

mod block;
mod rules;

pub use block::Block;
pub use rules::Rule;

use std::collections::BTreeMap;

use crate::catalogue::{AMOUNT_BITS, Catalogue, EventType, Kind, table_name};
use crate::count::{Move, MoveKind};
use crate::digest::Digest;

/// The column of a block that says "does not count".
pub const NOT_COUNTED: &str = "-";

/// Weights of clear rows are below this (2^53): what every language's numbers hold.
pub const MAX_WEIGHT: i64 = 1 << 53;

/// The layout of an event type's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    event: String,
    blocks: Vec<Block>,
    rules: Vec<Rule>,
    names: Vec<String>,
    digest: Digest,
}

/// Sums of rows by event type, column by column. Void statements subtract, so entries may be
/// negative.
pub type Sums = BTreeMap<String, Vec<i64>>;

/// Why moves do not fit a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// A move into a cell that the schema does not have.
    #[error("event {event}: no column for figure {figure} cell {cell:?} [row.column]")]
    NoColumn {
        /// Event type.
        event: String,
        /// Figure.
        figure: String,
        /// Cell.
        cell: String,
    },
    /// Two moves of one figure and direction in one event.
    #[error("event {event}: figure {figure} is moved twice in one direction [row.twice]")]
    Twice {
        /// Event type.
        event: String,
        /// Figure.
        figure: String,
    },
    /// An amount or weight that a row cannot hold.
    #[error("event {event}: figure {figure} cannot hold {weight} [row.weight]")]
    Weight {
        /// Event type.
        event: String,
        /// Figure.
        figure: String,
        /// What was to be held.
        weight: i64,
    },
}

/// A column that a schema does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown column {0}")]
pub struct UnknownColumn(pub String);

impl Schema {
    /// The schema of an event type under a catalogue.
    pub fn of(catalogue: &Catalogue, event: &EventType) -> Schema {
        let mut blocks = Vec::new();
        let mut names = Vec::new();
        for i in catalogue
            .indicators
            .iter()
            .filter(|i| i.kind.is_counted() && i.events.contains(&event.code))
        {
            let kinds: &[MoveKind] = match i.kind {
                Kind::Amount => &[MoveKind::Amount],
                Kind::Times | Kind::Sum => &[MoveKind::Count],
                _ if event.effect.baseline => &[MoveKind::In],
                Kind::Distinct if !event.system => &[MoveKind::In],
                _ => &[MoveKind::In, MoveKind::Out],
            };
            let dimensions = i.dimensions();
            for figure in i.figure_ids() {
                for &kind in kinds {
                    for (table, dims) in i.tables().iter().enumerate() {
                        let (cells, width): (Vec<String>, usize) = if kind == MoveKind::Amount {
                            (
                                (0..AMOUNT_BITS).map(|b| b.to_string()).collect(),
                                AMOUNT_BITS,
                            )
                        } else {
                            let cells = catalogue.cells(dims);
                            let width = cells.len() + 1;
                            (cells, width)
                        };
                        let direction = match kind {
                            MoveKind::In => "in",
                            MoveKind::Out => "out",
                            MoveKind::Count => "n",
                            MoveKind::Amount => "bit",
                        };
                        let prefix = format!("{figure}:{direction}:{}", table_name(dims));
                        let start = names.len();
                        names.extend(cells.iter().map(|c| format!("{prefix}:{c}")));
                        if kind != MoveKind::Amount {
                            names.push(format!("{prefix}:{NOT_COUNTED}"));
                        }
                        let picks = dims
                            .iter()
                            .filter_map(|d| dimensions.iter().position(|x| x == d))
                            .collect();
                        let cells = cells.into_iter().zip(0..).collect();
                        blocks.push(Block {
                            figure: figure.clone(),
                            kind,
                            table,
                            picks,
                            start,
                            width,
                            cells,
                        });
                    }
                }
            }
        }
        let mut text = format!("countersign-schema-v1\n{}\n", event.name);
        for name in &names {
            text.push_str(name);
            text.push('\n');
        }
        Schema {
            event: event.name.clone(),
            rules: rules::rules(&blocks),
            blocks,
            digest: Digest::of(text.as_bytes()),
            names,
        }
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.names.len()
    }
    /// Column names in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }
    /// The blocks in order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }
    /// What every sealed row keeps, and with it every sum of rows (SPEC 5).
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
    /// The columns `-`, in order.
    pub fn not_counted(&self) -> impl Iterator<Item = usize> {
        self.blocks.iter().filter_map(Block::not_counted)
    }
    /// What goes into the generators.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
    /// The event type's machine name.
    pub fn event(&self) -> &str {
        &self.event
    }

    /// The row of these moves: sorted `(column, weight)` pairs without zeros.
    ///
    /// With `hidden`, every counting block gets exactly one 1 (the column `-` where the figure is
    /// not moved), and weights other than 1 are refused; without it (clear events) weights are kept
    /// and `-` is left out.
    ///
    /// # Errors
    /// A move that the schema cannot hold.
    pub fn row(&self, moves: &[Move], hidden: bool) -> Result<Vec<(usize, i64)>, RowError> {
        // Blocks are in the order of columns, so the row comes out sorted.
        let mut row = Vec::with_capacity(self.blocks.len());
        let mut used = vec![false; moves.len()];
        // The tables of one figure and direction follow each other and share its move.
        for tables in self
            .blocks
            .chunk_by(|a, b| a.kind == b.kind && a.figure == b.figure)
        {
            let (figure, kind) = (&tables[0].figure, tables[0].kind);
            let mut of_figure = moves
                .iter()
                .enumerate()
                .filter(|(_, m)| m.kind == kind && m.figure == *figure);
            let found = of_figure.next();
            if of_figure.next().is_some() {
                return Err(RowError::Twice {
                    event: self.event.clone(),
                    figure: figure.clone(),
                });
            }
            let Some((n, m)) = found else {
                if hidden {
                    row.extend(
                        tables
                            .iter()
                            .filter_map(Block::not_counted)
                            .map(|column| (column, 1)),
                    );
                }
                continue;
            };
            used[n] = true;
            let weight = || RowError::Weight {
                event: self.event.clone(),
                figure: figure.clone(),
                weight: m.weight,
            };
            if kind == MoveKind::Amount {
                let amount = u64::try_from(m.weight).map_err(|_| weight())?;
                if amount >> AMOUNT_BITS != 0 {
                    return Err(weight());
                }
                let bits = (0..AMOUNT_BITS).filter(|b| amount >> b & 1 == 1);
                row.extend(
                    tables
                        .iter()
                        .flat_map(|block| bits.clone().map(|bit| (block.start + bit, 1))),
                );
                continue;
            }
            if !(0..MAX_WEIGHT).contains(&m.weight) || (hidden && m.weight != 1) {
                return Err(weight());
            }
            let codes: Vec<&str> = m.cell.split('*').collect();
            for block in tables {
                let position = if block.picks.is_empty() {
                    block.cells.get("total")
                } else {
                    let cell: Vec<&str> = block
                        .picks
                        .iter()
                        .map(|&p| codes.get(p).copied().unwrap_or_default())
                        .collect();
                    block.cells.get(&cell.join("*"))
                };
                let position = position.ok_or_else(|| self.no_column(m))?;
                if m.weight != 0 {
                    row.push((block.start + position, m.weight));
                }
            }
        }
        match used.iter().position(|u| !u) {
            Some(n) => Err(self.no_column(&moves[n])),
            None => Ok(row),
        }
    }

    fn no_column(&self, m: &Move) -> RowError {
        RowError::NoColumn {
            event: self.event.clone(),
            figure: m.figure.clone(),
            cell: m.cell.clone(),
        }
    }

    /// The row of a clear event as it stands in its statement: column name → weight.
    pub fn named(&self, row: &[(usize, i64)]) -> BTreeMap<String, i64> {
        row.iter()
            .map(|&(c, w)| (self.names[c].clone(), w))
            .collect()
    }

    /// The row that a clear statement names, or the first column that does not exist.
    ///
    /// # Errors
    /// The unknown column's name.
    pub fn from_named(
        &self,
        counts: &BTreeMap<String, i64>,
    ) -> Result<Vec<(usize, i64)>, UnknownColumn> {
        let mut row: Vec<(usize, i64)> = counts
            .iter()
            .map(|(name, w)| {
                self.names
                    .iter()
                    .position(|n| n == name)
                    .map(|c| (c, *w))
                    .ok_or_else(|| UnknownColumn(name.clone()))
            })
            .collect::<Result<_, _>>()?;
        row.sort_unstable();
        Ok(row)
    }
}

/// An exact sum of rows of one schema. Weights stay below 2^53 and a log below 2^63 leaves, so that
/// 128 bits hold every sum on the way: what left the range in between and came back is the sum all
/// the same, and what is out of it at the end is refused instead of being bent to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExactSum(Vec<i128>);

impl ExactSum {
    /// Adds `sign` times a row of `width` columns.
    pub fn add(&mut self, width: usize, row: &[(usize, i64)], sign: i64) {
        if self.0.len() < width {
            self.0.resize(width, 0);
        }
        for &(column, weight) in row {
            self.0[column] += i128::from(weight) * i128::from(sign);
        }
    }

    /// The columns, each below 2^53 in magnitude; else the first one that is not.
    ///
    /// # Errors
    /// Its position.
    pub fn columns(&self) -> Result<Vec<i64>, usize> {
        let column = |(n, x): (usize, &i128)| {
            let fits = i64::try_from(*x).ok().filter(|x| x.abs() < MAX_WEIGHT);
            fits.ok_or(n)
        };
        self.0.iter().enumerate().map(column).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MOST: i64 = MAX_WEIGHT - 1;

    /// 1,025 weights of 2^53 − 1 leave 64 bits. Bent to their end, taking the same back left a
    /// number of the unit's choice instead of 0.
    #[test]
    fn what_is_taken_back_leaves_nothing() {
        let mut sum = ExactSum::default();
        for sign in [1, -1] {
            for _ in 0..1025 {
                sum.add(2, &[(1, MOST)], sign);
            }
        }
        assert_eq!(sum.columns(), Ok(vec![0, 0]));
    }

    #[test]
    fn a_column_out_of_range_is_named() {
        for (row, fits) in [
            (vec![(0, MOST)], true),
            (vec![(0, -MOST)], true),
            (vec![(2, MOST), (2, 1)], false),
            (vec![(2, -MOST), (2, -1)], false),
            (vec![(2, i64::MIN), (2, i64::MIN)], false),
        ] {
            let mut sum = ExactSum::default();
            sum.add(3, &row, 1);
            assert_eq!(sum.columns().err(), (!fits).then_some(2), "{row:?}");
        }
    }

    proptest! {
        /// Order and company of rows do not matter.
        #[test]
        fn rows_add_up_in_any_order(mut rows in proptest::collection::vec((0_usize..4, -MOST..MOST, prop_oneof![Just(1_i64), Just(-1)]), 0..40), at in any::<prop::sample::Index>()) {
            let total = |rows: &[(usize, i64, i64)]| {
                let mut sum = ExactSum::default();
                for (column, weight, sign) in rows {
                    sum.add(4, &[(*column, *weight)], *sign);
                }
                sum
            };
            let before = total(&rows);
            let middle = if rows.is_empty() { 0 } else { at.index(rows.len()) };
            rows.rotate_left(middle);
            prop_assert_eq!(total(&rows), before);
        }
    }
}
