//! The chain of versions: each follows from the one before, the first from the root keys that the
//! reader knows.

use serde::{Deserialize, Serialize};

use super::document::Registry;
use super::error::RegistryError;
use super::follows;
use super::one_key;
use crate::digest::Digest;
use crate::note::{Note, VerifierKey};

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
    /// Roots of earlier versions that this one does not list.
    former_roots: Vec<VerifierKey>,
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
            former_roots: Vec::new(),
        })
    }

    /// The next version.
    ///
    /// # Errors
    /// A version skipped or replayed, a fork, too few signatures of the old or the new root keys, or
    /// one that changes what is settled.
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
        let faults = self.faults_of_next(&registry);
        if let Some(first) = faults.into_iter().next() {
            return Err(first);
        }
        let roots = self.former_roots.iter().chain(&self.registry.roots);
        let gone = roots.filter(|root| !registry.roots.contains(root));
        Ok(VerifiedRegistry {
            former_roots: gone.cloned().collect(),
            digest: note.digest(),
            registry,
        })
    }

    /// What a version that is to follow this one changes and may not, whoever signs it: none where
    /// it leaves what is settled as it is.
    pub fn faults_of_next(&self, registry: &Registry) -> Vec<RegistryError> {
        let mut faults = follows::faults(&self.registry, registry);
        // What a unit had, each later version lists; roots may go.
        let earlier = self.former_roots.iter().chain(self.registry.keys());
        faults.extend(one_key::faults_after(earlier, registry.keys()));
        faults
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
