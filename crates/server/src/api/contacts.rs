//! Contacts: the list, one with everything known about it, what happened; made, changed,
//! exported, removed, erased.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hogwire_engine::contacts::{Erased, Given};
use hogwire_engine::views::Page;
use hogwire_engine::views::contacts::{Detail, Happened, Line};
use hogwire_model::Time;
use serde::Deserialize;

use super::auth::{Caller, Scope};
use super::events::Items;
use super::input::{self, Query};
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/contacts", get(list).post(write))
        .route("/v1/contacts/{key}", get(one).patch(change).delete(remove))
        .route("/v1/contacts/{key}/erase", post(erase))
        .route("/v1/contacts/{key}/export", get(export))
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

/// Makes the contact that `email` or `external` names, or changes it.
async fn write(
    State(app): State<Shared>,
    caller: Caller,
    input::Json(given): input::Json<Given>,
) -> Result<Response, Problem> {
    caller.require(Scope::Write)?;
    let written = app.ask(move |engine, now| {
        let wrote = engine.write_contact(&given, &caller.name, now)?;
        Ok((wrote.made, engine.contact(&wrote.id)?))
    });
    let (made, detail) = written.await?;
    let status = if made { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(detail)).into_response())
}

/// Changes what is named, and leaves the rest. An attribute that is `null` is taken away.
async fn change(
    State(app): State<Shared>,
    caller: Caller,
    Path(key): Path<String>,
    input::Json(given): input::Json<Given>,
) -> Result<Json<Option<Detail>>, Problem> {
    caller.require(Scope::Write)?;
    let changed = app.ask(move |engine, now| {
        let wrote = engine.change_contact(&key, &given, &caller.name, now)?;
        engine.contact(&wrote.id)
    });
    changed.await.map(Json)
}

/// Removes the contact here. Nothing is said elsewhere, and a later event may make it anew;
/// `erase` is for good.
async fn remove(State(app): State<Shared>, caller: Caller, Path(key): Path<String>) -> Result<StatusCode, Problem> {
    caller.require(Scope::Write)?;
    app.ask(move |engine, now| engine.remove_contact(&key, &caller.name, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Erases the person here and at every destination. The receipts are filled as they answer.
async fn erase(State(app): State<Shared>, caller: Caller, Path(key): Path<String>) -> Result<Response, Problem> {
    caller.require(Scope::Write)?;
    let erased: Erased = app.ask(move |engine, now| engine.erase_contact(&key, &caller.name, now)).await?;
    Ok((StatusCode::ACCEPTED, Json(erased)).into_response())
}

/// All that is held about the person, as a document to be handed over.
async fn export(State(app): State<Shared>, caller: Caller, Path(key): Path<String>) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let named = key.clone();
    let export = app.ask(move |engine, now| engine.export_contact(&named, now)).await?;
    let export = export.ok_or_else(|| nobody(&key))?;
    let named = [(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.json\"", export.contact.line.id))];
    Ok((named, Json(export)).into_response())
}

fn nobody(key: &str) -> Problem {
    Problem::not_found(format!("Nobody is called {key}."))
}
