//! An event that is there already, with some of its fields changed: names and values as a file writes
//! them.

use chrono::NaiveDate;
use protocol::catalogue::{Catalogue, EventType, FieldKind};
use protocol::count::Fields;
use serde_json::{Map, Value};

use super::column::{OCCURRED_ON, printable, required, without_unit};
use super::jsonl::json_cells;
use super::rows::Draft;
use super::unit::MoneyUnit;
use super::{cell, date};
use crate::fault::{Fault, FaultCode, Faults};

/// The event of this type, day and fields after these changes. Each names its field as a column of a
/// file does (`wage`, `月工资(元)`), and has its value as a cell does; an empty one empties the field.
///
/// # Errors
/// Every name and value that a file with them would be refused for.
pub fn changed(
    event: &EventType,
    (on, fields): (NaiveDate, &Fields),
    changes: &Map<String, Value>,
    catalogue: &Catalogue,
) -> Result<Draft, Faults> {
    let bare = |name: &String| {
        let field = event.field(name.trim());
        field.filter(|field| field.kind == FieldKind::Fen)
    };
    // Typed by a person and not written by a program: without a unit 3600 could be either.
    let bare = changes
        .keys()
        .filter_map(|name| bare(name).map(|f| without_unit(name, f)));
    let bare: Vec<Fault> = bare.collect();
    if !bare.is_empty() {
        return Err(Faults(bare));
    }
    let changes = changes.iter().map(|(n, v)| (n.clone(), v.clone()));
    let cells = json_cells(&changes.collect(), event).map_err(Faults)?;
    let mut draft = Draft {
        row: 1,
        event: event.name.clone(),
        on,
        fields: fields.clone(),
    };
    let mut faults = Vec::new();
    for (column, text) in &cells {
        let text = text.trim();
        let changed = match event.field(&column.field) {
            _ if column.field == OCCURRED_ON && text.is_empty() => Err(missing()),
            _ if column.field == OCCURRED_ON => date::date(text).map(|day| draft.on = day),
            _ if text.is_empty() => {
                draft.fields.remove(&column.field);
                Ok(())
            }
            None => Ok(()),
            Some(field) => {
                let unit = column.unit.unwrap_or(MoneyUnit::Fen);
                cell::value(field, text, unit, catalogue).map(|value| {
                    draft.fields.insert(field.name.clone(), value);
                })
            }
        };
        faults.extend(changed.err().map(|f| f.column(printable(&column.heading))));
    }
    let filled = |name: &str| name == OCCURRED_ON || draft.fields.contains_key(name);
    // What is wrong with a field that was given is told already.
    let given = |name: &str| {
        cells
            .iter()
            .any(|(c, t)| c.field == name && !t.trim().is_empty())
    };
    let empty = required(event).filter(|name| !filled(name) && !given(name));
    faults.extend(empty.map(|name| missing().column(name)));
    if faults.is_empty() {
        Ok(draft)
    } else {
        Err(Faults(faults))
    }
}

fn missing() -> Fault {
    let (zh, en) = ("必填项，请补填。", "must be filled in");
    Fault::new(FaultCode::FieldMissing, zh, en)
}

#[cfg(test)]
mod tests {
    use protocol::count::Value as Field;
    use serde_json::json;

    use super::*;

    /// A hire of 3,000.00 yuan with these changes.
    fn hire(changes: serde_json::Value) -> Result<Draft, Faults> {
        let catalogue = kit::catalogue();
        let event = catalogue.event_by_code("E02").unwrap();
        let fields = [
            ("id_no".to_string(), Field::Text(kit::id_no(1))),
            ("employer".to_string(), Field::Text("甲".into())),
            ("wage".to_string(), Field::Int(300_000)),
        ];
        let day = NaiveDate::from_ymd_opt(2026, 1, 5).unwrap();
        let serde_json::Value::Object(changes) = changes else {
            panic!("an object")
        };
        changed(event, (day, &fields.into()), &changes, &catalogue)
    }

    fn codes(refused: Result<Draft, Faults>) -> Vec<(String, String)> {
        let faults = refused.unwrap_err().0.into_iter();
        let code = |f: Fault| (f.code.to_string(), f.column.unwrap_or_default());
        faults.map(code).collect()
    }

    #[test]
    fn a_field_is_named_as_a_file_names_its_column() {
        let field = kit::catalogue();
        let wage = field.event_by_code("E02").unwrap().field("wage").unwrap();
        for name in [format!("{}(元)", wage.zh), "wage_yuan".to_string()] {
            let draft = hire(json!({ name.as_str(): "3600" })).unwrap();
            assert_eq!(draft.fields["wage"], Field::Int(360_000), "{name}");
            assert_eq!(draft.fields["employer"], Field::Text("甲".into()));
        }
        let draft = hire(json!({ "日期": "2026/1/6" })).unwrap();
        assert_eq!(draft.on.to_string(), "2026-01-06");
        assert_eq!(draft.fields["wage"], Field::Int(300_000));
    }

    #[test]
    fn an_amount_without_a_unit_is_refused() {
        for name in ["wage", "工资"] {
            let refused = hire(json!({ name: "3600" }));
            assert_eq!(codes(refused)[0].0, "money.unit", "{name}");
        }
        let draft = hire(json!({ "工资(分)": "360000" })).unwrap();
        assert_eq!(draft.fields["wage"], Field::Int(360_000));
    }

    #[test]
    fn what_is_not_understood_is_said_and_nothing_is_emptied_that_is_needed() {
        let both = hire(json!({ "wage_yuan": "1", "工资(元)": "2" }));
        assert_eq!(codes(both).len(), 1);
        let refused = hire(json!({ "wages": "1" }));
        let unknown = ("column.unknown".to_string(), "wages".to_string());
        assert_eq!(codes(refused), [unknown]);
        let refused = hire(json!({ "wage_yuan": "much", "id_no": "" }));
        let wrong = ("money.form".to_string(), "wage_yuan".to_string());
        let missing = ("field.missing".to_string(), "id_no".to_string());
        assert_eq!(codes(refused), [wrong, missing]);
        let refused = hire(json!({ "occurred_on": "" }));
        let missing = ("field.missing".to_string(), "occurred_on".to_string());
        assert_eq!(codes(refused), [missing]);
    }
}
