//! `GET /v1/doctor`: every check, what it means and what to do.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde::Serialize;

use super::auth::{Caller, Scope};
use super::problem::Problem;
use crate::app::Shared;
use crate::doctor::{self, Finding};

pub fn routes() -> Router<Shared> {
    Router::new().route("/v1/doctor", get(examine))
}

#[derive(Serialize)]
struct Report {
    /// No check failed.
    ok: bool,
    findings: Vec<Finding>,
}

async fn examine(State(app): State<Shared>, caller: Caller) -> Result<axum::Json<Report>, Problem> {
    caller.require(Scope::Read)?;
    let examined = app.clone();
    let findings = tokio::task::spawn_blocking(move || doctor::examine(&examined)).await;
    let findings = findings.map_err(|_| Problem::internal("a check panicked"))?;
    let ok = findings.iter().all(|finding| finding.state != doctor::State::Failure);
    Ok(axum::Json(Report { ok, findings }))
}
