//! A code as it travels: a text, which a newer node may have given.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::codes::FaultCode;

/// The code of a fault, as an answer has it. A client must show what a newer node says, too, so a
/// code that this version's table does not have is kept as its text and is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireCode(Inner);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Inner {
    Known(FaultCode),
    Newer(String),
}

impl WireCode {
    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Inner::Known(code) => code.as_str(),
            Inner::Newer(text) => text,
        }
    }

    /// The code of this version's table, if it is one.
    pub fn known(&self) -> Option<FaultCode> {
        match self.0 {
            Inner::Known(code) => Some(code),
            Inner::Newer(_) => None,
        }
    }
}

impl From<FaultCode> for WireCode {
    fn from(code: FaultCode) -> WireCode {
        WireCode(Inner::Known(code))
    }
}

impl fmt::Display for WireCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl PartialEq<FaultCode> for WireCode {
    fn eq(&self, code: &FaultCode) -> bool {
        self.known() == Some(*code)
    }
}

impl PartialEq<&str> for WireCode {
    fn eq(&self, text: &&str) -> bool {
        self.as_str() == *text
    }
}

impl Serialize for WireCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for WireCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WireCode, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = text.parse().map(Inner::Known);
        Ok(WireCode(known.unwrap_or(Inner::Newer(text))))
    }
}
