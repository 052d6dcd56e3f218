//! API keys: made, listed, revoked. A key is shown once, when it is made.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use serde::Deserialize;
use serde_json::json;

use super::auth::{Caller, Scope};
use super::input::Json;
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new().route("/v1/keys", get(list).post(make)).route("/v1/keys/{id}", delete(revoke))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    scopes: Vec<String>,
}

async fn list(State(app): State<Shared>, caller: Caller) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let items = app.ask(|engine, _| engine.api_keys()).await?;
    Ok(axum::Json(json!({ "items": items })).into_response())
}

async fn make(State(app): State<Shared>, caller: Caller, Json(new): Json<New>) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let scopes = new.scopes.join(" ");
    let (key, row) = app.ask(move |engine, now| engine.make_api_key(&new.name, &scopes, &caller.name, now)).await?;
    let mut told = json!(row);
    told["key"] = key.into();
    Ok((StatusCode::CREATED, axum::Json(told)).into_response())
}

async fn revoke(State(app): State<Shared>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    caller.require(Scope::Admin)?;
    app.ask(move |engine, now| engine.revoke_api_key(&id, &caller.name, now)).await?;
    app.keys.forget();
    Ok(StatusCode::NO_CONTENT)
}
