//! Reading a parent's receipt (SPEC section 9).

use crate::ids::UnitId;
use crate::log::checkpoint::{Checkpoint, CheckpointError, origin_of, verify_cosignature};
use crate::note::{LineError, Note, NoteError, VerifierKey, every_line};
use crate::receipt::{Decision, Receipt, ReceiptError};
use crate::registry::{Registry, Unit};
use crate::rollup::{HeldRollup, Rollup};

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
    /// The checkpoint in it is no note, or a line of a known key in it does not hold.
    #[error("checkpoint: {0}")]
    CheckpointNote(#[from] NoteError),
    /// The checkpoint in it is not cosigned by the parent's witness.
    #[error("checkpoint: {0}")]
    Cosignature(CheckpointError),
    /// The witness key had been replaced by then.
    #[error("checkpoint: the cosignature of {0} is of a time at which another witness key held")]
    FormerWitness(UnitId),
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

/// The keys that may cosign a unit's checkpoints: those of everybody who is above it in any month,
/// and nobody else's. Nobody is its own witness.
pub fn witnesses(id: &UnitId, registry: &Registry) -> Vec<VerifierKey> {
    let above = registry.ever_above(id).into_iter();
    above.flat_map(Unit::witnesses).cloned().collect()
}

/// The units that may answer a rollup: the parent in its month, by the newest registry and by the
/// version that the rollup names.
///
/// The two differ only where the roots changed a month that was reported already. Then both have
/// answered in good faith, and what is counted is decided by the tiers above, who name a version,
/// too.
pub fn parents_of<'a>(
    rollup: &Rollup,
    newest: &'a Registry,
    named: Option<&Registry>,
) -> Vec<&'a Unit> {
    let parent = |registry: &Registry| {
        let unit = registry.unit(&rollup.unit);
        unit.and_then(|u| u.parent_in(rollup.period)).cloned()
    };
    let now = parent(newest);
    let then = named.and_then(parent).filter(|p| now.as_ref() != Some(p));
    let both = now.into_iter().chain(then);
    both.filter_map(|id| newest.unit(&id)).collect()
}

/// Reads a receipt of one of the units that may answer, for any rollup: between these two units,
/// and signed by the parent alone.
///
/// # Errors
/// What contradicts.
pub fn read_answer(note: &Note, child: &UnitId, parents: &[&Unit]) -> Result<Receipt, AnswerError> {
    read_by(note, child, parents).map(|(receipt, _)| receipt)
}

fn read_by<'a>(
    note: &Note,
    child: &UnitId,
    parents: &[&'a Unit],
) -> Result<(Receipt, &'a Unit), AnswerError> {
    let receipt = Receipt::parse(note.text())?;
    if parents.is_empty() {
        return Err(AnswerError::NoParent);
    }
    let parent = parents.iter().find(|p| p.id == receipt.parent);
    let parent = parent.filter(|_| receipt.child == *child);
    let parent = *parent.ok_or(AnswerError::OtherUnits)?;
    every_line(note, &parent.vkeys()).map_err(|error| AnswerError::Lines {
        parent: parent.id.clone(),
        error,
    })?;
    Ok((receipt, parent))
}

/// Reads a receipt for a rollup: signed by the parent, for exactly these bytes, over a checkpoint
/// that it cosigned. `newest` says whose lines on that checkpoint are known.
///
/// # Errors
/// What contradicts.
pub fn read_receipt(
    note: &Note,
    held: &HeldRollup,
    parents: &[&Unit],
    newest: &Registry,
) -> Result<Receipt, AnswerError> {
    let rollup = &held.rollup;
    let (receipt, parent) = read_by(note, &rollup.unit, parents)?;
    if receipt.rollup != held.digest()
        || (receipt.period, receipt.revision) != (rollup.period, rollup.revision)
    {
        return Err(AnswerError::OtherBytes);
    }
    if receipt.decision == Decision::Accepted {
        cosigned_checkpoint(&receipt, held, parent, newest)?;
    }
    Ok(receipt)
}

/// What is accepted carries the rollup's own checkpoint, cosigned by the parent's witness. No other
/// line of a known key in it is wrong: a parent could otherwise show a line of the child that the
/// child never signed.
fn cosigned_checkpoint(
    receipt: &Receipt,
    held: &HeldRollup,
    parent: &Unit,
    newest: &Registry,
) -> Result<(), AnswerError> {
    let rollup = &held.rollup;
    let checkpoint = Note::parse(receipt.checkpoint.as_bytes())?;
    cosigned(&checkpoint, parent)?;
    let node = newest.unit(&rollup.unit).map(Unit::vkeys);
    let known = [node.unwrap_or_default(), witnesses(&rollup.unit, newest)].concat();
    checkpoint.verify(&known)?;
    let root = rollup.log.root_bytes().ok_or(AnswerError::NoRoot)?;
    let expected = Checkpoint::new(&origin_of(&rollup.unit), rollup.log.size, root)
        .map_err(AnswerError::Expected)?;
    if checkpoint.text() != expected.text() {
        return Err(AnswerError::OtherCheckpoint);
    }
    Ok(())
}

/// One of the parent's witness keys cosigned the checkpoint, at a time at which it held.
fn cosigned(checkpoint: &Note, parent: &Unit) -> Result<(), AnswerError> {
    let mut former = None;
    for key in parent.former_witnesses().iter().map(|w| &w.vkey) {
        if let Ok(time) = verify_cosignature(checkpoint, key) {
            if parent.witnesses_at(key, time) {
                return Ok(());
            }
            former = Some(AnswerError::FormerWitness(parent.id.clone()));
        }
    }
    match (verify_cosignature(checkpoint, parent.witness()), former) {
        (Ok(_), _) => Ok(()),
        (Err(_), Some(former)) => Err(former),
        (Err(e), None) => Err(AnswerError::Cosignature(e)),
    }
}
