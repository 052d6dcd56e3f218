//! PostHog's webhook: by secret header, by signature, or by the token in the URL.
//!
//! Every connection's secrets are compared, whatever the others came to, so that time says
//! nothing. No secret and a wrong secret get the same answer. Nothing is open by default:
//! the engine mints a secret for every connection that has none.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use hogwire_connectors::recognise;
use hogwire_connectors::signature::{Signed, Unsigned, same_secret, verify};
use hogwire_engine::access::Inbound;
use hogwire_engine::secrets::token_hash;
use hogwire_model::Time;

use super::group::Bodies;
use super::routes::answered;
use super::{Accepted, TurnedAway, answer, body, keep, with_key};
use crate::api::problem::Problem;
use crate::app::{App, Shared};

const SECRET: &str = "x-posthog-webhook-secret";

/// `POST /v1/webhooks/posthog`
pub async fn by_header(State(app): State<Shared>, request: Request<Body>) -> Response {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let result = take(&app, &parts.headers, body, None).await;
    answered(&app, "/v1/webhooks/posthog", &parts, began, result)
}

/// `POST /v1/webhooks/posthog/{token}`
pub async fn by_token(State(app): State<Shared>, Path(token): Path<String>, request: Request<Body>) -> Response {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let result = take(&app, &parts.headers, body, Some(&token)).await;
    answered(&app, "/v1/webhooks/posthog/{token}", &parts, began, result)
}

async fn take(app: &App, headers: &HeaderMap, body: Body, token: Option<&str>) -> Result<Response, TurnedAway> {
    let inbound = app.engine.inbound();
    let signed = signed(headers);
    let known = match token {
        Some(token) => by_url(&inbound, token),
        None => secret_in(headers).and_then(|secret| by_secret(&inbound, secret)),
    };
    if known.is_none() && (token.is_some() || signed.is_none()) {
        return Err(TurnedAway { problem: unknown_secret(token.is_some()), excerpt: body::beginning(body).await });
    }
    let bytes = body::read(headers, body, body::SINGLE).await?;
    let connection = match (known, &signed) {
        (Some(connection), _) => connection,
        (None, Some(signed)) => by_signature(&inbound, signed, &bytes, app.now())
            .map_err(|why| TurnedAway { problem: bad_signature(why), excerpt: bytes.clone() })?,
        (None, None) => return Err(unknown_secret(false).into()),
    };
    if let Some(signed) = &signed
        && app.intake.replays.is_copy(signed)
    {
        app.meters.duplicates.add(1);
        return Ok(answer(1, 1, &[]));
    }
    let shape = recognise(&bytes).map_err(|refusal| TurnedAway {
        problem: Problem::bad_request(refusal.code, refusal.message, "Send PostHog's event as JSON, with its name."),
        excerpt: bytes.clone(),
    })?;
    let bodies = Bodies::One(shape, with_key(headers, shape, bytes));
    let response = keep(app, Accepted { connection, bodies, refused: Vec::new() }).await?;
    if let Some(signed) = &signed {
        app.intake.replays.remember(signed, app.now());
    }
    Ok(response)
}

fn secret_in(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(SECRET).map(|value| value.as_bytes()).filter(|value| !value.is_empty())
}

fn by_secret(inbound: &[Inbound], given: &[u8]) -> Option<Arc<str>> {
    let mut found = None;
    for one in inbound {
        for secret in &one.secrets {
            if same_secret(given, secret.as_bytes()) {
                found = Some(one.connection.as_str().into());
            }
        }
    }
    found
}

fn by_url(inbound: &[Inbound], token: &str) -> Option<Arc<str>> {
    let given = token_hash(token);
    let mut found = None;
    for one in inbound {
        for held in &one.token_hashes {
            if same_secret(given.as_bytes(), held.as_bytes()) {
                found = Some(one.connection.as_str().into());
            }
        }
    }
    found
}

fn by_signature(inbound: &[Inbound], signed: &Signed, body: &Bytes, now: Time) -> Result<Arc<str>, Unsigned> {
    let mut outcome = Err(Unsigned::Mismatch);
    for one in inbound {
        let secrets: Vec<&str> = one.secrets.iter().map(|secret| secret.as_str()).collect();
        match verify(signed, body, &secrets, now) {
            Ok(()) => outcome = Ok(one.connection.as_str().into()),
            Err(why) if outcome.is_err() => outcome = Err(why),
            Err(_) => {}
        }
    }
    outcome
}

/// The three headers of Standard Webhooks, where any of them is there.
fn signed(headers: &HeaderMap) -> Option<Signed> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let signature = text("webhook-signature");
    (!signature.is_empty()).then(|| Signed { id: text("webhook-id"), timestamp: text("webhook-timestamp"), signature })
}

fn unknown_secret(in_url: bool) -> Problem {
    let (detail, remedy) = if in_url {
        ("The token in the URL is not known here.", "Copy the webhook's URL from the connection's page.")
    } else {
        (
            "The request brings no webhook secret that is known here.",
            "Send the connection's secret in the header x-posthog-webhook-secret.",
        )
    };
    Problem::new(StatusCode::UNAUTHORIZED, "bad_secret", detail, remedy)
}

fn bad_signature(why: Unsigned) -> Problem {
    let detail = format!("The signature is not accepted: {why}.");
    let remedy = "Sign the raw body with the connection's secret, and check both clocks.";
    Problem::new(StatusCode::UNAUTHORIZED, "bad_signature", detail, remedy)
}
