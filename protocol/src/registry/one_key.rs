//! Whether a signer's name and key id are those of one key only.
//!
//! A key id has 32 bits, so whoever makes its own keys finds two of one id in minutes. A line of a
//! note says no more of its key than name and id; where a reader knows two keys for it, it refuses
//! the note (SPEC 1). With such a pair in the registry, a signer could make its own notes unreadable
//! afterwards, for whoever has the newest version and not for others.

use std::collections::BTreeMap;

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

/// Different keys of one version that have one name and id.
pub(super) fn faults<'a>(listed: impl Iterator<Item = &'a VerifierKey>) -> Vec<RegistryError> {
    let mut known: BTreeMap<Line<'_>, &VerifierKey> = BTreeMap::new();
    let mut faults = Vec::new();
    for key in listed {
        let first = *known.entry(line(key)).or_insert(key);
        if first != key {
            faults.push(error(first, key));
        }
    }
    faults
}

/// Keys of a version that have the name and id of another key that an earlier one listed.
pub(super) fn faults_after<'a>(
    earlier: impl Iterator<Item = &'a VerifierKey>,
    listed: impl Iterator<Item = &'a VerifierKey> + Clone,
) -> Vec<RegistryError> {
    let mut known: BTreeMap<Line<'_>, &VerifierKey> = earlier.map(|k| (line(k), k)).collect();
    // Those that it lists itself are compared with each other there.
    for key in listed.clone() {
        if known.get(&line(key)) == Some(&key) {
            known.remove(&line(key));
        }
    }
    let other = |key: &VerifierKey| Some(error(known.get(&line(key))?, key));
    listed.filter_map(other).collect()
}
