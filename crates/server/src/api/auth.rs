//! Who asks, and what they may: API keys with scopes, and the admin key of the environment.
//!
//! Secrets of the environment and of this run are compared in constant time; keys in the
//! database are found by their hash. What was found is remembered for a few seconds, so that
//! a revoked key is out soon and a busy one costs no reading.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hogwire_connectors::signature::same_secret;
use hogwire_engine::secrets::token_hash;

use super::problem::Problem;
use crate::app::Shared;

const REMEMBERED: Duration = Duration::from_secs(5);
const MOST_REMEMBERED: usize = 10_000;
/// The name under which the key of the lock file acts; no key of the database is called so.
const COMMAND_LINE: &str = "command line";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Read,
    Write,
    Admin,
    Ingest,
}

impl Scope {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
            Self::Ingest => "ingest",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Write => 2,
            Self::Admin => 4,
            Self::Ingest => 8,
        }
    }
}

/// Whoever sent a request, and what their key allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// For the audit log: the key's name, or `ADMIN_API_KEY`.
    pub name: Arc<str>,
    scopes: u8,
}

impl Caller {
    pub fn admin(name: &str) -> Self {
        Self { name: name.into(), scopes: u8::MAX }
    }

    /// `admin` holds every scope, `write` holds `read`.
    pub fn with(name: &str, scopes: &str) -> Self {
        let mut held = 0;
        for scope in scopes.split_ascii_whitespace() {
            held |= match scope {
                "admin" => u8::MAX,
                "write" => Scope::Write.bit() | Scope::Read.bit(),
                "read" => Scope::Read.bit(),
                "ingest" => Scope::Ingest.bit(),
                _ => 0,
            };
        }
        Self { name: name.into(), scopes: held }
    }

    /// Whether it is the command line of whoever can read the lock file.
    pub fn is_command_line(&self) -> bool {
        &*self.name == COMMAND_LINE && self.may(Scope::Admin)
    }

    pub fn may(&self, scope: Scope) -> bool {
        self.scopes & scope.bit() != 0
    }

    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.may(scope) { Ok(()) } else { Err(Problem::forbidden(scope.as_str())) }
    }
}

/// The keys that open the API.
pub struct Keys {
    admin: Vec<(&'static str, String)>,
    known: RwLock<HashMap<String, (Instant, Option<Caller>)>>,
}

impl Keys {
    /// `admin`: ADMIN_API_KEY where it is set; `run`: the key in the lock file.
    pub fn new(admin: Option<String>, run: String) -> Self {
        let mut keys = vec![(COMMAND_LINE, run)];
        keys.extend(admin.map(|key| ("ADMIN_API_KEY", key)));
        Self { admin: keys, known: RwLock::default() }
    }

    fn remembered(&self, hash: &str) -> Option<Option<Caller>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(hash).filter(|(since, _)| since.elapsed() < REMEMBERED).map(|(_, caller)| caller.clone())
    }

    /// Asks the database anew: a key was revoked.
    pub fn forget(&self) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn remember(&self, hash: String, caller: Option<Caller>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_REMEMBERED {
            known.clear();
        }
        known.insert(hash, (Instant::now(), caller));
    }
}

/// Whose key this is; nothing where it is nobody's.
pub async fn caller(app: &Shared, key: &str) -> Result<Option<Caller>, Problem> {
    // Every admin key is compared, whatever the others came to.
    let mut admin = None;
    for (name, held) in &app.keys.admin {
        if same_secret(key.as_bytes(), held.as_bytes()) {
            admin = Some(Caller::admin(name));
        }
    }
    if admin.is_some() || !key.starts_with("hw_") {
        return Ok(admin);
    }
    let hash = token_hash(key);
    if let Some(caller) = app.keys.remembered(&hash) {
        return Ok(caller);
    }
    let asked = key.to_owned();
    let found = app.ask(move |engine, _| engine.api_key(&asked)).await?;
    let caller = found.map(|key| Caller::with(&format!("key {}", key.name), &key.scopes));
    app.keys.remember(hash, caller.clone());
    Ok(caller)
}

/// The key in `Authorization`: after `Bearer`, or as the user of `Basic` (Segment's way).
pub fn key_of(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    let user = decoded.split_once(':').map_or(decoded.as_str(), |(user, _)| user);
    Some(user.to_owned())
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let Some(key) = key_of(&parts.headers) else { return Err(Problem::unauthorized()) };
        caller(app, &key).await?.ok_or_else(Problem::unauthorized)
    }
}
