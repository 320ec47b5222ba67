//! Names of columns, matched to the fields of an event type.

use protocol::catalogue::{EventType, FieldKind};

/// The column of the day, which every event has.
pub(super) const OCCURRED_ON: &str = "occurred_on";

/// A column of a file, matched to a field.
#[derive(Debug)]
pub(super) struct Column {
    /// Machine name of the field.
    pub(super) field: String,
    /// As the file writes it.
    pub(super) heading: String,
    /// Whether its amounts are in yuan; else they are in fen.
    pub(super) yuan: bool,
}

impl Column {
    /// The field that a name stands for: its machine name, or its Chinese or English one.
    pub(super) fn find(heading: &str, event: &EventType) -> Option<Column> {
        let heading = heading.trim();
        let make = |field: &str, yuan| {
            Some(Column {
                field: field.to_string(),
                heading: heading.to_string(),
                yuan,
            })
        };
        if matches!(heading, OCCURRED_ON | "发生日期" | "日期") {
            return make(OCCURRED_ON, false);
        }
        for f in &event.fields {
            if heading == f.name || heading == f.zh || heading.eq_ignore_ascii_case(&f.en) {
                return make(&f.name, false);
            }
            if f.kind == FieldKind::Fen
                && (heading == format!("{}_yuan", f.name) || heading == format!("{}(元)", f.zh))
            {
                return make(&f.name, true);
            }
        }
        None
    }
}

/// The fields that every event of a type must fill in.
pub(super) fn required(event: &EventType) -> impl Iterator<Item = &str> {
    let fields = event.fields.iter().filter(|f| !f.optional);
    std::iter::once(OCCURRED_ON).chain(fields.map(|f| f.name.as_str()))
}

/// A name that the type does not have, as far as it may be repeated: long numbers are data in the wrong
/// place.
pub(super) fn printable(name: &str) -> &str {
    if name.chars().filter(char::is_ascii_digit).count() < 6 {
        name
    } else {
        "…"
    }
}
