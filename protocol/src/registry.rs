//! Who exists: units, parents, keys, and since which log index they are valid.
//! `countersign/registry/v1`.
//!
//! A unit's parent is data, not arithmetic on area codes: 长春新区 and 甘肃矿区 have no code, and
//! some counties report straight to the province. Version n+1 names the digest of version n and is
//! signed by the threshold of n's root keys *and* of its own; a reader walks one version at a time.
//! A key is judged at the log index of what it signed, never by a clock.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::{Tier, UnitId};
use crate::note::{self, Alg, Note, VerifierKey};

/// The kind of the signed document.
pub const KIND: &str = "registry";
/// At most this many units.
pub const MAX_UNITS: usize = 20_000;

/// One version of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// 1, 2, 3 …
    pub version: u64,
    /// Digest of the version before; none for version 1.
    pub previous: Option<Digest>,
    /// Who may sign the next version.
    pub roots: Vec<VerifierKey>,
    /// How many of them must.
    pub threshold: usize,
    /// All units.
    pub units: Vec<Unit>,
}

/// One unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Its id; the area code where it has one.
    pub id: UnitId,
    /// Its name for people.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// Whom it reports to.
    pub parent: Option<UnitId>,
    /// GB/T 2260 code, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// First month that it reports.
    pub since: crate::period::Month,
    /// Keys that sign its rollups, checkpoints, receipts and system statements.
    pub keys: Vec<UnitKey>,
    /// Key that cosigns its children's checkpoints.
    pub witness: VerifierKey,
}

/// A key and the part of the log that it may sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitKey {
    /// The key.
    pub vkey: VerifierKey,
    /// First log index (and first checkpoint size) that it may sign.
    pub from_index: u64,
    /// Revoked: it may sign nothing at or above this index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// Since when and why a key is revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// First log index that it may not sign.
    pub at_index: u64,
    /// For people: rotated, lost, stolen.
    pub reason: String,
}

/// Why a registry is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The envelope or JSON is wrong.
    #[error("not a registry: {0} [registry.malformed]")]
    Malformed(String),
    /// The tree of units is wrong.
    #[error("unit {unit}: {message} [registry.unit]")]
    Unit {
        /// Which unit.
        unit: UnitId,
        /// What is wrong.
        message: String,
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

impl Registry {
    /// The note text to be signed.
    ///
    /// # Errors
    /// What [`Registry::check`] finds.
    pub fn to_text(&self) -> Result<String, RegistryError> {
        self.check()?;
        let json =
            serde_json::to_string(self).map_err(|e| RegistryError::Malformed(e.to_string()))?;
        note::document(KIND, &json).map_err(|e| RegistryError::Malformed(e.to_string()))
    }

    /// Reads a note's text: its form alone, which proves nothing. What is trusted is a
    /// [`VerifiedRegistry`].
    ///
    /// # Errors
    /// What [`Registry::check`] finds.
    pub fn parse(text: &str) -> Result<Registry, RegistryError> {
        let json =
            note::read_document(text, KIND).map_err(|e| RegistryError::Malformed(e.to_string()))?;
        let registry: Registry =
            serde_json::from_str(json).map_err(|e| RegistryError::Malformed(e.to_string()))?;
        registry.check()?;
        Ok(registry)
    }

    /// Checks that the units form a forest, that keys carry their unit's name, and that the
    /// threshold can be met.
    ///
    /// # Errors
    /// The first fault.
    pub fn check(&self) -> Result<(), RegistryError> {
        let malformed = |m: &str| Err(RegistryError::Malformed(m.to_string()));
        if self.version == 0 || (self.version == 1) != self.previous.is_none() {
            return malformed("version 1 has no predecessor and every later one names its own");
        }
        // By the key itself: one secret under two names is one key.
        let distinct: BTreeSet<&[u8; 32]> = self.roots.iter().map(VerifierKey::public).collect();
        if self.threshold == 0
            || self.threshold > distinct.len()
            || distinct.len() != self.roots.len()
        {
            return malformed("the threshold is between 1 and the number of distinct root keys");
        }
        if self.roots.iter().any(|k| k.alg() != Alg::Ed25519) {
            return malformed("a root key signs: it is an Ed25519 key (0x01)");
        }
        if self.units.len() > MAX_UNITS {
            return malformed("too many units");
        }
        let mut ids = BTreeSet::new();
        for u in &self.units {
            let fault = |message: &str| {
                Err(RegistryError::Unit {
                    unit: u.id.clone(),
                    message: message.to_string(),
                })
            };
            if !ids.insert(&u.id) {
                return fault("is there twice");
            }
            if u.keys.is_empty() || u.keys.iter().any(|k| k.vkey.name() != u.id.as_str()) {
                return fault("has no key, or a key under another name");
            }
            if u.witness.name() != format!("{}/witness", u.id) {
                return fault("its witness key is not named <unit>/witness");
            }
            if u.keys.iter().any(|k| k.vkey.alg() != Alg::Ed25519)
                || u.witness.alg() != Alg::CosignatureV1
            {
                return fault(
                    "its keys must be Ed25519 (0x01) and its witness key a cosignature key (0x04)",
                );
            }
            if let Some(parent) = &u.parent {
                match self.units.iter().find(|p| &p.id == parent) {
                    None => return fault("names a parent that does not exist"),
                    Some(p) if p.tier <= u.tier => {
                        return fault("its parent is not of a higher tier");
                    }
                    Some(_) => {} // tiers rise strictly, so there can be no cycle
                }
            }
        }
        Ok(())
    }

    /// The unit of this id.
    pub fn unit(&self, id: &UnitId) -> Option<&Unit> {
        self.units.iter().find(|u| &u.id == id)
    }
    /// The units that report to this one, in the registry's order.
    pub fn children(&self, id: &UnitId) -> Vec<&Unit> {
        self.units
            .iter()
            .filter(|u| u.parent.as_ref() == Some(id))
            .collect()
    }
    /// Ancestors and the unit itself, top first.
    pub fn path(&self, id: &UnitId) -> Vec<UnitId> {
        let mut path = Vec::new();
        let mut at = self.unit(id);
        while let Some(u) = at {
            path.push(u.id.clone());
            at = u.parent.as_ref().and_then(|p| self.unit(p));
        }
        path.reverse();
        path
    }
    /// The unit and everything below it.
    pub fn subtree(&self, id: &UnitId) -> Vec<&Unit> {
        let mut all: Vec<&Unit> = self.unit(id).into_iter().collect();
        let mut next = 0;
        while next < all.len() {
            let below = self.children(&all[next].id);
            all.extend(below);
            next += 1;
        }
        all
    }
}

impl Unit {
    /// The keys that are listed for its node, valid or revoked.
    pub fn vkeys(&self) -> Vec<VerifierKey> {
        self.keys.iter().map(|k| k.vkey.clone()).collect()
    }

    /// The keys that may sign a checkpoint or rollup over this many leaves. A key that may sign no
    /// leaf from index n on may still have signed over n leaves: what it sealed as its last act
    /// stays valid when it is rotated.
    pub fn keys_over(&self, size: u64) -> Vec<VerifierKey> {
        self.keys
            .iter()
            .filter(|k| {
                k.from_index <= size && k.revoked.as_ref().is_none_or(|r| size <= r.at_index)
            })
            .map(|k| k.vkey.clone())
            .collect()
    }

    /// The keys that may sign the leaf at this log index.
    pub fn keys_at(&self, index: u64) -> Vec<VerifierKey> {
        self.keys
            .iter()
            .filter(|k| {
                k.from_index <= index && k.revoked.as_ref().is_none_or(|r| index < r.at_index)
            })
            .map(|k| k.vkey.clone())
            .collect()
    }
}

/// The root keys that a reader knows from outside: one, or as many as must have signed. In a file a
/// key, or a list of keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "OneOrMore")]
pub struct Anchor(Vec<VerifierKey>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(Box<VerifierKey>),
    More(Vec<VerifierKey>),
}

impl TryFrom<OneOrMore> for Anchor {
    type Error = &'static str;

    fn try_from(keys: OneOrMore) -> Result<Anchor, &'static str> {
        match keys {
            OneOrMore::One(key) => Ok(Anchor(vec![*key])),
            OneOrMore::More(keys) if keys.is_empty() => Err("at least one root key is needed"),
            OneOrMore::More(keys) => Ok(Anchor(keys)),
        }
    }
}

impl From<VerifierKey> for Anchor {
    fn from(key: VerifierKey) -> Anchor {
        Anchor(vec![key])
    }
}

impl From<Vec<VerifierKey>> for Anchor {
    fn from(keys: Vec<VerifierKey>) -> Anchor {
        Anchor(keys)
    }
}

impl AsRef<[VerifierKey]> for Anchor {
    fn as_ref(&self) -> &[VerifierKey] {
        &self.0
    }
}

impl AsRef<[VerifierKey]> for VerifierKey {
    fn as_ref(&self) -> &[VerifierKey] {
        std::slice::from_ref(self)
    }
}

/// A verified registry and the digest of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRegistry {
    registry: Registry,
    digest: Digest,
}

impl VerifiedRegistry {
    /// Version 1, trusted because every root key that the reader knows from outside signed it.
    ///
    /// The threshold that it names itself protects nobody who knows nothing else: whoever holds one
    /// root key can write another version 1 with a threshold of one. So a reader should know as
    /// many root keys as must sign.
    ///
    /// # Errors
    /// Another version, a wrong shape, too few signatures, no key to trust it by, or one of them
    /// has not signed.
    pub fn first<R: AsRef<[VerifierKey]> + ?Sized>(
        note: &Note,
        roots: &R,
    ) -> Result<VerifiedRegistry, RegistryError> {
        let registry = Registry::parse(note.text())?;
        if registry.version != 1 {
            return Err(RegistryError::Version {
                known: 0,
                found: registry.version,
            });
        }
        let known = roots.as_ref();
        count(note, known, known.len().max(1), 1, "the reader")?;
        count(note, &registry.roots, registry.threshold, 1, "its own")?;
        Ok(VerifiedRegistry {
            digest: note.digest(),
            registry,
        })
    }

    /// The next version.
    ///
    /// # Errors
    /// A version skipped or replayed, a fork, or too few signatures of the old or the new root
    /// keys.
    pub fn next(&self, note: &Note) -> Result<VerifiedRegistry, RegistryError> {
        let registry = Registry::parse(note.text())?;
        let known = self.registry.version;
        if registry.version != known + 1 {
            return Err(RegistryError::Version {
                known,
                found: registry.version,
            });
        }
        if registry.previous != Some(self.digest) {
            return Err(RegistryError::Fork(registry.version));
        }
        count(
            note,
            &self.registry.roots,
            self.registry.threshold,
            registry.version,
            "the version before",
        )?;
        count(
            note,
            &registry.roots,
            registry.threshold,
            registry.version,
            "its own",
        )?;
        Ok(VerifiedRegistry {
            digest: note.digest(),
            registry,
        })
    }

    /// Walks a chain from version 1.
    ///
    /// # Errors
    /// The first fault.
    pub fn chain<R: AsRef<[VerifierKey]> + ?Sized>(
        notes: &[Note],
        roots: &R,
    ) -> Result<Vec<VerifiedRegistry>, RegistryError> {
        let mut chain: Vec<VerifiedRegistry> = Vec::new();
        for note in notes {
            let next = match chain.last() {
                None => VerifiedRegistry::first(note, roots)?,
                Some(last) => last.next(note)?,
            };
            chain.push(next);
        }
        Ok(chain)
    }

    /// What it says.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }
    /// Digest of its text.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

fn count(
    note: &Note,
    keys: &[VerifierKey],
    needed: usize,
    version: u64,
    whose: &'static str,
) -> Result<(), RegistryError> {
    let found = note.verify(keys).map(|k| k.len()).unwrap_or(0);
    if found < needed {
        Err(RegistryError::Threshold {
            version,
            found,
            needed,
            whose,
        })
    } else {
        Ok(())
    }
}
