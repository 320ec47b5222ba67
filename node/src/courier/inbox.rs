//! The inbox: messages that are here together share one fsync, and each is answered only after
//! what it caused is durable.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use protocol::ids::UnitId;
use protocol::note::Note;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::books::{Books, BooksError};
use crate::desk::receipt;
use crate::fault::Faults;
use crate::intake::Intake;
use crate::link::{Ack, DownKind, Incoming, Subject, Transport, UpKind};
use crate::review;
use crate::service::Service;

use super::timing::{OUTBOX_INTERVAL, millis};
use super::waiting::{Place, Sender, WaitingLimits, WaitingRoom, wait_of};

/// At most so many messages are worked on together, and so many answers are on their way.
const MAX_BATCH_MESSAGES: usize = 16;
/// How long a message that the node could not keep waits at most.
const MAX_TROUBLE_DELAY: Duration = Duration::from_secs(60);

/// Takes messages until the link is closed.
pub(super) async fn run<T: Transport>(service: &Arc<Service>, transport: &T) {
    // Nothing waits for the server's word that it has taken an answer: a message whose answer is
    // lost comes again.
    let mut answers = JoinSet::new();
    let mut room = WaitingRoom::new(WaitingLimits::default());
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
        room.of_store(transport.store());
        receive(service, came, &mut room, &mut answers).await;
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
async fn receive(
    service: &Arc<Service>,
    came: Vec<Incoming>,
    room: &mut WaitingRoom,
    answers: &mut JoinSet<()>,
) {
    let (letters, slips): (Vec<_>, Vec<_>) = came
        .into_iter()
        .map(|came| {
            (
                (came.subject, came.body),
                (came.number, came.times, came.ack),
            )
        })
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
    for ((letter, (number, times, ack)), took) in letters.iter().zip(slips).zip(took) {
        let again = outcome(service, letter, (number, times), took, room);
        answers.spawn(answer(ack, again));
    }
}

/// Counts and logs what became of a message; gives the time after which it is to come again, none
/// where it need not.
fn outcome(
    service: &Service,
    (subject, body): &Letter,
    (number, times): (u64, u32),
    took: Result<Intake, Faults>,
    room: &mut WaitingRoom,
) -> Option<Duration> {
    let sender = sender_of(subject);
    if matches!(took, Ok(Intake::Done | Intake::Refused(_))) {
        room.judged(&sender, number);
    }
    match took {
        Ok(Intake::Done) => {
            service.count("received", 1);
            None
        }
        Ok(Intake::Refused(reason)) => {
            refused(service, subject, &reason);
            None
        }
        Ok(Intake::Later(awaited)) => {
            tracing::debug!(%subject, %awaited, "a message came too early");
            match room.put_off(&sender, (number, times), body, Instant::now()) {
                Place::Waits(wait) => Some(wait),
                Place::Known => None,
                Place::GivenUp(why) => {
                    refused(service, subject, &format!("{awaited}; {why}"));
                    None
                }
            }
        }
        Err(faults) => {
            // The node's own trouble (a full disk): the message stays with the server and comes
            // again.
            tracing::error!(%subject, %faults, "a message could not be kept");
            Some(wait_of(times, OUTBOX_INTERVAL, MAX_TROUBLE_DELAY))
        }
    }
}

fn sender_of(subject: &Subject) -> Sender {
    let (is_below, path) = match subject {
        Subject::Up(up) => (true, &up.path),
        Subject::Down(down) => (false, &down.path),
    };
    Sender {
        is_below,
        unit: path.unit().to_owned(),
    }
}

fn refused(service: &Service, subject: &Subject, reason: &str) {
    if let Subject::Up(up) = subject {
        service.refuse(up.path.unit(), reason);
    }
    service.count("refused", 1);
    tracing::warn!(%subject, reason, "a message was refused");
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
                    let wrong = || Intake::Refused(e.to_string());
                    Ok((
                        books.awaits(body).map_or_else(wrong, Intake::Later),
                        Vec::new(),
                    ))
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

/// The receipts that this unit gave for the rollup in a message.
fn answered(books: &Books, unit: &UnitId, body: &[u8]) -> Vec<Note> {
    let Ok(note) = Note::parse(body) else {
        return Vec::new();
    };
    let given = books
        .children()
        .get(unit)
        .and_then(|c| c.given().get(&note.digest()));
    given
        .into_iter()
        .flatten()
        .map(|(_, n)| n.clone())
        .collect()
}
