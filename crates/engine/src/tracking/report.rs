//! What mail servers and mail services report after they took a message: delivered, bounced,
//! complained about. A report is also the word on a message whose fate was unknown.

use hogwire_connectors::posthog::engagement::Happening;
use hogwire_connectors::smtp::reply::Bounce;
use hogwire_model::Time;
use hogwire_model::contact::consent::{Consent, ConsentState, Said, SuppressionReason};
use serde_json::{Map, json};

use crate::error::Result;
use crate::outbox::settle::{self, Word, engagement};
use crate::outbox::{Parts, bounce, brakes, tell};
use crate::store::consents::{self, EVERYTHING};
use crate::store::messages::{Message, Status};
use crate::store::{Tx, engagements, messages, redirects};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report<'a> {
    Delivered,
    Bounced { bounce: Bounce, said: &'a str },
    Complained,
}

/// Takes a report about a message, by its Message-ID with or without brackets, or by our
/// own id. The same report again changes nothing. Answers whether the message is ours.
pub fn report(parts: &Parts<'_>, named: &str, report: Report<'_>, at: Time, now: Time) -> Result<bool> {
    let named = named.trim().trim_start_matches('<').trim_end_matches('>');
    // The Message-ID begins with our id.
    let id = named.split_once('@').map_or(named, |(id, _)| id);
    parts.store.write(|tx| {
        let Some(message) = messages::find(tx, id)? else { return Ok(false) };
        settle::told(parts, tx, &message, Word::Sent, "a report", now)?;
        match report {
            Report::Delivered => delivered(parts, tx, &message, at)?,
            Report::Bounced { bounce: kind, said } => {
                bounce::bounced(parts, tx, &message, kind, said, at)?;
                if kind == Bounce::Hard {
                    messages::end(tx, &message.id, Status::Bounced, said, now)?;
                }
            }
            Report::Complained => complained(parts, tx, &message, at)?,
        }
        Ok(true)
    })
}

fn delivered(parts: &Parts<'_>, tx: &mut Tx<'_>, message: &Message, at: Time) -> Result<()> {
    let id = format!("{}:delivered", message.id);
    if message.test || !engagements::add(tx, &engagement(message, "delivered", &id, json!({}), at))? {
        return Ok(());
    }
    tell::happening(parts, tx, Happening::EmailDelivered, message, &message.id, Map::new(), at)
}

/// Who complains wants nothing more, under any address.
fn complained(parts: &Parts<'_>, tx: &mut Tx<'_>, message: &Message, at: Time) -> Result<()> {
    let id = format!("{}:complained", message.id);
    if !engagements::add(tx, &engagement(message, "complained", &id, json!({}), at))? {
        return Ok(());
    }
    messages::end(tx, &message.id, Status::Complained, "complained", at)?;
    bounce::suppress(parts, tx, message, SuppressionReason::Complaint, "report", at)?;
    let contact = redirects::resolve(tx, &message.contact_id)?;
    let word = Consent {
        topic: EVERYTHING.to_owned(),
        state: ConsentState::Denied,
        at,
        source: "complaint".to_owned(),
        text: String::new(),
    };
    consents::say(tx, &contact, &word, Said::Human)?;
    tell::happening(parts, tx, Happening::EmailComplained, message, &message.id, Map::new(), at)?;
    settle::engaged(parts, tx, message, "complained", at)?;
    brakes::watch(tx, &message.sender, at)
}
