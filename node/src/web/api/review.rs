//! Routes of the review.

use axum::Json;
use axum::extract::{Path, State};
use protocol::receipt::Decision;
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Body, Refused, Who, month};
use super::shapes;
use crate::queries::children::{self, ChildMonth, Decided};
use crate::queries::contradictions::{self, Contradicted};
use crate::review::{self, Ruling};
use crate::web::app::App;
use crate::web::tokens::Role;

/// Every rollup of the units below, with its checks.
#[utoipa::path(
    get,
    path = "/api/review",
    security(("token" = [])),
    responses((status = 200, body = Vec<shapes::ChildMonth>))
)]
pub async fn children(State(app): State<App>, who: Who) -> Result<Json<Vec<ChildMonth>>, Refused> {
    who.need(&Role::ALL)?;
    let work = app.service.with(|books, _| Ok(children::children(books)));
    Ok(Json(work.await?))
}

/// Every contradiction with both of its sides.
#[utoipa::path(
    get,
    path = "/api/contradictions",
    security(("token" = [])),
    responses((status = 200, body = Vec<shapes::Contradicted>))
)]
pub async fn contradictions(
    State(app): State<App>,
    who: Who,
) -> Result<Json<Vec<Contradicted>>, Refused> {
    who.need(&Role::ALL)?;
    let work = app
        .service
        .with(|books, _| contradictions::contradictions(books));
    Ok(Json(work.await?))
}

/// A decision on a child's month.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideRequest {
    /// accepted, returned, reopened.
    #[schema(value_type = String)]
    decision: Decision,
    /// Needed to return or reopen.
    #[serde(default)]
    reasons: Vec<String>,
    /// Figures or cells that the reasons are about.
    #[serde(default)]
    about: Vec<String>,
    /// Returns or opens also the later months of the unit, which rest on this one.
    #[serde(default)]
    later: bool,
    /// Accepts a report that was returned or opened again as it stands: no new revision comes.
    #[serde(default)]
    unchanged: bool,
}

/// Accepts, returns or reopens a child's month. The unit is named by its code or its name. Reasons
/// of an acceptance are a comment on it.
#[utoipa::path(
    post,
    path = "/api/review/{unit}/{month}",
    request_body = DecideRequest,
    params(("unit" = String, Path), ("month" = String, Path)),
    security(("token" = [])),
    responses(
        (status = 200, body = Vec<shapes::Decided>),
        (status = 422, body = shapes::Faults)
    )
)]
pub async fn decide(
    State(app): State<App>,
    who: Who,
    Path((unit, text)): Path<(String, String)>,
    Body(request): Body<DecideRequest>,
) -> Result<Json<Vec<Decided>>, Refused> {
    who.need(&[Role::Reviewer, Role::Head])?;
    let month = month(&text)?;
    let ruling = Ruling {
        decision: request.decision,
        reasons: request.reasons,
        about: request.about,
        by: who.operator(&app),
        later: request.later,
        unchanged: request.unchanged,
    };
    let notes = app
        .service
        .with(move |books, now| {
            let unit = children::named(books, &unit, month)?;
            review::decide(books, &unit, month, ruling, now)
        })
        .await?;
    let decided = children::decided(&notes);
    app.service.queue(notes);
    Ok(Json(decided))
}
