//! The node as a service: the books behind one lock, the clock, and what wakes the courier.
//!
//! Writes are short and ordered; a lock is simpler to reason about than a queue, and group commit happens inside a batch.
//! Blocking work (disk, cryptography) runs on the blocking pool, so that the API stays responsive.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use protocol::note::Note;
use protocol::receipt::Receipt;
use protocol::rollup::Signatories;
use tokio::sync::Notify;

use crate::books::Books;
use crate::books::keys::Keys;
use crate::clock::{Clock, FileClock, SystemClock};
use crate::config::{Accept, Config};
use crate::fault::{Faults, internal};
use crate::link::LinkState;
use crate::review;

/// A running unit.
pub struct Service {
    books: Mutex<Books>,
    clock: Box<dyn Clock>,
    /// The configuration.
    pub config: Config,
    /// Wakes the outbox.
    pub wake: Notify,
    /// What the link last said of itself.
    pub link: Mutex<Option<LinkState>>,
    /// Receipts that are to be sent.
    pub receipts: Mutex<Vec<Note>>,
    /// Counters for metrics.
    pub counters: Mutex<BTreeMap<&'static str, u64>>,
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
        let clock: Box<dyn Clock> = match &config.clock {
            Some(path) => Box::new(FileClock(path.clone())),
            None => Box::new(SystemClock),
        };
        let keys = Keys::load(&config.keys, &config.unit).map_err(internal)?;
        std::fs::create_dir_all(&config.data).map_err(internal)?;
        let mut books = Books::open(&config.data, keys, config.root.clone(), config.unit.clone())
            .map_err(|e| Faults::one(e.code(), format!("节点不能启动:{e}"), e.to_string()))?;
        let mut documents = Vec::new();
        let dir = std::fs::read_dir(&config.published).map_err(|e| internal(format!("{}: {e}", config.published.display())))?;
        for entry in dir {
            let path = entry.map_err(internal)?.path();
            if path.extension().is_some_and(|e| e == "note") {
                documents.push(std::fs::read(&path).map_err(|e| internal(format!("{}: {e}", path.display())))?);
            }
        }
        books.adopt(&documents).map_err(internal)?;
        let now = clock.now();
        review::check_all(&mut books, config.accept == Accept::Auto, now)?;
        Ok(Arc::new(Service {
            books: Mutex::new(books),
            clock,
            config,
            wake: Notify::new(),
            link: Mutex::new(None),
            receipts: Mutex::new(Vec::new()),
            counters: Mutex::new(BTreeMap::new()),
        }))
    }

    /// Now.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Works on the books, on the blocking pool.
    ///
    /// # Errors
    /// What the work says.
    pub async fn with<T, F>(self: &Arc<Self>, work: F) -> Result<T, Faults>
    where
        T: Send + 'static,
        F: FnOnce(&mut Books, DateTime<Utc>) -> Result<T, Faults> + Send + 'static,
    {
        let service = self.clone();
        tokio::task::spawn_blocking(move || {
            // A poisoned lock means that a thread died in the middle of changing memory; the journal is whole, so the
            // cure is a restart, not going on.
            let mut books = service.books.lock().map_err(|_| internal("an earlier request died; restart the node"))?;
            let now = service.clock.now();
            work(&mut books, now)
        })
        .await
        .map_err(internal)?
    }

    /// Checks what came from below and queues the receipts.
    ///
    /// # Errors
    /// The node's own failures.
    pub async fn review(self: &Arc<Self>) -> Result<usize, Faults> {
        let auto = self.config.accept == Accept::Auto;
        let given = self.with(move |books, now| review::check_all(books, auto, now)).await?;
        let count = given.len();
        self.queue(given);
        Ok(count)
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
        Signatories { preparer: full(&s.preparer), reviewer: full(&s.reviewer), head: full(&s.head) }
    }
}

/// Whom a receipt is for.
pub fn addressee(note: &Note) -> Option<String> {
    Receipt::parse(note.text()).ok().map(|r| r.child.to_string())
}
