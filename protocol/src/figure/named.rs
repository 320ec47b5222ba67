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
    let shape = || FigureError::Shape(id.to_string());
    if !counts.has_shape_of(&old) || !new.has_members_of(counts) {
        return Err(shape());
    }
    let mut stated = Counts {
        cells: new.cells,
        ..counts.clone()
    };
    for (table, dimensions) in to.1.tables.iter().enumerate() {
        let theirs = from.1.tables.iter().position(|d| d == dimensions);
        let cells = &counts.cells[theirs.ok_or_else(shape)?];
        let places = to.0.cells(dimensions);
        for (name, count) in from.0.cells(dimensions).into_iter().zip(cells) {
            match places.iter().position(|place| *place == name) {
                Some(place) => stated.cells[table][place] = *count,
                None if *count == 0 => {}
                None => {
                    return Err(FigureError::NoPlace {
                        figure: id.to_string(),
                        table: table_name(dimensions),
                        cell: name,
                    });
                }
            }
        }
    }
    Ok(stated)
}
