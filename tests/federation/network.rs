//! The network between the units, over a real nats-server: cut for months, swallowing packets
//! without a word, losing, repeating, reordering and delaying messages, and a broker that comes
//! back with nothing, or older. Every report ends accepted exactly once and in order, and nobody helps: no
//! node is restarted, nothing is sent by hand. What an operator on call reads meanwhile is true.
//!
//! The cuts need network namespaces: root (or CAP_SYS_ADMIN and CAP_NET_ADMIN) and iproute2.
//! Traffic stays on loopback and on addresses that exist in these namespaces only. Where they are
//! not permitted these tests fail and publish so.

#![allow(clippy::unwrap_used, missing_docs)] // helpers of tests

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use admin::nats::Timing;
use async_nats::{Client, ConnectOptions, HeaderMap};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_demo::federation::{Federation, wait};
use countersign_demo::world::World;
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::period::Month;
use protocol::receipt::Decision;
use support::{
    CITY, COUNTIES, NoDisturbance, PROVINCE, People, Random, build, clock, countersign, month,
    start,
};
use tokio::runtime::Runtime;

/// What was on its way to a killed node comes again soon, and the stream forgets message ids almost
/// at once.
const TIMING: Timing = Timing {
    ack_wait: Duration::from_secs(2),
    duplicate_window: Duration::from_secs(1),
};

/// A county's node in a place of its own, with two cables: one to the broker, that can be cut, and
/// the office's own network, by which its people reach their node whatever happens outside.
struct Place {
    space: String,
    outside: String,
    net: u8,
}

fn ip(args: &str) -> Result<String, String> {
    let output = Command::new("ip")
        .args(args.split(' '))
        .output()
        .map_err(|e| format!("ip: {e}; install iproute2"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!(
        "ip {args}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    ))
}

impl Place {
    fn new() -> Place {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let (process, n) = (std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let used = ip("-o -4 addr").unwrap_or_default();
        // A third of the range for each place of this process, from a point that differs between
        // processes.
        let free = |i: &u8| !used.contains(&format!(" 10.213.{i}."));
        let first = u8::try_from(process % 80).unwrap() + u8::try_from(n % 3).unwrap() * 80;
        let net = (first..=255).find(free).unwrap();
        let place = Place {
            space: format!("cs{process}-{n}"),
            outside: format!("cs{process}{}", ["a", "b", "c"][n % 3]),
            net,
        };
        place.make().unwrap_or_else(|e| {
            panic!(
                "this test needs network namespaces (root, or CAP_SYS_ADMIN and CAP_NET_ADMIN, \
                and iproute2), and got: {e}"
            )
        });
        place
    }

    fn make(&self) -> Result<(), String> {
        let (space, outside, net) = (&self.space, &self.outside, self.net);
        for command in [
            format!("netns add {space}"),
            format!("link add {outside}w type veth peer name wide netns {space}"),
            format!("link add {outside}o type veth peer name office netns {space}"),
            format!("addr add 10.213.{net}.1/30 dev {outside}w"),
            format!("addr add 10.213.{net}.5/30 dev {outside}o"),
            format!("-n {space} addr add 10.213.{net}.2/30 dev wide"),
            format!("-n {space} addr add 10.213.{net}.6/30 dev office"),
            format!("link set {outside}w up"),
            format!("link set {outside}o up"),
            format!("-n {space} link set wide up"),
            format!("-n {space} link set office up"),
            format!("-n {space} link set lo up"),
        ] {
            ip(&command)?;
        }
        Ok(())
    }

    /// Puts the broker on the near end of the cable, and a county's node behind it.
    fn settle(&self, world: &mut World, county: &str) {
        world.nats_host = format!("10.213.{}.1", self.net);
        let m = world
            .members
            .iter_mut()
            .find(|m| m.id.as_str() == county)
            .unwrap();
        m.host = format!("10.213.{}.6", self.net);
        m.launcher = ["ip", "netns", "exec", &self.space]
            .map(str::to_string)
            .to_vec();
    }

    /// The cable is pulled at the county: no route is left.
    fn unplug(&self) {
        ip(&format!("-n {} link set wide down", self.space)).unwrap();
    }
    fn plug(&self) {
        ip(&format!("-n {} link set wide up", self.space)).unwrap();
    }
    /// Packets go out and reach nobody, in both directions, and nothing says so: each side has a
    /// wrong hardware address of the other. No connection is reset.
    fn drop_packets(&self) {
        let (space, outside, net) = (&self.space, &self.outside, self.net);
        ip(&format!(
            "-n {space} neigh replace 10.213.{net}.1 lladdr 02:00:00:00:00:01 dev wide nud \
            permanent"
        ))
        .unwrap();
        ip(&format!(
            "neigh replace 10.213.{net}.2 lladdr 02:00:00:00:00:01 dev {outside}w nud permanent"
        ))
        .unwrap();
    }
    fn pass_packets(&self) {
        let (space, outside, net) = (&self.space, &self.outside, self.net);
        ip(&format!("-n {space} neigh del 10.213.{net}.1 dev wide")).unwrap();
        ip(&format!("neigh del 10.213.{net}.2 dev {outside}w")).unwrap();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for end in ["w", "o"] {
            let _ = ip(&format!("link del {}{end}", self.outside));
        }
        let _ = ip(&format!("netns del {}", self.space));
    }
}

/// A metric of a node; they need no token.
fn metric(people: &People, id: &str, name: &str) -> u64 {
    let text = String::from_utf8(people.client(id, "").get("/metrics").unwrap()).unwrap();
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix(&format!("countersign_{name} ")));
    line.unwrap_or_else(|| panic!("no countersign_{name} in\n{text}"))
        .parse()
        .unwrap()
}

/// January reaches everybody; then the county is cut off and reports three months alone, while the
/// others go on.
fn cut_off(name: &str, cut: impl Fn(&Place), heal: impl Fn(&Place)) {
    let place = Place::new();
    let lonely = COUNTIES[1];
    let (world, people) = build(name, 11, |w| place.settle(w, lonely));
    let f = start(world, Timing::default());
    let months: Vec<_> = (1..=4).map(month).collect();
    clock(&f.world, 1, 3);
    people.month(months[0], &mut NoDisturbance);
    is_linked(&people, lonely);

    clock(&f.world, 2, 3);
    cut(&place);
    months[1..]
        .iter()
        .for_each(|m| counties_report(&f, &people, *m));
    the_county_says_that_it_is_cut_off(&f, &people, lonely);
    the_city_knows_whose_report_is_missing(&people, lonely);

    heal(&place);
    months[1..]
        .iter()
        .for_each(|m| the_others_catch_up(&people, lonely, *m));
    for unit in COUNTIES.iter().chain([&CITY]) {
        for m in &months {
            people.receipted(unit, *m, &mut NoDisturbance);
        }
    }
    is_linked(&people, lonely);
    assert_eq!(metric(&people, lonely, "outbox_waiting"), 0);
    people.conclude(f, &months);
}

fn is_linked(people: &People, county: &str) {
    assert_eq!(metric(people, county, "link_up"), 1);
    let status = people.client(county, "luru").status().unwrap();
    assert_eq!(status.unreached_since, None);
}

/// A month of both counties; only the other one's arrives.
fn counties_report(f: &Federation, people: &People, m: Month) {
    let [other, lonely] = COUNTIES;
    clock(&f.world, m.month(), 3);
    for county in [lonely, other] {
        people.fill(county, m, &mut NoDisturbance);
        people.report(county, m, &mut NoDisturbance);
    }
    people.accept(other, m, &mut NoDisturbance);
    if m.month() == 2 {
        // Noticed while it is February's turn, without anybody doing anything.
        wait("the county to notice the cut", || {
            Ok(metric(people, lonely, "link_up") == 0)
        })
        .unwrap();
    }
}

/// What an operator on call reads at the county: status, command line, health, metrics.
fn the_county_says_that_it_is_cut_off(f: &Federation, people: &People, lonely: &str) {
    let since = "2023-03-03T04:00:00Z";
    let status = people.client(lonely, "luru").status().unwrap();
    assert_ne!(status.link, "connected");
    assert_eq!(status.unreached_since.as_deref(), Some(since));
    assert_eq!(status.waiting, ["2023-02.1", "2023-03.1", "2023-04.1"]);
    assert_eq!(status.waiting_since.as_deref(), Some(since));
    assert!(status.trouble.is_some());

    let token = f.world.dir.join("luru.token");
    std::fs::write(&token, people.member(lonely).token("luru")).unwrap();
    let (url, token) = (people.member(lonely).url(), token.to_str().unwrap());
    let (_, text) = countersign(&["status", "--node", &url, "--token-file", token]);
    for said in [
        "nobody above or below reached since 2023-03-03T04:00:00Z",
        "without receipt: 2023-02.1, 2023-03.1, 2023-04.1 (the oldest since 2023-03-03T04:00:00Z)",
    ] {
        assert!(text.contains(said), "{text}");
    }

    let health = people.client(lonely, "").health().unwrap();
    assert_eq!(
        (health["link"].as_str(), health["since"].as_str()),
        (Some("disconnected"), Some(since))
    );
    let sixty_one_days = 61 * 24 * 3600;
    assert_eq!(metric(people, lonely, "outbox_waiting"), 3);
    let oldest = metric(people, lonely, "outbox_oldest_seconds");
    assert_eq!(oldest, sixty_one_days);
    assert_eq!(metric(people, lonely, "link_down_seconds"), sixty_one_days);
}

/// Its own link is well.
fn the_city_knows_whose_report_is_missing(people: &People, lonely: &str) {
    let status = people.client(CITY, "luru").status().unwrap();
    assert_eq!(
        (status.link.as_str(), status.unreached_since),
        ("connected", None)
    );
    assert_eq!(status.children_missing, [lonely]);
}

/// The lonely county's month arrives, and the units above report it.
fn the_others_catch_up(people: &People, lonely: &str, m: Month) {
    people.accept(lonely, m, &mut NoDisturbance);
    for unit in [CITY, PROVINCE] {
        if unit == PROVINCE {
            people.accept(CITY, m, &mut NoDisturbance);
        }
        people.fill(unit, m, &mut NoDisturbance);
        people.report(unit, m, &mut NoDisturbance);
    }
}

#[test]
fn a_county_is_cut_off_for_months() {
    cut_off("cut-off", Place::unplug, Place::plug);
}

#[test]
fn a_network_swallows_packets_for_months() {
    cut_off("swallowed", Place::drop_packets, Place::pass_packets);
}

/// The operator's own client.
async fn operator(f: &Federation) -> Client {
    ConnectOptions::new()
        .nkey(f.world.nats_admin.clone())
        .connect(f.world.nats_url())
        .await
        .unwrap()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

async fn api(client: &Client, request: &str, body: &str) -> Result<serde_json::Value, String> {
    let reply = client
        .request(format!("$JS.API.{request}"), body.to_owned().into())
        .await
        .map_err(|e| e.to_string())?;
    Ok(serde_json::from_slice(&reply.payload).unwrap())
}

/// Kills the broker, deletes all that it had stored, and starts it; the keeper makes the streams
/// anew.
fn empty(f: &mut Federation, during: impl FnOnce(&mut Federation)) {
    f.kill_nats();
    f.empty_nats().unwrap();
    during(f);
    f.start_nats().unwrap();
}

/// The worst moment for the store to be lost: the counties have their receipts and owe nobody
/// anything, but the province was down and has not read a word of theirs. It cannot check the
/// city's report without them.
#[test]
fn the_broker_comes_back_empty() {
    let (world, people) = build("empty", 12, |_| {});
    let mut f = start(world, TIMING);
    let months: Vec<_> = (1..=3).map(month).collect();
    f.kill_node(PROVINCE);
    clock(&f.world, 1, 3);
    for county in COUNTIES {
        people.fill(county, months[0], &mut NoDisturbance);
        people.report(county, months[0], &mut NoDisturbance);
        people.accept(county, months[0], &mut NoDisturbance);
        people.receipted(county, months[0], &mut NoDisturbance);
    }
    // A county is down as well while it happens, and has to find out afterwards.
    f.kill_node(COUNTIES[0]);
    empty(&mut f, |_| {});
    f.start_node(COUNTIES[0]).unwrap();
    f.start_node(PROVINCE).unwrap();
    for unit in [CITY, PROVINCE] {
        people.fill(unit, months[0], &mut NoDisturbance);
        if unit == PROVINCE {
            people.accept(CITY, months[0], &mut NoDisturbance);
        }
        people.report(unit, months[0], &mut NoDisturbance);
    }
    // Once more, with everybody up: before the city reads, and between its word and the county's
    // hearing of it.
    clock(&f.world, 2, 3);
    f.kill_node(CITY);
    for county in COUNTIES {
        people.fill(county, months[1], &mut NoDisturbance);
        people.report(county, months[1], &mut NoDisturbance);
    }
    empty(&mut f, |f| f.start_node(CITY).unwrap());
    people.accept(COUNTIES[1], months[1], &mut NoDisturbance);
    // It can have sent its report again, too, before it dies.
    wait("the city to have the report", || {
        let reports = people.client(CITY, "tongji").children();
        let reports = reports.map_err(|e| e.to_string())?;
        let of_it = |id: &UnitId, m| id.as_str() == COUNTIES[0] && m == months[1];
        Ok(reports.iter().any(|c| of_it(&c.unit, c.period)))
    })
    .unwrap();
    f.kill_node(COUNTIES[0]);
    people.accept(COUNTIES[0], months[1], &mut NoDisturbance);
    empty(&mut f, |f| f.start_node(COUNTIES[0]).unwrap());
    people.month(months[1], &mut NoDisturbance);
    clock(&f.world, 3, 3);
    people.month(months[2], &mut NoDisturbance);
    for unit in COUNTIES.iter().chain([&CITY]) {
        for m in &months {
            people.receipted(unit, *m, &mut NoDisturbance);
        }
    }
    // The province has handed down the registry anew, too, though it ran on: a unit that missed it
    // could still take it in.
    let handed_down = format!("cs.v1.down.{PROVINCE}.registry");
    wait("the registry to be handed down", || {
        Ok(stored(&runtime(), &f, "CS_DOWN", &handed_down) == 1)
    })
    .unwrap();
    people.conclude(f, &months);
}

/// The broker's store, as a snapshot of its machine has it.
fn store_of(f: &Federation) -> PathBuf {
    f.world.dir.join("nats")
}

fn copy_folder(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-r").arg(from).arg(to).status();
    assert!(
        copied.is_ok_and(|status| status.success()),
        "{}",
        from.display()
    );
}

/// The store comes back older than what it acknowledged, while every node is down: the counties have
/// their receipts and owe nobody anything, and the province has not read a word of theirs. What a
/// node keeps for its next process is all that can tell.
#[test]
fn the_broker_comes_back_older() {
    let (world, people) = build("older", 14, |_| {});
    let mut f = start(world, TIMING);
    let months: Vec<_> = (1..=3).map(month).collect();
    clock(&f.world, 1, 3);
    people.month(months[0], &mut NoDisturbance);
    f.kill_node(PROVINCE);
    f.kill_nats();
    let copy = f.world.dir.join("snapshot");
    copy_folder(&store_of(&f), &copy);
    f.start_nats().unwrap();
    clock(&f.world, 2, 3);
    for unit in COUNTIES.iter().chain([&CITY]) {
        people.fill(unit, months[1], &mut NoDisturbance);
        if *unit == CITY {
            for county in COUNTIES {
                people.accept(county, months[1], &mut NoDisturbance);
                people.receipted(county, months[1], &mut NoDisturbance);
            }
        }
        people.report(unit, months[1], &mut NoDisturbance);
    }
    for unit in COUNTIES.iter().chain([&CITY]) {
        f.kill_node(unit);
    }
    empty(&mut f, |f| copy_folder(&copy, &store_of(f)));
    for unit in COUNTIES.iter().chain([&CITY, &PROVINCE]) {
        f.start_node(unit).unwrap();
    }
    people.accept(CITY, months[1], &mut NoDisturbance);
    people.fill(PROVINCE, months[1], &mut NoDisturbance);
    people.report(PROVINCE, months[1], &mut NoDisturbance);
    people.receipted(CITY, months[1], &mut NoDisturbance);
    clock(&f.world, 3, 3);
    people.month(months[2], &mut NoDisturbance);
    people.conclude(f, &months);
}

/// A stored message.
#[derive(Clone)]
struct StoredMessage {
    subject: String,
    id: String,
    body: Vec<u8>,
}

/// All that the units said and the streams hold.
async fn stored_messages(client: &Client) -> Vec<StoredMessage> {
    let decode = |v: &serde_json::Value| STANDARD.decode(v.as_str().unwrap_or_default()).unwrap();
    let mut all = Vec::new();
    for stream in ["CS_UP", "CS_DOWN"] {
        let last = api(client, &format!("STREAM.INFO.{stream}"), "")
            .await
            .unwrap()["state"]["last_seq"]
            .as_u64()
            .unwrap();
        for seq in 1..=last {
            let message = api(
                client,
                &format!("STREAM.MSG.GET.{stream}"),
                &format!(r#"{{"seq":{seq}}}"#),
            )
            .await
            .unwrap()["message"]
                .take();
            let headers = String::from_utf8(decode(&message["hdrs"])).unwrap();
            let id = headers
                .lines()
                .find_map(|l| l.strip_prefix("Nats-Msg-Id: "))
                .unwrap()
                .to_string();
            all.push(StoredMessage {
                subject: message["subject"].as_str().unwrap().to_string(),
                id,
                body: decode(&message["data"]),
            });
        }
    }
    all
}

/// Publishes it again, under the same id; whether the stream took it for a repetition.
async fn publish(client: &Client, message: &StoredMessage) -> bool {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", message.id.as_str());
    let request = async_nats::client::Request::new()
        .headers(headers)
        .payload(message.body.clone().into());
    let answer = client
        .send_request(message.subject.clone(), request)
        .await
        .unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
    assert!(answer["error"].is_null(), "{answer}");
    answer["duplicate"] == true
}

/// Publishes it again past the duplicate window: once the stream takes it for new.
async fn publish_as_new(client: &Client, message: &StoredMessage) {
    while publish(client, message).await {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until every node has read and answered all that is in the streams.
fn drained(runtime: &Runtime, client: &Client) {
    for (stream, consumer) in [
        ("CS_UP", format!("up_{PROVINCE}")),
        ("CS_UP", format!("up_{CITY}")),
        ("CS_DOWN", format!("down_{CITY}")),
        ("CS_DOWN", format!("down_{}", COUNTIES[0])),
        ("CS_DOWN", format!("down_{}", COUNTIES[1])),
    ] {
        wait(&format!("{consumer} to be read to its end"), || {
            let info = runtime.block_on(api(
                client,
                &format!("CONSUMER.INFO.{stream}.{consumer}"),
                "",
            ))?;
            let open = (
                info["num_pending"].as_u64(),
                info["num_ack_pending"].as_u64(),
            );
            if open == (Some(0), Some(0)) {
                Ok(true)
            } else {
                Err(format!("{open:?}"))
            }
        })
        .unwrap();
    }
}

/// Three months lie at the broker for a city and a province that are down. Then the broker loses
/// everything, and a quarter of it comes never, a third of the rest twice (the second time past the
/// duplicate window), all of it in an order of its own. In the end the whole of what was ever said
/// is said twice more, to units that have long been done with it.
fn misbehaves(seed: u64) {
    let mut random = Random::new(seed);
    let (world, people) = build(&format!("misbehaves-{seed}"), seed, |_| {});
    let mut f = start(world, TIMING);
    let runtime = runtime();
    let months: Vec<_> = (1..=3).map(month).collect();
    three_months_wait_at_the_broker(&mut f, &people, &runtime, &months);
    let first = {
        let client = runtime.block_on(operator(&f));
        runtime.block_on(stored_messages(&client))
    };
    empty(&mut f, |_| {});
    let client = runtime.block_on(operator(&f));
    wait("the streams to be made anew", || {
        Ok(runtime.block_on(api(&client, "STREAM.INFO.CS_DOWN", ""))?["error"].is_null())
    })
    .unwrap();
    let client = runtime.block_on(operator(&f));
    some_arrive_in_disorder(&runtime, &client, &first, &mut random, seed);
    for unit in [CITY, PROVINCE, COUNTIES[0], COUNTIES[1]] {
        f.start_node(unit).unwrap();
    }
    for m in &months {
        people.month(*m, &mut NoDisturbance);
    }
    drained(&runtime, &client);
    let before = known_to_the_province(&people);
    everything_is_published_twice_more(&runtime, &client, first, &mut random);
    assert_eq!(
        known_to_the_province(&people),
        before,
        "seed {seed}: nothing that was known came anew"
    );
    people.conclude(f, &months);
}

/// The counties report; whoever they report to is down, and then they are down as well.
fn three_months_wait_at_the_broker(
    f: &mut Federation,
    people: &People,
    runtime: &Runtime,
    months: &[Month],
) {
    f.kill_node(CITY);
    f.kill_node(PROVINCE);
    for m in months {
        clock(&f.world, m.month(), 3);
        for county in COUNTIES {
            people.fill(county, *m, &mut NoDisturbance);
            people.report(county, *m, &mut NoDisturbance);
        }
    }
    for county in COUNTIES {
        let subject = format!("cs.v1.up.{PROVINCE}.{CITY}.{county}.rollup");
        wait(&format!("{county} to have sent everything"), || {
            Ok(stored(runtime, f, "CS_UP", &subject) == 3)
        })
        .unwrap();
        f.kill_node(county);
    }
}

/// A quarter never comes, a third of the rest comes twice, and all of it in another order.
fn some_arrive_in_disorder(
    runtime: &Runtime,
    client: &Client,
    first: &[StoredMessage],
    random: &mut Random,
    seed: u64,
) {
    let mut order: Vec<&StoredMessage> = first.iter().filter(|_| random.below(4) > 0).collect();
    shuffle(&mut order, random);
    assert!(
        order.len() < first.len() && order.len() > first.len() / 2,
        "seed {seed}: {} of {}",
        order.len(),
        first.len()
    );
    let repeated = order.iter().filter(|_| random.below(3) == 0);
    let twice: Vec<&StoredMessage> = repeated.copied().collect();
    runtime.block_on(async {
        for message in &order {
            publish(client, message).await;
        }
        for message in &twice {
            publish_as_new(client, message).await;
        }
    });
}

/// The whole of what was ever published, in new orders.
fn everything_is_published_twice_more(
    runtime: &Runtime,
    client: &Client,
    first: Vec<StoredMessage>,
    random: &mut Random,
) {
    let mut all = runtime.block_on(stored_messages(client));
    all.extend(first);
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all.dedup_by(|a, b| a.id == b.id);
    for _ in 0..2 {
        shuffle(&mut all, random);
        runtime.block_on(async {
            for message in &all {
                publish_as_new(client, message).await;
            }
        });
        drained(runtime, client);
    }
}

/// Unit, month, revision and digest of a report, when it came, and what was decided.
type ReportState = (UnitId, Month, u32, Digest, Option<String>, Option<Decision>);

/// Every report that the province has, when it came, and what became of it.
fn known_to_the_province(people: &People) -> Vec<ReportState> {
    let list = people.client(PROVINCE, "tongji").children().unwrap();
    list.into_iter()
        .map(|c| {
            (
                c.unit, c.period, c.revision, c.rollup, c.arrived, c.decision,
            )
        })
        .collect()
}

/// How many messages the broker holds under a subject.
fn stored(runtime: &Runtime, f: &Federation, stream: &str, subject: &str) -> u64 {
    let body = format!(r#"{{"subjects_filter":"{subject}"}}"#);
    let info = runtime
        .block_on(async { api(&operator(f).await, &format!("STREAM.INFO.{stream}"), &body).await });
    info.unwrap_or_default()["state"]["subjects"][subject]
        .as_u64()
        .unwrap_or(0)
}

fn shuffle<T>(list: &mut [T], random: &mut Random) {
    for i in (1..list.len()).rev() {
        list.swap(i, usize::try_from(random.below(i as u64 + 1)).unwrap());
    }
}

#[test]
fn messages_are_lost_repeated_delayed_and_reordered() {
    let seed = std::env::var("COUNTERSIGN_SEED")
        .ok()
        .map_or(5, |t| t.parse().unwrap());
    println!("seed {seed}; COUNTERSIGN_SEED={seed} repeats it");
    misbehaves(seed);
}
