//! Campaigns: what may be done with one, and why somebody got it or did not.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hogwire_engine::campaigns::Actor;
use hogwire_model::campaign::Status;
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::{Caller, Scope};
use super::input::{Json, Query};
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/campaigns/{id}/activate", post(activate))
        .route("/v1/campaigns/{id}/archive", post(archive))
        .route("/v1/campaigns/{id}/enroll", post(enroll))
        .route("/v1/campaigns/{id}/explain", get(explain))
        .route("/v1/campaigns/{id}/pause", post(pause))
        .route("/v1/campaigns/{id}/resume", post(resume))
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
        .ask(move |engine, now| {
            engine.change_status(&named, wanted, Actor { name: &caller.name, origin: "api" }, now)
        })
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
