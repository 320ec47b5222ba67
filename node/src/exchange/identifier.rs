//! Numbers of persons and organisations, and what is told of one that is wrong: what was found, what
//! belongs there and the usual cause, never the number.

use protocol::catalogue::FieldKind;
use protocol::count::Value;
use protocol::ids::{CertificateNumber, CreditCode, IdError, IdNumber};

use super::fold;
use super::number::is_shortened;
use crate::fault::{Fault, FaultCode};

/// What a spreadsheet keeps of a long number; the digits behind become zeros.
const KEPT: usize = 15;

/// The citizen's ID number.
pub(super) fn id_number(text: &str) -> Result<Value, Fault> {
    read(text, |text| {
        let number = text.parse::<IdNumber>()?;
        Ok(number.as_str().to_string())
    })
}

/// The number of a disability certificate.
pub(super) fn certificate(text: &str) -> Result<Value, Fault> {
    read(text, |text| {
        let number = text.parse::<CertificateNumber>()?;
        Ok(number.as_str().to_string())
    })
}

/// The credit code of an organisation.
pub(super) fn credit_code(text: &str) -> Result<Value, Fault> {
    read(text, |text| {
        let code = text.parse::<CreditCode>()?;
        Ok(code.as_str().to_string())
    })
}

fn read(text: &str, parse: impl Fn(&str) -> Result<String, IdError>) -> Result<Value, Fault> {
    let text = fold::visible(text);
    if is_shortened(&fold::narrow(&text)) {
        return Err(shortened());
    }
    parse(&text).map(Value::Text).map_err(|error| {
        let zeroed = has_zeroed_tail(&text) && !matches!(error, IdError::Length { .. });
        if zeroed { zeroed_tail() } else { fault(&error) }
    })
}

/// A number of this kind as it stands, whether or not its check character fits.
pub(super) fn as_it_stands(kind: FieldKind, text: &str) -> Option<String> {
    let text = fold::visible(text);
    let number = match kind {
        FieldKind::IdNumber => IdNumber::as_it_stands(&text).ok()?.as_str().to_string(),
        FieldKind::Certificate => CertificateNumber::as_it_stands(&text)
            .ok()?
            .as_str()
            .to_string(),
        FieldKind::CreditCode => CreditCode::as_it_stands(&text).ok()?.as_str().to_string(),
        _ => return None,
    };
    Some(number)
}

fn shortened() -> Fault {
    Fault::new(
        FaultCode::IdShortened,
        "号码被 Excel 缩写成了科学记数法，后面的位数已丢失。请先将该列设为文本格式，再按原始资料重填。",
        "the spreadsheet shortened the number and its last digits are lost: format the column as \
         text, then fill it in from the source",
    )
}

fn zeroed_tail() -> Fault {
    Fault::new(
        FaultCode::IdShortened,
        "号码的第 16 位起全是 0，多半被 Excel 改过（只保留 15 位）。请先将该列设为文本格式，再按原始资料重填。",
        "the number has only zeros from its 16th digit on, probably because a spreadsheet keeps 15: \
         format the column as text, then fill it in from the source",
    )
}

/// Whether a number looks as a spreadsheet leaves one: only zeros behind its fifteenth digit.
pub(super) fn has_zeroed_tail(text: &str) -> bool {
    let tail = text.get(KEPT..).unwrap_or_default();
    tail.len() >= 3 && tail.bytes().all(|b| b == b'0')
}

/// Whether an ID number, or the one in a certificate's number, ends as a spreadsheet leaves a long
/// number. One of a thousand honest ones does, too.
pub fn is_rounded_id(number: &str) -> bool {
    number.get(KEPT..18).is_some_and(|tail| tail == "000")
}

fn fault(error: &IdError) -> Fault {
    let code = FaultCode::of_protocol(error.code());
    let zh = match error {
        IdError::Length {
            expected, found, ..
        } => {
            let expected = expected.replace(" or ", " 或 ");
            format!("号码应为 {expected} 位，现为 {found} 位。请对照证件核对。")
        }
        IdError::Character {
            position, allowed, ..
        } => format!(
            "号码第 {position} 位的字符不对，只能是 {}。请对照证件核对。",
            allowed.replace(" and ", " 和 ")
        ),
        IdError::BirthDate { .. } => {
            "号码第 7 至 14 位不是有效的出生日期。请对照证件核对。".to_string()
        }
        IdError::CheckDigit { .. } => {
            "身份证号至少有一位录错（与末位校验码不符）。请对照证件逐位核对。".to_string()
        }
        IdError::CreditCheck { expected, found } => format!(
            "统一社会信用代码至少有一位录错（末位是 {found}，按其余 17 位应为 {expected}）。请对照证照逐位核对。"
        ),
        _ => "号码不符合编码规则。请对照证件核对。".to_string(),
    };
    Fault::new(code, zh, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_ruined_is_told_with_the_cure() {
        for text in ["9.99999E+17", "９.99999e17", "999999197504120000"] {
            let fault = id_number(text).unwrap_err();
            assert_eq!(fault.code, "id.shortened", "{text}");
            assert!(fault.zh.contains("Excel") && fault.zh.contains("文本格式"));
            assert!(!fault.zh.contains("99999"), "{}", fault.zh);
        }
    }

    #[test]
    fn what_is_around_a_number_is_no_part_of_it() {
        for text in [
            "=\"999999197504120031\"",
            "'999999197504120031",
            "\u{202d}999999197504120031\u{202c}",
            " ９９９９９９197504120031 ",
        ] {
            let read = id_number(text).unwrap();
            assert_eq!(read, Value::Text("999999197504120031".into()), "{text}");
        }
        let fault = id_number("99999919750412003").unwrap_err();
        assert!(fault.zh.contains("应为 18 位，现为 17 位"), "{}", fault.zh);
    }
}
