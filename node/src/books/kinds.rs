//! The kinds of journal entries. A number, once used, keeps its meaning for ever.

/// What a journal entry is.
///
/// To add a kind: take the next number, say here what stands in it, and give it a function in
/// `state`, which the compiler then asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EntryKind {
    /// A statement: public its note, sealed its private payload.
    Statement = 1,
    /// The secret of a month: public the month, sealed the 32 bytes.
    PeriodKey = 2,
    /// A rollup of this unit with the node's signature.
    Rollup = 3,
    /// The same rollup with more signatures.
    Signed = 4,
    /// A rollup was handed to the outbox: JSON `{period, revision, at}`.
    Submitted = 5,
    /// A checkpoint that this node signed.
    Checkpoint = 6,
    /// A receipt of the parent.
    Receipt = 7,
    /// A receipt that this node gave.
    Given = 8,
    // 9 is retired, see `EntryKindError::Retired`.
    /// A rollup of a unit below: JSON line `{unit, at}`, newline, note.
    ChildRollup = 10,
    /// A checkpoint of a unit below: JSON line `{unit, at}`, newline, note.
    ChildCheckpoint = 11,
    /// A registry version.
    Registry = 12,
    /// A catalogue.
    Catalogue = 13,
    /// A plan pack.
    Plan = 14,
    /// A contradiction that is kept as evidence: JSON line `{unit, what}`, newline, the note that
    /// came second.
    Contradiction = 15,
    /// The store of the transport to which everything recent was sent: its name, see
    /// [`crate::link::Transport::store`].
    Store = 16,
    /// Statements of a unit below: JSON line `{unit, first, from}`, newline, the delivery as it
    /// came.
    Delivery = 17,
    /// Another statement for an index that was known: JSON line `{unit, what, from}`, newline, the
    /// delivery that it came in.
    OtherStatement = 18,
    /// The close of a month was undone before its report was handed over: JSON
    /// `{period, revision, rollup, by, at}`.
    Undone = 19,
}

impl EntryKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [EntryKind; 18] = [
        EntryKind::Statement,
        EntryKind::PeriodKey,
        EntryKind::Rollup,
        EntryKind::Signed,
        EntryKind::Submitted,
        EntryKind::Checkpoint,
        EntryKind::Receipt,
        EntryKind::Given,
        EntryKind::ChildRollup,
        EntryKind::ChildCheckpoint,
        EntryKind::Registry,
        EntryKind::Catalogue,
        EntryKind::Plan,
        EntryKind::Contradiction,
        EntryKind::Store,
        EntryKind::Delivery,
        EntryKind::OtherStatement,
        EntryKind::Undone,
    ];

    /// Its number in the journal.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// Why a number is no kind that this version reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryKindError {
    /// 9 was statements of a unit below that came without the proof of their place. It is never
    /// used again.
    #[error(
        "statements without the proof of their place, written by an older version: begin a new \
         data directory"
    )]
    Retired,
    /// No version up to this one has written it.
    #[error("unknown kind {0}: written by a newer version?")]
    Unknown(u8),
}

impl TryFrom<u8> for EntryKind {
    type Error = EntryKindError;

    fn try_from(number: u8) -> Result<EntryKind, EntryKindError> {
        if number == 9 {
            return Err(EntryKindError::Retired);
        }
        EntryKind::ALL
            .into_iter()
            .find(|kind| kind.number() == number)
            .ok_or(EntryKindError::Unknown(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Journals outlive programs.
    #[test]
    fn numbers_keep_their_meaning() {
        let numbers = EntryKind::ALL.map(EntryKind::number);
        assert_eq!(
            numbers,
            [
                1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19
            ]
        );
        for number in 0..=u8::MAX {
            match EntryKind::try_from(number) {
                Ok(kind) => assert_eq!(kind.number(), number),
                Err(EntryKindError::Retired) => assert_eq!(number, 9),
                Err(EntryKindError::Unknown(n)) => assert!(n == number && !numbers.contains(&n)),
            }
        }
    }
}
