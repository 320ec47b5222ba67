//! What people write as files: a catalogue and plan packs, read and validated.
//!
//! A catalogue is joined from TOML files ([`Catalogue::from_files`](crate::catalogue::Catalogue)) or
//! read from the JSON of its signed document; either way [`validate`] names every fault at once,
//! each with its place, code and cure.

mod catalogue;
mod fault;
mod plan;
mod toml_error;
mod validate;

pub use fault::{CatalogueFault, CatalogueFaults};
pub use toml_error::TomlError;
pub use validate::validate;
