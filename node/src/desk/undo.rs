//! A close is undone while nobody else has the report: the month is open again.

use chrono::{DateTime, Utc};
use protocol::chain;
use protocol::digest::Digest;
use protocol::period::Month;
use serde::{Deserialize, Serialize};

use super::sign::latest;
use crate::books::{Books, EntryKind, NewEntry, UndoneHead};
use crate::fault::{FaultCode, Faults};

/// A close that was undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// Month.
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// Digest of the report that is no more.
    pub digest: Digest,
    /// Whose signatures are lost.
    pub signed: Vec<String>,
}

/// Undoes the close of a month that was not submitted. Events of later months stay where they are.
///
/// # Errors
/// A month that is not closed, or is submitted, or on which another closed one rests; signatures
/// that are not told away.
pub fn undo(
    books: &mut Books,
    period: Month,
    by: &str,
    discard_signatures: bool,
    now: DateTime<Utc>,
) -> Result<Undone, Faults> {
    let own = latest(books, period)?;
    let held = own.held().clone();
    if own.submitted().is_some() {
        return Err(Faults::one(
            FaultCode::UndoSubmitted,
            format!("{period} 已经上报，不能撤销结账；需要修改的，请上级退回或撤销通过"),
            format!(
                "{period} is submitted, so its close cannot be undone; if something is wrong, ask the \
                 parent to return it or to open it again"
            ),
        ));
    }
    let signed: Vec<String> = own.signed_by().into_iter().map(str::to_string).collect();
    let known = books.own_rollups();
    let mut others = known.values().filter(|other| other.key() != held.key());
    if let Some(rests) = others.find(|other| chain::leads_to(other, &held, &known)) {
        let later = rests.rollup.period;
        return Err(Faults::one(
            FaultCode::UndoRests,
            format!("{later} 的月报以 {period} 为基础：请先撤销 {later} 的结账"),
            format!("the report of {later} rests on {period}: undo the close of {later} first"),
        ));
    }
    if !signed.is_empty() && !discard_signatures {
        let names = signed.join(", ");
        return Err(Faults::one(
            FaultCode::UndoSigned,
            format!("{names} 已经签字，撤销结账后签字作废；确需撤销的，请确认作废签字"),
            format!("{names} signed it, and these signatures are lost; if that is meant, say so"),
        ));
    }
    let (revision, digest) = (held.rollup.revision, held.digest());
    let head = UndoneHead {
        period,
        revision,
        rollup: digest,
        by: by.to_string(),
        at: now,
    };
    books.commit(vec![NewEntry::headed(EntryKind::Undone, &head, &[])])?;
    Ok(Undone {
        period,
        revision,
        digest,
        signed,
    })
}
