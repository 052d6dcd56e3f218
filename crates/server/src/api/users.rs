//! People who sign in to the console.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hogwire_engine::Error;
use serde::Deserialize;
use serde_json::json;

use super::auth::{Caller, Scope};
use super::input::Json;
use super::problem::Problem;
use crate::app::Shared;
use crate::passwords;

pub fn routes() -> Router<Shared> {
    Router::new().route("/v1/users", get(list).post(add))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    email: String,
    #[serde(default = "viewer")]
    role: String,
    /// Without one, a password is made and answered once.
    password: Option<String>,
}

fn viewer() -> String {
    "viewer".to_owned()
}

async fn list(State(app): State<Shared>, caller: Caller) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let items = app.ask(|engine, _| engine.users()).await?;
    Ok(axum::Json(json!({ "items": items })).into_response())
}

async fn add(State(app): State<Shared>, caller: Caller, Json(new): Json<New>) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    if new.password.as_ref().is_some_and(|password| password.chars().count() < 8) {
        return Err(Problem::bad_request(
            "weak_password",
            "The password is too short.",
            "Use eight characters or more.",
        ));
    }
    if !new.email.contains('@') {
        return Err(Problem::bad_request(
            "bad_address",
            "The email is not an address.",
            "Write it like ada@acme.example.",
        ));
    }
    let (user, made) = app
        .ask(move |engine, now| {
            let entropy = &*engine.outside().entropy;
            let made = new.password.is_none().then(|| entropy.token());
            let password = new.password.as_deref().or(made.as_deref()).unwrap_or_default();
            let hash = passwords::hash(password, entropy).map_err(Error::Conflict)?;
            Ok((engine.add_user(&new.email, &new.role, &hash, &caller.name, now)?, made))
        })
        .await?;
    let mut told = json!(user);
    if let Some(password) = made {
        told["password"] = password.into();
    }
    Ok((StatusCode::CREATED, axum::Json(told)).into_response())
}
