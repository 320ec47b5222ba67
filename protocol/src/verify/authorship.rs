//! `authorship`: every note is signed by keys that the registry, or the unit's own log, held valid
//! at its index; all three signatories signed the rollup in the roles that they were enrolled for.

use super::context::Context;
use crate::person::Role;
use crate::rollup::HeldRollup;

/// See the module.
///
/// # Errors
/// The first signature that is missing or wrong.
pub fn check(held: &HeldRollup, context: &Context<'_>) -> Result<String, String> {
    let rollup = &held.rollup;
    if let Some(fault) = context.log.fault("authorship") {
        return Err(fault.to_string());
    }
    let named = &rollup.registry;
    if (named.version, named.digest)
        != (
            context.registry.registry().version,
            context.registry.digest(),
        )
    {
        return Err(format!(
            "names registry version {} with another digest than the one known here",
            named.version
        ));
    }
    let unit = context
        .registry
        .registry()
        .unit(&rollup.unit)
        .ok_or_else(|| format!("unit {} is not in the registry", rollup.unit))?;
    if unit.tier != rollup.tier {
        return Err(format!(
            "calls itself a {:?} but the registry has it as a {:?}",
            rollup.tier, unit.tier
        ));
    }
    let keys = context.log.node_keys_over(rollup.log.size);
    if held.note.verify(&keys).is_err() {
        return Err(format!(
            "not signed by a node key of {} that is valid at log size {}",
            rollup.unit, rollup.log.size
        ));
    }
    for (role, name) in [Role::Preparer, Role::Reviewer, Role::Head]
        .into_iter()
        .zip(rollup.signatories.names())
    {
        let key = context
            .log
            .operator_over(name, role, rollup.log.size)
            .ok_or_else(|| {
                format!(
                    "{name} is not enrolled as {} in the log of {}",
                    role.as_str(),
                    rollup.unit
                )
            })?;
        if held.note.verify(std::slice::from_ref(&key)).is_err() {
            return Err(format!(
                "the signature of {name} ({} {}) is missing or wrong",
                role.as_str(),
                role.zh()
            ));
        }
    }
    let checkpoint = context
        .checkpoint
        .ok_or("no checkpoint of this size came with it")?;
    if checkpoint.verify(&keys).is_err() {
        return Err(format!(
            "the checkpoint is not signed by a node key of {}",
            rollup.unit
        ));
    }
    Ok(format!(
        "node key, 3 signatories and {} statements",
        context.log.len()
    ))
}
