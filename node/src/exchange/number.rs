//! Whole numbers and amounts of money as people write them. What is not wholly understood is
//! refused by name; a sign is never dropped.

use protocol::catalogue::Field;
use protocol::count::Value;
use protocol::readable::Measure;

use super::fold;
use super::unit::MoneyUnit;
use crate::fault::{Fault, FaultCode};

/// Largest whole number in a field.
pub const MAX_INT: i64 = 1_000_000_000_000;

/// What may stand behind a count.
const MEASURES: [&str; 12] = [
    "人次", "学时", "课时", "小时", "人", "个", "名", "次", "家", "场", "天", "份",
];

/// An amount in 分 as people read it.
fn yuan(fen: i64) -> String {
    Measure::Money.text(fen)
}

/// Why digits are no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NumberError {
    Negative,
    /// Separators of thousands that do not stand before three digits each.
    Thousands,
    /// A spreadsheet's short form, such as `1.2E+06`.
    Shortened,
    /// Not digits with at most one point.
    Digits,
    /// More decimals than the unit has.
    Decimals,
    TooLarge,
}

/// Digits with `decimals` places behind the point, as a count of the last place.
fn scaled(text: &str, decimals: usize) -> Result<i64, NumberError> {
    let in_brackets = text.starts_with('(') && text.ends_with(')');
    if text.starts_with('-') || text.ends_with('-') || in_brackets {
        return Err(NumberError::Negative);
    }
    if is_shortened(text) {
        return Err(NumberError::Shortened);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = without_thousands(whole)?;
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(&whole) || !digits(fraction) {
        return Err(NumberError::Digits);
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > decimals {
        return Err(NumberError::Decimals);
    }
    let all = format!("{whole}{fraction:0<decimals$}");
    let number = all.parse::<i64>().map_err(|_| NumberError::TooLarge)?;
    if number > MAX_INT {
        return Err(NumberError::TooLarge);
    }
    Ok(number)
}

/// Whether a spreadsheet shortened a number: what stands behind the first digits is lost.
pub(super) fn is_shortened(text: &str) -> bool {
    let Some((digits, power)) = text.split_once(['e', 'E']) else {
        return false;
    };
    let is_number = |t: &str| t.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let power = power.strip_prefix('+').unwrap_or(power);
    !digits.is_empty() && is_number(digits) && power.parse::<u8>().is_ok()
}

fn without_thousands(whole: &str) -> Result<String, NumberError> {
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let mut rest = groups.peekable();
    if rest.peek().is_none() {
        return Ok(whole.to_string());
    }
    let well_placed = (1..=3).contains(&first.len()) && rest.all(|group| group.len() == 3);
    if well_placed {
        Ok(whole.replace(',', ""))
    } else {
        Err(NumberError::Thousands)
    }
}

/// The value of a count.
pub(super) fn count(field: &Field, text: &str) -> Result<Value, Fault> {
    let text = fold::key(text);
    let measure = MEASURES.iter().find_map(|m| text.strip_suffix(m));
    let number = scaled(measure.unwrap_or(&text), 0).map_err(count_fault)?;
    at_most(field.max, number, |n| n.to_string())
}

fn count_fault(error: NumberError) -> Fault {
    let (zh, en) = match error {
        NumberError::Negative => (
            "不能是负数。请填 0 或正整数。",
            "this is negative: write a whole number, 0 or more",
        ),
        NumberError::Thousands => (
            "千位分隔符的位置不对。请只填数字，如 1200。",
            "the separators of thousands are misplaced: write digits alone, such as 1200",
        ),
        NumberError::Shortened => (
            "Excel 把数字缩写成了科学记数法，后面的位数可能已丢失。请将该列设为文本格式，按原始资料重填。",
            "the spreadsheet shortened the number and digits may be lost: format the column as text \
             and fill it in from the source",
        ),
        NumberError::Decimals => (
            "应为整数，不带小数。",
            "a whole number belongs here, without decimals",
        ),
        NumberError::TooLarge => (
            "数字过大，请核对位数。",
            "the number is too large: check its digits",
        ),
        NumberError::Digits => (
            "请填 0 或正整数，不带小数点和其他文字。",
            "a whole number, 0 or more, belongs here, without other signs",
        ),
    };
    Fault::new(FaultCode::NumberForm, zh, en)
}

/// The value of an amount of money in a column of this unit. A unit behind the number may be 元 or
/// 万元; one that contradicts a column in 分 is refused.
pub(super) fn money(field: &Field, text: &str, unit: MoneyUnit) -> Result<Value, Fault> {
    let text = fold::key(text);
    let (digits, written) = MoneyUnit::behind(&text);
    let digits = ["¥", "rmb", "cny", "人民币"]
        .iter()
        .find_map(|sign| digits.strip_prefix(sign))
        .unwrap_or(digits);
    let unit = match (written, unit) {
        (None, unit) => unit,
        (Some(written), unit) if written == unit => unit,
        (Some(MoneyUnit::Fen), _) | (_, MoneyUnit::Fen) => {
            return Err(contradicts(written.unwrap_or(unit), unit));
        }
        (Some(written), _) => written,
    };
    let fen = scaled(digits, unit.decimals()).map_err(|error| money_fault(error, unit))?;
    at_most(field.max, fen, yuan)
}

fn contradicts(written: MoneyUnit, column: MoneyUnit) -> Fault {
    Fault::new(
        FaultCode::MoneyForm,
        format!(
            "单元格里写的是“{}”，而这一列以{}为单位。请去掉单元格里的单位，或改正列名。",
            written.zh(),
            column.zh()
        ),
        format!(
            "the cell says {} but the column is in {}: leave the unit out of the cell, or correct \
             the column's name",
            written.zh(),
            column.zh()
        ),
    )
}

fn money_fault(error: NumberError, unit: MoneyUnit) -> Fault {
    let (zh, en) = match error {
        NumberError::Negative => (
            "金额不能是负数。退回的款项请作废或更正原记录。".to_string(),
            "an amount is never negative: for money that was paid back, void or correct the record"
                .to_string(),
        ),
        NumberError::Thousands => (
            "千位分隔符的位置不对。请写成 1,200.00 或 1200.00。".to_string(),
            "the separators of thousands are misplaced: write 1,200.00 or 1200.00".to_string(),
        ),
        NumberError::Shortened => (
            "Excel 把金额缩写成了科学记数法，后面的位数可能已丢失。请将该列设为文本格式，按原始资料重填。"
                .to_string(),
            "the spreadsheet shortened the amount and digits may be lost: format the column as \
             text and fill it in from the source"
                .to_string(),
        ),
        NumberError::Decimals => decimals_fault(unit),
        NumberError::TooLarge => (
            format!("金额超过 {}，请核对位数和单位。", yuan(MAX_INT)),
            format!("the amount is more than {}: check its digits and its unit", yuan(MAX_INT)),
        ),
        NumberError::Digits => (
            "金额格式有误。请填数字，如 3500.50，可以带千位分隔符，后面可以写“元”或“万元”。".to_string(),
            "not an amount: write digits, such as 3500.50; separators of thousands, and 元 or 万元 \
             behind the number, are read, too"
                .to_string(),
        ),
    };
    Fault::new(FaultCode::MoneyForm, zh, en)
}

fn decimals_fault(unit: MoneyUnit) -> (String, String) {
    match unit {
        MoneyUnit::Fen => (
            "这一列以分为单位，只能填整数。要按元填写，请把列名中的“(分)”改为“(元)”。".to_string(),
            "this column is in fen, a whole number: to fill in yuan, write (元) instead of (分) in \
             its name"
                .to_string(),
        ),
        unit => (
            format!("以{}为单位的金额最多 {} 位小数。", unit.zh(), unit.decimals()),
            format!("an amount in {} has at most {} decimals", unit.zh(), unit.decimals()),
        ),
    }
}

/// A number within what the catalogue says that one honest event can have. One zero too many in a
/// published sum would outweigh everything else in it.
fn at_most(max: Option<i64>, number: i64, shown: impl Fn(i64) -> String) -> Result<Value, Fault> {
    match max {
        Some(max) if number > max => {
            let (number, max) = (shown(number), shown(max));
            Err(Fault::new(
                FaultCode::NumberTooLarge,
                format!("{number} 超过目录规定的最大值 {max}。请核对位数和单位。"),
                format!(
                    "{number} is more than the catalogue's maximum {max}: check its digits and its \
                     unit"
                ),
            ))
        }
        _ => Ok(Value::Int(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, unit: MoneyUnit) -> Result<i64, Fault> {
        let catalogue = kit::catalogue();
        let event = catalogue.event_by_code("E02").unwrap();
        match money(event.field("wage").unwrap(), text, unit)? {
            Value::Int(fen) => Ok(fen),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_number_above_the_maximum_is_refused_with_both() {
        let plain = |max, n| at_most(max, n, |n| n.to_string());
        assert_eq!(plain(Some(100), 100).unwrap(), Value::Int(100));
        assert_eq!(plain(None, MAX_INT).unwrap(), Value::Int(MAX_INT));
        let fault = plain(Some(100), 101).unwrap_err();
        assert_eq!(fault.code, "number.too_large");
        for text in [&fault.zh, &fault.en] {
            assert!(text.contains("101") && text.contains("100"), "{text}");
        }
    }

    #[test]
    fn money_is_read_as_it_was_meant() {
        for (text, unit, fen) in [
            ("500000", MoneyUnit::Fen, 500_000),
            ("5000.5", MoneyUnit::Yuan, 500_050),
            ("5000.50", MoneyUnit::Yuan, 500_050),
            ("3,500.00", MoneyUnit::Yuan, 350_000),
            ("1，200", MoneyUnit::Yuan, 120_000),
            ("３５００", MoneyUnit::Yuan, 350_000),
            ("1200元", MoneyUnit::Yuan, 120_000),
            ("￥1200.00", MoneyUnit::Yuan, 120_000),
            ("0.35万元", MoneyUnit::Yuan, 350_000),
            ("0.35", MoneyUnit::TenThousandYuan, 350_000),
            ("0.00", MoneyUnit::Yuan, 0),
        ] {
            assert_eq!(of(text, unit).unwrap(), fen, "{text}");
        }
    }

    #[test]
    fn money_is_never_guessed() {
        for (text, unit, word) in [
            ("-0.50", MoneyUnit::Yuan, "负数"),
            ("-0", MoneyUnit::Yuan, "负数"),
            ("500-", MoneyUnit::Yuan, "负数"),
            ("(500)", MoneyUnit::Yuan, "负数"),
            ("１,２０", MoneyUnit::Yuan, "千位分隔符"),
            ("1.200,00", MoneyUnit::Yuan, "格式"),
            ("5000.5", MoneyUnit::Fen, "以分为单位"),
            ("5000.555", MoneyUnit::Yuan, "2 位小数"),
            ("1e5", MoneyUnit::Yuan, "科学记数法"),
            ("3500元", MoneyUnit::Fen, "以分为单位"),
            ("3500分", MoneyUnit::Yuan, "以元为单位"),
            (".5", MoneyUnit::Yuan, "格式"),
            ("9999999999999", MoneyUnit::Fen, "10,000,000,000.00 元"),
        ] {
            let fault = of(text, unit).unwrap_err();
            assert_eq!(fault.code, "money.form", "{text}");
            assert!(fault.zh.contains(word), "{text}: {}", fault.zh);
        }
    }

    #[test]
    fn a_count_may_have_its_measure_and_its_thousands() {
        let catalogue = kit::catalogue();
        let event = catalogue.event_by_code("E06").unwrap();
        let field = event.field("attended").unwrap();
        for (text, number) in [("12人次", 12), ("1,200", 1200), ("12.0", 12), ("１２", 12)] {
            assert_eq!(count(field, text).unwrap(), Value::Int(number), "{text}");
        }
        for text in ["-1", "1.5", "1,20", "five", "1.2E+06"] {
            assert_eq!(
                count(field, text).unwrap_err().code,
                "number.form",
                "{text}"
            );
        }
    }
}
