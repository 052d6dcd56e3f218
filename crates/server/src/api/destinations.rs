//! Destinations: how each stands, whom it did not take and why, another try; and the URL
//! that it reports to.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use hogwire_engine::views::destinations::{DestinationLine, Rejected};
use serde::Deserialize;
use serde_json::json;

use super::auth::{Caller, Scope};
use super::events::Items;
use super::input::{Json, Query};
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/destinations", get(list))
        .route("/v1/destinations/{name}", get(one))
        .route("/v1/destinations/{name}/rejected", get(rejected))
        .route("/v1/destinations/{name}/retry", post(retry))
        .route("/v1/destinations/{name}/webhook", get(webhook))
}

async fn list(State(app): State<Shared>, caller: Caller) -> Result<Answer<Items<DestinationLine>>, Problem> {
    caller.require(Scope::Read)?;
    let items = app.ask(|engine, now| engine.destinations(now)).await?;
    Ok(Answer(Items { items }))
}

async fn one(
    State(app): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Answer<DestinationLine>, Problem> {
    caller.require(Scope::Read)?;
    let lines = app.ask(|engine, now| engine.destinations(now)).await?;
    let found = lines.into_iter().find(|line| line.name == name);
    found.map(Answer).ok_or_else(|| Problem::not_found(format!("There is no destination {name}.")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Behind {
    /// Read on behind this contact.
    #[serde(default)]
    after: String,
    limit: Option<usize>,
}

async fn rejected(
    State(app): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    Query(asked): Query<Behind>,
) -> Result<Answer<Items<Rejected>>, Problem> {
    caller.require(Scope::Read)?;
    let items = app.ask(move |engine, _| engine.rejected(&name, &asked.after, asked.limit)).await?;
    Ok(Answer(Items { items }))
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Which {
    /// One contact's id; empty: all that were rejected.
    contact: String,
}

async fn retry(
    State(app): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    Json(which): Json<Which>,
) -> Result<Response, Problem> {
    caller.require(Scope::Write)?;
    let count = app.ask(move |engine, now| engine.retry_rejected(&name, &which.contact, &caller.name, now)).await?;
    Ok(Answer(json!({ "retried": count })).into_response())
}

/// Where the destination's own webhooks are to go.
async fn webhook(State(app): State<Shared>, caller: Caller, Path(name): Path<String>) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let named = name.clone();
    let token = app.ask(move |engine, now| engine.destination_token(&named, now)).await?;
    let public = &app.engine.settings().public_url;
    Ok(Answer(json!({ "url": format!("{public}/v1/webhooks/brevo/{token}") })).into_response())
}
