//! What is published once for everybody and signed by the root keys: the catalogue and the plan
//! packs.

use serde::{Deserialize, Serialize};

use crate::catalogue::{self, Catalogue};
use crate::note::{self, Note};
use crate::plan::Plan;
use crate::registry::Registry;

/// The kind of a signed plan pack.
pub const PLAN_KIND: &str = "plan";

/// Why a published document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishedError {
    /// Too few root signatures.
    #[error("signed by {found} of the {needed} root keys that are needed [published.threshold]")]
    Threshold {
        /// Valid root signatures.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Another kind, or not readable.
    #[error("not readable: {0} [published.malformed]")]
    Malformed(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanDocument {
    id: String,
    toml: String,
}

/// The text of a signed catalogue.
///
/// # Errors
/// What [`note::document`] finds.
pub fn catalogue_text(catalogue: &Catalogue) -> Result<String, PublishedError> {
    note::document(catalogue::KIND, &catalogue.to_json())
        .map_err(|e| PublishedError::Malformed(e.to_string()))
}

/// The text of a signed plan pack: its TOML, unchanged, as one string.
///
/// # Errors
/// A pack that cannot be read.
pub fn plan_text(toml: &str) -> Result<String, PublishedError> {
    let plan = Plan::from_toml(toml).map_err(|e| PublishedError::Malformed(e.to_string()))?;
    let document = PlanDocument {
        id: plan.plan.id,
        toml: toml.to_string(),
    };
    let json =
        serde_json::to_string(&document).map_err(|e| PublishedError::Malformed(e.to_string()))?;
    note::document(PLAN_KIND, &json).map_err(|e| PublishedError::Malformed(e.to_string()))
}

fn signed_by_roots(note: &Note, registry: &Registry) -> Result<(), PublishedError> {
    let found = note.verify(&registry.roots).map(|k| k.len()).unwrap_or(0);
    if found < registry.threshold {
        Err(PublishedError::Threshold {
            found,
            needed: registry.threshold,
        })
    } else {
        Ok(())
    }
}

/// Reads a catalogue that the root keys signed.
///
/// # Errors
/// Too few signatures, or an invalid catalogue.
pub fn read_catalogue(note: &Note, registry: &Registry) -> Result<Catalogue, PublishedError> {
    signed_by_roots(note, registry)?;
    let json = note::read_document(note.text(), catalogue::KIND)
        .map_err(|e| PublishedError::Malformed(e.to_string()))?;
    let catalogue =
        Catalogue::from_json(json).map_err(|e| PublishedError::Malformed(e.to_string()))?;
    // Statements name the digest of the text that we would write: it must be the one that was
    // signed.
    if catalogue.digest() != note.digest() {
        return Err(PublishedError::Malformed(
            "a catalogue is written in one way; sign the text that the tool makes".into(),
        ));
    }
    Ok(catalogue)
}

/// Reads a plan pack that the root keys signed.
///
/// # Errors
/// Too few signatures, or a pack that cannot be read.
pub fn read_plan(note: &Note, registry: &Registry) -> Result<Plan, PublishedError> {
    signed_by_roots(note, registry)?;
    let json = note::read_document(note.text(), PLAN_KIND)
        .map_err(|e| PublishedError::Malformed(e.to_string()))?;
    let document: PlanDocument =
        crate::text::from_json(json).map_err(|e| PublishedError::Malformed(e.to_string()))?;
    Plan::from_toml(&document.toml).map_err(|e| PublishedError::Malformed(e.to_string()))
}
