//! How the streams and consumers keep time.

use std::time::Duration;

/// How the streams and consumers keep time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long a node may take from delivery to answer before the message comes again: so long
    /// waits what was on its way to a node that was killed. A message that comes again too early is
    /// only work done twice.
    pub ack_wait: Duration,
    /// How long a stream knows a message again by its id. What is repeated later is stored once
    /// more, and harmless.
    pub duplicate_window: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ack_wait: Duration::from_secs(20),
            duplicate_window: Duration::from_secs(120),
        }
    }
}
