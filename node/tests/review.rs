//! What a parent makes of messages: in any order, twice, forged, contradicting.
#![allow(missing_docs, clippy::unwrap_used)]

use chrono::{DateTime, Utc};
use kit::on_disk::*;
use node::books::contradictions::Side;
use node::desk::close::CloseRequest;
use node::desk::receipt;
use node::fault::Faults;
use node::intake::{Awaited, Intake};
use node::link::MAX_BODY_BYTES;
use node::queries::children::{ChildMonth, children};
use node::review::{self, Ruling};
use proptest::prelude::*;
use protocol::digest::Digest;
use protocol::log::checkpoint::{Checkpoint, origin_of};
use protocol::log::delivery::Delivery;
use protocol::log::tile;
use protocol::note::{Alg, Note, SigningKey};
use protocol::receipt::{Decision, Receipt};
use protocol::rollup::HeldRollup;
use protocol::verdict::Check;

fn check(w: &mut World, id: &str) -> Vec<Note> {
    review::check_all(w.desk(id).books(), false, after(FEB)).unwrap()
}

/// Two months of county A, submitted; nobody has received anything. The second month's letters rest
/// on the first's.
fn submitted() -> World {
    let mut w = World::empty();
    let a = w.desk(A);
    let now = at("2026-01-20");
    a.register(&[id_no(1), id_no(2)], "2026-01-03", now);
    a.hire(&id_no(1), "甲", "2026-01-05", now);
    a.finish(JAN, after(JAN));
    a.train(3, "2026-02-05", at("2026-02-20"));
    a.finish(FEB, after(FEB));
    w
}

fn state(w: &World, id: &str) -> String {
    let mut text = String::new();
    for (unit, child) in w.desks[id].read().children() {
        text += &format!(
            "{unit} {} {} {:?} {:?}\n",
            child.held(),
            child.log().len(),
            child.flagged(),
            child.checkpoints().keys().collect::<Vec<_>>()
        );
        for held in child.known().values() {
            let d = held.digest();
            text += &format!(
                "  {}.{} {:?} {:?}\n",
                held.rollup.period,
                held.rollup.revision,
                child.decision(&d),
                child.verdicts().get(&d)
            );
        }
    }
    text
}

/// Takes letters in this order; those that came too early come again, after the others.
fn deliver(w: &mut World, letters: &[Letter]) {
    let mut waiting: Vec<Letter> = letters.to_vec();
    loop {
        let before = waiting.len();
        let mut later = Vec::new();
        for letter in waiting {
            match take(w.desk(CITY).books(), A, &letter, after(FEB)) {
                Intake::Done => {
                    assert!(
                        check(w, CITY).is_empty(),
                        "an honest rollup was rejected: {}",
                        state(w, CITY)
                    );
                }
                Intake::Later(_) => later.push(letter),
                Intake::Refused(why) => panic!("{why}"),
            }
        }
        if later.is_empty() || later.len() == before {
            break;
        }
        waiting = later;
    }
}

#[test]
fn every_order_and_every_repetition_ends_in_the_same_state() {
    let mut w = submitted();
    // As the courier cuts them: small bundles that overlap.
    let letters: Vec<Letter> = {
        let of = |range: std::ops::Range<u64>| w.desks[A].delivery(range, 8);
        let mut list = vec![of(0..3), of(3..7), of(2..5), of(0..8), of(7..8)];
        list.extend(
            w.desks[A]
                .letters()
                .into_iter()
                .filter(|l| !matches!(l, Letter::Entries(..))),
        );
        list
    };
    let city = w.dir.0.join(CITY).join("data");
    let clean = w.dir.0.join("clean");
    w.desk(CITY).shut();
    copy_dir(&city, &clean);
    w.desk(CITY).open();
    deliver(&mut w, &letters);
    let expected = state(&w, CITY);
    assert!(
        expected.contains("2026-02.1") && !expected.contains("Fails"),
        "{expected}"
    );

    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let n = letters.len();
    let orders = (
        Just((0..n).collect::<Vec<_>>()).prop_shuffle(),
        prop::collection::vec(0..n, 0..6),
    );
    let world = std::cell::RefCell::new(w);
    runner
        .run(&orders, |(order, more)| {
            let mut w = world.borrow_mut();
            w.desk(CITY).shut();
            std::fs::remove_dir_all(&city).unwrap();
            copy_dir(&clean, &city);
            w.desk(CITY).open();
            let list: Vec<Letter> = more
                .iter()
                .chain(&order)
                .chain(&more)
                .map(|i| letters[*i].clone())
                .collect();
            deliver(&mut w, &list);
            prop_assert_eq!(&state(&w, CITY), &expected);
            // And the journal says the same after a restart.
            w.desk(CITY).reopen();
            check(&mut w, CITY);
            prop_assert_eq!(&state(&w, CITY), &expected);
            Ok(())
        })
        .unwrap();
}

#[test]
fn statements_wait_for_those_before_them_and_strangers_stay_outside() {
    let mut w = submitted();
    let now = after(FEB);
    let entries: Vec<Vec<u8>> = (0..8)
        .map(|i| w.desks[A].read().statement_bytes(i).unwrap())
        .collect();
    let Letter::Entries(0, all) = w.desks[A].delivery(0..8, 8) else {
        panic!("entries")
    };
    let Letter::Entries(2, middle) = w.desks[A].delivery(2..4, 8) else {
        panic!("entries")
    };
    let entries_of = |by: &SigningKey, id: &str, entries: &[Vec<u8>]| {
        let Letter::Entries(_, body) = forged(by, id, entries) else {
            panic!("entries")
        };
        body
    };
    let took = |books: &mut node::books::Books, of: &str, first: u64, body: &[u8]| {
        review::take_entries(books, &unit(of), first, body).unwrap()
    };
    let refused = |books: &mut node::books::Books, of: &str, first: u64, body: &[u8]| {
        let took = took(books, of, first, body);
        assert!(matches!(took, Intake::Refused(_)), "{took:?}");
    };
    // Who or what no registry that is known here names may stand in the next.
    let unnamed = |books: &mut node::books::Books, of: &str, first: u64, body: &[u8]| {
        let took = took(books, of, first, body);
        assert!(
            matches!(took, Intake::Later(Awaited::Registry(_))),
            "{took:?}"
        );
    };
    let city = w.desk(CITY);
    assert!(matches!(
        review::take_entries(city.books(), &unit(A), 2, &middle).unwrap(),
        Intake::Later(_)
    ));
    refused(city.books(), A, 0, b"nonsense");
    unnamed(city.books(), "110101", 0, &all);
    // Another unit's statements under this subject.
    refused(city.books(), B, 0, &all);
    // A child has no say over its parent's log.
    unnamed(w.desk(A).books(), CITY, 0, &all);
    // The right name on the checkpoint, but another key: everybody can write a name. The key of one
    // of its people, its witness, its parent, or another log.
    let city = w.desk(CITY);
    let stranger = SigningKey::from_seed(A, Alg::Ed25519, [9; 32]).unwrap();
    unnamed(city.books(), A, 0, &entries_of(&stranger, A, &entries));
    for by in [
        &key(&format!("{A}/luru"), Alg::Ed25519),
        &key(CITY, Alg::Ed25519),
        &key(B, Alg::Ed25519),
    ] {
        refused(city.books(), A, 0, &entries_of(by, A, &entries));
    }
    refused(
        city.books(),
        A,
        0,
        &entries_of(&key(A, Alg::Ed25519), B, &entries),
    );
    assert_eq!(city.read().children()[&unit(A)].held(), 0);
    w.send(A, &[CITY], now);
    let city = w.desk(CITY);
    // For known indexes it flags nobody either.
    let mut other = entries.clone();
    other[0] = b"other".to_vec();
    unnamed(city.books(), A, 0, &entries_of(&stranger, A, &other));
    assert!(city.read().contradictions().is_empty());
    w.decide(CITY, A, JAN, Decision::Accepted, now);
    w.decide(CITY, A, FEB, Decision::Accepted, now);
}

#[test]
fn other_bytes_for_a_known_statement_are_kept_and_flagged() {
    let mut w = submitted();
    w.send(A, &[CITY], after(FEB));
    check(&mut w, CITY);
    let luru = &w.desks[A].people["luru"];
    let entry = w.desks[A].read().statement_bytes(5).unwrap();
    let text = Note::parse(&entry)
        .unwrap()
        .text()
        .replace("2026-01-20T04", "2026-01-20T05");
    let other = Note::sign(&text, &[luru]).unwrap().as_bytes().to_vec();
    let rewritten = w.desks[A].rewritten(8, 5, &other);
    let city = w.desk(CITY);
    for _ in 0..2 {
        assert_eq!(take(city.books(), A, &rewritten, after(FEB)), Intake::Done);
    }
    assert_eq!(
        city.read().contradictions().len(),
        2,
        "the statements and the checkpoints"
    );
    assert!(
        city.read().children()[&unit(A)]
            .flagged()
            .as_ref()
            .unwrap()
            .to_string()
            .contains("statement 5")
    );
    city.reopen();
    assert_eq!(
        city.read().contradictions().len(),
        2,
        "the statements and the checkpoints"
    );
    assert_eq!(city.read().children()[&unit(A)].held(), 8);
}

#[test]
fn two_rollups_for_one_revision_are_both_kept_and_the_unit_is_flagged() {
    let mut w = submitted();
    let now = after(FEB);
    let first = w.desks[A].read().rollups()[&(month(JAN), 1)].held().clone();
    let mut other = first.rollup.clone();
    other.voided += 1;
    let sign = |w: &World, rollup: &protocol::rollup::Rollup| {
        let people = &w.desks[A].people;
        let node = key(A, Alg::Ed25519);
        Note::sign(
            &rollup.to_text().unwrap(),
            &[
                &node,
                &people["tianbiao"],
                &people["tongji"],
                &people["fuzeren"],
            ],
        )
        .unwrap()
    };
    let second = sign(&w, &other);
    // Another contradiction comes first: a checkpoint.
    let letters = w.desks[A].letters();
    for l in letters.iter().filter(|l| !matches!(l, Letter::Rollup(_))) {
        assert_eq!(take(w.desk(CITY).books(), A, l, now), Intake::Done);
    }
    let fork = Checkpoint::new(&origin_of(&unit(A)), first.rollup.log.size, [7; 32])
        .unwrap()
        .sign(&key(A, Alg::Ed25519))
        .unwrap();
    assert_eq!(
        take(
            w.desk(CITY).books(),
            A,
            &Letter::Checkpoint(fork.as_bytes().to_vec()),
            now
        ),
        Intake::Done
    );
    assert_eq!(w.desks[CITY].read().contradictions().len(), 1);
    for l in letters.iter().filter(|l| matches!(l, Letter::Rollup(_))) {
        assert_eq!(take(w.desk(CITY).books(), A, l, now), Intake::Done);
    }
    for _ in 0..2 {
        assert_eq!(
            take(
                w.desk(CITY).books(),
                A,
                &Letter::Rollup(second.as_bytes().to_vec()),
                now
            ),
            Intake::Done
        );
    }
    assert_eq!(w.desks[CITY].read().contradictions().len(), 2);
    let receipts = check(&mut w, CITY);
    let decisions: Vec<_> = receipts
        .iter()
        .map(|n| Receipt::parse(n.text()).unwrap())
        .map(|r| (r.period.to_string(), r.decision))
        .collect();
    assert!(
        decisions.contains(&(JAN.to_string(), Decision::Rejected)),
        "{decisions:?}"
    );
    // Not signed by the unit: nobody is flagged for bytes that he did not sign.
    let mut third = other.clone();
    third.voided += 1;
    let unsigned = Note::sign(&third.to_text().unwrap(), &[&key(B, Alg::Ed25519)]).unwrap();
    assert!(matches!(
        take(
            w.desk(CITY).books(),
            A,
            &Letter::Rollup(unsigned.as_bytes().to_vec()),
            now
        ),
        Intake::Refused(_)
    ));
    assert_eq!(w.desks[CITY].read().contradictions().len(), 2);
}

/// Takes the same letter twice, as a transport may bring it.
#[track_caller]
fn takes_twice(w: &mut World, at: &str, letter: &Letter, now: DateTime<Utc>) {
    for _ in 0..2 {
        assert_eq!(take(w.desk(at).books(), A, letter, now), Intake::Done);
    }
}

fn rollup_letter(note: &Note) -> Letter {
    Letter::Rollup(note.as_bytes().to_vec())
}

/// After the first was accepted: both tiers above keep both and flag the unit, the second is
/// answered with its own receipt, and the unit takes that as news of somebody who signs in its
/// name. All of it is still so after a restart.
#[test]
fn everybody_is_told_of_two_rollups_for_one_revision() {
    let mut w = submitted();
    let now = after(FEB);
    w.send(A, &[CITY, PROVINCE], now);
    w.decide(CITY, A, JAN, Decision::Accepted, now);
    let first = w.desks[A].read().rollups()[&(month(JAN), 1)]
        .held()
        .note
        .clone();
    let second = w.desks[A].other_rollup(JAN, |r| r.plans.clear());
    for tier in [CITY, PROVINCE] {
        takes_twice(&mut w, tier, &rollup_letter(&second), now);
        check(&mut w, tier);
    }
    let answer = the_answer_to_the_second(&w, &first, &second);
    // An answer that the parent did not give says nothing.
    let forged = Note::sign(answer.text(), &[&key(PROVINCE, Alg::Ed25519)]).unwrap();
    assert!(matches!(
        receipt::take_receipt(w.desk(A).books(), forged.as_bytes()).unwrap(),
        Intake::Refused(_)
    ));
    assert!(w.desks[A].read().contradictions().is_empty());
    for _ in 0..2 {
        assert_eq!(
            receipt::take_receipt(w.desk(A).books(), answer.as_bytes()).unwrap(),
            Intake::Done
        );
    }
    for restarted in [false, true] {
        for tier in [CITY, PROVINCE, A] {
            if restarted {
                w.desk(tier).reopen();
            }
            let came = if tier == A { &answer } else { &second };
            knows_of_both(&w, tier, [&first, &second], came);
        }
        // What was accepted stays accepted, for the city and for the county.
        assert_eq!(
            w.desks[CITY].read().children()[&unit(A)].decision(&first.digest()),
            Some(Decision::Accepted)
        );
        assert_eq!(w.desks[A].decision(JAN), Some(Decision::Accepted));
    }
}

/// The city's receipt, of which there is one: it rejects the second and names the first.
#[track_caller]
fn the_answer_to_the_second(w: &World, first: &Note, second: &Note) -> Note {
    let given = &w.desks[CITY].read().children()[&unit(A)].given();
    let receipts: Vec<&Note> = given[&second.digest()].iter().map(|(_, n)| n).collect();
    let [answer] = receipts[..] else {
        panic!("the second came twice and is answered once: {receipts:?}")
    };
    let receipt = Receipt::parse(answer.text()).unwrap();
    assert_eq!(
        (receipt.decision, receipt.rollup),
        (Decision::Rejected, second.digest())
    );
    assert!(receipt.checks.iter().any(|v| v.check == Check::History
        && v.failed()
        && v.detail.contains(&first.digest().to_string())));
    assert!(
        w.desks[PROVINCE].read().children()[&unit(A)]
            .given()
            .is_empty(),
        "only the parent answers"
    );
    answer.clone()
}

/// The only contradiction at this tier is between these two; `came` is what told of it.
#[track_caller]
fn knows_of_both(w: &World, tier: &str, both: [&Note; 2], came: &Note) {
    let books = w.desks[tier].read();
    let [found] = books.contradictions() else {
        panic!("{tier}: {:?}", books.contradictions())
    };
    assert_eq!(found.unit, unit(A), "{tier}");
    for side in both {
        assert!(
            found.what.to_string().contains(&side.digest().to_string()),
            "{tier}: {}",
            found.what
        );
    }
    let (known, second) = books.both_sides(found).unwrap();
    assert_eq!(known, Some(Side::note(both[0])), "{tier}");
    assert_eq!(second, Side::note(came), "{tier}");
    if tier != A {
        let flagged = books.children()[&unit(A)].flagged();
        assert_eq!(flagged, Some(&found.what));
    }
}

/// The letters of a unit, with this rollup in place of its own.
fn letters_with(w: &World, id: &str, rollup: &Note) -> Vec<Letter> {
    let told = |letter| match letter {
        Letter::Rollup(_) => Letter::Rollup(rollup.as_bytes().to_vec()),
        other => other,
    };
    w.desks[id].letters().into_iter().map(told).collect()
}

fn to_province(w: &mut World, from: &str, letters: &[Letter], now: DateTime<Utc>) {
    for letter in letters {
        let intake = take(w.desk(PROVINCE).books(), from, letter, now);
        assert_eq!(intake, Intake::Done);
    }
}

/// January of a county and its city, accepted by the city; the province has only county B's.
fn accepted_by_the_city() -> World {
    let mut w = World::empty();
    let now = after(JAN);
    w.desk(A).train(3, "2026-01-10", at("2026-01-20"));
    w.desk(A).finish(JAN, now);
    w.desk(B).finish(JAN, now);
    for (id, to) in [(A, CITY), (B, CITY), (B, PROVINCE)] {
        w.send(id, &[to], now);
    }
    w.decide(CITY, A, JAN, Decision::Accepted, now);
    w.decide(CITY, B, JAN, Decision::Accepted, now);
    w.desk(CITY).finish(JAN, now);
    w
}

fn of_city(w: &World) -> ChildMonth {
    let all = children(w.desks[PROVINCE].read());
    let city = all.into_iter().find(|c| c.unit == unit(CITY));
    city.unwrap()
}

/// One story to the city and another to the province: the city's report names a rollup that the
/// province has not got. The city is honest: its month is not rejected. It waits, says for what, and
/// can be returned.
#[test]
fn a_report_on_a_rollup_that_the_child_told_otherwise_waits() {
    let mut w = accepted_by_the_city();
    let now = after(JAN);
    let second = w.desks[A].other_rollup(JAN, |r| r.plans.clear());
    w.send(CITY, &[PROVINCE], now);
    assert!(check(&mut w, PROVINCE).is_empty());
    assert!(
        of_city(&w).verdicts.is_empty(),
        "it may still be on its way"
    );
    let told = letters_with(&w, A, &second);
    to_province(&mut w, A, &told, now);
    assert!(check(&mut w, PROVINCE).is_empty());
    let waits = of_city(&w).waits.unwrap();
    assert!(waits.contains(&format!("child {A} is not here")), "{waits}");
    // The first one comes after all: both tiers now know the same two.
    w.send(A, &[PROVINCE], now);
    assert!(check(&mut w, PROVINCE).is_empty());
    let waits = of_city(&w).waits.unwrap();
    assert!(waits.contains("has signed two rollups"), "{waits}");
    to_city_as_well(&mut w, &second, now);
    let by = format!("{PROVINCE}/tongji");
    let books = w.desk(PROVINCE).books();
    let accepted = Ruling::new(Decision::Accepted, &by);
    let refused = review::decide(books, &unit(CITY), month(JAN), accepted, now);
    assert_eq!(code_of(refused), "review.unchecked");
    w.decide(PROVINCE, CITY, JAN, Decision::Returned, now);
    // The city reports without that county, and goes on.
    for (period, absent) in [(JAN, &[A] as &[&str]), (FEB, &[A, B])] {
        let absent = absent
            .iter()
            .map(|id| (id.to_string(), "nothing usable".to_string()));
        let absent = CloseRequest {
            missing: absent.collect(),
            ..CloseRequest::default()
        };
        let city = w.desk(CITY);
        city.try_close(period, &absent, after(FEB)).unwrap();
        city.sign(period);
        city.submit(period, after(FEB));
        w.send(CITY, &[PROVINCE], after(FEB));
        w.decide(PROVINCE, CITY, period, Decision::Accepted, after(FEB));
    }
}

/// The city learns of the second one too. What it accepted is of no use any more: it closes without
/// the county, or not at all.
fn to_city_as_well(w: &mut World, second: &Note, now: DateTime<Utc>) {
    let letter = Letter::Rollup(second.as_bytes().to_vec());
    take(w.desk(CITY).books(), A, &letter, now);
    let both = |id: &str| {
        let kept = w.desks[id].read().contradictions();
        kept.iter()
            .filter_map(|c| c.what.versions())
            .map(|(_, _, both)| both.map(|d| d.to_string()))
            .map(|mut both| {
                both.sort();
                both
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(both(CITY), both(PROVINCE));
    assert_eq!(both(CITY).len(), 1);
    let books = w.desks[CITY].read();
    assert!(books.usable(&unit(A), month(JAN)).is_none());
    assert!(books.usable(&unit(B), month(JAN)).is_some());
}

/// A county's false figure, summed by a city that acts with it: the province knows that the county's
/// report fails, so the city's fails too, and is not accepted by itself either.
#[test]
fn a_sum_over_a_report_that_fails_is_rejected() {
    let mut w = accepted_by_the_city();
    let now = after(JAN);
    let more = |n: &mut Option<i64>| *n = n.map(|n| n + 1);
    let county = w.desks[A].other_rollup(JAN, |r| {
        let figure = r.figures.iter_mut().find(|f| f.id == "I7").unwrap();
        more(&mut figure.own.value);
    });
    let city = w.desks[CITY].other_rollup(JAN, |r| {
        let figure = r.figures.iter_mut().find(|f| f.id == "I7").unwrap();
        more(&mut figure.sum.as_mut().unwrap().value);
        let child = r.children.iter_mut().find(|c| c.unit == unit(A)).unwrap();
        child.rollup = county.digest();
    });
    let of_city_first = letters_with(&w, CITY, &city);
    to_province(&mut w, CITY, &of_city_first, now);
    assert!(
        check(&mut w, PROVINCE).is_empty(),
        "the county's is not here"
    );
    let of_county = letters_with(&w, A, &county);
    to_province(&mut w, A, &of_county, now);
    let given = review::check_all(w.desk(PROVINCE).books(), true, now).unwrap();
    let decisions: Vec<_> = given
        .iter()
        .map(|n| Receipt::parse(n.text()).unwrap().decision)
        .collect();
    assert_eq!(decisions, [Decision::Rejected]);
    let verdicts = of_city(&w).verdicts;
    let failed: Vec<_> = verdicts.iter().filter(|v| v.failed()).collect();
    let [failed] = failed[..] else {
        panic!("{failed:?}")
    };
    assert_eq!(failed.check, Check::Arithmetic);
    let says = format!("the rollup of child {A} does not hold: binding fails");
    assert_eq!(failed.detail, says);
}

#[test]
fn a_failed_check_rejects_by_itself_and_the_next_revision_is_welcome() {
    // Every check once; the letters are honest but for the rollup.
    type Cheat = fn(&mut protocol::rollup::Rollup);
    let cheats: [(&str, Cheat); 4] = [
        ("arithmetic", |r| {
            r.figures[0].own.value = r.figures[0].own.value.map(|v| v + 1)
        }),
        ("binding", |r| r.voided += 1),
        ("history", |r| r.log.root = "00".repeat(32)),
        ("authorship", |r| r.registry.digest = Digest::of(b"another")),
    ];
    for (check_name, cheat) in cheats {
        let mut w = World::empty();
        let now = after(JAN);
        w.desk(A).train(3, "2026-01-10", at("2026-01-20"));
        w.desk(A).close(JAN, now);
        let mut rollup = w.desks[A].read().rollups()[&(month(JAN), 1)]
            .held()
            .rollup
            .clone();
        cheat(&mut rollup);
        let people = &w.desks[A].people;
        let note = Note::sign(
            &rollup.to_text().unwrap(),
            &[
                &key(A, Alg::Ed25519),
                &people["tianbiao"],
                &people["tongji"],
                &people["fuzeren"],
            ],
        )
        .unwrap();
        w.desk(A).sign(JAN);
        w.desk(A).submit(JAN, now);
        for letter in w.desks[A].letters() {
            let letter = if matches!(letter, Letter::Rollup(_)) {
                Letter::Rollup(note.as_bytes().to_vec())
            } else {
                letter
            };
            assert_eq!(take(w.desk(CITY).books(), A, &letter, now), Intake::Done);
        }
        let receipts = review::check_all(w.desk(CITY).books(), true, now).unwrap();
        assert_eq!(receipts.len(), 1, "{check_name}");
        let receipt = Receipt::parse(receipts[0].text()).unwrap();
        assert_eq!(receipt.decision, Decision::Rejected);
        assert!(
            receipt
                .checks
                .iter()
                .any(|v| v.check.as_str() == check_name && v.failed()),
            "{check_name}: {:?}",
            receipt.checks
        );
        let refused = review::decide(
            w.desk(CITY).books(),
            &unit(A),
            month(JAN),
            Ruling::new(Decision::Accepted, "x"),
            now,
        );
        assert_eq!(code_of(refused), "review.state");
        // For other bytes than the honest node has: that is no answer to its own, but its people
        // learn of it.
        assert_eq!(
            receipt::take_receipt(w.desk(A).books(), receipts[0].as_bytes()).unwrap(),
            Intake::Done
        );
        assert_eq!(w.desks[A].decision(JAN), None);
        assert_eq!(w.desks[A].read().contradictions().len(), 1);
    }
}

/// What a person of the city says to a child's month; an empty reason is none.
fn word_of(
    w: &mut World,
    parent: &str,
    child: &str,
    decision: Decision,
    reason: &str,
) -> Result<Note, Faults> {
    let mut ruling = Ruling::new(decision, "1403/tongji");
    if !reason.is_empty() {
        ruling = ruling.because(reason);
    }
    let ruling = ruling.with_later();
    let books = w.desk(parent).books();
    let mut notes = review::decide(books, &unit(child), month(JAN), ruling, after(FEB))?;
    Ok(notes.remove(0))
}

/// The city's word on its county's month is refused with this code.
#[track_caller]
fn no_word(w: &mut World, decision: Decision, reason: &str, code: &str) {
    let refused = word_of(w, CITY, A, decision, reason);
    assert_eq!(code_of(refused), code, "{decision:?} {reason:?}");
}

#[test]
fn nothing_is_decided_before_it_came_and_was_checked_nor_by_another_unit() {
    let mut w = submitted();
    let now = after(FEB);
    no_word(&mut w, Decision::Accepted, "", "review.none");
    assert_eq!(
        code_of(word_of(&mut w, CITY, PROVINCE, Decision::Accepted, "")),
        "review.unit"
    );
    let letters = w.desks[A].letters();
    for l in letters
        .iter()
        .filter(|l| !matches!(l, Letter::Checkpoint(..)))
    {
        take(w.desk(CITY).books(), A, l, now);
    }
    check(&mut w, CITY);
    no_word(&mut w, Decision::Accepted, "", "review.unchecked");
    w.send(A, &[CITY, PROVINCE], now);
    check(&mut w, CITY);
    check(&mut w, PROVINCE);
    assert_eq!(
        code_of(word_of(&mut w, PROVINCE, A, Decision::Accepted, "")),
        "review.unit",
        "not its own child"
    );
}

/// The month comes to the city, is accepted, and opened again: both receipts.
fn accepted_and_reopened(w: &mut World) -> (Note, Note) {
    w.send(A, &[CITY], after(FEB));
    check(w, CITY);
    // Only a failed check rejects; and it was not accepted yet.
    no_word(w, Decision::Rejected, "", "review.state");
    no_word(w, Decision::Reopened, "x", "review.state");
    no_word(w, Decision::Returned, "  ", "review.reason");
    let accepted = word_of(w, CITY, A, Decision::Accepted, "").unwrap();
    // Once.
    no_word(w, Decision::Accepted, "", "review.state");
    no_word(w, Decision::Returned, "x", "review.state");
    no_word(w, Decision::Reopened, "", "review.reason");
    let reopened = word_of(w, CITY, A, Decision::Reopened, "one is missing").unwrap();
    no_word(w, Decision::Reopened, "again", "review.state");
    (accepted, reopened)
}

#[test]
fn decisions_follow_their_rules() {
    let mut w = submitted();
    let (accepted, reopened) = accepted_and_reopened(&mut w);
    // Receipts may come in any order and twice: the reopening is the last word.
    for n in [&reopened, &accepted, &reopened, &accepted] {
        assert_eq!(
            receipt::take_receipt(w.desk(A).books(), n.as_bytes()).unwrap(),
            Intake::Done
        );
    }
    assert_eq!(w.desks[A].decision(JAN), Some(Decision::Reopened));
    w.desk(A).reopen();
    assert_eq!(w.desks[A].decision(JAN), Some(Decision::Reopened));
    assert_eq!(
        w.desks[A].read().rollups()[&(month(JAN), 1)]
            .receipts()
            .len(),
        2
    );
}

#[test]
fn a_receipt_that_is_not_the_parents_or_was_changed_is_refused() {
    let mut w = submitted();
    let (accepted, _) = accepted_and_reopened(&mut w);
    let mut changed = Receipt::parse(accepted.text()).unwrap();
    changed.by = format!("{CITY}/somebody");
    let signed_by = |id: &str| {
        let text = changed.to_text().unwrap();
        let note = Note::sign(&text, &[&key(id, Alg::Ed25519)]).unwrap();
        note.as_bytes().to_vec()
    };
    for (at, receipt) in [
        (A, signed_by(PROVINCE)),
        (A, signed_by(A)),
        (B, accepted.as_bytes().to_vec()),
        (A, b"x".to_vec()),
    ] {
        let taken = receipt::take_receipt(w.desk(at).books(), &receipt).unwrap();
        assert!(matches!(taken, Intake::Refused(_)), "{at}: {taken:?}");
    }
    // The control: as it came, its own unit takes it.
    assert_eq!(
        receipt::take_receipt(w.desk(A).books(), accepted.as_bytes()).unwrap(),
        Intake::Done
    );
}

/// County A's next revision with the figures of `first`, signed by everybody who has to.
fn revision_after(w: &World, first: &HeldRollup, before: &HeldRollup) -> HeldRollup {
    let mut next = first.rollup.clone();
    (next.revision, next.supersedes) = (before.rollup.revision + 1, Some(before.digest()));
    next.after = Some(before.named());
    let people = &w.desks[A].people;
    let signers = [
        &key(A, Alg::Ed25519),
        &people["tianbiao"],
        &people["tongji"],
        &people["fuzeren"],
    ];
    HeldRollup::new(Note::sign(&next.to_text().unwrap(), &signers).unwrap()).unwrap()
}

/// Brings a rollup to the city, which decides by itself.
#[track_caller]
fn decided_by_itself(w: &mut World, rollup: &HeldRollup, now: DateTime<Utc>) -> Receipt {
    let city = w.desk(CITY);
    let letter = rollup_letter(&rollup.note);
    assert_eq!(take(city.books(), A, &letter, now), Intake::Done);
    let receipts = review::check_all(city.books(), true, now).unwrap();
    assert_eq!(receipts.len(), 1);
    Receipt::parse(receipts[0].text()).unwrap()
}

#[test]
fn a_revision_that_nobody_asked_for_fails_history() {
    let mut w = submitted();
    let now = after(FEB);
    w.send(A, &[CITY], now);
    w.decide(CITY, A, JAN, Decision::Accepted, now);
    w.decide(CITY, A, FEB, Decision::Accepted, now);
    let first = w.desks[A].read().rollups()[&(month(FEB), 1)].held().clone();
    let second = revision_after(&w, &first, &first);
    // A rejected one must not open the way for a third.
    let third = revision_after(&w, &first, &second);
    for held in [&second, &third] {
        let receipt = decided_by_itself(&mut w, held, now);
        assert_eq!(
            (receipt.rollup, receipt.decision),
            (held.digest(), Decision::Rejected)
        );
        assert!(
            receipt
                .checks
                .iter()
                .any(|v| v.check == Check::History && v.failed())
        );
    }
    // What was accepted stays accepted, for the parent's own figures too.
    let child = &w.desks[CITY].read().children()[&unit(A)];
    assert_eq!(child.decision(&first.digest()), Some(Decision::Accepted));
    assert_eq!(
        child.accepted(month(FEB)).map(|h| h.digest()),
        Some(first.digest()),
        "an unasked revision must not push out the accepted one"
    );
    // The parent's word opens it again, and then a revision is welcome.
    review::decide(
        w.desk(CITY).books(),
        &unit(A),
        month(FEB),
        Ruling::new(Decision::Reopened, "1403/tongji").because("look again"),
        now,
    )
    .unwrap();
    let fourth = revision_after(&w, &first, &third);
    let receipt = decided_by_itself(&mut w, &fourth, now);
    assert_eq!(receipt.decision, Decision::Accepted);
    assert_eq!(
        w.desks[CITY].read().children()[&unit(A)]
            .accepted(month(FEB))
            .map(|h| h.digest()),
        Some(fourth.digest())
    );
}

/// A parent that is put back to before a receipt must not give another one; and the order of its
/// receipts survives a clock that is put back.
#[test]
fn receipts_do_not_go_back_in_time() {
    let mut w = World::empty();
    w.desk(A).train(4, "2026-01-10", at("2026-01-20"));
    w.desk(A).finish(JAN, after(JAN));
    w.send(A, &[CITY], after(JAN));
    review::check_all(w.desk(CITY).books(), false, after(JAN)).unwrap();
    w.desk(CITY).shut();
    let before = w.desk(CITY).home.join("before");
    copy_dir(&w.desks[CITY].data().join("journal"), &before);
    w.desk(CITY).open();
    w.decide(CITY, A, JAN, Decision::Accepted, after(JAN));
    // The clock is put back by three days, and the month is opened again.
    let earlier = after(JAN) - chrono::TimeDelta::days(3);
    w.decide(CITY, A, JAN, Decision::Reopened, earlier);
    let receipts: Vec<String> = node::desk::sign::latest(w.desks[A].read(), month(JAN))
        .unwrap()
        .receipts()
        .iter()
        .map(|(r, _)| r.decided.clone())
        .collect();
    let rising = receipts.windows(2).all(|pair| pair[0] < pair[1]);
    assert_eq!((receipts.len(), rising), (2, true), "{receipts:?}");
    let evidence = protocol::evidence::file::read(&w.desks[A].evidence()).unwrap();
    let report = protocol::evidence::report::verify(&evidence, &w.root.vkey()).unwrap();
    assert!(report.holds(), "{:?}", report.failures().next());
    // An old copy of the parent's journal.
    w.desk(CITY).shut();
    std::fs::remove_dir_all(w.desks[CITY].data().join("journal")).unwrap();
    copy_dir(&before, &w.desks[CITY].data().join("journal"));
    match w.desks[CITY].try_open() {
        Err(node::books::BooksError::Journal(e)) => assert_eq!(e.code(), "guard.rolled_back"),
        other => panic!("{other:?}"),
    }
}

/// Whoever can publish under a unit's subject has everything that the unit ever sent, and no key of
/// it. Whatever he puts together from that, nothing of it stands at another place than the unit
/// gave it, and the unit is not blamed.
#[test]
fn a_carrier_cannot_move_a_statement() {
    let mut w = submitted();
    let now = after(FEB);
    let whole: Vec<Vec<u8>> = (0..8)
        .map(|i| w.desks[A].read().statement_bytes(i).unwrap())
        .collect();
    let held = |w: &World| w.desks[CITY].read().children()[&unit(A)].held();
    let send = |w: &mut World, first: u64, body: &[u8]| {
        review::take_entries(w.desk(CITY).books(), &unit(A), first, body).unwrap()
    };
    let Letter::Entries(4, tail) = w.desks[A].delivery(4..8, 8) else {
        panic!("entries")
    };
    let Letter::Entries(0, head) = w.desks[A].delivery(0..4, 8) else {
        panic!("entries")
    };
    // The unit's own messages under other indexes, before and after they are known.
    for round in 0..2 {
        for first in 0..12 {
            for (own, body) in [(4, &tail), (0, &head)] {
                if first != own {
                    let took = send(&mut w, first, body);
                    assert!(matches!(took, Intake::Refused(_)), "{first}: {took:?}");
                }
            }
        }
        // The checkpoint and the proof of one message with the statements of another, in another
        // order, twice, or fewer.
        let front = head.len()
            - tile::encode_bundle(&whole[..4].iter().map(Vec::as_slice).collect::<Vec<_>>())
                .unwrap()
                .len();
        for pick in [[4, 5, 6, 7], [1, 0, 2, 3], [0, 0, 2, 3], [3, 2, 1, 0]] {
            let slices: Vec<&[u8]> = pick.iter().map(|n| whole[*n].as_slice()).collect();
            let body = [&head[..front], &tile::encode_bundle(&slices).unwrap()].concat();
            let took = send(&mut w, 0, &body);
            assert!(matches!(took, Intake::Refused(_)), "{pick:?}: {took:?}");
        }
        assert_eq!(held(&w), if round == 0 { 0 } else { 8 });
        w.send(A, &[CITY], now);
        review::check_all(w.desk(CITY).books(), true, now).unwrap();
    }
    let city = w.desks[CITY].read();
    assert!(city.contradictions().is_empty() && city.children()[&unit(A)].flagged().is_none());
    assert_eq!(
        city.children()[&unit(A)]
            .accepted(month(FEB))
            .map(|h| h.rollup.revision),
        Some(1)
    );
}

/// One history told twice is enough to show it: a unit cannot fill its parents' journals with more
/// and more of them.
#[test]
fn what_is_kept_of_a_unit_that_contradicts_itself_has_an_end() {
    let mut w = submitted();
    let entries: Vec<Vec<u8>> = (0..40).map(|n| junk_statement(A, n, 1)).collect();
    let node = key(A, Alg::Ed25519);
    assert_eq!(
        take(
            w.desk(CITY).books(),
            A,
            &forged(&node, A, &entries),
            after(FEB)
        ),
        Intake::Done
    );
    for n in 0..entries.len() {
        let mut other = entries.clone();
        other[n] = b"other".to_vec();
        assert_eq!(
            take(
                w.desk(CITY).books(),
                A,
                &forged(&node, A, &other),
                after(FEB)
            ),
            Intake::Done
        );
    }
    assert_eq!(w.desks[CITY].read().contradictions().len(), 4);
}

/// What the journal could not take must not come again and again: it is refused, whoever signed it;
/// a little less is taken.
#[test]
fn a_delivery_that_is_too_large_is_refused() {
    let mut w = submitted();
    let of_size = |bytes: usize| {
        let node = key(A, Alg::Ed25519);
        let length = (bytes - 2000) / 256 - junk_statement(A, 0, 0).len();
        let mut entries: Vec<Vec<u8>> = (0..256).map(|n| junk_statement(A, n, length)).collect();
        let Letter::Entries(0, body) = forged(&node, A, &entries) else {
            panic!("entries")
        };
        entries[0] = junk_statement(A, 0, length + bytes - body.len());
        let letter = forged(&node, A, &entries);
        assert!(matches!(&letter, Letter::Entries(0, body) if body.len() == bytes));
        letter
    };
    for (bytes, taken) in [
        (MAX_BODY_BYTES + 1, false),
        (8 << 20, false),
        (MAX_BODY_BYTES, true),
    ] {
        let took = take(w.desk(CITY).books(), A, &of_size(bytes), after(FEB));
        assert_eq!(took == Intake::Done, taken, "{bytes}: {took:?}");
        assert_eq!(
            w.desks[CITY].read().children()[&unit(A)].held(),
            if taken { 256 } else { 0 }
        );
    }
    // As a second history it is kept too, and everything is there after a restart.
    let second = of_size(MAX_BODY_BYTES - 1);
    assert_eq!(
        take(w.desk(CITY).books(), A, &second, after(FEB)),
        Intake::Done
    );
    w.desk(CITY).reopen();
    let city = w.desks[CITY].read();
    assert_eq!(
        (
            city.children()[&unit(A)].held(),
            city.contradictions().len()
        ),
        (256, 1)
    );
}

/// What is no statement of the unit is not kept, though the unit itself signed that it stands in its
/// log; and nobody is flagged for what nobody keeps.
#[test]
fn what_is_no_statement_of_the_unit_is_refused() {
    let mut w = submitted();
    let now = after(FEB);
    let entry = w.desks[A].read().statement_bytes(5).unwrap();
    let two_lines = with_line(&entry);
    let by_a_stranger = Note::sign(
        Note::parse(&entry).unwrap().text(),
        &[&key("nobody", Alg::Ed25519)],
    )
    .unwrap();
    for junk in [
        &b"\xff no statement"[..],
        &w.desks[CITY].read().statement_bytes(0).unwrap(),
        &two_lines,
        by_a_stranger.as_bytes(),
    ] {
        let letter = w.desks[A].rewritten(8, 5, junk);
        let took = take(w.desk(CITY).books(), A, &letter, now);
        assert!(
            matches!(&took, Intake::Refused(why) if why.starts_with("statement 5: ")),
            "{took:?}"
        );
    }
    assert_eq!(w.desks[CITY].read().children()[&unit(A)].held(), 0);
    w.send(A, &[CITY], now);
    let receipts = review::check_all(w.desk(CITY).books(), true, now).unwrap();
    let decisions = receipts.iter().map(|n| Receipt::parse(n.text()).unwrap());
    assert!(decisions.clone().count() > 0);
    assert!(
        decisions
            .into_iter()
            .all(|r| r.decision == Decision::Accepted)
    );
}

/// A statement by a key that the log does not know is the unit's own doing: the check says so, and
/// the unit has its answer.
#[test]
fn what_stands_wrong_in_a_log_is_for_the_check_to_name() {
    let mut w = submitted();
    let now = after(FEB);
    let junk = junk_statement(A, 5, 10);
    let letter = w.desks[A].rewritten(8, 5, &junk);
    assert_eq!(take(w.desk(CITY).books(), A, &letter, now), Intake::Done);
    w.send(A, &[CITY], now);
    let receipts = review::check_all(w.desk(CITY).books(), true, now).unwrap();
    assert!(
        receipts
            .iter()
            .any(|n| Receipt::parse(n.text()).unwrap().decision == Decision::Rejected)
    );
    let city = w.desks[CITY].read();
    assert!(
        city.children()[&unit(A)]
            .flagged()
            .as_ref()
            .unwrap()
            .to_string()
            .contains("statement 5"),
        "two histories"
    );
    let (first, second) = city.both_sides(&city.contradictions()[0]).unwrap();
    let first = first.unwrap();
    assert_eq!(
        (first.note.as_slice(), second.note.as_slice()),
        (
            junk.as_slice(),
            &w.desks[A].read().statement_bytes(5).unwrap()[..]
        )
    );
    let proven = |side: &Side| {
        let (from, bytes) = side.delivery.as_ref().unwrap();
        let delivery = Delivery::read(*from, bytes).unwrap();
        assert!(
            delivery
                .note()
                .verify(&[key(A, Alg::Ed25519).vkey()])
                .is_ok()
        );
        assert_eq!(
            delivery.entries()[usize::try_from(5 - from).unwrap()],
            side.note
        );
        delivery.checkpoint().root()
    };
    assert_ne!(proven(&first), proven(&second), "signed both");
}

/// A note with a line by somebody whom nobody knows.
fn with_line(note: &[u8]) -> Vec<u8> {
    let nobody = key("nobody", Alg::Ed25519);
    let note = Note::parse(note).unwrap().add_signature(&nobody).unwrap();
    note.as_bytes().to_vec()
}

/// A note without the line of this name.
fn without_line(note: &[u8], name: &str) -> Vec<u8> {
    let text = String::from_utf8(note.to_vec()).unwrap();
    text.split_inclusive('\n')
        .filter(|l| !l.starts_with(&format!("— {name} ")))
        .collect::<String>()
        .into_bytes()
}

/// A note with a line by another key in the place of the one of this name.
fn with_forged_line(note: &[u8], name: &str) -> Vec<u8> {
    let other = SigningKey::from_seed(name, Alg::Ed25519, [7; 32]).unwrap();
    let note = Note::parse(&without_line(note, name)).unwrap();
    note.add_signature(&other).unwrap().as_bytes().to_vec()
}

/// One delivery for each statement with a line more, and one for the checkpoint.
fn deliveries_with_lines(first: u64, delivery: &[u8]) -> Vec<Letter> {
    let entries = Delivery::reopen(delivery).unwrap();
    let checkpoint = Delivery::read(first, delivery).unwrap().note().clone();
    let encoded = |e: &[Vec<u8>]| {
        tile::encode_bundle(&e.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap()
    };
    let front = delivery.len() - encoded(&entries).len();
    let mut list: Vec<Letter> = (0..entries.len())
        .map(|n| {
            let mut changed = entries.clone();
            changed[n] = with_line(&entries[n]);
            Letter::Entries(first, [&delivery[..front], &encoded(&changed)].concat())
        })
        .collect();
    let note = with_line(checkpoint.as_bytes());
    let length = u16::try_from(note.len()).unwrap().to_be_bytes();
    let rest = &delivery[2 + checkpoint.as_bytes().len()..];
    list.push(Letter::Entries(first, [&length[..], &note, rest].concat()));
    list
}

/// Everything that a carrier can make of this letter by changing lines.
fn changed_by_a_carrier(honest: &Letter) -> Vec<Letter> {
    match honest {
        Letter::Entries(first, delivery) => deliveries_with_lines(*first, delivery),
        Letter::Checkpoint(bytes) => vec![Letter::Checkpoint(with_line(bytes))],
        Letter::Rollup(bytes) => {
            let mut list = vec![Letter::Rollup(with_line(bytes))];
            for person in ["tianbiao", "tongji", "fuzeren"] {
                let name = format!("{A}/{person}");
                list.push(Letter::Rollup(without_line(bytes, &name)));
                list.push(Letter::Rollup(with_forged_line(bytes, &name)));
            }
            list
        }
    }
}

/// The lines of a note are no part of what is signed: whoever carries it can add one, take one away
/// or put another in its place. Nothing of that is kept, nobody is flagged for it, and what the
/// unit really sent is taken behind it.
#[test]
fn lines_that_a_carrier_changed_are_refused_and_harm_nobody() {
    let mut w = World::empty();
    let now = after(JAN);
    w.desk(A).train(3, "2026-01-10", at("2026-01-20"));
    w.desk(A).finish(JAN, now);
    let letters = w.desks[A].letters();
    let mut tried = 0;
    for above in [CITY, PROVINCE] {
        let books = w.desk(above).books();
        for honest in &letters {
            let changed = changed_by_a_carrier(honest);
            for letter in &changed {
                let took = take(books, A, letter, now);
                assert!(matches!(took, Intake::Refused(_)), "{took:?}");
                tried += 1;
            }
            assert_eq!(take(books, A, honest, now), Intake::Done);
            for letter in &changed {
                let took = take(books, A, letter, now);
                assert!(
                    matches!(took, Intake::Refused(_)),
                    "behind the honest one: {took:?}"
                );
            }
        }
        assert!(books.contradictions().is_empty());
        assert!(books.children().values().all(|c| c.flagged().is_none()));
    }
    assert!(tried > 20, "{tried}");
    let receipts = review::check_all(w.desk(CITY).books(), true, now).unwrap();
    assert_eq!(
        Receipt::parse(receipts[0].text()).unwrap().decision,
        Decision::Accepted
    );
    // A rollup that comes before the people who signed it are known waits for them.
    let mut early = World::empty();
    let rollup = letters
        .iter()
        .find(|l| matches!(l, Letter::Rollup(_)))
        .unwrap();
    assert!(matches!(
        take(early.desk(CITY).books(), A, rollup, now),
        Intake::Later(_)
    ));
}

/// The same for what is published: it would stay in this node's evidence for good.
#[test]
fn published_documents_with_a_strange_line_are_refused() {
    let mut w = World::empty();
    let books = w.desk(CITY).books();
    let known = books.registry().unwrap();
    let mut next = known.registry().clone();
    (next.version, next.previous) = (2, Some(known.digest()));
    let clean = Note::sign(&next.to_text().unwrap(), &[&w.root]).unwrap();
    let strange = clean.add_signature(&key("nobody", Alg::Ed25519)).unwrap();
    let books = w.desk(CITY).books();
    let refused = books
        .install(&[strange.as_bytes().to_vec()])
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("nobody that cannot be checked"),
        "{refused}"
    );
    assert_eq!(books.install(&[clean.as_bytes().to_vec()]).unwrap(), 1);
    assert_eq!(books.registry().unwrap().registry().version, 2);
}

/// A unit's own keys can sign any month and revision; nobody keeps what cannot be due.
#[test]
fn rollups_that_cannot_be_due_are_not_kept() {
    let mut w = submitted();
    w.send(A, &[CITY], after(FEB));
    let due = w.desks[A].other_rollup(FEB, |r| (r.revision, r.supersedes) = (2, r.previous));
    let taken = take(
        w.desk(CITY).books(),
        A,
        &Letter::Rollup(due.as_bytes().to_vec()),
        after(FEB),
    );
    assert_eq!(
        taken,
        Intake::Done,
        "the control: the checks will say what is wrong with it"
    );
    for (period, revision) in [("2025-12", 1), (FEB, 101)] {
        let strange = w.desks[A].other_rollup(FEB, |r| {
            (r.period, r.revision) = (month(period), revision);
            r.supersedes = r.previous.filter(|_| revision > 1);
        });
        let took = take(
            w.desk(CITY).books(),
            A,
            &Letter::Rollup(strange.as_bytes().to_vec()),
            after(FEB),
        );
        assert!(
            matches!(&took, Intake::Refused(why) if why.contains("cannot be due")),
            "{period} {revision}: {took:?}"
        );
    }
    // A month that is far is put off: whose clock is wrong nobody here can tell.
    for period in ["2026-05", "9999-12"] {
        let far = w.desks[A].other_rollup(FEB, |r| r.period = month(period));
        let far = Letter::Rollup(far.as_bytes().to_vec());
        let took = take(w.desk(CITY).books(), A, &far, after(FEB));
        assert_eq!(took, Intake::Later(Awaited::Month(month(period))));
    }
    let known = w.desks[CITY].read().child(&unit(A)).unwrap().known();
    assert!(known.keys().all(|(period, _)| *period <= month(FEB)));
}

/// What is refused never comes again: a node whose clock was reset must not refuse the reports of
/// honest units, of which a tier further up is sent no copy.
#[test]
fn a_clock_that_is_behind_only_puts_reports_off() {
    let mut w = World::empty();
    let long_ago = at("2023-01-01");
    for id in [A, B] {
        w.desk(id).train(2, "2026-01-10", at("2026-01-20"));
        w.desk(id).finish(JAN, after(JAN));
        let letters = w.desks[id].letters();
        let mut late = Vec::new();
        for letter in letters {
            match take(w.desk(PROVINCE).books(), id, &letter, long_ago) {
                Intake::Done => {}
                // The transport brings it again once the clock is right.
                Intake::Later(_) => late.push(letter),
                other => panic!("{id}: {other:?}"),
            }
        }
        for letter in &late {
            let took = take(w.desk(PROVINCE).books(), id, letter, after(JAN));
            assert_eq!(took, Intake::Done);
        }
        w.send(id, &[CITY], after(JAN));
        w.decide(CITY, id, JAN, Decision::Accepted, after(JAN));
    }
    w.report(CITY, JAN, after(JAN));
    assert_eq!(w.desks[CITY].decision(JAN), Some(Decision::Accepted));
}

/// The journal remembers a later time than the clock.
#[test]
fn a_clock_that_is_behind_the_journal_is_not_asked() {
    let mut w = submitted();
    let city = w.desk(CITY);
    city.train(2, "2026-01-10", at("2026-02-20"));
    let letters = w.desks[A].letters();
    for letter in &letters {
        assert_eq!(
            take(w.desk(CITY).books(), A, letter, at("2023-01-01")),
            Intake::Done
        );
    }
}

/// The officer's words are on both sides, whole, and about what the report has.
#[test]
fn what_the_officer_says_arrives_whole() {
    use node::queries::{children, months};
    use std::collections::BTreeMap;
    let mut w = World::empty();
    w.desk(A).train(4, "2026-01-10", at("2026-01-20"));
    w.desk(A).finish(JAN, after(JAN));
    w.send(A, &[CITY], after(JAN));
    check(&mut w, CITY);
    let returned = |about: &[&str]| Ruling {
        about: about.iter().map(|a| a.to_string()).collect(),
        ..Ruling::new(Decision::Returned, "1403/tongji").because("please count again")
    };
    for wrong in ["I999", "I2:sex:9", "I2:colour:1", "I2:1", ""] {
        let refused = w.rule(CITY, A, JAN, returned(&["I7", wrong]), after(JAN));
        assert_eq!(code_of(refused), "review.about", "{wrong}");
    }
    let catalogue = catalogue();
    let name = &catalogue.indicator("I7").unwrap().zh;
    let indicator = catalogue.indicator("I2").unwrap();
    let table = &indicator.tables()[0];
    let cell = format!(
        "I2:{}:{}",
        protocol::catalogue::table_name(table),
        catalogue.cells(table)[0]
    );
    w.rule(CITY, A, JAN, returned(&[name, &cell]), after(JAN))
        .unwrap();
    let own = months::months(w.desks[A].read(), &BTreeMap::new());
    let theirs = children::children(w.desks[CITY].read());
    let theirs = theirs.iter().find(|c| c.unit == unit(A)).unwrap();
    assert_eq!(own[0].words, theirs.words);
    let [word] = own[0].words.as_slice() else {
        panic!("{:?}", own[0].words)
    };
    assert_eq!(word.about, ["I7".to_string(), cell]);
    assert_eq!(
        (word.by.as_str(), word.decided.as_str()),
        ("1403/tongji", "2026-02-03T04:00:00Z")
    );
    assert_eq!(word.reasons, ["please count again"]);
    // Each revision has its own words.
    w.desk(A).train(1, "2026-01-11", after(JAN));
    w.desk(A).finish(JAN, after(JAN));
    w.send(A, &[CITY], after(JAN));
    w.decide(CITY, A, JAN, Decision::Accepted, after(JAN));
    let sent = BTreeMap::from([(own[0].rollup, after(JAN))]);
    let own = months::months(w.desks[A].read(), &sent);
    assert_eq!(own[1].words[0].decision, Decision::Accepted);
    assert!(own[0].sent.is_some() && own[1].sent.is_none());
}

#[test]
fn a_unit_below_goes_by_its_name() {
    use node::queries::children::named;
    let w = World::empty();
    let city = w.desks[CITY].read();
    let name = format!("Unit {A}");
    assert_eq!(named(city, &name, month(JAN)).unwrap(), unit(A));
    assert_eq!(named(city, A, month(JAN)).unwrap(), unit(A));
    let fault = named(city, "某县", month(JAN)).unwrap_err().0.remove(0);
    assert_eq!(fault.code, "review.unit");
    assert!(
        fault.zh.contains(&name) && fault.en.contains(&name),
        "{fault}"
    );
}
