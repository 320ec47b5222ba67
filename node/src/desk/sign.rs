//! Signatures of the three, and the outbox.
//!
//! A signatory's key never comes to the node: the person fetches the rollup's text, signs it at
//! home, and brings the signature line.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use protocol::chain;
use protocol::note::Note;
use protocol::period::Month;
use protocol::person::Role;
use protocol::rollup::HeldRollup;
use protocol::verdict::Verdict;

use super::close::{failed_check_zh, self_check};
use crate::books::{Books, EntryKind, NewEntry, OwnRollup};
use crate::fault::{FaultCode, Faults, internal};

/// The latest revision of a month.
///
/// # Errors
/// A month that is not closed.
pub fn latest(books: &Books, period: Month) -> Result<&OwnRollup, Faults> {
    books
        .rollups()
        .range(period.revisions())
        .next_back()
        .map(|(_, r)| r)
        .ok_or_else(|| {
            Faults::one(
                FaultCode::RollupNone,
                format!("{period} 还没有结账"),
                format!("{period} is not closed"),
            )
        })
}

/// Names of the signatories whose signature is still missing.
pub fn unsigned(books: &Books, own: &OwnRollup) -> Vec<String> {
    let Some(log) = books.log() else {
        return Vec::new();
    };
    let rollup = &own.held().rollup;
    [Role::Preparer, Role::Reviewer, Role::Head]
        .into_iter()
        .zip(rollup.signatories.names())
        .filter(|(role, name)| {
            let key = log.operator_over(name, *role, rollup.log.size);
            key.is_none_or(|k| own.held().note.verify(std::slice::from_ref(&k)).is_err())
        })
        .map(|(_, name)| name.to_string())
        .collect()
}

/// Adds signature lines of signatories: a note with the same text.
///
/// # Errors
/// Another text, or a signature that is not a signatory's.
pub fn add_signatures(
    books: &mut Books,
    period: Month,
    signed: &[u8],
) -> Result<Vec<String>, Faults> {
    let own = latest(books, period)?;
    let brought = Note::parse(signed).map_err(|e| {
        let code = FaultCode::of_protocol(e.code());
        let zh = format!("签名文件有误：{}", code.meaning().zh);
        Faults::one(code, zh, e.to_string())
    })?;
    let log = books.log().ok_or_else(super::month::no_registry)?;
    let rollup = &own.held().rollup;
    let merged = own.held().note.merge(&brought).map_err(|_| {
        Faults::one(
            FaultCode::SignText,
            "签名的不是本月当前报表;请重新取得文本再签",
            "this signs another text than the month's current rollup; fetch it again",
        )
    })?;
    for line in merged
        .signatures()
        .iter()
        .filter(|l| l.name() != books.unit().as_str())
    {
        let role = [Role::Preparer, Role::Reviewer, Role::Head]
            .into_iter()
            .zip(rollup.signatories.names())
            .find(|(_, n)| *n == line.name());
        let key = role.and_then(|(role, name)| log.operator_over(name, role, rollup.log.size));
        if key.is_none_or(|k| {
            k.id() != line.key_id() || merged.verify(std::slice::from_ref(&k)).is_err()
        }) {
            return Err(Faults::one(
                FaultCode::SignSignature,
                format!("{} 的签名无效,或不是本报表的签字人", line.name()),
                format!(
                    "the signature of {} is wrong, or it is not a signatory of this rollup",
                    line.name()
                ),
            ));
        }
    }
    if merged.as_bytes() != own.held().note.as_bytes() {
        books.commit(vec![NewEntry::open(EntryKind::Signed, merged.as_bytes())])?;
    }
    let own = latest(books, period)?;
    Ok(unsigned(books, own))
}

/// Whether what it follows was handed over, and it follows everything that was. Nobody above can
/// judge it before what it follows, and what waits for signatures may still have to be made anew;
/// and whoever reads both would see a unit that went on twice from one report.
fn follows_what_was_handed_over(books: &Books, held: &HeldRollup) -> Result<(), Faults> {
    let known = books.own_rollups();
    let chain = chain::before(&held.rollup, &known);
    if let Some((month, revision)) = chain.keys().find(|key| !books.is_handed_over(**key)) {
        return Err(Faults::one(
            FaultCode::SubmitFirst,
            format!("请先上报 {month} 第 {revision} 次修订：本报表接在其后"),
            format!("submit {month} revision {revision} first: this report follows it"),
        ));
    }
    let missing = chain::missing(&held.rollup, &known).map(|missing| missing.period);
    let mut others = known.values().filter(|other| {
        let one_chain =
            chain::leads_to(held, other, &known) || chain::leads_to(other, held, &known);
        books.is_handed_over(other.key()) && !one_chain
    });
    let beside = || others.next().map(|other| other.rollup.period);
    let Some(before) = missing.or_else(beside) else {
        return Ok(());
    };
    let month = held.rollup.period;
    Err(Faults::one(
        FaultCode::SubmitBehind,
        format!("{month} 结账之后，{before} 已重新结账：请重新结账 {month} 并签字，再上报"),
        format!(
            "{before} was closed again after {month}: close {month} again, have it signed, and \
             submit it then"
        ),
    ))
}

/// Hands the month's latest revision to the outbox, once all have signed. Doing it again changes
/// nothing.
///
/// # Errors
/// Missing signatures, or a check that does not hold.
pub fn submit(
    books: &mut Books,
    period: Month,
    now: DateTime<Utc>,
) -> Result<Vec<Verdict>, Faults> {
    let own = latest(books, period)?.clone();
    let missing = unsigned(books, &own);
    if !missing.is_empty() {
        let names = missing.join(", ");
        return Err(Faults::one(
            FaultCode::SubmitUnsigned,
            format!("尚未签字:{names}"),
            format!("not signed yet: {names}"),
        ));
    }
    let held: Arc<HeldRollup> = own.held().clone();
    let checkpoint = books
        .checkpoint(held.rollup.log.size)
        .cloned()
        .ok_or_else(|| internal("no checkpoint"))?;
    follows_what_was_handed_over(books, &held)?;
    let verdicts = self_check(books, &held, &checkpoint, now)?;
    if let Some(v) = verdicts.iter().find(|v| v.failed()) {
        return Err(Faults::one(
            FaultCode::SubmitSelfCheck,
            failed_check_zh(v),
            format!("the node's own check {} fails: {}", v.check, v.detail),
        ));
    }
    if own.submitted().is_none() {
        books.submit(period, held.rollup.revision, now)?;
    }
    Ok(verdicts)
}
