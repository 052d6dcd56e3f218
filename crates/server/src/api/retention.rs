//! What is too old to be kept: told, and removed on request.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::auth::{Caller, Scope};
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new().route("/v1/retention", get(plan).delete(prune))
}

async fn plan(State(app): State<Shared>, caller: Caller) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let classes = app.ask(|engine, now| engine.prune_plan(now)).await?;
    Ok(axum::Json(json!({ "classes": classes })).into_response())
}

async fn prune(State(app): State<Shared>, caller: Caller) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let classes = app.ask(|engine, now| engine.prune_now(now)).await?;
    Ok(axum::Json(json!({ "classes": classes })).into_response())
}
