//! All chance of a round follows from its seed.

use std::sync::{Mutex, PoisonError};

/// SplitMix64: small, even, and the same everywhere.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
    pub fn per_mille(&mut self, n: u64) -> bool {
        self.below(1000) < n
    }
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

/// A unit's source of salts, ids and secrets: it goes on where it was when the unit is started
/// again.
pub struct Seeded(Mutex<Chance>);

impl Seeded {
    pub fn new(seed: u64) -> Seeded {
        Seeded(Mutex::new(Chance::new(seed)))
    }
}

impl node::random::Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), node::random::RandomError> {
        let mut chance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&chance.next().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}
