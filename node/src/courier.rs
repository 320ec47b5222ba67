//! The courier: between the books and the link. It holds no rule of the domain; it decides only what is sent when.
//!
//! Outbox: a submitted rollup is sent (its statements since the last receipt, its checkpoint, itself) until the parent's
//! signed receipt for exactly these bytes is in the journal. Inbox: a message is answered only after what it caused is
//! durable. Everything may happen twice and nothing is lost by it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::log::tile;
use protocol::receipt::Decision;
use tokio::time::Instant;

use crate::books::{Books, BooksError};
use crate::fault::{Faults, internal};
use crate::link::{DownKind, Incoming, Outgoing, Subject, Transport, UnitPath, UpKind};
use crate::review::{self, Took};
use crate::service::{Service, addressee};

/// How long a rollup without a receipt waits before it is sent again: longer than the server's duplicate window, so that
/// the repetition really is stored.
const AGAIN: Duration = Duration::from_secs(150);
/// How often the outbox looks by itself.
const TICK: Duration = Duration::from_secs(5);
/// How long a message that came too early waits.
const LATER: Duration = Duration::from_millis(500);

/// The unit's path, top first.
///
/// # Errors
/// A node without a registry.
pub fn path_of(books: &Books) -> Result<(UnitPath, bool), Faults> {
    let registry = books.registry().ok_or_else(|| internal("no registry"))?.registry();
    let path = registry.path(books.unit());
    let path = UnitPath::new(path.iter().map(ToString::to_string)).map_err(internal)?;
    Ok((path, !registry.children(books.unit()).is_empty()))
}

/// Runs until the link is closed. Both halves end with it, also when it is aborted.
pub async fn run<T: Transport>(service: Arc<Service>, transport: Arc<T>, path: UnitPath) {
    tokio::select! {
        // In a fixed order, so that a simulation can be repeated.
        biased;
        () = outbox(service.clone(), transport.clone(), path) => {}
        () = inbox(&service, transport.as_ref()) => {}
    }
}

async fn inbox<T: Transport>(service: &Arc<Service>, transport: &T) {
    loop {
        match transport.next().await {
            Ok(message) => receive(service, message).await,
            Err(e) => {
                tracing::info!(error = %e, "the link is closed");
                return;
            }
        }
    }
}

async fn receive(service: &Arc<Service>, message: Incoming) {
    let Incoming { subject, body, ack } = message;
    let took = take(service, &subject, body).await;
    match took {
        Ok(Took::Done) => {
            service.count("received", 1);
            answer(ack.done().await);
        }
        Ok(Took::Refused(reason)) => {
            service.count("refused", 1);
            tracing::warn!(subject = %subject, reason, "a message was refused");
            answer(ack.done().await);
        }
        Ok(Took::Later(reason)) => {
            tracing::debug!(subject = %subject, reason, "a message came too early");
            answer(ack.retry(LATER).await);
        }
        Err(faults) => {
            // The node's own trouble (a full disk): the message stays with the server and comes again.
            tracing::error!(subject = %subject, faults = %faults, "a message could not be kept");
            answer(ack.retry(TICK).await);
        }
    }
}

fn answer(result: Result<(), crate::link::LinkError>) {
    if let Err(e) = result {
        tracing::debug!(error = %e, "an answer was lost; the message will come again");
    }
}

async fn take(service: &Arc<Service>, subject: &Subject, body: Vec<u8>) -> Result<Took, Faults> {
    let Subject::Up(up) = subject else {
        let Subject::Down(down) = subject else { return Ok(Took::Refused("unknown subject".into())) };
        let kind = down.kind;
        let took = service
            .with(move |books, _| match kind {
                DownKind::Receipt => review::take_receipt(books, &body),
                _ => match books.adopt(&[body]) {
                    Ok(_) => Ok(Took::Done),
                    Err(e @ BooksError::Published { .. }) => Ok(Took::Refused(e.to_string())),
                    // The node's own trouble: the document must come again.
                    Err(e) => Err(e.into()),
                },
            })
            .await?;
        service.wake.notify_one();
        return Ok(took);
    };
    let Ok(unit) = up.path.unit().parse::<UnitId>() else { return Ok(Took::Refused("no unit".into())) };
    let kind = up.kind;
    let is_rollup = kind == UpKind::Rollup;
    let sender = unit.clone();
    let (took, again) = service
        .with(move |books, now| {
            let took = match kind {
                UpKind::Entries(first) => review::take_entries(books, &unit, first, &body)?,
                UpKind::Checkpoint => review::take_checkpoint(books, &unit, &body, now)?,
                UpKind::Rollup => review::take_rollup(books, &unit, &body, now)?,
            };
            // Who sends a rollup again has no receipt for it: it is given once more.
            let again = if is_rollup { answered(books, &unit, &body) } else { Vec::new() };
            Ok((took, again))
        })
        .await?;
    service.queue(again);
    if took == Took::Done {
        service.review().await?;
    }
    tracing::debug!(unit = %sender, "took a message from below");
    Ok(took)
}

fn answered(books: &Books, unit: &UnitId, body: &[u8]) -> Vec<protocol::note::Note> {
    let Ok(note) = protocol::note::Note::parse(body) else { return Vec::new() };
    let given = books.children.get(unit).and_then(|c| c.given.get(&note.digest()));
    given.into_iter().flatten().map(|(_, n)| n.clone()).collect()
}

/// What the outbox has to send now, in order.
fn letters(
    books: &Books,
    path: &UnitPath,
    sent: &BTreeMap<Digest, Instant>,
    now: Instant,
) -> Result<Vec<(Option<Digest>, Outgoing)>, Faults> {
    let mut list = Vec::new();
    if path.parent().is_none() {
        return Ok(list);
    }
    let acknowledged = books.rollups.values().filter(|r| !r.receipts.is_empty()).map(|r| r.held.rollup.log.size).max().unwrap_or(0);
    for own in books.outbox() {
        let digest = own.held.digest();
        if sent.get(&digest).is_some_and(|at| now.duration_since(*at) < AGAIN) {
            continue;
        }
        let size = own.held.rollup.log.size;
        // Statements go in bundles whose borders do not depend on when they are sent, so that a repetition is a repetition.
        let mut first = acknowledged - acknowledged % 256;
        while first < size {
            let end = (first + 256).min(size);
            let entries = (first..end).map(|i| books.statement_bytes(i).map_err(internal)).collect::<Result<Vec<_>, _>>()?;
            let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
            let body = tile::encode_bundle(&slices).map_err(internal)?;
            let msg_id = format!("{}:{first}", Digest::of(&body));
            list.push((None, Outgoing { subject: Subject::up(path.clone(), UpKind::Entries(first)), msg_id, body }));
            first = end;
        }
        if let Some(note) = books.checkpoint(size) {
            let body = note.as_bytes().to_vec();
            list.push((
                None,
                Outgoing { subject: Subject::up(path.clone(), UpKind::Checkpoint), msg_id: Digest::of(&body).to_string(), body },
            ));
        }
        let body = own.held.note.as_bytes().to_vec();
        list.push((
            Some(digest),
            Outgoing { subject: Subject::up(path.clone(), UpKind::Rollup), msg_id: Digest::of(&body).to_string(), body },
        ));
    }
    Ok(list)
}

/// Reopenings that no new revision followed yet. The child had its receipt and asks for nothing more, so nobody would
/// notice that this one was lost: it is repeated until the revision comes.
fn reopened(books: &Books) -> Vec<protocol::note::Note> {
    let mut list = Vec::new();
    for child in books.children.values().filter(|c| c.unit.parent.as_ref() == Some(books.unit())) {
        for held in child.known.values() {
            let last = child.given.get(&held.digest()).and_then(|g| g.last());
            let latest = child.latest(held.rollup.period).is_some_and(|l| l.digest() == held.digest());
            list.extend(last.filter(|(r, _)| latest && r.decision == Decision::Reopened).map(|(_, n)| n.clone()));
        }
    }
    list
}

async fn outbox<T: Transport>(service: Arc<Service>, transport: Arc<T>, path: UnitPath) {
    let mut sent: BTreeMap<Digest, Instant> = BTreeMap::new();
    let mut handed_down: BTreeSet<Digest> = BTreeSet::new();
    loop {
        if path.parent().is_none() {
            broadcast(&service, transport.as_ref(), &path, &mut handed_down).await;
        }
        if let Err(e) = send_all(&service, transport.as_ref(), &path, &mut sent).await {
            tracing::warn!(error = %e, "the outbox waits");
        }
        tokio::select! {
            biased;
            () = service.wake.notified() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

async fn send_all<T: Transport>(
    service: &Arc<Service>,
    transport: &T,
    path: &UnitPath,
    sent: &mut BTreeMap<Digest, Instant>,
) -> Result<(), Faults> {
    let now = Instant::now();
    let (known, at) = (sent.clone(), path.clone());
    let list = service.with(move |books, _| letters(books, &at, &known, now)).await?;
    for (digest, letter) in list {
        transport.publish(&letter).await.map_err(internal)?;
        service.count("sent", 1);
        if let Some(digest) = digest {
            sent.insert(digest, Instant::now());
        }
    }
    let (known, again) = (sent.clone(), service.with(|books, _| Ok(reopened(books))).await?);
    for note in again.into_iter().filter(|n| known.get(&n.digest()).is_none_or(|at| now.duration_since(*at) >= AGAIN)) {
        sent.insert(note.digest(), now);
        service.queue(vec![note]);
    }
    let waiting: Vec<_> = service.receipts.lock().map(|q| q.clone()).unwrap_or_default();
    for note in waiting {
        let Some(child) = addressee(&note) else { continue };
        let below = UnitPath::new(path.units().iter().cloned().chain([child])).map_err(internal)?;
        let body = note.as_bytes().to_vec();
        // Not the digest alone: a receipt that is asked for again must not be dropped as a duplicate.
        let msg_id = format!("{}:{}", note.digest(), service.now().timestamp_millis());
        transport.publish(&Outgoing { subject: Subject::down(below, DownKind::Receipt), msg_id, body }).await.map_err(internal)?;
        service.count("receipts", 1);
        if let Ok(mut queue) = service.receipts.lock() {
            queue.retain(|n| n.digest() != note.digest());
        }
    }
    Ok(())
}

/// The top unit hands down what was published and was not handed down in this run, so that every node below walks the same
/// registry.
async fn broadcast<T: Transport>(service: &Arc<Service>, transport: &T, path: &UnitPath, handed_down: &mut BTreeSet<Digest>) {
    let documents = service
        .with(|books, _| {
            let mut list: Vec<(DownKind, Vec<u8>)> = Vec::new();
            list.extend(books.registries().iter().map(|(_, n)| (DownKind::Registry, n.as_bytes().to_vec())));
            list.extend(books.catalogues().iter().map(|(_, n)| (DownKind::Catalogue, n.as_bytes().to_vec())));
            list.extend(books.plans().iter().map(|(_, n)| (DownKind::Plan, n.as_bytes().to_vec())));
            Ok(list)
        })
        .await
        .unwrap_or_default();
    for (kind, body) in documents {
        let digest = Digest::of(&body);
        if handed_down.contains(&digest) {
            continue;
        }
        let letter = Outgoing { subject: Subject::down(path.clone(), kind), msg_id: digest.to_string(), body };
        match transport.publish(&letter).await {
            Ok(()) => {
                handed_down.insert(digest);
            }
            Err(e) => {
                // In order: a registry version is useless to a reader who lacks the one before. The next look tries again.
                tracing::warn!(error = %e, "what was published could not be handed down yet");
                return;
            }
        }
    }
}
