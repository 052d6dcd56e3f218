//! HTTP: every route, merged. One file per resource; a new one adds its line below.

pub mod analytics;
pub mod auth;
pub mod backup;
pub mod brakes;
pub mod campaigns;
pub mod connections;
pub mod contacts;
pub mod destinations;
pub mod doctor;
pub mod domains;
pub mod erasures;
pub mod events;
pub mod health;
pub mod input;
pub mod keys;
pub mod mappings;
pub mod messages;
pub mod problem;
pub mod project;
pub mod provider_credentials;
pub mod retention;
pub mod secrets;
pub mod stats;
pub mod suppressions;
pub mod templates;
pub mod users;
pub mod visits;

use std::any::Any;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::Shared;
use crate::intake;
use problem::Problem;

/// The whole surface, ready to be served.
pub fn router(app: &Shared) -> Router {
    let meters = app.meters.clone();
    Router::new()
        .merge(analytics::routes())
        .merge(backup::routes())
        .merge(brakes::routes())
        .merge(campaigns::routes())
        .merge(connections::routes())
        .merge(contacts::routes())
        .merge(crate::console::routes())
        .merge(destinations::routes())
        .merge(doctor::routes())
        .merge(domains::routes())
        .merge(erasures::routes())
        .merge(events::routes())
        .merge(health::routes())
        .merge(intake::routes::events(app))
        .merge(intake::routes::routes(app))
        .merge(keys::routes())
        .merge(mappings::routes())
        .merge(messages::routes())
        .merge(project::routes())
        .merge(provider_credentials::routes())
        .merge(retention::routes())
        .merge(secrets::routes())
        .merge(stats::routes())
        .merge(suppressions::routes())
        .merge(templates::routes())
        .merge(users::routes())
        .merge(visits::routes())
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(move |panic: Box<dyn Any + Send>| {
            meters.panics.add(1);
            panicked(&panic)
        }))
        .with_state(app.clone())
}

async fn no_such_route() -> Problem {
    let remedy = "See /docs for the routes there are.";
    Problem::new(StatusCode::NOT_FOUND, "no_such_route", "There is nothing at this path.", remedy)
}

async fn wrong_method() -> Problem {
    let remedy = "See /docs for the methods of each route.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", "The path takes other methods.", remedy)
}

fn panicked(panic: &Box<dyn Any + Send>) -> Response {
    let said = panic.downcast_ref::<&str>().copied().map(str::to_owned);
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
    Problem::internal(&format!("panic: {}", said.as_deref().unwrap_or("unknown"))).into_response()
}
