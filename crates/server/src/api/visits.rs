//! What a mail's links lead to: the open pixel, tracked links, the way out, preferences.
//!
//! A GET never changes a subscription: mail scanners follow links. `POST /u/{token}` is the
//! one click of mail programs (RFC 8058) and the button on the page alike.

mod pages;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hogwire_engine::tracking::{self, Scope, Seen};

use super::problem::Problem;
use crate::app::Shared;

/// A transparent pixel, GIF89a.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;";

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/t/o/{token}", get(open))
        .route("/t/c/{token}", get(click))
        .route("/u/{token}", get(leaving).post(leave))
        .route("/p/{token}", get(preferences).post(prefer))
}

/// What the visitor's program says of itself.
struct Visitor {
    user_agent: String,
    method: &'static str,
    purpose: Option<String>,
}

impl Visitor {
    fn of(method: &Method, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self {
            user_agent: text("user-agent").unwrap_or_default(),
            method: if *method == Method::HEAD { "HEAD" } else { "GET" },
            purpose: text("sec-purpose").or_else(|| text("purpose")),
        }
    }

    fn seen(&self) -> Seen<'_> {
        Seen { user_agent: &self.user_agent, method: self.method, purpose: self.purpose.as_deref() }
    }
}

async fn open(State(app): State<Shared>, Path(token): Path<String>, method: Method, headers: HeaderMap) -> Response {
    let visitor = Visitor::of(&method, &headers);
    let counted = app
        .ask(move |engine, now| {
            let token = token.strip_suffix(".gif").unwrap_or(&token);
            engine.with_parts(|parts| tracking::open(parts, token, visitor.seen(), now))
        })
        .await;
    if let Err(problem) = counted {
        tracing::warn!("an open could not be counted: {}", problem.detail);
    }
    // The picture comes whatever became of the count: a mail shows no broken image.
    let headers = [(header::CONTENT_TYPE, "image/gif"), (header::CACHE_CONTROL, "no-store, max-age=0")];
    (headers, PIXEL).into_response()
}

async fn click(State(app): State<Shared>, Path(link): Path<String>, method: Method, headers: HeaderMap) -> Response {
    let visitor = Visitor::of(&method, &headers);
    let target =
        app.ask(move |engine, now| engine.with_parts(|parts| tracking::click(parts, &link, visitor.seen(), now))).await;
    match target {
        Ok(Some(target)) => match HeaderValue::from_str(&target) {
            Ok(location) => {
                let no_store = HeaderValue::from_static("no-store");
                let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, no_store)];
                (StatusCode::FOUND, headers).into_response()
            }
            Err(_) => pages::unknown(),
        },
        Ok(None) => pages::unknown(),
        Err(problem) => problem.into_response(),
    }
}

async fn leaving(State(app): State<Shared>, Path(token): Path<String>) -> Response {
    show(&app, token, pages::leaving).await
}

async fn preferences(State(app): State<Shared>, Path(token): Path<String>) -> Response {
    show(&app, token, |shown, token| pages::preferences(shown, token, false)).await
}

async fn show(app: &Shared, token: String, page: impl Fn(&tracking::Subscription, &str) -> Response) -> Response {
    let asked = token.clone();
    let shown = app.ask(move |engine, _| engine.with_parts(|parts| tracking::subscription(parts, &asked))).await;
    match shown {
        Ok(Some(shown)) => page(&shown, &token),
        Ok(None) => pages::unknown(),
        Err(problem) => problem.into_response(),
    }
}

async fn leave(State(app): State<Shared>, Path(token): Path<String>, body: Bytes) -> Response {
    let fields = fields(&body);
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let everything = field("scope") == Some("everything");
    let back = field("scope") == Some("back");
    let by_page = field("scope").is_some();
    let asked = token.clone();
    let done = app
        .ask(move |engine, now| {
            engine.with_parts(|parts| {
                let scope = if everything { Scope::Everything } else { Scope::Message };
                match (back, by_page) {
                    (true, _) => tracking::resubscribe(parts, &asked, Scope::Message, "unsubscribe_page", now),
                    (_, true) => tracking::unsubscribe(parts, &asked, scope, "unsubscribe_link", now),
                    (_, false) => tracking::unsubscribe(parts, &asked, scope, "one_click", now),
                }
            })
        })
        .await;
    match done {
        Ok(true) if back => pages::welcome_back(&token),
        Ok(true) => pages::left(&token, everything),
        Ok(false) => pages::unknown(),
        Err(problem) => problem.into_response(),
    }
}

async fn prefer(State(app): State<Shared>, Path(token): Path<String>, body: Bytes) -> Response {
    let fields = fields(&body);
    let asked = token.clone();
    let done = app
        .ask(move |engine, now| {
            engine.with_parts(|parts| {
                let Some(shown) = tracking::subscription(parts, &asked)? else { return Ok(None) };
                let on = |name: &str| fields.iter().any(|(field, value)| field == "topic" && value == name);
                let choices: Vec<(&str, bool)> =
                    shown.topics.iter().map(|choice| (choice.name.as_str(), on(&choice.name))).collect();
                tracking::prefer(parts, &asked, &choices, now)?;
                tracking::subscription(parts, &asked)
            })
        })
        .await;
    match done {
        Ok(Some(shown)) => pages::preferences(&shown, &token, true),
        Ok(None) => pages::unknown(),
        Err(problem) => Problem::into_response(problem),
    }
}

/// A form's fields. A body of another kind has none.
fn fields(body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body).take(200).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}
