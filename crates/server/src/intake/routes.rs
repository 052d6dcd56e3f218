//! The inbound routes, and what every one of them does at its end: count, time, and keep
//! what was refused. The content type is not looked at.

use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::{TurnedAway, body, brevo, origin, posthog, sources};
use crate::app::{App, Shared};

pub fn routes(app: &Shared) -> Router<Shared> {
    let routes = Router::new()
        .route("/v1/webhooks/posthog", post(posthog::by_header))
        .route("/v1/webhooks/posthog/{token}", post(posthog::by_token))
        .route("/v1/webhooks/brevo/{token}", post(brevo::by_token))
        .route("/v1/track", post(sources::track))
        .route("/v1/identify", post(sources::identify))
        .route("/v1/group", post(sources::group))
        .route("/v1/batch", post(sources::batch));
    guarded(app, routes)
}

/// `POST /v1/events` alone: the same path lists events for readers.
pub fn events(app: &Shared) -> Router<Shared> {
    guarded(app, Router::new().route("/v1/events", post(sources::events)))
}

/// Only where there is a list of addresses does a layer look at them.
fn guarded(app: &Shared, routes: Router<Shared>) -> Router<Shared> {
    if app.config.allow_from.is_empty() {
        return routes;
    }
    routes.route_layer(axum::middleware::from_fn_with_state(app.clone(), admit))
}

async fn admit(State(app): State<Shared>, request: Request<Body>, next: Next) -> Response {
    if request.method() != axum::http::Method::POST {
        return next.run(request).await;
    }
    let address = origin::address(&app.config, request.extensions(), request.headers());
    match origin::admit(&app.config, address) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            let (parts, body) = request.into_parts();
            let turned_away = TurnedAway { problem, excerpt: body::beginning(body).await };
            answered(&app, parts.uri.path(), &parts, Instant::now(), Err(turned_away))
        }
    }
}

/// Counts an answer, and keeps a refusal.
pub fn answered(
    app: &App,
    route: &str,
    parts: &Parts,
    began: Instant,
    result: Result<Response, TurnedAway>,
) -> Response {
    match result {
        Ok(response) => {
            app.meters.acknowledged.observe(began.elapsed());
            response
        }
        Err(TurnedAway { problem, excerpt }) => {
            let remote = origin::address(&app.config, &parts.extensions, &parts.headers);
            app.intake.refusals.note(&app.meters, route, &problem, &excerpt, remote, app.now());
            problem.into_response()
        }
    }
}
