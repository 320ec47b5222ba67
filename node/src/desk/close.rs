//! A month into a rollup: recount, sum, check, sign.
//!
//! 1. Recount: what voids and time alone changed is brought home by system events, which are written
//!    only when the month is sure to be closed.
//! 2. Sum: column sums and blindings of the month's own statements, from the private payloads.
//! 3. Figures: own, then children that are accepted; every other child is named with a reason.
//! 4. Rules: a hard one that does not hold stops the close; a soft one needs a written explanation.
//! 5. Checkpoint, rollup, node's signature.
//! 6. The node checks its own rollup as its parent will, and keeps it only if every check holds
//!    (signatories sign later).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use protocol::catalogue::{Catalogue, Kind, Rule, Severity};
use protocol::chain;
use protocol::commitment::OpenScalar;
use protocol::digest::Digest;
use protocol::figure::{self, CountedFigures, Figure, FigureError};
use protocol::ids::{Tier, UnitId};
use protocol::note::Note;
use protocol::period::Month;
use protocol::person::Role;
use protocol::registry::Unit;
use protocol::rollup::HeldRollup;
use protocol::rollup::{
    ChildRef, Explanation, LogRef, MAX_TEXT, Missing, Opening, RegistryRef, Rollup, RollupRef,
    Signatories,
};
use protocol::row::{ExactSum, Sums};
use protocol::rules::Rules;
use protocol::succession;
use protocol::text::hex;
use protocol::verdict::{Check, Standing, Verdict};
use protocol::verify::history::BEGUN;
use protocol::verify::{self, Context, NamedRollup};
use serde::{Deserialize, Serialize};

use super::month::{UnitMonth, no_registry, not_ended, open_month};
use super::record::{Recounted, recount};
use super::unchanged::{NewRevision, says_something_new};
use crate::books::{Books, EntryKind, NewEntry};
use crate::fault::{Fault, FaultCode, Faults, internal};

/// What the closing person says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CloseRequest {
    /// Rule id → explanation.
    pub explanations: BTreeMap<String, String>,
    /// Child unit, by id or name → why it is missing.
    pub missing: BTreeMap<String, String>,
    /// A month that was closed and signed by somebody, but not submitted, is made anew: the
    /// signatures that were given are for the earlier text and fall away.
    pub discard_signatures: bool,
}

/// The result of a close.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Month.
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// Digest of the rollup's text.
    pub digest: Digest,
    /// The checks, as the parent will see them once the signatories have signed.
    pub verdicts: Vec<Verdict>,
}

/// Closes the open month, or makes a new revision of an earlier one that the parent opened again.
///
/// # Errors
/// Rules that do not hold, children without a reason, a rollup that would not hold.
pub fn close(
    books: &mut Books,
    period: Month,
    request: &CloseRequest,
    signatories: Signatories,
    now: DateTime<Utc>,
) -> Result<Closed, Faults> {
    not_ended(books, period)?;
    let open = open_month(books)?;
    let revision = may_close(books, (period, open), now)?;
    if !request.discard_signatures {
        nobody_signed(books, (period, revision))?;
    }
    can_sign(books, &signatories)?;
    if let Some(fault) = books.seal_key().fault() {
        return Err(fault.into());
    }
    let month = ClosingMonth::of(books, period, revision)?;
    let sum = counted_month(books, &month, request, &signatories, now)?;
    let checkpoint = books.sign_checkpoint()?;
    let rollup = rollup(books, &month, sum, signatories)?;
    let held = signed_by_node(books, rollup)?;
    let verdicts = self_check(books, &held, &checkpoint, now)?;
    holds_but_for_signatures(&verdicts)?;
    books.commit(vec![NewEntry::open(
        EntryKind::Rollup,
        held.note.as_bytes(),
    )])?;
    Ok(Closed {
        period,
        revision,
        digest: held.digest(),
        verdicts,
    })
}

/// Steps 1, 3 and 4. What refuses a close is found before anything is written: system events are
/// recorded only where the month will be closed.
fn counted_month(
    books: &mut Books,
    month: &ClosingMonth,
    request: &CloseRequest,
    signatories: &Signatories,
    now: DateTime<Utc>,
) -> Result<MonthSum, Faults> {
    let recording = recount(books, &month.month, now)?;
    let adds = !recording.recounted().is_empty();
    let added = sums_of(&month.month, recording.recounted())?;
    let sum = sum_up(books, month, request, added)?;
    follows(books, month)?;
    if !adds {
        let new = NewRevision {
            month: &month.month,
            revision: month.revision,
            previous: month.previous.as_ref().map(|held| held.digest()),
            figures: &sum.figures,
            sums: &sum.opening.sums,
            children: &sum.children,
            missing: &sum.missing,
            explanations: &sum.explanations,
            signatories,
        };
        says_something_new(books, &new)?;
    }
    let entries = recording.finish()?;
    books.commit(entries)?;
    if adds {
        return sum_up(books, month, request, Sums::new());
    }
    Ok(sum)
}

/// The month that is closed.
pub(super) struct ClosingMonth {
    pub(super) month: UnitMonth,
    pub(super) revision: u32,
    /// The last rollup of the month before.
    pub(super) previous: Option<Arc<HeldRollup>>,
}

impl ClosingMonth {
    pub(super) fn of(books: &Books, period: Month, revision: u32) -> Result<ClosingMonth, Faults> {
        let previous = period.prev().and_then(|before| {
            let mut revisions = books.rollups().range(before.revisions());
            revisions.next_back().map(|(_, own)| own.held().clone())
        });
        Ok(ClosingMonth {
            month: UnitMonth::of(books, period)?,
            revision,
            previous,
        })
    }

    pub(super) fn catalogue(&self) -> &Catalogue {
        &self.month.counting.catalogue
    }

    /// The figures of the month before.
    pub(super) fn last(&self) -> Option<&[Figure]> {
        self.previous.as_ref().map(|h| h.rollup.figures.as_slice())
    }

    /// The same with the catalogue that they were counted by.
    fn carried<'a>(&'a self, books: &'a Books) -> Result<Option<CountedFigures<'a>>, Faults> {
        let held = self.previous.as_deref();
        held.map(|held| counted(books, held)).transpose()
    }
}

fn signed_by_node(books: &Books, rollup: Rollup) -> Result<HeldRollup, Faults> {
    let text = rollup
        .to_text()
        .map_err(|e| Faults::one(FaultCode::CloseRollup, "月报无法写成", e.to_string()))?;
    let note = Note::sign(&text, &[&books.keys().node]).map_err(internal)?;
    Ok(HeldRollup::of(note, rollup))
}

/// What a month comes to.
pub(super) struct MonthSum {
    pub(super) figures: Vec<Figure>,
    pub(super) children: Vec<ChildRef>,
    pub(super) missing: Vec<Missing>,
    pub(super) opening: Opening,
    pub(super) explanations: Vec<Explanation>,
}

/// Steps 3 and 4, and the rules over what they give. `added`: what a recount found and nobody has
/// written yet.
fn sum_up(
    books: &Books,
    month: &ClosingMonth,
    request: &CloseRequest,
    added: Sums,
) -> Result<MonthSum, Faults> {
    let (own, opening) = own_figures(books, month, added)?;
    let (figures, children, missing) = family(books, &month.month, own, request)?;
    let explanations = explain(&month.month.counting.rules, &figures, month.last(), request)?;
    Ok(MonthSum {
        figures,
        children,
        missing,
        opening,
        explanations,
    })
}

/// The unit's own figures of a month.
fn own_figures(
    books: &Books,
    month: &ClosingMonth,
    added: Sums,
) -> Result<(Vec<Figure>, Opening), Faults> {
    let log = books.log().ok_or_else(no_registry)?;
    let (sealed, opening) = sums(books, &month.month)?;
    let mut all = sealed;
    let clear = log.month(month.month.period).clear_sums();
    all.extend(clear.map_err(out_of_range)?);
    add_columns(&mut all, added)?;
    let tier = month.month.unit.tier;
    let last = month.carried(books)?;
    let all = month.month.counting.column_sums(&all, log.catalogues());
    let own = figure::own(month.catalogue(), tier, &all, last).map_err(|e| not_added(&e))?;
    Ok((own, opening))
}

/// What a month would come to, with everything that is against it.
pub(super) struct Prospect {
    pub(super) figures: Vec<Figure>,
    /// Why units below are missing, by unit.
    pub(super) reasons: BTreeMap<String, String>,
    pub(super) faults: Vec<Fault>,
}

/// Steps 3 and 4 of a month that is not closed yet: units below that are missing are left out, with
/// or without a reason.
pub(super) fn prospect(
    books: &Books,
    month: &ClosingMonth,
    request: &CloseRequest,
    recounted: &[Recounted],
) -> Result<Prospect, Faults> {
    let period = month.month.period;
    let added = sums_of(&month.month, recounted)?;
    let (own, _) = own_figures(books, month, added)?;
    let registry = books.registry().ok_or_else(no_registry)?.registry();
    let expected = registry.children(books.unit(), period);
    let (reasons, _) = by_unit(&expected, period, &request.missing);
    let mut faults = Vec::new();
    let figures = match family(books, &month.month, own.clone(), request) {
        Ok((figures, ..)) => figures,
        Err(why) => {
            faults.extend(why.0);
            let excused = expected.iter().map(|c| (c.id.to_string(), "–".to_string()));
            let excused = CloseRequest {
                missing: excused.collect(),
                ..CloseRequest::default()
            };
            family(books, &month.month, own, &excused)?.0
        }
    };
    let rules = &month.month.counting.rules;
    let explained = explain(rules, &figures, month.last(), request);
    faults.extend(explained.err().into_iter().flat_map(|why| why.0));
    Ok(Prospect {
        figures,
        reasons,
        faults,
    })
}

/// What is against a close beside what it would sum.
pub(super) fn against(
    books: &Books,
    month: &ClosingMonth,
    request: &CloseRequest,
    signatories: &Signatories,
) -> Vec<Fault> {
    let key = (month.month.period, month.revision);
    let signed = match request.discard_signatures {
        true => Ok(()),
        false => nobody_signed(books, key),
    };
    let sealing = books.seal_key().fault().map_or(Ok(()), |f| Err(f.into()));
    let all = [
        signed,
        can_sign(books, signatories),
        sealing,
        follows(books, month).map(drop),
    ];
    let faults = all.into_iter().filter_map(Result::err);
    faults.flat_map(|why| why.0).collect()
}

/// The reasons by unit: each unit is named by its id or its name. Those that are no unit below are
/// told.
fn by_unit(
    expected: &[&Unit],
    period: Month,
    missing: &BTreeMap<String, String>,
) -> (BTreeMap<String, String>, Vec<Fault>) {
    let mut reasons = BTreeMap::new();
    let mut faults = Vec::new();
    for (name, reason) in missing {
        let mut units = expected.iter();
        let meant =
            |c: &&&Unit| c.id.as_str() == name.trim() || c.placement(period).name == name.trim();
        match units.find(meant) {
            Some(unit) => {
                reasons.insert(unit.id.to_string(), reason.clone());
            }
            None => {
                let known = expected.iter();
                let known = known.map(|c| format!("{} {}", c.id, c.placement(period).name));
                let known = known.collect::<Vec<_>>();
                let fault = Fault::new(
                    FaultCode::CloseUnit,
                    format!("{name} 不是本单位的直属下级；下级有：{}", known.join("，")),
                    format!("{name} is no unit below this one: {}", known.join(", ")),
                );
                faults.push(fault.column(name));
            }
        }
    }
    (reasons, faults)
}

/// Step 5: the rollup over the log as it stands now.
fn rollup(
    books: &Books,
    closing: &ClosingMonth,
    sum: MonthSum,
    signatories: Signatories,
) -> Result<Rollup, Faults> {
    let UnitMonth {
        period,
        unit,
        counting,
    } = &closing.month;
    let log = books.log().ok_or_else(no_registry)?;
    let registry = books.registry().ok_or_else(no_registry)?;
    let (size, month) = (log.len(), log.month(*period));
    let superseded = books.rollups().get(&(*period, closing.revision - 1));
    let plans = books.plans().iter();
    Ok(Rollup {
        unit: unit.id.clone(),
        tier: unit.tier,
        period: *period,
        revision: closing.revision,
        after: follows(books, closing)?,
        supersedes: superseded.map(|own| own.held().digest()),
        previous: closing.previous.as_ref().map(|held| held.digest()),
        catalogue: counting.digest,
        plans: plans.map(|(plan, _)| plan.plan.id.clone()).collect(),
        registry: RegistryRef {
            version: registry.registry().version,
            digest: registry.digest(),
        },
        log: LogRef {
            size,
            root: hex::encode(&log.root_at(size).unwrap_or_default()),
            first: month.first.unwrap_or(size),
        },
        children: sum.children,
        missing: sum.missing,
        figures: sum.figures,
        opening: sum.opening,
        frozen: frozen(books, &closing.month)?,
        late: month.late.clone(),
        voided: month.voided,
        explanations: sum.explanations,
        signatories,
    })
}

/// What the new rollup follows: the last one that was handed over, or one of an earlier month that
/// is to be. One of a later month that was never handed over is nobody else's yet: it is closed
/// again on top of this one. Followed by this one, it could not be made anew, if a key of those who
/// have to sign it were lost.
fn follows(books: &Books, closing: &ClosingMonth) -> Result<Option<RollupRef>, Faults> {
    let period = closing.month.period;
    let mut known = books.own_rollups();
    known.remove(&(period, closing.revision));
    known.retain(|key, _| key.0 < period || books.is_handed_over(*key));
    let last = chain::newest(&known, |held| books.is_handed_over(held.key()));
    let newest = chain::newest(&known, |held| {
        last.is_none_or(|last| chain::leads_to(held, last, &known))
    });
    if let Some(previous) = &closing.previous
        && !newest.is_some_and(|newest| chain::leads_to(newest, previous, &known))
    {
        return Err(close_first(previous.rollup.period));
    }
    stocks_follow(books, closing)?;
    Ok(newest.map(|held| held.named()))
}

/// Whether the month before carries the stocks of the last revision of each month before it. A month
/// that was closed again with other figures after a later one is in the stocks of that one only
/// when it is closed again, too; closed over the old ones, this month would lose the correction.
fn stocks_follow(books: &Books, closing: &ClosingMonth) -> Result<(), Faults> {
    let last = |month: Month| {
        let mut revisions = books.rollups().range(month.revisions());
        revisions.next_back().map(|(_, own)| own.held().clone())
    };
    let own = |held: &HeldRollup| -> Vec<_> {
        let figures = held.rollup.figures.iter();
        figures.map(|f| (f.id.clone(), f.own.clone())).collect()
    };
    let mut at = closing.previous.clone();
    while let Some(held) = at {
        let before = held.rollup.period.prev().and_then(last);
        let named = held.rollup.previous.and_then(|d| books.find_rollup(&d));
        if let (Some(before), Some(named)) = (&before, named)
            && before.digest() != named.digest()
            && own(before) != own(&named)
        {
            return Err(behind(before.rollup.period, closing.month.period));
        }
        at = before;
    }
    Ok(())
}

/// The months between a month that was made anew and the one that is to be closed.
fn behind(anew: Month, closing: Month) -> Faults {
    let months = std::iter::successors(anew.next(), |month| month.next());
    let months = months.take_while(|month| *month < closing);
    let months: Vec<String> = months.map(|month| month.to_string()).collect();
    Faults::one(
        FaultCode::CloseBehind,
        format!(
            "{anew} 重新结账后数字有变，其后的 {} 还是按原来的存量结账的；请上级撤销通过，\
             并按此顺序逐月重新结账，再结账 {closing}",
            months.join("、")
        ),
        format!(
            "{anew} was closed again with other figures, and {} still carry the stocks from before: \
             ask the parent to open them again, close them again in this order, then {closing}",
            months.join(", ")
        ),
    )
}

/// The month before was closed, but builds on what was made anew since.
fn close_first(before: Month) -> Faults {
    Faults::one(
        FaultCode::CloseOrder,
        format!("请先重新结账 {before}：其结账之后，更早的月份已重新结账"),
        format!("close {before} again first: a month before it was closed again after it"),
    )
}

fn holds_but_for_signatures(verdicts: &[Verdict]) -> Result<(), Faults> {
    // The signatories have not signed yet, so authorship cannot hold; every other check must.
    if let Some(v) = verdicts
        .iter()
        .find(|v| v.failed() && v.check != Check::Authorship)
    {
        return Err(Faults::one(
            FaultCode::CloseSelfCheck,
            failed_check_zh(v) + "。请勿上报，请联系维护人员",
            format!(
                "the node's own check {} fails: {}; nothing was published, ask the operator",
                v.check, v.detail
            ),
        ));
    }
    Ok(())
}

/// A check of the node's own report that fails, in Chinese.
pub(super) fn failed_check_zh(v: &Verdict) -> String {
    let found = v.zh().unwrap_or_default();
    let found = found.trim_end_matches('。');
    format!("自检未通过（{}）：{found}", v.check.zh())
}

/// Refuses to close a month that is too far ahead of the first one that was not handed over. That one
/// may have to be made anew (a new registry, another signatory's key), and would then stand in front
/// of months that have begun and that no report of its chain can show: every reader would refuse it,
/// and none of the later ones may be handed over before it.
fn not_too_far_ahead(books: &Books, period: Month) -> Result<(), Faults> {
    let mut waiting = books.rollups().iter();
    let first = waiting.find(|(_, own)| own.submitted().is_none());
    let Some(((first, _), _)) = first else {
        return Ok(());
    };
    let last = (1..BEGUN).try_fold(*first, |month, _| month.next());
    if last.is_none_or(|last| period <= last) {
        return Ok(());
    }
    Err(Faults::one(
        FaultCode::CloseUnsubmitted,
        format!(
            "{first} 已结账但尚未上报；未上报的月份最多 {BEGUN} 个。请先完成 {first} 的签字并上报，再结账 {period}"
        ),
        format!(
            "{first} is closed and not submitted, and at most {BEGUN} months may be: have {first} \
             signed and submit it, then close {period}"
        ),
    ))
}

/// Which revision a close would make, or why it may not.
pub(super) fn may_close(
    books: &Books,
    (period, open): (Month, Month),
    now: DateTime<Utc>,
) -> Result<u32, Faults> {
    let latest = books.rollups().range(period.revisions()).next_back();
    let Some(((_, revision), own)) = latest else {
        if period != open {
            return Err(Faults::one(
                FaultCode::CloseOrder,
                format!("请先结账 {open};月份须逐月结账"),
                format!("close {open} first: months are closed one after the other"),
            ));
        }
        if protocol::period::china_day(now) <= period.last_day() {
            return Err(Faults::one(
                FaultCode::CloseEarly,
                format!("{period} 尚未结束"),
                format!("{period} is not over yet"),
            ));
        }
        not_too_far_ahead(books, period)?;
        return Ok(1);
    };
    let returned = own
        .decision()
        .is_some_and(protocol::receipt::Decision::asks_for_revision);
    if returned && period != open {
        return Err(Faults::one(
            FaultCode::CloseOrder,
            format!("请先重新结账 {open}；须从最早的月份起逐月重新结账"),
            format!("close {open} again first: months are closed again from the earliest on"),
        ));
    }
    if returned {
        return Ok(revision + 1);
    }
    // A rollup that was never handed over is nobody else's yet: it may be made anew, for example
    // where a signatory's key was lost before all had signed. The events of the month stay as they
    // are. Not where one was handed over that has it on its chain.
    let known = books.own_rollups();
    let mut handed_over = known
        .values()
        .filter(|held| books.is_handed_over(held.key()));
    let rested_on = handed_over.any(|held| chain::leads_to(held, own.held(), &known));
    if own.submitted().is_none() && !rested_on {
        return Ok(*revision);
    }
    let decision = own.decision().map_or("not answered yet", |_| "accepted");
    Err(Faults::one(
        FaultCode::CloseSealed,
        format!("{period} 已结账;需上级退回或重新打开后才能再结"),
        format!(
            "{period} is closed and {decision}; it takes the parent's return or reopening to \
             close it again"
        ),
    ))
}

/// Closing again makes another text, for which nobody has signed. Whoever signed the earlier one
/// would not know that it is gone.
fn nobody_signed(books: &Books, key: (Month, u32)) -> Result<(), Faults> {
    let Some(own) = books.rollups().get(&key) else {
        return Ok(());
    };
    let signed = own.signed_by();
    if signed.is_empty() {
        return Ok(());
    }
    let (period, names) = (key.0, signed.join(", "));
    Err(Faults::one(
        FaultCode::CloseSigned,
        format!(
            "{period} 已结账，{names} 已经签字；重新结账会产生新的报表，已有的签字作废。\
             确需重做的，请在结账时确认作废签字，并请签字人重新签字"
        ),
        format!(
            "{period} is closed, and {names} signed it: closing again makes another report, and these \
             signatures are lost. If that is meant, say so when you close, and have it signed again"
        ),
    ))
}

/// A rollup names its signatories for good: one who holds no key could never sign it, and the month
/// would stay stuck.
fn can_sign(books: &Books, signatories: &Signatories) -> Result<(), Faults> {
    let log = books.log().ok_or_else(no_registry)?;
    let absent = [Role::Preparer, Role::Reviewer, Role::Head]
        .into_iter()
        .zip(signatories.names())
        .filter(|(role, name)| log.operator(name, *role, log.len()).is_none());
    let faults: Vec<Fault> = absent
        .map(|(role, name)| {
            Fault::new(
                FaultCode::CloseSignatory,
                format!(
                    "签字人 {name} 没有登记为{};请先登记其密钥,或修改配置中的签字人",
                    role.zh()
                ),
                format!(
                    "signatory {name} is not enrolled as {}: enrol the key first, or name another \
                     signatory in the configuration",
                    role.as_str()
                ),
            )
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Faults(faults))
    }
}

/// Column sums and blinding of the month's sealed statements, voided ones taken back.
fn sums(books: &Books, month: &UnitMonth) -> Result<(Sums, Opening), Faults> {
    let mut sums: BTreeMap<String, ExactSum> = BTreeMap::new();
    let mut blinding = protocol::commitment::integer(0);
    let mut add = |index: u64, sign: i64| -> Result<(), Faults> {
        let (statement, payload) = books.statement(index).map_err(internal)?;
        if statement.row().is_none() {
            return Ok(());
        }
        let payload = payload.ok_or_else(|| {
            Faults::one(
                FaultCode::CloseErased,
                format!("第 {index} 号事件的私有记录已删除,无法汇总"),
                format!(
                    "the private record of event {index} was erased: the month cannot be summed"
                ),
            )
        })?;
        // What is taken back may have been recorded by an earlier catalogue.
        let counting = books.counting_of(&statement);
        let schema = counting.and_then(|counting| counting.generators.schema(&statement.event));
        let schema = schema.ok_or_else(|| internal("no schema"))?;
        let row = schema.row(&payload.moves, true).map_err(internal)?;
        let sum = sums.entry(month.counting.sum_name(schema)).or_default();
        sum.add(schema.columns(), &row, sign);
        let key = books
            .period_key(statement.period)
            .ok_or_else(|| internal("no secret of the month"))?;
        let r = key.blinding(&statement.id.to_string());
        blinding += if sign > 0 { r } else { -r };
        Ok(())
    };
    let log = books.log().ok_or_else(no_registry)?;
    for index in log.of_month(month.period) {
        let (statement, _) = books.statement(index).map_err(internal)?;
        match statement.voids() {
            Some(target) => add(target.index, -1)?,
            None => add(index, 1)?,
        }
    }
    let columns = |(event, sum): (String, ExactSum)| match sum.columns() {
        Ok(columns) => Ok((event, columns)),
        Err(_) => Err(out_of_range(&event)),
    };
    let sums = sums.into_iter().map(columns).collect::<Result<Sums, _>>()?;
    let opening = Opening {
        sums: sums.clone(),
        blinding: OpenScalar(blinding),
    };
    Ok((sums, opening))
}

/// The column sums of system events that are not written yet.
fn sums_of(month: &UnitMonth, recounted: &[Recounted]) -> Result<Sums, Faults> {
    let mut sums: BTreeMap<String, ExactSum> = BTreeMap::new();
    for Recounted { event, moves } in recounted {
        let known = month.counting.catalogue.event(event);
        let schema = month.counting.generators.schema(event);
        let (known, schema) = known.zip(schema).ok_or_else(|| internal("no schema"))?;
        let row = schema.row(moves, !known.is_clear()).map_err(internal)?;
        let sum = sums.entry(month.counting.sum_name(schema)).or_default();
        sum.add(schema.columns(), &row, 1);
    }
    let columns = |(event, sum): (String, ExactSum)| match sum.columns() {
        Ok(columns) => Ok((event, columns)),
        Err(_) => Err(out_of_range(&event)),
    };
    sums.into_iter().map(columns).collect()
}

/// Adds the columns of these sums, which are each below 2^53, to those.
fn add_columns(all: &mut Sums, added: Sums) -> Result<(), Faults> {
    for (event, columns) in added {
        let sum = all.entry(event.clone()).or_default();
        sum.resize(sum.len().max(columns.len()), 0);
        for (sum, column) in sum.iter_mut().zip(columns) {
            *sum += column;
            if sum.unsigned_abs() >= 1 << 53 {
                return Err(out_of_range(&event));
            }
        }
    }
    Ok(())
}

/// A column of this type's rows is 2^53 or more in magnitude: no reader could hold the figure.
fn out_of_range(event: &str) -> Faults {
    Faults::one(
        FaultCode::FigureRange,
        format!("{event}：某一列之和的绝对值达到 2^53，不能结账；请核对录入的数值，作废有误的事件"),
        format!(
            "{event}: a column adds up to 2^53 or more in magnitude, so the month cannot be closed; \
             check the numbers that were recorded, and take back what is wrong"
        ),
    )
}

/// The figures of a rollup with the catalogue that it names.
fn counted<'a>(books: &'a Books, held: &'a HeldRollup) -> Result<CountedFigures<'a>, Faults> {
    let counting = books.counting_by(&held.rollup.catalogue);
    Ok(CountedFigures {
        figures: &held.rollup.figures,
        // What a node closed or accepted it has checked, and so has the catalogue of.
        catalogue: &counting.ok_or_else(|| internal("no catalogue"))?.catalogue,
    })
}

/// Figures that this month's catalogue cannot carry on or add.
fn not_added(error: &FigureError) -> Faults {
    let code = match error {
        FigureError::Range(_) => FaultCode::FigureRange,
        _ => FaultCode::CloseCatalogue,
    };
    Faults::one(code, error.zh(), error.to_string())
}

/// Why the figures of a child cannot be added to those of this month's catalogue, if so: it counted
/// by another one, and has a count where this one has no place.
fn addable(
    books: &Books,
    catalogue: &Catalogue,
    held: &HeldRollup,
) -> Result<Option<Fault>, Faults> {
    let theirs = counted(books, held)?;
    let unit = held.rollup.unit.as_str();
    let (zh, en) = if !succession::comparable(theirs.catalogue, catalogue) {
        (
            "其所用目录与本单位的目录互不接续".to_string(),
            "its catalogue neither follows this unit's nor is followed by it".to_string(),
        )
    } else {
        let none = figure::zeros(catalogue);
        match figure::with_children(catalogue, none, &[theirs], &BTreeMap::new()) {
            Ok(_) => return Ok(None),
            Err(error) => (error.zh(), error.to_string()),
        }
    };
    let fault = Fault::new(
        FaultCode::CloseCatalogue,
        format!("{unit} 本月按另一目录计数，不能汇总（{zh}）；请将其列为缺报并写明原因"),
        format!(
            "{unit} counted this month by another catalogue, and its figures cannot be added \
             ({en}); name it as missing, with the reason"
        ),
    );
    Ok(Some(fault.column(unit)))
}

type Family = (Vec<Figure>, Vec<ChildRef>, Vec<Missing>);

/// Adds the children that are accepted; names every other one with the reason that was given.
fn family(
    books: &Books,
    month: &UnitMonth,
    own: Vec<Figure>,
    request: &CloseRequest,
) -> Result<Family, Faults> {
    let period = month.period;
    let registry = books.registry().ok_or_else(no_registry)?.registry();
    let expected = registry.children(books.unit(), period);
    if expected.is_empty() && request.missing.is_empty() {
        return Ok((own, Vec::new(), Vec::new()));
    }
    let mut used: Vec<Arc<HeldRollup>> = Vec::new();
    let mut missing = Vec::new();
    let (reasons, mut faults) = by_unit(&expected, period, &request.missing);
    let mut absent: BTreeMap<Tier, i64> = BTreeMap::new();
    let catalogue = &month.counting.catalogue;
    for child in &expected {
        let unfit = match books.usable(&child.id, period) {
            Some(held) => match addable(books, catalogue, held)? {
                None => {
                    used.push(held.clone());
                    continue;
                }
                Some(fault) => fault,
            },
            None => unusable(books, child, period),
        };
        match reasons
            .get(child.id.as_str())
            .filter(|r| !r.trim().is_empty() && r.chars().count() <= MAX_TEXT)
        {
            Some(reason) => missing.push(Missing {
                unit: child.id.clone(),
                reason: reason.clone(),
            }),
            None => faults.push(unfit),
        }
        for u in registry.subtree(&child.id, period) {
            *absent.entry(u.tier).or_default() += 1;
        }
    }
    if !faults.is_empty() {
        return Err(Faults(faults));
    }
    let figures = used.iter().map(|held| counted(books, held));
    let figures: Vec<CountedFigures<'_>> = figures.collect::<Result<_, _>>()?;
    let sums =
        figure::with_children(catalogue, own, &figures, &absent).map_err(|e| not_added(&e))?;
    let children = used
        .iter()
        .map(|h| ChildRef {
            unit: h.rollup.unit.clone(),
            rollup: h.digest(),
            revision: h.rollup.revision,
        })
        .collect();
    Ok((sums, children, missing))
}

/// Why a child cannot be summed and no reason stands in its place.
fn unusable(books: &Books, child: &Unit, period: Month) -> Fault {
    let accepted = books.child(&child.id).and_then(|c| c.accepted(period));
    let (id, name) = (&child.id, child.placement(period).name);
    let (zh, en) = match accepted {
        Some(_) => (
            format!(
                "{id} {name} 本月报表虽已通过审核，但现已查明它或其下级的报表不成立；\
                 请重新打开它，或写明缺报原因（最多 {MAX_TEXT} 字）"
            ),
            format!(
                "the rollup of {id} {name} was accepted, but it is known now that it or one below \
                 it does not hold; open it again, or give a reason (at most {MAX_TEXT} characters)"
            ),
        ),
        None => (
            format!(
                "{id} {name} 本月报表未审核通过；请先审核，或写明缺报原因（最多 {MAX_TEXT} 字）"
            ),
            format!(
                "{id} {name} has no accepted rollup for this month; review it, or give a reason \
                 (at most {MAX_TEXT} characters)"
            ),
        ),
    };
    Fault::new(FaultCode::CloseChild, zh, en).column(id.as_str())
}

/// A rule's sentence, which may end with a full stop of its own, and what is asked for.
fn explain_if_true(zh: &str, en: &str) -> (String, String) {
    let (zh, en) = (zh.trim_end_matches('。'), en.trim_end_matches('.'));
    (
        format!("{zh}；如属实，请写明说明"),
        format!("{en}; if it is true, explain it"),
    )
}

/// Judges the catalogue's rules over this month's and last month's values.
fn explain(
    rules: &Rules,
    figures: &[Figure],
    last: Option<&[Figure]>,
    request: &CloseRequest,
) -> Result<Vec<Explanation>, Faults> {
    let mut explanations = Vec::new();
    let broken = rules.broken(figures, last).map_err(internal)?;
    let mut faults = not_asked(&broken, request);
    for rule in broken {
        let text = request
            .explanations
            .get(&rule.id)
            .filter(|t| !t.trim().is_empty() && t.chars().count() <= MAX_TEXT);
        match (rule.severity, text) {
            (Severity::Soft, Some(text)) => {
                explanations.push(Explanation {
                    rule: rule.id.clone(),
                    figure: rule.figure.clone(),
                    text: text.clone(),
                });
            }
            (severity, _) => {
                let code = if severity == Severity::Hard {
                    FaultCode::RuleHard
                } else {
                    FaultCode::RuleSoft
                };
                let (zh, en) = if severity == Severity::Hard {
                    (rule.zh.clone(), rule.en.clone())
                } else {
                    explain_if_true(&rule.zh, &rule.en)
                };
                faults.push(
                    Fault::new(
                        code,
                        format!("{} {}：{zh}", rule.id, rule.figure),
                        format!("{} {}: {en}", rule.id, rule.figure),
                    )
                    .column(&rule.id),
                );
            }
        }
    }
    if faults.is_empty() {
        Ok(explanations)
    } else {
        Err(Faults(faults))
    }
}

/// Explanations of rules that hold, or that do not exist: whoever gave them meant something else.
fn not_asked(broken: &[&Rule], request: &CloseRequest) -> Vec<Fault> {
    let asked = |id: &&String| broken.iter().any(|rule| rule.id == **id);
    let ids: Vec<&str> = broken.iter().map(|rule| rule.id.as_str()).collect();
    let (zh_ids, en_ids) = match ids.as_slice() {
        [] => ("无".to_string(), "none".to_string()),
        ids => (ids.join("、"), ids.join(", ")),
    };
    let others = request.explanations.keys().filter(|id| !asked(id));
    let fault = |id: &String| {
        let fault = Fault::new(
            FaultCode::CloseRule,
            format!("本月不需要对 {id} 作说明；需要说明的规则：{zh_ids}"),
            format!("{id} asks for no explanation this month; these do: {en_ids}"),
        );
        fault.column(id)
    };
    others.map(fault).collect()
}

/// For each coverage of persons or carriers: a digest over the pseudonyms of the denominator's
/// members, so that the list can be recomputed and compared at an inspection.
fn frozen(books: &Books, month: &UnitMonth) -> Result<BTreeMap<String, Digest>, Faults> {
    let (period, counting) = (month.period, &month.counting);
    let mut lists: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let coverages: Vec<_> = counting
        .catalogue
        .indicators
        .iter()
        .filter(|i| i.kind == Kind::Coverage && i.per.is_none())
        .collect();
    if coverages.is_empty() {
        return Ok(BTreeMap::new());
    }
    let subject_of = |id: &str| counting.catalogue.indicator(id).and_then(|i| i.subject);
    for i in &coverages {
        lists.entry(i.den.clone()).or_default();
    }
    for subject in books.view().subjects().map_err(internal)? {
        let kind = Some(subject.kind());
        let wanted: Vec<String> = lists
            .keys()
            .filter(|den| subject_of(den) == kind)
            .cloned()
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let history = books.history(subject, period).map_err(internal)?;
        for den in wanted {
            if counting
                .engine
                .member(&den, subject.kind(), history.view(), period)
                .map_err(internal)?
                .is_some()
            {
                lists
                    .entry(den)
                    .or_default()
                    .insert(hex::encode(&subject.to_bytes()));
            }
        }
    }
    let digest = |members: &BTreeSet<String>| {
        Digest::of(
            members
                .iter()
                .map(|m| format!("{m}\n"))
                .collect::<String>()
                .as_bytes(),
        )
    };
    Ok(coverages
        .iter()
        .filter_map(|i| lists.get(&i.den).map(|m| (i.id.clone(), digest(m))))
        .collect())
}

/// Checks the unit's own rollup as any reader will.
///
/// # Errors
/// A node without a registry.
pub fn self_check(
    books: &Books,
    held: &HeldRollup,
    checkpoint: &Note,
    now: DateTime<Utc>,
) -> Result<Vec<Verdict>, Faults> {
    let mut known = books.own_rollups();
    // Without the rollup in question, and without the one that it replaces where that was never
    // submitted: both have this month and revision.
    known.remove(&(held.rollup.period, held.rollup.revision));
    let child = |digest: &Digest| {
        Some(NamedRollup {
            held: books.find_rollup(digest)?,
            // What is used was accepted, and so was checked.
            standing: books.standing(digest).unwrap_or(Standing::Holds),
        })
    };
    let context = Context {
        registry: books.registry().ok_or_else(no_registry)?,
        log: books.log().ok_or_else(no_registry)?,
        known: &known,
        // A node keeps no rollup whose binding fails.
        unbound: &BTreeSet::new(),
        child: &child,
        checkpoint: Some(checkpoint),
        witnessed: None,
        received: Some(now),
        due: Some(
            books
                .reporting(held.rollup.period)
                .due(held.rollup.tier, held.rollup.period),
        ),
    };
    Ok(verify::check(held, &context))
}

/// The units below that have no accepted rollup for a month.
pub fn waiting_for(books: &Books, period: Month) -> Vec<UnitId> {
    let Some(registry) = books.registry() else {
        return Vec::new();
    };
    let children = registry.registry().children(books.unit(), period);
    children
        .into_iter()
        .filter(|c| books.usable(&c.id, period).is_none())
        .map(|c| c.id.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::explain_if_true;

    #[test]
    fn a_sentence_that_goes_on_has_one_mark_of_punctuation() {
        for (zh, en) in [("请说明原因", "say why"), ("请说明原因。", "say why.")] {
            let (zh, en) = explain_if_true(zh, en);
            assert_eq!(zh, "请说明原因；如属实，请写明说明");
            assert_eq!(en, "say why; if it is true, explain it");
        }
    }
}
