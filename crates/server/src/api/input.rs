//! What a request says, read into types; what cannot be read is a problem with its place.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use hogwire_model::Time;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// A JSON body, whatever its content type says. An empty one counts as `{}`.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            let code = if rejection.status().as_u16() == 413 { "too_large" } else { "unreadable_body" };
            Problem::new(rejection.status(), code, rejection.body_text(), "Send a smaller body, whole.")
        })?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text).map(Self).map_err(|error| {
            let code = if error.is_data() { "wrong_shape" } else { "not_json" };
            Problem::bad_request(code, format!("The body cannot be read: {error}."), "See /docs for what it holds.")
        })
    }
}

/// Which page of a list that goes back in time.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Back {
    pub before: Option<Time>,
    pub limit: Option<usize>,
}

/// The query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(read)) => Ok(Self(read)),
            Err(rejection) => {
                let detail = format!("The query cannot be read: {}.", rejection.body_text());
                Err(Problem::bad_request("bad_query", detail, "See /docs for what it may hold."))
            }
        }
    }
}
