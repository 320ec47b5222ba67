//! `binding`: the own figures are exactly the sum of the rows of this month's leaves, which the
//! verifier chooses itself.
//!
//! 1. The leaves of the month are those whose statement names it, up to the rollup's log size.
//! 2. `S = Σ C` over the sealed ones, minus the voided; the opening must satisfy `S = Σ X·G + R·B`.
//! 3. Each block's columns add up to the net number of leaves of its type.
//! 4. Clear rows are recomputed from the published fields (done while reading the log).
//! 5. Figures = last month's stocks plus the sums of 2 and 4.

use super::context::Context;
use crate::count::MoveKind;
use crate::figure;
use crate::rollup::HeldRollup;

/// See the module.
///
/// # Errors
/// The first contradiction.
pub fn check(held: &HeldRollup, context: &Context<'_>) -> Result<String, String> {
    let rollup = &held.rollup;
    let counting = context
        .log
        .counting(&rollup.catalogue)
        .ok_or("names a catalogue that is not known here")?;
    if let Some(fault) = context.log.fault("binding") {
        return Err(fault.to_string());
    }
    let month = context.log.month(rollup.period);
    if month.catalogue.is_some_and(|c| c != rollup.catalogue) {
        return Err(
            "its statements were recorded by another catalogue than the rollup names".to_string(),
        );
    }
    for (event, net) in &month.sealed {
        let sums = rollup
            .opening
            .sums
            .get(event)
            .ok_or_else(|| format!("the opening has no sums for event type {event}"))?;
        let schema = counting
            .generators
            .schema(event)
            .ok_or_else(|| format!("unknown event type {event}"))?;
        if sums.len() != schema.columns() {
            return Err(format!(
                "the opening of {event} has {} columns instead of {}",
                sums.len(),
                schema.columns()
            ));
        }
        for block in schema
            .blocks()
            .iter()
            .filter(|b| b.kind != MoveKind::Amount)
        {
            let total: i128 = sums[block.start..block.start + block.width]
                .iter()
                .map(|x| i128::from(*x))
                .sum();
            if total != i128::from(*net) {
                return Err(format!(
                    "{event}: the columns of figure {} add up to {total}, but there are {net} leaves",
                    block.figure
                ));
            }
        }
    }
    if let Some(stranger) = rollup
        .opening
        .sums
        .keys()
        .find(|e| !month.sealed.contains_key(*e))
    {
        return Err(format!(
            "the opening has sums for {stranger}, of which there is no leaf"
        ));
    }
    counting
        .generators
        .check_opening(
            &month.commitments,
            &rollup.opening.sums,
            &rollup.opening.blinding.0,
        )
        .map_err(|_| {
            "the published sums are not the sum of the commitments in this month's leaves"
                .to_string()
        })?;
    let mut sums = rollup.opening.sums.clone();
    sums.extend(month.clear.clone());
    let last = match rollup.previous {
        None => None,
        Some(digest) => {
            let found = context.known.values().find(|k| k.digest() == digest);
            Some(
                &found
                    .ok_or("its previous rollup is not known here")?
                    .rollup
                    .figures,
            )
        }
    };
    let own = figure::own(
        &counting.catalogue,
        rollup.tier,
        &sums,
        last.map(Vec::as_slice),
    )
    .map_err(|e| e.to_string())?;
    for (published, expected) in rollup.figures.iter().zip(&own) {
        if published.id != expected.id {
            return Err(format!(
                "figure {} stands where {} belongs",
                published.id, expected.id
            ));
        }
    }
    let mut published = rollup.figures.clone();
    // Sums and their basis are arithmetic's; here only what the unit's own log says.
    for (p, e) in published.iter_mut().zip(&own) {
        if p.sum.take().is_some() {
            p.basis = e.basis;
        }
    }
    if let Some(difference) = figure::first_difference(&counting.catalogue, &published, &own) {
        return Err(difference);
    }
    if (month.voided, &month.late) != (rollup.voided, &rollup.late) {
        return Err(
            "the numbers of voided or late statements are not those of its leaves".to_string(),
        );
    }
    if month.first.is_some_and(|f| f != rollup.log.first)
        || (month.first.is_none() && rollup.log.first != rollup.log.size)
    {
        return Err("the index of the month's first leaf is wrong".to_string());
    }
    Ok(format!(
        "{} sealed and {} clear leaves",
        month.sealed.values().sum::<i64>(),
        month.clear_leaves
    ))
}
