//! What the streams and consumers are to be like, and in what those that are there differ.

use super::timing::Timing;
use serde_json::{Map, Value, json};

/// The largest message: the server's `max_payload`.
const MAX_MESSAGE_BYTES: u64 = 8 * 1024 * 1024;
/// How many delivered messages of one consumer may be without answer. Nodes pull one message at a
/// time, so this does not pace them; it must only be so large that messages which wait for an
/// earlier one (of one unit) never hold up those of all others.
const MAX_ACK_PENDING: u64 = 65_536;
/// How many requests for the next message may wait at one consumer: a node has one.
const MAX_WAITING: u64 = 512;
/// Room in a stream for consumers beyond those of its units: units that come, and those that are
/// being replaced.
const SPARE_CONSUMERS: usize = 100;

/// A stream. Nothing is ever trimmed: a full stream refuses, which a sender notices, instead of
/// dropping what is old. Every limit is written: what is left out the server fills in by its own
/// defaults, which for consumers is a thousand.
pub(super) fn stream(
    name: &str,
    subjects: &str,
    units: usize,
    replicas: usize,
    timing: Timing,
) -> Value {
    json!({
        "name": name,
        "subjects": [subjects],
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "max_consumers": units * 2 + SPARE_CONSUMERS,
        "max_msgs": -1,
        "max_msgs_per_subject": -1,
        "max_bytes": -1,
        "max_age": 0,
        "max_msg_size": MAX_MESSAGE_BYTES,
        "num_replicas": replicas,
        "duplicate_window": timing.duplicate_window.as_nanos() as u64,
        "deny_delete": true,
        "deny_purge": true,
        "allow_rollup_hdrs": false,
        "allow_direct": false,
    })
}

/// A consumer; its replicas stand where the stream's do.
pub(super) fn consumer(name: &str, filters: &[String], timing: Timing) -> Value {
    json!({
        "durable_name": name,
        "name": name,
        "deliver_policy": "all",
        "replay_policy": "instant",
        "ack_policy": "explicit",
        "ack_wait": timing.ack_wait.as_nanos() as u64,
        "max_deliver": -1,
        "max_ack_pending": MAX_ACK_PENDING,
        "max_waiting": MAX_WAITING,
        "num_replicas": 0,
        "filter_subjects": filters,
    })
}

/// Whether what is there has all that is wanted. What else the server notes for itself is not
/// looked at.
pub(super) fn has_all(there: &Value, wanted: &Value) -> bool {
    let empty = Map::new();
    let all = wanted.as_object().unwrap_or(&empty);
    all.iter().all(|(field, wanted)| match there.get(field) {
        Some(value) => value == wanted,
        // One filter may be written in another field; what is nothing may be left out.
        None if field == "filter_subjects" => json!([there["filter_subject"]]) == *wanted,
        None => [json!(0), json!(false), json!("")].contains(wanted),
    })
}

/// Has the consumers of a stream that there is room for stay possible: never fewer than the stream
/// allows already.
pub(super) fn keep_room(wanted: &mut Value, there: &Value) {
    let allowed = there["max_consumers"].as_i64().unwrap_or(0);
    if wanted["max_consumers"].as_i64() < Some(allowed) {
        wanted["max_consumers"] = json!(allowed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_differs() {
        let timing = Timing::default();
        let wanted = consumer("up_1", &["cs.v1.up.1.*.>".to_owned()], timing);
        let mut there = wanted.clone();
        there["metadata"] = json!({ "_nats.level": "5" });
        assert!(has_all(&there, &wanted));
        for (field, other) in [
            ("ack_wait", json!(1)),
            ("filter_subjects", json!(["cs.v1.up.2.*.>"])),
            ("num_replicas", json!(1)),
            ("max_waiting", Value::Null),
        ] {
            let mut spoilt = there.clone();
            spoilt[field] = other;
            assert!(!has_all(&spoilt, &wanted), "{field}");
        }
        let fields = there.as_object_mut().unwrap();
        let filters = fields.remove("filter_subjects").unwrap();
        fields.remove("num_replicas");
        fields.insert("filter_subject".to_owned(), filters[0].clone());
        assert!(has_all(&there, &wanted));
    }

    #[test]
    fn a_stream_has_room_for_the_consumers_of_all_its_units() {
        let mut wanted = stream("S", "s.>", 3200, 3, Timing::default());
        assert_eq!(wanted["max_consumers"], 6500);
        keep_room(&mut wanted, &json!({ "max_consumers": -1 }));
        assert_eq!(
            wanted["max_consumers"], 6500,
            "-1 is the server's default, a thousand"
        );
        keep_room(&mut wanted, &json!({ "max_consumers": 9000 }));
        assert_eq!(wanted["max_consumers"], 9000);
    }
}
