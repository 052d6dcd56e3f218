//! One step of sending mail, in three parts: claim in one transaction what may go now,
//! hand it to the mail server, settle in another.
//!
//! A message is marked `sending`, its id stands in the journal, and both are durable before
//! its first byte leaves (SPEC D10). Whoever finds it in that state later, without us having
//! settled it, calls it unknown and never sends it again.

use hogwire_model::Time;
use hogwire_model::campaign::{Code, Decision};
use serde_json::{Value, json};

use super::gate::{self, Gate, LOOK_AGAIN, Way};
use super::hooks::{Ask, Line};
use super::letter::{self, Letter, domain_of, party};
use super::purse::Purse;
use super::{Did, Parts, settle, token};
use crate::error::{Error, Result};
use crate::outside::Parcel;
use crate::store::decisions::{self, Recorded};
use crate::store::messages::{Claim, Except, Message};
use crate::store::{Tx, message_bodies, messages, pauses};

/// Messages of one step. The mail adapter sends them concurrently.
const BATCH: usize = 100;

/// A message on its way, and the fence that its settlement must bring.
pub struct Claimed {
    pub message: Message,
    pub fence: i64,
    pub transactional: bool,
}

pub fn step(parts: &Parts<'_>, now: Time) -> Result<Did> {
    let lost = settle::lost(parts, now)?;
    let batch = claim(parts, now)?;
    let did = lost + batch.touched;
    if batch.parcels.is_empty() {
        return Ok(Did { did, next_due: batch.next_due });
    }
    let answers = parts.outside.mail.send(batch.parcels);
    settle::answers(parts, &batch.claimed, answers, now)?;
    Ok(Did { did, next_due: batch.next_due })
}

#[derive(Default)]
struct Batch {
    parcels: Vec<Parcel>,
    claimed: Vec<Claimed>,
    decided: Vec<Recorded>,
    touched: usize,
    next_due: Option<Time>,
}

fn claim(parts: &Parts<'_>, now: Time) -> Result<Batch> {
    let mut tx = parts.store.begin()?;
    let brakes = pauses::brakes(&mut tx)?;
    if brakes.everything {
        return Ok(Batch::default());
    }
    let mut purse = Purse::open(parts, &mut tx, now)?;
    let mut except = Except::default();
    except.senders.extend(brakes.senders.iter().map(String::as_str));
    except.senders.extend(purse.empty.iter().map(String::as_str));
    except.campaigns.extend(brakes.campaigns.iter().map(String::as_str));
    let mut batch = Batch::default();
    for message in messages::due(&mut tx, now, &except, BATCH)? {
        if !purse.has(&message.sender) {
            continue;
        }
        batch.touched += 1;
        match one(parts, &mut tx, &message, &mut batch, now) {
            Ok(true) => purse.spend(&message.sender),
            Ok(false) => {}
            // What is wrong with one message's rows must not stop the others.
            Err(error @ (Error::Corrupt { .. } | Error::Missing(_) | Error::Sealed(_))) => {
                settle::fail(parts, &mut tx, &message, &error.to_string(), &mut batch.decided, now)?;
            }
            Err(error) => return Err(error),
        }
    }
    let room_at = purse.close(&mut tx, now)?;
    decisions::record(&mut tx, &batch.decided)?;
    batch.next_due = messages::next_due(&mut tx, now)?.into_iter().chain(room_at).min();
    let ids: Vec<&str> = batch.claimed.iter().map(|claimed| claimed.message.id.as_str()).collect();
    let lines: Vec<Line<'_>> = ids.iter().map(|message_id| Line::Claimed { message_id }).collect();
    if !lines.is_empty() {
        parts.hooks.journal(&lines, now)?;
    }
    tx.commit()?;
    Ok(batch)
}

/// Decides over one message and claims it where it may go.
fn one(parts: &Parts<'_>, tx: &mut Tx<'_>, message: &Message, batch: &mut Batch, now: Time) -> Result<bool> {
    match gate::ask(parts, tx, message, now)? {
        Gate::Send(way) => send(parts, tx, message, &way, batch, now),
        Gate::Hold { code, until, detail } => {
            hold(tx, message, code, until, detail, &mut batch.decided, now)?;
            Ok(false)
        }
        Gate::Skip { code, detail } => {
            settle::skip(parts, tx, message, code, detail, &mut batch.decided, now)?;
            Ok(false)
        }
    }
}

fn send(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    message: &Message,
    way: &Way,
    batch: &mut Batch,
    now: Time,
) -> Result<bool> {
    let token = parts.outside.entropy.token();
    let urls = letter::urls(&parts.settings.public_url, &token);
    let ask = Ask {
        message,
        contact: &way.contact,
        topic: &way.topic.name,
        unsubscribe_url: &urls.unsubscribe,
        preferences_url: &urls.preferences,
        now,
    };
    let rendered = match parts.hooks.render(tx, &ask)? {
        Ok(rendered) => rendered,
        Err(why) => {
            settle::fail(parts, tx, message, &why, &mut batch.decided, now)?;
            return Ok(false);
        }
    };
    if let Some(from) = rendered.from.as_deref().filter(|_| way.test_inbox.is_none()) {
        let domain = domain_of(&party(from).1);
        if !gate::proven(parts, tx, &domain)? {
            let detail = json!({ "domain": domain });
            hold(tx, message, Code::Unverified, now.plus(LOOK_AGAIN), detail, &mut batch.decided, now)?;
            return Ok(false);
        }
    }
    let from = rendered.from.as_deref().or_else(|| parts.settings.senders.get(&message.sender).map(|held| &*held.from));
    let signers = parts.hooks.signers(tx, &domain_of(&party(from.unwrap_or_default()).1))?;
    let letter = match letter::write(parts, message, way, rendered, &token, &signers, now) {
        Ok(letter) => letter,
        Err(why) => {
            settle::fail(parts, tx, message, &why, &mut batch.decided, now)?;
            return Ok(false);
        }
    };
    mark(tx, message, way, letter, &token, batch, now)?;
    Ok(true)
}

fn mark(
    tx: &mut Tx<'_>,
    message: &Message,
    way: &Way,
    letter: Letter,
    token: &str,
    batch: &mut Batch,
    now: Time,
) -> Result<()> {
    // A test by hand keeps no token: nothing that its reader does with its links may touch
    // the contact as whom it was written.
    let token_hash = if message.is_by_hand() { message.id.clone() } else { token::hash(token) };
    let claim = Claim {
        id: &message.id,
        contact_id: &way.contact.contact.id,
        address: &way.address,
        topic: &way.topic.name,
        subject: &letter.subject,
        token_hash: &token_hash,
        rfc_id: &letter.rfc_id,
        test: way.test_inbox.is_some(),
    };
    let (fence, test) = (messages::claim(tx, &claim, message.fence, now)?, claim.test);
    message_bodies::put(tx, &message.id, &way.contact.contact.id, &letter.body, now)?;
    let message = Message {
        contact_id: way.contact.contact.id.clone(),
        address: way.address.clone(),
        topic: way.topic.name.clone(),
        subject: letter.subject,
        rfc_id: letter.rfc_id,
        test,
        attempts: message.attempts + 1,
        sending_at: Some(now),
        ..message.clone()
    };
    batch.parcels.push(letter.parcel);
    batch.claimed.push(Claimed { message, fence, transactional: way.topic.is_transactional() });
    Ok(())
}

/// Lets a message wait. The same reason is recorded once, however often it is met.
fn hold(
    tx: &mut Tx<'_>,
    message: &Message,
    code: Code,
    until: Time,
    mut detail: Value,
    decided: &mut Vec<Recorded>,
    now: Time,
) -> Result<()> {
    // What expires is told so when it expires, not when the reason to wait is over.
    let due = message.expires_at.map_or(until, |expires| until.min(expires));
    messages::hold(tx, &message.id, code.as_str(), due)?;
    if message.reason != code.as_str() {
        detail["template"] = message.template.as_str().into();
        decided.push(decided_about(message, code, detail, now));
    }
    Ok(())
}

pub fn decided_about(message: &Message, code: Code, detail: Value, now: Time) -> Recorded {
    Recorded {
        contact_id: message.contact_id.clone(),
        at: now,
        campaign_id: message.campaign_id.clone(),
        version: message.version,
        enrollment_id: message.enrollment_id.clone(),
        event: String::new(),
        decision: Decision::at_step(code, &message.step, detail),
    }
}
