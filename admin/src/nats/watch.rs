//! What the operator's keeper waits for between two passes of [`super::provision()`].

use super::error::NatsError;
use super::jetstream::JetStream;
use super::newest::Newest;
use super::provision::consumers;
use super::unit::{NatsUnit, checked};
use node::link::LinkTls;
use node::link::access::{STREAM_DOWN, STREAM_UP};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often it is looked.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What the streams held when they were last looked at. A keeper has one for as long as it runs.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    newest: BTreeMap<&'static str, Newest>,
}

/// Why it is time for another pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing was lost in this time.
    Nothing,
    /// A stream or consumer is not there.
    Missing,
    /// What was in a stream is in it no longer: its store is an older one, or lost its end. The
    /// stream's consumers were deleted, and are to be made anew: they would leave out what is
    /// stored under the numbers that they know already.
    WentBack {
        /// The stream.
        stream: &'static str,
        /// The number of the message that is gone.
        seq: u64,
    },
}

/// Waits, as the operator, for as long as both streams and all consumers of the units are there, hold
/// what they held and the server answers, and at most this long. A store that was lost comes back
/// empty with the server's next start, and a consumer can be lost without its stream: then nobody
/// reads what was meant for one unit, and the others notice nothing.
pub async fn wait_for_loss(
    url: &str,
    tls: &LinkTls,
    admin_seed: &str,
    units: &[NatsUnit],
    seen: &mut Seen,
    at_most: Duration,
) -> Result<Loss, NatsError> {
    let expected = BTreeSet::from_iter(consumers(&checked(units)?).into_keys());
    let server = JetStream::connect(url, tls, admin_seed).await?;
    let end = Instant::now() + at_most;
    while Instant::now() < end {
        let mut there = BTreeSet::new();
        for stream in [STREAM_UP, STREAM_DOWN] {
            let api = format!("CONSUMER.NAMES.{stream}");
            let names = server.list(&api, stream, "consumers").await?;
            let Some(names) = names else {
                return Ok(Loss::Missing);
            };
            let names = names.iter().filter_map(Value::as_str);
            there.extend(names.map(|name| (stream, name.to_owned())));
            if let Some(seq) = seen.look(&server, stream).await? {
                for (_, name) in there.iter().filter(|(s, _)| *s == stream) {
                    server.delete_consumer(stream, name).await?;
                }
                return Ok(Loss::WentBack { stream, seq });
            }
        }
        if !expected.is_subset(&there) {
            return Ok(Loss::Missing);
        }
        sleep(POLL_INTERVAL).await;
    }
    Ok(Loss::Nothing)
}

impl Seen {
    /// Looks at a stream; the number of the message that was its newest, where that is gone.
    async fn look(
        &mut self,
        server: &JetStream,
        stream: &'static str,
    ) -> Result<Option<u64>, NatsError> {
        let now = Newest::of(server, stream).await?;
        let gone = match self.newest.get(stream) {
            Some(before) if before.is_gone(server, stream, &now).await? => Some(before.seq()),
            _ => None,
        };
        self.newest.insert(stream, now);
        Ok(gone)
    }
}
