//! Countersign's protocol: what is true regardless of where it runs.
#![forbid(unsafe_code)]

pub mod catalogue;
pub mod commitment;
pub mod count;
pub mod digest;
pub mod evidence;
pub mod figure;
pub mod ids;
pub mod log;
pub mod note;
pub mod period;
pub mod plan;
pub mod published;
pub mod receipt;
pub mod record;
pub mod registry;
pub mod rollup;
pub mod row;
pub mod statement;
pub mod verify;
