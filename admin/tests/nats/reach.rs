//! Whom messages reach, and how often they are stored.

use std::time::Duration;

use node::link::{Connection, DownKind, Durability, NatsLink, Subject, UpKind};

use crate::world::{
    CITY, COUNTY_A, COUNTY_B, PROVINCE, World, message, next, path, send, send_down, send_up,
    silent, text,
};

#[tokio::test(flavor = "multi_thread")]
async fn every_message_reaches_those_it_is_meant_for_and_nobody_else() {
    let world = World::started("reach").await;
    assert_eq!(
        world.provision().await.created,
        Vec::<String>::new(),
        "the second time nothing is new"
    );
    let links = Links {
        province: world.link(PROVINCE).await,
        city: world.link(CITY).await,
        a: world.link(COUNTY_A).await,
        b: world.link(COUNTY_B).await,
    };
    upwards(&links).await;
    downwards(&links).await;
    // Put off, then taken, then gone.
    send_down(&links.city, COUNTY_B, DownKind::Receipt, "receipt-b").await;
    let incoming = next(&links.b).await;
    incoming
        .ack
        .retry(Duration::from_millis(200))
        .await
        .unwrap();
    assert_eq!(text(&links.b).await, "receipt-b");
    nothing_is_left(&world, &links).await;
}

/// The links of all units.
struct Links {
    province: NatsLink,
    city: NatsLink,
    a: NatsLink,
    b: NatsLink,
}

async fn upwards(links: &Links) {
    let Links {
        province,
        city,
        a,
        b,
    } = links;
    send_up(a, COUNTY_A, UpKind::Rollup, "a-rollup").await;
    assert_eq!(text(city).await, "a-rollup");
    assert_eq!(text(province).await, "a-rollup");
    send_up(b, COUNTY_B, UpKind::Entries(256), "b-entries").await;
    send_up(b, COUNTY_B, UpKind::Checkpoint, "b-checkpoint").await;
    for above in [city, province] {
        assert_eq!(text(above).await, "b-entries");
        assert_eq!(text(above).await, "b-checkpoint");
    }
    // The city's own messages go to the province and do not come back to the city, not even its
    // entries.
    send_up(city, CITY, UpKind::Entries(0), "city-entries").await;
    send_up(city, CITY, UpKind::Rollup, "city-rollup").await;
    assert_eq!(text(province).await, "city-entries");
    assert_eq!(text(province).await, "city-rollup");
}

async fn downwards(links: &Links) {
    let Links {
        province,
        city,
        a,
        b,
    } = links;
    send_down(city, COUNTY_A, DownKind::Receipt, "receipt-a").await;
    assert_eq!(text(a).await, "receipt-a");
    send_down(province, CITY, DownKind::Receipt, "receipt-city").await;
    assert_eq!(text(city).await, "receipt-city");
    for kind in DownKind::BROADCAST {
        send_down(province, PROVINCE, kind, kind.word()).await;
        for below in [city, a, b] {
            assert_eq!(text(below).await, kind.word());
        }
    }
    send_down(city, CITY, DownKind::Plan, "city-plan").await;
    assert_eq!(text(a).await, "city-plan");
    assert_eq!(text(b).await, "city-plan");
}

async fn nothing_is_left(world: &World, links: &Links) {
    for link in [&links.province, &links.city, &links.a, &links.b] {
        assert!(silent(link).await);
        let state = link.state();
        assert_eq!(
            (state.connection, state.durability, state.trouble),
            (Connection::Connected, Durability::Always, None)
        );
    }
    for consumer in ["CS_UP.up_140000", "CS_UP.up_140300", "CS_DOWN.down_140321"] {
        let info = world.api(&format!("CONSUMER.INFO.{consumer}"), "").await;
        let pending = (
            info["num_ack_pending"].as_u64(),
            info["num_pending"].as_u64(),
        );
        assert_eq!(pending, (Some(0), Some(0)), "{consumer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_message_id_is_stored_once() {
    let world = World::started("twice").await;
    let (city, a) = (world.link(CITY).await, world.link(COUNTY_A).await);
    let rollup = message(Subject::up(path(COUNTY_A), UpKind::Rollup), "once");
    send(&a, &rollup).await;
    send(&a, &rollup).await;
    assert_eq!((a.state().published, a.state().duplicates), (2, 1));
    assert_eq!(text(&city).await, "once");
    assert!(silent(&city).await);
    assert_eq!(world.stored("CS_UP").await, 1);
}

/// A stream knows one list of ids, whoever publishes. A county that knows what another one, or its
/// city, is going to send must not be able to use up its id: the server would acknowledge the true
/// message and drop it.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_uses_up_the_id_of_another_ones_message() {
    let world = World::started("ids").await;
    let (city, a) = (world.link(CITY).await, world.link(COUNTY_A).await);
    let (b, _events) = world.raw(world.seed(COUNTY_B), "_INBOX.140322").await;
    let steal = async |id: &str| {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Nats-Msg-Id", id);
        let request = async_nats::client::Request::new()
            .headers(headers)
            .payload("stolen".into());
        let ack = b
            .send_request(format!("cs.v1.up.{COUNTY_B}.rollup"), request)
            .await
            .unwrap();
        let ack: serde_json::Value = serde_json::from_slice(&ack.payload).unwrap();
        assert_eq!(ack["stream"], "CS_UP", "{ack}");
        ack["duplicate"] == true
    };
    let truth = message(Subject::up(path(COUNTY_A), UpKind::Rollup), "truth");
    assert!(!steal(&truth.msg_id).await);
    assert!(
        steal(&truth.msg_id).await,
        "a second message with that id is dropped: the server does remember it"
    );
    send(&a, &truth).await;
    assert_eq!(a.state().duplicates, 0);
    assert_eq!(text(&city).await, "stolen");
    assert_eq!(text(&city).await, "truth");

    // An id holds for one process: what the next one sends again is stored once more.
    let again = world.link(COUNTY_A).await;
    send(&again, &truth).await;
    assert_eq!(again.state().duplicates, 0);
    assert_eq!(text(&city).await, "truth");
}
