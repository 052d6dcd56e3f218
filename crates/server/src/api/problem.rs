//! What the API answers when it cannot: problem documents (RFC 9457) with a stable `code`
//! and a `remedy`.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hogwire_engine::Error;
use hogwire_model::Problems;
use serde::Serialize;

/// One answer that is not what was asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Problem {
    /// A name for the kind of problem; the same as `code`, as the RFC wants it.
    #[serde(rename = "type")]
    kind: String,
    pub title: String,
    pub status: u16,
    /// Stable snake_case code.
    pub code: Cow<'static, str>,
    /// One sentence about this case.
    pub detail: String,
    /// One sentence that says what to do.
    pub remedy: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problems: Option<Problems>,
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

impl Problem {
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        let code = code.into();
        Self {
            kind: format!("urn:hogwire:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Problem").to_owned(),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            remedy: remedy.into(),
            problems: None,
            retry_after: None,
        }
    }

    pub fn bad_request(code: &'static str, detail: impl Into<String>, remedy: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail, remedy)
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail, "Look the name up in the list it belongs to.")
    }

    pub fn unauthorized() -> Self {
        let remedy = "Send `Authorization: Bearer KEY` with a key from `hogwire keys create`.";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "The request brings no key that is known here.", remedy)
    }

    pub fn forbidden(scope: &str) -> Self {
        let detail = format!("The key lacks the scope `{scope}`.");
        Self::new(StatusCode::FORBIDDEN, "scope_missing", detail, "Use a key that has it.")
    }

    pub fn conflict(code: &'static str, detail: impl Into<String>, remedy: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail, remedy)
    }

    pub fn too_many(detail: impl Into<String>, seconds: u32) -> Self {
        let remedy = "Send it again after the time in Retry-After.";
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", detail, remedy);
        problem.retry_after = Some(seconds);
        problem
    }

    /// A fault of ours. What happened is logged, not told.
    pub fn internal(what: &str) -> Self {
        tracing::error!("a request failed: {what}");
        let remedy = "See the server's log; run `hogwire doctor`.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed.", remedy)
    }

    pub fn with(mut self, problems: Problems) -> Self {
        self.problems = Some(problems);
        self
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Busy(why) => Self::too_many(format!("Not now: {why}."), 1),
            Error::Missing(what) => Self::not_found(format!("{what} is not there.")),
            Error::Conflict(why) => Self::conflict("conflict", why, "Look at what is there, and change the request."),
            Error::Refused(problems) => {
                let detail = match problems.0.first() {
                    Some(first) if first.path.is_empty() => first.message.clone(),
                    Some(first) => format!("{}: {}", first.path, first.message),
                    None => "It cannot be done.".to_owned(),
                };
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", detail, "Mend what `problems` lists.")
                    .with(problems)
            }
            Error::Sealed(why) => Self::conflict(
                "cannot_be_decrypted",
                why,
                "Bring the old key back into HOGWIRE_SECRET_KEY, or delete the credential and set it anew.",
            ),
            other => Self::internal(&other.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
