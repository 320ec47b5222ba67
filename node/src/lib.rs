//! x

pub mod link;
pub mod journal;
pub mod vault;
