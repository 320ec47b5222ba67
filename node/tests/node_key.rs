//! A node whose key is not the one that the registry has for its unit says so from the start and
//! signs nothing with it: nobody would take what it signs, and a log cannot lose it again.
#![allow(missing_docs, clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;

use kit::known;
use kit::on_disk::*;
use node::books::NodeKey;
use node::config::Accept;
use node::desk::close::CloseRequest;
use node::desk::{evidence, record};
use node::queries;
use node::review::{self, Ruling};
use protocol::evidence::{file, report};
use protocol::note::{Alg, SigningKey};
use protocol::person::Role;
use protocol::receipt::Decision;
use protocol::registry::{Revocation, UnitKey};

/// Another key of this unit's name, of which the registry knows nothing.
fn fresh(id: &str) -> SigningKey {
    SigningKey::from_seed(id, Alg::Ed25519, [77; 32]).unwrap()
}

/// The node stops, gets this key, and starts again.
fn with_key(w: &mut World, id: &str, key: &SigningKey) {
    let desk = w.desk(id);
    let path = desk.home.join("keys/node.key");
    std::fs::write(&path, key.encode().as_str()).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    desk.reopen();
}

/// The code by which status tells of the key.
fn told(w: &World, id: &str) -> Option<String> {
    let books = w.desks[id].read();
    let status = queries::status::status(books, None, vec![], after(JAN)).unwrap();
    assert_eq!(status.key, books.node_key().fault());
    status.key.map(|fault| fault.code.to_string())
}

/// The next registry version: the unit's first key signs up to here, another one from here on.
fn rotate(w: &mut World, id: &'static str, key: &SigningKey) {
    let at_index = w.desk(id).leaves();
    w.publish_registry(FEB, |r| {
        let unit = known(r, id);
        unit.keys[0].revoked = Some(Revocation {
            at_index,
            reason: "rotated".into(),
        });
        unit.keys.push(UnitKey {
            vkey: key.vkey(),
            from_index: at_index,
            revoked: None,
        });
    });
}

#[test]
fn a_key_that_the_registry_does_not_have_signs_nothing_until_it_has_it() {
    let mut w = World::empty();
    let now = at("2026-01-20");
    assert_eq!(told(&w, A), None);
    with_key(&mut w, A, &fresh(A));
    assert_eq!(told(&w, A).as_deref(), Some("keys.unregistered"));
    // What a recorder's key signs holds all the same: a clerk need not wait.
    w.desk(A).train(3, "2026-01-10", now);
    let leaves = w.desk(A).leaves();
    let head = kit::on_disk::key(&format!("{A}/another"), Alg::Ed25519).vkey();
    let enrolled = record::enrol(w.desk(A).books(), &head, &[Role::Head], now);
    assert_eq!(code_of(enrolled), "keys.unregistered");
    let closed = w
        .desk(A)
        .try_close(JAN, &CloseRequest::default(), after(JAN));
    assert_eq!(code_of(closed), "keys.unregistered");
    assert_eq!(w.desk(A).leaves(), leaves, "nothing was added");
    // The registry that names it comes while the node runs.
    rotate(&mut w, A, &fresh(A));
    assert_eq!(told(&w, A), None);
    w.report(A, JAN, after(JAN));
    assert_eq!(w.desk(A).decision(JAN), Some(Decision::Accepted));
}

/// As its last act the old key may seal what it has signed.
#[test]
fn a_key_that_was_replaced_adds_nothing_to_the_log() {
    let mut w = World::empty();
    w.desk(A).train(3, "2026-01-10", at("2026-01-20"));
    rotate(&mut w, A, &fresh(A));
    let books = w.desk(A).books();
    assert_eq!(books.node_key(), NodeKey::OutOfPlace);
    assert_eq!(books.seal_key(), NodeKey::Registered);
    assert_eq!(told(&w, A).as_deref(), Some("keys.unregistered"));
    let head = kit::on_disk::key(&format!("{A}/another"), Alg::Ed25519).vkey();
    let enrolled = record::enrol(w.desk(A).books(), &head, &[Role::Head], after(JAN));
    assert_eq!(code_of(enrolled), "keys.unregistered");
    w.report(A, JAN, after(JAN));
    assert_eq!(w.desk(A).decision(JAN), Some(Decision::Accepted));
}

/// One secret must not sign as the node and as a person. What was reported before stays.
#[test]
fn a_key_that_a_person_was_enrolled_with_signs_nothing_for_the_node() {
    let mut w = World::empty();
    let same = SigningKey::from_seed(&format!("{A}/another"), Alg::Ed25519, [77; 32]).unwrap();
    let books = w.desk(A).books();
    record::enrol(books, &same.vkey(), &[Role::Head], at("2026-01-20")).unwrap();
    w.report(A, JAN, after(JAN));
    rotate(&mut w, A, &fresh(A));
    with_key(&mut w, A, &fresh(A));
    let books = w.desk(A).books();
    assert_eq!(books.node_key(), NodeKey::OfPerson);
    assert_eq!(books.seal_key(), NodeKey::OfPerson);
    assert_eq!(told(&w, A).as_deref(), Some("keys.unregistered"));
    let another = SigningKey::from_seed(A, Alg::Ed25519, [78; 32]).unwrap();
    rotate(&mut w, A, &another);
    with_key(&mut w, A, &another);
    assert_eq!(told(&w, A), None);
    w.report(A, FEB, after(FEB));
    for month in [JAN, FEB] {
        assert_eq!(w.desk(A).decision(month), Some(Decision::Accepted));
    }
    let bytes = w.desk(CITY).evidence();
    let report = report::verify(&file::read(&bytes).unwrap(), &w.root.vkey()).unwrap();
    assert!(
        report.holds(),
        "{:?}",
        report.failures().collect::<Vec<_>>()
    );
}

#[test]
fn nobody_is_enrolled_with_a_key_of_the_node() {
    let mut w = World::empty();
    rotate(&mut w, A, &fresh(A));
    with_key(&mut w, A, &fresh(A));
    let same = SigningKey::from_seed(&format!("{A}/another"), Alg::Ed25519, [77; 32]).unwrap();
    let books = w.desk(A).books();
    let enrolled = record::enrol(books, &same.vkey(), &[Role::Head], at("2026-01-20"));
    assert_eq!(code_of(enrolled), "operator.enrol");
    assert_eq!(told(&w, A), None);
}

#[test]
fn a_parent_whose_key_nobody_knows_answers_nothing_and_later_all() {
    let mut w = World::empty();
    let now = after(JAN);
    w.desk(A).finish(JAN, now);
    w.send(A, &[CITY], now);
    with_key(&mut w, CITY, &fresh(CITY));
    let given = review::check_all(w.desk(CITY).books(), true, now).unwrap();
    assert!(given.is_empty(), "a receipt that the county refuses");
    let ruling = Ruling::new(Decision::Accepted, &format!("{CITY}/tongji"));
    let books = w.desk(CITY).books();
    let decided = review::decide(books, &unit(A), month(JAN), ruling, now);
    assert_eq!(code_of(decided), "keys.unregistered");
    let snapshot = evidence::Snapshot::of(w.desk(CITY).read());
    assert_eq!(code_of(snapshot.map(drop)), "keys.unregistered");
    with_key(&mut w, CITY, &kit::node_key(CITY));
    let given = review::check_all(w.desk(CITY).books(), true, now).unwrap();
    assert_eq!(given.len(), 1);
    w.desk(CITY).evidence();
}

#[tokio::test]
async fn health_tells_it_without_a_token() {
    let mut w = World::empty();
    with_key(&mut w, A, &fresh(A));
    let service = w.service(A, Accept::Person);
    assert_eq!(service.health().key, NodeKey::Unknown);
    assert_eq!(service.health().key.word(), "unknown");
}
