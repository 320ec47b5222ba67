//! The link of one node: connects, and keeps the tasks that read, ask and diagnose.

use super::config::LinkConfig;
use super::probe::probe;
use super::pull::pull;
use super::wire::{Shared, Wire};
use crate::fault::FaultCode;
use crate::link::access;
use crate::link::error::{LinkError, explain};
use crate::link::seed;
use crate::link::state::{Connection, LinkState};
use crate::link::transport::{Incoming, Outgoing, Transport};
use crate::random::{Random, SystemRandom};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{Mutex, broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// How many received messages may wait for the node.
const PREFETCH: usize = 8;
/// How many messages may be on their way to the server without its answer.
const MAX_UNANSWERED: usize = 16;
/// How often a server that broke its promise is asked again.
const RECHECK_INTERVAL: Duration = Duration::from_secs(10);

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
                reason: reason.to_string(),
            })?;
        let shared = Arc::new(Shared {
            config: config.clone(),
            state: watch::Sender::new(LinkState::default()),
            denials: broadcast::Sender::new(64),
            verified: Mutex::new(None),
            made: std::sync::Mutex::default(),
            consumers: consumers.len(),
            marks: std::sync::Mutex::default(),
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
        for (stream, subject) in access::streams_written(&config.path, config.has_children) {
            tasks.push(tokio::spawn(probe(wire.clone(), stream, subject)));
        }
        let reads = !consumers.is_empty();
        for (stream, consumer, _) in consumers {
            tasks.push(tokio::spawn(pull(
                wire.clone(),
                stream,
                consumer,
                tx.clone(),
            )));
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
        for some in messages.chunks(MAX_UNANSWERED) {
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
            shared.report_trouble(FaultCode::LinkConnect, explain(&why));
        }
        tokio::time::sleep(RECHECK_INTERVAL).await;
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
            Err(_) => tokio::time::sleep(RECHECK_INTERVAL).await,
        }
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
