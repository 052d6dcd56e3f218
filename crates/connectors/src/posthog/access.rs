//! The private API of one project: where it is, what lets us in, and what each request costs.
//!
//! Every request is a `Call`: plain data with the class of limit it draws from. The bearer
//! token is marked secret, so no log line can print it. A page's `next` link is followed on
//! our own origin only: an instance behind a proxy may well name its inner host there, and a
//! token must never go to a host that an answer chose.

use hogwire_model::{Outcome, Span, Time};
use serde_json::Value;
use url::Url;

use super::errors;
use super::limits::Class;
use crate::http::{Request, Response};

/// How to reach one project.
#[derive(Clone, PartialEq, Eq)]
pub struct Access {
    /// Base URL of the private API, without a slash at the end.
    pub app: String,
    /// Base URL of capture and flag evaluation, without a slash at the end.
    pub ingestion: String,
    /// The project's number, or `@current`.
    pub project: String,
    /// A personal key or an OAuth access token.
    pub token: String,
    /// The project's public token, where it is known.
    pub project_token: Option<String>,
}

/// One request and the limit it draws from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub class: Class,
    pub request: Request,
}

/// Why an answer could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Ask for less at once: the query took too long or too much memory.
    TooMuch(String),
    /// What the status says: wait, mend the key, or give up.
    Said(Outcome),
    /// A success whose body is not what was promised.
    Odd(String),
}

impl Access {
    /// `path` stands below the project: `cohorts/?limit=100`. It ends in a slash before its
    /// query, because PostHog redirects otherwise and the redirect loses the body.
    pub fn get(&self, class: Class, path: &str) -> Call {
        let url = format!("{}/api/projects/{}/{path}", self.app, self.project);
        Call { class, request: self.let_in(Request::new("GET", url)) }
    }

    pub fn post(&self, class: Class, path: &str, body: &Value) -> Call {
        let url = format!("{}/api/projects/{}/{path}", self.app, self.project);
        let request = self.let_in(Request::new("POST", url)).json(body.to_string().into_bytes());
        Call { class, request }
    }

    /// The page behind a `next` link, asked of our own origin whatever origin it names.
    pub fn follow(&self, class: Class, next: &str) -> Option<Call> {
        let base = Url::parse(&self.app).ok()?;
        let next = base.join(next).ok()?;
        let path = next.path();
        let below = path.find("/api/").map(|at| &path[at..])?;
        let query = next.query().map(|query| format!("?{query}")).unwrap_or_default();
        let request = Request::new("GET", format!("{}{below}{query}", self.app));
        Some(Call { class, request: self.let_in(request) })
    }

    fn let_in(&self, request: Request) -> Request {
        request
            .secret_header("Authorization", format!("Bearer {}", self.token))
            .header("Accept", "application/json")
            .within(Span::seconds(60))
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Access({}, project {})", self.app, self.project)
    }
}

/// The body of a good answer, or what the bad one means. 504 and 512 say that the query was
/// too much, and so does a 400 or 500 that speaks of memory or time; asking again unchanged
/// would end the same way.
pub fn body(response: &Response, now: Time) -> Result<&[u8], Trouble> {
    let Some(failure) = errors::failure(response) else { return Ok(&response.body) };
    let detail = failure.detail.to_lowercase();
    let heavy = ["memory limit", "estimated query execution time", "timeout exceeded", "execution time"];
    let is_heavy = failure.status >= 400 && heavy.iter().any(|word| detail.contains(word));
    if matches!(failure.status, 504 | 512) || is_heavy {
        return Err(Trouble::TooMuch(failure.to_string()));
    }
    Err(Trouble::Said(errors::outcome(response, now)))
}

/// Reads a good answer as JSON.
pub fn json<'a, T: serde::Deserialize<'a>>(response: &'a Response, now: Time) -> Result<T, Trouble> {
    let bytes = body(response, now)?;
    serde_json::from_slice(bytes).map_err(|error| Trouble::Odd(format!("PostHog's answer cannot be read: {error}")))
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooMuch(why) | Self::Odd(why) => f.write_str(why),
            Self::Said(
                Outcome::Done(said)
                | Outcome::Retry(said)
                | Outcome::Snooze(_, said)
                | Outcome::Refused(said)
                | Outcome::Unauthorized(said)
                | Outcome::Unknown(said),
            ) => f.write_str(said),
        }
    }
}
