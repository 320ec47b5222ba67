//! Reading a parent's receipt (SPEC section 9).

use crate::ids::UnitId;
use crate::log::checkpoint::{Checkpoint, CheckpointError, origin_of, verify_cosignature};
use crate::note::{LineError, Note, NoteError, VerifierKey, every_line};
use crate::receipt::{Decision, Receipt, ReceiptError};
use crate::registry::{Registry, Unit};
use crate::rollup::HeldRollup;

/// Why a receipt does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It cannot be read.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// Nobody stands above the unit.
    #[error("the unit has no parent that could answer")]
    NoParent,
    /// It names another parent or another child.
    #[error("is between other units")]
    OtherUnits,
    /// A line is missing, wrong or of another key than the parent's.
    #[error("is not signed by {parent} alone: {error}")]
    Lines {
        /// Who must have signed.
        parent: UnitId,
        /// What is wrong with the lines.
        error: LineError,
    },
    /// It is for another rollup, month or revision.
    #[error("is for other bytes")]
    OtherBytes,
    /// The checkpoint in it is no note.
    #[error("checkpoint: {0}")]
    CheckpointNote(#[from] NoteError),
    /// The checkpoint in it is not cosigned by the parent's witness.
    #[error("checkpoint: {0}")]
    Cosignature(CheckpointError),
    /// The rollup has no root to compare with.
    #[error("rollup without a root")]
    NoRoot,
    /// The rollup's log cannot have a checkpoint.
    #[error(transparent)]
    Expected(CheckpointError),
    /// The checkpoint in it is of another log.
    #[error("cosigns another checkpoint than the rollup's")]
    OtherCheckpoint,
}

/// The keys that may cosign a unit's checkpoints: its ancestors' (and its own, which is of no
/// weight).
pub fn witnesses(id: &UnitId, registry: &Registry) -> Vec<VerifierKey> {
    registry
        .path(id)
        .iter()
        .filter_map(|u| registry.unit(u))
        .map(|u| u.witness.clone())
        .collect()
}

/// The unit that may answer.
fn answering<'a>(registry: &'a Registry, parent: Option<&UnitId>) -> Result<&'a Unit, AnswerError> {
    parent
        .and_then(|p| registry.unit(p))
        .ok_or(AnswerError::NoParent)
}

/// Reads a receipt of a unit's parent, for any rollup: between these two units, and signed by the
/// parent alone.
///
/// # Errors
/// What contradicts.
pub fn read_answer(
    note: &Note,
    child: &UnitId,
    registry: &Registry,
    parent: Option<&UnitId>,
) -> Result<Receipt, AnswerError> {
    let receipt = Receipt::parse(note.text())?;
    let parent = answering(registry, parent)?;
    if receipt.parent != parent.id || receipt.child != *child {
        return Err(AnswerError::OtherUnits);
    }
    every_line(note, &parent.vkeys()).map_err(|error| AnswerError::Lines {
        parent: parent.id.clone(),
        error,
    })?;
    Ok(receipt)
}

/// Reads a receipt for a rollup: signed by the parent, for exactly these bytes, over a checkpoint
/// that it cosigned.
///
/// # Errors
/// What contradicts.
pub fn read_receipt(
    note: &Note,
    held: &HeldRollup,
    registry: &Registry,
    parent: Option<&UnitId>,
) -> Result<Receipt, AnswerError> {
    let rollup = &held.rollup;
    let receipt = read_answer(note, &rollup.unit, registry, parent)?;
    if receipt.rollup != held.digest()
        || (receipt.period, receipt.revision) != (rollup.period, rollup.revision)
    {
        return Err(AnswerError::OtherBytes);
    }
    if receipt.decision == Decision::Accepted {
        cosigned_checkpoint(&receipt, held, answering(registry, parent)?)?;
    }
    Ok(receipt)
}

/// What is accepted carries the rollup's own checkpoint, cosigned by the parent's witness.
fn cosigned_checkpoint(
    receipt: &Receipt,
    held: &HeldRollup,
    parent: &Unit,
) -> Result<(), AnswerError> {
    let rollup = &held.rollup;
    let checkpoint = Note::parse(receipt.checkpoint.as_bytes())?;
    verify_cosignature(&checkpoint, &parent.witness).map_err(AnswerError::Cosignature)?;
    let root = rollup.log.root_bytes().ok_or(AnswerError::NoRoot)?;
    let expected = Checkpoint::new(&origin_of(&rollup.unit), rollup.log.size, root)
        .map_err(AnswerError::Expected)?;
    if checkpoint.text() != expected.text() {
        return Err(AnswerError::OtherCheckpoint);
    }
    Ok(())
}
