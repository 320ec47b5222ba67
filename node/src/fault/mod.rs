//! What is wrong with input: every fault at once, each with its place, a stable code, and the cure,
//! in both languages.
//!
//! Reading order: this file, [`FaultCode`] (the table of codes), [`WireCode`] (a code as it
//! travels).

mod codes;
mod wire;

pub use codes::{Bilingual, FaultCode, Row, UnknownCode};
pub use wire::WireCode;

use protocol::ids::UnitId;
use serde::{Deserialize, Serialize};

/// One fault. The texts never repeat a value that could be personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The unit that it is about, where an input tells of several. Boxed, as few faults have one and
    /// results carry faults about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Box<UnitId>>,
    /// Row of the file, counted from 1, the heading included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// Column or field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Stable code.
    pub code: WireCode,
    /// What is wrong and how to cure it, Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl Fault {
    /// A fault without a place.
    pub fn new(code: FaultCode, zh: impl Into<String>, en: impl Into<String>) -> Fault {
        Fault {
            unit: None,
            row: None,
            column: None,
            code: code.into(),
            zh: zh.into(),
            en: en.into(),
        }
    }
    /// With a unit.
    #[must_use]
    pub fn unit(mut self, unit: &UnitId) -> Fault {
        self.unit = Some(Box::new(unit.clone()));
        self
    }
    /// With a row.
    #[must_use]
    pub fn row(mut self, row: u64) -> Fault {
        self.row = Some(row);
        self
    }
    /// With a column.
    #[must_use]
    pub fn column(mut self, column: &str) -> Fault {
        self.column = Some(column.to_string());
        self
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(unit) = &self.unit {
            write!(f, "{unit} ")?;
        }
        if let Some(row) = self.row {
            write!(f, "row {row}")?;
        }
        if let Some(column) = &self.column {
            write!(f, "{}{column}", if self.row.is_some() { ", " } else { "" })?;
        }
        if self.row.is_some() || self.column.is_some() {
            write!(f, ": ")?;
        }
        write!(f, "{} / {} [{}]", self.zh, self.en, self.code)
    }
}

/// All faults of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// A single one.
    pub fn one(code: FaultCode, zh: impl Into<String>, en: impl Into<String>) -> Faults {
        Faults(vec![Fault::new(code, zh, en)])
    }

    /// The HTTP status of an answer with these faults: that of the first. A code that this version
    /// does not know was given by another node, and is that node's to answer for.
    pub fn status(&self) -> u16 {
        let first = self.0.first().and_then(|f| f.code.known());
        first.map_or(422, FaultCode::status)
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Faults {
        Faults(vec![fault])
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, fault) in self.0.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}
impl std::error::Error for Faults {}

/// A failure of the node itself (disk, keys), not of the input. What failed is told in English.
pub fn internal(e: impl std::fmt::Display) -> Faults {
    Faults::one(
        FaultCode::NodeInternal,
        format!("节点内部错误，{ENGLISH_ONLY}"),
        format!("internal error: {e}"),
    )
}

/// What a Chinese text says in place of a cause that there is only in English: two languages in one
/// sentence are read by nobody.
const ENGLISH_ONLY: &str = "原因见英文部分";

/// The cause of an error that speaks only English, in Chinese: what the stable code at the end of its
/// text means.
pub fn cause_zh(error: &impl std::fmt::Display) -> &'static str {
    let text = error.to_string();
    let code = text.trim_end().strip_suffix(']');
    let code = code.and_then(|text| text.rsplit_once('['));
    let code = code.and_then(|(_, code)| code.parse::<FaultCode>().ok());
    code.map_or(ENGLISH_ONLY, |code| code.meaning().zh)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_travels_as_its_text() {
        let fault = Fault::new(FaultCode::CloseEarly, "未到", "early");
        let json = r#"{"code":"close.early","zh":"未到","en":"early"}"#;
        assert_eq!(serde_json::to_string(&fault).unwrap(), json);
        assert_eq!(serde_json::from_str::<Fault>(json).unwrap(), fault);
        assert_eq!(fault.code, FaultCode::CloseEarly);
    }

    #[test]
    fn an_english_cause_is_told_in_chinese_by_its_code() {
        let cause = "registry version 3 is skipped [registry.version]";
        assert_eq!(cause_zh(&cause), "单位名录不能由已知版本推出");
        for none in ["an array [1, 2]", "of no code", ""] {
            assert_eq!(cause_zh(&none), ENGLISH_ONLY, "{none}");
        }
    }

    #[test]
    fn the_code_of_a_newer_node_is_shown_as_it_came() {
        let json = r#"[{"code":"close.moon","zh":"月相","en":"the moon"}]"#;
        let faults: Faults = serde_json::from_str(json).unwrap();
        assert_eq!(faults.to_string(), "月相 / the moon [close.moon]");
        assert_eq!(serde_json::to_string(&faults).unwrap(), json);
        assert_eq!((faults.0[0].code.known(), faults.status()), (None, 422));
    }
}
