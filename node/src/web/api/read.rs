//! Routes that only read.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::IntoResponse;
use protocol::evidence::disclosure::Disclosure;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{Body, Refused, Who, month};
use super::shapes;
use crate::desk::{disclose as disclosing, sign};
use crate::queries::events::{self, Listed};
use crate::queries::months::{self, OwnMonth};
use crate::queries::status::{self, Status};
use crate::web::app::App;
use crate::web::tokens::Role;

/// Who may see private fields.
const PRIVATE: &[Role] = &[Role::Recorder, Role::Reviewer, Role::Head];

const NOTE: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];

/// How the unit stands.
#[utoipa::path(
    get,
    path = "/api/status",
    security(("token" = [])),
    responses((status = 200, body = shapes::Status))
)]
pub async fn status(State(app): State<App>, who: Who) -> Result<Json<Status>, Refused> {
    who.need(&Role::ALL)?;
    let (link, refused) = (app.service.link(), app.service.refused());
    let sent = app.service.sent();
    let work = app.service.with(move |books, now| {
        let status = status::status(books, link.as_ref(), refused, now)?;
        Ok(status.knowing(books, &sent))
    });
    Ok(Json(work.await?))
}

/// The unit's rollups in order.
#[utoipa::path(
    get,
    path = "/api/months",
    security(("token" = [])),
    responses((status = 200, body = Vec<shapes::OwnMonth>))
)]
pub async fn months(State(app): State<App>, who: Who) -> Result<Json<Vec<OwnMonth>>, Refused> {
    who.need(&Role::ALL)?;
    let sent = app.service.sent();
    let work = app
        .service
        .with(move |books, _| Ok(months::months(books, &sent)));
    Ok(Json(work.await?))
}

/// The note of a month's current rollup.
#[utoipa::path(
    get,
    path = "/api/months/{month}/rollup",
    params(("month" = String, Path)),
    security(("token" = [])),
    responses((status = 200, body = String), (status = 404, body = shapes::Faults))
)]
pub async fn rollup(
    State(app): State<App>,
    who: Who,
    Path(text): Path<String>,
) -> Result<impl IntoResponse, Refused> {
    who.need(&Role::ALL)?;
    let month = month(&text)?;
    let work = app
        .service
        .with(move |books, _| Ok(sign::latest(books, month)?.held().note.as_bytes().to_vec()));
    Ok((NOTE, work.await?))
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
pub struct EventsQuery {
    /// Month.
    month: String,
    /// Show the fields of sealed events too.
    #[serde(default)]
    private: bool,
}

/// The events of a month.
#[utoipa::path(
    get,
    path = "/api/events",
    params(EventsQuery),
    security(("token" = [])),
    responses((status = 200, body = Vec<shapes::Listed>))
)]
pub async fn events(
    State(app): State<App>,
    who: Who,
    Query(query): Query<EventsQuery>,
) -> Result<Json<Vec<Listed>>, Refused> {
    if query.private {
        who.need(PRIVATE)?;
        // Who looked at private fields is known; what was seen is not repeated.
        tracing::info!(
            caller = who.0.name,
            month = query.month,
            "private fields were listed"
        );
    } else {
        who.need(&Role::ALL)?;
    }
    let month = month(&query.month)?;
    let work = app
        .service
        .with(move |books, _| events::list(books, month, query.private));
    Ok(Json(work.await?))
}

/// What of an event.
#[derive(Debug, Deserialize, IntoParams)]
pub struct EventQuery {
    /// Show the fields of a sealed event too.
    #[serde(default)]
    private: bool,
}

/// One event.
#[utoipa::path(
    get,
    path = "/api/events/{index}",
    params(("index" = u64, Path), EventQuery),
    security(("token" = [])),
    responses((status = 200, body = shapes::Listed), (status = 404, body = shapes::Faults))
)]
pub async fn event(
    State(app): State<App>,
    who: Who,
    Path(index): Path<u64>,
    Query(query): Query<EventQuery>,
) -> Result<Json<Listed>, Refused> {
    let private = query.private;
    if private {
        who.need(PRIVATE)?;
    } else {
        who.need(&Role::ALL)?;
    }
    let work = app
        .service
        .with(move |books, _| events::event(books, index, private));
    let event = work.await?;
    if private {
        // Who looked at what is known, once there was something to see; what was seen is not
        // repeated.
        tracing::info!(
            caller = who.0.name,
            index,
            "the private fields of an event were shown"
        );
    }
    Ok(Json(event))
}

/// What is to be shown of an event.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscloseRequest {
    /// Log index.
    index: u64,
    /// Field names; none for a clear event.
    #[serde(default)]
    fields: Vec<String>,
    /// Show what it counts as, too.
    #[serde(default)]
    row: bool,
}

/// Shows chosen fields of one event with their proofs.
#[utoipa::path(
    post,
    path = "/api/disclosures",
    request_body = DiscloseRequest,
    security(("token" = [])),
    responses((status = 200, description = "a disclosure"), (status = 404, body = shapes::Faults))
)]
pub async fn disclose(
    State(app): State<App>,
    who: Who,
    Body(request): Body<DiscloseRequest>,
) -> Result<Json<Disclosure>, Refused> {
    who.need(&[Role::Head, Role::Inspector])?;
    tracing::info!(
        caller = who.0.name,
        index = request.index,
        fields = request.fields.len(),
        "fields of an event were disclosed"
    );
    let work = app.service.with(move |books, _| {
        disclosing::disclose(books, request.index, &request.fields, request.row)
    });
    Ok(Json(work.await?))
}

/// The signed catalogue in force.
#[utoipa::path(
    get,
    path = "/api/catalogue",
    security(("token" = [])),
    responses((status = 200, body = String), (status = 404))
)]
pub async fn catalogue(State(app): State<App>, who: Who) -> Result<impl IntoResponse, Refused> {
    who.need(&Role::ALL)?;
    let work = app.service.with(|books, _| {
        let last = books.catalogues().last();
        Ok(last.map(|(_, note)| note.as_bytes().to_vec()))
    });
    Ok(match work.await? {
        Some(bytes) => (StatusCode::OK, NOTE, bytes),
        None => (StatusCode::NOT_FOUND, NOTE, Vec::new()),
    })
}
