//! The limits of the journal. Anything larger is refused before a byte is written, and not believed
//! when read.

/// The format that this program writes.
pub const VERSION: u32 = 1;

/// A segment that would grow beyond this is left, and a new one begun (64 MiB).
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// The largest batch: what one `append` writes and one recovery step holds in memory (16 MiB).
pub const MAX_BATCH_BYTES: usize = 16 << 20;

/// The largest public part and the largest sealed part of an entry (8 MiB each).
pub const MAX_PART_BYTES: usize = 8 << 20;

// Offsets inside a segment are kept as u32, and a batch always fits into an empty segment.
const _: () = assert!(SEGMENT_BYTES + (MAX_BATCH_BYTES as u64) < u32::MAX as u64);
const _: () = assert!((MAX_BATCH_BYTES as u64) < SEGMENT_BYTES);
