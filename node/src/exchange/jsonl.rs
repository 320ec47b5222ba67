//! Rows of a JSONL file: one object a line, which may name its own event type.

use std::collections::BTreeMap;

use protocol::catalogue::{Catalogue, EventType, FieldKind};

use super::column::{Column, Heading, OCCURRED_ON, printable, unknown, without_unit};
use super::rows::{BadRow, Cell, Draft, Parsed, draft, event_type, limit};
use super::unit::MoneyUnit;
use crate::fault::{Fault, FaultCode, Faults};

/// Reads a file. `event` is the type of rows that name none.
pub(super) fn read(
    text: &str,
    event: Option<&str>,
    catalogue: &Catalogue,
) -> Result<Parsed, Faults> {
    let mut parsed = Parsed::default();
    let lines = text.lines().enumerate();
    let filled = |line: &str| !line.trim_matches(['\u{1a}', ' ', '\t', '\r']).is_empty();
    for (n, line) in lines.filter(|(_, line)| filled(line)) {
        parsed.rows += 1;
        limit(parsed.rows)?;
        let row = n as u64 + 1;
        let draft = read_row(row, line, event, catalogue, &mut parsed.names);
        parsed.add(row, draft);
    }
    Ok(parsed)
}

fn read_row(
    row: u64,
    line: &str,
    event: Option<&str>,
    catalogue: &Catalogue,
    names: &mut BTreeMap<String, String>,
) -> Result<Draft, BadRow> {
    let object = json_object(line)?;
    let own = object.get("type").and_then(|t| t.as_str()).or(event);
    let event = event_type(own, catalogue).map_err(|fault| fault.column("type"))?;
    let cells = json_cells(&object, event)?;
    for (column, _) in &cells {
        let name = names.entry(column.field.clone());
        name.or_insert_with(|| column.heading.clone());
    }
    let machine = cells.iter().any(|(c, _)| c.heading == c.field) || cells.is_empty();
    let cells: Vec<Cell> = cells
        .iter()
        .map(|(column, text)| Cell { column, text })
        .collect();
    draft(row, event, &cells, machine, catalogue)
}

/// The object of one line.
fn json_object(line: &str) -> Result<BTreeMap<String, serde_json::Value>, Fault> {
    match serde_json::from_str(line) {
        Ok(UniqueKeys(object, None)) => Ok(object),
        Ok(UniqueKeys(_, Some(twice))) => Err(twice_fault().column(printable(&twice))),
        Err(e) => {
            // serde's message may repeat a value; only the column is told.
            let at = match e.column() {
                0 => (String::new(), String::new()),
                n => (format!("（第 {n} 个字符处）"), format!(" (column {n})")),
            };
            let (zh, en) = (
                format!(
                    "本行不是完整的 JSON 对象{}。JSONL 文件每行写一个 {{…}}。",
                    at.0
                ),
                format!(
                    "not a JSON object{}; each line of the file is one {{…}}",
                    at.1
                ),
            );
            Err(Fault::new(FaultCode::RowJson, zh, en))
        }
    }
}

fn twice_fault() -> Fault {
    let (zh, en) = (
        "字段重复，请只保留一个。",
        "this field is there twice: keep one",
    );
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
        let column = match Heading::read(name, event) {
            Heading::Column(column) => column,
            Heading::Ignored(_) => continue,
            Heading::Blank | Heading::Unknown(_) => {
                faults.push(unknown(name, event));
                continue;
            }
        };
        if cells.iter().any(|(c, _)| c.field == column.field) {
            faults.push(twice_fault().column(name));
            continue;
        }
        match cell(name, value, column, event) {
            Ok(cell) => cells.push(cell),
            Err(fault) => faults.push(fault.column(name)),
        }
    }
    if faults.is_empty() {
        Ok(cells)
    } else {
        Err(faults)
    }
}

/// One member as a cell. The record's own name of an amount means fen, as in records and
/// disclosures; any other name must say its unit.
fn cell(
    name: &str,
    value: &serde_json::Value,
    mut column: Column,
    event: &EventType,
) -> Result<(Column, String), Fault> {
    use serde_json::Value;
    let field = event.field(&column.field);
    let kind = match field {
        Some(field) => field.kind,
        None => FieldKind::Date,
    };
    if kind == FieldKind::Fen && column.unit.is_none() {
        match field {
            Some(field) if name != field.name => return Err(without_unit(name, field)),
            _ => column.unit = Some(MoneyUnit::Fen),
        }
    }
    let fits = match value {
        Value::Null | Value::String(_) => true,
        Value::Bool(_) => kind == FieldKind::Bool,
        Value::Number(_) => matches!(kind, FieldKind::Int | FieldKind::Fen),
        Value::Array(_) | Value::Object(_) => false,
    };
    if !fits {
        return Err(wrong_kind(kind));
    }
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    debug_assert!(column.field == OCCURRED_ON || field.is_some());
    Ok((column, text))
}

fn wrong_kind(kind: FieldKind) -> Fault {
    let (zh, en) = match kind {
        FieldKind::Int | FieldKind::Fen => (
            "应填数字，可以加英文双引号。",
            "a number belongs here, with or without quotation marks",
        ),
        FieldKind::Bool => (
            "应填 true 或 false，或“是”“否”。",
            "true or false belongs here, or a text",
        ),
        _ => (
            "应填文字，请加英文双引号：写成 JSON 数字的号码，末几位会被许多程序改掉。",
            "a text belongs here, in quotation marks: of a number, many programs change the last \
             digits",
        ),
    };
    Fault::new(FaultCode::FieldKind, zh, en)
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
