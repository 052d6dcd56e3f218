//! Who may come in: people with their roles, API keys, and the log of who did what. What is
//! secret is shown once, right after it was made, and is in no address.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use hogwire_engine::store::api_keys::ApiKey;
use hogwire_engine::store::audit;
use hogwire_engine::store::users::User;
use serde::Deserialize;

use super::{Shell, Submitted, Trouble, Visitor, page, session, words};
use crate::api::auth::Scope;
use crate::api::problem::Problem;
use crate::api::users;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/console/access", get(show))
        .route("/console/access/keys", post(make_key))
        .route("/console/access/keys/revoke", post(revoke_key))
        .route("/console/access/password", post(own_password))
        .route("/console/access/users", post(add_user))
        .route("/console/access/users/remove", post(remove_user))
}

/// Something that is shown this once.
struct Once {
    what: String,
    secret: String,
}

#[derive(Template)]
#[template(path = "access.html")]
struct Access {
    shell: Shell,
    once: Option<Once>,
    users: Vec<User>,
    keys: Vec<ApiKey>,
    audit: Vec<audit::Entry>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    said: Option<String>,
}

async fn show(State(app): State<Shared>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    filled(&app, &visitor, asked.said.as_deref(), None).await
}

async fn filled(app: &Shared, visitor: &Visitor, said: Option<&str>, once: Option<Once>) -> Result<Response, Trouble> {
    let all = visitor.caller.may(Scope::Admin);
    let read = move |engine: &hogwire_engine::Engine, _| match all {
        true => Ok((engine.users()?, engine.api_keys()?, engine.audit(100)?)),
        false => Ok((Vec::new(), Vec::new(), Vec::new())),
    };
    let (users, keys, audit) = app.ask(read).await?;
    let shell = Shell::new(visitor, "health", "Access").saying(said);
    Ok(page(&Access { shell, once, users, keys, audit }))
}

async fn make_key(State(app): State<Shared>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Admin)?;
    let (name, scope) = (sent.field("name").to_owned(), sent.field("scope").to_owned());
    if name.is_empty() {
        return Err(Problem::bad_request("no_name", "The key has no name.", "Say what it is for.").into());
    }
    let by = sent.visitor.email.clone();
    let (secret, row) = app.ask(move |engine, now| engine.make_api_key(&name, &scope, &by, now)).await?;
    let once = Once { what: format!("The key {} ({})", row.name, row.scopes), secret };
    filled(&app, &sent.visitor, None, Some(once)).await
}

async fn revoke_key(State(app): State<Shared>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Admin)?;
    let (id, by) = (sent.field("id").to_owned(), sent.visitor.email);
    app.ask(move |engine, now| engine.revoke_api_key(&id, &by, now)).await?;
    app.keys.forget();
    Ok(Redirect::to("/console/access?said=revoked").into_response())
}

async fn add_user(State(app): State<Shared>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Admin)?;
    let (email, role) = (sent.field("email").to_owned(), sent.field("role").to_owned());
    let (user, made) = users::make(&app, &sent.visitor.caller, email, role, None).await?;
    let once = made.map(|secret| Once { what: format!("The password of {}", user.email), secret });
    filled(&app, &sent.visitor, None, once).await
}

async fn remove_user(State(app): State<Shared>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Admin)?;
    let (email, by) = (sent.field("email").to_owned(), sent.visitor.email);
    app.ask(move |engine, now| engine.remove_user(&email, &by, now)).await?;
    Ok(Redirect::to("/console/access?said=removed").into_response())
}

/// Everybody may change their own password. All their sessions end, this one too.
async fn own_password(State(app): State<Shared>, sent: Submitted) -> Result<Response, Trouble> {
    let (current, fresh) = (sent.field("current").to_owned(), sent.field("password").to_owned());
    let email = sent.visitor.email;
    if !session::knows_password(&app, &email, current).await? {
        let detail = "The present password is another one.";
        return Err(Problem::bad_request("wrong_password", detail, "Go back and type it again.").into());
    }
    users::change_password(&app, email, fresh).await?;
    Ok(Redirect::to("/console/sign-in").into_response())
}
