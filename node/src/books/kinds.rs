//! The kinds of journal entries. A number, once used, keeps its meaning for ever.

/// A statement: public its note, sealed its private payload.
pub const STATEMENT: u8 = 1;
/// The secret of a month: public the month, sealed the 32 bytes.
pub const PERIOD_KEY: u8 = 2;
/// A rollup of this unit with the node's signature.
pub const ROLLUP: u8 = 3;
/// The same rollup with more signatures.
pub const SIGNED: u8 = 4;
/// A rollup was handed to the outbox: JSON `{period, revision, at}`.
pub const SUBMITTED: u8 = 5;
/// A checkpoint that this node signed.
pub const CHECKPOINT: u8 = 6;
/// A receipt of the parent.
pub const RECEIPT: u8 = 7;
/// A receipt that this node gave.
pub const GIVEN: u8 = 8;
// 9 was statements of a unit below that came without the proof of their place. Never to be used
// again.
/// A rollup of a unit below: JSON line `{unit, at}`, newline, note.
pub const CHILD_ROLLUP: u8 = 10;
/// A checkpoint of a unit below: JSON line `{unit, at}`, newline, note.
pub const CHILD_CHECKPOINT: u8 = 11;
/// A registry version.
pub const REGISTRY: u8 = 12;
/// A catalogue.
pub const CATALOGUE: u8 = 13;
/// A plan pack.
pub const PLAN: u8 = 14;
/// A contradiction that is kept as evidence: JSON line `{unit, what}`, newline, the note that came
/// second.
pub const CONTRADICTION: u8 = 15;
/// The store of the transport to which everything recent was sent: its name, see
/// [`crate::link::Transport::store`].
pub const STORE: u8 = 16;
/// Statements of a unit below: JSON line `{unit, first, from}`, newline, the delivery as it came.
pub const DELIVERY: u8 = 17;
/// Another statement for an index that was known: JSON line `{unit, what, index, from}`, newline,
/// the delivery that it came in.
pub const OTHER_STATEMENT: u8 = 18;
