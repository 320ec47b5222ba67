//! The figures of a report: JSON, CSV, XLSX.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use protocol::readable::ReadableReport;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{Asked, Refused, Who, month};
use super::{figure_shapes, shapes};
use crate::export;
use crate::queries::figures::{self, WhichReport};
use crate::queries::units;
use crate::web::app::App;
use crate::web::tokens::Role;

/// The form of the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FigureForm {
    /// JSON.
    #[default]
    Json,
    /// CSV in UTF-8 with a byte order mark.
    Csv,
    /// A spreadsheet.
    Xlsx,
}

/// Which report, and in which form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FiguresQuery {
    /// Month, written 2023-03. The newest where it is left out.
    #[param(pattern = r"^\d{4}-\d{2}$", example = "2023-03")]
    month: Option<String>,
    /// Unit, by code or name. This unit's own report where it is left out.
    #[param(example = "140321")]
    unit: Option<String>,
    /// Revision. The last of the own ones, the accepted one of those from below.
    revision: Option<u32>,
    /// The form of the answer.
    #[serde(default)]
    #[param(inline)]
    format: FigureForm,
}

/// The figures of an own report or of one from below: names, units of measure, cells by label, what
/// each rests on, revision and digest.
#[utoipa::path(
    get,
    path = "/api/figures",
    params(FiguresQuery),
    security(("token" = [])),
    responses(
        (status = 200, description = "the figures", content(
            (figure_shapes::ReadableReport = "application/json"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 400, description = "a parameter is wrong", body = shapes::Faults),
        (status = 404, description = "no such report here", body = shapes::Faults),
        (status = 422, description = "no such unit or month", body = shapes::Faults),
    )
)]
pub async fn figures(
    State(app): State<App>,
    who: Who,
    Asked(asked): Asked<FiguresQuery>,
) -> Result<Response, Refused> {
    who.need(&Role::ALL)?;
    let month = asked.month.as_deref().map(month).transpose()?;
    let work = app.service.with(move |books, _| {
        let unit = asked.unit.as_deref().map(|unit| units::named(books, unit));
        let which = WhichReport {
            unit: unit.transpose()?,
            month,
            revision: asked.revision,
        };
        figures::figures(books, &which)
    });
    answer(&work.await?, asked.format)
}

fn answer(report: &ReadableReport, form: FigureForm) -> Result<Response, Refused> {
    const SHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let (kind, end, bytes) = match form {
        FigureForm::Json => return Ok(Json(report).into_response()),
        FigureForm::Csv => ("text/csv; charset=utf-8", "csv", export::csv(report)),
        FigureForm::Xlsx => (SHEET, "xlsx", export::xlsx(report)?),
    };
    let (unit, period, revision) = (&report.unit, report.period, report.revision);
    let name = format!("attachment; filename=\"{unit}-{period}.{revision}.{end}\"");
    let headings = [
        (header::CONTENT_TYPE, kind.to_string()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headings, bytes).into_response())
}
