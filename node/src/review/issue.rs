//! The receipt that answers a rollup.

use chrono::{DateTime, Utc};
use protocol::log::checkpoint::add_cosignature;
use protocol::note::Note;
use protocol::receipt::{Decision, Receipt};
use protocol::rollup::HeldRollup;
use protocol::verdict::Verdict;

use crate::books::{Books, EntryKind, NewEntry};
use crate::clock::stamp;
use crate::fault::{FaultCode, Faults, internal};

/// When a rollup came.
pub fn arrived(books: &Books, held: &HeldRollup) -> Option<DateTime<Utc>> {
    books
        .child(&held.rollup.unit)?
        .arrived
        .get(&held.digest())
        .copied()
}

/// Signs and keeps a receipt.
#[allow(clippy::too_many_arguments)] // one argument a field of the receipt
pub fn issue_receipt(
    books: &mut Books,
    held: &HeldRollup,
    checks: Vec<Verdict>,
    received: DateTime<Utc>,
    decision: Decision,
    reasons: Vec<String>,
    about: Vec<String>,
    by: String,
    now: DateTime<Utc>,
) -> Result<Note, Faults> {
    let rollup = &held.rollup;
    let child = books
        .child(&rollup.unit)
        .ok_or_else(|| internal("unknown child"))?;
    let checkpoint = match child.checkpoints.get(&rollup.log.size) {
        // Accepting is witnessing: the cosignature says that this is the largest consistent log
        // seen.
        Some(note) if decision == Decision::Accepted => {
            let time = u64::try_from(now.timestamp()).unwrap_or(0);
            add_cosignature(note, &books.keys().witness, time)
                .map_err(internal)?
                .as_bytes()
                .to_vec()
        }
        Some(note) => note.as_bytes().to_vec(),
        None => Vec::new(),
    };
    // Receipts for one rollup are read in the order of these times, also where the clock was put
    // back in between.
    let before = child
        .given
        .get(&held.digest())
        .into_iter()
        .flatten()
        .filter_map(|(r, _)| r.decided.parse().ok())
        .max();
    let receipt = Receipt {
        parent: books.unit().clone(),
        child: rollup.unit.clone(),
        period: rollup.period,
        revision: rollup.revision,
        rollup: held.digest(),
        decision,
        received: stamp(received),
        decided: stamp(before.map_or(now, |before| now.max(before))),
        by,
        reasons,
        about,
        checks,
        checkpoint: String::from_utf8(checkpoint).map_err(internal)?,
    };
    let text = receipt
        .to_text()
        .map_err(|e| Faults::one(FaultCode::ReviewReceipt, e.to_string(), e.to_string()))?;
    let note = Note::sign(&text, &[&books.keys().node]).map_err(internal)?;
    books.commit(vec![NewEntry::open(EntryKind::Given, note.as_bytes())])?;
    books.guard_all()?;
    tracing::info!(
        unit = %receipt.child,
        month = %receipt.period,
        revision = receipt.revision,
        decision = ?decision,
        "a receipt was given"
    );
    Ok(note)
}
