//! Gives up a stream that nobody can lead any more.

use super::error::NatsError;
use super::jetstream::{ELECTION_PATIENCE, JetStream};
use node::link::LinkTls;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long one answer is waited for.
const ANSWER: Duration = Duration::from_secs(2);

/// Deletes a stream of which no server has become leader in this time, with all servers running: the
/// servers that had all of it lost their disks, and the one that is left had not fetched everything
/// yet, so that it never leads. Nothing is lost by it: every node has what it sent, and sends what is
/// recent again into the stream that [`super::provision()`] makes.
///
/// # Errors
/// [`NatsError::HasLeader`]: the stream works. [`NatsError::NoLeader`]: more than half of the servers
/// are away, so nothing can be deleted either.
pub async fn renew(
    url: &str,
    tls: &LinkTls,
    admin_seed: &str,
    stream: &str,
    patience: Duration,
) -> Result<(), NatsError> {
    let server = JetStream::connect(url, tls, admin_seed).await?;
    server.ready().await?;
    match server.stream_leader(stream, patience).await {
        Ok(()) => Err(NatsError::HasLeader {
            what: stream.to_owned(),
        }),
        Err(NatsError::NoLeader { .. }) => delete(&server, stream).await,
        Err(error) => Err(error),
    }
}

/// Deletes it, and waits until it is gone: where the servers that hold it are away nobody says so.
async fn delete(server: &JetStream, stream: &str) -> Result<(), NatsError> {
    let (delete, info) = (
        format!("STREAM.DELETE.{stream}"),
        format!("STREAM.INFO.{stream}"),
    );
    let begin = Instant::now();
    loop {
        let asked = timeout(ANSWER, server.call(&delete, stream, &Value::Null)).await;
        let is_gone = match asked {
            Ok(Ok(_)) => true,
            Ok(Err(error @ NatsError::Connect { .. })) => return Err(error),
            Ok(Err(_)) | Err(_) => {
                let seen = timeout(ANSWER, server.info(&info, stream)).await;
                matches!(seen, Ok(Ok(None)))
            }
        };
        if is_gone {
            return Ok(());
        }
        if begin.elapsed() >= ELECTION_PATIENCE {
            return Err(NatsError::NoLeader {
                what: stream.to_owned(),
            });
        }
    }
}
