//! The courier: between the books and the link. It holds no rule of the domain; it decides only
//! what is sent when.
//!
//! Outbox: a submitted rollup is sent (its statements since the last receipt, its checkpoint,
//! itself) until the parent's signed receipt for exactly these bytes is in the journal; after that
//! once more if the transport's store was lost. Inbox: messages that are here together share one
//! fsync, and each is answered only after what it caused is durable. Everything may happen twice
//! and nothing is lost by it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::log::delivery::Delivery;
use protocol::note::Note;
use protocol::period::Month;
use protocol::receipt::Decision;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::books::{Books, BooksError, OwnRollup};
use crate::desk::receipt;
use crate::fault::{Faults, internal};
use crate::intake::Intake;
use crate::link::{Ack, DownKind, Incoming, Outgoing, Subject, Transport, UnitPath, UpKind};
use crate::review;
use crate::service::{Service, addressee};

/// How long a rollup without a receipt waits before it is sent again: longer than the server's
/// duplicate window, so that the repetition really is stored. Each further wait is twice as long: a
/// person may take days to decide, and the store forgets nothing.
const RESEND_DELAY: Duration = Duration::from_secs(150);
/// The longest of these waits.
const MAX_RESEND_DELAY: Duration = Duration::from_secs(86_400);
/// How many months of reports, answered or not, go into a store that holds nothing: units further
/// up read them from there, and may not have done so yet. A year and the month that is being
/// reported.
const RESEND_MONTHS: usize = 13;
/// Receipts that were given so recently are sent once more at start: the process may have died
/// before they were sent.
const RESEND_RECEIPTS_WITHIN: chrono::Days = chrono::Days::new(7);
/// How often the outbox looks by itself.
const OUTBOX_INTERVAL: Duration = Duration::from_secs(5);
/// At most so many messages are worked on together, and so many answers are on their way.
const MAX_BATCH_MESSAGES: usize = 16;
/// How long a message that came too early waits.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// The unit's path, top first.
///
/// # Errors
/// A node without a registry.
pub fn path_of(books: &Books) -> Result<(UnitPath, bool), Faults> {
    let registry = books
        .registry()
        .ok_or_else(|| internal("no registry"))?
        .registry();
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
    // Nothing waits for the server's word that it has taken an answer: a message whose answer is
    // lost comes again.
    let mut answers = JoinSet::new();
    loop {
        let mut came = match transport.next().await {
            Ok(message) => vec![message],
            Err(e) => {
                tracing::info!(error = %e, "the link is closed");
                return;
            }
        };
        // What is here already is worked on together: one fsync for all of it, and one look at what
        // can be checked now.
        while came.len() < MAX_BATCH_MESSAGES
            && let Some(message) = at_hand(transport).await
        {
            came.push(message);
        }
        receive(service, came, &mut answers).await;
        while answers.len() > MAX_BATCH_MESSAGES {
            answers.join_next().await;
        }
    }
}

/// The next message, if there is no need to wait for it.
async fn at_hand<T: Transport>(transport: &T) -> Option<Incoming> {
    tokio::select! {
        biased;
        next = transport.next() => next.ok(),
        () = std::future::ready(()) => None,
    }
}

/// Works on messages in their order, and answers each after what it caused is durable.
async fn receive(service: &Arc<Service>, came: Vec<Incoming>, answers: &mut JoinSet<()>) {
    let (letters, acks): (Vec<_>, Vec<_>) = came
        .into_iter()
        .map(|Incoming { subject, body, ack }| ((subject, body), ack))
        .unzip();
    let letters: Arc<[Letter]> = letters.into();
    let mut took = take(service, letters.clone(), 0..letters.len()).await;
    if took.iter().any(Result::is_err) && letters.len() > 1 {
        // One of them may be the reason, and must not stand in the way of the others. What is known
        // already changes nothing.
        took.clear();
        for n in 0..letters.len() {
            took.extend(take(service, letters.clone(), n..n + 1).await);
        }
    }
    for (((subject, _), ack), took) in letters.iter().zip(acks).zip(took) {
        let again = outcome(service, subject, took);
        answers.spawn(answer(ack, again));
    }
}

/// Counts and logs what became of a message; gives the time after which it is to come again, none
/// where it need not.
fn outcome(service: &Service, subject: &Subject, took: Result<Intake, Faults>) -> Option<Duration> {
    match took {
        Ok(Intake::Done) => {
            service.count("received", 1);
            None
        }
        Ok(Intake::Refused(reason)) => {
            if let Subject::Up(up) = subject {
                service.refuse(up.path.unit(), &reason);
            }
            service.count("refused", 1);
            tracing::warn!(%subject, reason, "a message was refused");
            None
        }
        Ok(Intake::Later(reason)) => {
            tracing::debug!(%subject, reason, "a message came too early");
            Some(RETRY_DELAY)
        }
        Err(faults) => {
            // The node's own trouble (a full disk): the message stays with the server and comes
            // again.
            tracing::error!(%subject, %faults, "a message could not be kept");
            Some(OUTBOX_INTERVAL)
        }
    }
}

async fn answer(ack: Ack, again: Option<Duration>) {
    let answered = match again {
        None => ack.done().await,
        Some(after) => ack.retry(after).await,
    };
    if let Err(e) = answered {
        tracing::debug!(error = %e, "an answer was lost; the message will come again");
    }
}

/// A message without its answer.
type Letter = (Subject, Vec<u8>);

/// Brings messages into the books and looks what can be checked then; what became of each.
async fn take(
    service: &Arc<Service>,
    letters: Arc<[Letter]>,
    range: Range<usize>,
) -> Vec<Result<Intake, Faults>> {
    let (begin, count) = (Instant::now(), range.len());
    let work = letters.clone();
    let span = range.clone();
    let done = service
        .with(move |books, now| {
            let each = work[span]
                .iter()
                .map(|(subject, body)| take_one(books, subject, body, now));
            each.collect::<Result<Vec<_>, _>>()
        })
        .await;
    let took = match done {
        Ok(took) => took,
        Err(faults) => return vec![Err(faults); count],
    };
    let (took, again): (Vec<Intake>, Vec<Vec<Note>>) = took.into_iter().unzip();
    service.queue(again.into_iter().flatten().collect());
    let (mut up, mut down) = (false, false);
    for ((subject, _), _) in letters[range]
        .iter()
        .zip(&took)
        .filter(|(_, took)| **took == Intake::Done)
    {
        tracing::debug!(%subject, ms = millis(begin), "took a message");
        match subject {
            Subject::Up(_) => up = true,
            Subject::Down(_) => down = true,
        }
    }
    if down {
        service.wake_outbox();
    }
    if up && let Err(faults) = service.review().await {
        return vec![Err(faults); count];
    }
    took.into_iter().map(Ok).collect()
}

/// Brings one message into the books; also the receipts that its sender asks for by it.
fn take_one(
    books: &mut Books,
    subject: &Subject,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(Intake, Vec<Note>), Faults> {
    let up = match subject {
        Subject::Up(up) => up,
        Subject::Down(down) if down.kind == DownKind::Receipt => {
            return Ok((receipt::take_receipt(books, body)?, Vec::new()));
        }
        Subject::Down(_) => {
            return match books.install(&[body.to_vec()]) {
                Ok(_) => Ok((Intake::Done, Vec::new())),
                Err(e @ BooksError::Published { .. }) => {
                    Ok((Intake::Refused(e.to_string()), Vec::new()))
                }
                // The node's own trouble: the document must come again.
                Err(e) => Err(e.into()),
            };
        }
    };
    let Ok(unit) = up.path.unit().parse::<UnitId>() else {
        return Ok((Intake::Refused("no unit".into()), Vec::new()));
    };
    Ok(match up.kind {
        UpKind::Entries(first) => (review::take_entries(books, &unit, first, body)?, Vec::new()),
        UpKind::Checkpoint => (
            review::take_checkpoint(books, &unit, body, now)?,
            Vec::new(),
        ),
        // Who sends a rollup again has no receipt for it: it is given once more.
        UpKind::Rollup => (
            review::take_rollup(books, &unit, body, now)?,
            answered(books, &unit, body),
        ),
    })
}

/// For the log: whole milliseconds since then.
fn millis(begin: Instant) -> u128 {
    begin.elapsed().as_millis()
}

fn answered(books: &Books, unit: &UnitId, body: &[u8]) -> Vec<Note> {
    let Ok(note) = Note::parse(body) else {
        return Vec::new();
    };
    let given = books
        .children()
        .get(unit)
        .and_then(|c| c.given.get(&note.digest()));
    given
        .into_iter()
        .flatten()
        .map(|(_, n)| n.clone())
        .collect()
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

/// The rollups that are to be sent now, in order, and the statement to begin with.
fn due(books: &Books, sent: &Sent, renewed: bool, now: Instant) -> (u64, Vec<(Month, u32)>) {
    let sizes = |fits: &dyn Fn(&OwnRollup) -> bool| {
        books
            .rollups()
            .values()
            .filter(|r| fits(r))
            .map(|r| r.held.rollup.log.size)
            .max()
    };
    let acknowledged = sizes(&|r| !r.receipts.is_empty()).unwrap_or(0);
    let key = |own: &OwnRollup| (own.held.rollup.period, own.held.rollup.revision);
    if books.me().is_none_or(|me| me.parent.is_none()) {
        return (0, Vec::new());
    }
    if !renewed {
        return (
            acknowledged,
            books
                .outbox()
                .filter(|o| sent.is_due(&o.held.digest(), now))
                .map(key)
                .collect(),
        );
    }
    let months: BTreeSet<Month> = books.rollups().keys().map(|(month, _)| *month).collect();
    let oldest = months.iter().rev().take(RESEND_MONTHS).next_back().copied();
    let recent = books.rollups().values().filter(|o| o.submitted.is_some());
    let recent = recent.filter(|o| Some(o.held.rollup.period) >= oldest || o.receipts.is_empty());
    let list: Vec<_> = recent
        .filter(|o| sent.is_due(&o.held.digest(), now))
        .map(key)
        .collect();
    // What lies before the first of them was sent already, or is older than what is sent again.
    let before = list
        .first()
        .and_then(|first| sizes(&|r| key(r) < *first))
        .unwrap_or(0);
    (before, list)
}

/// The messages of one rollup: the statements from `first` on, its checkpoint, itself.
fn letters(
    books: &Books,
    path: &UnitPath,
    rollup: (Month, u32),
    first: u64,
) -> Result<Vec<Outgoing>, Faults> {
    let own = books
        .rollups()
        .get(&rollup)
        .ok_or_else(|| internal("unknown rollup"))?;
    let size = own.held.rollup.log.size;
    let checkpoint = books
        .checkpoint(size)
        .ok_or_else(|| internal("a rollup without a checkpoint"))?;
    let log = books.log().ok_or_else(|| internal("no log"))?;
    let mut list = Vec::new();
    // Statements go in bundles whose borders do not depend on when they are sent, so that a
    // repetition is a repetition.
    let mut first = first - first % 256;
    while first < size {
        let end = (first + 256).min(size);
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
        (UpKind::Rollup, &own.held.note),
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
    let direct = books
        .children()
        .values()
        .filter(|c| c.unit.parent.as_ref() == Some(books.unit()));
    // Times are written in one way, in UTC: their texts compare as they do.
    direct
        .flat_map(|c| c.given.values().flatten())
        .filter(|(r, _)| r.decided >= since)
        .map(|(_, n)| n.clone())
        .collect()
}

/// Reopenings that no new revision followed yet. The child had its receipt and asks for nothing
/// more, so nobody would notice that this one was lost: it is repeated until the revision comes.
fn reopened(books: &Books) -> Vec<Note> {
    let mut list = Vec::new();
    for child in books
        .children()
        .values()
        .filter(|c| c.unit.parent.as_ref() == Some(books.unit()))
    {
        for held in child.known.values() {
            let last = child.given.get(&held.digest()).and_then(|g| g.last());
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

async fn outbox<T: Transport>(service: Arc<Service>, transport: Arc<T>, path: UnitPath) {
    let mut sent = Sent::default();
    match service
        .with(|books, now| Ok(given_lately(books, now)))
        .await
    {
        Ok(notes) => service.queue(notes),
        Err(e) => tracing::warn!(error = %e, "the receipts of the last days could not be read"),
    }
    loop {
        if let Err(e) = round(&service, transport.as_ref(), &path, &mut sent).await {
            tracing::warn!(error = %e, "the outbox waits");
        }
        tokio::select! {
            biased;
            () = service.outbox_woken() => {}
            () = tokio::time::sleep(OUTBOX_INTERVAL) => {}
        }
    }
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
    send_all(service, transport, path, sent, fresh.is_some()).await?;
    handed?;
    if let Some(name) = fresh.filter(|_| transport.store() == store) {
        service
            .with(move |books, _| books.supplied(&name).map_err(internal))
            .await?;
    }
    Ok(())
}

async fn send_all<T: Transport>(
    service: &Arc<Service>,
    transport: &T,
    path: &UnitPath,
    sent: &mut Sent,
    renewed: bool,
) -> Result<(), Faults> {
    let now = Instant::now();
    let known = sent.clone();
    let (mut first, list) = service
        .with(move |books, _| Ok(due(books, &known, renewed, now)))
        .await?;
    for rollup in list {
        let at = path.clone();
        let (digest, size, letters) = service
            .with(move |books, _| {
                let own = books
                    .rollups()
                    .get(&rollup)
                    .ok_or_else(|| internal("unknown rollup"))?;
                Ok((
                    own.held.digest(),
                    own.held.rollup.log.size,
                    letters(books, &at, rollup, first)?,
                ))
            })
            .await?;
        let begin = Instant::now();
        transport.publish_all(&letters).await.map_err(internal)?;
        service.count("sent", letters.len() as u64);
        let (month, revision) = rollup;
        tracing::info!(%month, revision, messages = letters.len(), ms = millis(begin), "a rollup was sent");
        sent.note(digest, Instant::now());
        first = first.max(size);
    }
    let again = service.with(|books, _| Ok(reopened(books))).await?;
    for note in again
        .into_iter()
        .filter(|n| sent.is_due(&n.digest(), now))
        .collect::<Vec<_>>()
    {
        sent.note(note.digest(), now);
        service.queue(vec![note]);
    }
    for note in service.receipts() {
        let Some(child) = addressee(&note) else {
            continue;
        };
        let below = UnitPath::new(path.units().iter().cloned().chain([child])).map_err(internal)?;
        let body = note.as_bytes().to_vec();
        // Not the digest alone: a receipt that is asked for again must not be dropped as a
        // duplicate.
        let msg_id = format!("{}:{}", note.digest(), service.now().timestamp_millis());
        transport
            .publish(&Outgoing {
                subject: Subject::down(below, DownKind::Receipt),
                msg_id,
                body,
            })
            .await
            .map_err(internal)?;
        service.count("receipts", 1);
        service.receipt_sent(&note);
    }
    Ok(())
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
        transport.publish(&letter).await.map_err(internal)?;
        sent.handed_down.insert(digest);
    }
    Ok(())
}
