//! History: months and revisions that do not follow each other.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    chain(b, w);
    forks(b);
    previous(b, w);
    first_month(b, w);
    equal_sizes(b);
    month_behind_another(b);
    revisions(b, w);
    registry_backwards(b, w);
}

fn previous(b: &mut Book, w: &World) {
    let mut c = Case::of(w, B, FEB);
    let mut other = w.held(B, JAN).rollup.clone();
    other.plans.clear();
    let other = w.desk(B).sign(&other);
    c.rollup.previous = Some(other.digest());
    b.case(
        "previous-forked",
        "February builds on another January than the one that was accepted",
        HISTORY,
        "none of those on its chain for 2026-01",
        &c,
    )
    .also(&[BINDING]);
    let mut c = Case::of(w, B, FEB);
    c.rollup.previous = None;
    recount(&mut c);
    b.case(
        "previous-absent",
        "February names no previous rollup and starts its stocks from zero",
        HISTORY,
        "names no previous rollup, but 140311 reports since 2026-01",
        &c,
    );
    let mut c = Case::of(w, B, JAN);
    c.known.insert((month(JAN), 1), w.held(B, JAN));
    c.rollup = w.desk(B).rollup(FEB, 1, &w.registry, &[], vec![]);
    c.rollup.period = month(MAR);
    c.rollup.log = w.held(B, JAN).rollup.log.clone();
    c.rollup.log.first = c.rollup.log.size;
    c.rollup.opening = rollup::Opening::default();
    recount(&mut c);
    b.case(
        "previous-skipped",
        "March follows January; there is no February",
        HISTORY,
        "the rollup of 2026-02 is missing",
        &c,
    );
}

fn chain(b: &mut Book, w: &World) {
    let mut c = Case::of(w, B, FEB);
    c.known.clear();
    b.case(
        "previous-withheld",
        "January's rollup is not in the file",
        HISTORY,
        "its chain breaks: 2026-01 revision 1",
        &c,
    )
    .also(&[BINDING]);
    let mut c = Case::of(w, B, FEB);
    let mut other = w.held(B, JAN).rollup.clone();
    other.plans.clear();
    c.rollup.after = Some(w.desk(B).sign(&other).named());
    b.case(
        "chain-forked",
        "February follows another January than the one in the file, and builds on the one in the file",
        HISTORY,
        "its chain breaks: 2026-01 revision 1",
        &c,
    )
    .also(&[BINDING]);
    let mut c = Case::of(w, B, FEB);
    c.rollup.after = c.rollup.after.map(|after| RollupRef {
        revision: 2,
        ..after
    });
    b.case(
        "chain-other-revision",
        "the digest that February follows is January's first revision, called the second",
        HISTORY,
        "its chain breaks: 2026-01 revision 2",
        &c,
    )
    .also(&[BINDING]);
    let mut c = Case::of(w, B, FEB);
    (c.rollup.after, c.rollup.previous) = (None, None);
    recount(&mut c);
    b.case(
        "chain-begins-anew",
        "February follows nothing and starts its stocks from zero",
        HISTORY,
        "names no previous rollup, but 140311 reports since 2026-01",
        &c,
    );
}

/// County B signs twice from one place.
fn forks(b: &mut Book) {
    let forked = |record: fn(&mut Desk, u64)| {
        let w = only_b(|desk, registry| {
            let early = training(desk, JAN, 2);
            desk.close(JAN, 1, registry, &[], vec![]);
            record(desk, early);
            let january = desk.close(JAN, 2, registry, &[], vec![]);
            desk.held.remove(&january.key());
            training(desk, FEB, 3);
            desk.close(FEB, 1, registry, &[], vec![]);
            desk.held.insert(january.key(), january);
        });
        honest_file(&w, &[B], FEB)
    };
    let voided = forked(|desk, early| {
        desk.void(JAN, early);
    });
    b.evidence(
        "chain-covered-by-another",
        "a void of January stands before January's second revision, which February does not follow",
        HISTORY,
        "was put into 2026-01, which was already sealed",
        &voided,
    );
    let trained = forked(|desk, _| {
        training(desk, FEB, 4);
    });
    b.control(
        "control-chain-forked.zip",
        "a second revision of January, which February does not follow, has the smaller log: it says nothing of February",
        file::write(&trained).unwrap(),
    );
    let skipped = only_b(|desk, registry| {
        training(desk, JAN, 2);
        desk.close(JAN, 1, registry, &[], vec![]);
        let february = desk.close(FEB, 1, registry, &[], vec![]);
        desk.held.remove(&february.key());
        let mut march = desk.rollup(MAR, 1, registry, &[], vec![]);
        march.previous = Some(february.digest());
        let march = desk.sign(&march);
        for held in [february, march] {
            desk.held.insert(held.key(), held);
        }
    });
    b.evidence(
        "chain-month-beside-it",
        "March builds on February, but follows January",
        HISTORY,
        "the rollup of 2026-02 is missing",
        &honest_file(&skipped, &[B], MAR),
    )
    .also(&[BINDING]);
}

/// The unit reports since January: nothing comes before.
fn first_month(b: &mut Book, w: &World) {
    let mut december = w.held(B, JAN).rollup.clone();
    december.period = month("2025-12");
    let december = w.desk(B).sign(&december);
    let first = w.held(B, JAN);
    let mut c = Case::of(w, B, JAN);
    c.follow(first.clone());
    c.rollup.revision = 2;
    c.rollup.supersedes = Some(first.digest());
    c.rollup.previous = Some(december.digest());
    b.case(
        "previous-in-first-month",
        "the first month names a previous rollup",
        HISTORY,
        "names a previous rollup in its first month",
        &c,
    )
    .also(&[BINDING]);
}

/// January is closed, something is recorded, and then February and January's second revision are
/// closed over the same log; February names the first revision. That is right if what was recorded
/// is February's.
fn equal_sizes(b: &mut Book) {
    let between = |record: fn(&mut Desk, u64)| {
        let w = only_b(|desk, registry| {
            let early = training(desk, JAN, 2);
            desk.close(JAN, 1, registry, &[], vec![]);
            record(desk, early);
            desk.close(FEB, 1, registry, &[], vec![]);
            desk.close(JAN, 2, registry, &[], vec![]);
        });
        honest_file(&w, &[B], FEB)
    };
    let voided = between(|desk, early| {
        desk.void(JAN, early);
    });
    b.evidence(
        "previous-replaced-same-size",
        "February builds on January's first revision; a void of January stands before both the second and February",
        HISTORY,
        "was put into 2026-01, which was already sealed",
        &voided,
    );
    let trained = between(|desk, _| {
        training(desk, FEB, 3);
    });
    b.control(
        "control-previous-same-size.zip",
        "January's second revision has the log of February, which builds on the first",
        file::write(&trained).unwrap(),
    );
}

/// A leaf stands behind its month's end, but before the end of an earlier month's later revision.
fn month_behind_another(b: &mut Book) {
    let with = |of: &str| {
        let w = only_b(|desk, registry| {
            training(desk, JAN, 2);
            desk.close(JAN, 1, registry, &[], vec![]);
            desk.close(FEB, 1, registry, &[], vec![]);
            training(desk, of, 3);
            desk.close(JAN, 2, registry, &[], vec![]);
            training(desk, MAR, 4);
            desk.close(MAR, 1, registry, &[], vec![]);
        });
        honest_file(&w, &[B], MAR)
    };
    b.evidence(
        "leaf-behind-its-month",
        "a leaf of February stands behind February, but before January's second revision",
        HISTORY,
        "was put into 2026-02, which was already sealed",
        &with(FEB),
    );
    b.control(
        "control-leaf-before-revision.zip",
        "a leaf of January stands behind February, before January's second revision",
        file::write(&with(JAN)).unwrap(),
    );
}

fn revisions(b: &mut Book, w: &World) {
    let (w2, _) = reopened();
    let mut c = Case::of(&w2, B, FEB);
    c.rollup.previous = Some(w2.desk(B).held[&(month(JAN), 1)].digest());
    recount(&mut c);
    b.case(
        "previous-replaced",
        "February builds on January's first revision, which a second had replaced before",
        HISTORY,
        "is revision 1 of 2026-01, which revision 2 had replaced",
        &c,
    );

    let first = w.held(B, FEB);
    let mut c = Case::of(w, B, FEB);
    c.follow(first.clone());
    c.rollup.revision = 2;
    let mut other = first.rollup.clone();
    other.plans.clear();
    c.rollup.supersedes = Some(w.desk(B).sign(&other).digest());
    b.case(
        "supersedes-forked",
        "revision 2 supersedes another revision 1 than the one that it follows",
        HISTORY,
        "supersedes another revision 1",
        &c,
    );
    c.rollup.revision = 3;
    c.rollup.supersedes = Some(first.digest());
    b.case(
        "revision-skipped",
        "revision 3 follows revision 1",
        HISTORY,
        "revision 2 is missing",
        &c,
    );
    let mut third = c.rollup.clone();
    third.plans.clear();
    c.follow(w.desk(B).sign(&third));
    c.rollup.revision = 2;
    b.case(
        "revision-behind",
        "revision 2 follows revision 3",
        HISTORY,
        "follows revision 3 of the same month",
        &c,
    );
    let mut c = Case::of(w, B, FEB);
    c.rollup.revision = 2;
    c.rollup.supersedes = Some(first.digest());
    b.case(
        "revision-withheld",
        "revision 2 does not follow revision 1",
        HISTORY,
        "revision 1 is missing",
        &c,
    );
    let mut march = w.held(B, JAN).rollup.clone();
    march.period = month(MAR);
    let mut c = Case::of(w, B, JAN);
    c.follow(w.desk(B).sign(&march));
    b.case(
        "month-begins-late",
        "the first revision of January follows March",
        HISTORY,
        "a first revision that follows a rollup of 2026-03",
        &c,
    )
    .also(&[BINDING]);
}

fn registry_backwards(b: &mut Book, w: &World) {
    // January names version 2 of the registry, February version 1.
    let note = second_registry(w, |_| {});
    let newer = w.registry.next(&note).unwrap();
    let mut january = w.held(B, JAN).rollup.clone();
    january.registry = RegistryRef {
        version: 2,
        digest: newer.digest(),
    };
    let january = w.desk(B).sign(&january);
    let mut c = Case::of(w, B, FEB);
    c.rollup.previous = Some(january.digest());
    c.follow(january);
    let mut e = evidence_of(&c);
    e.registries.push(note);
    b.evidence(
        "registry-backwards",
        "February names an older registry version than January did",
        HISTORY,
        "names registry version 1 after version 2",
        &e,
    );
}
