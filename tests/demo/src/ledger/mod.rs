//! A synthetic ledger: what the counties, cities and provinces of a demonstration would have
//! recorded in a year.
//!
//! Nobody in it exists. Every ID number begins with 999999, an area that GB/T 2260 does not have,
//! with a valid check digit; every credit code carries the area 999999; names are 测试甲001 and so
//! on. The same options give the same bytes.
//!
//! A unit's year is written as one CSV file per month and event type, numbered so that recording
//! them in order is valid (registrations before hires, closures last). The opening population is
//! dated before the year and stands in January. The numbers are made so that, for a city of five
//! counties such as 阳泉 140300, some targets of its plan are met and some are missed, on purpose
//! and for every seed; which county falls short of what is told in [`traits`].
//!
//! Reading order: [`model`] (what a ledger is), [`sheet`] (the files), [`person`] (numbers of
//! persons), [`county`] (a county's year), [`offices`] (carriers, posts, inspections; cities and
//! provinces), [`mod@generate`] (all of them from one seed).

mod county;
mod generate;
mod model;
mod offices;
mod person;
mod planned;
mod random;
mod sheet;
#[cfg(test)]
mod tests;
mod traits;

pub use generate::{DEFAULT_SEED, generate};
pub use model::{
    Correction, CorrectionKind, Ledger, LedgerOptions, LedgerUnit, RowRef, UnitLedger,
};
pub use sheet::{COLUMNS, MonthLedger, Sheet};
