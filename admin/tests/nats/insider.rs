//! What an insider of a unit can try beyond plain subjects.

use async_nats::Client;
use node::link::{DownKind, UpKind};
use tokio::sync::mpsc;

use crate::world::{
    CITY, COUNTY_A, COUNTY_B, World, cannot_publish, refusal, send_down, send_up, silent, text,
};

/// No wildcard, no queue group, no other spelling reaches further than the own inbox.
const SUBSCRIPTIONS: [&str; 34] = [
    ">",
    "*",
    "*.>",
    "cs.>",
    "cs.*.up.>",
    "*.v1.up.140000.140300.140322.rollup",
    "cs.v1.*.140000.140300.*.*",
    "cs.v1.up.*.*.*.rollup",
    "cs.v1.down.140000.140300.140321.receipt",
    "cs.v1.down.140000.140300.140322.receipt",
    "_INBOX.*",
    "_INBOX.*.>",
    "_INBOX.140321",
    "_INBOX.140300.>",
    "_INBOX.operator.>",
    "_INBOX.14032*.>",
    "_inbox.140321.>",
    "_INBOX.>.140321",
    "$JS.API.>",
    "$JS.ACK.>",
    "$JS.EVENT.ADVISORY.>",
    "$JS.EVENT.>",
    "$JS.FC.>",
    "$SYS.>",
    "$SYS.ACCOUNT.*.>",
    "$SYS.REQ.USER.INFO",
    "$SRV.>",
    "$KV.>",
    "$O.>",
    "$MQTT.>",
    "_R_.>",
    "_GR_.>",
    "$JSC.>",
    "$NRG.>",
];

/// Subjects near what is its own, or of the API.
const PUBLICATIONS: [&str; 57] = [
    "cs.v1.up.140000.140300.140321",
    "cs.v1.up.140000.140300.140321.entries.0.0",
    "cs.v1.up.140000.140300.140321.rollup.x",
    "cs.v1.up.140000.140300.140321.ROLLUP",
    "CS.v1.up.140000.140300.140321.rollup",
    "cs.v2.up.140000.140300.140321.rollup",
    "cs.v1.up.140000.140300.140322.entries.0",
    "cs.v1.down.140000.140300.140321.receipt",
    "cs.v1.down.140000.140300.140322.receipt",
    "cs.js.next.down_140300",
    "cs.js.next.up_140300",
    "cs.js.next.>",
    "cs.js.info.down_140322",
    "cs.js.info.holders_CS_DOWN",
    "cs.js.next.holders_CS_UP",
    "$JS.API.CONSUMER.MSG.NEXT.CS_DOWN.down_140321",
    "$JS.API.CONSUMER.INFO.CS_DOWN.down_140321",
    "$JS.API.CONSUMER.MSG.NEXT.CS_DOWN.down_140300",
    "$JS.API.CONSUMER.MSG.NEXT.CS_UP.up_140300",
    "$JS.API.CONSUMER.UNPIN.CS_DOWN.down_140321",
    "$JS.API.CONSUMER.NAMES.CS_DOWN",
    "$JS.API.CONSUMER.LIST.CS_DOWN",
    "$JS.API.CONSUMER.INFO.CS_DOWN.down_140322",
    "$JS.API.CONSUMER.CREATE.CS_UP.down_140321.>",
    "$JS.API.CONSUMER.CREATE.CS_DOWN.mine.cs.v1.down.140000.140300.140322.receipt",
    "$JS.API.CONSUMER.DURABLE.CREATE.CS_DOWN.down_140321",
    "$JS.API.CONSUMER.DELETE.CS_UP.up_140300",
    "$JS.API.CONSUMER.RESET.CS_UP.up_140300",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.TEMPLATE.NAMES",
    "$JS.API.STREAM.RESTORE.CS_UP",
    "$JS.API.STREAM.PEER.REMOVE.CS_UP",
    "$JS.API.STREAM.LEADER.STEPDOWN.CS_UP",
    "$JS.API.STREAM.CREATE.CS_UP",
    "$JS.API.STREAM.DELETE.CS_DOWN",
    "$JS.API.STREAM.PURGE.CS_UP",
    "$JS.API.DIRECT.GET.CS_DOWN",
    "$JS.API.DIRECT.GET.CS_DOWN.cs.v1.down.140000.140300.140322.receipt",
    "$JS.API.STREAM.MSG.GET.CS_DOWN",
    "$JS.API.META.LEADER.STEPDOWN",
    "$JS.API.SERVER.REMOVE",
    "$JS.API.ACCOUNT.PURGE.COUNTERSIGN",
    "$JS.API.ACCOUNT.STREAM.MOVE.COUNTERSIGN.CS_UP",
    "$JS.API.INFO",
    "$JS.ACK.CS_UP.up_140300.1.1.1.1.0",
    "$JS.ACK.CS_DOWN.down_140322.1.1.1.1.0",
    "$JS.ACK.CS_DOWN.down_140321",
    "$JS.ACK._.h.CS_DOWN.down_140322.1.1.1.1.0.x",
    "$JS.FC.CS_DOWN.down_140321.x",
    "$SYS.REQ.USER.INFO",
    "$SYS.REQ.ACCOUNT.PING.CONNZ",
    "$SYS.REQ.SERVER.PING.VARZ",
    "$SYS.REQ.CLAIMS.DELETE",
    "$SYS.DEBUG.SUBSCRIBERS",
    "_INBOX.140300.x",
    "_INBOX.operator.x",
    "_INBOX.140321.x",
];

/// More than subjects: what an insider of a unit can try with wildcards, other people's inboxes and
/// requests, headers, JetStream's API and its answers. Each is refused, or shown to touch nobody
/// else.
#[tokio::test(flavor = "multi_thread")]
async fn an_insider_tries_the_doors() {
    let world = World::started("doors").await;
    let (city, a) = (world.link(CITY).await, world.link(COUNTY_A).await);
    let b = world.link(COUNTY_B).await;
    send_up(&b, COUNTY_B, UpKind::Rollup, "b-rollup").await;
    drop(b);
    send_down(&city, COUNTY_B, DownKind::Receipt, "receipt-b").await;
    assert_eq!(text(&city).await, "b-rollup");
    let mut insider = world.raw(world.seed(COUNTY_A), "_INBOX.140321").await;
    let streams = (world.stored("CS_UP").await, world.stored("CS_DOWN").await);

    cannot_subscribe(&mut insider).await;
    cannot_publish(&mut insider, PUBLICATIONS).await;
    send_up(&a, COUNTY_A, UpKind::Rollup, "first").await;
    let (client, mut events) = insider;
    headers_ask_in_vain(&client).await;
    nothing_of_others_is_pulled(&client).await;

    assert!(events.try_recv().is_err());
    assert_eq!(
        (world.stored("CS_UP").await, world.stored("CS_DOWN").await),
        (streams.0 + 1, streams.1)
    );
    // The others never noticed anything: the city gets what was sent, once.
    assert_eq!(text(&city).await, "first");
    assert!(silent(&city).await);
    assert_eq!(text(&world.link(COUNTY_B).await).await, "receipt-b");
}

async fn cannot_subscribe((client, events): &mut (Client, mpsc::UnboundedReceiver<String>)) {
    for subject in SUBSCRIPTIONS {
        for queue in [None, Some("workers")] {
            let line = match queue {
                None => client.subscribe(subject).await,
                Some(q) => client.queue_subscribe(subject, q.to_owned()).await,
            };
            // What the client itself refuses does not reach the server.
            let Ok(_subscription) = line else { continue };
            client.flush().await.unwrap();
            let refusal = refusal(events, &format!("subscribe to {subject} {queue:?}")).await;
            assert!(
                refusal.contains("Permissions Violation for Subscription"),
                "{refusal}"
            );
        }
    }
}

/// Headers that ask the stream for more than storing: replacing what is there, a time to live, a
/// schedule, a batch.
async fn headers_ask_in_vain(client: &Client) {
    let own = format!("cs.v1.up.{COUNTY_A}.rollup");
    for headers in [
        &[("Nats-Rollup", "all")][..],
        &[("Nats-Rollup", "sub")],
        &[("Nats-TTL", "1s")],
        &[
            ("Nats-Schedule", "@at 2030-01-01T00:00:00Z"),
            (
                "Nats-Schedule-Target",
                "cs.v1.up.140000.140300.140322.rollup",
            ),
        ],
        &[("Nats-Incr", "+1")],
        &[
            ("Nats-Batch-Id", "x"),
            ("Nats-Batch-Sequence", "1"),
            ("Nats-Batch-Commit", "1"),
        ],
    ] {
        let mut map = async_nats::HeaderMap::new();
        headers.iter().for_each(|(k, v)| map.insert(*k, *v));
        let answer = client
            .request_with_headers(own.clone(), map, "{}".into())
            .await
            .unwrap();
        assert!(
            String::from_utf8_lossy(&answer.payload).contains("\"error\""),
            "{headers:?}: {answer:?}"
        );
    }
}

/// Its own consumer gives it nothing of others: the receipt of the other county is not among what it
/// can pull.
async fn nothing_of_others_is_pulled(client: &Client) {
    let request = async_nats::client::Request::new()
        .payload(r#"{"batch":10,"no_wait":true}"#.into())
        .inbox(client.new_inbox());
    let answer = client
        .send_request("cs.js.next.down_140321", request)
        .await
        .unwrap();
    assert_eq!(answer.status.map(|s| s.as_u16()), Some(404), "{answer:?}");
}
