//! Figures as files that people open elsewhere: CSV and XLSX. One row a number, so that a pivot or a
//! filter finds each; names, units of measure and the digest stand beside it.
//!
//! Reading order: `rows` (what stands in a file), `csv`, `xlsx`.

mod csv;
mod rows;
mod xlsx;

pub use csv::{BYTE_ORDER_MARK, csv, csv_text};
pub use xlsx::xlsx;
