//! A subject's state, folded from its facts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::cel::{Bound, Condition, EvalError, Names, Scope, Seen};
use crate::catalogue::{Catalogue, EventType, FieldKind, Subject};
use crate::ids::{CertificateNumber, IdNumber};

/// A field's value. Dates are `YYYY-MM-DD` texts, money is an integer of 分.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Anything else.
    Text(String),
}

impl Value {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::Text(s) = self {
            Some(s)
        } else {
            None
        }
    }
    /// The number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        if let Value::Int(i) = self {
            Some(*i)
        } else {
            None
        }
    }
}

/// An event's fields by name.
pub type Fields = BTreeMap<String, Value>;

/// One event of a subject, as counting sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Index of its statement in the log.
    pub index: u64,
    /// Machine name of its type.
    pub event: String,
    /// Business day.
    pub on: NaiveDate,
    /// Its fields.
    pub fields: Fields,
}

/// An open spell (for example one employment).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spell {
    key: String,
    attributes: BTreeMap<String, Value>,
}

/// What is known of a subject at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// Does its file exist, and is it open?
    pub active: bool,
    attributes: BTreeMap<String, Value>,
    spells: BTreeMap<String, (Vec<Spell>, i64)>,
}

/// The attributes and spells that any event type of a subject may set: every one of them exists in
/// `s` from the start, so that a condition never meets a missing name.
#[derive(Debug, Default)]
struct Shape {
    attributes: BTreeMap<Arc<str>, Value>,
    spells: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Value>>,
}

/// The compiled effects and named conditions of a catalogue.
#[derive(Debug)]
pub struct Folder {
    effects: BTreeMap<String, CompiledEffect>,
    shapes: BTreeMap<Subject, Shape>,
    defines: Vec<(Arc<str>, Condition)>,
}

#[derive(Debug)]
struct CompiledEffect {
    begin: bool,
    end: bool,
    set: Vec<(String, Condition)>,
    open: Option<String>,
    close: Option<String>,
    key: Option<Condition>,
    spell_set: Vec<(String, Condition)>,
}

impl Folder {
    /// Compiles the catalogue's effects.
    ///
    /// # Errors
    /// The first expression that does not compile; a validated catalogue has none.
    pub fn new(c: &Catalogue) -> Result<Folder, EvalError> {
        let mut effects = BTreeMap::new();
        let mut shapes: BTreeMap<Subject, Shape> = BTreeMap::new();
        for e in &c.events {
            let f = &e.effect;
            let shape = shapes.entry(e.subject).or_default();
            let compiled = |name: &String, source: &String| {
                Condition::new(&format!("{}.{name}", e.code), source)
                    .map(|p| p.map(|p| (name.clone(), p)))
            };
            let list = |m: &BTreeMap<String, String>| -> Result<Vec<_>, EvalError> {
                m.iter()
                    .filter_map(|(n, s)| compiled(n, s).transpose())
                    .collect()
            };
            for (name, source) in &f.set {
                shape
                    .attributes
                    .entry(name.as_str().into())
                    .or_insert_with(|| default_of(e, source));
            }
            for spell in f.open.iter().chain(&f.close) {
                let attributes = shape.spells.entry(spell.as_str().into()).or_default();
                for (name, source) in &f.spell_set {
                    attributes
                        .entry(name.as_str().into())
                        .or_insert_with(|| default_of(e, source));
                }
            }
            effects.insert(
                e.name.clone(),
                CompiledEffect {
                    begin: f.begin,
                    end: f.end,
                    set: list(&f.set)?,
                    open: f.open.clone(),
                    close: f.close.clone(),
                    key: Condition::new(&format!("{}.spell_key", e.code), &f.spell_key)?,
                    spell_set: list(&f.spell_set)?,
                },
            );
        }
        let defines = c
            .defines
            .iter()
            .filter_map(|d| {
                Condition::new(&format!("define {}", d.name), &d.expr)
                    .map(|p| p.map(|p| (Arc::from(d.name.as_str()), p)))
                    .transpose()
            })
            .collect::<Result<_, _>>()?;
        Ok(Folder {
            effects,
            shapes,
            defines,
        })
    }

    /// Applies one fact to a state.
    ///
    /// # Errors
    /// A condition that could not be evaluated.
    pub fn apply(
        &self,
        state: &mut State,
        subject: Subject,
        event: &EventType,
        fact: &Fact,
    ) -> Result<(), EvalError> {
        let Some(effect) = self.effects.get(&event.name) else {
            return Ok(());
        };
        let evaluate = |list: &[(String, Condition)],
                        scope: &Scope<'_>|
         -> Result<Vec<(String, Value)>, EvalError> {
            list.iter()
                .map(|(name, c)| Ok((name.clone(), c.value(scope)?)))
                .collect()
        };
        let (mut set, mut spell_set, mut key) = (Vec::new(), Vec::new(), String::new());
        if !effect.is_plain() {
            let scope = self.effect_scope(state, subject, event, fact);
            set = evaluate(&effect.set, &scope)?;
            spell_set = evaluate(&effect.spell_set, &scope)?;
            key = effect
                .key
                .as_ref()
                .map(|k| k.text(&scope))
                .transpose()?
                .unwrap_or_default();
        }
        if effect.begin {
            state.active = true;
        }
        if effect.end {
            state.active = false;
            state.spells.values_mut().for_each(|(open, _)| open.clear());
        }
        state.attributes.extend(set);
        if let Some(name) = &effect.close {
            let (open, _) = state.spells.entry(name.clone()).or_default();
            open.retain(|s| s.key != key);
        }
        if let Some(name) = &effect.open {
            let (open, ever) = state.spells.entry(name.clone()).or_default();
            if !open.iter().any(|s| s.key == key) {
                *ever += 1;
                open.push(Spell {
                    key,
                    attributes: spell_set.into_iter().collect(),
                });
            }
        }
        Ok(())
    }

    /// Whether a spell with this event's key is open: what closing or opening it again is judged
    /// by.
    ///
    /// # Errors
    /// A condition that could not be evaluated.
    pub fn spell_is_open(
        &self,
        state: &State,
        subject: Subject,
        event: &EventType,
        fact: &Fact,
    ) -> Result<bool, EvalError> {
        let Some(effect) = self.effects.get(&event.name) else {
            return Ok(false);
        };
        let (Some(name), Some(key)) = (effect.close.as_ref().or(effect.open.as_ref()), &effect.key)
        else {
            return Ok(false);
        };
        let scope = self.effect_scope(state, subject, event, fact);
        let key = key.text(&scope)?;
        Ok(state
            .spells
            .get(name)
            .is_some_and(|(open, _)| open.iter().any(|s| s.key == key)))
    }

    /// What an effect's expressions see: the event, the state before it, and the day.
    fn effect_scope<'a>(
        &'a self,
        state: &'a State,
        subject: Subject,
        event: &'a EventType,
        fact: &'a Fact,
    ) -> Scope<'a> {
        let mut scope = Scope::default();
        scope.set("e", EventView::new(event, &fact.fields));
        scope.set("s", self.view(state, subject, fact.on));
        scope.set("on", fact.on.to_string());
        scope
    }

    /// The state as the map `s` at day `t`.
    pub fn view<'a>(&'a self, state: &'a State, subject: Subject, t: NaiveDate) -> StateView<'a> {
        let birth = state
            .attributes
            .get("birth")
            .and_then(Value::as_str)
            .and_then(|b| b.parse::<NaiveDate>().ok());
        StateView {
            state,
            shape: self.shapes.get(&subject),
            age: birth.map_or(0, |b| i64::from(age_at(b, t))),
        }
    }

    /// A scope with `s`, `t`, `d` and `period` bound for this state at day `t`.
    ///
    /// # Errors
    /// A named condition that could not be evaluated.
    pub fn scope<'a>(
        &'a self,
        state: &'a State,
        subject: Subject,
        t: NaiveDate,
        period: &str,
    ) -> Result<Scope<'a>, EvalError> {
        let mut scope = Scope::default();
        scope.set("s", self.view(state, subject, t));
        scope.set("t", t.to_string());
        scope.set("period", period);
        if subject == Subject::Person {
            scope.set("d", Names::new());
            for (name, condition) in &self.defines {
                let value = condition.value(&scope)?;
                scope.set_in("d", name.clone(), value);
            }
        }
        Ok(scope)
    }
}

impl CompiledEffect {
    /// Whether nothing of it has to be evaluated.
    fn is_plain(&self) -> bool {
        self.set.is_empty() && self.spell_set.is_empty() && self.key.is_none()
    }
}

/// Completed years at day `t`; 0 before birth.
pub fn age_at(birth: NaiveDate, t: NaiveDate) -> i32 {
    let had = (t.month(), t.day()) >= (birth.month(), birth.day());
    (t.year() - birth.year() - i32::from(!had)).max(0)
}

/// A subject's state at a day, as conditions see it: every attribute and spell of the shape exists,
/// and the age.
#[derive(Debug)]
pub struct StateView<'a> {
    state: &'a State,
    shape: Option<&'a Shape>,
    age: i64,
}

impl<'a> StateView<'a> {
    pub(super) fn see(&self, path: &[String]) -> Option<Seen<'a>> {
        match path {
            [name] if name == "age" => Some(Seen::Int(self.age)),
            [name] if self.spell(name).is_some() => None,
            [name] => match self
                .shape
                .and_then(|shape| shape.attributes.get(name.as_str()))
            {
                Some(default) => Some(Seen::of(self.state.attributes.get(name).unwrap_or(default))),
                None => (name == "active").then_some(Seen::Bool(self.state.active)),
            },
            [spell, name] => {
                let attributes = self.spell(spell)?;
                let (open, ever) = self
                    .state
                    .spells
                    .get(spell)
                    .map_or((&[][..], 0), |(open, ever)| (open.as_slice(), *ever));
                match (attributes.get(name.as_str()), name.as_str()) {
                    (Some(default), _) => Some(Seen::of(
                        open.last()
                            .and_then(|s| s.attributes.get(name))
                            .unwrap_or(default),
                    )),
                    (None, "open") => {
                        Some(Seen::Int(i64::try_from(open.len()).unwrap_or(i64::MAX)))
                    }
                    (None, "ever") => Some(Seen::Int(ever)),
                    (None, _) => None,
                }
            }
            _ => None,
        }
    }

    fn spell(&self, name: &str) -> Option<&'a BTreeMap<Arc<str>, Value>> {
        self.shape?.spells.get(name)
    }

    /// All that can be seen, for the interpreter.
    pub(super) fn names(&self) -> Names<'static> {
        let mut names = Names::new();
        let attributes = self
            .shape
            .into_iter()
            .flat_map(|shape| shape.attributes.keys());
        for name in attributes.map(|n| &**n).chain(["active", "age"]) {
            names.extend(
                self.see(&[name.to_string()])
                    .map(|seen| (name.into(), seen.to_value().into())),
            );
        }
        for (spell, attributes) in self.shape.into_iter().flat_map(|shape| &shape.spells) {
            let inside = attributes.keys().map(|n| &**n).chain(["open", "ever"]);
            let see = |name: &str| {
                self.see(&[spell.to_string(), name.to_string()])
                    .map(|seen| (name.into(), seen.to_value().into()))
            };
            names.insert(spell.clone(), Bound::Map(inside.filter_map(see).collect()));
        }
        names
    }
}

/// An event's fields as the map `e`: every declared field exists, and what a certificate or ID
/// number tells is there.
#[derive(Debug)]
pub struct EventView<'a> {
    event: &'a EventType,
    fields: &'a Fields,
    told: BTreeMap<&'static str, Value>,
}

impl<'a> EventView<'a> {
    /// Of an event of this type with these fields.
    pub fn new(event: &'a EventType, fields: &'a Fields) -> EventView<'a> {
        let mut told = BTreeMap::new();
        for f in &event.fields {
            // Of two that tell the same the later one counts.
            told.remove(f.name.as_str());
            if f.optional && event.key != f.name {
                continue;
            }
            match (f.kind, fields.get(&f.name).and_then(Value::as_str)) {
                (FieldKind::IdNumber, Some(text)) => {
                    if let Ok(id) = text.parse::<IdNumber>() {
                        told.extend(told_by(&id));
                    }
                }
                (FieldKind::Certificate, Some(text)) => {
                    if let Ok(cert) = text.parse::<CertificateNumber>() {
                        told.insert("category", Value::Text(cert.category().to_string()));
                        told.insert("grade", Value::Text(cert.grade().to_string()));
                        told.extend(told_by(cert.id()));
                    }
                }
                _ => {}
            }
        }
        EventView {
            event,
            fields,
            told,
        }
    }

    pub(super) fn see(&self, path: &[String]) -> Option<Seen<'_>> {
        let [name] = path else { return None };
        if let Some(told) = self.told.get(name.as_str()) {
            return Some(Seen::of(told));
        }
        let field = self.event.field(name)?;
        Some(
            self.fields
                .get(name)
                .map_or(default_for(field.kind), Seen::of),
        )
    }

    /// All that can be seen, for the interpreter.
    pub(super) fn names(&self) -> Names<'static> {
        let all = self
            .event
            .fields
            .iter()
            .map(|f| f.name.as_str())
            .chain(self.told.keys().copied());
        all.filter_map(|name| {
            self.see(&[name.to_string()])
                .map(|seen| (name.into(), seen.to_value().into()))
        })
        .collect()
    }
}

fn told_by(id: &IdNumber) -> [(&'static str, Value); 2] {
    [
        ("sex", Value::Text(id.sex().code().to_string())),
        ("birth", Value::Text(id.birth().to_string())),
    ]
}

/// What names the subject of an event: the ID number of a person, the reference of a carrier.
pub fn subject_key(event: &EventType, fields: &Fields) -> Option<String> {
    let text = fields.get(&event.key)?.as_str()?;
    match event.field(&event.key)?.kind {
        FieldKind::Certificate => text
            .parse::<CertificateNumber>()
            .ok()
            .map(|c| c.id().as_str().to_string()),
        FieldKind::IdNumber => text
            .parse::<IdNumber>()
            .ok()
            .map(|i| i.as_str().to_string()),
        _ => Some(text.to_string()),
    }
}

fn default_for(kind: FieldKind) -> Seen<'static> {
    match kind {
        FieldKind::Bool => Seen::Bool(false),
        FieldKind::Int | FieldKind::Fen => Seen::Int(0),
        _ => Seen::Text(""),
    }
}

/// The value that an attribute has before anything set it: of the kind of the field that it is
/// copied from.
fn default_of(event: &EventType, source: &str) -> Value {
    let source = source.trim();
    if source == "true" || source == "false" {
        return Value::Bool(false);
    }
    if source.parse::<i64>().is_ok() {
        return Value::Int(0);
    }
    source
        .strip_prefix("e.")
        .and_then(|name| event.field(name))
        .map_or(Value::Text(String::new()), |f| {
            default_for(f.kind).to_value()
        })
}

/// Orders facts by day and then by log index, leaving voided ones out.
pub fn in_order<'a>(facts: &'a [Fact], voided: &BTreeSet<u64>) -> Vec<&'a Fact> {
    let mut list: Vec<&Fact> = facts
        .iter()
        .filter(|f| !voided.contains(&f.index))
        .collect();
    list.sort_by_key(|f| (f.on, f.index));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(t: &str) -> Value {
        Value::Text(t.into())
    }

    #[test]
    fn what_is_looked_up_is_what_the_interpreter_sees() {
        let shape = Shape {
            attributes: [("residence".into(), text("")), ("grade".into(), text(""))].into(),
            spells: [(
                "job".into(),
                [("form".into(), text("")), ("wage".into(), Value::Int(0))].into(),
            )]
            .into(),
        };
        let spell = Spell {
            key: "r1".into(),
            attributes: [("form".into(), text("self"))].into(),
        };
        let state = State {
            active: true,
            attributes: [
                ("residence".into(), text("urban")),
                ("birth".into(), text("1990-01-02")),
            ]
            .into(),
            spells: [("job".into(), (vec![spell], 2))].into(),
        };
        let mut scope = Scope::default();
        scope.set(
            "s",
            StateView {
                state: &state,
                shape: Some(&shape),
                age: 36,
            },
        );
        for source in [
            "s.active && s.age == 36",
            "s.residence == 'urban' && s.grade == ''",
            "s.job.open == 1 && s.job.ever == 2",
            "s.job.form == 'self' && s.job.wage == 0",
        ] {
            let condition = Condition::new(source, source).unwrap().unwrap();
            assert!(condition.is_plain(&scope), "{source}");
            assert_eq!(
                (condition.value(&scope), condition.interpret(&scope)),
                (Ok(Value::Bool(true)), Ok(Value::Bool(true))),
                "{source}"
            );
        }
        for source in [
            "s.birth",
            "s.job",
            "s.job.none",
            "s.none",
            "s.age.x",
            "s.residence.x",
        ] {
            let condition = Condition::new(source, source).unwrap().unwrap();
            assert!(
                !condition.is_plain(&scope) && condition.interpret(&scope).is_err(),
                "{source}"
            );
        }
    }
}
