//! What a person asked for: their data handed over, changed by hand, or erased, with what
//! every place answered.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use hogwire_engine::contacts::{Erased, Given};
use hogwire_engine::store::erasures::Receipt;
use hogwire_model::Time;
use serde::Deserialize;
use serde_json::Value;

use super::{Shell, Submitted, Trouble, Visitor, page, words};
use crate::api::auth::Scope;
use crate::api::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/console/contacts/new", post(make))
        .route("/console/contacts/{id}/change", post(change))
        .route("/console/contacts/{id}/erase", post(erase))
        .route("/console/contacts/{id}/export", get(export))
        .route("/console/erasures", get(list))
        .route("/console/erasures/{id}", get(one))
        .route("/console/erasures/{id}/settle", post(settle))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    /// The list before this time, in milliseconds.
    before: Option<i64>,
    said: Option<String>,
}

/// What a form says about a contact; a field that it does not have changes nothing.
fn given(sent: &Submitted) -> Given {
    let text = |name: &str| Some(sent.field(name).trim().to_owned()).filter(|text| !text.is_empty());
    let mut given = Given { email: text("email"), external: text("external"), name: text("name"), ..Given::default() };
    if let Some(attribute) = text("attribute") {
        let value = match sent.field("value").trim() {
            "" => Value::Null,
            // `3` and `true` are what they look like; everything else is text.
            text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        };
        given.attributes.insert(attribute, value);
    }
    given
}

async fn make(State(app): State<Shared>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let (given, by) = (given(&sent), sent.visitor.email);
    let wrote = app.ask(move |engine, now| engine.write_contact(&given, &by, now)).await?;
    Ok(Redirect::to(&format!("/console/contacts/{}?said=contact-written", words::segment(wrote.id))).into_response())
}

async fn change(State(app): State<Shared>, Path(id): Path<String>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let (given, by) = (given(&sent), sent.visitor.email);
    let wrote = app.ask(move |engine, now| engine.change_contact(&id, &given, &by, now)).await?;
    Ok(Redirect::to(&format!("/console/contacts/{}?said=contact-written", words::segment(wrote.id))).into_response())
}

async fn erase(State(app): State<Shared>, Path(id): Path<String>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let by = sent.visitor.email;
    let erased = app.ask(move |engine, now| engine.erase_contact(&id, &by, now)).await?;
    Ok(Redirect::to(&format!("/console/erasures/{}?said=erased", words::segment(erased.erasure.id))).into_response())
}

async fn export(State(app): State<Shared>, _: Visitor, Path(id): Path<String>) -> Result<Response, Trouble> {
    let export = app.ask(move |engine, now| engine.export_contact(&id, now)).await?;
    let export = export.ok_or_else(|| Problem::not_found("There is no such contact."))?;
    let named = format!("attachment; filename=\"{}.json\"", export.contact.line.id);
    Ok(([(header::CONTENT_DISPOSITION, named)], axum::Json(export)).into_response())
}

#[derive(Template)]
#[template(path = "erasures.html")]
struct List {
    shell: Shell,
    lines: Vec<Erased>,
    older: Option<i64>,
}

const LISTED: usize = 100;

async fn list(State(app): State<Shared>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let before = asked.before.map(Time::from_millis);
    let lines = app.ask(move |engine, _| engine.erasures(before, Some(LISTED))).await?;
    let older = lines.last().filter(|_| lines.len() == LISTED).map(|last| last.erasure.at.millis());
    Ok(page(&List { shell: Shell::new(&visitor, "contacts", "Erasures"), lines, older }))
}

#[derive(Template)]
#[template(path = "erasure.html")]
struct One {
    shell: Shell,
    erased: Erased,
}

impl One {
    fn is_open(&self, receipt: &Receipt) -> bool {
        self.shell.may_write && matches!(receipt.status.as_str(), "failed" | "by_hand")
    }
}

async fn one(
    State(app): State<Shared>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let erased = app.ask(move |engine, _| engine.erasure(&id)).await?;
    let erased = erased.ok_or_else(|| Problem::not_found("There is no such erasure."))?;
    let shell = Shell::new(&visitor, "contacts", "An erasure").saying(asked.said.as_deref());
    Ok(page(&One { shell, erased }))
}

async fn settle(State(app): State<Shared>, Path(id): Path<String>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let back = words::segment(&id);
    let (place, is_done) = (sent.field("place").to_owned(), sent.field("as") == "done");
    let by = sent.visitor.email;
    app.ask(move |engine, now| engine.settle_receipt(&id, &place, is_done, &by, now)).await?;
    Ok(Redirect::to(&format!("/console/erasures/{back}?said=settled")).into_response())
}
