//! On how many threads is checked.

use std::num::NonZero;

/// As many as the machine has cores.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}
