//! What is published: registry versions, catalogues and plans come in as files and are checked
//! against what is known.

use protocol::note::{Note, Signature};
use protocol::published;
use protocol::registry::{Registry, VerifiedRegistry};
use serde::Deserialize;

use super::core::Books;
use super::entry::NewEntry;
use super::error::BooksError;
use super::kinds::EntryKind;
use crate::intake::Awaited;

impl Books {
    /// Installs what was published: registry versions, catalogues and plans that are not known yet.
    /// Files are given as bytes.
    ///
    /// # Errors
    /// A document that does not follow from what is known.
    pub fn install(&mut self, documents: &[Vec<u8>]) -> Result<usize, BooksError> {
        let error = |what: &str, e: &dyn std::fmt::Display| BooksError::Published {
            what: what.to_string(),
            message: e.to_string(),
        };
        let mut notes = documents
            .iter()
            .map(|b| Note::parse(b).map_err(|e| error("document", &e)))
            .collect::<Result<Vec<_>, _>>()?;
        // Registry first, in order of versions; the others are checked against it.
        notes.sort_by_key(|n| {
            (
                !n.text().starts_with("countersign/registry/"),
                registry_version(n),
            )
        });
        let mut installed = 0;
        for note in notes {
            if self.state.published.knows(&note.digest()) {
                continue;
            }
            let registry = self.registry().map(|r| r.registry().clone());
            let kind = if note.text().starts_with("countersign/registry/") {
                match self.state.published.registries.last() {
                    None => VerifiedRegistry::first(&note, &self.identity.root)
                        .map_err(|e| error("registry", &e))?,
                    Some((last, _)) => last.next(&note).map_err(|e| error("registry", &e))?,
                };
                EntryKind::Registry
            } else {
                let registry = registry.ok_or_else(|| error("registry", &"none is known yet"))?;
                if note.text().starts_with("countersign/catalogue/") {
                    published::read_catalogue(&note, &registry)
                        .map_err(|e| error("catalogue", &e))?;
                    EntryKind::Catalogue
                } else {
                    published::read_plan(&note, &registry).map_err(|e| error("plan", &e))?;
                    EntryKind::Plan
                }
            };
            self.of_roots_only(&note)
                .map_err(|e| error("document", &e))?;
            self.commit(vec![NewEntry::open(kind, note.as_bytes())])?;
            installed += 1;
        }
        Ok(installed)
    }

    /// What a document that cannot be installed waits for: the registry versions before it, or one
    /// with the root keys that signed it. None where it is wrong, whatever else comes.
    pub fn awaits(&self, document: &[u8]) -> Option<Awaited> {
        let note = Note::parse(document).ok()?;
        let next = self.registry().map_or(1, |r| r.registry().version + 1);
        if let Ok(registry) = Registry::parse(note.text()) {
            return (registry.version > next).then_some(Awaited::Version(next));
        }
        let roots = self.registry().map(|r| r.registry().roots.as_slice());
        let roots = roots.unwrap_or_default();
        let by_root = |line: &Signature| roots.iter().any(|k| k.id() == line.key_id());
        let unknown = note.signatures().iter().any(|line| !by_root(line));
        unknown.then_some(Awaited::Version(next))
    }

    /// The signature lines of a note are not signed themselves, so a line can be added on the way.
    /// One that no known key checks would stay in this node's evidence, and have it refused.
    fn of_roots_only(&self, note: &Note) -> Result<(), String> {
        let mut keys = self.identity.root.as_ref().to_vec();
        for (version, _) in &self.state.published.registries {
            keys.extend(version.registry().roots.iter().cloned());
        }
        if let Ok(next) = Registry::parse(note.text()) {
            keys.extend(next.roots);
        }
        protocol::note::every_line(note, &keys).map_err(|e| e.to_string())
    }
}

fn registry_version(note: &Note) -> u64 {
    #[derive(Deserialize)]
    struct Version {
        version: u64,
    }
    note.text()
        .lines()
        .nth(1)
        .and_then(|j| serde_json::from_str::<Version>(j).ok())
        .map_or(0, |v| v.version)
}
