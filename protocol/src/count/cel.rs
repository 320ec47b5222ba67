//! Conditions: compiled once, evaluated by the CEL interpreter where [`super::plain`] has no answer.
//!
//! Conditions are total: an unknown attribute is a validation error of the catalogue, not a silent
//! `false`; an evaluation error stops the recording with the condition's name.
//!
//! Counting evaluates dozens of conditions for every event. Those of the usual shape are evaluated
//! by [`super::plain`], which knows less than the interpreter and says so: whatever it does not
//! answer, the interpreter does. A test compares both.

use cel::Program;

use super::plain::Plain;
use super::scope::{STDLIB, Scope};
use super::value::Value;

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

/// A text that is no condition: what the parser said, on one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SyntaxError(String);

/// Compiles a source text.
///
/// # Errors
/// What the parser said, on one line.
pub fn compile(source: &str) -> Result<Program, SyntaxError> {
    STDLIB
        .compile(source)
        .map_err(|e| SyntaxError(e.to_string().replace('\n', " ")))
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
            Err(SyntaxError(message)) => Err(EvalError {
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
