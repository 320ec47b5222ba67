//! Drafts into statements, all or nothing. For each draft in order:
//!
//! 1. Place: may this tier record it, and to which month does its day belong.
//! 2. Identify: whom it is about, and what it says; a repetition ends here.
//! 3. Against history: does it fit what is recorded of its subject.
//! 4. Contribution: what it adds to which figure.
//! 5. Write: commitment, record, signature and seal follow on the other cores.

use chrono::{DateTime, NaiveDate, Utc};
use protocol::catalogue::{EventType, Subject as Kind};
use protocol::compiled::CompiledCatalogue;
use protocol::count::state::State;
use protocol::count::{Fact, Moves, Value};
use protocol::ids::{CertificateNumber, EventId, IdNumber, Tier};
use protocol::period::{Month, china_day};
use protocol::statement::Ref;
use serde::{Deserialize, Serialize};

use super::history::{cannot_count, check_history};
use super::{Recording, plausible};
use crate::books::Books;
use crate::books::payload::{self, Payload, SubjectHistory};
use crate::desk::month::open_month;
use crate::exchange::Draft;
use crate::fault::{Fault, FaultCode, Faults, internal};
use crate::pseudonym::Pseudonym;
use crate::view::ContentHash;

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Row of the file.
    pub row: u64,
    /// Event id.
    pub id: String,
    /// Log index.
    pub index: u64,
    /// Month that it counts in.
    pub period: Month,
    /// The sealed month that it belongs to.
    pub late: Option<Month>,
}

/// Why a draft was not recorded.
#[derive(Debug)]
pub(super) enum Unrecorded {
    /// The very same was recorded before, under this index.
    Before(u64),
    /// Everything that is wrong with it.
    Wrong(Vec<Fault>),
}

impl From<Vec<Fault>> for Unrecorded {
    fn from(faults: Vec<Fault>) -> Unrecorded {
        Unrecorded::Wrong(faults)
    }
}

/// What tells an event from others.
struct Identity {
    /// Whom it is about.
    subject: Option<Pseudonym>,
    /// The number under which its file was opened, where the event names another one.
    opened_as: Option<String>,
    /// Keyed hash of what it says.
    same: ContentHash,
}

impl Recording<'_> {
    /// Records one draft; `replaces` names the statement that it corrects. Each fault names the
    /// draft's row.
    pub(super) fn add(
        &mut self,
        draft: &Draft,
        replaces: Option<Ref>,
    ) -> Result<Recorded, Vec<Fault>> {
        self.try_add(draft, replaces).map_err(|why| match why {
            Unrecorded::Wrong(faults) => faults,
            Unrecorded::Before(index) => vec![repeated(index).row(draft.row)],
        })
    }

    /// The same, which tells a repetition from what is wrong.
    pub(super) fn try_add(
        &mut self,
        draft: &Draft,
        replaces: Option<Ref>,
    ) -> Result<Recorded, Unrecorded> {
        self.steps(draft, replaces).map_err(|mut why| {
            if let Unrecorded::Wrong(faults) = &mut why {
                for fault in faults {
                    fault.row = Some(draft.row);
                }
            }
            why
        })
    }

    fn steps(&mut self, draft: &Draft, replaces: Option<Ref>) -> Result<Recorded, Unrecorded> {
        let counting = self.month.counting.clone();
        let event = self.recordable(&counting, draft)?;
        // A day that does not fit is told together with what history says.
        let (late, mut faults) = match self.place(draft, event) {
            Ok(late) => (late, Vec::new()),
            Err(fault) => (None, vec![fault]),
        };
        faults.extend(plausible::contradictions(event, &draft.fields));
        faults.extend(self.confirmation(event, &draft.fields));
        let identity = self.identify(draft, event)?;
        let fact = Fact {
            index: self.next,
            event: draft.event.clone(),
            on: draft.on,
            fields: draft.fields.clone(),
        };
        let before = match identity.subject {
            Some(subject) => {
                let history = self.subject(subject).map_err(|f| f.0)?;
                let (against, before) = check_history(&counting, event, history, &fact)?;
                faults.extend(against);
                Some(before)
            }
            None => None,
        };
        if !faults.is_empty() {
            // Whether it could be counted is not asked: history is the cause.
            return Err(faults.into());
        }
        let doubts = plausible::doubts(&counting, event, before.as_ref(), &fact);
        let moves = self.contribution(event, identity.subject.zip(before.as_ref()), &fact)?;
        let (id, index) = self
            .write_draft(draft, event, moves, &identity, (replaces, late))
            .map_err(|f| f.0)?;
        self.same.insert(identity.same, draft.row);
        let late_entry = late.map(|month| plausible::late(month, self.month.period));
        let doubts = doubts.into_iter().chain(late_entry);
        self.doubts.extend(doubts.map(|doubt| doubt.row(draft.row)));
        if let Some(subject) = identity.subject {
            self.remember_number(event, &draft.fields, subject);
            if let Some(history) = self.subjects.get_mut(&subject) {
                history.facts.push(fact);
            }
        }
        Ok(Recorded {
            row: draft.row,
            id: id.to_string(),
            index,
            period: self.month.period,
            late,
        })
    }

    /// The type of a draft, if the catalogue has it and this unit's tier records it.
    fn recordable<'c>(
        &self,
        counting: &'c CompiledCatalogue,
        draft: &Draft,
    ) -> Result<&'c EventType, Vec<Fault>> {
        let Some(event) = counting.catalogue.event(&draft.event) else {
            return Err(vec![Fault::new(
                FaultCode::FileType,
                "指标目录中没有这一业务类型。请核对类型代码。",
                "the catalogue has no such event type: see its code",
            )]);
        };
        let tier = self.month.unit.tier;
        if !event.levels.contains(&tier) {
            return Err(vec![Fault::new(
                FaultCode::EventTier,
                format!(
                    "“{}”由{}单位录入，本单位（{}）不能录入。",
                    event.zh,
                    tiers(event, Tier::zh, "、"),
                    tier.zh()
                ),
                format!(
                    "{} is recorded by: {}, and not by a {tier}",
                    event.en,
                    tiers(event, Tier::as_str, ", ")
                ),
            )]);
        }
        Ok(event)
    }

    /// Where a day belongs: to a closed month, which is given (late), or else into the open month
    /// or before the first one (opening).
    fn place(&self, draft: &Draft, event: &EventType) -> Result<Option<Month>, Fault> {
        if let Some(fault) = day_fault(self.month.period, draft.on, self.now) {
            return Err(fault);
        }
        let person = (event.subject == Kind::Person)
            .then(|| draft.fields.get(&event.key))
            .flatten();
        let birth = person.and_then(Value::as_str).and_then(birth_of);
        if birth.is_some_and(|b| draft.on < b) {
            let fault = Fault::new(
                FaultCode::DateBeforeBirth,
                "发生日期早于本人出生日期。请核对日期和证件号码。",
                "the day is before the person's birth: see the day and the number",
            );
            return Err(fault.column("occurred_on"));
        }
        let first = self.month.unit.since.first_day();
        if draft.on < first || draft.on >= self.month.period.first_day() {
            return Ok(None);
        }
        Ok(Month::of(draft.on))
    }

    /// Whom an event is about and what it says, if that was not recorded before. A repetition is
    /// the cause; what history says against it would only hide that.
    fn identify(&mut self, draft: &Draft, event: &EventType) -> Result<Identity, Unrecorded> {
        let file = self.file_of(draft, event)?;
        let subject = file.as_ref().map(|file| file.subject);
        let opened_as = file.and_then(|file| file.opened_as);
        let vault = &self.books.keys().vault;
        let same = payload::same(vault, &draft.event, draft.on, &draft.fields);
        if let Some(row) = self.same.get(&same) {
            return Err(Unrecorded::Wrong(vec![Fault::new(
                FaultCode::RowRepeated,
                format!(
                    "与第 {row} 行内容完全相同。重复的，请删除一行；确为两次的，请用编号或日期区分。"
                ),
                format!(
                    "says the same as row {row}: remove one; if it happened twice, tell them apart \
                     by a number or a day"
                ),
            )]));
        }
        match self.recorded_before(subject, &same).map_err(|f| f.0)? {
            Some(index) => Err(Unrecorded::Before(index)),
            None => Ok(Identity {
                subject,
                opened_as,
                same,
            }),
        }
    }

    /// The index of the statement that says the very same and counts.
    fn recorded_before(
        &mut self,
        subject: Option<Pseudonym>,
        same: &ContentHash,
    ) -> Result<Option<u64>, Faults> {
        let found = match subject {
            Some(subject) => self.subject(subject)?.said.get(same).copied(),
            None => self.books.view().repeated(same).map_err(internal)?,
        };
        Ok(found.filter(|index| !self.voided.contains(index)))
    }

    /// What an event adds to the figures, after its subject's history and the state that it finds.
    fn contribution(
        &mut self,
        event: &EventType,
        subject: Option<(Pseudonym, &State)>,
        fact: &Fact,
    ) -> Result<Moves, Vec<Fault>> {
        let counting = self.month.counting.clone();
        let (period, first_day) = (self.month.period, self.month.unit.since.first_day());
        let engine = &counting.engine;
        let moves = match subject {
            Some((subject, before)) => {
                let history = self.subject(subject).map_err(|f| f.0)?.view();
                engine.contribute_after(event, history, fact, before, period, first_day)
            }
            None => {
                let nobody = SubjectHistory::default();
                engine.contribute(event, nobody.view(), fact, period, first_day)
            }
        };
        moves.map_err(|e| vec![cannot_count(&e)])
    }

    fn write_draft(
        &mut self,
        draft: &Draft,
        event: &EventType,
        moves: Moves,
        identity: &Identity,
        (replaces, late): (Option<Ref>, Option<Month>),
    ) -> Result<(EventId, u64), Faults> {
        let payload = Payload {
            event: draft.event.clone(),
            on: draft.on,
            record: None,
            fields: draft.fields.clone(),
            moves,
            subject: identity.opened_as.clone(),
        };
        let from = Some((draft.row, identity.same));
        self.write(event, payload, replaces, late, identity.subject, from)
    }
}

/// A repetition of what is in the log.
fn repeated(index: u64) -> Fault {
    Fault::new(
        FaultCode::EventRepeated,
        format!(
            "与已录入的第 {index} 号记录内容完全相同，没有重复录入。确为两次的，请用编号或日期区分。"
        ),
        format!(
            "says the same as event {index} in the log, and was not recorded again; if it happened \
             twice, tell them apart by a number or a day"
        ),
    )
}

/// The tiers that record a type, by name.
fn tiers(event: &EventType, name: fn(Tier) -> &'static str, mark: &str) -> String {
    let names: Vec<&str> = event.levels.iter().map(|tier| name(*tier)).collect();
    names.join(mark)
}

/// What is wrong with a day by itself: in the future, or after the open month.
fn day_fault(open: Month, on: NaiveDate, now: DateTime<Utc>) -> Option<Fault> {
    let fault = |code, zh: String, en: String| Some(Fault::new(code, zh, en).column("occurred_on"));
    if on > china_day(now) {
        return fault(
            FaultCode::DateFuture,
            "发生日期晚于今天，请核对。".into(),
            "the day is in the future: see the day".into(),
        );
    }
    if on > open.last_day() {
        let zh = format!("发生日期晚于当前填报月（{open}）。请先结账 {open}，再录入本条。");
        return fault(
            FaultCode::DateAfterPeriod,
            zh,
            format!("the day is after the open month {open}; close that month first"),
        );
    }
    None
}

/// Faults of the days of rows that are broken otherwise, so that one reading shows everything.
///
/// # Errors
/// A node without a registry.
pub fn day_faults(
    books: &Books,
    broken: &[(u64, NaiveDate)],
    now: DateTime<Utc>,
) -> Result<Vec<Fault>, Faults> {
    let open = open_month(books)?;
    Ok(broken
        .iter()
        .filter_map(|(row, on)| day_fault(open, *on, now).map(|f| f.row(*row)))
        .collect())
}

fn birth_of(text: &str) -> Option<NaiveDate> {
    let id = IdNumber::as_it_stands(text).ok();
    id.map(|i| i.birth()).or_else(|| {
        CertificateNumber::as_it_stands(text)
            .ok()
            .map(|c| c.id().birth())
    })
}
