//! What a close would make, before anybody makes it: the month's events by kind, its figures beside
//! those of last month and last year, the rules that ask, and everything that is missing. Nothing is
//! written.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use protocol::catalogue::{Catalogue, EventType, Severity};
use protocol::figure::{Counts, Figure};
use protocol::period::Month;
use protocol::rollup::Signatories;
use serde::{Deserialize, Serialize};

use super::close::{self, CloseRequest, ClosingMonth};
use super::month::{no_registry, not_ended, open_month};
use super::record;
use crate::books::Books;
use crate::fault::{Fault, FaultCode, Faults, internal};

/// What a close would make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Month.
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// The month's events by kind, those that last month had and this one has not included.
    pub kinds: Vec<KindCount>,
    /// So many system events the close would record: what time and voids alone have changed.
    pub recounted: u64,
    /// Figures beside those of last month and of the same month last year.
    pub figures: Vec<FigureChange>,
    /// Rules that do not hold.
    pub rules: Vec<BrokenRule>,
    /// Units below without an accepted report.
    pub missing: Vec<MissingUnit>,
    /// Files that were refused since the node started, and after which none of the same kind went
    /// through.
    pub refused: Vec<RefusedFiles>,
    /// Those whose signatures would be lost.
    pub signed: Vec<String>,
    /// Why it would be refused now.
    pub faults: Vec<Fault>,
}

/// Events of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindCount {
    /// Code, for example E16.
    pub code: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// How many were recorded in the month.
    pub recorded: u64,
    /// Of these, how many belong to a closed month.
    pub late: u64,
    /// How many the month takes back, of whatever month they are.
    pub voided: u64,
    /// How many were recorded last month.
    pub last_month: u64,
}

/// A figure beside earlier ones. Amounts of money are in fen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureChange {
    /// Figure.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Unit of measure.
    pub measure: String,
    /// As the close would report it.
    pub now: Amount,
    /// Of last month.
    pub last_month: Option<Amount>,
    /// Of the same month last year.
    pub last_year: Option<Amount>,
}

/// What a figure comes to, units below included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Of a counted figure.
    pub value: Option<i64>,
    /// Numerator of a ratio or coverage.
    pub num: Option<i64>,
    /// Its denominator.
    pub den: Option<i64>,
}

impl From<&Counts> for Amount {
    fn from(counts: &Counts) -> Amount {
        Amount {
            value: counts.value,
            num: counts.num,
            den: counts.den,
        }
    }
}

/// A rule of the catalogue that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenRule {
    /// Rule.
    pub id: String,
    /// The figure that it is about.
    pub figure: String,
    /// Whether it stops the close; else it asks for an explanation.
    pub hard: bool,
    /// What it says, Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// The figure as the close would report it.
    pub now: Option<Amount>,
    /// And as it was last month.
    pub last_month: Option<Amount>,
}

/// A unit below without an accepted report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingUnit {
    /// Unit.
    pub unit: String,
    /// Name.
    pub name: String,
    /// The reason that was given.
    pub reason: Option<String>,
}

/// Files of one type by one person that were refused, with nothing of their contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedFiles {
    /// Event type; none where the rows name their own.
    pub event: Option<String>,
    /// Who sent them.
    pub by: String,
    /// When the last one came, UTC.
    pub at: String,
    /// How many files.
    pub files: u64,
    /// Faults of the last one by code.
    pub codes: BTreeMap<String, u64>,
}

/// What a close with this request would make.
///
/// # Errors
/// A month that is not to be closed at all. What else is against it is in the preview.
pub fn preview(
    books: &Books,
    period: Month,
    request: &CloseRequest,
    signatories: &Signatories,
    now: DateTime<Utc>,
) -> Result<Preview, Faults> {
    not_ended(books, period)?;
    let open = open_month(books)?;
    let mut faults = Vec::new();
    let revision = match close::may_close(books, (period, open), now) {
        Ok(revision) => revision,
        Err(early) if early.0.iter().all(|f| f.code == FaultCode::CloseEarly) => {
            faults.extend(early.0);
            1
        }
        Err(other) => return Err(other),
    };
    let own = books.rollups().get(&(period, revision));
    let signed = own.map(|own| own.signed_by()).unwrap_or_default();
    let signed = signed.into_iter().map(str::to_string).collect();
    let month = ClosingMonth::of(books, period, revision)?;
    let recounted = record::recount_dry(books, &month.month, now)?;
    let mut sum = close::prospect(books, &month, request, &recounted)?;
    faults.append(&mut sum.faults);
    faults.extend(close::against(books, &month, request, signatories));
    let earlier = earlier(books, period);
    Ok(Preview {
        period,
        revision,
        kinds: kinds(books, &month)?,
        recounted: recounted.len() as u64,
        rules: rules(&month, &sum.figures, &earlier)?,
        figures: changes(month.catalogue(), &sum.figures, &earlier),
        missing: missing(books, period, &sum.reasons)?,
        refused: Vec::new(),
        signed,
        faults,
    })
}

/// The figures of last month and of the same month last year.
struct Earlier {
    month: Vec<Figure>,
    year: Vec<Figure>,
}

fn earlier(books: &Books, period: Month) -> Earlier {
    let of = |month: Option<Month>| {
        let mut revisions = books.rollups().range(month?.revisions());
        let (_, own) = revisions.next_back()?;
        Some(own.held().rollup.figures.clone())
    };
    Earlier {
        month: of(period.prev()).unwrap_or_default(),
        year: of(period.year_before()).unwrap_or_default(),
    }
}

fn amount(figures: &[Figure], id: &str) -> Option<Amount> {
    let found = figures.iter().find(|f| f.id == id);
    found.map(|f| f.scope().into())
}

fn changes(catalogue: &Catalogue, figures: &[Figure], earlier: &Earlier) -> Vec<FigureChange> {
    let change = |f: &Figure| {
        let indicator = catalogue.indicator(f.id.split('@').next().unwrap_or_default());
        let text = |of: fn(&protocol::catalogue::Indicator) -> &String| {
            indicator.map(|i| of(i).clone()).unwrap_or_default()
        };
        FigureChange {
            id: f.id.clone(),
            zh: text(|i| &i.zh),
            en: text(|i| &i.en),
            measure: text(|i| &i.unit),
            now: f.scope().into(),
            last_month: amount(&earlier.month, &f.id),
            last_year: amount(&earlier.year, &f.id),
        }
    };
    figures.iter().map(change).collect()
}

fn rules(
    month: &ClosingMonth,
    figures: &[Figure],
    earlier: &Earlier,
) -> Result<Vec<BrokenRule>, Faults> {
    let rules = &month.month.counting.rules;
    let broken = rules.broken(figures, month.last()).map_err(internal)?;
    let told = broken.into_iter().map(|rule| BrokenRule {
        id: rule.id.clone(),
        figure: rule.figure.clone(),
        hard: rule.severity == Severity::Hard,
        zh: rule.zh.clone(),
        en: rule.en.clone(),
        now: amount(figures, &rule.figure),
        last_month: amount(&earlier.month, &rule.figure),
    });
    Ok(told.collect())
}

fn missing(
    books: &Books,
    period: Month,
    reasons: &BTreeMap<String, String>,
) -> Result<Vec<MissingUnit>, Faults> {
    let registry = books.registry().ok_or_else(no_registry)?.registry();
    let children = registry.children(books.unit(), period);
    let absent = children
        .into_iter()
        .filter(|child| books.usable(&child.id, period).is_none());
    let told = absent.map(|child| MissingUnit {
        unit: child.id.to_string(),
        name: child.placement(period).name,
        reason: reasons.get(child.id.as_str()).cloned(),
    });
    Ok(told.collect())
}

/// The events of a month by type.
#[derive(Default)]
struct Counted {
    recorded: BTreeMap<String, u64>,
    late: BTreeMap<String, u64>,
    voided: BTreeMap<String, u64>,
}

fn count(books: &Books, month: Month) -> Result<Counted, Faults> {
    let mut counted = Counted::default();
    let log = books.log().ok_or_else(no_registry)?;
    for index in log.of_month(month) {
        let (statement, _) = books.statement(index).map_err(internal)?;
        if let Some(target) = statement.voids() {
            let (target, _) = books.statement(target.index).map_err(internal)?;
            *counted.voided.entry(target.event.clone()).or_default() += 1;
        } else if !statement.is_operator() {
            *counted.recorded.entry(statement.event.clone()).or_default() += 1;
            let late = u64::from(statement.late.is_some());
            *counted.late.entry(statement.event.clone()).or_default() += late;
        }
    }
    Ok(counted)
}

fn kinds(books: &Books, month: &ClosingMonth) -> Result<Vec<KindCount>, Faults> {
    let now = count(books, month.month.period)?;
    let last = month.month.period.prev().map(|last| count(books, last));
    let last = last.transpose()?.unwrap_or_default();
    let seen: BTreeSet<&String> = now
        .recorded
        .keys()
        .chain(now.voided.keys())
        .chain(last.recorded.keys())
        .collect();
    let events = month.catalogue().events.iter();
    let seen = events.filter(|event| !event.system && seen.contains(&event.name));
    let of = |counts: &BTreeMap<String, u64>, event: &EventType| {
        counts.get(&event.name).copied().unwrap_or_default()
    };
    let told = seen.map(|event| KindCount {
        code: event.code.clone(),
        zh: event.zh.clone(),
        en: event.en.clone(),
        recorded: of(&now.recorded, event),
        late: of(&now.late, event),
        voided: of(&now.voided, event),
        last_month: of(&last.recorded, event),
    });
    Ok(told.collect())
}
