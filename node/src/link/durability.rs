//! Asks the server whether it syncs before it acknowledges. Verify rather than assume:
//! nats-server's default is an fsync every two minutes, while acknowledgements go out at once.

use super::error::LinkError;
use serde::Deserialize;
use std::time::Duration;

/// How long the monitoring address may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read.
const MAX_VARZ_BYTES: u64 = 1024 * 1024;

#[derive(Deserialize)]
struct Varz {
    server_id: String,
    #[serde(default)]
    jetstream: JetStream,
}

#[derive(Deserialize, Default)]
struct JetStream {
    config: Option<Config>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    sync_always: bool,
}

/// Asks `<monitor>/varz`; `server_id` is the server that the link is connected to: another one's
/// promise is worth nothing. Blocks.
pub(super) fn check(monitor: &str, server_id: &str) -> Result<(), LinkError> {
    let refuse = |reason: String| LinkError::NotDurable {
        monitor: monitor.to_owned(),
        reason,
    };
    // No proxy: the address is the operator's own server, and an HTTP_PROXY variable must not
    // reroute the question.
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .max_redirects(0)
        .proxy(None)
        .build()
        .into();
    let mut answer = agent
        .get(format!("{}/varz", monitor.trim_end_matches('/')))
        .call()
        .map_err(|e| refuse(format!("it cannot be asked: {e}")))?;
    let text = answer
        .body_mut()
        .with_config()
        .limit(MAX_VARZ_BYTES)
        .read_to_string()
        .map_err(|e| refuse(format!("its answer cannot be read: {e}")))?;
    judge(&text, server_id).map_err(refuse)
}

/// The judgement over an answer.
fn judge(text: &str, server_id: &str) -> Result<(), String> {
    let varz: Varz = serde_json::from_str(text)
        .map_err(|_| "its answer is not that of nats-server".to_owned())?;
    if varz.server_id != server_id {
        return Err(
            "it belongs to another server than the one that the node is connected to".to_owned(),
        );
    }
    match varz.jetstream.config {
        Some(Config { sync_always: true }) => Ok(()),
        Some(_) => Err("jetstream.config.sync_always is not true".to_owned()),
        None => Err("JetStream is off".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_shown_promise_of_this_server_counts() {
        let good = r#"{"server_id":"A","jetstream":{"config":{"sync_always":true}}}"#;
        assert_eq!(judge(good, "A"), Ok(()));
        for (text, id) in [
            (good, "B"),
            (
                r#"{"server_id":"A","jetstream":{"config":{"sync_interval":120000000000}}}"#,
                "A",
            ),
            (
                r#"{"server_id":"A","jetstream":{"config":{"sync_always":false}}}"#,
                "A",
            ),
            (r#"{"server_id":"A","jetstream":{}}"#, "A"),
            (r#"{"server_id":"A"}"#, "A"),
            ("<html>", "A"),
            ("", "A"),
        ] {
            assert!(judge(text, id).is_err(), "{text}");
        }
    }

    #[test]
    fn an_unreachable_monitor_refuses_and_says_what_to_set() {
        let error = check("http://127.0.0.1:1", "A").unwrap_err();
        assert_eq!(error.code(), "link.not_durable");
        assert!(error.to_string().contains("sync_interval: always"));
    }
}
