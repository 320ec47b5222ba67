//! Values and the fields of an event.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
        if let Value::Text(s) = self {
            Some(s)
        } else {
            None
        }
    }
    /// The number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        if let Value::Int(i) = self {
            Some(*i)
        } else {
            None
        }
    }
}

/// An event's fields by name.
pub type Fields = BTreeMap<String, Value>;
