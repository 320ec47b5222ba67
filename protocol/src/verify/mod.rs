//! The checks: pure functions, each with a name, each in a file of its own.
//!
//! | check | it holds when |
//! |---|---|
//! | [`authorship`] | every note is signed by keys held valid at its index; all three signatories signed |
//! | [`arithmetic`] | cells add up to totals; own + Σ children = sum; every child is named by digest, or as missing |
//! | [`history`] | the log extends what was last witnessed; the rollups before it are a chain without gap, to its first |
//! | [`binding`] | the opened figures are exactly the sum of the committed and clear rows of this month's leaves |
//! | [`timeliness`] | the rollup arrived before the deadline of the plan (late is noted, not failed) |
//!
//! The verifier reads a unit's leaves itself, in order, with [`log::UnitLog`], and chooses the
//! month's leaves from their public fields. [`check`] runs all checks on a rollup; a verdict names
//! the first thing that contradicts.

pub mod answer;
pub mod arithmetic;
pub mod authorship;
pub mod binding;
mod context;
pub mod history;
pub mod log;
pub mod month;
pub mod timeliness;

pub use context::{Context, NamedRollup};

use crate::chain;
use crate::rollup::HeldRollup;
use crate::verdict::Verdict;

/// Runs all checks on a rollup.
pub fn check(held: &HeldRollup, context: &Context<'_>) -> Vec<Verdict> {
    let chain = chain::before(&held.rollup, context.known);
    let context = &Context {
        known: &chain,
        ..*context
    };
    vec![
        Verdict::of(authorship::check(held, context)),
        Verdict::of(arithmetic::check(held, context)),
        Verdict::of(history::check(held, context)),
        Verdict::of(binding::check(held, context)),
        timeliness::check(context),
    ]
}
