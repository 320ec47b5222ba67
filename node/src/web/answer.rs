//! Answers: faults as JSON with the right status, and who is calling.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use super::App;
use super::tokens::{Caller, Role};
use crate::fault::Faults;

/// A refused request.
#[derive(Debug)]
pub struct Refused(pub StatusCode, pub Faults);

impl From<Faults> for Refused {
    fn from(faults: Faults) -> Refused {
        let status = match faults.0.first().map(|f| f.code.as_str()) {
            Some("node.internal") => StatusCode::INTERNAL_SERVER_ERROR,
            Some("journal.too_large") => StatusCode::PAYLOAD_TOO_LARGE,
            Some("journal.no_space") => StatusCode::INSUFFICIENT_STORAGE,
            // The disk, the node's keys, or a node that ends: nothing that the caller could have done otherwise.
            Some(code) if ["journal.", "guard.", "view.", "books.", "node.stopping"].iter().any(|own| code.starts_with(own)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Some("rollup.none" | "review.none" | "disclose.unknown" | "void.unknown") => StatusCode::NOT_FOUND,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
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

/// A JSON body. What is wrong with it is told without repeating it: it may hold anything.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &App) -> Result<Body<T>, Refused> {
        match Json::<T>::from_request(request, app).await {
            Ok(Json(body)) => Ok(Body(body)),
            Err(e) => {
                let (zh, en) = (
                    "请求内容不是接口文档所写的 JSON;请对照 /api/openapi.json",
                    "the body is not the JSON that /api/openapi.json describes",
                );
                Err(Refused(e.status(), Faults::one("request.json", zh, en)))
            }
        }
    }
}

/// Who is calling, from the bearer token.
#[derive(Debug, Clone)]
pub struct Who(pub Caller);

impl Who {
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
            Faults::one("role.missing", format!("需要角色:{names}"), format!("this takes one of the roles {names}")),
        ))
    }
}

impl FromRequestParts<App> for Who {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Who, Refused> {
        let token = parts.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
        token.and_then(|t| app.tokens.find(t)).cloned().map(Who).ok_or_else(|| {
            Refused(StatusCode::UNAUTHORIZED, Faults::one("token.unknown", "没有令牌或令牌无效", "no token, or one that is not known here"))
        })
    }
}
