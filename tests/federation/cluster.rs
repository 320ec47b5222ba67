//! The broker as a cluster of three real nats-servers: each is killed in turn while months are
//! reported, then two lose all that they had stored, once while the third has everything and once
//! while it has not. Every report ends accepted exactly once and in order, and nobody helps: no node
//! is restarted, nothing is sent by hand, nothing is provisioned but by the keeper that always runs.
//! At last a stream is lost for good, and its operator gives it up.

#![allow(clippy::unwrap_used, missing_docs)] // helpers of tests

mod support;

use std::time::Duration;

use admin::nats::{ProvisionOptions, Replicas, Timing, provision, renew};
use async_nats::ConnectOptions;
use countersign_demo::federation::{Federation, wait};
use countersign_demo::world::World;
use node::link::{Durability, LinkConfig, LinkTls, NatsLink, UnitPath};
use protocol::period::Month;
use support::{
    CITY, COUNTIES, Disturbance, NoDisturbance, PROVINCE, People, Random, build, clock, month,
    start,
};
use tokio::runtime::Runtime;

/// What was on its way to a killed server comes again soon.
const TIMING: Timing = Timing {
    ack_wait: Duration::from_secs(2),
    duplicate_window: Duration::from_secs(120),
};

/// By which it is drawn when each server dies; change it to try another course.
const SEED: u64 = 21;

/// A server of the cluster dies in the middle of a month.
struct Kill<'a> {
    federation: &'a mut Federation,
    server: usize,
    /// How many steps of people's work are still done before.
    after: usize,
}

impl Disturbance for Kill<'_> {
    fn before_step(&mut self, _unit: &str) {
        if self.after == 0 {
            self.federation.kill_server(self.server);
        }
        self.after = self.after.wrapping_sub(1);
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

/// What the operator is told about a stream.
fn stream(runtime: &Runtime, world: &World, name: &str) -> Result<serde_json::Value, String> {
    api(runtime, world, &format!("STREAM.INFO.{name}"))
}

/// The operator's request to JetStream.
fn api(runtime: &Runtime, world: &World, request: &str) -> Result<serde_json::Value, String> {
    let url = world.nats_url();
    let servers: Vec<&str> = url.split(',').collect();
    let asked = async {
        let client = ConnectOptions::new()
            .nkey(world.nats_admin.clone())
            .connect(&servers[..])
            .await
            .map_err(|e| e.to_string())?;
        let reply = client
            .request(format!("$JS.API.{request}"), "".into())
            .await
            .map_err(|e| e.to_string())?;
        serde_json::from_slice(&reply.payload).map_err(|e| e.to_string())
    };
    runtime.block_on(asked)
}

/// Both streams are on three servers, each of which has all that the leader has.
fn is_whole(runtime: &Runtime, world: &World) {
    for name in ["CS_UP", "CS_DOWN"] {
        wait(&format!("three copies of {name}"), || {
            let info = stream(runtime, world, name)?;
            let replicas = info["cluster"]["replicas"].as_array().cloned();
            let replicas = replicas.unwrap_or_default();
            let current = replicas.iter().filter(|r| r["current"] == true).count();
            match (info["config"]["num_replicas"].as_u64(), current) {
                (Some(3), 2) => Ok(true),
                _ => Err(info.to_string()),
            }
        })
        .unwrap();
    }
}

fn county_path() -> UnitPath {
    let path = format!("{PROVINCE}.{CITY}.{}", COUNTIES[0]);
    path.parse().unwrap()
}

/// A node that is told of the monitoring of two servers alone sends nothing, and names the third.
fn a_server_that_no_monitor_answers_for_is_named(runtime: &Runtime, world: &World) {
    let county = world.member(COUNTIES[0]).unwrap();
    let monitors = world.nats_places().into_iter().take(2);
    let monitors = monitors.map(|place| format!("http://127.0.0.1:{}", place.monitor_port));
    let config = LinkConfig {
        servers: world.nats_url().split(',').map(str::to_owned).collect(),
        monitors: monitors.collect(),
        seed_file: county.dir.join("nats.seed"),
        marks_file: world.dir.join("marks-of-a-test"),
        places: county_path().into(),
        has_children: false,
        tls: LinkTls::default(),
    };
    runtime.block_on(async {
        let link = NatsLink::connect(config).await.unwrap();
        let mut state = link.watch();
        let named = state.wait_for(
            |s| matches!(&s.durability, Durability::Refused(why) if why.contains("nats-server n3 ")),
        );
        let named = tokio::time::timeout(Duration::from_secs(60), named).await;
        named.expect("the server is named").unwrap();
    });
}

/// Whoever provisions with another command line takes no copy away.
fn provisioning_takes_no_copy_away(runtime: &Runtime, world: &World) {
    for replicas in [Replicas::AsTheyAre, Replicas::AtLeast(1)] {
        let options = ProvisionOptions {
            timing: TIMING,
            replicas,
        };
        let (url, tls) = (world.nats_url(), LinkTls::default());
        let done = provision(&url, &tls, &world.nats_admin, &world.nats_units, &options);
        let done = runtime.block_on(done).unwrap();
        assert_eq!((done.created, done.changed), (vec![], vec![]));
    }
    is_whole(runtime, world);
}

/// An election is waited for: nothing was ever said to be missing that the operator would have to
/// make.
fn nobody_was_sent_to_the_operator(people: &People) {
    for unit in &people.members {
        let log = std::fs::read_to_string(unit.dir.join("node.log")).unwrap();
        let said = log.lines().find(|l| l.contains("link.not_provisioned"));
        assert_eq!(said, None, "{}", unit.id);
    }
}

/// With two of three servers dead nobody stores, and every node says so.
fn nobody_leads(people: &People) {
    for unit in [PROVINCE, COUNTIES[0]] {
        let client = people.client(unit, "luru");
        wait(&format!("{unit} to say that nobody leads"), || {
            let health = client.health().map_err(|e| e.to_string())?;
            match health["link"].as_str() {
                Some("no_leader") => Ok(true),
                _ => Err(health.to_string()),
            }
        })
        .unwrap();
        let metrics = String::from_utf8(client.get("/metrics").unwrap()).unwrap();
        for line in ["countersign_link_no_leader 1", "countersign_link_up 0"] {
            assert!(metrics.lines().any(|l| l == line), "{metrics}");
        }
        let status = client.status().unwrap();
        assert_eq!(status.link, "no_leader");
        assert!(status.trouble.unwrap().contains("no nats-server leads "));
        assert!(status.unreached_since.is_some());
    }
}

/// The counties report while the city is away: what they say is in the streams alone when two of
/// the three servers lose what they had stored.
fn two_stores_are_lost_at_once(f: &mut Federation, people: &People, m: Month) {
    f.kill_node(CITY);
    for county in COUNTIES {
        people.fill(county, m, &mut NoDisturbance);
        people.report(county, m, &mut NoDisturbance);
    }
    for server in [0, 1] {
        f.kill_server(server);
    }
    nobody_leads(people);
    for server in [0, 1] {
        f.empty_server(server).unwrap();
        f.start_server(server).unwrap();
    }
    f.start_node(CITY).unwrap();
    people.month(m, &mut NoDisturbance);
}

/// The counties report while the third server is away, and the two that have it lose what they had
/// stored: the streams come back older than what the nodes read and wrote, under numbers that
/// consumers know already.
fn two_stores_are_lost_and_the_third_is_older(f: &mut Federation, people: &People, m: Month) {
    f.kill_server(2);
    for county in COUNTIES {
        people.fill(county, m, &mut NoDisturbance);
        people.report(county, m, &mut NoDisturbance);
        people.accept(county, m, &mut NoDisturbance);
        people.receipted(county, m, &mut NoDisturbance);
    }
    for server in [0, 1] {
        f.kill_server(server);
        f.empty_server(server).unwrap();
    }
    f.start_nats().unwrap();
    people.month(m, &mut NoDisturbance);
    f.wait_servers_whole().unwrap();
}

/// A stream whose only server is lost has no leader any more, and nobody but the operator can know
/// that it will have none: they give it up, and it is made anew.
fn a_stream_without_a_leader_is_given_up(f: &mut Federation, runtime: &Runtime, people: &People) {
    f.kill_keeper();
    let (url, tls, seed) = {
        let world = &f.world;
        (
            world.nats_url(),
            LinkTls::default(),
            world.nats_admin.clone(),
        )
    };
    let options = ProvisionOptions {
        timing: TIMING,
        replicas: Replicas::Exactly(1),
    };
    for name in ["CS_UP", "CS_DOWN"] {
        let deleted = api(runtime, &f.world, &format!("STREAM.DELETE.{name}"));
        assert_eq!(deleted.unwrap()["success"], true);
    }
    let on_one = provision(&url, &tls, &seed, &f.world.nats_units, &options);
    runtime.block_on(on_one).unwrap();
    let given_up = |patience| {
        let patience = Duration::from_secs(patience);
        runtime.block_on(renew(&url, &tls, &seed, "CS_UP", patience))
    };
    let refused = given_up(60).unwrap_err();
    assert_eq!(refused.code().as_str(), "nats.has_leader");
    let info = stream(runtime, &f.world, "CS_UP").unwrap();
    let leader = info["cluster"]["leader"].as_str().unwrap();
    let server = ["n1", "n2", "n3"]
        .iter()
        .position(|n| *n == leader)
        .unwrap();
    f.kill_server(server);
    f.empty_server(server).unwrap();
    given_up(3).unwrap();
    f.start_server(server).unwrap();
    f.wait_servers_whole().unwrap();
    f.start_keeper(TIMING).unwrap();
    for unit in [PROVINCE, COUNTIES[0]] {
        let client = people.client(unit, "luru");
        wait(&format!("{unit} to be connected again"), || {
            let health = client.health().map_err(|e| e.to_string())?;
            match health["link"].as_str() {
                Some("connected") => Ok(true),
                _ => Err(health.to_string()),
            }
        })
        .unwrap();
    }
}

#[test]
fn servers_die_in_turn_and_two_stores_are_lost() {
    let mut random = Random::new(SEED);
    let (world, people) = build("cluster", SEED, |w| w.make_cluster().unwrap());
    let mut f = start(world, TIMING);
    let runtime = runtime();
    let months: Vec<_> = (1..=7).map(month).collect();
    clock(&f.world, 1, 3);
    people.month(months[0], &mut NoDisturbance);
    is_whole(&runtime, &f.world);
    a_server_that_no_monitor_answers_for_is_named(&runtime, &f.world);
    provisioning_takes_no_copy_away(&runtime, &f.world);

    for (server, m) in months[1..4].iter().enumerate() {
        clock(&f.world, m.month(), 3);
        let mut kill = Kill {
            federation: &mut f,
            server,
            after: usize::try_from(random.below(20)).unwrap(),
        };
        people.month(*m, &mut kill);
        f.start_server(server).unwrap();
        // Or the next to die may be the only one that has everything.
        f.wait_servers_whole().unwrap();
    }
    nobody_was_sent_to_the_operator(&people);

    clock(&f.world, 5, 3);
    two_stores_are_lost_at_once(&mut f, &people, months[4]);
    f.wait_servers_whole().unwrap();
    clock(&f.world, 6, 3);
    two_stores_are_lost_and_the_third_is_older(&mut f, &people, months[5]);
    is_whole(&runtime, &f.world);

    a_stream_without_a_leader_is_given_up(&mut f, &runtime, &people);
    clock(&f.world, 7, 3);
    people.month(months[6], &mut NoDisturbance);
    is_whole(&runtime, &f.world);
    for unit in COUNTIES.iter().chain([&CITY]) {
        for m in &months {
            people.receipted(unit, *m, &mut NoDisturbance);
        }
    }
    people.conclude(f, &months);
}
