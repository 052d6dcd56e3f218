//! Connections: what state each is in, how far it is complete, what lets it in.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use hogwire_engine::store::connections::Status;
use hogwire_engine::views::overview::ConnectionLine;
use hogwire_model::Time;
use serde::Deserialize;
use serde_json::json;

use super::auth::{Caller, Scope};
use super::events::Items;
use super::input::Json;
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/connections", get(list))
        .route("/v1/connections/{name}", get(one))
        .route("/v1/connections/{name}/activate", post(activate))
        .route("/v1/connections/{name}/close-gaps", post(close_gaps))
        .route("/v1/connections/{name}/testing", post(testing))
        .route("/v1/connections/{name}/token", post(new_token))
        .route("/v1/connections/{name}/webhook", get(webhook))
}

async fn list(State(app): State<Shared>, caller: Caller) -> Result<Answer<Items<ConnectionLine>>, Problem> {
    caller.require(Scope::Read)?;
    let items = app.ask(|engine, _| engine.connection_lines()).await?;
    Ok(Answer(Items { items }))
}

async fn one(
    State(app): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Answer<ConnectionLine>, Problem> {
    caller.require(Scope::Read)?;
    find(&app, name).await.map(Answer)
}

async fn find(app: &Shared, name: String) -> Result<ConnectionLine, Problem> {
    let lines = app.ask(|engine, _| engine.connection_lines()).await?;
    let found = lines.into_iter().find(|line| line.name == name);
    found.ok_or_else(|| Problem::not_found(format!("There is no connection {name}.")))
}

async fn activate(state: State<Shared>, caller: Caller, name: Path<String>) -> Result<Response, Problem> {
    become_(state, caller, name, Status::Active).await
}

async fn testing(state: State<Shared>, caller: Caller, name: Path<String>) -> Result<Response, Problem> {
    become_(state, caller, name, Status::Testing).await
}

async fn become_(
    State(app): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    status: Status,
) -> Result<Response, Problem> {
    caller.require(Scope::Write)?;
    let named = name.clone();
    app.ask(move |engine, now| engine.set_connection_status(&named, status, &caller.name, now)).await?;
    Ok(Answer(json!({ "name": name, "status": status })).into_response())
}

/// What a source needs to reach us: the URL with its token, and the secret.
async fn webhook(State(app): State<Shared>, caller: Caller, Path(name): Path<String>) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let line = find(&app, name.clone()).await?;
    let (token, secret) =
        app.ask(move |engine, _| Ok((engine.webhook_token(&name)?, engine.webhook_secret(&name)?))).await?;
    let public = &app.engine.settings().public_url;
    let url = token.map(|token| format!("{public}/v1/webhooks/{}/{token}", line.connector));
    Ok(Answer(json!({ "url": url, "secret": secret })).into_response())
}

/// A new URL. The one before stays good until the next time.
async fn new_token(state: State<Shared>, caller: Caller, Path(name): Path<String>) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let (named, by) = (name.clone(), caller.name.clone());
    state.ask(move |engine, now| engine.regenerate_token(&named, &by, now)).await?;
    webhook(state, caller, Path(name)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Until {
    /// Nothing is missing up to here.
    until: Time,
}

async fn close_gaps(
    State(app): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    Json(wanted): Json<Until>,
) -> Result<Answer<ConnectionLine>, Problem> {
    caller.require(Scope::Write)?;
    find(&app, name.clone()).await?;
    let named = name.clone();
    app.ask(move |engine, now| engine.close_gaps(&named, wanted.until, &caller.name, now)).await?;
    find(&app, name).await.map(Answer)
}
