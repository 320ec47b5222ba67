//! What becomes of a message that another unit sent.

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intake {
    /// Written to the journal, or known already.
    Done,
    /// It cannot be used; the reason is for the log. It will not come again.
    Refused(String),
    /// It cannot be used yet: something before it is missing.
    Later(String),
}
