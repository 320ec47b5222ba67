//! Hostile bytes from the network and from files: messages of every kind under every subject, and
//! what a clerk imports. Nothing panics, nothing that nobody signed changes anything, and a subject
//! has one text. The journal's own frames and segments have their properties beside their code
//! (`hostile_bytes_never_panic`, `arbitrary_damage_never_panics`).
#![allow(missing_docs, clippy::unwrap_used)]

use kit::on_disk::*;
use kit::rounds;
use node::desk::receipt;
use node::exchange::{Form, decode, parse};
use node::intake::Intake;
use node::link::{Subject, UnitPath};
use node::review;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Repeat,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), 0u8..8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        any::<Index>().prop_map(Change::Cut),
        (any::<Index>(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        Just(Change::Repeat),
    ]
}

fn apply(mut bytes: Vec<u8>, change: &Change) -> Vec<u8> {
    match change {
        Change::Flip(at, bit) if !bytes.is_empty() => {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        Change::Cut(at) if !bytes.is_empty() => bytes.truncate(at.index(bytes.len())),
        Change::Insert(at, more) => {
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, more.iter().copied());
        }
        Change::Repeat => bytes = bytes.repeat(2),
        _ => {}
    }
    bytes
}

#[test]
fn messages_that_were_altered_change_nothing() {
    let mut w = World::empty();
    let now = after(JAN);
    let a = w.desk(A);
    a.register(&[id_no(1)], "2026-01-03", at("2026-01-20"));
    a.train(3, "2026-01-10", at("2026-01-20"));
    a.finish(JAN, now);
    let letters = w.desks[A].letters();
    w.send(A, &[CITY], now);
    review::check_all(w.desk(CITY).books(), true, now).unwrap();
    let receipt = w.desks[CITY].read().children()[&unit(A)]
        .given()
        .values()
        .flatten()
        .next()
        .unwrap()
        .1
        .as_bytes()
        .to_vec();
    let published: Vec<Vec<u8>> = std::fs::read_dir(w.dir.0.join("published"))
        .unwrap()
        .map(|f| std::fs::read(f.unwrap().path()).unwrap())
        .collect();
    let before = w.desks[CITY].answers();
    let county = (
        w.desks[A].open_month(),
        w.desks[A].leaves(),
        w.desks[A].read().registries().len(),
    );
    let flags = |w: &World| {
        (
            w.desks[CITY].read().contradictions().len(),
            w.desks[A].read().contradictions().len(),
        )
    };
    assert_eq!(flags(&w), (0, 0));
    let bodies: Vec<Vec<u8>> = letters
        .iter()
        .map(|l| match l {
            Letter::Entries(_, b) | Letter::Checkpoint(b) | Letter::Rollup(b) => b.clone(),
        })
        .chain([receipt])
        .chain(published)
        .collect();
    let world = std::cell::RefCell::new(w);
    let body = prop_oneof![4 => (prop::sample::select(bodies), vec(change(), 1..4)).prop_map(|(b, c)| c.iter().fold(b, apply)), 1 => vec(any::<u8>(), 0..200)];
    let first = prop_oneof![Just(0), 0u64..12, any::<u64>()];
    rounds(300, (body, first), |(body, first)| {
        let mut w = world.borrow_mut();
        for sender in [A, B, CITY, "110101"] {
            let city = w.desk(CITY).books();
            // Every body under every kind: the subject is nobody's word.
            let _ = review::take_entries(city, &unit(sender), first, &body).unwrap();
            let _ = review::take_checkpoint(city, &unit(sender), &body, now).unwrap();
            let _ = review::take_rollup(city, &unit(sender), &body, now).unwrap();
        }
        let _ = w.desk(A).books().install(std::slice::from_ref(&body));
        let took = receipt::take_receipt(w.desk(A).books(), &body).unwrap();
        prop_assert!(!matches!(took, Intake::Later(_)));
        review::check_all(w.desk(CITY).books(), true, now).unwrap();
        // Signatures added, repeated or left out change what a note says as little as they change
        // its digest; a receipt may have arrived that way.
        prop_assert_eq!(w.desks[CITY].answers(), before.clone());
        prop_assert_eq!(flags(&w), (0, 0));
        prop_assert_eq!(
            (
                w.desks[A].open_month(),
                w.desks[A].leaves(),
                w.desks[A].read().registries().len()
            ),
            county.clone()
        );
        Ok(())
    });
}

#[test]
fn subjects_have_one_text() {
    let check = |text: &str| {
        if let Ok(subject) = text.parse::<Subject>() {
            prop_assert_eq!(subject.to_string(), text);
        }
        let _ = text.parse::<UnitPath>();
        Ok(())
    };
    let parts = prop::sample::select(vec![
        "cs",
        "v1",
        "up",
        "down",
        "14",
        "1403",
        "140321",
        "rollup",
        "entries",
        "checkpoint",
        "receipt",
        "registry",
        "0",
        "00",
        "+1",
        "256",
        "18446744073709551616",
        "*",
        ">",
        "",
        " ",
    ]);
    rounds(3000, vec(parts, 0..12), |parts| check(&parts.join(".")));
    rounds(500, "(cs\\.v1\\.(up|down)\\.)?\\PC{0,60}", |text| {
        check(&text)
    });
    rounds(
        3000,
        (
            "cs\\.v1\\.(up|down)\\.(14|1403|140321)(\\.[0-9a-z]{1,6}){0,3}\\.(rollup|checkpoint|receipt|registry|entries\\.[0-9]{1,21})",
            change(),
        ),
        |(text, c)| {
            check(&text)?;
            check(&String::from_utf8_lossy(&apply(text.into_bytes(), &c)))
        },
    );
    assert!("cs.v1.up.14.1403.entries.256".parse::<Subject>().is_ok());
    assert!("14.".repeat(100_000).parse::<UnitPath>().is_err());
}

#[test]
fn imports_of_any_bytes() {
    let catalogue = catalogue();
    let files = prop::sample::select(vec![
        "attended,occurred_on\n1,2026-01-05\n",
        "ref,kind,occurred_on\nc1,workshop,2026-01-09\nc2,\"a,\"\"b\",2026-01-09\n",
        "人数,发生日期\n3,2026-01-05\n",
        "{\"type\":\"E06\",\"attended\":1,\"occurred_on\":\"2026-01-05\"}\n",
        "{\"attended\":9223372036854775808,\"attended\":1.5,\"x\":[[[[]]]]}\n",
    ]);
    let bytes = prop_oneof![
        (files, any::<bool>(), vec(change(), 0..4)).prop_map(|(text, gb, changes)| {
            let bytes = if gb {
                encoding_rs::GB18030.encode(text).0.into_owned()
            } else {
                text.as_bytes().to_vec()
            };
            changes.iter().fold(bytes, apply)
        }),
        vec(any::<u8>(), 0..120),
    ];
    let codes: Vec<String> = catalogue.events.iter().map(|e| e.code.clone()).collect();
    rounds(
        600,
        (bytes, prop::option::of(prop::sample::select(codes))),
        |(bytes, code)| {
            // Read once, it is text: read again it is the same.
            if let Ok(text) = decode(&bytes) {
                let marked = text.starts_with('\u{feff}');
                prop_assert!(marked || decode(text.as_bytes()).unwrap() == text);
            }
            for form in [Form::Csv, Form::Jsonl] {
                let _ = parse(&bytes, form, code.as_deref(), &catalogue);
            }
            Ok(())
        },
    );
}
