//! What survives a restart, a loss and a wrong configuration of the server.

use std::collections::BTreeSet;

use std::time::Duration;

use admin::nats::{
    Loss, NatsUnit, ProvisionOptions, Seen, ServerOptions, create_user, provision, server_config,
    wait_for_loss,
};
use async_nats::ConnectOptions;
use node::link::{
    Connection, DownKind, Durability, LinkSeen, LinkState, LinkTls, NatsLink, Subject, Transport,
    UpKind,
};

use crate::world::{
    CITY, COUNTY_A, COUNTY_B, PROVINCE, World, message, next, path, send, send_down, send_up, text,
};

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

/// Whoever holds the stream must be among the monitoring addresses, in whichever order they stand; a
/// server that shows nothing there is named.
#[tokio::test(flavor = "multi_thread")]
async fn the_server_that_stores_is_asked_and_no_other() {
    let (world, other) = (World::started("asked").await, World::started("other").await);
    let dead = 1;
    let a = world
        .link_with(COUNTY_A, &[dead, other.monitor, world.monitor])
        .await;
    let rollup = message(Subject::up(path(COUNTY_A), UpKind::Rollup), "asked");
    send(&a, &rollup).await;
    assert_eq!(a.state().durability, Durability::Always);

    let b = world.link_with(COUNTY_B, &[dead, other.monitor]).await;
    let rollup = message(Subject::up(path(COUNTY_B), UpKind::Rollup), "not asked");
    b.watch()
        .wait_for(|s| matches!(s.durability, Durability::Refused(_)))
        .await
        .unwrap();
    let error = b.publish(&rollup).await.unwrap_err();
    let info = world.api("STREAM.INFO.CS_UP", "").await;
    let name = info["cluster"]["leader"].as_str().unwrap();
    assert_eq!(error.code(), "link.not_durable");
    assert!(
        error
            .to_string()
            .contains(&format!("nats-server {name} holds")),
        "{error}"
    );
    assert_eq!(world.stored("CS_UP").await, 1);
}

/// A server by which nothing goes through is left for the next address as soon as there is one.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stays_refused_is_left() {
    let (mut bad, mut good) = (World::new("bad"), World::new("good"));
    let of_good = bad
        .config
        .replace(&format!(":{}\"", bad.port), &format!(":{}\"", good.port));
    let of_good = of_good.replace(
        &format!(":{}\"", bad.monitor),
        &format!(":{}\"", good.monitor),
    );
    let (store, other) = (bad.dir.join("js"), good.dir.join("js"));
    good.config = of_good.replace(store.to_str().unwrap(), other.to_str().unwrap());
    bad.config = bad.config.replace("  sync_interval: always\n", "");
    bad.start();
    bad.provision().await;
    let (servers, monitors) = ([bad.port, good.port], [bad.monitor, good.monitor]);
    let a = bad.link_to(COUNTY_A, &servers, &monitors).await;
    let mut state = a.watch();
    let refused = state.wait_for(|s| matches!(s.durability, Durability::Refused(_)));
    refused.await.unwrap();

    good.start();
    std::mem::swap(&mut bad.port, &mut good.port);
    bad.provision().await;
    std::mem::swap(&mut bad.port, &mut good.port);
    let moved = state.wait_for(|s| s.durability == Durability::Always);
    let moved = tokio::time::timeout(Duration::from_secs(120), moved).await;
    moved.expect("the link finds the other server").unwrap();
    let rollup = message(Subject::up(path(COUNTY_A), UpKind::Rollup), "moved");
    send(&a, &rollup).await;
    assert_eq!(bad.stored("CS_UP").await, 0);
}

/// What is as it is wanted is not written; what differs is, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn provisioning_writes_only_what_differs() {
    let world = World::started("differs").await;
    let done = world.provision().await;
    assert_eq!((done.created, done.changed), (vec![], vec![]));
    let body = r#"{"stream_name":"CS_UP","config":{"durable_name":"up_140300","ack_policy":"explicit","filter_subject":"cs.v1.up.140000.140300.*.>","max_ack_pending":1}}"#;
    let changed = world.api("CONSUMER.CREATE.CS_UP.up_140300", body).await;
    assert!(changed["error"].is_null(), "{changed}");
    let done = world.provision().await;
    assert_eq!(
        (done.created, done.changed),
        (vec![], vec!["up_140300".to_owned()])
    );
    let info = world.api("CONSUMER.INFO.CS_UP.up_140300", "").await;
    assert_eq!(info["config"]["max_ack_pending"], 65_536);
}

/// nats-server allows a thousand consumers for a stream unless it is told otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn a_nation_of_units_fits_into_one_stream() {
    let world = World::started("many").await;
    let units: Vec<NatsUnit> = (0..1_200)
        .map(|n| NatsUnit {
            path: vec!["140000".to_owned(), format!("150{n:04}")],
            former: Vec::new(),
            public_nkey: create_user().unwrap().public_nkey,
            has_children: false,
        })
        .collect();
    let all = Vec::from_iter(world.units().into_iter().chain(units));
    for created in [1_200, 0] {
        let (url, tls) = (world.url(), LinkTls::default());
        let options = ProvisionOptions::default();
        let done = provision(&url, &tls, &world.operator.seed, &all, &options).await;
        assert_eq!(done.unwrap().created.len(), created);
    }
    let info = world.api("STREAM.INFO.CS_DOWN", "").await;
    assert_eq!(info["state"]["consumer_count"], 1_204);
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

/// What is missing is seen within seconds, one consumer as well as a stream, and made anew; what was
/// unread is read.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_consumer_is_noticed_and_made_anew() {
    let world = World::started("consumer").await;
    let a = world.link(COUNTY_A).await;
    send_up(&a, COUNTY_A, UpKind::Rollup, "unread").await;
    let patience = Duration::from_secs(600);
    for (api, created) in [
        ("CONSUMER.DELETE.CS_UP.up_140300", &["up_140300"][..]),
        ("CONSUMER.DELETE.CS_DOWN.down_140322", &["down_140322"]),
        (
            "STREAM.DELETE.CS_DOWN",
            &[
                "CS_DOWN",
                "down_140300",
                "down_140321",
                "down_140322",
                "holders_CS_DOWN",
            ],
        ),
    ] {
        assert_eq!(world.api(api, "").await["success"], true);
        let (url, tls, seed) = (world.url(), LinkTls::default(), &world.operator.seed);
        let units = world.units();
        let mut seen = Seen::default();
        let noticed = wait_for_loss(&url, &tls, seed, &units, &mut seen, patience);
        let soon = tokio::time::timeout(Duration::from_secs(30), noticed).await;
        let loss = soon.unwrap_or_else(|_| panic!("{api} went unnoticed"));
        assert_eq!(loss.unwrap(), Loss::Missing);
        assert_eq!(world.provision().await.created, created);
    }
    assert_eq!(text(&world.link(CITY).await).await, "unread");
}

/// A store that comes back older is another store, for each unit that had more in it, and for no
/// other. A node says within seconds what is missing, and that it is there again.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_store_and_a_missing_stream_are_noticed() {
    let mut world = World::started("older").await;
    let (city, a) = (world.link(CITY).await, world.link(COUNTY_A).await);
    let b = world.link(COUNTY_B).await;
    send_up(&b, COUNTY_B, UpKind::Rollup, "in both").await;
    world.kill();
    let (store, copy) = (world.dir.join("js"), world.dir.join("copy"));
    copy_dir(&store, &copy);
    world.start();
    send_up(&a, COUNTY_A, UpKind::Rollup, "in the newer one").await;
    send_down(&city, COUNTY_A, DownKind::Receipt, "in the newer one").await;
    let named = |s: &LinkState| s.store.is_some();
    let mut before = Vec::new();
    for link in [&city, &a, &b] {
        before.push(link.watch().wait_for(named).await.unwrap().store.clone());
    }
    world.kill();
    for link in [&city, &a, &b] {
        link.watch().wait_for(|s| s.store.is_none()).await.unwrap();
    }
    std::fs::remove_dir_all(&store).unwrap();
    std::fs::rename(&copy, &store).unwrap();
    world.start();
    for (link, before) in [&city, &a].into_iter().zip(&before) {
        let renamed = |s: &LinkState| s.store.is_some() && s.store != *before;
        let patience = Duration::from_secs(60);
        let mut state = link.watch();
        let noticed = tokio::time::timeout(patience, state.wait_for(renamed)).await;
        let name = noticed.expect("it is noticed").unwrap().store.clone();
        assert!(name.unwrap().contains(" without cs.v1."));
    }
    // The third had nothing in it that is gone: the same name, twice as long as it took.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(b.store(), before[2]);

    assert_eq!(world.api("STREAM.DELETE.CS_UP", "").await["success"], true);
    for (link, names) in [(&city, &["CS_UP", "up_140300"][..]), (&a, &["CS_UP"])] {
        let missing = |s: &LinkState| {
            s.missing
                .iter()
                .map(String::as_str)
                .eq(names.iter().copied())
        };
        let patience = Duration::from_secs(30);
        let mut state = link.watch();
        let noticed = tokio::time::timeout(patience, state.wait_for(missing)).await;
        noticed.expect("the missing stream is noticed").unwrap();
    }
    world.provision().await;
    for link in [&city, &a] {
        link.watch()
            .wait_for(|s| s.missing.is_empty())
            .await
            .unwrap();
    }
}

/// What a keeper that has seen so much finds within this time.
async fn look(world: &World, seen: &mut Seen, seconds: u64) -> Loss {
    let (url, tls, seed) = (world.url(), LinkTls::default(), &world.operator.seed);
    let at_most = Duration::from_secs(seconds);
    let units = world.units();
    let found = wait_for_loss(&url, &tls, seed, &units, seen, at_most);
    found.await.unwrap()
}

/// A server whose stream upwards lost its end, which a keeper had seen. A server that stands alone
/// turns its consumers back when it starts; the servers of a cluster do not: consumers then know
/// numbers that the stream gives once more, and leave out what is stored under them.
async fn without_its_end(name: &str) -> (World, Seen) {
    let mut world = World::started(name).await;
    let (city, a) = (world.link(CITY).await, world.link(COUNTY_A).await);
    send_up(&a, COUNTY_A, UpKind::Rollup, "kept").await;
    assert_eq!(text(&city).await, "kept");
    world.kill();
    let messages = world
        .dir
        .join("js/jetstream/COUNTERSIGN/streams/CS_UP/msgs");
    let copy = world.dir.join("copy");
    copy_dir(&messages, &copy);
    world.start();
    for body in ["lost 1", "lost 2"] {
        send_up(&a, COUNTY_A, UpKind::Rollup, body).await;
        // What was acknowledged just before the kill may come once more.
        let mut came = text(&city).await;
        while came == "kept" {
            came = text(&city).await;
        }
        assert_eq!(came, body);
    }
    let mut seen = Seen::default();
    assert_eq!(look(&world, &mut seen, 1).await, Loss::Nothing);
    world.kill();
    std::fs::remove_dir_all(&messages).unwrap();
    std::fs::rename(&copy, &messages).unwrap();
    world.start();
    (world, seen)
}

/// Others have stored as much as was lost, so that no number tells it any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_filled_again_is_noticed_by_its_keeper() {
    let (world, mut seen) = without_its_end("refilled").await;
    let b = world.link(COUNTY_B).await;
    let bodies = ["refilled 1", "refilled 2", "refilled 3"];
    for body in bodies {
        send_up(&b, COUNTY_B, UpKind::Rollup, body).await;
    }
    let went_back = Loss::WentBack {
        stream: "CS_UP",
        seq: 3,
    };
    assert_eq!(look(&world, &mut seen, 30).await, went_back);
    let created = world.provision().await.created;
    assert_eq!(created, ["holders_CS_UP", "up_140000", "up_140300"]);
    let city = world.link(CITY).await;
    for body in ["kept"].iter().chain(&bodies) {
        assert_eq!(text(&city).await, *body);
    }
    assert_eq!(look(&world, &mut seen, 1).await, Loss::Nothing);
}

/// A server that has no room takes nothing, and the link says so until it takes something again.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_does_not_take_is_told() {
    let mut world = World::new("full");
    let roomy = world.config.clone();
    let room = roomy.lines().find(|l| l.contains("max_file")).unwrap();
    world.config = roomy.replace(room, "  max_file_store: 1000000");
    world.start();
    world.provision().await;
    let a = world.link(COUNTY_A).await;
    let body = "x".repeat(300_000);
    let refused = async {
        for n in 0.. {
            let rollup = Subject::up(path(COUNTY_A), UpKind::Rollup);
            if a.publish(&message(rollup, &format!("{body}{n}")))
                .await
                .is_err()
                && a.state().rejected.is_some()
            {
                return;
            }
        }
    };
    let patience = Duration::from_secs(60);
    let refused = tokio::time::timeout(patience, refused).await;
    refused.expect("a full store refuses");
    let seen = LinkSeen {
        state: a.state(),
        since: chrono::DateTime::UNIX_EPOCH,
    };
    assert_eq!(seen.status().word(), "rejected");
    let (code, text) = a.state().rejected.unwrap();
    assert_eq!(
        (code.as_str(), seen.trouble()),
        ("link.refused", Some(text))
    );

    world.kill();
    world.config = roomy;
    world.start();
    send_up(&a, COUNTY_A, UpKind::Rollup, "there is room").await;
    assert_eq!(a.state().rejected, None);
}

/// One unit has so many connections and no more; others find room.
#[tokio::test(flavor = "multi_thread")]
async fn one_unit_does_not_take_all_connections() {
    let world = World::started("connections").await;
    let server = world.url();
    let mut open = Vec::new();
    for _ in 0..40 {
        let options = ConnectOptions::new().nkey(world.seed(COUNTY_A).to_owned());
        match options.connect(&server).await {
            Ok(client) => open.push(client),
            Err(_) => break,
        }
    }
    assert_eq!(open.len(), 16);
    let b = world.link(COUNTY_B).await;
    send_up(&b, COUNTY_B, UpKind::Rollup, "of another unit").await;
}

/// Copies a directory with all that is in it.
fn copy_dir(from: &std::path::Path, to: &std::path::Path) {
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .args([from, to])
        .status();
    assert!(copied.unwrap().success());
}

/// A reload with one unit more leaves the connections of the others, and one unit less ends its
/// connection alone: each unit is an account, and accounts come and go.
#[tokio::test(flavor = "multi_thread")]
async fn units_come_and_go_without_disturbing_the_others() {
    let mut world = World::new("reload");
    let with_all = world.config.clone();
    let (operator, units) = (world.operator.public_nkey.clone(), world.units());
    let without: Vec<_> = units
        .into_iter()
        .filter(|unit| unit.path.last().map(String::as_str) != Some("140322"))
        .collect();
    let store = world.dir.join("js");
    let options = ServerOptions::local(world.port, world.monitor, store, operator, without);
    let without_b = server_config(&options).unwrap();
    world.config = without_b.clone();
    world.start();
    world.provision().await;
    let (city, a) = (world.link(CITY).await, world.link(COUNTY_A).await);
    send_up(&a, COUNTY_A, UpKind::Rollup, "before").await;
    assert_eq!(text(&city).await, "before");

    world.reload(&with_all);
    world.provision().await;
    let b = world.link(COUNTY_B).await;
    send_up(&b, COUNTY_B, UpKind::Rollup, "of the new one").await;
    assert_eq!(text(&city).await, "of the new one");

    world.reload(&without_b);
    let gone = |state: &LinkState| state.connection != Connection::Connected;
    let limit = Duration::from_secs(30);
    let mut state = b.watch();
    let ended = tokio::time::timeout(limit, state.wait_for(gone)).await;
    ended
        .expect("a unit that is no longer listed is cut off")
        .unwrap();
    send_up(&a, COUNTY_A, UpKind::Rollup, "after").await;
    assert_eq!(text(&city).await, "after");
    assert_eq!((city.state().connects, a.state().connects), (1, 1));
}
