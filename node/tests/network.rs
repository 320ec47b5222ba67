//! The misbehaving network of the tests itself: it routes by the node's rules, and its failures repeat
//! with the seed.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::time::Duration;

use kit::network::{InjectedRates, MisbehavingLink, MisbehavingNetwork};
use node::link::{DownKind, MAX_BODY_BYTES, Outgoing, Subject, Transport as _, UnitPath, UpKind};

fn path(text: &str) -> UnitPath {
    text.parse().unwrap()
}

fn entries(unit: &str, n: u64) -> Outgoing {
    Outgoing {
        subject: Subject::up(path(unit), UpKind::Entries(n)),
        msg_id: n.to_string(),
        body: n.to_le_bytes().to_vec(),
    }
}

async fn none_left(link: &MisbehavingLink) -> bool {
    tokio::time::timeout(Duration::from_millis(20), link.next())
        .await
        .is_err()
}

#[tokio::test]
async fn a_receipt_reaches_its_county_and_a_plan_all_below() {
    let hub = MisbehavingNetwork::new(1, InjectedRates::default());
    let city = hub.join(path("1.13"), true);
    let (a, b) = (
        hub.join(path("1.13.5"), false),
        hub.join(path("1.13.6"), false),
    );
    let send = |s: Subject| Outgoing {
        subject: s,
        msg_id: "x".into(),
        body: b"x".to_vec(),
    };
    city.publish(&send(Subject::down(path("1.13.5"), DownKind::Receipt)))
        .await
        .unwrap();
    a.next().await.unwrap().ack.done().await.unwrap();
    assert!(none_left(&b).await && none_left(&city).await);
    city.publish(&send(Subject::down(path("1.13"), DownKind::Plan)))
        .await
        .unwrap();
    a.next().await.unwrap().ack.done().await.unwrap();
    b.next().await.unwrap().ack.done().await.unwrap();
    let foreign = a
        .publish(&send(Subject::down(path("1.13.6"), DownKind::Receipt)))
        .await
        .unwrap_err();
    assert_eq!(foreign.code(), "link.foreign");
    assert!(!foreign.is_retryable());
}

#[tokio::test]
async fn an_unanswered_message_comes_again_even_after_a_restart() {
    let hub = MisbehavingNetwork::new(1, InjectedRates::default());
    let county = hub.join(path("1.5"), false);
    let top = hub.join(path("1"), true);
    county.publish(&entries("1.5", 0)).await.unwrap();
    drop(top.next().await.unwrap());
    top.next()
        .await
        .unwrap()
        .ack
        .retry(Duration::from_secs(1))
        .await
        .unwrap();
    drop(top);
    let top = hub.join(path("1"), true);
    top.next().await.unwrap().ack.done().await.unwrap();
    assert!(none_left(&top).await);
    assert_eq!(hub.waiting(), 0);
}

#[tokio::test]
async fn failures_happen_repeat_with_the_seed_and_persistence_wins() {
    let mut traces = Vec::new();
    for seed in [7, 7, 8] {
        let hub = MisbehavingNetwork::new(seed, InjectedRates::harsh());
        let county = hub.join(path("1.5"), false);
        let top = hub.join(path("1"), true);
        let (mut trace, mut seen) = (Vec::new(), BTreeSet::new());
        while seen.len() < 50 {
            for n in 0..50 {
                if !seen.contains(&n) {
                    trace.push(county.publish(&entries("1.5", n)).await.is_ok() as u64);
                }
            }
            while hub.waiting() > 0 {
                let incoming = top.next().await.unwrap();
                let n = u64::from_le_bytes(incoming.body.as_slice().try_into().unwrap());
                trace.push(n);
                seen.insert(n);
                incoming.ack.done().await.unwrap();
            }
        }
        assert!(trace.len() > 120, "failures must cost something");
        traces.push(trace);
    }
    assert_eq!(traces[0], traces[1]);
    assert_ne!(traces[0], traces[2]);
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused_before_it_travels() {
    let county = MisbehavingNetwork::new(1, InjectedRates::default()).join(path("1.5"), false);
    let mut message = entries("1.5", 0);
    message.body = vec![0; MAX_BODY_BYTES + 1];
    assert_eq!(
        county.publish(&message).await.unwrap_err().code(),
        "link.too_large"
    );
}
