//! A request to somebody's own endpoint, signed, and what its answer means.
//!
//! The id stays the same on every try, so that the receiver can tell a repeat; the time and
//! the signature are those of the try. Redirects are never followed: a signed body must not
//! travel where nobody sent it.

use hogwire_model::{Outcome, Span, Time};
use url::Url;

use crate::http::{Request, Response};
use crate::shape::Refusal;
use crate::signature;

/// Everything that one try needs. Method, URL, headers and body are rendered already.
#[derive(Clone, Copy)]
pub struct Hook<'a> {
    /// Of the delivery: the receiver's key against repeats.
    pub id: &'a str,
    pub method: &'a str,
    pub url: &'a str,
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
    /// Signing secrets, the newest first; none leaves the request unsigned.
    pub secrets: &'a [&'a str],
}

const METHODS: [&str; 5] = ["DELETE", "GET", "PATCH", "POST", "PUT"];

/// Names that the transport or the signature owns.
const OURS: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];

const LONGEST_HEADER: usize = 8_192;
const MOST_HEADERS: usize = 64;

/// The request of one try, or why it can never be made.
pub fn request(hook: Hook<'_>, now: Time) -> Result<Request, Refusal> {
    let method = hook.method.trim().to_ascii_uppercase();
    if METHODS.binary_search(&method.as_str()).is_err() {
        return Err(Refusal::new("bad_method", "The method is none of GET, POST, PUT, PATCH and DELETE."));
    }
    let url = address(hook.url)?;
    let mut request = Request::new(&method, url).within(Span::seconds(15));
    request.body = hook.body.to_vec();
    request = request.header("User-Agent", concat!("hogwire/", env!("CARGO_PKG_VERSION")));
    if hook.headers.len() > MOST_HEADERS {
        return Err(Refusal::new("bad_header", "There are more than 64 headers."));
    }
    for (name, value) in hook.headers {
        let lower = name.trim().to_ascii_lowercase();
        if OURS.contains(&lower.as_str()) {
            continue;
        }
        check_header(&lower, value)?;
        // Any header may carry a token, so none is printed.
        request = request.secret_header(name.trim(), value.trim());
    }
    if !hook.body.is_empty() && request.get("content-type").is_none() {
        request = request.header("Content-Type", "application/json");
    }
    if hook.secrets.is_empty() {
        return Ok(request.header("webhook-id", hook.id));
    }
    let signed = signature::sign(hook.id, now, hook.body, hook.secrets);
    Ok(request
        .header("webhook-id", signed.id)
        .header("webhook-timestamp", signed.timestamp)
        .header("webhook-signature", signed.signature))
}

fn address(text: &str) -> Result<String, Refusal> {
    let url = Url::parse(text.trim())
        .map_err(|error| Refusal::new("bad_url", format!("The URL cannot be read: {error}.")))?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return Err(Refusal::new("bad_url", "The URL is neither http nor https."));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::new(
            "bad_url",
            "The URL holds a user name or password; put it into a header by a secret's name.",
        ));
    }
    Ok(url.into())
}

/// RFC 9110: a name is a token; a value is printable ASCII, for anything else is read
/// differently by different servers.
fn check_header(name: &str, value: &str) -> Result<(), Refusal> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(Refusal::new("bad_header", "A header's name has characters that it may not have."));
    }
    if value.len() > LONGEST_HEADER || !value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        return Err(Refusal::new(
            "bad_header",
            format!(
                "The value of the header `{name}` is too long, or has a line break or a character outside ASCII in it."
            ),
        ));
    }
    Ok(())
}

/// What the answer to one try means. Anything but 2xx is a failure; 410 says that the
/// endpoint is gone for good.
pub fn read_response(response: &Response, now: Time) -> Outcome {
    let said = || format!("The endpoint answered {}: {}", response.status, response.excerpt(300));
    match response.status {
        200..=299 => Outcome::Done(response.status.to_string()),
        300..=399 => Outcome::Refused(format!(
            "The endpoint answered {} with a redirect, which is never followed.",
            response.status
        )),
        410 => Outcome::Refused("The endpoint answered 410: it is gone for good.".into()),
        408 | 425 | 429 | 500..=599 => match response.retry_after(now) {
            Some(at) => Outcome::Snooze(at, said()),
            None => Outcome::Retry(said()),
        },
        _ => Outcome::Refused(said()),
    }
}
