//! Answers: faults as JSON with the right status, and who is calling.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use protocol::period::Month;
use serde::de::DeserializeOwned;

use crate::fault::{Fault, FaultCode, Faults};
use crate::web::app::App;
use crate::web::serve::Peer;
use crate::web::tokens::{Caller, Role};

/// A refused request.
#[derive(Debug)]
pub struct Refused(pub StatusCode, pub Faults);

impl From<Faults> for Refused {
    fn from(faults: Faults) -> Refused {
        // Every status of the table is one: a test of it says so.
        let status =
            StatusCode::from_u16(faults.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Refused(status, faults)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        if self.0.is_server_error() {
            tracing::error!(faults = %self.1, "a request failed");
        }
        (self.0, Json(self.1)).into_response()
    }
}

/// 429, with the seconds to wait.
fn too_often(code: FaultCode, zh: &str, en: &str, wait: Duration) -> Response {
    let seconds = wait.as_secs() + 1;
    let faults = Faults::one(
        code,
        format!("{zh},请 {seconds} 秒后再试"),
        format!("{en}; come again in {seconds} s"),
    );
    let mut response = Refused(StatusCode::TOO_MANY_REQUESTS, faults).into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// The client's address: the other end of the connection, or what a proxy of the configuration says
/// of it.
fn address(app: &App, extensions: &axum::http::Extensions, headers: &HeaderMap) -> IpAddr {
    // Without a connection there is one address for everybody: stricter, never freer.
    let peer = extensions
        .get::<Peer>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |p| p.0);
    if !app.service.config.proxies.contains(&peer) {
        return peer;
    }
    // The last entry is the proxy's own; those before it are whatever the client wrote.
    let last = headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()
        .and_then(|v| v.to_str().ok());
    last.and_then(|v| v.rsplit(',').next())
        .and_then(|v| v.trim().parse().ok())
        .unwrap_or(peer)
}

/// Lets a request in unless its address asks too often. Comes before everything else, tokens
/// included.
pub async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    match app
        .rates
        .address(address(&app, request.extensions(), request.headers()))
    {
        Ok(()) => next.run(request).await,
        Err(wait) => too_often(
            FaultCode::LimitAddress,
            "来自该地址的请求过于频繁",
            "there are too many requests from this address",
            wait,
        ),
    }
}

/// Says in both languages what the libraries underneath say in a word or not at all. What they say
/// may repeat the request, so it is replaced and not added to.
pub async fn explain(response: Response) -> Response {
    let json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|t| t.as_bytes().starts_with(b"application/json"));
    let (code, zh, en) = match response.status() {
        _ if json => return response,
        StatusCode::BAD_REQUEST | StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            FaultCode::RequestMalformed,
            "请求不符合接口文档;请对照 /api/openapi.json",
            "the request is not what /api/openapi.json describes",
        ),
        StatusCode::NOT_FOUND => (
            FaultCode::RequestUnknown,
            "没有这个地址",
            "there is nothing at this address",
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            FaultCode::RequestMethod,
            "该地址不接受这种方法",
            "this address does not take this method",
        ),
        StatusCode::REQUEST_TIMEOUT => (
            FaultCode::LimitTime,
            "请求超过时限;可能仍会完成,请先查看再重发",
            "the request took too long; it may still be carried out: look before sending it again",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            FaultCode::LimitSize,
            "请求超过 16 MiB;请把文件分成几份导入",
            "the request is larger than 16 MiB; split the file and import it in parts",
        ),
        StatusCode::INTERNAL_SERVER_ERROR => (
            FaultCode::NodeInternal,
            "节点内部错误;详见节点日志",
            "the node failed; its log says more",
        ),
        _ => return response,
    };
    let mut explained = (response.status(), Json(Faults::one(code, zh, en))).into_response();
    // Such as `allow`, which names the methods.
    for (name, value) in response.headers() {
        if !matches!(*name, header::CONTENT_TYPE | header::CONTENT_LENGTH) {
            explained.headers_mut().insert(name, value.clone());
        }
    }
    explained
}

/// A JSON body. What is wrong with it is told without repeating it: it may hold anything.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &App) -> Result<Body<T>, Refused> {
        match Json::<T>::from_request(request, app).await {
            Ok(Json(body)) => Ok(Body(body)),
            Err(e) if e.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Refused(
                e.status(),
                Faults::one(
                    FaultCode::LimitSize,
                    "请求超过 16 MiB",
                    "the request is larger than 16 MiB",
                ),
            )),
            Err(e) => {
                let (zh, en) = (
                    "请求内容不是接口文档所写的 JSON;请对照 /api/openapi.json",
                    "the body is not the JSON that /api/openapi.json describes",
                );
                Err(Refused(
                    e.status(),
                    Faults::one(FaultCode::RequestJson, zh, en),
                ))
            }
        }
    }
}

/// The query of an address. What is wrong with it is told by the parameter's name, and no value is
/// repeated: a parameter that is not known would otherwise be taken for one that is obeyed.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Asked<T>, Refused> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(asked)) => Ok(Asked(asked)),
            Err(rejection) => Err(parameter(&rejection.body_text()).into()),
        }
    }
}

/// What a library says of a query, by the parameter's name.
fn parameter(said: &str) -> Faults {
    let after = |begin: &str| {
        let (_, rest) = said.split_once(begin)?;
        rest.split('`').next()
    };
    let plain = |name: &str| {
        let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        !name.is_empty() && name.len() <= 40 && name.bytes().all(letter)
    };
    let (name, zh, en) = if let Some(name) = after("unknown field `") {
        (
            Some(name),
            "没有这个查询参数",
            "there is no such query parameter",
        )
    } else if let Some(name) = after("missing field `") {
        (
            Some(name),
            "缺少这个查询参数",
            "this query parameter is missing",
        )
    } else {
        let place = said
            .rsplit_once("string: ")
            .and_then(|(_, rest)| rest.split(':').next());
        let (zh, en) = (
            "查询参数的写法有误",
            "the query parameter is not written as it must be",
        );
        (place, zh, en)
    };
    let fault = Fault::new(FaultCode::RequestParameter, zh, en);
    Faults(vec![match name.filter(|name| plain(name)) {
        Some(name) => fault.column(name),
        None => fault,
    }])
}

/// Who is calling, from the bearer token.
#[derive(Debug, Clone)]
pub struct Who(pub Caller);

impl Who {
    /// The caller's full name, `<unit>/<name>`: what statements and receipts name.
    pub fn operator(&self, app: &App) -> String {
        format!("{}/{}", app.service.config.unit, self.0.name)
    }

    /// Refuses callers without any of these roles.
    ///
    /// # Errors
    /// 403.
    pub fn need(&self, roles: &[Role]) -> Result<(), Refused> {
        if self.0.roles.iter().any(|r| roles.contains(r)) {
            return Ok(());
        }
        let names: Vec<&str> = roles.iter().map(|r| r.as_str()).collect();
        let names = names.join(", ");
        Err(Refused(
            StatusCode::FORBIDDEN,
            Faults::one(
                FaultCode::RoleMissing,
                format!("需要角色:{names}"),
                format!("this takes one of the roles {names}"),
            ),
        ))
    }
}

impl FromRequestParts<App> for Who {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Who, Response> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.strip_prefix("Bearer "));
        let Some(caller) = token.and_then(|t| app.tokens.find(t)) else {
            let address = address(app, &parts.extensions, &parts.headers);
            return Err(match app.rates.failure(address) {
                Ok(()) => {
                    tracing::info!(client = %address, given = token.is_some(), "a request without a known token");
                    let faults = Faults::one(
                        FaultCode::TokenUnknown,
                        "没有令牌或令牌无效",
                        "no token, or one that is not known here",
                    );
                    Refused(StatusCode::UNAUTHORIZED, faults).into_response()
                }
                Err(wait) => too_often(
                    FaultCode::LimitToken,
                    "无效令牌过多",
                    "there were too many requests without a good token",
                    wait,
                ),
            });
        };
        match app.rates.token(&caller.name) {
            Ok(()) => Ok(Who(caller.clone())),
            Err(wait) => Err(too_often(
                FaultCode::LimitRequests,
                "该令牌的请求过于频繁",
                "there are too many requests with this token",
                wait,
            )),
        }
    }
}

/// Reads a month from a path or a query.
///
/// # Errors
/// 422.
pub fn month(text: &str) -> Result<Month, Refused> {
    text.parse().map_err(|_| {
        Faults::one(
            FaultCode::MonthForm,
            "月份写作 2023-04",
            "a month is written 2023-04",
        )
        .into()
    })
}
