//! Messages: the list, one with what it said and did, and what people do about them.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use hogwire_engine::outbox::settle::Word;
use hogwire_engine::store::messages::{Message, Status};
use hogwire_engine::views::Page;
use hogwire_engine::views::messages::{Detail, Search};
use serde::Deserialize;
use serde_json::json;

use super::auth::{Caller, Scope};
use super::input::{Json, Query};
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/messages", get(list))
        .route("/v1/messages/{id}", get(one))
        .route("/v1/messages/{id}/resend", post(resend))
        .route("/v1/messages/{id}/settle", post(settle))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    status: Option<String>,
    campaign: Option<String>,
    /// A contact by id, address or any key.
    contact: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Answer<Page<Message>>, Problem> {
    caller.require(Scope::Read)?;
    let status = match asked.status.as_deref() {
        None => None,
        Some(word) => Some(Status::ALL.into_iter().find(|status| status.as_str() == word).ok_or_else(|| {
            let known: Vec<&str> = Status::ALL.into_iter().map(Status::as_str).collect();
            let detail = format!("`{word}` is no status; there are {}.", known.join(", "));
            Problem::bad_request("unknown_status", detail, "Use one of them, or none.")
        })?),
    };
    let Asked { campaign, contact, cursor, limit, .. } = asked;
    let search = Search { status, campaign, contact, cursor, limit };
    app.ask(move |engine, _| engine.messages(&search)).await.map(Answer)
}

async fn one(State(app): State<Shared>, caller: Caller, Path(id): Path<String>) -> Result<Answer<Detail>, Problem> {
    caller.require(Scope::Read)?;
    let asked = id.clone();
    let found = app.ask(move |engine, _| engine.message(&asked)).await?;
    found.map(Answer).ok_or_else(|| Problem::not_found(format!("There is no message {id}.")))
}

/// A new message, linked to the old one. All rules are asked again before it goes.
async fn resend(State(app): State<Shared>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    caller.require(Scope::Write)?;
    let asked = id.clone();
    let made = app.ask(move |engine, now| engine.resend_message(&asked, &caller.name, now)).await?;
    Ok((StatusCode::ACCEPTED, Answer(json!({ "id": made, "resend_of": id }))).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// What is known of the message: `sent` or `not_sent`.
    #[serde(rename = "as")]
    word: Said,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Sent,
    NotSent,
}

async fn settle(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Json(known): Json<Known>,
) -> Result<Response, Problem> {
    caller.require(Scope::Write)?;
    let word = match known.word {
        Said::Sent => Word::Sent,
        Said::NotSent => Word::NotSent,
    };
    let asked = id.clone();
    app.ask(move |engine, now| engine.settle_message(&asked, word, &caller.name, now)).await?;
    Ok(Answer(json!({ "id": id, "settled": true })).into_response())
}
