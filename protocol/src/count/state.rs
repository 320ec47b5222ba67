//! A subject's state, folded from its facts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::cel::{self, CelValue, Condition, EvalError, Scope};
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
    fn to_cel(&self) -> CelValue {
        match self {
            Value::Bool(b) => CelValue::Bool(*b),
            Value::Int(i) => CelValue::Int(*i),
            Value::Text(s) => CelValue::from(s.as_str()),
        }
    }
    fn from_cel(value: &CelValue) -> Option<Value> {
        match value {
            CelValue::Bool(b) => Some(Value::Bool(*b)),
            CelValue::Int(i) => Some(Value::Int(*i)),
            CelValue::String(s) => Some(Value::Text(s.to_string())),
            _ => None,
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

/// The attributes and spells that any event type of a subject may set: every one of them exists in `s` from the start,
/// so that a condition never meets a missing name.
#[derive(Debug, Default)]
struct Shape {
    attributes: BTreeMap<String, Value>,
    spells: BTreeMap<String, BTreeMap<String, Value>>,
}

/// The compiled effects and named conditions of a catalogue.
#[derive(Debug)]
pub struct Folder {
    effects: BTreeMap<String, CompiledEffect>,
    shapes: BTreeMap<Subject, Shape>,
    defines: Vec<(String, Condition)>,
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
                shape.attributes.entry(name.clone()).or_insert_with(|| default_of(e, source));
            }
            for spell in f.open.iter().chain(&f.close) {
                let attributes = shape.spells.entry(spell.clone()).or_default();
                for (name, source) in &f.spell_set {
                    attributes.entry(name.clone()).or_insert_with(|| default_of(e, source));
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
            .filter_map(|d| Condition::new(&format!("define {}", d.name), &d.expr).map(|p| p.map(|p| (d.name.clone(), p))).transpose())
            .collect::<Result<_, _>>()?;
        Ok(Folder { effects, shapes, defines })
    }

    /// Applies one fact to a state.
    ///
    /// # Errors
    /// A condition that could not be evaluated.
    pub fn apply(&self, state: &mut State, subject: Subject, event: &EventType, fact: &Fact) -> Result<(), EvalError> {
        let Some(effect) = self.effects.get(&event.name) else { return Ok(()) };
        let mut scope = Scope::default();
        scope.set("e", event_map(event, &fact.fields));
        scope.set("s", self.state_map(state, subject, fact.on));
        scope.set("on", CelValue::from(fact.on.to_string()));
        let evaluate = |list: &[(String, Condition)]| -> Result<Vec<(String, Value)>, EvalError> {
            list.iter()
                .map(|(name, c)| {
                    let value = c.value(&scope)?;
                    Value::from_cel(&value)
                        .map(|v| (name.clone(), v))
                        .ok_or_else(|| EvalError { name: name.clone(), message: "yields no text, number or boolean".into() })
                })
                .collect()
        };
        let set = evaluate(&effect.set)?;
        let spell_set = evaluate(&effect.spell_set)?;
        let key = effect.key.as_ref().map(|k| k.text(&scope)).transpose()?.unwrap_or_default();
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
        let mut scope = Scope::default();
        scope.set("e", event_map(event, &fact.fields));
        scope.set("s", self.state_map(state, subject, fact.on));
        scope.set("on", CelValue::from(fact.on.to_string()));
        let key = key.text(&scope)?;
        Ok(state.spells.get(name).is_some_and(|(open, _)| open.iter().any(|s| s.key == key)))
    }

    /// The state as the CEL map `s` at day `t`.
    pub fn state_map(&self, state: &State, subject: Subject, t: NaiveDate) -> CelValue {
        let mut m: Vec<(String, CelValue)> = Vec::new();
        m.push(("active".into(), CelValue::Bool(state.active)));
        if let Some(shape) = self.shapes.get(&subject) {
            for (name, default) in &shape.attributes {
                m.push((name.clone(), state.attributes.get(name).unwrap_or(default).to_cel()));
            }
            for (name, attributes) in &shape.spells {
                let (open, ever) = state.spells.get(name).map_or((&[][..], 0), |(o, n)| (o.as_slice(), *n));
                let latest = open.last();
                let mut spell: Vec<(String, CelValue)> = vec![
                    ("open".into(), CelValue::Int(i64::try_from(open.len()).unwrap_or(i64::MAX))),
                    ("ever".into(), CelValue::Int(ever)),
                ];
                for (a, default) in attributes {
                    let v = latest.and_then(|s| s.attributes.get(a)).unwrap_or(default);
                    spell.push((a.clone(), v.to_cel()));
                }
                m.push((name.clone(), cel::map(spell)));
            }
        }
        let birth = state.attributes.get("birth").and_then(Value::as_str).and_then(|b| b.parse::<NaiveDate>().ok());
        m.push(("age".into(), CelValue::Int(birth.map_or(0, |b| i64::from(age_at(b, t))))));
        cel::map(m)
    }

    /// A scope with `s`, `t`, `d` and `period` bound for this state at day `t`.
    ///
    /// # Errors
    /// A named condition that could not be evaluated.
    pub fn scope(&self, state: &State, subject: Subject, t: NaiveDate, period: &str) -> Result<Scope, EvalError> {
        let mut scope = Scope::default();
        scope.set("s", self.state_map(state, subject, t));
        scope.set("t", CelValue::from(t.to_string()));
        scope.set("period", CelValue::from(period));
        if subject == Subject::Person {
            let mut named: BTreeMap<String, CelValue> = BTreeMap::new();
            for (name, condition) in &self.defines {
                scope.set("d", cel::map(named.clone()));
                named.insert(name.clone(), condition.value(&scope)?);
            }
            scope.set("d", cel::map(named));
        }
        Ok(scope)
    }
}

/// Completed years at day `t`; 0 before birth.
pub fn age_at(birth: NaiveDate, t: NaiveDate) -> i32 {
    let had = (t.month(), t.day()) >= (birth.month(), birth.day());
    (t.year() - birth.year() - i32::from(!had)).max(0)
}

/// An event's fields as the CEL map `e`: every declared field exists, and what a certificate or ID number tells is there.
pub fn event_map(event: &EventType, fields: &Fields) -> CelValue {
    let mut m: Vec<(String, CelValue)> = Vec::new();
    for f in &event.fields {
        let value = fields.get(&f.name).cloned().unwrap_or_else(|| default_for(f.kind));
        m.push((f.name.clone(), value.to_cel()));
        if f.optional && event.key != f.name {
            continue;
        }
        match (f.kind, value.as_str()) {
            (FieldKind::IdNumber, Some(text)) => {
                if let Ok(id) = text.parse::<IdNumber>() {
                    m.push(("sex".into(), CelValue::from(id.sex().code())));
                    m.push(("birth".into(), CelValue::from(id.birth().to_string())));
                }
            }
            (FieldKind::Certificate, Some(text)) => {
                if let Ok(cert) = text.parse::<CertificateNumber>() {
                    m.push(("category".into(), CelValue::from(cert.category().to_string())));
                    m.push(("grade".into(), CelValue::from(cert.grade().to_string())));
                    m.push(("sex".into(), CelValue::from(cert.id().sex().code())));
                    m.push(("birth".into(), CelValue::from(cert.id().birth().to_string())));
                }
            }
            _ => {}
        }
    }
    cel::map(m)
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
