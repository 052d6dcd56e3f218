//! What lets us into the private side of a connection: a stored OAuth grant first, then the
//! personal key of the settings, then nothing (SPEC C4).
//!
//! A grant is kept sealed with what is needed to renew it; `jobs::refresh_credential` renews
//! it before it ends. It is read anew each time it is asked for, so that one stored a moment
//! ago is used at once, on every node. Asking never fails because a grant cannot be opened
//! or has ended: then the next in the order is answered, and `Standing` says why.

use hogwire_connectors::posthog::oauth;
use hogwire_model::{Problem, Problems, Span, Time};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::jobs::refresh_credential;
use crate::store::credentials::{self, Credential, Status};
use crate::store::{Tx, audit, secrets as sealed, settings};

/// A grant is renewed this long before it ends.
pub const AHEAD: Span = Span::seconds(60);
/// After a failure, at most one try in this time.
pub const PAUSE: Span = Span::minutes(1);

/// What a grant is kept as, sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Grant {
    pub access_token: String,
    #[serde(default)]
    pub refresh_token: Option<String>,
    #[serde(default)]
    pub client_id: Option<String>,
    #[serde(default)]
    pub token_endpoint: Option<String>,
    /// The app's host that gave it; it is shown to no other.
    pub host: String,
    #[serde(default)]
    pub project: Option<String>,
}

/// A grant as somebody brings it.
#[derive(Default)]
pub struct Brought {
    pub access_token: String,
    pub refresh_token: Option<String>,
    pub expires_at: Option<Time>,
    pub scopes: String,
    pub projects: Vec<i64>,
    pub client_id: Option<String>,
    pub token_endpoint: Option<String>,
    /// Of the app. The connection's own where it is not said.
    pub host: Option<String>,
    pub project: Option<String>,
}

/// Which of the credentials it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Oauth,
    PersonalKey,
}

/// What to send as `Authorization: Bearer`. Never printed.
pub struct Bearer {
    pub token: Zeroizing<String>,
    pub kind: Kind,
    /// The project's number, or `@current` where nobody has said which.
    pub project: String,
}

/// How a connection stands with its credentials, without any of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// Which one is used now.
    pub uses: Option<Kind>,
    /// Why a stored grant is not, or soon will not be; empty where there is nothing to say.
    pub problem: String,
    pub scopes: Vec<String>,
    pub expires_at: Option<Time>,
    pub project: String,
}

impl Engine {
    /// Keeps a grant for a connection and plans its renewal.
    pub fn keep_credential(&self, connection: &str, brought: Brought, actor: &str, now: Time) -> Result<Credential> {
        let settings = self.settings();
        let known = settings.connections.get(connection).filter(|known| !known.app_host.is_empty());
        let known = known.ok_or_else(|| Error::Missing(format!("connection {connection}")))?;
        let host = brought.host.clone().unwrap_or_else(|| known.app_host.clone());
        refuse_foreign(&known.app_host, &host, brought.token_endpoint.as_deref())?;
        if brought.access_token.trim().is_empty() {
            return Err(bad("access_token", "there is no token in it", "send what PostHog's token endpoint answered"));
        }
        let grant = Grant {
            access_token: brought.access_token,
            refresh_token: brought.refresh_token.filter(|token| !token.is_empty()),
            client_id: brought.client_id,
            token_endpoint: brought.token_endpoint,
            host: known.app_host.clone(),
            project: brought.project,
        };
        let (scopes, projects, expires_at) = (brought.scopes, brought.projects, brought.expires_at);
        let kept = self.store.write(|tx| {
            self.keep_grant(tx, connection, &grant, now)?;
            // A document's URL is known again; a registered client's id is not.
            if let Some(client) = grant.client_id.as_deref().filter(|client| !client.starts_with("http")) {
                settings::set(tx, &client_name(&grant.host), client, now)?;
            }
            let before = credentials::find(tx, connection)?;
            let row = Credential {
                connection: connection.to_owned(),
                status: Status::Good,
                scopes,
                projects,
                expires_at,
                created_at: before.map_or(now, |before| before.created_at),
                updated_at: now,
                tried_at: None,
                problem: String::new(),
                fence: 0,
            };
            credentials::put(tx, &row)?;
            refresh_credential::plan(tx, &*self.outside.entropy, &row, now)?;
            let id = self.outside.entropy.id("aud", now);
            audit::record(tx, &id, now, actor, "credential.keep", connection, "{}")?;
            Ok(row)
        })?;
        self.outside.wake.wake();
        Ok(kept)
    }

    /// What is known of a stored grant. An error where there is one and it cannot be opened.
    pub fn credential(&self, connection: &str) -> Result<Option<Credential>> {
        let mut tx = self.store.read()?;
        let Some(row) = credentials::find(&mut tx, connection)? else { return Ok(None) };
        self.grant(&mut tx, connection)?;
        Ok(Some(row))
    }

    /// Removes a grant without opening it. Answers whether there was one.
    pub fn forget_credential(&self, connection: &str, actor: &str, now: Time) -> Result<bool> {
        self.store.write(|tx| {
            let was_there = credentials::remove(tx, connection)?;
            sealed::remove(tx, &name(connection))?;
            if was_there {
                let id = self.outside.entropy.id("aud", now);
                audit::record(tx, &id, now, actor, "credential.forget", connection, "{}")?;
            }
            Ok(was_there)
        })
    }

    /// What lets us in now; nothing where this connection has no credential that works.
    pub fn bearer(&self, connection: &str, now: Time) -> Result<Option<Bearer>> {
        let settings = self.settings();
        let Some(known) = settings.connections.get(connection) else { return Ok(None) };
        let mut tx = self.store.read()?;
        let row = credentials::find(&mut tx, connection)?;
        let stored = match &row {
            Some(row) if usable(row, now) => self.grant(&mut tx, connection).ok().flatten(),
            _ => None,
        };
        let own = stored.filter(|grant| grant.host == known.app_host);
        if let (Some(grant), Some(row)) = (own, &row) {
            let limited = row.projects.first().map(i64::to_string);
            let project = known.project.clone().or(grant.project).or(limited);
            return Ok(Some(Bearer {
                token: Zeroizing::new(grant.access_token),
                kind: Kind::Oauth,
                project: project.unwrap_or_else(|| CURRENT.to_owned()),
            }));
        }
        Ok(known.personal_key.as_ref().map(|key| Bearer {
            token: Zeroizing::new(key.clone()),
            kind: Kind::PersonalKey,
            project: known.project.clone().unwrap_or_else(|| CURRENT.to_owned()),
        }))
    }

    /// The other side did not take a grant's token although it has not ended: it is renewed
    /// at once, and not shown again before that. A personal key is the operator's to change.
    pub fn bearer_refused(&self, connection: &str, refused: &Bearer, now: Time) -> Result<()> {
        if refused.kind == Kind::PersonalKey {
            return Ok(());
        }
        self.store.write(|tx| {
            let Some(mut row) = credentials::find(tx, connection)? else { return Ok(()) };
            let held = self.grant(tx, connection).ok().flatten();
            // It was renewed in the meantime: the refused one is not the one that is kept.
            if held.is_none_or(|held| held.access_token != *refused.token) {
                return Ok(());
            }
            row.expires_at = Some(now);
            row.updated_at = now;
            "PostHog did not take the token; it is being renewed.".clone_into(&mut row.problem);
            credentials::put(tx, &row)?;
            refresh_credential::plan(tx, &*self.outside.entropy, &row, now)
        })?;
        self.outside.wake.wake();
        Ok(())
    }

    /// How a connection stands. Never fails for a grant that cannot be used.
    pub fn standing(&self, connection: &str, now: Time) -> Result<Standing> {
        let bearer = self.bearer(connection, now)?;
        let settings = self.settings();
        let mut tx = self.store.read()?;
        let row = credentials::find(&mut tx, connection)?;
        let problem = match &row {
            None => String::new(),
            Some(row) => match self.grant(&mut tx, connection) {
                Err(error) => error.to_string(),
                Ok(Some(grant)) if settings.connections.get(connection).is_some_and(|k| k.app_host != grant.host) => {
                    format!("It was given by {}, which is not this connection's host any more.", grant.host)
                }
                Ok(_) if row.problem.is_empty() && !usable(row, now) => "It has ended and is being renewed.".to_owned(),
                Ok(_) => row.problem.clone(),
            },
        };
        let scopes = row.as_ref().map(|row| row.scopes.split_ascii_whitespace().map(str::to_owned).collect());
        Ok(Standing {
            uses: bearer.as_ref().map(|bearer| bearer.kind),
            problem,
            scopes: scopes.unwrap_or_default(),
            expires_at: row.and_then(|row| row.expires_at),
            project: bearer.map(|bearer| bearer.project).unwrap_or_default(),
        })
    }

    /// The public client that a host has registered for this installation, to be used again.
    pub fn registered_client(&self, host: &str) -> Result<Option<String>> {
        settings::text(&mut self.store.read()?, &client_name(host))
    }

    pub(crate) fn grant(&self, tx: &mut Tx<'_>, connection: &str) -> Result<Option<Grant>> {
        let Some(text) = self.secret(tx, &name(connection))? else { return Ok(None) };
        let grant = serde_json::from_str(&text);
        grant.map(Some).map_err(|_| Error::Corrupt { what: "credential", why: "its form is unknown".to_owned() })
    }

    pub(crate) fn keep_grant(&self, tx: &mut Tx<'_>, connection: &str, grant: &Grant, now: Time) -> Result<()> {
        let text = Zeroizing::new(
            serde_json::to_string(grant)
                .map_err(|_| Error::Corrupt { what: "credential", why: "it cannot be written".to_owned() })?,
        );
        self.keep_secret(tx, &name(connection), &text, now)
    }

    /// Plans the renewal of every grant. Called when the engine opens.
    pub(crate) fn plan_renewals(&self, tx: &mut Tx<'_>, now: Time) -> Result<()> {
        for row in credentials::all(tx)? {
            refresh_credential::plan(tx, &*self.outside.entropy, &row, now)?;
        }
        Ok(())
    }
}

const CURRENT: &str = "@current";

fn name(connection: &str) -> String {
    format!("credential/{connection}")
}

fn client_name(host: &str) -> String {
    format!("oauth_client/{host}")
}

fn usable(row: &Credential, now: Time) -> bool {
    row.status == Status::Good && row.expires_at.is_none_or(|ends| ends > now)
}

/// A grant of one host is never sent to another, and renewed only where it came from.
fn refuse_foreign(app: &str, host: &str, token_endpoint: Option<&str>) -> Result<()> {
    for (path, url) in [("host", Some(host)), ("token_endpoint", token_endpoint)] {
        if let Some(denied) = url.and_then(|url| oauth::meant(app, url).err()) {
            return Err(bad(path, &denied.message, denied.remedy));
        }
    }
    Ok(())
}

fn bad(path: &str, message: &str, remedy: &str) -> Error {
    Error::Refused(Problems(vec![Problem::error("bad_credential", path, message.to_owned(), remedy)]))
}
