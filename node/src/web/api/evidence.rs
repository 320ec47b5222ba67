//! `GET /api/evidence`: a file of any size, made while it is sent.
//!
//! The notes are taken from the books at once, the statements a bundle at a time between other
//! people's requests; what was not sent yet is at most a few bundles. So a province's gigabyte
//! needs no memory, and no clerk waits for it.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::{Bytes, Frame};
use protocol::evidence::file::{self, FileError};
use protocol::evidence::{Evidence, EvidenceSource};
use protocol::ids::UnitId;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::answer::{Refused, Who};
use super::shapes;
use crate::desk::evidence::Snapshot;
use crate::fault::{FaultCode, Faults};
use crate::service::Service;
use crate::web::app::App;
use crate::web::places::EvidencePlaces;
use crate::web::tokens::Role;

/// Pieces that wait for the reader, of [`PIECE_BYTES`] each.
const MAX_WAITING_PIECES: usize = 4;
const PIECE_BYTES: usize = 64 << 10;

/// Everything that proves the figures of this unit and those below: a zip.
#[utoipa::path(
    get,
    path = "/api/evidence",
    security(("token" = [])),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/zip"),
        (status = 503, body = shapes::Faults)
    )
)]
pub async fn evidence(State(app): State<App>, who: Who) -> Result<Response, Response> {
    who.need(&Role::ALL).map_err(Refused::into_response)?;
    let Some(place) = EvidencePlaces::take(&app.evidence, &who.0.name) else {
        return Err(busy());
    };
    let snapshot = app
        .service
        .with(|books, _| Snapshot::of(books))
        .await
        .map_err(|e| Refused::from(e).into_response())?;
    let (send, receive) = mpsc::channel(MAX_WAITING_PIECES);
    let source = ServiceEvidence {
        service: app.service.clone(),
        runtime: Handle::current(),
        snapshot: Arc::new(snapshot),
    };
    tokio::task::spawn_blocking(move || {
        let out = BufWriter::with_capacity(PIECE_BYTES, Sender(send.clone()));
        let written = file::write_to(&source, out);
        // Before the reader sees the end: it may ask again at once.
        drop(place);
        if let Err(e) = written {
            tracing::warn!(
                caller = who.0.name,
                error = %e,
                "an evidence file was not sent to its end"
            );
            // Without this the reader would take the part for the whole.
            let _ = send.blocking_send(Err(io::Error::other("the evidence could not be read")));
        }
    });
    Ok((
        [(header::CONTENT_TYPE, "application/zip")],
        Body::new(Pieces(receive)),
    )
        .into_response())
}

fn busy() -> Response {
    let faults = Faults::one(
        FaultCode::LimitEvidence,
        "您已在导出一份证据文件,或者同时导出的人过多,请稍后再试",
        "an evidence file is being taken out by you already, or too many by others; come again in a moment",
    );
    let mut response = Refused(StatusCode::SERVICE_UNAVAILABLE, faults).into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// Evidence that is read from a running service, a bundle at a time between other requests.
struct ServiceEvidence {
    service: Arc<Service>,
    runtime: Handle,
    snapshot: Arc<Snapshot>,
}

impl EvidenceSource for ServiceEvidence {
    fn notes(&self) -> &Evidence {
        self.snapshot.notes()
    }
    fn bundle(&self, unit: &UnitId, n: usize) -> Result<Option<Cow<'_, [Vec<u8>]>>, FileError> {
        let (snapshot, unit) = (self.snapshot.clone(), unit.clone());
        let asked = self
            .service
            .with(move |books, _| snapshot.bundle(books, &unit, n));
        let entries = self
            .runtime
            .block_on(asked)
            .map_err(|e| FileError::Source(e.to_string()))?;
        Ok(entries.map(Cow::Owned))
    }
}

/// To the connection. It waits while nobody reads, and fails when nobody will any more.
struct Sender(mpsc::Sender<io::Result<Bytes>>);

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the reader went away");
        self.0
            .blocking_send(Ok(Bytes::copy_from_slice(bytes)))
            .map_err(gone)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Pieces(mpsc::Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0
            .poll_recv(context)
            .map(|piece| piece.map(|p| p.map(Frame::data)))
    }
}
