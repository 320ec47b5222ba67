//! The one place that names the CEL interpreter.
//!
//! Conditions are total: an unknown attribute is a validation fault of the catalogue, not a silent `false`; an
//! evaluation error stops the recording with the condition's name.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use cel::objects::{Key, Map};
use cel::{Context, Env, Program};

pub use cel::Value as CelValue;

/// A compiled condition.
pub struct Condition {
    name: String,
    program: Program,
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
    STDLIB.compile(source).map_err(|e| e.to_string().replace('\n', " "))
}

/// The variables that a program refers to.
pub fn variables(program: &Program) -> Vec<String> {
    program.references().variables().into_iter().map(str::to_string).collect()
}

/// The variables of one evaluation.
pub struct Scope(Context<'static, 'static>);

impl Default for Scope {
    fn default() -> Self {
        Scope(Context::with_env(STDLIB.clone()))
    }
}

impl Scope {
    /// Binds a variable.
    pub fn set(&mut self, name: &str, value: CelValue) {
        self.0.add_variable_from_value(name, value);
    }
}

/// A CEL map of these entries.
pub fn map(entries: impl IntoIterator<Item = (String, CelValue)>) -> CelValue {
    let map: HashMap<Key, CelValue> = entries.into_iter().map(|(k, v)| (Key::from(k), v)).collect();
    CelValue::Map(Map { map: Arc::new(map) })
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
            Ok(program) => Ok(Some(Condition { name: name.to_string(), program })),
            Err(message) => Err(EvalError { name: name.to_string(), message }),
        }
    }

    /// The value.
    ///
    /// # Errors
    /// What the interpreter said.
    pub fn value(&self, scope: &Scope) -> Result<CelValue, EvalError> {
        self.program.execute(&scope.0).map_err(|e| self.error(e.to_string()))
    }

    /// The value, which must be a boolean.
    ///
    /// # Errors
    /// What the interpreter said, or that the value is of another kind.
    pub fn holds(&self, scope: &Scope) -> Result<bool, EvalError> {
        match self.value(scope)? {
            CelValue::Bool(b) => Ok(b),
            other => Err(self.error(format!("yields {:?}, not a boolean", other.type_of()))),
        }
    }

    /// The value, which must be a string.
    ///
    /// # Errors
    /// What the interpreter said, or that the value is of another kind.
    pub fn text(&self, scope: &Scope) -> Result<String, EvalError> {
        match self.value(scope)? {
            CelValue::String(s) => Ok(s.to_string()),
            other => Err(self.error(format!("yields {:?}, not a string", other.type_of()))),
        }
    }

    fn error(&self, message: String) -> EvalError {
        EvalError { name: self.name.clone(), message }
    }
}

/// Whether an optional condition holds; none means yes.
///
/// # Errors
/// As [`Condition::holds`].
pub fn holds(condition: Option<&Condition>, scope: &Scope) -> Result<bool, EvalError> {
    condition.map_or(Ok(true), |c| c.holds(scope))
}
