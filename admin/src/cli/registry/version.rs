//! A version that is made: its units, its signatures, its file.

use std::path::Path;

use node::fault::FaultCode;
use protocol::note::{Note, SigningKey, VerifierKey};
use protocol::period::Month;
use protocol::registry::{Placement, Registry, Unit};
use serde_json::json;

use super::difference::Difference;
use super::refused::{At, Refused};
use crate::cli::output::{CommandResult, Failure, Output, save_new, say};
use crate::cli::units::Card;

/// The registry's entries of units, with `since` where a card does not say. What cards lack is
/// refused, each field of each; units without keys are left out where that is asked for.
pub fn units_of(
    cards: &[Card],
    since: Option<Month>,
    skip_keyless: bool,
    refused: &mut Refused,
) -> Vec<Unit> {
    let has_keys = |card: &&Card| card.vkey.is_some() && card.witness.is_some();
    let (with_keys, keyless): (Vec<&Card>, Vec<&Card>) = cards.iter().partition(has_keys);
    if with_keys.is_empty() {
        refused.note(
            FaultCode::UnitsKeyless,
            At::whole("units"),
            "没有一个单位有密钥；请加上各单位的卡片文件",
            "no unit has keys; add the files of cards that the units sent in",
        );
    }
    if !skip_keyless {
        for card in keyless {
            without_keys(card, refused);
            // What else it lacks is told with it.
            let _ = unit_of(card, since, refused);
        }
    }
    let units = with_keys.into_iter();
    units.filter_map(|c| unit_of(c, since, refused)).collect()
}

fn without_keys(card: &Card, refused: &mut Refused) {
    let id = &card.id;
    let fields = [
        ("vkey", card.vkey.is_none()),
        ("witness", card.witness.is_none()),
    ];
    for (field, _) in fields.iter().filter(|(_, lacks)| *lacks) {
        refused.note(
            FaultCode::UnitsKeyless,
            At::unit(id, field),
            format!("单位 {id}：没有密钥（{field}）；请加上其卡片文件，或用 --skip-keyless 略去"),
            format!(
                "unit {id} has no {field}: add the file in which it stands, or leave such units \
                 out with --skip-keyless"
            ),
        );
    }
}

fn unit_of(card: &Card, since: Option<Month>, refused: &mut Refused) -> Option<Unit> {
    let since = card.since.or(since);
    let fields = [
        ("since", "首月", "first month", since.is_none()),
        ("name", "名称", "name", card.name.is_none()),
        ("tier", "层级", "tier", card.tier.is_none()),
    ];
    for (field, zh, en, _) in fields.iter().filter(|(.., lacks)| *lacks) {
        let id = &card.id;
        refused.note(
            FaultCode::UnitsIncomplete,
            At::unit(id, field),
            format!("单位 {id}：没有文件写明{zh}；请补上（首月也可用 --since YYYY-MM）"),
            format!(
                "unit {id}: no file says its {en}; write it there (a first month may be given by \
                 --since YYYY-MM, too)"
            ),
        );
    }
    let placement = Placement {
        name: card.name.clone()?,
        parent: card.parent.clone(),
        area: card.area.clone(),
    };
    let (key, witness) = (card.vkey.clone()?, card.witness.clone()?);
    let (id, tier) = (card.id.clone(), card.tier?);
    Some(Unit::new(id, tier, since?, placement, key, witness))
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
