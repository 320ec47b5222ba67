//! The way between a unit and the hub: it can be cut, hold a message back for days, and be where
//! the process dies.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use chrono::{DateTime, Duration, Utc};
use kit::network::{MisbehavingLink, MisbehavingNetwork};
use node::clock::Clock;
use node::link::{Incoming, LinkError, Outgoing, Transport, UnitPath};

use crate::chance::Chance;

/// The time of the simulation.
#[derive(Clone)]
pub struct SimClock(Arc<Mutex<DateTime<Utc>>>);

impl SimClock {
    pub fn at(time: DateTime<Utc>) -> SimClock {
        SimClock(Arc::new(Mutex::new(time)))
    }
    pub fn set(&self, time: DateTime<Utc>) {
        *self.0.lock().unwrap() = time;
    }
}

impl Clock for SimClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// Where on the way a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The journal has it, the network has not.
    BeforeSending,
    /// The network has it, the sender does not know.
    AfterSending,
    /// Taken from the network, not yet in the journal.
    AfterReceiving,
}

#[derive(Default)]
struct State {
    /// How many messages may still be received in this step.
    open: u32,
    cut: bool,
    lit: Option<(u64, Point)>,
    dead: bool,
}

/// What stands between one unit and the network. It outlives the unit's processes.
#[derive(Default)]
pub struct Gate(Mutex<State>);

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub fn open(&self, messages: u32) {
        self.state().open = messages;
    }
    pub fn cut(&self, cut: bool) {
        self.state().cut = cut;
    }
    /// The process dies at the n-th passage of this point from now.
    pub fn light(&self, n: u64, point: Point) {
        self.state().lit = Some((n, point));
    }
    /// A new process.
    pub fn reset(&self) {
        let mut state = self.state();
        (state.lit, state.dead, state.open) = (None, false, 0);
    }
    pub fn is_dead(&self) -> bool {
        self.state().dead
    }
    /// Whether the process dies here.
    fn passes(&self, point: Point) -> bool {
        let mut state = self.state();
        match state.lit {
            Some((0, p)) if p == point => state.dead = true,
            Some((n, p)) if p == point => state.lit = Some((n - 1, p)),
            _ => {}
        }
        state.dead
    }
}

/// When it goes on, whose it is, whether he has children, and what it is.
type Held = (DateTime<Utc>, UnitPath, bool, Outgoing);

/// Messages that the network holds back, with the time at which it lets them go.
pub struct Post {
    pub hub: MisbehavingNetwork,
    clock: SimClock,
    held: Mutex<(Chance, Vec<Held>)>,
    /// How many in a thousand are held back.
    pub late: u64,
}

impl Post {
    pub fn new(hub: MisbehavingNetwork, clock: SimClock, chance: Chance, late: u64) -> Post {
        Post {
            hub,
            clock,
            held: Mutex::new((chance, Vec::new())),
            late,
        }
    }
    fn holds(&self, path: &UnitPath, has_children: bool, message: &Outgoing) -> bool {
        let mut held = self.held.lock().unwrap();
        if !held.0.per_mille(self.late) {
            return false;
        }
        // From a minute to three days: far beyond any window in which a server remembers message
        // ids.
        let seconds = match held.0.below(3) {
            0 => held.0.below(120),
            1 => held.0.below(7200),
            _ => held.0.below(3 * 86400),
        };
        let due = self.clock.now() + Duration::seconds(seconds as i64);
        held.1
            .push((due, path.clone(), has_children, message.clone()));
        true
    }
    /// Lets go what is due, or everything.
    pub async fn release(&self, all: bool) -> usize {
        let now = self.clock.now();
        let due = {
            let mut held = self.held.lock().unwrap();
            let (due, later): (Vec<_>, Vec<_>) =
                held.1.drain(..).partition(|(at, ..)| all || *at <= now);
            held.1 = later;
            due
        };
        let count = due.len();
        for (_, path, has_children, message) in due {
            // Lost or refused now, it is lost for good: its sender was told long ago that it is
            // stored.
            let _ = self.hub.join(path, has_children).publish(&message).await;
        }
        count
    }
}

/// One process's way into the hub.
pub struct SimLink {
    pub inner: MisbehavingLink,
    pub gate: Arc<Gate>,
    pub post: Arc<Post>,
    pub path: UnitPath,
    pub has_children: bool,
}

impl Transport for SimLink {
    async fn publish(&self, message: &Outgoing) -> Result<(), LinkError> {
        if self.gate.state().cut {
            return Err(LinkError::Disconnected {
                url: "simulated".into(),
            });
        }
        if self.gate.passes(Point::BeforeSending) {
            std::future::pending::<()>().await;
        }
        let sent = if self.post.holds(&self.path, self.has_children, message) {
            Ok(())
        } else {
            self.inner.publish(message).await
        };
        if self.gate.passes(Point::AfterSending) {
            std::future::pending::<()>().await;
        }
        sent
    }

    async fn next(&self) -> Result<Incoming, LinkError> {
        poll_fn(|context| {
            {
                let state = self.gate.state();
                if state.cut || state.dead || state.open == 0 {
                    // The scheduler polls again when it opens the gate.
                    return Poll::Pending;
                }
            }
            let Poll::Ready(next) = pin!(self.inner.next()).poll(context) else {
                return Poll::Pending;
            };
            self.gate.state().open -= 1;
            // Dropped without an answer, the message goes back.
            if self.gate.passes(Point::AfterReceiving) {
                Poll::Pending
            } else {
                Poll::Ready(next)
            }
        })
        .await
    }
}
