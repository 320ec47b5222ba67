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

use std::collections::BTreeMap;

use crate::catalogue::{AMOUNT_BITS, Catalogue, EventType, Kind, table_name};
use crate::count::{Move, MoveKind};
use crate::digest::Digest;

/// The column of a block that says "does not count".
pub const NOT_COUNTED: &str = "-";

/// Weights of clear rows are below this (2^53): what every language's numbers hold.
pub const MAX_WEIGHT: i64 = 1 << 53;

/// One block of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Figure id.
    pub figure: String,
    /// Direction.
    pub kind: MoveKind,
    /// Index of the declared table within the indicator.
    pub table: usize,
    /// Positions of the table's dimensions within the indicator's dimensions.
    picks: Vec<usize>,
    /// First column.
    pub start: usize,
    /// Number of columns; the last one of a counting block is `-`.
    pub width: usize,
    /// The column of each cell, counted from the first.
    cells: BTreeMap<String, usize>,
}

impl Block {
    /// The column `-`, which an amount does not have.
    fn not_counted(&self) -> Option<usize> {
        (self.kind != MoveKind::Amount).then_some(self.start + self.width - 1)
    }
}

/// The layout of an event type's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    event: String,
    blocks: Vec<Block>,
    names: Vec<String>,
    digest: Digest,
}

/// A sum of rows, column by column. Void statements subtract, so entries may be negative.
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

/// Adds `sign` times a row to a sum of `width` columns. A sum beyond 64 bits stays at the end of
/// the range, far above what a figure may hold: [`crate::figure`] then refuses it.
pub fn accumulate(sum: &mut Vec<i64>, width: usize, row: &[(usize, i64)], sign: i64) {
    if sum.len() < width {
        sum.resize(width, 0);
    }
    for &(column, weight) in row {
        sum[column] = sum[column].saturating_add(weight.saturating_mul(sign));
    }
}
