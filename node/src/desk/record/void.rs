//! Events taken back (E70) and corrected (E69): a new statement names the one that no longer counts.

use chrono::{DateTime, Utc};
use protocol::catalogue::CodeItem;
use protocol::count::{Fields, Value};
use protocol::period::china_day;
use protocol::statement::{self, Body, Ref, Statement};
use protocol::succession;

use super::Recording;
use super::draft::Recorded;
use crate::books::Books;
use crate::desk::sealing::{Content, UnsignedStatement};
use crate::exchange::Draft;
use crate::fault::{FaultCode, Faults, internal};

/// Why an event is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VoidReason {
    /// It should not be there (E70).
    Void,
    /// The next one replaces it (E69).
    Corrected,
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
    fn void(&mut self, index: u64, why: VoidReason, reason: &str) -> Result<Ref, Faults> {
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
        if let Some(payload) = payload
            && let Some(of) =
                payload.pseudonym(&self.month.counting.catalogue, &self.books.keys().vault)
        {
            let subject = self.subject(of)?;
            subject.facts.retain(|f| f.index != index);
            subject.balance.add(&payload.moves, -1);
            subject.touched = true;
        }
        Ok(taken)
    }
}

/// Takes an event back (E70).
///
/// # Errors
/// Why it cannot be.
pub fn void(
    books: &mut Books,
    operator: &str,
    index: u64,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), Faults> {
    let mut recording = Recording::begin(books, Some(operator), now)?;
    recording.void(index, VoidReason::Void, reason)?;
    let entries = recording.finish()?;
    Ok(books.commit(entries)?)
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
    let replaced = recording.void(index, VoidReason::Corrected, reason)?;
    let recorded = recording.add(draft, Some(replaced)).map_err(Faults)?;
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
