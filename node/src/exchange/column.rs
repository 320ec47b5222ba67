//! Names of columns, matched to the fields of an event type.

use std::borrow::Cow;

use protocol::catalogue::{EventType, Field, FieldKind};

use super::fold;
use super::nearest::nearest;
use super::unit::MoneyUnit;
use crate::fault::{Fault, FaultCode};

/// The column of the day, which every event has.
pub(super) const OCCURRED_ON: &str = "occurred_on";
/// Its name in Chinese.
pub(super) const OCCURRED_ON_ZH: &str = "发生日期";

/// The column of faults that a marked copy has; import reads over it.
pub(super) const FAULTS: &str = "错误";

/// A column of a file, matched to a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// Machine name of the field.
    pub(super) field: String,
    /// As the file writes it.
    pub(super) heading: String,
    /// What its amounts are in, if it holds amounts and says so.
    pub(super) unit: Option<MoneyUnit>,
}

/// What stands above a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heading {
    /// A field.
    Column(Column),
    /// A column that lists of offices have and events have not: numbers of rows, remarks.
    Ignored(String),
    /// Nothing.
    Blank,
    /// A name that the type does not have.
    Unknown(String),
}

/// Columns that are read over, folded.
const IGNORED: [&str; 11] = [
    FAULTS, "序号", "行号", "编号", "备注", "说明", "no", "no.", "#", "remark", "remarks",
];
/// Marks of what must be filled in, folded.
const MARKS: [&str; 8] = ["*", "★", "☆", "※", "(必填)", "(选填)", "[必填]", "[选填]"];
/// Measures that a heading of a count may end with.
const MEASURES: [&str; 11] = [
    "(人)", "(个)", "(名)", "(次)", "(人次)", "(家)", "(场)", "(天)", "(份)", "(学时)", "(课时)",
];

impl Heading {
    /// What a cell of the heading means.
    pub(super) fn read(cell: &str, event: &EventType) -> Heading {
        let shown = fold::visible(cell);
        let name = folded(&shown);
        if name.is_empty() {
            return Heading::Blank;
        }
        if let Some((field, unit)) = field_of(&name, event) {
            return Heading::Column(Column {
                field: field.to_string(),
                heading: shown,
                unit,
            });
        }
        if IGNORED.contains(&name.as_str()) {
            return Heading::Ignored(shown);
        }
        Heading::Unknown(shown)
    }
}

/// A name without what templates put around it: stars, “required”.
fn folded(shown: &str) -> String {
    let mut name = fold::key(shown);
    loop {
        let mark = MARKS.iter().find_map(|mark| {
            let rest = name
                .strip_prefix(mark)
                .or_else(|| name.strip_suffix(mark))?;
            Some(rest.to_string())
        });
        match mark {
            Some(rest) => name = rest,
            None => return name,
        }
    }
}

fn is_named(field: &Field, name: &str) -> bool {
    [&field.name, &field.zh, &field.en]
        .iter()
        .any(|known| fold::key(known) == name)
}

/// The field that a folded name stands for, with the unit that it says.
fn field_of<'e>(name: &str, event: &'e EventType) -> Option<(&'e str, Option<MoneyUnit>)> {
    let plain = without_example(name);
    if [OCCURRED_ON, OCCURRED_ON_ZH, "日期"].contains(&plain) {
        return Some((OCCURRED_ON, None));
    }
    let (base, unit) = MoneyUnit::of_heading(name);
    event.fields.iter().find_map(|field| {
        let machine = field.name.as_str();
        if field.kind == FieldKind::Fen {
            let found = is_named(field, base).then_some((machine, unit));
            return found.or_else(|| is_named(field, name).then_some((machine, None)));
        }
        let shorter = match field.kind {
            FieldKind::Date => plain,
            FieldKind::Int => MEASURES
                .iter()
                .find_map(|m| name.strip_suffix(m))
                .unwrap_or(name),
            _ => name,
        };
        let found = is_named(field, name) || is_named(field, shorter);
        found.then_some((machine, None))
    })
}

/// A heading of a day without how to write it: `发生日期(yyyy-mm-dd)`.
fn without_example(name: &str) -> &str {
    match name.split_once('(') {
        Some((before, example))
            if ["yyyy", "年", "格式", "如", "例"]
                .iter()
                .any(|word| example.contains(word)) =>
        {
            before
        }
        _ => name,
    }
}

/// The fields that every event of a type must fill in.
pub(super) fn required(event: &EventType) -> impl Iterator<Item = &str> {
    let fields = event.fields.iter().filter(|f| !f.optional);
    std::iter::once(OCCURRED_ON).chain(fields.map(|f| f.name.as_str()))
}

/// A field as a heading names it: its Chinese name, with the unit where it is money.
pub(super) fn title(field: &Field) -> String {
    match field.kind {
        FieldKind::Fen => format!("{}(元)", field.zh),
        _ => field.zh.clone(),
    }
}

/// The names that columns of a type may have.
pub fn titles(event: &EventType) -> Vec<String> {
    let fields = event.fields.iter().map(title);
    std::iter::once(OCCURRED_ON_ZH.to_string())
        .chain(fields)
        .collect()
}

/// How a field is called in faults where the file has no heading for it: as the file calls the
/// others.
pub(super) fn name_of<'e>(field: &'e str, event: &'e EventType, machine: bool) -> Cow<'e, str> {
    if machine {
        return Cow::Borrowed(field);
    }
    if field == OCCURRED_ON {
        return Cow::Borrowed(OCCURRED_ON_ZH);
    }
    match event.field(field) {
        Some(field) => Cow::Owned(title(field)),
        None => Cow::Borrowed(field),
    }
}

/// A name that the type does not have: with the nearest one, or all that there are.
pub(super) fn unknown(name: &str, event: &EventType) -> Fault {
    let titles = titles(event);
    let key = fold::key(name);
    let day = key.ends_with("日期") || key.ends_with("时间");
    let near = nearest(&key, titles.iter().map(String::as_str));
    let near = near.or_else(|| day.then_some(OCCURRED_ON_ZH));
    let (code, list) = (&event.code, titles.join("、"));
    let (zh, en) = match near {
        Some(near) => (
            format!(
                "{code} {}没有这一列，是不是“{near}”？请改用这个列名，或删除这一列。",
                event.zh
            ),
            format!("{code} has no such column; is it {near}? Use that name, or remove the column"),
        ),
        None => (
            format!(
                "{code} {}没有这一列。可用的列名：{list}。请改用其中的列名，或删除这一列。",
                event.zh
            ),
            format!("{code} has no such column; it has: {list}. Use one of these, or remove it"),
        ),
    };
    Fault::new(FaultCode::ColumnUnknown, zh, en).column(printable(name))
}

/// Money without a unit: 3500 would be 35 yuan where fen were meant, or 350,000.
pub(super) fn without_unit(heading: &str, field: &Field) -> Fault {
    let zh = &field.zh;
    Fault::new(
        FaultCode::MoneyUnit,
        format!("金额列没有写明单位。请将列名写成“{zh}(元)”；以分填报的，写成“{zh}(分)”。"),
        format!(
            "a column of money must say its unit: name it {zh}(元) for yuan, or {zh}(分) for fen \
             (in English {name}_yuan, {name}_fen)",
            name = field.name
        ),
    )
    .column(heading)
}

/// A name that the type does not have, as far as it may be repeated: long numbers are data in the wrong
/// place.
pub(super) fn printable(name: &str) -> &str {
    if name.chars().filter(|c| c.is_numeric()).count() < 6 {
        name
    } else {
        "…"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(heading: &str) -> Heading {
        let catalogue = kit::catalogue();
        Heading::read(heading, catalogue.event_by_code("E02").unwrap())
    }

    #[test]
    fn a_name_is_known_by_what_it_shows() {
        for (heading, field, unit) in [
            ("*身份证号", "id_no", None),
            ("身份证号（必填）", "id_no", None),
            ("身 份 证 号", "id_no", None),
            ("\u{feff}发生日期", "occurred_on", None),
            ("发生日期(如2023-04-05)", "occurred_on", None),
            ("工资（元）", "wage", Some(MoneyUnit::Yuan)),
            ("工资(单位：元)", "wage", Some(MoneyUnit::Yuan)),
            ("工资(万元)", "wage", Some(MoneyUnit::TenThousandYuan)),
            ("wage_fen", "wage", Some(MoneyUnit::Fen)),
            ("工资", "wage", None),
        ] {
            let Heading::Column(column) = found(heading) else {
                panic!("{heading}");
            };
            assert_eq!(
                (column.field.as_str(), column.unit),
                (field, unit),
                "{heading}"
            );
        }
        assert_eq!(found("备 注"), Heading::Ignored("备 注".into()));
        assert_eq!(found(" \u{a0}"), Heading::Blank);
        assert_eq!(found("籍贯"), Heading::Unknown("籍贯".into()));
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest_or_with_all() {
        let catalogue = kit::catalogue();
        let event = catalogue.event_by_code("E02").unwrap();
        for (name, near) in [
            ("身份证号码", "是不是“身份证号”"),
            ("办理日期", "是不是“发生日期”"),
            (
                "籍贯",
                "可用的列名：发生日期、身份证号、用人单位、工资(元)。",
            ),
        ] {
            let fault = unknown(name, event);
            assert!(fault.zh.contains(near), "{}", fault.zh);
        }
    }
}
