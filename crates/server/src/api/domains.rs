//! Sending domains: their records, what DNS says of them, a look at once.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use hogwire_engine::domains::View;
use serde::Deserialize;

use super::auth::{Caller, Scope};
use super::events::Items;
use super::input::Json;
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/domains", get(list).post(add))
        .route("/v1/domains/{name}", get(one).delete(remove))
        .route("/v1/domains/{name}/check", post(check))
}

async fn list(State(app): State<Shared>, caller: Caller) -> Result<Answer<Items<View>>, Problem> {
    caller.require(Scope::Read)?;
    let items = app.ask(|engine, _| engine.domains()).await?;
    Ok(Answer(Items { items }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
}

/// Makes keys where the domain has none. The same again answers what there is.
async fn add(State(app): State<Shared>, caller: Caller, Json(new): Json<New>) -> Result<Response, Problem> {
    caller.require(Scope::Write)?;
    let (view, fresh) = app.ask(move |engine, now| engine.add_domain(&new.name, &caller.name, now)).await?;
    let status = if fresh { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Answer(view)).into_response())
}

async fn one(State(app): State<Shared>, caller: Caller, Path(name): Path<String>) -> Result<Answer<View>, Problem> {
    caller.require(Scope::Read)?;
    Ok(Answer(app.ask(move |engine, _| engine.domain(&name)).await?))
}

/// Asks DNS now, and answers what it said.
async fn check(State(app): State<Shared>, caller: Caller, Path(name): Path<String>) -> Result<Answer<View>, Problem> {
    caller.require(Scope::Write)?;
    Ok(Answer(app.ask(move |engine, now| engine.check_domain(&name, now)).await?))
}

async fn remove(State(app): State<Shared>, caller: Caller, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    caller.require(Scope::Write)?;
    app.ask(move |engine, now| engine.remove_domain(&name, &caller.name, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}
