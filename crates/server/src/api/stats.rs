//! Figures: what came and went lately, what waits, jobs and held deliveries, the audit log.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use hogwire_engine::store::audit;
use hogwire_engine::views::health::{JobLine, Trouble};
use hogwire_engine::views::overview::{Overview, Window};
use serde::Deserialize;

use super::auth::{Caller, Scope};
use super::events::Items;
use super::input::Query;
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/audit", get(log))
        .route("/v1/deliveries/held", get(held))
        .route("/v1/deliveries/{id}/retry", post(retry))
        .route("/v1/jobs", get(jobs))
        .route("/v1/overview", get(overview))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Back {
    /// `1h`, `24h` or `7d`.
    window: Option<String>,
}

async fn overview(
    State(app): State<Shared>,
    caller: Caller,
    Query(back): Query<Back>,
) -> Result<Json<Overview>, Problem> {
    caller.require(Scope::Read)?;
    let window = match back.window.as_deref() {
        None => Window::default(),
        Some(text) => Window::parse(text).ok_or_else(|| {
            Problem::bad_request("unknown_window", format!("`{text}` is no window."), "Use 1h, 24h or 7d.")
        })?,
    };
    app.ask(move |engine, now| engine.overview(window, now)).await.map(Json)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Most {
    limit: Option<usize>,
}

async fn jobs(
    State(app): State<Shared>,
    caller: Caller,
    Query(most): Query<Most>,
) -> Result<Json<Items<JobLine>>, Problem> {
    caller.require(Scope::Read)?;
    let items = app.ask(move |engine, _| engine.jobs(most.limit)).await?;
    Ok(Json(Items { items }))
}

async fn held(State(app): State<Shared>, caller: Caller) -> Result<Json<Items<Trouble>>, Problem> {
    caller.require(Scope::Read)?;
    let items = app.ask(|engine, _| engine.troubles()).await?;
    Ok(Json(Items { items }))
}

async fn retry(State(app): State<Shared>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    caller.require(Scope::Write)?;
    app.ask(move |engine, now| engine.retry_delivery(&id, &caller.name, now)).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn log(
    State(app): State<Shared>,
    caller: Caller,
    Query(most): Query<Most>,
) -> Result<Json<Items<audit::Entry>>, Problem> {
    caller.require(Scope::Admin)?;
    let items = app.ask(move |engine, _| engine.audit(most.limit.unwrap_or(100).min(1_000))).await?;
    Ok(Json(Items { items }))
}
