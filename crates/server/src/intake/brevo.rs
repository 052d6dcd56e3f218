//! Brevo's webhooks: what became of mail, and who said no there. Brevo signs nothing, so that
//! the token in the URL is what lets it in.
//!
//! A report is committed before it is answered. Brevo gives up on a 4xx and on a 5xx, and
//! comes again after 429: what cannot be written now is therefore answered with that.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hogwire_connectors::brevo::reports;
use serde_json::json;

use super::routes::answered;
use super::{TurnedAway, body};
use crate::api::problem::Problem;
use crate::app::Shared;

/// `POST /v1/webhooks/brevo/{token}`
pub async fn by_token(State(app): State<Shared>, Path(token): Path<String>, request: Request<Body>) -> Response {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let result = take(&app, &parts.headers, body, &token).await;
    answered(&app, "/v1/webhooks/brevo/{token}", &parts, began, result)
}

async fn take(app: &Shared, headers: &axum::http::HeaderMap, body: Body, token: &str) -> Result<Response, TurnedAway> {
    let token = token.to_owned();
    let known = app.ask(move |engine, _| engine.destination_of(&token)).await.map_err(later)?;
    let Some(name) = known else {
        let detail = "The token in the URL is not known here.";
        let remedy = "Copy the webhook's URL from the destination's page.";
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "bad_secret", detail, remedy);
        return Err(TurnedAway { problem, excerpt: body::beginning(body).await });
    };
    let bytes = body::read(headers, body, body::SINGLE).await?;
    let heard = reports::read(&bytes).map_err(|why| TurnedAway {
        problem: Problem::bad_request("not_a_report", format!("{why}."), "Send Brevo's own webhook body."),
        excerpt: bytes.clone(),
    })?;
    let accepted = heard.len();
    app.ask(move |engine, now| engine.hear_reports(&name, &heard, now)).await.map_err(later)?;
    Ok((StatusCode::ACCEPTED, axum::Json(json!({ "accepted": accepted }))).into_response())
}

/// What failed on our side is asked for again.
fn later(_: Problem) -> TurnedAway {
    Problem::too_many("The report cannot be written just now.", 60).into()
}
