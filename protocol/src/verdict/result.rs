//! The result of a check.

use serde::{Deserialize, Serialize};

use super::check::Check;
use super::code::Code;
use super::finding::Finding;

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

/// The result of one check. Two are equal if a receipt would say the same of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Which check.
    pub check: Check,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found, in English; for a failure, the first thing that contradicts.
    pub detail: String,
    /// From what the sentence was made; none where the verdict was read from a receipt.
    #[serde(skip)]
    finding: Option<Finding>,
}

impl PartialEq for Verdict {
    fn eq(&self, other: &Self) -> bool {
        (self.check, self.outcome, &self.detail) == (other.check, other.outcome, &other.detail)
    }
}

impl Eq for Verdict {}

impl Verdict {
    /// A verdict of which only the sentence is known.
    pub fn new(check: Check, outcome: Outcome, detail: impl Into<String>) -> Verdict {
        Verdict {
            check,
            outcome,
            detail: detail.into(),
            finding: None,
        }
    }
    /// It holds.
    pub fn holds(check: Check, detail: impl Into<String>) -> Verdict {
        Verdict::new(check, Outcome::Holds, detail)
    }
    /// Something contradicts.
    pub fn fails(check: Check, detail: impl Into<String>) -> Verdict {
        Verdict::new(check, Outcome::Fails, detail)
    }
    /// What a check found: its sentence is made from it.
    pub fn found(outcome: Outcome, finding: impl Into<Finding>) -> Verdict {
        let finding = finding.into();
        Verdict {
            check: finding.code().check(),
            outcome,
            detail: finding.to_string(),
            finding: Some(finding),
        }
    }
    /// From a check that returns what holds, or what contradicts.
    pub fn of<F: Into<Finding>>(result: Result<F, F>) -> Verdict {
        match result {
            Ok(finding) => Verdict::found(Outcome::Holds, finding),
            Err(finding) => Verdict::found(Outcome::Fails, finding),
        }
    }
    /// What was found, with its parameters; none where the verdict was read from a receipt.
    pub fn finding(&self) -> Option<&Finding> {
        self.finding.as_ref()
    }
    /// The stable code of what was found; none where the verdict was read from a receipt.
    pub fn code(&self) -> Option<Code> {
        self.finding.as_ref().map(Finding::code)
    }
    /// The sentence in Chinese; none where the verdict was read from a receipt.
    pub fn zh(&self) -> Option<String> {
        self.finding.as_ref().map(Finding::zh)
    }
    /// Whether it failed.
    pub fn failed(&self) -> bool {
        self.outcome == Outcome::Fails
    }
}
