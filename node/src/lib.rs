//! One unit at work: the daemon of a county, city or province.
//!
//! Reading order: [`books`] (the journal and everything that follows from it), [`exchange`] (files
//! that people bring), [`desk`] (what the unit's people do), [`review`] (what it does with the units
//! below), [`courier`] and [`link`] (how notes travel), [`web`] (the API), [`service`] and the
//! program `countersign-node` (how it all runs).
//!
//! Walls: nothing but [`journal`] writes truth; [`view`] is an index that may be deleted; only
//! [`link`] names async-nats; [`web`] and [`courier`] hold no rule of the domain. In scope:
//! everything with a disk, a clock or a network. Out of scope: formats, counting and checking,
//! which are the crate `protocol`'s, and pages for people (a later version).

pub mod books;
pub mod clock;
pub mod config;
pub mod courier;
pub mod desk;
pub mod exchange;
pub mod export;
pub mod fault;
pub mod intake;
pub mod journal;
pub mod link;
pub mod number;
pub mod pseudonym;
pub mod queries;
pub mod random;
pub mod review;
pub mod service;
pub mod text_file;
pub mod vault;
pub mod view;
pub mod web;
