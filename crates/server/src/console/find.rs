//! The search field on every page: whatever is typed leads to what it names.

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use hogwire_engine::Engine;
use serde::Deserialize;

use super::{Trouble, Visitor, words};
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new().route("/console/find", get(find))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    q: String,
}

async fn find(State(app): State<Shared>, _: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let q = asked.q.trim().to_owned();
    if q.is_empty() {
        return Ok(Redirect::to("/console/events").into_response());
    }
    let to = app.ask(move |engine, _| place(engine, &q)).await?;
    Ok(Redirect::to(&to).into_response())
}

/// An event by its whole id, a message, a campaign by id or name, a contact; else the list
/// of contacts whose address begins so, and at last the event log.
fn place(engine: &Engine, q: &str) -> hogwire_engine::Result<String> {
    if q.starts_with("msg_") && engine.message(q)?.is_some() {
        return Ok(format!("/console/messages/{}", words::segment(q)));
    }
    if q.contains(':') && engine.event(q)?.is_some() {
        return Ok(format!("/console/events/{}", words::segment(q)));
    }
    let campaigns = engine.campaigns()?;
    if let Some(line) = campaigns.iter().find(|line| line.id == q || line.name.eq_ignore_ascii_case(q)) {
        return Ok(format!("/console/campaigns/{}", words::segment(&line.id)));
    }
    let query: String = url::form_urlencoded::byte_serialize(q.as_bytes()).collect();
    let mut found = engine.contacts(Some(q), None, Some(2))?.items;
    Ok(match found.len() {
        0 if engine.event_names()?.iter().any(|seen| seen.name == q) => format!("/console/events?name={query}"),
        0 => format!("/console/events?who={query}"),
        1 => format!("/console/contacts/{}", words::segment(found.remove(0).id)),
        _ => format!("/console/contacts?q={query}"),
    })
}
