//! Who exists: the chain of registries.

use crate::common::*;

fn document(version: u64, previous: Option<Digest>) -> Registry {
    let mut r: Registry = WORLD.registry.registry().clone();
    (r.version, r.previous) = (version, previous);
    r
}

fn chain(notes: &[&Note]) -> Result<Vec<VerifiedRegistry>, RegistryError> {
    let notes: Vec<Note> = notes.iter().map(|n| (*n).clone()).collect();
    VerifiedRegistry::chain(&notes, &WORLD.roots[0].vkey())
}

#[test]
fn registry_versions_are_walked_one_at_a_time() {
    let roots = &WORLD.roots;
    let both = [&roots[0], &roots[1]];
    let first = &WORLD.registry;
    let two = sign_registry(&document(2, Some(first.digest())), &both);
    let second = first.next(&two).unwrap();
    let one = &WORLD.registries[0];
    assert_eq!(chain(&[one, &two]).unwrap().len(), 2);
    let three = sign_registry(&document(3, Some(second.digest())), &both);
    assert_eq!(
        chain(&[one, &three]).unwrap_err(),
        RegistryError::Version { known: 1, found: 3 }
    );
    assert_eq!(
        chain(&[&two]).unwrap_err(),
        RegistryError::Version { known: 0, found: 2 }
    );
    assert_eq!(
        chain(&[one, &two, &two]).unwrap_err(),
        RegistryError::Version { known: 2, found: 2 }
    );
    assert_eq!(
        chain(&[one, &two, one]).unwrap_err(),
        RegistryError::Version { known: 2, found: 1 }
    );
    let forked = sign_registry(&document(2, Some(Digest::of(b"other"))), &both);
    assert_eq!(chain(&[one, &forked]).unwrap_err(), RegistryError::Fork(2));
    let few = sign_registry(&document(2, Some(first.digest())), &[&roots[0]]);
    assert!(matches!(
        chain(&[one, &few]).unwrap_err(),
        RegistryError::Threshold {
            found: 1,
            needed: 2,
            whose: "the version before",
            ..
        }
    ));
}

#[test]
fn new_roots_are_appointed_by_the_old_and_have_signed() {
    let roots = &WORLD.roots;
    let both = [&roots[0], &roots[1]];
    let first = &WORLD.registry;
    let one = &WORLD.registries[0];
    // New roots cannot bring themselves in; old roots cannot appoint roots that have not signed.
    let strangers = [
        key("root-c", Alg::Ed25519, 9),
        key("root-d", Alg::Ed25519, 9),
    ];
    let mut usurped = document(2, Some(first.digest()));
    usurped.roots = strangers.iter().map(|k| k.vkey()).collect();
    let note = sign_registry(&usurped, &[&strangers[0], &strangers[1]]);
    assert!(matches!(
        chain(&[one, &note]).unwrap_err(),
        RegistryError::Threshold {
            found: 0,
            whose: "the version before",
            ..
        }
    ));
    let note = sign_registry(&usurped, &both);
    assert!(matches!(
        chain(&[one, &note]).unwrap_err(),
        RegistryError::Threshold {
            found: 0,
            whose: "its own",
            ..
        }
    ));
    let all = [&roots[0], &roots[1], &strangers[0], &strangers[1]];
    assert!(chain(&[one, &sign_registry(&usurped, &all)]).is_ok());
    // The reader's own root key has the first word.
    assert!(matches!(
        VerifiedRegistry::first(one, &strangers[0].vkey()).unwrap_err(),
        RegistryError::Threshold {
            whose: "the reader",
            ..
        }
    ));
    let wrong = Note::sign(one.text(), &[&roots[0], &strangers[0]]).unwrap();
    assert!(VerifiedRegistry::first(&wrong, &WORLD.roots[0].vkey()).is_err());
}

#[test]
fn registries_that_say_nonsense_are_refused() {
    let refused = |change: &dyn Fn(&mut Registry), part: &str| {
        let mut r = WORLD.registry.registry().clone();
        change(&mut r);
        let e = r.to_text().unwrap_err().to_string();
        assert!(e.to_string().contains(part), "{e}");
    };
    refused(&|r| r.threshold = 0, "threshold");
    refused(&|r| r.threshold = 3, "threshold");
    let mut seed = *Digest::of(b"root-a").as_bytes();
    seed[0] = 9;
    let alias = protocol::note::SigningKey::from_seed("root-z", Alg::Ed25519, seed)
        .unwrap()
        .vkey();
    refused(&|r| r.roots[1] = alias.clone(), "distinct root keys");
    refused(
        &|r| r.roots[1] = key("w", Alg::CosignatureV1, 9).vkey(),
        "a root key signs",
    );
    refused(&|r| r.units[0].keys.clear(), "has no key");
    refused(
        &|r| r.units[0].keys[0].vkey = key("other", Alg::Ed25519, 9).vkey(),
        "under another name",
    );
    let id = WORLD.registry.registry().units[0].id.to_string();
    let witnessed_by = |r: &mut Registry, key: &SigningKey| {
        let u = &r.units[0];
        let placement = u.last_placement();
        let node = u.keys[0].vkey.clone();
        r.units[0] = Unit::new(u.id.clone(), u.tier, u.since, placement, node, key.vkey());
    };
    let stamp = key("14/stamp", Alg::CosignatureV1, 9);
    refused(&|r| witnessed_by(r, &stamp), "<unit>/witness");
    let signs = key(&format!("{id}/witness"), Alg::Ed25519, 9);
    refused(&|r| witnessed_by(r, &signs), "cosignature key");
    refused(
        &|r| r.units[0].keys[0].vkey = key(&id, Alg::CosignatureV1, 9).vkey(),
        "they must be Ed25519",
    );
    refused(&|r| r.units[3].id = r.units[2].id.clone(), "is there twice");
    refused(&|r| place(r, A, JAN, B), "not of a higher tier");
    refused(&|r| place(r, A, JAN, "99"), "does not exist");
}
