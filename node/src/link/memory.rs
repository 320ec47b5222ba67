//! A network inside the process, for tests: routes by the same rules as the real one and misbehaves
//! on purpose, the same way for the same seed. It remembers no message ids, so every repetition is
//! delivered: harsher than JetStream.

use super::access;
use super::ack::{Ack, Answer, Answered};
use super::error::LinkError;
use super::subject::{Subject, UnitPath};
use super::transport::{Incoming, Outgoing, Transport, check_outgoing};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How often in a thousand something goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
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

impl Faults {
    /// A network as bad as one can reasonably fear: one message in five suffers from each fault.
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
pub struct MemoryHub(Arc<Mutex<Hub>>);

struct Hub {
    random: u64,
    faults: Faults,
    members: Vec<Member>,
}

struct Member {
    path: UnitPath,
    queue: VecDeque<Held>,
    bell: Arc<Notify>,
}

#[derive(Debug, Clone)]
struct Held {
    subject: Subject,
    body: Vec<u8>,
    /// How many deliveries to this member come first.
    hold: u32,
}

/// One member's way into the hub.
pub struct MemoryLink {
    hub: MemoryHub,
    member: usize,
    path: UnitPath,
    has_children: bool,
    bell: Arc<Notify>,
}

impl MemoryHub {
    /// A network whose faults follow from the seed.
    #[must_use]
    pub fn new(seed: u64, faults: Faults) -> Self {
        Self(Arc::new(Mutex::new(Hub {
            random: seed,
            faults,
            members: Vec::new(),
        })))
    }

    /// Joins a unit; a later link of the same unit (a restarted node) finds the messages that wait
    /// for it.
    #[must_use]
    pub fn join(&self, path: UnitPath, has_children: bool) -> MemoryLink {
        let mut hub = self.lock();
        let member = hub
            .members
            .iter()
            .position(|m| m.path == path)
            .unwrap_or_else(|| {
                let bell = Arc::new(Notify::new());
                hub.members.push(Member {
                    path: path.clone(),
                    queue: VecDeque::new(),
                    bell,
                });
                hub.members.len() - 1
            });
        let bell = Arc::clone(&hub.members[member].bell);
        MemoryLink {
            hub: self.clone(),
            member,
            path,
            has_children,
            bell,
        }
    }

    /// From now on other faults: `Faults::default()` heals the network.
    pub fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// How many messages wait for all members together.
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

impl Transport for MemoryLink {
    async fn publish(&self, message: &Outgoing) -> Result<(), LinkError> {
        check_outgoing(&self.path, self.has_children, message)?;
        let mut hub = self.hub.lock();
        let faults = hub.faults;
        if hub.happens(faults.refuse) {
            return Err(LinkError::Disconnected {
                url: "memory".to_owned(),
            });
        }
        if !hub.happens(faults.lose) {
            for i in 0..hub.members.len() {
                let member = &hub.members[i];
                if !access::hears(&member.path, &message.subject) {
                    continue;
                }
                let copies = if hub.happens(faults.duplicate) { 2 } else { 1 };
                for _ in 0..copies {
                    let hold = if hub.happens(faults.delay) {
                        1 + hub.roll(5) as u32
                    } else {
                        0
                    };
                    let held = Held {
                        subject: message.subject.clone(),
                        body: message.body.clone(),
                        hold,
                    };
                    hub.members[i].queue.push_back(held);
                }
                hub.members[i].bell.notify_one();
            }
        }
        if hub.happens(faults.silence) {
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
                let ack = MemoryAck {
                    hub: self.hub.clone(),
                    member: self.member,
                    held: Some(held.clone()),
                };
                return Ok(Incoming {
                    subject: held.subject,
                    body: held.body,
                    ack: Ack::new(ack),
                });
            }
            self.bell.notified().await;
        }
    }
}

impl MemoryLink {
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
        let held = queue.remove(at);
        for other in queue.iter_mut() {
            other.hold = other.hold.saturating_sub(1);
        }
        held
    }
}

/// Puts the message back when it is dropped without an answer.
struct MemoryAck {
    hub: MemoryHub,
    member: usize,
    held: Option<Held>,
}

impl std::fmt::Debug for MemoryAck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryAck")
    }
}

impl Answer for MemoryAck {
    fn done(mut self: Box<Self>) -> Answered {
        self.held = None;
        Box::pin(std::future::ready(Ok(())))
    }
    fn retry(self: Box<Self>, _after: Duration) -> Answered {
        // Dropping puts it back.
        drop(self);
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Drop for MemoryAck {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::subject::{DownKind, UpKind};
    use std::collections::BTreeSet;

    fn path(text: &str) -> UnitPath {
        text.parse().unwrap()
    }

    fn entries(unit: &str, n: u64) -> Outgoing {
        Outgoing {
            subject: Subject::up(path(unit), UpKind::Entries(n)),
            msg_id: n.to_string(),
            body: n.to_le_bytes().to_vec(),
        }
    }

    async fn none_left(link: &MemoryLink) -> bool {
        tokio::time::timeout(Duration::from_millis(20), link.next())
            .await
            .is_err()
    }

    #[tokio::test]
    async fn a_receipt_reaches_its_county_and_a_plan_all_below() {
        let hub = MemoryHub::new(1, Faults::default());
        let city = hub.join(path("1.13"), true);
        let (a, b) = (
            hub.join(path("1.13.5"), false),
            hub.join(path("1.13.6"), false),
        );
        let send = |s: Subject| Outgoing {
            subject: s,
            msg_id: "x".into(),
            body: b"x".to_vec(),
        };
        city.publish(&send(Subject::down(path("1.13.5"), DownKind::Receipt)))
            .await
            .unwrap();
        a.next().await.unwrap().ack.done().await.unwrap();
        assert!(none_left(&b).await && none_left(&city).await);
        city.publish(&send(Subject::down(path("1.13"), DownKind::Plan)))
            .await
            .unwrap();
        a.next().await.unwrap().ack.done().await.unwrap();
        b.next().await.unwrap().ack.done().await.unwrap();
        let foreign = a
            .publish(&send(Subject::down(path("1.13.6"), DownKind::Receipt)))
            .await
            .unwrap_err();
        assert_eq!(foreign.code(), "link.foreign");
        assert!(!foreign.is_retryable());
    }

    #[tokio::test]
    async fn an_unanswered_message_comes_again_even_after_a_restart() {
        let hub = MemoryHub::new(1, Faults::default());
        let county = hub.join(path("1.5"), false);
        let top = hub.join(path("1"), true);
        county.publish(&entries("1.5", 0)).await.unwrap();
        drop(top.next().await.unwrap());
        top.next()
            .await
            .unwrap()
            .ack
            .retry(Duration::from_secs(1))
            .await
            .unwrap();
        drop(top);
        let top = hub.join(path("1"), true);
        top.next().await.unwrap().ack.done().await.unwrap();
        assert!(none_left(&top).await);
        assert_eq!(hub.waiting(), 0);
    }

    #[tokio::test]
    async fn faults_happen_repeat_with_the_seed_and_persistence_wins() {
        let mut traces = Vec::new();
        for seed in [7, 7, 8] {
            let hub = MemoryHub::new(seed, Faults::harsh());
            let county = hub.join(path("1.5"), false);
            let top = hub.join(path("1"), true);
            let (mut trace, mut seen) = (Vec::new(), BTreeSet::new());
            while seen.len() < 50 {
                for n in 0..50 {
                    if !seen.contains(&n) {
                        trace.push(county.publish(&entries("1.5", n)).await.is_ok() as u64);
                    }
                }
                while hub.waiting() > 0 {
                    let incoming = top.next().await.unwrap();
                    let n = u64::from_le_bytes(incoming.body.as_slice().try_into().unwrap());
                    trace.push(n);
                    seen.insert(n);
                    incoming.ack.done().await.unwrap();
                }
            }
            assert!(trace.len() > 120, "faults must cost something");
            traces.push(trace);
        }
        assert_eq!(traces[0], traces[1]);
        assert_ne!(traces[0], traces[2]);
    }

    #[tokio::test]
    async fn a_message_beyond_the_limit_is_refused_before_it_travels() {
        let county = MemoryHub::new(1, Faults::default()).join(path("1.5"), false);
        let mut message = entries("1.5", 0);
        message.body = vec![0; crate::link::transport::MAX_BODY_BYTES + 1];
        assert_eq!(
            county.publish(&message).await.unwrap_err().code(),
            "link.too_large"
        );
    }
}
