//! The outbox: a submitted rollup is sent (its statements since the last receipt, its checkpoint,
//! itself) until the parent's signed receipt for exactly these bytes is in the journal; after that
//! once more if the transport's store was lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use protocol::digest::Digest;
use protocol::log::delivery::Delivery;
use protocol::note::Note;
use protocol::receipt::{Decision, Receipt};
use tokio::time::Instant;

use crate::books::Books;
use crate::fault::{Faults, internal};
use crate::link::{DownKind, LinkError, Outgoing, Subject, Transport, UnitPath, UpKind};
use crate::service::Service;

use super::due::{Parcel, due, path_in};
use super::timing::{OUTBOX_INTERVAL, millis};

/// How long a rollup without a receipt waits before it is sent again: longer than the server's
/// duplicate window, so that the repetition really is stored. Each further wait is twice as long: a
/// person may take days to decide, and the store forgets nothing.
const RESEND_DELAY: Duration = Duration::from_secs(150);
/// The longest of these waits.
const MAX_RESEND_DELAY: Duration = Duration::from_secs(86_400);
/// Receipts that were given so recently are sent once more at start: the process may have died
/// before they were sent.
const RESEND_RECEIPTS_WITHIN: chrono::Days = chrono::Days::new(7);
/// So many statements go in one delivery at most.
const BUNDLE_STATEMENTS: u64 = 256;

/// What is not sent, for the reason that the link gives.
fn unsent(error: LinkError) -> Faults {
    let text = error.to_string();
    Faults::one(error.code(), text.clone(), text)
}

/// What was sent in this run.
#[derive(Clone, Default)]
struct Sent {
    /// Rollups and reopenings: when last, and how often.
    times: BTreeMap<Digest, (Instant, u32)>,
    /// What was published and handed down.
    handed_down: BTreeSet<Digest>,
    /// The store that all of this went to, where it is not yet supplied in full.
    renewing: Option<String>,
}

impl Sent {
    fn is_due(&self, digest: &Digest, now: Instant) -> bool {
        self.times.get(digest).is_none_or(|(at, times)| {
            let wait = RESEND_DELAY
                .saturating_mul(1 << times.saturating_sub(1).min(16))
                .min(MAX_RESEND_DELAY);
            now.duration_since(*at) >= wait
        })
    }
    fn note(&mut self, digest: Digest, now: Instant) {
        let entry = self.times.entry(digest).or_insert((now, 0));
        *entry = (now, entry.1 + 1);
    }
}

/// The messages of one rollup: the statements from the parcel's first on, its checkpoint, itself.
fn letters(books: &Books, parcel: &Parcel) -> Result<Vec<Outgoing>, Faults> {
    let Parcel {
        rollup,
        path,
        first,
    } = parcel;
    let own = books
        .rollups()
        .get(rollup)
        .ok_or_else(|| internal("unknown rollup"))?;
    let size = own.held().rollup.log.size;
    let checkpoint = books
        .checkpoint(size)
        .ok_or_else(|| internal("a rollup without a checkpoint"))?;
    let log = books.log().ok_or_else(|| internal("no log"))?;
    let mut list = Vec::new();
    // Statements go in bundles whose borders do not depend on when they are sent, so that a
    // repetition is a repetition.
    let mut first = *first - *first % BUNDLE_STATEMENTS;
    while first < size {
        let end = (first + BUNDLE_STATEMENTS).min(size);
        let entries = (first..end)
            .map(|i| books.statement_bytes(i).map_err(internal))
            .collect::<Result<Vec<_>, _>>()?;
        let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let body = Delivery::write(first, &slices, checkpoint, log.tree()).map_err(internal)?;
        let msg_id = format!("{}:{first}", Digest::of(&body));
        list.push(Outgoing {
            subject: Subject::up(path.clone(), UpKind::Entries(first)),
            msg_id,
            body,
        });
        first = end;
    }
    for (kind, note) in [
        (UpKind::Checkpoint, checkpoint),
        (UpKind::Rollup, &own.held().note),
    ] {
        let body = note.as_bytes().to_vec();
        list.push(Outgoing {
            subject: Subject::up(path.clone(), kind),
            msg_id: Digest::of(&body).to_string(),
            body,
        });
    }
    Ok(list)
}

/// Receipts that this unit gave lately to the units directly below.
fn given_lately(books: &Books, now: DateTime<Utc>) -> Vec<Note> {
    let since = crate::clock::stamp(now - RESEND_RECEIPTS_WITHIN);
    // Times are written in one way, in UTC: their texts compare as they do.
    let children = books.children().values();
    children
        .flat_map(|c| c.given().values().flatten())
        .filter(|(r, _)| r.decided >= since)
        .map(|(_, n)| n.clone())
        .collect()
}

/// Reopenings that no new revision followed yet. The child had its receipt and asks for nothing
/// more, so nobody would notice that this one was lost: it is repeated until the revision comes.
fn reopened(books: &Books) -> Vec<Note> {
    let mut list = Vec::new();
    for child in books.children().values() {
        for held in child.known().values() {
            let last = child.given().get(&held.digest()).and_then(|g| g.last());
            let latest = child
                .latest(held.rollup.period)
                .is_some_and(|l| l.digest() == held.digest());
            list.extend(
                last.filter(|(r, _)| latest && r.decision == Decision::Reopened)
                    .map(|(_, n)| n.clone()),
            );
        }
    }
    list
}

/// Sends what is due, and looks again whenever it is woken.
pub(super) async fn run<T: Transport>(service: Arc<Service>, transport: Arc<T>, path: UnitPath) {
    let mut sent = Sent::default();
    match service
        .with(|books, now| Ok(given_lately(books, now)))
        .await
    {
        Ok(notes) => service.queue(notes),
        Err(e) => tracing::warn!(error = %e, "the receipts of the last days could not be read"),
    }
    let mut failed = 0;
    loop {
        let looked = round(&service, transport.as_ref(), &path, &mut sent).await;
        failed = tell(looked, failed);
        tokio::select! {
            biased;
            () = service.outbox_woken() => {}
            () = tokio::time::sleep(OUTBOX_INTERVAL) => {}
        }
    }
}

/// Tells why nothing was sent; gives how often in a row that was so.
fn tell(looked: Result<(), Faults>, failed: u32) -> u32 {
    let Err(error) = looked else {
        return 0;
    };
    // The first look may come before the link stands: the next one says whether it does.
    if failed == 0 && is_of_link(&error) {
        tracing::info!(%error, "the outbox waits for the link");
    } else {
        tracing::warn!(%error, "the outbox waits");
    }
    failed.saturating_add(1)
}

/// Whether it is the link that does not take what is to be sent.
fn is_of_link(faults: &Faults) -> bool {
    let mut faults = faults.0.iter();
    faults.all(|fault| fault.code.as_str().starts_with("link."))
}

/// One look at what is to be sent. Into a store that holds nothing goes everything recent, whether
/// it was sent before or not; only then is the store's name kept, so that this is made up for also
/// after a crash in between.
async fn round<T: Transport>(
    service: &Arc<Service>,
    transport: &T,
    path: &UnitPath,
    sent: &mut Sent,
) -> Result<(), Faults> {
    let store = transport.store();
    let fresh = match store.clone() {
        Some(name) => {
            service
                .with(move |books, _| Ok((books.store() != Some(&name)).then_some(name)))
                .await?
        }
        None => None,
    };
    if let Some(name) = fresh
        .as_ref()
        .filter(|name| sent.renewing.as_ref() != Some(name))
    {
        tracing::info!(
            store = name,
            "another store than before: what is recent is sent again"
        );
        *sent = Sent {
            renewing: Some(name.clone()),
            ..Sent::default()
        };
    }
    let handed = match path.parent() {
        None => broadcast(service, transport, path, sent).await,
        Some(_) => Ok(()),
    };
    send_all(service, transport, sent, fresh.is_some()).await?;
    handed?;
    if let Some(name) = fresh.filter(|_| transport.store() == store) {
        service
            .with(move |books, _| books.supplied(&name).map_err(internal))
            .await?;
    }
    Ok(())
}

/// Sends what is due. Own rollups and receipts do not wait for each other: what goes up may be refused
/// while those below wait for an answer.
async fn send_all<T: Transport>(
    service: &Arc<Service>,
    transport: &T,
    sent: &mut Sent,
    renewed: bool,
) -> Result<(), Faults> {
    let up = send_rollups(service, transport, sent, renewed).await;
    queue_reopened(service, sent).await?;
    send_receipts(service, transport).await?;
    up
}

async fn send_rollups<T: Transport>(
    service: &Arc<Service>,
    transport: &T,
    sent: &mut Sent,
    renewed: bool,
) -> Result<(), Faults> {
    let now = Instant::now();
    let known = sent.clone();
    let list = service
        .with(move |books, _| due(books, &|digest| known.is_due(digest, now), renewed))
        .await?;
    for parcel in list {
        let (month, revision) = parcel.rollup;
        let (digest, letters) = service
            .with(move |books, _| {
                let own = books
                    .rollups()
                    .get(&parcel.rollup)
                    .ok_or_else(|| internal("unknown rollup"))?;
                Ok((own.held().digest(), letters(books, &parcel)?))
            })
            .await?;
        let begin = Instant::now();
        transport.publish_all(&letters).await.map_err(unsent)?;
        service.count("sent", letters.len() as u64);
        tracing::info!(%month, revision, messages = letters.len(), ms = millis(begin), "a rollup was sent");
        sent.note(digest, Instant::now());
        service.note_sent(digest);
    }
    Ok(())
}

/// Reopenings are said again until they are followed.
async fn queue_reopened(service: &Arc<Service>, sent: &mut Sent) -> Result<(), Faults> {
    let now = Instant::now();
    let again = service.with(|books, _| Ok(reopened(books))).await?;
    let due = again.into_iter().filter(|n| sent.is_due(&n.digest(), now));
    for note in due.collect::<Vec<_>>() {
        sent.note(note.digest(), now);
        service.queue(vec![note]);
    }
    Ok(())
}

/// Sends the receipts that wait. One that has no way to its unit any more (the registry put that one
/// elsewhere) is laid aside with a word: it must not hold back all others.
async fn send_receipts<T: Transport>(service: &Arc<Service>, transport: &T) -> Result<(), Faults> {
    for note in service.receipts() {
        let Ok(receipt) = Receipt::parse(note.text()) else {
            continue;
        };
        match send_receipt(service, transport, &note, &receipt).await {
            Ok(()) => service.count("receipts", 1),
            Err(NotSent::Link(fault)) => return Err(fault),
            Err(NotSent::NoWay(fault)) => tracing::warn!(
                child = %receipt.child, month = %receipt.period, %fault,
                "a receipt has no way to its unit and is laid aside"
            ),
        }
        service.receipt_sent(&note);
    }
    Ok(())
}

/// Why a receipt was not sent.
enum NotSent {
    /// It can be tried again.
    Link(Faults),
    /// There is no such way, however often it is tried.
    NoWay(Faults),
}

async fn send_receipt<T: Transport>(
    service: &Arc<Service>,
    transport: &T,
    note: &Note,
    receipt: &Receipt,
) -> Result<(), NotSent> {
    // Where the child stood below this unit in that month.
    let (child, month) = (receipt.child.to_string(), receipt.period);
    let path = service.with(move |books, _| path_in(books, month)).await;
    let path = path.map_err(NotSent::NoWay)?;
    let below = UnitPath::new(path.units().iter().cloned().chain([child]));
    let below = below.map_err(|e| NotSent::NoWay(internal(e)))?;
    // Not the digest alone: a receipt that is asked for again must not be dropped as a duplicate.
    let msg_id = format!("{}:{}", note.digest(), service.now().timestamp_millis());
    let outgoing = Outgoing {
        subject: Subject::down(below, DownKind::Receipt),
        msg_id,
        body: note.as_bytes().to_vec(),
    };
    transport.publish(&outgoing).await.map_err(|e| match e {
        LinkError::Foreign { .. } | LinkError::Path { .. } | LinkError::Subject { .. } => {
            NotSent::NoWay(unsent(e))
        }
        _ => NotSent::Link(unsent(e)),
    })
}

/// The top unit hands down what was published and was not handed down in this run, so that every
/// node below walks the same registry.
async fn broadcast<T: Transport>(
    service: &Arc<Service>,
    transport: &T,
    path: &UnitPath,
    sent: &mut Sent,
) -> Result<(), Faults> {
    let documents = service
        .with(|books, _| {
            let mut list: Vec<(DownKind, Vec<u8>)> = Vec::new();
            list.extend(
                books
                    .registries()
                    .iter()
                    .map(|(_, n)| (DownKind::Registry, n.as_bytes().to_vec())),
            );
            list.extend(
                books
                    .catalogues()
                    .iter()
                    .map(|(_, n)| (DownKind::Catalogue, n.as_bytes().to_vec())),
            );
            list.extend(
                books
                    .plans()
                    .iter()
                    .map(|(_, n)| (DownKind::Plan, n.as_bytes().to_vec())),
            );
            Ok(list)
        })
        .await?;
    for (kind, body) in documents {
        let digest = Digest::of(&body);
        if sent.handed_down.contains(&digest) {
            continue;
        }
        // In order: a registry version is useless to a reader who lacks the one before. The next
        // look tries again.
        let letter = Outgoing {
            subject: Subject::down(path.clone(), kind),
            msg_id: digest.to_string(),
            body,
        };
        transport.publish(&letter).await.map_err(unsent)?;
        sent.handed_down.insert(digest);
    }
    Ok(())
}
