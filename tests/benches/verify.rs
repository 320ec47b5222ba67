//! Verification of a county's month of 10,000 leaves beside the cryptography that it cannot do
//! without.
//!
//! `verify` is what the tier above does with a month that has come: every note parsed, the tree
//! hashed, every statement's signature checked in batches, every commitment decompressed and added,
//! all checks run. `floor` decompresses and adds the same points and batch-verifies the same
//! signatures, and nothing else. Both on one core, in turn; the ratio is the median of the rounds'.
//! `offline` is what an inspector's laptop does with the evidence file's content: the registry
//! walked and the catalogue compiled as well.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use common::{
    COUNTY, Scratch, files, finish, floor_of, import, median, micros, open, time, timed, trying,
    world,
};
use node::desk::evidence;
use protocol::compiled::CompiledCatalogue;
use protocol::evidence::{Evidence, report};
use protocol::note::VerifierKey;
use protocol::published::read_catalogue;
use protocol::registry::VerifiedRegistry;
use protocol::rollup::{HeldRollup, Rollups};
use protocol::verify::log::UnitLog;
use protocol::verify::{Context, check};

fn main() {
    let (persons, rounds) = if trying() { (20, 1) } else { (5000, 15) };
    let scratch = Scratch::new("verify");
    let world = world(&scratch.0, &[common::CITY]);
    let evidence = month(&world, persons);
    let leaves = evidence
        .units
        .values()
        .map(|u| u.entries.len())
        .sum::<usize>();
    let (mut verify, mut offline, mut floor, mut ratios) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let took = as_parent(&evidence, &world.root);
        let bare: Duration = evidence
            .units
            .values()
            .map(|u| floor_of(&u.entries, 0))
            .sum();
        ratios.push(took.as_secs_f64() / bare.as_secs_f64());
        verify.push(took);
        floor.push(bare);
        let (report, took) = timed(|| {
            report::verify(&evidence, &world.root).expect("evidence that can be verified")
        });
        assert!(
            report.holds(),
            "{:?}",
            report.failures().next().map(|(_, _, v)| v)
        );
        offline.push(took);
    }
    let (verify, offline, floor) = (median(verify), median(offline), median(floor));
    println!("verification of a county's month of {leaves} leaves, median of {rounds}:");
    println!(
        "  floor   {:>8.1} µs/leaf {:>9.1} ms",
        micros(floor, leaves),
        floor.as_secs_f64() * 1e3
    );
    println!(
        "  verify  {:>8.1} µs/leaf {:>9.1} ms",
        micros(verify, leaves),
        verify.as_secs_f64() * 1e3
    );
    println!(
        "  offline {:>8.1} µs/leaf {:>9.1} ms",
        micros(offline, leaves),
        offline.as_secs_f64() * 1e3
    );
    // Of each round by itself: a shared machine is faster in one second than in the next.
    ratios.sort_by(f64::total_cmp);
    println!(
        "  verify takes {:.2} of the floor's time, {:.2} to {:.2} in single rounds",
        ratios[rounds / 2],
        ratios[0],
        ratios[rounds - 1]
    );
}

/// A month of a county: recorded, closed, signed and handed over.
fn month(world: &countersign_demo::world::World, persons: usize) -> Evidence {
    let mut books = open(world, COUNTY);
    for (event, text) in files(0, persons, 1000) {
        import(&mut books, event, &text, time("2026-01-25T02:00:00Z"));
    }
    finish(&mut books, world.member(COUNTY).expect("a unit"));
    evidence::evidence(&books).expect("evidence")
}

/// The checks of the tier above, which knows registry and catalogue already.
fn as_parent(evidence: &Evidence, root: &VerifierKey) -> Duration {
    let chain = VerifiedRegistry::chain(&evidence.registries, root).expect("a registry");
    let registry = chain.last().expect("a version");
    let catalogue =
        read_catalogue(&evidence.catalogues[0], registry.registry()).expect("a catalogue");
    let counting = Arc::new(CompiledCatalogue::new(catalogue).expect("compiled"));
    let unit = COUNTY.parse().expect("a unit");
    let part = &evidence.units[&unit];
    let held =
        HeldRollup::new(part.rollups.values().next().expect("a rollup").clone()).expect("a rollup");
    let known = Rollups::new();
    let (verdicts, took) = timed(|| {
        let mut log = UnitLog::new(
            registry.registry().unit(&unit).expect("the unit"),
            vec![counting.clone()],
        );
        log.read(
            &part.entries,
            registry.registry().unit(&unit).expect("the unit"),
        );
        let context = Context {
            registry,
            log: &log,
            known: &known,
            unbound: &BTreeSet::new(),
            child: &|_| None,
            checkpoint: part.checkpoints.get(&held.rollup.log.size),
            witnessed: None,
            received: None,
            due: None,
        };
        check(&held, &context)
    });
    assert!(verdicts.iter().all(|v| !v.failed()), "{verdicts:?}");
    took
}
