//! Routes of the review.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::period::Month;
use protocol::receipt::Decision;
use protocol::text::b64;
use protocol::verdict::Verdict;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Body, Refused, Who};
use super::app::App;
use super::desk::month;
use super::tokens::Role;
use crate::books::children::Side;
use crate::fault::{Faults, internal};
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
    /// What it waits for.
    pub waits: Option<String>,
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
                        waits: review::waits(books, held)
                            .filter(|_| !child.verdicts.contains_key(&digest)),
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

/// Two documents that cannot both be true, kept as evidence. What is a statement may be any bytes
/// that the unit put into its log; then the delivery is exact, and the text as good as it can be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Contradicted {
    /// Who signed both. This unit itself, where its parent answered for another rollup than this
    /// node has.
    #[schema(value_type = String)]
    pub unit: UnitId,
    /// What contradicts.
    pub what: String,
    /// What was known: a signed note.
    pub first: Option<String>,
    /// Where it is a statement: the delivery that proves its index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_delivery: Option<DeliveryBytes>,
    /// What came second: a signed note.
    pub second: String,
    /// Where it is a statement: the delivery that proves the same index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_delivery: Option<DeliveryBytes>,
}

/// A delivery as it came: a unit's statements, its signed checkpoint, and the proof that they stand
/// in its log (SPEC, section 4).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeliveryBytes {
    /// Index of the first statement.
    pub from: u64,
    /// The bytes, in base 64.
    pub bytes: String,
}

/// Every contradiction with both of its sides.
#[utoipa::path(get, path = "/api/contradictions", security(("token" = [])), responses((status = 200, body = Vec<Contradicted>)))]
pub async fn contradictions(
    State(app): State<App>,
    who: Who,
) -> Result<Json<Vec<Contradicted>>, Refused> {
    who.need(&Role::ALL)?;
    let list = app
        .service
        .with(|books, _| {
            let both = books.contradictions.iter().map(|c| {
                let (first, second) = books.both_sides(c).map_err(internal)?;
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let delivery = |side: &Side| {
                    side.delivery.as_ref().map(|(from, bytes)| DeliveryBytes {
                        from: *from,
                        bytes: b64::encode(bytes),
                    })
                };
                Ok(Contradicted {
                    unit: c.unit.clone(),
                    what: c.what.clone(),
                    first_delivery: first.as_ref().and_then(delivery),
                    first: first.map(|side| text(&side.note)),
                    second_delivery: delivery(&second),
                    second: text(&second.note),
                })
            });
            both.collect::<Result<Vec<_>, Faults>>()
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
    let unit: UnitId = unit
        .parse()
        .map_err(|_| Faults::one("review.unit", "单位代码有误", "not a unit"))?;
    let by = format!("{}/{}", app.service.config.unit, who.0.name);
    let note = app
        .service
        .with(move |books, now| {
            review::decide(
                books,
                &unit,
                month,
                request.decision,
                request.reasons,
                request.about,
                &by,
                now,
            )
        })
        .await?;
    app.service.queue(vec![note]);
    Ok(StatusCode::NO_CONTENT)
}
