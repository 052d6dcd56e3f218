//! What readers do with a mail: open it, follow a link, leave or come back; and what mail
//! servers report about it later. Called by the routes under `/t`, `/u` and `/p` and by the
//! readers of delivery reports.
//!
//! Every happening is a row, a counter, an event for the connections that want it, and a
//! call to runs that wait. What a program did on the way is recorded apart and wakes nobody.
//! Reading never changes anything: a GET on the way out shows a page, a HEAD counts nothing.

mod leave;
mod report;

use hogwire_connectors::machine::{self, Actor, Hit, Verdict};
use hogwire_connectors::posthog::engagement::Happening;
use hogwire_model::Time;
use serde_json::{Map, Value, json};

pub use leave::{Choice, Scope, Subscription, prefer, resubscribe, subscription, unsubscribe};
pub use report::{Report, report};

use crate::error::Result;
use crate::outbox::settle::{engaged, engagement};
use crate::outbox::{Parts, tell, token};
use crate::store::messages::Message;
use crate::store::{Tx, counts, engagements, message_bodies, messages};

/// One visit, as the route saw it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen<'a> {
    pub user_agent: &'a str,
    /// Upper case.
    pub method: &'a str,
    /// `Purpose` or `Sec-Purpose`.
    pub purpose: Option<&'a str>,
}

/// More visits than this to one message are counted no further: nobody reads a mail so
/// often, and a loop somewhere must not fill the store.
const MOST_VISITS: i64 = 500;

/// The pixel was fetched. Answers whether the token is one of ours.
pub fn open(parts: &Parts<'_>, token: &str, seen: Seen<'_>, now: Time) -> Result<bool> {
    if !token::is_token(token) {
        return Ok(false);
    }
    parts.store.write(|tx| {
        let Some(message) = messages::by_token(tx, &token::hash(token))? else { return Ok(false) };
        if seen.method == "HEAD" || visits(&message) >= MOST_VISITS {
            return Ok(true);
        }
        let verdict = machine::open(&hit(&message, &seen, now));
        if verdict.actor == Actor::Machine {
            messages::count_machine_open(tx, &message.id)?;
        } else {
            messages::count_open(tx, &message.id, now)?;
        }
        let first = message.opened_at.is_none();
        happened(parts, tx, &message, Kind::Opened, verdict, Map::new(), now)?;
        if verdict.actor == Actor::Human && first {
            engaged(parts, tx, &message, "opened", now)?;
        }
        Ok(true)
    })
}

/// A link was followed. Answers where it leads: only to what the mail itself said.
pub fn click(parts: &Parts<'_>, link: &str, seen: Seen<'_>, now: Time) -> Result<Option<String>> {
    let Some(link) = token::read_link(link, &parts.keys.links) else { return Ok(None) };
    parts.store.write(|tx| {
        let Some(message) = messages::by_token(tx, &token::hash(link.token))? else { return Ok(None) };
        let body = message_bodies::find(tx, &message.id)?;
        let Some(target) = body.and_then(|body| body.links.get(link.number).cloned()) else { return Ok(None) };
        if seen.method == "HEAD" || !link.genuine || visits(&message) >= MOST_VISITS {
            return Ok(Some(target));
        }
        let verdict = machine::click(&hit(&message, &seen, now));
        let more = Map::from_iter([("url".to_owned(), Value::from(target.as_str()))]);
        if verdict.actor == Actor::Human {
            messages::count_click(tx, &message.id, now)?;
        }
        happened(parts, tx, &message, Kind::Clicked, verdict, more, now)?;
        if verdict.actor == Actor::Human {
            engaged(parts, tx, &message, "clicked", now)?;
        }
        Ok(Some(target))
    })
}

#[derive(Clone, Copy)]
enum Kind {
    Opened,
    Clicked,
}

/// Writes the row, and tells those who want to know where it was a person.
fn happened(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    message: &Message,
    kind: Kind,
    verdict: Verdict,
    more: Map<String, Value>,
    now: Time,
) -> Result<()> {
    let (word, happening) = match kind {
        Kind::Opened => ("opened", Happening::EmailOpened),
        Kind::Clicked => ("clicked", Happening::EmailClicked),
    };
    let id = parts.outside.entropy.id("eng", now);
    let machine = verdict.actor == Actor::Machine;
    let mut detail = json!(more);
    if let Some(reason) = verdict.reason {
        detail["by"] = reason.into();
    }
    let row = engagements::Engagement { machine, ..engagement(message, word, &id, detail, now) };
    engagements::add(tx, &row)?;
    if machine {
        return Ok(());
    }
    counts::add(tx, &[(word, 1)], now)?;
    tell::happening(parts, tx, happening, message, &id, more, now)
}

fn hit<'a>(message: &Message, seen: &Seen<'a>, now: Time) -> Hit<'a> {
    let sent_at = message.settled_at.or(message.sending_at);
    Hit { method: seen.method, user_agent: seen.user_agent, purpose: seen.purpose, at: now, sent_at }
}

fn visits(message: &Message) -> i64 {
    message.machine_opens + message.human_opens + message.clicks
}
