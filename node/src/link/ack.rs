//! The answer to a received message: given only after its effects are durable.

use super::error::LinkError;
use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;

/// What giving an answer comes to, as a future that a transport's own type hides behind.
pub type Answered = Pin<Box<dyn Future<Output = Result<(), LinkError>> + Send>>;

/// How one transport answers one message. A transport that drops its answer ungiven must deliver
/// the message again.
pub trait Answer: Debug + Send {
    /// The effects are durable: the message need not come again.
    fn done(self: Box<Self>) -> Answered;
    /// Not now: the message is to come again after this time, or at once where the transport cannot
    /// wait.
    fn retry(self: Box<Self>, after: Duration) -> Answered;
}

/// What is owed to the transport for one message. Dropping it without an answer is safe: the
/// message comes again.
#[must_use = "a message without an answer comes again"]
#[derive(Debug)]
pub struct Ack(Box<dyn Answer>);

impl Ack {
    /// The answer of a transport.
    pub fn new(answer: impl Answer + 'static) -> Ack {
        Ack(Box::new(answer))
    }

    /// The effects are durable: the message need not come again. Waits for the server's
    /// confirmation; on an error, and after a restart of the server even without one, the message
    /// may come again, which an idempotent receiver does not mind.
    ///
    /// # Errors
    /// The answer may not have arrived.
    pub async fn done(self) -> Result<(), LinkError> {
        self.0.done().await
    }

    /// Not now: let it come again after this time.
    ///
    /// # Errors
    /// The answer may not have arrived; the message comes again all the same.
    pub async fn retry(self, after: Duration) -> Result<(), LinkError> {
        self.0.retry(after).await
    }
}
