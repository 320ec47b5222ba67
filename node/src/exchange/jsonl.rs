//! Rows of a JSONL file: one object a line, which may name its own event type.

use std::collections::BTreeMap;

use protocol::catalogue::{Catalogue, EventType};

use super::column::{Column, printable};
use super::rows::{BadRow, Cell, Draft, Parsed, draft, event_type, limit};
use crate::fault::{Fault, FaultCode, Faults};

/// Reads a file. `event` is the type of rows that name none.
pub(super) fn read(
    text: &str,
    event: Option<&str>,
    catalogue: &Catalogue,
) -> Result<Parsed, Faults> {
    let mut parsed = Parsed::default();
    let lines = text.lines().enumerate();
    for (n, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        limit(n + 1)?;
        let row = n as u64 + 1;
        parsed.add(row, read_row(row, line, event, catalogue));
    }
    Ok(parsed)
}

fn read_row(
    row: u64,
    line: &str,
    event: Option<&str>,
    catalogue: &Catalogue,
) -> Result<Draft, BadRow> {
    let object = json_object(line)?;
    let own = object.get("type").and_then(|t| t.as_str()).or(event);
    let event = event_type(own, catalogue).map_err(|fault| fault.column("type"))?;
    let cells = json_cells(&object, event)?;
    let cells: Vec<Cell> = cells
        .iter()
        .map(|(column, text)| Cell { column, text })
        .collect();
    draft(row, event, &cells, catalogue)
}

/// The object of one line.
fn json_object(line: &str) -> Result<BTreeMap<String, serde_json::Value>, Fault> {
    match serde_json::from_str(line) {
        Ok(UniqueKeys(object, None)) => Ok(object),
        Ok(UniqueKeys(_, Some(twice))) => Err(twice_fault().column(printable(&twice))),
        Err(e) => {
            // serde's message may repeat a value; only the column is told.
            let (zh, en) = (
                format!("不是 JSON 对象(第 {} 列)", e.column()),
                format!("not a JSON object (column {})", e.column()),
            );
            Err(Fault::new(FaultCode::RowJson, zh, en))
        }
    }
}

fn twice_fault() -> Fault {
    let (zh, en) = ("这个字段出现两次", "this field is there twice");
    Fault::new(FaultCode::ColumnTwice, zh, en)
}

/// The cells of an object, or everything that is wrong with its names and kinds of values.
pub(super) fn json_cells(
    object: &BTreeMap<String, serde_json::Value>,
    event: &EventType,
) -> Result<Vec<(Column, String)>, Vec<Fault>> {
    let mut cells: Vec<(Column, String)> = Vec::new();
    let mut faults = Vec::new();
    for (name, value) in object.iter().filter(|(n, _)| *n != "type") {
        let Some(column) = Column::find(name, event) else {
            let en = format!("{} has no such field", event.code);
            let fault = Fault::new(FaultCode::ColumnUnknown, "没有这个字段", en);
            faults.push(fault.column(printable(name)));
            continue;
        };
        if cells.iter().any(|(c, _)| c.field == column.field) {
            faults.push(twice_fault().column(name));
            continue;
        }
        let text = match value {
            serde_json::Value::String(s) => s.clone(),
            serde_json::Value::Null => String::new(),
            serde_json::Value::Bool(_) | serde_json::Value::Number(_) => value.to_string(),
            _ => {
                let (zh, en) = (
                    "应为文字、数字或真假",
                    "a text, number or boolean belongs here",
                );
                faults.push(Fault::new(FaultCode::FieldKind, zh, en).column(name));
                continue;
            }
        };
        cells.push((column, text));
    }
    if faults.is_empty() {
        Ok(cells)
    } else {
        Err(faults)
    }
}

/// A JSON object whose names must be unique, and the name that is not.
struct UniqueKeys(BTreeMap<String, serde_json::Value>, Option<String>);

impl<'de> serde::Deserialize<'de> for UniqueKeys {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<UniqueKeys, D::Error> {
        struct Object;
        impl<'de> serde::de::Visitor<'de> for Object {
            type Value = UniqueKeys;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<UniqueKeys, A::Error> {
                let (mut object, mut twice) = (BTreeMap::new(), None);
                while let Some((name, value)) = map.next_entry::<String, serde_json::Value>()? {
                    if object.insert(name.clone(), value).is_some() {
                        twice = Some(name);
                    }
                }
                Ok(UniqueKeys(object, twice))
            }
        }
        d.deserialize_map(Object)
    }
}
