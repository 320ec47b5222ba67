//! What the units' people do, and how they go on after a crash: they look whether it was done, and
//! if not, do it again.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use node::books::Books;
use node::desk::close::{self, CloseRequest};
use node::desk::input::{self, Form};
use node::desk::{record, sign};
use node::fault::Faults;
use node::queries::events;
use node::review;
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
    let mut given = child.into_iter().flat_map(|c| c.given.values().flatten());
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

/// Does the unit's next task if it can be done now.
pub fn work(unit: &mut Unit, task: &Task) -> Result<Did, Died> {
    let unsure = unit.script.unsure;
    let who = unit.id.to_string();
    let operator = format!("{who}/luru");
    let name = |p: &str| format!("{who}/{p}");
    let done = |result: Result<(), Faults>| match result {
        Ok(()) => Did::Done,
        Err(faults) => panic!("{who}: {task:?}: {faults}"),
    };
    Ok(match task.clone() {
        Task::Import { event, csv } => {
            let imported = unit.call(move |books, now| {
                let counting = books.counting().expect("a catalogue").clone();
                let parsed =
                    input::parse(csv.as_bytes(), Form::Csv, Some(event), &counting.catalogue)?;
                record::record(books, &operator, &parsed.drafts, parsed.faults, false, now)
            })?;
            done(imported.and_then(|i| {
                // All or nothing: after a crash either every row is new or every row is a
                // repetition.
                let repeated = unsure
                    && !i.faults.is_empty()
                    && i.faults.iter().all(|f| f.code == "event.repeated");
                if i.accepted || repeated {
                    Ok(())
                } else {
                    Err(Faults(i.faults))
                }
            }))
        }
        Task::Void { name, field } => {
            done(
                unit.call(move |books, now| match find(books, name, &field) {
                    Some((_, true)) if unsure => Ok(()),
                    Some((index, _)) => record::void(books, &operator, index, "wrong", now),
                    None => Err(Faults::one("sim.find", name, field.1)),
                })?,
            )
        }
        Task::Correct {
            event,
            name,
            field,
            line,
        } => done(
            unit.call(move |books, now| match find(books, name, &field) {
                Some((_, true)) if unsure => Ok(()),
                Some((index, _)) => {
                    let counting = books.counting().expect("a catalogue").clone();
                    let mut parsed = input::parse(
                        line.as_bytes(),
                        Form::Jsonl,
                        Some(event),
                        &counting.catalogue,
                    )?;
                    record::correct(
                        books,
                        &operator,
                        index,
                        &parsed.drafts.remove(0),
                        "wrong",
                        now,
                    )
                    .map(|_| ())
                }
                None => Err(Faults::one("sim.find", name, field.1)),
            })?,
        ),
        Task::Close {
            month,
            revision,
            missing,
        } => {
            let allowed = missing.clone();
            if unit.look(move |books| {
                close::waiting_for(books, month)
                    .iter()
                    .any(|u| !allowed.contains(&u.to_string()))
            }) {
                return Ok(Did::NotYet);
            }
            let signatories = Signatories {
                preparer: name("tianbiao"),
                reviewer: name("tongji"),
                head: name("fuzeren"),
            };
            let request = CloseRequest {
                explanations: [("S1".to_string(), "many trainings".to_string())].into(),
                missing: missing
                    .into_iter()
                    .map(|m| (m, "no report".to_string()))
                    .collect(),
            };
            let closed = unit.call(move |books, now| {
                if unsure && books.rollups().contains_key(&(month, revision)) {
                    return Ok(revision);
                }
                close::close(books, month, &request, signatories, now).map(|c| c.revision)
            })?;
            done(closed.map(|r| assert_eq!(r, revision, "{who} {month}")))
        }
        Task::Sign(month) => {
            let people: Vec<_> = ["tianbiao", "tongji", "fuzeren"]
                .iter()
                .map(|p| unit.person(p))
                .collect();
            done(unit.call(move |books, _| {
                for person in &people {
                    let text = sign::latest(books, month)?.held.note.text().to_string();
                    let note = Note::sign(&text, &[person]).expect("signs");
                    sign::add_signatures(books, month, note.as_bytes())?;
                }
                Ok(())
            })?)
        }
        Task::Submit(month) => {
            let did =
                done(unit.call(move |books, now| sign::submit(books, month, now).map(|_| ()))?);
            unit.service().wake_outbox();
            did
        }
        Task::Decide {
            child,
            month,
            revision,
            decision,
        } => {
            let by = name("tongji");
            let decided = unit.call(move |books, now| {
                let id: UnitId = child.parse().expect("a unit");
                let Some(known) = books.children().get(&id) else {
                    return Ok((Did::NotYet, None));
                };
                let Some(held) = known
                    .latest(month)
                    .filter(|h| h.rollup.revision == revision)
                else {
                    return Ok((Did::NotYet, None));
                };
                let digest = held.digest();
                if unsure && known.decision(&digest) == Some(decision) {
                    return Ok((Did::Done, None));
                }
                if !known.verdicts.contains_key(&digest)
                    || (decision == Decision::Reopened && known.decision(&digest).is_none())
                {
                    return Ok((Did::NotYet, None));
                }
                let reasons = if decision == Decision::Accepted {
                    vec![]
                } else {
                    vec!["please look again".to_string()]
                };
                let note = review::decide(books, &id, month, decision, reasons, vec![], &by, now)?;
                Ok((Did::Done, Some(note)))
            })?;
            match decided {
                Ok((did, note)) => {
                    unit.service().queue(note.into_iter().collect());
                    did
                }
                Err(faults) => panic!("{who}: {task:?}: {faults}"),
            }
        }
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
            if word == Some(decision) {
                Did::Done
            } else {
                Did::NotYet
            }
        }
        Task::Holds {
            child,
            month,
            revision,
        } => {
            if unit.look(move |books| holds(books, &child, month, revision)) {
                Did::Done
            } else {
                Did::NotYet
            }
        }
        // Asked by the round, which sees everybody.
        Task::Elsewhere { .. } | Task::Since(_) => unreachable!("the round waits for these"),
    })
}

/// What each unit still has to do, for a round that does not end.
pub fn open_tasks(units: &[Unit]) -> BTreeMap<String, String> {
    let next = |u: &Unit| u.script.tasks.front().map(|t| format!("{t:?}"));
    units
        .iter()
        .filter_map(|u| Some((u.id.to_string(), next(u)?)))
        .collect()
}
