//! Templates: the list, and one with its source and how it looks for somebody.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use hogwire_engine::views::templates::{Detail, For, Line, Preview};
use serde::Deserialize;

use super::{Shell, Trouble, Visitor, messages, page, words};
use crate::api::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/console/templates", get(list))
        .route("/console/templates/{name}", get(detail))
        .route("/console/templates/{name}/html", get(html))
}

#[derive(Template)]
#[template(path = "templates.html")]
struct List {
    shell: Shell,
    lines: Vec<Line>,
}

async fn list(State(app): State<Shared>, visitor: Visitor) -> Result<Response, Trouble> {
    let lines = app.ask(|engine, _| engine.templates()).await?;
    Ok(page(&List { shell: Shell::new(&visitor, "campaigns", "Templates"), lines }))
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct Asked {
    contact: String,
}

impl Asked {
    fn whom(&self) -> For {
        let contact = Some(self.contact.trim().to_owned()).filter(|named| !named.is_empty());
        For { contact, ..For::default() }
    }

    fn query(&self) -> String {
        url::form_urlencoded::byte_serialize(self.contact.trim().as_bytes()).collect()
    }
}

#[derive(Template)]
#[template(path = "template.html")]
struct One {
    shell: Shell,
    template: Detail,
    asked: Asked,
    query: String,
    preview: Option<Preview>,
    /// Why there is none.
    trouble: Option<String>,
}

async fn detail(
    State(app): State<Shared>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let wanted = name.clone();
    let template = app.ask(move |engine, _| engine.template(&wanted)).await?;
    let template = template.ok_or_else(|| Problem::not_found(format!("There is no template {name}.")))?;
    let whom = asked.whom();
    let preview = if template.line.fine {
        app.ask(move |engine, now| engine.preview_template(&name, &whom, now)).await.map(Some)
    } else {
        Ok(None)
    };
    let (preview, trouble) = match preview {
        Ok(preview) => (preview, None),
        Err(problem) => (None, Some(problem.detail)),
    };
    let shell = Shell::new(&visitor, "campaigns", template.line.name.clone());
    let query = asked.query();
    Ok(page(&One { shell, template, asked, query, preview, trouble }))
}

async fn html(
    State(app): State<Shared>,
    _: Visitor,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let whom = asked.whom();
    let preview = app.ask(move |engine, now| engine.preview_template(&name, &whom, now)).await?;
    let text = format!("<!doctype html><base target=\"_blank\">{}", preview.html);
    Ok(([(header::CONTENT_SECURITY_POLICY, messages::FRAME)], Html(text)).into_response())
}
