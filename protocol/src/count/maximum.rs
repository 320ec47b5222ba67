//! Numbers that no honest event has.

use super::value::{Fields, Value};
use crate::catalogue::{EventType, Field};

/// The first field of an event whose number is above its maximum. In a published sum it would
/// outweigh everything that honest events say.
pub fn above_maximum<'a>(event: &'a EventType, fields: &Fields) -> Option<&'a Field> {
    event.fields.iter().find(|field| {
        let value = fields.get(&field.name).and_then(Value::as_int);
        matches!((value, field.max), (Some(value), Some(max)) if value > max)
    })
}
