//! The checks of a rollup: for each one, what it accepts and what it refuses.
//!
//! The attacker is the unit itself: it holds its own keys, so every forgery here is signed again
//! where its author could sign. What must then fail is the named check, for the named reason.
#![allow(clippy::unwrap_used)] // the helpers here are tests too

mod arithmetic;
mod authorship;
mod binding;
mod common;
mod decoders;
mod disclosure;
mod evidence;
mod history;
mod honest;
mod months;
mod receipts;
mod registry;
mod timeliness;
