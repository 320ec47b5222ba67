//! What the columns of a month count, exactly (SPEC 8.4, step 4).
//!
//! Columns are anybody's numbers of 64 bits, and what is too much in one of them may be taken back
//! by another. Only the sum is a figure, so only the sum has a range: steps on the way to it are
//! wide enough for any columns.

use super::counts::{Counts, FigureError};
use super::named::{ColumnSums, restated_cells};
use crate::catalogue::{AMOUNT_BITS, Catalogue, Indicator};
use crate::count::MoveKind;
use crate::row::Block;

/// The counts of one figure before they are looked at for their range.
pub(super) struct Exact {
    value: i128,
    declared: i128,
    cells: Vec<Vec<i128>>,
}

impl Exact {
    /// Nothing counted, in the tables that the catalogue declares.
    pub(super) fn zero(catalogue: &Catalogue, indicator: &Indicator) -> Exact {
        let tables = Counts::of(indicator, catalogue).cells;
        Exact {
            value: 0,
            declared: 0,
            cells: tables.iter().map(|cells| vec![0; cells.len()]).collect(),
        }
    }

    /// What one block counts, by the catalogue of its schema.
    pub(super) fn of_block(
        block: &Block,
        indicator: &Indicator,
        ColumnSums {
            catalogue,
            event,
            columns,
        }: &ColumnSums<'_>,
    ) -> Exact {
        let sum = columns
            .get(block.start..block.start + block.width)
            .unwrap_or_default();
        let sign = if block.kind == MoveKind::Out { -1 } else { 1 };
        let mut counted = Exact::zero(catalogue, indicator);
        let mut total = 0_i128;
        if block.kind == MoveKind::Amount {
            for (bit, x) in sum.iter().enumerate().take(AMOUNT_BITS) {
                total += i128::from(*x) << bit;
            }
        } else {
            let mut cells = counted.cells.get_mut(block.table);
            let counting = sum.len().saturating_sub(1);
            for (cell, x) in sum.iter().take(counting).enumerate() {
                total += i128::from(*x);
                if let Some(slot) = cells.as_mut().and_then(|cells| cells.get_mut(cell)) {
                    *slot = sign * i128::from(*x);
                }
            }
        }
        if block.table == 0 {
            counted.value = sign * total;
            if event.effect.baseline {
                counted.declared = counted.value;
            }
        }
        counted
    }

    /// The same by another catalogue, cell by cell by name.
    ///
    /// # Errors
    /// A table or a cell that it lacks and that is not 0.
    pub(super) fn restated(
        self,
        id: &str,
        from: (&Catalogue, &Indicator),
        to: (&Catalogue, &Indicator),
    ) -> Result<Exact, FigureError> {
        let cells = restated_cells(id, &self.cells, from, to)?;
        Ok(Exact { cells, ..self })
    }

    /// Adds what another block of the figure counts, by the same catalogue.
    pub(super) fn add(&mut self, other: &Exact) {
        self.value += other.value;
        self.declared += other.declared;
        for (table, more) in self.cells.iter_mut().zip(&other.cells) {
            for (a, b) in table.iter_mut().zip(more) {
                *a += b;
            }
        }
    }

    /// As counts.
    ///
    /// # Errors
    /// More than 64 bits: no stock of last month could bring it back into range.
    pub(super) fn counts(&self, id: &str) -> Result<Counts, FigureError> {
        let number = |n: i128| i64::try_from(n).map_err(|_| FigureError::Range(id.to_string()));
        let table = |cells: &Vec<i128>| cells.iter().map(|n| number(*n)).collect();
        Ok(Counts {
            value: Some(number(self.value)?),
            cells: self.cells.iter().map(table).collect::<Result<_, _>>()?,
            declared: number(self.declared)?,
            ..Counts::default()
        })
    }
}
