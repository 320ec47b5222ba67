//! What is published: the registry's versions, the catalogues and the plans.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::compiled::CompiledCatalogue;
use protocol::digest::Digest;
use protocol::note::Note;
use protocol::plan::Plan;
use protocol::published;
use protocol::registry::{Anchor, Registry, VerifiedRegistry};
use protocol::statement::Statement;

use super::entry::UnreadableEntry;
use crate::journal::Stored;

/// What is published, as far as this node knows it.
#[derive(Debug, Default)]
pub struct Published {
    /// Every registry version, in order; the last is in force.
    pub(super) registries: Vec<(VerifiedRegistry, Note)>,
    /// Every catalogue, in the order of their versions; the last is in force.
    pub(super) catalogues: Vec<(Arc<CompiledCatalogue>, Note)>,
    /// The plans in force.
    pub(super) plans: Vec<(Plan, Note)>,
    /// Plans that a later one of the same name has replaced: they never come back.
    replaced: BTreeSet<Digest>,
}

impl Published {
    /// The registry in force.
    pub fn registry(&self) -> Option<&Registry> {
        self.registries.last().map(|(r, _)| r.registry())
    }

    /// The catalogue of this digest.
    pub fn counting_by(&self, digest: &Digest) -> Option<&Arc<CompiledCatalogue>> {
        let mut known = self.catalogues.iter().map(|(counting, _)| counting);
        known.find(|counting| counting.digest == *digest)
    }

    /// The catalogue that a statement names.
    pub fn counting_of(&self, statement: &Statement) -> Option<&Arc<CompiledCatalogue>> {
        self.counting_by(&statement.catalogue)
    }

    /// Whether a document is known. An older plan may lie beside the newer one, or come again: it
    /// is not taken for a third.
    pub fn knows(&self, digest: &Digest) -> bool {
        let registries = self.registries.iter().map(|(_, n)| n);
        let catalogues = self.catalogues.iter().map(|(_, n)| n);
        let plans = self.plans.iter().map(|(_, n)| n);
        let mut known = registries.chain(catalogues).chain(plans);
        known.any(|n| n.digest() == *digest) || self.replaced.contains(digest)
    }

    /// A registry version.
    pub fn apply_registry(
        &mut self,
        root: &Anchor,
        stored: &Stored,
    ) -> Result<(), UnreadableEntry> {
        let note = Note::parse(&stored.public).map_err(UnreadableEntry::of)?;
        let next = match self.registries.last() {
            None => VerifiedRegistry::first(&note, root),
            Some((last, _)) => last.next(&note),
        };
        self.registries
            .push((next.map_err(UnreadableEntry::of)?, note));
        Ok(())
    }

    /// A catalogue.
    pub fn apply_catalogue(&mut self, stored: &Stored) -> Result<(), UnreadableEntry> {
        let note = Note::parse(&stored.public).map_err(UnreadableEntry::of)?;
        let registry = self.registry().ok_or("a catalogue before any registry")?;
        let catalogue = published::read_catalogue(&note, registry).map_err(UnreadableEntry::of)?;
        let compiled = CompiledCatalogue::new(catalogue).map_err(UnreadableEntry::of)?;
        // In the order of versions: an older one that comes late is known, and not in force again.
        let version = compiled.catalogue.version;
        let at = self
            .catalogues
            .partition_point(|(c, _)| c.catalogue.version <= version);
        self.catalogues.insert(at, (Arc::new(compiled), note));
        Ok(())
    }

    /// A plan pack.
    pub fn apply_plan(&mut self, stored: &Stored) -> Result<(), UnreadableEntry> {
        let note = Note::parse(&stored.public).map_err(UnreadableEntry::of)?;
        let registry = self.registry().ok_or("a plan before any registry")?;
        let plan = published::read_plan(&note, registry).map_err(UnreadableEntry::of)?;
        let (old, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.plans)
            .into_iter()
            .partition(|(p, _)| p.plan.id == plan.plan.id);
        self.plans = kept;
        self.replaced.extend(old.iter().map(|(_, n)| n.digest()));
        self.plans.push((plan, note));
        Ok(())
    }
}
