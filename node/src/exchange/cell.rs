//! One cell's text into a value of its field.

use protocol::catalogue::{Catalogue, Field, FieldKind};
use protocol::count::Value;

use super::unit::MoneyUnit;
use super::{code, date, fold, identifier, number};
use crate::fault::{Fault, FaultCode};

/// At most this many characters in a text field.
pub const MAX_TEXT: usize = 200;

/// The value of a cell that is not empty; `unit` is what its column says that amounts are in.
pub(super) fn value(
    field: &Field,
    text: &str,
    unit: MoneyUnit,
    catalogue: &Catalogue,
) -> Result<Value, Fault> {
    if fold::visible(text).starts_with(['=', '＝']) {
        return Err(formula());
    }
    let read = match field.kind {
        FieldKind::IdNumber => return identifier::id_number(text),
        FieldKind::Certificate => return identifier::certificate(text),
        FieldKind::CreditCode => return identifier::credit_code(text),
        FieldKind::Text => return plain_text(text),
        FieldKind::Code => return code::code(field, text, catalogue),
        FieldKind::Date => date::date(text).map(|d| Value::Text(d.to_string())),
        FieldKind::Int => number::count(field, text),
        FieldKind::Fen => number::money(field, text, unit),
        FieldKind::Bool => boolean(text),
    };
    read.map_err(|fault| with_found(fault, text))
}

fn formula() -> Fault {
    Fault::new(
        FaultCode::CellFormula,
        "单元格里是公式，不是内容。请复制后用“选择性粘贴 - 数值”粘贴，再重新导入。",
        "the cell holds a formula: copy it, paste its value in its place, and import again",
    )
}

/// With what stands in the cell, where that is digits and marks alone and too short for a number of
/// a person: an empty look at the file helps nobody who has 3,000 rows.
pub(super) fn with_found(mut fault: Fault, text: &str) -> Fault {
    let text = fold::visible(text);
    let is_harmless = |c: char| {
        c.is_ascii_digit()
            || " .,:;/-+()eE%元万分年月日号，．：／－（）￥¥".contains(c)
            || ('０'..='９').contains(&c)
    };
    let digits = text.chars().filter(|c| c.is_numeric()).count();
    if text.chars().all(is_harmless) && digits < 11 && text.chars().count() <= 24 {
        fault.zh = format!("填的是“{text}”：{}", fault.zh);
        fault.en = format!("“{text}”: {}", fault.en);
    }
    fault
}

fn plain_text(text: &str) -> Result<Value, Fault> {
    let text = fold::visible(text);
    if text.contains('\u{fffd}') {
        return Err(Fault::new(
            FaultCode::TextForm,
            "有无法识别的字（�），原文件在转换编码时已经损坏。请从原系统重新导出。",
            "there are signs that were lost (�) when the file was converted: export it anew",
        ));
    }
    if text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control) {
        return Ok(Value::Text(text));
    }
    Err(Fault::new(
        FaultCode::TextForm,
        format!("最多 {MAX_TEXT} 个字，写在一行内，不要换行。"),
        format!("at most {MAX_TEXT} characters, no line breaks"),
    ))
}

fn boolean(text: &str) -> Result<Value, Fault> {
    match fold::key(text).as_str() {
        "是" | "有" | "对" | "true" | "1" | "yes" | "y" | "√" | "✓" | "✔" => {
            Ok(Value::Bool(true))
        }
        "否" | "无" | "没有" | "错" | "false" | "0" | "no" | "n" | "×" | "✗" | "✘" => {
            Ok(Value::Bool(false))
        }
        _ => Err(Fault::new(
            FaultCode::BoolForm,
            "请填“是”或“否”。",
            "write yes or no (是 or 否)",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_and_no_in_the_words_of_forms() {
        for (text, value) in [
            ("有", true),
            ("√", true),
            ("ＴＲＵＥ", true),
            ("否", false),
            ("无", false),
        ] {
            assert_eq!(boolean(text).unwrap(), Value::Bool(value), "{text}");
        }
        assert_eq!(boolean("或许").unwrap_err().code, "bool.form");
    }

    #[test]
    fn what_may_be_of_a_person_is_not_shown() {
        let shown = |text| with_found(boolean("x").unwrap_err(), text).zh;
        assert!(shown("1/5/2023").contains("1/5/2023"));
        for private in ["999999197504120031", "张三", "13800138000", "zhang"] {
            assert!(!shown(private).contains(private), "{private}");
        }
    }
}
