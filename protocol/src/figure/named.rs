//! Counts of another catalogue, cell by cell by name.
//!
//! A new catalogue may put a code between two others. Carried by place, the men of one month would
//! be the women of the next; carried by name, each cell stays what it was, and a code that was not
//! there before begins at 0.

use super::counts::{Counts, Figure, FigureError};
use crate::catalogue::{Catalogue, EventType, Indicator, table_name};

/// Net column sums of one schema, with the catalogue that says what each column is.
#[derive(Debug, Clone, Copy)]
pub struct ColumnSums<'a> {
    /// The catalogue.
    pub catalogue: &'a Catalogue,
    /// The event type, of this catalogue.
    pub event: &'a EventType,
    /// Column by column.
    pub columns: &'a [i64],
}

/// Figures, with the catalogue that says which cell of theirs is which.
#[derive(Debug, Clone, Copy)]
pub struct CountedFigures<'a> {
    /// The figures.
    pub figures: &'a [Figure],
    /// The catalogue that they were counted by.
    pub catalogue: &'a Catalogue,
}

impl<'a> CountedFigures<'a> {
    /// A figure and its indicator; none where its catalogue has no such figure.
    pub(super) fn figure(
        &self,
        id: &str,
    ) -> Result<Option<(&'a Figure, &'a Indicator)>, FigureError> {
        let Some(indicator) = self.catalogue.indicator_of_figure(id) else {
            return Ok(None);
        };
        let figure = self.figures.iter().find(|figure| figure.id == id);
        // A report has all figures of its catalogue, so that none can be left out of a sum.
        let figure = figure.ok_or_else(|| FigureError::Absent(id.to_string()))?;
        Ok(Some((figure, indicator)))
    }
}

/// Counts of `from` as counts of `to`, of the same figure.
///
/// # Errors
/// Counts of another shape than `from` gives them; a table or a cell that `to` lacks and that is
/// not 0.
pub(super) fn restated(
    id: &str,
    counts: &Counts,
    from: (&Catalogue, &Indicator),
    to: (&Catalogue, &Indicator),
) -> Result<Counts, FigureError> {
    let (old, new) = (Counts::of(from.1, from.0), Counts::of(to.1, to.0));
    if !counts.has_shape_of(&old) || !new.has_members_of(counts) {
        return Err(FigureError::Shape(id.to_string()));
    }
    Ok(Counts {
        cells: restated_cells(id, &counts.cells, from, to)?,
        ..counts.clone()
    })
}

/// Cells of `from`, of the shape that it gives them, as cells of `to`.
///
/// # Errors
/// A table or a cell that `to` lacks and that is not 0.
pub(super) fn restated_cells<N: Copy + Default + PartialEq>(
    id: &str,
    counts: &[Vec<N>],
    from: (&Catalogue, &Indicator),
    to: (&Catalogue, &Indicator),
) -> Result<Vec<Vec<N>>, FigureError> {
    let mut stated = Vec::new();
    for dimensions in &to.1.tables {
        let theirs = from.1.tables.iter().position(|d| d == dimensions);
        let cells = theirs.and_then(|table| counts.get(table));
        let cells = cells.ok_or_else(|| FigureError::Shape(id.to_string()))?;
        let places = to.0.cells(dimensions);
        let mut table = vec![N::default(); places.len()];
        for (name, count) in from.0.cells(dimensions).into_iter().zip(cells) {
            match places.iter().position(|place| *place == name) {
                Some(place) => table[place] = *count,
                None if *count == N::default() => {}
                None => {
                    return Err(FigureError::NoPlace {
                        figure: id.to_string(),
                        table: table_name(dimensions),
                        cell: name,
                    });
                }
            }
        }
        stated.push(table);
    }
    Ok(stated)
}
