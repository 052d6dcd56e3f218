//! Whether it lives, whether it is ready, and its meters.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use hogwire_engine::Work;
use hogwire_model::Span;
use serde::Serialize;
use std::sync::atomic::Ordering;

use super::auth::{Scope, caller, key_of};
use super::problem::Problem;
use crate::app::{App, Shared};
use crate::capabilities::{self, Capability};

/// A worker thread that has not come round for this long is stuck.
const STUCK: Span = Span::seconds(60);
/// Less free disk than this is told.
const LOW_DISK: u64 = 512 << 20;

pub fn routes() -> Router<Shared> {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz)).route("/metrics", get(metrics))
}

async fn healthz() -> Response {
    Json(serde_json::json!({ "status": "ok" })).into_response()
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
    checks: Vec<Check>,
    capabilities: Vec<Capability>,
}

/// One thing that readiness depends on.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
    pub detail: String,
}

async fn readyz(State(app): State<Shared>) -> Response {
    let asked = app.clone();
    let checks = tokio::task::spawn_blocking(move || checks(&asked)).await.unwrap_or_default();
    let ready = !checks.is_empty() && checks.iter().all(|check| check.ok);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let capabilities = capabilities::all(&app.config);
    (status, Json(Ready { ready, checks, capabilities })).into_response()
}

fn checks(app: &App) -> Vec<Check> {
    let database = app.engine.store().read().map(drop);
    let mut checks = vec![
        Check {
            name: "database",
            ok: database.is_ok(),
            detail: database.err().map_or_else(|| "answers".to_owned(), |error| error.to_string()),
        },
        disk(app.engine.outside().disk.free()),
        Check {
            name: "serving",
            ok: !app.is_stopping(),
            detail: if app.is_stopping() { "is stopping" } else { "takes requests" }.to_owned(),
        },
    ];
    if app.pulse.running.load(Ordering::Relaxed) {
        let now = app.now();
        let stuck: Vec<&str> = Work::ALL
            .iter()
            .filter(|work| now.since(app.pulse.last(**work)) > STUCK)
            .map(|work| work.as_str())
            .collect();
        checks.push(Check {
            name: "worker",
            ok: stuck.is_empty(),
            detail: if stuck.is_empty() { "runs".to_owned() } else { format!("stuck: {}", stuck.join(", ")) },
        });
    }
    checks
}

/// Low disk is a failure only when nothing more can be taken.
fn disk(free: Option<u64>) -> Check {
    let detail = match free {
        None => "free space is not known".to_owned(),
        Some(free) if free < LOW_DISK => format!("low: {} MiB are free", free >> 20),
        Some(free) => format!("{} MiB are free", free >> 20),
    };
    Check { name: "disk", ok: free.is_none_or(|free| free > LOW_DISK / 8), detail }
}

async fn metrics(State(app): State<Shared>, headers: HeaderMap) -> Result<Response, Problem> {
    let key = key_of(&headers).ok_or_else(Problem::unauthorized)?;
    caller(&app, &key).await?.ok_or_else(Problem::unauthorized)?.require(Scope::Read)?;
    rendered(&app).await
}

/// The meters without a key, for `telemetry.bind`.
pub fn open_metrics(app: &Shared) -> Router {
    Router::new().route("/metrics", get(page)).with_state(app.clone())
}

async fn page(State(app): State<Shared>) -> Result<Response, Problem> {
    rendered(&app).await
}

async fn rendered(app: &Shared) -> Result<Response, Problem> {
    let backlog = app.ask(|engine, _| engine.inbox().backlog(engine.store())).await?;
    let text = app.meters.render(backlog.bytes);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}
