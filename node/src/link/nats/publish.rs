//! Sending: a message is published, and the stream's word that it is stored is waited for.

use super::wire::{ACK_TIMEOUT, ApiError, Presence, Wire};
use crate::link::access;
use crate::link::error::LinkError;
use crate::link::transport::{Outgoing, check_outgoing};
use async_nats::HeaderMap;
use async_nats::client::Request;
use protocol::digest::Digest;
use serde::Deserialize;

/// JetStream's answer to a publish.
#[derive(Deserialize)]
pub(super) struct PubAck {
    #[serde(default)]
    stream: String,
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    duplicate: bool,
    pub(super) error: Option<ApiError>,
}

impl Wire {
    /// Publishes; true when the server had the message already.
    pub(super) async fn publish(&self, message: &Outgoing) -> Result<bool, LinkError> {
        let config = &self.shared.config;
        check_outgoing(&config.places, config.has_children, message)?;
        self.connected()?;
        let server = self.ensure_durable().await?;
        let subject = message.subject.to_string();
        let mut headers = HeaderMap::new();
        headers.insert(
            "Nats-Msg-Id",
            message_id(&self.shared.secret, &message.msg_id).as_str(),
        );
        let request = Request::new()
            .headers(headers)
            .payload(message.body.clone().into());
        let stream = access::stream_of(&message.subject);
        self.shared.wait_compared(stream).await;
        let answer = tokio::select! {
            answer = self.ask(&subject, request, ACK_TIMEOUT) => answer,
            () = self.leader_changes(stream) => Err(LinkError::NoLeader { subject: subject.clone() }),
        };
        let answer = match answer {
            Err(error) => {
                self.shared.doubt(stream);
                return Err(self.explained(stream, error).await);
            }
            Ok(answer) => answer,
        };
        let ack: PubAck =
            serde_json::from_slice(&answer.payload).map_err(|e| LinkError::Answer {
                subject: subject.clone(),
                reason: e.to_string(),
            })?;
        if let Some(error) = ack.error {
            if error.is_without_leader() {
                self.shared.doubt(stream);
                return Err(LinkError::NoLeader { subject });
            }
            return Err(LinkError::Refused {
                subject,
                code: error.err_code,
                reason: error.description,
            });
        }
        if ack.stream.is_empty() {
            return Err(LinkError::Answer {
                subject,
                reason: "no stream is named".to_owned(),
            });
        }
        self.shared.note_presence(stream, Presence::There);
        if !ack.duplicate
            && let Ok(mut marks) = self.shared.marks.lock()
        {
            marks.stored(&ack.stream, &subject, ack.seq);
        }
        if self.client.server_info().server_id != server {
            // The connection moved on the way: who acknowledged is not known to sync. The message
            // id makes a repeat harmless.
            return Err(LinkError::Disconnected { url: config.url() });
        }
        Ok(ack.duplicate)
    }
}

/// The id by which the server knows a repetition again. A stream has one list of ids for all who
/// publish into it: an id that others can work out, the content's digest for example, could be used
/// up by them beforehand, and the server would drop the true message and acknowledge it all the
/// same. So a secret of this process goes into it. What is sent again by the next process is stored
/// once more, which an idempotent receiver does not mind.
fn message_id(secret: &[u8; 16], content: &str) -> String {
    Digest::of(&[secret.as_slice(), content.as_bytes()].concat()).to_string()
}
