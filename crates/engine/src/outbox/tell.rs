//! What happened with our mail, as events for the connections that want to know (SPEC G1).
//!
//! The event is complete when it is queued: its uuid and time never change on a retry. A
//! contact without an identified id on a connection is not told about there, only counted.

use hogwire_connectors::posthog::capture::Captured;
use hogwire_connectors::posthog::engagement::{Engagement, Happening};
use hogwire_model::Time;
use hogwire_model::contact::KeyKind;
use serde_json::{Map, Value, json};

use super::{NewDelivery, Parts, queue_delivery};
use crate::error::{Error, Result};
use crate::store::messages::Message;
use crate::store::{Tx, contact_keys, contacts, counts};

/// The counter of what could not be told for want of an identified id.
pub const UNTOLD: &str = "capture_without_identity";

/// Queues one happening for every connection that takes them back. `hit` tells two
/// happenings of one kind on one message apart, such as two clicks. Test mail is not told.
pub fn happening(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    happening: Happening,
    message: &Message,
    hit: &str,
    more: Map<String, Value>,
    at: Time,
) -> Result<()> {
    if message.test {
        return Ok(());
    }
    let wanting = parts.settings.connections.iter().filter(|(_, known)| known.capture && known.project_token.is_some());
    for (name, _) in wanting {
        let Some(visitor) = visitor(tx, &message.contact_id, name)? else {
            counts::add(tx, &[(UNTOLD, 1)], at)?;
            continue;
        };
        let engagement = Engagement {
            happening,
            id: hit,
            visitor: &visitor,
            at,
            campaign: Some(&message.campaign_id),
            campaign_version: Some(message.version),
            step: Some(&message.step),
            message_id: Some(&message.id),
            topic: Some(&message.topic),
            more: more.clone(),
        };
        captured(parts, tx, name, message, &engagement.captured(), at)?;
    }
    Ok(())
}

fn captured(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    connection: &str,
    message: &Message,
    event: &Captured,
    now: Time,
) -> Result<()> {
    let event =
        serde_json::to_value(event).map_err(|error| Error::Corrupt { what: "event", why: error.to_string() })?;
    let uuid = event["uuid"].as_str().unwrap_or_default().to_owned();
    let delivery = NewDelivery {
        idempotency_key: &format!("{connection}:{uuid}"),
        destination: connection,
        kind: "capture",
        contact_id: &message.contact_id,
        campaign_id: &message.campaign_id,
        enrollment_id: &message.enrollment_id,
        step: &message.step,
        payload: &json!({ "captured": event }).to_string(),
    };
    queue_delivery(tx, &delivery, &*parts.outside.entropy, now).map(|_| ())
}

/// The id by which a connection knows the contact, where it is a known user there. A name
/// that somebody chose is taken before one that a browser made up.
pub fn visitor(tx: &mut Tx<'_>, contact_id: &str, connection: &str) -> Result<Option<String>> {
    let Some(stored) = contacts::find(tx, contact_id)? else { return Ok(None) };
    if !stored.contact.identified {
        return Ok(None);
    }
    let keys = contact_keys::of_contact(tx, &stored.contact.id)?;
    let own = || keys.iter().filter(|key| key.connection == connection && key.kind == KeyKind::Visitor);
    let chosen = own().find(|key| !made_up(&key.value)).or_else(|| own().next_back());
    Ok(chosen.map(|key| key.value.clone()))
}

/// Looks like the uuid that a browser gives to a visitor it does not know.
fn made_up(value: &str) -> bool {
    value.len() == 36 && value.bytes().filter(|byte| *byte == b'-').count() == 4
}
