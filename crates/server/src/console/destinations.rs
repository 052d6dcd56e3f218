//! Destinations: how each stands, what goes where, whom it did not take and why.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use hogwire_engine::views::destinations::{DestinationLine, Rejected};
use serde::Deserialize;

use super::{Shell, Submitted, Trouble, Visitor, page, words};
use crate::api::auth::Scope;
use crate::api::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/console/destinations", get(list))
        .route("/console/destinations/{name}", get(one))
        .route("/console/destinations/{name}/retry", post(retry))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    after: String,
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "destinations.html")]
struct List {
    shell: Shell,
    lines: Vec<DestinationLine>,
}

async fn list(State(app): State<Shared>, visitor: Visitor) -> Result<Response, Trouble> {
    let lines = app.ask(|engine, now| engine.destinations(now)).await?;
    Ok(page(&List { shell: Shell::new(&visitor, "health", "Destinations"), lines }))
}

#[derive(Template)]
#[template(path = "destination.html")]
struct One {
    shell: Shell,
    line: DestinationLine,
    rejected: Vec<Rejected>,
    more: Option<String>,
    /// Where it reports to; shown to admins.
    webhook: Option<String>,
}

const LISTED: usize = 100;

impl One {
    fn standing(&self, target: &str) -> &str {
        self.line.attributes.get(target).map_or("", String::as_str)
    }
}

async fn one(
    State(app): State<Shared>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let may_admin = visitor.caller.may(Scope::Admin);
    let found = app
        .ask(move |engine, now| {
            let Some(line) = engine.destinations(now)?.into_iter().find(|line| line.name == name) else {
                return Ok(None);
            };
            let token = if may_admin { Some(engine.destination_token(&name, now)?) } else { None };
            Ok(Some((line, engine.rejected(&name, &asked.after, Some(LISTED))?, token)))
        })
        .await?;
    let (line, rejected, token) = found.ok_or_else(|| Problem::not_found("There is no such destination."))?;
    let more = rejected.last().filter(|_| rejected.len() == LISTED).map(|last| last.contact.clone());
    let public = &app.engine.settings().public_url;
    let webhook = token.map(|token| format!("{public}/v1/webhooks/{}/{token}", line.connector));
    let shell = Shell::new(&visitor, "health", words::title(&line.name)).saying(asked.said.as_deref());
    Ok(page(&One { shell, line, rejected, more, webhook }))
}

async fn retry(State(app): State<Shared>, Path(name): Path<String>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let back = words::segment(&name);
    let (contact, by) = (sent.field("contact").to_owned(), sent.visitor.email);
    app.ask(move |engine, now| engine.retry_rejected(&name, &contact, &by, now)).await?;
    Ok(Redirect::to(&format!("/console/destinations/{back}?said=retried")).into_response())
}
