//! What commands print and write. Reading order: [`answer`] (text or JSON, exit codes), [`failure`],
//! [`table`], `layout` (fitting it to a terminal), [`text`], [`file`].

mod answer;
mod failure;
mod file;
mod layout;
mod table;
mod text;

pub use answer::{CommandResult, Output, exit, install_reports, value};
pub use failure::Failure;
pub use file::{no_text, read, read_text, replace, replace_with, save_new};
pub use table::{Style, fault_table, lines, print, table};
pub(crate) use text::sayln;
pub use text::{amount, beijing, decision_words, escape_controls, one_line, percent, say, seconds};
