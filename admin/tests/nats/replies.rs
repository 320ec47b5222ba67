//! What a reply subject can do: nothing outside the unit's own account.
//!
//! nats-server does not check the *reply* subject of a publish and publishes its answer there by
//! itself. In one account with the streams an answer under `$JS.API.STREAM.DELETE.CS_UP` was a
//! request of the server's own: one line of one county deleted the streams of the whole federation.

use async_nats::client::Request;
use async_nats::{Client, Message, Subscriber};
use futures_util::StreamExt as _;
use node::link::{DownKind, Subject, access};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::world::{
    CITY, COUNTY_A, COUNTY_B, PROVINCE, World, cannot_publish, message, path, send, text,
};

/// JetStream's API (nats-server 2.15), each request that changes, reads or takes something, for
/// what exists here.
const API: [&str; 45] = [
    "INFO",
    "STREAM.CREATE.CS_UP",
    "STREAM.CREATE.MINE",
    "STREAM.UPDATE.CS_UP",
    "STREAM.NAMES",
    "STREAM.LIST",
    "STREAM.INFO.CS_UP",
    "STREAM.DELETE.CS_UP",
    "STREAM.DELETE.CS_DOWN",
    "STREAM.PURGE.CS_UP",
    "STREAM.PURGE.CS_DOWN",
    "STREAM.SNAPSHOT.CS_UP",
    "STREAM.RESTORE.CS_UP",
    "STREAM.MSG.DELETE.CS_UP",
    "STREAM.MSG.GET.CS_UP",
    "STREAM.PEER.REMOVE.CS_UP",
    "STREAM.LEADER.STEPDOWN.CS_UP",
    "STREAM.TEMPLATE.CREATE.T",
    "STREAM.TEMPLATE.DELETE.T",
    "STREAM.TEMPLATE.NAMES",
    "DIRECT.GET.CS_UP",
    "CONSUMER.CREATE.CS_UP",
    "CONSUMER.CREATE.CS_UP.up_140300",
    "CONSUMER.CREATE.CS_UP.mine.cs.v1.up.>",
    "CONSUMER.DURABLE.CREATE.CS_UP.up_140300",
    "CONSUMER.DURABLE.CREATE.CS_DOWN.down_140322",
    "CONSUMER.NAMES.CS_UP",
    "CONSUMER.LIST.CS_UP",
    "CONSUMER.INFO.CS_UP.up_140300",
    "CONSUMER.DELETE.CS_UP.up_140000",
    "CONSUMER.DELETE.CS_UP.up_140300",
    "CONSUMER.DELETE.CS_DOWN.down_140300",
    "CONSUMER.DELETE.CS_DOWN.down_140321",
    "CONSUMER.DELETE.CS_DOWN.down_140322",
    "CONSUMER.PAUSE.CS_DOWN.down_140322",
    "CONSUMER.RESET.CS_DOWN.down_140322",
    "CONSUMER.UNPIN.CS_DOWN.down_140322",
    "CONSUMER.MSG.NEXT.CS_UP.up_140000",
    "CONSUMER.MSG.NEXT.CS_DOWN.down_140322",
    "CONSUMER.LEADER.STEPDOWN.CS_UP.up_140300",
    "META.LEADER.STEPDOWN",
    "SERVER.REMOVE",
    "ACCOUNT.PURGE.COUNTERSIGN",
    "ACCOUNT.STREAM.MOVE.COUNTERSIGN.CS_UP",
    "ACCOUNT.STREAM.CANCEL_MOVE.COUNTERSIGN.CS_UP",
];

/// Subjects of others which an answer could be planted under, or answer for somebody else.
const OF_OTHERS: [&str; 8] = [
    "cs.v1.up.140000.140300.140322.rollup",
    "cs.v1.up.140000.140300.140322.entries.0",
    "cs.v1.down.140000.140300.140322.receipt",
    "cs.v1.down.140000.registry",
    "cs.js.next.down_140322",
    "cs.js.next.up_140000",
    "_INBOX.140322.x",
    "$SYS.REQ.CLAIMS.DELETE",
];

/// Those of [`OF_OTHERS`] that the unit itself may not publish to.
fn of_others<'a>(unit: &str) -> impl Iterator<Item = &'a str> {
    let path = path(unit);
    let has_children = unit != COUNTY_A;
    let locals = access::publish_permissions(&path, has_children);
    OF_OTHERS.into_iter().filter(move |subject| {
        let parsed = subject.parse::<Subject>();
        let may = parsed.is_ok_and(|s| access::may_publish(&path, has_children, &s));
        !may && !locals.iter().any(|local| local == subject)
    })
}

/// The streams and consumers: how they are configured and when they were made.
async fn what_stands(world: &World) -> Vec<Value> {
    let mut all = Vec::new();
    for stream in [access::STREAM_UP, access::STREAM_DOWN] {
        let info = world.api(&format!("STREAM.INFO.{stream}"), "").await;
        all.extend([info["config"].clone(), info["created"].clone()]);
    }
    for (unit, has_children, _) in &world.users {
        for (stream, consumer, _) in access::consumers(unit, *has_children) {
            let info = world
                .api(&format!("CONSUMER.INFO.{stream}.{consumer}"), "")
                .await;
            all.extend([info["config"].clone(), info["created"].clone()]);
            assert!(info["error"].is_null(), "{consumer}: {info}");
        }
    }
    let consumers = world.api("CONSUMER.NAMES.CS_UP", "").await["consumers"].clone();
    all.push(consumers);
    all
}

/// Has the server answer under this subject in every way that a unit has: as the answer to a
/// report, to a pull from a consumer with nothing in it, and to a question about the consumer.
async fn answers_under(client: &Client, unit: &str, consumer: &str, reply: &str) {
    let pull = r#"{"batch":1,"no_wait":true}"#;
    let own = format!("cs.v1.up.{unit}.rollup");
    for (subject, body) in [
        (own, r#"{"batch":1,"no_wait":true}"#),
        (access::next_subject(consumer), pull),
        (access::info_subject(consumer), ""),
        (access::info_subject("holders_CS_UP"), ""),
    ] {
        client
            .publish_with_reply(subject, reply.to_owned(), body.into())
            .await
            .unwrap();
    }
    client.flush().await.unwrap();
}

/// Every request of JetStream's API, and the subjects of others, directly and as a reply, by a
/// county, a city and the province: nothing changes, nothing is read, nothing is taken away.
#[tokio::test(flavor = "multi_thread")]
async fn no_answer_of_the_server_is_a_request() {
    let world = World::started("reply").await;
    let before = what_stands(&world).await;
    for (unit, consumer) in [
        (COUNTY_A, "down_140321"),
        (CITY, "down_140300"),
        (CITY, "up_140300"),
        (PROVINCE, "up_140000"),
    ] {
        let inbox = format!("_INBOX.{}", path(unit).unit());
        let mut insider = world.raw(world.seed(unit), &inbox).await;
        let api = API.map(|request| format!("$JS.API.{request}"));
        let others = of_others(unit);
        let all: Vec<&str> = api.iter().map(String::as_str).chain(others).collect();
        cannot_publish(&mut insider, all.iter().copied()).await;
        for subject in all {
            answers_under(&insider.0, unit, consumer, subject).await;
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(what_stands(&world).await, before);
    // Only what units published under their own subjects is stored.
    let own = [PROVINCE, CITY, COUNTY_A].map(|u| format!("cs.v1.up.{u}.rollup"));
    assert_eq!(world.subjects("CS_UP").await, BTreeSet::from(own));
    assert_eq!(world.stored("CS_DOWN").await, 0, "nothing was planted");
}

/// A delivery goes where the request says, and an insider of the city can choose its bytes, because
/// its own entries come back to it: not even a request with a body of its choice reaches the API, or
/// acknowledges for anybody.
#[tokio::test(flavor = "multi_thread")]
async fn no_delivery_is_a_request() {
    let world = World::started("pull-reply").await;
    let a = world.link(COUNTY_A).await;
    let (client, mut events) = world.raw(world.seed(CITY), "_INBOX.140300").await;
    let before = what_stands(&world).await;
    let mut stored = world.stored("CS_UP").await;
    let api = API.map(|request| format!("$JS.API.{request}"));
    for target in api.iter().map(String::as_str).chain(of_others(CITY)) {
        client
            .request(format!("cs.v1.up.{CITY}.entries.0"), r#"{"seq":1}"#.into())
            .await
            .unwrap();
        stored += 1;
        client
            .publish_with_reply(
                access::next_subject("up_140300"),
                target.to_owned(),
                r#"{"batch":1,"no_wait":true}"#.into(),
            )
            .await
            .unwrap();
        client.flush().await.unwrap();
    }
    assert!(events.try_recv().is_err());
    // The server refuses a reply subject that would acknowledge for another.
    for ack in [
        "$JS.ACK.CS_DOWN.down_140321.1.1.1.1.0",
        "$JS.ACK.CS_UP.up_140000.1.1.1.1.0",
    ] {
        let own = format!("cs.v1.up.{CITY}.rollup");
        client
            .publish_with_reply(own, ack, "x".into())
            .await
            .unwrap();
        client.flush().await.unwrap();
        let refusal = events.recv().await.unwrap();
        assert!(
            refusal.contains(&format!("with Reply of \"{ack}\"")),
            "{refusal}"
        );
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(what_stands(&world).await, before);
    assert_eq!(
        (world.stored("CS_UP").await, world.stored("CS_DOWN").await),
        (stored, 0)
    );
    // The county gets its receipt as ever, and the city's own consumer still gives.
    let city = world.link(CITY).await;
    let receipt = Subject::down(path(COUNTY_A), DownKind::Receipt);
    send(&city, &message(receipt, "receipt")).await;
    assert_eq!(text(&a).await, "receipt");
    let b = world.link(COUNTY_B).await;
    let rollup = Subject::up(path(COUNTY_B), node::link::UpKind::Rollup);
    send(&b, &message(rollup, "b")).await;
    assert_eq!(text(&city).await, "b");
}

/// An account without JetStream answers `$JS.API` by itself, with "not enabled": under the names
/// that nodes use there is one answer, the true one.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_has_one_answer() {
    let world = World::started("one-answer").await;
    let (client, _events) = world.raw(world.seed(CITY), "_INBOX.140300").await;
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await.unwrap();
    let question = access::info_subject("up_140300");
    client
        .publish_with_reply(question, inbox, "".into())
        .await
        .unwrap();
    let first = within_a_second(&mut answers).await.expect("an answer");
    let info: Value = serde_json::from_slice(&first.payload).unwrap();
    assert_eq!(info["name"], "up_140300", "{info}");
    assert!(
        within_a_second(&mut answers).await.is_none(),
        "a second answer"
    );
    let request = Request::new().payload(r#"{"batch":1,"no_wait":true}"#.into());
    let request = request.inbox(client.new_inbox());
    let none = client
        .send_request(access::next_subject("up_140300"), request)
        .await
        .unwrap();
    assert_eq!(none.status.map(|s| s.as_u16()), Some(404), "{none:?}");
}

/// The next answer within a second.
async fn within_a_second(answers: &mut Subscriber) -> Option<Message> {
    let next = tokio::time::timeout(Duration::from_secs(1), answers.next());
    next.await.ok().flatten()
}
