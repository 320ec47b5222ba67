//! Routes of the officer: who has not reported, what a report says, what changed, one figure side by
//! side, many accepted at once.

use axum::Json;
use axum::extract::{Path, State};
use protocol::period::Month;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{Asked, Body, Refused, Who, month};
use super::{figure_shapes, shapes};
use crate::queries::below::{self, Expected, FigureTable};
use crate::queries::child_report::{self, ChildReport};
use crate::queries::figures::{self, Difference};
use crate::queries::units;
use crate::review::{self, Accepted};
use crate::web::app::App;
use crate::web::tokens::Role;

/// Which revision.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RevisionQuery {
    /// Revision; the last that came where it is left out.
    revision: Option<u32>,
}

/// One report of a unit below, with everything that its officer decides by.
#[utoipa::path(
    get,
    path = "/api/review/{unit}/{month}",
    params(
        ("unit" = String, Path, description = "code or name"),
        ("month" = String, Path, example = "2023-03"),
        RevisionQuery
    ),
    security(("token" = [])),
    responses(
        (status = 200, description = "the report", body = figure_shapes::ChildReport),
        (status = 400, description = "a parameter is wrong", body = shapes::Faults),
        (status = 404, description = "no such report here", body = shapes::Faults),
        (status = 422, description = "no such unit or month", body = shapes::Faults),
    )
)]
pub async fn show(
    State(app): State<App>,
    who: Who,
    Path((unit, text)): Path<(String, String)>,
    Asked(asked): Asked<RevisionQuery>,
) -> Result<Json<ChildReport>, Refused> {
    who.need(&Role::ALL)?;
    let month = month(&text)?;
    let work = app.service.with(move |books, _| {
        let unit = units::named(books, &unit)?;
        child_report::child_report(books, &unit, month, asked.revision)
    });
    Ok(Json(work.await?))
}

/// Which two revisions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DifferenceQuery {
    /// The earlier revision. Both are given, or neither: then the last two.
    from: Option<u32>,
    /// The later revision.
    to: Option<u32>,
}

/// What changed between two revisions of a month, cell by cell: of a unit below, or of this one.
#[utoipa::path(
    get,
    path = "/api/review/{unit}/{month}/difference",
    params(
        ("unit" = String, Path, description = "code or name"),
        ("month" = String, Path, example = "2023-03"),
        DifferenceQuery
    ),
    security(("token" = [])),
    responses(
        (status = 200, description = "what changed", body = figure_shapes::Difference),
        (status = 400, description = "a parameter is wrong", body = shapes::Faults),
        (status = 404, description = "no such report here", body = shapes::Faults),
        (status = 422, description = "no such unit or month", body = shapes::Faults),
    )
)]
pub async fn difference(
    State(app): State<App>,
    who: Who,
    Path((unit, text)): Path<(String, String)>,
    Asked(asked): Asked<DifferenceQuery>,
) -> Result<Json<Difference>, Refused> {
    who.need(&Role::ALL)?;
    let month = month(&text)?;
    let revisions = match (asked.from, asked.to) {
        (None, None) => None,
        (from, to) => Some(from.zip(to).ok_or_else(|| one_of_two(from.is_some()))?),
    };
    let work = app.service.with(move |books, _| {
        let unit = units::named(books, &unit)?;
        figures::difference(books, &unit, month, revisions)
    });
    Ok(Json(work.await?))
}

fn one_of_two(has_from: bool) -> Refused {
    let fault = crate::fault::Fault::new(
        crate::fault::FaultCode::RequestParameter,
        "两个版次要么都写，要么都不写",
        "give both revisions, or neither",
    );
    let missing = if has_from { "to" } else { "from" };
    crate::fault::Faults(vec![fault.column(missing)]).into()
}

/// Which month.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MonthQuery {
    /// Month, written 2023-03.
    #[param(pattern = r"^\d{4}-\d{2}$", example = "2023-03")]
    month: String,
}

/// The units directly below whose report of a month is not accepted: not in, to decide, returned …
#[utoipa::path(
    get,
    path = "/api/review/missing",
    params(MonthQuery),
    security(("token" = [])),
    responses(
        (status = 200, description = "the units", body = Vec<figure_shapes::Expected>),
        (status = 400, description = "a parameter is wrong", body = shapes::Faults),
        (status = 422, description = "no such month", body = shapes::Faults),
    )
)]
pub async fn missing(
    State(app): State<App>,
    who: Who,
    Asked(asked): Asked<MonthQuery>,
) -> Result<Json<Vec<Expected>>, Refused> {
    who.need(&Role::ALL)?;
    let month = month(&asked.month)?;
    let work = app
        .service
        .with(move |books, now| Ok(below::missing(books, month, now)));
    Ok(Json(work.await?))
}

/// Which figure.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TableQuery {
    /// Month, written 2023-03.
    #[param(pattern = r"^\d{4}-\d{2}$", example = "2023-03")]
    month: String,
    /// Figure, by id or name.
    #[param(example = "I011")]
    figure: String,
    /// Tables (`sex`) or cells (`sex:2`, 女) that are shown beside the total, apart by commas.
    #[serde(default)]
    by: String,
}

/// One figure of every unit directly below, side by side; a unit that has not reported is there
/// without a number.
#[utoipa::path(
    get,
    path = "/api/review/table",
    params(TableQuery),
    security(("token" = [])),
    responses(
        (status = 200, description = "the table", body = figure_shapes::FigureTable),
        (status = 400, description = "a parameter is wrong", body = shapes::Faults),
        (status = 422, description = "no such month, figure or cell", body = shapes::Faults),
    )
)]
pub async fn table(
    State(app): State<App>,
    who: Who,
    Asked(asked): Asked<TableQuery>,
) -> Result<Json<FigureTable>, Refused> {
    who.need(&Role::ALL)?;
    let month = month(&asked.month)?;
    let by = asked.by.split(',').map(str::trim).filter(|c| !c.is_empty());
    let by: Vec<String> = by.map(str::to_string).collect();
    let work = app
        .service
        .with(move |books, now| below::table(books, month, &asked.figure, &by, now));
    Ok(Json(work.await?))
}

/// Reports that are accepted together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptRequest {
    /// Month.
    #[schema(value_type = String, example = "2023-03")]
    month: Month,
    /// Units, by code or name; none where `all_verified` is true: then every one that is wholly
    /// verified and waits for a decision.
    #[serde(default)]
    units: Vec<String>,
    /// Every unit whose report is wholly verified.
    #[serde(default)]
    all_verified: bool,
}

/// Accepts the reports of several units, each by itself. A report of which a check fails or has a
/// remark is refused here, and the others are accepted all the same.
#[utoipa::path(
    post,
    path = "/api/review/accept",
    request_body = AcceptRequest,
    security(("token" = [])),
    responses(
        (status = 200, description = "one outcome a unit", body = Vec<figure_shapes::Accepted>),
        (status = 400, description = "not the JSON that is described", body = shapes::Faults),
        (status = 422, description = "no such unit", body = shapes::Faults),
    )
)]
pub async fn accept(
    State(app): State<App>,
    who: Who,
    Body(request): Body<AcceptRequest>,
) -> Result<Json<Vec<Accepted>>, Refused> {
    who.need(&[Role::Reviewer, Role::Head])?;
    let (month, by) = (request.month, who.operator(&app));
    let work = app.service.with(move |books, now| {
        // Every name is read before anything is decided: a mistyped one decides nothing.
        let named = request.units.iter().map(|unit| units::named(books, unit));
        let mut units: Vec<_> = named.collect::<Result<_, _>>()?;
        if request.all_verified {
            units.extend(review::wholly_verified(books, month));
        }
        units.sort();
        units.dedup();
        Ok(review::accept_many(books, &units, month, &by, now))
    });
    let (notes, outcomes) = work.await?;
    app.service.queue(notes);
    Ok(Json(outcomes))
}
