//! Conditions of the usual shape, evaluated without the interpreter: names, literals, comparisons
//! of like with like, `in` a list of literals, `!`, `&&`, `||` and `? :`.
//!
//! It answers as CEL does or not at all. `None` means that the interpreter has to be asked: for a
//! missing name, operands of different kinds, arithmetic (which may overflow), functions, macros,
//! and everything else of the language.

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use super::scope::{Scope, ValueRef};
use super::value::Value;

/// A compiled expression of the usual shape.
#[derive(Debug)]
pub(super) enum Plain {
    Literal(Value),
    /// A variable and the names in it.
    Path(Vec<String>),
    Not(Box<Plain>),
    And(Box<Plain>, Box<Plain>),
    Or(Box<Plain>, Box<Plain>),
    Choice(Box<Plain>, Box<Plain>, Box<Plain>),
    Compare(Comparison, Box<Plain>, Box<Plain>),
    In(Box<Plain>, Vec<Value>),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

const COMPARISONS: [(&str, Comparison); 6] = [
    (operators::EQUALS, Comparison::Equal),
    (operators::NOT_EQUALS, Comparison::Unequal),
    (operators::LESS, Comparison::Less),
    (operators::LESS_EQUALS, Comparison::AtMost),
    (operators::GREATER, Comparison::Greater),
    (operators::GREATER_EQUALS, Comparison::AtLeast),
];

impl Plain {
    /// Nothing if the expression has another shape.
    pub(super) fn of(expression: &IdedExpr) -> Option<Plain> {
        match &expression.expr {
            Expr::Literal(literal) => value_of(literal).map(Plain::Literal),
            Expr::Ident(name) => Some(Plain::Path(vec![name.clone()])),
            Expr::Select(select) if !select.test => match Plain::of(&select.operand)? {
                Plain::Path(mut path) => {
                    path.push(select.field.clone());
                    Some(Plain::Path(path))
                }
                _ => None,
            },
            Expr::Call(call) if call.target.is_none() => Plain::call(&call.func_name, &call.args),
            _ => None,
        }
    }

    /// An operator and its operands.
    fn call(operator: &str, operands: &[IdedExpr]) -> Option<Plain> {
        let boxed = |e: &IdedExpr| Plain::of(e).map(Box::new);
        match (operator, operands) {
            (operators::LOGICAL_NOT, [a]) => Some(Plain::Not(boxed(a)?)),
            (operators::LOGICAL_AND, [a, b]) => Some(Plain::And(boxed(a)?, boxed(b)?)),
            (operators::LOGICAL_OR, [a, b]) => Some(Plain::Or(boxed(a)?, boxed(b)?)),
            (operators::CONDITIONAL, [c, a, b]) => {
                Some(Plain::Choice(boxed(c)?, boxed(a)?, boxed(b)?))
            }
            (operators::IN, [a, list]) => Some(Plain::In(boxed(a)?, literals(list)?)),
            (name, [a, b]) => {
                let (_, comparison) = COMPARISONS.iter().find(|(n, _)| *n == name)?;
                Some(Plain::Compare(*comparison, boxed(a)?, boxed(b)?))
            }
            _ => None,
        }
    }

    /// The value, or nothing if the interpreter has to be asked.
    pub(super) fn value(&self, scope: &Scope<'_>) -> Option<Value> {
        self.evaluate(scope).map(ValueRef::to_value)
    }

    /// As [`value`](Self::value) where a boolean is wanted.
    pub(super) fn truth(&self, scope: &Scope<'_>) -> Option<bool> {
        if let ValueRef::Bool(b) = self.evaluate(scope)? {
            Some(b)
        } else {
            None
        }
    }

    fn evaluate<'a>(&'a self, scope: &'a Scope<'_>) -> Option<ValueRef<'a>> {
        match self {
            Plain::Literal(value) => Some(ValueRef::of(value)),
            Plain::Path(path) => scope.lookup(path),
            Plain::Not(a) => a.truth(scope).map(|b| ValueRef::Bool(!b)),
            // An operand that is not known here may still be decided by the other one: that is for
            // the interpreter.
            Plain::And(a, b) => Some(ValueRef::Bool(a.truth(scope)? && b.truth(scope)?)),
            Plain::Or(a, b) => Some(ValueRef::Bool(a.truth(scope)? || b.truth(scope)?)),
            Plain::Choice(c, a, b) => {
                if c.truth(scope)? {
                    a.evaluate(scope)
                } else {
                    b.evaluate(scope)
                }
            }
            Plain::Compare(comparison, a, b) => {
                compare(*comparison, a.evaluate(scope)?, b.evaluate(scope)?).map(ValueRef::Bool)
            }
            Plain::In(a, list) => {
                let a = a.evaluate(scope)?;
                let found = list
                    .iter()
                    .map(|b| compare(Comparison::Equal, a, ValueRef::of(b)))
                    .collect::<Option<Vec<bool>>>()?;
                Some(ValueRef::Bool(found.contains(&true)))
            }
        }
    }
}

/// The values of a list of literals.
fn literals(list: &IdedExpr) -> Option<Vec<Value>> {
    let Expr::List(list) = &list.expr else {
        return None;
    };
    if !list.optional_indices.is_empty() {
        return None;
    }
    let literal = |e: &IdedExpr| match &e.expr {
        Expr::Literal(literal) => value_of(literal),
        _ => None,
    };
    list.elements.iter().map(literal).collect()
}

fn value_of(literal: &LiteralValue) -> Option<Value> {
    match literal {
        LiteralValue::Boolean(b) => Some(Value::Bool(*b.inner())),
        LiteralValue::Int(i) => Some(Value::Int(*i.inner())),
        LiteralValue::String(s) => Some(Value::Text(s.inner().to_string())),
        _ => None,
    }
}

/// Like with like only. Texts are ordered by code points, which for UTF-8 is the order of the
/// bytes.
fn compare(comparison: Comparison, a: ValueRef<'_>, b: ValueRef<'_>) -> Option<bool> {
    let order = match (a, b) {
        (ValueRef::Bool(a), ValueRef::Bool(b)) => a.cmp(&b),
        (ValueRef::Int(a), ValueRef::Int(b)) => a.cmp(&b),
        (ValueRef::Text(a), ValueRef::Text(b)) => a.cmp(b),
        _ => return None,
    };
    Some(match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::Unequal => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::AtMost => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::AtLeast => order.is_ge(),
    })
}
