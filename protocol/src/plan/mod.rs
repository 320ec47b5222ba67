//! Plans: targets, deadlines, and how a figure is judged against them.
//!
//! A plan pack is a TOML file (`deploy/plans`), made from the texts of the five policy documents.
//! Each target row names an indicator by key, an operator, a value, a scope and a window. Judging
//! reads accepted rollups and nothing else.

//!
//! | file | holds |
//! |---|---|
//! | `pack` | the format: targets and deadlines |
//! | `judge` | how a figure is judged against a target |

mod judge;
mod pack;

pub use judge::{Judged, Judgement, Reported, Reports};
pub use pack::{Head, Op, Plan, Reporting, Target, TargetScope, TargetWindow};
