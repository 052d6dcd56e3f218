//! What the connect flow needs to know of this installation (SPEC C6), and the document that
//! names it to PostHog. Secrets never appear, only whether each is there.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json as Answer, Router};
use hogwire_connectors::posthog::oauth;
use hogwire_engine::credentials::Kind;
use serde::{Deserialize, Serialize};

use super::auth::{Caller, Scope};
use super::input::Query;
use super::problem::Problem;
use crate::app::{App, Shared};
use crate::capabilities::is_reachable;

/// The connection that is meant where none is named.
pub const FIRST: &str = "posthog";

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/admin/analytics/connect-info", get(connect_info))
        .route(oauth::DOCUMENT_PATH, get(document))
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Named {
    pub connection: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Readiness {
    connection: String,
    region: String,
    host: String,
    private_host: String,
    api_public_url: Option<String>,
    project_id: Option<String>,
    /// Everything is there for the loop to be set up.
    ready: bool,
    configured: Configured,
    /// The client that PostHog can fetch from here, where it can.
    client_id: Option<String>,
    /// A client registered before, to be used again.
    registered_client: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Configured {
    api_key: bool,
    webhook_secret: bool,
    personal_key: bool,
    oauth: bool,
}

async fn connect_info(
    State(app): State<Shared>,
    caller: Caller,
    Query(named): Query<Named>,
) -> Result<Answer<Readiness>, Problem> {
    caller.require(Scope::Admin)?;
    let connection = named.connection.unwrap_or_else(|| FIRST.to_owned());
    let known = app.config.posthog.get(&connection);
    let known = known.ok_or_else(|| Problem::not_found(format!("There is no connection {connection}.")))?.clone();
    let asked = connection.clone();
    let host = known.private_host.clone();
    let (standing, registered) =
        app.ask(move |engine, now| Ok((engine.standing(&asked, now)?, engine.registered_client(&host)?))).await?;
    let settings = app.engine.settings();
    let api_key = settings.connections.get(&connection).is_some_and(|held| held.project_token.is_some());
    let configured = Configured {
        api_key,
        webhook_secret: known.webhook_secret_set,
        personal_key: known.personal_key.is_some(),
        oauth: standing.uses == Some(Kind::Oauth),
    };
    let reachable = app.config.public_url.as_deref().is_some_and(is_reachable);
    Ok(Answer(Readiness {
        region: known.region,
        host: known.host,
        private_host: known.private_host,
        api_public_url: app.config.public_url.clone(),
        project_id: known.project_id,
        ready: standing.uses.is_some() && !known.unconfigured && reachable,
        configured,
        client_id: client_id(&app),
        registered_client: registered,
        connection,
    }))
}

/// The document's own URL, where PostHog can fetch it: https and public.
fn client_id(app: &App) -> Option<String> {
    let url = app.config.public_url.as_deref()?;
    (url.starts_with("https://") && is_reachable(url)).then(|| format!("{url}{}", oauth::DOCUMENT_PATH))
}

async fn document(State(app): State<Shared>) -> Response {
    let url = app.engine.settings().public_url.clone();
    let document = oauth::document(&format!("{url}{}", oauth::DOCUMENT_PATH));
    ([(header::CACHE_CONTROL, "public, max-age=3600")], Answer(document)).into_response()
}
