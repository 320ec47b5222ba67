//! The receipt that answers a rollup.

use chrono::{DateTime, TimeDelta, Utc};
use protocol::log::checkpoint::add_cosignature;
use protocol::note::Note;
use protocol::period::Month;
use protocol::receipt::{Decision, Receipt};
use protocol::rollup::HeldRollup;
use protocol::verdict::Verdict;

use crate::books::children::Child;
use crate::books::{Books, EntryKind, NewEntry};
use crate::clock::stamp;
use crate::fault::{FaultCode, Faults, internal};

/// When a rollup came.
pub fn arrived(books: &Books, held: &HeldRollup) -> Option<DateTime<Utc>> {
    books
        .child(&held.rollup.unit)?
        .arrived()
        .get(&held.digest())
        .copied()
}

/// What is decided about a rollup, by whom and why: the part of a receipt that somebody chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// The decision.
    pub decision: Decision,
    /// Why, in the words of who decided.
    pub reasons: Vec<String>,
    /// Figures that the reasons are about.
    pub about: Vec<String>,
    /// Who decided: `<unit>/<name>`, or the unit where its node did so by itself.
    pub by: String,
    /// Also the later months of the unit, which rest on this one: they are returned or opened again
    /// with it, or accepted with it as they stand.
    pub later: bool,
    /// A report that was returned or opened again is accepted as it stands: no new revision comes.
    pub unchanged: bool,
}

impl Ruling {
    /// A decision without a word.
    pub fn new(decision: Decision, by: &str) -> Ruling {
        Ruling {
            decision,
            reasons: Vec::new(),
            about: Vec::new(),
            by: by.to_string(),
            later: false,
            unchanged: false,
        }
    }

    /// The same of the unit's later months, too.
    #[must_use]
    pub fn with_later(mut self) -> Ruling {
        self.later = true;
        self
    }

    /// With this reason.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Ruling {
        self.reasons.push(reason.to_string());
        self
    }
}

/// Cosigns a checkpoint with the witness key that the registry has for this moment: by another one
/// nobody below would take the receipt. A key that came after the start is read now, so that a
/// rotation stops nobody.
fn cosign(books: &Books, checkpoint: &Note, now: DateTime<Utc>) -> Result<Note, Faults> {
    let me = books.me().ok_or_else(|| internal("no registry"))?;
    let wanted = me.witness_at(now);
    let time = u64::try_from(now.timestamp()).unwrap_or(0);
    let mut held = books.keys().witnesses.iter();
    if let Some(key) = held.find(|key| key.vkey() == *wanted) {
        return add_cosignature(checkpoint, key, time).map_err(internal);
    }
    let key = books.keys().later_witness(wanted).ok_or_else(|| {
        Faults::one(
            FaultCode::ReviewWitness,
            "单位名录中本单位现行的见证密钥不在 keys 目录中，不能审核通过",
            "the witness key that the registry has for this unit now is not in the directory keys, \
             so nothing can be accepted",
        )
    })?;
    add_cosignature(checkpoint, &key, time).map_err(internal)
}

/// Now, or the second after the last receipt for this child and month where the clock is not past
/// it: receipts are read in the order of these times, and of two with one time whoever hands them
/// on could say which was last.
fn after_those_given(child: &Child, month: Month, now: DateTime<Utc>) -> DateTime<Utc> {
    let given = child.given().values().flatten();
    let of_month = given.filter(|(receipt, _)| receipt.period == month);
    let times = of_month.filter_map(|(receipt, _)| receipt.decided.parse::<DateTime<Utc>>().ok());
    let next = times.max().map(|last| last + TimeDelta::seconds(1));
    next.map_or(now, |next| now.max(next))
}

/// Signs and keeps a receipt.
///
/// # Errors
/// A unit that is not known, a receipt that cannot be written, or the journal's error.
pub fn issue_receipt(
    books: &mut Books,
    held: &HeldRollup,
    checks: Vec<Verdict>,
    received: DateTime<Utc>,
    ruling: Ruling,
    now: DateTime<Utc>,
) -> Result<Note, Faults> {
    let Ruling {
        decision,
        reasons,
        about,
        by,
        ..
    } = ruling;
    if let Some(fault) = books.listed_key().fault() {
        return Err(fault.into());
    }
    let rollup = &held.rollup;
    let child = books
        .child(&rollup.unit)
        .ok_or_else(|| internal("unknown child"))?;
    let checkpoint = match child.checkpoints().get(&rollup.log.size) {
        // Accepting is witnessing: the cosignature says that this is the largest consistent log
        // seen.
        Some(note) if decision == Decision::Accepted => {
            cosign(books, note, now)?.as_bytes().to_vec()
        }
        Some(note) => note.as_bytes().to_vec(),
        None => Vec::new(),
    };
    let receipt = Receipt {
        parent: books.unit().clone(),
        child: rollup.unit.clone(),
        period: rollup.period,
        revision: rollup.revision,
        rollup: held.digest(),
        decision,
        received: stamp(received),
        decided: stamp(after_those_given(child, rollup.period, now)),
        by,
        reasons,
        about,
        checks,
        checkpoint: String::from_utf8(checkpoint).map_err(internal)?,
    };
    let text = receipt.to_text().map_err(|e| {
        let zh = "回执无法写成，请缩短所写的理由";
        Faults::one(FaultCode::ReviewReceipt, zh, e.to_string())
    })?;
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
