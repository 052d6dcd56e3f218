//! What erasing somebody came to: one receipt for each place where they were held.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use hogwire_engine::contacts::Erased;
use serde::Deserialize;

use super::auth::{Caller, Scope};
use super::events::Items;
use super::input::{Back, Json, Query};
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/erasures", get(list))
        .route("/v1/erasures/{id}", get(one))
        .route("/v1/erasures/{id}/receipts/{place}", post(settle))
}

async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Query(back): Query<Back>,
) -> Result<Answer<Items<Erased>>, Problem> {
    caller.require(Scope::Read)?;
    let items = app.ask(move |engine, _| engine.erasures(back.before, back.limit)).await?;
    Ok(Answer(Items { items }))
}

/// By its own id, or by the id that the contact had.
async fn one(State(app): State<Shared>, caller: Caller, Path(id): Path<String>) -> Result<Answer<Erased>, Problem> {
    caller.require(Scope::Read)?;
    let asked = id.clone();
    let found = app.ask(move |engine, _| engine.erasure(&asked)).await?;
    found.map(Answer).ok_or_else(|| Problem::not_found(format!("There is no erasure {id}.")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    /// `true`: somebody did it by hand. `false`: ask the place once more.
    done: bool,
}

async fn settle(
    State(app): State<Shared>,
    caller: Caller,
    Path((id, place)): Path<(String, String)>,
    Json(word): Json<Word>,
) -> Result<Answer<Erased>, Problem> {
    caller.require(Scope::Write)?;
    let settled = app.ask(move |engine, now| engine.settle_receipt(&id, &place, word.done, &caller.name, now));
    settled.await.map(Answer)
}
