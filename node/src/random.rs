//! Randomness comes in through this trait, as time does through [`crate::clock::Clock`], so that a
//! simulation can be repeated to the byte.

/// There are no random bytes to be had.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RandomError(pub String);

/// A source of random bytes for secrets: salts, event ids, nonces, the months' keys.
pub trait Random: Send + Sync + 'static {
    /// Fills the bytes.
    ///
    /// # Errors
    /// There are none to be had: nothing can be signed or sealed then.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// The operating system's.
#[derive(Debug)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(bytes).map_err(|e| RandomError(e.to_string()))
    }
}
