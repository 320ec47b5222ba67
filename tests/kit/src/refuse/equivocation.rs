//! Two stories: a path holds one rollup, so two for one revision show by what was signed over the
//! other one.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World, town: &World) {
    let mut other = w.held(B, JAN).rollup.clone();
    other.plans.clear();
    let other = w.desk(B).sign(&other);
    let mut e = honest_file(w, &[B], JAN);
    let honest = file::write(&e).unwrap();
    let mut parts = parts(&honest);
    let at = parts
        .iter()
        .position(|p| p.path.contains("/rollup/"))
        .unwrap();
    parts.insert(
        at + 1,
        Part::stored(&parts[at].path.clone(), other.note.as_bytes()),
    );
    b.add(
        "two-rollups-one-path.zip",
        "two different rollups for one revision, both at the same path",
        UNREADABLE,
        "evidence.",
        zip(&parts),
    );
    on(&mut e, B)
        .rollups
        .insert((month(JAN), 1), other.note.clone());
    b.evidence(
        "two-rollups-receipt",
        "the parent accepted one rollup for this revision, the file holds another",
        AUTHORSHIP,
        "receipt: is for other bytes",
        &e,
    );
    let mut e = honest_file(town, &[CITY, A, B], JAN);
    let mut other = town.held(B, JAN).rollup.clone();
    other.plans.clear();
    on(&mut e, B)
        .rollups
        .insert((month(JAN), 1), town.desk(B).sign(&other).note.clone());
    on(&mut e, B).receipts.clear();
    b.evidence(
        "two-rollups-parent",
        "the city's rollup was made from one rollup of the county, the file holds another",
        ARITHMETIC,
        "of child 140311 is not known here",
        &e,
    );
    // The same under a second number: two revisions that both claim to be the first.
    let mut e = honest_file(w, &[B], JAN);
    let first = on(&mut e, B).rollups[&(month(JAN), 1)].clone();
    on(&mut e, B).rollups.insert((month(JAN), 2), first);
    b.evidence(
        "rollup-other-path",
        "a rollup stands at the path of another revision",
        UNREADABLE,
        "of another unit, month or revision than its path says",
        &e,
    );
    let mut e = honest_file(w, &[B], JAN);
    on(&mut e, B)
        .rollups
        .insert((month(JAN), 1), w.held(A, JAN).note.clone());
    b.evidence(
        "rollup-other-unit",
        "another unit's rollup stands at this unit's path",
        UNREADABLE,
        "of another unit, month or revision than its path says",
        &e,
    );
}
