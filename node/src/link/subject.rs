//! Subjects: where a message goes, built and parsed in one place, so that a node, the operator's
//! permissions and the in-memory hub cannot disagree about it.
//!
//! ```text
//! cs.v1.up.<path>.rollup               a month's report
//! cs.v1.up.<path>.checkpoint           the log's signed head
//! cs.v1.up.<path>.entries.<first>      a delivery of statements, <first> = log index of its first one, which the delivery proves
//! cs.v1.down.<path>.receipt            written by the parent, addressed to the child whose path it is
//! cs.v1.down.<path>.registry|catalogue|plan    written by the unit whose path it is, read by all its descendants
//! ```
//! A *path* is a unit's ancestors and itself, top first. Unit codes are `[0-9A-Za-z]+` and never
//! one of the words above; that is what makes the parse unambiguous. A subject routes and limits;
//! it proves nothing. Who wrote a message is decided by the signatures inside it.

use super::error::LinkError;
use std::fmt;
use std::str::FromStr;

/// How many units a path may name: nation, province, city, county, township, village and two to
/// spare.
pub const MAX_PATH_UNITS: usize = 8;
/// How long a unit code may be.
pub const MAX_UNIT_BYTES: usize = 32;

/// The first tokens of all that goes up.
pub const UP_PREFIX: &str = "cs.v1.up";
/// The first tokens of all that goes down.
pub const DOWN_PREFIX: &str = "cs.v1.down";

/// Words that stand at a kind's place and therefore never name a unit.
const RESERVED: [&str; 7] = [
    "rollup",
    "entries",
    "checkpoint",
    "receipt",
    "registry",
    "catalogue",
    "plan",
];

/// A unit's ancestors and itself, top first. Never empty, every code checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitPath(Vec<String>);

impl UnitPath {
    /// Checks and takes the codes, top first.
    pub fn new<I, S>(units: I) -> Result<Self, LinkError>
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        let units: Vec<String> = units.into_iter().map(Into::into).collect();
        let bad = |reason: &str| LinkError::Path {
            path: units.join("."),
            reason: reason.to_owned(),
        };
        if units.is_empty() {
            return Err(bad("it names no unit"));
        }
        if units.len() > MAX_PATH_UNITS {
            return Err(bad("it names more than 8 units"));
        }
        for (i, unit) in units.iter().enumerate() {
            if unit.is_empty()
                || unit.len() > MAX_UNIT_BYTES
                || !unit.bytes().all(|b| b.is_ascii_alphanumeric())
            {
                return Err(bad("a unit code is 1 to 32 of 0-9, A-Z, a-z"));
            }
            if RESERVED.contains(&unit.as_str()) {
                return Err(bad("a unit code must not be the name of a message kind"));
            }
            if units[..i].contains(unit) {
                return Err(bad("a unit stands in it twice"));
            }
        }
        Ok(Self(units))
    }

    /// The unit itself: the last code.
    #[must_use]
    pub fn unit(&self) -> &str {
        // Never empty: `new` is the only constructor that starts from outside, `ancestors` cuts at
        // one or more.
        self.0.last().map_or("", String::as_str)
    }

    /// The codes, top first.
    #[must_use]
    pub fn units(&self) -> &[String] {
        &self.0
    }

    /// The paths of all proper ancestors, top first.
    pub fn ancestors(&self) -> impl Iterator<Item = UnitPath> + '_ {
        (1..self.0.len()).map(|n| UnitPath(self.0[..n].to_vec()))
    }

    /// The parent's path; none for the top.
    #[must_use]
    pub fn parent(&self) -> Option<UnitPath> {
        self.ancestors().last()
    }

    /// Whether this unit is a proper ancestor of `other`.
    #[must_use]
    pub fn is_above(&self, other: &UnitPath) -> bool {
        other.0.len() > self.0.len() && other.0.starts_with(&self.0)
    }
}

impl fmt::Display for UnitPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

impl FromStr for UnitPath {
    type Err = LinkError;
    fn from_str(text: &str) -> Result<Self, LinkError> {
        Self::new(text.split('.'))
    }
}

/// What a unit sends up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UpKind {
    /// A month's report.
    Rollup,
    /// A delivery of log entries that starts at this index.
    Entries(u64),
    /// The log's signed head.
    Checkpoint,
}

/// What comes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DownKind {
    /// The parent's signed answer to a rollup, to one child.
    Receipt,
    /// Who exists, to all descendants.
    Registry,
    /// What is counted, to all descendants.
    Catalogue,
    /// Targets and deadlines, to all descendants.
    Plan,
}

impl DownKind {
    /// The kinds that a unit publishes under its own path for all its descendants.
    pub const BROADCAST: [DownKind; 3] = [DownKind::Registry, DownKind::Catalogue, DownKind::Plan];

    /// The word in the subject.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            DownKind::Receipt => "receipt",
            DownKind::Registry => "registry",
            DownKind::Catalogue => "catalogue",
            DownKind::Plan => "plan",
        }
    }
}

/// An upward subject: who sends what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Up {
    /// The sender.
    pub path: UnitPath,
    /// What it sends.
    pub kind: UpKind,
}

impl fmt::Display for Up {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{UP_PREFIX}.{}", self.path)?;
        match self.kind {
            UpKind::Rollup => f.write_str(".rollup"),
            UpKind::Checkpoint => f.write_str(".checkpoint"),
            UpKind::Entries(first) => write!(f, ".entries.{first}"),
        }
    }
}

/// A downward subject: for a receipt `path` is the addressee, for the broadcast kinds the sender.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Down {
    /// The addressee of a receipt; the sender of everything else.
    pub path: UnitPath,
    /// What comes.
    pub kind: DownKind,
}

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{DOWN_PREFIX}.{}.{}", self.path, self.kind.word())
    }
}

/// Any subject of ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Towards the top.
    Up(Up),
    /// Towards the counties.
    Down(Down),
}

impl Subject {
    /// An upward subject.
    #[must_use]
    pub fn up(path: UnitPath, kind: UpKind) -> Self {
        Subject::Up(Up { path, kind })
    }

    /// A downward subject.
    #[must_use]
    pub fn down(path: UnitPath, kind: DownKind) -> Self {
        Subject::Down(Down { path, kind })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Up(up) => up.fmt(f),
            Subject::Down(down) => down.fmt(f),
        }
    }
}

impl FromStr for Subject {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let bad = |reason: &str| LinkError::Subject {
            subject: text.chars().take(200).collect(),
            reason: reason.to_owned(),
        };
        let path = |tokens: &[&str]| {
            UnitPath::new(tokens.iter().copied()).map_err(|e| bad(&e.to_string()))
        };
        if let Some(rest) = text
            .strip_prefix(UP_PREFIX)
            .and_then(|r| r.strip_prefix('.'))
        {
            let tokens: Vec<&str> = rest.split('.').collect();
            return match tokens.as_slice() {
                [units @ .., "rollup"] => Ok(Subject::up(path(units)?, UpKind::Rollup)),
                [units @ .., "checkpoint"] => Ok(Subject::up(path(units)?, UpKind::Checkpoint)),
                [units @ .., "entries", first] => {
                    let index =
                        index(first).ok_or_else(|| bad("the first index is not a plain number"))?;
                    Ok(Subject::up(path(units)?, UpKind::Entries(index)))
                }
                _ => Err(bad(
                    "upward kinds are rollup, checkpoint and entries.<first index>",
                )),
            };
        }
        if let Some(rest) = text
            .strip_prefix(DOWN_PREFIX)
            .and_then(|r| r.strip_prefix('.'))
        {
            let tokens: Vec<&str> = rest.split('.').collect();
            let (units, kind) = match tokens.as_slice() {
                [units @ .., "receipt"] => (units, DownKind::Receipt),
                [units @ .., "registry"] => (units, DownKind::Registry),
                [units @ .., "catalogue"] => (units, DownKind::Catalogue),
                [units @ .., "plan"] => (units, DownKind::Plan),
                _ => {
                    return Err(bad(
                        "downward kinds are receipt, registry, catalogue and plan",
                    ));
                }
            };
            return Ok(Subject::down(path(units)?, kind));
        }
        Err(bad("it starts neither with cs.v1.up. nor with cs.v1.down."))
    }
}

/// A number written in the one way: digits, no sign, no leading zero.
fn index(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> UnitPath {
        text.parse().unwrap()
    }

    #[test]
    fn every_kind_is_written_and_read_back() {
        let p = path("140000.140300.140321");
        for (subject, text) in [
            (
                Subject::up(p.clone(), UpKind::Rollup),
                "cs.v1.up.140000.140300.140321.rollup",
            ),
            (
                Subject::up(p.clone(), UpKind::Checkpoint),
                "cs.v1.up.140000.140300.140321.checkpoint",
            ),
            (
                Subject::up(p.clone(), UpKind::Entries(0)),
                "cs.v1.up.140000.140300.140321.entries.0",
            ),
            (
                Subject::up(p.clone(), UpKind::Entries(u64::MAX)),
                "cs.v1.up.140000.140300.140321.entries.18446744073709551615",
            ),
            (
                Subject::down(p.clone(), DownKind::Receipt),
                "cs.v1.down.140000.140300.140321.receipt",
            ),
            (
                Subject::down(path("140000"), DownKind::Registry),
                "cs.v1.down.140000.registry",
            ),
            (
                Subject::down(path("140000"), DownKind::Catalogue),
                "cs.v1.down.140000.catalogue",
            ),
            (
                Subject::down(path("140000"), DownKind::Plan),
                "cs.v1.down.140000.plan",
            ),
        ] {
            assert_eq!(subject.to_string(), text);
            assert_eq!(text.parse::<Subject>().unwrap(), subject);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "cs.v1.up",
            "cs.v1.up.",
            "cs.v1.up.rollup",
            "cs.v1.up..rollup",
            "cs.v1.up.140000",
            "cs.v1.up.140000.receipt",
            "cs.v1.up.140000.Rollup",
            "cs.v1.up.140000.rollup.rollup",
            "cs.v1.up.140000.rollup ",
            " cs.v1.up.140000.rollup",
            "cs.v1.up.14*.rollup",
            "cs.v1.up.*.rollup",
            "cs.v1.up.>",
            "cs.v1.up.140000.entries",
            "cs.v1.up.140000.entries.",
            "cs.v1.up.140000.entries.01",
            "cs.v1.up.140000.entries.+1",
            "cs.v1.up.140000.entries.-1",
            "cs.v1.up.140000.entries.18446744073709551616",
            "cs.v1.up.140000.entries.1.2",
            "cs.v1.up.140000.140000.rollup",
            "cs.v1.up.entries.5.rollup",
            "cs.v1.upx.140000.rollup",
            "cs.v2.up.140000.rollup",
            "CS.v1.up.140000.rollup",
            "cs.v1.up.山西.rollup",
            "cs.v1.down.140000.rollup",
            "cs.v1.down.140000.receipt.1",
            "cs.v1.down.receipt",
            "cs.v1.down.plan.plan",
            "cs.v1.up.1.2.3.4.5.6.7.8.9.rollup",
        ] {
            assert_eq!(
                text.parse::<Subject>().unwrap_err().code(),
                "link.subject",
                "{text:?}"
            );
        }
    }

    #[test]
    fn paths_know_their_family() {
        let (province, city, county) = (
            path("140000"),
            path("140000.140300"),
            path("140000.140300.140321"),
        );
        assert_eq!(county.unit(), "140321");
        assert_eq!(county.parent(), Some(city.clone()));
        assert_eq!(province.parent(), None);
        assert_eq!(
            county.ancestors().collect::<Vec<_>>(),
            [province.clone(), city.clone()]
        );
        assert!(province.is_above(&county) && city.is_above(&county));
        assert!(!county.is_above(&city) && !city.is_above(&city));
        assert!(!path("140").is_above(&path("1400.1")));
    }

    #[test]
    fn a_unit_cannot_be_named_like_a_kind() {
        for word in RESERVED {
            assert_eq!(
                UnitPath::new(["140000", word]).unwrap_err().code(),
                "link.path"
            );
        }
        assert!(UnitPath::new(Vec::<String>::new()).is_err());
        assert!(UnitPath::new(["a".repeat(33)]).is_err());
    }
}
