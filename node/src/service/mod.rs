//! The node as a service: the thread that owns the books, the clock, and what wakes the courier.
//!
//! One thread owns the books and works through a queue. Requests that wait at the same time become
//! a group: each is worked on in turn, all share one fsync, and none is answered before it. So a
//! single clerk waits for one fsync, and fifty clerks do too. Where the disk fails, each is told
//! what is true for it: who is on disk already is not told otherwise.

mod worker;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, mpsc};

use chrono::{DateTime, Utc};
use protocol::digest::Digest;
use protocol::note::Note;
use protocol::receipt::Receipt;
use protocol::rollup::Signatories;
use tokio::sync::{Notify, oneshot, watch};

use crate::books::keys::Keys;
use crate::books::{Books, BooksError};
use crate::clock::{Clock, FileClock, SystemClock, Watch, stamp};
use crate::config::{Accept, Config};
use crate::fault::{FaultCode, Faults, internal};
use crate::link::{LinkSeen, LinkState};
use crate::review;
pub use worker::{Health, Worker};
use worker::{Job, health_of, registry_of};

/// A running unit.
pub struct Service {
    jobs: mpsc::Sender<Job>,
    clock: Arc<dyn Clock>,
    /// The configuration.
    pub config: Config,
    /// Wakes the outbox.
    wake: Notify,
    /// What the link last said of itself; none without a link.
    link: Mutex<Option<LinkSeen>>,
    /// Receipts that are to be sent.
    receipts: Mutex<Vec<Note>>,
    health: watch::Receiver<Health>,
    /// The version of the newest registry.
    registry: watch::Receiver<u64>,
    /// The last message under each unit's name that was refused at the door in this run, and why.
    refused: Mutex<BTreeMap<String, String>>,
    /// When this unit's rollups went out in this run.
    sent: Mutex<BTreeMap<Digest, DateTime<Utc>>>,
    /// Counters for metrics.
    counters: Mutex<BTreeMap<&'static str, u64>>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Service({})", self.config.unit)
    }
}

impl Service {
    /// Opens the books and adopts what lies in the published directory.
    ///
    /// # Errors
    /// What prevents a start, and what to do.
    pub fn open(config: Config) -> Result<Arc<Service>, Faults> {
        let clock: Arc<dyn Clock> = match &config.clock {
            Some(path) => Arc::new(FileClock(path.clone())),
            None => Arc::new(SystemClock),
        };
        let keys = Keys::load(&config.keys, &config.unit)
            .map_err(|e| Faults::from(BooksError::from(e)))?;
        let books = Books::open(&config.data, keys, config.root.clone(), config.unit.clone())
            .map_err(no_start)?;
        let mut documents = Vec::new();
        let dir = std::fs::read_dir(&config.published)
            .map_err(|e| internal(format!("{}: {e}", config.published.display())))?;
        for entry in dir {
            let path = entry.map_err(internal)?.path();
            if path.extension().is_some_and(|e| e == "note") {
                documents.push(
                    std::fs::read(&path)
                        .map_err(|e| internal(format!("{}: {e}", path.display())))?,
                );
            }
        }
        let (service, mut worker) = Self::over(config, books, &documents, clock)?;
        let work = move || {
            while worker.turn(true) {}
            worker.books.view().flush();
        };
        std::thread::Builder::new()
            .name("books".into())
            .spawn(work)
            .map_err(internal)?;
        Ok(service)
    }

    /// The same over books that are open already. Nothing happens until the worker takes its turns:
    /// it owns the books, and a simulation decides itself when it works.
    ///
    /// # Errors
    /// As [`Service::open`].
    pub fn over(
        config: Config,
        mut books: Books,
        documents: &[Vec<u8>],
        clock: Arc<dyn Clock>,
    ) -> Result<(Arc<Service>, Worker), Faults> {
        books.install(documents).map_err(no_start)?;
        if let Some(fault) = books.node_key().fault() {
            tracing::warn!("{fault}");
        }
        let now = clock.now();
        // What is rejected or accepted here waits for the courier like everything else.
        let given = review::check_all(&mut books, config.accept == Accept::Auto, now)?;
        let (jobs, queue) = mpsc::channel();
        let (tell, health) = watch::channel(health_of(&books, now));
        let (tell_registry, registry) = watch::channel(registry_of(&books));
        let worker = Worker {
            books,
            queue,
            clock: clock.clone(),
            watch: Watch::new(now),
            tell,
            tell_registry,
        };
        let service = Service {
            jobs,
            clock,
            config,
            wake: Notify::new(),
            link: Mutex::new(None),
            receipts: Mutex::new(given),
            health,
            registry,
            refused: Mutex::new(BTreeMap::new()),
            sent: Mutex::new(BTreeMap::new()),
            counters: Mutex::new(BTreeMap::new()),
        };
        Ok((Arc::new(service), worker))
    }

    /// Now.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// How the node stands.
    pub fn health(&self) -> Health {
        *self.health.borrow()
    }

    /// The version of the newest registry, as it changes; told after it is on disk.
    pub fn registry(&self) -> watch::Receiver<u64> {
        self.registry.clone()
    }

    /// Waits until the node cannot go on; the process must end then, and a new one reads what the
    /// disk really holds.
    pub async fn stopped(&self) {
        let mut health = self.health.clone();
        if health.wait_for(|h| h.stopped).await.is_err() {
            // The thread is gone, which nothing but its own end can bring about.
            tracing::error!("the thread that owns the books has ended");
        }
    }

    /// Works on the books. The answer comes after everything that the work wrote is on disk.
    ///
    /// # Errors
    /// What the work says, or that its group could not be written.
    pub async fn with<T, F>(self: &Arc<Self>, work: F) -> Result<T, Faults>
    where
        T: Send + 'static,
        F: FnOnce(&mut Books, DateTime<Utc>) -> Result<T, Faults> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |books, now| {
            let result = work(books, now);
            Box::new(move |written| {
                // Whoever asked may have gone away; the work is done all the same.
                let _ = answer.send(written.and(result));
            })
        });
        let stopping = || {
            Faults::one(
                FaultCode::NodeStopping,
                "节点正在停止,请稍后重新提交",
                "the node is stopping; send it again later",
            )
        };
        self.jobs.send(job).map_err(|_| stopping())?;
        answered.await.map_err(|_| {
            if self.health().stopped {
                stopping()
            } else {
                internal("the work died; it was taken back")
            }
        })?
    }

    /// Checks what came from below and queues the receipts.
    ///
    /// # Errors
    /// The node's own failures.
    pub async fn review(self: &Arc<Self>) -> Result<usize, Faults> {
        let auto = self.config.accept == Accept::Auto;
        let given = self
            .with(move |books, now| review::check_all(books, auto, now))
            .await?;
        let count = given.len();
        self.queue(given);
        Ok(count)
    }

    /// A rollup of this unit went out: the transport's server keeps it.
    pub fn note_sent(&self, digest: Digest) {
        let now = self.now();
        if let Ok(mut sent) = self.sent.lock() {
            sent.entry(digest).or_insert(now);
        }
    }

    /// When this unit's rollups went out in this run.
    pub fn sent(&self) -> BTreeMap<Digest, DateTime<Utc>> {
        let sent = self.sent.lock();
        sent.map(|sent| sent.clone()).unwrap_or_default()
    }

    /// Queues receipts for sending.
    pub fn queue(&self, notes: Vec<Note>) {
        if notes.is_empty() {
            return;
        }
        if let Ok(mut queue) = self.receipts.lock() {
            for note in notes {
                if !queue.iter().any(|n| n.digest() == note.digest()) {
                    queue.push(note);
                }
            }
        }
        self.wake.notify_one();
    }

    /// Receipts that are to be sent, the oldest first.
    pub fn receipts(&self) -> Vec<Note> {
        let queue = self.receipts.lock();
        queue.map(|queue| queue.clone()).unwrap_or_default()
    }

    /// A receipt was sent: it leaves the queue.
    pub fn receipt_sent(&self, note: &Note) {
        if let Ok(mut queue) = self.receipts.lock() {
            queue.retain(|n| n.digest() != note.digest());
        }
    }

    /// Lets the outbox look now, and not at its next turn.
    pub fn wake_outbox(&self) {
        self.wake.notify_one();
    }

    /// Waits until somebody wakes the outbox.
    pub async fn outbox_woken(&self) {
        self.wake.notified().await;
    }

    /// What the link last said of itself; none without a link.
    pub fn link(&self) -> Option<LinkSeen> {
        self.link.lock().ok().and_then(|seen| seen.clone())
    }

    /// The counters for metrics.
    pub fn counters(&self) -> BTreeMap<&'static str, u64> {
        let counters = self.counters.lock();
        counters.map(|c| c.clone()).unwrap_or_default()
    }

    /// Takes note of what the link says of itself.
    pub fn link_changed(&self, state: LinkState) {
        let mut seen = LinkSeen {
            state,
            since: self.now(),
        };
        if let Ok(mut slot) = self.link.lock() {
            if let Some(before) = slot.as_ref().filter(|b| b.is_up() == seen.is_up()) {
                seen.since = before.since;
            } else if slot.is_some() || seen.is_up() {
                tracing::info!(up = seen.is_up(), "the link changed");
                // What could not be sent meanwhile need not wait for the outbox's next turn.
                self.wake.notify_one();
            }
            *slot = Some(seen);
        }
    }

    /// Remembers why something under a unit's name was refused: its people wait for an answer that
    /// will not come.
    pub fn refuse(&self, unit: &str, reason: &str) {
        if let Ok(mut refused) = self.refused.lock()
            && (refused.len() < MAX_REFUSED || refused.contains_key(unit))
        {
            refused.insert(
                unit.to_string(),
                format!("{unit}, {}: {reason}", stamp(self.now())),
            );
        }
    }

    /// What was refused, one line a unit.
    pub fn refused(&self) -> Vec<String> {
        self.refused
            .lock()
            .map(|r| r.values().cloned().collect())
            .unwrap_or_default()
    }

    /// Adds to a counter.
    pub fn count(&self, name: &'static str, n: u64) {
        if let Ok(mut counters) = self.counters.lock() {
            *counters.entry(name).or_default() += n;
        }
    }

    /// The three who sign, as rollups name them.
    pub fn signatories(&self) -> Signatories {
        let full = |name: &str| format!("{}/{name}", self.config.unit);
        let s = &self.config.signatories;
        Signatories {
            preparer: full(&s.preparer),
            reviewer: full(&s.reviewer),
            head: full(&s.head),
        }
    }
}

/// Units whose refused messages are remembered: whoever may publish could otherwise make up names
/// without end.
const MAX_REFUSED: usize = 1000;

fn no_start(error: BooksError) -> Faults {
    Faults::one(
        error.code(),
        format!("节点不能启动：{}", error.zh()),
        error.to_string(),
    )
}

/// Whom a receipt is for.
pub fn addressee(note: &Note) -> Option<String> {
    Receipt::parse(note.text())
        .ok()
        .map(|r| r.child.to_string())
}
