//! What came too early and stays with the transport until it can be judged. It costs this node
//! nothing but its turns: each time it waits longer. How much of it one sender may have there is
//! bounded, so that nobody's messages take the place, or the turns, of all others'.
//!
//! What is over the bound is given up: it does not come again by itself. A unit directly below sends
//! it again as long as it has no receipt.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::digest::Digest;
use tokio::time::Instant;

/// How much of one sender may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingLimits {
    /// Messages.
    pub messages: usize,
    /// Their bytes.
    pub bytes: usize,
    /// How often one comes before it is given up.
    pub times: u32,
    /// Senders of whom anything waits.
    pub senders: usize,
}

impl Default for WaitingLimits {
    /// A unit's statements of a month, several times over, for about a week: the registry that they
    /// wait for is brought by people. The server holds 65,536 messages of all senders together
    /// without answer.
    fn default() -> Self {
        WaitingLimits {
            messages: 512,
            bytes: 64 << 20,
            times: 2_048,
            senders: 4_096,
        }
    }
}

/// The first wait; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// A message that was to come again so long ago has left the transport.
const LOST_AFTER: Duration = Duration::from_secs(600);

/// How long a message that came so often waits.
pub(super) fn wait_of(times: u32, first: Duration, longest: Duration) -> Duration {
    first
        .saturating_mul(1 << times.saturating_sub(1).min(16))
        .min(longest)
}

/// Who sent a message, and which way it comes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sender {
    /// From below.
    pub(super) is_below: bool,
    /// The unit.
    pub(super) unit: String,
}

/// What becomes of a message that cannot be judged yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It comes again after this time.
    Waits(Duration),
    /// The same waits already: this one need not come again.
    Known,
    /// There is no place for it, or it has waited long enough.
    GivenUp(&'static str),
}

/// A message that waits.
#[derive(Debug)]
struct Early {
    content: Digest,
    bytes: usize,
    /// When it is to come again.
    due: Instant,
}

/// What waits, by sender and by number.
#[derive(Debug, Default)]
pub(super) struct WaitingRoom {
    limits: WaitingLimits,
    senders: BTreeMap<Sender, BTreeMap<u64, Early>>,
    store: Option<String>,
}

impl WaitingRoom {
    /// A room with these bounds.
    pub(super) fn new(limits: WaitingLimits) -> WaitingRoom {
        WaitingRoom {
            limits,
            ..WaitingRoom::default()
        }
    }

    /// Numbers are those of one store: another begins anew.
    pub(super) fn of_store(&mut self, store: Option<String>) {
        if store.is_some() && self.store != store {
            self.store = store;
            self.senders.clear();
        }
    }

    /// A message came, for this time, and cannot be judged yet.
    pub(super) fn put_off(
        &mut self,
        sender: &Sender,
        (number, times): (u64, u32),
        body: &[u8],
        now: Instant,
    ) -> Place {
        let limits = self.limits;
        if !self.senders.contains_key(sender) && self.senders.len() >= limits.senders {
            return Place::GivenUp("of too many senders something waits");
        }
        let waiting = self.senders.entry(sender.clone()).or_default();
        waiting.retain(|_, early| now.saturating_duration_since(early.due) < LOST_AFTER);
        waiting.remove(&number);
        let content = Digest::of(body);
        let place = if times >= limits.times {
            Place::GivenUp("it has waited too long")
        } else if waiting.values().any(|early| early.content == content) {
            Place::Known
        } else if waiting.len() >= limits.messages {
            Place::GivenUp("too many of its sender wait")
        } else if waiting.values().map(|early| early.bytes).sum::<usize>() + body.len()
            > limits.bytes
        {
            Place::GivenUp("too many bytes of its sender wait")
        } else {
            let wait = wait_of(times, FIRST_WAIT, LONGEST_WAIT);
            let early = Early {
                content,
                bytes: body.len(),
                due: now + wait,
            };
            waiting.insert(number, early);
            Place::Waits(wait)
        };
        self.forget_empty(sender);
        place
    }

    /// A message was judged: it waits no longer.
    pub(super) fn judged(&mut self, sender: &Sender, number: u64) {
        if let Some(waiting) = self.senders.get_mut(sender) {
            waiting.remove(&number);
            self.forget_empty(sender);
        }
    }

    fn forget_empty(&mut self, sender: &Sender) {
        if self.senders.get(sender).is_some_and(BTreeMap::is_empty) {
            self.senders.remove(sender);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(unit: &str) -> Sender {
        Sender {
            is_below: true,
            unit: unit.to_owned(),
        }
    }

    fn room() -> WaitingRoom {
        WaitingRoom::new(WaitingLimits {
            messages: 3,
            bytes: 100,
            times: 10,
            senders: 2,
        })
    }

    fn waits(place: &Place) -> bool {
        matches!(place, Place::Waits(_))
    }

    #[test]
    fn each_time_it_waits_longer_and_in_the_end_no_more() {
        let (mut room, now) = (room(), Instant::now());
        let mut last = Duration::ZERO;
        for times in 1..10 {
            let Place::Waits(wait) = room.put_off(&sender("1"), (7, times), b"a", now) else {
                panic!("{times}")
            };
            assert!(wait > last && wait <= LONGEST_WAIT);
            last = wait;
        }
        assert_eq!(
            room.put_off(&sender("1"), (7, 10), b"a", now),
            Place::GivenUp("it has waited too long")
        );
        assert!(room.senders.is_empty());
        assert_eq!(wait_of(u32::MAX, FIRST_WAIT, LONGEST_WAIT), LONGEST_WAIT);
    }

    #[test]
    fn one_sender_takes_no_more_than_its_place() {
        let (mut room, now) = (room(), Instant::now());
        let flood = sender("1");
        for n in 0..1000_u64 {
            let place = room.put_off(&flood, (n, 1), format!("{n}").as_bytes(), now);
            assert_eq!(waits(&place), n < 3, "{n}: {place:?}");
        }
        // The others' places are their own.
        assert!(waits(&room.put_off(&sender("2"), (5000, 1), b"x", now)));
        // What is judged makes room, and so does what never came again.
        room.judged(&flood, 1);
        assert!(waits(&room.put_off(&flood, (1001, 1), b"b", now)));
        assert!(!waits(&room.put_off(&flood, (1002, 1), b"c", now)));
        let later = now + LOST_AFTER + LONGEST_WAIT;
        assert!(waits(&room.put_off(&flood, (1003, 1), b"d", later)));
        assert_eq!(room.senders[&flood].len(), 1);
    }

    #[test]
    fn bytes_and_senders_have_an_end() {
        let (mut room, now) = (room(), Instant::now());
        let large = |c: u8| vec![c; 60];
        assert!(waits(&room.put_off(
            &sender("1"),
            (1, 1),
            &large(b'a'),
            now
        )));
        assert_eq!(
            room.put_off(&sender("1"), (2, 1), &large(b'b'), now),
            Place::GivenUp("too many bytes of its sender wait")
        );
        assert!(waits(&room.put_off(
            &sender("2"),
            (3, 1),
            &large(b'c'),
            now
        )));
        assert_eq!(
            room.put_off(&sender("3"), (4, 1), b"d", now),
            Place::GivenUp("of too many senders something waits")
        );
    }

    #[test]
    fn a_copy_of_what_waits_need_not_wait() {
        let (mut room, now) = (room(), Instant::now());
        let one = sender("1");
        assert!(waits(&room.put_off(&one, (1, 1), b"a", now)));
        assert_eq!(room.put_off(&one, (2, 1), b"a", now), Place::Known);
        // The first still has its place; once it is gone with its store, a copy takes it.
        assert!(waits(&room.put_off(&one, (1, 2), b"a", now)));
        room.of_store(Some("anew".into()));
        assert!(waits(&room.put_off(&one, (2, 1), b"a", now)));
        room.of_store(Some("anew".into()));
        room.of_store(None);
        assert_eq!(room.put_off(&one, (3, 1), b"a", now), Place::Known);
    }
}
