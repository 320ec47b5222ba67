//! From events to contributions: what one event adds to each figure.
//!
//! The county runs this on its private records, everybody runs it on clear statements; the same
//! code, the same answer.
//!
//! * A **fact** is an event with its fields. A subject's facts, ordered by day and then by log
//!   index, give its [`state`] at any day; voided facts are left out.
//! * A **move** is what one event adds to one figure: into a cell, out of a cell, a count, or an
//!   amount. The moves of an event are fixed when it is recorded and are what its [`crate::row`]
//!   commits to.
//! * Stocks and distinct counts are **targets**: what the figure should hold of this subject, given
//!   all facts. An event moves the figure from what the log already says of the subject (its
//!   *balance*) to the target. So the sums telescope, whatever is voided, late, or merely older
//!   than last month; and at close a *recount* event brings home what no event touched (birthdays,
//!   windows that ended).
//!
//! Variables of the catalogue's CEL: `e` the event's fields (and `category`, `grade`, `sex`,
//! `birth` read from a certificate or ID number) · `s` the subject's attributes, with `active`,
//! `age` and one map per kind of spell (`open`, `ever` and the attributes of the latest open one) ·
//! `before` the same on the event's day before the event · `d` the named conditions over `s` · `on`
//! the event's day · `t` the day of the state · `period` the month.

pub mod cel;
pub mod engine;
mod fold;
mod maximum;
mod plain;
pub mod scope;
pub mod state;
#[cfg(test)]
mod tests;
mod value;

pub use engine::{Balance, CountError, Engine, Move, MoveKind, Moves};
pub use maximum::above_maximum;
pub use state::Fact;
pub use value::{Fields, Value};
