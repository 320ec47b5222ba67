//! What an event says that can hardly be meant. What contradicts itself is refused; what is only
//! doubtful is recorded and told, since a paper may be right and a rule too narrow.

use protocol::catalogue::{EventType, Field, FieldKind, Subject};
use protocol::compiled::CompiledCatalogue;
use protocol::count::state::State;
use protocol::count::{Fact, Fields, Value};
use protocol::period::Month;
use protocol::readable::Measure;

use crate::exchange;
use crate::fault::{Fault, FaultCode};

/// Fields of one event of which the first is a part of the second.
const PARTS: [(&str, &str); 1] = [("for_disabled", "total")];

/// An amount for one person below this is rather in another unit than meant, in 分.
const FEW: i64 = 100 * 100;
/// One above this as well, in 分.
const MUCH: i64 = 500_000 * 100;

/// What contradicts itself in the fields of an event.
pub(super) fn contradictions(event: &EventType, fields: &Fields) -> Vec<Fault> {
    let number = |name: &str| match fields.get(name) {
        Some(Value::Int(n)) => Some((event.field(name)?, *n)),
        _ => None,
    };
    let mut faults = Vec::new();
    for (part, whole) in PARTS {
        if let (Some((part, few)), Some((whole, all))) = (number(part), number(whole))
            && few > all
        {
            faults.push(larger(part, few, whole, all));
        }
    }
    faults
}

fn larger(part: &Field, few: i64, whole: &Field, all: i64) -> Fault {
    Fault::new(
        FaultCode::FieldRelation,
        format!(
            "“{}”（{few}）大于“{}”（{all}）。请核对这两项。",
            part.zh, whole.zh
        ),
        format!(
            "“{}” ({few}) is more than “{}” ({all}): see both",
            part.en, whole.en
        ),
    )
    .column(&part.name)
}

/// What is doubtful in an event that fits its subject's history.
pub(super) fn doubts(
    counting: &CompiledCatalogue,
    event: &EventType,
    before: Option<&State>,
    fact: &Fact,
) -> Vec<Fault> {
    let mut doubts = Vec::new();
    if event.effect.begin && event.subject == Subject::Person {
        let key = fact.fields.get(&event.key).and_then(Value::as_str);
        if key.is_some_and(exchange::is_rounded_id) {
            doubts.push(rounded().column(&event.key));
        }
    }
    if event.subject == Subject::Person {
        doubts.extend(event.fields.iter().filter_map(|field| amount(field, fact)));
    }
    if let Some(before) = before {
        doubts.extend(no_spell(counting, event, before, fact));
    }
    doubts
}

fn rounded() -> Fault {
    Fault::new(
        FaultCode::IdRounded,
        "身份证号的末三位是 000，可能被 Excel 改过（只保留 15 位）。请对照证件核对；号码不对的，请作废后重录。",
        "the ID number ends with 000, as a spreadsheet leaves numbers of more than 15 digits: \
         compare it with the card; void the record if it is wrong",
    )
}

fn amount(field: &Field, fact: &Fact) -> Option<Fault> {
    let Some(Value::Int(fen)) = fact.fields.get(&field.name) else {
        return None;
    };
    let doubtful = *fen > 0 && *fen < FEW || *fen > MUCH;
    if field.kind != FieldKind::Fen || !doubtful {
        return None;
    }
    let shown = Measure::Money.text(*fen);
    let fault = Fault::new(
        FaultCode::MoneyUnusual,
        format!(
            "{}为 {shown}，与通常的金额相差很大。请核对单位和位数。",
            field.zh
        ),
        format!(
            "{} is {shown}, which is unusual: see its unit and its digits",
            field.en
        ),
    );
    Some(fault.column(&field.name))
}

/// An event that names a spell by the field by which another type ends it, where no such spell is
/// open.
fn no_spell(
    counting: &CompiledCatalogue,
    event: &EventType,
    before: &State,
    fact: &Fact,
) -> Option<Fault> {
    if event.effect.open.is_some() || event.effect.close.is_some() {
        return None;
    }
    let (end, field) = counting.catalogue.events.iter().find_map(|other| {
        let ends = other.effect.close.is_some() && other.subject == event.subject;
        let field = other.effect.spell_key.strip_prefix("e.")?;
        let field = event.field(field).filter(|f| f.kind == FieldKind::Text)?;
        ends.then_some((other, field))
    })?;
    let asked = Fact {
        event: end.name.clone(),
        ..fact.clone()
    };
    let open = counting.engine.spell_is_open(event.subject, before, &asked);
    if !matches!(open, Ok(false)) {
        return None;
    }
    let fault = Fault::new(
        FaultCode::SpellNone,
        format!(
            "发生日期当天，没有这个“{}”的未终止记录。请核对编号和日期。",
            field.zh
        ),
        format!(
            "no spell of this “{}” is open on that day: see the number and the day",
            field.en
        ),
    );
    Some(fault.column(&field.name))
}

/// An entry of a month that is closed.
pub(super) fn late(month: Month, open: Month) -> Fault {
    Fault::new(
        FaultCode::DateLate,
        format!("发生日期在已结账的 {month}，作为补录计入 {open}。"),
        format!("the day lies in {month}, which is closed: counted in {open} as a late entry"),
    )
    .column("occurred_on")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_not_more_than_the_whole() {
        let file = |name: &str| {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/catalogue");
            let text = std::fs::read_to_string(format!("{folder}/{name}.toml")).unwrap();
            (name.to_string(), text)
        };
        let files = ["dimensions", "events", "indicators", "rules"].map(file);
        let catalogue = protocol::catalogue::Catalogue::from_files(&files).unwrap();
        for code in ["E22", "E46"] {
            let event = catalogue.event_by_code(code).unwrap();
            let fields = |few, all| {
                let fields = [("for_disabled", few), ("total", all)];
                fields
                    .map(|(name, n)| (name.to_string(), Value::Int(n)))
                    .into()
            };
            assert!(contradictions(event, &fields(10, 10)).is_empty());
            let faults = contradictions(event, &fields(12, 10));
            assert_eq!(faults[0].code, "field.relation", "{code}");
            assert!(faults[0].zh.contains("（12）大于"), "{}", faults[0].zh);
        }
    }
}
