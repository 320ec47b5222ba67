//! What is built upon a report that does not hold: sums over it, and months that follow it.

use std::sync::Arc;

use protocol::rollup::HeldRollup;

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World, town: &World) {
    children(b, town);
    grandchild(b, town);
    followers(b, w);
}

/// A county's January that does not hold: `change` is made after it was counted.
fn spoiled(w: &World, id: &str, change: impl FnOnce(&mut Case<'_>)) -> Arc<HeldRollup> {
    let mut c = Case::of(w, id, JAN);
    change(&mut c);
    w.desk(id).sign(&c.rollup)
}

fn one_more_trained(c: &mut Case<'_>) {
    let own = &mut c.figure("I7").own;
    own.value = own.value.map(|n| n + 1);
}

/// The honest file of the city and its counties, with these rollups in place of theirs. Receipts
/// are left out: they are for the honest ones.
fn file_with(w: &World, ids: &[&str], rollups: &[Arc<HeldRollup>]) -> Evidence {
    let mut e = honest_file(w, ids, JAN);
    for held in rollups {
        let r = &held.rollup;
        let part = on(&mut e, r.unit.as_str());
        part.rollups
            .insert((r.period, r.revision), held.note.clone());
        part.receipts.clear();
    }
    e
}

/// The city's January, made honestly from what its counties sent.
fn city(w: &World, of: &[Arc<HeldRollup>]) -> Arc<HeldRollup> {
    let desk = w.desk(CITY);
    desk.sign(&desk.rollup(JAN, 1, &w.registry, of, vec![]))
}

fn children(b: &mut Book, w: &World) {
    let figure: fn(&mut Case<'_>) = one_more_trained;
    let sum: fn(&mut Case<'_>) = |c| {
        let own = c.figure("I7").own.clone();
        c.figure("I7").sum = Some(own);
    };
    let root: fn(&mut Case<'_>) = |c| c.rollup.log.root = "00".repeat(32);
    let people: fn(&mut Case<'_>) = |c| {
        let signatories = &mut c.rollup.signatories;
        std::mem::swap(&mut signatories.head, &mut signatories.preparer);
    };
    for (name, case, change, fails, also) in [
        (
            "child-fails-binding",
            "a city adds a county's report whose figure its leaves do not give",
            figure,
            BINDING,
            vec![BINDING],
        ),
        (
            "child-fails-arithmetic",
            "a city adds a county's report that has a sum although nobody stands below it",
            sum,
            ARITHMETIC,
            vec![],
        ),
        (
            "child-fails-history",
            "a city adds a county's report over a log that the county does not have",
            root,
            HISTORY,
            vec![HISTORY],
        ),
        (
            "child-fails-authorship",
            "a city adds a county's report that two people signed in each other's role",
            people,
            AUTHORSHIP,
            vec![AUTHORSHIP],
        ),
    ] {
        let county = spoiled(w, A, change);
        let sum = city(w, &[county.clone(), w.held(B, JAN)]);
        let e = file_with(w, &[CITY, A, B], &[county, sum]);
        let detail = format!("the rollup of child {A} does not hold: {fails} fails");
        b.evidence(name, case, ARITHMETIC, &detail, &e).also(&also);
    }
}

fn grandchild(b: &mut Book, w: &World) {
    let county = spoiled(w, A, one_more_trained);
    let sum = city(w, &[county.clone(), w.held(B, JAN)]);
    let desk = w.desk(PROVINCE);
    let top = desk.sign(&desk.rollup(JAN, 1, &w.registry, std::slice::from_ref(&sum), vec![]));
    let e = file_with(w, &[PROVINCE, CITY, A, B], &[county, sum, top]);
    b.evidence(
        "grandchild-fails",
        "a province adds a city that adds a county's report whose figure its leaves do not give",
        ARITHMETIC,
        &format!("the rollup of child {CITY} does not hold: arithmetic fails"),
        &e,
    )
    .also(&[BINDING]);
}

fn followers(b: &mut Book, w: &World) {
    // January ends with one person more than its leaves give; February adds up from there.
    let january = spoiled(w, B, |c| {
        let own = &mut c.figure("I2").own;
        own.value = own.value.map(|n| n + 1);
        own.cells[0][0] += 1;
    });
    let mut february = Case::of(w, B, FEB);
    february.rollup.previous = Some(january.digest());
    february.follow(january.clone());
    recount(&mut february);
    let mut e = evidence_of(&february);
    on(&mut e, B).receipts.clear();
    b.evidence(
        "stock-from-a-false-month",
        "a month starts from the stocks of one that ends with a person more than its leaves give",
        BINDING,
        "the rollup that it follows fails binding",
        &e,
    );
}
