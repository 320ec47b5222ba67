//! Routes of several files at once: recorded together, taken back together.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Body, Refused, Who};
use super::shapes;
use crate::desk::record::{self, Batch, Imported};
use crate::desk::{self, ImportRequest};
use crate::exchange::Form;
use crate::fault::{FaultCode, Faults};
use crate::web::app::App;
use crate::web::tokens::Role;

/// Several files, recorded all or none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// The files, in the order in which they are recorded.
    files: Vec<BatchFile>,
    /// Only report what is wrong; record nothing.
    #[serde(default)]
    dry_run: bool,
}

/// One of several files.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchFile {
    /// Event type, for example E16; JSONL rows and templates may name their own.
    #[serde(default, rename = "type")]
    event: Option<String>,
    /// `csv` (default), `jsonl` or `xlsx`.
    #[serde(default)]
    form: Option<String>,
    /// Its bytes, in base64.
    content: String,
}

impl BatchFile {
    fn request(self, operator: &str, dry_run: bool) -> Result<(ImportRequest, Vec<u8>), Faults> {
        let bytes = STANDARD.decode(&self.content).map_err(|_| {
            Faults::one(
                FaultCode::RequestJson,
                "content 不是 base64 编码。",
                "content is not base64",
            )
        })?;
        let request = ImportRequest {
            operator: operator.to_string(),
            form: Form::named(self.form.as_deref())?,
            event: self.event,
            valid_rows: false,
            dry_run,
        };
        Ok((request, bytes))
    }
}

/// Records several files in their order, all or nothing: a fault in one refuses all.
#[utoipa::path(
    post,
    path = "/api/batches",
    request_body = BatchRequest,
    security(("token" = [])),
    responses((status = 200, body = Vec<shapes::Imported>), (status = 422, body = Vec<shapes::Imported>))
)]
pub async fn import(
    State(app): State<App>,
    who: Who,
    Body(request): Body<BatchRequest>,
) -> Result<(StatusCode, Json<Vec<Imported>>), Refused> {
    who.need(&[Role::Recorder])?;
    let (operator, dry_run) = (who.operator(&app), request.dry_run);
    let files = request.files.into_iter();
    let files: Vec<_> = files
        .map(|file| file.request(&operator, dry_run))
        .collect::<Result<_, _>>()?;
    let work = app
        .service
        .with(move |books, now| desk::import_set(books, &files, now));
    let results = work.await?;
    let recorded: usize = results.iter().map(|imported| imported.recorded.len()).sum();
    app.service.count("recorded", recorded as u64);
    let good = results.iter().all(|imported| imported.faults.is_empty());
    let status = match good {
        true => StatusCode::OK,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Ok((status, Json(results)))
}

/// Why a batch is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidBatchRequest {
    /// A code of the catalogue, or its label.
    reason: String,
}

/// What was taken back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct VoidedBatch {
    /// Log indexes of the events.
    pub voided: Vec<u64>,
}

/// Takes back all that one import recorded (E70): all of it or nothing.
#[utoipa::path(
    post,
    path = "/api/batches/{batch}/void",
    request_body = VoidBatchRequest,
    params(("batch" = String, Path)),
    security(("token" = [])),
    responses((status = 200, body = VoidedBatch), (status = 422, body = shapes::Faults))
)]
pub async fn void(
    State(app): State<App>,
    who: Who,
    Path(batch): Path<String>,
    Body(request): Body<VoidBatchRequest>,
) -> Result<Json<VoidedBatch>, Refused> {
    who.need(&[Role::Recorder])?;
    let batch: Batch = batch.parse()?;
    let operator = who.operator(&app);
    let work = app
        .service
        .with(move |books, now| record::void_batch(books, &operator, batch, &request.reason, now));
    Ok(Json(VoidedBatch {
        voided: work.await?,
    }))
}
