//! One report of a unit below, as the officer who decides on it reads it.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::catalogue::Catalogue;
use protocol::ids::UnitId;
use protocol::period::Month;
use protocol::readable::{Label, ReadableReport};
use protocol::receipt::{Decision, Receipt};
use protocol::rollup::{HeldRollup, Rollup};
use protocol::verdict::{Outcome, Verdict};
use serde::{Deserialize, Serialize};

use super::figures::{self, Difference, WhichReport};
use crate::books::Books;
use crate::books::children::Child;
use crate::clock::stamp;
use crate::fault::Faults;
use crate::review;

/// A check in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckInWords {
    /// Name of the check.
    pub name: Label,
    /// How it ended.
    pub outcome: Outcome,
    /// The same in words.
    pub outcome_name: Label,
    /// What was found.
    pub detail: Label,
}

impl CheckInWords {
    /// Of a verdict.
    pub fn of(verdict: &Verdict) -> CheckInWords {
        let outcome_name = match verdict.outcome {
            Outcome::Holds => Label::new("通过", "holds"),
            Outcome::Noted => Label::new("通过（有提示）", "holds, with a remark"),
            Outcome::Fails => Label::new("未通过", "fails"),
        };
        let zh = verdict.zh().unwrap_or_else(|| verdict.detail.clone());
        CheckInWords {
            name: Label::new(verdict.check.zh(), verdict.check.as_str()),
            outcome: verdict.outcome,
            outcome_name,
            detail: Label::new(zh, &verdict.detail),
        }
    }
}

/// A decision on a report, with what was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// Which revision.
    pub revision: u32,
    /// The decision.
    pub decision: Decision,
    /// When, UTC.
    pub at: String,
    /// Who, `<unit>/<person>`; the unit itself for a failed check.
    pub by: String,
    /// Reasons, or the comment on an acceptance.
    pub reasons: Vec<String>,
    /// Figures or cells that they are about.
    pub about: Vec<String>,
}

impl Word {
    fn of(receipt: &Receipt) -> Word {
        Word {
            revision: receipt.revision,
            decision: receipt.decision,
            at: receipt.decided.clone(),
            by: receipt.by.clone(),
            reasons: receipt.reasons.clone(),
            about: receipt.about.clone(),
        }
    }
}

/// Why a rule that asks for an explanation does not hold, in the unit's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// Rule of the catalogue.
    pub rule: String,
    /// What the rule says.
    pub says: Label,
    /// Figure that it is about.
    pub figure: String,
    /// The explanation.
    pub text: String,
}

/// A unit that is not in the sums of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Who.
    pub unit: UnitId,
    /// Name.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// A report of a unit below.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChildReport {
    /// Its figures.
    pub report: ReadableReport,
    /// Whom the unit reported to in this month: that unit decides.
    pub parent: Option<UnitId>,
    /// When it came, UTC.
    pub arrived: Option<String>,
    /// The checks; empty while it waits for something.
    pub checks: Vec<CheckInWords>,
    /// What it waits for.
    pub waits: Option<String>,
    /// This unit's last word on this revision.
    pub decision: Option<Decision>,
    /// Whether it waits for a decision of this unit's people.
    pub open: bool,
    /// The three who sign, by the names of their keys: preparer, reviewer, head.
    pub signatories: Vec<String>,
    /// Explanations of rules.
    pub explanations: Vec<Explained>,
    /// Late entries: the month that they belong to, and how many.
    pub late: BTreeMap<Month, u64>,
    /// Statements taken back in this month.
    pub voided: u64,
    /// Units below it that are not in its sums.
    pub left_out: Vec<LeftOut>,
    /// Every decision on this month, of all revisions, in the order in which they were given.
    pub thread: Vec<Word>,
    /// What changed since the revision before this one.
    pub since_revision: Option<Difference>,
    /// What changed since the month before.
    pub since_month: Option<Difference>,
    /// What changed since the same month of the year before.
    pub since_year: Option<Difference>,
}

/// A report of a unit below; without a revision, the one that is to be decided on, which is the last
/// that came.
///
/// # Errors
/// No such report here.
pub fn child_report(
    books: &Books,
    unit: &UnitId,
    month: Month,
    revision: Option<u32>,
) -> Result<ChildReport, Faults> {
    let last = books.child(unit).and_then(|child| child.latest(month));
    let which = WhichReport {
        unit: Some(unit.clone()),
        month: Some(month),
        revision: revision.or(last.map(|held| held.rollup.revision)),
    };
    let held = figures::find(books, &which)?;
    let child = books.child(unit).ok_or_else(figures::none)?;
    of_child(books, child, &held)
}

fn of_child(books: &Books, child: &Child, held: &Arc<HeldRollup>) -> Result<ChildReport, Faults> {
    let (digest, rollup) = (held.digest(), &held.rollup);
    let report = figures::read(books, held)?;
    let verdicts = books.verdicts(held);
    let decision = child.decision(&digest);
    let month = rollup.period;
    let before = rollup.revision.checked_sub(1);
    let earlier = before.and_then(|revision| child.known().get(&(month, revision)));
    let of_month = |month: Option<Month>| {
        let month = month?;
        child.accepted(month).or(child.latest(month))
    };
    let since = |other: Option<&Arc<HeldRollup>>| {
        let other = other.map(|other| figures::read(books, other)).transpose()?;
        Ok::<_, Faults>(other.map(|other| figures::between(&other, &report)))
    };
    Ok(ChildReport {
        parent: child.unit().parent_in(month).cloned(),
        arrived: child.arrived().get(&digest).map(|at| stamp(*at)),
        waits: review::waits(books, held).filter(|_| verdicts.is_none()),
        checks: verdicts.iter().flatten().map(CheckInWords::of).collect(),
        open: decision.is_none() && books.answers(rollup),
        decision,
        signatories: rollup.signatories.names().map(str::to_string).to_vec(),
        explanations: explanations(figures::catalogue_of(books, held)?, rollup),
        late: rollup.late.clone(),
        voided: rollup.voided,
        left_out: left_out(books, rollup),
        thread: thread(child, month),
        since_revision: since(earlier)?,
        since_month: since(of_month(month.prev()))?,
        since_year: since(of_month(month.year_before()))?,
        report,
    })
}

/// Every decision on a month, in the order in which they were given.
fn thread(child: &Child, month: Month) -> Vec<Word> {
    let known = child.known().range(month.revisions());
    let given = known.filter_map(|(_, held)| child.given().get(&held.digest()));
    let mut words: Vec<Word> = given
        .flatten()
        .map(|(receipt, _)| Word::of(receipt))
        .collect();
    // Times are written in one way, in UTC: their texts compare as they do.
    words.sort_by(|a, b| a.at.cmp(&b.at));
    words
}

fn explanations(catalogue: &Catalogue, rollup: &Rollup) -> Vec<Explained> {
    let given = rollup.explanations.iter().map(|e| {
        let rule = catalogue.rules.iter().find(|rule| rule.id == e.rule);
        Explained {
            rule: e.rule.clone(),
            says: rule.map_or_else(|| Label::new("", ""), |rule| Label::new(&rule.zh, &rule.en)),
            figure: e.figure.clone(),
            text: e.text.clone(),
        }
    });
    given.collect()
}

fn left_out(books: &Books, rollup: &Rollup) -> Vec<LeftOut> {
    let missing = rollup.missing.iter().map(|m| LeftOut {
        name: name_of(books, &m.unit, rollup.period),
        unit: m.unit.clone(),
        reason: m.reason.clone(),
    });
    missing.collect()
}

/// What a unit was called in a month; its code where the registry does not know it.
pub fn name_of(books: &Books, unit: &UnitId, month: Month) -> String {
    let registry = books.registry().map(|registry| registry.registry());
    let known = registry.and_then(|registry| registry.unit(unit));
    known.map_or_else(|| unit.to_string(), |unit| unit.placement(month).name)
}
