//! What a condition sees: variables, and the state and the event that they stand for.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use cel::objects::{Key, Map};
use cel::{Context, Env};

use super::state::{Shape, State};
use super::value::{Fields, Value};
use crate::catalogue::{EventType, FieldKind};
use crate::ids::{CertificateNumber, IdNumber};

/// The functions of CEL, made once.
pub(super) static STDLIB: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// What a condition's variable stands for.
#[derive(Debug)]
pub enum Bound<'a> {
    /// A value.
    Value(Value),
    /// Named ones.
    Map(Names<'a>),
    /// A subject's state: looked up where it stands, because copying it would cost more than the
    /// conditions do.
    State(StateView<'a>),
    /// An event's fields, likewise.
    Event(EventView<'a>),
}

/// Named values; the names are shared with the catalogue.
pub type Names<'a> = BTreeMap<Arc<str>, Bound<'a>>;

/// A borrowed value.
#[derive(Debug, Clone, Copy)]
pub(super) enum ValueRef<'a> {
    Bool(bool),
    Int(i64),
    Text(&'a str),
}

impl<'a> ValueRef<'a> {
    pub(super) fn of(value: &'a Value) -> ValueRef<'a> {
        match value {
            Value::Bool(b) => ValueRef::Bool(*b),
            Value::Int(i) => ValueRef::Int(*i),
            Value::Text(s) => ValueRef::Text(s),
        }
    }

    pub(super) fn to_value(self) -> Value {
        match self {
            ValueRef::Bool(b) => Value::Bool(b),
            ValueRef::Int(i) => Value::Int(i),
            ValueRef::Text(s) => Value::Text(s.to_string()),
        }
    }
}

impl From<Value> for Bound<'_> {
    fn from(value: Value) -> Self {
        Bound::Value(value)
    }
}
impl<'a> From<Names<'a>> for Bound<'a> {
    fn from(names: Names<'a>) -> Self {
        Bound::Map(names)
    }
}
impl<'a> From<StateView<'a>> for Bound<'a> {
    fn from(state: StateView<'a>) -> Self {
        Bound::State(state)
    }
}
impl<'a> From<EventView<'a>> for Bound<'a> {
    fn from(event: EventView<'a>) -> Self {
        Bound::Event(event)
    }
}
impl From<i64> for Bound<'_> {
    fn from(value: i64) -> Self {
        Bound::Value(Value::Int(value))
    }
}
impl From<String> for Bound<'_> {
    fn from(value: String) -> Self {
        Bound::Value(Value::Text(value))
    }
}
impl From<&str> for Bound<'_> {
    fn from(value: &str) -> Self {
        Bound::Value(Value::Text(value.to_string()))
    }
}

impl Bound<'_> {
    /// The value at the end of a path of names.
    fn lookup(&self, path: &[String]) -> Option<ValueRef<'_>> {
        match self {
            Bound::Value(value) => path.is_empty().then(|| ValueRef::of(value)),
            Bound::Map(names) => {
                let (name, rest) = path.split_first()?;
                names.get(name.as_str())?.lookup(rest)
            }
            Bound::State(state) => state.lookup(path),
            Bound::Event(event) => event.lookup(path),
        }
    }

    fn to_cel(&self) -> cel::Value {
        match self {
            Bound::Value(Value::Bool(b)) => cel::Value::Bool(*b),
            Bound::Value(Value::Int(i)) => cel::Value::Int(*i),
            Bound::Value(Value::Text(s)) => cel::Value::from(s.as_str()),
            Bound::Map(names) => {
                let map: HashMap<Key, cel::Value> = names
                    .iter()
                    .map(|(k, v)| (Key::from(k.to_string()), v.to_cel()))
                    .collect();
                cel::Value::Map(Map { map: Arc::new(map) })
            }
            Bound::State(state) => Bound::Map(state.names()).to_cel(),
            Bound::Event(event) => Bound::Map(event.names()).to_cel(),
        }
    }
}

/// The variables of one evaluation.
#[derive(Default)]
pub struct Scope<'a> {
    /// A handful: looking through all of them is as quick as anything.
    variables: Vec<(&'static str, Bound<'a>)>,
    /// The same for the interpreter, made when it is first asked.
    interpreter: OnceCell<Context<'static, 'static>>,
}

impl<'a> Scope<'a> {
    /// Binds a variable.
    pub fn set(&mut self, name: &'static str, value: impl Into<Bound<'a>>) {
        self.interpreter.take();
        match self.variables.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = value.into(),
            None => self.variables.push((name, value.into())),
        }
    }

    /// Binds a name in a variable that is a map; a variable of another kind becomes one.
    pub fn set_in(&mut self, variable: &'static str, name: Arc<str>, value: impl Into<Bound<'a>>) {
        if let Some((_, Bound::Map(names))) =
            self.variables.iter_mut().find(|(n, _)| *n == variable)
        {
            self.interpreter.take();
            names.insert(name, value.into());
        } else {
            self.set(variable, Names::from([(name, value.into())]));
        }
    }

    /// The value at the end of a path of names, the first of which is a variable's.
    pub(super) fn lookup(&self, path: &[String]) -> Option<ValueRef<'_>> {
        let (variable, rest) = path.split_first()?;
        let (_, bound) = self.variables.iter().find(|(name, _)| name == variable)?;
        bound.lookup(rest)
    }

    pub(super) fn interpreter(&self) -> &Context<'static, 'static> {
        self.interpreter.get_or_init(|| {
            let mut context = Context::with_env(STDLIB.clone());
            for (name, value) in &self.variables {
                context.add_variable_from_value(*name, value.to_cel());
            }
            context
        })
    }
}

/// A map of these entries.
pub fn map<'a>(entries: impl IntoIterator<Item = (String, i64)>) -> Bound<'a> {
    Bound::Map(
        entries
            .into_iter()
            .map(|(k, v)| (Arc::from(k), v.into()))
            .collect(),
    )
}

/// A subject's state at a day, as conditions see it: every attribute and spell of the shape exists,
/// and the age.
#[derive(Debug)]
pub struct StateView<'a> {
    pub(super) state: &'a State,
    pub(super) shape: Option<&'a Shape>,
    pub(super) age: i64,
}

impl<'a> StateView<'a> {
    pub(super) fn lookup(&self, path: &[String]) -> Option<ValueRef<'a>> {
        match path {
            [name] if name == "age" => Some(ValueRef::Int(self.age)),
            [name] if self.spell(name).is_some() => None,
            [name] => match self
                .shape
                .and_then(|shape| shape.attributes.get(name.as_str()))
            {
                Some(default) => Some(ValueRef::of(
                    self.state.attributes.get(name).unwrap_or(default),
                )),
                None => (name == "active").then_some(ValueRef::Bool(self.state.active)),
            },
            [spell, name] => {
                let attributes = self.spell(spell)?;
                let (open, ever) = self
                    .state
                    .spells
                    .get(spell)
                    .map_or((&[][..], 0), |(open, ever)| (open.as_slice(), *ever));
                match (attributes.get(name.as_str()), name.as_str()) {
                    (Some(default), _) => Some(ValueRef::of(
                        open.last()
                            .and_then(|s| s.attributes.get(name))
                            .unwrap_or(default),
                    )),
                    (None, "open") => {
                        Some(ValueRef::Int(i64::try_from(open.len()).unwrap_or(i64::MAX)))
                    }
                    (None, "ever") => Some(ValueRef::Int(ever)),
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
                self.lookup(&[name.to_string()])
                    .map(|value| (name.into(), value.to_value().into())),
            );
        }
        for (spell, attributes) in self.shape.into_iter().flat_map(|shape| &shape.spells) {
            let inside = attributes.keys().map(|n| &**n).chain(["open", "ever"]);
            let lookup = |name: &str| {
                self.lookup(&[spell.to_string(), name.to_string()])
                    .map(|value| (name.into(), value.to_value().into()))
            };
            names.insert(
                spell.clone(),
                Bound::Map(inside.filter_map(lookup).collect()),
            );
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
    derived: BTreeMap<&'static str, Value>,
}

impl<'a> EventView<'a> {
    /// Of an event of this type with these fields.
    pub fn new(event: &'a EventType, fields: &'a Fields) -> EventView<'a> {
        let mut derived = BTreeMap::new();
        for f in &event.fields {
            // Of two that tell the same the later one counts.
            derived.remove(f.name.as_str());
            if f.optional && event.key != f.name {
                continue;
            }
            match (f.kind, fields.get(&f.name).and_then(Value::as_str)) {
                (FieldKind::IdNumber, Some(text)) => {
                    if let Ok(id) = IdNumber::as_it_stands(text) {
                        derived.extend(derived_from(&id));
                    }
                }
                (FieldKind::Certificate, Some(text)) => {
                    if let Ok(cert) = CertificateNumber::as_it_stands(text) {
                        derived.insert("category", Value::Text(cert.category().to_string()));
                        derived.insert("grade", Value::Text(cert.grade().to_string()));
                        derived.extend(derived_from(cert.id()));
                    }
                }
                _ => {}
            }
        }
        EventView {
            event,
            fields,
            derived,
        }
    }

    pub(super) fn lookup(&self, path: &[String]) -> Option<ValueRef<'_>> {
        let [name] = path else { return None };
        if let Some(derived) = self.derived.get(name.as_str()) {
            return Some(ValueRef::of(derived));
        }
        let field = self.event.field(name)?;
        Some(
            self.fields
                .get(name)
                .map_or(default_for(field.kind), ValueRef::of),
        )
    }

    /// All that can be seen, for the interpreter.
    pub(super) fn names(&self) -> Names<'static> {
        let all = self
            .event
            .fields
            .iter()
            .map(|f| f.name.as_str())
            .chain(self.derived.keys().copied());
        all.filter_map(|name| {
            self.lookup(&[name.to_string()])
                .map(|value| (name.into(), value.to_value().into()))
        })
        .collect()
    }
}

/// What an ID number says of its holder.
fn derived_from(id: &IdNumber) -> [(&'static str, Value); 2] {
    [
        ("sex", Value::Text(id.sex().code().to_string())),
        ("birth", Value::Text(id.birth().to_string())),
    ]
}

/// What a field of this kind is where nobody has given it.
pub(super) fn default_for(kind: FieldKind) -> ValueRef<'static> {
    match kind {
        FieldKind::Bool => ValueRef::Bool(false),
        FieldKind::Int | FieldKind::Fen => ValueRef::Int(0),
        _ => ValueRef::Text(""),
    }
}
