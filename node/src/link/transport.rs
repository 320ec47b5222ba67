//! What every way to the other units does: send, receive, and check before sending.

use super::ack::Ack;
use super::error::LinkError;
use super::places::Places;
use super::subject::Subject;
use std::future::Future;

/// The largest body that can travel: the server's 8 MiB less room for headers.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024 - 4096;

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub subject: Subject,
    /// What it holds, in a word: a repetition within two minutes carries the same, and the server
    /// drops it. Over NATS others see neither this nor anything that they could work out from the
    /// body.
    pub msg_id: String,
    /// The bytes.
    pub body: Vec<u8>,
}

/// A received message.
#[derive(Debug)]
pub struct Incoming {
    /// Where from. It routes; only signatures in the body prove who wrote it.
    pub subject: Subject,
    /// The bytes: hostile until verified.
    pub body: Vec<u8>,
    /// Its number in the transport's store: the same each time that it comes, and no other
    /// message's that comes the same way, up or down.
    pub number: u64,
    /// How often it came, this time included, as far as the transport counts.
    pub times: u32,
    /// To be answered after the effects are durable.
    pub ack: Ack,
}

/// A way to the other units.
pub trait Transport: Send + Sync + 'static {
    /// Sends one message and waits until the server has stored it. That is not yet a receipt.
    fn publish(&self, message: &Outgoing) -> impl Future<Output = Result<(), LinkError>> + Send;
    /// Sends several in this order, and waits until all are stored. Where one fails, those behind
    /// it may be stored all the same.
    fn publish_all(
        &self,
        messages: &[Outgoing],
    ) -> impl Future<Output = Result<(), LinkError>> + Send {
        async move {
            for message in messages {
                self.publish(message).await?;
            }
            Ok(())
        }
    }
    /// Waits for the next message. Fails only when the link is closed; trouble on the way is waited
    /// out and shown in the state.
    fn next(&self) -> impl Future<Output = Result<Incoming, LinkError>> + Send;
    /// Names the store that messages are kept in, as long as it is known: another name means that
    /// what was sent before may be gone. None where nobody can tell.
    fn store(&self) -> Option<String> {
        None
    }
}

/// The checks that every transport makes before it sends.
///
/// # Errors
/// [`LinkError::Foreign`]: a subject that this unit may not use. [`LinkError::TooLarge`].
pub fn check_outgoing(
    places: &Places,
    has_children: bool,
    message: &Outgoing,
) -> Result<(), LinkError> {
    if !places.may_publish(has_children, &message.subject) {
        return Err(LinkError::Foreign {
            unit: places.unit().to_owned(),
            subject: message.subject.to_string(),
        });
    }
    if message.body.len() > MAX_BODY_BYTES {
        return Err(LinkError::TooLarge {
            subject: message.subject.to_string(),
            bytes: message.body.len(),
            limit: MAX_BODY_BYTES,
        });
    }
    Ok(())
}
