//! The event log for readers: search, one event with its decisions, what was refused at the
//! door, what was set aside (SPEC A4).

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use hogwire_engine::store::{refusals, set_aside};
use hogwire_engine::views::Page;
use hogwire_engine::views::events::{Detail, Line, Search};
use hogwire_model::Time;
use serde::{Deserialize, Serialize};

use super::auth::{Caller, Scope};
use super::input::Query;
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/event-names", get(names))
        .route("/v1/events", get(list))
        .route("/v1/events/{id}", get(one))
        .route("/v1/refusals", get(refused))
        .route("/v1/set-aside", get(aside))
}

/// What narrows the list; everything given must hold. Times are RFC 3339.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    name: Option<String>,
    connection: Option<String>,
    outcome: Option<String>,
    /// A contact by id, address or any key, or an event's uuid.
    contact: Option<String>,
    uuid: Option<String>,
    since: Option<Time>,
    until: Option<Time>,
    cursor: Option<String>,
    limit: Option<usize>,
}

async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<Line>>, Problem> {
    caller.require(Scope::Read)?;
    let Asked { name, connection, outcome, contact, uuid, since, until, cursor, limit } = asked;
    let search = Search { name, connection, outcome, contact, uuid, since, until, cursor, limit };
    app.ask(move |engine, _| engine.events(&search)).await.map(Json)
}

async fn one(State(app): State<Shared>, caller: Caller, Path(id): Path<String>) -> Result<Json<Detail>, Problem> {
    caller.require(Scope::Read)?;
    let asked = id.clone();
    let found = app.ask(move |engine, _| engine.event(&asked)).await?;
    found.map(Json).ok_or_else(|| Problem::not_found(format!("The log holds no event {id}.")))
}

#[derive(Serialize)]
pub(super) struct Items<T> {
    pub items: Vec<T>,
}

async fn names(State(app): State<Shared>, caller: Caller) -> Result<Json<Items<serde_json::Value>>, Problem> {
    caller.require(Scope::Read)?;
    let seen = app.ask(|engine, _| engine.event_names()).await?;
    let line = |seen: hogwire_engine::store::event_names::Seen| {
        serde_json::json!({ "connection": seen.connection, "name": seen.name, "first_at": seen.first_at,
            "last_at": seen.last_at, "count": seen.n })
    };
    Ok(Json(Items { items: seen.into_iter().map(line).collect() }))
}

async fn refused(State(app): State<Shared>, caller: Caller) -> Result<Json<Items<refusals::Refusal>>, Problem> {
    caller.require(Scope::Read)?;
    let items = app.ask(|engine, _| engine.refusals()).await?;
    Ok(Json(Items { items }))
}

async fn aside(State(app): State<Shared>, caller: Caller) -> Result<Json<Items<set_aside::Row>>, Problem> {
    caller.require(Scope::Read)?;
    let items = app.ask(|engine, _| engine.set_aside(500)).await?;
    Ok(Json(Items { items }))
}
