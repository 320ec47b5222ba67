//! Routes of those who run the node: people's keys and what was published.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use protocol::note::VerifierKey;
use protocol::person;
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Body, Refused, Who};
use super::shapes;
use crate::books::BooksError;
use crate::desk::record;
use crate::fault::{FaultCode, Faults};
use crate::web::app::App;
use crate::web::tokens::Role;

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
        let code = FaultCode::of_protocol(e.code());
        let zh = format!("密钥有误：{}", code.meaning().zh);
        Faults::one(code, zh, e.to_string()).into()
    })
}

/// Enrols a person's key in the unit's log.
#[utoipa::path(
    post,
    path = "/api/operators",
    request_body = EnrolRequest,
    security(("token" = [])),
    responses((status = 204), (status = 422, body = shapes::Faults))
)]
pub async fn enrol(
    State(app): State<App>,
    who: Who,
    Body(request): Body<EnrolRequest>,
) -> Result<StatusCode, Refused> {
    who.need(&[Role::Operator])?;
    let key = vkey(&request.vkey)?;
    let roles: Option<Vec<person::Role>> = request
        .roles
        .iter()
        .map(|r| person::Role::parse(r))
        .collect();
    let roles = roles.ok_or_else(|| {
        Faults::one(
            FaultCode::OperatorRoles,
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
#[utoipa::path(
    post,
    path = "/api/operators/revoke",
    request_body = RevokeRequest,
    security(("token" = [])),
    responses((status = 204), (status = 422, body = shapes::Faults))
)]
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
#[utoipa::path(
    post,
    path = "/api/published",
    request_body(content = String, content_type = "text/plain"),
    security(("token" = [])),
    responses((status = 204), (status = 422, body = shapes::Faults))
)]
pub async fn publish(State(app): State<App>, who: Who, body: Bytes) -> Result<StatusCode, Refused> {
    who.need(&[Role::Operator])?;
    app.service
        .with(move |books, _| {
            books.install(&[body.to_vec()]).map_err(|e| match e {
                BooksError::Published { .. } => {
                    Faults::one(FaultCode::PublishedRefused, e.zh(), e.to_string())
                }
                e => e.into(),
            })
        })
        .await?;
    app.service.wake_outbox();
    Ok(StatusCode::NO_CONTENT)
}
