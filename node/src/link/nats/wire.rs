//! The conversation with the server: requests and their answers, what the tasks of one link share,
//! and the server's promise to sync.

use super::config::LinkConfig;
use super::marks::Marks;
use crate::fault::FaultCode;
use crate::link::error::{LinkError, explain};
use crate::link::state::{Connection, Durability, LinkState};
use crate::link::transport::{Outgoing, check_outgoing};
use crate::link::{access, durability};
use async_nats::client::Request;
use async_nats::connection::State;
use async_nats::{Client, Event, HeaderMap, Message, RequestError, RequestErrorKind, ServerError};
use protocol::digest::Digest;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, broadcast, watch};

/// How long the server may take to store a message.
pub(super) const ACK_TIMEOUT: Duration = Duration::from_secs(10);

/// What the tasks of one link share.
pub(super) struct Shared {
    pub(super) config: LinkConfig,
    pub(super) state: watch::Sender<LinkState>,
    /// The server's words for each refused subject.
    pub(super) denials: broadcast::Sender<String>,
    /// The id of the server that has shown `sync_always` since the last connect.
    pub(super) verified: Mutex<Option<String>>,
    /// When each of this unit's consumers was made, as the server said since the last connect.
    pub(super) made: std::sync::Mutex<BTreeMap<&'static str, String>>,
    /// How many consumers this unit has.
    pub(super) consumers: usize,
    /// What each stream must still hold: see [`super::probe`].
    pub(super) marks: std::sync::Mutex<Marks>,
    /// Makes message ids that nobody else can guess: see [`message_id`].
    pub(super) secret: [u8; 16],
}

/// The server's answer about a consumer, as far as it matters here.
#[derive(Deserialize)]
struct ConsumerInfo {
    created: Option<String>,
}

/// One side of the conversation with the server; cloned into the tasks and the acks.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) client: Client,
    pub(super) shared: Arc<Shared>,
}

impl Shared {
    /// Takes note of what the client tells about the connection.
    pub(super) async fn note(&self, event: Event) {
        match event {
            Event::Connected => self.state.send_modify(|s| {
                s.connection = Connection::Connected;
                s.connects += 1;
            }),
            Event::Disconnected | Event::Closed => {
                if let Ok(mut made) = self.made.lock() {
                    made.clear();
                }
                self.state.send_modify(|s| {
                    s.connection = Connection::Disconnected;
                    s.durability = Durability::Unknown;
                    s.store = None;
                    s.missing.clear();
                });
                *self.verified.lock().await = None;
            }
            Event::ServerError(ServerError::Other(text)) => {
                tracing::warn!(code = %FaultCode::LinkServer, %text, "nats-server refused something");
                // Nobody listening is fine: the refusal is in the log.
                let _ = self.denials.send(text);
            }
            Event::ServerError(error) => {
                self.report_trouble(FaultCode::LinkServer, error.to_string())
            }
            // Only that it failed: why is found out by `diagnose`, and not to be overwritten by
            // every further attempt.
            Event::ClientError(_) if self.connect_fails() => {}
            Event::ClientError(error) => {
                self.report_trouble(FaultCode::LinkConnect, explain(&error.to_string()))
            }
            Event::LameDuckMode | Event::Draining | Event::SlowConsumer(_) => {}
        }
    }

    /// Whether the last trouble was one of connecting.
    pub(super) fn connect_fails(&self) -> bool {
        self.state.borrow().connect_fails()
    }

    pub(super) fn report_trouble(&self, code: FaultCode, text: String) {
        let fresh = self.state.send_if_modified(|s| {
            let new = Some((code, text.clone()));
            let changed = s.trouble != new;
            s.trouble = new;
            changed
        });
        if fresh {
            tracing::warn!(%code, %text, "link");
        }
    }

    pub(super) fn trouble(&self, error: &LinkError) {
        self.report_trouble(error.code(), error.to_string());
    }

    /// Takes note of whether the server has this stream or consumer.
    pub(super) fn note_presence(&self, name: &str, is_there: bool) {
        let changed = self.state.send_if_modified(|s| {
            if is_there {
                s.missing.remove(name)
            } else {
                s.connection == Connection::Connected && s.missing.insert(name.to_owned())
            }
        });
        if changed && !is_there {
            tracing::warn!(
                code = FaultCode::LinkNotProvisioned.as_str(),
                name,
                "nats-server does not have it"
            );
        }
    }

    /// Names the store anew, where all is known that belongs to its name.
    pub(super) fn name_store(&self) {
        let (Ok(made), Ok(marks)) = (self.made.lock(), self.marks.lock()) else {
            return;
        };
        // Half a name would look like another store.
        if made.len() != self.consumers {
            return;
        }
        let made = made
            .iter()
            .map(|(stream, created)| format!("{stream} {created}"));
        let store = Vec::from_iter(made.chain(marks.losses())).join(", ");
        self.state.send_if_modified(|s| {
            let fresh = s.connection == Connection::Connected && s.store.as_ref() != Some(&store);
            if fresh {
                s.store = Some(store);
            }
            fresh
        });
    }
}

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

#[derive(Deserialize)]
pub(super) struct ApiError {
    #[serde(default)]
    pub(super) err_code: u64,
    #[serde(default)]
    pub(super) description: String,
}

impl Wire {
    /// Publishes; true when the server had the message already.
    pub(super) async fn publish(&self, message: &Outgoing) -> Result<bool, LinkError> {
        let config = &self.shared.config;
        check_outgoing(&config.path, config.has_children, message)?;
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
        let answer = self.ask(&subject, request, ACK_TIMEOUT).await?;
        let ack: PubAck =
            serde_json::from_slice(&answer.payload).map_err(|e| LinkError::Answer {
                subject: subject.clone(),
                reason: e.to_string(),
            })?;
        if let Some(error) = ack.error {
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
        if !ack.duplicate
            && let Ok(mut marks) = self.shared.marks.lock()
        {
            marks.stored(&ack.stream, &subject, ack.seq);
        }
        if self.client.server_info().server_id != server {
            // The connection moved on the way: who acknowledged is not known to sync. The message
            // id makes a repeat harmless.
            return Err(LinkError::Disconnected {
                url: config.url.clone(),
            });
        }
        Ok(ack.duplicate)
    }

    pub(super) fn connected(&self) -> Result<(), LinkError> {
        if self.client.connection_state() == State::Connected {
            Ok(())
        } else {
            Err(LinkError::Disconnected {
                url: self.shared.config.url.clone(),
            })
        }
    }

    /// Makes sure that the connected server has shown `sync_always` since the last connect; returns
    /// its id.
    pub(super) async fn ensure_durable(&self) -> Result<String, LinkError> {
        let mut verified = self.shared.verified.lock().await;
        let mut last = None;
        // Right after a reconnect the client may still name the server before: look again shortly.
        for pause in [0, 150, 500] {
            // Not a wait of 0: that is one to the timer's next tick, for every message.
            if pause > 0 {
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            let server = self.client.server_info().server_id;
            if !server.is_empty() && verified.as_ref() == Some(&server) {
                return Ok(server);
            }
            let (monitor, id) = (self.shared.config.monitor_url.clone(), server.clone());
            let asked = tokio::task::spawn_blocking(move || durability::check(&monitor, &id)).await;
            match asked.unwrap_or(Err(LinkError::Closed)) {
                Ok(()) => {
                    *verified = Some(server.clone());
                    self.shared
                        .state
                        .send_modify(|s| s.durability = Durability::Always);
                    return Ok(server);
                }
                Err(error) => last = Some(error),
            }
        }
        let error = last.unwrap_or(LinkError::Closed);
        if let LinkError::NotDurable { reason, .. } = &error {
            let reason = reason.clone();
            self.shared
                .state
                .send_modify(|s| s.durability = Durability::Refused(reason));
        }
        self.shared.trouble(&error);
        Err(error)
    }

    /// Learns when this unit's consumer was made. Another time than before means another store: one
    /// that was deleted, lost or set up anew, and that holds nothing of what was sent earlier.
    /// False: not known now, ask again.
    pub(super) async fn learn_store(&self, stream: &'static str, consumer: &str) -> bool {
        let api = access::info_subject(consumer);
        let request = Request::new().payload("".into());
        let Ok(answer) = self.ask(&api, request, ACK_TIMEOUT).await else {
            return false;
        };
        let info = serde_json::from_slice::<ConsumerInfo>(&answer.payload).ok();
        let created = info.and_then(|info| info.created);
        self.shared.note_presence(consumer, created.is_some());
        let (Some(created), Ok(mut made)) = (created, self.shared.made.lock()) else {
            return false;
        };
        made.insert(stream, created);
        drop(made);
        self.shared.name_store();
        true
    }

    /// One request, one answer. Ends early when the server refuses the subject or the connection is
    /// lost.
    pub(super) async fn ask(
        &self,
        subject: &str,
        request: Request,
        patience: Duration,
    ) -> Result<Message, LinkError> {
        let mut denials = self.shared.denials.subscribe();
        let mut state = self.shared.state.subscribe();
        let connects = state.borrow().connects;
        let quoted = format!("\"{subject}\"");
        let denied = async {
            loop {
                match denials.recv().await {
                    Ok(text) if text.contains(&quoted) => return,
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        let lost = async {
            // Pending for ever when the sender is gone: the request's own timeout ends the wait.
            if state
                .wait_for(|s| s.connection == Connection::Disconnected || s.connects != connects)
                .await
                .is_err()
            {
                std::future::pending::<()>().await;
            }
        };
        let request = request.timeout(Some(patience));
        tokio::select! {
            answer = self.client.send_request(subject.to_owned(), request) => {
                answer.map_err(|e| request_failed(subject, patience, &e))
            }
            () = denied => Err(LinkError::Denied { subject: subject.to_owned() }),
            () = lost => Err(LinkError::Disconnected { url: self.shared.config.url.clone() }),
        }
    }
}

/// What a request that got no answer means.
fn request_failed(subject: &str, patience: Duration, error: &RequestError) -> LinkError {
    let subject = subject.to_owned();
    match error.kind() {
        RequestErrorKind::NoResponders => LinkError::NotProvisioned { subject },
        RequestErrorKind::TimedOut => LinkError::Timeout {
            subject,
            seconds: patience.as_secs(),
        },
        RequestErrorKind::MaxPayloadExceeded => LinkError::Answer {
            subject,
            reason: "max_payload of the server is below 8 MiB".to_owned(),
        },
        RequestErrorKind::InvalidSubject | RequestErrorKind::Other => LinkError::Answer {
            subject,
            reason: error.to_string(),
        },
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
