//! Who exists: units, parents, keys, and for which months and log indexes they hold.
//! `countersign/registry/v1`.
//!
//! A unit's parent is data, not arithmetic on area codes: 长春新区 and 甘肃矿区 have no code, and
//! some counties report straight to the province. Version n+1 names the digest of version n and is
//! signed by the threshold of n's root keys *and* of its own; a reader walks one version at a time.
//! A key is judged at the log index of what it signed, a unit's parent and name in the month that is
//! asked about, never by a clock.
//!
//! - `unit`: one unit, its months, its keys.
//! - `forest`: whether the units of one version fit each other in every month.
//! - `document`: one version.
//! - `follows`: whether a version leaves the past of the one before as it was.
//! - `one_key`: whether a signer's name and key id are those of one key only.
//! - `chain`: the versions that a reader trusts.

mod chain;
mod document;
mod error;
mod follows;
mod forest;
mod one_key;
mod unit;

pub use chain::{Anchor, VerifiedRegistry};
pub use document::{KIND, MAX_UNITS, Registry};
pub use error::{DocumentFault, FromMonth, RegistryError, UnitFault, UnitFaultKind};
pub use unit::{FormerWitness, Placement, Revocation, Unit, UnitKey};
