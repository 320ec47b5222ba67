//! The node as a service: the thread that owns the books, the clock, and what wakes the courier.
//!
//! One thread owns the books and works through a queue. Requests that wait at the same time become a group: each is worked on
//! in turn, all share one fsync, and none is answered before it. So a single clerk waits for one fsync, and fifty clerks do too.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, mpsc};

use chrono::{DateTime, Utc};
use protocol::note::Note;
use protocol::receipt::Receipt;
use protocol::rollup::Signatories;
use tokio::sync::{Notify, oneshot};

use crate::books::Books;
use crate::books::keys::Keys;
use crate::clock::{Clock, FileClock, SystemClock};
use crate::config::{Accept, Config};
use crate::fault::{Faults, internal};
use crate::link::{Connection, Durability, LinkState};
use crate::review;

/// Tells whoever asked, once the group is written or not.
type Reply = Box<dyn FnOnce(Result<(), Faults>) + Send>;
/// A piece of work on the books.
type Job = Box<dyn FnOnce(&mut Books, DateTime<Utc>) -> Reply + Send>;

/// The link as the node last saw it.
#[derive(Debug, Clone)]
pub struct LinkSeen {
    /// What it says of itself.
    pub state: LinkState,
    /// Since when it has been up, or has not.
    pub since: DateTime<Utc>,
}

impl LinkSeen {
    /// Whether messages go through.
    pub fn is_up(&self) -> bool {
        self.state.connection == Connection::Connected && !matches!(self.state.durability, Durability::Refused(_))
    }
}

/// A running unit.
pub struct Service {
    jobs: mpsc::Sender<Job>,
    clock: Arc<dyn Clock>,
    /// The configuration.
    pub config: Config,
    /// Wakes the outbox.
    pub wake: Notify,
    /// What the link last said of itself; none without a link.
    pub link: Mutex<Option<LinkSeen>>,
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
        let clock: Arc<dyn Clock> = match &config.clock {
            Some(path) => Arc::new(FileClock(path.clone())),
            None => Arc::new(SystemClock),
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
        let (jobs, queue) = mpsc::channel();
        let time = clock.clone();
        std::thread::Builder::new().name("books".into()).spawn(move || work_through(books, &queue, time.as_ref())).map_err(internal)?;
        Ok(Arc::new(Service {
            jobs,
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
        self.jobs.send(job).map_err(|_| internal("the node is stopping"))?;
        answered.await.map_err(|_| internal("the work died; it was taken back"))?
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

    /// Takes note of what the link says of itself.
    pub fn saw(&self, state: LinkState) {
        let mut seen = LinkSeen { state, since: self.now() };
        if let Ok(mut slot) = self.link.lock() {
            if let Some(before) = slot.as_ref().filter(|b| b.is_up() == seen.is_up()) {
                seen.since = before.since;
            } else if slot.is_some() || seen.is_up() {
                tracing::info!(up = seen.is_up(), "the link changed");
            }
            *slot = Some(seen);
        }
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

/// At most this many requests share one fsync.
const GROUP: usize = 64;

/// Works through the queue until nobody can ask any more.
fn work_through(mut books: Books, queue: &mpsc::Receiver<Job>, clock: &dyn Clock) {
    while let Ok(first) = queue.recv() {
        let mut died = false;
        let mut replies: Vec<Reply> = Vec::new();
        let written = books.group(|books| {
            let waiting = std::iter::once(first).chain(std::iter::from_fn(|| queue.try_recv().ok()));
            for job in waiting.take(GROUP) {
                // A panic in one piece of work must not end the node, nor leave half a change in memory.
                match std::panic::catch_unwind(AssertUnwindSafe(|| job(books, clock.now()))) {
                    Ok(reply) => replies.push(reply),
                    Err(_) => {
                        died = true;
                        break;
                    }
                }
            }
        });
        if died && let Err(e) = books.take_back() {
            tracing::error!(error = %e, "the books cannot be read again after a panic");
            return;
        }
        let failed = written.err().map(|e| Faults::one(e.code(), format!("没有写入磁盘:{e}"), format!("not written to disk: {e}")));
        if let Some(faults) = &failed {
            tracing::error!(faults = %faults, "a group was not written and is taken back");
        }
        for reply in replies {
            reply(failed.clone().map_or(Ok(()), Err));
        }
    }
    books.view().flush();
}

/// Whom a receipt is for.
pub fn addressee(note: &Note) -> Option<String> {
    Receipt::parse(note.text()).ok().map(|r| r.child.to_string())
}
