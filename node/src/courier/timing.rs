//! What both halves of the courier know of time.

use std::time::Duration;

use tokio::time::Instant;

/// How often the outbox looks by itself; a message that the node could not keep comes again after
/// the same time.
pub(super) const OUTBOX_INTERVAL: Duration = Duration::from_secs(5);

/// For the log: whole milliseconds since then.
pub(super) fn millis(begin: Instant) -> u128 {
    begin.elapsed().as_millis()
}
