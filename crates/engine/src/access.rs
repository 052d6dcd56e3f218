//! Who may come in: the secrets and tokens of inbound routes, API keys, sessions.

use std::sync::{Arc, PoisonError};

use hogwire_model::{Span, Time};
use zeroize::Zeroizing;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::secrets::token_hash;
use crate::store::users::{Session, User};
use crate::store::{Tx, api_keys, audit, connections, secrets as sealed, users};

/// A connection as the door knows it.
pub struct Inbound {
    pub connection: String,
    /// Accepted in the secret header, and as signing secrets; more than one while rotating.
    pub secrets: Vec<Zeroizing<String>>,
    /// Hashes of the tokens that its URL may carry.
    pub token_hashes: Vec<String>,
}

/// How long a session lasts.
const SESSION: Span = Span::days(14);
/// How long the token before a regenerated one still opens the door.
const OVERLAP_NAME: &str = "previous";

impl Engine {
    /// Writes the connections that the settings name, and mints what lets them in where the
    /// settings say nothing: no route is ever open by default (SPEC A2).
    pub(crate) fn settle_connections(&self, now: Time) -> Result<()> {
        let settings = self.settings();
        self.store.write(|tx| {
            self.keyring.settle_root(tx, &*self.outside.entropy, now)?;
            if !tx.is_sqlite() {
                crate::inbox::plant_cursors(tx)?;
            }
            crate::housekeeping::plant(tx, &*self.outside.entropy, now)?;
            self.plan_renewals(tx, now)?;
            for (name, connection) in &settings.connections {
                let status = match connection.starts_active {
                    true => connections::Status::Active,
                    false => connections::Status::Testing,
                };
                connections::plant(tx, name, &connection.connector, status, connection.test_mode, now)?;
                if connection.webhook_secret.is_none() && sealed::get(tx, &secret_name(name))?.is_none() {
                    self.mint_secret(tx, name, now)?;
                }
                if sealed::get(tx, &token_name(name))?.is_none() {
                    self.mint_token(tx, name, now)?;
                }
            }
            Ok(())
        })?;
        self.refresh_inbound()
    }

    /// Gives a connection's URL a new token; the one before stays good until the next time.
    pub fn regenerate_token(&self, connection: &str, actor: &str, now: Time) -> Result<String> {
        let token = self.store.write(|tx| {
            if let Some(before) = self.open_secret(tx, &token_name(connection))? {
                self.keep_secret(tx, &format!("{}/{OVERLAP_NAME}", token_name(connection)), &before, now)?;
            }
            let id = self.outside.entropy.id("aud", now);
            audit::record(tx, &id, now, actor, "connection.token", connection, "{}")?;
            self.mint_token(tx, connection, now)
        })?;
        self.refresh_inbound()?;
        Ok(token)
    }

    fn mint_secret(&self, tx: &mut Tx<'_>, connection: &str, now: Time) -> Result<String> {
        let mut random = [0; 32];
        self.outside.entropy.fill(&mut random);
        let minted = hogwire_connectors::signature::secret_from(&random);
        self.keep_secret(tx, &secret_name(connection), &minted, now)?;
        Ok(minted)
    }

    /// As `webhook_secret`; where there is none, or none that the key opens, one is minted.
    pub fn settled_webhook_secret(&self, connection: &str, now: Time) -> Result<String> {
        match self.webhook_secret(connection) {
            Ok(Some(secret)) => return Ok(secret),
            Ok(None) | Err(Error::Sealed(_)) => {}
            Err(error) => return Err(error),
        }
        let minted = self.store.write(|tx| self.mint_secret(tx, connection, now))?;
        self.refresh_inbound()?;
        Ok(minted)
    }

    fn mint_token(&self, tx: &mut Tx<'_>, connection: &str, now: Time) -> Result<String> {
        let token = self.outside.entropy.token();
        self.keep_secret(tx, &token_name(connection), &token, now)?;
        connections::set_token(tx, connection, &token_hash(&token), now)?;
        Ok(token)
    }

    /// The token in the URL that a destination reports to; made when it is first asked for.
    pub fn destination_token(&self, name: &str, now: Time) -> Result<String> {
        if !self.settings().destinations.contains_key(name) {
            return Err(Error::Missing(format!("destination {name}")));
        }
        self.store.write(|tx| {
            let secret = destination_secret(name);
            if let Some(held) = self.secret(tx, &secret)? {
                return Ok(held.to_string());
            }
            let token = self.outside.entropy.token();
            self.keep_secret(tx, &secret, &token, now)?;
            Ok(token)
        })
    }

    /// Whose token this is. Every one is compared, so that time says nothing.
    pub fn destination_of(&self, token: &str) -> Result<Option<String>> {
        let mut tx = self.store.read()?;
        let (given, mut found) = (token_hash(token), None);
        for name in self.settings().destinations.keys() {
            if let Some(held) = self.secret(&mut tx, &destination_secret(name))?
                && hogwire_connectors::signature::same_secret(given.as_bytes(), token_hash(&held).as_bytes())
            {
                found = Some(name.clone());
            }
        }
        Ok(found)
    }

    /// The token in a connection's webhook URL, to be shown and copied.
    pub fn webhook_token(&self, connection: &str) -> Result<Option<String>> {
        let mut tx = self.store.read()?;
        Ok(self.secret(&mut tx, &token_name(connection))?.map(|token| token.to_string()))
    }

    /// The secret that a connection's webhook must carry: the configured one, or the minted.
    pub fn webhook_secret(&self, connection: &str) -> Result<Option<String>> {
        let configured = self.settings().connections.get(connection).and_then(|held| held.webhook_secret.clone());
        if configured.is_some() {
            return Ok(configured);
        }
        let mut tx = self.store.read()?;
        Ok(self.secret(&mut tx, &secret_name(connection))?.map(|secret| secret.to_string()))
    }

    /// What the door knows, as it was last read.
    pub fn inbound(&self) -> Arc<Vec<Inbound>> {
        self.inbound.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads again what lets connections in; another node may have changed it.
    pub fn refresh_inbound(&self) -> Result<()> {
        let settings = self.settings();
        let mut tx = self.store.read()?;
        let mut all = Vec::new();
        for row in connections::all(&mut tx)? {
            let configured = settings.connections.get(&row.name).and_then(|held| held.webhook_secret.clone());
            let mut secrets: Vec<Zeroizing<String>> = configured.into_iter().map(Zeroizing::new).collect();
            secrets.extend(self.open_secret(&mut tx, &secret_name(&row.name))?);
            let before = self.open_secret(&mut tx, &format!("{}/{OVERLAP_NAME}", token_name(&row.name)))?;
            let mut token_hashes: Vec<String> = row.token_hash.into_iter().collect();
            token_hashes.extend(before.map(|token| token_hash(&token)));
            all.push(Inbound { connection: row.name, secrets, token_hashes });
        }
        *self.inbound.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(all);
        Ok(())
    }

    pub fn connections(&self) -> Result<Vec<connections::Connection>> {
        connections::all(&mut self.store.read()?)
    }

    pub fn set_connection_status(&self, name: &str, status: connections::Status, actor: &str, now: Time) -> Result<()> {
        self.store.write(|tx| {
            if !connections::set_status(tx, name, status, now)? {
                return Err(Error::Missing(format!("connection {name}")));
            }
            audit::record(
                tx,
                &self.outside.entropy.id("aud", now),
                now,
                actor,
                "connection.status",
                name,
                status.as_str(),
            )
        })
    }

    /// Makes an API key. It is shown once: only its hash is kept.
    pub fn make_api_key(&self, name: &str, scopes: &str, actor: &str, now: Time) -> Result<(String, api_keys::ApiKey)> {
        let known = ["read", "write", "admin", "ingest"];
        if scopes.is_empty() || !scopes.split(' ').all(|scope| known.contains(&scope)) {
            return Err(Error::Conflict(format!("scopes are some of {}", known.join(", "))));
        }
        let body = self.outside.entropy.token();
        let key = format!("hw_{body}{}", check_mark(&body));
        let row = api_keys::ApiKey {
            id: self.outside.entropy.id("key", now),
            name: name.to_owned(),
            key_hash: token_hash(&key),
            hint: key[key.len() - 4..].to_owned(),
            scopes: scopes.to_owned(),
            created_at: now,
            used_at: None,
            revoked_at: None,
        };
        self.store.write(|tx| {
            api_keys::add(tx, &row)?;
            audit::record(tx, &self.outside.entropy.id("aud", now), now, actor, "key.create", &row.id, scopes)
        })?;
        Ok((key, row))
    }

    /// The key's row, where it is one of ours and not revoked. Mistyped ones are told by
    /// their check mark, without asking the database.
    pub fn api_key(&self, key: &str) -> Result<Option<api_keys::ApiKey>> {
        let Some(rest) = key.strip_prefix("hw_") else { return Ok(None) };
        let Some((body, mark)) = rest.len().checked_sub(6).and_then(|at| rest.split_at_checked(at)) else {
            return Ok(None);
        };
        if check_mark(body) != mark {
            return Ok(None);
        }
        api_keys::by_hash(&mut self.store.read()?, &token_hash(key))
    }

    pub fn api_keys(&self) -> Result<Vec<api_keys::ApiKey>> {
        api_keys::all(&mut self.store.read()?)
    }

    pub fn revoke_api_key(&self, id: &str, actor: &str, now: Time) -> Result<()> {
        self.store.write(|tx| {
            if !api_keys::revoke(tx, id, now)? {
                return Err(Error::Missing(format!("key {id}")));
            }
            audit::record(tx, &self.outside.entropy.id("aud", now), now, actor, "key.revoke", id, "{}")
        })
    }

    pub fn users(&self) -> Result<Vec<User>> {
        users::all(&mut self.store.read()?)
    }

    pub fn user(&self, email: &str) -> Result<Option<User>> {
        users::by_email(&mut self.store.read()?, email)
    }

    /// Adds somebody who may sign in. The password comes hashed.
    pub fn add_user(&self, email: &str, role: &str, password_hash: &str, actor: &str, now: Time) -> Result<User> {
        if !["admin", "editor", "viewer"].contains(&role) {
            return Err(Error::Conflict("a role is admin, editor or viewer".to_owned()));
        }
        let user = User {
            id: self.outside.entropy.id("usr", now),
            email: email.to_lowercase(),
            role: role.to_owned(),
            password_hash: password_hash.to_owned(),
            created_at: now,
            signed_in_at: None,
        };
        self.store.write(|tx| {
            if users::by_email(tx, &user.email)?.is_some() {
                return Err(Error::Conflict(format!("{} is a user already", user.email)));
            }
            users::add(tx, &user)?;
            audit::record(tx, &self.outside.entropy.id("aud", now), now, actor, "user.add", &user.email, role)
        })?;
        Ok(user)
    }

    pub fn set_password(&self, email: &str, password_hash: &str, now: Time) -> Result<()> {
        self.store.write(|tx| {
            if !users::set_password(tx, &email.to_lowercase(), password_hash)? {
                return Err(Error::Missing(format!("user {email}")));
            }
            audit::record(tx, &self.outside.entropy.id("aud", now), now, email, "user.password", email, "{}")
        })
    }

    /// Takes somebody away, with every session of theirs. The last admin stays.
    pub fn remove_user(&self, email: &str, actor: &str, now: Time) -> Result<()> {
        let email = email.to_lowercase();
        self.store.write(|tx| {
            let all = users::all(tx)?;
            let gone = all.iter().find(|user| user.email == email);
            let gone = gone.ok_or_else(|| Error::Missing(format!("user {email}")))?;
            if gone.role == "admin" && all.iter().filter(|user| user.role == "admin").count() == 1 {
                return Err(Error::Conflict(format!("{email} is the last admin")));
            }
            users::remove(tx, &email)?;
            audit::record(tx, &self.outside.entropy.id("aud", now), now, actor, "user.remove", &email, "{}")
        })
    }

    /// Begins a session: (token for the cookie, token for forms).
    pub fn begin_session(&self, user: &User, now: Time) -> Result<(String, String)> {
        let (token, csrf) = (self.outside.entropy.token(), self.outside.entropy.token());
        self.store
            .write(|tx| users::begin_session(tx, &token_hash(&token), &user.id, &csrf, now, now.plus(SESSION)))?;
        Ok((token, csrf))
    }

    pub fn session(&self, token: &str, now: Time) -> Result<Option<Session>> {
        users::session(&mut self.store.read()?, &token_hash(token), now)
    }

    pub fn end_session(&self, token: &str) -> Result<()> {
        self.store.write(|tx| users::end_session(tx, &token_hash(token)))
    }

    pub fn audit(&self, limit: usize) -> Result<Vec<audit::Entry>> {
        audit::newest(&mut self.store.read()?, limit)
    }
}

/// Six characters by which a mistyped or cut key is told.
fn check_mark(body: &str) -> String {
    token_hash(body)[..6].to_owned()
}

fn secret_name(connection: &str) -> String {
    format!("webhook_secret/{connection}")
}

fn destination_secret(name: &str) -> String {
    format!("destination/{name}/token")
}

fn token_name(connection: &str) -> String {
    format!("webhook_token/{connection}")
}
