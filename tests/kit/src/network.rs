//! A network inside the process, for tests: routes by the same rules as the real one and misbehaves
//! on purpose, the same way for the same seed. It remembers no message ids, so every repetition is
//! delivered: harsher than JetStream.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use node::link::{Ack, Answer, Answered, Incoming, LinkError, Outgoing, Subject, Transport};
use node::link::{Places, check_outgoing};
use tokio::sync::Notify;

/// How often in a thousand something goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InjectedRates {
    /// The message is not stored and the sender is told so.
    pub refuse: u32,
    /// The message is stored, but the sender hears nothing.
    pub silence: u32,
    /// The message is acknowledged and then lost, as by a server that does not sync.
    pub lose: u32,
    /// A receiver gets the message twice.
    pub duplicate: u32,
    /// A receiver gets the message after later ones.
    pub delay: u32,
}

impl InjectedRates {
    /// A network as bad as one can reasonably fear: one message in five suffers from each failure.
    #[must_use]
    pub fn harsh() -> Self {
        Self {
            refuse: 200,
            silence: 200,
            lose: 200,
            duplicate: 200,
            delay: 200,
        }
    }
}

/// The shared network.
#[derive(Clone)]
pub struct MisbehavingNetwork(Arc<Mutex<Hub>>);

struct Hub {
    random: u64,
    rates: InjectedRates,
    members: Vec<Member>,
    /// The number of the message that was stored last.
    last: u64,
}

struct Member {
    places: Places,
    queue: VecDeque<Held>,
    bell: Arc<Notify>,
}

#[derive(Debug, Clone)]
struct Held {
    subject: Subject,
    body: Vec<u8>,
    number: u64,
    /// How often it was handed out.
    times: u32,
    /// How many deliveries to this member come first.
    hold: u32,
}

/// One member's way into the hub.
pub struct MisbehavingLink {
    hub: MisbehavingNetwork,
    member: usize,
    places: Places,
    has_children: bool,
    bell: Arc<Notify>,
}

impl MisbehavingNetwork {
    /// A network whose failures follow from the seed.
    #[must_use]
    pub fn new(seed: u64, rates: InjectedRates) -> Self {
        Self(Arc::new(Mutex::new(Hub {
            random: seed,
            rates,
            members: Vec::new(),
            last: 0,
        })))
    }

    /// Joins a unit; a later link of the same unit (a restarted node) finds the messages that wait
    /// for it.
    #[must_use]
    pub fn join(&self, places: impl Into<Places>, has_children: bool) -> MisbehavingLink {
        let places = places.into();
        let mut hub = self.lock();
        let member = hub
            .members
            .iter()
            .position(|m| m.places.unit() == places.unit())
            .unwrap_or_else(|| {
                let bell = Arc::new(Notify::new());
                hub.members.push(Member {
                    places: places.clone(),
                    queue: VecDeque::new(),
                    bell,
                });
                hub.members.len() - 1
            });
        // It may have moved since.
        hub.members[member].places = places.clone();
        let bell = Arc::clone(&hub.members[member].bell);
        MisbehavingLink {
            hub: self.clone(),
            member,
            places,
            has_children,
            bell,
        }
    }

    /// From now on other rates: the default heals the network.
    pub fn inject(&self, rates: InjectedRates) {
        self.lock().rates = rates;
    }

    /// How many messages are there for all members together, without those that a reader has put off.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().members.iter().map(|m| m.queue.len()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, Hub> {
        // Nothing panics while the lock is held; and a queue is whole between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// SplitMix64: small, even, and the same everywhere.
    fn roll(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn happens(&mut self, per_thousand: u32) -> bool {
        self.roll(1000) < u64::from(per_thousand)
    }
}

impl Transport for MisbehavingLink {
    async fn publish(&self, message: &Outgoing) -> Result<(), LinkError> {
        check_outgoing(&self.places, self.has_children, message)?;
        let mut hub = self.hub.lock();
        let rates = hub.rates;
        if hub.happens(rates.refuse) {
            return Err(LinkError::Disconnected {
                url: "memory".to_owned(),
            });
        }
        if !hub.happens(rates.lose) {
            hub.last += 1;
            for i in 0..hub.members.len() {
                let member = &hub.members[i];
                if !member.places.is_meant_for(&message.subject) {
                    continue;
                }
                let copies = if hub.happens(rates.duplicate) { 2 } else { 1 };
                for _ in 0..copies {
                    let hold = if hub.happens(rates.delay) {
                        1 + hub.roll(5) as u32
                    } else {
                        0
                    };
                    let held = Held {
                        subject: message.subject.clone(),
                        body: message.body.clone(),
                        number: hub.last,
                        times: 0,
                        hold,
                    };
                    hub.members[i].queue.push_back(held);
                }
                hub.members[i].bell.notify_one();
            }
        }
        if hub.happens(rates.silence) {
            return Err(LinkError::Timeout {
                subject: message.subject.to_string(),
                seconds: 0,
            });
        }
        Ok(())
    }

    async fn next(&self) -> Result<Incoming, LinkError> {
        loop {
            if let Some(held) = self.pop() {
                let ack = MisbehavingAck {
                    hub: self.hub.clone(),
                    member: self.member,
                    held: Some(held.clone()),
                };
                return Ok(Incoming {
                    subject: held.subject,
                    body: held.body,
                    number: held.number,
                    times: held.times,
                    ack: Ack::new(ack),
                });
            }
            self.bell.notified().await;
        }
    }
}

impl MisbehavingLink {
    /// The first message whose time has come; when only held ones are left, the one that is held
    /// shortest.
    fn pop(&self) -> Option<Held> {
        let mut hub = self.hub.lock();
        let queue = &mut hub.members[self.member].queue;
        let at = queue
            .iter()
            .enumerate()
            .min_by_key(|(i, h)| (h.hold, *i))
            .map(|(i, _)| i)?;
        let mut held = queue.remove(at);
        if let Some(held) = &mut held {
            held.times += 1;
        }
        for other in queue.iter_mut() {
            other.hold = other.hold.saturating_sub(1);
        }
        held
    }
}

/// Puts the message back when it is dropped without an answer.
struct MisbehavingAck {
    hub: MisbehavingNetwork,
    member: usize,
    held: Option<Held>,
}

impl std::fmt::Debug for MisbehavingAck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MisbehavingAck")
    }
}

impl Answer for MisbehavingAck {
    fn done(mut self: Box<Self>) -> Answered {
        self.held = None;
        Box::pin(std::future::ready(Ok(())))
    }
    fn retry(self: Box<Self>, after: Duration) -> Answered {
        // Dropping puts it back; whoever answered does not wait for that.
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            drop(self);
        });
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Drop for MisbehavingAck {
    fn drop(&mut self) {
        if let Some(mut held) = self.held.take() {
            held.hold = 1;
            let mut hub = self.hub.lock();
            let member = &mut hub.members[self.member];
            member.queue.push_back(held);
            member.bell.notify_one();
        }
    }
}
