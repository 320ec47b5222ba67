//! Why a registry is refused.

use crate::ids::UnitId;
use crate::note::VerifierKey;
use crate::period::Month;

/// Why a registry is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The envelope or JSON is wrong.
    #[error("not a registry: {0} [registry.malformed]")]
    Malformed(String),
    /// The document as a whole is wrong.
    #[error("not a registry: {0} [registry.malformed]")]
    Document(DocumentFault),
    /// The units do not fit each other: every fault.
    #[error("{} [registry.unit]", sentences(.0))]
    Units(Vec<UnitFault>),
    /// Two keys that a line of a note cannot tell apart.
    #[error(
        "two different keys have one name and key id, in one version or in two: {first} and {second} [registry.key_id]"
    )]
    KeyId {
        /// The one that stands first, or was there before.
        first: VerifierKey,
        /// The other one.
        second: VerifierKey,
    },
    /// It does not leave the past as the version before has told it: every fault.
    #[error("registry version {version} changes what was: {} [registry.past]", sentences(.faults))]
    Past {
        /// Which version.
        version: u64,
        /// What it changes.
        faults: Vec<UnitFault>,
    },
    /// The month from which it changes something is before the one of the version before.
    #[error(
        "registry version {version} is to change months from {found} on, but what was before \
         {settled} is settled [registry.from]"
    )]
    Settled {
        /// Which version.
        version: u64,
        /// The month of the version before.
        settled: Month,
        /// Its own, or that it has none.
        found: FromMonth,
    },
    /// A version is missing, repeated, or older than what is known.
    #[error(
        "registry version {found} cannot follow version {known}: versions are walked one at a time [registry.version]"
    )]
    Version {
        /// What is known.
        known: u64,
        /// What came.
        found: u64,
    },
    /// It follows another version n than the one that is known.
    #[error(
        "registry version {0} names another predecessor than the one known here: the registry was forked [registry.fork]"
    )]
    Fork(u64),
    /// Too few root signatures.
    #[error(
        "registry version {version} is signed by {found} of the {needed} root keys of {whose} [registry.threshold]"
    )]
    Threshold {
        /// Which version.
        version: u64,
        /// Valid root signatures.
        found: usize,
        /// How many are needed.
        needed: usize,
        /// Whose keys: the version before, or its own.
        whose: &'static str,
    },
}

/// What can be wrong with a version as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentFault {
    /// Its number and its predecessor.
    #[error("version 1 has no predecessor and every later one names its own")]
    Predecessor,
    /// A month in version 1.
    #[error("version 1 changes nothing, so it names no month `from`")]
    FirstFrom,
    /// One root key counted as two.
    #[error("the threshold counts distinct root keys, and one of them is there twice")]
    RootTwice,
    /// A threshold that cannot be met, or that nobody must meet.
    #[error("the threshold is between 1 and the number of distinct root keys")]
    Threshold,
    /// Algorithms.
    #[error("a root key signs: it is an Ed25519 key (0x01)")]
    RootKind,
    /// Over [`MAX_UNITS`](super::MAX_UNITS).
    #[error("too many units")]
    TooManyUnits,
}

/// A month from which a version changes something, or that it says none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FromMonth(pub Option<Month>);

impl std::fmt::Display for FromMonth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(month) => month.fmt(f),
            None => f.write_str("no stated month"),
        }
    }
}

/// What is wrong with one unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unit {unit} {kind}")]
pub struct UnitFault {
    /// Which unit.
    pub unit: UnitId,
    /// What is wrong.
    pub kind: UnitFaultKind,
}

/// What can be wrong with a unit, in itself, beside the others, or after the version before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitFaultKind {
    /// Its id is there before.
    #[error("is there twice")]
    Twice,
    /// Its node keys.
    #[error("has no key, or a key under another name")]
    Keys,
    /// One node key listed twice: its revocation would end it in one place only.
    #[error("has one key twice: what was revoked is not entered again")]
    KeyTwice,
    /// A witness key's name.
    #[error("has a witness key that is not named <unit>/witness")]
    WitnessName,
    /// Algorithms.
    #[error(
        "has keys of another kind: they must be Ed25519 (0x01), and witness keys cosignature keys (0x04)"
    )]
    Algorithm,
    /// Former witness keys.
    #[error("has former witness keys whose times do not rise, or one witness key twice")]
    WitnessOrder,
    /// The end before the beginning.
    #[error("ends before it begins")]
    Ends,
    /// Former names and parents.
    #[error("has former names or parents whose months do not rise from its first to its last")]
    FormerOrder,
    /// A successor without an end.
    #[error("has successors, but no last month")]
    SuccessorsOfNobody,
    /// A successor that cannot carry on.
    #[error(
        "names the successor {0}, which is itself, is named twice or does not exist in the month after its end"
    )]
    Successor(UnitId),
    /// A parent that nobody knows.
    #[error("names a parent that does not exist: {0}")]
    UnknownParent(UnitId),
    /// A parent that is not above it.
    #[error("has a parent that is not of a higher tier: {0}")]
    Tier(UnitId),
    /// A parent that comes too late or ends too early.
    #[error("reports to {parent} from {first} {}, but {parent} does not exist in all of these months", upto(*.last))]
    ParentMonths {
        /// The parent.
        parent: UnitId,
        /// The first month in which it is to be the parent.
        first: Month,
        /// The last; none where no end is known.
        last: Option<Month>,
    },
    /// It was in the version before.
    #[error("is left out: units end, they do not vanish")]
    Vanished,
    /// Its tier or first month.
    #[error("has another tier or first month than before")]
    Identity,
    /// A month that is settled.
    #[error("has another name, parent or end in a month before {0}")]
    Settled(FromMonth),
    /// A new unit in the past.
    #[error("is new and reports from {since} on, before {from}")]
    New {
        /// Its first month.
        since: Month,
        /// From when on the version changes something.
        from: FromMonth,
    },
    /// A key that is gone.
    #[error(
        "lacks a key that it had, or has it from another index on: keys are revoked, not left out"
    )]
    KeyGone,
    /// A revocation taken back.
    #[error("has a key whose revocation is taken back or put off")]
    Unrevoked,
    /// A new key for what others have signed.
    #[error("has a new key that begins before one that it had")]
    KeyBefore,
    /// A witness key that is gone.
    #[error("lacks a witness key that it had, or has it for longer than before")]
    WitnessGone,
}

fn upto(last: Option<Month>) -> String {
    last.map_or_else(|| "on".to_string(), |last| format!("to {last}"))
}

fn sentences(faults: &[UnitFault]) -> String {
    let all: Vec<String> = faults.iter().map(UnitFault::to_string).collect();
    all.join("; ")
}
