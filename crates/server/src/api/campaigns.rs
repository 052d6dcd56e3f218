//! Campaigns: the list, one with its figures, changing one, what may be done with it, and
//! why somebody got it or did not.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hogwire_engine::campaigns::{Actor, Project, SourceFile};
use hogwire_engine::views::campaigns::{Detail, Line, Resting, Written};
use hogwire_model::campaign::Status;
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::{Caller, Scope};
use super::events::Items;
use super::input::{Json, Query};
use super::problem::Problem;
use super::templates::changed;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/campaigns", get(list).post(add))
        .route("/v1/campaigns/{id}", get(one).put(put))
        .route("/v1/campaigns/{id}/activate", post(activate))
        .route("/v1/campaigns/{id}/archive", post(archive))
        .route("/v1/campaigns/{id}/enroll", post(enroll))
        .route("/v1/campaigns/{id}/explain", get(explain))
        .route("/v1/campaigns/{id}/pause", post(pause))
        .route("/v1/campaigns/{id}/resume", post(resume))
        .route("/v1/campaigns/{id}/runs", get(runs))
        .route("/v1/campaigns/{id}/stats", get(stats))
        .route("/v1/campaigns/{id}/test", post(test))
        .route("/v1/campaigns/{id}/versions", get(versions))
}

async fn list(State(app): State<Shared>, caller: Caller) -> Result<axum::Json<Items<Line>>, Problem> {
    caller.require(Scope::Read)?;
    let items = app.ask(|engine, _| engine.campaigns()).await?;
    Ok(axum::Json(Items { items }))
}

async fn found(app: &Shared, id: String) -> Result<Detail, Problem> {
    let asked = id.clone();
    let found = app.ask(move |engine, _| engine.campaign(&asked)).await?;
    found.ok_or_else(|| missing(&id))
}

fn missing(id: &str) -> Problem {
    Problem::not_found(format!("There is no campaign {id}."))
}

async fn one(State(app): State<Shared>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    found(&app, id).await.map(|detail| axum::Json(detail).into_response())
}

async fn stats(State(app): State<Shared>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let Detail { line, graph, mail, endings, .. } = found(&app, id).await?;
    let steps: Vec<_> = graph
        .nodes
        .iter()
        .map(|node| json!({ "step": node.id, "label": node.label, "standing": node.standing }))
        .collect();
    let stats = json!({ "id": line.id, "entered": line.entered, "live": line.live, "watching": line.watching,
        "converted": line.converted, "mail": mail, "endings": endings, "steps": steps });
    Ok(axum::Json(stats).into_response())
}

async fn versions(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Items<Written>>, Problem> {
    caller.require(Scope::Read)?;
    let asked = id.clone();
    let items = app.ask(move |engine, _| engine.campaign_versions(&asked)).await?.ok_or_else(|| missing(&id))?;
    Ok(axum::Json(Items { items }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct At {
    /// Only those who stand at this step.
    step: Option<String>,
    limit: Option<usize>,
}

async fn runs(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Query(at): Query<At>,
) -> Result<axum::Json<Items<Resting>>, Problem> {
    caller.require(Scope::Read)?;
    let items = app.ask(move |engine, _| engine.campaign_runs(&id, at.step.as_deref(), at.limit)).await?;
    Ok(axum::Json(Items { items }))
}

/// The definition as the body: YAML or JSON, as in a file.
async fn put(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    body: String,
) -> Result<Response, Problem> {
    caller.require(Scope::Write)?;
    let file = SourceFile { id, kind: String::new(), text: body };
    changed(&app, caller, Project { campaigns: vec![file], ..Project::default() }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    id: String,
    /// YAML as a text, or the definition itself.
    definition: Value,
}

async fn add(State(app): State<Shared>, caller: Caller, Json(new): Json<New>) -> Result<Response, Problem> {
    caller.require(Scope::Write)?;
    let named = !new.id.is_empty() && new.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !named {
        let detail = format!("`{}` cannot be the id of a campaign.", new.id);
        return Err(Problem::bad_request("bad_id", detail, "Use letters, digits, dashes, dots and underscores."));
    }
    let asked = new.id.clone();
    if app.ask(move |engine, _| engine.campaign(&asked)).await?.is_some() {
        let detail = format!("There is a campaign {} already.", new.id);
        return Err(Problem::conflict("exists", detail, "Change it by PUT, or use another id."));
    }
    let text = match new.definition {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let file = SourceFile { id: new.id, kind: String::new(), text };
    changed(&app, caller, Project { campaigns: vec![file], ..Project::default() }).await
}

async fn test(state: State<Shared>, caller: Caller, id: Path<String>) -> Result<Response, Problem> {
    become_(state, caller, id, Status::Test).await
}

async fn activate(state: State<Shared>, caller: Caller, id: Path<String>) -> Result<Response, Problem> {
    become_(state, caller, id, Status::Active).await
}

async fn resume(state: State<Shared>, caller: Caller, id: Path<String>) -> Result<Response, Problem> {
    become_(state, caller, id, Status::Active).await
}

async fn pause(state: State<Shared>, caller: Caller, id: Path<String>) -> Result<Response, Problem> {
    become_(state, caller, id, Status::Paused).await
}

async fn archive(state: State<Shared>, caller: Caller, id: Path<String>) -> Result<Response, Problem> {
    become_(state, caller, id, Status::Archived).await
}

async fn become_(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    wanted: Status,
) -> Result<Response, Problem> {
    caller.require(Scope::Write)?;
    let named = id.clone();
    let warnings = app
        .ask(move |engine, now| engine.change_status(&named, wanted, Actor { name: &caller.name, origin: "api" }, now))
        .await?;
    Ok(axum::Json(json!({ "id": id, "status": wanted, "warnings": warnings })).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Enroll {
    /// Our id, an address, or `distinct_id:…`, `external:…`.
    contact: String,
    #[serde(default)]
    properties: Value,
    /// The same request again is the same enrollment.
    id: Option<String>,
}

async fn enroll(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Json(wanted): Json<Enroll>,
) -> Result<Response, Problem> {
    caller.require(Scope::Write)?;
    let Enroll { contact, properties, id: request } = wanted;
    let properties = if properties.is_null() { json!({}) } else { properties };
    let entered = app
        .ask(move |engine, now| {
            let request = request.unwrap_or_else(|| engine.outside().entropy.id("req", now));
            engine.enroll(&id, &contact, properties, &request, now)
        })
        .await?;
    match entered {
        Ok(enrollment) => Ok(axum::Json(json!({ "enrollment": enrollment })).into_response()),
        Err(decision) => {
            let detail = format!("The campaign does not take the contact: {}.", decision.code.as_str());
            Err(Problem::conflict("not_enrolled", detail, "See the campaign's explanation for the contact."))
        }
    }
}

#[derive(Deserialize)]
struct About {
    contact: String,
}

async fn explain(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Query(about): Query<About>,
) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let explanation = app.ask(move |engine, now| engine.explain(&id, &about.contact, now)).await?;
    Ok(axum::Json(explanation).into_response())
}
