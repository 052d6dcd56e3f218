//! Contacts for readers: the list, one with everything known about it, what happened.

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use hogwire_engine::views::Page;
use hogwire_engine::views::contacts::{Detail, Happened, Line};
use hogwire_model::Time;
use serde::Deserialize;

use super::auth::{Caller, Scope};
use super::events::Items;
use super::input::Query;
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/contacts", get(list))
        .route("/v1/contacts/{key}", get(one))
        .route("/v1/contacts/{key}/timeline", get(timeline))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The beginning of an address, or any id in full.
    q: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<Line>>, Problem> {
    caller.require(Scope::Read)?;
    let page = app.ask(move |engine, _| engine.contacts(asked.q.as_deref(), asked.cursor.as_deref(), asked.limit));
    page.await.map(Json)
}

/// `key` is our id, an address, or `distinct_id:…`, `external:…`, `person_id:…`.
async fn one(State(app): State<Shared>, caller: Caller, Path(key): Path<String>) -> Result<Json<Detail>, Problem> {
    caller.require(Scope::Read)?;
    let asked = key.clone();
    let found = app.ask(move |engine, _| engine.contact(&asked)).await?;
    found.map(Json).ok_or_else(|| nobody(&key))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    before: Option<Time>,
    limit: Option<usize>,
}

async fn timeline(
    State(app): State<Shared>,
    caller: Caller,
    Path(key): Path<String>,
    Query(asked): Query<Before>,
) -> Result<Json<Items<Happened>>, Problem> {
    caller.require(Scope::Read)?;
    let named = key.clone();
    let found = app.ask(move |engine, _| engine.timeline(&named, asked.before, asked.limit)).await?;
    found.map(|items| Json(Items { items })).ok_or_else(|| nobody(&key))
}

fn nobody(key: &str) -> Problem {
    Problem::not_found(format!("Nobody is called {key}."))
}
