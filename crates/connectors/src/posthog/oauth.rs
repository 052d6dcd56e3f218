//! PostHog's authorization server, as a public client speaks to it: PKCE with S256, no
//! secret, endpoints discovered per instance (RFC 8414, 7636, 7591, 8252).
//!
//! An answer may name endpoints of its own; they are used only where they are on the host
//! that the operator meant, so that no code and no token goes anywhere else. PostHog drops
//! scopes that it does not grant without a word: what was granted is read back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hogwire_model::{Span, Time};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use super::hosts;
use crate::http::{Request, Response};
use crate::signature::same_secret;

/// What is asked for at once, so that nobody has to connect again for a later feature.
pub const SCOPES: [&str; 13] = [
    "person:read",
    "person:write",
    "project:read",
    "organization:read",
    "hog_function:read",
    "hog_function:write",
    "feature_flag:read",
    "cohort:read",
    "cohort:write",
    "query:read",
    "insight:read",
    "event_definition:read",
    "property_definition:read",
];

/// Ports of the callback; a client is registered with each of them.
pub const PORTS: [u16; 3] = [8423, 8424, 8425];

/// Where an instance publishes the document that names a client.
pub const DOCUMENT_PATH: &str = "/.well-known/hogwire-posthog-client.json";

const DISCOVERY_PATH: &str = "/.well-known/oauth-authorization-server";
const NAME: &str = "Hogwire";

/// Why it does not go on, with a stable code and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Denied {
    pub code: &'static str,
    pub message: String,
    pub remedy: &'static str,
    /// The credential is of no use any more; asking again would not help.
    pub is_final: bool,
}

impl Denied {
    fn new(code: &'static str, message: impl Into<String>, remedy: &'static str) -> Self {
        Self { code, message: message.into(), remedy, is_final: false }
    }
}

/// What an instance says of its authorization server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    pub issuer: String,
    pub authorize: String,
    pub token: String,
    pub register: Option<String>,
    /// A client may be named by the URL of its document.
    pub takes_documents: bool,
}

#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    registration_endpoint: Option<String>,
    #[serde(default)]
    code_challenge_methods_supported: Vec<String>,
    #[serde(default)]
    client_id_metadata_document_supported: bool,
}

/// What the token endpoint granted.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Tokens {
    pub access_token: String,
    pub refresh_token: Option<String>,
    /// Seconds. Never assumed: it differs between installations and has changed before.
    pub expires_in: Option<i64>,
    pub scope: Option<String>,
    pub scoped_teams: Option<Vec<i64>>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokens(expires_in {:?}, scope {:?}, teams {:?})", self.expires_in, self.scope, self.scoped_teams)
    }
}

/// `GET …/.well-known/oauth-authorization-server` of the app's host.
pub fn discovery(app: &str) -> Request {
    let app = app.trim_end_matches('/');
    let url = match Url::parse(app) {
        // RFC 8414 §3.1: the segment goes between the host and the issuer's path.
        Ok(url) if url.path().len() > 1 => {
            format!("{}{DISCOVERY_PATH}{}", &url[..url::Position::BeforePath], url.path())
        }
        _ => format!("{app}{DISCOVERY_PATH}"),
    };
    Request::new("GET", url).header("Accept", "application/json").within(Span::seconds(15))
}

pub fn read_discovery(app: &str, response: &Response) -> Result<Endpoints, Denied> {
    let remedy = "Check POSTHOG_HOST, and that it names PostHog's app and not only its ingestion.";
    match response.status {
        200 => {}
        404 => {
            return Err(Denied::new(
                "oauth_unsupported",
                "This PostHog has no OAuth server.",
                "Make a personal API key in PostHog and run `hogwire connect posthog --personal-key`.",
            ));
        }
        status => {
            let message = format!("PostHog's OAuth server cannot be discovered: it answered {status}.");
            return Err(Denied::new("discovery_failed", message, remedy));
        }
    }
    let found: Discovered = serde_json::from_slice(&response.body).map_err(|error| {
        Denied::new(
            "discovery_failed",
            format!("What PostHog says of its OAuth server cannot be read: {error}."),
            remedy,
        )
    })?;
    let named = [Some(&found.issuer), Some(&found.authorization_endpoint), Some(&found.token_endpoint)];
    for url in named.into_iter().chain([found.registration_endpoint.as_ref()]).flatten() {
        meant(app, url)?;
    }
    if !found.code_challenge_methods_supported.iter().any(|method| method == "S256") {
        let message = "The OAuth server does not offer PKCE with S256.";
        return Err(Denied::new("pkce_unsupported", message, "Use a personal API key: `--personal-key`."));
    }
    Ok(Endpoints {
        issuer: found.issuer,
        authorize: found.authorization_endpoint,
        token: found.token_endpoint,
        register: found.registration_endpoint,
        takes_documents: found.client_id_metadata_document_supported,
    })
}

/// Refuses an endpoint that is not on the host the operator meant. PostHog Cloud's regions
/// may name each other and `oauth.posthog.com`.
pub fn meant(app: &str, endpoint: &str) -> Result<(), Denied> {
    let refused = |message: String| {
        let remedy = "Set POSTHOG_HOST (or POSTHOG_PRIVATE_HOST) to the host that people open PostHog under.";
        Denied::new("foreign_endpoint", message, remedy)
    };
    let (Ok(own), Ok(url)) = (Url::parse(app), Url::parse(endpoint)) else {
        return Err(refused(format!("`{endpoint}` is no URL.")));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("An endpoint with a user name in it is not used.".to_owned()));
    }
    let is_cloud =
        |url: &Url| url.scheme() == "https" && url.port().is_none() && url.host_str().is_some_and(hosts::is_cloud_app);
    if own.origin() == url.origin() || (is_cloud(&own) && is_cloud(&url)) {
        return Ok(());
    }
    Err(refused(format!("PostHog at {app} points to {endpoint}, which is another host; nothing is sent there.")))
}

/// The document under which PostHog knows a client. PostHog reads scopes from its own nested
/// object and ignores the plain string that the standard has.
pub fn document(client_id: &str) -> Value {
    let base = client_id.strip_suffix(DOCUMENT_PATH).unwrap_or(client_id);
    json!({
        "client_id": client_id,
        "client_name": NAME,
        "client_uri": base,
        "redirect_uris": redirects(),
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": SCOPES.join(" "),
        "com.posthog": { "scopes": SCOPES },
    })
}

/// Loopback addresses, each exact: no server must match ports loosely for us.
pub fn redirects() -> Vec<String> {
    PORTS.iter().map(|port| redirect(*port)).collect()
}

pub fn redirect(port: u16) -> String {
    format!("http://127.0.0.1:{port}/callback")
}

/// A public client for this installation, by dynamic registration (RFC 7591).
pub fn register(endpoint: &str) -> Request {
    let body = json!({
        "client_name": NAME,
        "redirect_uris": redirects(),
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": SCOPES.join(" "),
    });
    Request::new("POST", endpoint).json(body.to_string().into_bytes()).within(Span::seconds(15))
}

pub fn read_registration(response: &Response) -> Result<String, Denied> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    match (response.status, body["client_id"].as_str()) {
        (200 | 201, Some(id)) if !id.is_empty() => Ok(id.to_owned()),
        _ => {
            let message = format!("PostHog did not register a client: {}", said(response));
            let remedy = "Try again later, or use a personal API key: `--personal-key`.";
            Err(Denied::new("registration_failed", message, remedy))
        }
    }
}

/// One attempt to be let in. `state` and `verifier` are random and used once.
#[derive(Clone)]
pub struct Attempt {
    pub client_id: String,
    pub redirect: String,
    pub state: String,
    pub verifier: String,
}

impl Attempt {
    /// Where the browser is sent.
    pub fn url(&self, endpoints: &Endpoints) -> Result<String, Denied> {
        let mut url = Url::parse(&endpoints.authorize).map_err(|error| {
            Denied::new("discovery_failed", format!("The authorization endpoint is no URL: {error}."), "")
        })?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("scope", &SCOPES.join(" "))
            .append_pair("code_challenge", &challenge(&self.verifier))
            .append_pair("code_challenge_method", "S256")
            .append_pair("state", &self.state)
            .append_pair("required_access_level", "project");
        Ok(url.into())
    }

    /// The code in the URL to which the browser came back, where it answers this attempt.
    pub fn code(&self, endpoints: &Endpoints, came_back: &str) -> Result<String, Denied> {
        let again = "Run `hogwire connect posthog` again and finish in the browser that it opens.";
        let odd = |message: &str| Denied::new("bad_callback", message, again);
        let base = Url::parse(&self.redirect).map_err(|_| odd("The callback is no URL."))?;
        let url = base.join(came_back.trim()).map_err(|_| odd("What was pasted is no URL."))?;
        if url.origin() != base.origin() || url.path() != base.path() {
            return Err(odd("The URL is not the one that this attempt waits for."));
        }
        let one = |name: &str| {
            let mut found = url.query_pairs().filter(|(known, _)| known == name).map(|(_, value)| value.into_owned());
            let first = found.next();
            if found.next().is_some() { None } else { first }
        };
        let state = one("state").unwrap_or_default();
        if !same_secret(state.as_bytes(), self.state.as_bytes()) {
            let message = "The answer belongs to another attempt: its state is not the one that was sent.";
            return Err(Denied::new("state_mismatch", message, again));
        }
        if let Some(issuer) =
            one("iss").filter(|issuer| issuer.trim_end_matches('/') != endpoints.issuer.trim_end_matches('/'))
        {
            let message = format!("The answer comes from {issuer}, which was not asked.");
            return Err(Denied::new("issuer_mismatch", message, again));
        }
        if let Some(error) = one("error") {
            let told = one("error_description").unwrap_or_default();
            let message = format!("PostHog did not let us in: {error} {told}").trim().to_owned();
            let remedy = "Run it again and press Authorize; only an administrator may allow every scope.";
            return Err(Denied::new("access_denied", message, remedy));
        }
        one("code").filter(|code| !code.is_empty()).ok_or_else(|| odd("The answer brings no code."))
    }

    /// Turns the code into tokens.
    pub fn exchange(&self, endpoints: &Endpoints, code: &str) -> Request {
        form(
            &endpoints.token,
            &[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", &self.redirect),
                ("client_id", &self.client_id),
                ("code_verifier", &self.verifier),
            ],
        )
    }
}

/// S256 (RFC 7636 §4.2).
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

pub fn refresh(token_endpoint: &str, client_id: &str, refresh_token: &str) -> Request {
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("client_id", client_id)];
    form(token_endpoint, &fields)
}

fn form(url: &str, fields: &[(&str, &str)]) -> Request {
    let mut request = Request::new("POST", url)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Accept", "application/json")
        .within(Span::seconds(20));
    request.body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes();
    request
}

/// The tokens in an answer of the token endpoint. `is_final` where the grant itself is gone;
/// anything else may go better later.
pub fn read_tokens(response: &Response) -> Result<Tokens, Denied> {
    let again = "Connect again: `hogwire connect posthog`.";
    if response.status == 200 {
        let tokens: Tokens = serde_json::from_slice(&response.body).map_err(|error| {
            Denied::new("odd_token_answer", format!("PostHog's token answer cannot be read: {error}."), again)
        })?;
        if tokens.access_token.is_empty() {
            return Err(Denied::new("odd_token_answer", "PostHog's token answer holds no token.", again));
        }
        return Ok(tokens);
    }
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let error = body["error"].as_str().unwrap_or_default();
    let message = format!("PostHog gave no token: {}", said(response));
    match (response.status, error) {
        (400 | 401, "invalid_grant" | "invalid_client" | "unauthorized_client") => {
            Err(Denied { is_final: true, ..Denied::new("grant_refused", message, again) })
        }
        _ => Err(Denied::new("token_failed", message, "It is tried again by itself every minute.")),
    }
}

/// When tokens end, by our own clock: the server's is not asked.
pub fn ends_at(tokens: &Tokens, now: Time) -> Option<Time> {
    tokens.expires_in.map(|seconds| now.plus(Span::seconds(seconds.clamp(0, 400 * 86_400))))
}

/// Scopes that were asked for and not granted. `*` grants all; `:write` holds `:read`.
pub fn missing(granted: &str) -> Vec<&'static str> {
    let granted: Vec<&str> = granted.split_ascii_whitespace().collect();
    SCOPES.into_iter().filter(|scope| !holds(&granted, scope)).collect()
}

/// Whether a list of scopes allows what one scope allows.
pub fn holds(granted: &[&str], scope: &str) -> bool {
    let write = scope.strip_suffix(":read").map(|object| format!("{object}:write"));
    granted.iter().any(|held| *held == "*" || *held == scope || write.as_deref() == Some(held))
}

/// The error of an OAuth answer in words; a body that is none of theirs is cut short.
fn said(response: &Response) -> String {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    match body["error"].as_str() {
        Some(error) => {
            let told = body["error_description"].as_str().unwrap_or_default();
            format!("{} {error} {told}", response.status).trim_end().to_owned()
        }
        None => format!("{} {}", response.status, response.excerpt(120)).trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests;
