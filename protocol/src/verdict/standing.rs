//! Whether a rollup may be built upon.

use super::check::Check;
use super::result::Verdict;

/// What a reader found of a rollup that another one names. A sum over a part that does not hold is
/// no better than the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Every check holds, or could not find fault.
    Holds,
    /// This check fails; the first of them.
    Fails(Check),
    /// Its unit signed another one for the same month and revision.
    Contradicted,
}

impl Standing {
    /// What these verdicts of all checks say.
    pub fn of(verdicts: &[Verdict]) -> Standing {
        let failed = verdicts.iter().find(|v| v.failed());
        failed.map_or(Standing::Holds, |v| Standing::Fails(v.check))
    }
}
