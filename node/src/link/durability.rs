//! Asks the servers that hold a stream whether they sync before they acknowledge. Verify rather than
//! assume: nats-server's default is an fsync every two minutes, while acknowledgements go out at once.
//!
//! The server that the node is connected to only carries: in a cluster others store. So each server
//! that holds the stream must show `sync_always` at one of the monitoring addresses.

use super::error::LinkError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a monitoring address may take.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The largest answer that is read.
const MAX_VARZ_BYTES: u64 = 1024 * 1024;

#[derive(Deserialize)]
struct Varz {
    server_name: String,
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

/// A server that holds a stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holder {
    /// Its name, as the servers call each other.
    pub(super) name: String,
    /// The stream's leader has not heard of it lately: it stores nothing at the moment.
    pub(super) is_away: bool,
}

/// What a monitoring address said: the server's name, and what is wrong with its promise; or why it
/// said nothing.
pub(super) type Shown = Result<(String, Result<(), String>), String>;

/// Asks `<monitor>/varz`. Blocks.
pub(super) fn ask(monitor: &str) -> Shown {
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
        .map_err(|e| format!("cannot be asked: {e}"))?;
    let text = answer
        .body_mut()
        .with_config()
        .limit(MAX_VARZ_BYTES)
        .read_to_string()
        .map_err(|e| format!("gives an answer that cannot be read: {e}"))?;
    read(&text)
}

fn read(text: &str) -> Shown {
    let varz: Varz = serde_json::from_str(text)
        .map_err(|_| "gives an answer that is not nats-server's".to_owned())?;
    let syncs = match varz.jetstream.config {
        Some(Config { sync_always: true }) => Ok(()),
        Some(_) => Err("jetstream.config.sync_always is not true".to_owned()),
        None => Err("JetStream is off".to_owned()),
    };
    Ok((varz.server_name, syncs))
}

/// Which server has shown `sync_always` at which monitoring address.
pub(super) type Promises = BTreeMap<String, String>;

/// Judges the holders of one stream by what the monitoring addresses said, and takes the promises
/// that were shown into `promises`. True: every holder has shown it just now.
///
/// A holder whose monitoring address is silent is excused in two cases, since a server that is down
/// must not stop the others: it has shown its promise there before, or the stream's leader does not
/// hear of it either. More than half of the holders must show theirs now: no message is acknowledged
/// by fewer.
///
/// # Errors
/// [`LinkError::NotDurable`] with the server's name.
pub(super) fn judge(
    holders: &[Holder],
    answers: &[(String, Shown)],
    promises: &mut Promises,
) -> Result<bool, LinkError> {
    let mut excused = Vec::new();
    for holder in holders {
        let shown = answers.iter().find_map(|(monitor, shown)| match shown {
            Ok((name, syncs)) if *name == holder.name => Some((monitor, syncs)),
            _ => None,
        });
        match shown {
            Some((monitor, Ok(()))) => {
                promises.insert(holder.name.clone(), monitor.clone());
            }
            Some((monitor, Err(reason))) => {
                promises.remove(&holder.name);
                return Err(refused(holder, format!("{monitor}: {reason}")));
            }
            None if is_excused(holder, answers, promises) => excused.push(holder),
            None => return Err(refused(holder, nobody_answers(answers))),
        }
    }
    match excused.first() {
        Some(holder) if excused.len() * 2 >= holders.len() => {
            Err(refused(holder, nobody_answers(answers)))
        }
        first => Ok(first.is_none()),
    }
}

fn is_excused(holder: &Holder, answers: &[(String, Shown)], promises: &Promises) -> bool {
    let mut silent = answers.iter().filter(|(_, shown)| shown.is_err());
    match promises.get(&holder.name) {
        Some(known) => silent.any(|(monitor, _)| monitor == known),
        None => holder.is_away && silent.next().is_some(),
    }
}

fn refused(holder: &Holder, reason: String) -> LinkError {
    LinkError::NotDurable {
        server: holder.name.clone(),
        reason,
    }
}

fn nobody_answers(answers: &[(String, Shown)]) -> String {
    let each = answers.iter().map(|(monitor, shown)| match shown {
        Ok((name, _)) => format!("{monitor} belongs to {name}"),
        Err(reason) => format!("{monitor} {reason}"),
    });
    let all = Vec::from_iter(each).join("; ");
    format!("no address in `monitor` answers for it: {all}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(name: &str) -> Holder {
        Holder {
            name: name.to_owned(),
            is_away: false,
        }
    }

    fn away(name: &str) -> Holder {
        Holder {
            is_away: true,
            ..holder(name)
        }
    }

    fn answer(monitor: &str, text: &str) -> (String, Shown) {
        (monitor.to_owned(), read(text))
    }

    fn syncing(name: &str) -> (String, Shown) {
        let text = format!(
            r#"{{"server_name":"{name}","jetstream":{{"config":{{"sync_always":true}}}}}}"#
        );
        answer(&format!("http://{name}"), &text)
    }

    fn silent(name: &str) -> (String, Shown) {
        (format!("http://{name}"), Err("cannot be asked".to_owned()))
    }

    /// Whom the refusal names; none where it was not refused.
    fn named(result: Result<bool, LinkError>) -> Option<String> {
        match result {
            Err(LinkError::NotDurable { server, .. }) => Some(server),
            _ => None,
        }
    }

    #[test]
    fn only_a_shown_promise_of_the_holder_counts() {
        let mut promises = Promises::new();
        let one = [holder("A")];
        assert_eq!(judge(&one, &[syncing("A")], &mut promises), Ok(true));
        for text in [
            r#"{"server_name":"B","jetstream":{"config":{"sync_always":true}}}"#,
            r#"{"server_name":"A","jetstream":{"config":{"sync_interval":120000000000}}}"#,
            r#"{"server_name":"A","jetstream":{"config":{"sync_always":false}}}"#,
            r#"{"server_name":"A","jetstream":{}}"#,
            r#"{"server_name":"A"}"#,
            "<html>",
            "",
        ] {
            let answers = [answer("http://A", text)];
            let judged = judge(&one, &answers, &mut promises.clone());
            assert_eq!(named(judged).as_deref(), Some("A"), "{text}");
        }
        assert_eq!(
            named(judge(&one, &[silent("A")], &mut promises)),
            Some("A".into())
        );
    }

    #[test]
    fn each_holder_is_asked_wherever_its_monitor_stands_in_the_list() {
        let three = ["A", "B", "C"].map(holder);
        let mut promises = Promises::new();
        let all = ["C", "A", "B"].map(syncing);
        assert_eq!(judge(&three, &all, &mut promises), Ok(true));
        assert_eq!(promises.len(), 3);
        // One of the three is listed nowhere: it is named, although two have shown theirs.
        let two = ["A", "B"].map(syncing);
        let judged = judge(&three, &two, &mut Promises::new());
        assert_eq!(named(judged).as_deref(), Some("C"));
        let weak = answer(
            "http://B",
            r#"{"server_name":"B","jetstream":{"config":{}}}"#,
        );
        let judged = judge(&three, &[syncing("A"), weak, syncing("C")], &mut promises);
        assert_eq!(named(judged).as_deref(), Some("B"));
        assert!(!promises.contains_key("B"), "a promise that was broken");
    }

    #[test]
    fn a_server_that_is_down_does_not_stop_the_others() {
        let three = ["A", "B", "C"].map(holder);
        let answers = [silent("A"), syncing("B"), syncing("C")];
        // Not where it stores and has shown nothing yet.
        let judged = judge(&three, &answers, &mut Promises::new());
        assert_eq!(named(judged).as_deref(), Some("A"));
        let first_is_away = [away("A"), holder("B"), holder("C")];
        let judged = judge(&first_is_away, &answers, &mut Promises::new());
        assert_eq!(judged, Ok(false));
        // It has shown its promise where nothing answers now.
        let mut promises = Promises::new();
        assert_eq!(
            judge(&three, &["A", "B", "C"].map(syncing), &mut promises),
            Ok(true)
        );
        assert_eq!(judge(&three, &answers, &mut promises), Ok(false));
        // Two of three: nothing could be acknowledged by the third alone.
        let answers = [silent("A"), silent("B"), syncing("C")];
        let judged = judge(&three, &answers, &mut promises);
        assert_eq!(named(judged).as_deref(), Some("A"));
    }

    #[test]
    fn an_unreachable_monitor_refuses_and_says_what_to_set() {
        let answers = [("http://127.0.0.1:1".to_owned(), ask("http://127.0.0.1:1"))];
        let error = judge(&[holder("A")], &answers, &mut Promises::new()).unwrap_err();
        assert_eq!(error.code(), "link.not_durable");
        assert!(error.to_string().contains("sync_interval: always"));
    }
}
