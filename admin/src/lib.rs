//! x

pub mod nats;
