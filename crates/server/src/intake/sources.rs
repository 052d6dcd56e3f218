//! Events from elsewhere: `POST /v1/events`, and Segment's `track`, `identify`, `group` and
//! `batch` (SPEC A8). A key with scope `ingest` lets them in.
//!
//! In a batch one bad record costs no other: it is left out, told in the answer and counted.

use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request};
use axum::response::Response;
use hogwire_connectors::{Refusal, Shape, check, detect_segment, split_batch};

use super::group::Bodies;
use super::routes::answered;
use super::{Accepted, Refused, TurnedAway, body, keep, with_key};
use crate::api::auth::{Scope, caller, key_of};
use crate::api::problem::Problem;
use crate::app::Shared;
use crate::config::settle::API;

/// What one of the routes takes.
#[derive(Clone, Copy)]
enum Takes {
    /// One event or a batch of them.
    Events,
    One(Shape),
    SegmentBatch,
}

/// `POST /v1/events`
pub async fn events(state: State<Shared>, request: Request<Body>) -> Response {
    take(state, request, "/v1/events", Takes::Events).await
}

/// `POST /v1/track`
pub async fn track(state: State<Shared>, request: Request<Body>) -> Response {
    take(state, request, "/v1/track", Takes::One(Shape::SegmentTrack)).await
}

/// `POST /v1/identify`
pub async fn identify(state: State<Shared>, request: Request<Body>) -> Response {
    take(state, request, "/v1/identify", Takes::One(Shape::SegmentIdentify)).await
}

/// `POST /v1/group`
pub async fn group(state: State<Shared>, request: Request<Body>) -> Response {
    take(state, request, "/v1/group", Takes::One(Shape::SegmentGroup)).await
}

/// `POST /v1/batch`
pub async fn batch(state: State<Shared>, request: Request<Body>) -> Response {
    take(state, request, "/v1/batch", Takes::SegmentBatch).await
}

async fn take(State(app): State<Shared>, request: Request<Body>, route: &'static str, takes: Takes) -> Response {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let result = inner(&app, &parts.headers, body, takes).await;
    answered(&app, route, &parts, began, result)
}

async fn inner(app: &Shared, headers: &HeaderMap, body: Body, takes: Takes) -> Result<Response, TurnedAway> {
    if let Err(problem) = admitted(app, headers).await {
        return Err(TurnedAway { problem, excerpt: body::beginning(body).await });
    }
    let most = if matches!(takes, Takes::One(_)) { body::SINGLE } else { body::BATCH };
    let bytes = body::read(headers, body, most).await?;
    let refused = |problem: Problem| TurnedAway { problem, excerpt: bytes.clone() };
    let (bodies, left_out) = match takes {
        Takes::One(shape) => single(headers, shape, &bytes),
        Takes::SegmentBatch => several(&bytes, |record| {
            let shape = detect_segment(record)?;
            check(shape, record).map(|()| shape)
        }),
        Takes::Events if begins_list(&bytes) => several(&bytes, event),
        Takes::Events => match single(headers, Shape::Event, &bytes) {
            // No name at the top: it may be a batch.
            Err(problem) if problem.code == "no_event_name" => match several(&bytes, event) {
                Err(other) if other.code == "no_batch" => Err(problem),
                batch => batch,
            },
            single => single,
        },
    }
    .map_err(refused)?;
    let accepted = Accepted { connection: API.into(), bodies, refused: left_out };
    for left_out in &accepted.refused {
        let problem = Problem::bad_request(left_out.code, left_out.message.clone(), "");
        app.intake.refusals.note(&app.meters, "batch", &problem, &bytes, None, app.now());
    }
    Ok(keep(app, accepted).await?)
}

async fn admitted(app: &Shared, headers: &HeaderMap) -> Result<(), Problem> {
    let key = key_of(headers).ok_or_else(Problem::unauthorized)?;
    let caller = caller(app, &key).await?.ok_or_else(Problem::unauthorized)?;
    if caller.may(Scope::Ingest) {
        return Ok(());
    }
    // Inbound routes answer 401 for every credential that does not open them.
    let mut problem = Problem::unauthorized();
    problem.code = "scope_missing".into();
    problem.detail = "The key lacks the scope `ingest`.".to_owned();
    Err(problem)
}

fn event(record: &[u8]) -> Result<Shape, Refusal> {
    check(Shape::Event, record).map(|()| Shape::Event)
}

type Taken = Result<(Bodies, Vec<Refused>), Problem>;

fn single(headers: &HeaderMap, shape: Shape, bytes: &Bytes) -> Taken {
    check(shape, bytes).map_err(problem)?;
    if bytes.len() > body::SINGLE {
        return Err(body::too_large(body::SINGLE));
    }
    Ok((Bodies::One(shape, with_key(headers, shape, bytes.clone())), Vec::new()))
}

fn several(bytes: &Bytes, shape_of: impl Fn(&[u8]) -> Result<Shape, Refusal>) -> Taken {
    let records = split_batch(bytes).map_err(problem)?;
    let (mut bodies, mut refused) = (Vec::with_capacity(records.len()), Vec::new());
    let mut first = None;
    for (index, record) in records.into_iter().enumerate() {
        match shape_of(record) {
            Ok(shape) => bodies.push((shape, bytes.slice_ref(record))),
            Err(refusal) => {
                refused.push(Refused { index, code: refusal.code, message: refusal.message.clone() });
                first.get_or_insert(refusal);
            }
        }
    }
    match first {
        Some(refusal) if bodies.is_empty() => Err(problem(refusal)),
        _ if bodies.is_empty() => {
            Err(Problem::bad_request("empty_batch", "The batch holds no event.", "Send at least one event."))
        }
        _ => Ok((Bodies::Many(bodies), refused)),
    }
}

fn begins_list(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}

fn problem(refusal: Refusal) -> Problem {
    Problem::bad_request(refusal.code, refusal.message, "Send the event as a JSON object, with its name.")
}
