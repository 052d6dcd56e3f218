//! Credentials of PostHog's private API, by connection: stored, looked at, removed (SPEC C6).
//!
//! Tokens go in and never come out. Removing opens nothing, so that it works also where the
//! key that sealed them is gone.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json as Answer, Router};
use hogwire_engine::credentials::Brought;
use hogwire_engine::store::credentials::Credential;
use hogwire_model::{Span, Time};
use serde::{Deserialize, Serialize};

use super::auth::{Caller, Scope};
use super::input::Json;
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new().route("/v1/admin/provider-credentials/{connection}", get(show).put(keep).delete(forget))
}

/// PostHog's token answer, and what the client knows beside it.
#[derive(Deserialize)]
struct Sent {
    #[serde(alias = "accessToken")]
    access_token: String,
    #[serde(alias = "refreshToken")]
    refresh_token: Option<String>,
    #[serde(alias = "expiresIn")]
    expires_in: Option<i64>,
    #[serde(alias = "expiresAt")]
    expires_at: Option<Moment>,
    #[serde(alias = "scopes")]
    scope: Option<Scopes>,
    #[serde(alias = "scopedTeams")]
    scoped_teams: Option<Vec<i64>>,
    #[serde(alias = "clientId")]
    client_id: Option<String>,
    #[serde(alias = "tokenEndpoint")]
    token_endpoint: Option<String>,
    host: Option<String>,
    #[serde(alias = "projectId")]
    project_id: Option<Number>,
}

/// A time in RFC 3339, or since 1970 in seconds or milliseconds.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Text(Time),
    Number(i64),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scopes {
    Text(String),
    List(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Number(i64),
}

/// Seconds since 1970 have fewer digits than this; milliseconds have more.
const MILLIS: i64 = 100_000_000_000;

impl Sent {
    fn brought(self, now: Time) -> Brought {
        let at = self.expires_at.map(|at| match at {
            Moment::Text(at) => at,
            Moment::Number(n) if n < MILLIS => Time::from_millis(n.saturating_mul(1_000)),
            Moment::Number(n) => Time::from_millis(n),
        });
        // A while is told by no clock and so cannot be wrong by one.
        let within = self.expires_in.map(|seconds| now.plus(Span::seconds(seconds.clamp(0, 400 * 86_400))));
        Brought {
            access_token: self.access_token,
            refresh_token: self.refresh_token,
            expires_at: within.or(at),
            scopes: match self.scope {
                None => String::new(),
                Some(Scopes::Text(text)) => text,
                Some(Scopes::List(list)) => list.join(" "),
            },
            projects: self.scoped_teams.unwrap_or_default(),
            client_id: self.client_id,
            token_endpoint: self.token_endpoint,
            host: self.host,
            project: self.project_id.map(|number| match number {
                Number::Text(text) => text,
                Number::Number(n) => n.to_string(),
            }),
        }
    }
}

/// What is told of a credential: never the tokens.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    provider: &'static str,
    connection: String,
    scopes: Vec<String>,
    expires_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
    scoped_teams: Vec<i64>,
    /// `good`, or `refused` where PostHog takes it no more.
    status: hogwire_engine::store::credentials::Status,
    /// Why the last renewal failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    problem: String,
}

impl From<Credential> for Meta {
    fn from(row: Credential) -> Self {
        Self {
            provider: "posthog",
            scopes: row.scopes.split_ascii_whitespace().map(str::to_owned).collect(),
            connection: row.connection,
            expires_at: row.expires_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            scoped_teams: row.projects,
            status: row.status,
            problem: row.problem,
        }
    }
}

async fn keep(
    State(app): State<Shared>,
    caller: Caller,
    Path(connection): Path<String>,
    Json(sent): Json<Sent>,
) -> Result<Answer<Meta>, Problem> {
    caller.require(Scope::Admin)?;
    let kept =
        app.ask(move |engine, now| engine.keep_credential(&connection, sent.brought(now), &caller.name, now)).await?;
    Ok(Answer(kept.into()))
}

async fn show(
    State(app): State<Shared>,
    caller: Caller,
    Path(connection): Path<String>,
) -> Result<Answer<Meta>, Problem> {
    caller.require(Scope::Admin)?;
    let named = connection.clone();
    let found = app.ask(move |engine, _| engine.credential(&named)).await?;
    let found = found.ok_or_else(|| Problem::not_found(format!("No credential is stored for {connection}.")))?;
    Ok(Answer(found.into()))
}

async fn forget(
    State(app): State<Shared>,
    caller: Caller,
    Path(connection): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Scope::Admin)?;
    app.ask(move |engine, now| engine.forget_credential(&connection, &caller.name, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}
