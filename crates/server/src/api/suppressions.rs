//! Addresses that may not be written to.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json as Answer, Router};
use hogwire_engine::store::suppressions::Entry;
use hogwire_model::contact::consent::SuppressionReason;
use serde::Deserialize;
use serde_json::json;

use super::auth::{Caller, Scope};
use super::events::Items;
use super::input::{Back, Json, Query};
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/suppressions", get(list).post(add))
        .route("/v1/suppressions/{address}/{reason}", delete(remove))
}

async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Query(back): Query<Back>,
) -> Result<Answer<Items<Entry>>, Problem> {
    caller.require(Scope::Read)?;
    let items = app.ask(move |engine, _| engine.suppressions(back.before, back.limit)).await?;
    Ok(Answer(Items { items }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    address: String,
}

async fn add(State(app): State<Shared>, caller: Caller, Json(new): Json<New>) -> Result<Response, Problem> {
    caller.require(Scope::Write)?;
    let address = new.address.clone();
    let added = app.ask(move |engine, now| engine.suppress(&address, &caller.name, now)).await?;
    let status = if added { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Answer(json!({ "address": new.address, "reason": "manual" }))).into_response())
}

/// Only what was put there by hand, or by a bounce, is taken off by hand.
async fn remove(
    State(app): State<Shared>,
    caller: Caller,
    Path((address, reason)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.require(Scope::Write)?;
    let reason = SuppressionReason::parse(&reason).ok_or_else(|| {
        Problem::bad_request("unknown_reason", format!("`{reason}` is no reason."), "Use manual or hard_bounce.")
    })?;
    app.ask(move |engine, now| engine.unsuppress(&address, reason, &caller.name, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}
