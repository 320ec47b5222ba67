//! The one place that names the CEL interpreter.
//!
//! Conditions are total: an unknown attribute is a validation fault of the catalogue, not a silent
//! `false`; an evaluation error stops the recording with the condition's name.
//!
//! Counting evaluates dozens of conditions for every event. Those of the usual shape are evaluated
//! by [`super::plain`], which knows less than the interpreter and says so: whatever it does not
//! answer, the interpreter does. A test compares both.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use cel::objects::{Key, Map};
use cel::{Context, Env, Program};

use super::Value;
use super::plain::Plain;
use super::state::{EventView, StateView};

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

/// A value that stands somewhere else.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen<'a> {
    Bool(bool),
    Int(i64),
    Text(&'a str),
}

impl<'a> Seen<'a> {
    pub(super) fn of(value: &'a Value) -> Seen<'a> {
        match value {
            Value::Bool(b) => Seen::Bool(*b),
            Value::Int(i) => Seen::Int(*i),
            Value::Text(s) => Seen::Text(s),
        }
    }

    pub(super) fn to_value(self) -> Value {
        match self {
            Seen::Bool(b) => Value::Bool(b),
            Seen::Int(i) => Value::Int(i),
            Seen::Text(s) => Value::Text(s.to_string()),
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
    fn see(&self, path: &[String]) -> Option<Seen<'_>> {
        match self {
            Bound::Value(value) => path.is_empty().then(|| Seen::of(value)),
            Bound::Map(names) => {
                let (name, rest) = path.split_first()?;
                names.get(name.as_str())?.see(rest)
            }
            Bound::State(state) => state.see(path),
            Bound::Event(event) => event.see(path),
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

/// A compiled condition.
pub struct Condition {
    name: String,
    program: Program,
    plain: Option<Plain>,
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Condition({})", self.name)
    }
}

/// A condition that could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}; mend this condition in the catalogue [count.condition]")]
pub struct EvalError {
    /// Which condition.
    pub name: String,
    /// What the interpreter said.
    pub message: String,
}

static STDLIB: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// Compiles a source text.
///
/// # Errors
/// What the parser said, on one line.
pub fn compile(source: &str) -> Result<Program, String> {
    STDLIB
        .compile(source)
        .map_err(|e| e.to_string().replace('\n', " "))
}

/// The variables that a program refers to.
pub fn variables(program: &Program) -> Vec<String> {
    program
        .references()
        .variables()
        .into_iter()
        .map(str::to_string)
        .collect()
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
    pub(super) fn see(&self, path: &[String]) -> Option<Seen<'_>> {
        let (variable, rest) = path.split_first()?;
        let (_, bound) = self.variables.iter().find(|(name, _)| name == variable)?;
        bound.see(rest)
    }

    fn interpreter(&self) -> &Context<'static, 'static> {
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

impl Condition {
    /// Compiles `source`; an empty source is no condition.
    ///
    /// # Errors
    /// What the parser said.
    pub fn new(name: &str, source: &str) -> Result<Option<Condition>, EvalError> {
        if source.is_empty() {
            return Ok(None);
        }
        match compile(source) {
            Ok(program) => Ok(Some(Condition {
                name: name.to_string(),
                plain: Plain::of(program.expression()),
                program,
            })),
            Err(message) => Err(EvalError {
                name: name.to_string(),
                message,
            }),
        }
    }

    /// The value.
    ///
    /// # Errors
    /// What the interpreter said, or that the value is no text, number or boolean.
    pub fn value(&self, scope: &Scope<'_>) -> Result<Value, EvalError> {
        match self.plain.as_ref().and_then(|p| p.value(scope)) {
            Some(value) => Ok(value),
            None => self.interpret(scope),
        }
    }

    /// The value by the interpreter alone.
    pub(super) fn interpret(&self, scope: &Scope<'_>) -> Result<Value, EvalError> {
        match self
            .program
            .execute(scope.interpreter())
            .map_err(|e| self.error(e.to_string()))?
        {
            cel::Value::Bool(b) => Ok(Value::Bool(b)),
            cel::Value::Int(i) => Ok(Value::Int(i)),
            cel::Value::String(s) => Ok(Value::Text(s.to_string())),
            other => Err(self.error(format!(
                "yields {:?}, which is no text, number or boolean",
                other.type_of()
            ))),
        }
    }

    /// Whether the value is known without the interpreter.
    #[cfg(test)]
    pub(super) fn is_plain(&self, scope: &Scope<'_>) -> bool {
        self.plain.as_ref().and_then(|p| p.value(scope)).is_some()
    }

    /// The value, which must be a boolean.
    ///
    /// # Errors
    /// What the interpreter said, or that the value is of another kind.
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, EvalError> {
        if let Some(truth) = self.plain.as_ref().and_then(|p| p.truth(scope)) {
            return Ok(truth);
        }
        match self.value(scope)? {
            Value::Bool(b) => Ok(b),
            Value::Int(_) | Value::Text(_) => Err(self.error("does not yield a boolean".into())),
        }
    }

    /// The value, which must be a string.
    ///
    /// # Errors
    /// What the interpreter said, or that the value is of another kind.
    pub fn text(&self, scope: &Scope<'_>) -> Result<String, EvalError> {
        match self.value(scope)? {
            Value::Text(s) => Ok(s),
            Value::Int(_) | Value::Bool(_) => Err(self.error("does not yield a string".into())),
        }
    }

    fn error(&self, message: String) -> EvalError {
        EvalError {
            name: self.name.clone(),
            message,
        }
    }
}

/// Whether an optional condition holds; none means yes.
///
/// # Errors
/// As [`Condition::holds`].
pub fn holds(condition: Option<&Condition>, scope: &Scope<'_>) -> Result<bool, EvalError> {
    condition.map_or(Ok(true), |c| c.holds(scope))
}
