//! The evidence file: everything that is needed to check a unit's figures offline, in one file.
//!
//! [`Evidence`] is the content, [`file`](mod@file) its bytes (a zip with a fixed order, no
//! compression, no times), [`report`] the verification. A file is accepted only if writing its
//! content again gives the same bytes, so no byte of it is free. Evidence never contains a private
//! record; chosen fields are shown in a [`disclosure`].
//!
//! A province's month has a million statements. Writing and verifying therefore take [`EvidenceSource`]:
//! notes at hand, statements a bundle at a time, from wherever they lie.

mod content;
pub mod disclosure;
mod error;
pub mod file;
pub mod report;
mod zip;

pub use content::{ARRIVALS_KIND, Arrivals, Evidence, EvidenceSource, UnitEvidence, whole};
pub use error::FileError;
