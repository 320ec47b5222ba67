//! The columns of one figure, direction and declared table.

use std::collections::BTreeMap;

use crate::count::MoveKind;

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
    pub(super) picks: Vec<usize>,
    /// First column.
    pub start: usize,
    /// Number of columns; the last one of a counting block is `-`.
    pub width: usize,
    /// The column of each cell, counted from the first.
    pub(super) cells: BTreeMap<String, usize>,
}

impl Block {
    /// The column `-`, which an amount does not have.
    pub(super) fn not_counted(&self) -> Option<usize> {
        (self.kind != MoveKind::Amount).then_some(self.start + self.width - 1)
    }
}
