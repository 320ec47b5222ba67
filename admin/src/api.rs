//! Talking to a running node through its API. Never to its database.

use std::sync::Arc;
use std::time::Duration;

use node::desk::close::{CloseRequest, Closed};
use node::desk::preview::Preview;
use node::desk::record::{Imported, Recorded, Taking, Voided};
use node::desk::undo::Undone;
use node::fault::{FaultCode, Faults};
use node::queries::below::{Expected, FigureTable};
use node::queries::child_report::ChildReport;
use node::queries::events::Listed;
use node::queries::figures::Difference;
use node::queries::{
    children::{ChildMonth, Decided},
    contradictions::Contradicted,
};
use node::queries::{months::OwnMonth, status::Status};
use node::review::Accepted;
use protocol::evidence::disclosure::Disclosure;
use protocol::period::Month;
use protocol::readable::ReadableReport;
use protocol::receipt::Decision;
use protocol::verdict::Verdict;
use serde::de::DeserializeOwned;
use ureq::tls::{PemItem, RootCerts, TlsConfig};
use zeroize::Zeroizing;

/// How often a call that the node puts off is repeated.
const MAX_RETRIES: usize = 5;
/// A longer wait, in seconds, is for the person to decide on.
const MAX_RETRY_AFTER_SECONDS: u64 = 10;

/// How long a file of any size may take.
const EVIDENCE_TIMEOUT: Duration = Duration::from_secs(3600);

/// The largest answer, in bytes: an evidence file.
const MAX_ANSWER_BYTES: u64 = 4 << 30;

/// Whether a request can change something at the node. Where the answer to one that can does not
/// come, nobody knows here whether it was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// It only reads.
    Reads,
    /// It records, signs or decides.
    Changes,
}

impl Effect {
    /// What is to be said where a request was sent and no answer came that can be read.
    fn unanswered(self) -> &'static str {
        match self {
            Effect::Reads => "",
            Effect::Changes => {
                "; the request was sent and may have been carried out all the same: look, or send \
                 it again, nothing counts twice / 请求已经发出，可能已经办理：请先查看，或再次提交，\
                 不会重复计数"
            }
        }
    }
}

/// Whether a call failed before anything of the request was sent.
fn is_unsent(error: &ureq::Error) -> bool {
    use std::io::ErrorKind as Kind;
    use ureq::{Error, Timeout};
    match error {
        Error::Io(e) => matches!(
            e.kind(),
            // The last is a certificate that is not trusted.
            Kind::ConnectionRefused
                | Kind::HostUnreachable
                | Kind::NetworkUnreachable
                | Kind::AddrNotAvailable
                | Kind::NotFound
                | Kind::InvalidData
        ),
        Error::Timeout(Timeout::Resolve | Timeout::Connect)
        | Error::HostNotFound
        | Error::ConnectionFailed
        | Error::BadUri(_)
        | Error::Http(_)
        | Error::Tls(_) => true,
        _ => false,
    }
}

/// An answer in memory.
fn read_whole(body: &mut ureq::Body) -> Result<Vec<u8>, std::io::Error> {
    let mut bytes = Vec::new();
    std::io::copy(
        &mut body.with_config().limit(MAX_ANSWER_BYTES).reader(),
        &mut bytes,
    )?;
    Ok(bytes)
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The node cannot be reached.
    #[error(
        "{url}: {message}; is the node running, and is this its address? [{code}]",
        code = FaultCode::ApiUnreachable
    )]
    Unreachable {
        /// Which call.
        url: String,
        /// What went wrong.
        message: String,
    },
    /// The node refuses; the faults say why and what to do.
    #[error("{0}")]
    Refused(Faults),
    /// The authority's certificate cannot be used.
    #[error("{0} [{code}]", code = FaultCode::ApiCa)]
    Authority(String),
    /// An answer that is not understood.
    #[error(
        "{url}: status {status}: {message} [{code}]",
        code = FaultCode::ApiAnswer
    )]
    Answer {
        /// Which call.
        url: String,
        /// Status code.
        status: u16,
        /// What came.
        message: String,
    },
}

/// A text as one segment of a path.
fn segment(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    bytes.collect()
}

/// A decision on a child's month.
#[derive(Debug, serde::Serialize)]
pub struct DecisionRequest<'a> {
    /// The decision.
    pub decision: Decision,
    /// Why.
    pub reasons: &'a [String],
    /// What the reasons are about.
    pub about: &'a [String],
    /// The unit's later months as well.
    pub later: bool,
    /// What was returned or opened again is accepted as it stands.
    pub unchanged: bool,
}

/// A node and a token for it.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    token: Arc<Zeroizing<String>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.base)
    }
}

impl Client {
    /// A client of the node at `base` (`http://127.0.0.1:8321`).
    pub fn new(base: &str, token: &str) -> Client {
        Client::trusting(TlsConfig::default(), base, token)
    }

    /// The same for `https://` with a certificate of an authority of one's own: only what its PEM
    /// file holds is trusted.
    ///
    /// # Errors
    /// [`ApiError::Authority`].
    pub fn with_authority(base: &str, token: &str, pem: &[u8]) -> Result<Client, ApiError> {
        let certificates: Result<Vec<_>, _> = ureq::tls::parse_pem(pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(c)) => Some(Ok(c)),
                Ok(_) => None,
                Err(e) => Some(Err(ApiError::Authority(e.to_string()))),
            })
            .collect();
        let certificates = certificates?;
        if certificates.is_empty() {
            return Err(ApiError::Authority(
                "the file holds no certificate in PEM form".into(),
            ));
        }
        Ok(Client::trusting(
            TlsConfig::builder()
                .root_certs(RootCerts::new_with_certs(&certificates))
                .build(),
            base,
            token,
        ))
    }

    fn trusting(tls: TlsConfig, base: &str, token: &str) -> Client {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(180)))
            .http_status_as_error(false)
            .proxy(None)
            // A redirect could carry the token elsewhere; a node never redirects.
            .max_redirects(0)
            .tls_config(tls)
            .build();
        let token = Arc::new(Zeroizing::new(token.to_string()));
        Client {
            agent: config.into(),
            base: base.trim_end_matches('/').to_string(),
            token,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Calls, and calls again when the node says that it is asked too often, after the time that it
    /// names; not for ever. `also` are statuses whose body is an answer too; `take` takes the
    /// answer's body.
    fn ask<T>(
        &self,
        (path, effect): (&str, Effect),
        call: impl Fn() -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
        also: &[u16],
        take: impl FnOnce(&mut ureq::Body) -> Result<T, std::io::Error>,
    ) -> Result<T, ApiError> {
        let unreachable = |message: String| ApiError::Unreachable {
            url: self.url(path),
            message,
        };
        let unanswered = |e: std::io::Error| unreachable(format!("{e}{}", effect.unanswered()));
        let mut turns = 0..MAX_RETRIES;
        loop {
            let mut response = call().map_err(|e| {
                let may_be_done = if is_unsent(&e) {
                    ""
                } else {
                    effect.unanswered()
                };
                unreachable(format!("{e}{may_be_done}"))
            })?;
            let status = response.status().as_u16();
            if (200..300).contains(&status) || also.contains(&status) {
                return take(response.body_mut()).map_err(unanswered);
            }
            let wait = response
                .headers()
                .get("retry-after")
                .and_then(|v| v.to_str().ok())
                .and_then(|v| v.parse::<u64>().ok());
            let body = read_whole(response.body_mut()).map_err(unanswered)?;
            let faults = serde_json::from_slice::<Faults>(&body);
            // 503 and 429 say that nothing of the request was done. But a wrong token stays wrong
            // however long one waits.
            let hopeless = faults
                .as_ref()
                .is_ok_and(|f| f.0.iter().any(|f| f.code == FaultCode::LimitToken));
            let wait = wait.filter(|seconds| {
                *seconds <= MAX_RETRY_AFTER_SECONDS && matches!(status, 429 | 503) && !hopeless
            });
            if let (Some(seconds), Some(_)) = (wait, turns.next()) {
                std::thread::sleep(Duration::from_secs(seconds));
                continue;
            }
            return Err(match faults {
                Ok(faults) => ApiError::Refused(faults),
                Err(_) => {
                    let begin: String = String::from_utf8_lossy(&body).chars().take(300).collect();
                    // A proxy says so of a node that it handed the request to and lost.
                    let may_be_done = if status < 500 {
                        ""
                    } else {
                        effect.unanswered()
                    };
                    ApiError::Answer {
                        url: self.url(path),
                        status,
                        message: begin + may_be_done,
                    }
                }
            });
        }
    }

    fn bearer(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("Bearer {}", self.token.as_str()))
    }

    /// GET, raw.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn get(&self, path: &str) -> Result<Vec<u8>, ApiError> {
        self.ask(
            (path, Effect::Reads),
            || {
                self.agent
                    .get(self.url(path))
                    .header("authorization", self.bearer().as_str())
                    .call()
            },
            &[],
            read_whole,
        )
    }

    /// POST, raw.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn post(
        &self,
        path: &str,
        kind: &str,
        body: &[u8],
        also: &[u16],
    ) -> Result<Vec<u8>, ApiError> {
        let call = || {
            self.agent
                .post(self.url(path))
                .header("authorization", self.bearer().as_str())
                .header("content-type", kind)
                .send(body)
        };
        self.ask((path, Effect::Changes), call, also, read_whole)
    }

    fn read<T: DeserializeOwned>(&self, path: &str, body: &[u8]) -> Result<T, ApiError> {
        serde_json::from_slice(body).map_err(|e| ApiError::Answer {
            url: self.url(path),
            status: 200,
            message: e.to_string(),
        })
    }

    fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let body = self.get(path)?;
        self.read(path, &body)
    }

    /// POST of JSON.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn post_json(&self, path: &str, body: &serde_json::Value) -> Result<Vec<u8>, ApiError> {
        self.post(path, "application/json", body.to_string().as_bytes(), &[])
    }

    /// Whether the node answers, and how its link stands.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn health(&self) -> Result<serde_json::Value, ApiError> {
        self.get_json("/health")
    }
    /// How the unit stands.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn status(&self) -> Result<Status, ApiError> {
        self.get_json("/api/status")
    }
    /// The unit's rollups.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn months(&self) -> Result<Vec<OwnMonth>, ApiError> {
        self.get_json("/api/months")
    }
    /// The children's rollups.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn children(&self) -> Result<Vec<ChildMonth>, ApiError> {
        self.get_json("/api/review")
    }
    /// Every contradiction with both of its sides.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn contradictions(&self) -> Result<Vec<Contradicted>, ApiError> {
        self.get_json("/api/contradictions")
    }
    /// The events of a month.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn events(&self, month: Month, private: bool) -> Result<Vec<Listed>, ApiError> {
        self.get_json(&format!("/api/events?month={month}&private={private}"))
    }
    /// Imports a file; refused rows are in the answer, not an error.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn import(
        &self,
        event: Option<&str>,
        form: &str,
        valid_rows: bool,
        dry_run: bool,
        body: &[u8],
    ) -> Result<Imported, ApiError> {
        let event = event.map(|e| format!("&type={e}")).unwrap_or_default();
        let path =
            format!("/api/events?form={form}&valid_rows={valid_rows}&dry_run={dry_run}{event}");
        let answer = self.post(&path, "text/csv", body, &[422])?;
        // 422 carries either the import's report, or a list of faults of the file as a whole.
        if let Ok(Faults(faults)) = serde_json::from_slice(&answer) {
            return Ok(Imported {
                faults,
                ..Imported::default()
            });
        }
        self.read(&path, &answer)
    }
    /// Imports several files, all or nothing; each is its type, its form and its bytes in base64.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn import_set(&self, request: &serde_json::Value) -> Result<Vec<Imported>, ApiError> {
        let body = serde_json::to_vec(request).unwrap_or_default();
        let answer = self.post("/api/batches", "application/json", &body, &[422])?;
        // 422 carries either the files' reports, or what is wrong with one as a whole.
        if let Ok(results) = serde_json::from_slice(&answer) {
            return Ok(results);
        }
        let faults = self.read::<Faults>("/api/batches", &answer)?;
        Ok(vec![Imported {
            faults: faults.0,
            ..Imported::default()
        }])
    }
    /// Takes back all that one import recorded; gives the log indexes.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn void_batch(&self, batch: &str, reason: &str) -> Result<Vec<u64>, ApiError> {
        let path = format!("/api/batches/{batch}/void");
        let body = self.post_json(&path, &serde_json::json!({ "reason": reason }))?;
        let voided: node::web::api::batches::VoidedBatch = self.read(&path, &body)?;
        Ok(voided.voided)
    }
    /// Takes an event back.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn void(&self, index: u64, reason: &str) -> Result<Voided, ApiError> {
        let taking = Taking {
            reason: reason.to_string(),
            ..Taking::default()
        };
        self.take_back(index, &taking)
    }
    /// The same with everything that can be said.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn take_back(&self, index: u64, taking: &Taking) -> Result<Voided, ApiError> {
        let path = format!("/api/events/{index}/void");
        let body = serde_json::json!({
            "reason": taking.reason,
            "in_open_month": taking.in_open_month,
            "with_resting": taking.with_resting,
        });
        let answer = self.post_json(&path, &body)?;
        self.read(&path, &answer)
    }
    /// One event, without its private fields.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn event(&self, index: u64) -> Result<Listed, ApiError> {
        let path = format!("/api/events/{index}");
        let answer = self.get(&path)?;
        self.read(&path, &answer)
    }
    /// Replaces an event.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn correct(
        &self,
        index: u64,
        reason: &str,
        event: &serde_json::Value,
    ) -> Result<Recorded, ApiError> {
        let path = format!("/api/events/{index}/correct");
        let body = serde_json::json!({ "reason": reason, "event": event });
        let answer = self.post_json(&path, &body)?;
        self.read(&path, &answer)
    }
    /// Changes some fields of an event, each named as a column of a file is.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn change(
        &self,
        index: u64,
        reason: &str,
        set: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Recorded, ApiError> {
        self.correct_so(index, &serde_json::json!({ "reason": reason, "set": set }))
    }
    /// Corrects an event by a request as the API takes it.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn correct_so(&self, index: u64, body: &serde_json::Value) -> Result<Recorded, ApiError> {
        let path = format!("/api/events/{index}/correct");
        let answer = self.post_json(&path, body)?;
        self.read(&path, &answer)
    }
    /// Closes a month.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn close(&self, month: Month, request: &CloseRequest) -> Result<Closed, ApiError> {
        let path = format!("/api/months/{month}/close");
        let body = serde_json::json!(request);
        let answer = self.post_json(&path, &body)?;
        self.read(&path, &answer)
    }
    /// What a close would make; nothing is written.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn preview(&self, month: Month, request: &CloseRequest) -> Result<Preview, ApiError> {
        let path = format!("/api/months/{month}/preview");
        let answer = self.post_json(&path, &serde_json::json!(request))?;
        self.read(&path, &answer)
    }
    /// Undoes the close of a month that was not submitted.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn undo(&self, month: Month, discard_signatures: bool) -> Result<Undone, ApiError> {
        let path = format!("/api/months/{month}/undo");
        let body = serde_json::json!({ "discard_signatures": discard_signatures });
        let answer = self.post_json(&path, &body)?;
        self.read(&path, &answer)
    }
    /// The note of a month's current rollup.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn rollup(&self, month: Month) -> Result<Vec<u8>, ApiError> {
        self.get(&format!("/api/months/{month}/rollup"))
    }
    /// The signed catalogue in force.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn catalogue(&self) -> Result<Vec<u8>, ApiError> {
        self.get("/api/catalogue")
    }
    /// Brings signatures.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn sign(&self, month: Month, note: &[u8]) -> Result<Vec<String>, ApiError> {
        let path = format!("/api/months/{month}/signatures");
        let answer = self.post(&path, "text/plain", note, &[])?;
        self.read::<node::web::api::desk::Unsigned>(&path, &answer)
            .map(|u| u.unsigned)
    }
    /// Hands a month to the outbox.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn submit(&self, month: Month) -> Result<Vec<Verdict>, ApiError> {
        let path = format!("/api/months/{month}/submit");
        let answer = self.post(&path, "application/json", b"{}", &[])?;
        self.read(&path, &answer)
    }
    /// Decides on a child's month: accepted, returned, reopened.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn decide(
        &self,
        unit: &str,
        month: Month,
        decision: Decision,
        reasons: &[String],
        about: &[String],
    ) -> Result<(), ApiError> {
        let request = DecisionRequest {
            decision,
            reasons,
            about,
            later: false,
            unchanged: false,
        };
        self.rule(unit, month, &request).map(drop)
    }
    /// The same with everything that can be said; gives what was decided, on which months.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn rule(
        &self,
        unit: &str,
        month: Month,
        request: &DecisionRequest<'_>,
    ) -> Result<Vec<Decided>, ApiError> {
        let path = format!("/api/review/{}/{month}", segment(unit));
        let answer = self.post_json(&path, &serde_json::json!(request))?;
        self.read(&path, &answer)
    }
    /// The figures of a report, in this form (json, csv, xlsx), as they come. The newest where
    /// something is left out.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn figures(
        &self,
        unit: Option<&str>,
        month: Option<Month>,
        revision: Option<u32>,
        form: &str,
    ) -> Result<Vec<u8>, ApiError> {
        let mut path = format!("/api/figures?format={form}");
        if let Some(unit) = unit {
            path.push_str(&format!("&unit={}", segment(unit)));
        }
        if let Some(month) = month {
            path.push_str(&format!("&month={month}"));
        }
        if let Some(revision) = revision {
            path.push_str(&format!("&revision={revision}"));
        }
        self.get(&path)
    }
    /// The figures of a report, to be read. The newest where something is left out.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn readable(
        &self,
        unit: Option<&str>,
        month: Option<Month>,
        revision: Option<u32>,
    ) -> Result<ReadableReport, ApiError> {
        let answer = self.figures(unit, month, revision, "json")?;
        self.read("/api/figures", &answer)
    }
    /// The units below whose report of a month is not accepted.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn missing(&self, month: Month) -> Result<Vec<Expected>, ApiError> {
        self.get_json(&format!("/api/review/missing?month={month}"))
    }
    /// One report of a unit below.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn child_report(
        &self,
        unit: &str,
        month: Month,
        revision: Option<u32>,
    ) -> Result<ChildReport, ApiError> {
        let asked = revision.map(|revision| format!("?revision={revision}"));
        let unit = segment(unit);
        self.get_json(&format!(
            "/api/review/{unit}/{month}{}",
            asked.unwrap_or_default()
        ))
    }
    /// What changed between two revisions; without revisions, between the last two.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn difference(
        &self,
        unit: &str,
        month: Month,
        revisions: Option<(u32, u32)>,
    ) -> Result<Difference, ApiError> {
        let asked = revisions.map(|(from, to)| format!("?from={from}&to={to}"));
        let unit = segment(unit);
        let asked = asked.unwrap_or_default();
        self.get_json(&format!("/api/review/{unit}/{month}/difference{asked}"))
    }
    /// One figure of every unit directly below.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn figure_table(
        &self,
        month: Month,
        figure: &str,
        by: &[String],
    ) -> Result<FigureTable, ApiError> {
        let (figure, by) = (segment(figure), segment(&by.join(",")));
        self.get_json(&format!(
            "/api/review/table?month={month}&figure={figure}&by={by}"
        ))
    }
    /// Accepts several reports, one by one.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn accept_many(
        &self,
        month: Month,
        units: &[String],
        all_verified: bool,
    ) -> Result<Vec<Accepted>, ApiError> {
        let path = "/api/review/accept";
        let body =
            serde_json::json!({ "month": month, "units": units, "all_verified": all_verified });
        let answer = self.post_json(path, &body)?;
        self.read(path, &answer)
    }
    /// Enrols a person's key.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn enrol(&self, vkey: &str, roles: &[&str]) -> Result<(), ApiError> {
        self.post_json(
            "/api/operators",
            &serde_json::json!({ "vkey": vkey, "roles": roles }),
        )
        .map(drop)
    }
    /// Revokes a person's key.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn revoke(&self, vkey: &str) -> Result<(), ApiError> {
        self.post_json(
            "/api/operators/revoke",
            &serde_json::json!({ "vkey": vkey }),
        )
        .map(drop)
    }
    /// Everything that proves the figures of the unit and those below.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn evidence(&self) -> Result<Vec<u8>, ApiError> {
        let mut bytes = Vec::new();
        self.evidence_to(&mut bytes)?;
        Ok(bytes)
    }
    /// Takes the evidence out to a file, however large; tells how many bytes it has. Until it is
    /// there read_whole, `out` holds a part.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn evidence_to(&self, out: &mut impl std::io::Write) -> Result<u64, ApiError> {
        let path = "/api/evidence";
        let call = || {
            let request = self
                .agent
                .get(self.url(path))
                .header("authorization", self.bearer().as_str());
            request
                .config()
                .timeout_global(Some(EVIDENCE_TIMEOUT))
                .build()
                .call()
        };
        self.ask((path, Effect::Reads), call, &[], |body| {
            std::io::copy(
                &mut body.with_config().limit(MAX_ANSWER_BYTES).reader(),
                out,
            )
        })
    }
    /// Shows fields of an event.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn disclose(
        &self,
        index: u64,
        fields: &[String],
        row: bool,
    ) -> Result<Disclosure, ApiError> {
        let body = serde_json::json!({ "index": index, "fields": fields, "row": row });
        let answer = self.post_json("/api/disclosures", &body)?;
        self.read("/api/disclosures", &answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// How often a client calls a node that always puts it off with this code.
    fn calls(code: FaultCode) -> usize {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let body = serde_json::to_string(&Faults::one(code, "稍后", "later")).unwrap();
        let answer = format!(
            "HTTP/1.1 429 x\r\nretry-after: 0\r\nconnection: close\r\ncontent-length: \
                {}\r\n\r\n{body}",
            body.len()
        );
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                let heading = BufReader::new(&stream)
                    .lines()
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty());
                heading.for_each(drop);
                (&stream).write_all(answer.as_bytes()).unwrap();
            }
        });
        match Client::new(&url, "t").status() {
            Err(ApiError::Refused(faults)) => assert_eq!(faults.0[0].code, code),
            other => panic!("{other:?}"),
        }
        asked.load(Ordering::SeqCst)
    }

    #[test]
    fn who_asks_too_often_waits_and_who_has_no_token_does_not() {
        assert_eq!(calls(FaultCode::LimitRequests), MAX_RETRIES + 1);
        assert_eq!(calls(FaultCode::LimitToken), 1);
    }

    /// What a client says of a node that takes a request and dies over it.
    fn dies(call: impl FnOnce(&Client) -> ApiError) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::new(&format!("http://{}", listener.local_addr().unwrap()), "t");
        std::thread::spawn(move || {
            // A connection that is reused is another one to whoever listens.
            for stream in listener.incoming().map_while(Result::ok) {
                let heading = BufReader::new(&stream).lines().map_while(Result::ok);
                heading.take_while(|line| !line.is_empty()).for_each(drop);
            }
        });
        call(&client).to_string()
    }

    #[test]
    fn what_was_sent_may_have_been_carried_out_and_that_is_said() {
        let import = |c: &Client| {
            let imported = c.import(Some("E16"), "csv", false, false, b"a\n1\n");
            imported.unwrap_err()
        };
        let words = "may have been carried out all the same";
        let said = dies(import);
        assert!(
            said.contains(words) && said.contains("api.unreachable"),
            "{said}"
        );
        assert!(!dies(|c| c.status().unwrap_err()).contains(words));
        // Nobody listens: nothing was sent.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", free.local_addr().unwrap());
        drop(free);
        let said = import(&Client::new(&url, "t")).to_string();
        assert!(
            !said.contains(words) && said.contains("api.unreachable"),
            "{said}"
        );
    }
}
