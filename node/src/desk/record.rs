//! Drafts into statements: check against history, count, commit, sign, seal; all or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use protocol::catalogue::{EventType, Subject as Kind};
use protocol::commitment::PeriodKey;
use protocol::compiled::CompiledCatalogue;
use protocol::count::state::State;
use protocol::count::{Fact, Fields, Moves, Value, state};
use protocol::ids::EventId;
use protocol::period::Month;
use protocol::person::Role;
use protocol::registry::Unit;
use protocol::statement::{self, Ref, Statement};
use protocol::verify::log::MAX_HISTORY;
use serde::{Deserialize, Serialize};

use super::month::open_month;
use super::pool::{RandomPool, random};
use super::sealing::{Counted, Press, ToCommit};
use crate::books::payload::{self, Payload, Subject};
use crate::books::{Books, EntryKind, NewEntry};
use crate::clock::stamp;
use crate::exchange::Draft;
use crate::fault::{Fault, FaultCode, Faults, internal};
use crate::journal::Entry;
use crate::view::{Same, Token};
use protocol::period::china_day;

/// Most events about one subject: half of what those who check its log would read, so that recounts
/// find room.
const MAX_FACTS: usize = MAX_HISTORY / 2;

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

/// Why an event is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It should not be there (E70).
    Void,
    /// The next one replaces it (E69).
    Corrected,
}

/// A recording in progress: events are counted one after the other, as each depends on those
/// before; the [`super::press`] commits to them, signs and seals on the other cores meanwhile; then
/// all are written at once.
pub(crate) struct Recording<'a> {
    books: &'a Books,
    me: Unit,
    counting: Arc<CompiledCatalogue>,
    period: Month,
    /// Which days are past and which are still to come.
    now: DateTime<Utc>,
    /// The time that is written on the statements: milliseconds for their ids, and as text.
    recorded: (u64, String),
    next: u64,
    drawn: RandomPool,
    subjects: BTreeMap<Token, Subject>,
    same: BTreeMap<Same, u64>,
    voided: BTreeSet<u64>,
    /// The entry of the month's secret, if this recording makes it.
    new_secret: Option<NewEntry>,
    /// Nothing where nothing will be written.
    press: Option<Press>,
}

impl<'a> Recording<'a> {
    /// Begins a recording by an operator (`<unit>/<name>`), or by the node itself.
    pub(crate) fn begin(
        books: &'a Books,
        operator: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Recording<'a>, Faults> {
        let period = open_month(books)?;
        let me = books.me().cloned().ok_or_else(super::month::no_registry)?;
        let log = books.log().ok_or_else(super::month::no_registry)?;
        let counting = super::month::counting_of(books, period)?;
        if let Some(name) = operator {
            let enrolled = log.operator(name, Role::Recorder, log.len());
            let held = books
                .keys()
                .recorders
                .get(name)
                .is_some_and(|k| enrolled.as_ref() == Some(&k.vkey()));
            if !held {
                return Err(Faults::one(
                    FaultCode::OperatorUnknown,
                    format!("{name} 没有登记为录入人,或节点没有其密钥"),
                    format!(
                        "{name} is not enrolled as recorder, or the node does not hold its key"
                    ),
                ));
            }
        }
        let (secret, new_secret) = match books.period_key(period) {
            Some(key) => (key.clone(), None),
            None => {
                let public = period.to_string().into_bytes();
                let secret = PeriodKey::new(random(books)?);
                let sealed = books.keys().vault.seal(
                    random(books)?,
                    &payload::aad(EntryKind::PeriodKey.number(), &public),
                    secret.as_bytes(),
                );
                let entry = Entry {
                    kind: EntryKind::PeriodKey.number(),
                    public,
                    sealed: Some(sealed),
                };
                (
                    secret,
                    Some(NewEntry {
                        entry,
                        written: None,
                    }),
                )
            }
        };
        let press = Press::new(books.keys().clone(), operator, counting.clone(), secret);
        let recorded = books.not_before_last(now);
        Ok(Recording {
            books,
            me,
            counting,
            period,
            now,
            recorded: (
                u64::try_from(recorded.timestamp_millis()).unwrap_or(0),
                stamp(recorded),
            ),
            next: log.len(),
            drawn: RandomPool::new(books.random().clone()),
            subjects: BTreeMap::new(),
            same: BTreeMap::new(),
            voided: BTreeSet::new(),
            new_secret,
            press: Some(press),
        })
    }

    /// The same, for finding faults only.
    fn dry(books: &'a Books, operator: &str, now: DateTime<Utc>) -> Result<Recording<'a>, Faults> {
        Ok(Recording {
            press: None,
            ..Recording::begin(books, Some(operator), now)?
        })
    }

    /// Everything that is to be written.
    pub(crate) fn finish(mut self) -> Result<Vec<NewEntry>, Faults> {
        // Taking thousands of histories apart takes a while; the press works meanwhile.
        self.subjects.clear();
        let mut entries: Vec<NewEntry> = self.new_secret.into_iter().collect();
        if let Some(press) = self.press {
            entries.extend(press.finish()?);
        }
        Ok(entries)
    }

    fn subject(&mut self, token: Token) -> Result<&mut Subject, Faults> {
        if !self.subjects.contains_key(&token) {
            let history = self.books.history(&token, self.period).map_err(internal)?;
            self.subjects.insert(token, history);
        }
        self.subjects
            .get_mut(&token)
            .ok_or_else(|| internal("history"))
    }

    /// Records one draft; `replaces` names the statement that it corrects.
    fn add(&mut self, draft: &Draft, replaces: Option<Ref>) -> Result<Recorded, Vec<Fault>> {
        let counting = self.counting.clone();
        let here = |fault: Fault| vec![fault.row(draft.row)];
        let event = counting.catalogue.event(&draft.event).ok_or_else(|| {
            here(Fault::new(
                FaultCode::FileType,
                "未知事件类型",
                "unknown event type",
            ))
        })?;
        if !event.levels.contains(&self.me.tier) {
            return Err(here(Fault::new(
                FaultCode::EventTier,
                format!("{} 不由{}填报", event.zh, self.me.tier.zh()),
                format!("{} is not recorded by a {}", event.en, self.me.tier),
            )));
        }
        let (late, faults) = self.day(draft, event);
        let key = state::subject_key(event, &draft.fields);
        let token = match (&key, event.subject) {
            (_, Kind::Unit) | (None, _) => None,
            (Some(key), kind) => Some(payload::token(&self.books.keys().vault, kind, key)),
        };
        let same = payload::same(
            &self.books.keys().vault,
            &draft.event,
            draft.on,
            &draft.fields,
        );
        if let Some(fault) = self.repeated(token, &same).map_err(|f| f.0)? {
            // The repetition is the cause; what history says against it would only hide that.
            return Err(here(fault));
        }
        let fact = Fact {
            index: self.next,
            event: draft.event.clone(),
            on: draft.on,
            fields: draft.fields.clone(),
        };
        let moves = self.contribution(draft, event, token, &fact, faults)?;
        let payload = Payload {
            event: draft.event.clone(),
            on: draft.on,
            record: None,
            fields: draft.fields.clone(),
            moves,
            subject: None,
        };
        let (id, index) = self
            .write(
                event,
                payload,
                replaces,
                late,
                token,
                Some((draft.row, same)),
            )
            .map_err(|f| f.0)?;
        self.same.insert(same, draft.row);
        if let Some(token) = token
            && let Some(subject) = self.subjects.get_mut(&token)
        {
            subject.facts.push(fact);
        }
        Ok(Recorded {
            row: draft.row,
            id: id.to_string(),
            index,
            period: self.period,
            late,
        })
    }

    /// What an event counts as after its subject's history. `faults` is what is wrong with it
    /// already: everything is told at once.
    fn contribution(
        &mut self,
        draft: &Draft,
        event: &EventType,
        token: Option<Token>,
        fact: &Fact,
        mut faults: Vec<Fault>,
    ) -> Result<Moves, Vec<Fault>> {
        let counting = self.counting.clone();
        let (period, first_day) = (self.period, self.me.since.first_day());
        let engine = &counting.engine;
        let moves = match token {
            Some(token) => {
                let subject = self.subject(token).map_err(|f| f.0)?;
                if subject.facts.len() >= MAX_FACTS {
                    return Err(vec![too_many_facts().row(draft.row)]);
                }
                let (against, before) = subject_faults(&counting, event, subject, fact)?;
                faults.extend(against);
                engine.contribute_after(event, subject.view(), fact, &before, period, first_day)
            }
            None => {
                let nobody = Subject::default();
                engine.contribute(event, nobody.view(), fact, period, first_day)
            }
        };
        match moves {
            Ok(moves) if faults.is_empty() => return Ok(moves),
            // What history says against it is the cause.
            Ok(_) => {}
            Err(_) if !faults.is_empty() => {}
            Err(e) => faults.push(Fault::new(
                FaultCode::of_protocol(e.code()),
                format!("无法计数:{e}"),
                e.to_string(),
            )),
        }
        Err(faults.into_iter().map(|f| f.row(draft.row)).collect())
    }

    /// Where a day belongs: into the open month, to a sealed one (late), before the first one
    /// (opening), or nowhere.
    fn day(&self, draft: &Draft, event: &EventType) -> (Option<Month>, Vec<Fault>) {
        if let Some(fault) = day_fault(self.period, draft.on, self.now) {
            return (None, vec![fault]);
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
            return (None, vec![fault.column("occurred_on")]);
        }
        if draft.on < self.me.since.first_day() || draft.on >= self.period.first_day() {
            return (None, Vec::new());
        }
        (Month::of(draft.on), Vec::new())
    }

    fn repeated(&mut self, token: Option<Token>, same: &Same) -> Result<Option<Fault>, Faults> {
        if let Some(row) = self.same.get(same) {
            return Ok(Some(Fault::new(
                FaultCode::RowRepeated,
                format!("与第 {row} 行完全相同"),
                format!("says the same as row {row}"),
            )));
        }
        let found = match token {
            Some(token) => self.subject(token)?.said.get(same).copied(),
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

    /// Writes a statement of a counted event; `draft` has the row that it came from and the keyed
    /// hash of what it says.
    fn write(
        &mut self,
        event: &EventType,
        mut payload: Payload,
        replaces: Option<Ref>,
        late: Option<Month>,
        token: Option<Token>,
        draft: Option<(u64, Same)>,
    ) -> Result<(EventId, u64), Faults> {
        let counting = self.counting.clone();
        let schema = counting
            .generators
            .schema(&event.name)
            .ok_or_else(|| internal("no schema"))?;
        let row = schema
            .row(&payload.moves, !event.is_clear())
            .map_err(|e| Faults::one(FaultCode::Row, format!("无法编成行:{e}"), e.to_string()))?;
        if let Some(token) = token
            && let Some(subject) = self.subjects.get_mut(&token)
        {
            subject.balance.add(&payload.moves, 1);
        }
        let id = self.id()?;
        let mut s = self.blank(id, &event.name);
        s.replaces = replaces;
        s.late = late;
        if event.is_clear() {
            let mut clear = payload.fields.clone();
            clear.insert("occurred_on".into(), Value::Text(payload.on.to_string()));
            s.counts = Some(schema.named(&row));
            payload.fields.clone_from(&clear);
            s.clear = Some(clear);
        }
        let (from, same) = draft.unzip();
        // RandomPool here and not by the threads of the press: so that the order is always the same.
        let nonce = self.drawn.next()?;
        let sealed = if event.is_clear() || self.press.is_none() {
            None
        } else {
            // The event's fields, its day, and the subject of a system event.
            let fields = payload.fields.len() + 1 + usize::from(payload.subject.is_some());
            Some(ToCommit {
                row,
                salts: (0..fields)
                    .map(|_| self.drawn.next())
                    .collect::<Result<_, _>>()?,
            })
        };
        let private = Some((payload, nonce));
        Ok((
            id,
            self.push(Counted {
                from,
                statement: s,
                private,
                sealed,
                subject: token,
                same,
            }),
        ))
    }

    /// Adds a statement; gives its log index.
    fn push(&mut self, counted: Counted) -> u64 {
        if let Some(press) = &mut self.press {
            press.take(counted);
        }
        self.next += 1;
        self.next - 1
    }

    fn id(&mut self) -> Result<EventId, Faults> {
        Ok(EventId::from_parts(self.recorded.0, self.drawn.next()?))
    }

    fn blank(&self, id: EventId, event: &str) -> Statement {
        Statement {
            id,
            event: event.to_string(),
            unit: self.me.id.clone(),
            period: self.period,
            recorded: self.recorded.1.clone(),
            catalogue: self.counting.digest,
            clear: None,
            counts: None,
            row: None,
            record: None,
            voids: None,
            replaces: None,
            late: None,
        }
    }

    /// Whether a statement may be taken back by this recording.
    fn may_take_back(&self, index: u64, target: &Statement) -> Result<(), Faults> {
        let refuse = |code: FaultCode, zh: &str, en: &str| Err(Faults::one(code, zh, en));
        if target.voids.is_some() || target.is_operator() {
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
        if target.period > self.period {
            let zh = format!(
                "该事件计入 {},而正在填报的是重新打开的 {};请先结账该月",
                target.period, self.period
            );
            let en = format!(
                "the event counts in {}, but the open month is {}, which was opened again; close \
                 that one first",
                target.period, self.period
            );
            return Err(Faults::one(FaultCode::VoidLater, zh, en));
        }
        Ok(())
    }

    /// Whether the catalogue has this reason for the event `name`, which takes another back.
    fn knows_reason(&self, name: &str, reason: &str) -> Result<(), Faults> {
        let event = self
            .counting
            .catalogue
            .event(name)
            .ok_or_else(|| internal("no void event"))?;
        if let Some(field) = event.field("reason")
            && !field.codes.iter().any(|c| c.code == reason)
        {
            let codes: Vec<String> = field
                .codes
                .iter()
                .map(|c| format!("{} {}", c.code, c.zh))
                .collect();
            return Err(Faults::one(
                FaultCode::VoidReason,
                format!("原因可填:{}", codes.join(",")),
                format!("the reason is one of {}", codes.join(", ")),
            ));
        }
        Ok(())
    }

    /// Takes a statement back.
    pub(crate) fn void(&mut self, index: u64, how: Taken, reason: &str) -> Result<Ref, Faults> {
        let (target, payload) = self.books.statement(index).map_err(|_| no_event())?;
        self.may_take_back(index, &target)?;
        let name = if how == Taken::Void {
            statement::VOIDED
        } else {
            statement::CORRECTED
        };
        self.knows_reason(name, reason)?;
        let id = self.id()?;
        let mut s = self.blank(id, name);
        let taken = Ref {
            id: target.id,
            index,
        };
        s.voids = Some(taken.clone());
        let day = china_day(self.now).to_string();
        s.clear = Some(Fields::from([
            ("reason".into(), Value::Text(reason.into())),
            ("occurred_on".into(), Value::Text(day)),
        ]));
        self.push(Counted {
            from: None,
            statement: s,
            private: None,
            sealed: None,
            subject: None,
            same: None,
        });
        self.voided.insert(index);
        if let Some(payload) = payload
            && let Some(token) = payload.token(&self.counting.catalogue, &self.books.keys().vault)
        {
            let subject = self.subject(token)?;
            subject.facts.retain(|f| f.index != index);
            subject.balance.add(&payload.moves, -1);
            subject.touched = true;
        }
        Ok(taken)
    }

    /// Brings one subject's stocks and distinct counts home; as many system events as it takes.
    pub(crate) fn recount(&mut self, token: Token, kind: Kind) -> Result<usize, Faults> {
        let counting = self.counting.clone();
        let Some(event) = counting.catalogue.recount(kind) else {
            return Ok(0);
        };
        let (period, first_day) = (self.period, self.me.since.first_day());
        let mut written = 0;
        loop {
            let subject = self.subject(token)?;
            let moves = counting
                .engine
                .recount(event, subject.view(), period, first_day, subject.touched)
                .map_err(internal)?;
            let Some(key) = subject.key.clone().filter(|_| !moves.is_empty()) else {
                return Ok(written);
            };
            let fields = if event.key.is_empty() {
                Fields::new()
            } else {
                Fields::from([(event.key.clone(), Value::Text(key.clone()))])
            };
            let payload = Payload {
                event: event.name.clone(),
                on: period.last_day(),
                record: None,
                fields,
                moves,
                subject: Some(key),
            };
            self.write(event, payload, None, None, Some(token), None)?;
            written += 1;
            if written > 64 {
                return Err(internal("a recount does not settle"));
            }
        }
    }

    /// A statement about the log itself.
    pub(crate) fn operator(&mut self, enrol: bool, fields: Fields) -> Result<u64, Faults> {
        let id = self.id()?;
        let mut s = self.blank(
            id,
            if enrol {
                statement::OPERATOR_ENROLLED
            } else {
                statement::OPERATOR_REVOKED
            },
        );
        s.clear = Some(fields);
        s.counts = Some(BTreeMap::new());
        Ok(self.push(Counted {
            from: None,
            statement: s,
            private: None,
            sealed: None,
            subject: None,
            same: None,
        }))
    }
}

fn too_many_facts() -> Fault {
    Fault::new(
        FaultCode::EventHistory,
        format!("同一对象的事件已达 {MAX_FACTS} 件,不能再录;请核对是否误用了同一证号或编号"),
        format!(
            "there are {MAX_FACTS} events about this subject already; see whether its number was \
             used for others by mistake"
        ),
    )
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

fn birth_of(text: &str) -> Option<NaiveDate> {
    let id = text.parse::<protocol::ids::IdNumber>().ok();
    id.map(|i| i.birth()).or_else(|| {
        text.parse::<protocol::ids::CertificateNumber>()
            .ok()
            .map(|c| c.id().birth())
    })
}

/// What a subject's history says against an event, and the state that it finds.
fn subject_faults(
    counting: &CompiledCatalogue,
    event: &EventType,
    subject: &Subject,
    fact: &Fact,
) -> Result<(Vec<Fault>, State), Vec<Fault>> {
    let failed = |e: protocol::count::CountError| {
        vec![Fault::new(
            FaultCode::of_protocol(e.code()),
            format!("无法计数:{e}"),
            e.to_string(),
        )]
    };
    let before = counting
        .engine
        .state_before(event.subject, subject.view(), fact)
        .map_err(failed)?;
    let effect = &event.effect;
    let mut faults = Vec::new();
    let column = event.key.as_str();
    if effect.begin && before.active {
        let (zh, en) = (
            "已经登记,不能重复登记;如有变化请用变更事件",
            "is registered already; use a change event",
        );
        faults.push(Fault::new(FaultCode::SubjectRegistered, zh, en).column(column));
    }
    if !effect.begin && !before.active {
        let (zh, en) = (
            "在这一天没有登记(未建档或已终止);请先登记",
            "is not registered on that day; register first",
        );
        faults.push(Fault::new(FaultCode::SubjectUnknown, zh, en).column(column));
    } else if effect.open.is_some() || effect.close.is_some() {
        let open = counting
            .engine
            .spell_is_open(event.subject, &before, fact)
            .map_err(failed)?;
        if effect.open.is_some() && open {
            faults.push(Fault::new(
                FaultCode::SpellOpen,
                "同一就业(或同类事项)尚未终止",
                "the same spell is still open; end it first",
            ));
        }
        if effect.close.is_some() && !open {
            faults.push(Fault::new(
                FaultCode::SpellClosed,
                "没有可终止的就业(或同类事项);请核对编号",
                "there is no open spell of this key to end",
            ));
        }
    }
    Ok((faults, before))
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
            faults,
        });
    }
    let entries = recording.finish()?;
    books.commit(entries)?;
    Ok(Imported {
        recorded,
        faults,
        accepted: true,
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
        faults,
    })
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
    recording.void(index, Taken::Void, reason)?;
    let entries = recording.finish()?;
    Ok(books.commit(entries)?)
}

/// An index that names no event of the log.
pub(super) fn no_event() -> Faults {
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
    let replaced = recording.void(index, Taken::Corrected, reason)?;
    let recorded = recording.add(draft, Some(replaced)).map_err(Faults)?;
    let entries = recording.finish()?;
    books.commit(entries)?;
    Ok(recorded)
}

/// Enrols an operator's key in the unit's log, signed by the node.
///
/// # Errors
/// A key of another unit, unknown roles, or a name that holds a key already.
pub fn enrol(
    books: &mut Books,
    vkey: &protocol::note::VerifierKey,
    roles: &[Role],
    now: DateTime<Utc>,
) -> Result<u64, Faults> {
    let refuse = |zh: &str, en: &str| Err(Faults::one(FaultCode::OperatorEnrol, zh, en));
    if !protocol::person::is_operator_of(vkey.name(), books.unit()) {
        return refuse(
            "密钥名称应为“单位代码/姓名代号”",
            "the key's name is <unit>/<name>",
        );
    }
    if roles.is_empty() {
        return refuse("至少一个角色", "at least one role");
    }
    let log = books.log().ok_or_else(super::month::no_registry)?;
    let held = [Role::Recorder, Role::Preparer, Role::Reviewer, Role::Head]
        .into_iter()
        .any(|r| log.operator(vkey.name(), r, log.len()).is_some());
    if held {
        return refuse(
            "该人员已登记;请先撤销旧密钥",
            "this name holds a key already; revoke the old one first",
        );
    }
    let roles: Vec<&str> = roles.iter().map(|r| r.as_str()).collect();
    let fields = Fields::from([
        ("vkey".into(), Value::Text(vkey.to_string())),
        ("roles".into(), Value::Text(roles.join(","))),
    ]);
    operator_statement(books, true, fields, now)
}

/// Revokes an operator's key from now on.
///
/// # Errors
/// A key that is not held.
pub fn revoke(
    books: &mut Books,
    vkey: &protocol::note::VerifierKey,
    now: DateTime<Utc>,
) -> Result<u64, Faults> {
    let log = books.log().ok_or_else(super::month::no_registry)?;
    let roles = [Role::Recorder, Role::Preparer, Role::Reviewer, Role::Head];
    if !roles
        .into_iter()
        .any(|r| log.operator(vkey.name(), r, log.len()).as_ref() == Some(vkey))
    {
        return Err(Faults::one(
            FaultCode::OperatorRevoke,
            "没有登记这个密钥",
            "this key is not enrolled",
        ));
    }
    let fields = Fields::from([("vkey".into(), Value::Text(vkey.to_string()))]);
    operator_statement(books, false, fields, now)
}

fn operator_statement(
    books: &mut Books,
    enrol: bool,
    fields: Fields,
    now: DateTime<Utc>,
) -> Result<u64, Faults> {
    let mut recording = Recording::begin(books, None, now)?;
    let index = recording.operator(enrol, fields)?;
    let entries = recording.finish()?;
    books.commit(entries)?;
    Ok(index)
}
