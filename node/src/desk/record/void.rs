//! Events taken back (E70) and corrected (E69): a new statement names the one that no longer counts.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use protocol::catalogue::CodeItem;
use protocol::count::{Fields, Value};
use protocol::period::{Month, china_day};
use protocol::statement::{self, Body, Ref, Statement};
use protocol::succession;
use serde::{Deserialize, Serialize};

use super::Recording;
use super::draft::Recorded;
use super::history::check_history;
use crate::books::Books;
use crate::desk::month::open_month;
use crate::desk::sealing::{Content, UnsignedStatement};
use crate::exchange::Draft;
use crate::fault::{FaultCode, Faults, internal};
use crate::pseudonym::Pseudonym;

/// Why an event is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VoidReason {
    /// It should not be there (E70).
    Void,
    /// The next one replaces it (E69).
    Corrected,
}

/// At most this many events are named that rest on one.
const MAX_NAMED: usize = 50;

/// How an event is to be taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taking {
    /// Code or label of the reason.
    pub reason: String,
    /// In the open month, although the event's own month is closed and could still be opened again.
    pub in_open_month: bool,
    /// With the events that rest on it.
    pub with_resting: bool,
}

/// An event that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voided {
    /// Log index of the event.
    pub index: u64,
    /// The month that the event counts in.
    pub of: Month,
    /// The month that its numbers come off.
    pub period: Month,
    /// The events that rested on it and were taken back as well.
    pub resting: Vec<u64>,
    /// The report that still contains it, where that is of an earlier month.
    pub reported: Option<StillReported>,
}

/// A report that contains an event that was taken back since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillReported {
    /// Month.
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// Whether it was handed in.
    pub submitted: bool,
}

/// What a recording has taken back.
pub(super) struct Taken {
    target: Ref,
    /// The month of the event.
    of: Month,
    subject: Option<Pseudonym>,
    /// The subject's events that did not fit before.
    unfit: BTreeSet<u64>,
}

impl Recording<'_> {
    /// Whether a statement may be taken back by this recording.
    fn may_take_back(&self, index: u64, target: &Statement) -> Result<(), Faults> {
        let refuse = |code: FaultCode, zh: &str, en: &str| Err(Faults::one(code, zh, en));
        if target.voids().is_some() || target.is_operator() {
            return refuse(
                FaultCode::VoidKind,
                "作废和人员登记不能再作废",
                "a void or an enrolment cannot be taken back",
            );
        }
        if self.voided.contains(&index)
            || self
                .books
                .view()
                .voided_by(index)
                .map_err(internal)?
                .is_some()
        {
            return refuse(
                FaultCode::VoidTwice,
                "该事件已经作废",
                "the event was taken back already",
            );
        }
        self.can_take_back_from(target)?;
        if target.period > self.month.period {
            let zh = format!(
                "该事件计入 {},而正在填报的是重新打开的 {};请先结账该月",
                target.period, self.month.period
            );
            let en = format!(
                "the event counts in {}, but the open month is {}, which was opened again; close \
                 that one first",
                target.period, self.month.period
            );
            return Err(Faults::one(FaultCode::VoidLater, zh, en));
        }
        Ok(())
    }

    /// Whether the month's catalogue has a place for what the target's one counted.
    fn can_take_back_from(&self, target: &Statement) -> Result<(), Faults> {
        let counting = &self.month.counting;
        let theirs = self.books.counting_of(target);
        let theirs = theirs.filter(|theirs| theirs.digest != counting.digest);
        let Some(theirs) = theirs else {
            return Ok(());
        };
        succession::follows(&theirs.catalogue, &counting.catalogue).map_err(|change| {
            Faults::one(
                FaultCode::VoidCatalogue,
                format!(
                    "该事件按较早的目录计数，本月的目录不能接续它（{}），无法作废",
                    change.zh()
                ),
                format!(
                    "the event was counted by an earlier catalogue, which this month's cannot \
                     follow ({change}), so it cannot be taken back"
                ),
            )
        })
    }

    /// The code of a reason for the event `name`, which takes another back: given as the code itself
    /// or as its label, as in a file.
    fn reason_code(&self, name: &str, reason: &str) -> Result<String, Faults> {
        let event = self
            .month
            .counting
            .catalogue
            .event(name)
            .ok_or_else(|| internal("no void event"))?;
        let reason = reason.trim();
        let Some(field) = event.field("reason") else {
            return Ok(reason.to_string());
        };
        if let Some(found) = named(&field.codes, reason) {
            return Ok(found.code.clone());
        }
        let list = |label: fn(&CodeItem) -> &str| {
            let codes = field.codes.iter();
            let each = codes.map(|c| format!("{} {}", c.code, label(c)));
            each.collect::<Vec<_>>()
        };
        Err(Faults::one(
            FaultCode::VoidReason,
            format!("原因填代码或名称：{}", list(|c| &c.zh).join("，")),
            format!(
                "the reason is one of these codes, or its name: {}",
                list(|c| &c.en).join(", ")
            ),
        ))
    }

    /// Takes a statement back.
    pub(super) fn void(
        &mut self,
        index: u64,
        why: VoidReason,
        reason: &str,
    ) -> Result<Taken, Faults> {
        let (target, payload) = self.books.statement(index).map_err(|_| no_event())?;
        self.may_take_back(index, &target)?;
        let name = if why == VoidReason::Void {
            statement::VOIDED
        } else {
            statement::CORRECTED
        };
        let reason = self.reason_code(name, reason)?;
        let id = self.id()?;
        let head = self.head(id, name);
        let taken = Ref {
            id: target.id,
            index,
        };
        let day = china_day(self.now).to_string();
        let body = Body::Void {
            target: taken.clone(),
            fields: Fields::from([
                ("reason".into(), Value::Text(reason)),
                ("occurred_on".into(), Value::Text(day)),
            ]),
        };
        self.push(UnsignedStatement {
            from: None,
            head,
            content: Content::Public(body, None),
            subject: None,
            same: None,
        });
        self.voided.insert(index);
        let mut taken = Taken {
            target: taken,
            of: target.period,
            subject: None,
            unfit: BTreeSet::new(),
        };
        if let Some(payload) = payload
            && let Some(of) =
                payload.pseudonym(&self.month.counting.catalogue, &self.books.keys().vault)
        {
            taken.subject = Some(of);
            taken.unfit = self.unfit(of)?;
            let subject = self.subject(of)?;
            subject.facts.retain(|f| f.index != index);
            subject.balance.add(&payload.moves, -1);
            subject.touched = true;
        }
        Ok(taken)
    }

    /// The events of a subject that its other events do not allow: where a registration is gone, what
    /// was recorded of a person who is not registered.
    fn unfit(&mut self, of: Pseudonym) -> Result<BTreeSet<u64>, Faults> {
        let counting = self.month.counting.clone();
        let subject = self.subject(of)?;
        let mut unfit = BTreeSet::new();
        for place in 0..subject.facts.len() {
            let fact = subject.facts.remove(place);
            let event = counting.catalogue.event(&fact.event);
            let fits = event.is_none_or(|event| {
                let found = check_history(&counting, event, subject, &fact);
                found.is_ok_and(|(faults, _)| faults.is_empty())
            });
            if !fits {
                unfit.insert(fact.index);
            }
            subject.facts.insert(place, fact);
        }
        Ok(unfit)
    }

    /// The events that fitted before a statement was taken back, and fit no more.
    pub(super) fn resting(&mut self, taken: &Taken) -> Result<BTreeSet<u64>, Faults> {
        let Some(of) = taken.subject else {
            return Ok(BTreeSet::new());
        };
        let now = self.unfit(of)?;
        Ok(now.difference(&taken.unfit).copied().collect())
    }

    /// Names the events that rest on one that is to go.
    pub(super) fn rests(&self, index: u64, resting: &BTreeSet<u64>) -> Faults {
        let named = resting.iter().take(MAX_NAMED).filter_map(|resting| {
            let (statement, _) = self.books.statement(*resting).ok()?;
            let event = self.month.counting.catalogue.event(&statement.event)?;
            Some((
                format!("第 {resting} 号 {} {}", event.code, event.zh),
                format!("{resting} {} {}", event.code, event.en),
            ))
        });
        let (zh, en): (Vec<String>, Vec<String>) = named.unzip();
        let count = resting.len();
        Faults::one(
            FaultCode::VoidResting,
            format!(
                "第 {index} 号记录之上还有 {count} 条记录：{}；请先作废这些记录，或连同它们一并作废",
                zh.join("，")
            ),
            format!(
                "{count} event(s) rest on event {index}: {}; take these back first, or all of them with it",
                en.join(", ")
            ),
        )
    }
}

/// Takes an event back (E70).
///
/// # Errors
/// Why it cannot be: among others that other events rest on it, or that it is in a report which nobody
/// has yet and which would still contain it.
pub fn void(
    books: &mut Books,
    operator: &str,
    index: u64,
    taking: &Taking,
    now: DateTime<Utc>,
) -> Result<Voided, Faults> {
    let reason = &taking.reason;
    let mut recording = Recording::begin(books, Some(operator), now)?;
    let period = recording.month.period;
    let taken = recording.void(index, VoidReason::Void, reason)?;
    if !taking.in_open_month {
        not_in_unsent_report(books, index)?;
    }
    let mut resting = recording.resting(&taken)?;
    if !resting.is_empty() && !taking.with_resting {
        return Err(recording.rests(index, &resting));
    }
    let mut also = Vec::new();
    while let Some(next) = resting.pop_last() {
        recording.void(next, VoidReason::Void, reason)?;
        also.push(next);
        resting = recording.resting(&taken)?;
    }
    let reported = still_reported(books, taken.of, period);
    let entries = recording.finish()?;
    books.commit(entries)?;
    Ok(Voided {
        index,
        of: taken.of,
        period,
        resting: also,
        reported,
    })
}

/// The report of an earlier month that contains what is taken back in this one.
fn still_reported(books: &Books, of: Month, period: Month) -> Option<StillReported> {
    let mut revisions = books.rollups().range(of.revisions());
    let (_, own) = revisions.next_back().filter(|_| of < period)?;
    Some(StillReported {
        period: of,
        revision: own.held().rollup.revision,
        submitted: own.submitted().is_some(),
    })
}

/// Whether an event is not in a report that is closed and not handed in: taken back in the open
/// month, it would be signed and sent all the same, although the close can still be undone.
///
/// # Errors
/// The month whose close is to be undone.
pub fn not_in_unsent_report(books: &Books, index: u64) -> Result<(), Faults> {
    let open = open_month(books)?;
    let (target, _) = books.statement(index).map_err(|_| no_event())?;
    let Some(report) = still_reported(books, target.period, open).filter(|r| !r.submitted) else {
        return Ok(());
    };
    let of = report.period;
    Err(Faults::one(
        FaultCode::VoidClosed,
        format!(
            "第 {index} 号记录计入 {of}，该月已结账、尚未上报，月报仍包含它：请先撤销 {of} 的结账再处理；\
             确要从 {open} 扣减的，请注明计入当前填报月"
        ),
        format!(
            "event {index} counts in {of}, which is closed and not submitted, and its report would still \
             contain it: undo the close of {of} first; or say that it is to come off {open}"
        ),
    ))
}

/// The code that a text means: the code itself, or its Chinese or English label.
fn named<'a>(codes: &'a [CodeItem], text: &str) -> Option<&'a CodeItem> {
    let mut codes = codes.iter();
    codes.find(|c| c.code == text || c.zh == text || c.en.eq_ignore_ascii_case(text))
}

/// An index that names no event of the log.
pub fn no_event() -> Faults {
    Faults::one(
        FaultCode::VoidUnknown,
        "没有这个事件",
        "there is no such event",
    )
}

/// Replaces an event by another of the same type (E69): one taken back, one recorded, both or
/// neither.
///
/// # Errors
/// Why it cannot be.
pub fn correct(
    books: &mut Books,
    operator: &str,
    index: u64,
    draft: &Draft,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Recorded, Faults> {
    let (target, _) = books.statement(index).map_err(|_| no_event())?;
    if target.event != draft.event {
        return Err(Faults::one(
            FaultCode::CorrectType,
            "更正不能改变事件类型;请作废后重录",
            "a correction keeps the event type; void and record anew",
        ));
    }
    let mut recording = Recording::begin(books, Some(operator), now)?;
    let taken = recording.void(index, VoidReason::Corrected, reason)?;
    let replaced = Some(taken.target.clone());
    let recorded = recording.add(draft, replaced).map_err(Faults)?;
    let resting = recording.resting(&taken)?;
    if !resting.is_empty() {
        return Err(recording.rests(index, &resting));
    }
    let entries = recording.finish()?;
    books.commit(entries)?;
    Ok(recorded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_code_or_its_label() {
        let typing = CodeItem {
            code: "typing".into(),
            zh: "录入错误".into(),
            en: "Typing error".into(),
        };
        let codes = [typing];
        for text in ["typing", "录入错误", "typing error"] {
            let found = named(&codes, text).map(|c| c.code.as_str());
            assert_eq!(found, Some("typing"), "{text}");
        }
        assert!(named(&codes, "录入").is_none());
    }
}
