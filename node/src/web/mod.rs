//! The API: JSON under `/api`, described by its own OpenAPI document. It holds no rule of the
//! domain: it translates.
//!
//! Every route under `/api` but the OpenAPI document asks for a bearer token; what a token may do
//! is told by its roles ([`tokens`]). `/health` and `/metrics` are open and hold nothing but counts
//! of the unit. Faults are answered as a list, each with place, code and cure in both languages:
//! 422 for input, 403 for a missing role, 429 for asking too often, 413 and 408 for what is too
//! large or takes too long. Connections and TLS are [`serve`]'s.

pub mod api;
mod app;
mod pace;
mod places;
mod rate;
mod refused_files;
pub mod serve;
pub mod tokens;

use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use api::{answer, batches, below, desk, evidence, figures, monitor, operators, read, review};

pub use app::App;
pub use places::MAX_EVIDENCE_FILES;

/// Largest request.
pub const MAX_REQUEST_BYTES: usize = 16 << 20;

#[derive(OpenApi)]
#[openapi(info(
    title = "Countersign node",
    description = "One unit of a federated, verifiable reporting system / 核签节点接口"
))]
struct Document;

/// What is read and decided of the units below.
fn of_review() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(review::children))
        .routes(routes!(review::contradictions))
        .routes(routes!(review::decide, below::show))
        .routes(routes!(below::difference))
        .routes(routes!(below::missing))
        .routes(routes!(below::table))
        .routes(routes!(below::accept))
        .routes(routes!(figures::figures))
}

/// The router and its OpenAPI document.
pub fn router(app: App) -> (Router, utoipa::openapi::OpenApi) {
    let (router, mut api) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(read::status))
        .routes(routes!(read::months))
        .routes(routes!(read::rollup))
        .routes(routes!(read::events))
        .routes(routes!(read::event))
        .routes(routes!(evidence::evidence))
        .routes(routes!(read::disclose))
        .routes(routes!(read::catalogue))
        .routes(routes!(desk::import))
        .routes(routes!(desk::void))
        .routes(routes!(batches::import))
        .routes(routes!(batches::void))
        .routes(routes!(desk::correct))
        .routes(routes!(desk::close))
        .routes(routes!(desk::preview))
        .routes(routes!(desk::undo))
        .routes(routes!(desk::signatures))
        .routes(routes!(desk::submit))
        .routes(routes!(operators::enrol))
        .routes(routes!(operators::revoke))
        .routes(routes!(operators::publish))
        .merge(of_review())
        .split_for_parts();
    let components = api.components.get_or_insert_default();
    components.add_security_scheme(
        "token",
        SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
    );
    let document = serde_json::to_string(&api).expect("a document of texts is always JSON");
    let limit = app.service.config.limits.request_time();
    let router = router
        .route(
            "/api/openapi.json",
            get(move || async move { ([("content-type", "application/json")], document) }),
        )
        .route("/health", get(monitor::health))
        .route("/metrics", get(monitor::metrics))
        .with_state(app.clone())
        .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
        .layer(TimeoutLayer::with_status_code(
            axum::http::StatusCode::REQUEST_TIMEOUT,
            limit,
        ))
        .layer(middleware::from_fn_with_state(app.clone(), pace::bodies))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(app, answer::admit))
        .layer(middleware::map_response(answer::explain));
    (router, api)
}
