//! Numbers as people read them: with their unit of measure, money in 元, ratios in percent.

use serde::{Deserialize, Serialize};

use crate::catalogue::Indicator;
use crate::figure::Counts;

/// The unit of measure in which money is counted; people read [`YUAN`].
const FEN: &str = "分";
/// The unit of measure in which people read money.
pub const YUAN: &str = "元";

/// What the numbers of a figure are measured in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "unit", rename_all = "snake_case")]
pub enum Measure {
    /// Things or persons, in this unit (人, 人次, 家 …).
    Count(String),
    /// Money; the numbers are whole 分, the texts 元.
    Money,
    /// A numerator and a denominator; the text is their ratio in percent.
    Percent,
}

impl Measure {
    /// Of an indicator.
    pub fn of(indicator: &Indicator) -> Measure {
        if indicator.kind.is_counted() {
            Measure::counted(&indicator.unit)
        } else {
            Measure::Percent
        }
    }

    /// Of what is counted in this unit of measure, as the catalogue writes it: 人, 人次, 分 …
    pub fn counted(unit: &str) -> Measure {
        match unit {
            FEN => Measure::Money,
            unit => Measure::Count(unit.to_string()),
        }
    }

    /// The unit of measure of the texts: 人, 元, %.
    pub fn unit(&self) -> &str {
        match self {
            Measure::Count(unit) => unit,
            Measure::Money => YUAN,
            Measure::Percent => "%",
        }
    }

    /// A number with its unit of measure: `17 人`, `3,500.00 元`.
    pub fn text(&self, number: i64) -> String {
        match self {
            Measure::Count(unit) => format!("{number} {unit}"),
            Measure::Money => format!("{} {YUAN}", yuan(number)),
            Measure::Percent => number.to_string(),
        }
    }

    /// A difference with its sign: `+3 人`, `-1.00 元`, `0 人`.
    pub fn difference(&self, number: i64) -> String {
        let sign = if number > 0 { "+" } else { "" };
        format!("{sign}{}", self.text(number))
    }
}

/// 分 as 元 with two decimals and thousands apart: `3,500.00`, `-0.05`.
pub fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let (yuan, rest) = (fen.unsigned_abs() / 100, fen.unsigned_abs() % 100);
    let digits = yuan.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{rest:02}")
}

/// A ratio in percent, cut and not rounded up, so that what is not reached does not look reached:
/// `50.00 %`. None where nothing is there to be a part of.
pub fn percent(numerator: i64, denominator: i64) -> Option<String> {
    if denominator <= 0 {
        return None;
    }
    let hundredths = i128::from(numerator) * 10_000 / i128::from(denominator);
    let sign = if hundredths < 0 { "-" } else { "" };
    let (whole, rest) = (
        hundredths.unsigned_abs() / 100,
        hundredths.unsigned_abs() % 100,
    );
    Some(format!("{sign}{whole}.{rest:02} %"))
}

/// The numbers of one figure, or of one cell, in one scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The value of what is counted; money in 分.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// Numerator of a ratio or coverage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numerator: Option<i64>,
    /// Denominator of a ratio or coverage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denominator: Option<i64>,
    /// As people read it: `17 人`, `3,500.00 元`, `50.00 %（4/8）`.
    pub text: String,
}

impl Reading {
    /// One number.
    pub fn number(value: i64, measure: &Measure) -> Reading {
        Reading {
            value: Some(value),
            numerator: None,
            denominator: None,
            text: measure.text(value),
        }
    }

    /// The total of a figure.
    pub fn of(counts: &Counts, measure: &Measure) -> Reading {
        if let Some(value) = counts.value {
            return Reading::number(value, measure);
        }
        let (numerator, denominator) = (counts.num.unwrap_or(0), counts.den.unwrap_or(0));
        let ratio = percent(numerator, denominator).unwrap_or_else(|| "–".into());
        Reading {
            value: None,
            numerator: Some(numerator),
            denominator: Some(denominator),
            text: format!("{ratio}（{numerator}/{denominator}）"),
        }
    }

    /// Whether there is nothing in it: 0, or nothing of nothing.
    pub fn is_zero(&self) -> bool {
        let numbers = [self.value, self.numerator, self.denominator];
        numbers.into_iter().flatten().all(|n| n == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_in_yuan_and_ratios_in_percent() {
        for (fen, text) in [
            (0, "0.00"),
            (-5, "-0.05"),
            (350_000, "3,500.00"),
            (99_999, "999.99"),
            (-123_456_789, "-1,234,567.89"),
        ] {
            assert_eq!(yuan(fen), text);
        }
        assert_eq!(percent(4, 8).as_deref(), Some("50.00 %"));
        assert_eq!(percent(1999, 2000).as_deref(), Some("99.95 %"));
        assert_eq!(percent(199_999, 200_000).as_deref(), Some("99.99 %"));
        assert_eq!(percent(-1, 1000).as_deref(), Some("-0.10 %"));
        assert_eq!(percent(0, 0), None);
    }

    #[test]
    fn a_difference_has_its_sign() {
        let persons = Measure::Count("人".into());
        let told = [3, 0, -2].map(|n| persons.difference(n));
        assert_eq!(told, ["+3 人", "0 人", "-2 人"]);
        assert_eq!(Measure::Money.difference(100), "+1.00 元");
    }

    #[test]
    fn nothing_of_nothing_has_no_percentage() {
        let counts = Counts {
            num: Some(0),
            den: Some(0),
            ..Counts::default()
        };
        let reading = Reading::of(&counts, &Measure::Percent);
        assert_eq!(reading.text, "–（0/0）");
        assert!(reading.is_zero());
    }
}
