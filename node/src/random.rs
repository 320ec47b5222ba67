//! Randomness comes in through this trait, as time does through [`crate::clock::Clock`], so that a
//! simulation can be repeated to the byte.

/// A source of random bytes for secrets: salts, event ids, nonces, the months' keys.
pub trait Random: Send + Sync + 'static {
    /// Fills the bytes.
    ///
    /// # Errors
    /// There are none to be had: nothing can be signed or sealed then.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), String>;
}

/// The operating system's.
#[derive(Debug)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), String> {
        getrandom::fill(bytes).map_err(|e| e.to_string())
    }
}
