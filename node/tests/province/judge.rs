//! What must hold in the end, found out from the units' books, from the province's evidence, and
//! from the journals.

use protocol::verdict::Check;
use std::collections::{BTreeMap, BTreeSet};

use node::books::contradictions::KeptContradiction;
use node::books::{Books, EntryKind};
use node::desk::{evidence, sign};
use node::journal::{Journal, SEGMENT_BYTES, Stored};
use protocol::evidence::{file, report};
use protocol::ids::Tier;
use protocol::note::Note;
use protocol::period::Month;
use protocol::receipt::{Decision, Receipt};

use crate::plan::{Totals, differences, reported};
use crate::round::Round;

impl Round {
    /// The counties and cities below a unit, itself included, that count in its totals of a month.
    pub fn scope(&self, top: usize, month: Month) -> (BTreeSet<String>, usize) {
        let mut units = BTreeSet::new();
        let mut counties = 0;
        for unit in &self.units {
            if unit.path == self.units[top].path || self.units[top].path.is_above(&unit.path) {
                counties += usize::from(unit.tier == Tier::County);
                let id = unit.id.to_string();
                let missing =
                    unit.path != self.units[top].path && self.missing[&month].contains(&id);
                if !missing {
                    units.insert(id);
                }
            }
        }
        (units, counties)
    }

    /// What a unit's latest rollup of a month says.
    pub fn totals(&mut self, at: usize, month: Month) -> Totals {
        let figures = self.units[at]
            .look(move |books| sign::latest(books, month).map(|o| o.held().rollup.figures.clone()));
        reported(&figures.unwrap_or_else(|f| panic!("{}: {f}", self.units[at].id)))
    }

    /// Everything that must hold in the end. Each finding is a sentence.
    pub fn findings(&mut self) -> Vec<String> {
        let handle = self.runtime.handle().clone();
        let _context = handle.enter();
        let mut found = Vec::new();
        for at in 0..self.units.len() {
            for month in self.months {
                let (scope, counties) = self.scope(at, month);
                let totals = self.totals(at, month);
                let id = self.units[at].id.clone();
                found.extend(
                    differences(&self.planted, &scope, counties, month, &totals)
                        .into_iter()
                        .map(|d| format!("{id}: {d}")),
                );
            }
            found.extend(self.of_books(at));
        }
        found.extend(self.of_evidence());
        for at in 0..self.units.len() {
            found.extend(self.of_journal(at));
        }
        found
    }

    /// Outbox, answers, children, flags.
    fn of_books(&mut self, at: usize) -> Vec<String> {
        let months = self.months;
        let (id, has_parent) = (
            self.units[at].id.to_string(),
            self.units[at].parent.is_some(),
        );
        let missing: BTreeMap<Month, BTreeSet<String>> = self.missing.clone();
        let below: BTreeSet<String> = self
            .children(at)
            .into_iter()
            .map(|c| self.units[c].id.to_string())
            .collect();
        let (found, leaves, rollups) = self.units[at].look(move |books: &Books| {
            let mut found = Vec::new();
            let mut say = |what: String| found.push(format!("{id}: {what}"));
            if books.outbox().next().is_some() {
                say("something is left in the outbox".into());
            }
            for KeptContradiction { unit, what, .. } in books.contradictions() {
                say(format!("{unit} is flagged falsely: {what}"));
            }
            for m in months {
                let Ok(own) = sign::latest(books, m) else {
                    say(format!("{m} is not closed"));
                    continue;
                };
                if has_parent && own.decision() != Some(Decision::Accepted) {
                    say(format!("{m} revision {} is answered by {:?}", own.held().rollup.revision, own.decision()));
                }
                let absent: BTreeSet<String> = own.held().rollup.missing.iter().map(|m| m.unit.to_string()).collect();
                let used: BTreeSet<String> = own.held().rollup.children.iter().map(|c| c.unit.to_string()).collect();
                let expected: BTreeSet<String> = missing[&m].intersection(&below).cloned().collect();
                if absent != expected || used != below.difference(&expected).cloned().collect() {
                    say(format!("{m} names {absent:?} as missing instead of {expected:?}, and uses {} children", used.len()));
                }
            }
            for child in books.children().values() {
                if let Some(flag) = &child.flagged() {
                    say(format!("{} is flagged falsely: {flag}", child.unit().id));
                }
                for held in child.known().values() {
                    let verdicts = child.verdicts().get(&held.digest());
                    let failed = verdicts.is_none_or(|v| v.iter().any(protocol::verdict::Verdict::failed));
                    if failed {
                        say(format!("{} {}.{}: {verdicts:?}", child.unit().id, held.rollup.period, held.rollup.revision));
                    }
                }
            }
            (found, books.log().map_or(0, protocol::verify::log::UnitLog::len), books.rollups().len() as u64)
        });
        self.tally.statements += leaves;
        self.tally.rollups += rollups;
        found
    }

    /// The province's evidence, written, read and verified by nothing but the root key.
    fn of_evidence(&mut self) -> Vec<String> {
        let evidence = self.units[0]
            .look(|books| evidence::evidence(books).map(|e| file::write(&e).unwrap()))
            .unwrap();
        let report = report::verify(&file::read(&evidence).unwrap(), &self.root.vkey()).unwrap();
        let mut found: Vec<String> = report
            .failures()
            .map(|(u, m, v)| {
                format!(
                    "evidence: {} {}.{}: {}: {}",
                    u.unit, m.period, m.revision, v.check, v.detail
                )
            })
            .collect();
        if report.units.len() != self.units.len() {
            found.push(format!(
                "evidence: {} of {} units",
                report.units.len(),
                self.units.len()
            ));
        }
        let late = &self.units[self.roles.late].id;
        let noted = |m: &report::MonthReport| {
            m.verdicts.iter().any(|v| {
                v.check == Check::Timeliness && v.outcome == protocol::verdict::Outcome::Noted
            })
        };
        if !report
            .units
            .iter()
            .any(|u| u.unit == *late && u.months.iter().any(noted))
        {
            found.push(format!("evidence: {late} is not noted as late"));
        }
        found
    }

    /// In the journal itself: each child's months are accepted once each, in order; and a second
    /// one after a reopening only.
    fn of_journal(&mut self, at: usize) -> Vec<String> {
        let id = self.units[at].id.to_string();
        self.units[at].kill(None);
        let journal =
            Journal::open_on(Box::new(self.units[at].journal.clone()), SEGMENT_BYTES).unwrap();
        let entries: Vec<Stored> = journal.read_from(0).collect::<Result<_, _>>().unwrap();
        let mut found = Vec::new();
        let mut last: BTreeMap<String, Vec<(Month, u32, Decision)>> = BTreeMap::new();
        for entry in entries
            .iter()
            .filter(|e| e.kind == EntryKind::Given.number())
        {
            let receipt = Receipt::parse(Note::parse(&entry.public).unwrap().text()).unwrap();
            last.entry(receipt.child.to_string()).or_default().push((
                receipt.period,
                receipt.revision,
                receipt.decision,
            ));
        }
        for child in self.children(at) {
            let r = &self.roles;
            let [jan, feb] = self.months;
            let opened_again = self.units[r.absent].parent == Some(child);
            use Decision::{Accepted, Reopened, Returned};
            let mut expected = match child {
                c if c == r.returned => vec![(jan, 1, Returned), (jan, 2, Accepted)],
                c if c == r.reopened || opened_again => {
                    vec![(jan, 1, Accepted), (jan, 1, Reopened), (jan, 2, Accepted)]
                }
                _ => vec![(jan, 1, Accepted)],
            };
            if child == r.returned_later {
                expected.extend([(feb, 1, Returned), (feb, 2, Accepted)]);
            } else {
                expected.push((feb, 1, Accepted));
            }
            let child = self.units[child].id.to_string();
            let given = last.remove(&child).unwrap_or_default();
            if given != expected {
                found.push(format!(
                    "{id} answered {child} {given:?} instead of {expected:?}"
                ));
            }
        }
        found.extend(
            last.into_keys()
                .map(|stranger| format!("{id} answered {stranger}, which is not its child")),
        );
        found
    }

    /// The last checkpoint of every unit, to the byte.
    pub fn checkpoints(&mut self) -> BTreeMap<String, Vec<u8>> {
        let last = |books: &Books| {
            books
                .checkpoints()
                .values()
                .next_back()
                .map(|n| n.as_bytes().to_vec())
                .unwrap_or_default()
        };
        self.units
            .iter_mut()
            .map(|u| (u.id.to_string(), u.look(last)))
            .collect()
    }
}
