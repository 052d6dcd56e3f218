//! Sending domains: what to publish, what DNS says, and what that means for mail.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use hogwire_connectors::smtp::records::{Kind, Purpose, Record, State as Found};
use hogwire_engine::domains::View;
use serde::Deserialize;

use super::{Shell, Submitted, Trouble, Visitor, page, words};
use crate::api::auth::Scope;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/console/domains", get(list).post(add))
        .route("/console/domains/{name}", get(show))
        .route("/console/domains/{name}/check", post(check))
        .route("/console/domains/{name}/remove", post(remove))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "domains.html")]
struct Domains {
    shell: Shell,
    domains: Vec<View>,
}

async fn list(State(app): State<Shared>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let domains = app.ask(|engine, _| engine.domains()).await?;
    let shell = Shell::new(&visitor, "health", "Sending domains").saying(asked.said.as_deref());
    Ok(page(&Domains { shell, domains }))
}

#[derive(Template)]
#[template(path = "domain.html")]
struct Domain {
    shell: Shell,
    domain: View,
}

async fn show(
    State(app): State<Shared>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let domain = app.ask(move |engine, _| engine.domain(&name)).await?;
    let shell = Shell::new(&visitor, "health", domain.name.clone()).saying(asked.said.as_deref());
    Ok(page(&Domain { shell, domain }))
}

async fn add(State(app): State<Shared>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let (name, by) = (sent.field("name").to_owned(), sent.visitor.email);
    let (view, _) = app.ask(move |engine, now| engine.add_domain(&name, &by, now)).await?;
    Ok(back(&view.name, "domain-added"))
}

async fn check(State(app): State<Shared>, Path(name): Path<String>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let view = app.ask(move |engine, now| engine.check_domain(&name, now)).await?;
    Ok(back(&view.name, "domain-checked"))
}

async fn remove(State(app): State<Shared>, Path(name): Path<String>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let by = sent.visitor.email;
    app.ask(move |engine, now| engine.remove_domain(&name, &by, now)).await?;
    Ok(Redirect::to("/console/domains?said=domain-removed").into_response())
}

fn back(name: &str, said: &str) -> Response {
    Redirect::to(&format!("/console/domains/{}?said={said}", words::segment(name))).into_response()
}

/// A record's heading and what it is for, in a sentence.
const fn about(record: &Record) -> (&'static str, &'static str) {
    match record.purpose {
        Purpose::Dkim => (
            "DKIM",
            "Our key. Mail is signed with it, in the name of the address that readers see, so that DMARC is content: the two names are the same.",
        ),
        Purpose::DkimEd25519 => ("DKIM, second key", "A shorter, newer kind of key. Mail is signed with it as well."),
        Purpose::Spf => ("SPF", "Names the servers that may send in the name of this domain."),
        Purpose::Dmarc => ("DMARC", "Says what receivers should do with mail that neither DKIM nor SPF vouches for."),
        Purpose::ReturnPath => ("Return path", "Where bounces go that come later."),
    }
}

const fn tone(record: &Record) -> &'static str {
    match (record.state, record.needed) {
        (Found::Right, _) => "good",
        (Found::Unknown, _) => "",
        (_, true) => "bad",
        (Found::Missing | Found::Wrong, false) => "warn",
    }
}

const fn state(record: &Record) -> &'static str {
    match record.state {
        Found::Right => "right",
        Found::Unknown => "not seen",
        Found::Missing => "missing",
        Found::Wrong => "wrong",
    }
}

const fn kind(record: &Record) -> &'static str {
    match record.kind {
        Kind::Txt => "TXT",
        Kind::Mx => "MX",
    }
}
