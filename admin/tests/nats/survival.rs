//! What survives a restart, a loss and a wrong configuration of the server.

use std::collections::BTreeSet;

use node::link::{Connection, Durability, NatsLink, Subject, Transport, UpKind};

use crate::world::{CITY, COUNTY_A, PROVINCE, World, message, next, path, send, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_sync_gets_nothing_until_it_does() {
    let mut world = World::new("sync");
    let good = world.config.clone();
    world.config = good.replace("  sync_interval: always\n", "");
    assert_ne!(world.config, good);
    world.start();
    world.provision().await;
    let a = world.link(COUNTY_A).await;
    let rollup = message(Subject::up(path(COUNTY_A), UpKind::Rollup), "durable");
    let mut state = a.watch();
    state
        .wait_for(|s| matches!(s.durability, Durability::Refused(_)))
        .await
        .unwrap();
    let error = a.publish(&rollup).await.unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.is_retryable()),
        ("link.not_durable", true)
    );
    assert!(
        error.to_string().contains("sync_interval: always"),
        "{error}"
    );
    assert_eq!(world.stored("CS_UP").await, 0);

    world.kill();
    world.config = good;
    world.start();
    send(&a, &rollup).await;
    assert_eq!(a.state().durability, Durability::Always);
    assert_eq!(world.stored("CS_UP").await, 1);

    // Back to the bad configuration under the feet of a node that had been convinced: it asks
    // again.
    world.kill();
    world.config = world.config.replace("  sync_interval: always\n", "");
    world.start();
    state
        .wait_for(|s| matches!(s.durability, Durability::Refused(_)))
        .await
        .unwrap();
    let again = message(Subject::up(path(COUNTY_A), UpKind::Rollup), "again");
    assert_eq!(
        a.publish(&again).await.unwrap_err().code(),
        "link.not_durable"
    );
    assert_eq!(world.stored("CS_UP").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_the_server_delivery_resumes() {
    let mut world = World::started("restart").await;
    let (city, a) = (world.link(CITY).await, world.link(COUNTY_A).await);
    let entries = |n: u64| {
        message(
            Subject::up(path(COUNTY_A), UpKind::Entries(n)),
            &format!("e{n}"),
        )
    };
    for n in 0..3 {
        send(&a, &entries(n)).await;
    }
    assert_eq!(text(&city).await, "e0");
    world.kill();
    let mut state = a.watch();
    state
        .wait_for(|s| s.connection == Connection::Disconnected)
        .await
        .unwrap();
    let error = a.publish(&entries(3)).await.unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.is_retryable()),
        ("link.disconnected", true)
    );
    world.start();
    send(&a, &entries(3)).await;
    // A killed server may have forgotten answers and deliveries: some come twice, none is missing.
    let mut missing: BTreeSet<String> = (1..4).map(|n| format!("e{n}")).collect();
    while !missing.is_empty() {
        let incoming = next(&city).await;
        missing.remove(&String::from_utf8(incoming.body).unwrap());
        incoming.ack.done().await.unwrap();
    }
    assert!(city.state().connects >= 2);
    assert_eq!(world.stored("CS_UP").await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_may_start_before_its_server() {
    let mut world = World::new("early");
    let (city, a) = (world.link(CITY).await, world.link(COUNTY_A).await);
    let rollup = message(Subject::up(path(COUNTY_A), UpKind::Rollup), "early");
    assert_eq!(
        a.publish(&rollup).await.unwrap_err().code(),
        "link.disconnected"
    );
    world.start();
    let mut state = a.watch();
    state
        .wait_for(|s| s.connection == Connection::Connected)
        .await
        .unwrap();
    let error = a.publish(&rollup).await.unwrap_err();
    assert_eq!(error.code(), "link.not_provisioned", "{error}");
    world.provision().await;
    send(&a, &rollup).await;
    assert_eq!(text(&city).await, "early");
}

/// A node learns that the store is another one, and from a plain restart it does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_store_is_noticed() {
    let mut world = World::started("store").await;
    let links = [
        world.link(PROVINCE).await,
        world.link(CITY).await,
        world.link(COUNTY_A).await,
    ];
    async fn stores(links: &[NatsLink], not: &[String]) -> Vec<String> {
        let mut all = Vec::new();
        for (i, link) in links.iter().enumerate() {
            let state = link
                .watch()
                .wait_for(|s| s.store.is_some() && s.store.as_ref() != not.get(i))
                .await
                .unwrap()
                .clone();
            assert_eq!(link.store(), state.store);
            all.extend(state.store);
        }
        all
    }
    let first = stores(&links, &[]).await;
    world.kill();
    for link in &links {
        link.watch().wait_for(|s| s.store.is_none()).await.unwrap();
    }
    world.start();
    assert_eq!(stores(&links, &[]).await, first, "a restart loses nothing");
    world.kill();
    std::fs::remove_dir_all(world.dir.join("js")).unwrap();
    world.start();
    world.provision().await;
    let second = stores(&links, &first).await;
    // Deleted under a running server.
    for stream in ["CS_UP", "CS_DOWN"] {
        assert_eq!(
            world.api(&format!("STREAM.DELETE.{stream}"), "").await["success"],
            true
        );
    }
    world.provision().await;
    stores(&links, &second).await;
}
