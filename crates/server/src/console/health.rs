//! Whether all is well: checks, what is switched off for want of a credential, connections
//! and their gaps, jobs, and the brakes, with the red one that stops all mail.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use hogwire_engine::outbox::brakes::Subject;
use hogwire_engine::store::connections::Status;
use hogwire_engine::store::pauses::Pause;
use hogwire_engine::views::health::{JobLine, Trouble as Held};
use hogwire_engine::views::overview::ConnectionLine;
use hogwire_model::Time;
use serde::Deserialize;

use super::overview::examined;
use super::{Shell, Submitted, Trouble, Visitor, page, words};
use crate::api::auth::Scope;
use crate::api::problem::Problem;
use crate::app::Shared;
use crate::capabilities::{self, Capability};
use crate::doctor::{Finding, State as Found};

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/console/connections/{name}", get(connection))
        .route("/console/connections/{name}/gaps", post(close_gaps))
        .route("/console/connections/{name}/status", post(set_status))
        .route("/console/connections/{name}/token", post(new_token))
        .route("/console/health", get(show))
        .route("/console/pause", post(pause))
        .route("/console/resume", post(resume))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "health.html")]
struct Health {
    shell: Shell,
    findings: Vec<Finding>,
    passed: Vec<Finding>,
    capabilities: Vec<Capability>,
    connections: Vec<ConnectionLine>,
    pauses: Vec<Pause>,
    senders: Vec<String>,
    jobs: Vec<JobLine>,
    held: Vec<Held>,
}

impl Health {
    fn all_paused(&self) -> bool {
        self.pauses.iter().any(|pause| pause.subject == "*")
    }
}

async fn show(State(app): State<Shared>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let (passed, mut findings): (Vec<Finding>, Vec<Finding>) =
        examined(&app).await?.into_iter().partition(|finding| finding.state == Found::Ok);
    findings.sort_by_key(|finding| finding.state != Found::Failure);
    let (connections, pauses, jobs, held) = app
        .ask(move |engine, _| {
            Ok((engine.connection_lines()?, engine.pauses()?, engine.jobs(Some(30))?, engine.troubles()?))
        })
        .await?;
    Ok(page(&Health {
        shell: Shell::new(&visitor, "health", "Health").saying(asked.said.as_deref()),
        findings,
        passed,
        capabilities: capabilities::all(&app.config),
        connections,
        pauses,
        senders: app.engine.settings().senders.keys().cloned().collect(),
        jobs,
        held,
    }))
}

/// `*`, `sender:NAME` or `campaign:ID`, as pauses are written.
fn subject(written: &str) -> Result<Subject<'_>, Problem> {
    match written.split_once(':') {
        Some(("sender", name)) => Ok(Subject::Sender(name)),
        Some(("campaign", id)) => Ok(Subject::Campaign(id)),
        None if written == "*" => Ok(Subject::Everything),
        _ => Err(Problem::bad_request("which", "The form does not say what to stop.", "Use the buttons.")),
    }
}

async fn pause(State(app): State<Shared>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let (written, reason) = (sent.field("subject").to_owned(), sent.field("reason").to_owned());
    subject(&written)?;
    let said = if written == "*" { "paused-all" } else { "paused" };
    let by = sent.visitor.email;
    let stop = move |engine: &hogwire_engine::Engine, now| match subject(&written) {
        Ok(subject) => engine.pause(subject, &by, &reason, now),
        Err(_) => Ok(false),
    };
    app.ask(stop).await?;
    Ok(Redirect::to(&format!("/console/health?said={said}")).into_response())
}

async fn resume(State(app): State<Shared>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let written = sent.field("subject").to_owned();
    subject(&written)?;
    let by = sent.visitor.email;
    let go = move |engine: &hogwire_engine::Engine, now| match subject(&written) {
        Ok(subject) => engine.resume(subject, &by, now),
        Err(_) => Ok(false),
    };
    app.ask(go).await?;
    Ok(Redirect::to("/console/health?said=resumed").into_response())
}

#[derive(Template)]
#[template(path = "connection.html")]
struct One {
    shell: Shell,
    line: ConnectionLine,
    /// Shown to those who may set the source up.
    url: Option<String>,
    secret: Option<String>,
}

async fn connection(
    State(app): State<Shared>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let may_see = visitor.caller.may(Scope::Admin);
    let wanted = name.clone();
    let (line, token, secret) = app
        .ask(move |engine, _| {
            let line = engine.connection_lines()?.into_iter().find(|line| line.name == wanted);
            let shown = may_see && line.is_some();
            let token = if shown { engine.webhook_token(&wanted)? } else { None };
            let secret = if shown { engine.webhook_secret(&wanted)? } else { None };
            Ok((line, token, secret))
        })
        .await?;
    let line = line.ok_or_else(|| Problem::not_found(format!("There is no connection {name}.")))?;
    let public = app.engine.settings().public_url.clone();
    let url = token.map(|token| format!("{public}/v1/webhooks/{}/{token}", line.connector));
    let shell = Shell::new(&visitor, "health", line.name.clone()).saying(asked.said.as_deref());
    Ok(page(&One { shell, line, url, secret }))
}

async fn set_status(State(app): State<Shared>, Path(name): Path<String>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let status = if sent.field("status") == "active" { Status::Active } else { Status::Testing };
    let back = words::segment(&name);
    let by = sent.visitor.email;
    app.ask(move |engine, now| engine.set_connection_status(&name, status, &by, now)).await?;
    Ok(Redirect::to(&format!("/console/connections/{back}?said=connection-{}", status.as_str())).into_response())
}

async fn new_token(State(app): State<Shared>, Path(name): Path<String>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Admin)?;
    let back = words::segment(&name);
    let by = sent.visitor.email;
    app.ask(move |engine, now| engine.regenerate_token(&name, &by, now)).await?;
    Ok(Redirect::to(&format!("/console/connections/{back}?said=token")).into_response())
}

async fn close_gaps(State(app): State<Shared>, Path(name): Path<String>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let until = Time::parse(sent.field("until"))
        .ok_or_else(|| Problem::bad_request("until", "The form does not say up to when.", "Use the button."))?;
    let back = words::segment(&name);
    let by = sent.visitor.email;
    app.ask(move |engine, now| engine.close_gaps(&name, until, &by, now)).await?;
    Ok(Redirect::to(&format!("/console/connections/{back}?said=closed")).into_response())
}
