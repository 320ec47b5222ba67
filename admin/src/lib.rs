//! x

pub mod ledger;
pub mod nats;
