//! A whole province in one process: 省、11 个市、117 个县, two months, and all the bad luck that a
//! seed can bring.
//!
//! Everything is the product's own code (books, desk, review, courier, journal, guard, view);
//! replaced are only the clock, the random source, the disk under journal and guard (one that
//! forgets and tears what was not synced) and the network (one that loses, refuses, repeats,
//! reorders and holds back for days). One thread decides who acts next, so a round follows from its
//! seed to the byte.
//!
//! What the round shows: every rollup is accepted exactly once and in order; every cell of every
//! figure of the province, of every city and of every county is what was planted, computed without
//! the product's counting; the evidence of the province holds; no outbox stays full and nobody is
//! flagged. A county is returned, one reopened, one late, one absent (its city is reopened for it),
//! and one cut off for so long that it is named as missing.
//!
//! `COUNTERSIGN_SEED=n` repeats a round, `COUNTERSIGN_ROUNDS=n` plays n rounds of the whole
//! province and ten times as many of two of its cities.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod chance;
mod direction;
mod fuse;
mod judge;
mod net;
mod plan;
mod round;
mod script;
mod stage;
mod unit;

use std::collections::BTreeSet;

use node::desk::sign;
use node::journal::disk;
use plan::{Planted, Totals, differences, reported};
use protocol::figure::{self, Figure};
use protocol::ids::Tier;
use round::{Round, Shape};

fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|n| n.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

fn play(seed: u64, shape: Shape) -> Round {
    println!("seed {seed}");
    let mut round = Round::new(seed, shape);
    round.run();
    round
}

#[track_caller]
fn holds(round: &mut Round) {
    let found = round.findings();
    println!("{:?}", round.tally);
    assert!(
        found.is_empty(),
        "COUNTERSIGN_SEED={}: {} findings:\n{}",
        round.seed,
        found.len(),
        found.join("\n")
    );
}

#[test]
fn every_contribution_of_the_whole_province_counts_once() {
    let first = number("COUNTERSIGN_SEED").unwrap_or(20_260_122);
    for seed in first..first + number("COUNTERSIGN_ROUNDS").unwrap_or(1) {
        let mut round = play(seed, Shape::whole());
        assert_eq!(round.units.len(), 129);
        holds(&mut round);
    }
}

/// Two cities, and much worse luck for each of their units.
#[test]
fn every_contribution_of_two_cities_counts_once() {
    let first = number("COUNTERSIGN_SEED").unwrap_or(100);
    for seed in first..first + number("COUNTERSIGN_ROUNDS").map_or(4, |n| 10 * n) {
        let mut round = play(seed, Shape::harsh());
        assert_eq!(round.units.len(), 14);
        holds(&mut round);
    }
}

#[test]
fn a_round_follows_from_its_seed_to_the_byte() {
    let seed = number("COUNTERSIGN_SEED").unwrap_or(7);
    let (mut one, mut two) = (play(seed, Shape::small()), play(seed, Shape::small()));
    let (a, b) = (one.checkpoints(), two.checkpoints());
    assert!(a.values().all(|c| !c.is_empty()));
    for (unit, checkpoint) in &a {
        assert_eq!(
            String::from_utf8_lossy(checkpoint),
            String::from_utf8_lossy(&b[unit]),
            "{unit}"
        );
    }
    let mut other = play(seed + 1, Shape::small());
    assert_ne!(a, other.checkpoints(), "another seed, another history");
    holds(&mut one);
    holds(&mut other);
}

/// The units whose first month is not as this plan says, and all sentences about it.
fn said(round: &Round, planted: &[Planted], totals: &[Totals]) -> (Vec<usize>, Vec<String>) {
    let month = round.months[0];
    let (mut units, mut sentences) = (Vec::new(), Vec::new());
    for (at, totals) in totals.iter().enumerate() {
        let (scope, counties) = round.scope(at, month);
        let differences = differences(planted, &scope, counties, month, totals);
        if !differences.is_empty() {
            units.push(at);
            sentences.extend(differences);
        }
    }
    (units, sentences)
}

/// The comparison is no use if it cannot see: a contribution that the figures lack, one that nobody
/// planted, a rollup that is added twice, one that is added although it is named as missing. Each
/// must be named.
#[test]
fn the_harness_names_the_county_whose_contribution_is_lost_or_doubled() {
    let mut round = play(number("COUNTERSIGN_SEED").unwrap_or(11), Shape::small());
    let month = round.months[0];
    let totals: Vec<Totals> = (0..round.units.len())
        .map(|at| round.totals(at, month))
        .collect();
    assert_eq!(
        said(&round, &round.planted, &totals),
        (vec![], vec![]),
        "the control"
    );
    let (scope, _) = round.scope(0, month);
    let mut seen = BTreeSet::new();
    for (n, p) in round.planted.iter().enumerate() {
        let unique = p
            .adds
            .iter()
            .any(|(c, weight)| ["I3", "I7"].contains(&c.0) && *weight != 0);
        if p.month != month || !scope.contains(&p.unit) || !unique {
            continue;
        }
        seen.insert(p.unit.clone());
        // In the plan once more than it happened: lost. The province's total alone says whose it
        // is.
        let mut more = round.planted.clone();
        more.push(p.clone());
        let (_, sentences) = said(&round, &more, &totals[..1]);
        let sentence = format!("{} {} {} was lost", p.unit, p.month, p.what);
        assert!(
            sentences.iter().any(|s| s.contains(&sentence)),
            "{sentence:?} is not among {sentences:#?}"
        );
        // Not in the plan: it shows in the unit itself and in all above it, and nowhere else.
        let mut fewer = round.planted.clone();
        fewer.remove(n);
        let mut path = vec![
            round
                .units
                .iter()
                .position(|u| u.id.as_str() == p.unit)
                .unwrap(),
        ];
        path.extend(std::iter::successors(round.units[path[0]].parent, |at| {
            round.units[*at].parent
        }));
        path.sort_unstable();
        assert_eq!(said(&round, &fewer, &totals).0, path, "{p:?}");
    }
    assert_eq!(
        seen.len(),
        scope.len() - 1,
        "every county and city, but not the province itself"
    );

    // Past the parent's dedupe: the product's own arithmetic adds a county's rollup once more to
    // the province's.
    let province = figures(&mut round, 0);
    for county in (0..round.units.len())
        .filter(|u| round.units[*u].tier == Tier::County)
        .collect::<Vec<_>>()
    {
        let id = round.units[county].id.to_string();
        let theirs = figures(&mut round, county);
        let mut own = province.clone();
        for figure in &mut own {
            figure.own = figure.sum.take().expect("a province has sums");
        }
        let catalogue = &kit::on_disk::catalogue();
        let theirs = figure::CountedFigures {
            figures: &theirs,
            catalogue,
        };
        let doubled =
            figure::with_children(catalogue, own, &[theirs], &Default::default()).unwrap();
        let (_, sentences) = said(&round, &round.planted, &[reported(&doubled)]);
        let how = if scope.contains(&id) {
            "counts twice"
        } else {
            "counts although it is missing"
        };
        let sentence = format!("all of {id} in {month} {how}");
        assert!(
            sentences.iter().any(|s| s.contains(&sentence)),
            "{sentence:?} is not among {sentences:#?}"
        );
    }
    holds(&mut round);
}

fn figures(round: &mut Round, unit: usize) -> Vec<Figure> {
    let month = round.months[0];
    round.units[unit].look(move |books| {
        sign::latest(books, month)
            .unwrap()
            .held()
            .rollup
            .figures
            .clone()
    })
}
