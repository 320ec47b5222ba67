//! Random bytes for signing and sealing.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::books::Books;
use crate::fault::{Faults, internal};
use crate::random::Random;

/// Random bytes.
///
/// # Errors
/// There are none to be had: nothing can be signed or sealed then.
pub(super) fn random<const N: usize>(books: &Books) -> Result<[u8; N], Faults> {
    let mut bytes = [0; N];
    books.random().fill(&mut bytes).map_err(internal)?;
    Ok(bytes)
}

/// Random bytes drawn ahead, for whoever needs many small pieces: asking the operating system for
/// each salt takes longer than hashing it. What is left over is wiped.
pub(super) struct RandomPool {
    from: Arc<dyn Random>,
    bytes: Zeroizing<Vec<u8>>,
    used: usize,
}

impl RandomPool {
    pub(super) fn new(from: Arc<dyn Random>) -> RandomPool {
        RandomPool {
            from,
            bytes: Zeroizing::new(vec![0; 4096]),
            used: 4096,
        }
    }

    /// The next bytes, which are not given out again.
    pub(super) fn next<const N: usize>(&mut self) -> Result<[u8; N], Faults> {
        if self.bytes.len() - self.used < N {
            self.from.fill(&mut self.bytes).map_err(internal)?;
            self.used = 0;
        }
        let mut next = [0; N];
        next.swap_with_slice(&mut self.bytes[self.used..self.used + N]);
        self.used += N;
        Ok(next)
    }
}
