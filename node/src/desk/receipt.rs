//! The parent's answer to this unit's rollup.

use protocol::note::Note;
use protocol::receipt::Receipt;
use protocol::verify::answer;

use crate::books::contradictions::Contradiction;
use crate::books::{Books, EntryKind, NewEntry};
use crate::fault::{Faults, internal};
use crate::intake::Intake;

use crate::review::contradict;

/// A receipt of the parent, for one of this unit's rollups.
///
/// # Errors
/// The node's own failures.
pub fn take_receipt(books: &mut Books, body: &[u8]) -> Result<Intake, Faults> {
    let note = match Note::parse(body) {
        Ok(n) => n,
        Err(e) => return Ok(Intake::Refused(e.to_string())),
    };
    let Ok(receipt) = Receipt::parse(note.text()) else {
        return Ok(Intake::Refused("not a receipt".into()));
    };
    let Some(own) = books.rollups().get(&(receipt.period, receipt.revision)) else {
        return Ok(Intake::Refused(
            "a receipt for a rollup that this unit does not have".into(),
        ));
    };
    if own
        .receipts()
        .iter()
        .any(|(_, n)| n.digest() == note.digest())
    {
        return Ok(Intake::Done);
    }
    let registry = books
        .registry()
        .ok_or_else(|| internal("no registry"))?
        .registry();
    let rollup = &own.held().rollup;
    let mut versions = books.registries().iter().map(|(v, _)| v.registry());
    let named = versions.find(|v| v.version == rollup.registry.version);
    let parents = answer::parents_of(rollup, registry, named);
    if let Err(e) = answer::read_answer(&note, books.unit(), &parents) {
        return Ok(Intake::Refused(e.to_string()));
    }
    let digest = own.held().digest();
    if receipt.rollup != digest {
        // The parent has a rollup under this unit's name that this unit does not have: its people
        // must know.
        let what = Contradiction::ForeignAnswer {
            parent: receipt.parent,
            decision: receipt.decision,
            period: receipt.period,
            revision: receipt.revision,
            answered: receipt.rollup,
            own: digest,
        };
        let me = books.unit().clone();
        return contradict(books, &me, what, body, None);
    }
    if let Err(e) = answer::read_receipt(&note, own.held(), &parents, registry) {
        return Ok(Intake::Refused(e.to_string()));
    }
    if !own.has_place_for(&receipt) {
        return Ok(Intake::Refused(format!(
            "a receipt for {} revision {} whose time of decision, {}, contradicts those that are \
             here",
            receipt.period, receipt.revision, receipt.decided
        )));
    }
    books.commit(vec![NewEntry::open(EntryKind::Receipt, note.as_bytes())])?;
    tracing::info!(
        month = %receipt.period,
        revision = receipt.revision,
        decision = ?receipt.decision,
        "a receipt came"
    );
    Ok(Intake::Done)
}
