//! Conditions: what is answered without the interpreter is what the interpreter answers.

use std::sync::Arc;

use proptest::prelude::*;

use super::cel::Condition;
use super::scope::{Bound, Names, Scope, StateView};
use super::state::{Shape, Spell, State};
use super::value::Value;

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

fn text(t: &str) -> Value {
    Value::Text(t.into())
}

#[test]
fn what_is_looked_up_is_what_the_interpreter_sees() {
    let shape = Shape {
        attributes: [("residence".into(), text("")), ("grade".into(), text(""))].into(),
        spells: [(
            "job".into(),
            [("form".into(), text("")), ("wage".into(), Value::Int(0))].into(),
        )]
        .into(),
    };
    let spell = Spell {
        key: "r1".into(),
        attributes: [("form".into(), text("self"))].into(),
    };
    let state = State {
        active: true,
        attributes: [
            ("residence".into(), text("urban")),
            ("birth".into(), text("1990-01-02")),
        ]
        .into(),
        spells: [("job".into(), (vec![spell], 2))].into(),
    };
    let mut scope = Scope::default();
    scope.set(
        "s",
        StateView {
            state: &state,
            shape: Some(&shape),
            age: 36,
        },
    );
    for source in [
        "s.active && s.age == 36",
        "s.residence == 'urban' && s.grade == ''",
        "s.job.open == 1 && s.job.ever == 2",
        "s.job.form == 'self' && s.job.wage == 0",
    ] {
        let condition = Condition::new(source, source).unwrap().unwrap();
        assert!(condition.is_plain(&scope), "{source}");
        assert_eq!(
            (condition.value(&scope), condition.interpret(&scope)),
            (Ok(Value::Bool(true)), Ok(Value::Bool(true))),
            "{source}"
        );
    }
    for source in [
        "s.birth",
        "s.job",
        "s.job.none",
        "s.none",
        "s.age.x",
        "s.residence.x",
    ] {
        let condition = Condition::new(source, source).unwrap().unwrap();
        assert!(
            !condition.is_plain(&scope) && condition.interpret(&scope).is_err(),
            "{source}"
        );
    }
}
