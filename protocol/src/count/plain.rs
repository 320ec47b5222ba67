//! Conditions of the usual shape, evaluated without the interpreter: names, literals, comparisons
//! of like with like, `in` a list of literals, `!`, `&&`, `||` and `? :`.
//!
//! It answers as CEL does or not at all. `None` means that the interpreter has to be asked: for a
//! missing name, operands of different kinds, arithmetic (which may overflow), functions, macros,
//! and everything else of the language.

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use super::Value;
use super::cel::{Scope, Seen};

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

impl Plain {
    /// Nothing if the expression has another shape.
    pub(super) fn of(expression: &IdedExpr) -> Option<Plain> {
        let boxed = |e: &IdedExpr| Plain::of(e).map(Box::new);
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
            Expr::Call(call) if call.target.is_none() => {
                let comparison = |c| {
                    Some(Plain::Compare(
                        c,
                        boxed(&call.args[0])?,
                        boxed(&call.args[1])?,
                    ))
                };
                match (call.func_name.as_str(), call.args.as_slice()) {
                    (operators::LOGICAL_NOT, [a]) => Some(Plain::Not(boxed(a)?)),
                    (operators::LOGICAL_AND, [a, b]) => Some(Plain::And(boxed(a)?, boxed(b)?)),
                    (operators::LOGICAL_OR, [a, b]) => Some(Plain::Or(boxed(a)?, boxed(b)?)),
                    (operators::CONDITIONAL, [c, a, b]) => {
                        Some(Plain::Choice(boxed(c)?, boxed(a)?, boxed(b)?))
                    }
                    (operators::EQUALS, [_, _]) => comparison(Comparison::Equal),
                    (operators::NOT_EQUALS, [_, _]) => comparison(Comparison::Unequal),
                    (operators::LESS, [_, _]) => comparison(Comparison::Less),
                    (operators::LESS_EQUALS, [_, _]) => comparison(Comparison::AtMost),
                    (operators::GREATER, [_, _]) => comparison(Comparison::Greater),
                    (operators::GREATER_EQUALS, [_, _]) => comparison(Comparison::AtLeast),
                    (operators::IN, [a, list]) => match &list.expr {
                        Expr::List(list) if list.optional_indices.is_empty() => {
                            let literal = |e: &IdedExpr| {
                                if let Expr::Literal(l) = &e.expr {
                                    value_of(l)
                                } else {
                                    None
                                }
                            };
                            Some(Plain::In(
                                boxed(a)?,
                                list.elements.iter().map(literal).collect::<Option<_>>()?,
                            ))
                        }
                        _ => None,
                    },
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The value, or nothing if the interpreter has to be asked.
    pub(super) fn value(&self, scope: &Scope<'_>) -> Option<Value> {
        self.see(scope).map(Seen::to_value)
    }

    /// As [`value`](Self::value) where a boolean is wanted.
    pub(super) fn truth(&self, scope: &Scope<'_>) -> Option<bool> {
        if let Seen::Bool(b) = self.see(scope)? {
            Some(b)
        } else {
            None
        }
    }

    fn see<'a>(&'a self, scope: &'a Scope<'_>) -> Option<Seen<'a>> {
        match self {
            Plain::Literal(value) => Some(Seen::of(value)),
            Plain::Path(path) => scope.see(path),
            Plain::Not(a) => a.truth(scope).map(|b| Seen::Bool(!b)),
            // An operand that is not known here may still be decided by the other one: that is for
            // the interpreter.
            Plain::And(a, b) => Some(Seen::Bool(a.truth(scope)? && b.truth(scope)?)),
            Plain::Or(a, b) => Some(Seen::Bool(a.truth(scope)? || b.truth(scope)?)),
            Plain::Choice(c, a, b) => {
                if c.truth(scope)? {
                    a.see(scope)
                } else {
                    b.see(scope)
                }
            }
            Plain::Compare(comparison, a, b) => {
                compare(*comparison, a.see(scope)?, b.see(scope)?).map(Seen::Bool)
            }
            Plain::In(a, list) => {
                let a = a.see(scope)?;
                let found = list
                    .iter()
                    .map(|b| compare(Comparison::Equal, a, Seen::of(b)))
                    .collect::<Option<Vec<bool>>>()?;
                Some(Seen::Bool(found.contains(&true)))
            }
        }
    }
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
fn compare(comparison: Comparison, a: Seen<'_>, b: Seen<'_>) -> Option<bool> {
    let order = match (a, b) {
        (Seen::Bool(a), Seen::Bool(b)) => a.cmp(&b),
        (Seen::Int(a), Seen::Int(b)) => a.cmp(&b),
        (Seen::Text(a), Seen::Text(b)) => a.cmp(b),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use crate::count::Value;
    use crate::count::cel::{Bound, Condition, Names, Scope};

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            prop_oneof![-2_i64..3, any::<i64>()].prop_map(Value::Int),
            prop_oneof![
                Just(String::new()),
                Just("urban".into()),
                Just("残".into()),
                "[a-c]{0,2}"
            ]
            .prop_map(Value::Text),
        ]
    }

    fn literal(v: &Value) -> String {
        match v {
            Value::Bool(b) => b.to_string(),
            Value::Int(i) => i.to_string(),
            Value::Text(s) => format!("'{s}'"),
        }
    }

    /// Expressions over `s.a`, `s.b`, `s.m.c`, `x`, now and then a missing name or a mixture of
    /// kinds.
    fn expression() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            4 => prop_oneof![Just("s.a"), Just("s.b"), Just("s.m.c"), Just("x")].prop_map(str::to_string),
            3 => value().prop_map(|v| literal(&v)),
            1 => prop_oneof![Just("s.none"), Just("s"), Just("none")].prop_map(str::to_string),
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            let operator =
                prop_oneof![Just("=="), Just("!="), Just("<"), Just("<="), Just(">"), Just(">="), Just("&&"), Just("||"), Just("+")];
            prop_oneof![
                6 => (inner.clone(), operator, inner.clone()).prop_map(|(a, o, b)| format!("({a} {o} {b})")),
                2 => inner.clone().prop_map(|a| format!("!({a})")),
                1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(c, a, b)| format!("({c} ? {a} : {b})")),
                1 => (inner, prop::collection::vec(value(), 0..3)).prop_map(|(a, list)| {
                    format!("({a} in [{}])", list.iter().map(literal).collect::<Vec<_>>().join(", "))
                }),
            ]
        })
    }

    fn scope(a: Value, b: Value, c: Value, x: Value) -> Scope<'static> {
        let names = |list: Vec<(&str, Bound<'static>)>| {
            Bound::Map(
                list.into_iter()
                    .map(|(k, v)| (Arc::from(k), v))
                    .collect::<Names>(),
            )
        };
        let mut scope = Scope::default();
        scope.set(
            "s",
            names(vec![
                ("a", a.into()),
                ("b", b.into()),
                ("m", names(vec![("c", c.into())])),
            ]),
        );
        scope.set("x", x);
        scope
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn what_it_answers_the_interpreter_answers(source in expression(), a in value(), b in value(), c in value(), x in value()) {
            let Ok(Some(condition)) = Condition::new("random", &source) else { return Ok(()) };
            let scope = scope(a, b, c, x);
            if condition.is_plain(&scope) {
                prop_assert_eq!(condition.value(&scope), condition.interpret(&scope), "{}", source);
            }
        }
    }

    #[test]
    fn it_answers_the_usual_and_leaves_the_rest() {
        let scope = scope(
            Value::Int(3),
            Value::Text("urban".into()),
            Value::Bool(true),
            Value::Int(i64::MAX),
        );
        for plain in [
            "s.a > 0",
            "s.b == 'urban' && !(s.a == 2)",
            "s.m.c ? s.b : 'x'",
            "s.b in ['rural', 'urban']",
            "s.a >= 3 || s.m.c",
        ] {
            let c = Condition::new(plain, plain).unwrap().unwrap();
            assert!(c.is_plain(&scope), "{plain}");
            assert_eq!(c.value(&scope), c.interpret(&scope), "{plain}");
        }
        for other in [
            "s.a + 1 > 0",
            "s.none == 1 || true",
            "s.a == 'x'",
            "has(s.a)",
            "size(s.b) > 2",
            "s.b.startsWith('u')",
            "x + 1 > 0",
        ] {
            assert!(
                !Condition::new(other, other)
                    .unwrap()
                    .unwrap()
                    .is_plain(&scope),
                "{other}"
            );
        }
        // What the interpreter alone can say is still said, errors included.
        assert_eq!(
            Condition::new("r", "s.b.startsWith('u')")
                .unwrap()
                .unwrap()
                .holds(&scope),
            Ok(true)
        );
        assert!(
            Condition::new("r", "x + 1 > 0")
                .unwrap()
                .unwrap()
                .holds(&scope)
                .is_err()
        );
    }
}
