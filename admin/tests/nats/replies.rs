//! What reply subjects can and cannot do: limits of NATS, pinned.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use node::link::{DownKind, Subject};

use crate::world::{CITY, COUNTY_A, COUNTY_B, World, message, path, send, text};

/// A known limit of NATS, pinned here so that nobody builds on the opposite: the server does not
/// check the *reply* subject of a publish, so a unit can make the server itself put its own answers
/// under another unit's subject. It does not reach the API that way. Hence: subjects prove nothing,
/// signatures do; and an outbox ends with a signed receipt, not with an ack.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_reply_subject_can_and_cannot_do() {
    let world = World::started("reply").await;
    let (client, mut events) = world.raw(world.seed(COUNTY_A), "_INBOX.140321").await;
    let own = format!("cs.v1.up.{COUNTY_A}.rollup");
    let victim = format!("cs.v1.up.{COUNTY_B}.rollup");
    for reply in [
        victim.as_str(),
        "$JS.API.STREAM.DELETE.CS_DOWN",
        "$JS.API.CONSUMER.DELETE.CS_UP.up_140300",
    ] {
        client
            .publish_with_reply(own.clone(), reply.to_owned(), "mine".into())
            .await
            .unwrap();
        client.flush().await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(events.try_recv().is_err());
    assert_eq!(
        world.stored("CS_UP").await,
        4,
        "three of its own and one answer of the server"
    );
    let planted = world
        .api(
            "STREAM.MSG.GET.CS_UP",
            &format!(r#"{{"last_by_subj":"{victim}"}}"#),
        )
        .await;
    // base64 of {"stream":"CS_UP","seq":1}: the server's words, not the county's.
    assert_eq!(
        planted["message"]["data"], "eyJzdHJlYW0iOiJDU19VUCIsInNlcSI6MX0=",
        "{planted}"
    );
    // The streams and the city's consumer are still there.
    assert_eq!(world.stored("CS_DOWN").await, 0);
    assert!(world.api("CONSUMER.INFO.CS_UP.up_140300", "").await["error"].is_null());
    // Nor did the server's "no messages" answer pass for the city's answer to a delivery.
    let (city, _city_events) = world.raw(world.seed(CITY), "_INBOX.140300").await;
    let one = r#"{"batch":1,"no_wait":true}"#;
    let request = async_nats::client::Request::new()
        .payload(one.into())
        .inbox(city.new_inbox());
    let delivery = city
        .send_request("$JS.API.CONSUMER.MSG.NEXT.CS_UP.up_140300", request)
        .await
        .unwrap();
    let ack = delivery.reply.unwrap();
    client
        .publish_with_reply(
            "$JS.API.CONSUMER.MSG.NEXT.CS_DOWN.down_140321",
            ack,
            one.into(),
        )
        .await
        .unwrap();
    client.flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let info = world.api("CONSUMER.INFO.CS_UP.up_140300", "").await;
    assert_eq!(info["num_ack_pending"], 1, "{info}");
}

/// As the test of reply subjects above, by pulling: JetStream's delivery goes where the request
/// says, and an insider of the city can choose its bytes, because its own entries come back to it.
/// So it can plant bytes of its choice under any unit's subject: a limit of NATS that is pinned
/// here, and why nodes believe signatures and never subjects. It reaches no API, acknowledges for
/// nobody else, and takes nothing away from anybody.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_pull_with_a_foreign_reply_can_and_cannot_do() {
    let world = World::started("pull-reply").await;
    let a = world.link(COUNTY_A).await;
    let (client, mut events) = world.raw(world.seed(CITY), "_INBOX.140300").await;
    let api = "$JS.API.CONSUMER.MSG.NEXT.CS_UP.up_140300";
    let own = format!("cs.v1.up.{CITY}.entries.0");
    let targets = [
        "$JS.API.STREAM.DELETE.CS_DOWN",
        "$JS.API.STREAM.PURGE.CS_DOWN",
        "$JS.API.CONSUMER.DELETE.CS_DOWN.down_140321",
        "$JS.API.CONSUMER.CREATE.CS_DOWN.down_140321",
        "$JS.ACK.CS_DOWN.down_140321.1.1.1.1.0",
        "cs.v1.down.140000.registry",
        "cs.v1.up.140000.140300.140322.rollup",
    ];
    for target in targets {
        client
            .request(own.clone(), r#"{"chosen":"bytes"}"#.into())
            .await
            .unwrap();
        client
            .publish_with_reply(api, target, r#"{"batch":1,"no_wait":true}"#.into())
            .await
            .unwrap();
        client.flush().await.unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(15);
    let info = || async { world.api("CONSUMER.INFO.CS_UP.up_140300", "").await };
    while info().await["delivered"]["consumer_seq"].as_u64() < Some(5) {
        assert!(
            Instant::now() < deadline,
            "the server did not even deliver: {}",
            info().await
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Of the reply subjects the server refuses those that would acknowledge for another, and looks
    // at no other.
    let refusal = events.recv().await.unwrap();
    assert!(
        refusal.contains("with Reply of \"$JS.ACK.CS_DOWN.down_140321"),
        "{refusal}"
    );
    assert!(events.try_recv().is_err());
    // Planted: one under the other county's subject, one under the province's. The API took none of
    // it for a request.
    assert_eq!(
        (world.stored("CS_UP").await, world.stored("CS_DOWN").await),
        (targets.len() as u64 + 1, 1)
    );
    let down = world.api("CONSUMER.INFO.CS_DOWN.down_140321", "").await;
    assert_eq!(
        down["config"]["filter_subjects"].as_array().map(Vec::len),
        Some(7),
        "{down}"
    );
    // The county behind that consumer gets its receipt as ever.
    let city = world.link(CITY).await;
    send(
        &city,
        &message(Subject::down(path(COUNTY_A), DownKind::Receipt), "receipt"),
    )
    .await;
    let mut got = BTreeSet::new();
    while !got.contains("receipt") {
        got.insert(text(&a).await);
    }
}
