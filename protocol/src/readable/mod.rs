//! Reports as people read them: names, units of measure, tables by label, and how one report differs
//! from another. Nothing is decided or checked by what stands here.
//!
//! Reading order: `amount` (numbers with their unit of measure), `figures` (the figures of a report
//! by its catalogue), `change` (before, after, difference), `report`.

mod amount;
mod change;
mod figures;
mod report;

pub use amount::{Measure, Reading, YUAN, percent, yuan};
pub use change::{CellChange, Change, FigureChange, compare};
pub use figures::{Label, ReadableCell, ReadableFigure, ReadableTable, figures, names, unnamed};
pub use report::ReadableReport;
