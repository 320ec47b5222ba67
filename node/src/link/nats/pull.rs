//! Reading: messages are pulled from the unit's consumers one at a time.

use super::ack::{NatsAck, delivered};
use super::wire::Wire;
use crate::link::access;
use crate::link::ack::Ack;
use crate::link::error::LinkError;
use crate::link::state::Connection;
use crate::link::subject::Subject;
use crate::link::transport::Incoming;
use async_nats::Message;
use async_nats::client::Request;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long a pull waits at the server; the client waits a little longer.
const PULL_EXPIRES: Duration = Duration::from_secs(5);
/// How long to wait after a failed pull.
const PULL_BACKOFF: Duration = Duration::from_secs(2);

/// Pulls from one consumer for as long as the link lives.
pub(super) async fn pull(
    wire: Wire,
    stream: &'static str,
    consumer: String,
    tx: mpsc::Sender<Incoming>,
) {
    let api = access::next_subject(&consumer);
    let body = format!(r#"{{"batch":1,"expires":{}}}"#, PULL_EXPIRES.as_nanos());
    let mut state = wire.shared.state.subscribe();
    // The connection by which the store is known; none after trouble, which may be that it was
    // replaced.
    let mut known = None;
    // Room first, message second.
    while let Ok(room) = tx.reserve().await {
        let Ok(connects) = state
            .wait_for(|s| s.connection == Connection::Connected)
            .await
            .map(|s| s.connects)
        else {
            return;
        };
        if known != Some(connects) && wire.learn_store(stream, &consumer).await {
            known = Some(connects);
        }
        // An inbox of its own for each pull: JetStream delivers under the message's subject, by
        // which the client's shared inbox cannot find the request again.
        let request = Request::new()
            .payload(body.clone().into())
            .inbox(wire.client.new_inbox());
        match wire
            .ask(&api, request, PULL_EXPIRES + Duration::from_secs(2))
            .await
        {
            Ok(message) => match message.status.map(|s| s.as_u16()) {
                None => {
                    wire.shared.note_presence(&consumer, true);
                    if let Some(incoming) = take(&wire, message).await {
                        room.send(incoming);
                    }
                }
                // Nothing new within the time.
                Some(408) => wire.shared.note_presence(&consumer, true),
                Some(status) => {
                    // It was deleted while the request waited; what it is now, the next question
                    // tells.
                    if status == 409 {
                        wire.shared.note_presence(&consumer, false);
                    }
                    let reason = message.description.unwrap_or_default();
                    wire.shared.trouble(&LinkError::Answer {
                        subject: api.clone(),
                        reason: format!("{status} {reason}"),
                    });
                    known = None;
                    tokio::time::sleep(PULL_BACKOFF).await;
                }
            },
            Err(error) => {
                if matches!(error, LinkError::NotProvisioned { .. }) {
                    wire.shared.note_presence(&consumer, false);
                }
                wire.shared.trouble(&error);
                known = None;
                tokio::time::sleep(PULL_BACKOFF).await;
            }
        }
    }
}

/// Turns a pulled message into an incoming one; what is not for this unit is answered and dropped.
async fn take(wire: &Wire, message: Message) -> Option<Incoming> {
    let reply = message.reply?.to_string();
    // A server that does not say it counts for one that never repeats itself.
    let (times, number) = delivered(&reply).unwrap_or((1, 0));
    let ack = NatsAck::new(wire.clone(), reply);
    match message.subject.parse::<Subject>() {
        Ok(subject) if access::is_meant_for(&wire.shared.config.path, &subject) => Some(Incoming {
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
