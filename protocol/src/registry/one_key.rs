//! Whether a signer's name and key id are those of one key only.
//!
//! A key id has 32 bits, so whoever makes its own keys finds two of one id in minutes. A line of a
//! note says no more of its key than name and id; where a reader knows two keys for it, it refuses
//! the note (SPEC 1). With such a pair in the registry, a signer could make its own notes unreadable
//! afterwards, for whoever has the newest version and not for others.

use std::collections::BTreeMap;

use super::document::Registry;
use super::error::RegistryError;
use crate::note::VerifierKey;

/// What two keys of one name and id are found by.
type Line<'a> = (&'a str, [u8; 4]);

fn line(key: &VerifierKey) -> Line<'_> {
    (key.name(), key.id())
}

fn error(first: &VerifierKey, second: &VerifierKey) -> RegistryError {
    RegistryError::KeyId {
        first: first.clone(),
        second: second.clone(),
    }
}

/// Every key that a version lists: its roots, and of each unit all that it has or had.
fn listed(registry: &Registry) -> impl Iterator<Item = &VerifierKey> {
    let units = registry.units.iter().flat_map(|unit| {
        let node = unit.keys.iter().map(|k| &k.vkey);
        node.chain(unit.witnesses())
    });
    registry.roots.iter().chain(units)
}

/// Different keys of one version that have one name and id.
pub(super) fn faults(registry: &Registry) -> Vec<RegistryError> {
    let mut known: BTreeMap<Line<'_>, &VerifierKey> = BTreeMap::new();
    let mut faults = Vec::new();
    for key in listed(registry) {
        let first = *known.entry(line(key)).or_insert(key);
        if first != key {
            faults.push(error(first, key));
        }
    }
    faults
}

/// Keys of a version that have the name and id of another key of the version before, or of a root
/// that was one earlier still. (What a unit had, each later version lists; roots may go.)
pub(super) fn faults_after(
    before: &Registry,
    former_roots: &[VerifierKey],
    after: &Registry,
) -> Vec<RegistryError> {
    let earlier = former_roots.iter().chain(listed(before));
    let mut known: BTreeMap<Line<'_>, &VerifierKey> = earlier.map(|k| (line(k), k)).collect();
    // Those that it lists itself are compared with each other there.
    for key in listed(after) {
        if known.get(&line(key)) == Some(&key) {
            known.remove(&line(key));
        }
    }
    let other = |key: &VerifierKey| Some(error(known.get(&line(key))?, key));
    listed(after).filter_map(other).collect()
}
