//! The chain of registries, and the catalogue that the roots sign.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    versions(b, w);
    order_and_roots(b, w);
    forged_documents(b, w);
    catalogues(b, w);
}

fn document(w: &World, version: u64, previous: Option<Digest>) -> Registry {
    let mut r = w.registry.registry().clone();
    (r.version, r.previous) = (version, previous);
    r
}

/// County B's January with these registries.
fn chain(w: &World, notes: &[&Note]) -> Evidence {
    let mut e = honest_file(w, &[B], JAN);
    e.registries = notes.iter().map(|n| (*n).clone()).collect();
    e
}

fn versions(b: &mut Book, w: &World) {
    let roots = &w.roots;
    let both = [&roots[0], &roots[1]];
    let one = &w.registries[0];
    let two = second_registry(w, |_| {});
    let second = w.registry.next(&two).unwrap();
    let three = sign_registry(&document(w, 3, Some(second.digest())), &both);
    b.evidence(
        "registry-skipped",
        "registry version 3 follows version 1",
        UNREADABLE,
        "registry version 3 cannot follow version 1",
        &chain(w, &[one, &three]),
    );
    b.evidence(
        "registry-without-first",
        "the chain begins with version 2",
        UNREADABLE,
        "registry version 2 cannot follow version 0",
        &chain(w, &[&two]),
    );
    b.evidence(
        "registry-none",
        "there is no registry",
        UNREADABLE,
        "there is none",
        &chain(w, &[]),
    );
    let forked = sign_registry(&document(w, 2, Some(Digest::of(b"other"))), &both);
    b.evidence(
        "registry-forked",
        "version 2 names another version 1",
        UNREADABLE,
        "the registry was forked",
        &chain(w, &[one, &forked]),
    );
    let few = sign_registry(&document(w, 2, Some(w.registry.digest())), &[&roots[0]]);
    b.evidence(
        "registry-few",
        "version 2 is signed by one of the two roots that are needed",
        UNREADABLE,
        "signed by 1 of the 2 root keys of the version before",
        &chain(w, &[one, &few]),
    );
    let few = sign_registry(w.registry.registry(), &[&roots[0]]);
    b.evidence(
        "registry-few-first",
        "version 1 is signed by one of the two roots that are needed",
        UNREADABLE,
        "signed by 1 of the 2 root keys of its own",
        &chain(w, &[&few]),
    );
}

fn order_and_roots(b: &mut Book, w: &World) {
    let roots = &w.roots;
    let both = [&roots[0], &roots[1]];
    let one = &w.registries[0];
    let two = second_registry(w, |_| {});
    b.evidence(
        "registry-replayed",
        "version 2 stands twice",
        UNREADABLE,
        "registry version 2 cannot follow version 2",
        &chain(w, &[one, &two, &two]),
    );
    b.evidence(
        "registry-rolled-back",
        "version 1 follows version 2",
        UNREADABLE,
        "registry version 1 cannot follow version 2",
        &chain(w, &[one, &two, one]),
    );
    let strangers = [
        key("root-c", Alg::Ed25519, 9),
        key("root-d", Alg::Ed25519, 9),
    ];
    let mut usurped = document(w, 2, Some(w.registry.digest()));
    usurped.roots = strangers.iter().map(SigningKey::vkey).collect();
    let by = |keys: &[&SigningKey]| sign_registry(&usurped, keys);
    b.evidence(
        "registry-usurped",
        "version 2 has new roots and is signed by them alone",
        UNREADABLE,
        "signed by 0 of the 2 root keys of the version before",
        &chain(w, &[one, &by(&[&strangers[0], &strangers[1]])]),
    );
    b.evidence(
        "registry-appointed",
        "version 2 has new roots that have not signed it",
        UNREADABLE,
        "signed by 0 of the 2 root keys of its own",
        &chain(w, &[one, &by(&both)]),
    );
    let root = strangers[0].vkey().to_string();
    b.evidence(
        "registry-other-root",
        "the reader knows another root key than the chain's",
        UNREADABLE,
        "root keys of the reader",
        &chain(w, &[one]),
    )
    .root = root;
    b.evidence(
        "registry-strange-line",
        "version 1 has one more signature line, of a key that nobody knows",
        UNREADABLE,
        "stranger that cannot be checked",
        &chain(
            w,
            &[&one
                .add_signature(&key("stranger", Alg::Ed25519, 1))
                .unwrap()],
        ),
    );
}

fn forged_documents(b: &mut Book, w: &World) {
    let roots = &w.roots;
    let both = [&roots[0], &roots[1]];
    let one = &w.registries[0];
    let json = json_of(one.text());
    let mut forge = |name: &str, case: &str, part: &str, json: &str| {
        let note = forged(protocol::registry::KIND, json, &both);
        b.evidence(name, case, UNREADABLE, part, &chain(w, &[&note]));
    };
    forge(
        "registry-threshold",
        "a threshold of more than there are roots",
        "threshold",
        &replaced(&json, "\"threshold\":2", "\"threshold\":3"),
    );
    forge(
        "registry-parent",
        "a unit whose parent does not exist",
        "names a parent that does not exist",
        &replaced(&json, "\"parent\":\"1403\"", "\"parent\":\"1499\""),
    );
    forge(
        "registry-cycle",
        "two counties, one of which is the other's parent",
        "not of a higher tier",
        &replaced(&json, "\"parent\":\"1403\"", "\"parent\":\"140321\""),
    );
    let mut seed = *Digest::of(b"root-a").as_bytes();
    seed[0] = 9;
    let alias = SigningKey::from_seed("root-z", Alg::Ed25519, seed).unwrap();
    let named = replaced(&json, &roots[1].vkey().to_string(), alias.vkey().as_str());
    let note = forged(protocol::registry::KIND, &named, &[&roots[0], &alias]);
    b.evidence(
        "registry-root-alias",
        "one root key under two names, to reach the threshold alone",
        UNREADABLE,
        "distinct root keys",
        &chain(w, &[&note]),
    );
}

fn catalogues(b: &mut Book, w: &World) {
    let roots = &w.roots;
    let both = [&roots[0], &roots[1]];
    let mut e = honest_file(w, &[B], JAN);
    let catalogue = published::catalogue_text(&w.counting.catalogue).unwrap();
    e.catalogues = vec![Note::sign(&catalogue, &[&roots[0]]).unwrap()];
    b.evidence(
        "catalogue-few",
        "the catalogue is signed by one of the two roots that are needed",
        UNREADABLE,
        "signed by 1 of the 2 root keys",
        &e,
    );
    e.catalogues = vec![Note::sign(&replaced(&catalogue, "{\"id\":", "{ \"id\":"), &both).unwrap()];
    b.evidence(
        "catalogue-text",
        "the catalogue is signed, but written in another way than the one",
        UNREADABLE,
        "written in one way",
        &e,
    );
    e.catalogues.clear();
    b.evidence(
        "catalogue-none",
        "the catalogue is not in the file",
        BINDING,
        "catalogue that is not known here",
        &e,
    )
    .also(&[ARITHMETIC]);
}
