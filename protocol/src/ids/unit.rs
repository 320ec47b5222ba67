//! Unit codes and tiers. A code is a name and nothing more: a unit's parent is data in the
//! registry, never arithmetic on codes (reporting lines differ from the tree of GB/T 2260).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::IdError;
use crate::text::serde_text;

/// Longest unit code.
pub const MAX_UNIT_BYTES: usize = 16;

/// The code of a unit: 1 to 16 ASCII letters and digits. For a county usually its six digits of
/// GB/T 2260. Letters keep their case: `a1` and `A1` are two units.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId(String);

impl UnitId {
    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UnitId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        const WHAT: &str = "unit code";
        if let Some(at) = text.chars().position(|c| !c.is_ascii_alphanumeric()) {
            return Err(IdError::Character {
                what: WHAT,
                position: at + 1,
                allowed: "ASCII letters and digits",
            });
        }
        if text.is_empty() || text.len() > MAX_UNIT_BYTES {
            return Err(IdError::Length {
                what: WHAT,
                expected: "1 to 16",
                found: text.len(),
            });
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnitId({})", self.0)
    }
}

serde_text!(UnitId);

/// The rank of a unit. `County < City < Province`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// 县: records events.
    County,
    /// 市: adds up counties.
    City,
    /// 省: adds up cities.
    Province,
}

impl Tier {
    /// All tiers, lowest first.
    pub const ALL: [Self; 3] = [Self::County, Self::City, Self::Province];

    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::County => "county",
            Self::City => "city",
            Self::Province => "province",
        }
    }

    /// The word used in Chinese pages.
    pub fn zh(self) -> &'static str {
        match self {
            Self::County => "县",
            Self::City => "市",
            Self::Province => "省",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Tier {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::ALL
            .into_iter()
            .find(|tier| tier.as_str() == text)
            .ok_or(IdError::Tier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_codes() {
        for good in ["140321", "A", "0123456789abcdEF"] {
            let unit: UnitId = good.parse().unwrap();
            assert_eq!(unit.as_str(), good);
            let json = serde_json::to_string(&unit).unwrap();
            assert_eq!(json, format!("\"{good}\""));
            assert_eq!(serde_json::from_str::<UnitId>(&json).unwrap(), unit);
        }
        for bad in ["", "01234567890123456"] {
            assert_eq!(
                bad.parse::<UnitId>().unwrap_err().code(),
                "id.length",
                "{bad}"
            );
        }
        for bad in ["14 0321", "140321\n", "a/b", "a.b", "a*", ">", "１４", "县"] {
            assert_eq!(
                bad.parse::<UnitId>().unwrap_err().code(),
                "id.character",
                "{bad}"
            );
        }
    }

    #[test]
    fn tiers() {
        assert!(Tier::County < Tier::City && Tier::City < Tier::Province);
        for tier in Tier::ALL {
            assert_eq!(tier.to_string().parse(), Ok(tier));
            assert_eq!(serde_json::to_string(&tier).unwrap(), format!("\"{tier}\""));
        }
        assert_eq!("County".parse::<Tier>(), Err(IdError::Tier));
        assert_eq!(Tier::County.zh(), "县");
    }
}
