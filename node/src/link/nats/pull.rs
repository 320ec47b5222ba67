//! Reading: messages are pulled from the unit's consumers one at a time.

use super::ack::{NatsAck, delivered};
use super::info::Consumer;
use super::wire::{Presence, Wire, connected};
use crate::link::access;
use crate::link::ack::Ack;
use crate::link::error::LinkError;
use crate::link::subject::Subject;
use crate::link::transport::Incoming;
use async_nats::Message;
use async_nats::client::Request;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long a pull waits at the server; the client waits a little longer.
const PULL_EXPIRES: Duration = Duration::from_secs(5);
/// How long to wait after a failed pull; each further wait is twice as long.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
/// The longest of these waits.
const MAX_BACKOFF: Duration = Duration::from_secs(2);
/// What JetStream says when another server begins to lead.
const LEADERSHIP: &str = "Leadership Change";

/// Pulls from one consumer, which must have these filters, for as long as the link lives.
pub(super) async fn pull(
    wire: Wire,
    (stream, consumer, filters): (&'static str, String, Vec<String>),
    tx: mpsc::Sender<Incoming>,
) {
    let mut state = wire.shared.state.subscribe();
    // The connection by which the store is known; none after trouble, which may be that it was
    // replaced.
    let mut known = None;
    let mut backoff = FIRST_BACKOFF;
    // Room first, message second.
    while let Ok(room) = tx.reserve().await {
        let Some(connects) = connected(&mut state).await else {
            return;
        };
        if known != Some(connects) && learn_store(&wire, stream, &consumer, &filters).await {
            known = Some(connects);
        }
        match pull_once(&wire, &consumer).await {
            Ok(message) => {
                wire.shared.note_presence(&consumer, Presence::There);
                backoff = FIRST_BACKOFF;
                let incoming = match message {
                    Some(message) => take(&wire, message).await,
                    None => None,
                };
                if let Some(incoming) = incoming {
                    room.send(incoming);
                }
            }
            Err(error) => {
                wire.shared.trouble(&error);
                known = None;
                tokio::time::sleep(backoff).await;
                backoff = (backoff * 2).min(MAX_BACKOFF);
            }
        }
    }
}

/// One request for the next message. None: nothing new within the time.
async fn pull_once(wire: &Wire, consumer: &str) -> Result<Option<Message>, LinkError> {
    let api = access::next_subject(consumer);
    let body = format!(r#"{{"batch":1,"expires":{}}}"#, PULL_EXPIRES.as_nanos());
    // An inbox of its own for each pull: JetStream delivers under the message's subject, by
    // which the client's shared inbox cannot find the request again.
    let request = Request::new()
        .payload(body.into())
        .inbox(wire.client.new_inbox());
    let patience = PULL_EXPIRES + Duration::from_secs(2);
    let message = match wire.ask(&api, request, patience).await {
        Ok(message) => message,
        // Nobody takes the request, or who took it is gone: why, is asked.
        Err(error @ (LinkError::NotProvisioned { .. } | LinkError::Timeout { .. })) => {
            return Err(explained(wire, consumer, error).await);
        }
        Err(error) => return Err(error),
    };
    let Some(status) = message.status.map(|s| s.as_u16()) else {
        return Ok(Some(message));
    };
    if status == 408 {
        return Ok(None);
    }
    let reason = message.description.unwrap_or_default();
    let error = LinkError::Answer {
        subject: api,
        reason: format!("{status} {reason}"),
    };
    // It was deleted while the request waited, or another server leads it now.
    if status == 409 {
        return Err(explained(wire, consumer, error).await);
    }
    Err(error)
}

/// What it means that a request for the next message failed; takes note of how it stands with the
/// consumer.
async fn explained(wire: &Wire, consumer: &str, error: LinkError) -> LinkError {
    let nobody = matches!(error, LinkError::NotProvisioned { .. });
    let presence = match wire.consumer(consumer).await {
        Ok(seen) => seen.presence(),
        // Nobody takes the request, and of those who could say why none does: so it is for the
        // first seconds after a leader is gone.
        Err(LinkError::Timeout { .. }) if nobody => Presence::Leaderless,
        Err(_) => return error,
    };
    wire.shared.note_presence(consumer, presence);
    let subject = consumer.to_owned();
    match (presence, &error) {
        (Presence::Missing, _) => LinkError::NotProvisioned { subject },
        // It is there, and a moment ago nobody led it.
        (Presence::There, LinkError::NotProvisioned { .. }) | (Presence::Leaderless, _) => {
            LinkError::NoLeader { subject }
        }
        (Presence::There, LinkError::Answer { reason, .. }) if reason.contains(LEADERSHIP) => {
            LinkError::NoLeader { subject }
        }
        (Presence::There, _) => error,
    }
}

/// Learns when this unit's consumer was made. Another time than before means another store: one
/// that was deleted, lost or set up anew, and that holds nothing of what was sent earlier.
/// Also learns whether it delivers all that is meant for the unit: a registry may have placed the
/// unit elsewhere before the operator's program knows of it, and what comes the new way would be
/// missed without a word. False: not known now, or not all of it, ask again.
async fn learn_store(
    wire: &Wire,
    stream: &'static str,
    consumer: &str,
    filters: &[String],
) -> bool {
    let Ok(seen) = wire.consumer(consumer).await else {
        return false;
    };
    wire.shared.note_presence(consumer, seen.presence());
    let Consumer::There {
        created,
        filters: known,
        ..
    } = seen
    else {
        return false;
    };
    let mut complete = true;
    for filter in filters {
        let presence = if known.contains(filter) {
            Presence::There
        } else {
            complete = false;
            Presence::Missing
        };
        wire.shared
            .note_presence(&format!("{consumer} for {filter}"), presence);
    }
    let Ok(mut made) = wire.shared.made.lock() else {
        return false;
    };
    made.insert(stream, created);
    drop(made);
    wire.shared.name_store();
    complete
}

/// Turns a pulled message into an incoming one; what is not for this unit is answered and dropped.
async fn take(wire: &Wire, message: Message) -> Option<Incoming> {
    let reply = message.reply?.to_string();
    // A server that does not say it counts for one that never repeats itself.
    let (times, number) = delivered(&reply).unwrap_or((1, 0));
    let ack = NatsAck::new(wire.clone(), reply);
    match message.subject.parse::<Subject>() {
        Ok(subject) if wire.shared.config.places.is_meant_for(&subject) => Some(Incoming {
            subject,
            body: message.payload.to_vec(),
            number,
            times,
            ack: Ack::new(ack),
        }),
        // The unit's own entries, which the filter cannot keep out.
        Ok(_) => {
            drop(ack.confirm().await);
            None
        }
        Err(error) => {
            tracing::warn!(
                code = %error.code(),
                "a message on a subject outside the protocol was dropped"
            );
            drop(ack.confirm().await);
            None
        }
    }
}
