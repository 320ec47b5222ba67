//! What JetStream says of a consumer: whether it is there, who leads it, and on which servers it
//! stands.

use super::wire::{ApiError, Presence, Wire};
use crate::link::access;
use crate::link::durability::Holder;
use crate::link::error::LinkError;
use async_nats::client::Request;
use serde::Deserialize;
use std::time::Duration;

/// How long the answer may take: a server without a leader waits half a second before it says so.
const INFO_TIMEOUT: Duration = Duration::from_secs(3);
/// A server that the leader has not heard of for so long is away; between them something is said
/// every second.
const AWAY_AFTER: Duration = Duration::from_secs(5);
/// JetStream's code for a stream that does not exist.
const STREAM_NOT_FOUND: u64 = 10059;
/// JetStream's code for a consumer that does not exist.
const CONSUMER_NOT_FOUND: u64 = 10014;

/// The answer, as far as it matters here.
#[derive(Deserialize)]
struct ConsumerInfo {
    created: Option<String>,
    #[serde(default)]
    config: Filters,
    #[serde(default)]
    cluster: Cluster,
    error: Option<ApiError>,
}

/// What it delivers: one filter, or several.
#[derive(Deserialize, Default)]
struct Filters {
    filter_subject: Option<String>,
    #[serde(default)]
    filter_subjects: Vec<String>,
}

#[derive(Deserialize, Default)]
struct Cluster {
    #[serde(default)]
    leader: String,
    #[serde(default)]
    replicas: Vec<Replica>,
}

/// A server that follows the leader.
#[derive(Deserialize)]
struct Replica {
    name: String,
    #[serde(default)]
    current: bool,
    #[serde(default)]
    offline: bool,
    /// Nanoseconds since the leader last heard of it; 0 where it never did.
    #[serde(default)]
    active: u64,
}

impl Replica {
    fn is_away(&self) -> bool {
        let never = self.active == 0 && !self.current;
        self.offline || never || Duration::from_nanos(self.active) > AWAY_AFTER
    }
}

/// What JetStream says of a consumer.
pub(super) enum Consumer {
    /// It is there.
    There {
        /// When it was made.
        created: String,
        /// What it delivers.
        filters: Vec<String>,
        /// The servers that hold it, the leader first.
        holders: Vec<Holder>,
    },
    /// Its stream is there, and the consumer is not.
    Missing,
    /// Its stream is not there.
    WithoutStream,
    /// Nobody leads it, or too few of those that hold it are up.
    Leaderless,
}

impl Consumer {
    /// How it stands with it.
    pub(super) fn presence(&self) -> Presence {
        match self {
            Consumer::There { .. } => Presence::There,
            Consumer::Missing | Consumer::WithoutStream => Presence::Missing,
            Consumer::Leaderless => Presence::Leaderless,
        }
    }
}

impl Wire {
    /// Asks about a consumer.
    pub(super) async fn consumer(&self, consumer: &str) -> Result<Consumer, LinkError> {
        let subject = access::info_subject(consumer);
        let request = Request::new().payload("".into());
        let answer = self.ask(&subject, request, INFO_TIMEOUT).await?;
        let server = self.client.server_info().server_name;
        read(&answer.payload, &server).map_err(|reason| LinkError::Answer { subject, reason })
    }
}

/// Reads an answer that came by a connection to this server.
fn read(answer: &[u8], server: &str) -> Result<Consumer, String> {
    let info: ConsumerInfo = serde_json::from_slice(answer).map_err(|e| e.to_string())?;
    match info.error {
        Some(error) if error.err_code == STREAM_NOT_FOUND => return Ok(Consumer::WithoutStream),
        Some(error) if error.err_code == CONSUMER_NOT_FOUND => return Ok(Consumer::Missing),
        Some(error) if error.is_without_leader() => return Ok(Consumer::Leaderless),
        Some(error) => return Err(format!("{} (code {})", error.description, error.err_code)),
        None => {}
    }
    let created = info.created.ok_or("it does not say when it was made")?;
    let Cluster { leader, replicas } = info.cluster;
    // A server that stands alone need not name itself: it is the one that was asked.
    let leader = match (leader.is_empty(), replicas.is_empty()) {
        (true, true) => server.to_owned(),
        (true, false) => return Ok(Consumer::Leaderless),
        (false, _) => leader,
    };
    let leads = Holder {
        name: leader,
        is_away: false,
    };
    let follow = replicas.iter().map(|replica| Holder {
        name: replica.name.clone(),
        is_away: replica.is_away(),
    });
    let holders = Vec::from_iter(std::iter::once(leads).chain(follow));
    let up = holders.iter().filter(|holder| !holder.is_away).count();
    if up * 2 <= holders.len() {
        return Ok(Consumer::Leaderless);
    }
    let Filters {
        filter_subject,
        filter_subjects,
    } = info.config;
    Ok(Consumer::There {
        created,
        filters: filter_subjects.into_iter().chain(filter_subject).collect(),
        holders,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(answer: &str) -> Result<Vec<(String, bool)>, Presence> {
        match read(answer.as_bytes(), "me").unwrap() {
            Consumer::There { holders, .. } => {
                Ok(holders.into_iter().map(|h| (h.name, h.is_away)).collect())
            }
            other => Err(other.presence()),
        }
    }

    fn of_three(first: &str, second: &str) -> String {
        format!(
            r#"{{"created":"x","cluster":{{"leader":"A","replicas":[{{"name":"B",{first}}},{{"name":"C",{second}}}]}}}}"#
        )
    }

    #[test]
    fn holders_are_leader_and_replicas_and_those_who_are_silent_are_away() {
        let here = r#""current":true,"active":400000000"#;
        let gone = r#""current":true,"active":9400000000"#;
        let by_name = |b, c| {
            Ok(vec![
                ("A".to_owned(), false),
                ("B".to_owned(), b),
                ("C".to_owned(), c),
            ])
        };
        assert_eq!(names(&of_three(here, here)), by_name(false, false));
        for away in [
            gone,
            r#""current":false"#,
            r#""current":true,"active":1,"offline":true"#,
        ] {
            assert_eq!(names(&of_three(here, away)), by_name(false, true));
            assert_eq!(names(&of_three(away, away)), Err(Presence::Leaderless));
        }
        assert_eq!(
            names(r#"{"created":"x"}"#),
            Ok(vec![("me".to_owned(), false)])
        );
    }

    #[test]
    fn one_filter_and_several_are_told_alike() {
        let filters = |config: &str| {
            let answer = format!(r#"{{"created":"x","config":{{{config}}}}}"#);
            match read(answer.as_bytes(), "me").unwrap() {
                Consumer::There { filters, .. } => filters,
                other => panic!("{:?}", other.presence()),
            }
        };
        assert_eq!(filters(r#""filter_subject":"a""#), ["a"]);
        assert_eq!(filters(r#""filter_subjects":["a","b"]"#), ["a", "b"]);
        assert!(filters("").is_empty());
    }

    #[test]
    fn errors_tell_what_is_not_there() {
        let error =
            |code| format!(r#"{{"error":{{"code":1,"err_code":{code},"description":"d"}}}}"#);
        assert_eq!(names(&error(10014)), Err(Presence::Missing));
        assert_eq!(names(&error(10059)), Err(Presence::Missing));
        assert_eq!(names(&error(10008)), Err(Presence::Leaderless));
        let voteless = r#"{"created":"x","cluster":{"leader":"","replicas":[{"name":"B"}]}}"#;
        assert_eq!(names(voteless), Err(Presence::Leaderless));
        assert!(read(error(10039).as_bytes(), "me").is_err());
        assert!(read(b"<html>", "me").is_err());
    }
}
