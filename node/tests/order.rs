//! A node judges a unit's rollups in the order in which whoever reads its evidence does, whatever
//! came first; and shows only what a reader can check.
#![allow(missing_docs, clippy::unwrap_used)]

use kit::on_disk::*;
use kit::text;
use node::desk::close::CloseRequest;
use node::desk::receipt;
use node::intake::{Awaited, Intake};
use node::review::{self, Ruling};
use protocol::count::Value;
use protocol::digest::Digest;
use protocol::evidence::{file, report};
use protocol::note::Note;
use protocol::receipt::Decision;
use protocol::registry::VerifiedRegistry;
use protocol::rollup::{HeldRollup, RollupRef};

/// What a county's desk wrote, which no node of ours would: statements, rollups, checkpoints.
struct Made {
    log: Vec<Vec<u8>>,
    rollups: Vec<Vec<u8>>,
    points: Vec<Vec<u8>>,
}

fn made(w: &World, build: impl FnOnce(&mut kit::Desk, &VerifiedRegistry)) -> Made {
    let registry = w.desks[CITY].read().registry().unwrap().clone();
    let mut memory = kit::World::empty();
    let counting = memory.publish(catalogue());
    let desk = memory.units.get_mut(&unit(B)).unwrap();
    desk.adopt(&counting);
    build(desk, &registry);
    let bytes = |note: &Note| note.as_bytes().to_vec();
    Made {
        log: desk.entries.clone(),
        rollups: desk.held.values().map(|h| bytes(&h.note)).collect(),
        points: desk.checkpoints.values().map(bytes).collect(),
    }
}

fn training(attended: i64, day: &str) -> [(&'static str, Value); 2] {
    [
        ("attended", Value::Int(attended)),
        ("occurred_on", text(day)),
    ]
}

fn opened(carrier: &str) -> [(&'static str, Value); 3] {
    let (day, kind) = (text("2026-01-09"), text("station"));
    [("ref", text(carrier)), ("kind", kind), ("occurred_on", day)]
}

fn give(w: &mut World, letter: &Letter) -> Intake {
    let took = take(w.desk(CITY).books(), B, letter, after(FEB));
    check(w);
    took
}

fn check(w: &mut World) {
    review::check_all(w.desk(CITY).books(), true, after(FEB)).unwrap();
}

fn statements(made: &Made, to: usize) -> Letter {
    forged_part(&kit::node_key(B), B, &made.log, 0..to)
}

/// Everything comes at once: its people, the rollups in this order, checkpoints, statements.
fn deliver(w: &mut World, made: &Made, order: &[usize]) {
    assert_eq!(give(w, &statements(made, 4)), Intake::Done);
    for n in order {
        assert_eq!(
            give(w, &Letter::Rollup(made.rollups[*n].clone())),
            Intake::Done
        );
    }
    for point in &made.points {
        assert_eq!(give(w, &Letter::Checkpoint(point.clone())), Intake::Done);
    }
    assert_eq!(give(w, &statements(made, made.log.len())), Intake::Done);
}

/// What failed of county B's rollups, by month and revision.
fn failed(w: &World) -> Vec<String> {
    let child = &w.desks[CITY].read().children()[&unit(B)];
    let mut all = Vec::new();
    for held in child.known().values() {
        let verdicts = &child.verdicts()[&held.digest()];
        if let Some(failed) = verdicts.iter().find(|v| v.failed()) {
            let (month, revision) = (held.rollup.period, held.rollup.revision);
            all.push(format!("{month}.{revision} {}", failed.check.as_str()));
        }
    }
    all
}

/// The city's evidence: whether it holds.
fn city_holds(w: &World) -> bool {
    let evidence = file::read(&w.desks[CITY].evidence()).unwrap();
    report::verify(&evidence, &[w.root.vkey()]).unwrap().holds()
}

#[test]
fn a_later_revision_does_not_cover_a_leaf_behind_the_seal() {
    let mut w = World::empty();
    let made = made(&w, |b, registry| {
        b.clear(JAN, "carrier.opened", &opened("c1"));
        b.clear(JAN, "carrier.opened", &opened("c2"));
        b.close(JAN, 1, registry, &[], vec![]);
        let closed = [("ref", text("c2")), ("occurred_on", text("2026-01-20"))];
        b.clear(JAN, "carrier.closed", &closed);
        b.close(FEB, 1, registry, &[], vec![]);
        b.clear(FEB, "training.held", &training(1, "2026-02-10"));
        b.close(JAN, 2, registry, &[], vec![]);
    });
    deliver(&mut w, &made, &[0, 1, 2]);
    assert_eq!(failed(&w), ["2026-01.2 history", "2026-02.1 history"]);
}

#[test]
fn a_later_month_does_not_cover_a_leaf_of_a_month_that_had_not_begun() {
    let mut w = World::empty();
    let made = made(&w, |b, registry| {
        b.clear("2026-06", "training.held", &training(5, "2026-06-10"));
        b.close(JAN, 1, registry, &[], vec![]);
        b.clear(FEB, "training.held", &training(1, "2026-02-10"));
        b.close(FEB, 1, registry, &[], vec![]);
    });
    deliver(&mut w, &made, &[0, 1]);
    assert!(failed(&w).contains(&"2026-01.1 history".to_string()));
}

#[test]
fn the_order_of_arrival_changes_no_verdict() {
    let build = |b: &mut kit::Desk, registry: &VerifiedRegistry| {
        b.clear(JAN, "training.held", &training(1, "2026-01-10"));
        let first = b.close(JAN, 1, registry, &[], vec![]).digest();
        b.clear(JAN, "training.held", &training(2, "2026-01-11"));
        b.close(JAN, 2, registry, &[], vec![]);
        b.clear(FEB, "training.held", &training(1, "2026-02-10"));
        let mut feb = b.rollup(FEB, 1, registry, &[], vec![]);
        feb.previous = Some(first);
        let held = b.sign(&feb);
        b.held.insert(held.key(), held);
        b.checkpoints.insert(b.size(), b.checkpoint(b.size()));
    };
    let mut results = Vec::new();
    for order in [[0, 1, 2], [0, 2, 1], [2, 0, 1]] {
        let mut w = World::empty();
        let made = made(&w, build);
        deliver_logs(&mut w, &made);
        for n in order {
            let letter = Letter::Rollup(made.rollups[n].clone());
            assert_eq!(give(&mut w, &letter), Intake::Done);
        }
        results.push(failed(&w));
    }
    assert!(
        results[0].contains(&"2026-02.1 history".to_string()),
        "it builds on a revision that was replaced: {results:?}"
    );
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
}

fn deliver_logs(w: &mut World, made: &Made) {
    assert_eq!(give(w, &statements(made, made.log.len())), Intake::Done);
    for point in &made.points {
        assert_eq!(give(w, &Letter::Checkpoint(point.clone())), Intake::Done);
    }
}

fn give_rollup(w: &mut World, made: &Made, n: usize) {
    let letter = Letter::Rollup(made.rollups[n].clone());
    assert_eq!(give(w, &letter), Intake::Done);
}

/// What this node answered last to county B's rollup of this month and revision.
fn answer(w: &World, month: &str, revision: u32) -> Option<Decision> {
    let child = &w.desks[CITY].read().children()[&unit(B)];
    let held = child.known().get(&(kit::month(month), revision))?;
    child.decision(&held.digest())
}

/// A county signs a second January from the place where it had gone on with February, with the
/// smaller log of the two. Nobody asked for it, and it says nothing of what was accepted.
#[test]
fn a_revision_beside_the_chain_spoils_no_month_that_was_accepted() {
    let mut w = World::empty();
    let made = made(&w, |b, registry| {
        b.clear(JAN, "training.held", &training(1, "2026-01-10"));
        b.close(JAN, 1, registry, &[], vec![]);
        let january = b.close(JAN, 2, registry, &[], vec![]);
        b.held.remove(&january.key());
        b.clear(FEB, "training.held", &training(1, "2026-02-10"));
        b.close(FEB, 1, registry, &[], vec![]);
        b.held.insert(january.key(), january);
    });
    w.report(A, JAN, after(JAN));
    w.report(A, FEB, after(FEB));
    deliver_logs(&mut w, &made);
    give_rollup(&mut w, &made, 0);
    give_rollup(&mut w, &made, 2);
    check(&mut w);
    for month in [JAN, FEB] {
        assert_eq!(answer(&w, month, 1), Some(Decision::Accepted));
        w.desk(CITY).finish(month, after(FEB));
    }
    give_rollup(&mut w, &made, 1);
    check(&mut w);
    assert!(city_holds(&w));
    assert_eq!(
        answer(&w, JAN, 2),
        None,
        "it was made before a log that was judged"
    );
    let rejected = {
        w.desk(CITY).reopen();
        check(&mut w);
        answer(&w, JAN, 2)
    };
    assert_eq!(rejected, Some(Decision::Rejected), "nobody asked for it");
    assert_eq!(answer(&w, FEB, 1), Some(Decision::Accepted));
    assert_eq!(failed(&w), ["2026-01.2 history"]);
    assert!(city_holds(&w));
}

/// A revision that nobody asked for is rejected, and so is what rests on it, until the parent asks.
#[test]
fn nothing_rests_on_a_revision_that_nobody_asked_for() {
    let mut w = World::empty();
    let made = made(&w, |b, registry| {
        b.clear(JAN, "training.held", &training(1, "2026-01-10"));
        b.close(JAN, 1, registry, &[], vec![]);
        b.close(FEB, 1, registry, &[], vec![]);
        b.clear(JAN, "training.held", &training(2, "2026-01-11"));
        b.close(JAN, 2, registry, &[], vec![]);
        b.close(MAR, 1, registry, &[], vec![]);
    });
    deliver_logs(&mut w, &made);
    for n in [0, 2, 1, 3] {
        give_rollup(&mut w, &made, n);
    }
    assert_eq!(failed(&w), ["2026-01.2 history", "2026-03.1 history"]);
    assert_eq!(answer(&w, MAR, 1), Some(Decision::Rejected));
    assert_eq!(answer(&w, FEB, 1), Some(Decision::Accepted));
}

/// A report that follows nothing that ever comes, and one that nobody but the node has signed: each
/// needs a node key alone. Neither stands in the way of the unit's own.
#[test]
fn a_report_that_waits_or_is_nobodys_holds_back_no_other() {
    let mut w = World::empty();
    let mut waiting = Vec::new();
    let mut strange = Vec::new();
    let made = made(&w, |b, registry| {
        b.clear(JAN, "training.held", &training(1, "2026-01-10"));
        let january = b.close(JAN, 1, registry, &[], vec![]);
        let mut other = january.rollup.clone();
        (other.revision, other.supersedes) = (50, Some(Digest::of(b"nothing")));
        other.after = Some(RollupRef {
            rollup: Digest::of(b"nothing"),
            revision: 49,
            ..january.named()
        });
        waiting = b.sign(&other).note.as_bytes().to_vec();
        other.signatories.preparer = format!("{B}/x1");
        strange = b.sign(&other).note.as_bytes().to_vec();
        b.clear(FEB, "training.held", &training(1, "2026-02-10"));
        b.close(FEB, 1, registry, &[], vec![]);
    });
    deliver_logs(&mut w, &made);
    give_rollup(&mut w, &made, 0);
    assert_eq!(give(&mut w, &Letter::Rollup(waiting)), Intake::Done);
    assert!(matches!(
        give(&mut w, &Letter::Rollup(strange)),
        Intake::Refused(_)
    ));
    give_rollup(&mut w, &made, 1);
    assert_eq!(answer(&w, FEB, 1), Some(Decision::Accepted));
    w.desk(CITY).reopen();
    check(&mut w);
    assert!(city_holds(&w));
}

/// Two first revisions of January, and a second one that follows the other.
fn twice(w: &World) -> Made {
    let mut first = Vec::new();
    let mut made = made(w, |b, registry| {
        b.clear(JAN, "training.held", &training(1, "2026-01-10"));
        let january = b.close(JAN, 1, registry, &[], vec![]);
        first = january.note.as_bytes().to_vec();
        let mut other = january.rollup.clone();
        other.plans.clear();
        let other = b.sign(&other);
        b.held.insert(other.key(), other);
        b.clear(JAN, "training.held", &training(2, "2026-01-11"));
        b.close(JAN, 2, registry, &[], vec![]);
    });
    made.rollups.insert(0, first);
    made
}

#[test]
fn a_unit_goes_on_from_the_second_of_two_versions() {
    let mut w = World::empty();
    let made = twice(&w);
    w.report(A, JAN, after(JAN));
    deliver_logs(&mut w, &made);
    let letters = made.rollups.iter().map(|r| Letter::Rollup(r.clone()));
    for letter in letters.clone().chain(letters) {
        assert_eq!(
            take(w.desk(CITY).books(), B, &letter, after(FEB)),
            Intake::Done
        );
    }
    check(&mut w);
    assert_eq!(answer(&w, JAN, 2), Some(Decision::Accepted));
    let (first, second) = (digest_of(&made.rollups[0]), digest_of(&made.rollups[1]));
    let books = w.desks[CITY].read();
    let [kept] = books.contradictions() else {
        panic!("{:?}", books.contradictions())
    };
    let (known, came) = books.both_sides(kept).unwrap();
    let sides = [known.unwrap().note, came.note].map(|note| digest_of(&note));
    assert_eq!(sides, [second, first], "both are still here");
    w.desk(CITY).finish(JAN, after(FEB));
    assert!(city_holds(&w));
    w.desk(CITY).reopen();
    check(&mut w);
    assert_eq!(answer(&w, JAN, 2), Some(Decision::Accepted));
    assert!(city_holds(&w));
}

#[test]
fn a_unit_does_not_go_on_from_another_version_than_was_accepted() {
    let mut w = World::empty();
    let made = twice(&w);
    w.report(A, JAN, after(JAN));
    deliver_logs(&mut w, &made);
    give_rollup(&mut w, &made, 0);
    check(&mut w);
    assert_eq!(answer(&w, JAN, 1), Some(Decision::Accepted));
    w.desk(CITY).finish(JAN, after(FEB));
    give_rollup(&mut w, &made, 1);
    give_rollup(&mut w, &made, 2);
    check(&mut w);
    assert_eq!(answer(&w, JAN, 2), Some(Decision::Rejected));
    assert!(city_holds(&w), "what cannot be shown is left out");
}

/// The city closes January, without county B where that has nothing that is accepted.
fn city_reports(w: &mut World, without_b: bool) {
    let absent = without_b.then(|| (B.to_string(), "not here whole".to_string()));
    let request = CloseRequest {
        missing: absent.into_iter().collect(),
        ..CloseRequest::default()
    };
    let city = w.desk(CITY);
    city.try_close(JAN, &request, after(FEB)).unwrap();
    city.sign(JAN);
    city.submit(JAN, after(FEB));
}

/// Evidence has a rollup only with its whole chain. So nothing is accepted while the checkpoint of
/// one on the chain is kept back, whether that one was rejected as a second version or returned.
#[test]
fn a_chain_of_which_a_checkpoint_is_kept_back_is_not_accepted() {
    for two_versions in [true, false] {
        let mut w = World::empty();
        let mut first = Vec::new();
        let mut made = made(&w, |b, registry| {
            b.clear(JAN, "training.held", &training(1, "2026-01-10"));
            if two_versions {
                let january = b.close(JAN, 1, registry, &[], vec![]);
                first.push(january.note.as_bytes().to_vec());
                b.held.clear();
                b.clear(JAN, "training.held", &training(3, "2026-01-10"));
            }
            b.close(JAN, 1, registry, &[], vec![]);
            let kept_back = b.size();
            b.clear(JAN, "training.held", &training(2, "2026-01-11"));
            b.close(JAN, 2, registry, &[], vec![]);
            b.checkpoints.remove(&kept_back);
        });
        made.rollups.splice(0..0, first);
        w.report(A, JAN, after(JAN));
        deliver_logs(&mut w, &made);
        let (last, before) = made.rollups.split_last().unwrap();
        for rollup in before {
            let letter = Letter::Rollup(rollup.clone());
            let took = take(w.desk(CITY).books(), B, &letter, after(FEB));
            assert_eq!(took, Intake::Done);
        }
        if !two_versions {
            let returned = Ruling::new(Decision::Returned, &format!("{CITY}/tongji"));
            let returned = returned.because("send it again");
            let books = w.desk(CITY).books();
            review::decide(books, &unit(B), kit::month(JAN), returned, after(FEB)).unwrap();
        }
        let took = take(
            w.desk(CITY).books(),
            B,
            &Letter::Rollup(last.clone()),
            after(FEB),
        );
        assert_eq!(took, Intake::Done);
        check(&mut w);
        let held = HeldRollup::new(Note::parse(last).unwrap()).unwrap();
        let waits = review::waits(w.desks[CITY].read(), &held).unwrap();
        assert!(
            waits.contains("2026-01 revision 1, which it follows"),
            "{waits}"
        );
        assert_ne!(answer(&w, JAN, 2), Some(Decision::Accepted));
        city_reports(&mut w, true);
        assert!(city_holds(&w));
    }
}

/// The county shows a longer log to the province first, under a report that is none. The month that
/// the city has accepted is judged all the same, over its own log.
#[test]
fn a_longer_log_that_came_first_holds_back_no_month() {
    let mut w = World::empty();
    let made = made(&w, |b, registry| {
        b.clear(JAN, "training.held", &training(1, "2026-01-10"));
        b.close(JAN, 1, registry, &[], vec![]);
        b.clear(JAN, "training.held", &training(2, "2026-01-12"));
        let mut feb = b.rollup(FEB, 1, registry, &[], vec![]);
        (feb.after, feb.previous) = (None, None);
        let held = b.sign(&feb);
        b.held.insert(held.key(), held);
        b.checkpoints.insert(b.size(), b.checkpoint(b.size()));
    });
    w.report(A, JAN, after(JAN));
    deliver_logs(&mut w, &made);
    give_rollup(&mut w, &made, 0);
    city_reports(&mut w, false);
    let letters = [statements(&made, made.log.len())].into_iter();
    let letters = letters.chain(made.points.iter().map(|p| Letter::Checkpoint(p.clone())));
    for letter in letters.chain([1, 0].map(|n| Letter::Rollup(made.rollups[n].clone()))) {
        let books = w.desk(PROVINCE).books();
        assert_eq!(take(books, B, &letter, after(FEB)), Intake::Done);
        review::check_all(books, true, after(FEB)).unwrap();
    }
    w.send(CITY, &[PROVINCE], after(FEB));
    review::check_all(w.desk(PROVINCE).books(), true, after(FEB)).unwrap();
    let city = &w.desks[PROVINCE].read().children()[&unit(CITY)];
    assert!(city.accepted(kit::month(JAN)).is_some());
}

fn digest_of(note: &[u8]) -> Digest {
    Note::parse(note).unwrap().digest()
}

#[test]
fn evidence_ends_where_what_came_is_whole() {
    let mut w = World::empty();
    let made = made(&w, |b, registry| {
        b.clear(JAN, "training.held", &training(2, "2026-01-10"));
        b.close(JAN, 1, registry, &[], vec![]);
        b.clear(FEB, "training.held", &training(1, "2026-02-10"));
        b.clear(FEB, "training.held", &training(3, "2026-02-11"));
        b.close(FEB, 1, registry, &[], vec![]);
    });
    w.desk(A).train(2, "2026-01-10", at("2026-01-20"));
    w.report(A, JAN, after(JAN));
    let january = HeldRollup::new(Note::parse(&made.rollups[0]).unwrap()).unwrap();
    let january = usize::try_from(january.rollup.log.size).unwrap();
    assert_eq!(give(&mut w, &statements(&made, january)), Intake::Done);
    for letter in [
        Letter::Checkpoint(made.points[0].clone()),
        Letter::Rollup(made.rollups[0].clone()),
    ] {
        assert_eq!(give(&mut w, &letter), Intake::Done);
    }
    w.desk(CITY).finish(JAN, after(JAN));
    assert!(city_holds(&w));
    // A month of which only a part is here, then all of it but its checkpoint.
    let letter = Letter::Rollup(made.rollups[1].clone());
    assert_eq!(give(&mut w, &letter), Intake::Done);
    for end in [january + 1, made.log.len()] {
        assert_eq!(give(&mut w, &statements(&made, end)), Intake::Done);
        assert!(city_holds(&w));
    }
    let letter = Letter::Checkpoint(made.points[1].clone());
    assert_eq!(give(&mut w, &letter), Intake::Done);
    assert!(city_holds(&w));
    let evidence = file::read(&w.desks[CITY].evidence()).unwrap();
    assert_eq!(evidence.units[&unit(B)].rollups.len(), 2);
}

#[test]
fn revisions_that_nobody_asked_for_have_a_bound_in_bytes() {
    let mut w = World::empty();
    let mut many: Vec<Vec<u8>> = Vec::new();
    let made = made(&w, |b, registry| {
        b.clear(JAN, "training.held", &training(2, "2026-01-10"));
        let first = b.close(JAN, 1, registry, &[], vec![]);
        for revision in 2..=24 {
            let mut large = first.rollup.clone();
            large.revision = revision;
            large.supersedes = Some(first.digest());
            large.after = Some(first.named());
            large.plans = (0..64).map(|n| format!("{n:015000}")).collect();
            many.push(b.sign(&large).note.as_bytes().to_vec());
        }
        b.clear(FEB, "training.held", &training(1, "2026-02-10"));
        b.close(FEB, 1, registry, &[], vec![]);
    });
    for letter in [
        statements(&made, made.log.len()),
        Letter::Rollup(made.rollups[0].clone()),
    ] {
        assert_eq!(
            take(w.desk(CITY).books(), B, &letter, after(FEB)),
            Intake::Done
        );
    }
    let mut kept = 0;
    for (n, bytes) in many.iter().enumerate() {
        let letter = Letter::Rollup(bytes.clone());
        match take(w.desk(CITY).books(), B, &letter, after(FEB)) {
            Intake::Done => kept = n + 1,
            took => assert_eq!(took, Intake::Later(Awaited::Answers(unit(B)))),
        }
    }
    let bytes: usize = many.iter().take(kept).map(Vec::len).sum();
    assert!(bytes <= 16 << 20 && kept >= 15, "{kept} of {bytes} bytes");
    // The month's first report is taken all the same.
    let letter = Letter::Rollup(made.rollups[1].clone());
    assert_eq!(
        take(w.desk(CITY).books(), B, &letter, after(FEB)),
        Intake::Done
    );
}

#[test]
fn a_receipt_whose_time_runs_back_is_refused_and_stops_none() {
    let mut w = World::empty();
    w.desk(B).train(2, "2026-01-10", at("2026-01-20"));
    w.report(B, JAN, after(JAN));
    let holds = |w: &World| {
        let evidence = file::read(&w.desks[B].evidence()).unwrap();
        report::verify(&evidence, &[w.root.vkey()]).unwrap().holds()
    };
    assert!(holds(&w));
    let (accepted, _) = w.desks[B]
        .read()
        .rollups()
        .values()
        .next()
        .unwrap()
        .receipts()[0]
        .clone();
    let reopened = |decided: &str| {
        let mut receipt = accepted.clone();
        receipt.decision = Decision::Reopened;
        receipt.reasons = vec!["one is missing".into()];
        receipt.decided = decided.into();
        Note::sign(&receipt.to_text().unwrap(), &[&kit::node_key(CITY)]).unwrap()
    };
    for decided in ["2020-01-01T00:00:00Z", accepted.decided.as_str()] {
        let note = reopened(decided);
        let took = receipt::take_receipt(w.desk(B).books(), note.as_bytes()).unwrap();
        assert!(matches!(took, Intake::Refused(_)), "{took:?}");
        assert!(holds(&w));
    }
    let note = reopened("2031-01-01T00:00:00Z");
    let took = receipt::take_receipt(w.desk(B).books(), note.as_bytes()).unwrap();
    assert_eq!(took, Intake::Done);
    assert_eq!(w.desks[B].decision(JAN), Some(Decision::Reopened));
    assert!(holds(&w));
}
