//! Folding facts into a subject's state by the effects of the catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;

use super::cel::{Condition, EvalError};
use super::scope::{EventView, Names, Scope, StateView, default_for};
use super::state::{Fact, Shape, Spell, State, age_at};
use super::value::Value;
use crate::catalogue::{Catalogue, EventType, Subject};

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
