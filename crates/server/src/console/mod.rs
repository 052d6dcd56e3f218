//! The console: pages for people, made on the server. One file per page.
//!
//! It can do nothing that the API cannot: every page reads the engine's views and every
//! button calls what an API route calls. No script is needed to read or change anything;
//! htmx only keeps lists and charts fresh. `api::router` merges `routes`.

mod access;
mod assets;
mod campaigns;
mod chart;
mod contacts;
mod destinations;
mod domains;
mod drawing;
mod erasures;
mod events;
mod find;
mod health;
mod live;
mod looks;
mod mapping;
mod messages;
mod overview;
mod session;
mod shell;
mod words;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Redirect, Response};
use axum::routing::get;

use crate::app::Shared;

pub use session::{Submitted, Visitor};
pub use shell::{Shell, Trouble, page};

/// Nothing from elsewhere, no script or style within the page, no page around ours.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; font-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(async || Redirect::to("/console")))
        .route("/console/", get(async || Redirect::permanent("/console")))
        .merge(access::routes())
        .merge(campaigns::routes())
        .merge(contacts::routes())
        .merge(destinations::routes())
        .merge(domains::routes())
        .merge(erasures::routes())
        .merge(events::routes())
        .merge(find::routes())
        .merge(health::routes())
        .merge(looks::routes())
        .merge(mapping::routes())
        .merge(messages::routes())
        .merge(overview::routes())
        .merge(session::routes())
        .layer(from_fn(guarded))
        .merge(assets::routes())
}

/// Headers of every page. A page that brings its own policy keeps it.
async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let own = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in own {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
