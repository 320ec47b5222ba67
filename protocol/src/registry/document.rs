//! One version of the registry.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::error::{DocumentFault, RegistryError};
use super::forest;
use super::one_key;
use super::unit::Unit;
use crate::digest::Digest;
use crate::ids::UnitId;
use crate::note::{self, Alg, VerifierKey};
use crate::period::Month;

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
    /// The first month about which this version may say something else than the one before; none
    /// where it says the same of all months.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Month>,
    /// Who may sign the next version.
    pub roots: Vec<VerifierKey>,
    /// How many of them must.
    pub threshold: usize,
    /// All units, those that have ended too.
    pub units: Vec<Unit>,
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
    /// [`VerifiedRegistry`](super::VerifiedRegistry).
    ///
    /// # Errors
    /// What [`Registry::check`] finds.
    pub fn parse(text: &str) -> Result<Registry, RegistryError> {
        let json =
            note::read_document(text, KIND).map_err(|e| RegistryError::Malformed(e.to_string()))?;
        let registry: Registry =
            crate::text::from_json(json).map_err(|e| RegistryError::Malformed(e.to_string()))?;
        registry.check()?;
        Ok(registry)
    }

    /// Checks that the units form a forest in every month, that keys carry their unit's name, that
    /// the threshold can be met, and that no two keys have one name and key id.
    ///
    /// # Errors
    /// The first of [`Registry::faults`].
    pub fn check(&self) -> Result<(), RegistryError> {
        let first = self.faults().into_iter().next();
        first.map_or(Ok(()), Err)
    }

    /// Everything that is wrong with this version alone, for whoever makes it.
    pub fn faults(&self) -> Vec<RegistryError> {
        let mut faults = Vec::new();
        if self.version == 0 || (self.version == 1) != self.previous.is_none() {
            faults.push(DocumentFault::Predecessor);
        }
        if self.version == 1 && self.from.is_some() {
            faults.push(DocumentFault::FirstFrom);
        }
        // By the key itself: one secret under two names is one key.
        let distinct: BTreeSet<&[u8; 32]> = self.roots.iter().map(VerifierKey::public).collect();
        if distinct.len() != self.roots.len() {
            faults.push(DocumentFault::RootTwice);
        }
        if self.threshold == 0 || self.threshold > distinct.len() {
            faults.push(DocumentFault::Threshold);
        }
        if self.roots.iter().any(|k| k.alg() != Alg::Ed25519) {
            faults.push(DocumentFault::RootKind);
        }
        let too_many = self.units.len() > MAX_UNITS;
        if too_many {
            faults.push(DocumentFault::TooManyUnits);
        }
        let mut faults: Vec<_> = faults.into_iter().map(RegistryError::Document).collect();
        if too_many {
            return faults;
        }
        let units = forest::faults(&self.units);
        if !units.is_empty() {
            faults.push(RegistryError::Units(units));
        }
        faults.extend(one_key::faults(self.keys()));
        faults
    }

    /// Every key that it lists: its roots, and of each unit all that it has or had.
    pub(super) fn keys(&self) -> impl Iterator<Item = &VerifierKey> + Clone {
        let units = self.units.iter().flat_map(|unit| {
            let node = unit.keys.iter().map(|k| &k.vkey);
            node.chain(unit.witnesses())
        });
        self.roots.iter().chain(units)
    }

    /// The unit of this id, whether it still exists or not.
    pub fn unit(&self, id: &UnitId) -> Option<&Unit> {
        self.units.iter().find(|u| &u.id == id)
    }

    /// The units that report to this one in a month, in the registry's order.
    pub fn children(&self, id: &UnitId, month: Month) -> Vec<&Unit> {
        let below = |u: &&Unit| u.parent_in(month) == Some(id);
        self.units.iter().filter(below).collect()
    }

    /// Ancestors in a month and the unit itself, top first.
    pub fn path(&self, id: &UnitId, month: Month) -> Vec<UnitId> {
        self.climb(id, |u| u.parent_in(month))
    }

    /// Ancestors as they are last and the unit itself, top first: where a reader looks for it today.
    pub fn last_path(&self, id: &UnitId) -> Vec<UnitId> {
        self.climb(id, Unit::parent)
    }

    fn climb<'a>(
        &'a self,
        id: &UnitId,
        parent: impl Fn(&'a Unit) -> Option<&'a UnitId>,
    ) -> Vec<UnitId> {
        let mut path = Vec::new();
        let mut at = self.unit(id);
        // Tiers rise strictly, so this ends.
        while let Some(u) = at {
            path.push(u.id.clone());
            at = parent(u).and_then(|p| self.unit(p));
        }
        path.reverse();
        path
    }

    /// The unit and everything below it in a month. The unit itself is there whether it exists in
    /// that month or not.
    pub fn subtree(&self, id: &UnitId, month: Month) -> Vec<&Unit> {
        self.descend(id, |u| u.parent_in(month).into_iter())
    }

    /// The unit and everything that is below it in any month: whose logs it may have to read.
    pub fn ever_below(&self, id: &UnitId) -> Vec<&Unit> {
        self.descend(id, Unit::parents)
    }

    fn descend<'a, I: Iterator<Item = &'a UnitId>>(
        &'a self,
        id: &UnitId,
        parents: impl Fn(&'a Unit) -> I,
    ) -> Vec<&'a Unit> {
        let mut children: BTreeMap<&UnitId, Vec<&Unit>> = BTreeMap::new();
        for unit in &self.units {
            for parent in parents(unit) {
                children.entry(parent).or_default().push(unit);
            }
        }
        let mut all: Vec<&Unit> = self.unit(id).into_iter().collect();
        let mut seen: BTreeSet<&UnitId> = all.iter().map(|u| &u.id).collect();
        let mut next = 0;
        while let Some(unit) = all.get(next) {
            let below = children.get(&unit.id).into_iter().flatten();
            all.extend(below.filter(|u| seen.insert(&u.id)));
            next += 1;
        }
        all
    }

    /// Everybody who is above a unit in any month.
    pub fn ever_above(&self, id: &UnitId) -> Vec<&Unit> {
        let mut all: Vec<&Unit> = self.unit(id).into_iter().collect();
        let mut seen: BTreeSet<&UnitId> = all.iter().map(|u| &u.id).collect();
        let mut next = 0;
        while let Some(unit) = all.get(next) {
            let parents = unit.parents().filter_map(|p| self.unit(p));
            all.extend(parents.filter(|u| seen.insert(&u.id)));
            next += 1;
        }
        all.split_off(1.min(all.len()))
    }

    /// The paths that a unit has or had, the oldest first: one for each way in which it and those
    /// above it were placed.
    pub fn paths(&self, id: &UnitId) -> Vec<Vec<UnitId>> {
        let Some(unit) = self.unit(id) else {
            return Vec::new();
        };
        // Whoever is above may move, too.
        let above = self.ever_above(id).into_iter().chain([unit]);
        let changes = above.flat_map(Unit::changes).filter_map(Month::next);
        let months: BTreeSet<Month> = changes.chain([unit.since]).collect();
        let mut paths: Vec<Vec<UnitId>> = Vec::new();
        for month in months.into_iter().filter(|m| unit.exists(*m)) {
            let path = self.path(id, month);
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        paths
    }
}
