//! Routes that only read.

use axum::Json;
use axum::extract::{self, Path, Query};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use protocol::digest::Digest;
use protocol::evidence::disclosure::Disclosure;
use protocol::period::Month;
use protocol::receipt::Decision;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Body, Refused, Who};
use super::app::App;
use super::desk::month;
use super::tokens::Role;
use crate::desk::audit::{self, Listed};
use crate::desk::{close, open_month, sign};
use crate::fault::{Faults, internal};
use crate::journal::JournalState;
use crate::link::Durability;

/// Whether the node lives, and whether it can record: 503 where only a restart helps. No token,
/// nothing private.
pub async fn health(extract::State(app): extract::State<App>) -> impl IntoResponse {
    let seen = app.service.link.lock().ok().and_then(|l| l.clone());
    let link = match &seen {
        None => "none",
        Some(s) if matches!(s.state.durability, Durability::Refused(_)) => "refused",
        Some(s) if s.is_up() => "connected",
        Some(_) => "disconnected",
    };
    let since = seen.map(|s| crate::clock::stamp(s.since));
    let health = app.service.health();
    let (status, journal) = match (health.stopped, health.journal) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "stopped"),
        (false, JournalState::Poisoned) => (StatusCode::SERVICE_UNAVAILABLE, "poisoned"),
        (false, JournalState::Full) => (StatusCode::OK, "full"),
        (false, JournalState::Writable) => (StatusCode::OK, "writable"),
    };
    let view = if health.view_in_memory {
        "memory"
    } else {
        "disk"
    };
    let clock = if health.clock_behind > 0 {
        "behind"
    } else {
        "ok"
    };
    let unit = &app.service.config.unit;
    let answer = serde_json::json!({ "unit": unit, "link": link, "since": since, "journal": journal, "view": view, "clock": clock });
    (status, Json(answer))
}

/// Prometheus metrics: counts of the unit, never of persons.
pub async fn metrics(
    extract::State(app): extract::State<App>,
) -> Result<impl IntoResponse, Refused> {
    let counters = app
        .service
        .counters
        .lock()
        .map(|c| c.clone())
        .unwrap_or_default();
    let health = app.service.health();
    let link = app.service.link.lock().ok().and_then(|l| l.clone());
    let lines = app
        .service
        .with(move |books, now| {
            let (bytes, entries, rebuilt) = books.size();
            let waiting = books.outbox().count();
            let seconds = |since: DateTime<Utc>| u64::try_from((now - since).num_seconds()).unwrap_or(0);
            let oldest = books.outbox().filter_map(|r| r.submitted).min();
            let mut text = String::new();
            let mut gauge = |name: &str, help: &str, kind: &str, value: u64| {
                text.push_str(&format!("# HELP countersign_{name} {help}\n# TYPE countersign_{name} {kind}\ncountersign_{name} {value}\n"));
            };
            gauge("journal_bytes", "Bytes of the journal on disk.", "gauge", bytes);
            gauge("journal_entries", "Entries of the journal.", "gauge", entries);
            gauge(
                "log_leaves",
                "Statements in the unit's log.",
                "gauge",
                books.log.as_ref().map_or(0, protocol::verify::log::UnitLog::len),
            );
            gauge("months_closed", "Rollups made, revisions included.", "gauge", books.rollups.len() as u64);
            gauge("outbox_waiting", "Submitted rollups without a receipt.", "gauge", waiting as u64);
            gauge(
                "outbox_oldest_seconds",
                "How long the oldest of these has waited since it was submitted.",
                "gauge",
                oldest.map_or(0, seconds),
            );
            if let Some(link) = &link {
                gauge("link_up", "1 if messages go through to the NATS server.", "gauge", u64::from(link.is_up()));
                let down = if link.is_up() { 0 } else { seconds(link.since) };
                gauge("link_down_seconds", "How long the NATS server has not been reached, 0 if it is.", "gauge", down);
            }
            gauge("contradictions", "Contradictions kept as evidence.", "gauge", books.contradictions.len() as u64);
            gauge("view_rebuilt", "1 if the view was rebuilt at start.", "gauge", u64::from(rebuilt));
            gauge("view_in_memory", "1 if the disk takes no view until the next start.", "gauge", u64::from(health.view_in_memory));
            gauge("journal_full", "1 if the last write found the disk full.", "gauge", u64::from(health.journal == JournalState::Full));
            gauge("journal_poisoned", "1 if the disk failed: restart.", "gauge", u64::from(health.journal == JournalState::Poisoned));
            gauge("clock_behind_seconds", "By how much the clock is behind what was recorded last.", "gauge", health.clock_behind);
            for (name, value) in counters {
                gauge(&format!("{name}_total"), "Counted since start.", "counter", value);
            }
            Ok(text)
        })
        .await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], lines))
}

/// How a unit stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Unit.
    pub unit: String,
    /// Name.
    pub name: String,
    /// Tier.
    pub tier: String,
    /// The month that events are recorded in.
    #[schema(value_type = String)]
    pub open: Month,
    /// Its last day to be on time.
    pub due: String,
    /// Statements in the log.
    pub leaves: u64,
    /// Rollups that wait for a receipt.
    pub waiting: Vec<String>,
    /// When the oldest of these was submitted.
    pub waiting_since: Option<String>,
    /// Children whose rollup of the open month is not accepted yet.
    pub children_missing: Vec<String>,
    /// How the link stands.
    pub link: String,
    /// Since when no unit above or below has been reached; none while the link is up.
    pub unreached_since: Option<String>,
    /// What is wrong with it.
    pub trouble: Option<String>,
    /// Contradictions kept as evidence.
    pub contradictions: Vec<String>,
    /// Under whose name something was refused at the door in this run of the node, when, and why.
    /// It was not kept.
    #[serde(default)]
    pub refused: Vec<String>,
    /// Registry version.
    pub registry: u64,
    /// Catalogue digest.
    #[schema(value_type = Option<String>)]
    pub catalogue: Option<Digest>,
    /// The node's clock.
    pub now: String,
}

/// How the unit stands.
#[utoipa::path(get, path = "/api/status", security(("token" = [])), responses((status = 200, body = Status)))]
pub async fn status(
    extract::State(app): extract::State<App>,
    who: Who,
) -> Result<Json<Status>, Refused> {
    who.need(&Role::ALL)?;
    let link = app.service.link.lock().ok().and_then(|l| l.clone());
    let refused = app.service.refused();
    let status = app
        .service
        .with(move |books, now| {
            let me = books.me().cloned().ok_or_else(|| internal("no registry"))?;
            let open = open_month(books)?;
            let trouble = link.as_ref().and_then(|l| match &l.state.durability {
                Durability::Refused(why) => Some(why.clone()),
                _ if l.is_up() => None,
                _ => l.state.trouble.as_ref().map(|(_, t)| t.to_string()),
            });
            let oldest = books.outbox().filter_map(|r| r.submitted).min();
            Ok(Status {
                unit: me.id.to_string(),
                name: me.name.clone(),
                tier: me.tier.to_string(),
                open,
                due: books.reporting().due(me.tier, open).to_string(),
                leaves: books
                    .log
                    .as_ref()
                    .map_or(0, protocol::verify::log::UnitLog::len),
                waiting: books
                    .outbox()
                    .map(|r| format!("{}.{}", r.held.rollup.period, r.held.rollup.revision))
                    .collect(),
                waiting_since: oldest.map(crate::clock::stamp),
                children_missing: close::waiting_for(books, open)
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
                link: link.as_ref().map_or("none".into(), |l| {
                    format!("{:?}", l.state.connection).to_lowercase()
                }),
                unreached_since: link
                    .as_ref()
                    .filter(|l| !l.is_up())
                    .map(|l| crate::clock::stamp(l.since)),
                trouble,
                contradictions: books
                    .contradictions
                    .iter()
                    .map(|c| format!("{}: {}", c.unit, c.what))
                    .collect(),
                refused,
                registry: books.registry().map_or(0, |r| r.registry().version),
                catalogue: books.counting().map(|c| c.digest),
                now: crate::clock::stamp(now),
            })
        })
        .await?;
    Ok(Json(status))
}

/// One rollup of the unit.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OwnMonth {
    /// Month.
    #[schema(value_type = String)]
    pub period: Month,
    /// Revision.
    pub revision: u32,
    /// Digest.
    #[schema(value_type = String)]
    pub rollup: Digest,
    /// Signatories who have not signed.
    pub unsigned: Vec<String>,
    /// Handed to the outbox at.
    pub submitted: Option<String>,
    /// The parent's last word.
    #[schema(value_type = Option<String>)]
    pub decision: Option<Decision>,
    /// Its reasons.
    pub reasons: Vec<String>,
    /// What the parent checked.
    #[schema(value_type = Vec<Object>)]
    pub checks: Vec<protocol::verdict::Verdict>,
}

/// The unit's rollups in order.
#[utoipa::path(get, path = "/api/months", security(("token" = [])), responses((status = 200, body = Vec<OwnMonth>)))]
pub async fn months(
    extract::State(app): extract::State<App>,
    who: Who,
) -> Result<Json<Vec<OwnMonth>>, Refused> {
    who.need(&Role::ALL)?;
    let list = app
        .service
        .with(|books, _| {
            let list = books.rollups.values().map(|r| {
                let last = r.receipts.last().map(|(r, _)| r);
                OwnMonth {
                    period: r.held.rollup.period,
                    revision: r.held.rollup.revision,
                    rollup: r.held.digest(),
                    unsigned: sign::unsigned(books, r),
                    submitted: r.submitted.map(crate::clock::stamp),
                    decision: r.decision(),
                    reasons: last.map(|r| r.reasons.clone()).unwrap_or_default(),
                    checks: last.map(|r| r.checks.clone()).unwrap_or_default(),
                }
            });
            Ok(list.collect::<Vec<_>>())
        })
        .await?;
    Ok(Json(list))
}

/// The note of a month's current rollup.
#[utoipa::path(get, path = "/api/months/{month}/rollup", params(("month" = String, Path)), security(("token" = [])), responses((status = 200, body = String), (status = 404, body = Faults)))]
pub async fn rollup(
    extract::State(app): extract::State<App>,
    who: Who,
    Path(text): Path<String>,
) -> Result<impl IntoResponse, Refused> {
    who.need(&Role::ALL)?;
    let month = month(&text)?;
    let bytes = app
        .service
        .with(move |books, _| Ok(sign::latest(books, month)?.held.note.as_bytes().to_vec()))
        .await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], bytes))
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
#[utoipa::path(get, path = "/api/events", params(EventsQuery), security(("token" = [])), responses((status = 200, body = Vec<Listed>)))]
pub async fn events(
    extract::State(app): extract::State<App>,
    who: Who,
    Query(query): Query<EventsQuery>,
) -> Result<Json<Vec<Listed>>, Refused> {
    if query.private {
        who.need(&[Role::Recorder, Role::Reviewer, Role::Head])?;
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
    Ok(Json(
        app.service
            .with(move |books, _| audit::list(books, month, query.private))
            .await?,
    ))
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
#[utoipa::path(post, path = "/api/disclosures", request_body = DiscloseRequest, security(("token" = [])), responses((status = 200, description = "a disclosure"), (status = 404, body = Faults)))]
pub async fn disclose(
    extract::State(app): extract::State<App>,
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
    Ok(Json(
        app.service
            .with(move |books, _| {
                audit::disclose(books, request.index, &request.fields, request.row)
            })
            .await?,
    ))
}

/// The signed catalogue in force.
#[utoipa::path(get, path = "/api/catalogue", security(("token" = [])), responses((status = 200, body = String), (status = 404)))]
pub async fn catalogue(
    extract::State(app): extract::State<App>,
    who: Who,
) -> Result<impl IntoResponse, Refused> {
    who.need(&Role::ALL)?;
    let note = app
        .service
        .with(|books, _| {
            Ok(books
                .catalogues()
                .last()
                .map(|(_, n)| n.as_bytes().to_vec()))
        })
        .await?;
    match note {
        Some(bytes) => Ok((
            StatusCode::OK,
            [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
            bytes,
        )),
        None => Ok((
            StatusCode::NOT_FOUND,
            [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
            Vec::new(),
        )),
    }
}
