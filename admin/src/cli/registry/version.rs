//! A version that is made: its units, its signatures, its file.

use std::path::Path;

use node::fault::FaultCode;
use protocol::note::{Note, SigningKey, VerifierKey};
use protocol::period::Month;
use protocol::registry::{Placement, Registry, Unit};
use serde_json::json;

use super::difference::Difference;
use crate::cli::output::{CommandResult, Failure, Output, save_new, say};
use crate::cli::units::{self, Card};

/// The units of these cards that have keys; see [`units::require`].
pub fn with_keys(cards: &[Card], skip_keyless: bool) -> Result<Vec<&Card>, Failure> {
    let has_keys = |card: &Card| card.vkey.is_some() && card.witness.is_some();
    units::require(cards, "keys (vkey and witness)", skip_keyless, has_keys)
}

/// The registry's entry of a unit; `since` where its card does not say.
pub fn unit_of(card: &Card, since: Option<Month>) -> Result<Unit, Failure> {
    let lacks = |field: &str| {
        Failure::coded(
            FaultCode::UnitsIncomplete,
            format!("unit {}: no file says its {field}", card.id),
        )
    };
    let since = card
        .since
        .or(since)
        .ok_or_else(|| lacks("first month").help("give --since YYYY-MM for all that do not say"))?;
    let placement = Placement {
        name: card.name.clone().ok_or_else(|| lacks("name"))?,
        parent: card.parent.clone(),
        area: card.area.clone(),
    };
    let tier = card.tier.ok_or_else(|| lacks("tier"))?;
    let key = card.vkey.clone().ok_or_else(|| lacks("vkey"))?;
    let witness = card.witness.clone().ok_or_else(|| lacks("witness"))?;
    Ok(Unit::new(
        card.id.clone(),
        tier,
        since,
        placement,
        key,
        witness,
    ))
}

/// A version, and who must sign it.
pub struct Draft<'a> {
    /// The version.
    pub registry: &'a Registry,
    /// Keys that sign now.
    pub keys: &'a [SigningKey],
    /// Root keys of this version and of the one before.
    pub roots: &'a [VerifierKey],
    /// How many of them must sign.
    pub needed: usize,
    /// What differs from the version before.
    pub changes: &'a [Difference],
}

/// Signs a version and writes or prints it.
pub fn finish(draft: &Draft<'_>, output: Option<&Path>, out: &Output) -> CommandResult {
    let Draft {
        registry,
        keys,
        roots,
        needed,
        changes,
    } = draft;
    if keys.is_empty() {
        return Err(Failure::usage(
            "a note has at least one signature: give --root KEYFILE",
        ));
    }
    if let Some(stranger) = keys.iter().find(|k| !roots.contains(&k.vkey())) {
        let message = format!("the key {} is no root of this registry", stranger.name());
        return Err(Failure::coded(FaultCode::RegistryRoot, message));
    }
    let text = registry.to_text()?;
    let note = Note::sign(&text, &keys.iter().collect::<Vec<_>>())?;
    if let Some(path) = output {
        save_new(path, note.as_bytes())?;
    }
    let signed: Vec<&str> = keys.iter().map(SigningKey::name).collect();
    let whole = String::from_utf8_lossy(note.as_bytes());
    let whole = output.is_none().then_some(whole);
    let answer = json!({
        "version": registry.version,
        "digest": note.digest(),
        "units": registry.units.len(),
        "signed_by": signed,
        "needed": needed,
        "changes": changes,
        "file": output,
        "note": whole,
    });
    out.answer(answer, || {
        if let Some(text) = &whole {
            say(text);
        }
    });
    let place = output.map(|p| format!(" in {}", p.display()));
    out.note(format!(
        "Registry version {}{}: {} unit(s), {}.",
        registry.version,
        place.unwrap_or_default(),
        registry.units.len(),
        note.digest()
    ));
    if signed.len() < *needed {
        out.note(format!(
            "Signed by {} of {needed} root keys: have the others add theirs with \
             `countersign registry sign`.",
            signed.len()
        ));
    }
    Ok(true)
}
