//! Templates: sources, every change a new version, and how one looks for somebody.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use hogwire_engine::campaigns::{Actor, Change, Project, SourceFile, What};
use hogwire_engine::views::templates::{Detail, For, Line, Preview};
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::{Caller, Scope};
use super::events::Items;
use super::input::Json;
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/templates", get(list))
        .route("/v1/templates/{name}", get(one).put(put))
        .route("/v1/templates/{name}/preview", post(preview))
        .route("/v1/templates/{name}/test", post(test))
}

async fn list(State(app): State<Shared>, caller: Caller) -> Result<Answer<Items<Line>>, Problem> {
    caller.require(Scope::Read)?;
    let items = app.ask(|engine, _| engine.templates()).await?;
    Ok(Answer(Items { items }))
}

async fn one(State(app): State<Shared>, caller: Caller, Path(name): Path<String>) -> Result<Answer<Detail>, Problem> {
    caller.require(Scope::Read)?;
    let asked = name.clone();
    let found = app.ask(move |engine, _| engine.template(&asked)).await?;
    found.map(Answer).ok_or_else(|| Problem::not_found(format!("There is no template {name}.")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    /// `mjml`, `html`, `md` or `txt`.
    kind: String,
    source: String,
}

async fn put(
    State(app): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    Json(wanted): Json<Source>,
) -> Result<Response, Problem> {
    caller.require(Scope::Write)?;
    let file = SourceFile { id: name, kind: wanted.kind, text: wanted.source };
    let project = Project { templates: vec![file], ..Project::default() };
    changed(&app, caller, project).await
}

/// Applies one resource as the API's own change, and answers what became of it.
pub(super) async fn changed(app: &Shared, caller: Caller, project: Project) -> Result<Response, Problem> {
    let changes = app
        .ask(move |engine, now| engine.apply(&project, Actor { name: &caller.name, origin: "api" }, false, now))
        .await?;
    let Some(change) = changes.into_iter().next() else {
        return Err(Problem::internal("a change that changed nothing"));
    };
    let Change { what, problems, .. } = &change;
    if *what == What::Refused {
        return Err(Problem::from(hogwire_engine::Error::Refused(problems.clone())));
    }
    Ok(Answer(change).into_response())
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    /// A contact by id, address or any key; somebody made up where none is named.
    contact: Option<String>,
    /// Properties of the event that would have begun the run.
    properties: Value,
    /// A source that is not stored yet, with its kind.
    source: Option<String>,
    kind: Option<String>,
}

async fn preview(
    State(app): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    Json(wanted): Json<Wanted>,
) -> Result<Answer<Preview>, Problem> {
    caller.require(Scope::Read)?;
    let Wanted { contact, properties, source, kind } = wanted;
    let whom = For { contact, properties };
    app.ask(move |engine, now| match source {
        Some(source) => engine.preview(&name, kind.as_deref().unwrap_or("mjml"), &source, &whom, now),
        None => engine.preview_template(&name, &whom, now),
    })
    .await
    .map(Answer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    to: String,
    /// As to whom it is written; whoever has the address where none is named.
    contact: Option<String>,
}

/// Queues one message that is marked as a test.
async fn test(
    State(app): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    Json(wanted): Json<Test>,
) -> Result<Response, Problem> {
    caller.require(Scope::Write)?;
    let Test { to, contact } = wanted;
    let (message, to) =
        app.ask(move |engine, now| engine.send_test(&name, &to, contact.as_deref(), &caller.name, now)).await?;
    Ok((StatusCode::ACCEPTED, Answer(json!({ "message": message, "to": to }))).into_response())
}
