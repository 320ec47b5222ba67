//! One cell's text into a value of its field: dates, codes, numbers, money, identifiers.

use chrono::NaiveDate;
use protocol::catalogue::{Catalogue, CodeItem, Field, FieldKind};
use protocol::count::Value;
use protocol::ids::{CertificateNumber, CreditCode, IdNumber};

use crate::fault::{Fault, FaultCode};

/// At most this many characters in a text field.
pub const MAX_TEXT: usize = 200;
/// Largest whole number in a field.
pub const MAX_INT: i64 = 1_000_000_000_000;

/// The day that a cell names, in any of the forms that people write.
pub(super) fn date(text: &str) -> Result<NaiveDate, Fault> {
    let text = text.trim();
    let mut parts = text
        .strip_suffix('日')
        .unwrap_or(text)
        .split(['-', '/', '.', '年', '月'])
        .map(str::trim);
    let numbers = (
        parts.next().map(str::parse::<i32>),
        parts.next().map(str::parse::<u32>),
        parts.next().map(str::parse::<u32>),
        parts.next(),
    );
    if let (Some(Ok(y)), Some(Ok(m)), Some(Ok(d)), None) = numbers {
        return NaiveDate::from_ymd_opt(y, m, d)
            .filter(|_| (1900..=9999).contains(&y))
            .ok_or_else(|| {
                Fault::new(
                    FaultCode::DateImpossible,
                    "没有这一天",
                    "there is no such day",
                )
            });
    }
    Err(Fault::new(
        FaultCode::DateForm,
        "日期写作 2023-04-15",
        "a date is written 2023-04-15",
    ))
}

/// The value of a cell that is not empty. An amount is in yuan where its column's name says so, else
/// in fen.
pub(super) fn value(
    field: &Field,
    text: &str,
    yuan: bool,
    catalogue: &Catalogue,
) -> Result<Value, Fault> {
    let id = |e: protocol::ids::IdError| {
        let code = FaultCode::of_protocol(e.code());
        Fault::new(code, id_zh(code), e.to_string())
    };
    match field.kind {
        FieldKind::IdNumber => text
            .parse::<IdNumber>()
            .map(|n| Value::Text(n.as_str().to_string()))
            .map_err(id),
        FieldKind::Certificate => text
            .parse::<CertificateNumber>()
            .map(|n| Value::Text(n.as_str().to_string()))
            .map_err(id),
        FieldKind::CreditCode => text
            .parse::<CreditCode>()
            .map(|n| Value::Text(n.as_str().to_string()))
            .map_err(id),
        FieldKind::Date => date(text).map(|d| Value::Text(d.to_string())),
        FieldKind::Code => code(field, text, catalogue),
        FieldKind::Int => match text.parse::<i64>() {
            Ok(n) if (0..=MAX_INT).contains(&n) => at_most(field.max, n),
            _ => Err(Fault::new(
                FaultCode::NumberForm,
                "应为不小于 0 的整数",
                "a whole number, 0 or more, belongs here",
            )),
        },
        FieldKind::Fen => fen(text, yuan).and_then(|fen| at_most(field.max, fen)),
        FieldKind::Bool => match text {
            "是" | "true" | "TRUE" | "1" | "yes" | "Y" | "y" => Ok(Value::Bool(true)),
            "否" | "false" | "FALSE" | "0" | "no" | "N" | "n" => Ok(Value::Bool(false)),
            _ => Err(Fault::new(
                FaultCode::BoolForm,
                "写“是”或“否”",
                "write yes or no",
            )),
        },
        FieldKind::Text
            if text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control) =>
        {
            Ok(Value::Text(text.to_string()))
        }
        FieldKind::Text => Err(Fault::new(
            FaultCode::TextForm,
            format!("最多 {MAX_TEXT} 个字,不含换行"),
            format!("at most {MAX_TEXT} characters, no line breaks"),
        )),
    }
}

/// A number within what the catalogue says that one honest event can have. One zero too many in a
/// published sum would outweigh everything else in it.
fn at_most(max: Option<i64>, number: i64) -> Result<Value, Fault> {
    match max {
        Some(max) if number > max => Err(Fault::new(
            FaultCode::NumberTooLarge,
            format!("{number} 超过目录规定的最大值 {max}；请核对位数和单位"),
            format!(
                "{number} is more than the catalogue's maximum {max}: check its digits and its unit"
            ),
        )),
        _ => Ok(Value::Int(number)),
    }
}

fn code(field: &Field, text: &str, catalogue: &Catalogue) -> Result<Value, Fault> {
    let codes: &[CodeItem] = match &field.dimension {
        Some(d) => catalogue
            .dimension(d)
            .map(|d| d.codes.as_slice())
            .unwrap_or_default(),
        None => &field.codes,
    };
    if let Some(c) = codes
        .iter()
        .find(|c| c.code == text || c.zh == text || c.en.eq_ignore_ascii_case(text))
    {
        return Ok(Value::Text(c.code.clone()));
    }
    let zh: Vec<String> = codes
        .iter()
        .map(|c| format!("{} {}", c.code, c.zh))
        .collect();
    let en: Vec<String> = codes
        .iter()
        .map(|c| format!("{} {}", c.code, c.en))
        .collect();
    Err(Fault::new(
        FaultCode::CodeUnknown,
        format!("不在代码表中;可填:{}", zh.join(",")),
        format!("not one of the codes: {}", en.join(", ")),
    ))
}

fn fen(text: &str, yuan: bool) -> Result<i64, Fault> {
    let wrong = || {
        if yuan {
            Fault::new(
                FaultCode::MoneyForm,
                "金额以元为单位,最多两位小数",
                "an amount in yuan has at most two decimals",
            )
        } else {
            Fault::new(
                FaultCode::MoneyForm,
                "这一列以分为单位,只能是整数;以元填报请把列名写作“…_yuan”或“…(元)”",
                "this column is in fen, a whole number; to fill in yuan, name the column “…_yuan”",
            )
        }
    };
    let amount = if yuan {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        if decimals.len() > 2 || !decimals.chars().all(|c| c.is_ascii_digit()) {
            return Err(wrong());
        }
        let cents: i64 = format!("{decimals:0<2}").parse().map_err(|_| wrong())?;
        whole
            .parse::<i64>()
            .ok()
            .and_then(|w| w.checked_mul(100))
            .and_then(|w| w.checked_add(cents))
            .ok_or_else(wrong)?
    } else {
        text.parse().map_err(|_| wrong())?
    };
    if (0..=MAX_INT).contains(&amount) {
        Ok(amount)
    } else {
        Err(wrong())
    }
}

fn id_zh(code: FaultCode) -> &'static str {
    match code {
        FaultCode::IdLength => "号码位数不对;请对照证件重填",
        FaultCode::IdCharacter => "号码中有不允许的字符;请对照证件重填",
        FaultCode::IdBirthDate => "号码中的出生日期不存在;请对照证件重填",
        FaultCode::IdCheckDigit => "身份证号校验位不符;请对照证件重填",
        FaultCode::IdCreditCheck => "统一社会信用代码校验位不符;请对照证照重填",
        _ => "号码不符合编码规则;请对照证件重填",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_above_the_maximum_is_refused_with_both() {
        assert_eq!(at_most(Some(100), 100).unwrap(), Value::Int(100));
        assert_eq!(at_most(None, MAX_INT).unwrap(), Value::Int(MAX_INT));
        let fault = at_most(Some(100), 101).unwrap_err();
        assert_eq!(fault.code, "number.too_large");
        for text in [&fault.zh, &fault.en] {
            assert!(text.contains("101") && text.contains("100"), "{text}");
        }
    }

    #[test]
    fn dates_of_many_hands() {
        let day = NaiveDate::from_ymd_opt(2023, 4, 5);
        for text in ["2023-04-05", "2023/4/5", "2023.4.5", "2023年4月5日"] {
            assert_eq!(date(text).ok(), day, "{text}");
        }
        assert_eq!(date("2023-02-30").unwrap_err().code, "date.impossible");
        assert_eq!(date("23-4").unwrap_err().code, "date.form");
        assert_eq!(date("0023-04-05").unwrap_err().code, "date.impossible");
    }

    #[test]
    fn money_is_never_guessed() {
        assert_eq!(fen("500000", false).unwrap(), 500_000);
        assert_eq!(fen("5000.5", true).unwrap(), 500_050);
        for (text, yuan) in [
            ("5000.5", false),
            ("5000.555", true),
            ("-1", false),
            ("1e5", true),
            ("", true),
            ("9999999999999", false),
        ] {
            assert_eq!(fen(text, yuan).unwrap_err().code, "money.form", "{text}");
        }
    }
}
