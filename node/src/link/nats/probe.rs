//! Looks whether the streams are there that this unit writes into, and still hold what the server
//! acknowledged.
//!
//! A server can come back with an older store: a virtual machine set back to a snapshot, a backup,
//! blocks lost with the power. Its streams forbid deleting, so nothing else takes messages away; but
//! then what the tiers above had not read is gone, while every outbox is empty.
//!
//! The question is a publish that must fail: with a header that expects an impossible last number
//! for one of the unit's own subjects the server stores nothing and answers with the true one. It
//! needs no right beyond publishing there, and tells nothing of other units.

use super::marks::Mark;
use super::publish::PubAck;
use super::wire::{ACK_TIMEOUT, Wire, connected};
use crate::link::error::LinkError;
use crate::link::subject::Subject;
use async_nats::HeaderMap;
use async_nats::client::Request;
use std::time::Duration;

/// How often it is looked while connected.
const PROBE_INTERVAL: Duration = Duration::from_secs(5);
/// How often while the stream gives no word.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// A number that no message of a stream has.
const IMPOSSIBLE: &str = "18446744073709551615";
/// JetStream's code for "wrong last sequence".
const WRONG_LAST_SEQUENCE: u64 = 10071;

/// Asks for as long as the link lives, and at once after each connect and where another server may
/// lead; `subject` is asked for while nothing was sent yet.
pub(super) async fn probe(wire: Wire, stream: &'static str, subject: Subject) {
    let mut state = wire.shared.state.subscribe();
    let mut compared = wire.shared.compared.subscribe();
    let first = subject.to_string();
    loop {
        if connected(&mut state).await.is_none() {
            return;
        }
        let mark = wire.shared.marks.lock().ok();
        let mark = mark.and_then(|marks| marks.last(stream).cloned());
        let subject = mark.as_ref().map_or(&first, |mark| &mark.subject);
        match newest(&wire, subject).await {
            Ok(seq) => {
                if let (Some(mark), Some(seq)) = (mark, seq) {
                    compare(&wire, stream, &mark, seq).await;
                }
                wire.shared.note_compared(stream);
            }
            Err(error @ LinkError::NotProvisioned { .. }) => {
                wire.explained(stream, error).await;
            }
            // No word about the stream: what else is wrong is told by those whom it stops.
            Err(_) => {}
        }
        if compared.borrow().contains(stream) {
            let doubted = compared.wait_for(|all| !all.contains(stream));
            // Timed out or not, it is asked again.
            let _ = tokio::time::timeout(PROBE_INTERVAL, doubted).await;
        } else {
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
    }
}

async fn compare(wire: &Wire, stream: &str, mark: &Mark, newest: u64) {
    let lost = {
        let marks = wire.shared.marks.lock();
        marks.is_ok_and(|mut marks| marks.compare(stream, mark, newest))
    };
    if lost {
        let Mark { subject, seq } = mark;
        tracing::warn!(
            stream,
            subject,
            seq,
            newest,
            "the store lost what it had acknowledged"
        );
        wire.shared.write_marks().await;
        wire.shared.name_store();
    }
}

/// The number of the newest message under this subject, 0 if there is none. None: the server gave
/// another answer than the one that was asked for.
async fn newest(wire: &Wire, subject: &str) -> Result<Option<u64>, LinkError> {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Expected-Last-Subject-Sequence", IMPOSSIBLE);
    let request = Request::new().headers(headers).payload("".into());
    let answer = wire.ask(subject, request, ACK_TIMEOUT).await?;
    let refusal = serde_json::from_slice::<PubAck>(&answer.payload)
        .ok()
        .and_then(|ack| ack.error);
    Ok(refusal
        .filter(|e| e.err_code == WRONG_LAST_SEQUENCE)
        .and_then(|e| {
            let (_, number) = e.description.rsplit_once(' ')?;
            number.parse().ok()
        }))
}
