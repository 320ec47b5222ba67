//! The newest message of a stream, by which it is noticed that the store went back.

use super::error::NatsError;
use super::jetstream::JetStream;
use serde_json::{Value, json};

/// JetStream's code for a message that is not in the stream.
const NO_MESSAGE: u64 = 10037;

/// The newest message of a stream at one moment. Streams forbid deleting, so it stays there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Newest {
    /// When the stream was made.
    created: String,
    /// The message's number; 0 in an empty stream.
    seq: u64,
    /// When it was stored. Another message under the same number has another time.
    time: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Newest {
    /// Asks for it; of a stream that is not there, as of an empty one.
    pub(super) async fn of(server: &JetStream, stream: &str) -> Result<Newest, NatsError> {
        let info = server
            .info(&format!("STREAM.INFO.{stream}"), stream)
            .await?
            .unwrap_or_default();
        let state = &info["state"];
        Ok(Newest {
            created: text(&info["created"]),
            seq: state["last_seq"].as_u64().unwrap_or(0),
            time: text(&state["last_ts"]),
        })
    }

    /// The message's number.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// Whether the stream ends before what this consumer has delivered. The stream went back then,
    /// and the consumer would leave out what is stored next, because it bears numbers that the
    /// consumer takes for delivered.
    pub(super) fn is_behind(&self, consumer: &Value) -> bool {
        let delivered = consumer["delivered"]["stream_seq"].as_u64();
        delivered.is_some_and(|seq| seq > self.seq)
    }

    /// Whether this is no longer in the stream, of which `now` is the newest.
    pub(super) async fn is_gone(
        &self,
        server: &JetStream,
        stream: &str,
        now: &Newest,
    ) -> Result<bool, NatsError> {
        // A stream that was made anew has lost its consumers, too.
        if self.seq == 0 || self.created != now.created {
            return Ok(false);
        }
        if now.seq <= self.seq {
            return Ok(now != self);
        }
        let api = format!("STREAM.MSG.GET.{stream}");
        match server.call(&api, stream, &json!({ "seq": self.seq })).await {
            Ok(found) => Ok(found["message"]["time"].as_str() != Some(&self.time)),
            Err(NatsError::Refused {
                code: NO_MESSAGE, ..
            }) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_is_ahead_where_it_delivered_what_is_not_there() {
        let newest = Newest {
            seq: 7,
            ..Newest::default()
        };
        for (delivered, is_behind) in [(0, false), (7, false), (8, true)] {
            let consumer = json!({ "delivered": { "stream_seq": delivered } });
            assert_eq!(newest.is_behind(&consumer), is_behind, "{delivered}");
        }
        assert!(!newest.is_behind(&json!({})));
    }
}
