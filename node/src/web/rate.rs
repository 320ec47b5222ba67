//! How often somebody may ask: for each token, for each address, and, more strictly, for each
//! address that shows wrong tokens.
//!
//! The generic cell rate algorithm: for each key one instant, the time at which everything that was
//! asked for would have been paid off at the allowed rate. A request is refused when that instant
//! would lie further ahead than the burst allows; the distance is the answer's `Retry-After`. Who
//! is refused pays nothing, so waiting as long as the answer says is enough.
//!
//! Wrong tokens are limited apart from right ones: a right token passes also from an address that
//! is full of wrong ones, so that nobody can lock a clerk out by guessing beside them. Guesses are
//! hopeless (256 random bits) and limited by the address's own rate; the stricter limit keeps them
//! from filling the log and from being answered at length.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::config::Limits;

/// At most this many keys are remembered in one table; who is not remembered starts anew.
const MAX_KEYS: usize = 10_000;
/// An address may do what so many tokens may: an office has one address and several clerks.
const TOKENS_PER_ADDRESS: u32 = 4;

/// One limit for many keys.
#[derive(Debug)]
struct Rate<K> {
    /// What one request costs.
    cost: Duration,
    /// How far ahead somebody may be.
    burst: Duration,
    paid_off: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Rate<K> {
    fn new(cost: Duration, burst: u32) -> Rate<K> {
        Rate {
            cost,
            burst: cost.saturating_mul(burst),
            paid_off: Mutex::new(HashMap::new()),
        }
    }

    /// Takes one request into account, or says how long to wait.
    fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        // A poisoned table would mean that somebody panicked in these few lines; its content is
        // still a table of instants.
        let mut table = self
            .paid_off
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if table.len() >= MAX_KEYS && !table.contains_key(&key) {
            table.retain(|_, at| *at > now);
            if table.len() >= MAX_KEYS {
                table.clear();
            }
        }
        let at = table.get(&key).map_or(now, |at| (*at).max(now)) + self.cost;
        let ahead = at.duration_since(now);
        if ahead > self.burst {
            return Err(ahead - self.burst);
        }
        table.insert(key, at);
        Ok(())
    }
}

/// The limits of one node's API.
#[derive(Debug)]
pub struct Rates {
    tokens: Rate<String>,
    addresses: Rate<IpAddr>,
    failures: Rate<IpAddr>,
}

impl Rates {
    /// As the configuration says.
    pub fn new(limits: &Limits) -> Rates {
        let second = Duration::from_secs(1);
        let rate = limits.requests_per_second.max(1);
        Rates {
            tokens: Rate::new(second / rate, limits.burst),
            addresses: Rate::new(
                second / rate.saturating_mul(TOKENS_PER_ADDRESS),
                limits.burst.saturating_mul(TOKENS_PER_ADDRESS),
            ),
            failures: Rate::new(
                Duration::from_secs(60) / limits.failures_per_minute.max(1),
                limits.failures_per_minute,
            ),
        }
    }

    /// A request from an address, whoever it is by.
    ///
    /// # Errors
    /// How long to wait.
    pub fn address(&self, address: IpAddr) -> Result<(), Duration> {
        self.addresses.take(network(address), Instant::now())
    }
    /// A request by the holder of a token.
    ///
    /// # Errors
    /// How long to wait.
    pub fn token(&self, name: &str) -> Result<(), Duration> {
        self.tokens.take(name.to_string(), Instant::now())
    }
    /// A wrong token, or none where one is needed.
    ///
    /// # Errors
    /// How long to wait.
    pub fn failure(&self, address: IpAddr) -> Result<(), Duration> {
        self.failures.take(network(address), Instant::now())
    }
}

/// Whoever has one IPv6 address has the whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(a) => IpAddr::V4(a),
        IpAddr::V6(a) => IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_holds_and_waiting_is_enough() {
        let rate = Rate::new(Duration::from_secs(6), 10);
        let start = Instant::now();
        for n in 0..10 {
            rate.take("a", start).unwrap_or_else(|_| panic!("{n}"));
        }
        let wait = rate.take("a", start).unwrap_err();
        assert_eq!(wait, Duration::from_secs(6));
        assert!(
            rate.take("b", start).is_ok(),
            "another key is not concerned"
        );
        // Being refused costs nothing.
        for _ in 0..100 {
            assert!(
                rate.take("a", start + wait - Duration::from_millis(1))
                    .is_err()
            );
        }
        assert!(rate.take("a", start + wait).is_ok());
        assert!(rate.take("a", start + wait).is_err());
        // After a long rest the burst is there again, and not more.
        let later = start + Duration::from_secs(3600);
        assert_eq!(
            (0..20).filter(|_| rate.take("a", later).is_ok()).count(),
            10
        );
    }

    #[test]
    fn memory_is_bounded() {
        let rate = Rate::new(Duration::from_secs(1), 1);
        let now = Instant::now();
        for n in 0..3 * MAX_KEYS {
            assert!(rate.take(n, now).is_ok());
        }
        assert!(rate.paid_off.lock().unwrap().len() <= MAX_KEYS);
    }

    #[test]
    fn one_household_is_one_address() {
        let a = |t: &str| network(t.parse().unwrap());
        assert_eq!(a("2001:db8:1:2::5"), a("2001:db8:1:2:ffff::9"));
        assert_ne!(a("2001:db8:1:2::5"), a("2001:db8:1:3::5"));
        assert_eq!(a("::ffff:10.0.0.1"), a("10.0.0.1"));
        assert_ne!(a("10.0.0.1"), a("10.0.0.2"));
    }
}
