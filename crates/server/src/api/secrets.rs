//! Seals every stored secret anew with the first key of `HOGWIRE_SECRET_KEY` (SPEC C5).

use axum::extract::State;
use axum::routing::post;
use axum::{Json as Answer, Router};
use hogwire_engine::secrets::Rotated;

use super::auth::{Caller, Scope};
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new().route("/v1/admin/secrets/rotate", post(rotate))
}

async fn rotate(State(app): State<Shared>, caller: Caller) -> Result<Answer<Rotated>, Problem> {
    caller.require(Scope::Admin)?;
    app.ask(move |engine, now| engine.rotate_secrets(&caller.name, now)).await.map(Answer)
}
