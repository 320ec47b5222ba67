//! What the units' people do, and how they go on after a crash: they look whether it was done, and
//! if not, do it again.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use node::books::Books;
use node::desk::close::{self, CloseRequest};
use node::desk::record::Taking;
use node::desk::{record, sign};
use node::exchange::{self, Form};
use node::fault::{FaultCode, Faults};
use node::queries::events;
use node::review::{self, Ruling};
use protocol::ids::UnitId;
use protocol::note::Note;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::rollup::Signatories;

use crate::fuse::Died;
use crate::unit::Unit;

/// One thing to do.
#[derive(Clone, Debug)]
pub enum Task {
    /// Import a file.
    Import { event: &'static str, csv: String },
    /// Take the event back that has this field.
    Void {
        name: &'static str,
        field: (&'static str, String),
    },
    /// Replace the event that has this field by this line.
    Correct {
        event: &'static str,
        name: &'static str,
        field: (&'static str, String),
        line: String,
    },
    /// Close a month, naming these children as missing.
    Close {
        month: Month,
        revision: u32,
        missing: Vec<String>,
    },
    /// All three sign.
    Sign(Month),
    /// Hand it to the outbox.
    Submit(Month),
    /// A person's word on a child's rollup.
    Decide {
        child: String,
        month: Month,
        revision: u32,
        decision: Decision,
    },
    /// Wait for the parent's word.
    Answered {
        month: Month,
        revision: u32,
        decision: Decision,
    },
    /// Wait until this unit has accepted that child's month.
    Holds {
        child: String,
        month: Month,
        revision: u32,
    },
    /// Wait until another unit has accepted its child's month.
    Elsewhere {
        at: String,
        child: String,
        month: Month,
        revision: u32,
    },
    /// Wait for a day.
    Since(DateTime<Utc>),
}

/// Tasks, each in the phase of the round in which it may begin.
#[derive(Default)]
pub struct Script {
    pub tasks: VecDeque<(usize, Task)>,
    /// The process died while the first task was under way: nobody knows whether it was done.
    pub unsure: bool,
}

impl Script {
    pub fn add(&mut self, phase: usize, task: Task) {
        self.tasks.push_back((phase, task));
    }
    /// A month from close to the parent's acceptance.
    pub fn report(&mut self, phase: usize, month: Month, revision: u32, missing: &[String]) {
        self.add(
            phase,
            Task::Close {
                month,
                revision,
                missing: missing.to_vec(),
            },
        );
        self.add(phase, Task::Sign(month));
        self.add(phase, Task::Submit(month));
    }
}

/// How far a task came.
#[derive(Debug, PartialEq, Eq)]
pub enum Did {
    Done,
    NotYet,
}

/// Whether the unit has accepted this revision; it may have opened it again since.
pub fn holds(books: &Books, child: &str, month: Month, revision: u32) -> bool {
    let child = child
        .parse::<UnitId>()
        .ok()
        .and_then(|id| books.children().get(&id));
    let mut given = child.into_iter().flat_map(|c| c.given().values().flatten());
    given.any(|(r, _)| (r.period, r.revision, r.decision) == (month, revision, Decision::Accepted))
}

/// The event with this field, and whether it was taken back.
fn find(books: &Books, name: &str, field: &(&'static str, String)) -> Option<(u64, bool)> {
    let mut found = None;
    for index in 0..books.log()?.len() {
        let Ok((statement, _)) = books.statement(index) else {
            continue;
        };
        if statement.event != name {
            continue;
        }
        let listed = events::list(books, statement.period, true)
            .ok()?
            .into_iter()
            .find(|l| l.index == index)?;
        let value = listed
            .fields
            .get(field.0)
            .map(|v| serde_json::to_value(v).unwrap_or_default());
        let text = value.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_string));
        if text.as_ref() == Some(&field.1) {
            found = Some((index, listed.voided_by.is_some()));
        }
    }
    found
}

/// How far a task came, or what the books say against it, unless the process died.
type Outcome = Result<Result<Did, Faults>, Died>;

/// Does the unit's next task if it can be done now.
pub fn work(unit: &mut Unit, task: &Task) -> Result<Did, Died> {
    let outcome = match task.clone() {
        Task::Import { event, csv } => import(unit, event, csv),
        Task::Void { name, field } => void(unit, name, field),
        Task::Correct {
            event,
            name,
            field,
            line,
        } => correct(unit, event, name, field, line),
        Task::Close {
            month,
            revision,
            missing,
        } => close_month(unit, month, revision, missing),
        Task::Sign(month) => sign_by_all(unit, month),
        Task::Submit(month) => submit(unit, month),
        Task::Decide {
            child,
            month,
            revision,
            decision,
        } => decide(unit, &child, (month, revision), decision),
        Task::Answered {
            month,
            revision,
            decision,
        } => {
            let word = unit.look(move |books| {
                books
                    .rollups()
                    .get(&(month, revision))
                    .and_then(node::books::OwnRollup::decision)
            });
            Ok(Ok(done_if(word == Some(decision))))
        }
        Task::Holds {
            child,
            month,
            revision,
        } => {
            let held = unit.look(move |books| holds(books, &child, month, revision));
            Ok(Ok(done_if(held)))
        }
        // Asked by the round, which sees everybody.
        Task::Elsewhere { .. } | Task::Since(_) => unreachable!("the round waits for these"),
    }?;
    Ok(outcome.unwrap_or_else(|faults| panic!("{}: {task:?}: {faults}", unit.id)))
}

fn done_if(so: bool) -> Did {
    if so { Did::Done } else { Did::NotYet }
}

/// Who enters events at this unit.
fn operator(unit: &Unit) -> String {
    format!("{}/luru", unit.id)
}

fn import(unit: &mut Unit, event: &'static str, csv: String) -> Outcome {
    let unsure = unit.script.unsure;
    let operator = operator(unit);
    let imported = unit.call(move |books, now| {
        let counting = books.counting().expect("a catalogue").clone();
        let parsed = exchange::parse(csv.as_bytes(), Form::Csv, Some(event), &counting.catalogue)?;
        record::record(books, &operator, &parsed.drafts, parsed.faults, false, now)
    })?;
    Ok(imported.and_then(|i| {
        // All or nothing: after a crash either every row is new or every row is a repetition.
        if i.accepted || unsure && i.known {
            Ok(Did::Done)
        } else {
            Err(Faults(i.faults))
        }
    }))
}

fn void(unit: &mut Unit, name: &'static str, field: (&'static str, String)) -> Outcome {
    let unsure = unit.script.unsure;
    let operator = operator(unit);
    let wrong = Taking {
        reason: "wrong".into(),
        in_open_month: true,
        with_resting: false,
    };
    let voided = unit.call(move |books, now| match find(books, name, &field) {
        Some((_, true)) if unsure => Ok(()),
        Some((index, _)) => record::void(books, &operator, index, &wrong, now).map(drop),
        None => Err(Faults::one(FaultCode::VoidUnknown, name, field.1)),
    })?;
    Ok(voided.map(|()| Did::Done))
}

fn correct(
    unit: &mut Unit,
    event: &'static str,
    name: &'static str,
    field: (&'static str, String),
    line: String,
) -> Outcome {
    let unsure = unit.script.unsure;
    let operator = operator(unit);
    let corrected = unit.call(move |books, now| match find(books, name, &field) {
        Some((_, true)) if unsure => Ok(()),
        Some((index, _)) => {
            let counting = books.counting().expect("a catalogue").clone();
            let catalogue = &counting.catalogue;
            let mut parsed = exchange::parse(line.as_bytes(), Form::Jsonl, Some(event), catalogue)?;
            let draft = parsed.drafts.remove(0);
            record::correct(books, &operator, index, &draft, "wrong", now).map(|_| ())
        }
        None => Err(Faults::one(FaultCode::VoidUnknown, name, field.1)),
    })?;
    Ok(corrected.map(|()| Did::Done))
}

fn close_month(unit: &mut Unit, month: Month, revision: u32, missing: Vec<String>) -> Outcome {
    let unsure = unit.script.unsure;
    let who = unit.id.to_string();
    let allowed = missing.clone();
    if unit.look(move |books| {
        close::waiting_for(books, month)
            .iter()
            .any(|u| !allowed.contains(&u.to_string()))
    }) {
        return Ok(Ok(Did::NotYet));
    }
    let signatories = Signatories {
        preparer: format!("{who}/tianbiao"),
        reviewer: format!("{who}/tongji"),
        head: format!("{who}/fuzeren"),
    };
    let request = CloseRequest {
        explanations: [("S1".to_string(), "many trainings".to_string())].into(),
        missing: missing
            .into_iter()
            .map(|m| (m, "no report".to_string()))
            .collect(),
        ..CloseRequest::default()
    };
    let closed = unit.call(move |books, now| {
        if unsure && books.rollups().contains_key(&(month, revision)) {
            return Ok(revision);
        }
        close::close(books, month, &request, signatories, now).map(|c| c.revision)
    })?;
    Ok(closed.map(|r| {
        assert_eq!(r, revision, "{who} {month}");
        Did::Done
    }))
}

fn sign_by_all(unit: &mut Unit, month: Month) -> Outcome {
    let people: Vec<_> = ["tianbiao", "tongji", "fuzeren"]
        .iter()
        .map(|p| unit.person(p))
        .collect();
    unit.call(move |books, _| {
        for person in &people {
            let text = sign::latest(books, month)?.held().note.text().to_string();
            let note = Note::sign(&text, &[person]).expect("signs");
            sign::add_signatures(books, month, note.as_bytes())?;
        }
        Ok(Did::Done)
    })
}

fn submit(unit: &mut Unit, month: Month) -> Outcome {
    let submitted = unit.call(move |books, now| sign::submit(books, month, now).map(|_| ()))?;
    Ok(submitted.map(|()| {
        unit.service().wake_outbox();
        Did::Done
    }))
}

fn decide(
    unit: &mut Unit,
    child: &str,
    (month, revision): (Month, u32),
    word: Decision,
) -> Outcome {
    let unsure = unit.script.unsure;
    let by = format!("{}/tongji", unit.id);
    let id: UnitId = child.parse().expect("a unit");
    let decided = unit.call(move |books, now| {
        let Some(known) = books.children().get(&id) else {
            return Ok((Did::NotYet, Vec::new()));
        };
        let Some(held) = known
            .latest(month)
            .filter(|h| h.rollup.revision == revision)
        else {
            return Ok((Did::NotYet, Vec::new()));
        };
        let digest = held.digest();
        if unsure && known.decision(&digest) == Some(word) {
            return Ok((Did::Done, Vec::new()));
        }
        if !known.verdicts().contains_key(&digest)
            || (word == Decision::Reopened && known.decision(&digest).is_none())
        {
            return Ok((Did::NotYet, Vec::new()));
        }
        let mut ruling = Ruling::new(word, &by);
        if word != Decision::Accepted {
            ruling = ruling.because("please look again").with_later();
        }
        let notes = review::decide(books, &id, month, ruling, now)?;
        Ok((Did::Done, notes))
    })?;
    Ok(decided.map(|(did, notes)| {
        unit.service().queue(notes);
        did
    }))
}

/// What each unit still has to do, for a round that does not end.
pub fn open_tasks(units: &[Unit]) -> BTreeMap<String, String> {
    let next = |u: &Unit| u.script.tasks.front().map(|t| format!("{t:?}"));
    units
        .iter()
        .filter_map(|u| Some((u.id.to_string(), next(u)?)))
        .collect()
}
