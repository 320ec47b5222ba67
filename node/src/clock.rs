//! Time comes in through this trait, so that every test is deterministic and a drill can run a year
//! in a minute.

use std::path::PathBuf;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};

/// A source of time.
pub trait Clock: Send + Sync + 'static {
    /// Now, UTC.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from(std::time::SystemTime::now())
    }
}

/// The time that stands in a file, for demonstrations and drills. An unreadable file falls back to
/// the machine's clock.
#[derive(Debug)]
pub struct FileClock(pub PathBuf);

impl Clock for FileClock {
    fn now(&self) -> DateTime<Utc> {
        std::fs::read_to_string(&self.0)
            .ok()
            .and_then(|t| t.trim().parse().ok())
            .unwrap_or_else(|| SystemClock.now())
    }
}

/// Notices a clock that was put ahead or back, by comparing it with the time that really passed.
#[derive(Debug)]
pub struct Watch {
    time: DateTime<Utc>,
    at: Instant,
}

/// What a clock may drift, or be corrected by, without a word.
const MAX_DRIFT: TimeDelta = TimeDelta::minutes(1);

impl Watch {
    /// Begins to watch.
    pub fn new(now: DateTime<Utc>) -> Watch {
        Watch {
            time: now,
            at: Instant::now(),
        }
    }

    /// By how much the clock was put ahead, or back if negative, since the last look.
    pub fn observe(&mut self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let passed = TimeDelta::from_std(self.at.elapsed()).unwrap_or(TimeDelta::MAX);
        let jump = now - self.time - passed;
        *self = Watch::new(now);
        (jump.abs() > MAX_DRIFT).then_some(jump)
    }
}

/// As documents write it: whole seconds, UTC.
pub fn stamp(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_noticed_once_and_drift_is_not() {
        let start: DateTime<Utc> = "2026-01-20T04:00:00Z".parse().unwrap();
        let mut watch = Watch::new(start);
        assert_eq!(watch.observe(start + TimeDelta::seconds(30)), None);
        let back = watch.observe(start - TimeDelta::days(1)).unwrap();
        assert!(
            back < TimeDelta::hours(-23) && back > TimeDelta::hours(-25),
            "{back}"
        );
        assert_eq!(watch.observe(start - TimeDelta::days(1)), None);
        assert!(watch.observe(start).unwrap() > TimeDelta::hours(23));
    }
}
