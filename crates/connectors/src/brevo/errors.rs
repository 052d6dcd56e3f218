//! What Brevo means by a status and its error body `{"code", "message", "metadata"}`.
//!
//! The status decides. `code` is an open string: Brevo has changed it for the same mistake
//! before, so two contacts that want the same address are known by
//! `metadata.duplicate_identifiers` alone. 425 asks for another try, and so does 429, which
//! brings `x-sib-ratelimit-reset` (seconds that are left) and no `Retry-After`.

use hogwire_model::{Outcome, Span, Time};
use serde::Deserialize;
use serde_json::Value;

use super::limits;
use crate::http::Response;

/// The parts of an error that people and programs act on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    pub status: u16,
    pub code: String,
    pub message: String,
    /// Which identifiers another contact has already: `email`, `ext_id`, `phone_id`, `SMS`.
    pub duplicates: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    code: Value,
    message: Value,
    metadata: Value,
}

/// The error that a response carries; nothing where it is a success.
pub fn failure(response: &Response) -> Option<Failure> {
    if (200..300).contains(&response.status) {
        return None;
    }
    let body: Body = serde_json::from_slice(&response.body).unwrap_or_default();
    let message = hogwire_model::value::as_text(&body.message);
    let duplicates = body.metadata["duplicate_identifiers"].as_array();
    Some(Failure {
        status: response.status,
        code: hogwire_model::value::as_text(&body.code),
        message: if message.is_empty() { response.excerpt(300) } else { message },
        duplicates: duplicates.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
    })
}

/// What a response comes to.
pub fn outcome(response: &Response, now: Time) -> Outcome {
    let Some(failure) = failure(response) else {
        return Outcome::Done(response.status.to_string());
    };
    let said = failure.to_string();
    match failure.status {
        401 | 403 => Outcome::Unauthorized(said),
        402 => Outcome::Snooze(now.plus(Span::hours(1)), said),
        429 => Outcome::Snooze(limits::back_at(response, now).unwrap_or_else(|| now.plus(Span::seconds(10))), said),
        408 | 425 | 500..=599 => match limits::back_at(response, now) {
            Some(at) => Outcome::Snooze(at, said),
            None => Outcome::Retry(said),
        },
        300..=399 => Outcome::Refused(format!("{said} (redirects are not followed)")),
        _ => Outcome::Refused(said),
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Brevo answered {}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

impl Failure {
    /// What a person can do about it; empty where there is nothing to do but wait.
    pub fn remedy(&self) -> &'static str {
        match self.status {
            401 if self.message.contains("unrecognised IP") => {
                "Allow this server's address at https://app.brevo.com/security/authorised_ips."
            }
            401 => "Make a new API key (v3) in Brevo under SMTP & API, and set BREVO_API_KEY.",
            402 => "The Brevo account has no credits left, or its plan does not include this.",
            403 => "The key or the account may not do this; look at its state in Brevo.",
            400 if !self.duplicates.is_empty() => "Another contact in Brevo has this already; merge the two there.",
            400 => "Correct what the message names.",
            404 => "It is not there; look the id up in Brevo.",
            _ => "",
        }
    }
}
