//! What comes from below: statements, checkpoints and rollups.
//!
//! Each message is one of three: it is *taken*, it is *wrong*, or it *cannot be judged yet*. The
//! last two are never confused: what is wrong does not come again, and an honest unit's message that
//! came before the registry, the catalogue or the statement that it needs does. What waits is
//! bounded where it waits (the courier); what is kept without being asked for is bounded here.

mod bounds;
mod checkpoint;
mod doubt;
mod entries;
mod rollup;

pub use checkpoint::take_checkpoint;
pub use entries::take_entries;
pub use rollup::take_rollup;
