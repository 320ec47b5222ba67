//! Who exists in which month, and what a version may change of it.

use crate::common::*;
use protocol::registry::{Placement, UnitFaultKind as Kind};

const CITY2: &str = "1407";

/// Another city beside the one of the world, and January settled.
fn two_cities() -> Registry {
    let mut r = WORLD.registry.registry().clone();
    r.units.push(another(CITY2, Tier::City, PROVINCE, JAN));
    r
}

fn another(id: &str, tier: Tier, parent: &str, since: &str) -> Unit {
    let placement = Placement {
        name: format!("Unit {id}"),
        parent: Some(unit(parent)),
        area: None,
    };
    let (key, witness) = (node_key(id).vkey(), witness_key(id).vkey());
    Unit::new(unit(id), tier, month(since), placement, key, witness)
}

fn first(r: &Registry) -> VerifiedRegistry {
    let roots = &WORLD.roots;
    let note = sign_registry(r, &[&roots[0], &roots[1]]);
    VerifiedRegistry::first(&note, &roots[0].vkey()).unwrap()
}

/// The version after, with `from` and `change`.
fn next(
    before: &VerifiedRegistry,
    from: Option<&str>,
    change: impl FnOnce(&mut Registry),
) -> Result<VerifiedRegistry, RegistryError> {
    let mut r = before.registry().clone();
    (r.version, r.previous) = (r.version + 1, Some(before.digest()));
    r.from = from.map(month);
    change(&mut r);
    r.check()?;
    before.next(&sign_registry(&r, &[&WORLD.roots[0], &WORLD.roots[1]]))
}

fn ids(units: Vec<&Unit>) -> Vec<&str> {
    units.into_iter().map(|u| u.id.as_str()).collect()
}

#[test]
fn a_unit_reports_to_the_parent_of_the_month() {
    let one = first(&two_cities());
    let moved = |r: &mut Registry| place(r, A, "2026-03", CITY2);
    let two = next(&one, Some("2026-03"), moved).unwrap();
    let r = two.registry();
    for (period, old, new) in [
        ("2026-02", vec![B, A], vec![]),
        ("2026-03", vec![B], vec![A]),
    ] {
        assert_eq!(ids(r.children(&unit(CITY), month(period))), old);
        assert_eq!(ids(r.children(&unit(CITY2), month(period))), new);
    }
    let path = |period| r.path(&unit(A), month(period));
    assert_eq!(path("2026-02"), [PROVINCE, CITY, A].map(unit));
    assert_eq!(path("2026-03"), [PROVINCE, CITY2, A].map(unit));
    assert_eq!(r.last_path(&unit(A)), path("2026-03"));
    assert_eq!(r.paths(&unit(A)), [path("2026-02"), path("2026-03")]);
    assert!(ids(r.ever_below(&unit(CITY))).contains(&A));
    assert_eq!(ids(r.ever_above(&unit(A))), [CITY, CITY2, PROVINCE]);
    // A move that has not begun can be put off and given up.
    let later = next(&two, Some("2026-03"), |r| place(r, A, "2026-03", CITY)).unwrap();
    let a = later.registry().unit(&unit(A)).unwrap();
    assert_eq!(a, one.registry().unit(&unit(A)).unwrap());
}

#[test]
fn an_old_name_stays_with_the_old_months() {
    let renamed = |r: &mut Registry| {
        let placement = Placement {
            name: "太谷区".into(),
            area: Some("140703".into()),
            ..known(r, A).last_placement()
        };
        known(r, A).place(month("2026-02"), placement);
    };
    let two = next(&WORLD.registry, Some("2026-02"), renamed).unwrap();
    let a = two.registry().unit(&unit(A)).unwrap();
    assert_eq!(a.placement(month(JAN)).name, format!("Unit {A}"));
    assert_eq!(a.placement(month("2026-02")).name, "太谷区");
    assert_eq!((a.name(), a.area()), ("太谷区", Some("140703")));
}

#[test]
fn a_unit_ends_and_others_carry_on() {
    let merged = |r: &mut Registry| known(r, A).end(Some(month(JAN)), vec![unit(B)]);
    let two = next(&WORLD.registry, Some("2026-02"), merged).unwrap();
    let r = two.registry();
    assert_eq!(ids(r.children(&unit(CITY), month(JAN))), [B, A]);
    assert_eq!(ids(r.children(&unit(CITY), month("2026-02"))), [B]);
    assert!(!r.unit(&unit(A)).unwrap().exists(month("2026-02")));
    // A split: two new units carry on.
    let split = |r: &mut Registry| {
        r.units
            .push(another("140322", Tier::County, CITY, "2026-03"));
        r.units
            .push(another("140323", Tier::County, CITY, "2026-03"));
        known(r, B).end(
            Some(month("2026-02")),
            ["140322", "140323"].map(unit).into(),
        );
    };
    let three = next(&two, Some("2026-03"), split).unwrap();
    let children = three.registry().children(&unit(CITY), month("2026-03"));
    assert_eq!(ids(children), ["140322", "140323"]);
}

fn kinds(found: Result<VerifiedRegistry, RegistryError>) -> Vec<Kind> {
    match found.unwrap_err() {
        RegistryError::Units(faults) | RegistryError::Past { faults, .. } => {
            faults.into_iter().map(|f| f.kind).collect()
        }
        other => panic!("{other}"),
    }
}

#[test]
fn units_must_fit_each_other_in_every_month() {
    let one = first(&two_cities());
    let of = |change: fn(&mut Registry)| kinds(next(&one, Some("2026-02"), change));
    assert_eq!(
        of(|r| known(r, A).end(Some(month("2025-12")), vec![])),
        [Kind::Ends]
    );
    assert_eq!(
        of(|r| known(r, A).end(None, vec![unit(B)])),
        [Kind::SuccessorsOfNobody]
    );
    for strange in ["999", A] {
        let end = |r: &mut Registry| known(r, A).end(Some(month(JAN)), vec![unit(strange)]);
        let found = kinds(next(&one, Some("2026-02"), end));
        assert_eq!(found, [Kind::Successor(unit(strange))]);
    }
    let both_end = |r: &mut Registry| {
        known(r, A).end(Some(month(JAN)), vec![unit(B)]);
        known(r, B).end(Some(month(JAN)), vec![unit(A)]);
    };
    let found = kinds(next(&one, Some("2026-02"), both_end));
    assert_eq!(found, [A, B].map(|id| Kind::Successor(unit(id))));
    // A parent that ends before its children, or begins after them: each child is named.
    let ends = |r: &mut Registry| known(r, CITY).end(Some(month("2026-02")), vec![]);
    let found = kinds(next(&one, Some("2026-03"), ends));
    assert_eq!(found.len(), 2);
    assert!(
        found
            .iter()
            .all(|k| matches!(k, Kind::ParentMonths { parent, .. } if *parent == unit(CITY)))
    );
    let begins = |r: &mut Registry| {
        r.units
            .push(another("1408", Tier::City, PROVINCE, "2026-04"));
        place(r, A, "2026-03", "1408");
    };
    let found = kinds(next(&one, Some("2026-03"), begins));
    assert!(matches!(&found[..], [Kind::ParentMonths { .. }]));
    assert_eq!(
        of(|r| {
            place(r, A, "2026-03", B);
            known(r, A).end(Some(month("2026-02")), vec![]);
        }),
        [Kind::FormerOrder]
    );
}

#[test]
fn what_is_settled_stays() {
    let one = first(&two_cities());
    let moved = |r: &mut Registry| place(r, A, "2026-03", CITY2);
    let two = next(&one, Some("2026-03"), moved).unwrap();
    // A month says from when on something changes, and never goes back.
    for from in [None, Some("2026-02")] {
        let e = next(&two, from, |_| {}).unwrap_err();
        assert!(matches!(e, RegistryError::Settled { .. }), "{e}");
    }
    assert!(next(&two, Some("2026-03"), |_| {}).is_ok());
    assert_eq!(
        kinds(next(&one, None, moved)),
        [Kind::Settled(protocol::registry::FromMonth(None))]
    );
    let of = |change: fn(&mut Registry)| kinds(next(&two, Some("2026-04"), change));
    let settled = || Kind::Settled(protocol::registry::FromMonth(Some(month("2026-04"))));
    assert_eq!(of(|r| place(r, A, "2026-03", CITY)), [settled()]);
    assert_eq!(of(|r| place(r, B, "2026-03", CITY2)), [settled()]);
    assert_eq!(
        of(|r| known(r, A).end(Some(month("2026-02")), vec![])),
        [Kind::FormerOrder]
    );
    assert_eq!(
        of(|r| known(r, B).end(Some(month("2026-02")), vec![])),
        [settled()]
    );
    assert!(matches!(
        of(|r| r
            .units
            .push(another("140322", Tier::County, CITY, "2026-03")))[..],
        [Kind::New { .. }]
    ));
    assert_eq!(
        of(|r| r.units.retain(|u| u.id != unit(B))),
        [Kind::Vanished]
    );
    assert_eq!(
        of(|r| known(r, B).since = month("2026-02")),
        [Kind::Identity, settled()]
    );
    // Everything is named at once.
    let found = of(|r| {
        r.units.retain(|u| u.id != unit(B));
        place(r, A, "2026-03", CITY);
        r.units
            .push(another("140322", Tier::County, CITY, "2026-03"));
    });
    assert_eq!(found.len(), 3);
}

#[test]
fn keys_are_revoked_and_never_left_out() {
    let one = &WORLD.registry;
    let new = |n, from_index| UnitKey {
        vkey: key(A, Alg::Ed25519, n).vkey(),
        from_index,
        revoked: None,
    };
    let revoked = |at_index| {
        let reason = "rotated".into();
        Some(Revocation { at_index, reason })
    };
    let two = next(one, None, |r| {
        known(r, A).keys[0].revoked = revoked(9);
        known(r, A).keys.push(new(50, 9));
    })
    .unwrap();
    type Change<'a> = &'a dyn Fn(&mut Unit);
    let of = |change: Change<'_>| next(&two, None, |r| change(known(r, A)));
    let gone: [Change<'_>; 3] = [
        &|a| drop(a.keys.remove(0)),
        &|a| a.keys[1].from_index = 8,
        &|a| a.keys[0].vkey = key(A, Alg::Ed25519, 51).vkey(),
    ];
    for change in gone {
        assert_eq!(kinds(of(change)), [Kind::KeyGone]);
    }
    assert_eq!(kinds(of(&|a| a.keys[0].revoked = None)), [Kind::Unrevoked]);
    assert_eq!(
        kinds(of(&|a| a.keys[0].revoked = revoked(10))),
        [Kind::Unrevoked]
    );
    assert_eq!(kinds(of(&|a| a.keys.push(new(52, 8)))), [Kind::KeyBefore]);
    assert!(of(&|a| a.keys[0].revoked = revoked(8)).is_ok());
    assert!(of(&|a| a.keys.push(new(52, 9))).is_ok());
    // A key that may sign nothing, as its index was mistaken, stands in nobody's way.
    let typo = next(&two, None, |r| {
        known(r, A).keys[1].revoked = revoked(9);
        known(r, A).keys.push(new(52, 9));
    });
    assert!(typo.is_ok());
    for n in [0, 1] {
        let again = of(&|a| {
            a.keys.push(UnitKey {
                from_index: 20,
                revoked: None,
                ..a.keys[n].clone()
            })
        });
        assert_eq!(kinds(again), [Kind::KeyTwice]);
    }
}

#[test]
fn a_witness_key_is_replaced_and_kept() {
    let at = |text: &str| text.parse().unwrap();
    let new = |n| key(&format!("{CITY}/witness"), Alg::CosignatureV1, n).vkey();
    let replaced =
        |r: &mut Registry| known(r, CITY).replace_witness(new(60), at("2026-02-05T08:00:00Z"));
    let two = next(&WORLD.registry, None, replaced).unwrap();
    let city = two.registry().unit(&unit(CITY)).unwrap();
    let old = WORLD.desk(CITY).witness.vkey();
    let time = at("2026-02-05T08:00:00Z").timestamp().unsigned_abs();
    assert!(city.witnesses_at(&old, time - 1) && !city.witnesses_at(&old, time));
    assert!(city.witnesses_at(&new(60), time));
    let again =
        |r: &mut Registry| known(r, CITY).replace_witness(new(61), at("2026-02-05T07:00:00Z"));
    assert_eq!(kinds(next(&two, None, again)), [Kind::WitnessOrder]);
    let back = |r: &mut Registry| {
        let placement = known(r, CITY).last_placement();
        let c = known(r, CITY);
        let node = c.keys[0].vkey.clone();
        *c = Unit::new(c.id.clone(), c.tier, c.since, placement, node, new(60));
    };
    assert_eq!(kinds(next(&two, None, back)), [Kind::WitnessGone]);
}

#[test]
fn a_receipt_holds_with_the_witness_key_of_its_time() {
    let held = WORLD.held(A, JAN);
    let honest = WORLD.receipt(A, JAN);
    let note = WORLD.sign_receipt(&honest);
    let until = |text: &str| {
        let mut r = WORLD.registry.registry().clone();
        let new = key(&format!("{CITY}/witness"), Alg::CosignatureV1, 60).vkey();
        known(&mut r, CITY).replace_witness(new, text.parse().unwrap());
        let city = r.unit(&unit(CITY)).unwrap();
        protocol::verify::answer::read_receipt(&note, &held, &[city], &r)
    };
    // The world's witnesses sign in February 2026.
    assert!(until("2026-03-01T00:00:00Z").is_ok());
    let e = until("2026-01-01T00:00:00Z").unwrap_err();
    assert!(e.to_string().contains("another witness key"), "{e}");
}

/// A change to a unit, in one month of a year.
fn change() -> impl Strategy<Value = (usize, u32, usize)> {
    (0..2_usize, 1..13_u32, 0..4_usize)
}

fn apply(r: &mut Registry, (who, at, what): (usize, u32, usize)) {
    let (id, from) = ([A, B][who], Month::new(2026, at).unwrap());
    match what {
        0 => known(r, id).end(from.prev(), vec![]),
        1 => known(r, id).end(None, vec![]),
        n => place(r, id, &from.to_string(), [CITY, CITY2][n - 2]),
    }
}

#[test]
fn no_version_changes_a_settled_month() {
    let steps =
        proptest::collection::vec((1..13_u32, proptest::collection::vec(change(), 0..3)), 1..6);
    let one = first(&two_cities());
    let seen = std::cell::Cell::new((0, 0));
    rounds(400, steps, |steps| {
        let mut last = one.clone();
        for (from, changes) in steps {
            let from = Month::new(2026, from).unwrap();
            let made = next(&last, Some(&from.to_string()), |r| {
                changes.into_iter().for_each(|c| apply(r, c));
            });
            let (good, bad) = seen.get();
            let Ok(newer) = made else {
                seen.set((good, bad + 1));
                continue;
            };
            seen.set((good + 1, bad));
            for n in 1..13 {
                let m = Month::new(2026, n).unwrap();
                let same = [A, B, CITY, CITY2].into_iter().all(|id| {
                    let path = |v: &VerifiedRegistry| v.registry().path(&unit(id), m);
                    let tree = |v: &VerifiedRegistry| {
                        let below = v.registry().children(&unit(id), m);
                        ids(below).join(" ")
                    };
                    path(&last) == path(&newer) && tree(&last) == tree(&newer)
                });
                prop_assert!(same || m >= from, "{m} differs, from {from}");
            }
            last = newer;
        }
        Ok(())
    });
    let (good, bad) = seen.get();
    assert!(
        good > 100 && bad > 100,
        "{good} versions held, {bad} did not"
    );
}
