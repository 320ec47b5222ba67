//! The link over NATS JetStream: one connection, two durable pull consumers that the operator
//! provisioned, no right to create anything.
//!
//! Messages are pulled one request at a time and only while there is room for them, so that memory
//! is bounded ([`PREFETCH`] bodies) and the server's wait for an answer does not run for messages
//! that nobody looks at yet.

use super::ack::{Ack, Kind};
use super::error::{LinkError, explain};
use super::state::{Connection, Durability, LinkState};
use super::subject::{Subject, UnitPath};
use super::{Incoming, Outgoing, Transport, access, check_outgoing, durability, seed};
use crate::random::{Random, SystemRandom};
use async_nats::client::Request;
use async_nats::connection::State;
use async_nats::{
    Client, ConnectOptions, Event, HeaderMap, Message, RequestErrorKind, ServerError,
};
use protocol::digest::Digest;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{Mutex, broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// How many received messages may wait for the node.
const PREFETCH: usize = 8;
/// How many messages may be on their way to the server without its answer.
const ON_THE_WAY: usize = 16;
/// How long the server may take to store a message.
const ACK_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a pull waits at the server; the client waits a little longer.
const PULL_EXPIRES: Duration = Duration::from_secs(5);
/// How long to wait after a failed pull.
const PULL_BACKOFF: Duration = Duration::from_secs(2);
/// How often a server that broke its promise is asked again.
const RECHECK: Duration = Duration::from_secs(10);
/// How often a silent connection is tried. The client gives it up when a third ping in a row finds
/// the first still without an answer: a network that swallows packets without a word is noticed
/// within 15 s, not after the quarter of an hour that TCP alone may take. On an idle link this
/// costs a few bytes each time.
const PING: Duration = Duration::from_secs(5);
/// How long a message that is put off again and again waits at most.
const RETRY_MAX: Duration = Duration::from_secs(60);

/// TLS towards the server.
#[derive(Clone, Debug, Default)]
pub struct LinkTls {
    /// Refuse a connection without TLS.
    pub required: bool,
    /// TLS before the server's greeting (nats.conf: `handshake_first`).
    pub first: bool,
    /// Certificates of the authorities to trust beside the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// The node's own certificate and key, PEM.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl LinkTls {
    /// Options of a connection with this TLS. The operator's commands use it too.
    ///
    /// # Errors
    /// [`LinkError::Setup`]: a file that cannot be used, named before the first attempt and not in
    /// the middle of one.
    pub fn apply(
        &self,
        url: &str,
        mut options: ConnectOptions,
    ) -> Result<ConnectOptions, LinkError> {
        let bad = |file: &Path, reason: String| LinkError::Setup {
            url: url.to_owned(),
            reason: format!("{}: {reason}", file.display()),
        };
        let open = |file: &Path| std::fs::File::open(file).map_err(|e| bad(file, e.to_string()));
        if self.required {
            options = options.require_tls(true);
        }
        if self.first {
            options = options.tls_first();
        }
        if let Some(ca) = &self.ca_file {
            drop(open(ca)?);
            options = options.add_root_certificates(ca.clone());
        }
        if let Some((cert, key)) = &self.client {
            drop(open(cert)?);
            seed::only_for_its_owner(&open(key)?).map_err(|reason| bad(key, reason))?;
            options = options.add_client_certificate(cert.clone(), key.clone());
        }
        Ok(options)
    }
}

/// What the link needs to know.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// `nats://host:port` or `tls://host:port`, several with commas.
    pub url: String,
    /// The server's monitoring address, `http://host:port`.
    pub monitor_url: String,
    /// The file with this node's NKey seed, mode 0600.
    pub seed_file: PathBuf,
    /// This unit's place.
    pub path: UnitPath,
    /// Whether it has units below it.
    pub has_children: bool,
    /// TLS.
    pub tls: LinkTls,
}

impl LinkConfig {
    fn servers(&self) -> Vec<&str> {
        self.url.split(',').map(str::trim).collect()
    }
    /// Who connects, and by which TLS.
    fn options(&self, seed: &str) -> Result<ConnectOptions, LinkError> {
        let unit = self.path.unit();
        let options = ConnectOptions::new()
            .nkey(seed.to_owned())
            .name(format!("countersign-node {unit}"))
            .custom_inbox_prefix(access::inbox_prefix(unit))
            .ping_interval(PING);
        self.tls.apply(&self.url, options)
    }
}

/// What the tasks of one link share.
struct Shared {
    config: LinkConfig,
    state: watch::Sender<LinkState>,
    /// The server's words for each refused subject.
    denials: broadcast::Sender<String>,
    /// The id of the server that has shown `sync_always` since the last connect.
    verified: Mutex<Option<String>>,
    /// When each of this unit's consumers was made, as the server said since the last connect.
    made: std::sync::Mutex<BTreeMap<&'static str, String>>,
    /// How many consumers this unit has.
    consumers: usize,
    /// Makes message ids that nobody else can guess: see [`message_id`].
    secret: [u8; 16],
}

/// The server's answer about a consumer, as far as it matters here.
#[derive(Deserialize)]
struct ConsumerInfo {
    created: Option<String>,
}

/// One side of the conversation with the server; cloned into the tasks and the acks.
#[derive(Clone)]
struct Wire {
    client: Client,
    shared: Arc<Shared>,
}

/// The link of one node.
pub struct NatsLink {
    wire: Wire,
    inbox: Mutex<mpsc::Receiver<Incoming>>,
    tasks: Vec<JoinHandle<()>>,
}

impl NatsLink {
    /// Starts the link. Returns at once: when the server is away the link keeps trying, forever.
    pub async fn connect(config: LinkConfig) -> Result<Self, LinkError> {
        let seed = seed::read_seed(&config.seed_file)?;
        let unit = config.path.unit().to_owned();
        let consumers = access::consumers(&config.path, config.has_children);
        let mut secret = [0; 16];
        SystemRandom
            .fill(&mut secret)
            .map_err(|reason| LinkError::Setup {
                url: config.url.clone(),
                reason,
            })?;
        let shared = Arc::new(Shared {
            config: config.clone(),
            state: watch::Sender::new(LinkState::default()),
            denials: broadcast::Sender::new(64),
            verified: Mutex::new(None),
            made: std::sync::Mutex::default(),
            consumers: consumers.len(),
            secret,
        });
        let events = Arc::clone(&shared);
        // Thousands of nodes lose one server at the same moment: each comes back at its own time.
        let jitter = unit
            .bytes()
            .fold(0_u64, |sum, b| (sum * 31 + u64::from(b)) % 997);
        let options = config
            .options(&seed)?
            .retry_on_initial_connect()
            .max_reconnects(None)
            .reconnect_delay_callback(move |attempt| match attempt {
                0 | 1 => Duration::ZERO,
                n => Duration::from_millis((250 * n as u64).min(5_000) + jitter),
            })
            .event_callback(move |event| {
                let shared = Arc::clone(&events);
                async move { shared.note(event).await }
            });
        let client = options
            .connect(config.servers())
            .await
            .map_err(|e| LinkError::Setup {
                url: config.url.clone(),
                reason: e.to_string(),
            })?;
        let wire = Wire { client, shared };
        let (tx, rx) = mpsc::channel(PREFETCH);
        let mut tasks = vec![
            tokio::spawn(watch_durability(wire.clone())),
            tokio::spawn(diagnose(wire.shared.clone(), seed)),
        ];
        for (stream, consumer, _) in consumers {
            tasks.push(tokio::spawn(pull(
                wire.clone(),
                stream,
                consumer,
                tx.clone(),
            )));
        }
        if tasks.len() == 2 {
            // A lone unit has nothing to read; its `next` waits instead of reporting a closed link.
            tasks.push(tokio::spawn(async move {
                tx.closed().await;
            }));
        }
        Ok(Self {
            wire,
            inbox: Mutex::new(rx),
            tasks,
        })
    }

    /// The state now.
    #[must_use]
    pub fn state(&self) -> LinkState {
        self.wire.shared.state.borrow().clone()
    }

    /// The state as it changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<LinkState> {
        self.wire.shared.state.subscribe()
    }
}

impl Drop for NatsLink {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Transport for NatsLink {
    async fn publish(&self, message: &Outgoing) -> Result<(), LinkError> {
        let result = self.wire.publish(message).await;
        match &result {
            Ok(duplicate) => self.wire.shared.state.send_modify(|s| {
                s.published += 1;
                s.duplicates += u64::from(*duplicate);
                s.trouble = None;
            }),
            Err(error) => self.wire.shared.trouble(error),
        }
        result.map(|_| ())
    }

    /// Several are on their way at once: the server syncs the next while it answers the one before.
    async fn publish_all(&self, messages: &[Outgoing]) -> Result<(), LinkError> {
        for some in messages.chunks(ON_THE_WAY) {
            together(some.iter().map(|message| self.publish(message)).collect())
                .await
                .into_iter()
                .collect::<Result<(), _>>()?;
        }
        Ok(())
    }

    async fn next(&self) -> Result<Incoming, LinkError> {
        let incoming = self
            .inbox
            .lock()
            .await
            .recv()
            .await
            .ok_or(LinkError::Closed)?;
        self.wire.shared.state.send_modify(|s| s.received += 1);
        Ok(incoming)
    }

    fn store(&self) -> Option<String> {
        self.wire.shared.state.borrow().store.clone()
    }
}

impl Shared {
    /// Takes note of what the client tells about the connection.
    async fn note(&self, event: Event) {
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
                });
                *self.verified.lock().await = None;
            }
            Event::ServerError(ServerError::Other(text)) => {
                tracing::warn!(code = "link.server", %text, "nats-server refused something");
                // Nobody listening is fine: the refusal is in the log.
                let _ = self.denials.send(text);
            }
            Event::ServerError(error) => self.say("link.server", error.to_string()),
            // Only that it failed: why is found out by `diagnose`, and not to be overwritten by
            // every further attempt.
            Event::ClientError(_) if self.connect_fails() => {}
            Event::ClientError(error) => self.say("link.connect", explain(&error.to_string())),
            Event::LameDuckMode | Event::Draining | Event::SlowConsumer(_) => {}
        }
    }

    /// Whether the last trouble was one of connecting.
    fn connect_fails(&self) -> bool {
        self.state.borrow().connect_fails()
    }

    fn say(&self, code: &str, text: String) {
        let fresh = self.state.send_if_modified(|s| {
            let new = Some((code.to_owned(), text.clone()));
            let changed = s.trouble != new;
            s.trouble = new;
            changed
        });
        if fresh {
            tracing::warn!(code, %text, "link");
        }
    }

    fn trouble(&self, error: &LinkError) {
        self.say(error.code(), error.to_string());
    }
}

/// JetStream's answer to a publish.
#[derive(Deserialize)]
struct PubAck {
    #[serde(default)]
    stream: String,
    #[serde(default)]
    duplicate: bool,
    error: Option<ApiError>,
}

#[derive(Deserialize)]
struct ApiError {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

impl Wire {
    /// Publishes; true when the server had the message already.
    async fn publish(&self, message: &Outgoing) -> Result<bool, LinkError> {
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
        if self.client.server_info().server_id != server {
            // The connection moved on the way: who acknowledged is not known to sync. The message
            // id makes a repeat harmless.
            return Err(LinkError::Disconnected {
                url: config.url.clone(),
            });
        }
        Ok(ack.duplicate)
    }

    fn connected(&self) -> Result<(), LinkError> {
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
    async fn ensure_durable(&self) -> Result<String, LinkError> {
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
    async fn learn_store(&self, stream: &'static str, consumer: &str) -> bool {
        let api = format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}");
        let answer = match self
            .ask(&api, Request::new().payload("".into()), ACK_TIMEOUT)
            .await
        {
            Ok(answer) => answer,
            // A nats.conf from before this question: the link works without, and asks no more by
            // this connection.
            Err(LinkError::Denied { .. }) => return true,
            Err(_) => return false,
        };
        let created = serde_json::from_slice::<ConsumerInfo>(&answer.payload)
            .ok()
            .and_then(|i| i.created);
        let (Some(created), Ok(mut made)) = (created, self.shared.made.lock()) else {
            return false;
        };
        made.insert(stream, created);
        // Half an answer would look like another store.
        if made.len() == self.shared.consumers {
            let store = made
                .iter()
                .map(|(stream, created)| format!("{stream} {created}"))
                .collect::<Vec<_>>()
                .join(", ");
            self.shared.state.send_if_modified(|s| {
                let fresh =
                    s.connection == Connection::Connected && s.store.as_ref() != Some(&store);
                if fresh {
                    s.store = Some(store);
                }
                fresh
            });
        }
        true
    }

    /// One request, one answer. Ends early when the server refuses the subject or the connection is
    /// lost.
    async fn ask(
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
        tokio::select! {
            answer = self.client.send_request(subject.to_owned(), request.timeout(Some(patience))) => answer.map_err(|e| {
                let subject = subject.to_owned();
                match e.kind() {
                    RequestErrorKind::NoResponders => LinkError::NotProvisioned { subject },
                    RequestErrorKind::TimedOut => LinkError::Timeout { subject, seconds: patience.as_secs() },
                    RequestErrorKind::MaxPayloadExceeded => LinkError::Answer { subject, reason: "max_payload of the server is below 8 MiB".to_owned() },
                    RequestErrorKind::InvalidSubject | RequestErrorKind::Other => LinkError::Answer { subject, reason: e.to_string() },
                }
            }),
            () = denied => Err(LinkError::Denied { subject: subject.to_owned() }),
            () = lost => Err(LinkError::Disconnected { url: self.shared.config.url.clone() }),
        }
    }
}

/// Finds out why there is no connection. The client's event says "IO error" and no more, and its
/// log is not for operators; a certificate that has expired has to be named. So one attempt without
/// retries is made whose error is whole.
async fn diagnose(shared: Arc<Shared>, seed: Zeroizing<String>) {
    let mut state = shared.state.subscribe();
    while state
        .wait_for(|s| s.connection != Connection::Connected && s.connect_fails())
        .await
        .is_ok()
    {
        let attempt = match shared.config.options(&seed) {
            Ok(options) => options
                .connect(shared.config.servers())
                .await
                .map(drop)
                .map_err(|e| e.to_string()),
            Err(e) => Err(e.to_string()),
        };
        if let Err(why) = attempt {
            shared.say("link.connect", explain(&why));
        }
        tokio::time::sleep(RECHECK).await;
    }
}

/// Asks after each connect, so that the status page tells the truth before anything is sent.
async fn watch_durability(wire: Wire) {
    let mut state = wire.shared.state.subscribe();
    let mut seen = 0;
    loop {
        let Ok(connects) = state
            .wait_for(|s| s.connection == Connection::Connected && s.connects != seen)
            .await
            .map(|s| s.connects)
        else {
            return;
        };
        match wire.ensure_durable().await {
            Ok(_) => seen = connects,
            Err(_) => tokio::time::sleep(RECHECK).await,
        }
    }
}

/// Pulls from one consumer for as long as the link lives.
async fn pull(wire: Wire, stream: &'static str, consumer: String, tx: mpsc::Sender<Incoming>) {
    let api = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
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
                    if let Some(incoming) = take(&wire, message).await {
                        room.send(incoming);
                    }
                }
                // Nothing new within the time.
                Some(408) => {}
                Some(status) => {
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
    let ack = NatsAck {
        wire: wire.clone(),
        reply,
        connects: wire.shared.state.borrow().connects,
    };
    match message.subject.parse::<Subject>() {
        Ok(subject) if access::hears(&wire.shared.config.path, &subject) => Some(Incoming {
            subject,
            body: message.payload.to_vec(),
            ack: Ack(Kind::Nats(ack)),
        }),
        // The unit's own entries, which the filter cannot keep out.
        Ok(_) => {
            drop(ack.done().await);
            None
        }
        Err(error) => {
            tracing::warn!(
                code = error.code(),
                "a message on a subject outside the protocol was dropped"
            );
            drop(ack.done().await);
            None
        }
    }
}

/// The answer to a message from JetStream.
pub(super) struct NatsAck {
    wire: Wire,
    reply: String,
    /// The connection that it came by.
    connects: u64,
}

impl std::fmt::Debug for NatsAck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsAck")
            .field("reply", &self.reply)
            .finish()
    }
}

impl NatsAck {
    /// A double ack: waits for the server's word that it has taken the answer. Not so when the
    /// connection has changed since: a server that was killed forgets which messages it had handed
    /// out, and never confirms an answer to those.
    pub(super) async fn done(self) -> Result<(), LinkError> {
        self.wire.connected()?;
        if self.wire.shared.state.borrow().connects != self.connects {
            return self.tell("+ACK".to_owned()).await;
        }
        let request = Request::new().payload("+ACK".into());
        self.wire
            .ask(&self.reply, request, ACK_TIMEOUT)
            .await
            .map(|_| ())
    }

    pub(super) async fn retry(self, after: Duration) -> Result<(), LinkError> {
        self.wire.connected()?;
        // What never gets its turn must not come round twice a second for ever.
        let after = (after * (1 << delivered(&self.reply).clamp(1, 16).saturating_sub(1)))
            .min(RETRY_MAX.max(after));
        let body = format!(r#"-NAK {{"delay":{}}}"#, after.as_nanos());
        self.tell(body).await
    }

    /// Sends an answer that nobody confirms.
    async fn tell(&self, body: String) -> Result<(), LinkError> {
        let failed = |reason: String| LinkError::Answer {
            subject: self.reply.clone(),
            reason,
        };
        self.wire
            .client
            .publish(self.reply.clone(), body.into())
            .await
            .map_err(|e| failed(e.to_string()))?;
        self.wire
            .client
            .flush()
            .await
            .map_err(|e| failed(e.to_string()))
    }
}

/// Waits for all. They begin in their order, and what each hands to the connection before it first
/// waits stays in that order: a message that overtook another would be put off by its reader.
async fn together<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.into_iter().map(|f| (Box::pin(f), None)).collect();
    poll_fn(|context| {
        for (future, done) in running.iter_mut().filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                *done = Some(output);
            }
        }
        if running.iter().all(|(_, done)| done.is_some()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    running.into_iter().filter_map(|(_, done)| done).collect()
}

/// The id by which the server knows a repetition again. A stream has one list of ids for all who
/// publish into it: an id that others can work out, the content's digest for example, could be used
/// up by them beforehand, and the server would drop the true message and acknowledge it all the
/// same. So a secret of this process goes into it. What is sent again by the next process is stored
/// once more, which an idempotent receiver does not mind.
fn message_id(secret: &[u8; 16], content: &str) -> String {
    Digest::of(&[secret.as_slice(), content.as_bytes()].concat()).to_string()
}

/// How often a message was delivered, as its reply subject says:
/// `$JS.ACK.<stream>.<consumer>.<delivered>.…`, with two more tokens in front (domain and account)
/// where the server has domains.
fn delivered(reply: &str) -> u32 {
    let tokens: Vec<&str> = reply.split('.').collect();
    let at = if tokens.len() >= 11 { 6 } else { 4 };
    tokens.get(at).and_then(|t| t.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_tells_how_often() {
        assert_eq!(
            delivered("$JS.ACK.CS_UP.up_140300.7.12.9.1700000000000000000.0"),
            7
        );
        assert_eq!(
            delivered("$JS.ACK.hub.ACCHASH.CS_UP.up_140300.3.12.9.1700000000000000000.0.token"),
            3
        );
        assert_eq!(delivered("somewhere.else"), 1);
    }
}
