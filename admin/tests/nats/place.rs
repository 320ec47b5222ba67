//! A unit's place: what its key opens at the server, and nothing else.

use async_nats::ConnectOptions;
use node::link::{Subject, Transport, UpKind};

use admin::nats::create_user;

use crate::world::{
    CITY, COUNTY_A, COUNTY_B, PROVINCE, World, cannot_publish, message, path, refusal,
};

/// Subjects that no unit may publish to.
const CLOSED_TO_ALL: [&str; 27] = [
    "$JS.API.INFO",
    "$JS.API.STREAM.CREATE.MINE",
    "$JS.API.STREAM.UPDATE.CS_UP",
    "$JS.API.STREAM.DELETE.CS_UP",
    "$JS.API.STREAM.PURGE.CS_DOWN",
    "$JS.API.STREAM.INFO.CS_UP",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.MSG.GET.CS_UP",
    "$JS.API.STREAM.MSG.DELETE.CS_UP",
    "$JS.API.DIRECT.GET.CS_UP",
    "$JS.API.STREAM.SNAPSHOT.CS_UP",
    "$JS.API.CONSUMER.CREATE.CS_UP",
    "$JS.API.CONSUMER.CREATE.CS_UP.mine",
    "$JS.API.CONSUMER.CREATE.CS_DOWN.down_140321",
    "$JS.API.CONSUMER.DURABLE.CREATE.CS_UP.mine",
    "$JS.API.CONSUMER.DELETE.CS_DOWN.down_140321",
    "$JS.API.CONSUMER.INFO.CS_UP",
    "$JS.API.CONSUMER.INFO.CS_DOWN.down_140322",
    "$JS.API.CONSUMER.LIST.CS_UP",
    "$JS.API.CONSUMER.NAMES.CS_UP",
    "$JS.API.CONSUMER.PAUSE.CS_DOWN.down_140321",
    "$JS.API.CONSUMER.MSG.NEXT.CS_DOWN.down_140322",
    "$JS.ACK.CS_DOWN.down_140322.1.1.1.1.0",
    "$JS.ACK.CS_UP.up_999.1.1.1.1.0",
    "$SYS.REQ.SERVER.PING",
    "_INBOX.140322.x.y",
    "anything",
];

/// Subjects that no unit may subscribe to.
const NO_SUBSCRIPTION: [&str; 8] = [
    "_INBOX.140322.>",
    "_INBOX.>",
    ">",
    "cs.v1.up.>",
    "cs.v1.down.>",
    "$JS.>",
    "$SYS.>",
    "_INBOX.140321x.>",
];

/// A subject of a unit's messages to those above it.
fn up(unit: &str, kind: &str) -> String {
    format!("cs.v1.up.{unit}.{kind}")
}

/// A subject of messages to a unit.
fn down(unit: &str, kind: &str) -> String {
    format!("cs.v1.down.{unit}.{kind}")
}

/// What a unit may publish.
fn own(unit: &str) -> Vec<String> {
    let kinds = ["rollup", "checkpoint", "entries.0", "entries.256"];
    kinds.iter().map(|k| up(unit, k)).collect()
}

/// Some of what the county must not publish to.
fn foreign_to_county() -> Vec<String> {
    own(COUNTY_B)
        .into_iter()
        .chain(own(CITY))
        .chain(own(PROVINCE))
        .chain([
            up(COUNTY_A, "receipt"),
            up(COUNTY_A, "entries"),
            up(COUNTY_A, "x.rollup"),
            up("140321", "rollup"),
            down(COUNTY_A, "receipt"),
            down(COUNTY_A, "plan"),
            down(COUNTY_A, "x.receipt"),
            down(COUNTY_B, "receipt"),
            down(CITY, "registry"),
            down(PROVINCE, "catalogue"),
            "$JS.API.CONSUMER.MSG.NEXT.CS_UP.up_140300".to_owned(),
            "$JS.API.CONSUMER.MSG.NEXT.CS_UP.up_140321".to_owned(),
            "$JS.API.CONSUMER.INFO.CS_UP.up_140300".to_owned(),
            "$JS.API.CONSUMER.INFO.CS_UP.down_140321".to_owned(),
            "$JS.ACK.CS_UP.up_140300.1.1.1.1.0".to_owned(),
        ])
        .collect()
}

/// The same for the city.
fn foreign_to_city() -> Vec<String> {
    own(COUNTY_A)
        .into_iter()
        .chain(own(PROVINCE))
        .chain([
            down(CITY, "receipt"),
            down(COUNTY_A, "plan"),
            down(COUNTY_A, "x.receipt"),
            down(PROVINCE, "plan"),
            down("140000.140400.140401", "receipt"),
            "$JS.API.CONSUMER.MSG.NEXT.CS_UP.up_140000".to_owned(),
            "$JS.API.CONSUMER.MSG.NEXT.CS_DOWN.down_140321".to_owned(),
            "$JS.API.CONSUMER.INFO.CS_UP.up_140000".to_owned(),
            "$JS.API.CONSUMER.INFO.CS_DOWN.down_140321".to_owned(),
        ])
        .collect()
}

/// The same for the province.
fn foreign_to_province() -> Vec<String> {
    own(COUNTY_A)
        .into_iter()
        .chain(own(CITY))
        .chain([
            down(COUNTY_A, "receipt"),
            down(CITY, "plan"),
            "$JS.API.CONSUMER.INFO.CS_UP.up_140300".to_owned(),
        ])
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_cannot_leave_its_place() {
    let world = World::started("place").await;
    stays_in_place(&world, COUNTY_A, &foreign_to_county()).await;
    stays_in_place(&world, CITY, &foreign_to_city()).await;
    stays_in_place(&world, PROVINCE, &foreign_to_province()).await;
    assert_eq!(world.stored("CS_DOWN").await, 0);

    // Not even the operator can thin out what is stored.
    let refused = world.api("STREAM.MSG.DELETE.CS_UP", r#"{"seq":1}"#).await;
    assert!(refused["error"].is_object(), "{refused}");
    let refused = world.api("STREAM.PURGE.CS_UP", "").await;
    assert!(refused["error"].is_object(), "{refused}");

    // A key that is not in the configuration does not come in at all.
    let stranger = ConnectOptions::new()
        .nkey(create_user().unwrap().seed.to_string())
        .connect(world.url())
        .await;
    assert!(stranger.is_err());

    // The link itself stops a foreign subject before it reaches the server.
    let link = world.link(COUNTY_A).await;
    let foreign = link
        .publish(&message(Subject::up(path(COUNTY_B), UpKind::Rollup), "x"))
        .await
        .unwrap_err();
    assert_eq!(
        (foreign.code().as_str(), foreign.is_retryable()),
        ("link.foreign", false)
    );
}

/// A client with the unit's key publishes and subscribes to nothing foreign, and stores each of its
/// own.
async fn stays_in_place(world: &World, unit: &str, foreign: &[String]) {
    let inbox = format!("_INBOX.{}", path(unit).unit());
    let mut insider = world.raw(world.seed(unit), &inbox).await;
    let foreign = foreign.iter().map(String::as_str);
    cannot_publish(&mut insider, foreign.chain(CLOSED_TO_ALL)).await;
    let (client, mut events) = insider;
    for subject in NO_SUBSCRIPTION {
        let _subscription = client.subscribe(subject).await.unwrap();
        client.flush().await.unwrap();
        let refusal = refusal(&mut events, &format!("subscribe to {subject}")).await;
        assert!(
            refusal.contains("Permissions Violation for Subscription"),
            "{refusal}"
        );
    }
    // What is its own is stored, each of it.
    let before = world.stored("CS_UP").await;
    for subject in own(unit) {
        let ack = client.request(subject, "x".into()).await.unwrap();
        assert!(String::from_utf8_lossy(&ack.payload).contains("\"stream\":\"CS_UP\""));
    }
    assert_eq!(world.stored("CS_UP").await, before + 4);
    assert!(events.try_recv().is_err(), "no refusal for its own");
}
