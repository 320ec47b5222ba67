//! The engine: facts and a new event in, moves out.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::cel::{Condition, EvalError, holds};
use super::fold::Folder;
use super::scope::{EventView, Scope};
use super::state::{Fact, State, in_order};
use super::value::Value;
use crate::catalogue::{Catalogue, EventType, Indicator, Kind, Subject};
use crate::period::Month;

/// The direction of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MoveKind {
    /// Into a stock's or distinct count's cell.
    #[serde(rename = "in")]
    In,
    /// Out of it.
    #[serde(rename = "out")]
    Out,
    /// A count, or the weight of a sum.
    #[serde(rename = "n")]
    Count,
    /// An amount in 分.
    #[serde(rename = "amount")]
    Amount,
}

/// What one event adds to one figure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// Figure id, for example `I011` or `I011@plan`.
    #[serde(rename = "f")]
    pub figure: String,
    /// Direction.
    #[serde(rename = "k")]
    pub kind: MoveKind,
    /// The codes of the indicator's dimensions, joined by `*`; empty where it has no tables.
    #[serde(rename = "c")]
    pub cell: String,
    /// 1; the weight of a sum or baseline; the amount.
    #[serde(rename = "w")]
    pub weight: i64,
}

/// The moves of one event.
pub type Moves = Vec<Move>;

/// What the log says of one subject so far: net weight per figure and cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Balance(BTreeMap<String, BTreeMap<String, i64>>);

impl Balance {
    /// Adds an event's moves (`sign` = 1), or takes them back (`sign` = −1).
    pub fn add(&mut self, moves: &[Move], sign: i64) {
        for m in moves {
            let signed = match m.kind {
                MoveKind::In => sign,
                MoveKind::Out => -sign,
                MoveKind::Count | MoveKind::Amount => continue,
            };
            let cells = self.0.entry(m.figure.clone()).or_default();
            let value = cells.entry(m.cell.clone()).or_default();
            *value += signed;
            if *value == 0 {
                cells.remove(&m.cell);
            }
            if cells.is_empty() {
                self.0.remove(&m.figure);
            }
        }
    }

    /// The cells of a figure whose weight is not 0.
    fn of(&self, figure: &str) -> impl Iterator<Item = (&str, i64)> {
        self.0
            .get(figure)
            .into_iter()
            .flatten()
            .map(|(cell, n)| (cell.as_str(), *n))
    }

    fn total(&self, figure: &str) -> i64 {
        self.of(figure).map(|(_, n)| n).sum()
    }
}

/// Why an event cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    /// A condition could not be evaluated.
    #[error(transparent)]
    Condition(#[from] EvalError),
    /// A dimension gave a code that it does not declare.
    #[error(
        "figure {figure}: dimension {dimension} has no code {value:?}; check the event's fields or the catalogue [count.code]"
    )]
    UnknownCode {
        /// Figure.
        figure: String,
        /// Dimension.
        dimension: String,
        /// What it gave.
        value: String,
    },
    /// An event type that the catalogue does not have.
    #[error("the catalogue has no event type {0:?} [count.event]")]
    UnknownEvent(String),
}

impl CountError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            CountError::Condition(_) => "count.condition",
            CountError::UnknownCode { .. } => "count.code",
            CountError::UnknownEvent(_) => "count.event",
        }
    }
}

struct Counted {
    indicator: Indicator,
    condition: Option<Condition>,
    dimensions: Vec<String>,
}

/// A catalogue, compiled for counting.
pub struct Engine {
    catalogue: Catalogue,
    folder: Folder,
    counted: Vec<Counted>,
    /// For each event type's code the places of the figures that it feeds.
    feeding: BTreeMap<String, Vec<usize>>,
    dimensions: BTreeMap<String, (Condition, BTreeSet<String>)>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Engine({} v{})",
            self.catalogue.id, self.catalogue.version
        )
    }
}

/// Everything about one subject that counting needs.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// All its facts, in any order.
    pub facts: &'a [Fact],
    /// Log indexes of voided ones.
    pub voided: &'a BTreeSet<u64>,
    /// What the log says so far.
    pub balance: &'a Balance,
}

impl Engine {
    /// Compiles a validated catalogue.
    ///
    /// # Errors
    /// An expression that does not compile.
    pub fn new(catalogue: Catalogue) -> Result<Engine, EvalError> {
        let folder = Folder::new(&catalogue)?;
        let mut counted = Vec::new();
        let mut feeding: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for i in catalogue.indicators.iter().filter(|i| i.kind.is_counted()) {
            for code in i.events.iter().collect::<BTreeSet<_>>() {
                feeding.entry(code.clone()).or_default().push(counted.len());
            }
            counted.push(Counted {
                indicator: i.clone(),
                condition: Condition::new(&format!("{}.where", i.id), &i.condition)?,
                dimensions: i.dimensions(),
            });
        }
        let mut dimensions = BTreeMap::new();
        for d in &catalogue.dimensions {
            if let Some(value) = Condition::new(&format!("dimension {}", d.id), &d.value)? {
                dimensions.insert(
                    d.id.clone(),
                    (value, d.codes.iter().map(|c| c.code.clone()).collect()),
                );
            }
        }
        Ok(Engine {
            catalogue,
            folder,
            counted,
            feeding,
            dimensions,
        })
    }

    /// The catalogue that this engine counts by.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The subject's state when `facts` (in order) have happened.
    ///
    /// # Errors
    /// A condition that could not be evaluated, or an unknown event type.
    pub fn state<'a>(
        &self,
        subject: Subject,
        facts: impl IntoIterator<Item = &'a Fact>,
    ) -> Result<State, CountError> {
        let mut state = State::default();
        self.go_on(&mut state, subject, facts)?;
        Ok(state)
    }

    /// Lets more facts happen.
    fn go_on<'a>(
        &self,
        state: &mut State,
        subject: Subject,
        facts: impl IntoIterator<Item = &'a Fact>,
    ) -> Result<(), CountError> {
        for fact in facts {
            let event = self.event(&fact.event)?;
            self.folder.apply(state, subject, event, fact)?;
        }
        Ok(())
    }

    /// The state just before `fact` would happen, in the order of days and indexes.
    ///
    /// # Errors
    /// As [`Engine::state`].
    pub fn state_before(
        &self,
        subject: Subject,
        history: History<'_>,
        fact: &Fact,
    ) -> Result<State, CountError> {
        let ordered = in_order(history.facts, history.voided);
        self.state(
            subject,
            ordered
                .into_iter()
                .filter(|f| (f.on, f.index) < (fact.on, fact.index)),
        )
    }

    /// Whether the spell that `fact` opens or closes is open just before it.
    ///
    /// # Errors
    /// As [`Engine::state`].
    pub fn spell_is_open(
        &self,
        subject: Subject,
        before: &State,
        fact: &Fact,
    ) -> Result<bool, CountError> {
        Ok(self
            .folder
            .spell_is_open(before, subject, self.event(&fact.event)?, fact)?)
    }

    /// The moves of a new event of a subject, recorded in `period`.
    ///
    /// `first_day` is the first day of the unit's first period: an event dated before it is an
    /// opening entry, which moves stocks and never flows.
    ///
    /// # Errors
    /// A condition that could not be evaluated, or a dimension outside its codes.
    pub fn contribute(
        &self,
        event: &EventType,
        history: History<'_>,
        fact: &Fact,
        period: Month,
        first_day: NaiveDate,
    ) -> Result<Moves, CountError> {
        if event.effect.baseline {
            return self.baseline(fact);
        }
        let before = self.state_before(event.subject, history, fact)?;
        self.contribute_after(event, history, fact, &before, period, first_day)
    }

    /// As [`Engine::contribute`], where the state just before the event was folded already.
    ///
    /// # Errors
    /// As [`Engine::contribute`].
    pub fn contribute_after(
        &self,
        event: &EventType,
        history: History<'_>,
        fact: &Fact,
        before: &State,
        period: Month,
        first_day: NaiveDate,
    ) -> Result<Moves, CountError> {
        if event.effect.baseline {
            return self.baseline(fact);
        }
        let mut after = before.clone();
        self.folder.apply(&mut after, event.subject, event, fact)?;
        // An event before the unit's first day is an opening entry: no flow.
        let flows = fact.on >= first_day && self.feeding(event).any(|c| c.indicator.kind.is_flow());
        let scope = if flows {
            Some(self.flow_scope(event, before, &after, fact, period)?)
        } else {
            None
        };
        let mut moves = match &scope {
            Some(scope) => self.flows(event, scope, fact)?,
            None => Moves::new(),
        };
        if self.feeds_stocks(event) {
            let t = period.last_day();
            let ordered = in_order(history.facts, history.voided);
            let place = ordered.partition_point(|f| (f.on, f.index) < (fact.on, fact.index));
            let folded;
            let last = if fact.on <= t && until(&ordered[place..], t).next().is_none() {
                &after
            } else {
                let mut state = if fact.on <= t {
                    after.clone()
                } else {
                    self.state(event.subject, until(&ordered[..place], t))?
                };
                self.go_on(&mut state, event.subject, until(&ordered[place..], t))?;
                folded = state;
                &folded
            };
            moves.extend(self.stocks(event, last, history.balance, period)?);
        }
        if let Some(scope) = &scope {
            moves.extend(self.distinct(event, scope, history.balance, fact, period)?);
        }
        Ok(moves)
    }

    /// The moves that bring a subject's stocks (and, where `distinct` is asked for, its distinct
    /// counts) from what the log says to what its facts say at the end of `period`. Several recount
    /// events may be needed after a void: at most one pair of moves per figure is given at a time,
    /// so call until it is empty.
    ///
    /// # Errors
    /// As [`Engine::contribute`].
    pub fn recount(
        &self,
        recount: &EventType,
        history: History<'_>,
        period: Month,
        first_day: NaiveDate,
        distinct: bool,
    ) -> Result<Moves, CountError> {
        let mut moves = Moves::new();
        if self.feeds_stocks(recount) {
            let ordered = in_order(history.facts, history.voided);
            let last = self.state(recount.subject, until(&ordered, period.last_day()))?;
            moves = self.stocks(recount, &last, history.balance, period)?;
        }
        if distinct {
            for c in self
                .feeding(recount)
                .filter(|c| c.indicator.kind == Kind::Distinct)
            {
                for (figure, from, to) in self.windows(&c.indicator, period) {
                    let counted = history.balance.total(&figure);
                    let qualifying = self.first_qualifying(
                        c,
                        history,
                        from.max(first_day),
                        to.min(period.last_day()),
                    )?;
                    match (counted, qualifying) {
                        // Counted more than once: a leaf of a later month that came early, and one of
                        // this month that did not see it.
                        (n, Some(cell)) if n > 1 => moves.push(Move {
                            cell: surplus(history.balance, &figure, &cell),
                            figure,
                            kind: MoveKind::Out,
                            weight: 1,
                        }),
                        (0, Some(cell)) => moves.push(Move {
                            figure,
                            kind: MoveKind::In,
                            cell,
                            weight: 1,
                        }),
                        (n, None) if n > 0 => {
                            let cell = history
                                .balance
                                .of(&figure)
                                .find(|(_, n)| *n > 0)
                                .map(|(c, _)| c.to_string())
                                .unwrap_or_default();
                            moves.push(Move {
                                figure,
                                kind: MoveKind::Out,
                                cell,
                                weight: 1,
                            });
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(moves)
    }

    /// The members of a stock at the end of `period`: whether this subject is one, and its cell.
    ///
    /// # Errors
    /// As [`Engine::contribute`].
    pub fn member(
        &self,
        figure: &str,
        subject: Subject,
        history: History<'_>,
        period: Month,
    ) -> Result<Option<String>, CountError> {
        let Some(c) = self.counted.iter().find(|c| c.indicator.id == figure) else {
            return Ok(None);
        };
        let t = period.last_day();
        let state = self.state(subject, until(&in_order(history.facts, history.voided), t))?;
        let scope = self.folder.scope(&state, subject, t, &period.to_string())?;
        if holds(c.condition.as_ref(), &scope)? {
            Ok(Some(self.cell(c, &scope)?))
        } else {
            Ok(None)
        }
    }

    fn event(&self, name: &str) -> Result<&EventType, CountError> {
        self.catalogue
            .event(name)
            .ok_or_else(|| CountError::UnknownEvent(name.to_string()))
    }

    fn feeding<'a>(&'a self, event: &EventType) -> impl Iterator<Item = &'a Counted> + use<'a> {
        self.feeding
            .get(&event.code)
            .into_iter()
            .flatten()
            .map(|n| &self.counted[*n])
    }

    /// An opening stock declared as a number: into the cell named by the event's own dimension
    /// fields.
    fn baseline(&self, fact: &Fact) -> Result<Moves, CountError> {
        let text = |name: &str| {
            fact.fields
                .get(name)
                .and_then(|v| v.as_str())
                .unwrap_or_default()
                .to_string()
        };
        let figure = text("indicator");
        let weight = fact
            .fields
            .get("value")
            .and_then(Value::as_int)
            .unwrap_or(0);
        let Some(c) = self.counted.iter().find(|c| c.indicator.id == figure) else {
            return Err(CountError::UnknownCode {
                figure: figure.clone(),
                dimension: "indicator".into(),
                value: figure,
            });
        };
        let mut codes = Vec::new();
        for d in &c.dimensions {
            let code = text(d);
            self.known(&figure, d, &code)?;
            codes.push(code);
        }
        Ok(vec![Move {
            figure,
            kind: MoveKind::In,
            cell: codes.join("*"),
            weight,
        }])
    }

    /// Counts, sums and amounts of this event alone.
    fn flows(
        &self,
        event: &EventType,
        scope: &Scope<'_>,
        fact: &Fact,
    ) -> Result<Moves, CountError> {
        let mut moves = Moves::new();
        for c in self
            .feeding(event)
            .filter(|c| c.indicator.kind.is_flow() && c.indicator.kind != Kind::Distinct)
        {
            if !holds(c.condition.as_ref(), scope)? {
                continue;
            }
            let figure = c.indicator.id.clone();
            let number = || {
                fact.fields
                    .get(&c.indicator.field)
                    .and_then(Value::as_int)
                    .unwrap_or(0)
            };
            match c.indicator.kind {
                Kind::Amount => moves.push(Move {
                    figure,
                    kind: MoveKind::Amount,
                    cell: String::new(),
                    weight: number(),
                }),
                Kind::Sum => {
                    let cell = self.cell(c, scope)?;
                    moves.push(Move {
                        figure,
                        kind: MoveKind::Count,
                        cell,
                        weight: number(),
                    });
                }
                _ => {
                    let cell = self.cell(c, scope)?;
                    moves.push(Move {
                        figure,
                        kind: MoveKind::Count,
                        cell,
                        weight: 1,
                    });
                }
            }
        }
        Ok(moves)
    }

    fn feeds_stocks(&self, event: &EventType) -> bool {
        self.feeding(event).any(|c| c.indicator.kind.is_stock())
    }

    /// Brings the stocks that an event feeds from the balance to what the state at the end of the
    /// month says.
    fn stocks(
        &self,
        event: &EventType,
        last: &State,
        balance: &Balance,
        period: Month,
    ) -> Result<Moves, CountError> {
        let mut moves = Moves::new();
        let scope =
            self.folder
                .scope(last, event.subject, period.last_day(), &period.to_string())?;
        for c in self.feeding(event).filter(|c| c.indicator.kind.is_stock()) {
            let target = if holds(c.condition.as_ref(), &scope)? {
                Some(self.cell(c, &scope)?)
            } else {
                None
            };
            let mut difference: BTreeMap<&str, i64> = balance
                .of(&c.indicator.id)
                .map(|(cell, n)| (cell, -n))
                .collect();
            if let Some(cell) = &target {
                *difference.entry(cell).or_default() += 1;
            }
            for (kind, sign) in [(MoveKind::Out, -1), (MoveKind::In, 1)] {
                if let Some((cell, _)) = difference.iter().find(|(_, n)| n.signum() == sign) {
                    moves.push(Move {
                        figure: c.indicator.id.clone(),
                        kind,
                        cell: (*cell).to_string(),
                        weight: 1,
                    });
                }
            }
        }
        Ok(moves)
    }

    /// The distinct counts that this event is the first of.
    fn distinct(
        &self,
        event: &EventType,
        scope: &Scope<'_>,
        balance: &Balance,
        fact: &Fact,
        period: Month,
    ) -> Result<Moves, CountError> {
        let mut moves = Moves::new();
        for c in self
            .feeding(event)
            .filter(|c| c.indicator.kind == Kind::Distinct)
        {
            if !holds(c.condition.as_ref(), scope)? {
                continue;
            }
            for (figure, from, to) in self.windows(&c.indicator, period) {
                if balance.total(&figure) == 0 && (from..=to).contains(&fact.on) {
                    moves.push(Move {
                        figure,
                        kind: MoveKind::In,
                        cell: self.cell(c, scope)?,
                        weight: 1,
                    });
                }
            }
        }
        Ok(moves)
    }

    /// The first event of the window that qualifies, in the order of days: the cell that the
    /// subject counts in.
    fn first_qualifying(
        &self,
        c: &Counted,
        history: History<'_>,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Option<String>, CountError> {
        for fact in in_order(history.facts, history.voided) {
            if !(from..=to).contains(&fact.on) {
                continue;
            }
            let event = self.event(&fact.event)?;
            if event.system || !c.indicator.events.contains(&event.code) {
                continue;
            }
            let Some(month) = Month::of(fact.on) else {
                continue;
            };
            let before = self.state_before(event.subject, history, fact)?;
            let mut after = before.clone();
            self.folder.apply(&mut after, event.subject, event, fact)?;
            let scope = self.flow_scope(event, &before, &after, fact, month)?;
            if holds(c.condition.as_ref(), &scope)? {
                return Ok(Some(self.cell(c, &scope)?));
            }
        }
        Ok(None)
    }

    /// The scope of a flow's condition: the state on the event's day, before and after it.
    fn flow_scope<'a>(
        &'a self,
        event: &'a EventType,
        before: &'a State,
        after: &'a State,
        fact: &'a Fact,
        period: Month,
    ) -> Result<Scope<'a>, CountError> {
        let subject = event.subject;
        let mut scope = self
            .folder
            .scope(after, subject, fact.on, &period.to_string())?;
        scope.set("before", self.folder.view(before, subject, fact.on));
        scope.set("e", EventView::new(event, &fact.fields));
        scope.set("on", fact.on.to_string());
        Ok(scope)
    }

    /// The windows of a distinct indicator that are running in `period`, with their figure ids. A
    /// balance that is handed in holds only moves that still bind in `period`
    /// ([`Engine::still_binds`]): a new year is a new window.
    fn windows(&self, i: &Indicator, period: Month) -> Vec<(String, NaiveDate, NaiveDate)> {
        let mut list = Vec::new();
        for (n, w) in i.windows.iter().enumerate() {
            let figure = if n == 0 {
                i.id.clone()
            } else {
                format!("{}@{w}", i.id)
            };
            let span = if w == "year" {
                let y = period.year();
                NaiveDate::from_ymd_opt(y, 1, 1).zip(NaiveDate::from_ymd_opt(y, 12, 31))
            } else {
                self.catalogue
                    .windows
                    .iter()
                    .find(|x| &x.id == w)
                    .and_then(|x| x.from.parse().ok().zip(x.to.parse().ok()))
            };
            if let Some((from, to)) = span {
                list.push((figure, from, to));
            }
        }
        list
    }

    /// Whether moves of a figure that were recorded in `then` still bind in `now`: a yearly
    /// distinct count starts anew each year, everything else carries on.
    pub fn still_binds(&self, figure: &str, then: Month, now: Month) -> bool {
        let Some(i) = self.catalogue.indicator(figure) else {
            return true;
        };
        let window = match figure.split_once('@') {
            Some((_, w)) => Some(w),
            None => i.windows.first().map(String::as_str),
        };
        window != Some("year")
            || i.kind != Kind::Distinct
            || then.first_day().year() == now.first_day().year()
    }

    fn cell(&self, c: &Counted, scope: &Scope<'_>) -> Result<String, CountError> {
        let mut codes = Vec::with_capacity(c.dimensions.len());
        for d in &c.dimensions {
            let Some((value, _)) = self.dimensions.get(d) else {
                continue;
            };
            let code = value.text(scope)?;
            self.known(&c.indicator.id, d, &code)?;
            codes.push(code);
        }
        Ok(codes.join("*"))
    }

    fn known(&self, figure: &str, dimension: &str, code: &str) -> Result<(), CountError> {
        if self
            .dimensions
            .get(dimension)
            .is_some_and(|(_, codes)| codes.contains(code))
        {
            return Ok(());
        }
        Err(CountError::UnknownCode {
            figure: figure.to_string(),
            dimension: dimension.to_string(),
            value: code.to_string(),
        })
    }
}

/// Those of the facts that have happened by the end of day `t`.
fn until<'a>(facts: &'a [&'a Fact], t: NaiveDate) -> impl Iterator<Item = &'a Fact> {
    facts.iter().copied().filter(move |f| f.on <= t)
}

/// The cell of a distinct count that is taken out first where a subject stands in more than one, or
/// twice in one: another one than that in which it belongs, if there is one.
fn surplus(balance: &Balance, figure: &str, belongs: &str) -> String {
    let counted = || {
        let cells = balance.of(figure).filter(|(_, n)| *n > 0);
        cells.map(|(cell, _)| cell)
    };
    let other = counted().find(|cell| *cell != belongs);
    other.unwrap_or(belongs).to_string()
}
