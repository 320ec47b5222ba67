//! What a check found: travels in receipts.

use serde::{Deserialize, Serialize};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It holds, with something to know (a late report).
    Noted,
    /// Something contradicts.
    Fails,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Which check.
    pub check: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found; for a failure, the first thing that contradicts.
    pub detail: String,
}

impl Verdict {
    /// It holds.
    pub fn holds(check: &str, detail: impl Into<String>) -> Verdict {
        Verdict {
            check: check.to_string(),
            outcome: Outcome::Holds,
            detail: detail.into(),
        }
    }
    /// It holds, with something to know.
    pub fn noted(check: &str, detail: impl Into<String>) -> Verdict {
        Verdict {
            check: check.to_string(),
            outcome: Outcome::Noted,
            detail: detail.into(),
        }
    }
    /// Something contradicts.
    pub fn fails(check: &str, detail: impl Into<String>) -> Verdict {
        Verdict {
            check: check.to_string(),
            outcome: Outcome::Fails,
            detail: detail.into(),
        }
    }
    /// From a check that returns what it found, or what contradicts.
    pub fn of(check: &str, result: Result<String, String>) -> Verdict {
        match result {
            Ok(detail) => Verdict::holds(check, detail),
            Err(detail) => Verdict::fails(check, detail),
        }
    }
    /// Whether it failed.
    pub fn failed(&self) -> bool {
        self.outcome == Outcome::Fails
    }
}
