//! Creates and updates the two streams and each unit's consumers. Idempotent: run it after every
//! change of the registry.
//!
//! It speaks JetStream's JSON API directly: the client library hides consumers with several filters
//! behind features that the workspace does not need otherwise, and the JSON is what the server
//! documents.

use super::error::NatsError;
use super::unit::{NatsUnit, checked};
use async_nats::{Client, ConnectOptions};
use node::link::LinkTls;
use node::link::access::{self, STREAM_DOWN, STREAM_UP};
use node::link::subject::{DOWN_PREFIX, UP_PREFIX};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// The largest message: the server's `max_payload`.
const MAX_MESSAGE_BYTES: u64 = 8 * 1024 * 1024;
/// How many delivered messages of one consumer may be without answer. Nodes pull one message at a
/// time, so this does not pace them; it must only be so large that messages which wait for an
/// earlier one (of one unit) never hold up those of all others.
const MAX_ACK_PENDING: u64 = 65_536;

/// JetStream's code for a stream that does not exist.
const STREAM_NOT_FOUND: u64 = 10059;
/// JetStream's code for a consumer that does not exist.
const CONSUMER_NOT_FOUND: u64 = 10014;
/// How often it is looked whether the streams and consumers are there.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// How the streams and consumers keep time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long a node may take from delivery to answer before the message comes again: so long
    /// waits what was on its way to a node that was killed. A message that comes again too early is
    /// only work done twice.
    pub ack_wait: Duration,
    /// How long a stream knows a message again by its id. What is repeated later is stored once
    /// more, and harmless.
    pub duplicate_window: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ack_wait: Duration::from_secs(20),
            duplicate_window: Duration::from_secs(120),
        }
    }
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProvisionReport {
    /// Streams and consumers that did not exist.
    pub created: Vec<String>,
    /// Those that existed and now have this configuration.
    pub confirmed: Vec<String>,
}

/// Brings the server at `url` to what the units need, as the operator with this seed, by the TLS
/// that a node would use.
pub async fn provision(
    url: &str,
    tls: &LinkTls,
    admin_seed: &str,
    units: &[NatsUnit],
    timing: Timing,
) -> Result<ProvisionReport, NatsError> {
    let units = checked(units)?;
    let client = connect(url, tls, admin_seed).await?;
    let mut done = ProvisionReport::default();
    for (stream, prefix) in [(STREAM_UP, UP_PREFIX), (STREAM_DOWN, DOWN_PREFIX)] {
        let config = stream_config(stream, &format!("{prefix}.>"), timing);
        if exists(&client, &format!("STREAM.INFO.{stream}"), stream).await? {
            call(&client, &format!("STREAM.UPDATE.{stream}"), stream, &config).await?;
            done.confirmed.push(stream.to_owned());
        } else {
            call(&client, &format!("STREAM.CREATE.{stream}"), stream, &config).await?;
            done.created.push(stream.to_owned());
        }
    }
    for (path, unit) in &units {
        for (stream, consumer, filters) in access::consumers(path, unit.has_children) {
            let known = exists(
                &client,
                &format!("CONSUMER.INFO.{stream}.{consumer}"),
                &consumer,
            )
            .await?;
            let body = consumer_config(stream, &consumer, &filters, timing);
            call(
                &client,
                &format!("CONSUMER.CREATE.{stream}.{consumer}"),
                &consumer,
                &body,
            )
            .await?;
            if known {
                done.confirmed.push(consumer)
            } else {
                done.created.push(consumer)
            }
        }
    }
    Ok(done)
}

/// Waits, as the operator, for as long as both streams and all consumers of the units are there and
/// the server answers, and at most this long. A store that was lost comes back empty with the
/// server's next start, and a consumer can be lost without its stream: then nobody reads what was
/// meant for one unit, and the others notice nothing.
pub async fn wait_for_loss(
    url: &str,
    tls: &LinkTls,
    admin_seed: &str,
    units: &[NatsUnit],
    at_most: Duration,
) -> Result<(), NatsError> {
    let expected: BTreeSet<(&str, String)> = checked(units)?
        .iter()
        .flat_map(|(path, unit)| access::consumers(path, unit.has_children))
        .map(|(stream, consumer, _)| (stream, consumer))
        .collect();
    let client = connect(url, tls, admin_seed).await?;
    let end = tokio::time::Instant::now() + at_most;
    while tokio::time::Instant::now() < end {
        let mut there = BTreeSet::new();
        for stream in [STREAM_UP, STREAM_DOWN] {
            let Some(names) = consumer_names(&client, stream).await? else {
                return Ok(());
            };
            there.extend(names.into_iter().map(|name| (stream, name)));
        }
        if !expected.is_subset(&there) {
            return Ok(());
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    Ok(())
}

/// The names of a stream's consumers; none where there is no such stream.
async fn consumer_names(client: &Client, stream: &str) -> Result<Option<Vec<String>>, NatsError> {
    let api = format!("CONSUMER.NAMES.{stream}");
    let mut names: Vec<String> = Vec::new();
    // The server gives so many at once as it likes, and says how many there are.
    loop {
        let page = match call(client, &api, stream, &json!({ "offset": names.len() })).await {
            Ok(page) => page,
            Err(NatsError::Refused {
                code: STREAM_NOT_FOUND,
                ..
            }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let total = page["total"].as_u64().unwrap_or(0);
        let some = page["consumers"].as_array().cloned().unwrap_or_default();
        let last = some.is_empty();
        names.extend(some.iter().filter_map(Value::as_str).map(str::to_owned));
        if last || names.len() as u64 >= total {
            return Ok(Some(names));
        }
    }
}

/// Connects as the operator.
async fn connect(url: &str, tls: &LinkTls, admin_seed: &str) -> Result<Client, NatsError> {
    let options = ConnectOptions::new()
        .nkey(admin_seed.trim().to_owned())
        .name("countersign nats provision")
        .request_timeout(Some(Duration::from_secs(15)));
    let options = tls.apply(url, options).map_err(|e| NatsError::Connect {
        url: url.to_owned(),
        reason: e.to_string(),
    })?;
    options.connect(url).await.map_err(|e| NatsError::Connect {
        url: url.to_owned(),
        reason: node::link::explain(&e.to_string()),
    })
}

/// Nothing is ever trimmed: a full stream refuses, which a sender notices, instead of dropping what
/// is old.
fn stream_config(name: &str, subjects: &str, timing: Timing) -> Value {
    json!({
        "name": name,
        "subjects": [subjects],
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "max_consumers": -1,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_age": 0,
        "max_msg_size": MAX_MESSAGE_BYTES,
        "num_replicas": 1,
        "duplicate_window": timing.duplicate_window.as_nanos() as u64,
        "deny_delete": true,
        "deny_purge": true,
        "allow_rollup_hdrs": false,
        "allow_direct": false,
    })
}

fn consumer_config(stream: &str, consumer: &str, filters: &[String], timing: Timing) -> Value {
    json!({
        "stream_name": stream,
        "config": {
            "durable_name": consumer,
            "name": consumer,
            "deliver_policy": "all",
            "replay_policy": "instant",
            "ack_policy": "explicit",
            "ack_wait": timing.ack_wait.as_nanos() as u64,
            "max_deliver": -1,
            "max_ack_pending": MAX_ACK_PENDING,
            "filter_subjects": filters,
        }
    })
}

/// Whether the thing that this INFO request asks for exists.
async fn exists(client: &Client, api: &str, what: &str) -> Result<bool, NatsError> {
    match call(client, api, what, &Value::Null).await {
        Ok(_) => Ok(true),
        Err(NatsError::Refused {
            code: STREAM_NOT_FOUND | CONSUMER_NOT_FOUND,
            ..
        }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// One request to JetStream's API.
async fn call(client: &Client, api: &str, what: &str, body: &Value) -> Result<Value, NatsError> {
    let answer = |reason: String| NatsError::Answer {
        what: what.to_owned(),
        reason,
    };
    let payload = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let reply = client
        .request(format!("$JS.API.{api}"), payload.into())
        .await
        .map_err(|e| answer(e.to_string()))?;
    let value: Value = serde_json::from_slice(&reply.payload).map_err(|e| answer(e.to_string()))?;
    match value.get("error") {
        None => Ok(value),
        Some(error) => Err(NatsError::Refused {
            what: what.to_owned(),
            code: error.get("err_code").and_then(Value::as_u64).unwrap_or(0),
            reason: error
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or("no reason given")
                .to_owned(),
        }),
    }
}
