//! The link of one node: connects, and keeps the tasks that read, ask and diagnose.

use super::config::LinkConfig;
use super::holders::watch_holders;
use super::probe::probe;
use super::pull::pull;
use super::wire::{Shared, Wire};
use crate::fault::FaultCode;
use crate::link::access;
use crate::link::error::{LinkError, explain};
use crate::link::seed;
use crate::link::state::{Connection, LinkState};
use crate::link::transport::{Incoming, Outgoing, Transport};
use async_nats::Client;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// How many received messages may wait for the node.
const PREFETCH: usize = 8;
/// How many messages may be on their way to the server without its answer.
const MAX_UNANSWERED: usize = 16;
/// How often it is tried to find out why there is no connection.
const DIAGNOSIS_INTERVAL: Duration = Duration::from_secs(10);
/// How long a message that found no leader is tried again: an election takes seconds.
const ELECTION_PATIENCE: Duration = Duration::from_secs(10);
/// The first wait between such tries; each is twice as long as the one before, up to the longest.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// The longest of these waits.
const MAX_BACKOFF: Duration = Duration::from_secs(1);

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
        let consumers = config.places.consumers(config.has_children);
        let streams = access::streams_written(config.places.last(), config.has_children);
        let shared = Arc::new(Shared::new(config.clone(), consumers.len(), streams.len())?);
        let client = open(&shared, &seed).await?;
        let wire = Wire { client, shared };
        let (tx, rx) = mpsc::channel(PREFETCH);
        let mut tasks = vec![
            tokio::spawn(watch_holders(wire.clone())),
            tokio::spawn(diagnose(wire.shared.clone(), seed)),
        ];
        for (stream, subject) in streams {
            tasks.push(tokio::spawn(probe(wire.clone(), stream, subject)));
        }
        let reads = !consumers.is_empty();
        for consumer in consumers {
            tasks.push(tokio::spawn(pull(wire.clone(), consumer, tx.clone())));
        }
        if !reads {
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

/// Opens the connection, which from then on comes back by itself.
async fn open(shared: &Arc<Shared>, seed: &str) -> Result<Client, LinkError> {
    let config = &shared.config;
    // Thousands of nodes lose one server at the same moment: each comes back at its own time.
    let unit = config.places.unit().bytes();
    let jitter = unit.fold(0_u64, |sum, b| (sum * 31 + u64::from(b)) % 997);
    let (events, chooser) = (Arc::clone(shared), Arc::clone(shared));
    let options = config
        .options(seed)?
        .retry_on_initial_connect()
        .max_reconnects(None)
        .reconnect_delay_callback(move |attempt| match attempt {
            0 | 1 => Duration::ZERO,
            n => Duration::from_millis((250 * n as u64).min(5_000) + jitter),
        })
        .reconnect_to_server_callback(move |servers, _| {
            let chosen = chooser.address.choose(&servers);
            async move { chosen }
        })
        .event_callback(move |event| {
            let shared = Arc::clone(&events);
            async move { shared.note(event).await }
        });
    let connected = options.connect(&config.servers[..]).await;
    connected.map_err(|e| LinkError::Setup {
        url: config.url(),
        reason: e.to_string(),
    })
}

impl Drop for NatsLink {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl NatsLink {
    /// Publishes once.
    async fn store_once(&self, message: &Outgoing) -> Result<(), LinkError> {
        let result = self.wire.publish(message).await;
        match &result {
            Ok(duplicate) => self.wire.shared.state.send_modify(|s| {
                s.published += 1;
                s.duplicates += u64::from(*duplicate);
                s.trouble = None;
                s.rejected = None;
            }),
            Err(error) => {
                if error.is_rejection() {
                    let rejected = Some((error.code(), error.to_string()));
                    self.wire
                        .shared
                        .state
                        .send_modify(|s| s.rejected = rejected);
                }
                self.wire.shared.trouble(error);
            }
        }
        result.map(|_| ())
    }

    /// Publishes some that are on their way together, and those again that found no leader.
    async fn store(&self, messages: &[Outgoing]) -> Result<(), LinkError> {
        let end = Instant::now() + ELECTION_PATIENCE;
        let mut backoff = FIRST_BACKOFF;
        let mut open: Vec<&Outgoing> = messages.iter().collect();
        loop {
            let tried = together(open.iter().map(|m| self.store_once(m)).collect()).await;
            let failed = open.into_iter().zip(tried);
            let failed = failed.filter_map(|(message, result)| Some((message, result.err()?)));
            let failed: Vec<(&Outgoing, LinkError)> = failed.collect();
            let is_election = |(_, e): &&(&Outgoing, LinkError)| {
                matches!(e, LinkError::NoLeader { .. }) && Instant::now() < end
            };
            match failed.iter().find(|failure| !is_election(failure)) {
                Some((_, error)) => return Err(error.clone()),
                None if failed.is_empty() => return Ok(()),
                None => {}
            }
            tokio::time::sleep(backoff).await;
            backoff = (backoff * 2).min(MAX_BACKOFF);
            open = failed.into_iter().map(|(message, _)| message).collect();
        }
    }
}

impl Transport for NatsLink {
    async fn publish(&self, message: &Outgoing) -> Result<(), LinkError> {
        self.publish_all(std::slice::from_ref(message)).await
    }

    /// Several are on their way at once: the server syncs the next while it answers the one before.
    async fn publish_all(&self, messages: &[Outgoing]) -> Result<(), LinkError> {
        let mut sent = Ok(());
        for some in messages.chunks(MAX_UNANSWERED) {
            sent = self.store(some).await;
            if sent.is_err() {
                break;
            }
        }
        self.wire.shared.write_marks().await;
        sent
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
                .connect(&shared.config.servers[..])
                .await
                .map(drop)
                .map_err(|e| e.to_string()),
            Err(e) => Err(e.to_string()),
        };
        if let Err(why) = attempt {
            shared.report_trouble(FaultCode::LinkConnect, explain(&why));
        }
        tokio::time::sleep(DIAGNOSIS_INTERVAL).await;
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
