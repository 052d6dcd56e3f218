//! Renews a stored grant before it ends (SPEC C4).
//!
//! One node at a time: the job's lease sees to it. The new pair is committed before anybody
//! can use it, and an answer that comes after somebody stored another grant changes nothing.
//! The token endpoint accepts the former refresh token for two minutes, so a node that dies
//! between its request and its commit is followed by another within that time.

use hogwire_connectors::posthog::oauth;
use hogwire_model::Time;
use serde::{Deserialize, Serialize};

use super::queue;
use super::tend::After;
use crate::credentials::{AHEAD, Grant, PAUSE};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::outside::{Entropy, HttpAnswer, Reach};
use crate::store::Tx;
use crate::store::credentials::{self, Credential, Status};
use crate::store::jobs::Job;

pub const KIND: &str = "refresh_credential";

#[derive(Serialize, Deserialize)]
struct Payload {
    connection: String,
}

/// When a grant is renewed: a minute before it ends, and never within a minute of a try.
fn due(row: &Credential, now: Time) -> Option<Time> {
    let ends = row.expires_at.filter(|_| row.status == Status::Good)?;
    let rested = row.tried_at.map_or(now, |tried| tried.plus(PAUSE));
    Some(ends.minus(AHEAD).max(rested).max(now))
}

/// Puts or moves the job of one grant.
pub fn plan(tx: &mut Tx<'_>, entropy: &dyn Entropy, row: &Credential, now: Time) -> Result<()> {
    let Some(due) = due(row, now) else { return Ok(()) };
    let payload = serde_json::json!({ "connection": row.connection }).to_string();
    queue::put(tx, entropy, KIND, &format!("{KIND}/{}", row.connection), &payload, due, now)
}

pub fn run(engine: &Engine, job: &Job, now: Time) -> Result<After> {
    let Payload { connection } =
        serde_json::from_str(&job.payload).map_err(|error| Error::Corrupt { what: "job", why: error.to_string() })?;
    let again = |due: Time| Ok(After::Again { payload: job.payload.clone(), due });
    let (row, grant) = {
        let mut tx = engine.store().read()?;
        let Some(row) = credentials::find(&mut tx, &connection)? else { return Ok(After::Done) };
        (row, engine.grant(&mut tx, &connection))
    };
    match due(&row, now) {
        None => return Ok(After::Done),
        Some(due) if due > now => return again(due),
        Some(_) => {}
    }
    // A grant that cannot be opened is told where it is looked at; a key may come back.
    let Ok(Some(grant)) = grant else { return again(now.plus(PAUSE)) };
    let Some(refresh_token) = &grant.refresh_token else {
        let why = "It ends and cannot be renewed: PostHog gave no refresh token. Connect again.";
        note(engine, &row, Status::Good, why, now)?;
        return Ok(After::Done);
    };
    match ask(engine, &grant, refresh_token, now) {
        Ok((tokens, at)) => renewed(engine, &row, grant, tokens, at).map(|due| match due {
            Some(due) => After::Again { payload: job.payload.clone(), due },
            None => After::Done,
        }),
        Err(denied) if denied.is_final => {
            note(engine, &row, Status::Refused, &denied.message, now)?;
            Ok(After::Done)
        }
        Err(denied) => {
            note(engine, &row, Status::Good, &denied.message, now)?;
            again(now.plus(PAUSE))
        }
    }
}

fn ask(
    engine: &Engine,
    grant: &Grant,
    refresh_token: &str,
    now: Time,
) -> std::result::Result<(oauth::Tokens, Time), oauth::Denied> {
    let usual = format!("{}/oauth/token/", grant.host);
    let endpoint = grant.token_endpoint.as_deref().unwrap_or(&usual);
    oauth::meant(&grant.host, endpoint)?;
    let request = oauth::refresh(endpoint, grant.client_id.as_deref().unwrap_or_default(), refresh_token);
    let answered = engine.outside().http.send(Reach::Configured, vec![request]).pop();
    let why = match answered {
        Some((at, HttpAnswer::Response(response))) => return oauth::read_tokens(&response).map(|tokens| (tokens, at)),
        Some((_, HttpAnswer::NotSent(why) | HttpAnswer::Broken(why) | HttpAnswer::Forbidden(why))) => why,
        None => format!("nothing was sent at {now}"),
    };
    Err(oauth::Denied {
        code: "unreachable",
        message: format!("PostHog's token endpoint cannot be reached: {why}."),
        remedy: "It is tried again by itself every minute.",
        is_final: false,
    })
}

/// Keeps the new pair; what the answer leaves out stays as it was. Answers when next.
fn renewed(
    engine: &Engine,
    before: &Credential,
    mut grant: Grant,
    tokens: oauth::Tokens,
    at: Time,
) -> Result<Option<Time>> {
    let mut row = before.clone();
    row.expires_at = oauth::ends_at(&tokens, at);
    row.updated_at = at;
    row.tried_at = Some(at);
    row.problem.clear();
    if let Some(scope) = tokens.scope {
        row.scopes = scope;
    }
    if let Some(teams) = tokens.scoped_teams {
        row.projects = teams;
    }
    grant.access_token = tokens.access_token;
    if let Some(token) = tokens.refresh_token.filter(|token| !token.is_empty()) {
        grant.refresh_token = Some(token);
    }
    engine.store().write(|tx| {
        if credentials::find(tx, &row.connection)?.is_some_and(|held| held.fence == before.fence) {
            engine.keep_grant(tx, &row.connection, &grant, at)?;
            credentials::put(tx, &row)?;
        }
        Ok(())
    })?;
    Ok(due(&row, at))
}

fn note(engine: &Engine, before: &Credential, status: Status, why: &str, now: Time) -> Result<()> {
    let mut row = before.clone();
    row.status = status;
    row.tried_at = Some(now);
    why.clone_into(&mut row.problem);
    engine.store().write(|tx| match credentials::find(tx, &row.connection)? {
        Some(held) if held.fence == before.fence => credentials::put(tx, &row),
        _ => Ok(()),
    })
}
