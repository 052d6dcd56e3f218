//! People who sign in to the console.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, put};
use hogwire_engine::Error;
use hogwire_engine::store::users::User;
use serde::Deserialize;
use serde_json::json;

use super::auth::{Caller, Scope};
use super::input::Json;
use super::problem::Problem;
use crate::app::Shared;
use crate::passwords;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/users", get(list).post(add))
        .route("/v1/users/{email}", delete(remove))
        .route("/v1/users/{email}/password", put(set_password))
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
    let (user, made) = make(&app, &caller, new.email, new.role, new.password).await?;
    let mut told = json!(user);
    if let Some(password) = made {
        told["password"] = password.into();
    }
    Ok((StatusCode::CREATED, axum::Json(told)).into_response())
}

/// Adds somebody, and answers the password where it was made here.
pub async fn make(
    app: &Shared,
    caller: &Caller,
    email: String,
    role: String,
    password: Option<String>,
) -> Result<(User, Option<String>), Problem> {
    strong(password.as_deref())?;
    if !email.contains('@') {
        return Err(Problem::bad_request(
            "bad_address",
            "The email is not an address.",
            "Write it like ada@acme.example.",
        ));
    }
    let by = caller.name.clone();
    app.ask(move |engine, now| {
        let entropy = &*engine.outside().entropy;
        let made = password.is_none().then(|| entropy.token());
        let password = password.as_deref().or(made.as_deref()).unwrap_or_default();
        let hash = passwords::hash(password, entropy).map_err(Error::Conflict)?;
        Ok((engine.add_user(&email, &role, &hash, &by, now)?, made))
    })
    .await
}

fn strong(password: Option<&str>) -> Result<(), Problem> {
    if password.is_some_and(|password| password.chars().count() < 8) {
        return Err(Problem::bad_request(
            "weak_password",
            "The password is too short.",
            "Use eight characters or more.",
        ));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fresh {
    password: String,
}

async fn set_password(
    State(app): State<Shared>,
    caller: Caller,
    Path(email): Path<String>,
    Json(fresh): Json<Fresh>,
) -> Result<StatusCode, Problem> {
    caller.require(Scope::Admin)?;
    change_password(&app, email, fresh.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a password. Every session of theirs ends.
pub async fn change_password(app: &Shared, email: String, password: String) -> Result<(), Problem> {
    strong(Some(&password))?;
    app.ask(move |engine, now| {
        let hash = passwords::hash(&password, &*engine.outside().entropy).map_err(Error::Conflict)?;
        engine.set_password(&email, &hash, now)
    })
    .await
}

async fn remove(State(app): State<Shared>, caller: Caller, Path(email): Path<String>) -> Result<StatusCode, Problem> {
    caller.require(Scope::Admin)?;
    app.ask(move |engine, now| engine.remove_user(&email, &caller.name, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}
