//! What one unit may have at the doors of those above it: what is wrong is refused, what nobody asks
//! for is bounded, and what came before the documents by which it is judged is taken when they come.
#![allow(missing_docs, clippy::unwrap_used)]

use kit::on_disk::*;
use node::books::Books;
use node::intake::{Awaited, Intake};
use node::review;
use protocol::catalogue::Catalogue;
use protocol::digest::Digest;
use protocol::log::checkpoint::{Checkpoint, origin_of};
use protocol::log::delivery::Delivery;
use protocol::log::tile;
use protocol::note::{Alg, Note, SigningKey};
use protocol::published::catalogue_text;
use protocol::receipt::Decision;
use protocol::registry::{Registry, UnitKey};

const MIB: u64 = 1 << 20;

fn node_of(id: &str) -> SigningKey {
    key(id, Alg::Ed25519)
}

fn bytes(books: &Books) -> u64 {
    books.size().0
}

fn checkpoint(by: &SigningKey, id: &str, size: u64, root: [u8; 32]) -> Note {
    let point = Checkpoint::new(&origin_of(&unit(id)), size, root).unwrap();
    point.sign(by).unwrap()
}

/// A delivery as whoever holds the keys of a unit can put it together: its checkpoint is signed,
/// nothing else of it is true.
fn without_proof(size: u64, entries: &[&[u8]]) -> Vec<u8> {
    let note = checkpoint(&node_of(B), B, size, [7; 32]);
    let length = u16::try_from(note.as_bytes().len()).unwrap();
    let bundle = tile::encode_bundle(entries).unwrap();
    [&length.to_be_bytes()[..], note.as_bytes(), &[0], &bundle].concat()
}

#[test]
fn what_cannot_stand_where_it_claims_to_is_refused_at_once() {
    let mut w = World::empty();
    let entry = junk_statement(B, 0, 1);
    let log: Vec<Vec<u8>> = (0..600).map(|n| junk_statement(B, n, 1)).collect();
    let books = w.desk(CITY).books();
    let mut took =
        |first: u64, body: &[u8]| review::take_entries(books, &unit(B), first, body).unwrap();
    let far = without_proof(1 << 60, &[&entry]);
    for first in [
        1,
        1000,
        1 << 17,
        (1 << 17) + 1,
        1 << 40,
        (1 << 60) - 1,
        1 << 60,
        u64::MAX,
    ] {
        let answer = took(first, &far);
        assert!(matches!(answer, Intake::Refused(_)), "{first}: {answer:?}");
    }
    // The control: what is proven and only comes before its time waits.
    let Letter::Entries(256, body) = forged_part(&node_of(B), B, &log, 256..512) else {
        panic!("entries")
    };
    let awaited = Awaited::Statements {
        unit: unit(B),
        from: 0,
        to: 256,
    };
    assert_eq!(took(256, &body), Intake::Later(awaited));
    assert!(matches!(took(600, &body), Intake::Refused(_)), "at its end");
}

/// Statements that no rollup asks for: the journals of those above have an end, and the others'
/// months are accepted.
#[test]
fn a_flood_that_nobody_asks_for_is_bounded_for_its_unit_alone() {
    let mut w = World::empty();
    let now = after(JAN);
    w.desk(A).finish(JAN, now);
    w.desk(B).finish(JAN, now);
    // 80 MiB of statements that the county rightly signed, behind its true ones.
    let county = w.desks[B].read();
    let own = (0..w.desks[B].leaves()).map(|n| county.statement_bytes(n).unwrap());
    let junk = (w.desks[B].leaves()..2_560).map(|n| junk_statement(B, n, 32_000));
    let log: Vec<Vec<u8>> = own.chain(junk).collect();
    let parts: Vec<Letter> = (0..10)
        .map(|n| forged_part(&node_of(B), B, &log, n * 256..(n + 1) * 256))
        .collect();
    for above in [CITY, PROVINCE] {
        let books = w.desk(above).books();
        let before = bytes(books);
        let mut waiting = 0;
        for part in &parts {
            match take(books, B, part, now) {
                Intake::Done => assert_eq!(waiting, 0, "in order"),
                Intake::Later(Awaited::Rollup(of)) if of == unit(B) => waiting += 1,
                Intake::Later(Awaited::Statements { .. }) => waiting += 1,
                other => panic!("{other:?}"),
            }
        }
        let grown = bytes(books) - before;
        assert!(waiting >= 2 && grown > 32 * MIB, "{waiting} {grown}");
        assert!(grown <= 65 * MIB, "{grown}");
        // Again and again, also after a restart, it grows no more.
        w.desk(above).reopen();
        let books = w.desk(above).books();
        for part in &parts {
            take(books, B, part, now);
        }
        assert!(bytes(books) - before <= 65 * MIB);
    }
    w.send(A, &[CITY, PROVINCE], now);
    w.decide(CITY, A, JAN, Decision::Accepted, now);
    review::check_all(w.desk(PROVINCE).books(), false, now).unwrap();
    // A rollup that asks for them makes room; what it says is another question.
    let asks = w.desks[B].other_rollup(JAN, |r| r.log.size = 2_560);
    let books = w.desk(CITY).books();
    let asks = Letter::Rollup(asks.as_bytes().to_vec());
    assert_eq!(take(books, B, &asks, now), Intake::Done);
    for part in &parts {
        assert_eq!(take(books, B, part, now), Intake::Done);
    }
    assert_eq!(books.children()[&unit(B)].held(), 2_560);
}

#[test]
fn checkpoints_and_second_rollups_have_an_end_too() {
    let mut w = World::empty();
    let now = after(JAN);
    w.desk(B).finish(JAN, now);
    let books = w.desk(CITY).books();
    let point = |size: u64| {
        let note = checkpoint(&node_of(B), B, size, [7; 32]);
        Letter::Checkpoint(note.as_bytes().to_vec())
    };
    for size in 1000..1100 {
        let expected = match size {
            ..1064 => Intake::Done,
            _ => Intake::Later(Awaited::Rollup(unit(B))),
        };
        assert_eq!(take(books, B, &point(size), now), expected, "{size}");
    }
    // Its month arrives all the same: its checkpoint as soon as the rollup names it.
    let letters = w.desks[B].letters();
    let mut early = Vec::new();
    for letter in &letters {
        match take(w.desk(CITY).books(), B, letter, now) {
            Intake::Done => {}
            Intake::Later(Awaited::Rollup(_)) => early.push(letter),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(early.len(), 1);
    assert_eq!(take(w.desk(CITY).books(), B, early[0], now), Intake::Done);
    w.decide(CITY, B, JAN, Decision::Accepted, now);
    // Second rollups for one month.
    for n in 0..70_u64 {
        let other = w.desks[B].other_rollup(JAN, |r| r.voided = 1000 + n);
        let took = take(
            w.desk(CITY).books(),
            B,
            &Letter::Rollup(other.as_bytes().to_vec()),
            now,
        );
        match n {
            ..64 => assert_eq!(took, Intake::Done),
            _ => assert!(matches!(took, Intake::Refused(_)), "{took:?}"),
        }
    }
    assert_eq!(w.desks[CITY].read().contradictions().len(), 64);
}

/// The same letters, their checkpoints and rollups signed by another key of the node.
fn by_another_key(w: &World, letters: &[Letter], node: &SigningKey) -> Vec<Letter> {
    let people = &w.desks[A].people;
    let again = |bytes: &[u8]| Note::sign(Note::parse(bytes).unwrap().text(), &[node]).unwrap();
    letters
        .iter()
        .map(|letter| match letter {
            Letter::Entries(first, body) => {
                let delivery = Delivery::read(*first, body).unwrap();
                let (old, new) = (delivery.note(), again(delivery.note().as_bytes()));
                let length = u16::try_from(new.as_bytes().len()).unwrap().to_be_bytes();
                let rest = &body[2 + old.as_bytes().len()..];
                Letter::Entries(*first, [&length[..], new.as_bytes(), rest].concat())
            }
            Letter::Checkpoint(body) => Letter::Checkpoint(again(body).as_bytes().to_vec()),
            Letter::Rollup(body) => {
                let mut note = again(body);
                for person in ["tianbiao", "tongji", "fuzeren"] {
                    note = note.add_signature(&people[person]).unwrap();
                }
                Letter::Rollup(note.as_bytes().to_vec())
            }
        })
        .collect()
}

/// A county reports by its new key; its city and the province learn of that key later. Nothing is
/// refused, and everything is taken once the registry is there.
#[test]
fn what_comes_before_the_registry_that_names_its_key_is_taken_when_it_comes() {
    let mut w = World::empty();
    let now = after(JAN);
    w.desk(A).train(3, "2026-01-10", at("2026-01-20"));
    w.desk(A).finish(JAN, now);
    let fresh = SigningKey::from_seed(A, Alg::Ed25519, [99; 32]).unwrap();
    let letters = by_another_key(&w, &w.desks[A].letters(), &fresh);
    let known = w.desks[CITY].read().registry().unwrap().clone();
    let mut next = known.registry().clone();
    (next.version, next.previous) = (2, Some(known.digest()));
    let county = next.units.iter_mut().find(|u| u.id == unit(A)).unwrap();
    county.keys.push(UnitKey {
        vkey: fresh.vkey(),
        from_index: 0,
        revoked: None,
    });
    let registry = Note::sign(&next.to_text().unwrap(), &[&w.root]).unwrap();
    for above in [CITY, PROVINCE] {
        let books = w.desk(above).books();
        let before = bytes(books);
        for letter in letters.iter().chain(&letters) {
            let took = take(books, A, letter, now);
            assert!(
                matches!(took, Intake::Later(Awaited::Registry(_))),
                "{took:?}"
            );
        }
        assert_eq!(bytes(books), before, "what waits is not kept here");
        books.install(&[registry.as_bytes().to_vec()]).unwrap();
        for letter in &letters {
            assert_eq!(take(books, A, letter, now), Intake::Done);
        }
    }
    w.decide(CITY, A, JAN, Decision::Accepted, now);
    review::check_all(w.desk(PROVINCE).books(), false, now).unwrap();
    let child = &w.desks[PROVINCE].read().children()[&unit(A)];
    let verdicts = child.verdicts().values().next().unwrap();
    assert!(verdicts.iter().all(|v| !v.failed()), "{verdicts:?}");
}

/// The same for a catalogue that a statement or a report names, and for a later registry version.
#[test]
fn what_names_a_document_that_is_not_here_waits_for_it() {
    let mut w = World::empty();
    let now = after(JAN);
    w.desk(A).train(3, "2026-01-10", at("2026-01-20"));
    w.desk(A).finish(JAN, now);
    let mut newer: Catalogue = catalogue();
    newer.version += 1;
    let digest = newer.digest();
    let note = Note::sign(&catalogue_text(&newer).unwrap(), &[&w.root]).unwrap();
    let last = w.desks[A].leaves() - 1;
    let entry = w.desks[A].read().statement_bytes(last).unwrap();
    let text = Note::parse(&entry)
        .unwrap()
        .text()
        .replace(&catalogue().digest().to_string(), &digest.to_string());
    let luru = &w.desks[A].people["luru"];
    let renamed = Note::sign(&text, &[luru]).unwrap();
    let statements = w.desks[A].rewritten(last + 1, last, renamed.as_bytes());
    let by_newer = w.desks[A].other_rollup(JAN, |r| r.catalogue = digest);
    let by_newer = Letter::Rollup(by_newer.as_bytes().to_vec());
    let by_version = w.desks[A].other_rollup(JAN, |r| r.registry.version = 2);
    let by_version = Letter::Rollup(by_version.as_bytes().to_vec());
    let books = w.desk(CITY).books();
    let awaited = || Intake::Later(Awaited::Catalogue(digest));
    assert_eq!(take(books, A, &statements, now), awaited());
    for letter in w.desks[A].letters() {
        if matches!(letter, Letter::Rollup(_)) {
            continue;
        }
        let books = w.desk(PROVINCE).books();
        assert_eq!(take(books, A, &letter, now), Intake::Done);
    }
    let books = w.desk(PROVINCE).books();
    assert_eq!(take(books, A, &by_newer, now), awaited());
    assert_eq!(
        take(books, A, &by_version, now),
        Intake::Later(Awaited::Version(2))
    );
    for above in [CITY, PROVINCE] {
        let books = w.desk(above).books();
        books.install(&[note.as_bytes().to_vec()]).unwrap();
    }
    let books = w.desk(CITY).books();
    assert_eq!(take(books, A, &statements, now), Intake::Done);
    let books = w.desk(PROVINCE).books();
    assert_eq!(take(books, A, &by_newer, now), Intake::Done);
}

/// What is published comes in any order, too: a version waits for the one before it, and a document
/// for the registry with the root keys that signed it.
#[test]
fn what_is_published_waits_for_the_registry_before_it() {
    let mut w = World::empty();
    let first = w.desks[CITY].read().registry().unwrap().clone();
    let follow = |known: &Registry, of: Digest| {
        let mut next = known.clone();
        (next.version, next.previous) = (known.version + 1, Some(of));
        next
    };
    let root = key("root2", Alg::Ed25519);
    let mut second = follow(first.registry(), first.digest());
    second.roots = vec![root.vkey()];
    let second_note = Note::sign(&second.to_text().unwrap(), &[&w.root, &root]).unwrap();
    let third = follow(&second, second_note.digest());
    let third_note = Note::sign(&third.to_text().unwrap(), &[&root]).unwrap();
    let mut newer = catalogue();
    newer.version += 1;
    let text = catalogue_text(&newer).unwrap();
    let by = |root: &SigningKey| Note::sign(&text, &[root]).unwrap().as_bytes().to_vec();
    let (early, wrong) = (by(&root), Note::sign("nonsense\n", &[&w.root]).unwrap());
    let third_note = third_note.as_bytes().to_vec();
    let books = w.desk(CITY).books();
    for document in [&third_note, &early] {
        assert!(books.install(std::slice::from_ref(document)).is_err());
        assert_eq!(books.awaits(document), Some(Awaited::Version(2)));
    }
    assert_eq!(books.awaits(wrong.as_bytes()), None);
    assert_eq!(books.awaits(b"nonsense"), None);
    for document in [second_note.as_bytes().to_vec(), third_note, early] {
        assert_eq!(books.install(std::slice::from_ref(&document)).unwrap(), 1);
    }
}
