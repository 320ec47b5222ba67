//! Routes of the desk.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use protocol::note::VerifierKey;
use protocol::period::Month;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Body, Refused, Who};
use super::app::App;
use super::tokens::Role;
use crate::books::BooksError;
use crate::desk::close::{CloseRequest, Closed};
use crate::desk::input::{self, Form};
use crate::desk::record::{self, Imported, Recorded};
use crate::desk::{close, counting, sign};
use crate::fault::{Faults, internal};

const DESK: &[Role] = &[Role::Recorder, Role::Reviewer, Role::Head];

/// Reads a month from a path.
pub(super) fn month(text: &str) -> Result<Month, Refused> {
    text.parse().map_err(|_| {
        Faults::one(
            "month.form",
            "月份写作 2023-04",
            "a month is written 2023-04",
        )
        .into()
    })
}

/// How a file is to be read.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ImportQuery {
    /// Event type, for example E16; JSONL rows may name their own.
    #[serde(rename = "type")]
    event: Option<String>,
    /// `csv` (default) or `jsonl`.
    form: Option<String>,
    /// Record the good rows and report the others.
    #[serde(default)]
    valid_rows: bool,
    /// Only report what is wrong; record nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Records a file of events: all or nothing, or the good rows.
#[utoipa::path(post, path = "/api/events", params(ImportQuery), request_body(content = Vec<u8>, content_type = "text/csv"), security(("token" = [])),
    responses((status = 200, body = Imported), (status = 422, body = Imported)))]
pub async fn import(
    State(app): State<App>,
    who: Who,
    Query(query): Query<ImportQuery>,
    body: Bytes,
) -> Result<(StatusCode, Json<Imported>), Refused> {
    who.need(&[Role::Recorder])?;
    let form = match query.form.as_deref() {
        None | Some("csv") => Form::Csv,
        Some("jsonl") => Form::Jsonl,
        Some(_) => {
            return Err(
                Faults::one("file.form", "form 为 csv 或 jsonl", "form is csv or jsonl").into(),
            );
        }
    };
    let operator = format!("{}/{}", app.service.config.unit, who.0.name);
    let imported = app
        .service
        .with(move |books, now| {
            let counting = counting(books)?;
            let mut parsed =
                input::parse(&body, form, query.event.as_deref(), &counting.catalogue)?;
            parsed
                .faults
                .extend(record::day_faults(books, &parsed.broken, now)?);
            if query.dry_run {
                return record::dry_run(books, &operator, &parsed.drafts, parsed.faults, now);
            }
            record::record(
                books,
                &operator,
                &parsed.drafts,
                parsed.faults,
                query.valid_rows,
                now,
            )
        })
        .await?;
    app.service
        .count("recorded", imported.recorded.len() as u64);
    let status = if imported.accepted {
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
    /// A code of the catalogue.
    reason: String,
}

/// Takes an event back (E70).
#[utoipa::path(post, path = "/api/events/{index}/void", request_body = VoidRequest, params(("index" = u64, Path)), security(("token" = [])), responses((status = 204), (status = 422, body = Faults)))]
pub async fn void(
    State(app): State<App>,
    who: Who,
    Path(index): Path<u64>,
    Body(request): Body<VoidRequest>,
) -> Result<StatusCode, Refused> {
    who.need(&[Role::Recorder])?;
    let operator = format!("{}/{}", app.service.config.unit, who.0.name);
    app.service
        .with(move |books, now| record::void(books, &operator, index, &request.reason, now))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an event is replaced by.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectRequest {
    /// A code of the catalogue.
    reason: String,
    /// The whole new event: `occurred_on` and all fields, as in an import.
    #[schema(value_type = Object)]
    event: serde_json::Map<String, serde_json::Value>,
}

/// Replaces an event (E69): the old one is taken back and the new one recorded, both or neither.
#[utoipa::path(post, path = "/api/events/{index}/correct", request_body = CorrectRequest, params(("index" = u64, Path)), security(("token" = [])), responses((status = 200, body = Recorded), (status = 422, body = Faults)))]
pub async fn correct(
    State(app): State<App>,
    who: Who,
    Path(index): Path<u64>,
    Body(request): Body<CorrectRequest>,
) -> Result<Json<Recorded>, Refused> {
    who.need(&[Role::Recorder])?;
    let operator = format!("{}/{}", app.service.config.unit, who.0.name);
    let recorded = app
        .service
        .with(move |books, now| {
            let counting = counting(books)?;
            let (target, _) = books.statement(index).map_err(|_| {
                Faults::one("void.unknown", "没有这个事件", "there is no such event")
            })?;
            let line = serde_json::to_vec(&request.event).map_err(internal)?;
            let mut parsed =
                input::parse(&line, Form::Jsonl, Some(&target.event), &counting.catalogue)?;
            if !parsed.faults.is_empty() {
                return Err(Faults(parsed.faults));
            }
            let draft = parsed
                .drafts
                .pop()
                .ok_or_else(|| Faults::one("file.empty", "没有内容", "nothing to record"))?;
            record::correct(books, &operator, index, &draft, &request.reason, now)
        })
        .await?;
    Ok(Json(recorded))
}

/// Closes the open month, or makes a new revision of one that the parent opened again.
#[utoipa::path(post, path = "/api/months/{month}/close", request_body = CloseRequest, params(("month" = String, Path)), security(("token" = [])), responses((status = 200, body = Closed), (status = 422, body = Faults)))]
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

/// Who has still to sign.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Unsigned {
    /// Names.
    pub unsigned: Vec<String>,
}

/// Brings signature lines: a note with the text of the month's current rollup.
#[utoipa::path(post, path = "/api/months/{month}/signatures", request_body(content = String, content_type = "text/plain"), params(("month" = String, Path)), security(("token" = [])), responses((status = 200, body = Unsigned), (status = 422, body = Faults)))]
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
#[utoipa::path(post, path = "/api/months/{month}/submit", params(("month" = String, Path)), security(("token" = [])), responses((status = 200, description = "the checks"), (status = 422, body = Faults)))]
pub async fn submit(
    State(app): State<App>,
    who: Who,
    Path(text): Path<String>,
) -> Result<Json<Vec<protocol::verdict::Verdict>>, Refused> {
    who.need(DESK)?;
    let month = month(&text)?;
    let verdicts = app
        .service
        .with(move |books, now| sign::submit(books, month, now))
        .await?;
    app.service.wake.notify_one();
    Ok(Json(verdicts))
}

/// A person's key and roles.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    /// The verifier key, named `<unit>/<name>`.
    vkey: String,
    /// recorder, preparer, reviewer, head.
    roles: Vec<String>,
}

fn vkey(text: &str) -> Result<VerifierKey, Refused> {
    text.parse().map_err(|e: protocol::note::NoteError| {
        Faults::one(e.code(), format!("密钥有误:{e}"), e.to_string()).into()
    })
}

/// Enrols a person's key in the unit's log.
#[utoipa::path(post, path = "/api/operators", request_body = EnrolRequest, security(("token" = [])), responses((status = 204), (status = 422, body = Faults)))]
pub async fn enrol(
    State(app): State<App>,
    who: Who,
    Body(request): Body<EnrolRequest>,
) -> Result<StatusCode, Refused> {
    who.need(&[Role::Operator])?;
    let key = vkey(&request.vkey)?;
    let roles: Option<Vec<protocol::person::Role>> = request
        .roles
        .iter()
        .map(|r| protocol::person::Role::parse(r))
        .collect();
    let roles = roles.ok_or_else(|| {
        Faults::one(
            "operator.roles",
            "角色为 recorder、preparer、reviewer、head",
            "roles are recorder, preparer, reviewer, head",
        )
    })?;
    app.service
        .with(move |books, now| record::enrol(books, &key, &roles, now))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeRequest {
    /// The verifier key.
    vkey: String,
}

/// Revokes a person's key from now on.
#[utoipa::path(post, path = "/api/operators/revoke", request_body = RevokeRequest, security(("token" = [])), responses((status = 204), (status = 422, body = Faults)))]
pub async fn revoke(
    State(app): State<App>,
    who: Who,
    Body(request): Body<RevokeRequest>,
) -> Result<StatusCode, Refused> {
    who.need(&[Role::Operator])?;
    let key = vkey(&request.vkey)?;
    app.service
        .with(move |books, now| record::revoke(books, &key, now))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Adopts a published document: the next registry version, a catalogue or a plan.
#[utoipa::path(post, path = "/api/published", request_body(content = String, content_type = "text/plain"), security(("token" = [])), responses((status = 204), (status = 422, body = Faults)))]
pub async fn publish(State(app): State<App>, who: Who, body: Bytes) -> Result<StatusCode, Refused> {
    who.need(&[Role::Operator])?;
    app.service
        .with(move |books, _| {
            books.adopt(&[body.to_vec()]).map_err(|e| match e {
                BooksError::Published { .. } => {
                    Faults::one("published.refused", format!("不能采用:{e}"), e.to_string())
                }
                e => e.into(),
            })
        })
        .await?;
    app.service.wake.notify_one();
    Ok(StatusCode::NO_CONTENT)
}
