//! The names of the checks.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A check that is run on every rollup (SPEC section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// Who signed.
    Authorship,
    /// Whether the figures add up.
    Arithmetic,
    /// Whether the log and the months chain.
    History,
    /// Whether the figures are the sum of the month's leaves.
    Binding,
    /// Whether it came in time.
    Timeliness,
}

impl Check {
    /// All of them, in the order in which they are run.
    pub const ALL: [Check; 5] = [
        Check::Authorship,
        Check::Arithmetic,
        Check::History,
        Check::Binding,
        Check::Timeliness,
    ];

    /// As it stands in a receipt.
    pub const fn as_str(self) -> &'static str {
        match self {
            Check::Authorship => "authorship",
            Check::Arithmetic => "arithmetic",
            Check::History => "history",
            Check::Binding => "binding",
            Check::Timeliness => "timeliness",
        }
    }

    /// In Chinese, as `deploy/GLOSSARY.md` has it.
    pub const fn zh(self) -> &'static str {
        match self {
            Check::Authorship => "签署有效",
            Check::Arithmetic => "汇总相符",
            Check::History => "旧账未改",
            Check::Binding => "账表相符",
            Check::Timeliness => "按期报送",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
