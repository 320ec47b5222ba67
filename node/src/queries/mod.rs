//! What people ask, as pure functions over the books: one place for the API, the command line and
//! pages. An answer is plain data that can be written as JSON; nobody here knows of HTTP, and
//! nothing here changes anything.

pub mod below;
pub mod child_report;
pub mod children;
pub mod contradictions;
pub mod events;
pub mod figures;
pub mod metrics;
pub mod months;
pub mod status;
pub mod units;
pub mod words;
