//! The thread that owns the books: it works through the queue of jobs, in groups that share one
//! fsync.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, mpsc};

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use crate::books::{Books, NodeKey};
use crate::clock::{Clock, Watch, stamp};
use crate::fault::Faults;
use crate::journal::JournalState;

/// Answers the one who asked, once the group is written or not.
pub(super) type Reply = Box<dyn FnOnce(Result<(), Faults>) + Send>;
/// A piece of work on the books.
pub(super) type Job = Box<dyn FnOnce(&mut Books, DateTime<Utc>) -> Reply + Send>;

/// How the node itself stands: what operators are told by health and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// Whether the journal takes anything.
    pub journal: JournalState,
    /// The disk takes no view, so that it is kept in memory.
    pub view_in_memory: bool,
    /// Seconds by which the clock is behind what was recorded last; 0 if it is not.
    pub clock_behind: u64,
    /// How the node's key stands in the registry.
    pub key: NodeKey,
    /// The journal could not be read again after a failure; the process must end.
    pub stopped: bool,
}

/// At most this many requests share one fsync.
const MAX_GROUP_JOBS: usize = 64;

/// How the node with these books stands now.
pub(super) fn health_of(books: &Books, now: DateTime<Utc>) -> Health {
    let behind = books
        .last_recorded()
        .map_or(0, |last| (last - now).num_seconds());
    Health {
        journal: books.state(),
        view_in_memory: books.is_view_in_memory(),
        clock_behind: u64::try_from(behind).unwrap_or(0),
        key: books.node_key(),
        stopped: books.is_broken(),
    }
}

/// The version of the newest registry that these books hold; 0 before the first.
pub(super) fn registry_of(books: &Books) -> u64 {
    books.registry().map_or(0, |r| r.registry().version)
}

/// Owns the books and works through the queue.
pub struct Worker {
    pub(super) books: Books,
    pub(super) queue: mpsc::Receiver<Job>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) watch: Watch,
    pub(super) tell: watch::Sender<Health>,
    pub(super) tell_registry: watch::Sender<u64>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Worker({})", self.books.unit())
    }
}

impl Worker {
    /// Works on what waits, as one group. Where nothing waits it answers `false`, or waits first if
    /// told to; then `false` means that nobody can ask any more, or that the books cannot be read.
    pub fn turn(&mut self, wait: bool) -> bool {
        let first = if wait {
            self.queue.recv().ok()
        } else {
            self.queue.try_recv().ok()
        };
        let Some(first) = first else { return false };
        let now = self.clock.now();
        self.watch_clock(now);
        let (replies, failed) = self.work(first);
        let durable = self.books.durable();
        // First, so that nobody is told a failure that health does not know of yet.
        self.tell_health(now);
        let version = registry_of(&self.books);
        self.tell_registry
            .send_if_modified(|known| std::mem::replace(known, version) != version);
        for (end, reply) in replies {
            reply(failed.clone().filter(|_| end > durable).map_or(Ok(()), Err));
        }
        let broken = self.books.is_broken();
        if broken {
            tracing::error!(
                "the journal cannot be read again: the node stops, and the next start reads what \
                 the disk really holds"
            );
        }
        !broken
    }

    fn tell_health(&self, now: DateTime<Utc>) {
        let before = self.tell.send_replace(health_of(&self.books, now));
        let key = self.tell.borrow().key;
        if let Some(fault) = key.fault().filter(|_| key != before.key) {
            tracing::warn!("{fault}");
        }
    }

    fn watch_clock(&mut self, now: DateTime<Utc>) {
        if let Some(jump) = self.watch.observe(now) {
            tracing::warn!(
                seconds = jump.num_seconds(),
                now = %stamp(now),
                "the clock was put ahead (or back, if negative); check it"
            );
        }
    }

    /// Works on `first` and what waits behind it, writes all of it, and takes back what could not
    /// be written. Gives the replies, each with the number of entries that must be on disk before
    /// it may be given, and why the group was not written.
    fn work(&mut self, first: Job) -> (Vec<(u64, Reply)>, Option<Faults>) {
        let (books, queue, clock) = (&mut self.books, &self.queue, &self.clock);
        let mut died = false;
        let mut replies: Vec<(u64, Reply)> = Vec::new();
        let written = books.group(|books| {
            let waiting =
                std::iter::once(first).chain(std::iter::from_fn(|| queue.try_recv().ok()));
            for job in waiting.take(MAX_GROUP_JOBS) {
                // A panic in one piece of work must not end the node, nor leave half a change in
                // memory or in the journal: what it has staged is not written.
                let before = books.end();
                match std::panic::catch_unwind(AssertUnwindSafe(|| job(books, clock.now()))) {
                    Ok(reply) => {
                        replies.push((books.end(), reply));
                        // Memory is taken back with the group; the others' turn comes after it.
                        if books.refuses() {
                            break;
                        }
                    }
                    Err(_) => {
                        books.unstage_from(before);
                        died = true;
                        break;
                    }
                }
            }
        });
        if died
            && !books.is_broken()
            && let Err(e) = books.take_back()
        {
            tracing::error!(error = %e, "the books cannot be read again after a panic");
        }
        let failed = written.err().map(Faults::from);
        if let Some(faults) = &failed {
            tracing::error!(faults = %faults, "a group was not written and is taken back");
        }
        (replies, failed)
    }
}
