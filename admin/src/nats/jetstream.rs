//! The conversation with JetStream as the operator: connect, ask, wait for a leader.
//!
//! It speaks JetStream's JSON API directly: the client library hides consumers with several filters
//! behind features that the workspace does not need otherwise, and the JSON is what the server
//! documents.

use super::error::NatsError;
use async_nats::{Client, ConnectOptions, RequestErrorKind};
use node::link::LinkTls;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// JetStream's code for a stream that does not exist.
const STREAM_NOT_FOUND: u64 = 10059;
/// JetStream's code for a consumer that does not exist.
const CONSUMER_NOT_FOUND: u64 = 10014;
/// JetStream's codes for "not available" and "cannot handle the request": nobody leads.
const WITHOUT_LEADER: [u64; 2] = [10008, 10009];
/// How long an election is waited for. A cluster that has just been started takes several seconds.
pub(super) const ELECTION_PATIENCE: Duration = Duration::from_secs(60);
/// How long one answer may take while nobody may lead.
const ELECTION_ANSWER: Duration = Duration::from_secs(2);
/// How often it is asked again.
const ELECTION_INTERVAL: Duration = Duration::from_millis(250);
/// How long a server that has just been started may take until its JetStream answers at all.
const START_PATIENCE: Duration = Duration::from_secs(5);

/// The operator's connection.
#[derive(Clone)]
pub(super) struct JetStream {
    client: Client,
}

impl JetStream {
    /// Connects; `url` may name several servers, with commas.
    pub(super) async fn connect(
        url: &str,
        tls: &LinkTls,
        admin_seed: &str,
    ) -> Result<JetStream, NatsError> {
        let options = ConnectOptions::new()
            .nkey(admin_seed.trim().to_owned())
            .name("countersign nats provision")
            .request_timeout(Some(Duration::from_secs(15)));
        let failed = |reason: String| NatsError::Connect {
            url: url.to_owned(),
            reason,
        };
        let options = tls.apply(url, options).map_err(|e| failed(e.to_string()))?;
        let servers: Vec<&str> = url.split(',').map(str::trim).collect();
        let client = options
            .connect(&servers[..])
            .await
            .map_err(|e| failed(node::link::explain(&e.to_string())))?;
        Ok(JetStream { client })
    }

    /// One request to JetStream's API about a stream or consumer.
    pub(super) async fn call(
        &self,
        api: &str,
        what: &str,
        body: &Value,
    ) -> Result<Value, NatsError> {
        let answer = |reason: String| NatsError::Answer {
            what: what.to_owned(),
            reason,
        };
        let payload = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let reply = self
            .client
            .request(format!("$JS.API.{api}"), payload.into())
            .await
            .map_err(|e| match e.kind() {
                RequestErrorKind::NoResponders => NatsError::WithoutJetStream {
                    what: what.to_owned(),
                },
                // Whoever leads answers; the others are silent.
                RequestErrorKind::TimedOut => NatsError::NoLeader {
                    what: what.to_owned(),
                },
                _ => answer(e.to_string()),
            })?;
        let value: Value =
            serde_json::from_slice(&reply.payload).map_err(|e| answer(e.to_string()))?;
        let Some(error) = value.get("error") else {
            return Ok(value);
        };
        let code = error.get("err_code").and_then(Value::as_u64).unwrap_or(0);
        if WITHOUT_LEADER.contains(&code) {
            return Err(NatsError::NoLeader {
                what: what.to_owned(),
            });
        }
        let reason = error.get("description").and_then(Value::as_str);
        Err(NatsError::Refused {
            what: what.to_owned(),
            code,
            reason: reason.unwrap_or("no reason given").to_owned(),
        })
    }

    /// The answer to an INFO request; none where there is no such stream or consumer.
    pub(super) async fn info(&self, api: &str, what: &str) -> Result<Option<Value>, NatsError> {
        match self.call(api, what, &Value::Null).await {
            Ok(info) => Ok(Some(info)),
            Err(NatsError::Refused {
                code: STREAM_NOT_FOUND | CONSUMER_NOT_FOUND,
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits until the servers can be asked for changes: one that stands alone answers at once, a
    /// cluster once it has elected who keeps its lists.
    pub(super) async fn ready(&self) -> Result<(), NatsError> {
        self.leads("the cluster", "INFO", ELECTION_PATIENCE, |_| true)
            .await
    }

    /// Waits until somebody leads a stream, at most this long: only then it stores.
    pub(super) async fn stream_leader(
        &self,
        stream: &str,
        patience: Duration,
    ) -> Result<(), NatsError> {
        let has_leader = |info: &Value| match info.get("cluster") {
            // A server that stands alone.
            None => true,
            Some(cluster) => cluster["leader"].as_str().is_some_and(|l| !l.is_empty()),
        };
        let api = format!("STREAM.INFO.{stream}");
        self.leads(stream, &api, patience, has_leader).await
    }

    async fn leads(
        &self,
        what: &str,
        api: &str,
        patience: Duration,
        is_led: impl Fn(&Value) -> bool,
    ) -> Result<(), NatsError> {
        let begin = Instant::now();
        loop {
            let asked = timeout(ELECTION_ANSWER, self.call(api, what, &Value::Null)).await;
            let error = match asked {
                Ok(Ok(info)) if is_led(&info) => return Ok(()),
                Ok(Err(error @ NatsError::WithoutJetStream { .. }))
                    if begin.elapsed() >= START_PATIENCE =>
                {
                    return Err(error);
                }
                Ok(Err(error @ (NatsError::Refused { .. } | NatsError::Answer { .. }))) => {
                    return Err(error);
                }
                Ok(_) | Err(_) => NatsError::NoLeader {
                    what: what.to_owned(),
                },
            };
            if begin.elapsed() >= patience {
                return Err(error);
            }
            sleep(ELECTION_INTERVAL).await;
        }
    }

    /// Deletes a consumer; what it had delivered is forgotten with it.
    pub(super) async fn delete_consumer(&self, stream: &str, name: &str) -> Result<(), NatsError> {
        let api = format!("CONSUMER.DELETE.{stream}.{name}");
        self.call(&api, name, &Value::Null).await.map(drop)
    }

    /// All pages of a list: `field` of the answers to this request.
    pub(super) async fn list(
        &self,
        api: &str,
        stream: &str,
        field: &str,
    ) -> Result<Option<Vec<Value>>, NatsError> {
        let mut all: Vec<Value> = Vec::new();
        // The server gives so many at once as it likes, and says how many there are.
        loop {
            let body = serde_json::json!({ "offset": all.len() });
            let page = match self.call(api, stream, &body).await {
                Ok(page) => page,
                Err(NatsError::Refused {
                    code: STREAM_NOT_FOUND,
                    ..
                }) => return Ok(None),
                Err(error) => return Err(error),
            };
            let total = page["total"].as_u64().unwrap_or(0);
            let some = page[field].as_array().cloned().unwrap_or_default();
            let last = some.is_empty();
            all.extend(some);
            if last || all.len() as u64 >= total {
                return Ok(Some(all));
            }
        }
    }
}
