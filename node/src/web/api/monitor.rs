//! Health and metrics: open to everybody, and nothing private in them.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::answer::Refused;
use crate::clock::stamp;
use crate::journal::JournalState;
use crate::queries::metrics::{self, Metric, NodeState};
use crate::web::app::App;

/// Whether the node lives, and whether it can record: 503 where only a restart helps. No token,
/// nothing private.
pub async fn health(State(app): State<App>) -> impl IntoResponse {
    let seen = app.service.link();
    let link = seen.as_ref().map_or("none", |seen| seen.status().word());
    let since = seen.map(|s| stamp(s.since));
    let health = app.service.health();
    let journal = match health.stopped {
        true => "stopped",
        false => health.journal.word(),
    };
    let hopeless = health.stopped || health.journal == JournalState::Poisoned;
    let status = match hopeless {
        true => StatusCode::SERVICE_UNAVAILABLE,
        false => StatusCode::OK,
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
    let answer = serde_json::json!({
        "unit": app.service.config.unit,
        "link": link,
        "since": since,
        "journal": journal,
        "view": view,
        "clock": clock,
        "key": health.key.word(),
    });
    (status, Json(answer))
}

/// Prometheus metrics: counts of the unit, never of persons.
pub async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, Refused> {
    let counters = app.service.counters();
    let health = app.service.health();
    let node = NodeState {
        link: app.service.link(),
        journal: health.journal,
        view_in_memory: health.view_in_memory,
        sent: app.service.sent(),
        clock_behind: health.clock_behind,
    };
    let work = app
        .service
        .with(move |books, now| Ok(metrics::gauges(books, &node, now)));
    let mut list = work.await?;
    list.extend(
        counters
            .into_iter()
            .map(|(name, value)| Metric::counter(name, value)),
    );
    let text: String = list.iter().map(exposition).collect();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}

/// One number in the text form of Prometheus.
fn exposition(metric: &Metric) -> String {
    let name = format!("countersign_{}", metric.name);
    let (help, kind, value) = (metric.help, metric.kind.as_str(), metric.value);
    format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n")
}
