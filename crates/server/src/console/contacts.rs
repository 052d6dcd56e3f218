//! Contacts: who they are, what is known and from where, what happened; and, per campaign,
//! the way to its explanation.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use hogwire_engine::store::suppressions::Entry;
use hogwire_engine::views::contacts::{Detail, Happened, Line};
use hogwire_model::Time;
use hogwire_model::contact::consent::SuppressionReason;
use serde::Deserialize;

use super::{Shell, Submitted, Trouble, Visitor, page, words};
use crate::api::auth::Scope;
use crate::api::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/console/contacts", get(list))
        .route("/console/contacts/{id}", get(detail))
        .route("/console/suppressions", get(suppressed).post(suppress))
        .route("/console/suppressions/remove", post(unsuppress))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    q: String,
    cursor: String,
    /// The timeline before this time, in milliseconds.
    before: Option<i64>,
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "contacts.html")]
struct List {
    shell: Shell,
    q: String,
    lines: Vec<Line>,
    older: Option<String>,
}

async fn list(State(app): State<Shared>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let q = asked.q.trim().to_owned();
    let (query, cursor) = (Some(q.clone()).filter(|q| !q.is_empty()), asked.cursor);
    let found = app.ask(move |engine, _| engine.contacts(query.as_deref(), Some(&cursor), None)).await?;
    let older = found.next.filter(|_| q.is_empty()).map(|cursor| {
        let cursor: String = url::form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
        format!("/console/contacts?cursor={cursor}")
    });
    Ok(page(&List { shell: Shell::new(&visitor, "contacts", "Contacts"), q, lines: found.items, older }))
}

#[derive(Template)]
#[template(path = "contact.html")]
struct One {
    shell: Shell,
    contact: Detail,
    happened: Vec<Happened>,
    earlier: Option<i64>,
    campaigns: Vec<(String, String)>,
}

impl One {
    fn campaign_name<'a>(&'a self, id: &'a str) -> &'a str {
        self.campaigns.iter().find(|(known, _)| known == id).map_or(id, |(_, name)| name)
    }
}

/// Lines of the timeline on one page.
const TIMELINE: usize = 50;

async fn detail(
    State(app): State<Shared>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let before = asked.before.map(Time::from_millis);
    let (contact, happened, campaigns) = app
        .ask(move |engine, _| {
            let campaigns: Vec<(String, String)> =
                engine.campaigns()?.into_iter().map(|line| (line.id, line.name)).collect();
            Ok((engine.contact(&id)?, engine.timeline(&id, before, Some(TIMELINE))?, campaigns))
        })
        .await?;
    let contact = contact.ok_or_else(|| Problem::not_found("There is no such contact."))?;
    let happened = happened.unwrap_or_default();
    let earlier = happened.last().filter(|_| happened.len() == TIMELINE).map(|last| last.at.millis());
    let title = contact.line.address.clone().or_else(|| contact.line.name.clone());
    let shell = Shell::new(&visitor, "contacts", title.unwrap_or_else(|| "Somebody without an address".to_owned()))
        .saying(asked.said.as_deref());
    Ok(page(&One { shell, contact, happened, earlier, campaigns }))
}

/// Where a line of the timeline leads.
fn target(line: &Happened) -> Option<String> {
    if line.link.is_empty() {
        return None;
    }
    match line.kind {
        "event" => Some(format!("/console/events/{}", words::segment(&line.link))),
        "decision" => Some(format!("/console/campaigns/{}", words::segment(&line.what))),
        _ => Some(format!("/console/messages/{}", words::segment(&line.link))),
    }
}

impl One {
    fn link(&self, line: &Happened) -> String {
        target(line).unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "suppressions.html")]
struct Suppressed {
    shell: Shell,
    lines: Vec<Entry>,
    older: Option<i64>,
}

/// Lines of the list on one page.
const LISTED: usize = 100;

async fn suppressed(
    State(app): State<Shared>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let before = asked.before.map(Time::from_millis);
    let lines = app.ask(move |engine, _| engine.suppressions(before, Some(LISTED))).await?;
    let older = lines.last().filter(|_| lines.len() == LISTED).map(|last| last.at.millis());
    let shell = Shell::new(&visitor, "contacts", "Not written to").saying(asked.said.as_deref());
    Ok(page(&Suppressed { shell, lines, older }))
}

async fn suppress(State(app): State<Shared>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let (address, by) = (sent.field("address").to_owned(), sent.visitor.email);
    app.ask(move |engine, now| engine.suppress(&address, &by, now)).await?;
    Ok(Redirect::to("/console/suppressions?said=suppressed").into_response())
}

async fn unsuppress(State(app): State<Shared>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let reason = SuppressionReason::parse(sent.field("reason"))
        .ok_or_else(|| Problem::bad_request("unknown_reason", "There is no such reason.", "Use the buttons."))?;
    let (address, by) = (sent.field("address").to_owned(), sent.visitor.email);
    app.ask(move |engine, now| engine.unsuppress(&address, reason, &by, now)).await?;
    Ok(Redirect::to("/console/suppressions?said=unsuppressed").into_response())
}
