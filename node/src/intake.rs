//! What becomes of a message that another unit sent.

use std::fmt;

use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::period::Month;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intake {
    /// Written to the journal, or known already.
    Done,
    /// It is wrong; the reason is for the log. It will not come again.
    Refused(String),
    /// It cannot be judged yet: something is missing here that may still come.
    Later(Awaited),
}

/// What is missing here so that a message can be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// A registry that names this unit, or this key of it, as one below this unit.
    Registry(String),
    /// This version of the registry.
    Version(u64),
    /// This catalogue.
    Catalogue(Digest),
    /// Statements of a unit, from this log index to this one.
    Statements {
        /// Whose.
        unit: UnitId,
        /// The first that is missing.
        from: u64,
        /// The first behind them.
        to: u64,
    },
    /// The statements that enrol a rollup's signatories.
    Enrolments(UnitId),
    /// A rollup of the unit that asks for what came: without one no more of it is kept.
    Rollup(UnitId),
    /// Answers to a unit's later revisions: without them no more of these is kept.
    Answers(UnitId),
    /// The month before this one: by this node's clock it has not begun.
    Month(Month),
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Awaited::Registry(what) => write!(f, "no registry that is known here names {what}"),
            Awaited::Version(version) => write!(f, "version {version} of the registry is not here"),
            Awaited::Catalogue(digest) => write!(f, "the catalogue {digest} is not here"),
            Awaited::Statements { unit, from, to } => {
                write!(f, "statements {from} to {to} of {unit} are still to come")
            }
            Awaited::Enrolments(unit) => write!(
                f,
                "the statements of {unit} that enrol its signatories are still to come"
            ),
            Awaited::Rollup(unit) => write!(f, "no rollup of {unit} asks for so much"),
            Awaited::Answers(unit) => write!(f, "nobody has asked {unit} for so many revisions"),
            Awaited::Month(month) => {
                write!(f, "{month} is far in the future by this node's clock")
            }
        }
    }
}
