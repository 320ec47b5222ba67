//! The conversation with the server: requests and their answers, and what the tasks of one link
//! share.

use super::address::NextAddress;
use super::config::LinkConfig;
use super::marks::Marks;
use super::verified::Verified;
use crate::fault::FaultCode;
use crate::link::error::{LinkError, explain};
use crate::link::state::{Connection, Durability, LinkState};
use crate::random::{Random, SystemRandom};
use async_nats::client::Request;
use async_nats::connection::State;
use async_nats::{Client, Event, Message, RequestError, RequestErrorKind, ServerError};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify, broadcast, watch};
use tokio::time::Instant;

/// How long the server may take to store a message.
pub(super) const ACK_TIMEOUT: Duration = Duration::from_secs(10);

/// How long sending waits until it is known whether the stream holds what it should.
const COMPARE_PATIENCE: Duration = Duration::from_secs(3);

/// JetStream's codes for "not available" and "cannot handle the request": without a leader.
const WITHOUT_LEADER: [u64; 2] = [10008, 10009];

/// What the tasks of one link share.
pub(super) struct Shared {
    pub(super) config: LinkConfig,
    pub(super) state: watch::Sender<LinkState>,
    /// The server's words for each refused subject.
    pub(super) denials: broadcast::Sender<String>,
    /// What the servers that hold the streams have shown.
    pub(super) verified: Mutex<Verified>,
    /// Who leads each stream that this unit writes into, as was last heard.
    pub(super) leaders: watch::Sender<BTreeMap<&'static str, String>>,
    /// Somebody waits for an answer, and wants to know whether there is still a leader.
    pub(super) doubted: Notify,
    /// When each of this unit's consumers was made, as the server said since the last connect.
    pub(super) made: std::sync::Mutex<BTreeMap<&'static str, String>>,
    /// Which address is taken when a server is left.
    pub(super) address: NextAddress,
    /// When the server last answered anything.
    pub(super) answered: std::sync::Mutex<Option<Instant>>,
    /// How many consumers this unit has.
    pub(super) consumers: usize,
    /// How many streams it writes into.
    pub(super) streams: usize,
    /// What each stream must still hold: see [`super::probe`].
    pub(super) marks: std::sync::Mutex<Marks>,
    /// The marks as they were written last.
    pub(super) written: Mutex<Marks>,
    /// The streams that were compared with their marks since the last connect, and since they have
    /// their leader.
    pub(super) compared: watch::Sender<BTreeSet<&'static str>>,
    /// Makes message ids that nobody else can guess: see [`message_id`].
    pub(super) secret: [u8; 16],
}

/// One side of the conversation with the server; cloned into the tasks and the acks.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) client: Client,
    pub(super) shared: Arc<Shared>,
}

impl Shared {
    /// For a unit with so many consumers, that writes into so many streams.
    ///
    /// # Errors
    /// [`LinkError::Setup`]: no randomness.
    pub(super) fn new(
        config: LinkConfig,
        consumers: usize,
        streams: usize,
    ) -> Result<Shared, LinkError> {
        let mut secret = [0; 16];
        let filled = SystemRandom.fill(&mut secret);
        filled.map_err(|reason| LinkError::Setup {
            url: config.url(),
            reason: reason.to_string(),
        })?;
        let marks = std::sync::Mutex::new(Marks::read(&config.marks_file));
        Ok(Shared {
            config,
            state: watch::Sender::new(LinkState::default()),
            denials: broadcast::Sender::new(64),
            verified: Mutex::default(),
            leaders: watch::Sender::default(),
            doubted: Notify::new(),
            made: std::sync::Mutex::default(),
            address: NextAddress::default(),
            answered: std::sync::Mutex::default(),
            consumers,
            streams,
            marks,
            written: Mutex::default(),
            compared: watch::Sender::default(),
            secret,
        })
    }

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
                self.compared.send_replace(BTreeSet::new());
                self.state.send_modify(|s| {
                    s.connection = Connection::Disconnected;
                    s.durability = Durability::Unknown;
                    s.store = None;
                    s.missing.clear();
                    s.leaderless.clear();
                });
                self.verified.lock().await.forget();
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

    /// Whether the server answered anything in this time.
    pub(super) fn answered_within(&self, time: Duration) -> bool {
        let answered = self.answered.lock().ok().and_then(|at| *at);
        answered.is_some_and(|at| at.elapsed() < time)
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

    /// Takes note of how it stands with this stream or consumer.
    pub(super) fn note_presence(&self, name: &str, presence: Presence) {
        let (missing, leaderless) = (
            presence == Presence::Missing,
            presence == Presence::Leaderless,
        );
        let changed = self.state.send_if_modified(|s| {
            let is_up = s.connection == Connection::Connected;
            let first = put(&mut s.missing, name, missing && is_up);
            put(&mut s.leaderless, name, leaderless && is_up) || first
        });
        let code = match presence {
            Presence::There => return,
            Presence::Missing => FaultCode::LinkNotProvisioned,
            Presence::Leaderless => FaultCode::LinkNoLeader,
        };
        if changed {
            tracing::warn!(
                code = code.as_str(),
                name,
                "a stream or consumer cannot be used"
            );
        }
    }

    /// Takes note that a stream holds what its mark says, or that it is known not to.
    pub(super) fn note_compared(&self, stream: &'static str) {
        if self.compared.send_if_modified(|all| all.insert(stream)) {
            self.name_store();
        }
    }

    /// Another server may lead a stream than before, with less in it: it is to be compared again.
    pub(super) fn doubt(&self, stream: &'static str) {
        self.compared.send_if_modified(|all| all.remove(stream));
    }

    /// Waits until a stream was compared with its mark since the last connect and under this leader:
    /// what is sent before could take the number of what was lost. Not without end: a stream that
    /// gives no word of itself
    /// gives one to whoever sends.
    pub(super) async fn wait_compared(&self, stream: &'static str) {
        let mut compared = self.compared.subscribe();
        let known = compared.wait_for(|all| all.contains(stream));
        let _ = tokio::time::timeout(COMPARE_PATIENCE, known).await;
    }

    /// Keeps the marks for the next process.
    pub(super) async fn write_marks(&self) {
        let mut written = self.written.lock().await;
        let Ok(marks) = self.marks.lock().map(|marks| marks.clone()) else {
            return;
        };
        if *written == marks {
            return;
        }
        let (file, new) = (self.config.marks_file.clone(), marks.clone());
        match tokio::task::spawn_blocking(move || new.write(&file)).await {
            Ok(Ok(())) => *written = marks,
            Ok(Err(error)) => {
                tracing::warn!(%error, "what the streams must hold cannot be written");
            }
            // The process ends.
            Err(_) => {}
        }
    }

    /// Names the store anew, where all is known that belongs to its name.
    pub(super) fn name_store(&self) {
        let (Ok(made), Ok(marks)) = (self.made.lock(), self.marks.lock()) else {
            return;
        };
        // Half a name would look like another store.
        if made.len() != self.consumers || self.compared.borrow().len() != self.streams {
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

/// Has a name in a set or not; true where that changed something.
fn put(set: &mut BTreeSet<String>, name: &str, is_in: bool) -> bool {
    if is_in {
        set.insert(name.to_owned())
    } else {
        set.remove(name)
    }
}

/// How it stands with a stream or consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// It is there and answers.
    There,
    /// There is no such thing.
    Missing,
    /// The servers that hold it have no leader, or too few of them are up.
    Leaderless,
}

/// JetStream's refusal.
#[derive(Deserialize)]
pub(super) struct ApiError {
    #[serde(default)]
    pub(super) err_code: u64,
    #[serde(default)]
    pub(super) description: String,
}

impl ApiError {
    /// Whether it says that nobody leads at the moment.
    pub(super) fn is_without_leader(&self) -> bool {
        WITHOUT_LEADER.contains(&self.err_code)
    }
}

impl Wire {
    pub(super) fn connected(&self) -> Result<(), LinkError> {
        if self.client.connection_state() == State::Connected {
            Ok(())
        } else {
            Err(LinkError::Disconnected {
                url: self.shared.config.url(),
            })
        }
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
                if let (Ok(_), Ok(mut answered)) = (&answer, self.shared.answered.lock()) {
                    *answered = Some(Instant::now());
                }
                answer.map_err(|e| request_failed(subject, patience, &e))
            }
            () = denied => Err(LinkError::Denied { subject: subject.to_owned() }),
            () = lost => Err(LinkError::Disconnected { url: self.shared.config.url() }),
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

/// Waits for a connection, and tells which one it is by its number; none where the link has ended.
pub(super) async fn connected(state: &mut watch::Receiver<LinkState>) -> Option<u64> {
    let connected = state.wait_for(|s| s.connection == Connection::Connected);
    Some(connected.await.ok()?.connects)
}
