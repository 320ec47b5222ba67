//! Creates the two streams and each unit's consumers, and changes what differs. Idempotent: run it
//! after every change of the registry.

use super::error::NatsError;
use super::jetstream::{ELECTION_PATIENCE, JetStream};
use super::newest::Newest;
use super::timing::Timing;
use super::unit::{NatsUnit, checked};
use super::wanted;
use node::link::LinkTls;
use node::link::UnitPath;
use node::link::access::{self, STREAM_DOWN, STREAM_UP};
use node::link::subject::{DOWN_PREFIX, UP_PREFIX};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many requests may be on their way at once. Each waits for a disk, in a cluster for three.
const MAX_UNANSWERED: usize = 64;

/// On how many servers each stream is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replicas {
    /// On as many as it is; a new one on one.
    #[default]
    AsTheyAre,
    /// On so many, and never on fewer than it is: who runs this with an older command line must not
    /// take away copies.
    AtLeast(usize),
    /// On so many.
    Exactly(usize),
}

impl Replicas {
    /// For a stream that is on so many now.
    fn of(self, now: Option<usize>) -> usize {
        match self {
            Replicas::AsTheyAre => now.unwrap_or(1),
            Replicas::AtLeast(wanted) => wanted.max(now.unwrap_or(1)),
            Replicas::Exactly(wanted) => wanted,
        }
    }
}

/// What the operator decides about the streams and consumers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProvisionOptions {
    /// How they keep time.
    pub timing: Timing,
    /// On how many servers.
    pub replicas: Replicas,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProvisionReport {
    /// Streams and consumers that did not exist.
    pub created: Vec<String>,
    /// Those that existed, with another configuration than now.
    pub changed: Vec<String>,
    /// Those that existed with this configuration: nothing was written.
    pub confirmed: Vec<String>,
}

/// What became of a stream or consumer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Created,
    Changed,
    Confirmed,
}

impl ProvisionReport {
    fn note(&mut self, name: String, outcome: Outcome) {
        match outcome {
            Outcome::Created => self.created.push(name),
            Outcome::Changed => self.changed.push(name),
            Outcome::Confirmed => self.confirmed.push(name),
        }
    }
}

/// The consumers that the units need, by stream and name, with their filters; for each stream also
/// the one that tells who holds it.
pub(super) fn consumers(
    units: &[(UnitPath, &NatsUnit)],
) -> BTreeMap<(&'static str, String), Vec<String>> {
    let of_units = units
        .iter()
        .flat_map(|(path, unit)| unit.places(path).consumers(unit.has_children))
        .map(|(stream, name, filters)| ((stream, name), filters));
    let of_streams = [STREAM_UP, STREAM_DOWN].map(|stream| {
        let filter = access::holders_filter(stream);
        ((stream, access::holders_consumer(stream)), vec![filter])
    });
    of_streams.into_iter().chain(of_units).collect()
}

/// Brings the servers at `url` to what the units need, as the operator with this seed, by the TLS
/// that a node would use. Reads first, and writes only what differs.
pub async fn provision(
    url: &str,
    tls: &LinkTls,
    admin_seed: &str,
    units: &[NatsUnit],
    options: &ProvisionOptions,
) -> Result<ProvisionReport, NatsError> {
    let units = checked(units)?;
    let server = JetStream::connect(url, tls, admin_seed).await?;
    server.ready().await?;
    let mut done = ProvisionReport::default();
    for (stream, prefix) in [(STREAM_UP, UP_PREFIX), (STREAM_DOWN, DOWN_PREFIX)] {
        let outcome = put_stream(&server, stream, prefix, units.len(), options).await?;
        done.note(stream.to_owned(), outcome);
    }
    let mut there = BTreeMap::new();
    for stream in [STREAM_UP, STREAM_DOWN] {
        let api = format!("CONSUMER.LIST.{stream}");
        let list = server.list(&api, stream, "consumers").await?;
        // Asked after the list: the stream may grow meanwhile, and no consumer is ahead of it then.
        let newest = Newest::of(&server, stream).await?;
        for info in list.unwrap_or_default() {
            let name = info["name"].as_str().unwrap_or_default().to_owned();
            if newest.is_behind(&info) {
                server.delete_consumer(stream, &name).await?;
            } else {
                there.insert((stream, name), info["config"].clone());
            }
        }
    }
    let room = Arc::new(Semaphore::new(MAX_UNANSWERED));
    let mut running = JoinSet::new();
    for ((stream, name), filters) in consumers(&units) {
        let config = wanted::consumer(&name, &filters, options.timing);
        let known = there.remove(&(stream, name.clone()));
        if known.as_ref().is_some_and(|c| wanted::has_all(c, &config)) {
            done.note(name, Outcome::Confirmed);
            continue;
        }
        let (server, room) = (server.clone(), Arc::clone(&room));
        running.spawn(async move {
            let _turn = room.acquire().await;
            let outcome = put_consumer(&server, stream, &name, config).await?;
            Ok::<_, NatsError>((name, outcome))
        });
    }
    while let Some(joined) = running.join_next().await {
        let (name, outcome) = joined.map_err(|e| NatsError::Answer {
            what: "a consumer".to_owned(),
            reason: e.to_string(),
        })??;
        done.note(name, outcome);
    }
    done.created.sort();
    done.changed.sort();
    Ok(done)
}

async fn put_stream(
    server: &JetStream,
    stream: &str,
    prefix: &str,
    units: usize,
    options: &ProvisionOptions,
) -> Result<Outcome, NatsError> {
    let info = server
        .info(&format!("STREAM.INFO.{stream}"), stream)
        .await?;
    let there = info.as_ref().map(|info| &info["config"]);
    let now = there
        .and_then(|config| config["num_replicas"].as_u64())
        .and_then(|n| usize::try_from(n).ok());
    let replicas = options.replicas.of(now);
    let subjects = format!("{prefix}.>");
    let mut config = wanted::stream(stream, &subjects, units, replicas, options.timing);
    let (request, outcome) = match there {
        None => ("CREATE", Outcome::Created),
        Some(there) => {
            wanted::keep_room(&mut config, there);
            if wanted::has_all(there, &config) {
                return Ok(Outcome::Confirmed);
            }
            ("UPDATE", Outcome::Changed)
        }
    };
    let api = format!("STREAM.{request}.{stream}");
    server.call(&api, stream, &config).await?;
    server.stream_leader(stream, ELECTION_PATIENCE).await?;
    Ok(outcome)
}

/// Makes a consumer, or changes it. The list that was read may lack one that is there, where a
/// server of a cluster did not answer in time.
async fn put_consumer(
    server: &JetStream,
    stream: &str,
    name: &str,
    config: Value,
) -> Result<Outcome, NatsError> {
    let api = format!("CONSUMER.INFO.{stream}.{name}");
    let outcome = match server.info(&api, name).await? {
        None => Outcome::Created,
        Some(info) if wanted::has_all(&info["config"], &config) => {
            return Ok(Outcome::Confirmed);
        }
        Some(_) => Outcome::Changed,
    };
    let body = json!({ "stream_name": stream, "config": config });
    let api = format!("CONSUMER.CREATE.{stream}.{name}");
    server.call(&api, name, &body).await?;
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_taken_away_only_where_that_is_said() {
        for (replicas, now, wanted) in [
            (Replicas::AsTheyAre, None, 1),
            (Replicas::AsTheyAre, Some(3), 3),
            (Replicas::AtLeast(3), None, 3),
            (Replicas::AtLeast(3), Some(1), 3),
            (Replicas::AtLeast(1), Some(3), 3),
            (Replicas::Exactly(1), Some(3), 1),
        ] {
            assert_eq!(replicas.of(now), wanted, "{replicas:?} {now:?}");
        }
    }
}
