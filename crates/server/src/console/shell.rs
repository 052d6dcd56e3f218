//! What every page has around it, and what is shown where there is no page.

use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};

use super::assets;
use super::session::Visitor;
use crate::api::auth::Scope;
use crate::api::problem::Problem;

/// The frame of a page: who looks, where they are, what just happened.
pub struct Shell {
    pub title: String,
    /// Name of the place in the navigation.
    pub here: &'static str,
    pub email: String,
    pub role: String,
    pub csrf: String,
    /// Whether buttons that change something are shown.
    pub may_write: bool,
    pub may_admin: bool,
    pub said: Option<&'static str>,
}

impl Shell {
    pub fn new(visitor: &Visitor, here: &'static str, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            here,
            email: visitor.email.clone(),
            role: visitor.role.clone(),
            csrf: visitor.csrf.clone(),
            may_write: visitor.caller.may(Scope::Write),
            may_admin: visitor.caller.may(Scope::Admin),
            said: None,
        }
    }

    /// Shows the sentence that belongs to a word in the address, where there is one. Only
    /// our own sentences: an address must not put words into our mouth.
    pub fn saying(mut self, word: Option<&str>) -> Self {
        self.said = word.and_then(|word| SAYINGS.iter().find(|(known, _)| *known == word)).map(|(_, said)| *said);
        self
    }

    pub fn asset(&self, name: &str) -> String {
        assets::url(name)
    }
}

const SAYINGS: [(&str, &str); 23] = [
    ("activated", "The campaign is active: events that come from now on may start it."),
    ("archived", "The campaign is archived. Runs in it have stopped."),
    ("closed", "The gap is closed: absences before it count again."),
    ("connection-active", "The connection is active: its events start campaigns."),
    ("connection-testing", "The connection is in testing: events are logged and start nothing."),
    ("contact-written", "Written. Sources and destinations are told what changed."),
    ("domain-added", "The domain has keys. Publish its records; they are looked up by themselves."),
    ("domain-checked", "DNS was asked just now."),
    ("domain-removed", "The domain and its keys are gone."),
    ("erased", "Erased here. The receipts below fill as the other places answer."),
    ("mapped", "A new version is in force for every event decided from now on."),
    ("paused", "Paused. What waits stays where it is."),
    ("paused-all", "All mail is paused. Nothing more goes out until somebody resumes it."),
    ("removed", "Removed, with every session of theirs."),
    ("resent", "A new message is queued. All rules are asked again before it goes."),
    ("resumed", "It goes on."),
    ("retried", "It is tried again."),
    ("revoked", "The key is revoked."),
    ("settled", "Settled."),
    ("suppressed", "This address is not written to any more."),
    ("tested", "The campaign is in test: every mail goes to the test inbox."),
    ("token", "The webhook has a new URL. The one before works until the next change."),
    ("unsuppressed", "The address is off the list for that reason."),
];

/// A rendered template as an answer.
pub fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => Problem::internal(&format!("a page cannot be rendered: {error}")).into_response(),
    }
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage<'a> {
    problem: &'a Problem,
    stylesheet: String,
    mark: String,
}

/// A problem, shown as a page.
pub struct Trouble(pub Problem);

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let shown =
            TroublePage { problem: &self.0, stylesheet: assets::url("console.css"), mark: assets::url("mark.svg") };
        (status, page(&shown)).into_response()
    }
}

/// Whether htmx asks, which wants a part and not a page.
pub fn is_partial(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request")
}
