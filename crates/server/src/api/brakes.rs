//! The brakes (SPEC D17): stop everything, one sender or one campaign, and let it go on.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use hogwire_engine::outbox::brakes::Subject;
use hogwire_engine::store::pauses::{self, Pause};
use serde::{Deserialize, Serialize};

use super::auth::{Caller, Scope};
use super::input::Json;
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new().route("/v1/pauses", get(list)).route("/v1/pause", post(pause)).route("/v1/resume", post(resume))
}

/// What is to stop or go on: one of the three.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    all: bool,
    sender: Option<String>,
    campaign: Option<String>,
    #[serde(default)]
    reason: String,
}

impl Wanted {
    fn subject(&self) -> Result<Subject<'_>, Problem> {
        match (self.all, &self.sender, &self.campaign) {
            (true, None, None) => Ok(Subject::Everything),
            (false, Some(name), None) => Ok(Subject::Sender(name)),
            (false, None, Some(id)) => Ok(Subject::Campaign(id)),
            _ => {
                let remedy = "Send one of {\"all\":true}, {\"sender\":NAME} and {\"campaign\":ID}.";
                Err(Problem::bad_request("which", "The request does not say what to stop.", remedy))
            }
        }
    }
}

#[derive(Serialize)]
struct Changed {
    /// Nothing changes where it had stopped, or was going, already.
    changed: bool,
}

#[derive(Serialize)]
struct List {
    items: Vec<Pause>,
}

async fn list(State(app): State<Shared>, caller: Caller) -> Result<axum::Json<List>, Problem> {
    caller.require(Scope::Read)?;
    let items = app.ask(|engine, _| pauses::all(&mut engine.store().read()?)).await?;
    Ok(axum::Json(List { items }))
}

async fn pause(
    State(app): State<Shared>,
    caller: Caller,
    Json(wanted): Json<Wanted>,
) -> Result<axum::Json<Changed>, Problem> {
    caller.require(Scope::Write)?;
    wanted.subject()?;
    let changed = app
        .ask(move |engine, now| {
            let subject = wanted.subject().unwrap_or(Subject::Everything);
            engine.pause(subject, &caller.name, &wanted.reason, now)
        })
        .await?;
    Ok(axum::Json(Changed { changed }))
}

async fn resume(
    State(app): State<Shared>,
    caller: Caller,
    Json(wanted): Json<Wanted>,
) -> Result<axum::Json<Changed>, Problem> {
    caller.require(Scope::Write)?;
    wanted.subject()?;
    let changed = app
        .ask(move |engine, now| match wanted.subject() {
            Ok(subject) => engine.resume(subject, &caller.name, now),
            Err(_) => Ok(false),
        })
        .await?;
    Ok(axum::Json(Changed { changed }))
}
