//! The evidence file: everything that is needed to check a unit's figures offline, in one file.
//!
//! [`Evidence`] is the content, [`file`](mod@file) its bytes (a zip with a fixed order, no
//! compression, no times), [`report`] the verification. A file is accepted only if writing its
//! content again gives the same bytes, so no byte of it is free. Evidence never contains a private
//! record; chosen fields are shown in a [`disclosure`].
//!
//! A province's month has a million statements. Writing and verifying therefore take
//! [`EvidenceSource`]: notes at hand, statements a bundle at a time, from wherever they lie.
//!
//! ```
//! use protocol::evidence::{file, report};
//! use protocol::note::VerifierKey;
//!
//! let bytes = std::fs::read("../tests/vectors/evidence-world.zip")?;
//! // Known from elsewhere: the file cannot vouch for itself.
//! let root: VerifierKey = "root-a+77de1579+AXP8q57vGwrfNl9puQCXLQESJHReqBkRCY/XSTfMfHis".parse()?;
//!
//! let evidence = file::Opened::new(bytes.as_slice())?;
//! let report = report::verify(&evidence, &root)?;
//! assert!(report.holds());
//! assert_eq!(report.failures().count(), 0);
//!
//! // One byte of a statement is another: the unit's log is not the one that was signed.
//! let mut changed = bytes.clone();
//! let middle = changed.len() / 2;
//! changed[middle] ^= 1;
//! assert!(file::read(&changed).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod content;
pub mod disclosure;
mod ended;
mod error;
pub mod file;
pub mod report;
mod zip;

pub use content::{
    ARRIVALS_KIND, Arrivals, ArrivalsError, Evidence, EvidenceSource, UnitEvidence, whole,
};
pub use ended::Ended;
pub use error::FileError;
