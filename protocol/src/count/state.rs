//! A subject's state, folded from its facts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::cel::{Bound, Condition, EvalError, Names, Scope};
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
        if let Value::Text(s) = self { Some(s) } else { None }
    }
    /// The number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        if let Value::Int(i) = self { Some(*i) } else { None }
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

/// The attributes and spells that any event type of a subject may set: every one of them exists in `s` from the start,
/// so that a condition never meets a missing name.
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
                Condition::new(&format!("{}.{name}", e.code), source).map(|p| p.map(|p| (name.clone(), p)))
            };
            let list = |m: &BTreeMap<String, String>| -> Result<Vec<_>, EvalError> {
                m.iter().filter_map(|(n, s)| compiled(n, s).transpose()).collect()
            };
            for (name, source) in &f.set {
                shape.attributes.entry(name.as_str().into()).or_insert_with(|| default_of(e, source));
            }
            for spell in f.open.iter().chain(&f.close) {
                let attributes = shape.spells.entry(spell.as_str().into()).or_default();
                for (name, source) in &f.spell_set {
                    attributes.entry(name.as_str().into()).or_insert_with(|| default_of(e, source));
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
                Condition::new(&format!("define {}", d.name), &d.expr).map(|p| p.map(|p| (Arc::from(d.name.as_str()), p))).transpose()
            })
            .collect::<Result<_, _>>()?;
        Ok(Folder { effects, shapes, defines })
    }

    /// Applies one fact to a state.
    ///
    /// # Errors
    /// A condition that could not be evaluated.
    pub fn apply(&self, state: &mut State, subject: Subject, event: &EventType, fact: &Fact) -> Result<(), EvalError> {
        let Some(effect) = self.effects.get(&event.name) else { return Ok(()) };
        let evaluate = |list: &[(String, Condition)], scope: &Scope| -> Result<Vec<(String, Value)>, EvalError> {
            list.iter().map(|(name, c)| Ok((name.clone(), c.value(scope)?))).collect()
        };
        let (mut set, mut spell_set, mut key) = (Vec::new(), Vec::new(), String::new());
        if !effect.is_plain() {
            let scope = self.effect_scope(state, subject, event, fact);
            set = evaluate(&effect.set, &scope)?;
            spell_set = evaluate(&effect.spell_set, &scope)?;
            key = effect.key.as_ref().map(|k| k.text(&scope)).transpose()?.unwrap_or_default();
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
                open.push(Spell { key, attributes: spell_set.into_iter().collect() });
            }
        }
        Ok(())
    }

    /// Whether a spell with this event's key is open: what closing or opening it again is judged by.
    ///
    /// # Errors
    /// A condition that could not be evaluated.
    pub fn spell_is_open(&self, state: &State, subject: Subject, event: &EventType, fact: &Fact) -> Result<bool, EvalError> {
        let Some(effect) = self.effects.get(&event.name) else { return Ok(false) };
        let (Some(name), Some(key)) = (effect.close.as_ref().or(effect.open.as_ref()), &effect.key) else { return Ok(false) };
        let scope = self.effect_scope(state, subject, event, fact);
        let key = key.text(&scope)?;
        Ok(state.spells.get(name).is_some_and(|(open, _)| open.iter().any(|s| s.key == key)))
    }

    /// What an effect's expressions see: the event, the state before it, and the day.
    fn effect_scope(&self, state: &State, subject: Subject, event: &EventType, fact: &Fact) -> Scope {
        let mut scope = Scope::default();
        scope.set("e", event_map(event, &fact.fields));
        scope.set("s", self.state_map(state, subject, fact.on));
        scope.set("on", fact.on.to_string());
        scope
    }

    /// The state as the map `s` at day `t`.
    pub fn state_map(&self, state: &State, subject: Subject, t: NaiveDate) -> Names {
        let mut m = Names::new();
        m.insert("active".into(), state.active.into());
        if let Some(shape) = self.shapes.get(&subject) {
            for (name, default) in &shape.attributes {
                m.insert(name.clone(), state.attributes.get(&**name).unwrap_or(default).clone().into());
            }
            for (name, attributes) in &shape.spells {
                let (open, ever) = state.spells.get(&**name).map_or((&[][..], 0), |(o, n)| (o.as_slice(), *n));
                let latest = open.last();
                let mut spell = Names::new();
                spell.insert("open".into(), i64::try_from(open.len()).unwrap_or(i64::MAX).into());
                spell.insert("ever".into(), ever.into());
                for (a, default) in attributes {
                    let v = latest.and_then(|s| s.attributes.get(&**a)).unwrap_or(default);
                    spell.insert(a.clone(), v.clone().into());
                }
                m.insert(name.clone(), spell.into());
            }
        }
        let birth = state.attributes.get("birth").and_then(Value::as_str).and_then(|b| b.parse::<NaiveDate>().ok());
        m.insert("age".into(), birth.map_or(0, |b| i64::from(age_at(b, t))).into());
        m
    }

    /// A scope with `s`, `t`, `d` and `period` bound for this state at day `t`.
    ///
    /// # Errors
    /// A named condition that could not be evaluated.
    pub fn scope(&self, state: &State, subject: Subject, t: NaiveDate, period: &str) -> Result<Scope, EvalError> {
        let mut scope = Scope::default();
        scope.set("s", self.state_map(state, subject, t));
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

/// An event's fields as the map `e`: every declared field exists, and what a certificate or ID number tells is there.
pub fn event_map(event: &EventType, fields: &Fields) -> Names {
    let mut m = Names::new();
    for f in &event.fields {
        let value = fields.get(&f.name).cloned().unwrap_or_else(|| default_for(f.kind));
        m.insert(f.name.as_str().into(), Bound::Value(value.clone()));
        if f.optional && event.key != f.name {
            continue;
        }
        match (f.kind, value.as_str()) {
            (FieldKind::IdNumber, Some(text)) => {
                if let Ok(id) = text.parse::<IdNumber>() {
                    m.insert("sex".into(), id.sex().code().into());
                    m.insert("birth".into(), id.birth().to_string().into());
                }
            }
            (FieldKind::Certificate, Some(text)) => {
                if let Ok(cert) = text.parse::<CertificateNumber>() {
                    m.insert("category".into(), cert.category().to_string().into());
                    m.insert("grade".into(), cert.grade().to_string().into());
                    m.insert("sex".into(), cert.id().sex().code().into());
                    m.insert("birth".into(), cert.id().birth().to_string().into());
                }
            }
            _ => {}
        }
    }
    m
}

/// What names the subject of an event: the ID number of a person, the reference of a carrier.
pub fn subject_key(event: &EventType, fields: &Fields) -> Option<String> {
    let text = fields.get(&event.key)?.as_str()?;
    match event.field(&event.key)?.kind {
        FieldKind::Certificate => text.parse::<CertificateNumber>().ok().map(|c| c.id().as_str().to_string()),
        FieldKind::IdNumber => text.parse::<IdNumber>().ok().map(|i| i.as_str().to_string()),
        _ => Some(text.to_string()),
    }
}

fn default_for(kind: FieldKind) -> Value {
    match kind {
        FieldKind::Bool => Value::Bool(false),
        FieldKind::Int | FieldKind::Fen => Value::Int(0),
        _ => Value::Text(String::new()),
    }
}

/// The value that an attribute has before anything set it: of the kind of the field that it is copied from.
fn default_of(event: &EventType, source: &str) -> Value {
    let source = source.trim();
    if source == "true" || source == "false" {
        return Value::Bool(false);
    }
    if source.parse::<i64>().is_ok() {
        return Value::Int(0);
    }
    source.strip_prefix("e.").and_then(|name| event.field(name)).map_or(Value::Text(String::new()), |f| default_for(f.kind))
}

/// Orders facts by day and then by log index, leaving voided ones out.
pub fn in_order<'a>(facts: &'a [Fact], voided: &BTreeSet<u64>) -> Vec<&'a Fact> {
    let mut list: Vec<&Fact> = facts.iter().filter(|f| !voided.contains(&f.index)).collect();
    list.sort_by_key(|f| (f.on, f.index));
    list
}
