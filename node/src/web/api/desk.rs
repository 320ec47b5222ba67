//! Routes of the desk.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use protocol::verdict::Verdict;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Body, Refused, Who, month};
use super::shapes;
use crate::desk::close::{CloseRequest, Closed};
use crate::desk::preview::{self, Preview};
use crate::desk::record::{self, Imported, Recorded, Taking, Voided};
use crate::desk::undo::{self, Undone};
use crate::desk::{self, Change, Correction, ImportRequest, close, sign};
use crate::exchange::Form;
use crate::fault::{FaultCode, Faults};
use crate::web::app::App;
use crate::web::tokens::Role;

const DESK: &[Role] = &[Role::Recorder, Role::Reviewer, Role::Head];

/// How a file is to be read.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ImportQuery {
    /// Event type, for example E16; JSONL rows may name their own.
    #[serde(rename = "type")]
    event: Option<String>,
    /// `csv` (default), `jsonl` or `xlsx`.
    form: Option<String>,
    /// Record the good rows and report the others.
    #[serde(default)]
    valid_rows: bool,
    /// Only report what is wrong; record nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Records a file of events: all or nothing, or the good rows.
#[utoipa::path(
    post,
    path = "/api/events",
    params(ImportQuery),
    request_body(content = Vec<u8>, content_type = "text/csv"),
    security(("token" = [])),
    responses((status = 200, body = shapes::Imported), (status = 422, body = shapes::Imported))
)]
pub async fn import(
    State(app): State<App>,
    who: Who,
    Query(query): Query<ImportQuery>,
    body: Bytes,
) -> Result<(StatusCode, Json<Imported>), Refused> {
    who.need(&[Role::Recorder])?;
    let form = Form::named(query.form.as_deref())?;
    let request = ImportRequest {
        operator: who.operator(&app),
        form,
        event: query.event,
        valid_rows: query.valid_rows,
        dry_run: query.dry_run,
    };
    let (dry_run, file) = (
        request.dry_run,
        (request.operator.clone(), request.event.clone()),
    );
    let work = app
        .service
        .with(move |books, now| desk::import(books, &request, &body, now));
    let imported = work.await;
    if !dry_run {
        let faults = match &imported {
            Ok(imported) => &imported.faults,
            Err(faults) => &faults.0,
        };
        app.refused.note(file, faults, app.service.now());
    }
    let imported = imported?;
    app.service
        .count("recorded", imported.recorded.len() as u64);
    let status = if imported.accepted || imported.known {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok((status, Json(imported)))
}

/// Why an event is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidRequest {
    /// A code of the catalogue, or its label.
    reason: String,
    /// In the open month, although the event's own month is closed and not submitted.
    #[serde(default)]
    in_open_month: bool,
    /// With the events that rest on it, as hires rest on a registration.
    #[serde(default)]
    with_resting: bool,
}

/// Takes an event back (E70).
#[utoipa::path(
    post,
    path = "/api/events/{index}/void",
    request_body = VoidRequest,
    params(("index" = u64, Path)),
    security(("token" = [])),
    responses((status = 200, body = shapes::Voided), (status = 422, body = shapes::Faults))
)]
pub async fn void(
    State(app): State<App>,
    who: Who,
    Path(index): Path<u64>,
    Body(request): Body<VoidRequest>,
) -> Result<Json<Voided>, Refused> {
    who.need(&[Role::Recorder])?;
    let operator = who.operator(&app);
    let taking = Taking {
        reason: request.reason,
        in_open_month: request.in_open_month,
        with_resting: request.with_resting,
    };
    let work = app
        .service
        .with(move |books, now| record::void(books, &operator, index, &taking, now));
    Ok(Json(work.await?))
}

/// What an event is replaced by: the whole new event, or the old one with some fields changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectRequest {
    /// A code of the catalogue, or its label.
    reason: String,
    /// The whole new event: `occurred_on` and all fields, as in an import.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    event: Option<serde_json::Map<String, serde_json::Value>>,
    /// What changes: each field named as a column of a file is, with its new value; an empty value
    /// empties the field. The other fields stay as they are.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    set: Option<serde_json::Map<String, serde_json::Value>>,
    /// In the open month, although the event's own month is closed and not submitted.
    #[serde(default)]
    in_open_month: bool,
}

impl CorrectRequest {
    fn change(self) -> Result<Change, Refused> {
        match (self.event, self.set) {
            (Some(event), None) => Ok(Change::Whole(event)),
            (None, Some(set)) if !set.is_empty() => Ok(Change::Fields(set)),
            _ => Err(Faults::one(
                FaultCode::RequestJson,
                "请给出 event（完整的记录）或 set（要改的字段），二者取一",
                "give either event, the whole record, or set, the fields that change",
            )
            .into()),
        }
    }
}

/// Replaces an event (E69): the old one is taken back and the new one recorded, both or neither.
#[utoipa::path(
    post,
    path = "/api/events/{index}/correct",
    request_body = CorrectRequest,
    params(("index" = u64, Path)),
    security(("token" = [])),
    responses((status = 200, body = shapes::Recorded), (status = 422, body = shapes::Faults))
)]
pub async fn correct(
    State(app): State<App>,
    who: Who,
    Path(index): Path<u64>,
    Body(request): Body<CorrectRequest>,
) -> Result<Json<Recorded>, Refused> {
    who.need(&[Role::Recorder])?;
    let correction = Correction {
        operator: who.operator(&app),
        index,
        reason: request.reason.clone(),
        in_open_month: request.in_open_month,
        change: request.change()?,
    };
    let work = app
        .service
        .with(move |books, now| desk::correct(books, &correction, now));
    let recorded = work.await?;
    Ok(Json(recorded))
}

/// Closes the open month, or makes a new revision of one that the parent opened again.
#[utoipa::path(
    post,
    path = "/api/months/{month}/close",
    request_body = shapes::CloseRequest,
    params(("month" = String, Path)),
    security(("token" = [])),
    responses((status = 200, body = shapes::Closed), (status = 422, body = shapes::Faults))
)]
pub async fn close(
    State(app): State<App>,
    who: Who,
    Path(text): Path<String>,
    Body(request): Body<CloseRequest>,
) -> Result<Json<Closed>, Refused> {
    who.need(DESK)?;
    let month = month(&text)?;
    let signatories = app.service.signatories();
    Ok(Json(
        app.service
            .with(move |books, now| close::close(books, month, &request, signatories, now))
            .await?,
    ))
}

/// Shows what a close would make, and everything that is against it. Nothing is written.
#[utoipa::path(
    post,
    path = "/api/months/{month}/preview",
    request_body = shapes::CloseRequest,
    params(("month" = String, Path)),
    security(("token" = [])),
    responses((status = 200, body = shapes::Preview), (status = 422, body = shapes::Faults))
)]
pub async fn preview(
    State(app): State<App>,
    who: Who,
    Path(text): Path<String>,
    Body(request): Body<CloseRequest>,
) -> Result<Json<Preview>, Refused> {
    who.need(DESK)?;
    let month = month(&text)?;
    let signatories = app.service.signatories();
    let work = app
        .service
        .with(move |books, now| preview::preview(books, month, &request, &signatories, now));
    let mut preview = work.await?;
    preview.refused = app.refused.list();
    Ok(Json(preview))
}

/// Whether signatures may be lost.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UndoRequest {
    /// Somebody has signed, and that is told away.
    discard_signatures: bool,
}

/// Undoes the close of a month that was not submitted: it is the open month again.
#[utoipa::path(
    post,
    path = "/api/months/{month}/undo",
    request_body = UndoRequest,
    params(("month" = String, Path)),
    security(("token" = [])),
    responses((status = 200, body = shapes::Undone), (status = 422, body = shapes::Faults))
)]
pub async fn undo(
    State(app): State<App>,
    who: Who,
    Path(text): Path<String>,
    Body(request): Body<UndoRequest>,
) -> Result<Json<Undone>, Refused> {
    who.need(DESK)?;
    let month = month(&text)?;
    let (by, discard) = (who.operator(&app), request.discard_signatures);
    let work = app
        .service
        .with(move |books, now| undo::undo(books, month, &by, discard, now));
    Ok(Json(work.await?))
}

/// Who has still to sign.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Unsigned {
    /// Names.
    pub unsigned: Vec<String>,
}

/// Brings signature lines: a note with the text of the month's current rollup.
#[utoipa::path(
    post,
    path = "/api/months/{month}/signatures",
    request_body(content = String, content_type = "text/plain"),
    params(("month" = String, Path)),
    security(("token" = [])),
    responses((status = 200, body = Unsigned), (status = 422, body = shapes::Faults))
)]
pub async fn signatures(
    State(app): State<App>,
    who: Who,
    Path(text): Path<String>,
    body: Bytes,
) -> Result<Json<Unsigned>, Refused> {
    who.need(DESK)?;
    let month = month(&text)?;
    let unsigned = app
        .service
        .with(move |books, _| sign::add_signatures(books, month, &body))
        .await?;
    Ok(Json(Unsigned { unsigned }))
}

/// Hands the month's rollup to the outbox.
#[utoipa::path(
    post,
    path = "/api/months/{month}/submit",
    params(("month" = String, Path)),
    security(("token" = [])),
    responses((status = 200, description = "the checks"), (status = 422, body = shapes::Faults))
)]
pub async fn submit(
    State(app): State<App>,
    who: Who,
    Path(text): Path<String>,
) -> Result<Json<Vec<Verdict>>, Refused> {
    who.need(DESK)?;
    let month = month(&text)?;
    let verdicts = app
        .service
        .with(move |books, now| sign::submit(books, month, now))
        .await?;
    app.service.wake_outbox();
    Ok(Json(verdicts))
}
