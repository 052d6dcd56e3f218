//! Messages: the list, and one with what it said, what became of it, and what can be done.
//! What a message said is shown in a frame that may run nothing and fetch no script.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use hogwire_engine::outbox::settle::Word;
use hogwire_engine::store::messages::{Message, Status};
use hogwire_engine::views::messages::{Detail, Search};
use serde::Deserialize;

use super::{Shell, Submitted, Trouble, Visitor, live, page, words};
use crate::api::auth::Scope;
use crate::api::problem::Problem;
use crate::app::Shared;

/// The mail in its frame: styles and pictures of its own, links in a new tab, nothing else.
pub(super) const FRAME: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
    img-src https: http: data:; style-src 'unsafe-inline'; font-src https:; frame-ancestors 'self'; form-action 'none'";

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/console/messages", get(list))
        .route("/console/messages/{id}", get(detail))
        .route("/console/messages/{id}/html", get(html))
        .route("/console/messages/{id}/resend", post(resend))
        .route("/console/messages/{id}/settle", post(settle))
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct Asked {
    status: String,
    who: String,
    campaign: String,
    cursor: String,
    seen: String,
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "message_rows.html")]
struct Rows {
    lines: Vec<Message>,
    query: String,
    fingerprint: String,
    live: bool,
    older: Option<String>,
}

#[derive(Template)]
#[template(path = "messages.html")]
struct List {
    shell: Shell,
    asked: Asked,
    campaigns: Vec<(String, String)>,
    rows: Rows,
}

async fn list(State(app): State<Shared>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let search = Search {
        status: Status::ALL.into_iter().find(|status| status.as_str() == asked.status),
        campaign: given(&asked.campaign),
        contact: given(&asked.who),
        cursor: given(&asked.cursor),
        limit: None,
    };
    let (found, campaigns) = app
        .ask(move |engine, _| {
            let campaigns = engine.campaigns()?.into_iter().map(|line| (line.id, line.name)).collect();
            Ok((engine.messages(&search)?, campaigns))
        })
        .await?;
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let fields = [("status", &asked.status), ("who", &asked.who), ("campaign", &asked.campaign)];
    query.extend_pairs(fields.iter().filter(|(_, value)| !value.is_empty()));
    let query = query.finish();
    let older = found.next.map(|cursor| {
        let cursor: String = url::form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
        format!("/console/messages?{query}&cursor={cursor}")
    });
    let shown: Vec<_> = found
        .items
        .iter()
        .map(|line| (&line.id, line.status.as_str(), &line.reason, line.human_opens, line.clicks, &line.subject))
        .collect();
    let fingerprint = live::fingerprint(&shown);
    let rows = Rows { fingerprint, lines: found.items, query, live: asked.cursor.is_empty(), older };
    if !asked.seen.is_empty() {
        return Ok(if rows.fingerprint == asked.seen { live::unchanged() } else { page(&rows) });
    }
    Ok(page(&List { shell: Shell::new(&visitor, "messages", "Messages"), asked, campaigns, rows }))
}

#[derive(Template)]
#[template(path = "message.html")]
struct One {
    shell: Shell,
    message: Message,
    detail: Detail,
}

impl One {
    /// What somebody knows about a message whose end nobody saw.
    fn is_unknown(&self) -> bool {
        self.message.status == Status::Unknown
    }

    fn can_resend(&self) -> bool {
        !matches!(self.message.status, Status::Queued | Status::Held | Status::Sending)
    }
}

async fn found(app: &Shared, id: String) -> Result<Detail, Problem> {
    let asked = id.clone();
    let found = app.ask(move |engine, _| engine.message(&asked)).await?;
    found.ok_or_else(|| Problem::not_found(format!("There is no message {id}.")))
}

async fn detail(
    State(app): State<Shared>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let detail = found(&app, id).await?;
    let message = detail.message.clone();
    let title = if message.subject.is_empty() { message.template.clone() } else { message.subject.clone() };
    let shell = Shell::new(&visitor, "messages", title).saying(asked.said.as_deref());
    Ok(page(&One { shell, message, detail }))
}

async fn html(State(app): State<Shared>, _: Visitor, Path(id): Path<String>) -> Result<Response, Trouble> {
    let body = found(&app, id).await?.body;
    let html = body.map(|body| body.html).ok_or_else(|| Problem::not_found("What it said is not kept."))?;
    let text = format!("<!doctype html><base target=\"_blank\">{html}");
    Ok(([(header::CONTENT_SECURITY_POLICY, FRAME)], Html(text)).into_response())
}

async fn settle(State(app): State<Shared>, Path(id): Path<String>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let word = match sent.field("as") {
        "sent" => Word::Sent,
        "not_sent" => Word::NotSent,
        _ => return Err(Problem::bad_request("as", "The form does not say what is known.", "Use the buttons.").into()),
    };
    let back = words::segment(&id);
    let by = sent.visitor.email;
    app.ask(move |engine, now| engine.settle_message(&id, word, &by, now)).await?;
    Ok(Redirect::to(&format!("/console/messages/{back}?said=settled")).into_response())
}

async fn resend(State(app): State<Shared>, Path(id): Path<String>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let by = sent.visitor.email;
    let made = app.ask(move |engine, now| engine.resend_message(&id, &by, now)).await?;
    Ok(Redirect::to(&format!("/console/messages/{}?said=resent", words::segment(made))).into_response())
}
