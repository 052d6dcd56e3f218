//! Signing in and out, and who is looking.
//!
//! The cookie holds a random token, the database its hash. Every form carries the session's
//! own second token, which another site cannot know. Guessing is slow: passwords are hashed
//! with Argon2, few at a time, and an address that was guessed at often must wait.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use hogwire_connectors::signature::same_secret;
use hogwire_engine::store::users::{Session, User};
use hogwire_model::{Span, Time};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::assets;
use super::shell::{Trouble, is_partial, page};
use crate::api::auth::Caller;
use crate::api::problem::Problem;
use crate::app::Shared;
use crate::passwords;

const COOKIE: &str = "hogwire_session";
/// Guards the sign-in form, before there is a session.
const FORM_COOKIE: &str = "hogwire_form";
const LASTS_SECONDS: i64 = 14 * 24 * 3_600;
/// Wrong passwords for one address before it must wait.
const MOST_WRONG: u32 = 8;
const WAIT: Span = Span::minutes(10);
/// Argon2 takes 19 MB and a whole core for a while.
static HASHING: Semaphore = Semaphore::const_new(2);
static WRONG: LazyLock<Mutex<HashMap<String, (u32, Time)>>> = LazyLock::new(Mutex::default);

pub fn routes() -> Router<Shared> {
    Router::new().route("/console/sign-in", get(form).post(sign_in)).route("/console/sign-out", post(sign_out))
}

/// Somebody who is signed in.
pub struct Visitor {
    pub email: String,
    pub role: String,
    pub csrf: String,
    /// What the role allows, as scopes of an API key.
    pub caller: Caller,
    token: String,
}

impl Visitor {
    fn new(session: Session, token: String) -> Self {
        let scopes = match session.user.role.as_str() {
            "admin" => "admin",
            "editor" => "write",
            _ => "read",
        };
        let User { email, role, .. } = session.user;
        Self { caller: Caller::with(&email, scopes), email, role, csrf: session.csrf, token }
    }
}

impl FromRequestParts<Shared> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        if let Some(token) = cookie(&parts.headers, COOKIE) {
            let asked = token.clone();
            let found = app.ask(move |engine, now| engine.session(&asked, now)).await;
            match found {
                Ok(Some(session)) => return Ok(Self::new(session, token)),
                Ok(None) => {}
                Err(problem) => return Err(Trouble(problem).into_response()),
            }
        }
        let wanted = parts.uri.path_and_query().map_or("/console", |uri| uri.as_str());
        let next: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
        if is_partial(&parts.headers) {
            return Err((StatusCode::UNAUTHORIZED, [("HX-Redirect", "/console/sign-in")]).into_response());
        }
        Err(Redirect::to(&format!("/console/sign-in?next={next}")).into_response())
    }
}

/// A form of ours, sent by somebody who is signed in.
pub struct Submitted {
    pub visitor: Visitor,
    fields: Vec<(String, String)>,
}

impl Submitted {
    /// What a field says, without spaces around it; empty where it is not there.
    pub fn field(&self, name: &str) -> &str {
        field(&self.fields, name)
    }
}

impl FromRequest<Shared> for Submitted {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, app).await?;
        let request = Request::from_parts(parts, body);
        let body = Bytes::from_request(request, app).await.map_err(IntoResponse::into_response)?;
        let fields = fields(&body);
        if !same_secret(field(&fields, "csrf").as_bytes(), visitor.csrf.as_bytes()) {
            return Err(Trouble(stale()).into_response());
        }
        Ok(Self { visitor, fields })
    }
}

fn stale() -> Problem {
    let detail = "The form is older than your session, or it did not come from this console.";
    Problem::new(StatusCode::FORBIDDEN, "stale_form", detail, "Go back, load the page again, and send it once more.")
}

fn fields(body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body).take(100).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, value)| *known == name && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

/// A cookie for this console alone; `seconds` 0 takes it away.
fn set_cookie(app: &Shared, name: &str, value: &str, seconds: i64) -> HeaderValue {
    let https = app.config.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/console; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

#[derive(Deserialize, Default)]
struct Next {
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    next: &'a str,
    email: &'a str,
    token: &'a str,
    wrong: Option<&'a str>,
    stylesheet: String,
    mark: String,
}

fn show(app: &Shared, status: StatusCode, next: &str, email: &str, wrong: Option<&str>) -> Response {
    let token = app.engine.outside().entropy.token();
    let (stylesheet, mark) = (assets::url("console.css"), assets::url("mark.svg"));
    let mut response = page(&SignIn { next, email, token: &token, wrong, stylesheet, mark });
    *response.status_mut() = status;
    response.headers_mut().append(header::SET_COOKIE, set_cookie(app, FORM_COOKIE, &token, 3_600));
    response
}

async fn form(State(app): State<Shared>, Query(asked): Query<Next>) -> Response {
    show(&app, StatusCode::OK, asked.next.as_deref().unwrap_or("/console"), "", None)
}

async fn sign_in(State(app): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let fields = fields(&body);
    let (email, next) = (field(&fields, "email").to_lowercase(), field(&fields, "next"));
    let password =
        fields.iter().find(|(name, _)| name == "password").map(|(_, value)| value.clone()).unwrap_or_default();
    let mine = cookie(&headers, FORM_COOKIE).unwrap_or_default();
    if mine.is_empty() || !same_secret(field(&fields, "csrf").as_bytes(), mine.as_bytes()) {
        let said = "The form had grown old. Please try again; cookies must be allowed.";
        return show(&app, StatusCode::FORBIDDEN, next, &email, Some(said));
    }
    if must_wait(&email, app.now()) {
        let said = "Too many wrong passwords for this address. Try again in ten minutes.";
        return show(&app, StatusCode::TOO_MANY_REQUESTS, next, &email, Some(said));
    }
    match admitted(&app, email.clone(), password).await {
        Ok(Some(token)) => {
            WRONG.lock().unwrap_or_else(PoisonError::into_inner).remove(&email);
            let mut response = Redirect::to(local(next)).into_response();
            response.headers_mut().append(header::SET_COOKIE, set_cookie(&app, COOKIE, &token, LASTS_SECONDS));
            response.headers_mut().append(header::SET_COOKIE, set_cookie(&app, FORM_COOKIE, "", 0));
            response
        }
        Ok(None) => {
            remember_wrong(&email, app.now());
            let said = "This address and password do not belong together.";
            show(&app, StatusCode::UNAUTHORIZED, next, &email, Some(said))
        }
        Err(problem) => Trouble(problem).into_response(),
    }
}

/// Checks the password and begins a session. An address that nobody has takes as long.
async fn admitted(app: &Shared, email: String, password: String) -> Result<Option<String>, Problem> {
    let _turn = HASHING.acquire().await.map_err(|_| Problem::internal("the hashing turn is gone"))?;
    app.ask(move |engine, now| {
        let user = engine.user(&email)?;
        let hash = user.as_ref().map_or_else(decoy, |user| user.password_hash.clone());
        let right = passwords::verify(&password, &hash);
        match user.filter(|_| right) {
            Some(user) => Ok(Some(engine.begin_session(&user, now)?.0)),
            None => Ok(None),
        }
    })
    .await
}

/// Whether this is somebody's password. Wrong ones count as they do at the door.
pub(super) async fn knows_password(app: &Shared, email: &str, password: String) -> Result<bool, Problem> {
    if must_wait(email, app.now()) {
        return Err(Problem::too_many("Too many wrong passwords for this address.", 600));
    }
    let _turn = HASHING.acquire().await.map_err(|_| Problem::internal("the hashing turn is gone"))?;
    let asked = email.to_owned();
    let found = app.ask(move |engine, _| {
        let user = engine.user(&asked)?;
        Ok(user.is_some_and(|user| passwords::verify(&password, &user.password_hash)))
    });
    let right = found.await?;
    if !right {
        remember_wrong(email, app.now());
    }
    Ok(right)
}

/// The hash of a password that nobody knows.
fn decoy() -> String {
    static DECOY: LazyLock<String> = LazyLock::new(|| {
        let dice = crate::adapters::entropy::Dice;
        let entropy: &dyn hogwire_engine::outside::Entropy = &dice;
        passwords::hash(&entropy.token(), entropy).unwrap_or_default()
    });
    DECOY.clone()
}

fn must_wait(email: &str, now: Time) -> bool {
    let mut wrong = WRONG.lock().unwrap_or_else(PoisonError::into_inner);
    wrong.retain(|_, (_, last)| now.since(*last) < WAIT);
    wrong.get(email).is_some_and(|(times, _)| *times >= MOST_WRONG)
}

fn remember_wrong(email: &str, now: Time) {
    let mut wrong = WRONG.lock().unwrap_or_else(PoisonError::into_inner);
    // A flood of made-up addresses must not fill memory.
    if wrong.len() < 10_000 || wrong.contains_key(email) {
        let entry = wrong.entry(email.to_owned()).or_insert((0, now));
        *entry = (entry.0 + 1, now);
    }
}

/// Only places within the console are gone to after signing in.
fn local(next: &str) -> &str {
    let within = next == "/console" || next.starts_with("/console/") || next.starts_with("/console?");
    if within && !next.contains(['\\', '\n', '\r']) { next } else { "/console" }
}

async fn sign_out(State(app): State<Shared>, sent: Submitted) -> Response {
    let token = sent.visitor.token;
    if let Err(problem) = app.ask(move |engine, _| engine.end_session(&token)).await {
        return Trouble(problem).into_response();
    }
    let mut response = Redirect::to("/console/sign-in").into_response();
    response.headers_mut().append(header::SET_COOKIE, set_cookie(&app, COOKIE, "", 0));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_away_after_signing_in() {
        assert_eq!(local("/console/events?name=x"), "/console/events?name=x");
        for elsewhere in ["https://evil.example", "//evil.example", "/consolevil", "/console/\\evil", ""] {
            assert_eq!(local(elsewhere), "/console");
        }
    }

    #[test]
    fn cookies_are_read_by_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; hogwire_session=tok; b="));
        assert_eq!(cookie(&headers, COOKIE).as_deref(), Some("tok"));
        assert_eq!(cookie(&headers, "b"), None);
    }

    #[test]
    fn a_guesser_must_wait_and_the_owner_gets_in_later() {
        let start = Time::from_millis(1_000_000);
        for _ in 0..MOST_WRONG {
            assert!(!must_wait("guessed@example.com", start));
            remember_wrong("guessed@example.com", start);
        }
        assert!(must_wait("guessed@example.com", start));
        assert!(!must_wait("other@example.com", start));
        assert!(!must_wait("guessed@example.com", start.plus(WAIT)));
    }
}
