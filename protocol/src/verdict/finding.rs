//! What any check found.

use super::arithmetic::ArithmeticFinding;
use super::authorship::AuthorshipFinding;
use super::binding::BindingFinding;
use super::code::Code;
use super::history::HistoryFinding;
use super::timeliness::TimelinessFinding;

/// What a check found, with its parameters. `Display` is the sentence in English, the one that
/// stands in receipts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// Of `authorship`.
    #[error(transparent)]
    Authorship(#[from] AuthorshipFinding),
    /// Of `arithmetic`.
    #[error(transparent)]
    Arithmetic(#[from] ArithmeticFinding),
    /// Of `history`.
    #[error(transparent)]
    History(#[from] HistoryFinding),
    /// Of `binding`.
    #[error(transparent)]
    Binding(#[from] BindingFinding),
    /// Of `timeliness`.
    #[error(transparent)]
    Timeliness(#[from] TimelinessFinding),
}

impl Finding {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Finding::Authorship(finding) => finding.code(),
            Finding::Arithmetic(finding) => finding.code(),
            Finding::History(finding) => finding.code(),
            Finding::Binding(finding) => finding.code(),
            Finding::Timeliness(finding) => finding.code(),
        }
    }

    /// The sentence in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Finding::Authorship(finding) => finding.zh(),
            Finding::Arithmetic(finding) => finding.zh(),
            Finding::History(finding) => finding.zh(),
            Finding::Binding(finding) => finding.zh(),
            Finding::Timeliness(finding) => finding.zh(),
        }
    }
}
