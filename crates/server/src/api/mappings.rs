//! Field mappings of connections: looked at, tried on the newest events, changed.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use hogwire_engine::mappings::{InForce, Tried};
use hogwire_model::mapping::Mapping;

use super::auth::{Caller, Scope};
use super::events::Items;
use super::input::Json;
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/connections/{name}/mapping", get(one).put(save))
        .route("/v1/connections/{name}/mapping/preview", post(preview))
}

async fn one(State(app): State<Shared>, caller: Caller, Path(name): Path<String>) -> Result<Answer<InForce>, Problem> {
    caller.require(Scope::Read)?;
    Ok(Answer(app.ask(move |engine, _| engine.mapping(&name)).await?))
}

/// Makes a new version and answers what is in force.
async fn save(
    State(app): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    Json(mapping): Json<Mapping>,
) -> Result<Answer<InForce>, Problem> {
    caller.require(Scope::Write)?;
    let saved = app.ask(move |engine, now| {
        engine.save_mapping(&name, &mapping, &caller.name, now)?;
        engine.mapping(&name)
    });
    Ok(Answer(saved.await?))
}

/// What the given mapping would read out of the newest events. Nothing is saved.
async fn preview(
    State(app): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    Json(mapping): Json<Mapping>,
) -> Result<Answer<Items<Tried>>, Problem> {
    caller.require(Scope::Read)?;
    let items = app.ask(move |engine, _| engine.try_mapping(&name, &mapping)).await?;
    Ok(Answer(Items { items }))
}
