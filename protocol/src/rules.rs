//! Conditions over a month's figures (审核关系): which of a catalogue's rules do not hold.

use std::fmt;

use crate::catalogue::{Catalogue, Rule};
use crate::count::cel::{Condition, EvalError};
use crate::count::scope::{self, Scope};
use crate::figure::Figure;

/// The rules of a catalogue, compiled.
pub struct Rules(Vec<(Rule, Option<Condition>)>);

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rules({})", self.0.len())
    }
}

impl Rules {
    /// Compiles a catalogue's rules.
    ///
    /// # Errors
    /// A condition that does not compile.
    pub fn new(catalogue: &Catalogue) -> Result<Rules, EvalError> {
        let compiled = |rule: &Rule| Ok((rule.clone(), Condition::new(&rule.id, &rule.check)?));
        let rules = catalogue.rules.iter().map(compiled);
        Ok(Rules(rules.collect::<Result<_, EvalError>>()?))
    }

    /// The rules that do not hold of a unit's figures, in the catalogue's order. `last` are its
    /// figures of the month before. A figure's value is that of its sum, where it has one.
    ///
    /// # Errors
    /// A condition that these figures cannot answer.
    pub fn broken(
        &self,
        figures: &[Figure],
        last: Option<&[Figure]>,
    ) -> Result<Vec<&Rule>, EvalError> {
        let values = |figures: &[Figure]| {
            let counted = figures.iter();
            scope::map(counted.filter_map(|f| f.scope().value.map(|v| (f.id.clone(), v))))
        };
        let mut scope = Scope::default();
        scope.set("v", values(figures));
        scope.set("p", values(last.unwrap_or_default()));
        let mut broken = Vec::new();
        for (rule, condition) in &self.0 {
            if !crate::count::cel::holds(condition.as_ref(), &scope)? {
                broken.push(rule);
            }
        }
        Ok(broken)
    }
}
