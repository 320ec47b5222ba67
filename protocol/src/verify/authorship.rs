//! `authorship`: every note is signed by keys that the registry, or the unit's own log, held valid
//! at its index; all three signatories signed the rollup in the roles that they were enrolled for.

use super::context::Context;
use crate::note::VerifierKey;
use crate::registry::Unit;
use crate::rollup::{HeldRollup, Rollup};
use crate::verdict::{AuthorshipFinding as Finding, Check};

/// Checks who signed: the leaves, the rollup and its checkpoint (SPEC 8.1).
///
/// # Errors
/// The first signature that is missing or wrong.
pub fn check(held: &HeldRollup, context: &Context<'_>) -> Result<Finding, Finding> {
    leaves_signed(context)?;
    let unit = registry_named(&held.rollup, context)?;
    let keys = context.log.node_keys_over(held.rollup.log.size);
    node_signed(held, unit, &keys)?;
    signatories_signed(held, context)?;
    checkpoint_signed(&held.rollup, context, &keys)?;
    Ok(Finding::Holds {
        leaves: context.log.len(),
    })
}

/// SPEC 8.1, step 1: no leaf contradicts authorship.
fn leaves_signed(context: &Context<'_>) -> Result<(), Finding> {
    match context.log.finding(Check::Authorship) {
        Some(finding) => Err(Finding::Leaf(finding.clone())),
        None => Ok(()),
    }
}

/// SPEC 8.1, step 2: the registry version that is named is the one known here, and by it the unit
/// exists in this month, with this tier.
fn registry_named<'a>(rollup: &Rollup, context: &'a Context<'_>) -> Result<&'a Unit, Finding> {
    let registry = context.registry.registry();
    let named = &rollup.registry;
    if (named.version, named.digest) != (registry.version, context.registry.digest()) {
        return Err(Finding::OtherRegistry {
            version: named.version,
        });
    }
    let unit = registry
        .unit(&rollup.unit)
        .ok_or_else(|| Finding::UnknownUnit {
            unit: rollup.unit.clone(),
        })?;
    if !unit.exists(rollup.period) {
        return Err(Finding::NotInMonth {
            unit: rollup.unit.clone(),
            period: rollup.period,
        });
    }
    if unit.tier != rollup.tier {
        return Err(Finding::OtherTier {
            said: rollup.tier,
            registered: unit.tier,
        });
    }
    Ok(unit)
}

/// SPEC 8.1, step 3: signed by a node key that may sign over a log of this size.
fn node_signed(held: &HeldRollup, unit: &Unit, keys: &[VerifierKey]) -> Result<(), Finding> {
    match held.note.verify(keys) {
        Ok(_) => Ok(()),
        Err(_) => Err(Finding::NodeKey {
            unit: unit.id.clone(),
            size: held.rollup.log.size,
        }),
    }
}

/// SPEC 8.1, step 4: signed by the three people who are named, each enrolled in that role by a leaf
/// of this log and not revoked by one.
fn signatories_signed(held: &HeldRollup, context: &Context<'_>) -> Result<(), Finding> {
    let rollup = &held.rollup;
    for (role, name) in rollup.signatories.by_role() {
        let key = context
            .log
            .operator_over(name, role, rollup.log.size)
            .ok_or_else(|| Finding::NotEnrolled {
                name: name.to_string(),
                role,
                unit: rollup.unit.clone(),
            })?;
        if held.note.verify(std::slice::from_ref(&key)).is_err() {
            return Err(Finding::Signatory {
                name: name.to_string(),
                role,
            });
        }
    }
    Ok(())
}

/// SPEC 8.1, step 5: the checkpoint of this size is signed by such a node key.
fn checkpoint_signed(
    rollup: &Rollup,
    context: &Context<'_>,
    keys: &[VerifierKey],
) -> Result<(), Finding> {
    let checkpoint = context.checkpoint.ok_or(Finding::NoCheckpoint)?;
    match checkpoint.verify(keys) {
        Ok(_) => Ok(()),
        Err(_) => Err(Finding::Checkpoint {
            unit: rollup.unit.clone(),
        }),
    }
}
