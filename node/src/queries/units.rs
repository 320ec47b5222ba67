//! Units as people name them: by code, or by name.

use protocol::ids::UnitId;
use protocol::registry::Unit;

use crate::books::Books;
use crate::fault::{FaultCode, Faults, internal};

/// So many units are named where several come near.
const MAX_NAMED: usize = 5;

/// The unit of this code, or of this name, now or before.
///
/// # Errors
/// No such unit; several of this name; a node without a registry.
pub fn named(books: &Books, text: &str) -> Result<UnitId, Faults> {
    let registry = books.registry().ok_or_else(|| internal("no registry"))?;
    let units = &registry.registry().units;
    let text = text.trim();
    let of_code = units.iter().find(|unit| unit.id.as_str() == text);
    if let Some(unit) = of_code {
        return Ok(unit.id.clone());
    }
    let of_name: Vec<&Unit> = units.iter().filter(|unit| is_called(unit, text)).collect();
    match of_name.as_slice() {
        [unit] => Ok(unit.id.clone()),
        [] => Err(unknown(units, text)),
        several => {
            let listed = list(several.iter().copied());
            Err(Faults::one(
                FaultCode::UnitUnknown,
                format!("同名的单位有多个，请写代码：{listed}"),
                format!("several units have this name, give the code: {listed}"),
            ))
        }
    }
}

fn is_called(unit: &Unit, name: &str) -> bool {
    unit.name() == name || unit.former().any(|(_, former)| former.name == name)
}

fn list<'a>(units: impl Iterator<Item = &'a Unit>) -> String {
    let named = units
        .take(MAX_NAMED)
        .map(|u| format!("{} {}", u.id, u.name()));
    Vec::from_iter(named).join(", ")
}

fn unknown(units: &[Unit], text: &str) -> Faults {
    let near = |u: &&Unit| {
        let longer = text.chars().count() > 1 && u.name().contains(text);
        longer || (text.len() > 3 && u.id.as_str().starts_with(text))
    };
    let near = list(units.iter().filter(near));
    let (zh, en) = if near.is_empty() {
        (String::new(), String::new())
    } else {
        (format!("；相近的有：{near}"), format!("; near it: {near}"))
    };
    Faults::one(
        FaultCode::UnitUnknown,
        format!("单位名录中没有这个代码或名称的单位{zh}"),
        format!("the registry has no unit of this code or name{en}"),
    )
}
