//! Routes of the review.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::verify::Verdict;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::answer::{Body, Refused, Who};
use super::desk::month;
use super::tokens::Role;
use crate::fault::Faults;
use crate::review;

/// A rollup of a unit below.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChildMonth {
    /// Whose.
    #[schema(value_type = String)]
    pub unit: UnitId,
    /// Name.
    pub name: String,
    /// Month.
    #[schema(value_type = String)]
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// Digest.
    #[schema(value_type = String)]
    pub rollup: Digest,
    /// When it came, UTC.
    pub arrived: Option<String>,
    /// The checks; empty while it waits for something.
    #[schema(value_type = Vec<Object>)]
    pub verdicts: Vec<Verdict>,
    /// This unit's last word.
    #[schema(value_type = Option<String>)]
    pub decision: Option<Decision>,
    /// What the unit was caught at.
    pub flagged: Option<String>,
}

/// Every rollup of the units below, with its checks.
#[utoipa::path(get, path = "/api/review", security(("token" = [])), responses((status = 200, body = Vec<ChildMonth>)))]
pub async fn children(State(app): State<App>, who: Who) -> Result<Json<Vec<ChildMonth>>, Refused> {
    who.need(&Role::ALL)?;
    let list = app
        .service
        .with(|books, _| {
            let mut list = Vec::new();
            for (id, child) in &books.children {
                for held in child.known.values() {
                    let digest = held.digest();
                    list.push(ChildMonth {
                        unit: id.clone(),
                        name: child.unit.name.clone(),
                        period: held.rollup.period,
                        revision: held.rollup.revision,
                        rollup: digest,
                        arrived: child.arrived.get(&digest).map(|t| crate::clock::stamp(*t)),
                        verdicts: child.verdicts.get(&digest).cloned().unwrap_or_default(),
                        decision: child.decision(&digest),
                        flagged: child.flagged.clone(),
                    });
                }
            }
            Ok(list)
        })
        .await?;
    Ok(Json(list))
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
}

/// Accepts, returns or reopens a child's month.
#[utoipa::path(post, path = "/api/review/{unit}/{month}", request_body = DecideRequest, params(("unit" = String, Path), ("month" = String, Path)), security(("token" = [])), responses((status = 204), (status = 422, body = Faults)))]
pub async fn decide(
    State(app): State<App>,
    who: Who,
    Path((unit, text)): Path<(String, String)>,
    Body(request): Body<DecideRequest>,
) -> Result<StatusCode, Refused> {
    who.need(&[Role::Reviewer, Role::Head])?;
    let month = month(&text)?;
    let unit: UnitId = unit.parse().map_err(|_| Faults::one("review.unit", "单位代码有误", "not a unit"))?;
    let by = format!("{}/{}", app.service.config.unit, who.0.name);
    let note = app
        .service
        .with(move |books, now| review::decide(books, &unit, month, request.decision, request.reasons, request.about, &by, now))
        .await?;
    app.service.queue(vec![note]);
    Ok(StatusCode::NO_CONTENT)
}
