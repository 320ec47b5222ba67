//! What is true of Countersign (核签) regardless of where it runs: its formats, its cryptography,
//! its counting and its checking. Everything here is a pure function of its arguments, so that a
//! node, an inspector's laptop, a browser or another language can do the same and come to the same
//! answer.
//!
//! # The idea
//!
//! A county records events. Each event becomes two things: a *statement* for everybody, and a
//! *record* that stays. The statement carries a commitment to the event's *row*: which cells of
//! which figures it adds to. The month's *rollup* carries the figures and opens the sum of the
//! commitments. Whoever holds the statements adds them up and sees that the figures are exactly
//! their sum, without seeing one event. The statements are leaves of a log that is witnessed from
//! above, so that none can be changed, dropped or slipped in later.
//!
//! # Reading order
//!
//! 1. Names and numbers: [`ids`], [`period`], [`digest`], [`text`].
//! 2. The one envelope: [`note`] — everything signed is a signed note. Then [`log`]: tree, tiles,
//!    checkpoints.
//! 3. Who exists: [`registry`]; the people of a unit: [`person`].
//! 4. What is counted: [`catalogue`], written as files: [`authoring`]; signed: [`published`]; followed by a
//!    new one: [`succession`]; ready for use: [`compiled`]. How an event becomes moves: [`count`]; how moves become a
//!    vector: [`row`]; how the vector is committed to: [`commitment`].
//! 5. An event's two halves: [`statement`] and [`record`].
//! 6. A month: [`figure`] (the arithmetic), [`rollup`] (the report), [`chain`] (those before it), [`receipt`] (the answer); as people
//!    read it: [`readable`].
//! 7. Checking: [`verify`] (the checks), [`verdict`] (what they found), [`evidence`] (one file that proves a figure offline).
//! 8. Judging: [`plan`] (targets of the policy documents).
//!
//! `SPEC.md` beside this crate tells the same for readers who implement it in another language; the
//! vectors in `tests/vectors` pin every format to the byte.
//!
//! # In scope, out of scope
//!
//! In scope: everything that two parties must agree on. Out of scope, and elsewhere: keeping and
//! sending (crate `node`), commands (crate `admin`), and anything with a clock, a disk, a network
//! or a random source: callers pass time and randomness in.
//!
//! # What a proof here does and does not say
//!
//! It says that the figures are the sum of the committed events, that nobody changed these after
//! they were witnessed, and who signed. It does not say that an event happened, nor that each row
//! is a legal contribution on its own: a row may hold a 2 and another one a −1 as long as each
//! block's columns add up to the number of leaves. The argument that closes this (`wellformed`) has
//! its place in the design and is not here yet.
#![forbid(unsafe_code)]

pub mod authoring;
pub mod catalogue;
pub mod chain;
pub mod commitment;
pub mod compiled;
pub mod count;
pub mod digest;
pub mod evidence;
pub mod figure;
pub mod ids;
pub mod log;
pub mod note;
pub mod period;
pub mod person;
pub mod plan;
pub mod published;
pub mod readable;
pub mod receipt;
pub mod record;
pub mod registry;
pub mod rollup;
pub mod row;
pub mod rules;
pub mod statement;
pub mod succession;
pub mod text;
pub mod verdict;
pub mod verify;
