//! What PostHog's private API means by a status and its error body.
//!
//! The body is `{type, code, detail, attr}`. A missing scope comes as 403 with
//! `type: authentication_error`: the credential is good, so it must not be thrown away. The
//! status decides first, then the code.

use hogwire_model::{Outcome, Span, Time};
use serde::Deserialize;

use crate::http::Response;

/// The parts of an error that people act on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Failure {
    #[serde(skip)]
    pub status: u16,
    #[serde(default, rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    #[serde(default, deserialize_with = "lenient")]
    pub code: String,
    #[serde(default, deserialize_with = "lenient")]
    pub detail: String,
    /// The field that is wrong, where one is named.
    #[serde(default, deserialize_with = "lenient")]
    pub attr: String,
}

fn lenient<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(hogwire_model::value::as_text(&value))
}

/// The error a response carries; nothing where it is a success.
pub fn failure(response: &Response) -> Option<Failure> {
    if (200..300).contains(&response.status) {
        return None;
    }
    let mut failure: Failure = serde_json::from_slice(&response.body).unwrap_or_default();
    failure.status = response.status;
    if failure.detail.is_empty() {
        failure.detail = response.excerpt(300);
    }
    Some(failure)
}

/// What a response of the private API comes to.
pub fn outcome(response: &Response, now: Time) -> Outcome {
    let Some(failure) = failure(response) else {
        return Outcome::Done(response.status.to_string());
    };
    let said = failure.to_string();
    match failure.status {
        401 => Outcome::Unauthorized(said),
        429 => Outcome::Snooze(back_at(response, &failure, now), said),
        408 | 425 | 500..=599 => match response.retry_after(now) {
            Some(at) => Outcome::Snooze(at, said),
            None => Outcome::Retry(said),
        },
        300..=399 => Outcome::Refused(format!("{said} (redirects are not followed)")),
        _ => Outcome::Refused(said),
    }
}

/// `Retry-After`, else the seconds that the sentence names, else a pause that suits the limit
/// on concurrent queries, which names none.
fn back_at(response: &Response, failure: &Failure, now: Time) -> Time {
    response.retry_after(now).unwrap_or_else(|| {
        let seconds = failure
            .detail
            .split_once("available in ")
            .and_then(|(_, rest)| rest.split(' ').next())
            .and_then(|number| number.parse::<i64>().ok())
            .filter(|seconds| (0..=86_400).contains(seconds))
            .unwrap_or(10);
        now.plus(Span::seconds(seconds))
    })
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostHog answered {}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", self.code)?;
        }
        if !self.attr.is_empty() {
            write!(f, " ({})", self.attr)?;
        }
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

impl Failure {
    /// What a person can do about it; empty where there is nothing to do but wait.
    pub fn remedy(&self) -> &'static str {
        match (self.status, &*self.detail) {
            (401, _) => "Make a new personal API key in PostHog, or connect again.",
            (403, detail) if detail.contains("required scope") => "Add the scope it names to the key in PostHog.",
            (403, detail) if detail.contains("requested project") => {
                "Give the key access to this project, or correct project_id."
            }
            (403, detail) if detail.contains("project-based endpoints") => {
                "The key is limited to projects; set project_id."
            }
            (403, _) => "Ask PostHog's administrator for access to this project.",
            (404, _) => "Check project_id and the host: what cannot be seen is `not found` too.",
            (402, _) => "The PostHog plan does not include this, or its quota is used up.",
            (400, _) => "Correct what the message names.",
            _ => "",
        }
    }
}
