//! The door: what comes in by webhook and API, made durable before it is answered.
//!
//! A route says who may come in and which form a body has; `body` reads it within limits,
//! `group` writes all that wait in one go, `refusals` keeps what was turned away. Nothing is
//! decided here and nothing slow happens before the answer (SPEC A1).

pub mod body;
mod brevo;
pub mod group;
pub mod origin;
pub mod posthog;
pub mod refusals;
pub mod replay;
pub mod routes;
pub mod sources;

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hogwire_connectors::Shape;

use crate::api::problem::Problem;
use crate::app::App;
use group::{Bodies, Group};
use refusals::Refusals;
use replay::Replays;

/// The parts of the door that live as long as the server.
pub struct Intake {
    pub group: Group,
    pub refusals: Refusals,
    pub replays: Replays,
}

/// What a request was taken for.
pub struct Accepted {
    pub connection: Arc<str>,
    pub bodies: Bodies,
    /// Records of the same body that cannot be events, with the reason.
    pub refused: Vec<Refused>,
}

/// One record that was left out of a batch.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Refused {
    pub index: usize,
    pub code: &'static str,
    pub message: String,
}

/// A request turned away: the answer, and the body's beginning for the list of refusals.
pub struct TurnedAway {
    pub problem: Problem,
    pub excerpt: Bytes,
}

impl From<Problem> for TurnedAway {
    fn from(problem: Problem) -> Self {
        Self { problem, excerpt: Bytes::new() }
    }
}

/// Makes records durable and answers as the sender expects it.
async fn keep(app: &App, accepted: Accepted) -> Result<Response, Problem> {
    let Accepted { connection, bodies, refused } = accepted;
    let count = bodies.len();
    let duplicates = app.intake.group.keep(connection, bodies, app.now()).await?;
    app.meters.accepted.add(count as u64);
    app.meters.duplicates.add(duplicates as u64);
    Ok(answer(count, duplicates, &refused))
}

fn answer(accepted: usize, duplicates: usize, refused: &[Refused]) -> Response {
    let body = match (accepted, duplicates, refused.is_empty()) {
        (1, 0, true) => Bytes::from_static(br#"{"accepted":1,"duplicates":0}"#),
        (_, _, true) => Bytes::from(format!(r#"{{"accepted":{accepted},"duplicates":{duplicates}}}"#)),
        _ => {
            let told = serde_json::json!({ "accepted": accepted, "duplicates": duplicates, "refused": refused });
            Bytes::from(told.to_string())
        }
    };
    let mut response = (StatusCode::ACCEPTED, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The body with the id from `Idempotency-Key`, where the sender gave one there.
fn with_key(headers: &HeaderMap, shape: Shape, body: Bytes) -> Bytes {
    match headers.get("idempotency-key").and_then(|key| key.to_str().ok()).filter(|key| !key.is_empty()) {
        Some(key) => Bytes::from(hogwire_connectors::with_key(shape, &body, key)),
        None => body,
    }
}
