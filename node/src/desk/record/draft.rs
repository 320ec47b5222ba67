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
use protocol::count::state::{self, State};
use protocol::count::{Fact, Moves, Value};
use protocol::ids::{CertificateNumber, EventId, IdNumber};
use protocol::period::{Month, china_day};
use protocol::statement::Ref;
use serde::{Deserialize, Serialize};

use super::Recording;
use super::history::{cannot_count, check_history};
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

/// The result of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Recorded rows; empty where the file was refused.
    pub recorded: Vec<Recorded>,
    /// Every fault.
    pub faults: Vec<Fault>,
    /// Whether anything was recorded.
    pub accepted: bool,
    /// Whether every row was recorded before, so that nothing of the file is left to be recorded:
    /// where an import was broken off, that of a file that had gone through.
    #[serde(default)]
    pub known: bool,
}

/// What tells an event from others.
struct Identity {
    /// Whom it is about.
    subject: Option<Pseudonym>,
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
        self.steps(draft, replaces).map_err(|mut faults| {
            for fault in &mut faults {
                fault.row = Some(draft.row);
            }
            faults
        })
    }

    fn steps(&mut self, draft: &Draft, replaces: Option<Ref>) -> Result<Recorded, Vec<Fault>> {
        let counting = self.month.counting.clone();
        let event = self.recordable(&counting, draft)?;
        // A day that does not fit is told together with what history says.
        let (late, mut faults) = match self.place(draft, event) {
            Ok(late) => (late, Vec::new()),
            Err(fault) => (None, vec![fault]),
        };
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
            return Err(faults);
        }
        let moves = self.contribution(event, identity.subject.zip(before.as_ref()), &fact)?;
        let (id, index) = self
            .write_draft(draft, event, moves, &identity, (replaces, late))
            .map_err(|f| f.0)?;
        self.same.insert(identity.same, draft.row);
        if let Some(subject) = identity.subject
            && let Some(history) = self.subjects.get_mut(&subject)
        {
            history.facts.push(fact);
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
                "未知事件类型",
                "unknown event type",
            )]);
        };
        let tier = self.month.unit.tier;
        if !event.levels.contains(&tier) {
            return Err(vec![Fault::new(
                FaultCode::EventTier,
                format!("{} 不由{}填报", event.zh, tier.zh()),
                format!("{} is not recorded by a {tier}", event.en),
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
                "日期早于出生日期",
                "the day is before the person's birth",
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
    fn identify(&mut self, draft: &Draft, event: &EventType) -> Result<Identity, Vec<Fault>> {
        let vault = &self.books.keys().vault;
        let subject = match (state::subject_key(event, &draft.fields), event.subject) {
            (_, Kind::Unit) | (None, _) => None,
            (Some(key), kind) => Some(Pseudonym::new(vault, kind, &key)),
        };
        let same = payload::same(vault, &draft.event, draft.on, &draft.fields);
        match self.repeated(subject, &same).map_err(|f| f.0)? {
            Some(fault) => Err(vec![fault]),
            None => Ok(Identity { subject, same }),
        }
    }

    fn repeated(
        &mut self,
        subject: Option<Pseudonym>,
        same: &ContentHash,
    ) -> Result<Option<Fault>, Faults> {
        if let Some(row) = self.same.get(same) {
            return Ok(Some(Fault::new(
                FaultCode::RowRepeated,
                format!("与第 {row} 行完全相同"),
                format!("says the same as row {row}"),
            )));
        }
        let found = match subject {
            Some(subject) => self.subject(subject)?.said.get(same).copied(),
            None => self.books.view().repeated(same).map_err(internal)?,
        };
        Ok(found
            .filter(|index| !self.voided.contains(index))
            .map(|index| {
                Fault::new(
                    FaultCode::EventRepeated,
                    format!("与已记录的第 {index} 号事件完全相同;若确为两次,请在字段中区分"),
                    format!(
                        "says the same as event {index} in the log; if it happened twice, tell \
                     them apart by a field"
                    ),
                )
            }))
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
            subject: None,
        };
        let from = Some((draft.row, identity.same));
        self.write(event, payload, replaces, late, identity.subject, from)
    }
}

/// What is wrong with a day by itself: in the future, or after the open month.
fn day_fault(open: Month, on: NaiveDate, now: DateTime<Utc>) -> Option<Fault> {
    let fault = |code, zh: String, en: String| Some(Fault::new(code, zh, en).column("occurred_on"));
    if on > china_day(now) {
        return fault(
            FaultCode::DateFuture,
            "日期在将来".into(),
            "the day is in the future".into(),
        );
    }
    if on > open.last_day() {
        let zh = format!("日期在正在填报的月份 {open} 之后;请先结账该月");
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

/// Whether these faults say of each of so many drafts that the very same was recorded before.
fn all_known(drafts: usize, faults: &[Fault]) -> bool {
    let repeated = |f: &Fault| f.code == FaultCode::EventRepeated;
    // Whoever is a repetition has this one fault.
    drafts > 0 && faults.len() == drafts && faults.iter().all(repeated)
}

fn birth_of(text: &str) -> Option<NaiveDate> {
    let id = text.parse::<IdNumber>().ok();
    id.map(|i| i.birth()).or_else(|| {
        text.parse::<CertificateNumber>()
            .ok()
            .map(|c| c.id().birth())
    })
}

/// Records drafts. All or nothing, unless `valid_rows` takes the good ones.
///
/// # Errors
/// What prevents recording altogether; faults of rows are in the result.
pub fn record(
    books: &mut Books,
    operator: &str,
    drafts: &[Draft],
    mut faults: Vec<Fault>,
    valid_rows: bool,
    now: DateTime<Utc>,
) -> Result<Imported, Faults> {
    let mut recording = Recording::begin(books, Some(operator), now)?;
    let mut recorded = Vec::new();
    for draft in drafts {
        match recording.add(draft, None) {
            Ok(r) => recorded.push(r),
            Err(more) => faults.extend(more),
        }
    }
    faults.sort_by_key(|f| f.row);
    if recorded.is_empty() || (!faults.is_empty() && !valid_rows) {
        return Ok(Imported {
            recorded: Vec::new(),
            accepted: faults.is_empty(),
            known: all_known(drafts.len(), &faults),
            faults,
        });
    }
    let entries = recording.finish()?;
    books.commit(entries)?;
    Ok(Imported {
        recorded,
        faults,
        accepted: true,
        known: false,
    })
}

/// Finds everything that is wrong with drafts and records nothing.
///
/// # Errors
/// What prevents recording altogether.
pub fn dry_run(
    books: &Books,
    operator: &str,
    drafts: &[Draft],
    mut faults: Vec<Fault>,
    now: DateTime<Utc>,
) -> Result<Imported, Faults> {
    let mut recording = Recording::dry(books, operator, now)?;
    faults.extend(
        drafts
            .iter()
            .filter_map(|d| recording.add(d, None).err())
            .flatten(),
    );
    faults.sort_by_key(|f| f.row);
    Ok(Imported {
        recorded: Vec::new(),
        accepted: faults.is_empty(),
        known: all_known(drafts.len(), &faults),
        faults,
    })
}
