//! The main job, shown: a federation of separate processes reports a year of months over a real
//! nats-server. Tests and benchmarks use its parts; operators install none of it.
//!
//! Reading order: [`ledger`] (made-up events), [`world`] (files and keys), [`federation`]
//! (processes), [`year`] (what happens in an honest year), [`cheat`] (what happens to a county that
//! cheats), [`commands`] (the program).

pub mod cheat;
pub mod commands;
pub mod federation;
pub mod ledger;
pub mod world;
pub mod year;
