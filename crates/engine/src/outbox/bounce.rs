//! What a refusal says about an address, and what follows from it. A dead address is never
//! written to again; a full mailbox is given up after several days; a server that distrusts
//! us says nothing about the address at all, and brakes the sender instead.

use std::collections::BTreeSet;

use hogwire_connectors::posthog::engagement::Happening;
use hogwire_connectors::smtp::reply::{self, Bounce};
use hogwire_model::contact::consent::{SuppressionReason, address_hash};
use hogwire_model::{Span, Time};
use serde_json::json;

use super::hooks::Line;
use super::settle::{engaged, engagement};
use super::{Parts, brakes, tell};
use crate::error::Result;
use crate::store::messages::Message;
use crate::store::suppressions::Entry;
use crate::store::{Tx, engagements, mirrors, suppressions};

/// A mailbox that is full or busy on as many days within the window is given up.
const SOFT_DAYS: usize = 5;
const SOFT_WINDOW: Span = Span::days(30);
const DAY: i64 = 86_400_000;

/// What a permanent refusal says about the address. It begins with the server's code.
pub fn bounce(said: &str) -> Option<Bounce> {
    let code: u16 = said.get(..3)?.parse().ok()?;
    reply::classify(code, None, said.get(3..)?.trim_start()).bounce
}

/// Records a bounce, whoever reported it. A dead address is never written to again.
pub fn bounced(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    message: &Message,
    bounce: Bounce,
    said: &str,
    at: Time,
) -> Result<()> {
    let detail = json!({ "kind": bounce.as_str(), "reason": said });
    let id = format!("{}:bounced", message.id);
    if message.test || !engagements::add(tx, &engagement(message, "bounced", &id, detail.clone(), at))? {
        return Ok(());
    }
    let given_up = match bounce {
        Bounce::Hard => Some("mail server"),
        Bounce::Soft if soft_for_days(tx, message, at)? => Some("bounced on several days"),
        Bounce::Soft | Bounce::Block => None,
    };
    if let Some(source) = given_up {
        suppress(parts, tx, message, SuppressionReason::HardBounce, source, at)?;
    }
    let more = detail.as_object().cloned().unwrap_or_default();
    tell::happening(parts, tx, Happening::EmailBounced, message, &message.id, more, at)?;
    engaged(parts, tx, message, "bounced", at)?;
    brakes::watch(tx, &message.sender, at)
}

/// Whether nothing but bounces came of the contact's mail on as many different days as
/// make a mailbox dead.
fn soft_for_days(tx: &mut Tx<'_>, message: &Message, at: Time) -> Result<bool> {
    let past = engagements::fates(tx, &message.contact_id, at.minus(SOFT_WINDOW))?;
    let bounced: BTreeSet<&str> = past.iter().filter(|fate| fate.bounced).map(|fate| &*fate.message_id).collect();
    let fresh = past.iter().take_while(|fate| bounced.contains(&*fate.message_id));
    let days: BTreeSet<i64> = fresh.filter(|fate| fate.bounced).map(|fate| fate.at.millis().div_euclid(DAY)).collect();
    Ok(days.len() >= SOFT_DAYS)
}

pub fn suppress(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    message: &Message,
    reason: SuppressionReason,
    source: &str,
    at: Time,
) -> Result<()> {
    let hash = address_hash(&message.address, &parts.keys.addresses);
    let entry = Entry {
        address_hash: hash,
        topic: String::new(),
        reason,
        address: Some(message.address.clone()),
        source: source.to_owned(),
        at,
    };
    let line = Line::OptedOut { address_hash: &entry.address_hash, topic: "", reason: reason.as_str() };
    parts.hooks.journal(&[line], at)?;
    suppressions::add(tx, &entry)?;
    mirrors::stir(tx, &message.contact_id, &message.address, at)
}
