//! Identifiers: parsed once, their checksums checked, never a bare `String` afterwards.
//!
//! | file | holds | source |
//! |---|---|---|
//! | `unit` | unit codes and tiers | the project's registry |
//! | `event` | event identifiers | RFC 9562, UUID version 7 |
//! | `person` | ID numbers, disability-certificate numbers, sex | GB 11643-1999, 第二代残疾人证, GB/T 2261.1 |
//! | `credit` | unified social credit codes | GB 32100-2015 |
//!
//! ID and certificate numbers are personal data: neither an [`IdError`] nor a `Debug` output ever
//! holds one.

mod credit;
mod error;
mod event;
mod person;
mod unit;

pub use credit::{CreditCode, credit_check_char};
pub use error::IdError;
pub use event::EventId;
pub use person::{CertificateNumber, IdNumber, Sex, id_check_digit};
pub use unit::{MAX_UNIT_BYTES, Tier, UnitId};
